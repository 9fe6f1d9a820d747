/* SPDX-License-Identifier: Apache-2.0 */
/* Who the peer of a LAKE handshake is: unknown, wrong and swapped credentials, and PSKs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lake_checks.h"

static void test_unknown_credentials(void **state)
{
    (void)state;
    init_signatures();
    p.i.knows = &p.i;
    assert_int_equal(lake_pair_run(&p, COMPOSE_1, COMPOSE_2), LARCH_OK);
    assert_refused(PROCESS_2, LARCH_AUTH, LARCH_LAKE_ERROR_CREDENTIAL);
    init_signatures();
    p.r.knows = &p.r;
    assert_int_equal(lake_pair_run(&p, COMPOSE_1, COMPOSE_3), LARCH_OK);
    assert_refused(PROCESS_3, LARCH_AUTH, LARCH_LAKE_ERROR_CREDENTIAL);
    init(LARCH_LAKE_METHOD_SIGNATURES, LARCH_LAKE_SUITE_PQ_1, LARCH_LAKE_BY_CCS); /* by value nothing is unknown */
    p.r.knows = &p.r;
    assert_int_equal(lake_pair_run(&p, COMPOSE_1, COMPOSE_3), LARCH_OK);
    assert_refused(PROCESS_3, LARCH_AUTH, LARCH_LAKE_ERROR_UNSPECIFIED);
    init_psk();
    p.r.knows = &p.r;
    p.i.own.id_cred = LARCH_TEXT("\xa1\x04\x41\x05");
    assert_int_equal(lake_pair_run(&p, COMPOSE_1, COMPOSE_3), LARCH_OK);
    assert_refused(PROCESS_3, LARCH_AUTH, LARCH_LAKE_ERROR_CREDENTIAL);
}

/* The key, or the credential, is another than the peer's. */
static void test_wrong_credentials(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 4; n++) {
        init(n < 2 ? LARCH_LAKE_METHOD_SIGNATURES : LARCH_LAKE_METHOD_PSK, LARCH_LAKE_SUITE_PQ_1, LARCH_LAKE_BY_KID);
        lake_end *liar = n % 2 == 0 ? &p.i : &p.r;
        uint8_t *cred = liar->cred;
        cred[4] ^= 1; /* a letter of sub: what the peer knows changes with it, unless it has its own copy */
        static lake_end copy;
        copy = *liar;
        copy.own = liar->own;
        copy.cred[4] ^= 1;
        if (n < 2) {
            *(n == 0 ? &copy.own.cred_i : &copy.own.cred_r) =
                (larch_bytes){copy.cred, copy.own.cred_i.len + copy.own.cred_r.len};
            (n == 0 ? &p.r : &p.i)->knows = &copy;
            assert_int_equal(lake_pair_run(&p, COMPOSE_1, n == 0 ? COMPOSE_3 : COMPOSE_2), LARCH_OK);
            assert_refused(n == 0 ? PROCESS_3 : PROCESS_2, LARCH_AUTH, LARCH_LAKE_ERROR_UNSPECIFIED);
        } else {
            copy.own = p.i.own;
            copy.own.cred_i = n == 2 ? (larch_bytes){copy.cred, p.i.own.cred_i.len} : p.i.own.cred_i;
            copy.own.cred_r = n == 3 ? (larch_bytes){copy.cred, p.i.own.cred_r.len} : p.i.own.cred_r;
            p.r.knows = &copy;
            assert_int_equal(lake_pair_run(&p, COMPOSE_1, COMPOSE_3), LARCH_OK);
            assert_refused(PROCESS_3, LARCH_AUTH, LARCH_LAKE_ERROR_UNSPECIFIED);
        }
    }
    init_psk();
    memset(p.i.seed, 0x98, sizeof p.i.seed); /* another PSK; the Responder knows its own */
    p.r.knows = &p.r;
    p.r.own.id_cred = p.i.own.id_cred;
    assert_int_equal(lake_pair_run(&p, COMPOSE_1, COMPOSE_3), LARCH_OK);
    assert_refused(PROCESS_3, LARCH_AUTH, LARCH_LAKE_ERROR_UNSPECIFIED);
    init_signatures();
    memset(p.i.seed, 0x98, sizeof p.i.seed); /* a seed that is not the public key's */
    assert_int_equal(lake_pair_run(&p, COMPOSE_1, PROCESS_2), LARCH_OK);
    assert_int_equal(lake_pair_step(&p, COMPOSE_3), LARCH_MALFORMED);
    assert_true(lake_is_empty(&p.i.session));
}

