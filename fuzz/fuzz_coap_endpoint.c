/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An input is a script: each step is one byte that says what happens, then its
 * arguments. A request of ours is open most of the time, and some steps speak
 * with its true message ID and token, which no fuzzer would guess.
 */
#include <string.h>

#include "fuzz.h"
#include "larch/coap_endpoint.h"

#define ANSWERS 88

enum { STEP_RECEIVE, STEP_REACT, STEP_TIME, STEP_ASK, STEP_CANCEL, STEP_ANSWER, STEP_LATER, STEP_COUNT };

static const uint16_t understood[] = {LARCH_COAP_OPT_URI_PATH, LARCH_COAP_OPT_URI_QUERY};

typedef struct play {
    larch_reader script;
    uint64_t now_ms;
    larch_coap_exchange exchanges[3];
    uint8_t answers[ANSWERS];
    larch_coap_endpoint ep;
    uint8_t in[256];
    larch_bytes last; /* datagram received; a view into in */
    uint8_t reply_bytes[LARCH_COAP_DATAGRAM_MAX];
    larch_writer reply;
    larch_coap_event event;
    uint32_t handle; /* of our request, 0: none open */
    bool any_peer;
    larch_coap_message asked; /* its views point into asked_bytes */
    uint8_t asked_bytes[64];
    unsigned sent; /* transmissions of it */
} play;

/* Repeatable, and never the same twice. */
static larch_error count_up(void *context, uint8_t *out, size_t len)
{
    uint8_t *next = context;
    for (size_t i = 0; i < len; i++)
        out[i] = (*next)++;
    return LARCH_OK;
}

static uint8_t take(play *p)
{
    uint8_t byte;
    return larch_reader_take_u8(&p->script, &byte) == LARCH_OK ? byte : 0;
}

static larch_peer peer_of(uint8_t which)
{
    return (larch_peer){.address = {[10] = 0xff, [11] = 0xff, [15] = which}, .port = 5683};
}

/* ---- what must hold ---------------------------------------------------- */

static void check_reply(const play *p, larch_bytes datagram, bool multicast)
{
    larch_coap_message in, out;
    require(p->reply.len <= sizeof p->reply_bytes);
    if (p->reply.len == 0)
        return;
    require(!multicast || p->event.drop == LARCH_COAP_DROP_DUPLICATE);
    require(p->reply.len <= 3 * datagram.len || p->event.drop == LARCH_COAP_DROP_DUPLICATE);
    require(larch_coap_parse_header(datagram, &in) == LARCH_OK);
    require(in.type == LARCH_COAP_CON); /* all else is met with silence */
    require(larch_coap_parse((larch_bytes){p->reply.data, p->reply.len}, &out) == LARCH_OK);
    require(out.message_id == in.message_id);
    require(out.type == LARCH_COAP_ACK || (out.type == LARCH_COAP_RST && out.code == LARCH_COAP_EMPTY));
}

static void check_event(play *p, larch_bytes datagram)
{
    larch_coap_message in;
    bool whole = larch_coap_parse(datagram, &in) == LARCH_OK;
    switch (p->event.kind) {
    case LARCH_COAP_REQUEST:
        require(whole && in.code != LARCH_COAP_EMPTY && LARCH_COAP_CLASS(in.code) == 0 && in.type <= LARCH_COAP_NON);
        break;
    case LARCH_COAP_RESPONSE:
        require(whole && p->handle != 0 && p->event.handle == p->handle && p->sent > 0);
        require(larch_bytes_equal(in.token, p->asked.token));
        if (!p->any_peer)
            p->handle = 0;
        break;
    case LARCH_COAP_RESET:
        require(whole && p->handle != 0 && p->event.handle == p->handle && in.message_id == p->asked.message_id);
        p->handle = 0;
        break;
    default:
        require(p->event.kind == LARCH_COAP_NOTHING);
    }
    require(p->event.kind == LARCH_COAP_NOTHING || p->event.drop == LARCH_COAP_DROP_NONE);
}

