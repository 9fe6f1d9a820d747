/* SPDX-License-Identifier: Apache-2.0 */
/* In one piece, because all rules are tried on the same bench. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "coap/endpoint_int.h"
#include "sim.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define START_MS     1000000u
#define EXCHANGES    8
#define ANSWERS      480

static const uint16_t understood[] = {LARCH_COAP_OPT_URI_HOST, LARCH_COAP_OPT_URI_PATH, LARCH_COAP_OPT_URI_QUERY};

/* An endpoint with its memory, and the last of everything that came out of it. */
typedef struct bench {
    larch_sim_random random;
    larch_coap_exchange exchanges[EXCHANGES];
    uint8_t answers[ANSWERS];
    larch_coap_endpoint ep;
    larch_coap_event event;
    uint8_t reply_bytes[LARCH_COAP_DATAGRAM_MAX];
    larch_writer reply;
    uint8_t in[LARCH_COAP_DATAGRAM_MAX]; /* what the event's views point into */
} bench;

static bench b; /* of the test under way */

static larch_peer peer_of(unsigned index) { return larch_sim_ipv4(0x0a000001 + index, LARCH_COAP_PORT); }

static void setup_sized(uint64_t seed, size_t exchanges)
{
    memset(&b, 0, sizeof b);
    b.random.state = seed;
    larch_random random = larch_sim_random_of(&b.random);
    const larch_coap_memory memory = {b.exchanges, exchanges, b.answers, sizeof b.answers};
    assert_int_equal(larch_coap_endpoint_init(&b.ep, &memory, &random, understood, COUNT(understood)), LARCH_OK);
}

static void setup_seeded(uint64_t seed) { setup_sized(seed, EXCHANGES); }

static int setup(void **state)
{
    (void)state;
    setup_seeded(1);
    return 0;
}

static void receive_at(uint64_t now_ms, unsigned from, bool multicast, larch_bytes datagram)
{
    larch_peer peer = peer_of(from);
    memcpy(b.in, datagram.data, datagram.len);
    b.reply = larch_writer_to(b.reply_bytes, sizeof b.reply_bytes);
    larch_coap_endpoint_receive(&b.ep, now_ms, &peer, multicast, (larch_bytes){b.in, datagram.len}, &b.reply, &b.event);
    assert_true(b.reply.len <= sizeof b.reply_bytes);
    assert_true(larch_peer_equal(&b.event.peer, &peer));
}

static void receive(larch_bytes datagram) { receive_at(START_MS, 0, false, datagram); }

/* A message without options. */
static larch_bytes message(larch_coap_type type, uint8_t code, uint16_t id, const char *token)
{
    static uint8_t out[LARCH_COAP_DATAGRAM_MAX];
    larch_coap_builder builder;
    larch_bytes datagram;
    larch_coap_build(&builder, out, sizeof out, type, code, id, (larch_bytes){(const uint8_t *)token, strlen(token)});
    assert_int_equal(larch_coap_build_end(&builder, &datagram), LARCH_OK);
    return datagram;
}

static void expect_reply(larch_coap_type type, uint8_t code, uint16_t id)
{
    larch_coap_message m;
    assert_int_equal(larch_coap_parse((larch_bytes){b.reply.data, b.reply.len}, &m), LARCH_OK);
    assert_int_equal(m.type, type);
    assert_int_equal(m.code, code);
    assert_int_equal(m.message_id, id);
}

static void expect(larch_coap_event_kind kind, larch_coap_drop drop)
{
    assert_int_equal(b.event.kind, kind);
    assert_int_equal(b.event.drop, drop);
}

/* Answers the last event with text. */
static larch_error answer(uint64_t now_ms, uint8_t code, const char *text, bool remember, larch_bytes *datagram)
{
    static uint8_t out[LARCH_COAP_DATAGRAM_MAX];
    larch_coap_builder builder;
    const larch_coap_pending pending = larch_coap_pending_of(&b.event);
    larch_error e = larch_coap_answer_begin(&pending, code, out, sizeof out, &builder);
    if (e != LARCH_OK)
        return e;
    if (text[0] != '\0')
        larch_coap_build_payload(&builder, (larch_bytes){(const uint8_t *)text, strlen(text)});
    return larch_coap_endpoint_answer_end(&b.ep, now_ms, &pending, &builder, remember, datagram);
}

/* A request of ours, its handle and the message that went out. */
typedef struct asked {
    uint32_t handle;
    larch_peer to;
    uint8_t bytes[64];
    size_t len;
    larch_coap_message m;
} asked;

static larch_error ask_at(uint64_t now_ms, unsigned to, larch_coap_type type, unsigned flags, asked *out)
{
    larch_coap_builder builder;
    larch_peer peer = peer_of(to);
    larch_error e =
        larch_coap_endpoint_request(&b.ep, now_ms, &peer, type, LARCH_COAP_GET, flags, NULL, &builder, &out->handle);
    if (e != LARCH_OK)
        return e;
    larch_coap_build_path(&builder, "a");
    return larch_coap_endpoint_request_end(&b.ep, &builder, out->handle);
}

static void send_at(uint64_t now_ms, asked *out)
{
    larch_bytes datagram;
    assert_int_equal(larch_coap_endpoint_poll(&b.ep, now_ms, &out->to, &datagram, &b.event), LARCH_OK);
    expect(LARCH_COAP_NOTHING, LARCH_COAP_DROP_NONE);
    assert_true(datagram.len > 0 && datagram.len <= sizeof out->bytes);
    memcpy(out->bytes, datagram.data, datagram.len);
    out->len = datagram.len;
    assert_int_equal(larch_coap_parse((larch_bytes){out->bytes, datagram.len}, &out->m), LARCH_OK);
}

static void ask_and_send(unsigned to, larch_coap_type type, unsigned flags, asked *out)
{
    assert_int_equal(ask_at(START_MS, to, type, flags, out), LARCH_OK);
    send_at(START_MS, out);
    larch_peer peer = peer_of(to);
    assert_true(larch_peer_equal(&out->to, &peer));
}

static larch_bytes reaction(const asked *to, larch_coap_type type, uint8_t code, uint16_t id)
{
    static uint8_t out[64];
    larch_coap_builder builder;
    larch_bytes datagram;
    larch_coap_build(&builder, out, sizeof out, type, code, id, to->m.token);
    assert_int_equal(larch_coap_build_end(&builder, &datagram), LARCH_OK);
    return datagram;
}

static bool is_idle(void) { return larch_coap_endpoint_deadline_ms(&b.ep) == UINT64_MAX; }

static void expect_nothing_due(uint64_t now_ms)
{
    larch_peer peer;
    larch_bytes datagram;
    assert_int_equal(larch_coap_endpoint_poll(&b.ep, now_ms, &peer, &datagram, &b.event), LARCH_AGAIN);
    assert_int_equal(datagram.len, 0);
}

static void expect_timeout(uint64_t now_ms, uint32_t handle)
{
    larch_peer peer;
    larch_bytes datagram;
    expect_nothing_due(now_ms - 1);
    assert_int_equal(larch_coap_endpoint_deadline_ms(&b.ep), now_ms);
    assert_int_equal(larch_coap_endpoint_poll(&b.ep, now_ms, &peer, &datagram, &b.event), LARCH_OK);
    assert_int_equal(datagram.len, 0);
    expect(LARCH_COAP_TIMEOUT, LARCH_COAP_DROP_NONE);
    assert_int_equal(b.event.handle, handle);
}

/* ---- one datagram at a time -------------------------------------------- */

/* in, reply: hex, with M for our request's message ID and T for its token. One confirmable request of ours to peer 0
 * is open; open: it still is afterwards. */
