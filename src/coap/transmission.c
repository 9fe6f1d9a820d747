/* SPDX-License-Identifier: Apache-2.0 */
/* Our own messages: their message IDs, tokens, retransmissions and ends
 * [RFC7252 4.2 to 4.4, 4.7, 4.8, 5.3]. The table is small, so it is walked. */
#include <string.h>

#include "endpoint_int.h"

#define TOKEN_LEN 4u /* random, so that who cannot see a request cannot answer it [RFC7252 5.3.1] */
#define NOWHERE   LARCH_COAP_TRANSMISSIONS

_Static_assert(LARCH_COAP_DATAGRAM_MAX <= UINT16_MAX, "datagram_len has 16 bits");
_Static_assert(LARCH_COAP_ACK_TIMEOUT_MS > 0 && LARCH_COAP_ACK_RANDOM_PERMILLE >= 1000, "back-off needs a start");
_Static_assert(LARCH_COAP_MAX_TRANSMIT_WAIT_MS <= UINT32_MAX, "timeout_ms has 32 bits");

/* ---- the table --------------------------------------------------------- */

static void release(larch_coap_transmission *t) { t->handle = 0; }

/* LARCH_AGAIN if the table is full. Sets handle, peer, flags, sent and a fresh token; *random is for the time to
 * wait. */
static larch_error claim(larch_coap_endpoint *ep, const larch_peer *peer, unsigned flags, uint32_t *random,
                         larch_coap_transmission **out)
{
    uint8_t drawn[TOKEN_LEN + sizeof *random];
    const larch_error e = larch_random_fill(&ep->random, drawn, sizeof drawn);
    if (e != LARCH_OK)
        return e;
    for (size_t i = 0; i < LARCH_COAP_TRANSMISSIONS; i++) {
        larch_coap_transmission *t = &ep->transmissions[i];
        if (t->handle != 0)
            continue;
        t->handle = ep->next_handle;
        ep->next_handle = ep->next_handle == UINT32_MAX ? 1 : ep->next_handle + 1;
        t->peer = *peer;
        t->flags = (uint8_t)flags;
        t->sent = 0;
        t->token_len = TOKEN_LEN;
        memcpy(t->token, drawn, TOKEN_LEN);
        *random = (uint32_t)drawn[TOKEN_LEN] | (uint32_t)drawn[TOKEN_LEN + 1] << 8 |
                  (uint32_t)drawn[TOKEN_LEN + 2] << 16 | (uint32_t)drawn[TOKEN_LEN + 3] << 24;
        *out = t;
        return LARCH_OK;
    }
    return LARCH_AGAIN;
}

static bool went_to(const larch_coap_transmission *t, const larch_peer *peer)
{
    return t->handle != 0 && t->sent > 0 && ((t->flags & LARCH_COAP_ANY_PEER) != 0 || larch_peer_equal(&t->peer, peer));
}

larch_coap_transmission *larch_coap_transmission_of_id(larch_coap_endpoint *ep, const larch_peer *peer,
                                                       uint16_t message_id)
{
    for (size_t i = 0; i < LARCH_COAP_TRANSMISSIONS; i++) {
        larch_coap_transmission *t = &ep->transmissions[i];
        if (went_to(t, peer) && t->message_id == message_id)
            return t;
    }
    return NULL;
}

larch_coap_transmission *larch_coap_transmission_of_token(larch_coap_endpoint *ep, const larch_peer *peer,
                                                          larch_bytes token)
{
    for (size_t i = 0; i < LARCH_COAP_TRANSMISSIONS; i++) {
        larch_coap_transmission *t = &ep->transmissions[i];
        const bool fits = (t->flags & LARCH_COAP_VERIFIED) != 0 ? t->handle != 0 && t->sent > 0 : went_to(t, peer);
        if (fits && (t->flags & LARCH_COAP_IS_RESPONSE) == 0 &&
            larch_bytes_equal((larch_bytes){t->token, t->token_len}, token))
            return t;
    }
    return NULL;
}

static larch_coap_transmission *of_handle(larch_coap_endpoint *ep, uint32_t handle)
{
    for (size_t i = 0; i < LARCH_COAP_TRANSMISSIONS; i++) {
        if (handle != 0 && ep->transmissions[i].handle == handle)
            return &ep->transmissions[i];
    }
    return NULL;
}

