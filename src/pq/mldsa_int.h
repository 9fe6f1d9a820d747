/* SPDX-License-Identifier: Apache-2.0 */
/* Polynomials over Z_8380417 as the portable ML-DSA uses them. [FIPS204 7] */
#ifndef LARCH_MLDSA_INT_H
#define LARCH_MLDSA_INT_H

#include "pq/mldsa_level.h"

/*
 * Three kinds of polynomial. Each function says what it takes and leaves.
 *   poly    residues modulo q, not always reduced: bounds are multiples of q
 *   short   coefficients around zero, below q in absolute value
 *   small   the same in 16 bits: secrets, and products of them with a challenge
 */
typedef struct mldsa_poly {
    uint32_t c[MLDSA_N];
} mldsa_poly;

typedef struct mldsa_short {
    int32_t c[MLDSA_N];
} mldsa_short;

typedef struct mldsa_small {
    int16_t c[MLDSA_N];
} mldsa_small;

/* The challenge: tau terms X^at, where X^(256 + n) stands for -X^n. */
typedef struct mldsa_challenge {
    uint16_t at[MLDSA_TAU_MAX];
    unsigned tau;
} mldsa_challenge;

/* x / 2^32 mod q by Montgomery, for x < 2^32 q; at most q + x / 2^32. 58728449 = 1/q mod 2^32. */
static inline uint32_t larch_mldsa_montgomery(uint64_t x)
{
    uint32_t t = (uint32_t)x * 58728449;
    return (uint32_t)(x >> 32) + MLDSA_Q - (uint32_t)((uint64_t)t * MLDSA_Q >> 32);
}

/* ---- mldsa_poly.c: arithmetic ------------------------------------------- */

/* NTT in place [FIPS204 algorithm 41]. In: below 2 q; out: below 18 q. */
void larch_mldsa_ntt(mldsa_poly *p);

/* out = the sum of len products a[i] * b[i] / 2^32, value by value. a: below q, b: below 18 q, len <= 7.
 * Out: below 2 q. */
void larch_mldsa_multiply_row(mldsa_poly *out, const mldsa_poly *a, const mldsa_poly *b, unsigned len);

/* Inverse NTT in place [FIPS204 algorithm 42] of what larch_mldsa_multiply_row leaves, whose
 * 2^-32 it undoes. Out: below q. */
void larch_mldsa_inverse_ntt(mldsa_poly *p);

/* p += a, with p below q and |a| < q. Out: below q. */
void larch_mldsa_add_small(mldsa_poly *p, const mldsa_small *a);

/* w -= 2^13 (a + 2^9 b), for a + 2^9 b = c * t1. w: below q, in and out. */
void larch_mldsa_subtract_t1(mldsa_poly *w, const mldsa_small *a, const mldsa_small *b);
/* The same from c and t1 - 2^9, without memory for the products. */
void larch_mldsa_subtract_t1_slowly(mldsa_poly *w, const mldsa_challenge *challenge, const mldsa_small *t1);

/* Any residues: below 2 q. */
void larch_mldsa_reduce(mldsa_poly *p);

/* out = c * p. |c| of p times tau must fit 16 bits. The time depends on the challenge, which is public;
 * p may be secret. */
void larch_mldsa_challenge_times(mldsa_small *out, const mldsa_challenge *challenge, const mldsa_small *p);

/* Whether every |c| < bound. The answer is public, where it was made is not. */
bool larch_mldsa_norm_is_below(const mldsa_short *p, int32_t bound);

/* ---- mldsa_round.c: high and low parts ----------------------------------- */

/* Arrays of bytes here hold a number for each coefficient: MLDSA_N of them. */

/* Power2Round [FIPS204 algorithm 35] of residues below q: t becomes t1 below 2^10; -2^12 < t0 <= 2^12. */
void larch_mldsa_power2round(mldsa_poly *t, mldsa_small *t0);

/* Decompose [FIPS204 algorithm 36] of residues below q: r1 below m, |r0| <= gamma2. */
void larch_mldsa_decompose(const mldsa_rounding *m, uint8_t *r1, mldsa_short *r0, const mldsa_poly *r);

/* MakeHint [FIPS204 algorithm 39] for z = -c t0 and r = w - c s2 + c t0, given as w1 = HighBits(w), which the
 * hints (1 or 0) replace, and low = LowBits(w) - c s2 + c t0. Returns how many are 1, which is public. */
unsigned larch_mldsa_make_hint(const mldsa_rounding *m, uint8_t *w1, const mldsa_short *low);

