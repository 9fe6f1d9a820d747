/* SPDX-License-Identifier: Apache-2.0 */
/* The OSCORE service: readings that are stored once, across restarts; copies; refusals; observations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "session_bench.h"

enum { OUTSIDE = 0x100 };

static session_bench s;
static const larch_bytes none = {NULL, 0};

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

static void restart(void)
{
    larch_server_wipe(&s.srv);
    s.now_ms += 1000;
    sessions_start(&s);
}

static bool is_text(const larch_coap_message *m, const char *text)
{
    return larch_bytes_equal(m->payload, larch_bytes_of_text(text));
}

/* ---- readings -------------------------------------------------------------- */

static void test_reading(void **state)
{
    (void)state;
    larch_coap_message m;
    assert_int_equal(sessions_ask(&s, sessions_reading(&s, "temp", NULL, none, "21.5"), &m), LARCH_COAP_CHANGED);
    assert_int_equal(s.stored_count, 1);
    assert_string_equal(s.stored[0].name, "temp");
    assert_memory_equal(s.stored[0].text, "21.5", 4);
    assert_int_equal(s.stored[0].id.bytes[0], 'O');
    /* A copy gets the same bytes, from the same port and from another. */
    uint8_t first[256];
    const size_t len = s.got_len;
    memcpy(first, s.got, len);
    for (unsigned i = 0; i < 3; i++) {
        s.peer.port = (uint16_t)(40000 + i);
        assert_true(sessions_deliver(&s, (larch_bytes){s.sent, s.sent_len}));
        assert_int_equal(s.got_len, len);
        assert_memory_equal(s.got, first, len);
    }
    assert_int_equal(s.stored_count, 1);
    /* Its number under another token is no copy. */
    s.sent[4] ^= 1;
    assert_int_equal(sessions_ask(&s, (larch_bytes){s.sent, s.sent_len}, &m), OUTSIDE | LARCH_COAP_UNAUTHORIZED);
    assert_true(is_text(&m, "Replay detected"));
    assert_int_equal(s.told[LARCH_EVENT_REPLAY], 1);
}