void larch_coap_transmission_delivered(larch_coap_transmission *t, uint64_t now_ms)
{
    if ((t->flags & LARCH_COAP_IS_RESPONSE) != 0) {
        release(t);
    } else {
        t->state = LARCH_COAP_WAIT_RESPONSE;
        t->due_ms = now_ms + LARCH_COAP_MAX_TRANSMIT_WAIT_MS;
    }
}

void larch_coap_transmission_answered(larch_coap_transmission *t)
{
    if ((t->flags & LARCH_COAP_OBSERVE) != 0) {
        t->state = LARCH_COAP_WAIT_NOTIFICATION;
        t->due_ms = UINT64_MAX;
    } else {
        release(t);
    }
}

/* ---- beginning and ending ---------------------------------------------- */

/* Whether one more request to peer would be too many at once. One that was acknowledged does not count, nor does an
 * observation. [RFC7252 4.7] */
static bool nstart_reached(const larch_coap_endpoint *ep, const larch_peer *peer)
{
    unsigned outstanding = 0;
    for (size_t i = 0; i < LARCH_COAP_TRANSMISSIONS; i++) {
        const larch_coap_transmission *t = &ep->transmissions[i];
        const bool acknowledged =
            (t->state == LARCH_COAP_WAIT_RESPONSE && t->timeout_ms != 0) || t->state == LARCH_COAP_WAIT_NOTIFICATION;
        if (t->handle != 0 && (t->flags & LARCH_COAP_IS_RESPONSE) == 0 && !acknowledged &&
            larch_peer_equal(&t->peer, peer))
            outstanding++;
    }
    return outstanding >= LARCH_COAP_NSTART;
}

/* The next message ID. A quarter of them opens again once EXCHANGE_LIFETIME has passed since its last use, so none
 * is used twice in that time, to whichever peer. [RFC7252 4.4] */
static larch_error take_message_id(larch_coap_endpoint *ep, uint64_t now_ms, uint16_t *out)
{
    uint16_t id = ep->next_message_id;
    uint64_t *free_ms = &ep->message_ids_free_ms[id >> 14];
    if ((id & 0x3fff) == 0 && now_ms < *free_ms)
        return LARCH_AGAIN;
    *free_ms = now_ms + LARCH_COAP_EXCHANGE_LIFETIME_MS;
    ep->next_message_id++;
    *out = id;
    return LARCH_OK;
}

uint64_t larch_coap_endpoint_free_ms(const larch_coap_endpoint *ep)
{
    const uint16_t id = ep->next_message_id;
    return (id & 0x3fff) == 0 ? ep->message_ids_free_ms[id >> 14] : 0;
}

/* A number from 0 to limit. */
static uint32_t up_to(uint32_t random, uint32_t limit) { return (uint32_t)((uint64_t)random * (limit + 1ull) >> 32); }

static uint32_t first_timeout_ms(uint32_t random)
{
    const uint32_t spread_ms = LARCH_COAP_ACK_TIMEOUT_MS * (LARCH_COAP_ACK_RANDOM_PERMILLE - 1000u) / 1000u;
    return LARCH_COAP_ACK_TIMEOUT_MS + up_to(random, spread_ms);
}

/* token: of the request that a response answers, or of the transfer; NULL: a fresh one, or none if the flags say so. */
static larch_error begin(larch_coap_endpoint *ep, uint64_t now_ms, const larch_peer *peer, larch_coap_type type,
                         uint8_t code, unsigned flags, const larch_bytes *token, larch_coap_builder *b,
                         uint32_t *handle)
{
    uint32_t random;
    larch_coap_transmission *t;
    uint16_t message_id;
    larch_error e = claim(ep, peer, flags, &random, &t);
    if (e != LARCH_OK)
        return e;
    if ((e = take_message_id(ep, now_ms, &message_id)) != LARCH_OK) {
        release(t);
        return e;
    }
    t->message_id = message_id;
    t->state = LARCH_COAP_WAIT_END;
    t->due_ms = UINT64_MAX;
    t->timeout_ms = type == LARCH_COAP_CON ? first_timeout_ms(random) : 0;
    if (token != NULL) {
        t->token_len = (uint8_t)token->len;
        if (token->len > 0)
            memcpy(t->token, token->data, token->len);
    } else if ((flags & LARCH_COAP_EMPTY_TOKEN) != 0) {
        t->token_len = 0;
    }
    larch_coap_build(b, t->datagram, sizeof t->datagram, type, code, message_id, (larch_bytes){t->token, t->token_len});
    *handle = t->handle;
    return LARCH_OK;
}