static const struct arrival_row {
    const char *what;
    const char *in;
    unsigned from;
    bool multicast;
    larch_coap_event_kind kind;
    larch_coap_drop drop;
    const char *reply;
    bool open;
} arrival_rows[] = {
#define KIND(k) LARCH_COAP_##k
#define DROP(d) LARCH_COAP_DROP_##d
    {"ping", "40001234", 0, false, KIND(NOTHING), DROP(PING), "70001234", true},
    {"ping to a group", "40001234", 0, true, KIND(NOTHING), DROP(PING), "", true},
    {"empty NON", "50001234", 0, false, KIND(NOTHING), DROP(MALFORMED), "", true},
    {"no header", "400112", 0, false, KIND(NOTHING), DROP(MALFORMED), "", true},
    {"no bytes", "", 0, false, KIND(NOTHING), DROP(MALFORMED), "", true},
    {"version 0", "00011234", 0, false, KIND(NOTHING), DROP(VERSION), "", true},
    {"version 2", "80011234", 0, false, KIND(NOTHING), DROP(VERSION), "", true},
    {"malformed CON", "49011234", 0, false, KIND(NOTHING), DROP(MALFORMED), "70001234", true},
    {"malformed CON to a group", "49011234", 0, true, KIND(NOTHING), DROP(MALFORMED), "", true},
    {"empty CON with a byte too many", "4000123400", 0, false, KIND(NOTHING), DROP(MALFORMED), "70001234", true},
    {"malformed NON", "59011234", 0, false, KIND(NOTHING), DROP(MALFORMED), "", true},
    {"malformed ACK", "6945M", 0, false, KIND(NOTHING), DROP(MALFORMED), "", true},
    {"malformed RST", "7900M", 0, false, KIND(NOTHING), DROP(MALFORMED), "", true},
    {"CON of class 1", "40211234", 0, false, KIND(NOTHING), DROP(MALFORMED), "70001234", true},
    {"CON of class 6", "40c11234", 0, false, KIND(NOTHING), DROP(MALFORMED), "70001234", true},
    {"CON of class 7", "40e11234", 0, false, KIND(NOTHING), DROP(MALFORMED), "70001234", true},
    {"NON of class 7", "50e11234", 0, false, KIND(NOTHING), DROP(MALFORMED), "", true},
    {"ACK of class 7", "64e1MT", 0, false, KIND(NOTHING), DROP(MALFORMED), "", true},
    {"ACK that asks", "6401MT", 0, false, KIND(NOTHING), DROP(MALFORMED), "", true},
    {"RST that asks", "7401MT", 0, false, KIND(NOTHING), DROP(MALFORMED), "", true},
    {"RST that answers", "7445MT", 0, false, KIND(NOTHING), DROP(MALFORMED), "", true},
    {"CON request", "40011234", 0, false, KIND(REQUEST), DROP(NONE), "", true},
    {"NON request", "50011234", 0, false, KIND(REQUEST), DROP(NONE), "", true},
    {"unknown method", "401f1234", 0, false, KIND(REQUEST), DROP(NONE), "", true},
    {"request with our own ID and token", "4401MT", 0, false, KIND(REQUEST), DROP(NONE), "", true},
    {"CON request to a group", "40011234", 0, true, KIND(REQUEST), DROP(NONE), "", true},
    {"NON request to a group", "50011234", 0, true, KIND(REQUEST), DROP(NONE), "", true},
    {"elective option unknown", "4001123420", 0, false, KIND(REQUEST), DROP(NONE), "", true},
    {"critical option in CON", "40011234d1f2aa", 0, false, KIND(NOTHING), DROP(BAD_OPTION),
     "60821234ff6f7074696f6e20323535", true},
    {"critical option with a name", "4001123490", 0, false, KIND(NOTHING), DROP(BAD_OPTION),
     "60821234ff6f7074696f6e2039", true},
    {"critical option with a name and a value", "40011234930102039101", 0, false, KIND(NOTHING), DROP(BAD_OPTION),
     "60821234ff6f7074696f6e2039204f53434f5245", true},
    {"critical option with a token",
     "420112344142"
     "90",
     0, false, KIND(NOTHING), DROP(BAD_OPTION), "628212344142ff6f7074696f6e2039", true},
    {"critical option in NON", "5001123490", 0, false, KIND(NOTHING), DROP(BAD_OPTION), "", true},
    {"critical option to a group", "4001123490", 0, true, KIND(NOTHING), DROP(BAD_OPTION), "", true},
    {"piggybacked", "6445MT", 0, false, KIND(RESPONSE), DROP(NONE), "", false},
    {"piggybacked error", "6484MT", 0, false, KIND(RESPONSE), DROP(NONE), "", false},
    {"piggybacked class 3", "6461MT", 0, false, KIND(RESPONSE), DROP(NONE), "", false},
    {"piggybacked, wrong token", "6145M42", 0, false, KIND(NOTHING), DROP(UNMATCHED), "", true},
    {"piggybacked, no token", "6045M", 0, false, KIND(NOTHING), DROP(UNMATCHED), "", true},
    {"piggybacked, wrong ID", "6445ffffT", 0, false, KIND(NOTHING), DROP(UNMATCHED), "", true},
    {"piggybacked, wrong peer", "6445MT", 1, false, KIND(NOTHING), DROP(UNMATCHED), "", true},
    {"piggybacked, to a group", "6445MT", 0, true, KIND(NOTHING), DROP(UNMATCHED), "", true},
    {"piggybacked, critical option", "6445MT90", 0, false, KIND(NOTHING), DROP(BAD_OPTION), "", true},
    {"separate CON", "44451234T", 0, false, KIND(RESPONSE), DROP(NONE), "60001234", false},
    {"separate NON", "54451234T", 0, false, KIND(RESPONSE), DROP(NONE), "", false},
    {"separate CON, wrong token", "4145123442", 0, false, KIND(NOTHING), DROP(UNMATCHED), "70001234", true},
    {"separate NON, wrong token", "5145123442", 0, false, KIND(NOTHING), DROP(UNMATCHED), "", true},
    {"separate CON, wrong peer", "44451234T", 1, false, KIND(NOTHING), DROP(UNMATCHED), "70001234", true},
    {"separate CON, to a group", "44451234T", 0, true, KIND(NOTHING), DROP(UNMATCHED), "", true},
    {"separate CON, critical option", "44451234T90", 0, false, KIND(NOTHING), DROP(BAD_OPTION), "70001234", true},
    {"separate NON, critical option", "54451234T90", 0, false, KIND(NOTHING), DROP(BAD_OPTION), "", true},
    {"acknowledged", "6000M", 0, false, KIND(NOTHING), DROP(NONE), "", true},
    {"acknowledged, wrong ID", "6000ffff", 0, false, KIND(NOTHING), DROP(UNMATCHED), "", true},
    {"acknowledged, wrong peer", "6000M", 1, false, KIND(NOTHING), DROP(UNMATCHED), "", true},
    {"acknowledged, to a group", "6000M", 0, true, KIND(NOTHING), DROP(UNMATCHED), "", true},
    {"reset", "7000M", 0, false, KIND(RESET), DROP(NONE), "", false},
    {"reset, wrong ID", "7000ffff", 0, false, KIND(NOTHING), DROP(UNMATCHED), "", true},
    {"reset, wrong peer", "7000M", 1, false, KIND(NOTHING), DROP(UNMATCHED), "", true},
    {"reset, to a group", "7000M", 0, true, KIND(NOTHING), DROP(UNMATCHED), "", true},
};

static larch_bytes fill_in(const char *hex, const asked *request, uint8_t *out)
{
    larch_writer w = larch_writer_to(out, 64);
    while (*hex != '\0') {
        if (*hex == 'M') {
            larch_writer_put_u16(&w, request->m.message_id);
            hex++;
        } else if (*hex == 'T') {
            larch_writer_put(&w, request->m.token);
            hex++;
        } else {
            const char digits[3] = {hex[0], hex[1], '\0'};
            larch_writer_put_u8(&w, (uint8_t)strtoul(digits, NULL, 16));
            hex += 2;
        }
    }
    assert_true(w.len <= w.cap);
    return (larch_bytes){out, w.len};
}

static void test_arrivals(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(arrival_rows); i++) {
        const struct arrival_row *row = &arrival_rows[i];
        uint8_t in[64], reply[64];
        asked request;
        setup_seeded(i);
        ask_and_send(0, LARCH_COAP_CON, 0, &request);
        assert_int_equal(request.m.token.len, 4);
        larch_bytes expected = fill_in(row->reply, &request, reply);
        receive_at(START_MS, row->from, row->multicast, fill_in(row->in, &request, in));
        bool right = b.event.kind == row->kind && b.event.drop == row->drop && is_idle() == !row->open &&
                     larch_bytes_equal((larch_bytes){b.reply.data, b.reply.len}, expected);
        if (!right)
            print_error("row: %s\n", row->what);
        assert_true(right);
        assert_int_equal(b.event.multicast, row->multicast);
        assert_int_equal(larch_coap_endpoint_drops(&b.ep, row->drop), 1);
        bool ours = row->kind == KIND(RESPONSE) || row->kind == KIND(RESET) || strcmp(row->what, "acknowledged") == 0 ||
                    (row->drop == DROP(BAD_OPTION) && LARCH_COAP_CLASS(b.event.message.code) >= 2);
        assert_int_equal(b.event.bad_option, ours && row->drop == DROP(BAD_OPTION) ? 9 : 0);
        assert_int_equal(b.event.handle, ours ? request.handle : 0);
    }
    assert_int_equal(larch_coap_endpoint_drops(&b.ep, LARCH_COAP_DROP_COUNT), 0);
    assert_string_equal(larch_coap_drop_text(LARCH_COAP_DROP_VERSION), "not CoAP version 1");
    assert_string_equal(larch_coap_drop_text(LARCH_COAP_DROP_COUNT), "?");
}

/* Each critical option in the shortest request that has it, under tokens of each length: the reply names it, and is
 * at most three times as long. */
