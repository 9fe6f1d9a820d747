/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials of LAKE: claims sets, CWTs of an authority, times, and how a message refers to them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lake/lake_int.h"
#include "lake_pair.h"

static uint8_t bytes[LAKE_CRED_MAX], other[LAKE_CRED_MAX];
static lake_pair p;

static larch_lake_claims device_claims(void)
{
    static const larch_lake_suite *suites[1];
    suites[0] = larch_lake_suite_find(LARCH_LAKE_SUITE_PQ_1);
    assert_true(lake_pair_init(&p, LARCH_LAKE_METHOD_SIGNATURES, suites, LARCH_LAKE_BY_KID));
    larch_lake_claims claims = {.iss = LARCH_TEXT("fleet"),
                                .sub = LARCH_TEXT("device-1"),
                                .key = p.i.own.key,
                                .nbf = 1800000000,
                                .exp = 1900000000};
    claims.key.priv = (larch_bytes){0};
    return claims;
}

static void test_ccs(void **state)
{
    larch_lake_claims claims = device_claims(), read;
    larch_writer w = larch_writer_to(bytes, sizeof bytes);
    (void)state;
    larch_lake_put_ccs(&w, &claims);
    assert_int_equal(larch_lake_parse_ccs((larch_bytes){bytes, w.len}, &read), LARCH_OK);
    assert_true(larch_bytes_equal(read.iss, claims.iss) && larch_bytes_equal(read.sub, claims.sub));
    assert_true(read.exp == claims.exp && read.nbf == claims.nbf);
    assert_true(larch_bytes_equal(read.key.pub, claims.key.pub));
    assert_int_equal(read.key.alg, LARCH_COSE_ML_DSA_44);
    for (size_t cut = 0; cut < w.len; cut += cut < 40 ? 1 : 97) {
        assert_int_not_equal(larch_lake_parse_ccs((larch_bytes){bytes, cut}, &read), LARCH_OK);
        assert_true(is_zero((const uint8_t *)&read, sizeof read));
    }
    w = larch_writer_to(bytes, sizeof bytes); /* a private key is not to be sent */
    claims.key.priv = p.i.own.key.priv;
    larch_lake_put_ccs(&w, &claims);
    assert_int_equal(larch_lake_parse_ccs((larch_bytes){bytes, w.len}, &read), LARCH_MALFORMED);
    w = larch_writer_to(bytes, sizeof bytes); /* the shape that sessions.md gives */
    claims = (larch_lake_claims){.sub = LARCH_TEXT("ab"), .key = {.kty = LARCH_COSE_SYMMETRIC, .kid = LARCH_TEXT("k")}};
    larch_lake_put_ccs(&w, &claims);
    static const uint8_t expected[] = {0xa2, 2, 0x62, 'a', 'b', 8, 0xa1, 1, 0xa2, 1, 4, 2, 0x41, 'k'};
    assert_int_equal(w.len, sizeof expected);
    assert_memory_equal(bytes, expected, sizeof expected);
}

static void test_ccs_refused(void **state)
{
    const struct {
        larch_bytes in;
        larch_error error;
    } rows[] = {
        {LARCH_TEXT("\xa2\x02\x61"
                    "a\x08\xa1\x01\xa4\x01\x02\x20\x01\x21\x58\x20"
                    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                    "\x22\xf5"),
         LARCH_OK},
        {LARCH_TEXT("\xa1\x08\xa1\x01\xa4\x01\x02\x20\x01\x21\x58\x20"
                    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                    "\x22\xf5"),
         LARCH_MALFORMED}, /* no sub */
        {LARCH_TEXT("\xa1\x02\x61"
                    "a"),
         LARCH_MALFORMED}, /* no key */
        {LARCH_TEXT("\xa2\x02\x61"
                    "a\x08\xa0"),
         LARCH_MALFORMED}, /* no member of cnf */
        {LARCH_TEXT("\xa2\x02\x61"
                    "a\x08\xa1\x03\x41x"),
         LARCH_STATE}, /* a kid in cnf */
        {LARCH_TEXT("\xa2\x02\x41"
                    "a\x08\xa0"),
         LARCH_MALFORMED}, /* sub is no text */
        {LARCH_TEXT("\xa2\x02\x61"
                    "a\x04\xf9\x3c\x00"),
         LARCH_STATE}, /* exp 1.0 */
        {LARCH_TEXT("\xa2\x02\x61"
                    "a\x04\x00"),
         LARCH_STATE}, /* exp 0 */
        {LARCH_TEXT("\xa2\x02\x61"
                    "a\x04\x41x"),
         LARCH_MALFORMED}, /* exp is no number */
        {LARCH_TEXT("\xa2\x02\x61"
                    "a\x08\xa1\x01\xa2\x01\x04\x20\x41"
                    "k"),
         LARCH_MALFORMED}, /* a secret key */
        {LARCH_TEXT("\xa2\x02\x61"
                    "a\x08\xa1\x01\xa4\x01\x02\x20\x01\x21\x58\x20"
                    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                    "\x23\x40"),
         LARCH_MALFORMED},
        {LARCH_TEXT("\xa3\x02\x61"
                    "a\x02\x61"
                    "b\x08\xa0"),
         LARCH_MALFORMED}, /* sub twice */
        {LARCH_TEXT("\x80"), LARCH_MALFORMED},
        {LARCH_TEXT(""), LARCH_MALFORMED},
    };
    (void)state;
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        larch_lake_claims read;
        memset(&read, 0xaa, sizeof read);
        assert_int_equal(larch_lake_parse_ccs(rows[n].in, &read), rows[n].error);
        assert_true(rows[n].error == LARCH_OK || is_zero((const uint8_t *)&read, sizeof read));
    }
}

