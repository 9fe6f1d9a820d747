/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of the OSCORE service to a device: one at a time, to wherever the device is; challenges; observations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "session_bench.h"

static session_bench s;
static const larch_bytes none = {NULL, 0};
static larch_oscore_outcome outcome;

static const larch_coap_ask get_led = {
    .method = LARCH_COAP_GET, .path = "led", .content_format = LARCH_COAP_FORMAT_NONE};

static int begin(void **state)
{
    (void)state;
    bench_require(larch_crypto_init() == LARCH_OK);
    sessions_begin(&s, 1);
    return 0;
}

static int end(void **state)
{
    (void)state;
    larch_server_wipe(&s.srv);
    return 0;
}

static void report(void)
{
    larch_coap_message m;
    assert_int_equal(sessions_ask(&s, sessions_reading(&s, "temp", NULL, none, "1"), &m), LARCH_COAP_CHANGED);
}

static larch_error ask(const larch_coap_ask *what, bool observes, uint32_t *handle)
{
    return larch_oscore_service_ask(&s.oscore, s.places[0].number, what, observes, handle);
}

static uint32_t ask_led(void)
{
    uint32_t handle = 0;
    assert_int_equal(ask(&get_led, false, &handle), LARCH_OK);
    assert_true(handle != 0);
    return handle;
}

/* A request reaches the device. */
static void expect_command(uint8_t method, const char *path)
{
    larch_bytes value;
    assert_true(sessions_poll(&s));
    sessions_take_command(&s);
    assert_int_equal(s.command.code, method);
    assert_true(larch_coap_option_find(&s.command, LARCH_COAP_OPT_URI_PATH, &value));
    assert_true(larch_bytes_equal(value, larch_bytes_of_text(path)));
}

/* observe: the Observe option, under a number of the device's own; 0: none. */
static void answer(uint8_t code, uint32_t observe, larch_bytes echo, const char *text)
{
    uint8_t bytes[LARCH_COAP_DATAGRAM_MAX];
    larch_coap_builder b;
    uint64_t number = s.number;
    s.number += observe != 0;
    larch_coap_build(&b, bytes, sizeof bytes, LARCH_COAP_ACK, code, 0, none);
    if (observe != 0)
        larch_coap_build_option_uint(&b, LARCH_COAP_OPT_OBSERVE, observe);
    if (echo.len > 0)
        larch_coap_build_option(&b, LARCH_COAP_OPT_ECHO, echo);
    if (text[0] != '\0')
        larch_coap_build_payload(&b, larch_bytes_of_text(text));
    sessions_answer(&s, &b, observe != 0 ? &number : NULL);
}

static void expect_outcome(uint32_t handle, uint8_t code, const char *text, bool is_last)
{
    assert_int_equal(larch_oscore_service_outcome(&s.oscore, handle, &outcome), LARCH_OK);
    assert_int_equal(outcome.error, LARCH_OK);
    assert_int_equal(outcome.code, code);
    assert_true(larch_bytes_equal(outcome.body, larch_bytes_of_text(text)));
    assert_int_equal(outcome.is_last, is_last);
    assert_int_equal(larch_oscore_service_outcome(&s.oscore, handle, &outcome), is_last ? LARCH_STATE : LARCH_AGAIN);
}

static void expect_error(uint32_t handle, larch_error e)
{
    assert_int_equal(larch_oscore_service_outcome(&s.oscore, handle, &outcome), LARCH_OK);
    assert_int_equal(outcome.error, e);
    assert_int_equal(outcome.body.len, 0);
    assert_true(outcome.is_last);
}

/* ---- one request ------------------------------------------------------------- */

static void test_get(void **state)
{
    (void)state;
    report();
    const uint32_t handle = ask_led();
    assert_int_equal(larch_oscore_service_outcome(&s.oscore, handle, &outcome), LARCH_AGAIN);
    assert_true(larch_server_deadline_ms(&s.srv) <= s.now_ms);
    expect_command(LARCH_COAP_GET, "led");
    assert_int_equal(larch_oscore_service_outcome(&s.oscore, handle, &outcome), LARCH_AGAIN);
    answer(LARCH_COAP_CONTENT, 0, none, "on");
    expect_outcome(handle, LARCH_COAP_CONTENT, "on", true);
    assert_int_equal(larch_server_deadline_ms(&s.srv), UINT64_MAX);
}

