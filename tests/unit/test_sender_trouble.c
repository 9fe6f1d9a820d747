/* SPDX-License-Identifier: Apache-2.0 */
/* Challenges, resets, silence, strangers, and failures of its own: a sender comes to a clear end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "scripted_gateway.h"

static void test_echo(void **state)
{
    (void)state;
    begin_pinned(&ours, true);
    assert_int_equal(larch_sender_fetch(&s, now_ms), LARCH_OK);
    expect_request(LARCH_COAP_GET, "pqkem-pk");
    challenge("first echo!!");
    expect_request(LARCH_COAP_GET, "pqkem-pk");
    assert_echo("first echo!!");
    answer_key(&ours);
    assert_state(LARCH_SENDER_READY);
    post("Hello");
    assert_echo("first echo!!"); /* it may still be good */
    larch_bytes before = request.payload;
    uint8_t sealed[LARCH_COAP_DATAGRAM_MAX];
    memcpy(sealed, before.data, before.len);
    challenge("second echo!");
    expect_request(LARCH_COAP_POST, "pqkem-data");
    assert_echo("second echo!");
    assert_int_equal(request.payload.len, before.len);
    assert_memory_equal(request.payload.data, sealed, before.len); /* the same message, not another */
    challenge("third echo!!");                                     /* once, not for ever */
    assert_failed(LARCH_SENDER_FAIL_REFUSED);
}

static void test_reset(void **state)
{
    (void)state;
    for (unsigned when = 0; when < 3; when++) {
        begin_pinned(&ours, true);
        assert_int_equal(larch_sender_fetch(&s, now_ms), LARCH_OK);
        expect_request(LARCH_COAP_GET, "pqkem-pk");
        if (when == 1) {
            answer_key(&next);
            expect_request(LARCH_COAP_POST, "pqkem-next");
        } else if (when == 2) {
            answer_key(&ours);
            post("Hello");
        }
        reset();
        assert_failed(LARCH_SENDER_FAIL_RESET);
    }
}

static void test_silence(void **state)
{
    (void)state;
    begin_pinned(&ours, true);
    assert_int_equal(larch_sender_fetch(&s, now_ms), LARCH_OK);
    unsigned sent = run_alone();
    assert_in_range(sent, 5, 10); /* both ways, each with its retransmissions */
    assert_failed(LARCH_SENDER_FAIL_NO_ANSWER);
    assert_true(now_ms < 500 + 100000);

    for (unsigned non = 0; non < 2; non++) {
        const larch_trust_basis basis = {.ek = ek_of(&ours)};
        larch_sender_config c = config();
        c.trust = &basis;
        c.non_confirmable = non == 1;
        begin(&c);
        fetch_and_get(&ours);
        post("Hello");
        assert_int_equal(request.type, non == 1 ? LARCH_COAP_NON : LARCH_COAP_CON);
        assert_int_equal(run_alone(), non == 1 ? 0 : LARCH_COAP_MAX_RETRANSMIT);
        assert_failed(LARCH_SENDER_FAIL_NO_ANSWER);
    }
}

/* Message IDs that are used up mean to wait, whatever is to be asked. */
static void test_busy(void **state)
{
    (void)state;
    begin_pinned(&ours, true);
    use_up_message_ids();
    assert_int_equal(larch_sender_fetch(&s, now_ms), LARCH_OK);
    assert_true(larch_sender_is_busy(&s));
    wait_for_message_ids();
    expect_request(LARCH_COAP_GET, "pqkem-pk");
    assert_int_equal(larch_sender_held_until_ms(&s), 0);
    answer_key(&ours);
    assert_state(LARCH_SENDER_READY);
    use_up_message_ids();
    assert_int_equal(larch_sender_post(&s, now_ms, LARCH_TEXT("Hello")), LARCH_OK);
    assert_true(larch_sender_is_busy(&s));
    wait_for_message_ids();
    expect_request(LARCH_COAP_POST, "pqkem-data");
    answer_text(LARCH_COAP_CHANGED, "OK");
    assert_state(LARCH_SENDER_READY);

    /* Under way: the endorsement is asked for later, with another secret. */
    begin_pinned(&ours, true);
    assert_int_equal(larch_sender_fetch(&s, now_ms), LARCH_OK);
    expect_request(LARCH_COAP_GET, "pqkem-pk");
    use_up_message_ids();
    answer_key(&next);
    for (size_t i = 0; i < sizeof s.trust.ss; i++)
        assert_int_equal(s.trust.ss[i], 0);
    wait_for_message_ids();
    expect_request(LARCH_COAP_POST, "pqkem-next");
    answer_next(&ours, &next);
    assert_state(LARCH_SENDER_READY);

    /* The prototype's way alone is left out: the GET may still be answered. */
    begin_pinned(&ours, true);
    assert_int_equal(larch_sender_fetch(&s, now_ms), LARCH_OK);
    expect_request(LARCH_COAP_GET, "pqkem-pk");
    use_up_message_ids();
    now_ms += 1000;
    expect_nothing();
    answer_key(&ours);
    assert_state(LARCH_SENDER_READY);
}