static void receive(play *p, uint8_t from, bool multicast, larch_bytes datagram)
{
    larch_peer peer = peer_of(from);
    p->last = datagram;
    p->reply = larch_writer_to(p->reply_bytes, sizeof p->reply_bytes);
    larch_coap_endpoint_receive(&p->ep, p->now_ms, &peer, multicast, datagram, &p->reply, &p->event);
    check_reply(p, datagram, multicast);
    check_event(p, datagram);
}

/* ---- steps ------------------------------------------------------------- */

static void step_receive(play *p)
{
    uint8_t how = take(p);
    uint8_t len = take(p);
    larch_bytes bytes = {p->in, 0};
    while (bytes.len < len && p->script.left.len > 0)
        p->in[bytes.len++] = take(p);
    receive(p, how & 3, (how & 4) != 0, bytes);
}

/* A message of chosen type, code and sender that has the ID or token of our request, or both. */
static void step_react(play *p)
{
    uint8_t how = take(p);
    uint8_t code = take(p);
    uint8_t out[64];
    larch_coap_builder b;
    larch_bytes datagram;
    if (p->sent == 0)
        return;
    uint16_t id = take(p);
    if ((how & 4) != 0)
        id = p->asked.message_id;
    larch_bytes token = (how & 8) != 0 ? p->asked.token : (larch_bytes){NULL, 0};
    larch_coap_build(&b, out, sizeof out, (larch_coap_type)(how & 3), code, id, token);
    if ((how & 16) != 0)
        larch_coap_build_option_uint(&b, take(p), 1);
    if (larch_coap_build_end(&b, &datagram) != LARCH_OK)
        return; /* the last event still stands, with what its views point into */
    memcpy(p->in, datagram.data, datagram.len);
    receive(p, how >> 6, (how & 32) != 0, (larch_bytes){p->in, datagram.len});
}

static void poll_all(play *p)
{
    larch_peer peer;
    larch_bytes datagram;
    larch_coap_event event;
    larch_coap_message m;
    unsigned rounds = 0;
    while (larch_coap_endpoint_poll(&p->ep, p->now_ms, &peer, &datagram, &event) == LARCH_OK) {
        require(++rounds <= 2 * LARCH_COAP_TRANSMISSIONS);
        if (datagram.len == 0) {
            require(event.kind == LARCH_COAP_TIMEOUT);
            if (event.handle == p->handle)
                p->handle = 0;
            continue;
        }
        require(larch_coap_parse(datagram, &m) == LARCH_OK);
        if (event.handle != p->handle)
            continue;
        require(++p->sent <= 1 + LARCH_COAP_MAX_RETRANSMIT && datagram.len <= sizeof p->asked_bytes);
        require(p->sent == 1 || memcmp(p->asked_bytes, datagram.data, datagram.len) == 0);
        memcpy(p->asked_bytes, datagram.data, datagram.len);
        datagram.data = p->asked_bytes;
        require(larch_coap_parse(datagram, &p->asked) == LARCH_OK);
    }
    require(larch_coap_endpoint_deadline_ms(&p->ep) > p->now_ms);
}

static void step_ask(play *p)
{
    uint8_t how = take(p);
    larch_coap_builder b;
    uint32_t handle;
    larch_peer peer = peer_of(how & 3);
    if (p->handle != 0 ||
        larch_coap_endpoint_request(&p->ep, p->now_ms, &peer, (how & 4) != 0 ? LARCH_COAP_NON : LARCH_COAP_CON,
                                    LARCH_COAP_GET, how >> 3 & 3, NULL, &b, &handle) != LARCH_OK)
        return;
    larch_coap_build_path(&b, "a");
    require(larch_coap_endpoint_request_end(&p->ep, &b, handle) == LARCH_OK);
    p->handle = handle;
    p->any_peer = (how >> 3 & LARCH_COAP_ANY_PEER) != 0;
    p->sent = 0;
    poll_all(p);
}

