/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers under OSCORE that nobody should see: a message sent again, two under one number, and one that falls back. */
#include "sniff_feed.h"

#define OF(kind) LARCH_SNIFF_ALERT_##kind

typedef struct message {
    uint8_t kid;
    uint64_t number; /* of a response: NO_NUMBER is none of its own */
    uint8_t content; /* which ciphertext */
    uint16_t mid;
} message;

#define NO_NUMBER UINT64_MAX

/* The message ID is the token, so that an answer finds its request. */
static larch_bytes build(bool request, message m)
{
    static uint8_t out[128];
    uint8_t option[16], piv[5], payload[20];
    const uint8_t token[] = {(uint8_t)(m.mid >> 8), (uint8_t)m.mid};
    size_t len = 1;
    larch_writer w = larch_writer_to(option, sizeof option);
    larch_coap_builder b;
    larch_bytes datagram;
    while (len < sizeof piv && m.number >> (8 * len) != 0)
        len++;
    for (size_t i = 0; i < len; i++)
        piv[i] = (uint8_t)(m.number >> (8 * (len - 1 - i)));
    larch_oscore_option o = {.kid = request ? (larch_bytes){&m.kid, 1} : (larch_bytes){NULL, 0}};
    if (m.number != NO_NUMBER)
        o.partial_iv = (larch_bytes){piv, len};
    larch_oscore_option_put(&w, &o);
    memset(payload, m.content, sizeof payload);
    larch_coap_build(&b, out, sizeof out, request ? LARCH_COAP_CON : LARCH_COAP_ACK,
                     request ? LARCH_COAP_POST : LARCH_COAP_CHANGED, m.mid, LARCH_BYTES(token));
    larch_coap_build_option(&b, LARCH_COAP_OPT_OSCORE, (larch_bytes){option, w.len});
    larch_coap_build_payload(&b, LARCH_BYTES(payload));
    assert_int_equal(larch_coap_build_end(&b, &datagram), LARCH_OK);
    return datagram;
}

static void ask(const larch_peer *from, message m) { feed(from, &gateway, build(true, m)); }

static void answer(const larch_peer *to, message m) { feed(&gateway, to, build(false, m)); }

/* A request that its receiver takes, and answers. */
static void exchange(message m)
{
    ask(&sender, m);
    m.number = NO_NUMBER;
    m.content = (uint8_t)(m.content + 100);
    answer(&sender, m);
}

/* ---- sent again ------------------------------------------------------------- */

static void test_replay(void **state)
{
    (void)state;
    const message m = {1, 5, 'a', 1};
    message again = m;
    ask(&sender, m);
    ask(&sender, m); /* a retransmission */
    expect(OF(REPLAY), 0);
    again.mid = 2;
    ask(&sender, again);
    expect(OF(REPLAY), 1);
    assert_int_equal(last.before, 1);
    assert_non_null(strstr(last.text, "sends the OSCORE request of #1 again under a new message ID"));
    ask(&attacker, m);
    expect(OF(REPLAY), 2);
    again = (message){2, 5, 'a', 3}; /* another sender's */
    ask(&sender, again);
    expect(OF(REPLAY), 2);
    now_ns += 300 * SECOND; /* past the life of a message ID */
    ask(&sender, m);
    expect(OF(REPLAY), 3);
}

/* ---- one number, two messages ------------------------------------------------ */

static void test_reuse(void **state)
{
    (void)state;
    static const struct {
        message first, second;
        bool answers, elsewhere;
        unsigned alerts;
    } rows[] = {
        {{1, 5, 'a', 1}, {1, 5, 'b', 2}, false, false, 1},
        {{1, 5, 'a', 1}, {1, 5, 'b', 1}, false, false, 1}, /* under the same message ID too */
        {{1, 5, 'a', 1}, {1, 5, 'b', 2}, false, true, 1},  /* made up, or its sender moved */
        {{1, 5, 'a', 1}, {1, 6, 'b', 2}, false, false, 0},
        {{1, 5, 'a', 1}, {2, 5, 'b', 2}, false, false, 0}, /* another kid */
        {{1, 0, 'a', 1}, {1, 0, 'b', 2}, false, false, 1}, /* the first of all */
        {{1, 5, 'a', 1}, {1, 5, 'b', 2}, true, false, 1},  /* the receiver's own numbers, to two requests */
        {{1, 5, 'a', 1}, {1, 6, 'b', 2}, true, false, 0},
        {{1, NO_NUMBER, 'a', 1}, {1, NO_NUMBER, 'b', 2}, true, false, 0}, /* each has its request's */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        restart();
        if (rows[i].answers) {
            ask(&sender, (message){1, 100, 'x', rows[i].first.mid});
            answer(&sender, rows[i].first);
            ask(&sender, (message){1, 101, 'y', rows[i].second.mid});
            answer(&sender, rows[i].second);
        } else {
            ask(&sender, rows[i].first);
            ask(rows[i].elsewhere ? &attacker : &sender, rows[i].second);
        }
        if (raised[OF(NONCE_REUSE)] != rows[i].alerts)
            fail_msg("row %zu", i);
        expect(OF(NONCE_REUSE), rows[i].alerts);
        if (rows[i].alerts > 0)
            assert_true(last.before == (rows[i].answers ? 2 : 1) && last.has_before_source);
    }
}

