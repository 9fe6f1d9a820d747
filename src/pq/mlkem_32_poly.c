/* SPDX-License-Identifier: Apache-2.0 */
/* Arithmetic of mlkem_32_int.h. No residue is divided, branched on, or used as an
 * index, except while sampling the matrix, where all is public. */
#include "pq/mlkem_32_int.h"

#if LARCH_MLKEM_32

/* ---- products ---------------------------------------------------------- */

/* BaseCaseMultiply [FIPS203 algorithm 12] of a0 + a1 X, each below 2^12, and f0 + f1 X. Both sums of products are
 * below 2^12 * 36 q < 2^32. */
static inline void multiply_pair(uint16_t *sum, uint32_t a0, uint32_t a1, uint32_t f0, uint32_t f1, uint32_t f1_gamma)
{
    mlkem32_put(&sum[0], sum[0] + mlkem32_montgomery(a0 * f0 + a1 * f1_gamma));
    mlkem32_put(&sum[1], sum[1] + mlkem32_montgomery(a0 * f1 + a1 * f0));
}

/* Two pairs, at n, whose gammas differ in sign. */
static inline void multiply_four(mlkem_residues *sum, uint32_t a0, uint32_t a1, uint32_t a2, uint32_t a3,
                                 const mlkem_residues *f, unsigned n)
{
    const uint32_t gamma = larch_mlkem32_zetas[64 + n / 4];
    const uint16_t *c = f->c + n;
    multiply_pair(sum->c + n, a0, a1, c[0], c[1], mlkem32_times(c[1], gamma));
    multiply_pair(sum->c + n + 2, a2, a3, c[2], c[3], Q - mlkem32_times(c[3], gamma));
}

void larch_mlkem32_multiply_encoded(mlkem_residues *sum, const uint8_t *b, const mlkem_residues *f)
{
    for (unsigned n = 0; n < MLKEM_N; n += 4, b += 6)
        multiply_four(sum, b[0] | (b[1] & 15u) << 8, b[1] >> 4 | (uint32_t)b[2] << 4, b[3] | (b[4] & 15u) << 8,
                      b[4] >> 4 | (uint32_t)b[5] << 4, f, n);
}

/* d is put at end if it is below q; returns the new end. */
static inline uint16_t *keep(uint16_t *end, uint32_t d)
{
    d &= 0xfff;
    if (d < Q)
        *end++ = (uint16_t)d;
    return end;
}

/* Keeps what is below q of the eight numbers of 12 bits in three words. */
static inline uint16_t *keep_eight(uint16_t *end, const uint32_t w[3])
{
    end = keep(end, w[0]);
    end = keep(end, w[0] >> 12);
    end = keep(end, w[0] >> 24 | w[1] << 8);
    end = keep(end, w[1] >> 4);
    end = keep(end, w[1] >> 16);
    end = keep(end, w[1] >> 28 | w[2] << 4);
    end = keep(end, w[2] >> 8);
    return keep(end, w[2] >> 20);
}

void larch_mlkem32_multiply_sampled(mlkem_residues *sum, const uint8_t rho[32], uint8_t j, uint8_t i,
                                    const mlkem_residues *f)
{
    enum { LANES = LARCH_PQ_SMALL ? 3 : 21 }; /* 21 are the rate */
    const uint8_t place[2] = {j, i};
    uint32_t words[2 * LANES];
    uint16_t a[3 + 16 + 3] = {0}, *end = a; /* what is sampled and not yet used */
    larch_keccak xof;
    larch_shake128_init(&xof);
    larch_shake_absorb(&xof, (larch_bytes){rho, 32});
    larch_shake_absorb(&xof, LARCH_BYTES(place));
    larch_shake_finalize(&xof);
    for (unsigned n = 0; n < MLKEM_N;) {
        larch_shake_squeeze_words(&xof, words, LANES);
        for (const uint32_t *w = words; w < words + 2 * LANES && n < MLKEM_N; w += 6) {
            end = keep_eight(end, w);
            end = keep_eight(end, w + 3);
            const uint16_t *next = a;
            for (; end - next >= 4 && n < MLKEM_N; next += 4, n += 4)
                multiply_four(sum, next[0], next[1], next[2], next[3], f, n);
            a[0] = next[0];
            a[1] = next[1];
            a[2] = next[2];
            end = a + (end - next);
        }
    }
}

/* ---- noise and message ------------------------------------------------- */

/* Sums side by side: of each eta bits, then 3 more than the first less the second of two such sums. */
static inline uint32_t differences_2(uint32_t bits)
{
    uint32_t sums = (bits & 0x55555555) + (bits >> 1 & 0x55555555);
    return 0x33333333 + (sums & 0x33333333) - (sums >> 2 & 0x33333333);
}

static inline uint32_t differences_3(uint32_t bits)
{
    uint32_t sums = (bits & 0x249249) + (bits >> 1 & 0x249249) + (bits >> 2 & 0x249249);
    return 0x0c30c3 + (sums & 0x1c71c7) - (sums >> 3 & 0x1c71c7);
}

/* What noise is multiplied with, and zero for it: a multiple of q that is at least 3 times as much. */
typedef struct scale {
    uint32_t factor, zero;
} scale;

static const scale plain = {1, Q}, scaled = {(uint32_t)-1353, 2 * Q};

