/* SPDX-License-Identifier: Apache-2.0 */
/* What comes in, and the answers to it [RFC7252 4, 5, 8]. */
#include <string.h>

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
_Static_assert(sizeof(larch_coap_exchange) <= LARCH_COAP_ANSWER_MAX + 48, "RAM budget");
_Static_assert(LARCH_COAP_ANSWER_MAX >= LARCH_COAP_EMPTY_LEN && LARCH_COAP_ANSWER_MAX <= UINT8_MAX,
               "answer_len has 8 bits");

larch_error larch_coap_endpoint_init(larch_coap_endpoint *ep, larch_coap_exchange *exchanges, size_t count,
                                     const larch_random *random, const uint16_t *understood, size_t understood_count)
{
    uint8_t seed[18];
    memset(ep, 0, sizeof *ep);
    if (count == 0)
        return LARCH_STATE;
    larch_error e = larch_random_fill(random, seed, sizeof seed);
    if (e != LARCH_OK)
        return e;
    for (size_t i = 0; i < count; i++)
        exchanges[i].until_ms = 0;
    ep->exchanges = exchanges;
    ep->exchange_count = count;
    ep->random = *random;
    ep->understood = understood;
    ep->understood_count = understood_count;
    ep->next_handle = 1;
    memcpy(ep->hash_key, seed, sizeof ep->hash_key);
    memcpy(&ep->next_message_id, seed + sizeof ep->hash_key, sizeof ep->next_message_id);
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
    larch_writer *reply;
    larch_coap_event *event;
} arrival;

