/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Polynomials over Z_3329 for 32-bit processors without vectors, and for builds
 * that are to take little stack. [FIPS203 4] Nothing is held that can be made
 * where it is used: matrix entries are multiplied as they are sampled, noise is
 * added as it is sampled, and ciphertexts are compared as they are encoded.
 */
#ifndef LARCH_MLKEM_32_INT_H
#define LARCH_MLKEM_32_INT_H

#include "pq/keccak_int.h"
#include "pq/mlkem_level.h"

/* Residues modulo q in the standard's order, not always reduced: bounds are multiples of q. */
typedef struct mlkem_residues {
    uint16_t c[MLKEM_N];
} mlkem_residues;

/* ---- residues ------------------------------------------------------------ */

#define Q (MLKEM_Q + 0u)

/* Factors of mlkem32_times: b stands as b' / q mod 2^32, for b' = -2^32 b mod q. */
#define MLKEM32_ONE     1290168u    /* 1: reduces below q */
#define MLKEM32_UNSCALE 1806234369u /* -2^-32, the factor of each product; also 1/q mod 2^32 */

/* x / q mod 2^32, times q, is x + 2^32 r for 0 <= r < q: r, which is -x / 2^32 mod q. */
ALWAYS_INLINE uint32_t mlkem32_montgomery(uint32_t x) { return (uint32_t)((uint64_t)(x * MLKEM32_UNSCALE) * Q >> 32); }

/* a b mod q, below q, for a < 2^20. As a b' < 2^32, this is mlkem32_montgomery(a b'), and a product less. */
ALWAYS_INLINE uint32_t mlkem32_times(uint32_t a, uint32_t b) { return (uint32_t)((uint64_t)(a * b) * Q >> 32); }

/* Compilers would do sums in 16 bits if they saw that no more is stored, and cut each operand first. */
ALWAYS_INLINE void mlkem32_put(uint16_t *c, uint32_t x)
{
#if defined(__GNUC__)
    __asm__("" : "+r"(x));
#endif
    *c = (uint16_t)x;
}

/* ---- mlkem_32_ntt.c ------------------------------------------------------ */

/* The factors zeta^BitRev7(k) [FIPS203 appendix A], as mlkem32_times takes them. */
extern const uint32_t larch_mlkem32_zetas[128];

/* NTT in place [FIPS203 algorithm 9]. Adds less than 14 q to what it takes. In: below 4 q. */
void larch_mlkem32_ntt(mlkem_residues *p);

/* Inverse NTT in place [FIPS203 algorithm 10] of a sum of products, whose factor -2^-32 it undoes. In: below 5 q;
 * out: below q. */
void larch_mlkem32_inverse_ntt(mlkem_residues *p);

/* ---- mlkem_32_poly.c ----------------------------------------------------- */

/* sum += SampleNTT(rho || j || i) * f * -2^-32 [FIPS203 algorithms 7 and 11]. f: below 18 q; sum: grows by less
 * than q. rho is public, and the time depends on it. */
void larch_mlkem32_multiply_sampled(mlkem_residues *sum, const uint8_t rho[32], uint8_t j, uint8_t i,
                                    const mlkem_residues *f);

/* The same with the polynomial of 384 bytes as ByteDecode_12 reads it. */
void larch_mlkem32_multiply_encoded(mlkem_residues *sum, const uint8_t *bytes, const mlkem_residues *f);

/* p = SamplePolyCBD_eta of PRF_eta(seed, nonce) [FIPS203 algorithm 8]: at most q + 3; or scaled, times -2^32, what
 * products undo: below 4 q. */
void larch_mlkem32_sample_noise(mlkem_residues *p, unsigned eta, const uint8_t seed[32], uint8_t nonce, bool is_scaled);

/* p += such a sample for eta = 2. p grows by at most q + 2. */
void larch_mlkem32_add_noise(mlkem_residues *p, const uint8_t seed[32], uint8_t nonce);

/* p += Decompress_1 of the 32 bytes m. p grows by less than q. */
void larch_mlkem32_add_message(mlkem_residues *p, const uint8_t m[32]);

/* m = ByteEncode_1(Compress_1(v - w)). v, w: below q. */
void larch_mlkem32_get_message(uint8_t m[32], const mlkem_residues *v, const mlkem_residues *w);

/* ByteEncode_12 of p times the factor. p: anything. */
void larch_mlkem32_encode(uint8_t *out, const mlkem_residues *p, uint32_t factor);

/* The 32 d bytes ByteEncode_d(Compress_d(p)) [FIPS203 4.2.1], for d < 12: written to out, or if out is NULL compared
 * with expected. Returns 0, or if they differ not 0. p: any residues. */
uint8_t larch_mlkem32_compress(uint8_t *out, const uint8_t *expected, const mlkem_residues *p, unsigned d);

/* p = Decompress_d(ByteDecode_d(in)), below q. */
void larch_mlkem32_decompress(mlkem_residues *p, const uint8_t *in, unsigned d);

#endif