static void test_bad_option_is_short(void **state)
{
    (void)state;
    static const char *const tokens[] = {"", "1", "1234", "12345678"};
    for (unsigned i = 0; i < COUNT(tokens); i++) {
        for (uint32_t number = 1; number <= UINT16_MAX; number += 2) {
            uint8_t out[32];
            char text[16];
            larch_coap_builder builder;
            larch_bytes datagram;
            larch_coap_message m;
            if (number == LARCH_COAP_OPT_URI_HOST || number == LARCH_COAP_OPT_URI_PATH ||
                number == LARCH_COAP_OPT_URI_QUERY)
                continue;
            larch_coap_build(&builder, out, sizeof out, LARCH_COAP_CON, LARCH_COAP_GET, 7,
                             (larch_bytes){(const uint8_t *)tokens[i], strlen(tokens[i])});
            larch_coap_build_option(&builder, (uint16_t)number, (larch_bytes){NULL, 0});
            assert_int_equal(larch_coap_build_end(&builder, &datagram), LARCH_OK);
            receive(datagram);
            expect(LARCH_COAP_NOTHING, LARCH_COAP_DROP_BAD_OPTION);
            const bool is_proxy = number == LARCH_COAP_OPT_PROXY_URI || number == LARCH_COAP_OPT_PROXY_SCHEME;
            expect_reply(LARCH_COAP_ACK, is_proxy ? LARCH_COAP_PROXYING_NOT_SUPPORTED : LARCH_COAP_BAD_OPTION, 7);
            assert_in_range(b.reply.len, 1, 3 * datagram.len);
            assert_int_equal(larch_coap_parse((larch_bytes){b.reply.data, b.reply.len}, &m), LARCH_OK);
            const int len = snprintf(text, sizeof text, "option %u", (unsigned)number);
            assert_true(m.payload.len >= (size_t)len);
            assert_memory_equal(m.payload.data, text, (size_t)len);
        }
    }
}

/* Before a request of ours has left, nothing can be its answer, not even from who guesses. */
static void test_unsent_is_unmatched(void **state)
{
    (void)state;
    asked request = {0};
    larch_coap_builder builder;
    larch_peer peer = peer_of(0);
    assert_int_equal(larch_coap_endpoint_request(&b.ep, START_MS, &peer, LARCH_COAP_CON, LARCH_COAP_GET,
                                                 LARCH_COAP_EMPTY_TOKEN, NULL, &builder, &request.handle),
                     LARCH_OK);
    assert_true(is_idle());
    expect_nothing_due(UINT64_MAX); /* not before it is ended */
    uint16_t id = (uint16_t)(builder.writer.data[2] << 8 | builder.writer.data[3]);
    assert_int_equal(larch_coap_endpoint_request_end(&b.ep, &builder, request.handle), LARCH_OK);
    assert_int_equal(larch_coap_endpoint_request_end(&b.ep, &builder, request.handle), LARCH_STATE);
    receive(message(LARCH_COAP_ACK, LARCH_COAP_CONTENT, id, ""));
    expect(LARCH_COAP_NOTHING, LARCH_COAP_DROP_UNMATCHED);
    send_at(START_MS, &request);
    assert_int_equal(request.m.token.len, 0);
    receive(message(LARCH_COAP_ACK, LARCH_COAP_CONTENT, id, ""));
    expect(LARCH_COAP_RESPONSE, LARCH_COAP_DROP_NONE);
}

/* The peer's message IDs are not ours: what it sent with the same number is no copy of its answer to us. */
static void test_ids_of_both_sides(void **state)
{
    (void)state;
    asked request;
    larch_bytes sent;
    ask_and_send(0, LARCH_COAP_CON, ~(LARCH_COAP_ANY_PEER | LARCH_COAP_EMPTY_TOKEN), &request);
    receive(message(LARCH_COAP_CON, LARCH_COAP_POST, request.m.message_id, ""));
    expect(LARCH_COAP_REQUEST, LARCH_COAP_DROP_NONE);
    assert_int_equal(answer(START_MS, LARCH_COAP_CHANGED, "", true, &sent), LARCH_OK);
    receive(reaction(&request, LARCH_COAP_ACK, LARCH_COAP_CONTENT, request.m.message_id));
    expect(LARCH_COAP_RESPONSE, LARCH_COAP_DROP_NONE);
}

static void test_handles_wrap(void **state)
{
    (void)state;
    asked first, second;
    b.ep.next_handle = UINT32_MAX;
    ask_and_send(0, LARCH_COAP_CON, 0, &first);
    ask_and_send(1, LARCH_COAP_CON, 0, &second);
    assert_int_equal(first.handle, UINT32_MAX);
    assert_int_equal(second.handle, 1); /* 0 is no handle */
}

/* ---- retransmission ---------------------------------------------------- */

static void test_backoff(void **state)
{
    (void)state;
    uint64_t shortest = UINT64_MAX, longest = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        asked first, again;
        setup_seeded(seed);
        ask_and_send(0, LARCH_COAP_CON, 0, &first);
        uint64_t now_ms = START_MS;
        uint64_t timeout_ms = larch_coap_endpoint_deadline_ms(&b.ep) - now_ms;
        shortest = timeout_ms < shortest ? timeout_ms : shortest;
        longest = timeout_ms > longest ? timeout_ms : longest;
        for (unsigned i = 0; i < LARCH_COAP_MAX_RETRANSMIT; i++) {
            expect_nothing_due(now_ms + timeout_ms - 1);
            now_ms += timeout_ms;
            send_at(now_ms, &again);
            assert_int_equal(again.len, first.len);
            assert_memory_equal(again.bytes, first.bytes, first.len);
            timeout_ms *= 2;
        }
        expect_timeout(now_ms + timeout_ms, first.handle);
        assert_true(is_idle());
    }
    assert_in_range(shortest, 2000, 2020);
    assert_in_range(longest, 2980, 3000);
}

static void test_response_timeouts(void **state)
{
    (void)state;
    asked request;
    assert_int_equal(LARCH_COAP_MAX_TRANSMIT_WAIT_MS, 93000);
    assert_int_equal(LARCH_COAP_EXCHANGE_LIFETIME_MS, 247000);
    assert_int_equal(LARCH_COAP_NON_LIFETIME_MS, 145000);

    ask_and_send(0, LARCH_COAP_CON, 0, &request);
    receive_at(START_MS + 500, 0, false, message(LARCH_COAP_ACK, LARCH_COAP_EMPTY, request.m.message_id, ""));
    expect_timeout(START_MS + 500 + 93000, request.handle);
    assert_true(is_idle());

    ask_and_send(0, LARCH_COAP_NON, 0, &request);
    assert_int_equal(request.m.type, LARCH_COAP_NON);
    expect_timeout(START_MS + 93000, request.handle);
    assert_true(is_idle());
}

/* A second acknowledgement of an acknowledged request does not prolong it; its piggybacked answer still counts. */
static void test_acknowledged_then(void **state)
{
    (void)state;
    asked request;
    ask_and_send(0, LARCH_COAP_CON, 0, &request);
    larch_bytes ack = message(LARCH_COAP_ACK, LARCH_COAP_EMPTY, request.m.message_id, "");
    receive(ack);
    expect(LARCH_COAP_NOTHING, LARCH_COAP_DROP_NONE);
    receive_at(START_MS + 10, 0, false, ack);
    expect(LARCH_COAP_NOTHING, LARCH_COAP_DROP_UNMATCHED);
    assert_int_equal(larch_coap_endpoint_deadline_ms(&b.ep), START_MS + 93000);
    receive(reaction(&request, LARCH_COAP_ACK, LARCH_COAP_CONTENT, request.m.message_id));
    expect(LARCH_COAP_RESPONSE, LARCH_COAP_DROP_NONE);
    assert_true(is_idle());
}

/* An acknowledgement answers a confirmable request alone; a reset may meet both. */
static void test_non_is_not_acknowledged(void **state)
{
    (void)state;
    asked request;
    ask_and_send(0, LARCH_COAP_NON, 0, &request);
    receive(message(LARCH_COAP_ACK, LARCH_COAP_EMPTY, request.m.message_id, ""));
    expect(LARCH_COAP_NOTHING, LARCH_COAP_DROP_UNMATCHED);
    receive(reaction(&request, LARCH_COAP_ACK, LARCH_COAP_CONTENT, request.m.message_id));
    expect(LARCH_COAP_NOTHING, LARCH_COAP_DROP_UNMATCHED);
    receive(message(LARCH_COAP_RST, LARCH_COAP_EMPTY, request.m.message_id, ""));
    expect(LARCH_COAP_RESET, LARCH_COAP_DROP_NONE);
    assert_int_equal(b.event.handle, request.handle);
    assert_true(is_idle());
}

