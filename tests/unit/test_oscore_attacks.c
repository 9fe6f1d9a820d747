/* SPDX-License-Identifier: Apache-2.0 */
/* What somebody who recorded datagrams, or whose address changes, can do to a session of the OSCORE service. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "session_bench.h"

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

/* A datagram that somebody saw. */
typedef struct recorded {
    size_t len;
    uint8_t bytes[512];
} recorded;

static recorded record(larch_bytes datagram)
{
    recorded r = {.len = datagram.len};
    assert_true(datagram.len <= sizeof r.bytes);
    memcpy(r.bytes, datagram.data, datagram.len);
    return r;
}

static recorded post(const char *text) { return record(sessions_reading(&s, "temp", NULL, none, text)); }

static unsigned ask(const recorded *r, larch_coap_message *m)
{
    return sessions_ask(&s, (larch_bytes){r->bytes, r->len}, m);
}

/* ---- challenges --------------------------------------------------------------- */

typedef struct echo {
    uint8_t bytes[LARCH_OSCORE_ECHO_LEN];
} echo;

static echo echo_of(const larch_coap_message *m)
{
    larch_bytes value;
    echo e;
    assert_true(larch_coap_option_find(m, LARCH_COAP_OPT_ECHO, &value));
    assert_int_equal(value.len, sizeof e.bytes);
    memcpy(e.bytes, value.data, sizeof e.bytes);
    return e;
}

/* The answer as the network sees it. */
static larch_coap_message outer_of_got(void)
{
    larch_coap_message m;
    assert_int_equal(larch_coap_parse((larch_bytes){s.got, s.got_len}, &m), LARCH_OK);
    return m;
}

/* Copies of a challenged request, from anywhere and under any header, use up nothing of the session, and each gets the
 * very bytes of the first. */
static void test_copies_of_a_challenged_request(void **state)
{
    (void)state;
    larch_coap_message m;
    restart();
    recorded first = post("1");
    assert_int_equal(ask(&first, &m), LARCH_COAP_UNAUTHORIZED);
    const echo challenge = echo_of(&m);
    const recorded answer = record((larch_bytes){s.got, s.got_len});
    const larch_session before = s.places[0];
    const uint64_t put = s.oscore.kept.put;
    larch_coap_message expected;
    assert_int_equal(larch_coap_parse((larch_bytes){answer.bytes, answer.len}, &expected), LARCH_OK);
    for (unsigned i = 0; i < 3000; i++) {
        s.peer.port = (uint16_t)(1 + i);
        first.bytes[2] = (uint8_t)(i >> 8); /* the message ID */
        first.bytes[3] = (uint8_t)i;
        assert_int_equal(ask(&first, &m), LARCH_COAP_UNAUTHORIZED);
        const larch_coap_message outer = outer_of_got();
        assert_true(larch_bytes_equal(outer.payload, expected.payload));
        assert_true(larch_bytes_equal(outer.options, expected.options));
        assert_int_equal(outer.message_id, first.bytes[2] << 8 | first.bytes[3]);
    }
    assert_int_equal(s.places[0].own_used, before.own_used);
    assert_int_equal(s.places[0].failed, before.failed);
    assert_int_equal(s.places[0].oscore.own_number, before.oscore.own_number);
    assert_int_equal(s.oscore.kept.put, put);
    s.peer.port = 40000;
    assert_int_equal(sessions_ask(&s, sessions_reading(&s, "temp", NULL, LARCH_BYTES(challenge.bytes), "1"), &m),
                     LARCH_COAP_CHANGED);
    assert_int_equal(s.stored_count, 1);
}

/* That holds also when newer answers have taken the place of the challenge: it is made again, of the same bytes. */
static void test_challenge_made_again(void **state)
{
    (void)state;
    larch_coap_message m;
    restart();
    recorded first = post("1");
    assert_int_equal(ask(&first, &m), LARCH_COAP_UNAUTHORIZED);
    const recorded answer = record((larch_bytes){s.got, s.got_len});
    const uint32_t used = s.places[0].own_used;
    memset(s.kept, 0, sizeof s.kept);
    for (unsigned i = 0; i < 3; i++) {
        s.peer.port++;
        memset(s.kept, 0, sizeof s.kept);
        assert_int_equal(ask(&first, &m), LARCH_COAP_UNAUTHORIZED);
        assert_int_equal(s.got_len, answer.len);
        assert_memory_equal(s.got, answer.bytes, answer.len);
    }
    assert_int_equal(s.places[0].own_used, used);
}

/* Two requests were challenged, and both come again. Each Echo is looked up once: another reading of the same text, with
 * an Echo that was returned before, is another reading. */