static void test_numbered(void **state)
{
    (void)state;
    larch_coap_message m;
    assert_int_equal(sessions_ask(&s, sessions_reading(&s, "temp", "n=7", none, "1"), &m), LARCH_COAP_CHANGED);
    assert_int_equal(sessions_ask(&s, sessions_reading(&s, "temp", "n=7", none, "1"), &m), LARCH_COAP_CHANGED);
    assert_int_equal(s.stored_count, 1);
    assert_int_equal(sessions_ask(&s, sessions_reading(&s, "temp", "n=7", none, "2"), &m), LARCH_COAP_CONFLICT);
    assert_true(is_text(&m, "4711"));
    assert_int_equal(sessions_ask(&s, sessions_reading(&s, "temp", "n=18446744073709551615", none, "2"), &m),
                     LARCH_COAP_CHANGED);
    static const char *const bad[] = {"n=18446744073709551616", "n=1x", "n=-1", "n=000000000000000000001"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(sessions_ask(&s, sessions_reading(&s, "temp", bad[i], none, "2"), &m), LARCH_COAP_BAD_REQUEST);
    assert_int_equal(s.stored_count, 2);
}

/* Two of one number in one batch, before either is stored. */
static void test_numbered_together(void **state)
{
    (void)state;
    larch_coap_message m;
    bool has_number;
    uint64_t number;
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(larch_server_receive(&s.srv, s.now_ms, &s.peer, false,
                                              sessions_reading(&s, "temp", "n=1", none, i < 2 ? "a" : "b")),
                         LARCH_OK);
    const uint8_t expected[] = {LARCH_COAP_CHANGED, LARCH_COAP_CHANGED, LARCH_COAP_CONFLICT};
    const uint64_t first = s.number - 3;
    for (unsigned i = 0; i < 3; i++) {
        assert_true(sessions_poll(&s));
        s.binding.partial_iv[0] = (uint8_t)(first + i);
        assert_int_equal(sessions_open(&s, &m, &has_number, &number), LARCH_OK);
        assert_int_equal(m.code, expected[i]);
    }
    assert_int_equal(s.stored_count, 1);
}

static void test_no_room(void **state)
{
    (void)state;
    larch_coap_message m;
    uint8_t sent[256];
    s.no_room = 1;
    const larch_bytes datagram = sessions_reading(&s, "temp", "n=1", none, "1");
    memcpy(sent, datagram.data, datagram.len);
    const size_t len = datagram.len;
    assert_int_equal(sessions_ask(&s, datagram, &m), LARCH_COAP_SERVICE_UNAVAILABLE);
    /* The same bytes get the same answer; the device sends anew under a new number. */
    s.peer.port++;
    assert_int_equal(sessions_ask(&s, (larch_bytes){sent, len}, &m), LARCH_COAP_SERVICE_UNAVAILABLE);
    assert_int_equal(sessions_ask(&s, sessions_reading(&s, "temp", "n=1", none, "1"), &m), LARCH_COAP_CHANGED);
    assert_int_equal(s.stored_count, 1);
}

static void test_names_and_formats(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t format;
        uint8_t code;
    } rows[] = {
        {"a", 0, LARCH_COAP_CHANGED},
        {"12345678901234567890123456789012", 50, LARCH_COAP_CHANGED},
        {"123456789012345678901234567890123", 0, LARCH_COAP_BAD_REQUEST},
        {"a b", 0, LARCH_COAP_BAD_REQUEST},
        {"a\x1b", 0, LARCH_COAP_BAD_REQUEST},
        {"a/b", 0, LARCH_COAP_NOT_FOUND},
        {"", 0, LARCH_COAP_NOT_FOUND},
        {"a", 60, LARCH_COAP_CHANGED},
        {"a", 110, LARCH_COAP_CHANGED},
        {"a", 112, LARCH_COAP_CHANGED},
        {"a", 42, LARCH_COAP_UNSUPPORTED_CONTENT_FORMAT},
        {"a", 65535, LARCH_COAP_UNSUPPORTED_CONTENT_FORMAT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t bytes[256];
        larch_coap_builder b;
        larch_coap_message m;
        sessions_begin_request(&s, &b, bytes, sizeof bytes, LARCH_COAP_PUT);
        larch_coap_build_path(&b, "r");
        larch_coap_build_path(&b, rows[i].name);
        larch_coap_build_option_uint(&b, LARCH_COAP_OPT_CONTENT_FORMAT, rows[i].format);
        larch_coap_build_payload(&b, LARCH_TEXT("x"));
        assert_int_equal(sessions_ask(&s, sessions_protect(&s, &b), &m), rows[i].code);
    }
}

/* ---- restarts ---------------------------------------------------------------- */

/* Asks again with the Echo of the challenge that m is. */
static unsigned ask_with_echo(const larch_coap_message *m, const char *query, const char *text, larch_coap_message *out)
{
    larch_bytes echo;
    uint8_t copy[LARCH_OSCORE_ECHO_LEN];
    assert_true(larch_coap_option_find(m, LARCH_COAP_OPT_ECHO, &echo));
    assert_int_equal(echo.len, sizeof copy);
    memcpy(copy, echo.data, sizeof copy);
    return sessions_ask(&s, sessions_reading(&s, "temp", query, LARCH_BYTES(copy), text), out);
}

/* The gateway stored a reading and ended before its answer left. */
static void test_stored_before_restart(void **state)
{
    (void)state;
    larch_coap_message m;
    uint8_t sent[256];
    const larch_bytes datagram = sessions_reading(&s, "temp", NULL, none, "1");
    size_t len = datagram.len;
    memcpy(sent, datagram.data, len);
    assert_int_equal(larch_server_receive(&s.srv, s.now_ms, &s.peer, false, datagram), LARCH_OK);
    sessions_store(&s);
    assert_int_equal(s.stored_count, 1);
    for (unsigned i = 0; i < 3; i++) { /* each time the answer is lost */
        restart();
        assert_int_equal(sessions_ask(&s, (larch_bytes){sent, len}, &m), LARCH_COAP_UNAUTHORIZED);
        assert_int_equal(ask_with_echo(&m, NULL, "1", &m), LARCH_COAP_CHANGED);
        assert_int_equal(s.stored_count, 1);
        len = s.sent_len;
        memcpy(sent, s.sent, len); /* the device repeats this one, whose number was challenged never before */
    }
    /* Another reading in its place is stored. */
    restart();
    assert_int_equal(sessions_ask(&s, sessions_reading(&s, "temp", NULL, none, "2"), &m), LARCH_COAP_UNAUTHORIZED);
    assert_int_equal(ask_with_echo(&m, NULL, "2", &m), LARCH_COAP_CHANGED);
    assert_int_equal(s.stored_count, 2);
}

/* What was stored cannot be read: the reading may be among it, so it is neither confirmed nor stored. */
static void test_recall_fails(void **state)
{
    (void)state;
    larch_coap_message m;
    larch_bytes value;
    uint32_t max_age = 0;
    s.recall_fails = true;
    assert_int_equal(sessions_ask(&s, sessions_reading(&s, "temp", "n=7", none, "1"), &m),
                     LARCH_COAP_SERVICE_UNAVAILABLE);
    assert_true(larch_coap_option_find(&m, LARCH_COAP_OPT_MAX_AGE, &value));
    assert_int_equal(larch_coap_option_uint(value, &max_age), LARCH_OK);
    assert_int_equal(max_age, 30);
    restart();
    assert_int_equal(sessions_ask(&s, sessions_reading(&s, "temp", NULL, none, "2"), &m), LARCH_COAP_UNAUTHORIZED);
    assert_int_equal(ask_with_echo(&m, NULL, "2", &m), LARCH_COAP_SERVICE_UNAVAILABLE);
    assert_int_equal(s.stored_count, 0);
    s.recall_fails = false;
    assert_int_equal(sessions_ask(&s, sessions_reading(&s, "temp", "n=7", none, "1"), &m), LARCH_COAP_CHANGED);
    assert_int_equal(s.stored_count, 1);
}

static void test_recorded_before_restart(void **state)
{
    (void)state;
    larch_coap_message m;
    uint8_t recorded[256];
    const larch_bytes datagram = sessions_reading(&s, "temp", NULL, none, "1");
    const size_t len = datagram.len;
    memcpy(recorded, datagram.data, len);
    assert_int_equal(sessions_ask(&s, datagram, &m), LARCH_COAP_CHANGED);
    restart();
    /* The attacker's copy gets a challenge that the device does not answer. */
    assert_true(sessions_deliver(&s, (larch_bytes){recorded, len}));
    assert_int_equal(sessions_ask(&s, sessions_reading(&s, "temp", NULL, none, "2"), &m), LARCH_COAP_UNAUTHORIZED);
    assert_int_equal(ask_with_echo(&m, NULL, "2", &m), LARCH_COAP_CHANGED);
    s.peer.port++; /* it gets the challenge of before */
    (void)sessions_ask(&s, (larch_bytes){recorded, len}, &m);
    assert_int_equal(s.stored_count, 2);
    assert_int_equal(sessions_ask(&s, sessions_reading(&s, "temp", NULL, none, "3"), &m), LARCH_COAP_CHANGED);
}

/* The challenge needs a number of the server's own, and that a durable step. */
static void test_challenge_without_storage(void **state)
{
    (void)state;
    larch_coap_message m;
    restart();
    for (unsigned i = 0; i < 256; i++) {
        assert_int_equal(sessions_ask(&s, sessions_reading(&s, "temp", NULL, none, "1"), &m), LARCH_COAP_UNAUTHORIZED);
        s.now_ms += 10;
    }
    s.storage_fails = true;
    assert_int_equal(sessions_ask(&s, sessions_reading(&s, "temp", NULL, none, "1"), &m), 0);
    assert_true(s.told[LARCH_EVENT_STORAGE] > 0);
    s.storage_fails = false;
    assert_int_equal(sessions_ask(&s, sessions_reading(&s, "temp", NULL, none, "1"), &m), LARCH_COAP_UNAUTHORIZED);
}

/* ---- refusals --------------------------------------------------------------- */

static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *option; /* its value */
        size_t len;
        uint8_t code;
        const char *text;
    } rows[] = {
        {"\x09\x01"
         "x",
         3, LARCH_COAP_UNAUTHORIZED, "Security context not found"},
        {"\x09\x01"
         "d",
         3, LARCH_COAP_BAD_REQUEST, "Decryption failed"},
        {"\x01\x01", 2, LARCH_COAP_BAD_OPTION, "Failed to decode COSE"}, /* no kid */
        {"\x08"
         "d",
         2, LARCH_COAP_BAD_OPTION, "Failed to decode COSE"},             /* no Partial IV */
        {"\x0e\x01", 2, LARCH_COAP_BAD_OPTION, "Failed to decode COSE"}, /* a Partial IV of 6 bytes */
        {"\x29\x01"
         "d",
         3, LARCH_COAP_BAD_OPTION, "Group OSCORE is not supported"},
        {"", 0, LARCH_COAP_BAD_OPTION, "Failed to decode COSE"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t bytes[256];
        larch_coap_builder b;
        larch_coap_message m;
        larch_bytes datagram, value;
        sessions_begin_request(&s, &b, bytes, sizeof bytes, LARCH_COAP_POST);
        larch_coap_build_option(&b, LARCH_COAP_OPT_OSCORE, (larch_bytes){(const uint8_t *)rows[i].option, rows[i].len});
        larch_coap_build_payload(&b, LARCH_TEXT("0123456789abcdefghij"));
        assert_int_equal(larch_coap_build_end(&b, &datagram), LARCH_OK);
        assert_true(sessions_deliver(&s, datagram));
        assert_int_equal(larch_coap_parse((larch_bytes){s.got, s.got_len}, &m), LARCH_OK);
        assert_int_equal(m.code, rows[i].code);
        assert_true(is_text(&m, rows[i].text));
        assert_true(larch_coap_option_find(&m, LARCH_COAP_OPT_MAX_AGE, &value));
        assert_int_equal(value.len, 0);
        assert_false(larch_coap_option_find(&m, LARCH_COAP_OPT_OSCORE, &value));
    }
    /* Without protection. */
    uint8_t bytes[64];
    larch_coap_builder b;
    larch_coap_message m;
    larch_bytes datagram;
    sessions_begin_request(&s, &b, bytes, sizeof bytes, LARCH_COAP_GET);
    larch_coap_build_path(&b, "r/temp");
    assert_int_equal(larch_coap_build_end(&b, &datagram), LARCH_OK);
    assert_int_equal(sessions_ask(&s, datagram, &m), OUTSIDE | LARCH_COAP_UNAUTHORIZED);
    assert_int_equal(s.stored_count, 0);
}

