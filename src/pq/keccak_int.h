/* SPDX-License-Identifier: Apache-2.0 */
/* Keccak-f[1600] on 32-bit words, if LARCH_KECCAK_32 is set. Two words are a lane: its bits at even places, and its
 * bits at odd places. */
#ifndef LARCH_KECCAK_INT_H
#define LARCH_KECCAK_INT_H

#include "pq/pq.h"

/* Left to themselves, compilers call the round 24 times and spill around each call, and call four times for a lane. */
#if defined(__GNUC__)
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#else
#define ALWAYS_INLINE static inline
#endif

/* [FIPS202 3.3] */
void larch_keccak32_permute(uint32_t s[50]);

/* Swaps the bits that mask names with those n places above. */
ALWAYS_INLINE uint32_t keccak32_swap(uint32_t x, uint32_t mask, unsigned n)
{
    uint32_t different = (x ^ x >> n) & mask;
    return x ^ different ^ different << n;
}

/* Even bits to the low half, odd bits to the high half. */
ALWAYS_INLINE uint32_t keccak32_part(uint32_t x)
{
    x = keccak32_swap(x, 0x22222222, 1);
    x = keccak32_swap(x, 0x0c0c0c0c, 2);
    x = keccak32_swap(x, 0x00f000f0, 4);
    return keccak32_swap(x, 0x0000ff00, 8);
}

/* And back. */
ALWAYS_INLINE uint32_t keccak32_join(uint32_t x)
{
    x = keccak32_swap(x, 0x0000ff00, 8);
    x = keccak32_swap(x, 0x00f000f0, 4);
    x = keccak32_swap(x, 0x0c0c0c0c, 2);
    return keccak32_swap(x, 0x22222222, 1);
}

/* words ^= lane. */
ALWAYS_INLINE void keccak32_add(uint32_t words[2], uint64_t lane)
{
    uint32_t low = keccak32_part((uint32_t)lane), high = keccak32_part((uint32_t)(lane >> 32));
    words[0] ^= (low & 0xffff) | high << 16;
    words[1] ^= low >> 16 | (high & 0xffff0000);
}

/* The lane that words stand for. */
ALWAYS_INLINE uint64_t keccak32_lane(const uint32_t words[2])
{
    uint32_t low = keccak32_join((words[0] & 0xffff) | words[1] << 16);
    uint32_t high = keccak32_join(words[0] >> 16 | (words[1] & 0xffff0000));
    return low | (uint64_t)high << 32;
}

#endif
