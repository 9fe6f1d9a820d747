/* SPDX-License-Identifier: Apache-2.0 */
/* What LAKE messages agree on: suites, identifiers and EAD items; and error messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lake_checks.h"

static void test_negotiation(void **state)
{
    const larch_lake_suite *const all[] = {larch_lake_suite_find(-22), larch_lake_suite_find(-24),
                                           larch_lake_suite_find(-23), larch_lake_suite_find(-21)};
    uint8_t bytes[32];
    larch_writer w = larch_writer_to(bytes, sizeof bytes);
    larch_lake_error error;
    size_t chosen = 9;
    (void)state;
    init_psk();
    p.i.party.suites = all;
    p.i.party.suite_count = 4;
    p.r.party.suites = all + 1; /* not the Initiator's favourite */
    p.r.party.suite_count = 3;
    assert_int_equal(lake_pair_step(&p, COMPOSE_1), LARCH_OK);
    assert_int_equal(lake_pair_step(&p, PROCESS_1), LARCH_STATE);
    assert_int_equal(larch_lake_compose_error(&p.r.session, &p.r.party, &w), LARCH_OK);
    assert_memory_equal(bytes, "\x02\x83\x37\x36\x34", 5);
    assert_int_equal(larch_lake_parse_error((larch_bytes){bytes, w.len}, &error), LARCH_OK);
    assert_int_equal(larch_lake_choose_suite(&p.i.party, &error, 0, &chosen), LARCH_OK);
    assert_int_equal(chosen, 1);
    lake_pair_begin(&p);
    assert_int_equal(larch_lake_compose_message_1(&p.i.session, &p.i.party, p.method, chosen, LARCH_TEXT("ci"),
                                                  (larch_bytes){0}, &p.w[0]),
                     LARCH_OK);
    assert_memory_equal(p.bytes[0], "\x04\x82\x35\x37", 4);
    assert_int_equal(lake_pair_run(&p, PROCESS_1, PROCESS_4), LARCH_OK);
    lake_pair_begin(&p); /* it jumps over a suite that the Responder has */
    assert_int_equal(larch_lake_compose_message_1(&p.i.session, &p.i.party, p.method, 2, LARCH_TEXT("ci"),
                                                  (larch_bytes){0}, &p.w[0]),
                     LARCH_OK);
    assert_int_equal(lake_pair_step(&p, PROCESS_1), LARCH_STATE);
    assert_int_equal(p.r.session.error, LARCH_LAKE_ERROR_SUITE);
    /* one that is preferred to the rejected suite */
    assert_int_equal(larch_lake_parse_error(LARCH_TEXT("\x02\x82\x34\x35"), &error), LARCH_OK);
    assert_int_equal(larch_lake_choose_suite(&p.i.party, &error, 1, &chosen), LARCH_OK);
    assert_int_equal(chosen, 0);
    /* none of SUITES_R is ours, and an answer that names what was rejected leads nowhere */
    assert_int_equal(larch_lake_parse_error(LARCH_TEXT("\x02\x06"), &error), LARCH_OK);
    assert_int_equal(larch_lake_choose_suite(&p.i.party, &error, 0, &chosen), LARCH_STATE);
    assert_int_equal(larch_lake_parse_error(LARCH_TEXT("\x02\x35"), &error), LARCH_OK);
    assert_int_equal(larch_lake_choose_suite(&p.i.party, &error, 0, &chosen), LARCH_STATE);
    assert_int_equal(larch_lake_parse_error(LARCH_TEXT("\x03\xf5"), &error), LARCH_OK);
    assert_int_equal(larch_lake_choose_suite(&p.i.party, &error, 0, &chosen), LARCH_STATE);
    init_psk(); /* a method that it does not take */
    p.r.party.methods = 1;
    assert_int_equal(lake_pair_step(&p, COMPOSE_1), LARCH_OK);
    assert_refused(PROCESS_1, LARCH_STATE, LARCH_LAKE_ERROR_UNSPECIFIED);
}

static void test_errors_parse(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        bool is_valid;
    } rows[] = {{"\x01\x60", 2, true},
                {"\x01\x61x", 3, true},
                {"\x02\x02", 2, true},
                {"\x02\x82\x02\x03", 4, true},
                {"\x03\xf5", 2, true},
                {"\x18\x20\x80", 3, true},
                {"\x00\x60", 2, false},
                {"\x01\x02", 2, false},
                {"\x02\x81\x02", 3, false},
                {"\x02\x82\x02", 3, false},
                {"\x02\x82\x02\x60", 4, false},
                {"\x03\xf4", 2, false},
                {"\x03", 1, false},
                {"", 0, false},
                {"\x01\x60\x60", 3, false},
                {"\x02\x60", 2, false},
                {"\x60\x60", 2, false}};
    (void)state;
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        larch_lake_error error;
        memset(&error, 0xaa, sizeof error);
        const larch_error e =
            larch_lake_parse_error((larch_bytes){(const uint8_t *)rows[n].bytes, rows[n].len}, &error);
        assert_int_equal(e, rows[n].is_valid ? LARCH_OK : LARCH_MALFORMED);
        assert_true(e == LARCH_OK || is_zero((const uint8_t *)&error, sizeof error));
    }
}