/* UseHint [FIPS204 algorithm 40] on residues below q: w1 replaces the hints. All public. */
void larch_mldsa_use_hint(const mldsa_rounding *m, uint8_t *hints, const mldsa_poly *r);

/* ---- mldsa_pack.c: bytes ------------------------------------------------- */

/* BitPack and BitUnpack of coefficients that are top - n with 0 <= n < 2^bits. [FIPS204 algorithms 17 and 19]
 * Unpacking any bytes is defined: a number that the standard does not give out shows as a coefficient
 * beyond the range. bits: 3 or 4 (small); 13 (t0); 18 or 20 (short). */
void larch_mldsa_pack_small(uint8_t *out, const mldsa_small *p, int16_t top, unsigned bits);
void larch_mldsa_unpack_small(mldsa_small *p, const uint8_t *in, int16_t top, unsigned bits);
void larch_mldsa_pack_short(uint8_t *out, const mldsa_short *p, int32_t top, unsigned bits);
void larch_mldsa_unpack_short(mldsa_short *p, const uint8_t *in, int32_t top, unsigned bits);

/* The same coefficients as residues: below 2 q. */
void larch_mldsa_unpack_residues(mldsa_poly *p, const uint8_t *in, int32_t top, unsigned bits);

/* SimpleBitPack of t1, and its inverse with 2^9 taken off. [FIPS204 algorithms 16 and 18] */
void larch_mldsa_pack_t1(uint8_t *out, const mldsa_poly *t1);
void larch_mldsa_unpack_t1_centered(mldsa_small *t1, const uint8_t *in);

/* w1Encode of one polynomial. [FIPS204 algorithm 28] bits: 4 or 6. */
void larch_mldsa_pack_w1(uint8_t *out, const uint8_t *w1, unsigned bits);

/* HintBitPack of one row, which goes on behind the present ones; and row i of valid hints. */
void larch_mldsa_pack_hint(uint8_t *y, const uint8_t *hints, unsigned i, unsigned omega);
void larch_mldsa_unpack_hint(uint8_t *hints, const uint8_t *y, unsigned i, unsigned omega);

/* ---- mldsa_sample.c: from seeds ------------------------------------------ */

/* Row r of ExpandA, l polynomials, below q [FIPS204 algorithm 32]. rho is public, and the time depends on it. */
void larch_mldsa_sample_row(mldsa_poly *row, unsigned l, const uint8_t rho[32], unsigned r);

/* sum += entry (r, s) of A * v / 2^32, value by value, without memory for the entry. v: below 18 q; sum: grows by
 * less than 2 q. */
void larch_mldsa_multiply_sampled(mldsa_poly *sum, const uint8_t rho[32], unsigned r, unsigned s, const mldsa_poly *v);

/* One polynomial of ExpandS, the nonce-th [FIPS204 algorithm 33]. The time depends on how many of the
 * candidates are refused, which says nothing of those that are kept. */
void larch_mldsa_sample_secret(mldsa_small *s, unsigned eta, const uint8_t rho_prime[64], uint16_t nonce);

/* One polynomial of ExpandMask, as the bytes that BitUnpack takes. [FIPS204 algorithm 34] */
void larch_mldsa_sample_mask(uint8_t *out, size_t len, const uint8_t rho_second[64], uint16_t nonce);

/* SampleInBall [FIPS204 algorithm 29]. All public. */
void larch_mldsa_sample_challenge(mldsa_challenge *challenge, unsigned tau, const uint8_t *c_tilde, size_t len);

/* ---- mldsa.c, mldsa_sign.c, mldsa_verify.c -------------------------------- */

/* w = row r of A, times v, which is in the NTT's domain already; w is not, and below q. */
void larch_mldsa_multiply_sampled_row(const mldsa_params *p, mldsa_poly *w, const uint8_t *rho, unsigned r,
                                      const mldsa_poly *v);

/* H(mu || w1Encode(w1)), a row at a time. */
void larch_mldsa_commitment_init(larch_keccak *h, const uint8_t *mu);
void larch_mldsa_commitment_absorb(const mldsa_params *p, larch_keccak *h, const uint8_t *w1);
void larch_mldsa_commitment_finish(const mldsa_params *p, larch_keccak *h, uint8_t *c_tilde);

/* As in struct larch_sig_functions. */
bool larch_mldsa_sign(const mldsa_params *p, const uint8_t *sk, const uint8_t *mu, const uint8_t *rnd, uint8_t *sig);
bool larch_mldsa_verify(const mldsa_params *p, const uint8_t *pk, const uint8_t *mu, const uint8_t *sig);

#endif
