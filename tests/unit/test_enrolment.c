/* SPDX-License-Identifier: Apache-2.0 */
/* Enrolments to the byte, every fault of one, and the handshakes that follow from it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "all_are.h"
#include "larch/cbor.h"
#include "larch/crypto.h"
#include "larch/enrolment.h"

static uint8_t bytes[LARCH_ENROLMENT_MAX + 16];
static const uint8_t key[LARCH_SIG_PK_MAX] = {1};

static larch_enrolment sample(void)
{
    larch_enrolment e = {.name = LARCH_TEXT("door-in-the-yard"),
                         .hash = LARCH_COSE_SHAKE256,
                         .method = LARCH_LAKE_METHOD_PSK,
                         .suite = LARCH_LAKE_SUITE_PQ_1};
    memset(e.kid, 0x11, sizeof e.kid);
    memset(e.psk, 0x22, sizeof e.psk);
    memset(e.identity, 0x33, sizeof e.identity);
    return e;
}

static larch_bytes written(const larch_enrolment *e)
{
    larch_writer w = larch_writer_to(bytes, sizeof bytes);
    larch_enrolment_put(&w, e);
    assert_true(w.len <= sizeof bytes);
    return (larch_bytes){bytes, w.len};
}

static void assert_fault(larch_bytes in, larch_enrolment_fault wanted)
{
    larch_enrolment out;
    larch_enrolment_fault fault = LARCH_ENROLMENT_FAULT_COUNT;
    memset(&out, 0xaa, sizeof out);
    const larch_error e = larch_enrolment_parse(in, &out, &fault);
    if (fault != wanted)
        print_error("%s, not %s\n", larch_enrolment_fault_text(fault), larch_enrolment_fault_text(wanted));
    assert_int_equal(fault, wanted);
    assert_int_equal(e, wanted == LARCH_ENROLMENT_FAULT_NONE ? LARCH_OK : LARCH_MALFORMED);
    if (e != LARCH_OK)
        assert_true(all_are((const uint8_t *)&out, sizeof out, 0));
    assert_int_equal(larch_enrolment_parse(in, &out, NULL), e);
}

/* ---- bytes ------------------------------------------------------------------------- */

static void test_bytes(void **state)
{
    const larch_enrolment e = sample();
    static const uint8_t start[] = {0xa6, 0x01, 0x01, 0x02, 0x70, 'd', 'o', 'o', 'r'};
    static const uint8_t kid[] = {0x03, 0x48, 0x11}, hash[] = {0x05, 0x38, 0x2c, 0x06, 0x54, 0x33};
    const larch_bytes all = written(&e);
    (void)state;
    assert_int_equal(all.len, 91);
    assert_memory_equal(all.data, start, sizeof start);
    assert_memory_equal(all.data + 21, kid, sizeof kid);
    assert_memory_equal(all.data + 66, hash, sizeof hash);
}

static void assert_same(const larch_enrolment *a, const larch_enrolment *b)
{
    assert_true(larch_bytes_equal(a->name, b->name) && larch_bytes_equal(a->authority, b->authority) &&
                larch_bytes_equal(a->key, b->key) && a->hash == b->hash && a->method == b->method &&
                a->suite == b->suite && a->reference == b->reference);
    assert_memory_equal(a->kid, b->kid, sizeof a->kid);
    assert_memory_equal(a->psk, b->psk, sizeof a->psk);
    assert_memory_equal(a->identity, b->identity, sizeof a->identity);
}

/* By signatures: of a suite, with the gateway's key of that suite. */
static larch_enrolment signer_sample(int suite)
{
    larch_enrolment e = sample();
    const larch_lake_suite *s = larch_lake_suite_find(suite);
    assert_non_null(s);
    e.method = LARCH_LAKE_METHOD_SIGNATURES;
    e.suite = s->number;
    e.hash = s->hash;
    e.key = (larch_bytes){key, larch_sig_find(s->signature)->pk_len};
    return e;
}

static void test_members(void **state)
{
    (void)state;
    for (unsigned which = 0; which < 16; which++) {
        larch_enrolment e = sample(), read;
        if ((which & 4) != 0)
            e = signer_sample(LARCH_LAKE_SUITE_PQ_1);
        if ((which & 8) != 0) {
            e.suite = LARCH_LAKE_SUITE_X_WING;
            e.reference = (which & 4) != 0 ? LARCH_LAKE_BY_CWT_HASH : LARCH_LAKE_BY_KID;
        }
        if ((which & 1) != 0)
            e.authority = LARCH_TEXT("gateway.example:5683");
        if ((which & 2) != 0)
            e.key = (larch_bytes){key, larch_sig_find(LARCH_COSE_ML_DSA_44)->pk_len};
        const larch_bytes all = written(&e);
        assert_int_equal(larch_enrolment_parse(all, &read, NULL), LARCH_OK);
        assert_same(&read, &e);
        for (size_t cut = 0; cut < all.len; cut += cut < 200 ? 1 : 97)
            assert_fault((larch_bytes){bytes, cut}, LARCH_ENROLMENT_FAULT_FOREIGN);
        bytes[all.len] = 0;
        assert_fault((larch_bytes){bytes, all.len + 1}, LARCH_ENROLMENT_FAULT_FOREIGN);
    }
}