static void test_cwt(void **state)
{
    const larch_lake_claims claims = device_claims();
    const larch_cose_key authority = lake_authority();
    larch_cose_key wrong = authority;
    larch_lake_claims read;
    larch_writer c = larch_writer_to(other, sizeof other), w = larch_writer_to(bytes, sizeof bytes);
    (void)state;
    larch_lake_put_ccs(&c, &claims);
    assert_int_equal(larch_lake_put_cwt(&w, (larch_bytes){other, c.len}, &authority, NULL), LARCH_OK);
    assert_int_equal(bytes[0], 0x84); /* untagged */
    const larch_bytes cwt = {bytes, w.len};
    assert_true(w.len <= LARCH_LAKE_CWT_MAX);
    assert_int_equal(larch_lake_verify_cwt(cwt, &authority, &read), LARCH_OK);
    assert_true(larch_bytes_equal(read.sub, claims.sub) && larch_bytes_equal(read.key.pub, claims.key.pub));
    for (size_t at = 0; at < w.len; at += at < 100 ? 1 : 131) {
        bytes[at] ^= 4;
        assert_int_not_equal(larch_lake_verify_cwt(cwt, &authority, &read), LARCH_OK);
        assert_true(is_zero((const uint8_t *)&read, sizeof read));
        bytes[at] ^= 4;
    }
    wrong.pub = (larch_bytes){bytes, authority.pub.len}; /* somebody else */
    assert_int_equal(larch_lake_verify_cwt(cwt, &wrong, &read), LARCH_AUTH);
    for (size_t missing = 1; missing < 3000; missing = missing * 2 + 1) {
        static uint8_t cut[LAKE_CRED_MAX];
        larch_writer small = larch_writer_to(cut, w.len - missing);
        assert_int_equal(larch_lake_put_cwt(&small, (larch_bytes){other, c.len}, &authority, NULL), LARCH_SPACE);
        assert_int_equal(small.len, 0);
    }
    larch_writer out = larch_writer_to(bytes, sizeof bytes);
    assert_int_equal(larch_lake_put_cwt(&out, (larch_bytes){other, c.len}, &authority, &failing), LARCH_PLATFORM);
    assert_int_equal(out.len, 0);
}

/* Signing of pieces: whatever fails, no signature is left. */
static void test_sign_pieces_refused(void **state)
{
    const larch_bytes piece = LARCH_TEXT("piece");
    const larch_random bad = {fill_and_fail, NULL};
    size_t n = 0;
    (void)state;
    (void)device_claims(); /* makes p.i.own.key */
    larch_cose_key no_seed = p.i.own.key, other_pair = p.i.own.key, verify_only = p.i.own.key;
    no_seed.priv.len = 0;
    other_pair.pub = p.r.own.key.pub;
    verify_only.ops = 1u << LARCH_COSE_OP_VERIFY;
    const struct {
        const larch_cose_key *key;
        const larch_random *random;
        int64_t alg;
        larch_error error;
    } rows[] = {{&p.i.own.key, NULL, LARCH_COSE_ML_DSA_44, LARCH_OK},
                {&p.i.own.key, &bad, LARCH_COSE_ML_DSA_44, LARCH_PLATFORM},
                {&p.i.own.key, NULL, LARCH_COSE_ML_DSA_87, LARCH_STATE},
                {&p.i.own.key, NULL, LARCH_COSE_ES256, LARCH_STATE},
                {&no_seed, NULL, LARCH_COSE_ML_DSA_44, LARCH_STATE},
                {&other_pair, NULL, LARCH_COSE_ML_DSA_44, LARCH_MALFORMED},
                {&verify_only, NULL, LARCH_COSE_ML_DSA_44, LARCH_STATE}};
    for (; n < sizeof rows / sizeof rows[0]; n++) {
        const size_t len = larch_cose_signature_len(rows[n].alg);
        memset(bytes, 0xaa, len);
        assert_int_equal(larch_cose_sign_pieces(rows[n].alg, rows[n].key, rows[n].random, &piece, 1, bytes),
                         rows[n].error);
        assert_int_equal(is_zero(bytes, len), rows[n].error != LARCH_OK);
    }
    assert_int_equal(larch_cose_signature_len(LARCH_COSE_ML_DSA_44), 2420);
    assert_int_equal(larch_cose_signature_len(LARCH_COSE_ES256), 64);
    assert_int_equal(larch_cose_signature_len(-8), 0);
    assert_int_equal(larch_cose_signature_len(INT64_MIN), 0);
}

