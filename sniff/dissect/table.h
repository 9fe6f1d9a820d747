/* SPDX-License-Identifier: Apache-2.0 */
/* How the tables of fixed size find their entries: those that share a hash lie together, and the oldest of them makes
 * room. Whoever aims at one place of a table makes the sniffer forget sooner, no more. */
#ifndef LARCH_SNIFF_TABLE_H
#define LARCH_SNIFF_TABLE_H

#include "larch/base.h"

#define LARCH_SNIFF_WAYS      8 /* entries that share a hash */
#define LARCH_SNIFF_SECOND_NS UINT64_C(1000000000)

/* FNV-1a */
#define LARCH_SNIFF_HASH_START UINT64_C(0xcbf29ce484222325)

static inline uint64_t larch_sniff_hash(uint64_t hash, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ p[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static inline uint64_t larch_sniff_hash_peer(uint64_t hash, const larch_peer *peer)
{
    return larch_sniff_hash(larch_sniff_hash(hash, peer->address, sizeof peer->address), &peer->port,
                            sizeof peer->port);
}

/* The index of the first of the WAYS entries that share a hash. The high bits are the better ones. */
static inline size_t larch_sniff_hash_set(uint64_t hash, size_t entries)
{
    return (size_t)((hash ^ hash >> 32) % (entries / LARCH_SNIFF_WAYS)) * LARCH_SNIFF_WAYS;
}

#endif
