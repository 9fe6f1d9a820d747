/* SPDX-License-Identifier: Apache-2.0 */
/* Two peers of LAKE: every method with every suite, and sessions that are mixed up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lake_checks.h"

static lake_pair q;

static const uint8_t method_numbers[] = {LARCH_LAKE_METHOD_SIGNATURES, LARCH_LAKE_METHOD_STATIC_DH,
                                         LARCH_LAKE_METHOD_PSK};

/* Pairs that this build and provider can run. */
static bool can_run(unsigned method, const larch_lake_suite *suite)
{
    uint8_t hash[LARCH_SHA384_LEN];
    if (suite->supports_dh && !lake_has_p256())
        return false;
    if (suite->hash == LARCH_COSE_SHA_384 && larch_sha384(NULL, 0, hash) != LARCH_OK)
        return false;
    return larch_lake_method_fits(method, suite);
}

static void test_every_method_and_suite(void **state)
{
    size_t ran = 0;
    (void)state;
    for (size_t m = 0; m < sizeof method_numbers; m++)
        for (size_t n = 0; n < SUITES; n++) {
            const larch_lake_suite *const *suites = only(suite_numbers[n]);
            if (!can_run(method_numbers[m], suites[0]))
                continue;
            init(method_numbers[m], suite_numbers[n], LARCH_LAKE_BY_KID);
            run_whole();
            ran++;
        }
    assert_int_equal(ran, lake_has_p256() ? 4 + 4 + 2 * 3 : can_run(4, larch_lake_suite_find(-22)) ? 8 : 6);
}

/* Static Diffie-Hellman with a KEM, and numbers that larch does not have. */
static void test_method_fits(void **state)
{
    (void)state;
    for (size_t n = 0; n < SUITES; n++) {
        const larch_lake_suite *suite = larch_lake_suite_find(suite_numbers[n]);
        assert_int_equal(larch_lake_method_fits(LARCH_LAKE_METHOD_STATIC_DH, suite), suite->supports_dh);
        assert_true(larch_lake_method_fits(LARCH_LAKE_METHOD_PSK, suite));
        assert_true(larch_lake_method_fits(LARCH_LAKE_METHOD_SIGNATURES, suite));
        assert_false(larch_lake_method_fits(1, suite) || larch_lake_method_fits(2, suite) ||
                     larch_lake_method_fits(5, suite));
    }
    assert_null(larch_lake_suite_find(0));
    assert_null(larch_lake_suite_find(INT64_MIN));
    init_psk();
    p.method = LARCH_LAKE_METHOD_STATIC_DH;
    assert_int_equal(lake_pair_step(&p, COMPOSE_1), LARCH_STATE);
    assert_true(lake_is_empty(&p.i.session));
    assert_int_equal(p.w[0].len, 0);
}

static void test_credentials_of_every_kind(void **state)
{
    static const larch_lake_reference_kind kinds[] = {LARCH_LAKE_BY_KID, LARCH_LAKE_BY_CCS, LARCH_LAKE_BY_CWT,
                                                      LARCH_LAKE_BY_CWT_HASH};
    (void)state;
    for (size_t k = 0; k < 4; k++) {
        init(LARCH_LAKE_METHOD_SIGNATURES, LARCH_LAKE_SUITE_PQ_1, kinds[k]);
        run_whole();
        assert_true(larch_bytes_equal(p.r.received.peer.cred_i, p.i.own.cred_i));
        init(LARCH_LAKE_METHOD_SIGNATURES, LARCH_LAKE_SUITE_PQ_2, kinds[k]);
        run_whole();
    }
}