/* Prototypes do, and are asked without a token. */
static void test_non_without_token_is_acknowledged(void **state)
{
    (void)state;
    asked request;
    ask_and_send(0, LARCH_COAP_NON, LARCH_COAP_EMPTY_TOKEN, &request);
    receive(message(LARCH_COAP_ACK, LARCH_COAP_CONTENT, (uint16_t)(request.m.message_id + 1), ""));
    expect(LARCH_COAP_NOTHING, LARCH_COAP_DROP_UNMATCHED);
    receive(message(LARCH_COAP_ACK, LARCH_COAP_CONTENT, request.m.message_id, ""));
    expect(LARCH_COAP_RESPONSE, LARCH_COAP_DROP_NONE);
    assert_int_equal(b.event.handle, request.handle);
    assert_true(is_idle());
}

/* The blocks of one body have one token. */
static void test_token_of_the_caller(void **state)
{
    (void)state;
    const larch_peer peer = peer_of(0);
    larch_coap_builder builder;
    uint32_t handle;
    for (size_t len = 0; len <= LARCH_COAP_TOKEN_MAX + 1; len++) {
        const larch_bytes token = {(const uint8_t *)"123456789", len};
        const larch_error e = larch_coap_endpoint_request(&b.ep, START_MS, &peer, LARCH_COAP_CON, LARCH_COAP_GET, 0,
                                                          &token, &builder, &handle);
        assert_int_equal(e, len <= LARCH_COAP_TOKEN_MAX ? LARCH_OK : LARCH_STATE);
        if (e != LARCH_OK)
            continue;
        assert_int_equal(builder.writer.data[0] & 15, len);
        assert_memory_equal(builder.writer.data + 4, "123456789", len);
        larch_coap_endpoint_cancel(&b.ep, handle);
    }
    assert_true(is_idle());
}

/* ---- duplicates -------------------------------------------------------- */

static void test_duplicate_con(void **state)
{
    (void)state;
    larch_bytes sent;
    uint8_t first[80];
    receive(message(LARCH_COAP_CON, LARCH_COAP_POST, 7, "tok"));
    expect(LARCH_COAP_REQUEST, LARCH_COAP_DROP_NONE);
    assert_int_equal(answer(START_MS, LARCH_COAP_CHANGED, "OK", true, &sent), LARCH_OK);
    memcpy(first, sent.data, sent.len);

    const uint64_t end_ms = START_MS + LARCH_COAP_EXCHANGE_LIFETIME_MS;
    const uint64_t times[] = {START_MS, START_MS + 1, end_ms - 1};
    for (size_t i = 0; i < COUNT(times); i++) {
        receive_at(times[i], 0, false, message(LARCH_COAP_CON, LARCH_COAP_POST, 7, "tok"));
        expect(LARCH_COAP_NOTHING, LARCH_COAP_DROP_DUPLICATE);
        assert_int_equal(b.reply.len, sent.len);
        assert_memory_equal(b.reply.data, first, sent.len);
    }
    larch_coap_message m;
    assert_int_equal(larch_coap_parse((larch_bytes){b.reply.data, b.reply.len}, &m), LARCH_OK);
    assert_int_equal(m.type, LARCH_COAP_ACK);
    assert_int_equal(m.code, LARCH_COAP_CHANGED);
    assert_int_equal(m.message_id, 7);
    assert_true(larch_bytes_equal(m.token, LARCH_TEXT("tok")));
    assert_true(larch_bytes_equal(m.payload, LARCH_TEXT("OK")));

    receive(message(LARCH_COAP_CON, LARCH_COAP_POST, 8, "tok")); /* another ID */
    expect(LARCH_COAP_REQUEST, LARCH_COAP_DROP_NONE);
    receive_at(START_MS, 1, false, message(LARCH_COAP_CON, LARCH_COAP_POST, 7, "tok")); /* another peer */
    expect(LARCH_COAP_REQUEST, LARCH_COAP_DROP_NONE);
    receive_at(end_ms, 0, false, message(LARCH_COAP_CON, LARCH_COAP_POST, 7, "tok")); /* another time */
    expect(LARCH_COAP_REQUEST, LARCH_COAP_DROP_NONE);
}

static void test_duplicate_non(void **state)
{
    (void)state;
    larch_bytes sent;
    larch_coap_message m;
    receive(message(LARCH_COAP_NON, LARCH_COAP_POST, 7, "tok"));
    assert_int_equal(answer(START_MS, LARCH_COAP_CHANGED, "OK", true, &sent), LARCH_OK);
    assert_int_equal(larch_coap_parse(sent, &m), LARCH_OK);
    assert_int_equal(m.type, LARCH_COAP_NON);
    const uint64_t end_ms = START_MS + LARCH_COAP_NON_LIFETIME_MS;
    receive_at(end_ms - 1, 0, false, message(LARCH_COAP_NON, LARCH_COAP_POST, 7, "tok"));
    expect(LARCH_COAP_NOTHING, LARCH_COAP_DROP_DUPLICATE);
    assert_int_equal(b.reply.len, 0);
    /* A non-confirmable answer acknowledges nothing, so it is no reply to a confirmable message with this ID. */
    receive_at(end_ms - 1, 0, false, message(LARCH_COAP_CON, LARCH_COAP_POST, 7, "tok"));
    expect(LARCH_COAP_NOTHING, LARCH_COAP_DROP_DUPLICATE);
    assert_int_equal(b.reply.len, 0);
    receive_at(end_ms, 0, false, message(LARCH_COAP_NON, LARCH_COAP_POST, 7, "tok"));
    expect(LARCH_COAP_REQUEST, LARCH_COAP_DROP_NONE);
}

/* Another request of the peer under the ID of one that was answered, or is being carried out, is served; a copy of
 * each still gets its own answer. */
static void test_same_id_other_request(void **state)
{
    (void)state;
    const struct {
        uint8_t code;
        const char *token, *query, *payload, *answer;
    } requests[] = {
        {LARCH_COAP_POST, "tok", "", "first", "1"}, {LARCH_COAP_PUT, "tok", "", "first", "22"},
        {LARCH_COAP_POST, "tol", "", "first", "3"}, {LARCH_COAP_POST, "tok", "q", "first", "44"},
        {LARCH_COAP_POST, "tok", "", "fjrst", "5"}, {LARCH_COAP_POST, "tok", "", "firstx", "66"},
        {LARCH_COAP_POST, "tok", "", "", "7"},
    };
    uint8_t bytes[COUNT(requests)][64];
    larch_bytes datagrams[COUNT(requests)], sent;
    for (size_t i = 0; i < COUNT(requests); i++) {
        larch_coap_builder builder;
        larch_coap_build(&builder, bytes[i], sizeof bytes[i], LARCH_COAP_CON, requests[i].code, 7,
                         larch_bytes_of_text(requests[i].token));
        if (requests[i].query[0] != '\0')
            larch_coap_build_option(&builder, LARCH_COAP_OPT_URI_QUERY, larch_bytes_of_text(requests[i].query));
        if (requests[i].payload[0] != '\0')
            larch_coap_build_payload(&builder, larch_bytes_of_text(requests[i].payload));
        assert_int_equal(larch_coap_build_end(&builder, &datagrams[i]), LARCH_OK);
    }
    for (uint64_t seed = 0; seed < 50; seed++) {
        size_t remembered = 0;
        setup_seeded(seed);
        for (size_t i = 0; i < 4; i++) { /* as many as always have a place */
            receive(datagrams[(i + seed) % COUNT(requests)]);
            expect(LARCH_COAP_REQUEST, LARCH_COAP_DROP_NONE);
            const larch_coap_pending pending = larch_coap_pending_of(&b.event);
            larch_coap_event event = b.event;
            larch_coap_endpoint_hold(&b.ep, START_MS, &pending);
            receive(datagrams[(i + seed) % COUNT(requests)]);
            expect(LARCH_COAP_NOTHING, LARCH_COAP_DROP_DUPLICATE);
            assert_int_equal(b.reply.len, 0);
            b.event = event;
            assert_int_equal(
                answer(START_MS, LARCH_COAP_CHANGED, requests[(i + seed) % COUNT(requests)].answer, true, &sent),
                LARCH_OK);
            remembered++;
            for (size_t k = 0; k < remembered; k++) {
                larch_coap_message m;
                receive(datagrams[(k + seed) % COUNT(requests)]);
                expect(LARCH_COAP_NOTHING, LARCH_COAP_DROP_DUPLICATE);
                assert_int_equal(larch_coap_parse((larch_bytes){b.reply.data, b.reply.len}, &m), LARCH_OK);
                assert_true(
                    larch_bytes_equal(m.payload, larch_bytes_of_text(requests[(k + seed) % COUNT(requests)].answer)));
            }
        }
    }
}