/* Of method 4 the roles cannot be turned round, and one's own messages do not come back as those of a peer. */
static void test_swapped_identities(void **state)
{
    (void)state;
    init_psk();
    static lake_end copy;
    copy = p.r;
    copy.own.id_cred = p.i.own.id_cred;
    copy.own.cred_i = p.i.own.cred_r;
    copy.own.cred_r = p.i.own.cred_i;
    p.r.knows = &copy;
    assert_int_equal(lake_pair_run(&p, COMPOSE_1, COMPOSE_3), LARCH_OK);
    assert_refused(PROCESS_3, LARCH_AUTH, LARCH_LAKE_ERROR_UNSPECIFIED);
    init_psk();
    p.i.own.cred_i = p.i.own.cred_r;
    assert_int_equal(lake_pair_run(&p, COMPOSE_1, PROCESS_2), LARCH_OK);
    assert_refused(COMPOSE_3, LARCH_STATE, LARCH_LAKE_ERROR_UNSPECIFIED);
    init_signatures(); /* the Initiator's own signature is none of the Responder */
    p.i.knows = &p.i;
    p.i.own.cred_r = p.i.own.cred_i;
    static lake_end responder;
    responder = p.r;
    p.r.own = p.i.own;
    p.r.own.key.priv = LARCH_BYTES(responder.seed);
    p.r.own.key.pub = responder.own.key.pub;
    assert_int_equal(lake_pair_run(&p, COMPOSE_1, COMPOSE_2), LARCH_OK);
    assert_refused(PROCESS_2, LARCH_AUTH, LARCH_LAKE_ERROR_UNSPECIFIED);
}

/* A credential that names nobody. */
static void test_empty_credentials(void **state)
{
    (void)state;
    init_signatures();
    p.r.own.cred_r.len = 0;
    assert_int_equal(lake_pair_run(&p, COMPOSE_1, PROCESS_1), LARCH_OK);
    assert_refused(COMPOSE_2, LARCH_STATE, LARCH_LAKE_ERROR_UNSPECIFIED);
    init_signatures();
    p.i.own.cred_i.len = 0;
    assert_int_equal(lake_pair_run(&p, COMPOSE_1, PROCESS_2), LARCH_OK);
    assert_refused(COMPOSE_3, LARCH_STATE, LARCH_LAKE_ERROR_UNSPECIFIED);
    init_signatures();
    assert_int_equal(lake_pair_run(&p, COMPOSE_1, COMPOSE_3), LARCH_OK);
    p.i.own.cred_i.len = 0; /* so the Responder finds it */
    assert_refused(PROCESS_3, LARCH_STATE, LARCH_LAKE_ERROR_UNSPECIFIED);
}

/* A PSK for another hash, and a short one. */
static void test_psk_limits(void **state)
{
    (void)state;
    init_psk();
    p.i.own.psk_hash = LARCH_COSE_SHA_256;
    assert_int_equal(lake_pair_run(&p, COMPOSE_1, PROCESS_2), LARCH_OK);
    assert_refused(COMPOSE_3, LARCH_STATE, LARCH_LAKE_ERROR_UNSPECIFIED);
    init_psk();
    p.i.own.key.k.len = 15;
    assert_int_equal(lake_pair_run(&p, COMPOSE_1, PROCESS_2), LARCH_OK);
    assert_refused(COMPOSE_3, LARCH_STATE, LARCH_LAKE_ERROR_UNSPECIFIED);
    init_psk();
    static lake_end copy;
    copy = p.i;
    copy.own.psk_hash = LARCH_COSE_SHA_256;
    p.r.knows = &copy;
    assert_int_equal(lake_pair_run(&p, COMPOSE_1, COMPOSE_3), LARCH_OK);
    assert_refused(PROCESS_3, LARCH_AUTH, LARCH_LAKE_ERROR_UNSPECIFIED);
}