/* Answers the last event if it was a request; what is remembered is answered alike when it comes again. */
static void step_answer(play *p)
{
    uint8_t how = take(p);
    uint8_t out[ANSWERS + 16], again[sizeof out];
    larch_coap_builder b;
    larch_bytes sent;
    if (p->event.kind != LARCH_COAP_REQUEST)
        return;
    bool remember = (how & 1) != 0;
    uint8_t code = (how & 2) != 0 ? LARCH_COAP_CHANGED : LARCH_COAP_NOT_FOUND;
    const larch_coap_pending pending = larch_coap_pending_of(&p->event);
    require(larch_coap_answer_begin(&pending, code, out, sizeof out, &b) == LARCH_OK);
    if (how >> 2 > 0)
        larch_coap_build_payload(&b, (larch_bytes){p->reply_bytes, how >> 2});
    larch_error e = larch_coap_endpoint_answer_end(&p->ep, p->now_ms, &pending, &b, remember, &sent);
    if (e != LARCH_OK || !remember)
        return;
    bool confirmable = p->event.message.type == LARCH_COAP_CON;
    memcpy(again, out, sent.len);
    receive(p, p->event.peer.address[15], p->event.multicast, p->last);
    require(p->event.drop == LARCH_COAP_DROP_DUPLICATE);
    require(p->reply.len == (confirmable ? sent.len : 0) && memcmp(p->reply.data, again, p->reply.len) == 0);
}

static void step_later(play *p)
{
    larch_coap_pending pending;
    larch_coap_builder b;
    uint32_t handle;
    if (p->event.kind != LARCH_COAP_REQUEST)
        return;
    larch_coap_endpoint_answer_later(&p->ep, p->now_ms, &p->event, &p->reply, &pending);
    p->event.kind = LARCH_COAP_NOTHING;
    if (larch_coap_endpoint_respond(&p->ep, p->now_ms, &pending, LARCH_COAP_CHANGED, &b, &handle) == LARCH_OK) {
        require(larch_coap_endpoint_request_end(&p->ep, &b, handle) == LARCH_OK);
        poll_all(p);
    }
}
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static play p;
    uint8_t random_next = 0;
    const larch_random random = {count_up, &random_next};
    memset(&p, 0, sizeof p);
    p.script = larch_reader_of((larch_bytes){data, size});
    const larch_coap_memory memory = {p.exchanges, sizeof p.exchanges / sizeof p.exchanges[0], p.answers,
                                      sizeof p.answers};
    require(larch_coap_endpoint_init(&p.ep, &memory, &random, understood, sizeof understood / sizeof understood[0]) ==
            LARCH_OK);
    while (p.script.left.len > 0) {
        switch (take(&p) % STEP_COUNT) {
        case STEP_RECEIVE:
            step_receive(&p);
            break;
        case STEP_REACT:
            step_react(&p);
            break;
        case STEP_TIME:
            p.now_ms += (uint64_t)take(&p) * take(&p) * 8;
            poll_all(&p);
            break;
        case STEP_ASK:
            step_ask(&p);
            break;
        case STEP_CANCEL:
            larch_coap_endpoint_cancel(&p.ep, p.handle);
            p.handle = 0;
            break;
        case STEP_ANSWER:
            step_answer(&p);
            break;
        default:
            step_later(&p);
        }
    }
    /* Left alone, all comes to an end. */
    for (unsigned i = 0; larch_coap_endpoint_deadline_ms(&p.ep) != UINT64_MAX; i++) {
        require(i < 10 * LARCH_COAP_TRANSMISSIONS);
        p.now_ms = larch_coap_endpoint_deadline_ms(&p.ep);
        poll_all(&p);
    }
    require(p.handle == 0);
    return 0;
}