static void test_post(void **state)
{
    (void)state;
    static const uint8_t text[1500] = "long";
    const larch_coap_ask what = {.method = LARCH_COAP_POST, .path = "led", .payload = LARCH_BYTES(text)};
    uint32_t handle;
    report();
    assert_int_equal(ask(&what, false, &handle), LARCH_OK);
    expect_command(LARCH_COAP_POST, "led");
    assert_true(s.command.payload.len < sizeof text);
    answer(LARCH_COAP_NOT_FOUND, 0, none, "no led");
    expect_outcome(handle, LARCH_COAP_NOT_FOUND, "no led", true);
}

static void test_refused(void **state)
{
    (void)state;
    uint32_t handle = 4711;
    assert_int_equal(ask(&get_led, false, &handle), LARCH_AGAIN); /* nothing was heard of it */
    report();
    assert_int_equal(larch_oscore_service_ask(&s.oscore, 1, &get_led, false, &handle), LARCH_STATE);
    const larch_coap_ask post = {.method = LARCH_COAP_POST, .path = "led"}, empty = {.method = LARCH_COAP_EMPTY},
                         response = {.method = LARCH_COAP_CONTENT};
    assert_int_equal(ask(&post, true, &handle), LARCH_STATE);
    assert_int_equal(ask(&empty, false, &handle), LARCH_STATE);
    assert_int_equal(ask(&response, false, &handle), LARCH_STATE);
    assert_int_equal(handle, 4711);
    for (size_t i = 0; i < COMMANDS; i++)
        handle = ask_led();
    assert_int_equal(ask(&get_led, false, &handle), LARCH_BUSY);
    larch_oscore_service_cancel(&s.oscore, s.now_ms, handle);
    (void)ask_led();
    s.places[0].own_used = 1u << 20;
    assert_int_equal(ask(&get_led, false, &handle), LARCH_SPENT);
    for (uint32_t i = 0; i < 100; i++) /* what is none changes nothing */
        larch_oscore_service_cancel(&s.oscore, s.now_ms, 1000 + i);
    assert_int_equal(larch_oscore_service_outcome(&s.oscore, 0, &outcome), LARCH_STATE);
}

static void test_one_at_a_time(void **state)
{
    (void)state;
    report();
    const uint32_t first = ask_led(), second = ask_led(), third = ask_led();
    expect_command(LARCH_COAP_GET, "led");
    assert_false(sessions_poll(&s));
    answer(LARCH_COAP_CONTENT, 0, none, "1");
    sessions_take_command(&s); /* sent with what the answer made due */
    larch_oscore_service_cancel(&s.oscore, s.now_ms, second);
    answer(LARCH_COAP_CONTENT, 0, none, "2");
    sessions_take_command(&s);
    answer(LARCH_COAP_CONTENT, 0, none, "3");
    expect_outcome(third, LARCH_COAP_CONTENT, "3", true);
    expect_outcome(first, LARCH_COAP_CONTENT, "1", true);
    assert_int_equal(larch_oscore_service_outcome(&s.oscore, second, &outcome), LARCH_STATE);
}

/* The device is away: the request is sent five times, and a forged error is a hint. */
static void test_no_answer(void **state)
{
    (void)state;
    report();
    const uint32_t handle = ask_led();
    unsigned sent = 0;
    for (unsigned i = 0; i < 200; i++, s.now_ms += 500) {
        while (sessions_poll(&s))
            sent++;
        if (i == 0) {
            sessions_take_command(&s);
            uint8_t bytes[64];
            larch_coap_builder b;
            larch_bytes datagram;
            larch_coap_build(&b, bytes, sizeof bytes, LARCH_COAP_NON, LARCH_COAP_UNAUTHORIZED, ++s.message_id,
                             s.command.token);
            assert_int_equal(larch_coap_build_end(&b, &datagram), LARCH_OK);
            (void)sessions_deliver(&s, datagram);
        }
    }
    assert_int_equal(sent, 1 + LARCH_COAP_MAX_RETRANSMIT);
    expect_error(handle, LARCH_TIMEOUT);
    assert_int_equal(outcome.hint, LARCH_COAP_UNAUTHORIZED);
}

/* A device that has just started wants to see that the request is new. */
static void test_challenge(void **state)
{
    (void)state;
    static const uint8_t echo[] = {1, 2, 3, 4, 5, 6, 7, 8};
    larch_bytes value;
    report();
    const uint32_t handle = ask_led();
    expect_command(LARCH_COAP_GET, "led");
    const uint64_t first = s.command_number;
    answer(LARCH_COAP_UNAUTHORIZED, 0, LARCH_BYTES(echo), "");
    sessions_take_command(&s);
    assert_int_equal(s.command_number, first + 1);
    assert_true(larch_coap_option_find(&s.command, LARCH_COAP_OPT_ECHO, &value));
    assert_true(larch_bytes_equal(value, LARCH_BYTES(echo)));
    answer(LARCH_COAP_CONTENT, 0, none, "on");
    expect_outcome(handle, LARCH_COAP_CONTENT, "on", true);
}