larch_error larch_coap_endpoint_request(larch_coap_endpoint *ep, uint64_t now_ms, const larch_peer *peer,
                                        larch_coap_type type, uint8_t code, unsigned flags, const larch_bytes *token,
                                        larch_coap_builder *b, uint32_t *handle)
{
    if (token != NULL && token->len > LARCH_COAP_TOKEN_MAX)
        return LARCH_STATE;
    if ((type != LARCH_COAP_CON && type != LARCH_COAP_NON) || LARCH_COAP_CLASS(code) != 0 || code == LARCH_COAP_EMPTY)
        return LARCH_STATE;
    if ((flags & LARCH_COAP_SECOND_WAY) == 0 && nstart_reached(ep, peer))
        return LARCH_AGAIN;
    flags &= LARCH_COAP_ANY_PEER | LARCH_COAP_EMPTY_TOKEN | LARCH_COAP_OBSERVE | LARCH_COAP_VERIFIED;
    return begin(ep, now_ms, peer, type, code, flags, token, b, handle);
}

larch_error larch_coap_endpoint_respond(larch_coap_endpoint *ep, uint64_t now_ms, const larch_coap_pending *pending,
                                        uint8_t code, larch_coap_builder *b, uint32_t *handle)
{
    const larch_bytes token = {pending->token, pending->token_len};
    return begin(ep, now_ms, &pending->peer, pending->confirmable ? LARCH_COAP_CON : LARCH_COAP_NON, code,
                 LARCH_COAP_IS_RESPONSE, &token, b, handle);
}

larch_error larch_coap_endpoint_request_end(larch_coap_endpoint *ep, const larch_coap_builder *b, uint32_t handle)
{
    larch_coap_transmission *t = of_handle(ep, handle);
    if (t == NULL || t->state != LARCH_COAP_WAIT_END)
        return LARCH_STATE;
    larch_bytes datagram;
    larch_error e = larch_coap_build_end(b, &datagram);
    if (e != LARCH_OK) {
        release(t);
        return e;
    }
    t->datagram_len = (uint16_t)datagram.len;
    t->state = t->timeout_ms != 0 ? LARCH_COAP_WAIT_ACK : LARCH_COAP_WAIT_SEND;
    t->due_ms = 0;
    return LARCH_OK;
}

larch_bytes larch_coap_endpoint_datagram(const larch_coap_endpoint *ep, uint32_t handle)
{
    for (size_t i = 0; i < LARCH_COAP_TRANSMISSIONS; i++) {
        const larch_coap_transmission *t = &ep->transmissions[i];
        if (handle != 0 && t->handle == handle && t->state != LARCH_COAP_WAIT_END)
            return (larch_bytes){t->datagram, t->datagram_len};
    }
    return (larch_bytes){NULL, 0};
}

void larch_coap_endpoint_accept(larch_coap_endpoint *ep, uint32_t handle)
{
    larch_coap_transmission *t = of_handle(ep, handle);
    if (t != NULL)
        larch_coap_transmission_answered(t);
}

/* The message ID may stay: none is used twice in EXCHANGE_LIFETIME, to whichever peer. So a host that got the first copy
 * finds the second to be a duplicate. */
void larch_coap_endpoint_move(larch_coap_endpoint *ep, uint64_t now_ms, uint32_t handle, const larch_peer *peer)
{
    larch_coap_transmission *t = of_handle(ep, handle);
    if (t == NULL || (t->flags & LARCH_COAP_VERIFIED) == 0)
        return;
    t->peer = *peer;
    if (t->state != LARCH_COAP_WAIT_ACK || t->sent == 0)
        return;
    t->timeout_ms >>= t->sent - 1;
    t->sent = 1; /* an answer may still come */
    t->due_ms = now_ms;
}