/* ---- faults ------------------------------------------------------------------------ */

static void test_head_faults(void **state)
{
    const larch_enrolment e = sample();
    larch_bytes all = written(&e);
    (void)state;
    assert_fault((larch_bytes){NULL, 0}, LARCH_ENROLMENT_FAULT_FOREIGN);
    assert_fault(LARCH_TEXT("{\"version\": 1}"), LARCH_ENROLMENT_FAULT_FOREIGN);
    bytes[2] = 2;
    assert_fault(all, LARCH_ENROLMENT_FAULT_VERSION);
    bytes[2] = 0x20;
    assert_fault(all, LARCH_ENROLMENT_FAULT_FOREIGN);
    all = written(&e);
    bytes[1] = 0x00; /* the first label */
    assert_fault(all, LARCH_ENROLMENT_FAULT_FOREIGN);
    all = written(&e);
    bytes[69] = 0x07; /* label 6 becomes 7 */
    assert_fault(all, LARCH_ENROLMENT_FAULT_MEMBER);
    bytes[0] = 0xa5;
    bytes[69] = 0x06;
    assert_fault((larch_bytes){bytes, 69}, LARCH_ENROLMENT_FAULT_MEMBER);
    all = written(&e);
    bytes[0] = 0xa7;
    bytes[91] = 0x0c; /* an unknown member */
    bytes[92] = 0x40;
    assert_fault((larch_bytes){bytes, 93}, LARCH_ENROLMENT_FAULT_MEMBER);
}

/* What a writer of faulty enrolments puts: larch_enrolment_put itself checks nothing. */
static void test_value_faults(void **state)
{
    larch_enrolment e = sample();
    static const char *const names[] = {"", "a b", "a:b", "seventeen-letters", "tab\t", "caf\xc3\xa9"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        e.name = larch_bytes_of_text(names[i]);
        assert_fault(written(&e), LARCH_ENROLMENT_FAULT_NAME);
        assert_false(larch_enrolment_is_name(e.name));
    }
    e = sample();
    e.hash = LARCH_COSE_SHA_256 - 1;
    assert_fault(written(&e), LARCH_ENROLMENT_FAULT_HASH);
    e = sample();
    e.authority = LARCH_TEXT("two words");
    assert_fault(written(&e), LARCH_ENROLMENT_FAULT_AUTHORITY);
    e = sample();
    e.key = (larch_bytes){key, 100};
    assert_fault(written(&e), LARCH_ENROLMENT_FAULT_KEY);
}

/* Pairs that cannot be, and members that do not belong together. */
static void test_pair_faults(void **state)
{
    (void)state;
    larch_enrolment e = signer_sample(LARCH_LAKE_SUITE_PQ_1);
    e.method = LARCH_LAKE_METHOD_STATIC_DH; /* a suite with a KEM has no Diffie-Hellman */
    assert_fault(written(&e), LARCH_ENROLMENT_FAULT_PAIR);
    e = signer_sample(LARCH_LAKE_SUITE_PQ_1);
    e.key.len = 0; /* the gateway could not be authenticated */
    assert_fault(written(&e), LARCH_ENROLMENT_FAULT_PAIR);
    e = signer_sample(LARCH_LAKE_SUITE_PQ_1);
    e.key.len = larch_sig_find(LARCH_COSE_ML_DSA_87)->pk_len; /* of another suite */
    assert_fault(written(&e), LARCH_ENROLMENT_FAULT_PAIR);
    e = sample();
    e.suite = LARCH_LAKE_SUITE_PQ_3; /* whose hash is SHA-384 */
    assert_fault(written(&e), LARCH_ENROLMENT_FAULT_PAIR);
    e.suite = -20; /* nobody has it */
    assert_fault(written(&e), LARCH_ENROLMENT_FAULT_PAIR);
    e = sample();
    e.reference = LARCH_LAKE_BY_CCS; /* a pre-shared key has no credential to send */
    assert_fault(written(&e), LARCH_ENROLMENT_FAULT_PAIR);
    e = signer_sample(LARCH_LAKE_SUITE_PQ_1);
    e.reference = LARCH_LAKE_BY_CWT_HASH + 1;
    assert_fault(written(&e), LARCH_ENROLMENT_FAULT_PAIR);
    for (unsigned method = 0; method < 6; method++)
        assert_int_equal(larch_enrolment_is_pair(method, larch_lake_suite_find(LARCH_LAKE_SUITE_PQ_1)),
                         method == LARCH_LAKE_METHOD_SIGNATURES || method == LARCH_LAKE_METHOD_PSK);
}

