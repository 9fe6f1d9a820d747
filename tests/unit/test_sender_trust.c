/* SPDX-License-Identifier: Apache-2.0 */
/* Whom a sender trusts: keys that are pinned, endorsed, or left to its caller; keys that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "scripted_gateway.h"

static void test_pin_matches(void **state)
{
    (void)state;
    for (unsigned on_record = 0; on_record < 2; on_record++) {
        const uint8_t *hash;
        larch_bytes text;
        begin_pinned(&ours, on_record == 1);
        assert_int_equal(larch_sender_post(&s, now_ms, LARCH_TEXT("x")), LARCH_STATE);
        assert_int_equal(larch_sender_key(&s, NULL).len, 0);
        fetch_and_get(&ours);
        assert_state(LARCH_SENDER_READY);
        assert_true(larch_bytes_equal(larch_sender_key(&s, &hash), ek_of(&ours)));
        assert_memory_equal(hash, ours.hash, 32);
        assert_int_equal(larch_sender_trust(&s, now_ms), LARCH_STATE);
        for (unsigned i = 0; i < 3; i++) {
            post("Hello");
            assert_true(opens(&ours, "Hello"));
            answer_text(LARCH_COAP_CHANGED, "OK");
            assert_state(LARCH_SENDER_READY);
            assert_int_equal(larch_sender_answer(&s, &text), LARCH_COAP_CHANGED);
            assert_true(larch_bytes_equal(text, LARCH_TEXT("OK")));
            assert_int_equal(s.text[0], 0);
        }
        assert_false(larch_sender_rotated(&s));
        fetch_and_get(&ours); /* again, on purpose */
        assert_state(LARCH_SENDER_READY);
        expect_nothing();
    }
}

static void test_pin_differs(void **state)
{
    (void)state;
    begin_pinned(&ours, false);
    fetch_and_get(&stranger);
    assert_true(larch_bytes_equal(larch_sender_key(&s, NULL), ek_of(&stranger))); /* to be shown */
    assert_failed(LARCH_SENDER_FAIL_WRONG_KEY);
}

static void test_endorsed(void **state)
{
    (void)state;
    begin_pinned(&ours, true);
    fetch_and_get(&next);
    assert_state(LARCH_SENDER_ENDORSE);
    assert_int_equal(larch_sender_key(&s, NULL).len, 0); /* not yet */
    expect_request(LARCH_COAP_POST, "pqkem-next");
    answer_next(&ours, &next);
    assert_state(LARCH_SENDER_READY);
    assert_true(larch_sender_rotated(&s));
    post("Hello");
    assert_true(opens(&next, "Hello"));
    answer_text(LARCH_COAP_CHANGED, "OK");
    fetch_and_get(&next); /* it is the pin now */
    assert_state(LARCH_SENDER_READY);
}

static void test_not_endorsed(void **state)
{
    (void)state;
    for (unsigned way = 0; way < 5; way++) {
        begin_pinned(&ours, true);
        fetch_and_get(&stranger);
        expect_request(LARCH_COAP_POST, "pqkem-next");
        switch (way) {
        case 0: /* by who does not hold the old key */
            answer_next(&stranger, &stranger);
            break;
        case 1: /* endorsed is another than was fetched */
            answer_next(&ours, &next);
            break;
        case 2:
            answer_text(LARCH_COAP_NOT_FOUND, "UNKNOWN_KEY");
            break;
        case 3:
            answer_text(LARCH_COAP_CHANGED, "too short");
            break;
        default: { /* a right answer under a wrong code */
            const larch_kem *asked;
            larch_bytes hint, kem_ct;
            uint8_t out[LARCH_DIRECT_NEXT_LEN];
            assert_int_equal(larch_direct_next_parse(request.payload, &asked, &hint, &kem_ct), LARCH_OK);
            assert_int_equal(larch_direct_next_answer(kem, ours.dk, kem_ct, ours.hash, stranger.hash, out), LARCH_OK);
            const reply r = {.code = LARCH_COAP_CONTENT, .payload = LARCH_BYTES(out)};
            answer(&r);
        }
        }
        assert_failed(LARCH_SENDER_FAIL_WRONG_KEY);
        assert_false(larch_sender_rotated(&s));
    }
}

/* What says nothing about the key is no reason to distrust it. */
static void test_question_refused(void **state)
{
    (void)state;
    static const uint8_t codes[] = {LARCH_COAP_REQUEST_ENTITY_INCOMPLETE, LARCH_COAP_BAD_REQUEST,
                                    LARCH_COAP_INTERNAL_SERVER_ERROR};
    for (size_t i = 0; i < sizeof codes; i++) {
        begin_pinned(&ours, true);
        fetch_and_get(&stranger);
        expect_request(LARCH_COAP_POST, "pqkem-next");
        answer_text(codes[i], "");
        assert_failed(LARCH_SENDER_FAIL_REFUSED);
    }
}