/* Who forges the device's address exhausts its first bucket, and the device gets through by an outer Echo. */
static void test_forgeries(void **state)
{
    (void)state;
    larch_coap_message m;
    uint8_t echo[40];
    larch_bytes value = {NULL, 0};
    assert_int_equal(sessions_ask(&s, sessions_reading(&s, "temp", NULL, none, "1"), &m), LARCH_COAP_CHANGED);
    unsigned refused = 0;
    for (unsigned i = 0; i < 300; i++) {
        (void)sessions_reading(&s, "temp", NULL, none, "forged");
        s.sent[s.sent_len - 1] ^= 1;
        refused += sessions_ask(&s, (larch_bytes){s.sent, s.sent_len}, &m) == (OUTSIDE | LARCH_COAP_BAD_REQUEST);
    }
    assert_int_equal(refused, LARCH_SESSION_BURST);
    const larch_bytes plain = sessions_reading(&s, "temp", NULL, none, "2");
    assert_int_equal(sessions_ask(&s, plain, &m), OUTSIDE | LARCH_COAP_UNAUTHORIZED);
    assert_true(larch_coap_option_find(&m, LARCH_COAP_OPT_ECHO, &value));
    memcpy(echo, value.data, value.len);
    /* The same protected bytes, and the Echo outside, which is the last option. */
    uint8_t again[512];
    larch_coap_message request;
    larch_coap_builder b;
    larch_coap_option option;
    larch_bytes datagram;
    assert_int_equal(larch_coap_parse((larch_bytes){s.sent, s.sent_len}, &request), LARCH_OK);
    for (unsigned i = 0; i < 200; i++) { /* a device that works spends nothing */
        if (i > 0)
            assert_int_equal(larch_coap_parse(sessions_reading(&s, "temp", NULL, none, "3"), &request), LARCH_OK);
        larch_coap_build(&b, again, sizeof again, LARCH_COAP_CON, request.code, ++s.message_id, request.token);
        larch_coap_options options = larch_coap_options_of(&request);
        while (larch_coap_options_next(&options, &option))
            larch_coap_build_option(&b, option.number, option.value);
        larch_coap_build_option(&b, LARCH_COAP_OPT_ECHO, (larch_bytes){echo, value.len});
        larch_coap_build_payload(&b, request.payload);
        assert_int_equal(larch_coap_build_end(&b, &datagram), LARCH_OK);
        assert_int_equal(sessions_ask(&s, datagram, &m), LARCH_COAP_CHANGED);
        if (s.stored_count == STORED)
            s.stored_count = 1;
    }
}