/* Members of another type or length: the byte at which the value's head stands, and what it becomes. */
static void test_type_faults(void **state)
{
    static const struct {
        size_t at;
        larch_enrolment_fault fault;
    } rows[] = {{22, LARCH_ENROLMENT_FAULT_KID}, {69 + 1, LARCH_ENROLMENT_FAULT_IDENTITY}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const larch_enrolment e = sample();
        larch_bytes all = written(&e);
        bytes[rows[i].at] |= 0x20; /* a byte string becomes text */
        assert_fault(all, rows[i].fault);
        all = written(&e);
        bytes[rows[i].at]--; /* one byte shorter */
        memmove(bytes + rows[i].at + 1, bytes + rows[i].at + 2, all.len - rows[i].at - 2);
        assert_fault((larch_bytes){bytes, all.len - 1}, rows[i].fault);
    }
    const larch_enrolment e = sample();
    const larch_bytes all = written(&e);
    bytes[33] = 31; /* of the PSK's 32 bytes */
    memmove(bytes + 34, bytes + 35, all.len - 35);
    assert_fault((larch_bytes){bytes, all.len - 1}, LARCH_ENROLMENT_FAULT_PSK);
}

/* ---- handshakes -------------------------------------------------------------------- */

static larch_random source;
static const larch_lake_suite *suites[1];
static uint8_t scratch[LARCH_LAKE_SCRATCH_PSK];

static larch_error find(void *context, const larch_lake_reference *reference, unsigned attempt,
                        larch_lake_credential *out)
{
    const larch_lake_credential *known = context;
    if (attempt > 0 || !larch_bytes_equal(reference->id_cred, known->id_cred))
        return LARCH_AUTH;
    *out = *known;
    return LARCH_OK;
}

/* Shakes hands; LARCH_OK: both have the same keys, and *next is what both derive for the next time. */
static larch_error shake_hands(const larch_lake_credential *device, const larch_lake_credential *gateway,
                               larch_lake_resumption *next)
{
    static uint8_t messages[4][2048];
    const larch_lake_party party = {.suites = suites,
                                    .suite_count = 1,
                                    .methods = 1 << LARCH_LAKE_METHOD_PSK,
                                    .find = find,
                                    .context = (void *)(uintptr_t)gateway,
                                    .random = source,
                                    .scratch = scratch,
                                    .scratch_size = sizeof scratch};
    larch_writer w[4];
    larch_lake_session i, r;
    larch_lake_message_1 m1;
    larch_lake_received received;
    larch_lake_resumption other;
    const larch_lake_answer answer = {.c_r = LARCH_TEXT("r")};
    larch_error e;
    for (size_t n = 0; n < 4; n++)
        w[n] = larch_writer_to(messages[n], sizeof messages[n]);
    larch_lake_init(&i, LARCH_LAKE_INITIATOR);
    larch_lake_init(&r, LARCH_LAKE_RESPONDER);
#define MESSAGE(n) ((larch_bytes){messages[n], w[n].len})
    if ((e = larch_lake_compose_message_1(&i, &party, LARCH_LAKE_METHOD_PSK, 0, LARCH_TEXT("i"), (larch_bytes){0},
                                          &w[0])) != LARCH_OK ||
        (e = larch_lake_process_message_1(&r, &party, MESSAGE(0), &m1)) != LARCH_OK ||
        (e = larch_lake_compose_message_2(&r, &party, &m1, &answer, &w[1])) != LARCH_OK ||
        (e = larch_lake_process_message_2(&i, &party, MESSAGE(1), &received)) != LARCH_OK ||
        (e = larch_lake_compose_message_3(&i, &party, device, (larch_bytes){0}, &w[2])) != LARCH_OK ||
        (e = larch_lake_process_message_3(&r, &party, MESSAGE(2), &received)) != LARCH_OK ||
        (e = larch_lake_compose_message_4(&r, &party, (larch_bytes){0}, &w[3])) != LARCH_OK ||
        (e = larch_lake_process_message_4(&i, &party, MESSAGE(3), &received)) != LARCH_OK)
        return e;
#undef MESSAGE
    assert_int_equal(larch_lake_derive_resumption(larch_lake_keys_of(&i), LARCH_LAKE_KID_LEN, next), LARCH_OK);
    assert_int_equal(larch_lake_derive_resumption(larch_lake_keys_of(&r), LARCH_LAKE_KID_LEN, &other), LARCH_OK);
    assert_memory_equal(next->psk, other.psk, sizeof next->psk);
    assert_memory_equal(next->kid, other.kid, sizeof next->kid);
    return LARCH_OK;
}

