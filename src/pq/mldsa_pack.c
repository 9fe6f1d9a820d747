/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Polynomials as bytes. [FIPS204 7.1] Eight numbers of d bits are d bytes, least
 * significant bit first. The functions for one width are made from two inline
 * ones, so that each offset and shift is a constant.
 */
#include <string.h>

#include "pq/mldsa_int.h"

#if LARCH_MLDSA_44 || LARCH_MLDSA_65 || LARCH_MLDSA_87

#if defined(__GNUC__)
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#else
#define ALWAYS_INLINE static inline
#endif

/* d bytes of eight numbers below 2^d. */
ALWAYS_INLINE void put8(uint8_t *out, const uint32_t number[8], unsigned d)
{
    uint64_t word = 0;
    unsigned have = 0;
    for (unsigned i = 0; i < 8; i++) {
        word |= (uint64_t)number[i] << have;
        for (have += d; have >= 8; have -= 8, word >>= 8)
            *out++ = (uint8_t)word;
    }
}

ALWAYS_INLINE uint32_t load32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* The same backwards, for d >= 4. A number's word begins at the byte of its first
 * bit, or as late as the d bytes allow: it ends within either way, as d <= 25. */
ALWAYS_INLINE void get8(uint32_t number[8], const uint8_t *in, unsigned d)
{
#pragma GCC unroll 8
    for (unsigned i = 0; i < 8; i++) {
        unsigned bit = i * d, at = bit / 8 < d - 4 ? bit / 8 : d - 4;
        number[i] = load32(in + at) >> (bit - 8 * at) & ((1u << d) - 1);
    }
}

/* ---- small ----------------------------------------------------------------- */

ALWAYS_INLINE void pack_small(uint8_t *out, const mldsa_small *p, int16_t top, unsigned d)
{
    uint32_t number[8];
    for (const int16_t *c = p->c; c < p->c + MLDSA_N; c += 8, out += d) {
        for (unsigned i = 0; i < 8; i++)
            number[i] = (uint32_t)(top - c[i]);
        put8(out, number, d);
    }
}

ALWAYS_INLINE void unpack_small(mldsa_small *p, const uint8_t *in, int16_t top, unsigned d)
{
    uint32_t number[8];
    for (int16_t *c = p->c; c < p->c + MLDSA_N; c += 8, in += d) {
        if (d == 3) { /* narrower than a word */
            uint32_t word = (uint32_t)in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16;
            for (unsigned i = 0; i < 8; i++)
                number[i] = word >> (3 * i) & 7;
        } else {
            get8(number, in, d);
        }
        for (unsigned i = 0; i < 8; i++)
            c[i] = (int16_t)(top - (int32_t)number[i]);
    }
}

void larch_mldsa_pack_small(uint8_t *out, const mldsa_small *p, int16_t top, unsigned bits)
{
    switch (bits) {
    case 3:
        pack_small(out, p, top, 3);
        break;
    case 4:
        pack_small(out, p, top, 4);
        break;
    default:
        pack_small(out, p, top, MLDSA_T0_BITS);
    }
}

void larch_mldsa_unpack_small(mldsa_small *p, const uint8_t *in, int16_t top, unsigned bits)
{
    switch (bits) {
    case 3:
        unpack_small(p, in, top, 3);
        break;
    case 4:
        unpack_small(p, in, top, 4);
        break;
    default:
        unpack_small(p, in, top, MLDSA_T0_BITS);
    }
}

/* ---- short ----------------------------------------------------------------- */

ALWAYS_INLINE void pack_short(uint8_t *out, const mldsa_short *p, int32_t top, unsigned d)
{
    uint32_t number[8];
    for (const int32_t *c = p->c; c < p->c + MLDSA_N; c += 8, out += d) {
        for (unsigned i = 0; i < 8; i++)
            number[i] = (uint32_t)(top - c[i]);
        put8(out, number, d);
    }
}

ALWAYS_INLINE void unpack_short(mldsa_short *p, const uint8_t *in, int32_t top, unsigned d)
{
    uint32_t number[8];
    for (int32_t *c = p->c; c < p->c + MLDSA_N; c += 8, in += d) {
        get8(number, in, d);
        for (unsigned i = 0; i < 8; i++)
            c[i] = top - (int32_t)number[i];
    }
}

void larch_mldsa_pack_short(uint8_t *out, const mldsa_short *p, int32_t top, unsigned bits)
{
    if (bits == 18)
        pack_short(out, p, top, 18);
    else
        pack_short(out, p, top, 20);
}

void larch_mldsa_unpack_short(mldsa_short *p, const uint8_t *in, int32_t top, unsigned bits)
{
    if (bits == 18)
        unpack_short(p, in, top, 18);
    else
        unpack_short(p, in, top, 20);
}

ALWAYS_INLINE void unpack_residues(mldsa_poly *p, const uint8_t *in, int32_t top, unsigned d)
{
    for (uint32_t *c = p->c; c < p->c + MLDSA_N; c += 8, in += d) {
        get8(c, in, d);
        for (unsigned i = 0; i < 8; i++)
            c[i] = (uint32_t)(top + MLDSA_Q) - c[i];
    }
}