/* ---- reading back, blocks ---------------------------------------------------- */

static larch_bytes compose_get(const char *name, const uint32_t *observe, const larch_coap_block *block)
{
    static uint8_t bytes[128];
    larch_coap_builder b;
    sessions_begin_request(&s, &b, bytes, sizeof bytes, LARCH_COAP_GET);
    if (observe != NULL)
        larch_coap_build_option_uint(&b, LARCH_COAP_OPT_OBSERVE, *observe);
    larch_coap_build_path(&b, "r");
    larch_coap_build_path(&b, name);
    if (block != NULL)
        larch_coap_build_option_uint(&b, LARCH_COAP_OPT_BLOCK2, larch_coap_block_value(*block));
    return sessions_protect(&s, &b);
}

static void test_get_in_blocks(void **state)
{
    (void)state;
    static uint8_t body[1900], whole[1900];
    uint8_t bytes[LARCH_COAP_DATAGRAM_MAX];
    larch_coap_builder b;
    larch_coap_message m;
    for (size_t i = 0; i < sizeof body; i++)
        body[i] = (uint8_t)(i * 7);
    assert_int_equal(sessions_ask(&s, compose_get("big", NULL, NULL), &m), LARCH_COAP_NOT_FOUND);
    for (uint32_t num = 0; num < 4; num++) {
        const size_t at = 512 * num, left = sizeof body - at;
        sessions_begin_request(&s, &b, bytes, sizeof bytes, LARCH_COAP_POST);
        larch_coap_build_path(&b, "r/big");
        larch_coap_build_option_uint(&b, LARCH_COAP_OPT_BLOCK1,
                                     larch_coap_block_value((larch_coap_block){num, num < 3, 5}));
        larch_coap_build_payload(&b, (larch_bytes){body + at, left < 512 ? left : 512});
        s.peer.port++; /* a NAT that never keeps a port */
        assert_int_equal(sessions_ask(&s, sessions_protect(&s, &b), &m),
                         num < 3 ? LARCH_COAP_CONTINUE : LARCH_COAP_CHANGED);
    }
    assert_int_equal(s.stored[0].len, sizeof body);
    assert_memory_equal(s.stored[0].text, body, sizeof body);
    for (uint32_t num = 0; num < 2; num++) {
        const larch_coap_block block = {num, false, 6};
        assert_int_equal(sessions_ask(&s, compose_get("big", NULL, num > 0 ? &block : NULL), &m), LARCH_COAP_CONTENT);
        memcpy(whole + 1024 * num, m.payload.data, m.payload.len);
    }
    assert_memory_equal(whole, body, sizeof body);
}

