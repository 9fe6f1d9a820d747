/* SPDX-License-Identifier: Apache-2.0 */
/* What comes in, and the answers to it [RFC7252 4, 5, 8]. */
#include <string.h>

#include "base/siphash.h"
#include "endpoint_int.h"

#define DROP_TEXT(name, text) [LARCH_COAP_DROP_##name] = (text),
static const char *const drop_texts[] = {LARCH_COAP_DROPS(DROP_TEXT)};

const char *larch_coap_drop_text(larch_coap_drop drop)
{
    return (size_t)drop < LARCH_COAP_DROP_COUNT ? drop_texts[drop] : "?";
}

/* The datagrams, and 128 bytes around each; a few words for the rest. */
_Static_assert(sizeof(larch_coap_endpoint) <= LARCH_COAP_TRANSMISSIONS * (LARCH_COAP_DATAGRAM_MAX + 128) + 256,
               "RAM budget");
_Static_assert(sizeof(larch_coap_exchange) <= 48, "RAM budget");
_Static_assert(LARCH_COAP_DATAGRAM_MAX <= UINT16_MAX, "answer_len has 16 bits");

larch_error larch_coap_endpoint_init(larch_coap_endpoint *ep, const larch_coap_memory *memory,
                                     const larch_random *random, const uint16_t *understood, size_t understood_count)
{
    memset(ep, 0, sizeof *ep);
    if (memory->exchange_count == 0 || memory->answers_len < LARCH_COAP_EMPTY_LEN)
        return LARCH_STATE;
    larch_error e;
    if ((e = larch_siphash_key(random, ep->hash_key)) != LARCH_OK ||
        (e = larch_random_fill(random, (uint8_t *)&ep->next_message_id, sizeof ep->next_message_id)) != LARCH_OK)
        return e;
    for (size_t i = 0; i < memory->exchange_count; i++)
        memory->exchanges[i].until_ms = 0;
    ep->memory = *memory;
    ep->answers = larch_ring_of(memory->answers, memory->answers_len);
    ep->random = *random;
    ep->understood = understood;
    ep->understood_count = understood_count;
    ep->next_handle = 1;
    larch_coap_hash_init(ep);
    return LARCH_OK;
}

uint32_t larch_coap_endpoint_drops(const larch_coap_endpoint *ep, larch_coap_drop drop)
{
    return (size_t)drop < LARCH_COAP_DROP_COUNT ? ep->drops[drop] : 0;
}

/* ---- replies made here ------------------------------------------------- */

/* One datagram on its way through receive. */
typedef struct arrival {
    uint64_t now_ms;
    const larch_peer *peer;
    bool multicast;
    larch_bytes datagram;
    larch_writer *reply;
    larch_coap_event *event;
} arrival;

static larch_bytes empty_message(uint8_t out[LARCH_COAP_EMPTY_LEN], larch_coap_type type, uint16_t message_id)
{
    out[0] = (uint8_t)(1u << 6 | (unsigned)type << 4);
    out[1] = LARCH_COAP_EMPTY;
    out[2] = (uint8_t)(message_id >> 8);
    out[3] = (uint8_t)message_id;
    return (larch_bytes){out, LARCH_COAP_EMPTY_LEN};
}

/* Rejecting a confirmable message is a Reset; any other is dropped in silence
 * [RFC7252 4.2, 4.3], and so is whatever came to a group [8.1]. */
static larch_coap_drop reject(const arrival *a, const larch_coap_message *m, larch_coap_drop why)
{
    uint8_t reset[LARCH_COAP_EMPTY_LEN];
    if (m->type == LARCH_COAP_CON && !a->multicast)
        larch_writer_put(a->reply, empty_message(reset, LARCH_COAP_RST, m->message_id));
    return why;
}

/* The source may be forged, so that no reply is longer than this many times its request. */
#define AMPLIFICATION_MAX 3

/* The code with the number and name of the option as diagnostic text [RFC7252 5.4.1, 5.5.2]; without the name if that
 * would be too long. The number always fits: a larger one makes its own request longer. */