/* The algorithm of a CWT is that of the protected header. */
static void test_cwt_unprotected_algorithm(void **state)
{
    const larch_lake_claims claims = device_claims();
    const larch_cose_key authority = lake_authority();
    const larch_cose_header header = {.present = LARCH_COSE_HAS_ALG, .alg = authority.alg};
    larch_lake_claims read;
    larch_writer c = larch_writer_to(other, sizeof other), w = larch_writer_to(bytes, sizeof bytes);
    (void)state;
    larch_lake_put_ccs(&c, &claims);
    assert_int_equal(
        larch_cose_put_sign1(&w, true, &header, &authority, NULL, (larch_bytes){0}, (larch_bytes){other, c.len}),
        LARCH_OK);
    assert_int_equal(larch_lake_verify_cwt((larch_bytes){bytes, w.len}, &authority, &read), LARCH_STATE);
}

static void test_times(void **state)
{
    const larch_lake_claims none = {0}, both = {.nbf = 100, .exp = 200};
    (void)state;
    assert_int_equal(larch_lake_check_times(&none, 0), LARCH_OK);
    assert_int_equal(larch_lake_check_times(&none, UINT64_MAX), LARCH_OK);
    assert_int_equal(larch_lake_check_times(&both, 99), LARCH_AUTH);
    assert_int_equal(larch_lake_check_times(&both, 100), LARCH_OK);
    assert_int_equal(larch_lake_check_times(&both, 199), LARCH_OK);
    assert_int_equal(larch_lake_check_times(&both, 200), LARCH_AUTH);
}

static larch_error take(larch_bytes in, larch_lake_reference *out)
{
    static uint8_t map[LAKE_KID_MAP_MAX];
    larch_reader r = larch_reader_of(in);
    memset(out, 0, sizeof *out);
    const larch_error e = larch_lake_take_id_cred(&r, map, out);
    return e == LARCH_OK && r.left.len > 0 ? LARCH_MALFORMED : e;
}