/* ---- observations ------------------------------------------------------------- */

/* Takes the notification that got holds; returns its number. */
static uint64_t take_notification(const larch_oscore_binding *binding, const char *text)
{
    larch_coap_message m;
    larch_bytes observe;
    bool has_number;
    uint64_t number;
    s.binding = *binding;
    assert_int_equal(sessions_open(&s, &m, &has_number, &number), LARCH_OK);
    assert_int_equal(m.code, LARCH_COAP_CONTENT);
    assert_true(has_number);
    assert_true(larch_coap_option_find(&m, LARCH_COAP_OPT_OBSERVE, &observe));
    assert_true(is_text(&m, text));
    return number;
}

static void acknowledge(bool reset)
{
    const uint8_t empty[] = {reset ? 0x70 : 0x60, 0, s.got[2], s.got[3]};
    (void)sessions_deliver(&s, LARCH_BYTES(empty));
}

static void test_observe(void **state)
{
    (void)state;
    const uint32_t begins = 0, ends = 1;
    larch_coap_message m;
    assert_int_equal(sessions_ask(&s, sessions_reading(&s, "temp", NULL, none, "1"), &m), LARCH_COAP_CHANGED);
    assert_true(sessions_deliver(&s, compose_get("temp", &begins, NULL)));
    const larch_oscore_binding binding = s.binding;
    const uint8_t token = s.token;
    uint64_t before = take_notification(&binding, "1"), number;
    assert_int_equal(s.observations[0].session, s.places[0].number);

    assert_int_equal(sessions_ask(&s, sessions_reading(&s, "temp", NULL, none, "2"), &m), LARCH_COAP_CHANGED);
    assert_true(sessions_poll(&s));
    assert_true((number = take_notification(&binding, "2")) > before);
    before = number;
    /* Two more while that is on its way, which is lost once: the last of them comes. */
    assert_int_equal(sessions_ask(&s, sessions_reading(&s, "temp", NULL, none, "3"), &m), LARCH_COAP_CHANGED);
    assert_int_equal(sessions_ask(&s, sessions_reading(&s, "temp", NULL, none, "4"), &m), LARCH_COAP_CHANGED);
    assert_false(sessions_poll(&s));
    s.now_ms += 3100;
    assert_true(sessions_poll(&s));
    assert_int_equal(take_notification(&binding, "2"), before);
    acknowledge(false);
    assert_true(s.got_len > 0 || sessions_poll(&s));
    assert_true((number = take_notification(&binding, "4")) > before);
    before = number;
    acknowledge(false);

    /* The observation survives a restart, and tells what came meanwhile. */
    restart();
    assert_true(sessions_poll(&s));
    assert_true((number = take_notification(&binding, "4")) > before);
    acknowledge(false);

    /* The end that the client asks for. */
    assert_int_equal(sessions_ask(&s, compose_get("temp", &begins, NULL), &m),
                     LARCH_COAP_UNAUTHORIZED); /* the window */
    (void)ends;
    s.token = (uint8_t)(token - 1); /* compose_get takes the next */
    larch_bytes echo;
    assert_true(larch_coap_option_find(&m, LARCH_COAP_OPT_ECHO, &echo));
    uint8_t copy[LARCH_OSCORE_ECHO_LEN], bytes[128];
    memcpy(copy, echo.data, sizeof copy);
    larch_coap_builder b;
    sessions_begin_request(&s, &b, bytes, sizeof bytes, LARCH_COAP_GET);
    larch_coap_build_option_uint(&b, LARCH_COAP_OPT_OBSERVE, 1);
    larch_coap_build_path(&b, "r/temp");
    larch_coap_build_option(&b, LARCH_COAP_OPT_ECHO, LARCH_BYTES(copy));
    assert_int_equal(sessions_ask(&s, sessions_protect(&s, &b), &m), LARCH_COAP_CONTENT);
    assert_false(larch_coap_option_find(&m, LARCH_COAP_OPT_OBSERVE, &echo));
    assert_int_equal(s.observations[0].session, 0);
    assert_int_equal(sessions_ask(&s, sessions_reading(&s, "temp", NULL, none, "5"), &m), LARCH_COAP_CHANGED);
    assert_false(sessions_poll(&s));
}