/* What section 5 of the design promises. */
static void test_sizes(void **state)
{
    (void)state;
    init_psk();
    assert_int_equal(lake_pair_run(&p, COMPOSE_1, PROCESS_4), LARCH_OK);
    assert_int_equal(p.w[1].len, 3 + 768 + 1);
    assert_true(p.w[1].len <= sizeof((larch_lake_place_psk *)0)->answer);
    init_signatures();
    assert_int_equal(lake_pair_run(&p, COMPOSE_1, PROCESS_4), LARCH_OK);
    assert_true(p.w[1].len < 3300 && p.w[1].len <= sizeof((larch_lake_place_44 *)0)->answer);
    init(LARCH_LAKE_METHOD_SIGNATURES, LARCH_LAKE_SUITE_PQ_1, LARCH_LAKE_BY_CCS);
    assert_int_equal(lake_pair_run(&p, COMPOSE_1, PROCESS_4), LARCH_OK);
    assert_true(p.w[1].len < 4700 && p.w[1].len <= sizeof((larch_lake_place_44 *)0)->answer);
    init(LARCH_LAKE_METHOD_SIGNATURES, LARCH_LAKE_SUITE_PQ_3, LARCH_LAKE_BY_KID);
    if (!can_run(LARCH_LAKE_METHOD_SIGNATURES, p.suite))
        return;
    assert_int_equal(lake_pair_run(&p, COMPOSE_1, PROCESS_4), LARCH_OK);
    assert_true(p.w[1].len < 6300 && p.w[1].len <= sizeof((larch_lake_place_87 *)0)->answer);
}

/* An OSCORE message takes the place of message_4. */
static void test_confirm(void **state)
{
    (void)state;
    init_psk();
    assert_int_equal(larch_lake_confirm(&p.i.session), LARCH_STATE);
    assert_int_equal(lake_pair_run(&p, COMPOSE_1, PROCESS_3), LARCH_OK);
    assert_same_keys();
    assert_int_equal(larch_lake_confirm(&p.r.session), LARCH_OK);
    assert_int_equal(larch_lake_confirm(&p.i.session), LARCH_OK);
    assert_int_equal(p.i.session.state, LARCH_LAKE_COMPLETED);
    assert_same_keys();
    assert_int_equal(lake_pair_step(&p, COMPOSE_4), LARCH_STATE);
    assert_int_equal(larch_lake_confirm(&p.i.session), LARCH_STATE);
}

static void test_update_keys(void **state)
{
    uint8_t a[32], b[32], before[32];
    (void)state;
    init_signatures();
    assert_int_equal(lake_pair_run(&p, COMPOSE_1, PROCESS_4), LARCH_OK);
    larch_lake_keys i = *larch_lake_keys_of(&p.i.session), r = *larch_lake_keys_of(&p.r.session);
    assert_int_equal(larch_lake_export(&i, 40000, LARCH_TEXT("x"), before, sizeof before), LARCH_OK);
    assert_int_equal(larch_lake_update_keys(&i, LARCH_TEXT("context")), LARCH_OK);
    assert_int_equal(larch_lake_update_keys(&r, LARCH_TEXT("context")), LARCH_OK);
    assert_int_equal(larch_lake_export(&i, 40000, LARCH_TEXT("x"), a, sizeof a), LARCH_OK);
    assert_int_equal(larch_lake_export(&r, 40000, LARCH_TEXT("x"), b, sizeof b), LARCH_OK);
    assert_memory_equal(a, b, sizeof a);
    assert_memory_not_equal(a, before, sizeof a);
    assert_int_equal(larch_lake_export(&i, 40001, LARCH_TEXT("x"), b, sizeof b), LARCH_OK);
    assert_memory_not_equal(a, b, sizeof a);
}

/* ---- resumption ------------------------------------------------------------------ */