static void test_identifiers(void **state)
{
    static const uint8_t long_id[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    static const larch_bytes ids[] = {{NULL, 0},
                                      {(const uint8_t *)"\x00", 1},
                                      {(const uint8_t *)"\x17", 1},
                                      {(const uint8_t *)"\x18", 1},
                                      {(const uint8_t *)"\x20", 1},
                                      {(const uint8_t *)"\x37", 1},
                                      {(const uint8_t *)"\x38", 1},
                                      {(const uint8_t *)"\xff", 1},
                                      {long_id, 7}};
    (void)state;
    for (size_t n = 0; n < sizeof ids / sizeof ids[0]; n++)
        for (size_t m = 0; m < sizeof ids / sizeof ids[0]; m++) {
            init_psk();
            const larch_lake_answer answer = {.c_r = ids[m]};
            const bool is_one_byte = ids[n].len == 1 && ids[n].data[0] != 0x18 && ids[n].data[0] < 0x38;
            assert_int_equal(
                larch_lake_compose_message_1(&p.i.session, &p.i.party, p.method, 0, ids[n], (larch_bytes){0}, &p.w[0]),
                LARCH_OK);
            assert_int_equal(p.w[0].len, 2 + 3 + 800 + (is_one_byte ? 1 : 1 + ids[n].len));
            assert_int_equal(lake_pair_step(&p, PROCESS_1), LARCH_OK);
            const larch_error e =
                larch_lake_compose_message_2(&p.r.session, &p.r.party, &p.message_1, &answer, &p.w[1]);
            assert_int_equal(e, n == m ? LARCH_STATE : LARCH_OK);
            if (e != LARCH_OK)
                continue;
            assert_int_equal(lake_pair_run(&p, PROCESS_2, PROCESS_4), LARCH_OK);
            assert_same_keys();
        }
    init_psk();
    assert_int_equal(larch_lake_compose_message_1(&p.i.session, &p.i.party, p.method, 0, LARCH_BYTES(long_id),
                                                  (larch_bytes){0}, &p.w[0]),
                     LARCH_STATE);
    init(LARCH_LAKE_METHOD_PSK, LARCH_LAKE_SUITE_PQ_2, LARCH_LAKE_BY_KID); /* GCM leaves 6 bytes */
    assert_int_equal(larch_lake_compose_message_1(&p.i.session, &p.i.party, p.method, 0, (larch_bytes){long_id, 7},
                                                  (larch_bytes){0}, &p.w[0]),
                     LARCH_STATE);
}

/* What the peer should not have sent: an identifier that is too long, and C_R that is C_I. */
static void test_identifiers_refused(void **state)
{
    static const uint8_t eight[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    static uint8_t bytes[1024];
    (void)state;
    init_psk();
    assert_int_equal(lake_pair_step(&p, COMPOSE_1), LARCH_OK);
    const size_t front = p.w[0].len - 3; /* "ci" behind its head */
    larch_writer w = larch_writer_to(bytes, sizeof bytes);
    larch_writer_put(&w, (larch_bytes){p.bytes[0], front});
    larch_cbor_put_bytes(&w, LARCH_BYTES(eight));
    assert_int_equal(lake_pair_process(&p, PROCESS_1, (larch_bytes){bytes, w.len}), LARCH_STATE);
    assert_true(lake_is_empty(&p.r.session));
    init_psk();
    assert_int_equal(lake_pair_run(&p, COMPOSE_1, PROCESS_1), LARCH_OK);
    const larch_lake_answer answer = {.c_r = LARCH_TEXT("ci")};
    p.r.session.keys.c_i.len = 0; /* it has forgotten */
    assert_int_equal(larch_lake_compose_message_2(&p.r.session, &p.r.party, &p.message_1, &answer, &p.w[1]), LARCH_OK);
    assert_refused(PROCESS_2, LARCH_STATE, LARCH_LAKE_ERROR_UNSPECIFIED);
    init_psk();
    assert_int_equal(lake_pair_run(&p, COMPOSE_1, COMPOSE_2), LARCH_OK);
    static larch_lake_suite gcm;
    gcm = *p.suite;
    gcm.application_aead = LARCH_COSE_A256GCM;
    p.i.session.keys.suite = &gcm; /* it has room for 6 bytes; "c_r" is shorter */
    assert_int_equal(lake_pair_step(&p, PROCESS_2), LARCH_OK);
    init_psk();
    assert_int_equal(lake_pair_run(&p, COMPOSE_1, PROCESS_1), LARCH_OK);
    const larch_lake_answer longer = {.c_r = {eight, 7}};
    assert_int_equal(larch_lake_compose_message_2(&p.r.session, &p.r.party, &p.message_1, &longer, &p.w[1]), LARCH_OK);
    p.i.session.keys.suite = &gcm;
    assert_refused(PROCESS_2, LARCH_STATE, LARCH_LAKE_ERROR_UNSPECIFIED);
}

static void test_ead(void **state)
{
    static uint8_t bytes[4][64];
    static const uint8_t zeros[16] = {0};
    static const uint16_t known[] = {500};
    const larch_lake_ead padding = {.has_value = true, .value = LARCH_BYTES(zeros)};
    (void)state;
    for (size_t method = 0; method < 2; method++) {
        init(method == 0 ? LARCH_LAKE_METHOD_SIGNATURES : LARCH_LAKE_METHOD_PSK, LARCH_LAKE_SUITE_PQ_1,
             LARCH_LAKE_BY_KID);
        p.i.party.eads = p.r.party.eads = known;
        p.i.party.ead_count = p.r.party.ead_count = 1;
        for (size_t n = 0; n < 4; n++) {
            const larch_lake_ead ead = {
                .label = 500, .is_critical = true, .has_value = n > 0, .value = LARCH_TEXT("value")};
            larch_writer w = larch_writer_to(bytes[n], sizeof bytes[n]);
            larch_lake_put_ead(&w, &padding);
            larch_lake_put_ead(&w, &ead);
            p.ead[n] = (larch_bytes){bytes[n], w.len};
        }
        for (unsigned step = COMPOSE_1; step < LAKE_STEPS; step++) {
            assert_int_equal(lake_pair_step(&p, step), LARCH_OK);
            if (step % 2 == 1) {
                const larch_bytes got = step == PROCESS_1 ? p.message_1.ead : lake_actor(&p, step)->received.ead;
                larch_reader r = larch_reader_of(got);
                larch_lake_ead item;
                assert_true(larch_bytes_equal(got, p.ead[step / 2]));
                assert_int_equal(larch_lake_take_ead(&r, &item), LARCH_OK);
                assert_int_equal(item.label, 0);
                assert_int_equal(larch_lake_take_ead(&r, &item), LARCH_OK);
                assert_true(item.label == 500 && item.is_critical && item.has_value == (step > PROCESS_1));
                assert_int_equal(larch_lake_take_ead(&r, &item), LARCH_AGAIN);
            }
        }
        assert_same_keys();
        for (unsigned step = PROCESS_1; step <= PROCESS_4; step += 2) { /* critical, and not known */
            const larch_bytes ead[4] = {p.ead[0], p.ead[1], p.ead[2], p.ead[3]};
            lake_pair_begin(&p);
            memset(p.ead, 0, sizeof p.ead);
            p.ead[step / 2] = ead[step / 2];
            p.i.party.ead_count = p.r.party.ead_count = 0;
            assert_int_equal(lake_pair_run(&p, COMPOSE_1, step - 1), LARCH_OK);
            memset(&lake_actor(&p, step)->received, step == PROCESS_1 ? 0 : 0xaa, sizeof p.i.received);
            assert_refused(step, LARCH_STATE, LARCH_LAKE_ERROR_UNSPECIFIED);
            memcpy(p.ead, ead, sizeof ead);
        }
    }
    init_psk(); /* the caller cannot process one */
    assert_int_equal(lake_pair_run(&p, COMPOSE_1, PROCESS_3), LARCH_OK);
    larch_lake_refuse(&p.r.session);
    assert_true(lake_is_empty(&p.r.session));
    assert_int_equal(p.r.session.error, LARCH_LAKE_ERROR_UNSPECIFIED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_negotiation), cmocka_unit_test(test_errors_parse),
        cmocka_unit_test(test_identifiers), cmocka_unit_test(test_identifiers_refused),
        cmocka_unit_test(test_ead),
    };
    return larch_crypto_init() == LARCH_OK ? cmocka_run_group_tests_name("test_lake_terms", tests, NULL, NULL) : 1;
}