static void test_observe_reset_and_silence(void **state)
{
    (void)state;
    const uint32_t begins = 0;
    larch_coap_message m;
    for (unsigned silent = 0; silent < 2; silent++) {
        assert_int_equal(sessions_ask(&s, sessions_reading(&s, "temp", NULL, none, "1"), &m), LARCH_COAP_CHANGED);
        assert_true(sessions_deliver(&s, compose_get("temp", &begins, NULL)));
        assert_true(s.observations[0].session != 0);
        assert_int_equal(sessions_ask(&s, sessions_reading(&s, "temp", NULL, none, "2"), &m), LARCH_COAP_CHANGED);
        assert_true(sessions_poll(&s));
        if (!silent) {
            const larch_peer peer = s.peer;
            s.peer.port++; /* from elsewhere it is nobody's */
            acknowledge(true);
            assert_true(s.observations[0].session != 0);
            s.peer = peer;
            acknowledge(true);
        }
        for (unsigned i = 0; silent && i < 3; i++) {
            assert_true(s.observations[0].session != 0); /* one that is lost does not end it */
            assert_int_equal(sessions_ask(&s, sessions_reading(&s, "temp", NULL, none, "3"), &m), LARCH_COAP_CHANGED);
            const larch_oscore_watch *watch = &s.watches[0];
            const unsigned lost = watch->lost;
            for (unsigned t = 0; t < 60 && s.observations[0].session != 0 && watch->lost == lost; t++) {
                s.now_ms += 2000;
                (void)sessions_poll(&s);
            }
        }
        assert_int_equal(s.observations[0].session, 0);
    }
}

