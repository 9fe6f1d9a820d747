/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keccak for 32-bit processors. Of each lane the bits at even places are in one
 * word and those at odd places in another. A rotation of the lane is then one of
 * each word, and one half of a round's result needs just as many words as it has:
 * with the sums of columns that theta needs, kept as the round's results are
 * stored, everything fits 28 registers.
 */
#include "pq/keccak_int.h"

#if LARCH_KECCAK_32

/* At -Os gcc 12 spills, and makes more code than at -O2; its first scheduler moves words away from their use. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__OPTIMIZE__)
#pragma GCC optimize("O2", "no-schedule-insns")
#endif

/* rc of step iota for the 24 rounds [FIPS202 3.2.5], even bits and odd bits. */
static const uint32_t round_constants[48] = {
    0x00000001, 0x00000000, 0x00000000, 0x00000089, 0x00000000, 0x8000008b, 0x00000000, 0x80008080,
    0x00000001, 0x0000008b, 0x00000001, 0x00008000, 0x00000001, 0x80008088, 0x00000001, 0x80000082,
    0x00000000, 0x0000000b, 0x00000000, 0x0000000a, 0x00000001, 0x00008082, 0x00000000, 0x00008003,
    0x00000001, 0x0000808b, 0x00000001, 0x8000000b, 0x00000001, 0x8000008a, 0x00000001, 0x80000081,
    0x00000000, 0x80000081, 0x00000000, 0x80000008, 0x00000000, 0x00000083, 0x00000000, 0x80008003,
    0x00000001, 0x80008088, 0x00000000, 0x80000088, 0x00000001, 0x00008000, 0x00000000, 0x80008082,
};

#if defined(__GNUC__)
/* Between planes nothing may be moved, or else compilers load early and spill; and a sum is to be made where it is
 * written, not where it is used. */
#define PLANE_ENDS() __asm__ volatile("" : : : "memory")
#define MAKE_NOW(x)  __asm__("" : "+r"(x))
#else
#define PLANE_ENDS() ((void)0)
#define MAKE_NOW(x)  ((void)0)
#endif

/* n may be 0 or 32. */
static inline uint32_t rotl(uint32_t x, unsigned n) { return x << (n % 32) | x >> ((32 - n) % 32); }

/* Taken once for both its uses: compilers move it behind the second, and need another. */
static inline uint32_t complement(uint32_t x)
{
    x = ~x;
    MAKE_NOW(x);
    return x;
}

/* Half h of the lane, with theta's d added and rotated by n: from the same half if n is even, else the other. */
ALWAYS_INLINE uint32_t moved(const uint32_t *a, const uint32_t *d, unsigned lane, unsigned n, unsigned h)
{
    const unsigned from = (n + h) % 2;
    return rotl(a[2 * lane + from] ^ d[2 * (lane % 5) + from], (n + 1 - h) / 2);
}

/* e's half h of the lane is v, which is added to its column's sum. */
ALWAYS_INLINE void store(uint32_t *e, uint32_t *c, unsigned lane, unsigned h, uint32_t v)
{
    uint32_t *sum = c + 2 * (lane % 5) + h;
    e[2 * lane + h] = v;
    if (lane < 5) {
        *sum = v;
    } else {
        *sum ^= v;
        MAKE_NOW(*sum);
    }
}

/* Half h of one round from a to e, lane (x, y) of the standard being the words at 2 (x + 5 y). Complements of lanes
 * are as in keccak.c. */