/* An Empty message's four bytes, or a short request with a known ID, earn no stored answer. */
static void test_id_alone_earns_nothing(void **state)
{
    (void)state;
    larch_bytes sent;
    receive(message(LARCH_COAP_CON, LARCH_COAP_POST, 7, "tok"));
    assert_int_equal(
        answer(START_MS, LARCH_COAP_CHANGED, "an answer of some length, as an endorsement is", true, &sent), LARCH_OK);
    receive(message(LARCH_COAP_CON, LARCH_COAP_POST, 7, ""));
    expect(LARCH_COAP_REQUEST, LARCH_COAP_DROP_NONE);
    assert_int_equal(b.reply.len, 0);
    receive(message(LARCH_COAP_CON, LARCH_COAP_EMPTY, 7, ""));
    expect(LARCH_COAP_NOTHING, LARCH_COAP_DROP_PING);
    assert_int_equal(b.reply.len, LARCH_COAP_EMPTY_LEN);
}

#if LARCH_SERVER_GROUP > 1
/* A look ahead and receive agree on what is a copy. */
static void test_peek(void **state)
{
    (void)state;
    const larch_peer peer = peer_of(0);
    uint8_t bytes[200] = {0x40, LARCH_COAP_POST, 0, 7, 0xff};
    larch_coap_message m;
    larch_bytes sent;
    for (size_t len = 6; len <= sizeof bytes; len++) {
        const larch_bytes datagram = {bytes, len};
        setup_seeded(len);
        assert_true(larch_coap_endpoint_peek(&b.ep, START_MS, &peer, datagram, &m));
        receive(datagram);
        assert_int_equal(answer(START_MS, LARCH_COAP_CHANGED, "", true, &sent), LARCH_OK);
        assert_false(larch_coap_endpoint_peek(&b.ep, START_MS, &peer, datagram, &m));
        for (size_t at = 5; at < len; at++) {
            bytes[at] ^= 1;
            assert_true(larch_coap_endpoint_peek(&b.ep, START_MS, &peer, datagram, &m));
            assert_int_equal(m.payload.len, len - 5);
            bytes[at] ^= 1;
        }
    }
}
#endif

static void test_not_remembered(void **state)
{
    (void)state;
    larch_bytes sent;
    for (unsigned i = 0; i < 3; i++) {
        receive(message(LARCH_COAP_CON, LARCH_COAP_GET, 7, "tok"));
        expect(LARCH_COAP_REQUEST, LARCH_COAP_DROP_NONE);
        assert_int_equal(answer(START_MS, LARCH_COAP_CONTENT, "20.5", false, &sent), LARCH_OK);
    }
}

/* Each table size: the newest is always remembered, and as many as fit four places are kept whole. */
static void test_replacement(void **state)
{
    (void)state;
    larch_bytes sent;
    for (size_t size = 1; size <= EXCHANGES; size++) {
        setup_sized(size, size);
        for (uint16_t id = 0; id < 200; id++) {
            receive_at(START_MS + id, 0, false, message(LARCH_COAP_CON, LARCH_COAP_POST, id, ""));
            expect(LARCH_COAP_REQUEST, LARCH_COAP_DROP_NONE);
            assert_int_equal(answer(START_MS + id, LARCH_COAP_CHANGED, "", true, &sent), LARCH_OK);
            size_t kept = size <= 4 ? size : 1;
            for (uint16_t back = 0; back < kept && back <= id; back++) {
                receive_at(START_MS + id, 0, false,
                           message(LARCH_COAP_CON, LARCH_COAP_POST, (uint16_t)(id - back), ""));
                expect(LARCH_COAP_NOTHING, LARCH_COAP_DROP_DUPLICATE);
                expect_reply(LARCH_COAP_ACK, LARCH_COAP_CHANGED, (uint16_t)(id - back));
            }
        }
    }
}

/* The places of one peer's IDs differ from one key to the next. */
static void test_places_are_secret(void **state)
{
    (void)state;
    unsigned same = 0;
    size_t places[2][64];
    for (unsigned run = 0; run < 2; run++) {
        setup_seeded(100 + run);
        for (uint16_t id = 0; id < 64; id++) {
            larch_peer peer = peer_of(0);
            memset(b.exchanges, 0, sizeof b.exchanges);
            const larch_coap_hash hash =
                larch_coap_hash_ends(&b.ep, &peer, message(LARCH_COAP_CON, LARCH_COAP_POST, id, ""));
            larch_coap_exchange_remember(&b.ep, START_MS, &peer, true, id, &hash, (larch_bytes){NULL, 0});
            places[run][id] = (size_t)(larch_coap_exchange_find(&b.ep, START_MS, &peer, id, &hash) - b.exchanges);
        }
    }
    for (unsigned id = 0; id < 64; id++)
        same += places[0][id] == places[1][id];
    assert_in_range(same, 1, 24); /* 8 expected */
}

/* ---- answering --------------------------------------------------------- */

static void test_answer_space(void **state)
{
    (void)state;
    uint8_t out[ANSWERS + 16];
    uint8_t text[ANSWERS] = {0};
    larch_coap_builder builder;
    larch_bytes sent = {NULL, 0};
    receive(message(LARCH_COAP_CON, LARCH_COAP_POST, 7, "tok"));
    const larch_coap_pending pending = larch_coap_pending_of(&b.event);
    const size_t whole = 4 + 3 + 1 + 5;
    for (size_t cap = 0; cap <= whole; cap++) {
        assert_int_equal(larch_coap_answer_begin(&pending, LARCH_COAP_CHANGED, out, cap, &builder), LARCH_OK);
        larch_coap_build_payload(&builder, LARCH_TEXT("hello"));
        assert_int_equal(larch_coap_endpoint_answer_end(&b.ep, START_MS, &pending, &builder, false, &sent),
                         cap < whole ? LARCH_SPACE : LARCH_OK);
        assert_int_equal(sent.len, cap < whole ? 0 : whole);
    }
    for (size_t len = ANSWERS + 1; len >= ANSWERS; len--) {
        receive(message(LARCH_COAP_CON, LARCH_COAP_POST, 7, "tok")); /* what was too long was not remembered */
        expect(LARCH_COAP_REQUEST, LARCH_COAP_DROP_NONE);
        assert_int_equal(larch_coap_answer_begin(&pending, LARCH_COAP_CHANGED, out, sizeof out, &builder), LARCH_OK);
        larch_coap_build_payload(&builder, (larch_bytes){text, len - 8});
        assert_int_equal(larch_coap_endpoint_answer_end(&b.ep, START_MS, &pending, &builder, true, &sent),
                         len > ANSWERS ? LARCH_SPACE : LARCH_OK);
    }
    receive(message(LARCH_COAP_CON, LARCH_COAP_POST, 7, "tok"));
    expect(LARCH_COAP_NOTHING, LARCH_COAP_DROP_DUPLICATE);
    assert_int_equal(b.reply.len, ANSWERS);
    assert_int_equal(answer(START_MS, LARCH_COAP_CONTENT, "", false, &sent), LARCH_STATE); /* no request */
}

static void test_answer_later(void **state)
{
    (void)state;
    larch_coap_pending pending;
    larch_coap_builder builder;
    asked response;
    const larch_bytes request = message(LARCH_COAP_CON, LARCH_COAP_POST, 7, "tok");
    receive(request);
    larch_coap_endpoint_answer_later(&b.ep, START_MS, &b.event, &b.reply, &pending);
    expect_reply(LARCH_COAP_ACK, LARCH_COAP_EMPTY, 7);
    receive(request);
    expect(LARCH_COAP_NOTHING, LARCH_COAP_DROP_DUPLICATE);
    expect_reply(LARCH_COAP_ACK, LARCH_COAP_EMPTY, 7);

    const larch_coap_type ends[] = {LARCH_COAP_ACK, LARCH_COAP_RST};
    for (size_t i = 0; i < COUNT(ends); i++) {
        assert_int_equal(
            larch_coap_endpoint_respond(&b.ep, START_MS, &pending, LARCH_COAP_CHANGED, &builder, &response.handle),
            LARCH_OK);
        assert_int_equal(larch_coap_endpoint_request_end(&b.ep, &builder, response.handle), LARCH_OK);
        send_at(START_MS, &response);
        larch_peer peer = peer_of(0);
        assert_true(larch_peer_equal(&response.to, &peer));
        assert_int_equal(response.m.type, LARCH_COAP_CON);
        assert_int_equal(response.m.code, LARCH_COAP_CHANGED);
        assert_true(larch_bytes_equal(response.m.token, LARCH_TEXT("tok")));
        /* A response is no request: its token matches nothing. */
        receive(message(LARCH_COAP_NON, LARCH_COAP_CONTENT, 9, "tok"));
        expect(LARCH_COAP_NOTHING, LARCH_COAP_DROP_UNMATCHED);
        receive(message(LARCH_COAP_ACK, LARCH_COAP_CONTENT, response.m.message_id, "tok"));
        expect(LARCH_COAP_NOTHING, LARCH_COAP_DROP_UNMATCHED);
        receive(message(ends[i], LARCH_COAP_EMPTY, response.m.message_id, ""));
        expect(ends[i] == LARCH_COAP_ACK ? LARCH_COAP_NOTHING : LARCH_COAP_RESET, LARCH_COAP_DROP_NONE);
        assert_int_equal(b.event.handle, response.handle);
        assert_true(is_idle());
    }

    /* To a non-confirmable request: nothing now, once and non-confirmable then. */
    receive(message(LARCH_COAP_NON, LARCH_COAP_POST, 8, "tok"));
    larch_coap_endpoint_answer_later(&b.ep, START_MS, &b.event, &b.reply, &pending);
    assert_int_equal(b.reply.len, 0);
    receive(message(LARCH_COAP_NON, LARCH_COAP_POST, 8, "tok"));
    expect(LARCH_COAP_NOTHING, LARCH_COAP_DROP_DUPLICATE);
    assert_int_equal(b.reply.len, 0);
    assert_int_equal(
        larch_coap_endpoint_respond(&b.ep, START_MS, &pending, LARCH_COAP_CHANGED, &builder, &response.handle),
        LARCH_OK);
    assert_int_equal(larch_coap_endpoint_request_end(&b.ep, &builder, response.handle), LARCH_OK);
    send_at(START_MS, &response);
    assert_int_equal(response.m.type, LARCH_COAP_NON);
    assert_true(is_idle());
}