/* rPSK and rKID of one handshake, as the credential of the next; CRED_I and CRED_R stay. */
static void resume(larch_lake_resumption *resumption, uint8_t id_cred[16])
{
    const lake_end before_i = p.i, before_r = p.r;
    larch_writer w = larch_writer_to(id_cred, 16);
    assert_int_equal(larch_lake_derive_resumption(larch_lake_keys_of(&p.i.session), LARCH_LAKE_KID_LEN, resumption),
                     LARCH_OK);
    larch_lake_put_id_cred(&w, LARCH_LAKE_BY_KID, (larch_bytes){resumption->kid, resumption->kid_len});
    init_psk();
    lake_end *const ends[] = {&p.i, &p.r};
    for (size_t n = 0; n < 2; n++) {
        memcpy(ends[n]->cred, n == 0 ? before_i.cred : before_r.cred, sizeof before_i.cred);
        ends[n]->own.id_cred = (larch_bytes){id_cred, w.len};
        ends[n]->own.key.k = (larch_bytes){resumption->psk, resumption->psk_len};
        ends[n]->own.psk_hash = resumption->psk_hash;
        ends[n]->own.cred_i = (larch_bytes){p.i.cred, before_i.own.cred_i.len};
        ends[n]->own.cred_r = (larch_bytes){p.r.cred, before_r.own.cred_r.len};
    }
}

static void test_resumption(void **state)
{
    larch_lake_resumption first, second;
    uint8_t id_1[16], id_2[16];
    (void)state;
    init_signatures();
    assert_int_equal(lake_pair_run(&p, COMPOSE_1, PROCESS_4), LARCH_OK);
    resume(&first, id_1);
    run_whole();
    resume(&second, id_2);
    run_whole();
    assert_memory_not_equal(first.psk, second.psk, sizeof first.psk);
    assert_int_equal(larch_lake_derive_resumption(larch_lake_keys_of(&p.i.session), 0, &first), LARCH_STATE);
    assert_int_equal(larch_lake_derive_resumption(larch_lake_keys_of(&p.i.session), 9, &first), LARCH_STATE);
    assert_true(is_zero((const uint8_t *)&first, sizeof first));
}

/* ---- sessions that are mixed up ---------------------------------------------------- */

static void test_mixed_sessions(void **state)
{
    static const uint8_t methods[] = {LARCH_LAKE_METHOD_SIGNATURES, LARCH_LAKE_METHOD_PSK};
    (void)state;
    for (size_t m = 0; m < 2; m++)
        for (unsigned step = PROCESS_2; step <= PROCESS_4; step += 2) {
            assert_true(lake_pair_init(&q, methods[m], only(LARCH_LAKE_SUITE_PQ_1), LARCH_LAKE_BY_KID));
            larch_shake256_init(&q.sponge);
            larch_shake_absorb(&q.sponge, LARCH_TEXT("other"));
            larch_shake_finalize(&q.sponge);
            assert_int_equal(lake_pair_run(&q, COMPOSE_1, step - 1), LARCH_OK);
            init(methods[m], LARCH_LAKE_SUITE_PQ_1, LARCH_LAKE_BY_KID);
            assert_int_equal(lake_pair_run(&p, COMPOSE_1, step - 1), LARCH_OK);
            const larch_error e = lake_pair_process(&p, step, lake_message(&q, step / 2 + 1));
            if (methods[m] == LARCH_LAKE_METHOD_PSK && step == PROCESS_2 && e == LARCH_OK)
                assert_int_equal(lake_pair_run(&p, COMPOSE_3, PROCESS_3) != LARCH_OK, true); /* found out there */
            else
                assert_true(e != LARCH_OK && lake_is_empty(&lake_actor(&p, step)->session));
        }
}

/* The step that a party awaits, when all before step are done. */
static unsigned awaited(const lake_end *end, unsigned step)
{
    while (step < LAKE_STEPS && lake_actor(&p, step) != end)
        step++;
    return step;
}

/* A call that is not awaited changes nothing. */
static void test_order(void **state)
{
    (void)state;
    init_psk();
    for (unsigned step = COMPOSE_1; step <= LAKE_STEPS; step++) {
        for (unsigned other = COMPOSE_1; other < LAKE_STEPS; other++) {
            const larch_lake_session i = p.i.session, r = p.r.session;
            const size_t len = p.w[other / 2].len;
            if (other == awaited(lake_actor(&p, other), step))
                continue;
            assert_int_equal(lake_pair_step(&p, other), LARCH_STATE);
            assert_memory_equal(&p.i.session, &i, sizeof i);
            assert_memory_equal(&p.r.session, &r, sizeof r);
            assert_int_equal(p.w[other / 2].len, len);
            if (other % 2 == 1 && other != PROCESS_1)
                assert_true(is_zero((const uint8_t *)&lake_actor(&p, other)->received, sizeof p.i.received));
            if (other == PROCESS_1 && step == COMPOSE_2) /* the call has zeroed it */
                assert_int_equal(larch_lake_parse_message_1(lake_message(&p, 1), &p.message_1), LARCH_OK);
        }
        if (step < LAKE_STEPS)
            assert_int_equal(lake_pair_step(&p, step), LARCH_OK);
    }
}