void larch_coap_endpoint_cancel(larch_coap_endpoint *ep, uint32_t handle)
{
    larch_coap_transmission *t = of_handle(ep, handle);
    if (t != NULL)
        release(t);
}

/*
 * The leisure keeps the many servers of a group from answering one request at the same time. Requests that come faster
 * than it ends are answered all over it anyway, and a full table would only lose some of them. So each answer that
 * waits takes a part of the leisure from the next. With one transmission free it is over, which leaves that one to
 * requests of ours.
 */
static uint32_t leisure_ms(const larch_coap_endpoint *ep)
{
    uint32_t waiting = 0;
    for (size_t i = 0; i < LARCH_COAP_TRANSMISSIONS; i++)
        waiting += ep->transmissions[i].handle != 0;
    const uint32_t places = LARCH_COAP_TRANSMISSIONS - 1;
    return waiting < places ? LARCH_COAP_LEISURE_MS * (places - waiting) / places : 0;
}

larch_error larch_coap_transmission_delay(larch_coap_endpoint *ep, uint64_t now_ms, const larch_peer *peer,
                                          larch_bytes datagram)
{
    larch_coap_transmission *t;
    uint32_t random;
    const uint32_t limit_ms = leisure_ms(ep);
    if (datagram.len > sizeof t->datagram)
        return LARCH_SPACE;
    if (limit_ms == 0)
        return LARCH_AGAIN;
    const larch_error e = claim(ep, peer, LARCH_COAP_IS_RESPONSE, &random, &t);
    if (e != LARCH_OK)
        return e;
    t->state = LARCH_COAP_WAIT_SEND;
    t->due_ms = now_ms + up_to(random, limit_ms);
    t->datagram_len = (uint16_t)datagram.len;
    memcpy(t->datagram, datagram.data, datagram.len);
    return LARCH_OK;
}

/* ---- time -------------------------------------------------------------- */

/* The place of what is due first, or NOWHERE. */
static size_t first_due(const larch_coap_endpoint *ep)
{
    size_t first = NOWHERE;
    for (size_t i = 0; i < LARCH_COAP_TRANSMISSIONS; i++) {
        const larch_coap_transmission *t = &ep->transmissions[i];
        if (t->handle != 0 && t->state != LARCH_COAP_WAIT_END &&
            (first == NOWHERE || t->due_ms < ep->transmissions[first].due_ms))
            first = i;
    }
    return first;
}

/* Counts one sending and sets what is awaited next. */
static void note_sent(larch_coap_transmission *t, uint64_t now_ms)
{
    t->sent++;
    if (t->state == LARCH_COAP_WAIT_SEND) {
        larch_coap_transmission_delivered(t, now_ms);
        return;
    }
    t->due_ms = now_ms + t->timeout_ms;
    t->timeout_ms *= 2;
}

larch_error larch_coap_endpoint_poll(larch_coap_endpoint *ep, uint64_t now_ms, larch_peer *peer, larch_bytes *datagram,
                                     larch_coap_event *event)
{
    memset(event, 0, sizeof *event);
    *datagram = (larch_bytes){NULL, 0};
    size_t at = first_due(ep);
    if (at == NOWHERE || now_ms < ep->transmissions[at].due_ms)
        return LARCH_AGAIN;
    larch_coap_transmission *t = &ep->transmissions[at];
    *peer = t->peer;
    event->handle = t->handle;
    event->peer = t->peer;
    if (t->state == LARCH_COAP_WAIT_RESPONSE || t->sent > LARCH_COAP_MAX_RETRANSMIT) {
        event->kind = LARCH_COAP_TIMEOUT;
        release(t);
        return LARCH_OK;
    }
    note_sent(t, now_ms);
    *datagram = (larch_bytes){t->datagram, t->datagram_len};
    return LARCH_OK;
}

uint64_t larch_coap_endpoint_deadline_ms(const larch_coap_endpoint *ep)
{
    size_t at = first_due(ep);
    return at == NOWHERE ? UINT64_MAX : ep->transmissions[at].due_ms;
}