/* As 'larch send --count 70000 --interval 0' does: a quarter of the IDs at a time, and each of them once. */
static void test_more_messages_than_ids(void **state)
{
    (void)state;
    enum { BEFORE = 20, COUNT = 60 };
    unsigned waits = 0;
    begin_pinned(&ours, true);
    fetch_and_get(&ours);
    s.endpoint.next_message_id = (uint16_t)(0 - BEFORE);
    s.endpoint.message_ids_free_ms[0] = now_ms + LARCH_COAP_EXCHANGE_LIFETIME_MS;
    for (unsigned i = 0; i < COUNT; i++) {
        assert_int_equal(larch_sender_post(&s, now_ms, LARCH_TEXT("Hello")), LARCH_OK);
        if (larch_sender_held_until_ms(&s) != 0) {
            assert_int_equal(i, BEFORE);
            wait_for_message_ids();
            waits++;
        }
        expect_request(LARCH_COAP_POST, "pqkem-data");
        assert_true(opens(&ours, "Hello"));
        answer_text(LARCH_COAP_CHANGED, "OK");
        assert_state(LARCH_SENDER_READY);
    }
    assert_int_equal(waits, 1);
}

/* A source that fails while the gateway is silent is not the gateway's silence. */
static void test_random_fails_in_silence(void **state)
{
    (void)state;
    begin_pinned(&ours, true);
    assert_int_equal(larch_sender_fetch(&s, now_ms), LARCH_OK);
    expect_request(LARCH_COAP_GET, "pqkem-pk");
    random_state.fails_at = random_state.calls + 1;
    (void)run_alone();
    assert_failed(LARCH_SENDER_FAIL_PLATFORM);
    assert_no_answer();
}

static void test_strangers_are_ignored(void **state)
{
    (void)state;
    larch_sim_random noise = {.state = 1};
    const larch_random from = larch_sim_random_of(&noise);
    uint8_t bytes[80];
    begin_pinned(&ours, true);
    assert_int_equal(larch_sender_fetch(&s, now_ms), LARCH_OK);
    expect_request(LARCH_COAP_GET, "pqkem-pk");
    const larch_peer true_gateway = gateway;
    gateway = larch_sim_ipv4(0x0a000002, 5683);
    answer_key(&stranger); /* from another address */
    reset();
    gateway = true_gateway;
    for (unsigned i = 0; i < 5000; i++) {
        assert_int_equal(larch_random_fill(&from, bytes, sizeof bytes), LARCH_OK);
        bytes[0] = (uint8_t)(0x40 | (bytes[0] & 0x3f));
        if ((bytes[0] & 0x3f) == 0x30)
            bytes[0] ^= 1; /* no reset that might hit */
        larch_sender_receive(&s, now_ms, &gateway, (larch_bytes){bytes, i % sizeof bytes});
        larch_peer peer;
        larch_bytes datagram;
        while (larch_sender_send(&s, now_ms, &peer, &datagram) == LARCH_OK) {
        }
    }
    assert_state(LARCH_SENDER_FETCH_KEY);
    answer_key(&ours);
    assert_state(LARCH_SENDER_READY);
}

static void test_random_fails(void **state)
{
    (void)state;
    /* Through init, fetch, endorsement and post: whichever call fails, the end is clear. */
    bool whole = false;
    for (unsigned at = 1; !whole; at++) {
        const larch_trust_basis basis = {.ek = ek_of(&ours)};
        larch_sender_config c = config();
        c.trust = &basis;
        random_state = (larch_sim_random){.state = 3, .fails_at = at};
        if (larch_sender_init(&s, now_ms, &c) != LARCH_OK)
            continue;
        larch_error e = larch_sender_fetch(&s, now_ms);
        if (e == LARCH_OK) {
            expect_request(LARCH_COAP_GET, "pqkem-pk");
            answer_key(&next);
            if (larch_sender_state_of(&s) == LARCH_SENDER_ENDORSE) {
                expect_request(LARCH_COAP_POST, "pqkem-next");
                answer_next(&ours, &next);
                assert_state(LARCH_SENDER_READY);
                e = larch_sender_post(&s, now_ms, LARCH_TEXT("Hello"));
                whole = e == LARCH_OK;
            }
        }
        if (!whole)
            assert_failed(LARCH_SENDER_FAIL_PLATFORM);
        assert_true(at < 12);
    }
}

static void test_texts(void **state)
{
    (void)state;
    for (unsigned i = 0; i <= LARCH_SENDER_FAILED; i++)
        assert_string_not_equal(larch_sender_state_text((larch_sender_state)i), "?");
    assert_string_equal(larch_sender_state_text((larch_sender_state)(LARCH_SENDER_FAILED + 1)), "?");
    for (unsigned i = 0; i <= LARCH_SENDER_FAIL_PLATFORM; i++) {
        assert_string_not_equal(larch_sender_failure_text((larch_sender_failure)i), "?");
        assert_string_not_equal(larch_sender_failure_advice((larch_sender_failure)i), "?");
    }
    assert_string_equal(larch_sender_failure_text((larch_sender_failure)(LARCH_SENDER_FAIL_PLATFORM + 1)), "?");
    assert_string_equal(larch_sender_failure_advice((larch_sender_failure)(LARCH_SENDER_FAIL_PLATFORM + 1)), "?");
}

int main(void)
{
    if (larch_crypto_init() != LARCH_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_echo),
        cmocka_unit_test(test_reset),
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_busy),
        cmocka_unit_test(test_more_messages_than_ids),
        cmocka_unit_test(test_random_fails_in_silence),
        cmocka_unit_test(test_strangers_are_ignored),
        cmocka_unit_test(test_random_fails),
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