static void reply_bad_option(const arrival *a, const larch_coap_message *m, uint8_t code, uint16_t number)
{
    const char *name = larch_coap_option_text(number);
    const size_t room = AMPLIFICATION_MAX * a->datagram.len - LARCH_COAP_EMPTY_LEN - m->token.len - 1;
    uint8_t text[48];
    larch_writer w = larch_writer_to(text, sizeof text);
    larch_writer_put_text(&w, "option ");
    larch_writer_put_decimal(&w, number);
    const size_t number_end = w.len;
    if (name != NULL) {
        larch_writer_put_u8(&w, ' ');
        larch_writer_put_text(&w, name);
    }
    if (w.len > room)
        w.len = number_end;

    larch_coap_builder b;
    larch_bytes datagram;
    larch_coap_build(&b, a->reply->data, a->reply->cap, LARCH_COAP_ACK, code, m->message_id, m->token);
    larch_coap_build_payload(&b, (larch_bytes){text, w.len});
    if (larch_coap_build_end(&b, &datagram) == LARCH_OK)
        a->reply->len = datagram.len;
}

/* A message that was dealt with before: a confirmable one gets the same reply again [RFC7252 4.5],
 * if it is still kept; it takes no effect again even if it is not. */
static bool is_duplicate(const larch_coap_endpoint *ep, const arrival *a, const larch_coap_message *m)
{
    larch_coap_hash *hash = &a->event->hash;
    *hash = larch_coap_hash_ends(ep, a->peer, a->datagram);
    larch_coap_hash_middle(ep, a->datagram, hash);
    const larch_coap_exchange *x = larch_coap_exchange_find(ep, a->now_ms, a->peer, m->message_id, hash);
    if (x != NULL && m->type == LARCH_COAP_CON)
        larch_writer_put(a->reply, larch_coap_exchange_answer(ep, x));
    return x != NULL;
}

/* Remembers a confirmable or non-confirmable message from elsewhere; acknowledges the former with an Empty message,
 * now and whenever it comes again. */
static void acknowledge(larch_coap_endpoint *ep, uint64_t now_ms, const larch_coap_event *event, larch_writer *reply)
{
    const larch_coap_message *m = &event->message;
    uint8_t out[LARCH_COAP_EMPTY_LEN];
    larch_bytes ack = empty_message(out, LARCH_COAP_ACK, m->message_id);
    if (m->type != LARCH_COAP_CON)
        ack.len = 0;
    larch_writer_put(reply, ack);
    larch_coap_exchange_remember(ep, now_ms, &event->peer, m->type == LARCH_COAP_CON, m->message_id, &event->hash, ack);
}

/* ---- datagrams in ------------------------------------------------------ */

/* An Empty acknowledgement or a Reset. */
static larch_coap_drop take_empty(larch_coap_endpoint *ep, const arrival *a, const larch_coap_message *m)
{
    larch_coap_transmission *t = larch_coap_transmission_of_id(ep, a->peer, m->message_id);
    if (t == NULL || a->multicast)
        return LARCH_COAP_DROP_UNMATCHED;
    if (m->type == LARCH_COAP_ACK) {
        if (t->state != LARCH_COAP_WAIT_ACK)
            return LARCH_COAP_DROP_UNMATCHED;
        a->event->handle = t->handle;
        larch_coap_transmission_delivered(t, a->now_ms);
        return LARCH_COAP_DROP_NONE;
    }
    /* That one of a group does not understand us leaves the others; what was answered is not rejected any more. */
    if ((t->flags & LARCH_COAP_ANY_PEER) != 0 || t->state == LARCH_COAP_WAIT_NOTIFICATION)
        return LARCH_COAP_DROP_UNMATCHED;
    a->event->kind = LARCH_COAP_RESET;
    a->event->handle = t->handle;
    larch_coap_endpoint_cancel(ep, t->handle);
    return LARCH_COAP_DROP_NONE;
}