/* c += s * (field - 3), or c is that, for each of the fields of that many bits. */
static inline void put_noise(uint16_t *c, uint32_t fields, unsigned count, unsigned bits, scale s, bool add)
{
    for (unsigned i = 0; i < count; i++)
        mlkem32_put(&c[i],
                    (add ? c[i] : 0) + (fields >> bits * i & ((1u << bits) - 1)) * s.factor + (s.zero - 3 * s.factor));
}

static inline void noise(mlkem_residues *p, unsigned eta, const uint8_t seed[32], uint8_t nonce, scale s, bool add)
{
    uint32_t w[2 * 3];
    larch_keccak prf;
    larch_shake256_init(&prf);
    larch_shake_absorb(&prf, (larch_bytes){seed, 32});
    larch_shake_absorb(&prf, (larch_bytes){&nonce, 1});
    larch_shake_finalize(&prf);
    for (uint16_t *c = p->c; c < p->c + MLKEM_N;) {
        larch_shake_squeeze_words(&prf, w, eta);
        if (eta == 2)
            for (unsigned i = 0; i < 4; i++, c += 8)
                put_noise(c, differences_2(w[i]), 8, 4, s, add);
        else
            for (unsigned i = 0; i < 6; i += 3, c += 16) {
                put_noise(c, differences_3(w[i]), 4, 6, s, add);
                put_noise(c + 4, differences_3(w[i] >> 24 | w[i + 1] << 8), 4, 6, s, add);
                put_noise(c + 8, differences_3(w[i + 1] >> 16 | w[i + 2] << 16), 4, 6, s, add);
                put_noise(c + 12, differences_3(w[i + 2] >> 8), 4, 6, s, add);
            }
    }
    larch_wipe(&prf, sizeof prf);
    larch_wipe(w, sizeof w);
}

void larch_mlkem32_sample_noise(mlkem_residues *p, unsigned eta, const uint8_t seed[32], uint8_t nonce, bool is_scaled)
{
    const scale s = is_scaled ? scaled : plain;
    if (eta == 2)
        noise(p, 2, seed, nonce, s, false);
    else
        noise(p, 3, seed, nonce, s, false);
}

void larch_mlkem32_add_noise(mlkem_residues *p, const uint8_t seed[32], uint8_t nonce)
{
    noise(p, MLKEM_ETA2, seed, nonce, plain, true);
}

void larch_mlkem32_add_message(mlkem_residues *p, const uint8_t m[32])
{
    for (unsigned n = 0; n < MLKEM_N; n++)
        mlkem32_put(&p->c[n], p->c[n] + ((uint32_t)m[n / 8] >> n % 8 & 1u) * ((Q + 1) / 2));
}

/* round(2^d / q * c) mod 2^d, for c below q. The factor ceil(2^32 / q) is too large by 2/3, the product by at most
 * 2300; with 700 taken off, no c rounds wrongly for d = 1, 4, 5, 10 and 11. */
static inline uint32_t compress(uint32_t c, unsigned d) { return (c * 1290168 + (1u << (31 - d)) - 700) >> (32 - d); }

void larch_mlkem32_get_message(uint8_t m[32], const mlkem_residues *v, const mlkem_residues *w)
{
    for (unsigned i = 0; i < 32; i++) {
        uint32_t byte = 0;
        for (unsigned n = 8 * i; n < 8 * i + 8; n++)
            byte = byte >> 1 | compress(mlkem32_times((uint32_t)v->c[n] + Q - w->c[n], MLKEM32_ONE), 1) << 7;
        m[i] = (uint8_t)byte;
    }
}

/* ---- bytes ------------------------------------------------------------- */

void larch_mlkem32_encode(uint8_t *out, const mlkem_residues *p, uint32_t factor)
{
    for (const uint16_t *c = p->c; c < p->c + MLKEM_N; c += 2, out += 3) {
        uint32_t c0 = mlkem32_times(c[0], factor), c1 = mlkem32_times(c[1], factor);
        out[0] = (uint8_t)c0;
        out[1] = (uint8_t)(c0 >> 8 | c1 << 4);
        out[2] = (uint8_t)(c1 >> 4);
    }
}

uint8_t larch_mlkem32_compress(uint8_t *out, const uint8_t *expected, const mlkem_residues *p, unsigned d)
{
    uint32_t word = 0, difference = 0;
    unsigned have = 0;
    for (unsigned n = 0; n < MLKEM_N; n++) {
        word |= compress(mlkem32_times(p->c[n], MLKEM32_ONE), d) << have;
        for (have += d; have >= 8; have -= 8, word >>= 8)
            if (out != NULL)
                *out++ = (uint8_t)word;
            else
                difference |= word ^ *expected++;
    }
    return (uint8_t)difference;
}

void larch_mlkem32_decompress(mlkem_residues *p, const uint8_t *in, unsigned d)
{
    const uint32_t one = 1u << d, mask = one - 1;
    uint32_t word = 0;
    unsigned have = 0;
    for (unsigned n = 0; n < MLKEM_N; n++, have -= d, word >>= d) {
        for (; have < d; have += 8)
            word |= (uint32_t)*in++ << have;
        mlkem32_put(&p->c[n], ((word & mask) * Q + one / 2) >> d);
    }
}

#endif