void larch_mldsa_unpack_residues(mldsa_poly *p, const uint8_t *in, int32_t top, unsigned bits)
{
    if (bits == 18)
        unpack_residues(p, in, top, 18);
    else
        unpack_residues(p, in, top, 20);
}

/* ---- t1 and w1 ------------------------------------------------------------- */

void larch_mldsa_pack_t1(uint8_t *out, const mldsa_poly *t1)
{
    for (const uint32_t *c = t1->c; c < t1->c + MLDSA_N; c += 8, out += MLDSA_T1_BITS)
        put8(out, c, MLDSA_T1_BITS);
}

void larch_mldsa_unpack_t1_centered(mldsa_small *t1, const uint8_t *in)
{
    uint32_t number[8];
    for (int16_t *c = t1->c; c < t1->c + MLDSA_N; c += 8, in += MLDSA_T1_BITS) {
        get8(number, in, MLDSA_T1_BITS);
        for (unsigned i = 0; i < 8; i++)
            c[i] = (int16_t)((int32_t)number[i] - (1 << (MLDSA_T1_BITS - 1)));
    }
}

/* Whole bytes hold 2 numbers of 4 bits, or 4 of 6 bits in 3. */
void larch_mldsa_pack_w1(uint8_t *out, const uint8_t *w1, unsigned bits)
{
    if (bits == 4) {
        for (unsigned i = 0; i < MLDSA_N / 2; i++)
            out[i] = (uint8_t)(w1[2 * i] | w1[2 * i + 1] << 4);
        return;
    }
    for (unsigned i = 0; i < MLDSA_N / 4; i++, w1 += 4, out += 3) {
        out[0] = (uint8_t)(w1[0] | w1[1] << 6);
        out[1] = (uint8_t)(w1[1] >> 2 | w1[2] << 4);
        out[2] = (uint8_t)(w1[2] >> 4 | w1[3] << 2);
    }
}

/* ---- hints ------------------------------------------------------------------
 *
 *     omega bytes: the places of the ones, polynomial after polynomial, then zeroes
 *     k bytes: how many ones there are up to the end of each polynomial
 */

bool larch_mldsa_hint_is_valid(const uint8_t *y, unsigned k, unsigned omega)
{
    unsigned at = 0;
    for (unsigned i = 0; i < k; i++) {
        unsigned end = y[omega + i], first = at;
        if (end < at || end > omega)
            return false;
        for (; at < end; at++)
            if (at > first && y[at - 1] >= y[at])
                return false;
    }
    for (; at < omega; at++)
        if (y[at] != 0)
            return false;
    return true;
}

void larch_mldsa_pack_hint(uint8_t *y, const uint8_t *hints, unsigned i, unsigned omega)
{
    uint8_t at = i > 0 ? y[omega + i - 1] : 0;
    for (unsigned n = 0; n < MLDSA_N; n++)
        if (hints[n] != 0)
            y[at++] = (uint8_t)n;
    y[omega + i] = at;
}

void larch_mldsa_unpack_hint(uint8_t *hints, const uint8_t *y, unsigned i, unsigned omega)
{
    memset(hints, 0, MLDSA_N);
    for (unsigned at = i > 0 ? y[omega + i - 1] : 0; at < y[omega + i]; at++)
        hints[y[at]] = 1;
}

/* ---- secret keys ----------------------------------------------------------- */

/* In eight numbers eta - c of 3 or 4 bits, those above 2 eta: for eta = 2 the numbers 5 to 7, for eta = 4 those from 9
 * on, which are the ones with the top bit and one more. */
static uint32_t beyond_eta(uint32_t numbers, unsigned eta)
{
    if (eta == 2)
        return numbers >> 2 & (numbers >> 1 | numbers) & 011111111;
    return numbers >> 3 & (numbers >> 2 | numbers >> 1 | numbers) & 0x11111111;
}

bool larch_mldsa_sk_is_in_range(int cose_algorithm, const uint8_t *sk)
{
    static const struct {
        int8_t cose_algorithm;
        uint8_t polynomials, eta, eta_bits;
    } sets[] = {{-48, 4 + 4, 2, 3}, {-49, 6 + 5, 4, 4}, {-50, 8 + 7, 2, 3}};
    uint32_t beyond = 0;
    size_t i = 0;
    while (i < sizeof sets / sizeof sets[0] && sets[i].cose_algorithm != cose_algorithm)
        i++;
    if (i == sizeof sets / sizeof sets[0])
        return false;
    const uint8_t *in = sk + MLDSA_S1_AT, *end = in + sets[i].polynomials * MLDSA_POLY_LEN(sets[i].eta_bits);
    while (in < end) {
        uint32_t numbers = 0;
        for (unsigned byte = 0; byte < sets[i].eta_bits; byte++)
            numbers |= (uint32_t)*in++ << (8 * byte);
        beyond |= beyond_eta(numbers, sets[i].eta);
    }
    beyond = (beyond | (0 - beyond)) >> 31; /* where it was is forgotten here */
    MLDSA_PUBLIC(&beyond, sizeof beyond);
    return beyond == 0;
}

#endif