/* ---- addresses --------------------------------------------------------------- */

static void test_device_moves(void **state)
{
    (void)state;
    uint8_t first[256];
    report();
    const uint32_t handle = ask_led();
    expect_command(LARCH_COAP_GET, "led");
    const size_t len = s.got_len;
    const uint64_t number = s.command_number;
    memcpy(first, s.got, len);
    s.now_ms += 10;
    /* Who forges the device's datagrams, or sends copies of them, moves nothing. */
    larch_coap_message m;
    const uint16_t port = s.peer.port;
    s.peer.port = 666;
    (void)sessions_ask(&s, (larch_bytes){s.sent, s.sent_len}, &m);
    (void)sessions_reading(&s, "temp", NULL, none, "forged");
    s.sent[s.sent_len - 1] ^= 1;
    (void)sessions_ask(&s, (larch_bytes){s.sent, s.sent_len}, &m);
    assert_false(sessions_poll(&s));
    /* The device's port changes, and a reading comes from there. */
    s.peer.port = (uint16_t)(port + 1);
    report();
    assert_true(sessions_poll(&s));
    assert_int_equal(s.got_len, len);
    assert_memory_equal(s.got, first, len);
    assert_false(sessions_poll(&s));
    sessions_take_command(&s);
    assert_int_equal(s.command_number, number);
    answer(LARCH_COAP_CONTENT, 0, none, "on");
    expect_outcome(handle, LARCH_COAP_CONTENT, "on", true);
    /* The next one goes there at once. */
    const uint32_t next = ask_led();
    expect_command(LARCH_COAP_GET, "led");
    answer(LARCH_COAP_CONTENT, 0, none, "off");
    expect_outcome(next, LARCH_COAP_CONTENT, "off", true);
}

/* One that moves all the time and never answers does not keep its place. */
static void test_device_moves_on(void **state)
{
    (void)state;
    report();
    const uint32_t handle = ask_led();
    unsigned sent = 0;
    for (unsigned i = 0; i < 40 && larch_oscore_service_outcome(&s.oscore, handle, &outcome) == LARCH_AGAIN; i++) {
        s.now_ms += 10000;
        for (unsigned port = 0; port < 2; port++) { /* what is on its way to the old address is lost */
            larch_peer peer;
            larch_bytes datagram;
            while (larch_server_send(&s.srv, s.now_ms, &peer, &datagram) == LARCH_OK)
                sent++;
        }
        s.peer.port++;
        report();
        if (s.stored_count == STORED)
            s.stored_count = 1;
    }
    assert_int_equal(outcome.error, LARCH_TIMEOUT);
    assert_in_range(sent, 5, 30);
}

/* ---- ends -------------------------------------------------------------------- */

static void test_session_ends(void **state)
{
    (void)state;
    report();
    const uint32_t first = ask_led(), waits = ask_led();
    expect_command(LARCH_COAP_GET, "led");
    const uint64_t number = s.places[0].number;
    larch_session_table_remove(&s.table, &s.places[0]);
    larch_oscore_service_forget(&s.oscore, &s.srv, number);
    assert_false(sessions_poll(&s));
    expect_error(first, LARCH_STATE);
    expect_error(waits, LARCH_STATE);
    assert_int_equal(larch_server_deadline_ms(&s.srv), UINT64_MAX);
}

/* The session is removed without a word: its commands end when they are due, and touch it no more. */
static void test_session_vanishes(void **state)
{
    (void)state;
    report();
    const uint32_t first = ask_led(), waits = ask_led();
    expect_command(LARCH_COAP_GET, "led");
    larch_session_table_remove(&s.table, &s.places[0]);
    s.now_ms += 3000;
    (void)sessions_poll(&s);
    expect_error(first, LARCH_STATE);
    (void)sessions_poll(&s);
    expect_error(waits, LARCH_STATE);
}