/* The separate response comes again because our acknowledgement was lost: acknowledged again, not delivered again. */
static void test_separate_response_again(void **state)
{
    (void)state;
    asked request;
    ask_and_send(0, LARCH_COAP_CON, 0, &request);
    larch_bytes response = reaction(&request, LARCH_COAP_CON, LARCH_COAP_CONTENT, 99);
    receive(response);
    expect(LARCH_COAP_RESPONSE, LARCH_COAP_DROP_NONE);
    receive_at(START_MS + LARCH_COAP_EXCHANGE_LIFETIME_MS - 1, 0, false, response);
    expect(LARCH_COAP_NOTHING, LARCH_COAP_DROP_DUPLICATE);
    expect_reply(LARCH_COAP_ACK, LARCH_COAP_EMPTY, 99);
    receive_at(START_MS + LARCH_COAP_EXCHANGE_LIFETIME_MS, 0, false, response);
    expect(LARCH_COAP_NOTHING, LARCH_COAP_DROP_UNMATCHED);
    expect_reply(LARCH_COAP_RST, LARCH_COAP_EMPTY, 99);
}

/* ---- groups ------------------------------------------------------------ */

static void test_multicast_answers(void **state)
{
    (void)state;
    larch_bytes sent;
    asked delayed;
    uint64_t shortest = UINT64_MAX, longest = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        setup_seeded(seed);
        receive_at(START_MS, 3, true, message(LARCH_COAP_NON, LARCH_COAP_GET, 7, "tok"));
        assert_int_equal(answer(START_MS, LARCH_COAP_CONTENT, "hi", false, &sent), LARCH_OK);
        assert_int_equal(sent.len, 0);
        uint64_t due_ms = larch_coap_endpoint_deadline_ms(&b.ep);
        shortest = due_ms < shortest ? due_ms : shortest;
        longest = due_ms > longest ? due_ms : longest;
        send_at(due_ms, &delayed);
        larch_peer peer = peer_of(3);
        assert_true(larch_peer_equal(&delayed.to, &peer));
        assert_int_equal(delayed.m.type, LARCH_COAP_NON);
        assert_true(larch_bytes_equal(delayed.m.payload, LARCH_TEXT("hi")));
        assert_true(is_idle());
    }
    assert_in_range(shortest, START_MS, START_MS + 200);
    assert_in_range(longest, START_MS + LARCH_COAP_LEISURE_MS - 200, START_MS + LARCH_COAP_LEISURE_MS);

    /* Errors stay unanswered, but what was done is not done again. */
    const larch_coap_type types[] = {LARCH_COAP_CON, LARCH_COAP_NON};
    for (size_t i = 0; i < COUNT(types); i++) {
        receive_at(START_MS, 0, true, message(types[i], LARCH_COAP_GET, (uint16_t)(20 + i), ""));
        sent.len = 1;
        assert_int_equal(answer(START_MS, LARCH_COAP_NOT_FOUND, "", true, &sent), LARCH_OK);
        assert_int_equal(sent.len, 0);
        assert_true(is_idle());
        receive_at(START_MS, 0, true, message(types[i], LARCH_COAP_GET, (uint16_t)(20 + i), ""));
        expect(LARCH_COAP_NOTHING, LARCH_COAP_DROP_DUPLICATE);
        assert_int_equal(b.reply.len, 0);
    }

    /* Who asks a group with CON waits for an acknowledgement, so it comes at once. */
    receive_at(START_MS, 0, true, message(LARCH_COAP_CON, LARCH_COAP_POST, 30, ""));
    assert_int_equal(answer(START_MS, LARCH_COAP_CHANGED, "key", true, &sent), LARCH_OK);
    assert_true(sent.len > 0 && is_idle());
    assert_int_equal(sent.data[0] >> 4 & 3, LARCH_COAP_ACK);
}

/* At one time: each answer that waits shortens the leisure of the next, and one transmission stays free for us. */
static void test_multicast_shorter_leisure(void **state)
{
    (void)state;
    const unsigned places = LARCH_COAP_TRANSMISSIONS - 1;
    uint64_t longest[LARCH_COAP_TRANSMISSIONS] = {0};
    larch_bytes sent;
    asked request;
    for (uint64_t seed = 0; seed < 300; seed++) {
        setup_seeded(seed);
        for (unsigned i = 0; i < places; i++) {
            receive_at(START_MS, i, true, message(LARCH_COAP_NON, LARCH_COAP_GET, (uint16_t)i, ""));
            assert_int_equal(answer(START_MS, LARCH_COAP_CONTENT, "", false, &sent), LARCH_OK);
            assert_int_equal(sent.len, 0);
            const uint64_t due_ms = b.ep.transmissions[i].due_ms - START_MS;
            longest[i] = due_ms > longest[i] ? due_ms : longest[i];
        }
        receive_at(START_MS, places, true, message(LARCH_COAP_NON, LARCH_COAP_GET, 9, ""));
        assert_int_equal(answer(START_MS, LARCH_COAP_CONTENT, "", false, &sent), LARCH_OK);
        assert_true(sent.len > 0);
        ask_and_send(50, LARCH_COAP_CON, 0, &request);
    }
    for (unsigned i = 0; i < places; i++) {
        const uint64_t leisure = LARCH_COAP_LEISURE_MS * (places - i) / places;
        assert_in_range(longest[i], leisure * 95 / 100, leisure);
    }
    setup_seeded(1);
    receive_at(START_MS, 0, true, message(LARCH_COAP_NON, LARCH_COAP_GET, 1, ""));
    b.random.fails_at = 1;
    assert_int_equal(answer(START_MS, LARCH_COAP_CONTENT, "", false, &sent), LARCH_PLATFORM);
}

/* Twelve hundred group requests, five a second for each transmission: each is answered once, within the leisure. */
static void test_multicast_flood(void **state)
{
    (void)state;
    const unsigned step_ms = 200 / LARCH_COAP_TRANSMISSIONS;
    enum { count = 1200 };
    uint8_t answered[count] = {0};
    unsigned at_once = 0;
    uint64_t now_ms = START_MS;
    for (unsigned i = 0; i < count + 5000 / step_ms; i++, now_ms += step_ms) {
        larch_bytes datagram;
        larch_coap_message m;
        larch_peer peer;
        if (i < count) {
            receive_at(now_ms, i % 7, true, message(LARCH_COAP_NON, LARCH_COAP_GET, (uint16_t)i, ""));
            assert_int_equal(answer(now_ms, LARCH_COAP_CONTENT, "", false, &datagram), LARCH_OK);
            if (datagram.len > 0) {
                answered[i]++;
                at_once++;
            }
        }
        while (larch_coap_endpoint_poll(&b.ep, now_ms, &peer, &datagram, &b.event) == LARCH_OK) {
            assert_int_equal(larch_coap_parse(datagram, &m), LARCH_OK);
            assert_true(now_ms <= START_MS + m.message_id * step_ms + LARCH_COAP_LEISURE_MS + step_ms);
            answered[m.message_id]++;
        }
    }
    assert_true(is_idle());
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(answered[i], 1);
    assert_in_range(at_once, count / 5, count - 20); /* not all: the leisure comes back whenever answers have left */
}

