/* SPDX-License-Identifier: Apache-2.0 */
/* Polynomials over Z_3329 as ML-KEM uses them. [FIPS203 4] */
#ifndef LARCH_MLKEM_INT_H
#define LARCH_MLKEM_INT_H

#include "pq/mlkem_level.h"

/*
 * Coefficients are signed and not always reduced: each function says what it
 * takes and what it leaves, as a bound on the absolute value. "canonical" is
 * 0 <= c < q. Three orders occur:
 *   plain   the coefficient of X^n at n; NTT values in the standard's order
 *   split   NTT values, those at even places first, then those at odd places:
 *           what larch_mlkem_ntt leaves, so that products need no shuffling
 */
typedef struct mlkem_poly {
    int16_t c[MLKEM_N];
} mlkem_poly;

/* The right-hand side of products: an NTT in split order, and its odd half
 * multiplied by the gammas of MultiplyNTTs, which every product needs. */
typedef struct mlkem_factor {
    mlkem_poly poly;
#if !LARCH_PQ_SMALL
    int16_t odd_gamma[MLKEM_N / 2];
#endif
} mlkem_factor;

/* SampleNTT of rho || j || i [FIPS203 algorithm 7]. canonical, plain. rho is
 * public, and the time depends on it. */
void larch_mlkem_sample_ntt(mlkem_poly *a, const uint8_t rho[32], uint8_t j, uint8_t i);

/* SamplePolyCBD_eta of PRF_eta(seed, nonce) [FIPS203 algorithm 8]; |c| <= eta, plain. */
void larch_mlkem_sample_cbd(mlkem_poly *p, unsigned eta, const uint8_t seed[32], uint8_t nonce);

/* NTT in place [FIPS203 algorithm 9]. In: |c| <= q, plain. Out: |c| < 8 q, split. */
void larch_mlkem_ntt(mlkem_poly *p);

/* Fills odd_gamma from poly. */
void larch_mlkem_factor_finish(mlkem_factor *f);

/* acc += a * f / 2^16 [FIPS203 algorithm 11]. a: 0 <= c < 2^12, plain; acc: split,
 * grows by less than 2 q, so that 4 products fit an acc that began as zero. */
void larch_mlkem_multiply_add(mlkem_poly *acc, const mlkem_poly *a, const mlkem_factor *f);

/* The NTT of a sum of products [FIPS203 algorithm 10]: takes the acc of larch_mlkem_multiply_add
 * and undoes its 2^-16. Out: |c| < q, plain. */
void larch_mlkem_inverse_ntt(mlkem_poly *acc);

/* acc * 2^16 + p, both in split order; canonical, plain. */
void larch_mlkem_finish_sum(mlkem_poly *acc, const mlkem_poly *p);

/* Split to plain; canonical. */
void larch_mlkem_to_plain(mlkem_poly *p);

/* p += a; the sum must fit 16 bits. */
void larch_mlkem_add(mlkem_poly *p, const mlkem_poly *a);

/* Compress_d to 0 <= c < 2^d of any coefficients; Decompress_d of such. [FIPS203 4.2.1] */
void larch_mlkem_compress(mlkem_poly *p, unsigned d);
void larch_mlkem_decompress(mlkem_poly *p, unsigned d);

/* ByteEncode_d and ByteDecode_d, 32 d bytes, without the latter's reduction for d = 12.
 * [FIPS203 algorithms 5 and 6] */
void larch_mlkem_encode(uint8_t *out, const mlkem_poly *p, unsigned d);
void larch_mlkem_decode(mlkem_poly *p, const uint8_t *in, unsigned d);

#if LARCH_PQ_SMALL
/* larch_mlkem_multiply_add, with a encoded in 12 bits each, or sampled as by larch_mlkem_sample_ntt. */
void larch_mlkem_multiply_encoded(mlkem_poly *acc, const uint8_t *bytes, const mlkem_factor *f);
void larch_mlkem_multiply_sampled(mlkem_poly *acc, const uint8_t rho[32], uint8_t j, uint8_t i, const mlkem_factor *f);
/* The bits in which the encoding differs from the 32 d expected bytes. */
uint8_t larch_mlkem_compare(const uint8_t *expected, const mlkem_poly *p, unsigned d);
#endif

#endif
