/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tells a copy of a message from another one under the same peer and message ID: a keyed hash of all its bytes
 * but the type, since a retransmission is the same bytes again [RFC7252 4.2].
 *
 *     | header (4) | middle, of long messages | end (24 at most) |
 *
 * SipHash takes the peer, the header and the end, which is all of a short message. The middle first goes through NH,
 * the universal hash of UMAC [RFC4418 5.2], which cuts each 64 bytes to 8: so hashing a sealed message costs a fifth
 * of what SipHash alone takes. Two messages have the same content hash with a chance of about 2^-31, whichever bytes a
 * stranger chose for them: the keys are random at each start, and no hash ever leaves the endpoint.
 */
#include <string.h>

#include "base/siphash.h"
#include "endpoint_int.h"

#define HEADER LARCH_COAP_EMPTY_LEN
#define END    24
#define BLOCK  (4 * LARCH_COAP_HASH_WORDS)

static uint32_t load(const uint8_t p[4])
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

void larch_coap_hash_init(larch_coap_endpoint *ep)
{
    for (uint32_t i = 0; i < LARCH_COAP_HASH_WORDS; i++) {
        larch_siphash h;
        larch_siphash_init(&h, ep->hash_key);
        larch_siphash_word(&h, i);
        ep->content_key[i] = (uint32_t)larch_siphash_end(&h);
    }
}

larch_coap_hash larch_coap_hash_ends(const larch_coap_endpoint *ep, const larch_peer *peer, larch_bytes datagram)
{
    const uint32_t header = load(datagram.data) & ~0x30u; /* without the type: a copy may be confirmable or not */
    const size_t rest = datagram.len - HEADER, end = rest < END ? rest : END;
    larch_siphash h;
    larch_siphash_init(&h, ep->hash_key);
    larch_siphash_part(&h, LARCH_BYTES(peer->address));
    larch_siphash_word(&h, (uint64_t)peer->port << 32 | header);
    larch_siphash_part(&h, (larch_bytes){datagram.data + datagram.len - end, end});
    const uint64_t sum = larch_siphash_end(&h);
    return (larch_coap_hash){.place = (uint32_t)sum, .content = (uint32_t)(sum >> 32)};
}

static uint64_t nh(const uint32_t key[LARCH_COAP_HASH_WORDS], const uint8_t block[BLOCK])
{
    uint64_t sum = 0;
    for (size_t i = 0; i < LARCH_COAP_HASH_WORDS; i += 2)
        sum += (uint64_t)(load(block + 4 * i) + key[i]) * (load(block + 4 * i + 4) + key[i + 1]);
    return sum;
}

void larch_coap_hash_middle(const larch_coap_endpoint *ep, larch_bytes datagram, larch_coap_hash *hash)
{
    if (datagram.len <= HEADER + END)
        return;
    const uint8_t *at = datagram.data + HEADER;
    size_t left = datagram.len - HEADER - END;
    uint8_t last[BLOCK] = {0};
    larch_siphash h;
    larch_siphash_init(&h, ep->hash_key);
    for (; left >= BLOCK; at += BLOCK, left -= BLOCK)
        larch_siphash_word(&h, nh(ep->content_key, at));
    memcpy(last, at, left);
    larch_siphash_word(&h, nh(ep->content_key, last));
    larch_siphash_word(&h, datagram.len);
    hash->content ^= (uint32_t)larch_siphash_end(&h);
}