static void test_id_cred(void **state)
{
    const struct {
        larch_bytes sent;
        larch_error error;
        larch_lake_reference_kind kind;
        larch_bytes value;
    } rows[] = {
        {LARCH_TEXT("\x05"), LARCH_OK, LARCH_LAKE_BY_KID, {(const uint8_t *)"\x05", 1}},
        {LARCH_TEXT("\x37"), LARCH_OK, LARCH_LAKE_BY_KID, {(const uint8_t *)"\x37", 1}},
        {LARCH_TEXT("\x41\x18"), LARCH_OK, LARCH_LAKE_BY_KID, {(const uint8_t *)"\x18", 1}},
        {LARCH_TEXT("\x42\x01\x02"), LARCH_OK, LARCH_LAKE_BY_KID, {(const uint8_t *)"\x01\x02", 2}},
        {LARCH_TEXT("\xa1\x0e\xa1\x01\x02"), LARCH_OK, LARCH_LAKE_BY_CCS, {(const uint8_t *)"\xa1\x01\x02", 3}},
        {LARCH_TEXT("\xa1\x0d\x80"), LARCH_OK, LARCH_LAKE_BY_CWT, {(const uint8_t *)"\x80", 1}},
        {LARCH_TEXT("\xa1\x0d\xd2\x80"), LARCH_OK, LARCH_LAKE_BY_CWT, {(const uint8_t *)"\x80", 1}}, /* the tag goes */
        {LARCH_TEXT("\xa1\x0d\xd1\x80"), LARCH_STATE, 0, {0}},
        {LARCH_TEXT("\xa1\x04\x42\x01\x02"), LARCH_MALFORMED, 0, {0}}, /* the map of a lone kid */
        {LARCH_TEXT("\x41\x05"), LARCH_MALFORMED, 0, {0}},             /* a number as byte string */
        {LARCH_TEXT("\x18\x18"), LARCH_MALFORMED, 0, {0}},             /* no one-byte number */
        {LARCH_TEXT("\x38\x18"), LARCH_MALFORMED, 0, {0}},
        {LARCH_TEXT("\x61x"), LARCH_MALFORMED, 0, {0}},
        {LARCH_TEXT("\xa0"), LARCH_STATE, 0, {0}},
        {LARCH_TEXT("\xa1\x18\x22\x82\x2e\x41x"), LARCH_STATE, 0, {0}}, /* x5t */
        {LARCH_TEXT("\xa2\x04\x41x\x05\x41y"), LARCH_STATE, 0, {0}},
        {LARCH_TEXT("\xa1\x61x\x01"), LARCH_STATE, 0, {0}},
        {LARCH_TEXT("\xa1\x0e"), LARCH_MALFORMED, 0, {0}},
        {LARCH_TEXT(""), LARCH_MALFORMED, 0, {0}},
    };
    uint8_t hash[LARCH_SHA256_LEN] = {1}, kid[LARCH_LAKE_KID_MAX + 1] = {0xff}, sent[64];
    larch_lake_reference reference;
    (void)state;
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        assert_int_equal(take(rows[n].sent, &reference), rows[n].error);
        if (rows[n].error != LARCH_OK)
            continue;
        larch_writer w = larch_writer_to(sent, sizeof sent), again = larch_writer_to(bytes, sizeof bytes);
        assert_int_equal(reference.kind, rows[n].kind);
        assert_true(larch_bytes_equal(reference.value, rows[n].value));
        larch_lake_put_id_cred(&w, reference.kind, reference.value);
        if (rows[n].sent.len < 3 || rows[n].sent.data[2] != 0xd2) {
            assert_true(larch_bytes_equal(reference.id_cred, (larch_bytes){sent, w.len}));
            larch_lake_put_sent_id_cred(&again, reference.id_cred);
            assert_true(larch_bytes_equal(rows[n].sent, (larch_bytes){bytes, again.len}));
        }
    }
    larch_writer w = larch_writer_to(sent, sizeof sent);
    larch_lake_put_id_cred(&w, LARCH_LAKE_BY_CWT_HASH, LARCH_BYTES(hash));
    assert_int_equal(take((larch_bytes){sent, w.len}, &reference), LARCH_OK);
    assert_true(reference.kind == LARCH_LAKE_BY_CWT_HASH && larch_bytes_equal(reference.value, LARCH_BYTES(hash)));
    sent[7] = 0x2e; /* SHA-256/64 */
    assert_int_equal(take((larch_bytes){sent, w.len}, &reference), LARCH_STATE);
    w = larch_writer_to(sent, sizeof sent);
    larch_lake_put_id_cred(&w, LARCH_LAKE_BY_CWT_HASH, (larch_bytes){hash, 31});
    assert_int_equal(take((larch_bytes){sent, w.len}, &reference), LARCH_MALFORMED);
    for (size_t len = LARCH_LAKE_KID_MAX; len <= LARCH_LAKE_KID_MAX + 1; len++) {
        w = larch_writer_to(sent, sizeof sent);
        larch_lake_put_identifier(&w, (larch_bytes){kid, len});
        assert_int_equal(take((larch_bytes){sent, w.len}, &reference),
                         len <= LARCH_LAKE_KID_MAX ? LARCH_OK : LARCH_STATE);
    }
}

static void test_ead_items(void **state)
{
    const struct {
        larch_bytes in;
        larch_error error;
    } rows[] = {{LARCH_TEXT(""), LARCH_AGAIN},
                {LARCH_TEXT("\x19\x01\xf4"), LARCH_OK},
                {LARCH_TEXT("\x19\xff\xff"), LARCH_OK},
                {LARCH_TEXT("\x39\xff\xfe"), LARCH_OK},
                {LARCH_TEXT("\x1a\x00\x01\x00\x00"), LARCH_STATE},
                {LARCH_TEXT("\x39\xff\xff"), LARCH_STATE},
                {LARCH_TEXT("\x3b\xff\xff\xff\xff\xff\xff\xff\xff"), LARCH_MALFORMED},
                {LARCH_TEXT("\x41x"), LARCH_MALFORMED},
                {LARCH_TEXT("\x01\x42x"), LARCH_MALFORMED}};
    (void)state;
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        larch_reader r = larch_reader_of(rows[n].in);
        larch_lake_ead ead;
        assert_int_equal(larch_lake_take_ead(&r, &ead), rows[n].error);
        assert_int_equal(r.left.len, rows[n].error == LARCH_OK ? 0 : rows[n].in.len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ccs),
        cmocka_unit_test(test_ccs_refused),
        cmocka_unit_test(test_cwt),
        cmocka_unit_test(test_sign_pieces_refused),
        cmocka_unit_test(test_cwt_unprotected_algorithm),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_id_cred),
        cmocka_unit_test(test_ead_items),
    };
    return larch_crypto_init() == LARCH_OK ? cmocka_run_group_tests_name("test_lake_credentials", tests, NULL, NULL)
                                           : 1;
}