static void test_echo_counts_once(void **state)
{
    (void)state;
    larch_coap_message m;
    const recorded sent[2] = {post("1"), post("2")};
    echo e[2];
    for (unsigned i = 0; i < 2; i++) { /* stored, and the answers are lost */
        assert_int_equal(
            larch_server_receive(&s.srv, s.now_ms, &s.peer, false, (larch_bytes){sent[i].bytes, sent[i].len}),
            LARCH_OK);
        sessions_store(&s);
    }
    assert_int_equal(s.stored_count, 2);
    restart();
    const uint64_t first = s.number - 2;
    for (unsigned i = 0; i < 2; i++) {
        s.binding.partial_iv[0] = (uint8_t)(first + i);
        assert_int_equal(ask(&sent[i], &m), LARCH_COAP_UNAUTHORIZED);
        e[i] = echo_of(&m);
    }
    static const char *const texts[] = {"1", "2"};
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(sessions_ask(&s, sessions_reading(&s, "temp", NULL, LARCH_BYTES(e[i].bytes), texts[i]), &m),
                         LARCH_COAP_CHANGED);
    assert_int_equal(s.stored_count, 2);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(sessions_ask(&s, sessions_reading(&s, "temp", NULL, LARCH_BYTES(e[i].bytes), texts[i]), &m),
                         LARCH_COAP_CHANGED);
    assert_int_equal(s.stored_count, 4);
}

/* The random value is forgotten once the window is 64 past the request that set it. */
static void test_echo_ends(void **state)
{
    (void)state;
    larch_coap_message m;
    const recorded sent[2] = {post("1"), post("2")};
    echo e[2];
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(
            larch_server_receive(&s.srv, s.now_ms, &s.peer, false, (larch_bytes){sent[i].bytes, sent[i].len}),
            LARCH_OK);
    sessions_store(&s);
    restart();
    const uint64_t first = s.number - 2;
    for (unsigned i = 0; i < 2; i++) {
        s.binding.partial_iv[0] = (uint8_t)(first + i);
        assert_int_equal(ask(&sent[i], &m), LARCH_COAP_UNAUTHORIZED);
        e[i] = echo_of(&m);
    }
    assert_int_equal(sessions_ask(&s, sessions_reading(&s, "temp", NULL, LARCH_BYTES(e[0].bytes), "1"), &m),
                     LARCH_COAP_CHANGED);
    assert_int_equal(s.stored_count, 2);
    s.number += 63;
    assert_int_equal(sessions_ask(&s, sessions_reading(&s, "temp", NULL, LARCH_BYTES(e[1].bytes), "2"), &m),
                     LARCH_COAP_CHANGED);
    assert_int_equal(s.stored_count, 3);
}

/* ---- one reading, stored once ---------------------------------------------------- */

static larch_bytes post_with(const larch_bytes *inner_echo, uint16_t behind, const char *text)
{
    static uint8_t bytes[128];
    larch_coap_builder b;
    sessions_begin_request(&s, &b, bytes, sizeof bytes, LARCH_COAP_POST);
    larch_coap_build_path(&b, "r/temp");
    if (inner_echo != NULL)
        larch_coap_build_option(&b, LARCH_COAP_OPT_ECHO, *inner_echo);
    larch_coap_build_option(&b, behind, LARCH_TEXT("\x05"));
    larch_coap_build_payload(&b, larch_bytes_of_text(text));
    return sessions_protect(&s, &b);
}

/* The identity leaves out the Echo, also if an option stands behind it. */
static void test_option_behind_echo(void **state)
{
    static const uint16_t options[] = {258 /* No-Response */, 292 /* Request-Tag */, 2048};
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        larch_coap_message m;
        (void)begin(state);
        const recorded first = record(post_with(NULL, options[i], "1"));
        assert_int_equal(ask(&first, &m), LARCH_COAP_CHANGED);
        restart();
        assert_int_equal(ask(&first, &m), LARCH_COAP_UNAUTHORIZED);
        const echo e = echo_of(&m);
        const larch_bytes value = LARCH_BYTES(e.bytes);
        assert_int_equal(sessions_ask(&s, post_with(&value, options[i], "1"), &m), LARCH_COAP_CHANGED);
        assert_int_equal(s.stored_count, 1);
        (void)end(state);
    }
}

/* ---- copies from elsewhere ------------------------------------------------------- */

