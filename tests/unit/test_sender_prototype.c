/* SPDX-License-Identifier: Apache-2.0 */
/* The prototype's way of asking, and when it is gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "scripted_gateway.h"

/* To the prototype's gateway, which ignores GET: a POST after a second, with an empty token. */
static void fall_back(void)
{
    assert_int_equal(larch_sender_fetch(&s, now_ms), LARCH_OK);
    expect_request(LARCH_COAP_GET, "pqkem-pk");
    assert_true(larch_sender_deadline_ms(&s) == now_ms + 1000);
    now_ms += 999;
    expect_nothing();
    now_ms++;
    expect_request(LARCH_COAP_POST, "pqkem-pk");
    assert_int_equal(request.token.len, 0);
    assert_int_equal(request.payload.len, 0);
    expect_nothing();
}

static void test_fallback(void **state)
{
    (void)state;
    static const uint8_t long_text[65] = {'x'};
    begin_pinned(&ours, true);
    fall_back();
    const reply r = {.code = LARCH_COAP_CHANGED, .uri_path = true, .payload = ek_of(&ours)};
    answer(&r);
    assert_state(LARCH_SENDER_READY);
    now_ms += 100000;
    expect_nothing(); /* the GET is given up */
    assert_int_equal(larch_sender_post(&s, now_ms, LARCH_BYTES(long_text)), LARCH_SPACE);
    assert_state(LARCH_SENDER_READY);
    post("Hello");
    assert_int_equal(request.token.len, 0);
    assert_true(opens(&ours, "Hello"));
    answer_text(LARCH_COAP_CHANGED, "OK");
    assert_state(LARCH_SENDER_READY);
    /* Known as one: asked with POST at once. It has no way to endorse. */
    assert_int_equal(larch_sender_fetch(&s, now_ms), LARCH_OK);
    expect_request(LARCH_COAP_POST, "pqkem-pk");
    const reply other = {.code = LARCH_COAP_CHANGED, .uri_path = true, .payload = ek_of(&next)};
    answer(&other);
    assert_failed(LARCH_SENDER_FAIL_WRONG_KEY);
}

/* A gateway of ours whose first answer was late is no prototype. */
static void test_late_gateway(void **state)
{
    (void)state;
    static const uint8_t long_text[65] = {'x'};
    begin_pinned(&ours, true);
    fall_back();
    const reply r = {.code = LARCH_COAP_CHANGED, .uri_path = true, .etag = true, .payload = ek_of(&next)};
    answer(&r);
    assert_state(LARCH_SENDER_ENDORSE);
    expect_request(LARCH_COAP_POST, "pqkem-next");
    assert_int_equal(request.token.len, 4);
    answer_next(&ours, &next);
    assert_state(LARCH_SENDER_READY);
    assert_int_equal(larch_sender_post(&s, now_ms, LARCH_BYTES(long_text)), LARCH_OK);
}

/* Whichever of the two answers first; what becomes of the other does not matter. */
static void test_get_answers_after_fallback(void **state)
{
    (void)state;
    begin_pinned(&ours, true);
    assert_int_equal(larch_sender_fetch(&s, now_ms), LARCH_OK);
    expect_request(LARCH_COAP_GET, "pqkem-pk");
    const larch_coap_message get = request;
    static uint8_t get_bytes[LARCH_COAP_DATAGRAM_MAX];
    memcpy(get_bytes, request_bytes, sizeof get_bytes);
    now_ms += 1000;
    expect_request(LARCH_COAP_POST, "pqkem-pk");
    reset(); /* the POST is refused */
    assert_state(LARCH_SENDER_FETCH_KEY);
    memcpy(request_bytes, get_bytes, sizeof get_bytes);
    request = get;
    answer_key(&ours);
    assert_state(LARCH_SENDER_READY);
}

static void test_prototype_from_the_start(void **state)
{
    (void)state;
    larch_sender_config c = config();
    c.prototype = true;
    begin(&c);
    assert_int_equal(larch_sender_fetch(&s, now_ms), LARCH_OK);
    expect_request(LARCH_COAP_POST, "pqkem-pk");
    assert_int_equal(request.token.len, 0);
    reset();
    assert_failed(LARCH_SENDER_FAIL_RESET);
}

/* Other sets are unknown to prototypes: no fallback, and the set is named. */
static void test_other_sets(void **state)
{
    (void)state;
    const unsigned sets[] = {768, 1024};
    for (size_t i = 0; i < 2; i++) {
        larch_sender_config c = config();
        larch_bytes value;
        c.kem = larch_kem_find(sets[i]);
        begin(&c);
        assert_int_equal(larch_sender_fetch(&s, now_ms), LARCH_OK);
        expect_request(LARCH_COAP_GET, "pqkem-pk");
        assert_true(larch_coap_query_find(&request, "kem", &value));
        assert_true(larch_bytes_equal(value, i == 0 ? LARCH_TEXT("768") : LARCH_TEXT("1024")));
        now_ms += 1500;
        expect_nothing();
    }
}

int main(void)
{
    if (larch_crypto_init() != LARCH_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fallback),
        cmocka_unit_test(test_late_gateway),
        cmocka_unit_test(test_get_answers_after_fallback),
        cmocka_unit_test(test_prototype_from_the_start),
        cmocka_unit_test(test_other_sets),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
