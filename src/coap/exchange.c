/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory against duplicates [RFC7252 4.5]: a table in which each message
 * has a few neighbouring places to be. Every step takes the same short time,
 * however large the table and whatever the peers send.
 */
#include "endpoint_int.h"

/* Four: measured against a full table, more lengthen each lookup by a cache
 * line and save few entries from being replaced early. */
#define PLACES 4u

static size_t first_place(const larch_coap_endpoint *ep, uint32_t place)
{
    return (size_t)((uint64_t)place * ep->memory.exchange_count >> 32);
}

static bool is_of(const larch_coap_exchange *x, uint64_t now_ms, const larch_peer *peer, uint16_t message_id)
{
    return x->message_id == message_id && now_ms < x->until_ms && larch_peer_equal(&x->peer, peer);
}

/* The entry of this message; content: NULL for any message of this peer with this ID and these last bytes. If there
 * is none and vacate is not NULL, *vacate is the entry that was to be forgotten first. */
static larch_coap_exchange *find(const larch_coap_endpoint *ep, uint64_t now_ms, const larch_peer *peer,
                                 uint16_t message_id, uint32_t place, const uint32_t *content,
                                 larch_coap_exchange **vacate)
{
    size_t at = first_place(ep, place);
    larch_coap_exchange *oldest = &ep->memory.exchanges[at];
    for (size_t i = 0; i < PLACES && i < ep->memory.exchange_count; i++) {
        larch_coap_exchange *x = &ep->memory.exchanges[at];
        if (is_of(x, now_ms, peer, message_id) && (content == NULL || x->content == *content))
            return x;
        if (x->until_ms < oldest->until_ms)
            oldest = x;
        at = at + 1 < ep->memory.exchange_count ? at + 1 : 0;
    }
    if (vacate != NULL)
        *vacate = oldest;
    return NULL;
}

larch_coap_exchange *larch_coap_exchange_find(const larch_coap_endpoint *ep, uint64_t now_ms, const larch_peer *peer,
                                              uint16_t message_id, const larch_coap_hash *hash)
{
    return find(ep, now_ms, peer, message_id, hash->place, &hash->content, NULL);
}

#if LARCH_SERVER_GROUP > 1
bool larch_coap_exchange_is_copy(const larch_coap_endpoint *ep, uint64_t now_ms, const larch_peer *peer,
                                 uint16_t message_id, larch_bytes datagram)
{
    larch_coap_hash hash = larch_coap_hash_ends(ep, peer, datagram);
    if (find(ep, now_ms, peer, message_id, hash.place, NULL, NULL) == NULL)
        return false; /* nearly always, so that a message is hashed whole once, when it is received */
    larch_coap_hash_middle(ep, datagram, &hash);
    return larch_coap_exchange_find(ep, now_ms, peer, message_id, &hash) != NULL;
}
#endif

void larch_coap_exchange_remember(larch_coap_endpoint *ep, uint64_t now_ms, const larch_peer *peer, bool confirmable,
                                  uint16_t message_id, const larch_coap_hash *hash, larch_bytes answer)
{
    larch_coap_exchange *oldest;
    larch_coap_exchange *x = find(ep, now_ms, peer, message_id, hash->place, &hash->content, &oldest);
    if (x == NULL)
        x = oldest;
    x->peer = *peer;
    x->until_ms = now_ms + (confirmable ? LARCH_COAP_EXCHANGE_LIFETIME_MS : LARCH_COAP_NON_LIFETIME_MS);
    x->message_id = message_id;
    x->content = hash->content;
    x->answer_len = (uint16_t)answer.len;
    x->answer_at = larch_ring_put(&ep->answers, answer);
}

larch_bytes larch_coap_exchange_answer(const larch_coap_endpoint *ep, const larch_coap_exchange *x)
{
    return larch_ring_get(&ep->answers, x->answer_at, x->answer_len);
}