/* As message_3 of a peer that has PRK_3e2m. */
static larch_error process_3a(larch_bytes plaintext_3a)
{
    uint8_t keystream[32], message[1 + 32];
    init_psk();
    assert_int_equal(lake_pair_run(&p, COMPOSE_1, COMPOSE_3), LARCH_OK);
    assert_true(plaintext_3a.len < 24 && plaintext_3a.len <= sizeof keystream);
    const larch_bytes th_3 = lake_th(p.suite, p.r.session.th);
    assert_int_equal(
        larch_lake_kdf(p.suite, p.r.session.prk, LARCH_LAKE_KEYSTREAM_3A, &th_3, 1, keystream, plaintext_3a.len),
        LARCH_OK);
    message[0] = (uint8_t)(0x40 + plaintext_3a.len);
    for (size_t n = 0; n < plaintext_3a.len; n++)
        message[1 + n] = plaintext_3a.data[n] ^ keystream[n];
    const larch_error e = lake_pair_process(&p, PROCESS_3, (larch_bytes){message, 1 + plaintext_3a.len});
    assert_true(e != LARCH_OK && lake_is_empty(&p.r.session));
    return e;
}

static void test_plaintext_3a(void **state)
{
    static const uint8_t by_value[] = {0xa1, 14, 0xa1, 2, 0x61, 'a', 0x50, 0, 0, 0, 0, 0,
                                       0,    0,  0,    0, 0,    0,   0,    0, 0, 0, 0};
    static const uint8_t known[] = {1, 0x50, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, no_tag[17] = {1, 0x4f};
    (void)state;
    assert_int_equal(process_3a(LARCH_BYTES(known)), LARCH_AUTH); /* looked up, and not found */
    assert_int_equal(p.r.looked_up, 1);
    assert_int_equal(process_3a(LARCH_BYTES(by_value)), LARCH_STATE); /* a PSK has a kid */
    assert_int_equal(p.r.looked_up, 0);
    assert_int_equal(process_3a(LARCH_BYTES(no_tag)), LARCH_MALFORMED);
    assert_int_equal(process_3a((larch_bytes){known, 17}), LARCH_MALFORMED);
    assert_int_equal(process_3a((larch_bytes){known, 1}), LARCH_MALFORMED);
    assert_int_equal(p.r.looked_up, 0);
}

/* Several keys for one kid. */
static unsigned right_attempt;

static larch_error find_one_of_many(void *context, const larch_lake_reference *reference, unsigned attempt,
                                    larch_lake_credential *out)
{
    static const uint8_t wrong[32] = {1};
    lake_end *end = context;
    end->looked_up++;
    assert_int_equal(reference->kind, LARCH_LAKE_BY_KID);
    *out = end->knows->own;
    if (attempt != right_attempt)
        out->key.k = LARCH_BYTES(wrong);
    return LARCH_OK;
}

static void test_candidates(void **state)
{
    (void)state;
    for (right_attempt = 0; right_attempt < LARCH_LAKE_CANDIDATES; right_attempt++) {
        init_psk();
        p.r.party.find = find_one_of_many;
        assert_int_equal(lake_pair_run(&p, COMPOSE_1, PROCESS_4), LARCH_OK);
        assert_int_equal(p.r.looked_up, right_attempt + 1);
        assert_true(larch_bytes_equal(p.r.received.peer.key.k, p.i.own.key.k));
    }
    init_psk();
    p.r.party.find = find_one_of_many;
    assert_int_equal(lake_pair_run(&p, COMPOSE_1, COMPOSE_3), LARCH_OK);
    assert_refused(PROCESS_3, LARCH_AUTH, LARCH_LAKE_ERROR_UNSPECIFIED);
    assert_int_equal(p.r.looked_up, LARCH_LAKE_CANDIDATES);
}

/* The switch for the drafts' vectors: both peers alike, or no session. */
static void test_compact_psk_id(void **state)
{
    (void)state;
    init_psk();
    p.i.party.psk_id_is_compact = p.r.party.psk_id_is_compact = true;
    run_whole();
    init_psk();
    p.i.party.psk_id_is_compact = true;
    assert_int_equal(lake_pair_run(&p, COMPOSE_1, COMPOSE_3), LARCH_OK);
    assert_refused(PROCESS_3, LARCH_AUTH, LARCH_LAKE_ERROR_UNSPECIFIED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unknown_credentials), cmocka_unit_test(test_wrong_credentials),
        cmocka_unit_test(test_swapped_identities),  cmocka_unit_test(test_empty_credentials),
        cmocka_unit_test(test_psk_limits),          cmocka_unit_test(test_plaintext_3a),
        cmocka_unit_test(test_candidates),          cmocka_unit_test(test_compact_psk_id),
    };
    return larch_crypto_init() == LARCH_OK ? cmocka_run_group_tests_name("test_lake_identity", tests, NULL, NULL) : 1;
}