static void test_duplicates(void **state)
{
    (void)state;
    for (unsigned m = 0; m < 2; m++) {
        init(m == 0 ? LARCH_LAKE_METHOD_SIGNATURES : LARCH_LAKE_METHOD_PSK, LARCH_LAKE_SUITE_PQ_1, LARCH_LAKE_BY_KID);
        assert_false(larch_lake_is_duplicate(&p.r.session, (larch_bytes){0}));
        assert_int_equal(lake_pair_run(&p, COMPOSE_1, COMPOSE_2), LARCH_OK);
        assert_true(larch_lake_is_duplicate(&p.r.session, lake_message(&p, 1)));
        assert_int_equal(lake_pair_run(&p, PROCESS_2, COMPOSE_3), LARCH_OK);
        assert_true(larch_lake_is_duplicate(&p.i.session, lake_message(&p, 2)));
        assert_false(larch_lake_is_duplicate(&p.r.session, lake_message(&p, 3)));
        assert_int_equal(lake_pair_run(&p, PROCESS_3, PROCESS_4), LARCH_OK);
        assert_false(larch_lake_is_duplicate(&p.r.session, lake_message(&p, 1)));
        assert_true(larch_lake_is_duplicate(&p.r.session, lake_message(&p, 3)));
        assert_true(larch_lake_is_duplicate(&p.i.session, lake_message(&p, 4)));
    }
}

/* A ciphertext that was made elsewhere, for many sessions at once. */
static void test_encapsulated_elsewhere(void **state)
{
    static uint8_t ct[LARCH_KEM_CT_MAX], ss[LARCH_KEM_SS_LEN];
    const larch_kem *kem = larch_kem_find(512);
    const larch_random random = {lake_draw, &p};
    (void)state;
    init_psk();
    assert_int_equal(lake_pair_run(&p, COMPOSE_1, PROCESS_1), LARCH_OK);
    assert_int_equal(larch_kem_encaps(kem, &random, p.message_1.g_x, ct, ss), LARCH_OK);
    larch_lake_answer answer = {.c_r = LARCH_TEXT("r"), .ct = {ct, kem->ct_len}, .ss = ss};
    p.random_left = 0;
    assert_int_equal(larch_lake_compose_message_2(&p.r.session, &p.r.party, &p.message_1, &answer, &p.w[1]), LARCH_OK);
    p.random_left = -1;
    assert_int_equal(lake_pair_run(&p, PROCESS_2, PROCESS_4), LARCH_OK);
    assert_same_keys();
    lake_pair_begin(&p);
    assert_int_equal(lake_pair_run(&p, COMPOSE_1, PROCESS_1), LARCH_OK);
    answer.ct.len--;
    assert_int_equal(larch_lake_compose_message_2(&p.r.session, &p.r.party, &p.message_1, &answer, &p.w[1]),
                     LARCH_STATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_method_and_suite),
        cmocka_unit_test(test_method_fits),
        cmocka_unit_test(test_credentials_of_every_kind),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_confirm),
        cmocka_unit_test(test_update_keys),
        cmocka_unit_test(test_resumption),
        cmocka_unit_test(test_mixed_sessions),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_duplicates),
        cmocka_unit_test(test_encapsulated_elsewhere),
    };
    return larch_crypto_init() == LARCH_OK ? cmocka_run_group_tests_name("test_lake", tests, NULL, NULL) : 1;
}
