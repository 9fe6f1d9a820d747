/* SPDX-License-Identifier: Apache-2.0 */
/* In one piece, because all rules are tried on the same bench. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "coap/endpoint_int.h"
#include "sim.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define START_MS     1000000u
#define EXCHANGES    8

static const uint16_t understood[] = {LARCH_COAP_OPT_URI_HOST, LARCH_COAP_OPT_URI_PATH, LARCH_COAP_OPT_URI_QUERY};

/* An endpoint with its memory, and the last of everything that came out of it. */
typedef struct bench {
    larch_sim_random random;
    larch_coap_exchange exchanges[EXCHANGES];
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
    assert_int_equal(larch_coap_endpoint_init(&b.ep, b.exchanges, exchanges, &random, understood, COUNT(understood)),
                     LARCH_OK);
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
    larch_error e = larch_coap_endpoint_answer(&b.ep, now_ms, &b.event, code, out, sizeof out, &builder);
    if (e != LARCH_OK)
        return e;
    if (text[0] != '\0')
        larch_coap_build_payload(&builder, (larch_bytes){(const uint8_t *)text, strlen(text)});
    return larch_coap_endpoint_answer_end(&b.ep, now_ms, &b.event, &builder, remember, datagram);
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
        larch_coap_endpoint_request(&b.ep, now_ms, &peer, type, LARCH_COAP_GET, flags, &builder, &out->handle);
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
     "60821234ff6f7074696f6e2039204f53434f5245", true},
    {"critical option with a token",
     "420112344142"
     "90",
     0, false, KIND(NOTHING), DROP(BAD_OPTION), "628212344142ff6f7074696f6e2039204f53434f5245", true},
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
        bool ours = row->kind == KIND(RESPONSE) || row->kind == KIND(RESET) || strcmp(row->what, "acknowledged") == 0;
        assert_int_equal(b.event.handle, ours ? request.handle : 0);
    }
    assert_int_equal(larch_coap_endpoint_drops(&b.ep, LARCH_COAP_DROP_COUNT), 0);
    assert_string_equal(larch_coap_drop_text(LARCH_COAP_DROP_VERSION), "not CoAP version 1");
    assert_string_equal(larch_coap_drop_text(LARCH_COAP_DROP_COUNT), "?");
}

/* Before a request of ours has left, nothing can be its answer, not even from who guesses. */
static void test_unsent_is_unmatched(void **state)
{
    (void)state;
    asked request = {0};
    larch_coap_builder builder;
    larch_peer peer = peer_of(0);
    assert_int_equal(larch_coap_endpoint_request(&b.ep, START_MS, &peer, LARCH_COAP_CON, LARCH_COAP_GET,
                                                 LARCH_COAP_EMPTY_TOKEN, &builder, &request.handle),
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

/* ---- duplicates -------------------------------------------------------- */

static void test_duplicate_con(void **state)
{
    (void)state;
    larch_bytes sent;
    uint8_t first[LARCH_COAP_ANSWER_MAX];
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
            larch_coap_exchange_remember(&b.ep, START_MS, &peer, LARCH_COAP_CON, id, (larch_bytes){NULL, 0});
            places[run][id] = (size_t)(larch_coap_exchange_find(&b.ep, START_MS, &peer, id) - b.exchanges);
        }
    }
    for (unsigned id = 0; id < 64; id++)
        same += places[0][id] == places[1][id];
    assert_in_range(same, 1, 24); /* 8 expected */
}

/* SipHash-1-3: of nothing under the key 00 01 .. 0f; of 00 01 02 .. under the key zero, as CPython hashes bytes. */
static void test_hash(void **state)
{
    (void)state;
    const uint64_t key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
    larch_coap_hash h;
    larch_coap_hash_init(&h, key);
    larch_coap_hash_part(&h, (larch_bytes){NULL, 0});
    assert_true(larch_coap_hash_end(&h) == 0xabac0158050fc4dc);

    static const struct {
        size_t len;
        uint64_t sum;
    } rows[] = {{1, 0x68a914128e01e473},
                {7, 0x2f098ab0c751325a},
                {8, 0xead411e67ebe2eea},
                {9, 0x75927f9d95124362},
                {24, 0x31185a47af932f3a}};
    const uint64_t zero[2] = {0, 0};
    uint8_t counting[24];
    for (size_t i = 0; i < sizeof counting; i++)
        counting[i] = (uint8_t)i;
    for (size_t i = 0; i < COUNT(rows); i++) {
        larch_coap_hash_init(&h, zero);
        larch_coap_hash_part(&h, (larch_bytes){counting, rows[i].len});
        assert_true(larch_coap_hash_end(&h) == rows[i].sum);
    }

    const larch_bytes parts[][2] = {
        {LARCH_TEXT("a"), LARCH_TEXT("bc")},       {LARCH_TEXT("ab"), LARCH_TEXT("c")},
        {LARCH_TEXT("abc"), LARCH_TEXT("")},       {LARCH_TEXT("abcdefgh"), LARCH_TEXT("i")},
        {LARCH_TEXT("abcdefghi"), LARCH_TEXT("")}, {LARCH_TEXT("abcdefgh"), LARCH_TEXT("j")}};
    uint64_t sums[COUNT(parts)];
    for (size_t i = 0; i < COUNT(parts); i++) {
        larch_coap_hash_init(&h, key);
        larch_coap_hash_part(&h, parts[i][0]);
        larch_coap_hash_part(&h, parts[i][1]);
        sums[i] = larch_coap_hash_end(&h);
        for (size_t k = 0; k < i; k++)
            assert_true(sums[k] != sums[i]);
    }
}

/* ---- answering --------------------------------------------------------- */