/* Without storage, numbers or a place there is an answer and no observation. */
static void test_observe_refused(void **state)
{
    (void)state;
    const uint32_t begins = 0;
    larch_coap_message m;
    larch_bytes value;
    assert_int_equal(sessions_ask(&s, sessions_reading(&s, "temp", NULL, none, "1"), &m), LARCH_COAP_CHANGED);
    s.storage_fails = true;
    assert_int_equal(sessions_ask(&s, compose_get("temp", &begins, NULL), &m), LARCH_COAP_CONTENT);
    assert_false(larch_coap_option_find(&m, LARCH_COAP_OPT_OBSERVE, &value));
    s.storage_fails = false;
    for (unsigned i = 0; i <= WATCHES; i++) {
        assert_int_equal(sessions_ask(&s, compose_get("temp", &begins, NULL), &m), LARCH_COAP_CONTENT);
        assert_int_equal(larch_coap_option_find(&m, LARCH_COAP_OPT_OBSERVE, &value), i < WATCHES);
    }
}

/* ---- nonces ------------------------------------------------------------------- */

/* A response takes the request's nonce once; a challenge and a notification never do. */
static void test_own_numbers(void **state)
{
    (void)state;
    larch_coap_message m;
    bool has_number;
    uint64_t number, before = 0;
    s.oscore_config.own_numbers = true;
    restart();
    assert_int_equal(sessions_ask(&s, sessions_reading(&s, "temp", NULL, none, "1"), &m), LARCH_COAP_UNAUTHORIZED);
    assert_int_equal(ask_with_echo(&m, NULL, "1", &m), LARCH_COAP_CHANGED);
    for (unsigned i = 0; i < 5; i++) {
        assert_true(sessions_deliver(&s, sessions_reading(&s, "temp", NULL, none, "1")));
        assert_int_equal(sessions_open(&s, &m, &has_number, &number), LARCH_OK);
        assert_true(has_number && number > before);
        before = number;
    }
}

