/* SPDX-License-Identifier: Apache-2.0 */
/* The lanes of a sponge. If LARCH_KECCAK_32 is set, two words are a lane: its bits at even places, and its bits at odd
 * places. */
#ifndef LARCH_KECCAK_INT_H
#define LARCH_KECCAK_INT_H

#include "pq/pq.h"

/* Left to themselves, compilers call the round 24 times and spill around each call, and call four times for a lane. */
#if defined(__GNUC__)
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#else
#define ALWAYS_INLINE static inline
#endif

/* Keccak-f[1600]. [FIPS202 3.3] */
void larch_keccak_permute(larch_keccak *k);

/* As larch_shake128_many, one after the other. */
void larch_shake128_each(uint8_t (*out)[8], const larch_bytes *pieces, size_t piece_count, size_t count);

#if LARCH_KECCAK_32

void larch_keccak32_permute(uint32_t s[50]);

/* Of the 64 bits in x and y, numbered through, exchanges the numbers' highest bit with that of weight n. mask has
 * the places in a word without n. */
ALWAYS_INLINE void keccak32_exchange(uint32_t *x, uint32_t *y, uint32_t mask, unsigned n)
{
    uint32_t different = (*x >> n ^ *y) & mask;
    *y ^= different;
    *x ^= different << n;
}

/* Low and high half become even and odd bits: the numbers' lowest bit comes to the top, the others move down. */
ALWAYS_INLINE void keccak32_split(uint32_t *x, uint32_t *y)
{
    keccak32_exchange(x, y, 0x0000ffff, 16);
    keccak32_exchange(x, y, 0x00ff00ff, 8);
    keccak32_exchange(x, y, 0x0f0f0f0f, 4);
    keccak32_exchange(x, y, 0x33333333, 2);
    keccak32_exchange(x, y, 0x55555555, 1);
}

/* And back. */
ALWAYS_INLINE void keccak32_join(uint32_t *x, uint32_t *y)
{
    keccak32_exchange(x, y, 0x55555555, 1);
    keccak32_exchange(x, y, 0x33333333, 2);
    keccak32_exchange(x, y, 0x0f0f0f0f, 4);
    keccak32_exchange(x, y, 0x00ff00ff, 8);
    keccak32_exchange(x, y, 0x0000ffff, 16);
}

/* Lane i ^= x. */
ALWAYS_INLINE void keccak_add(larch_keccak *k, unsigned i, uint64_t x)
{
    uint32_t low = (uint32_t)x, high = (uint32_t)(x >> 32), *words = k->state + 2 * i;
    keccak32_split(&low, &high);
    words[0] ^= low;
    words[1] ^= high;
}

ALWAYS_INLINE uint64_t keccak_lane(const larch_keccak *k, unsigned i)
{
    const uint32_t *words = k->state + 2 * i;
    uint32_t low = words[0], high = words[1];
    keccak32_join(&low, &high);
    return low | (uint64_t)high << 32;
}

#else

ALWAYS_INLINE void keccak_add(larch_keccak *k, unsigned i, uint64_t x) { k->state[i] ^= x; }
ALWAYS_INLINE uint64_t keccak_lane(const larch_keccak *k, unsigned i) { return k->state[i]; }

#endif

#endif