static void test_answer_space(void **state)
{
    (void)state;
    uint8_t out[200];
    uint8_t text[LARCH_COAP_ANSWER_MAX] = {0};
    larch_coap_builder builder;
    larch_bytes sent = {NULL, 0};
    receive(message(LARCH_COAP_CON, LARCH_COAP_POST, 7, "tok"));
    const size_t whole = 4 + 3 + 1 + 5;
    for (size_t cap = 0; cap <= whole; cap++) {
        assert_int_equal(larch_coap_endpoint_answer(&b.ep, START_MS, &b.event, LARCH_COAP_CHANGED, out, cap, &builder),
                         LARCH_OK);
        larch_coap_build_payload(&builder, LARCH_TEXT("hello"));
        assert_int_equal(larch_coap_endpoint_answer_end(&b.ep, START_MS, &b.event, &builder, false, &sent),
                         cap < whole ? LARCH_SPACE : LARCH_OK);
        assert_int_equal(sent.len, cap < whole ? 0 : whole);
    }
    for (size_t len = LARCH_COAP_ANSWER_MAX + 1; len >= LARCH_COAP_ANSWER_MAX; len--) {
        receive(message(LARCH_COAP_CON, LARCH_COAP_POST, 7, "tok")); /* what was too long was not remembered */
        expect(LARCH_COAP_REQUEST, LARCH_COAP_DROP_NONE);
        assert_int_equal(
            larch_coap_endpoint_answer(&b.ep, START_MS, &b.event, LARCH_COAP_CHANGED, out, sizeof out, &builder),
            LARCH_OK);
        larch_coap_build_payload(&builder, (larch_bytes){text, len - 8});
        assert_int_equal(larch_coap_endpoint_answer_end(&b.ep, START_MS, &b.event, &builder, true, &sent),
                         len > LARCH_COAP_ANSWER_MAX ? LARCH_SPACE : LARCH_OK);
    }
    receive(message(LARCH_COAP_CON, LARCH_COAP_POST, 7, "tok"));
    expect(LARCH_COAP_NOTHING, LARCH_COAP_DROP_DUPLICATE);
    assert_int_equal(b.reply.len, LARCH_COAP_ANSWER_MAX);
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

static void test_multicast_no_room(void **state)
{
    (void)state;
    larch_bytes sent;
    for (unsigned i = 0; i <= LARCH_COAP_TRANSMISSIONS; i++) {
        receive_at(START_MS, 0, true, message(LARCH_COAP_NON, LARCH_COAP_GET, (uint16_t)i, ""));
        assert_int_equal(answer(START_MS, LARCH_COAP_CONTENT, "", false, &sent),
                         i < LARCH_COAP_TRANSMISSIONS ? LARCH_OK : LARCH_AGAIN);
    }
    assert_int_equal(larch_coap_endpoint_drops(&b.ep, LARCH_COAP_DROP_FULL), 1);
    b.random.fails_at = 1;
    assert_int_equal(answer(START_MS, LARCH_COAP_CONTENT, "", false, &sent), LARCH_PLATFORM);
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

static void test_random_fails(void **state)
{
    (void)state;
    b.random.fails_at = 1;
    larch_random random = larch_sim_random_of(&b.random);
    larch_coap_endpoint ep;
    assert_int_equal(larch_coap_endpoint_init(&ep, b.exchanges, 1, &random, NULL, 0), LARCH_PLATFORM);
    assert_int_equal(larch_coap_endpoint_init(&ep, b.exchanges, 0, &random, NULL, 0), LARCH_STATE);
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
            larch_coap_endpoint_request(&b.ep, START_MS, &peer, rows[i].type, rows[i].code, 0, &builder, &handle),
            LARCH_STATE);
    assert_int_equal(larch_coap_endpoint_request_end(&b.ep, &builder, 0), LARCH_STATE);
    for (unsigned i = 0; i < 2 * LARCH_COAP_TRANSMISSIONS; i++) {
        assert_int_equal(
            larch_coap_endpoint_request(&b.ep, START_MS, &peer, LARCH_COAP_CON, LARCH_COAP_POST, 0, &builder, &handle),
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
        cmocka_unit_test_setup(test_unsent_is_unmatched, setup),
        cmocka_unit_test_setup(test_ids_of_both_sides, setup),
        cmocka_unit_test_setup(test_handles_wrap, setup),
        cmocka_unit_test_setup(test_backoff, setup),
        cmocka_unit_test_setup(test_response_timeouts, setup),
        cmocka_unit_test_setup(test_acknowledged_then, setup),
        cmocka_unit_test_setup(test_non_is_not_acknowledged, setup),
        cmocka_unit_test_setup(test_duplicate_con, setup),
        cmocka_unit_test_setup(test_duplicate_non, setup),
        cmocka_unit_test_setup(test_not_remembered, setup),
        cmocka_unit_test_setup(test_replacement, setup),
        cmocka_unit_test_setup(test_places_are_secret, setup),
        cmocka_unit_test_setup(test_hash, setup),
        cmocka_unit_test_setup(test_answer_space, setup),
        cmocka_unit_test_setup(test_answer_later, setup),
        cmocka_unit_test_setup(test_separate_response_again, setup),
        cmocka_unit_test_setup(test_multicast_answers, setup),
        cmocka_unit_test_setup(test_multicast_no_room, setup),
        cmocka_unit_test_setup(test_any_peer, setup),
        cmocka_unit_test_setup(test_nstart, setup),
        cmocka_unit_test_setup(test_table_full, setup),
        cmocka_unit_test_setup(test_message_ids, setup),
        cmocka_unit_test_setup(test_random_fails, setup),
        cmocka_unit_test_setup(test_request_misuse, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
