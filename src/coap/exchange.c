/* SPDX-License-Identifier: Apache-2.0 */
/* The memory against duplicates [RFC7252 4.5]: a table in which each message
 * has a few neighbouring places to be. Every step takes the same short time,
 * however large the table and whatever the peers send. */
#include <string.h>

#include "endpoint_int.h"

/* Four: measured against a full table, more lengthen each lookup by a cache
 * line and save few entries from being replaced early. */
#define PLACES 4u

static size_t first_place(const larch_coap_endpoint *ep, const larch_peer *peer, uint16_t message_id)
{
    uint8_t key[24];
    larch_writer w = larch_writer_to(key, sizeof key);
    larch_writer_put(&w, LARCH_BYTES(peer->address));
    larch_writer_put_u32(&w, peer->scope);
    larch_writer_put_u16(&w, peer->port);
    larch_writer_put_u16(&w, message_id);
    larch_coap_hash h;
    larch_coap_hash_init(&h, ep->hash_key);
    larch_coap_hash_part(&h, LARCH_BYTES(key));
    return (size_t)(larch_coap_hash_end(&h) % ep->exchange_count);
}

static bool is_of(const larch_coap_exchange *x, uint64_t now_ms, const larch_peer *peer, uint16_t message_id)
{
    return x->message_id == message_id && now_ms < x->until_ms && larch_peer_equal(&x->peer, peer);
}

/* The place of this message; if it has none and vacate is set, the place that
 * was to be forgotten first; else NULL. */
static larch_coap_exchange *place(const larch_coap_endpoint *ep, uint64_t now_ms, const larch_peer *peer,
                                  uint16_t message_id, bool vacate)
{
    size_t at = first_place(ep, peer, message_id);
    larch_coap_exchange *oldest = &ep->exchanges[at];
    for (size_t i = 0; i < PLACES && i < ep->exchange_count; i++) {
        larch_coap_exchange *x = &ep->exchanges[at];
        if (is_of(x, now_ms, peer, message_id))
            return x;
        if (x->until_ms < oldest->until_ms)
            oldest = x;
        at = at + 1 < ep->exchange_count ? at + 1 : 0;
    }
    return vacate ? oldest : NULL;
}

const larch_coap_exchange *larch_coap_exchange_find(const larch_coap_endpoint *ep, uint64_t now_ms,
                                                    const larch_peer *peer, uint16_t message_id)
{
    return place(ep, now_ms, peer, message_id, false);
}

void larch_coap_exchange_remember(larch_coap_endpoint *ep, uint64_t now_ms, const larch_peer *peer,
                                  larch_coap_type type, uint16_t message_id, larch_bytes answer)
{
    larch_coap_exchange *x = place(ep, now_ms, peer, message_id, true);
    x->peer = *peer;
    x->until_ms = now_ms + (type == LARCH_COAP_CON ? LARCH_COAP_EXCHANGE_LIFETIME_MS : LARCH_COAP_NON_LIFETIME_MS);
    x->message_id = message_id;
    x->answer_len = (uint8_t)answer.len;
    if (answer.len > 0)
        memcpy(x->answer, answer.data, answer.len);
}