static void test_any_peer(void **state)
{
    (void)state;
    const larch_coap_type types[] = {LARCH_COAP_CON, LARCH_COAP_NON};
    for (size_t i = 0; i < COUNT(types); i++) {
        asked request;
        setup_seeded(i);
        ask_and_send(50, types[i], LARCH_COAP_ANY_PEER, &request);
        receive_at(START_MS, 9, false, message(LARCH_COAP_RST, LARCH_COAP_EMPTY, request.m.message_id, ""));
        expect(LARCH_COAP_NOTHING, LARCH_COAP_DROP_UNMATCHED);
        for (unsigned from = 1; from <= 3; from++) {
            larch_coap_type type = types[i] == LARCH_COAP_CON ? LARCH_COAP_ACK : LARCH_COAP_NON;
            receive_at(START_MS + 5, from, false, reaction(&request, type, LARCH_COAP_CONTENT, request.m.message_id));
            expect(LARCH_COAP_RESPONSE, LARCH_COAP_DROP_NONE);
            assert_int_equal(b.event.handle, request.handle);
        }
        uint64_t answered_ms = types[i] == LARCH_COAP_CON ? START_MS + 5 : START_MS;
        expect_timeout(answered_ms + LARCH_COAP_MAX_TRANSMIT_WAIT_MS, request.handle);
        assert_true(is_idle());
    }
}

/* ---- limits ------------------------------------------------------------ */

static void test_nstart(void **state)
{
    (void)state;
    asked first, other;
    ask_and_send(0, LARCH_COAP_CON, 0, &first);
    assert_int_equal(ask_at(START_MS, 0, LARCH_COAP_NON, 0, &other), LARCH_AGAIN);
    assert_int_equal(ask_at(START_MS, 1, LARCH_COAP_NON, 0, &other), LARCH_OK);
    send_at(START_MS, &other);
    assert_int_equal(ask_at(START_MS, 1, LARCH_COAP_NON, 0, &other), LARCH_AGAIN); /* sent is not acknowledged */
    receive(message(LARCH_COAP_ACK, LARCH_COAP_EMPTY, first.m.message_id, ""));
    assert_int_equal(ask_at(START_MS, 0, LARCH_COAP_CON, 0, &other), LARCH_OK); /* acknowledged does not count */
    larch_coap_endpoint_cancel(&b.ep, other.handle);
    larch_coap_endpoint_cancel(&b.ep, other.handle); /* twice does no harm */
    assert_int_equal(ask_at(START_MS, 0, LARCH_COAP_CON, 0, &other), LARCH_OK);
}

static void test_table_full(void **state)
{
    (void)state;
    asked requests[LARCH_COAP_TRANSMISSIONS], more;
    for (unsigned i = 0; i < LARCH_COAP_TRANSMISSIONS; i++) {
        ask_and_send(i, LARCH_COAP_CON, 0, &requests[i]);
        for (unsigned k = 0; k < i; k++) {
            assert_int_not_equal(requests[k].handle, requests[i].handle);
            assert_false(larch_bytes_equal(requests[k].m.token, requests[i].m.token));
        }
    }
    assert_int_equal(ask_at(START_MS, 50, LARCH_COAP_CON, 0, &more), LARCH_AGAIN);
    receive_at(START_MS, 1, false,
               reaction(&requests[1], LARCH_COAP_ACK, LARCH_COAP_CONTENT, requests[1].m.message_id));
    assert_int_equal(b.event.handle, requests[1].handle);
    assert_int_equal(ask_at(START_MS, 50, LARCH_COAP_CON, 0, &more), LARCH_OK);
    /* A late answer to a cancelled request is unmatched. */
    larch_coap_endpoint_cancel(&b.ep, requests[2].handle);
    receive_at(START_MS, 2, false, reaction(&requests[2], LARCH_COAP_NON, LARCH_COAP_CONTENT, 5));
    expect(LARCH_COAP_NOTHING, LARCH_COAP_DROP_UNMATCHED);
}

/* Asks as fast as it can for more than two lifetimes: no ID comes twice within one, and none is withheld for good. */
static void test_message_ids(void **state)
{
    (void)state;
    static uint64_t used_ms[65536];
    memset(used_ms, 0, sizeof used_ms);
    unsigned refused = 0, given = 0;
    for (uint64_t now_ms = START_MS; now_ms < START_MS + 3 * LARCH_COAP_EXCHANGE_LIFETIME_MS; now_ms += 2) {
        asked request;
        larch_error e = ask_at(now_ms, 0, LARCH_COAP_NON, 0, &request);
        if (e == LARCH_AGAIN) {
            refused++;
            continue;
        }
        assert_int_equal(e, LARCH_OK);
        const uint8_t *datagram = b.ep.transmissions[0].datagram;
        uint16_t id = (uint16_t)(datagram[2] << 8 | datagram[3]);
        assert_true(used_ms[id] == 0 || now_ms - used_ms[id] >= LARCH_COAP_EXCHANGE_LIFETIME_MS);
        used_ms[id] = now_ms;
        given++;
        larch_coap_endpoint_cancel(&b.ep, request.handle);
    }
    assert_true(refused > 0);
    assert_true(given > 2 * 65536);
}

/* ---- observations and verified responses --------------------------------- */

static void test_observe(void **state)
{
    (void)state;
    asked observation, other;
    ask_and_send(0, LARCH_COAP_CON, LARCH_COAP_OBSERVE, &observation);
    assert_int_equal(ask_at(START_MS, 0, LARCH_COAP_CON, 0, &other), LARCH_AGAIN);
    receive(reaction(&observation, LARCH_COAP_ACK, LARCH_COAP_CONTENT, observation.m.message_id));
    expect(LARCH_COAP_RESPONSE, LARCH_COAP_DROP_NONE);
    assert_int_equal(b.event.handle, observation.handle);
    assert_true(is_idle()); /* no time-out, no retransmission */

    receive(reaction(&observation, LARCH_COAP_CON, LARCH_COAP_CONTENT, 7));
    expect(LARCH_COAP_RESPONSE, LARCH_COAP_DROP_NONE);
    assert_int_equal(b.event.handle, observation.handle);
    expect_reply(LARCH_COAP_ACK, LARCH_COAP_EMPTY, 7);
    receive(reaction(&observation, LARCH_COAP_CON, LARCH_COAP_CONTENT, 7));
    expect(LARCH_COAP_NOTHING, LARCH_COAP_DROP_DUPLICATE);
    expect_reply(LARCH_COAP_ACK, LARCH_COAP_EMPTY, 7);
    receive(reaction(&observation, LARCH_COAP_NON, LARCH_COAP_CONTENT, 8));
    expect(LARCH_COAP_RESPONSE, LARCH_COAP_DROP_NONE);
    assert_int_equal(b.reply.len, 0);

    /* What belongs to the registration that was answered comes too late. */
    receive(message(LARCH_COAP_RST, LARCH_COAP_EMPTY, observation.m.message_id, ""));
    expect(LARCH_COAP_NOTHING, LARCH_COAP_DROP_UNMATCHED);
    receive(reaction(&observation, LARCH_COAP_ACK, LARCH_COAP_CONTENT, observation.m.message_id));
    expect(LARCH_COAP_NOTHING, LARCH_COAP_DROP_UNMATCHED);
    receive_at(START_MS, 1, false, reaction(&observation, LARCH_COAP_NON, LARCH_COAP_CONTENT, 9));
    expect(LARCH_COAP_NOTHING, LARCH_COAP_DROP_UNMATCHED);

    assert_int_equal(ask_at(START_MS, 0, LARCH_COAP_CON, 0, &other), LARCH_OK); /* it does not count for NSTART */
    larch_coap_endpoint_cancel(&b.ep, observation.handle);
    receive(reaction(&observation, LARCH_COAP_CON, LARCH_COAP_CONTENT, 10));
    expect(LARCH_COAP_NOTHING, LARCH_COAP_DROP_UNMATCHED);
    expect_reply(LARCH_COAP_RST, LARCH_COAP_EMPTY, 10);
}

static void test_observe_unanswered(void **state)
{
    (void)state;
    asked observation;
    ask_and_send(0, LARCH_COAP_NON, LARCH_COAP_OBSERVE, &observation);
    expect_timeout(START_MS + LARCH_COAP_MAX_TRANSMIT_WAIT_MS, observation.handle);
}