typedef struct made {
    uint8_t buffer[LARCH_ENROLMENT_CREDENTIAL_MAX];
    larch_lake_credential credential;
} made;

static const larch_lake_credential *make(made *m, const larch_enrolment *e, const larch_lake_resumption *resumption)
{
    assert_int_equal(larch_enrolment_credential(e, resumption, m->buffer, &m->credential), LARCH_OK);
    return &m->credential;
}

static void test_handshakes(void **state)
{
    const larch_enrolment e = sample();
    larch_enrolment other;
    larch_lake_resumption first, second, unused;
    static made device, gateway;
    (void)state;
    assert_int_equal(shake_hands(make(&device, &e, NULL), make(&gateway, &e, NULL), &first), LARCH_OK);
    assert_int_equal(shake_hands(make(&device, &e, &first), make(&gateway, &e, &first), &second), LARCH_OK);
    assert_memory_not_equal(first.psk, second.psk, sizeof first.psk);
    other = sample();
    other.psk[31] ^= 1;
    assert_int_equal(shake_hands(make(&device, &e, NULL), make(&gateway, &other, NULL), &unused), LARCH_AUTH);
    other = sample();
    other.kid[0] ^= 1;
    assert_int_equal(shake_hands(make(&device, &e, NULL), make(&gateway, &other, NULL), &unused), LARCH_AUTH);
    /* A gateway that has the device's key, but is another one, and one that knows the device under another name. */
    other = sample();
    other.identity[0] ^= 1;
    assert_int_equal(shake_hands(make(&device, &e, NULL), make(&gateway, &other, NULL), &unused), LARCH_AUTH);
    other = sample();
    other.name = LARCH_TEXT("door");
    assert_int_equal(shake_hands(make(&device, &e, NULL), make(&gateway, &other, NULL), &unused), LARCH_AUTH);
    assert_int_equal(shake_hands(make(&device, &e, &first), make(&gateway, &other, &first), &unused), LARCH_AUTH);
    other = signer_sample(LARCH_LAKE_SUITE_PQ_1);
    assert_int_equal(larch_enrolment_credential(&other, NULL, device.buffer, &device.credential), LARCH_STATE);
    assert_true(all_are((const uint8_t *)&device.credential, sizeof device.credential, 0));
}

/* CRED_R says who the gateway is, and its kid is the start of the hash of its key, as the identity document has it. */
static void test_gateway_credential(void **state)
{
    const larch_enrolment e = signer_sample(LARCH_LAKE_SUITE_PQ_1);
    uint8_t ccs[LARCH_ENROLMENT_CCS_MAX], kid[LARCH_LAKE_KID_LEN], hash[LARCH_SHA256_LEN];
    larch_writer w = larch_writer_to(ccs, sizeof ccs);
    larch_lake_claims claims;
    larch_fingerprint fingerprint;
    (void)state;
    assert_int_equal(larch_enrolment_put_gateway(&w, e.identity, LARCH_COSE_ML_DSA_44, e.key, kid), LARCH_OK);
    assert_int_equal(larch_lake_parse_ccs((larch_bytes){ccs, w.len}, &claims), LARCH_OK);
    assert_int_equal(larch_fingerprint_parse(claims.sub, &fingerprint), LARCH_OK);
    assert_memory_equal(fingerprint.bytes, e.identity, sizeof e.identity);
    assert_int_equal(larch_sha256(&e.key, 1, hash), LARCH_OK);
    assert_memory_equal(kid, hash, sizeof kid);
    assert_true(larch_bytes_equal(claims.key.kid, LARCH_BYTES(kid)) && larch_bytes_equal(claims.key.pub, e.key));
}

static int set_up(void **state)
{
    (void)state;
    suites[0] = larch_lake_suite_find(LARCH_LAKE_SUITE_PQ_1);
    if (suites[0] == NULL || larch_crypto_init() != LARCH_OK)
        return -1;
    source = larch_crypto_random();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),       cmocka_unit_test(test_members),
        cmocka_unit_test(test_head_faults), cmocka_unit_test(test_value_faults),
        cmocka_unit_test(test_type_faults), cmocka_unit_test(test_handshakes),
        cmocka_unit_test(test_pair_faults), cmocka_unit_test(test_gateway_credential),
    };
    return cmocka_run_group_tests_name("enrolment", tests, set_up, NULL);
}