/* One recorded datagram from very many addresses pushes nobody's answer out of the memory against duplicates. */
static void test_copies_push_out_nothing(void **state)
{
    (void)state;
    larch_coap_message m;
    const recorded sent = post("1");
    assert_int_equal(ask(&sent, &m), LARCH_COAP_CHANGED);
    const uint64_t put = s.srv.endpoint.answers.put;
    for (unsigned i = 0; i < 1000; i++) {
        s.peer.port = (uint16_t)(1 + i);
        assert_int_equal(ask(&sent, &m), LARCH_COAP_CHANGED);
    }
    assert_int_equal(s.srv.endpoint.answers.put, put);
    assert_int_equal(s.stored_count, 1);
}

/* ---- observations ---------------------------------------------------------------- */

static larch_bytes register_temp(uint8_t token, larch_coap_type type)
{
    static uint8_t bytes[64];
    larch_coap_builder b;
    s.token = token;
    larch_coap_build(&b, bytes, sizeof bytes, type, LARCH_COAP_GET, ++s.message_id, (larch_bytes){&s.token, 1});
    larch_coap_build_option_uint(&b, LARCH_COAP_OPT_OBSERVE, 0);
    larch_coap_build_path(&b, "r/temp");
    return sessions_protect(&s, &b);
}

static unsigned durable_observations(void)
{
    unsigned count = 0;
    for (size_t i = 0; i < WATCHES; i++)
        count += s.observations[i].session != 0;
    return count;
}

/* A client whose address changes registers anew, as often as it likes, and has one observation. */
static void test_observer_moves(void **state)
{
    (void)state;
    larch_coap_message m;
    larch_bytes value;
    assert_int_equal(sessions_ask(&s, sessions_reading(&s, "temp", NULL, none, "1"), &m), LARCH_COAP_CHANGED);
    for (unsigned i = 0; i < WATCHES + 2; i++) {
        s.peer.port++;
        assert_int_equal(sessions_ask(&s, register_temp(7, LARCH_COAP_CON), &m), LARCH_COAP_CONTENT);
        assert_true(larch_coap_option_find(&m, LARCH_COAP_OPT_OBSERVE, &value));
        assert_int_equal(durable_observations(), 1);
    }
    restart();
    assert_true(sessions_poll(&s)); /* to the last address, which sessions_poll checks */
    assert_false(sessions_poll(&s));
}

/* Notifications that nobody has to acknowledge go on only while somebody does so once a day. [RFC7641 4.5] */
static void test_observer_confirms_once_a_day(void **state)
{
    (void)state;
    enum { HOUR_MS = 3600000 };
    larch_coap_message m;
    unsigned confirmable = 0;
    assert_int_equal(sessions_ask(&s, sessions_reading(&s, "temp", NULL, none, "1"), &m), LARCH_COAP_CHANGED);
    (void)sessions_ask(&s, register_temp(7, LARCH_COAP_NON), &m);
    for (unsigned hour = 1; hour <= 24 * 3; hour++) {
        s.now_ms += HOUR_MS;
        s.stored_count = 0;
        assert_int_equal(sessions_ask(&s, sessions_reading(&s, "temp", NULL, none, "2"), &m), LARCH_COAP_CHANGED);
        assert_true(sessions_poll(&s));
        const larch_coap_message outer = outer_of_got();
        if (outer.type == LARCH_COAP_CON) {
            confirmable++;
            const uint8_t ack[] = {0x60, 0, s.got[2], s.got[3]};
            (void)sessions_deliver(&s, LARCH_BYTES(ack));
        }
        const unsigned days = hour / 24;
        assert_true(confirmable == days || confirmable + 1 == days);
    }
    assert_true(confirmable >= 2);
    /* Nobody does: it ends. */
    for (unsigned hour = 1; hour <= 24 * 4 && durable_observations() > 0; hour++) {
        s.now_ms += HOUR_MS;
        s.stored_count = 0;
        assert_int_equal(sessions_ask(&s, sessions_reading(&s, "temp", NULL, none, "3"), &m), LARCH_COAP_CHANGED);
        for (unsigned t = 0; t < 60; t++) {
            (void)sessions_poll(&s);
            s.now_ms += 2000;
        }
    }
    assert_int_equal(durable_observations(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_copies_of_a_challenged_request, begin, end),
        cmocka_unit_test_setup_teardown(test_challenge_made_again, begin, end),
        cmocka_unit_test_setup_teardown(test_echo_counts_once, begin, end),
        cmocka_unit_test_setup_teardown(test_echo_ends, begin, end),
        cmocka_unit_test(test_option_behind_echo),
        cmocka_unit_test_setup_teardown(test_copies_push_out_nothing, begin, end),
        cmocka_unit_test_setup_teardown(test_observer_moves, begin, end),
        cmocka_unit_test_setup_teardown(test_observer_confirms_once_a_day, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