static void test_decide(void **state)
{
    (void)state;
    const larch_sender_config c = config();
    begin(&c);
    fetch_and_get(&ours);
    assert_state(LARCH_SENDER_DECIDE);
    expect_nothing();
    assert_true(larch_bytes_equal(larch_sender_key(&s, NULL), ek_of(&ours)));
    assert_int_equal(larch_sender_post(&s, now_ms, LARCH_TEXT("x")), LARCH_STATE);
    assert_int_equal(larch_sender_fetch(&s, now_ms), LARCH_STATE);
    assert_int_equal(larch_sender_trust(&s, now_ms), LARCH_OK);
    assert_state(LARCH_SENDER_READY);
    post("Hello");
    assert_true(opens(&ours, "Hello"));
    answer_text(LARCH_COAP_CHANGED, "OK");
    fetch_and_get(&stranger); /* trusted once is pinned */
    expect_request(LARCH_COAP_POST, "pqkem-next");
    answer_text(LARCH_COAP_NOT_FOUND, "UNKNOWN_KEY");
    assert_failed(LARCH_SENDER_FAIL_WRONG_KEY);
}

static void test_init(void **state)
{
    (void)state;
    larch_trust_basis basis = {.ek = ek_of(&ours)};
    larch_sender_config c = config();
    c.trust = &basis;
    basis.ek.len--;
    assert_int_equal(larch_sender_init(&s, 0, &c), LARCH_MALFORMED);
    key_pair broken = ours;
    memset(broken.ek, 0xff, 3); /* coefficients beyond q */
    basis.ek = ek_of(&broken);
    assert_int_equal(larch_sender_init(&s, 0, &c), LARCH_MALFORMED);
    basis = basis_of(&next, false);
    basis.ek = ek_of(&ours);
    assert_int_equal(larch_sender_init(&s, 0, &c), LARCH_STATE);
    random_state = (larch_sim_random){.fails_at = 1};
    c = config();
    assert_int_equal(larch_sender_init(&s, 0, &c), LARCH_PLATFORM);
}

static void test_bad_keys(void **state)
{
    (void)state;
    static uint8_t bytes[LARCH_KEM_EK_MAX + 1];
    const size_t lens[] = {0, 1, 799, 801, 1184, 1200};
    for (unsigned i = 0; i < 7; i++) {
        begin_pinned(&ours, true);
        assert_int_equal(larch_sender_fetch(&s, now_ms), LARCH_OK);
        expect_request(LARCH_COAP_GET, "pqkem-pk");
        memset(bytes, 0, sizeof bytes);
        memcpy(bytes, ours.ek, kem->ek_len);
        if (i == 6)
            memset(bytes + 300, 0xff, 3); /* right length, coefficients beyond q */
        const reply r = {.code = LARCH_COAP_CONTENT, .payload = {bytes, i < 6 ? lens[i] : 800u}};
        answer(&r);
        assert_failed(LARCH_SENDER_FAIL_BAD_KEY);
    }
    begin_pinned(&ours, true); /* in one datagram that is longer than any may be */
    assert_int_equal(larch_sender_fetch(&s, now_ms), LARCH_OK);
    expect_request(LARCH_COAP_GET, "pqkem-pk");
    const reply too_long = {.code = LARCH_COAP_CONTENT, .payload = {bytes, 1568}};
    answer(&too_long);
    assert_failed(LARCH_SENDER_FAIL_BAD_ANSWER);
    static const uint8_t codes[] = {LARCH_COAP_NOT_FOUND, LARCH_COAP_BAD_REQUEST, LARCH_COAP_SERVICE_UNAVAILABLE};
    for (size_t i = 0; i < sizeof codes; i++) {
        begin_pinned(&ours, true);
        assert_int_equal(larch_sender_fetch(&s, now_ms), LARCH_OK);
        expect_request(LARCH_COAP_GET, "pqkem-pk");
        answer_text(codes[i], "no");
        assert_int_equal(larch_sender_answer(&s, NULL), codes[i]);
        assert_failed(LARCH_SENDER_FAIL_REFUSED);
    }
}

int main(void)
{
    if (larch_crypto_init() != LARCH_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pin_matches),  cmocka_unit_test(test_pin_differs),      cmocka_unit_test(test_endorsed),
        cmocka_unit_test(test_not_endorsed), cmocka_unit_test(test_question_refused), cmocka_unit_test(test_decide),
        cmocka_unit_test(test_init),         cmocka_unit_test(test_bad_keys),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