/* A request to a proxy, which this is not. [RFC7252 5.7.2, 5.10.2] */
static bool is_for_proxy(const larch_coap_message *m, uint16_t *number)
{
    larch_coap_options options = larch_coap_options_of(m);
    larch_coap_option option;
    while (larch_coap_options_next(&options, &option))
        if (option.number == LARCH_COAP_OPT_PROXY_URI || option.number == LARCH_COAP_OPT_PROXY_SCHEME) {
            *number = option.number;
            return true;
        }
    return false;
}

/* 4.13 with the size of a block that fits. [RFC7959 2.9.3] */
static void reply_too_large(const arrival *a, const larch_coap_message *m)
{
    const larch_coap_block block = {.szx = LARCH_COAP_BLOCK_SZX};
    larch_coap_builder b;
    larch_bytes datagram;
    larch_coap_build(&b, a->reply->data, a->reply->cap, m->type == LARCH_COAP_CON ? LARCH_COAP_ACK : LARCH_COAP_NON,
                     LARCH_COAP_REQUEST_ENTITY_TOO_LARGE, m->message_id, m->token);
    larch_coap_build_option_uint(&b, LARCH_COAP_OPT_BLOCK1, larch_coap_block_value(block));
    if (larch_coap_build_end(&b, &datagram) == LARCH_OK)
        a->reply->len = datagram.len;
}

static larch_coap_drop take_request(larch_coap_endpoint *ep, const arrival *a, const larch_coap_message *m)
{
    const bool is_told = m->type == LARCH_COAP_CON && !a->multicast;
    uint16_t bad;
    if (a->datagram.len > LARCH_COAP_DATAGRAM_MAX) {
        if (!a->multicast)
            reply_too_large(a, m);
        return LARCH_COAP_DROP_TOO_LONG;
    }
    if (is_duplicate(ep, a, m))
        return LARCH_COAP_DROP_DUPLICATE;
    if (larch_coap_find_bad_option(m, ep->understood, ep->understood_count, &bad)) {
        const uint8_t code = is_for_proxy(m, &bad) ? LARCH_COAP_PROXYING_NOT_SUPPORTED : LARCH_COAP_BAD_OPTION;
        if (is_told)
            reply_bad_option(a, m, code, bad);
        return LARCH_COAP_DROP_BAD_OPTION;
    }
    a->event->kind = LARCH_COAP_REQUEST;
    return LARCH_COAP_DROP_NONE;
}

/* The request of ours that m answers, or NULL: the token must match, the peer, unless the caller verifies responses, and
 * the message ID of an acknowledgement [RFC7252 5.3.2]. Prototypes, which are asked without a token, acknowledge
 * non-confirmable requests as well. */
static larch_coap_transmission *find_request(larch_coap_endpoint *ep, const arrival *a, const larch_coap_message *m)
{
    if (m->type != LARCH_COAP_ACK)
        return larch_coap_transmission_of_token(ep, a->peer, m->token);
    larch_coap_transmission *t = larch_coap_transmission_of_id(ep, a->peer, m->message_id);
    if (t == NULL && (t = larch_coap_transmission_of_token(ep, a->peer, m->token)) != NULL &&
        t->message_id != m->message_id)
        return NULL;
    const bool matches = t != NULL && t->state != LARCH_COAP_WAIT_NOTIFICATION &&
                         (t->timeout_ms != 0 || t->token_len == 0) && (t->flags & LARCH_COAP_IS_RESPONSE) == 0 &&
                         larch_bytes_equal((larch_bytes){t->token, t->token_len}, m->token);
    return matches ? t : NULL;
}