static larch_bytes empty_message(uint8_t out[LARCH_COAP_EMPTY_LEN], larch_coap_type type, uint16_t message_id)
{
    larch_writer w = larch_writer_to(out, LARCH_COAP_EMPTY_LEN);
    larch_writer_put_u8(&w, (uint8_t)(1u << 6 | (unsigned)type << 4));
    larch_writer_put_u8(&w, LARCH_COAP_EMPTY);
    larch_writer_put_u16(&w, message_id);
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

/* 4.02 with the number and name of the option as diagnostic text. [RFC7252 5.4.1, 5.5.2] */
static void reply_bad_option(const arrival *a, const larch_coap_message *m, uint16_t number)
{
    const char *name = larch_coap_option_text(number);
    uint8_t text[48];
    uint8_t digits[5];
    size_t at = sizeof digits;
    do {
        digits[--at] = (uint8_t)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    larch_writer w = larch_writer_to(text, sizeof text);
    larch_writer_put(&w, LARCH_TEXT("option "));
    larch_writer_put(&w, (larch_bytes){digits + at, sizeof digits - at});
    if (name != NULL) {
        larch_writer_put_u8(&w, ' ');
        larch_writer_put(&w, (larch_bytes){(const uint8_t *)name, strlen(name)});
    }

    larch_coap_builder b;
    larch_bytes datagram;
    larch_coap_build(&b, a->reply->data, a->reply->cap, LARCH_COAP_ACK, LARCH_COAP_BAD_OPTION, m->message_id, m->token);
    larch_coap_build_payload(&b, (larch_bytes){text, w.len});
    if (larch_coap_build_end(&b, &datagram) == LARCH_OK)
        a->reply->len = datagram.len;
}

/* A message that was dealt with before: a confirmable one gets the same reply
 * again [RFC7252 4.5]. */
static bool is_duplicate(const larch_coap_endpoint *ep, const arrival *a, const larch_coap_message *m)
{
    const larch_coap_exchange *x = larch_coap_exchange_find(ep, a->now_ms, a->peer, m->message_id);
    if (x != NULL && m->type == LARCH_COAP_CON)
        larch_writer_put(a->reply, (larch_bytes){x->answer, x->answer_len});
    return x != NULL;
}

/* Remembers a confirmable or non-confirmable message from elsewhere; acknowledges the former with an Empty message,
 * now and whenever it comes again. */
static void acknowledge(larch_coap_endpoint *ep, const arrival *a, const larch_coap_message *m)
{
    uint8_t out[LARCH_COAP_EMPTY_LEN];
    larch_bytes ack = empty_message(out, LARCH_COAP_ACK, m->message_id);
    if (m->type != LARCH_COAP_CON)
        ack.len = 0;
    larch_writer_put(a->reply, ack);
    larch_coap_exchange_remember(ep, a->now_ms, a->peer, m->type, m->message_id, ack);
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
    /* That one of a group does not understand us leaves the others. */
    if ((t->flags & LARCH_COAP_ANY_PEER) != 0)
        return LARCH_COAP_DROP_UNMATCHED;
    a->event->kind = LARCH_COAP_RESET;
    a->event->handle = t->handle;
    larch_coap_endpoint_cancel(ep, t->handle);
    return LARCH_COAP_DROP_NONE;
}

static larch_coap_drop take_request(larch_coap_endpoint *ep, const arrival *a, const larch_coap_message *m)
{
    uint16_t bad;
    if (is_duplicate(ep, a, m))
        return LARCH_COAP_DROP_DUPLICATE;
    if (larch_coap_find_bad_option(m, ep->understood, ep->understood_count, &bad)) {
        if (m->type == LARCH_COAP_CON && !a->multicast)
            reply_bad_option(a, m, bad);
        return LARCH_COAP_DROP_BAD_OPTION;
    }
    a->event->kind = LARCH_COAP_REQUEST;
    return LARCH_COAP_DROP_NONE;
}

/* The request of ours that m answers, or NULL: the token and the peer must
 * match, and the message ID of an acknowledgement too. [RFC7252 5.3.2] */
static larch_coap_transmission *find_request(larch_coap_endpoint *ep, const arrival *a, const larch_coap_message *m)
{
    if (m->type != LARCH_COAP_ACK)
        return larch_coap_transmission_of_token(ep, a->peer, m->token);
    larch_coap_transmission *t = larch_coap_transmission_of_id(ep, a->peer, m->message_id);
    bool matches = t != NULL && t->timeout_ms != 0 && (t->flags & LARCH_COAP_IS_RESPONSE) == 0 &&
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
    if (larch_coap_find_bad_option(m, ep->understood, ep->understood_count, &bad))
        return reject(a, m, LARCH_COAP_DROP_BAD_OPTION);
    if (m->type != LARCH_COAP_ACK)
        acknowledge(ep, a, m);
    a->event->kind = LARCH_COAP_RESPONSE;
    a->event->handle = t->handle;
    if ((t->flags & LARCH_COAP_ANY_PEER) == 0)
        larch_coap_endpoint_cancel(ep, t->handle);
    else if (t->state == LARCH_COAP_WAIT_ACK)
        larch_coap_transmission_delivered(t, a->now_ms);
    return LARCH_COAP_DROP_NONE;
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
    const arrival a = {now_ms, peer, multicast, reply, event};
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

bool larch_coap_endpoint_peek(const larch_coap_endpoint *ep, uint64_t now_ms, const larch_peer *peer,
                              larch_bytes datagram, larch_coap_message *message)
{
    larch_coap_message *m = message;
    uint16_t bad;
    if (larch_coap_parse(datagram, m) == LARCH_OK && (m->type == LARCH_COAP_CON || m->type == LARCH_COAP_NON) &&
        m->code != LARCH_COAP_EMPTY && LARCH_COAP_CLASS(m->code) == 0 &&
        larch_coap_exchange_find(ep, now_ms, peer, m->message_id) == NULL &&
        !larch_coap_find_bad_option(m, ep->understood, ep->understood_count, &bad))
        return true;
    memset(m, 0, sizeof *m);
    return false;
}

/* ---- answering --------------------------------------------------------- */

larch_error larch_coap_endpoint_answer(larch_coap_endpoint *ep, uint64_t now_ms, const larch_coap_event *request,
                                       uint8_t code, uint8_t *out, size_t cap, larch_coap_builder *b)
{
    (void)ep;
    (void)now_ms;
    const larch_coap_message *m = &request->message;
    if (request->kind != LARCH_COAP_REQUEST)
        return LARCH_STATE;
    /* A non-confirmable answer takes the request's own message ID: the peer does not repeat that within
     * EXCHANGE_LIFETIME, so no flood of requests can use up ours [RFC7252 4.4]. A peer that we also send requests
     * to meets the same ID from both with a chance of 2^-16, and then takes the second message for a copy. */
    larch_coap_type type = m->type == LARCH_COAP_CON ? LARCH_COAP_ACK : LARCH_COAP_NON;
    larch_coap_build(b, out, cap, type, code, m->message_id, m->token);
    return LARCH_OK;
}

larch_error larch_coap_endpoint_answer_end(larch_coap_endpoint *ep, uint64_t now_ms, const larch_coap_event *request,
                                           const larch_coap_builder *b, bool remember, larch_bytes *datagram)
{
    const larch_coap_message *m = &request->message;
    const larch_bytes nothing = {NULL, 0};
    larch_bytes answer;
    larch_error e = larch_coap_build_end(b, &answer);
    if (e != LARCH_OK)
        return e;
    if (remember && answer.len > LARCH_COAP_ANSWER_MAX)
        return LARCH_SPACE;
    bool confirmable = m->type == LARCH_COAP_CON;
    bool silent = request->multicast && LARCH_COAP_CLASS(answer.data[1]) >= 4; /* the code */
    if (remember) {
        larch_bytes again = confirmable && !silent ? answer : nothing;
        larch_coap_exchange_remember(ep, now_ms, &request->peer, m->type, m->message_id, again);
    }
    if (request->multicast && !confirmable && !silent) {
        e = larch_coap_transmission_delay(ep, now_ms, &request->peer, answer);
        if (e == LARCH_AGAIN)
            ep->drops[LARCH_COAP_DROP_FULL]++;
        if (e == LARCH_OK)
            *datagram = nothing;
        return e;
    }
    *datagram = silent ? nothing : answer;
    return LARCH_OK;
}

void larch_coap_endpoint_answer_later(larch_coap_endpoint *ep, uint64_t now_ms, const larch_coap_event *request,
                                      larch_writer *reply, larch_coap_pending *pending)
{
    const larch_coap_message *m = &request->message;
    const arrival a = {now_ms, &request->peer, request->multicast, reply, NULL};
    memset(pending, 0, sizeof *pending);
    pending->peer = request->peer;
    pending->confirmable = m->type == LARCH_COAP_CON;
    pending->token_len = (uint8_t)m->token.len;
    if (m->token.len > 0)
        memcpy(pending->token, m->token.data, m->token.len);
    acknowledge(ep, &a, m);
}