/* Responses come from anywhere, and change nothing until one is accepted; acknowledgements and resets do not. */
static void test_verified(void **state)
{
    (void)state;
    asked request, again;
    ask_and_send(0, LARCH_COAP_CON, LARCH_COAP_VERIFIED, &request);
    const uint64_t due_ms = larch_coap_endpoint_deadline_ms(&b.ep);
    assert_int_equal(larch_coap_endpoint_datagram(&b.ep, request.handle).len, request.len);
    assert_memory_equal(larch_coap_endpoint_datagram(&b.ep, request.handle).data, request.bytes, request.len);
    const larch_coap_type types[] = {LARCH_COAP_ACK, LARCH_COAP_CON, LARCH_COAP_NON};
    for (unsigned from = 0; from < 2; from++)
        for (size_t i = 0; i < COUNT(types); i++) {
            const uint16_t id = (uint16_t)(request.m.message_id + i); /* that of the request for the acknowledgement */
            receive_at(START_MS, from, false, reaction(&request, types[i], LARCH_COAP_UNAUTHORIZED, id));
            expect(LARCH_COAP_RESPONSE, LARCH_COAP_DROP_NONE);
            assert_int_equal(b.event.handle, request.handle);
            assert_int_equal(larch_coap_endpoint_deadline_ms(&b.ep), due_ms);
        }
    receive_at(START_MS, 1, false,
               reaction(&request, LARCH_COAP_ACK, LARCH_COAP_UNAUTHORIZED, (uint16_t)(request.m.message_id + 1)));
    expect(LARCH_COAP_NOTHING, LARCH_COAP_DROP_UNMATCHED); /* another message ID */
    receive_at(START_MS, 1, false, message(LARCH_COAP_ACK, LARCH_COAP_CONTENT, request.m.message_id, "no"));
    expect(LARCH_COAP_NOTHING, LARCH_COAP_DROP_UNMATCHED); /* another token */
    receive_at(START_MS, 1, false, message(LARCH_COAP_ACK, LARCH_COAP_EMPTY, request.m.message_id, ""));
    expect(LARCH_COAP_NOTHING, LARCH_COAP_DROP_UNMATCHED);
    receive_at(START_MS, 1, false, message(LARCH_COAP_RST, LARCH_COAP_EMPTY, request.m.message_id, ""));
    expect(LARCH_COAP_NOTHING, LARCH_COAP_DROP_UNMATCHED);
    send_at(due_ms, &again);
    assert_memory_equal(again.bytes, request.bytes, request.len);

    receive(message(LARCH_COAP_ACK, LARCH_COAP_EMPTY, request.m.message_id, ""));
    assert_int_equal(b.event.handle, request.handle);
    larch_coap_endpoint_accept(&b.ep, request.handle);
    assert_true(is_idle());
    assert_int_equal(larch_coap_endpoint_datagram(&b.ep, request.handle).len, 0);
    receive_at(START_MS, 1, false, reaction(&request, LARCH_COAP_NON, LARCH_COAP_CONTENT, 9));
    expect(LARCH_COAP_NOTHING, LARCH_COAP_DROP_UNMATCHED);
}

static void test_verified_observation(void **state)
{
    (void)state;
    asked observation;
    ask_and_send(0, LARCH_COAP_CON, LARCH_COAP_VERIFIED | LARCH_COAP_OBSERVE, &observation);
    receive_at(START_MS, 1, false, reaction(&observation, LARCH_COAP_NON, LARCH_COAP_CONTENT, 1));
    expect(LARCH_COAP_RESPONSE, LARCH_COAP_DROP_NONE);
    assert_false(is_idle());
    larch_coap_endpoint_accept(&b.ep, observation.handle);
    assert_true(is_idle());
    receive_at(START_MS, 2, false, reaction(&observation, LARCH_COAP_NON, LARCH_COAP_CONTENT, 2));
    expect(LARCH_COAP_RESPONSE, LARCH_COAP_DROP_NONE);
    assert_int_equal(b.event.handle, observation.handle);
    larch_coap_endpoint_cancel(&b.ep, observation.handle);
    receive_at(START_MS, 2, false, reaction(&observation, LARCH_COAP_NON, LARCH_COAP_CONTENT, 3));
    expect(LARCH_COAP_NOTHING, LARCH_COAP_DROP_UNMATCHED);
}

static void test_random_fails(void **state)
{
    (void)state;
    b.random.fails_at = 1;
    larch_random random = larch_sim_random_of(&b.random);
    larch_coap_endpoint ep;
    larch_coap_memory memory = {b.exchanges, 1, b.answers, sizeof b.answers};
    assert_int_equal(larch_coap_endpoint_init(&ep, &memory, &random, NULL, 0), LARCH_PLATFORM);
    memory.answers_len = LARCH_COAP_EMPTY_LEN - 1; /* no room for an acknowledgement */
    assert_int_equal(larch_coap_endpoint_init(&ep, &memory, &random, NULL, 0), LARCH_STATE);
    memory = (larch_coap_memory){b.exchanges, 0, b.answers, sizeof b.answers};
    assert_int_equal(larch_coap_endpoint_init(&ep, &memory, &random, NULL, 0), LARCH_STATE);
    asked request;
    for (unsigned i = 0; i < 2 * LARCH_COAP_TRANSMISSIONS; i++)
        assert_int_equal(ask_at(START_MS, 0, LARCH_COAP_CON, 0, &request), LARCH_PLATFORM);
    b.random.fails_at = 0;
    for (unsigned i = 0; i < LARCH_COAP_TRANSMISSIONS; i++) /* nothing was lost */
        assert_int_equal(ask_at(START_MS, i, LARCH_COAP_CON, 0, &request), LARCH_OK);
}

static void test_request_misuse(void **state)
{
    (void)state;
    larch_coap_builder builder;
    uint32_t handle;
    larch_peer peer = peer_of(0);
    const struct {
        larch_coap_type type;
        uint8_t code;
    } rows[] = {{LARCH_COAP_ACK, LARCH_COAP_GET},
                {LARCH_COAP_RST, LARCH_COAP_GET},
                {LARCH_COAP_CON, LARCH_COAP_EMPTY},
                {LARCH_COAP_CON, LARCH_COAP_CONTENT}};
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(
            larch_coap_endpoint_request(&b.ep, START_MS, &peer, rows[i].type, rows[i].code, 0, NULL, &builder, &handle),
            LARCH_STATE);
    assert_int_equal(larch_coap_endpoint_request_end(&b.ep, &builder, 0), LARCH_STATE);
    for (unsigned i = 0; i < 2 * LARCH_COAP_TRANSMISSIONS; i++) {
        assert_int_equal(larch_coap_endpoint_request(&b.ep, START_MS, &peer, LARCH_COAP_CON, LARCH_COAP_POST, 0, NULL,
                                                     &builder, &handle),
                         LARCH_OK);
        (void)larch_coap_build_payload_reserve(&builder, LARCH_COAP_DATAGRAM_MAX);
        assert_int_equal(larch_coap_endpoint_request_end(&b.ep, &builder, handle), LARCH_SPACE);
    }
    assert_true(is_idle());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_arrivals, setup),
        cmocka_unit_test_setup(test_bad_option_is_short, setup),
        cmocka_unit_test_setup(test_unsent_is_unmatched, setup),
        cmocka_unit_test_setup(test_ids_of_both_sides, setup),
        cmocka_unit_test_setup(test_handles_wrap, setup),
        cmocka_unit_test_setup(test_backoff, setup),
        cmocka_unit_test_setup(test_response_timeouts, setup),
        cmocka_unit_test_setup(test_acknowledged_then, setup),
        cmocka_unit_test_setup(test_non_is_not_acknowledged, setup),
        cmocka_unit_test_setup(test_non_without_token_is_acknowledged, setup),
        cmocka_unit_test_setup(test_token_of_the_caller, setup),
        cmocka_unit_test_setup(test_duplicate_con, setup),
        cmocka_unit_test_setup(test_duplicate_non, setup),
        cmocka_unit_test_setup(test_same_id_other_request, setup),
        cmocka_unit_test_setup(test_id_alone_earns_nothing, setup),
#if LARCH_SERVER_GROUP > 1
        cmocka_unit_test_setup(test_peek, setup),
#endif
        cmocka_unit_test_setup(test_not_remembered, setup),
        cmocka_unit_test_setup(test_replacement, setup),
        cmocka_unit_test_setup(test_places_are_secret, setup),
        cmocka_unit_test_setup(test_answer_space, setup),
        cmocka_unit_test_setup(test_answer_later, setup),
        cmocka_unit_test_setup(test_separate_response_again, setup),
        cmocka_unit_test_setup(test_multicast_answers, setup),
        cmocka_unit_test_setup(test_multicast_shorter_leisure, setup),
        cmocka_unit_test_setup(test_multicast_flood, setup),
        cmocka_unit_test_setup(test_any_peer, setup),
        cmocka_unit_test_setup(test_observe, setup),
        cmocka_unit_test_setup(test_observe_unanswered, setup),
        cmocka_unit_test_setup(test_verified, setup),
        cmocka_unit_test_setup(test_verified_observation, setup),
        cmocka_unit_test_setup(test_nstart, setup),
        cmocka_unit_test_setup(test_table_full, setup),
        cmocka_unit_test_setup(test_message_ids, setup),
        cmocka_unit_test_setup(test_random_fails, setup),
        cmocka_unit_test_setup(test_request_misuse, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