static larch_coap_drop take_response(larch_coap_endpoint *ep, const arrival *a, const larch_coap_message *m)
{
    uint16_t bad;
    if (m->type != LARCH_COAP_ACK && is_duplicate(ep, a, m))
        return LARCH_COAP_DROP_DUPLICATE;
    larch_coap_transmission *t = find_request(ep, a, m);
    if (t == NULL || a->multicast)
        return reject(a, m, LARCH_COAP_DROP_UNMATCHED);
    if (larch_coap_find_bad_option(m, ep->understood, ep->understood_count, &bad)) {
        if ((t->flags & LARCH_COAP_ANY_PEER) == 0) {
            a->event->handle = t->handle;
            a->event->bad_option = bad;
        }
        return reject(a, m, LARCH_COAP_DROP_BAD_OPTION);
    }
    if (m->type != LARCH_COAP_ACK)
        acknowledge(ep, a->now_ms, a->event, a->reply);
    a->event->kind = LARCH_COAP_RESPONSE;
    a->event->handle = t->handle;
    if ((t->flags & (LARCH_COAP_ANY_PEER | LARCH_COAP_VERIFIED)) == 0)
        larch_coap_transmission_answered(t);
    else if ((t->flags & LARCH_COAP_VERIFIED) == 0 && t->state == LARCH_COAP_WAIT_ACK)
        larch_coap_transmission_delivered(t, a->now_ms);
    return a->datagram.len > LARCH_COAP_DATAGRAM_MAX ? LARCH_COAP_DROP_TOO_LONG : LARCH_COAP_DROP_NONE;
}

static larch_coap_drop take_message(larch_coap_endpoint *ep, const arrival *a, const larch_coap_message *m)
{
    bool asks = m->type == LARCH_COAP_CON || m->type == LARCH_COAP_NON;
    if (m->code == LARCH_COAP_EMPTY) {
        if (asks)
            return reject(a, m, m->type == LARCH_COAP_CON ? LARCH_COAP_DROP_PING : LARCH_COAP_DROP_MALFORMED);
        return take_empty(ep, a, m);
    }
    switch (LARCH_COAP_CLASS(m->code)) {
    case 0:
        return asks ? take_request(ep, a, m) : LARCH_COAP_DROP_MALFORMED;
    case 2:
    case 3:
    case 4:
    case 5:
        return m->type != LARCH_COAP_RST ? take_response(ep, a, m) : LARCH_COAP_DROP_MALFORMED;
    default: /* 1, 6, 7: reserved */
        return reject(a, m, LARCH_COAP_DROP_MALFORMED);
    }
}

void larch_coap_endpoint_receive(larch_coap_endpoint *ep, uint64_t now_ms, const larch_peer *peer, bool multicast,
                                 larch_bytes datagram, larch_writer *reply, larch_coap_event *event)
{
    const arrival a = {now_ms, peer, multicast, datagram, reply, event};
    memset(event, 0, sizeof *event);
    event->peer = *peer;
    event->multicast = multicast;
    reply->len = 0;
    if (larch_coap_parse(datagram, &event->message) == LARCH_OK)
        event->drop = take_message(ep, &a, &event->message);
    else if (larch_coap_parse_header(datagram, &event->message) == LARCH_OK)
        event->drop = reject(&a, &event->message, LARCH_COAP_DROP_MALFORMED);
    else
        event->drop = datagram.len >= LARCH_COAP_EMPTY_LEN ? LARCH_COAP_DROP_VERSION : LARCH_COAP_DROP_MALFORMED;
    ep->drops[event->drop]++;
}

#if LARCH_SERVER_GROUP > 1
bool larch_coap_endpoint_peek(const larch_coap_endpoint *ep, uint64_t now_ms, const larch_peer *peer,
                              larch_bytes datagram, larch_coap_message *message)
{
    larch_coap_message *m = message;
    uint16_t bad;
    if (datagram.len <= LARCH_COAP_DATAGRAM_MAX && larch_coap_parse(datagram, m) == LARCH_OK &&
        (m->type == LARCH_COAP_CON || m->type == LARCH_COAP_NON) && m->code != LARCH_COAP_EMPTY &&
        LARCH_COAP_CLASS(m->code) == 0 && !larch_coap_exchange_is_copy(ep, now_ms, peer, m->message_id, datagram) &&
        !larch_coap_find_bad_option(m, ep->understood, ep->understood_count, &bad))
        return true;
    memset(m, 0, sizeof *m);
    return false;
}
#endif

