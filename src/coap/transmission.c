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

/* LARCH_AGAIN if the table is full. Sets handle, peer, flags and sent. */
static larch_error claim(larch_coap_endpoint *ep, const larch_peer *peer, unsigned flags, larch_coap_transmission **out)
{
    for (size_t i = 0; i < LARCH_COAP_TRANSMISSIONS; i++) {
        larch_coap_transmission *t = &ep->transmissions[i];
        if (t->handle != 0)
            continue;
        t->handle = ep->next_handle;
        ep->next_handle = ep->next_handle == UINT32_MAX ? 1 : ep->next_handle + 1;
        t->peer = *peer;
        t->flags = (uint8_t)flags;
        t->sent = 0;
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
        if (went_to(t, peer) && (t->flags & LARCH_COAP_IS_RESPONSE) == 0 &&
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

/* ---- beginning and ending ---------------------------------------------- */

/* Whether one more request to peer would be too many at once. An acknowledged one does not count. [RFC7252 4.7] */
static bool nstart_reached(const larch_coap_endpoint *ep, const larch_peer *peer)
{
    unsigned outstanding = 0;
    for (size_t i = 0; i < LARCH_COAP_TRANSMISSIONS; i++) {
        const larch_coap_transmission *t = &ep->transmissions[i];
        bool acknowledged = t->state == LARCH_COAP_WAIT_RESPONSE && t->timeout_ms != 0;
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

/* A number from 0 to limit. */
static uint32_t up_to(uint32_t random, uint32_t limit) { return (uint32_t)((uint64_t)random * (limit + 1ull) >> 32); }

static uint32_t first_timeout_ms(uint32_t random)
{
    const uint32_t spread_ms = LARCH_COAP_ACK_TIMEOUT_MS * (LARCH_COAP_ACK_RANDOM_PERMILLE - 1000u) / 1000u;
    return LARCH_COAP_ACK_TIMEOUT_MS + up_to(random, spread_ms);
}

/* token: of the request that a response answers; a request's own is drawn here. */
static larch_error begin(larch_coap_endpoint *ep, uint64_t now_ms, const larch_peer *peer, larch_coap_type type,
                         uint8_t code, unsigned flags, larch_bytes token, larch_coap_builder *b, uint32_t *handle)
{
    uint8_t random[TOKEN_LEN + sizeof(uint32_t)];
    uint32_t random_timeout;
    larch_coap_transmission *t;
    uint16_t message_id;
    larch_error e;
    if ((e = larch_random_fill(&ep->random, random, sizeof random)) != LARCH_OK ||
        (e = claim(ep, peer, flags, &t)) != LARCH_OK)
        return e;
    if ((e = take_message_id(ep, now_ms, &message_id)) != LARCH_OK) {
        release(t);
        return e;
    }
    memcpy(&random_timeout, random + TOKEN_LEN, sizeof random_timeout);
    if ((flags & LARCH_COAP_IS_RESPONSE) == 0)
        token = (larch_bytes){random, (flags & LARCH_COAP_EMPTY_TOKEN) != 0 ? 0 : TOKEN_LEN};
    t->message_id = message_id;
    t->state = LARCH_COAP_WAIT_END;
    t->due_ms = UINT64_MAX;
    t->timeout_ms = type == LARCH_COAP_CON ? first_timeout_ms(random_timeout) : 0;
    t->token_len = (uint8_t)token.len;
    if (token.len > 0)
        memcpy(t->token, token.data, token.len);
    larch_coap_build(b, t->datagram, sizeof t->datagram, type, code, message_id, token);
    *handle = t->handle;
    return LARCH_OK;
}

larch_error larch_coap_endpoint_request(larch_coap_endpoint *ep, uint64_t now_ms, const larch_peer *peer,
                                        larch_coap_type type, uint8_t code, unsigned flags, larch_coap_builder *b,
                                        uint32_t *handle)
{
    if ((type != LARCH_COAP_CON && type != LARCH_COAP_NON) || LARCH_COAP_CLASS(code) != 0 || code == LARCH_COAP_EMPTY)
        return LARCH_STATE;
    if ((flags & LARCH_COAP_SECOND_WAY) == 0 && nstart_reached(ep, peer))
        return LARCH_AGAIN;
    flags &= LARCH_COAP_ANY_PEER | LARCH_COAP_EMPTY_TOKEN;
    return begin(ep, now_ms, peer, type, code, flags, (larch_bytes){NULL, 0}, b, handle);
}

larch_error larch_coap_endpoint_respond(larch_coap_endpoint *ep, uint64_t now_ms, const larch_coap_pending *pending,
                                        uint8_t code, larch_coap_builder *b, uint32_t *handle)
{
    return begin(ep, now_ms, &pending->peer, pending->confirmable ? LARCH_COAP_CON : LARCH_COAP_NON, code,
                 LARCH_COAP_IS_RESPONSE, (larch_bytes){pending->token, pending->token_len}, b, handle);
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

void larch_coap_endpoint_cancel(larch_coap_endpoint *ep, uint32_t handle)
{
    larch_coap_transmission *t = of_handle(ep, handle);
    if (t != NULL)
        release(t);
}

larch_error larch_coap_transmission_delay(larch_coap_endpoint *ep, uint64_t now_ms, const larch_peer *peer,
                                          larch_bytes datagram)
{
    larch_coap_transmission *t;
    uint32_t random;
    uint8_t bytes[sizeof random];
    larch_error e;
    if (datagram.len > sizeof t->datagram)
        return LARCH_SPACE;
    if ((e = larch_random_fill(&ep->random, bytes, sizeof bytes)) != LARCH_OK ||
        (e = claim(ep, peer, LARCH_COAP_IS_RESPONSE, &t)) != LARCH_OK)
        return e;
    memcpy(&random, bytes, sizeof random);
    t->state = LARCH_COAP_WAIT_SEND;
    t->due_ms = now_ms + up_to(random, LARCH_COAP_LEISURE_MS);
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