ALWAYS_INLINE void half(const uint32_t *restrict a, uint32_t *restrict e, const uint32_t *d, uint32_t *c, uint32_t rc,
                        unsigned h)
{
    uint32_t b0, b1, b2, b3, b4;
    b0 = moved(a, d, 0, 0, h);
    b1 = moved(a, d, 6, 44, h);
    b2 = moved(a, d, 12, 43, h);
    b3 = moved(a, d, 18, 21, h);
    b4 = moved(a, d, 24, 14, h);
    store(e, c, 0, h, b0 ^ (b1 | b2) ^ rc);
    store(e, c, 1, h, b1 ^ (~b2 | b3));
    store(e, c, 2, h, b2 ^ (b3 & b4));
    store(e, c, 3, h, b3 ^ (b4 | b0));
    store(e, c, 4, h, b4 ^ (b0 & b1));
    PLANE_ENDS();

    b0 = moved(a, d, 3, 28, h);
    b1 = moved(a, d, 9, 20, h);
    b2 = moved(a, d, 10, 3, h);
    b3 = moved(a, d, 16, 45, h);
    b4 = moved(a, d, 22, 61, h);
    store(e, c, 5, h, b0 ^ (b1 | b2));
    store(e, c, 6, h, b1 ^ (b2 & b3));
    store(e, c, 7, h, b2 ^ (b3 | ~b4));
    store(e, c, 8, h, b3 ^ (b4 | b0));
    store(e, c, 9, h, b4 ^ (b0 & b1));
    PLANE_ENDS();

    b0 = moved(a, d, 1, 1, h);
    b1 = moved(a, d, 7, 6, h);
    b2 = moved(a, d, 13, 25, h);
    b3 = moved(a, d, 19, 8, h);
    b4 = moved(a, d, 20, 18, h);
    store(e, c, 10, h, b0 ^ (b1 | b2));
    store(e, c, 11, h, b1 ^ (b2 & b3));
    b3 = complement(b3);
    store(e, c, 12, h, b2 ^ (b3 & b4));
    store(e, c, 13, h, b3 ^ (b4 | b0));
    store(e, c, 14, h, b4 ^ (b0 & b1));
    PLANE_ENDS();

    b0 = moved(a, d, 4, 27, h);
    b1 = moved(a, d, 5, 36, h);
    b2 = moved(a, d, 11, 10, h);
    b3 = moved(a, d, 17, 15, h);
    b4 = moved(a, d, 23, 56, h);
    store(e, c, 15, h, b0 ^ (b1 & b2));
    store(e, c, 16, h, b1 ^ (b2 | b3));
    b3 = complement(b3);
    store(e, c, 17, h, b2 ^ (b3 | b4));
    store(e, c, 18, h, b3 ^ (b4 & b0));
    store(e, c, 19, h, b4 ^ (b0 | b1));
    PLANE_ENDS();

    b0 = moved(a, d, 2, 62, h);
    b1 = moved(a, d, 8, 55, h);
    b2 = moved(a, d, 14, 39, h);
    b3 = moved(a, d, 15, 41, h);
    b4 = moved(a, d, 21, 2, h);
    store(e, c, 24, h, b4 ^ (b0 & b1));
    b1 = complement(b1);
    store(e, c, 20, h, b0 ^ (b1 & b2));
    store(e, c, 21, h, b1 ^ (b2 | b3));
    store(e, c, 22, h, b2 ^ (b3 & b4));
    store(e, c, 23, h, b3 ^ (b4 | b0));
    PLANE_ENDS();
}

/* One round; c has the sums of a's columns, then those of e's. */
ALWAYS_INLINE void keccak_round(const uint32_t *restrict a, uint32_t *restrict e, uint32_t *c, const uint32_t rc[2])
{
    uint32_t d[10];
    d[0] = c[8] ^ rotl(c[3], 1);
    d[1] = c[9] ^ c[2];
    d[2] = c[0] ^ rotl(c[5], 1);
    d[3] = c[1] ^ c[4];
    d[4] = c[2] ^ rotl(c[7], 1);
    d[5] = c[3] ^ c[6];
    d[6] = c[4] ^ rotl(c[9], 1);
    d[7] = c[5] ^ c[8];
    d[8] = c[6] ^ rotl(c[1], 1);
    d[9] = c[7] ^ c[0];
    half(a, e, d, c, rc[0], 0);
    half(a, e, d, c, rc[1], 1);
}

ALWAYS_INLINE void complement_lane(uint32_t *s, unsigned lane)
{
    s[2 * lane] = ~s[2 * lane];
    s[2 * lane + 1] = ~s[2 * lane + 1];
}

static void complement_lanes(uint32_t *s)
{
    complement_lane(s, 1);
    complement_lane(s, 2);
    complement_lane(s, 8);
    complement_lane(s, 12);
    complement_lane(s, 17);
    complement_lane(s, 20);
}

void larch_keccak32_permute(uint32_t s[50])
{
    uint32_t t[50], c[10];
    complement_lanes(s);
    c[0] = s[0] ^ s[10] ^ s[20] ^ s[30] ^ s[40];
    c[1] = s[1] ^ s[11] ^ s[21] ^ s[31] ^ s[41];
    c[2] = s[2] ^ s[12] ^ s[22] ^ s[32] ^ s[42];
    c[3] = s[3] ^ s[13] ^ s[23] ^ s[33] ^ s[43];
    c[4] = s[4] ^ s[14] ^ s[24] ^ s[34] ^ s[44];
    c[5] = s[5] ^ s[15] ^ s[25] ^ s[35] ^ s[45];
    c[6] = s[6] ^ s[16] ^ s[26] ^ s[36] ^ s[46];
    c[7] = s[7] ^ s[17] ^ s[27] ^ s[37] ^ s[47];
    c[8] = s[8] ^ s[18] ^ s[28] ^ s[38] ^ s[48];
    c[9] = s[9] ^ s[19] ^ s[29] ^ s[39] ^ s[49];
#if LARCH_PQ_SMALL
    uint32_t *from = s, *to = t;
    for (const uint32_t *rc = round_constants; rc < round_constants + 48; rc += 2) {
        keccak_round(from, to, c, rc);
        uint32_t *swap = from;
        from = to;
        to = swap;
    }
#else
    for (const uint32_t *rc = round_constants; rc < round_constants + 48; rc += 4) {
        keccak_round(s, t, c, rc);
        keccak_round(t, s, c, rc + 2);
    }
#endif
    complement_lanes(s);
    larch_wipe(t, sizeof t);
}

#endif