/* ---- answering --------------------------------------------------------- */

larch_coap_pending larch_coap_pending_of(const larch_coap_event *request)
{
    const larch_coap_message *m = &request->message;
    larch_coap_pending pending = {.peer = request->peer,
                                  .is_request = request->kind == LARCH_COAP_REQUEST,
                                  .confirmable = m->type == LARCH_COAP_CON,
                                  .multicast = request->multicast,
                                  .token_len = (uint8_t)m->token.len,
                                  .message_id = m->message_id,
                                  .hash = request->hash};
    if (m->token.len > 0)
        memcpy(pending.token, m->token.data, m->token.len);
    return pending;
}

larch_error larch_coap_answer_begin(const larch_coap_pending *pending, uint8_t code, uint8_t *out, size_t cap,
                                    larch_coap_builder *b)
{
    if (!pending->is_request)
        return LARCH_STATE;
    /* A non-confirmable answer takes the request's own message ID: the peer does not repeat that within
     * EXCHANGE_LIFETIME, so no flood of requests can use up ours [RFC7252 4.4]. A peer that we also send requests
     * to meets the same ID from both with a chance of 2^-16, and then takes the second message for a copy. */
    larch_coap_type type = pending->confirmable ? LARCH_COAP_ACK : LARCH_COAP_NON;
    larch_coap_build(b, out, cap, type, code, pending->message_id, (larch_bytes){pending->token, pending->token_len});
    return LARCH_OK;
}

static void remember(larch_coap_endpoint *ep, uint64_t now_ms, const larch_coap_pending *pending, larch_bytes answer)
{
    larch_coap_exchange_remember(ep, now_ms, &pending->peer, pending->confirmable, pending->message_id, &pending->hash,
                                 answer);
}

void larch_coap_endpoint_hold(larch_coap_endpoint *ep, uint64_t now_ms, const larch_coap_pending *pending)
{
    remember(ep, now_ms, pending, (larch_bytes){NULL, 0});
}

void larch_coap_endpoint_release(larch_coap_endpoint *ep, uint64_t now_ms, const larch_coap_pending *pending)
{
    larch_coap_exchange *x = larch_coap_exchange_find(ep, now_ms, &pending->peer, pending->message_id, &pending->hash);
    if (x != NULL)
        x->until_ms = 0;
}

larch_error larch_coap_endpoint_answer_end(larch_coap_endpoint *ep, uint64_t now_ms, const larch_coap_pending *pending,
                                           const larch_coap_builder *b, bool keep, larch_bytes *datagram)
{
    larch_bytes answer;
    const larch_error e = larch_coap_build_end(b, &answer);
    return e == LARCH_OK ? larch_coap_endpoint_answer_with(ep, now_ms, pending, answer, keep, datagram) : e;
}

larch_error larch_coap_endpoint_answer_with(larch_coap_endpoint *ep, uint64_t now_ms, const larch_coap_pending *pending,
                                            larch_bytes answer, bool keep, larch_bytes *datagram)
{
    const larch_bytes nothing = {NULL, 0};
    if (keep && answer.len > ep->memory.answers_len)
        return LARCH_SPACE;
    bool silent = pending->multicast && LARCH_COAP_CLASS(answer.data[1]) >= 4; /* the code */
    if (keep)
        remember(ep, now_ms, pending, pending->confirmable && !silent ? answer : nothing);
    if (pending->multicast && !pending->confirmable && !silent) {
        const larch_error e = larch_coap_transmission_delay(ep, now_ms, &pending->peer, answer);
        if (e == LARCH_OK)
            *datagram = nothing;
        if (e != LARCH_AGAIN)
            return e;
    }
    *datagram = silent ? nothing : answer;
    return LARCH_OK;
}

void larch_coap_endpoint_answer_later(larch_coap_endpoint *ep, uint64_t now_ms, const larch_coap_event *request,
                                      larch_writer *reply, larch_coap_pending *pending)
{
    *pending = larch_coap_pending_of(request);
    acknowledge(ep, now_ms, request, reply);
}