/* ---- policies --------------------------------------------------------------- */

static struct {
    unsigned heard;
    uint64_t device;
    bool reports, reads; /* what the device may do with "temp"; nothing with any other */
} policy;

static void hear(void *context, const larch_session *session)
{
    (void)context;
    policy.heard++;
    policy.device = session->device;
    assert_int_equal(session->last.port, s.peer.port);
}

static bool allow(void *context, uint64_t device, larch_bytes name, bool reports)
{
    (void)context;
    assert_int_equal(device, policy.device);
    return larch_bytes_equal(name, LARCH_TEXT("temp")) && (reports ? policy.reports : policy.reads);
}

static unsigned get_last(const char *name)
{
    larch_coap_message m;
    return sessions_ask(&s, compose_get(name, NULL, NULL), &m);
}

/* The driver hears of each new request once, and decides on each direction by itself. */
static void test_policy(void **state)
{
    (void)state;
    static const larch_oscore_devices devices = {.heard = hear, .allows = allow};
    larch_coap_message m;
    s.oscore.config.devices = &devices; /* without a restart, after which the first request is challenged */
    memset(&policy, 0, sizeof policy);
    policy.reports = true;
    assert_int_equal(sessions_ask(&s, sessions_reading(&s, "temp", NULL, none, "1"), &m), LARCH_COAP_CHANGED);
    assert_true(policy.heard > 0 && policy.device != 0);
    assert_int_equal(get_last("temp"), LARCH_COAP_FORBIDDEN);
    assert_int_equal(sessions_ask(&s, sessions_reading(&s, "other", NULL, none, "1"), &m), LARCH_COAP_FORBIDDEN);
    assert_int_equal(s.stored_count, 1);
    policy.reports = false;
    policy.reads = true;
    const unsigned heard = policy.heard;
    assert_int_equal(sessions_ask(&s, sessions_reading(&s, "temp", "7", none, "1"), &m), LARCH_COAP_FORBIDDEN);
    assert_int_equal(get_last("temp"), LARCH_COAP_CONTENT);
    assert_int_equal(get_last("other"), LARCH_COAP_FORBIDDEN);
    assert_int_equal(policy.heard, heard + 3);
    assert_int_equal(s.told[LARCH_EVENT_DENIED], 4);
    assert_int_equal(s.stored_count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_reading, begin, end),
        cmocka_unit_test_setup_teardown(test_numbered, begin, end),
        cmocka_unit_test_setup_teardown(test_numbered_together, begin, end),
        cmocka_unit_test_setup_teardown(test_no_room, begin, end),
        cmocka_unit_test_setup_teardown(test_names_and_formats, begin, end),
        cmocka_unit_test_setup_teardown(test_stored_before_restart, begin, end),
        cmocka_unit_test_setup_teardown(test_recorded_before_restart, begin, end),
        cmocka_unit_test_setup_teardown(test_recall_fails, begin, end),
        cmocka_unit_test_setup_teardown(test_challenge_without_storage, begin, end),
        cmocka_unit_test_setup_teardown(test_refusals, begin, end),
        cmocka_unit_test_setup_teardown(test_forgeries, begin, end),
        cmocka_unit_test_setup_teardown(test_get_in_blocks, begin, end),
        cmocka_unit_test_setup_teardown(test_observe, begin, end),
        cmocka_unit_test_setup_teardown(test_observe_reset_and_silence, begin, end),
        cmocka_unit_test_setup_teardown(test_observe_refused, begin, end),
        cmocka_unit_test_setup_teardown(test_own_numbers, begin, end),
        cmocka_unit_test_setup_teardown(test_policy, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