/* A server without memory that encrypts two answers under the nonce of one request, which came twice. */
static void test_reuse_of_borrowed(void **state)
{
    (void)state;
    const message m = {1, 5, 'a', 1};
    ask(&sender, m);
    answer(&sender, (message){1, NO_NUMBER, 'b', 1});
    ask(&sender, m);
    answer(&sender, (message){1, NO_NUMBER, 'c', 1});
    expect(OF(NONCE_REUSE), 1);
}

/* The same kid may belong to other keys at another server, and after a handshake. */
static void test_other_keys(void **state)
{
    (void)state;
    static const uint8_t handshake[] = {0x40, 2,   0x77, 1,    0xbb, '.', 'w', 'e', 'l', 'l',  '-', 'k',  'n',
                                        'o',  'w', 'n',  0x05, 'e',  'd', 'h', 'o', 'c', 0xff, 1,   0x41, 2};
    larch_peer other = gateway;
    other.address[15] = 2;
    exchange((message){1, 500, 'a', 1});
    feed(&sender, &other, build(true, (message){1, 500, 'b', 2}));
    feed(&attacker, &gateway, LARCH_BYTES(handshake)); /* somebody else's */
    feed(&sender, &other, LARCH_BYTES(handshake));     /* with another server */
    expect(OF(NONCE_REUSE), 0);
    ask(&sender, (message){1, 500, 'c', 3});
    expect(OF(NONCE_REUSE), 1);
    feed(&sender, &gateway, LARCH_BYTES(handshake));
    exchange((message){1, 0, 'd', 4});
    ask(&sender, (message){1, 500, 'e', 5});
    expect(OF(NONCE_REUSE), 1);

    restart(); /* who was the server asks too, under the same keys */
    feed(&gateway, &sender, build(true, (message){2, 5, 'a', 6}));
    feed(&sender, &gateway, LARCH_BYTES(handshake));
    feed(&gateway, &sender, build(true, (message){2, 5, 'b', 7}));
    expect(OF(NONCE_REUSE), 0);
    feed(&gateway, &sender, build(true, (message){2, 5, 'c', 8}));
    expect(OF(NONCE_REUSE), 1);
}

/* ---- back ---------------------------------------------------------------------- */

static void test_fall(void **state)
{
    (void)state;
    static const struct {
        uint64_t highest, then;
        unsigned alerts;
    } rows[] = {{100, 36, 1},
                {100, 37, 0},
                {100, 0, 1},
                {64, 0, 1},
                {63, 0, 0},
                {100, 99, 0},
                {100, 101, 0},
                {LARCH_OSCORE_NUMBER_MAX, 1, 1},
                {100, LARCH_OSCORE_NUMBER_MAX, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        restart();
        exchange((message){1, rows[i].highest, 'a', 1});
        ask(&sender, (message){1, rows[i].then, 'b', 2});
        if (raised[OF(NUMBER_FELL)] != rows[i].alerts)
            fail_msg("row %zu", i);
        expect(OF(NUMBER_FELL), rows[i].alerts);
        if (rows[i].alerts > 0)
            assert_int_equal(last.before, 1);
    }
    restart(); /* nobody took the huge number, which anybody can send */
    ask(&attacker, (message){1, LARCH_OSCORE_NUMBER_MAX, 'a', 1});
    exchange((message){1, 5, 'b', 2});
    exchange((message){1, 6, 'c', 3});
    expect(OF(NUMBER_FELL), 0);

    restart(); /* seen before it fell: a retransmission through another port is a replay, no fall */
    exchange((message){1, 5, 'a', 1});
    exchange((message){1, 500, 'b', 2});
    ask(&sender, (message){1, 5, 'a', 3});
    expect(OF(REPLAY), 1);

    restart(); /* answers under their requests' numbers come as late as they like */
    ask(&sender, (message){1, 5, 'a', 1});
    exchange((message){1, 500, 'b', 2});
    answer(&sender, (message){1, NO_NUMBER, 'c', 1});
    expect(OF(NUMBER_FELL), 0);

    restart(); /* the receiver's own numbers */
    for (uint16_t i = 0; i < 2; i++) {
        ask(&sender, (message){1, 10u + i, (uint8_t)i, i});
        answer(&sender, (message){1, i == 0 ? 1000 : 10, (uint8_t)(50 + i), i});
    }
    expect(OF(NUMBER_FELL), 1);
}

/* Thousands of senders: the oldest make room, and those that stay are still judged. */
static void test_many(void **state)
{
    (void)state;
    larch_peer to = gateway;
    for (unsigned i = 0; i < 3 * LARCH_SNIFF_COUNTERS; i++) {
        to.address[13] = (uint8_t)(i >> 16);
        to.address[14] = (uint8_t)(i >> 8);
        to.address[15] = (uint8_t)i;
        now_ns += SECOND;
        feed(&sender, &to, build(true, (message){1, i, 'a', (uint16_t)i}));
    }
    assert_int_equal(raised[OF(REPLAY)] + raised[OF(NONCE_REUSE)] + raised[OF(NUMBER_FELL)], 0);
    feed(&sender, &to, build(true, (message){1, 3 * LARCH_SNIFF_COUNTERS - 1, 'b', 1}));
    assert_int_equal(raised[OF(NONCE_REUSE)], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_replay, begin),
        cmocka_unit_test_setup(test_reuse, begin),
        cmocka_unit_test_setup(test_reuse_of_borrowed, begin),
        cmocka_unit_test_setup(test_other_keys, begin),
        cmocka_unit_test_setup(test_fall, begin),
        cmocka_unit_test_setup(test_many, begin),
    };
    return cmocka_run_group_tests(tests, create, destroy);
}