static void test_numbers(void **state)
{
    (void)state;
    report();
    for (unsigned i = 0; i < 256; i++) { /* what was durable at the start */
        const uint32_t handle = ask_led();
        assert_true(sessions_poll(&s));
        larch_oscore_service_cancel(&s.oscore, s.now_ms, handle);
    }
    uint32_t handle = ask_led(); /* the numbers do not run ahead of the clock */
    assert_false(sessions_poll(&s));
    assert_int_equal(larch_oscore_service_outcome(&s.oscore, handle, &outcome), LARCH_AGAIN);
    assert_in_range(larch_server_deadline_ms(&s.srv), s.now_ms + 1, s.now_ms + 1000);
    s.now_ms += 1000;
    s.storage_fails = true;
    assert_false(sessions_poll(&s));
    expect_error(handle, LARCH_PLATFORM);
    s.storage_fails = false;
    handle = ask_led();
    expect_command(LARCH_COAP_GET, "led");
    answer(LARCH_COAP_CONTENT, 0, none, "on");
    expect_outcome(handle, LARCH_COAP_CONTENT, "on", true);
}

/* ---- observations ------------------------------------------------------------ */

static void expect_observe(uint32_t value)
{
    larch_bytes bytes;
    uint32_t found;
    assert_true(larch_coap_option_find(&s.command, LARCH_COAP_OPT_OBSERVE, &bytes));
    assert_int_equal(larch_coap_option_uint(bytes, &found), LARCH_OK);
    assert_int_equal(found, value);
}

static void test_observe(void **state)
{
    (void)state;
    uint32_t handle;
    report();
    assert_int_equal(ask(&get_led, true, &handle), LARCH_OK);
    expect_command(LARCH_COAP_GET, "led");
    expect_observe(0);
    answer(LARCH_COAP_CONTENT, 1, none, "on");
    expect_outcome(handle, LARCH_COAP_CONTENT, "on", false);
    /* Notifications answer the registration, wherever they come from; requests go on beside it. */
    const larch_coap_message registration = s.command;
    const larch_oscore_binding binding = s.command_binding;
    uint8_t token[LARCH_COAP_TOKEN_MAX];
    memcpy(token, s.command_token, sizeof token);
    const uint32_t other = ask_led();
    expect_command(LARCH_COAP_GET, "led");
    answer(LARCH_COAP_CONTENT, 0, none, "beside");
    expect_outcome(other, LARCH_COAP_CONTENT, "beside", true);
    s.command = registration;
    s.command_binding = binding;
    s.command.token = (larch_bytes){token, registration.token.len};
    s.peer.port++;
    answer(LARCH_COAP_CONTENT, 2, none, "off");
    expect_outcome(handle, LARCH_COAP_CONTENT, "off", false);
    answer(LARCH_COAP_CONTENT, 3, none, "lost");
    answer(LARCH_COAP_CONTENT, 4, none, "on");
    expect_outcome(handle, LARCH_COAP_CONTENT, "on", false);
    /* The end of it goes to the new address, once that is known. */
    report();
    larch_oscore_service_cancel(&s.oscore, s.now_ms, handle);
    assert_int_equal(larch_oscore_service_outcome(&s.oscore, handle, &outcome), LARCH_STATE);
    expect_command(LARCH_COAP_GET, "led");
    expect_observe(1);
    answer(LARCH_COAP_CONTENT, 0, none, "on");
    assert_false(sessions_poll(&s));
    for (size_t i = 0; i < COMMANDS; i++)
        (void)ask_led();
}

/* The device ends it, by an error or by an answer that is no notification. */
static void test_observation_ends(void **state)
{
    (void)state;
    static const uint8_t codes[] = {LARCH_COAP_NOT_FOUND, LARCH_COAP_CONTENT};
    report();
    for (size_t i = 0; i < 2 * (sizeof codes); i++) {
        uint32_t handle;
        assert_int_equal(ask(&get_led, true, &handle), LARCH_OK);
        expect_command(LARCH_COAP_GET, "led");
        if (i >= sizeof codes) {
            answer(LARCH_COAP_CONTENT, 1, none, "on");
            expect_outcome(handle, LARCH_COAP_CONTENT, "on", false);
            uint8_t bytes[64];
            larch_coap_builder b;
            const uint64_t number = s.number++;
            larch_coap_build(&b, bytes, sizeof bytes, LARCH_COAP_ACK, codes[i % 2], 0, none);
            sessions_answer(&s, &b, &number);
        } else {
            answer(codes[i], 0, none, "");
        }
        expect_outcome(handle, codes[i % 2], "", true);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(test_get),
        TEST(test_post),
        TEST(test_refused),
        TEST(test_one_at_a_time),
        TEST(test_no_answer),
        TEST(test_challenge),
        TEST(test_device_moves),
        TEST(test_device_moves_on),
        TEST(test_session_ends),
        TEST(test_session_vanishes),
        TEST(test_numbers),
        TEST(test_observe),
        TEST(test_observation_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
