/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by flow.c, body.c, alert.c and detect.c alone. */
#ifndef LARCH_SNIFF_FLOW_INT_H
#define LARCH_SNIFF_FLOW_INT_H

#include "sniff/flow.h"

#define SECOND_NS UINT64_C(1000000000)

/* FNV-1a: spreads over tables. Whoever aims at one bucket makes the sniffer forget sooner, no more. */
static inline uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ p[i]) * UINT64_C(0x100000001b3);
    return hash;
}

#define HASH_START UINT64_C(0xcbf29ce484222325)

static inline uint64_t hash_peer(uint64_t hash, const larch_peer *peer)
{
    return hash_bytes(hash_bytes(hash, peer->address, sizeof peer->address), &peer->port, sizeof peer->port);
}

/* The first of the WAYS entries that share a hash. The high bits are the better ones. */
static inline size_t hash_set(uint64_t hash, size_t entries)
{
    return (size_t)((hash ^ hash >> 32) % (entries / LARCH_SNIFF_WAYS)) * LARCH_SNIFF_WAYS;
}

/* The start of a SHA-256 over pieces. */
void larch_sniff_digest(const larch_bytes *pieces, size_t count, uint8_t out[LARCH_SNIFF_DIGEST_LEN]);

/* Fills packet->body: the payload, or the blocks so far if this is the last. False: it is not whole. */
bool larch_sniff_body_take(larch_sniff_flow *flow, larch_sniff_packet *packet, const larch_peer *client,
                           const larch_peer *server);
/* Fills what direct says in packet->body. */
void larch_sniff_body_read(larch_sniff_packet *packet);

#endif
