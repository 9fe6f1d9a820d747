/* SPDX-License-Identifier: Apache-2.0 */
/* What every build of ML-DSA shares, portable or for one processor. [FIPS204 4, 7.1] */
#ifndef LARCH_MLDSA_LEVEL_H
#define LARCH_MLDSA_LEVEL_H

#include "pq/pq.h"

#define MLDSA_N 256
#define MLDSA_Q 8380417
#define MLDSA_D 13 /* low bits of t that the public key leaves out */

#define MLDSA_T1_BITS 10
#define MLDSA_T0_BITS 13
#define MLDSA_TAU_MAX (LARCH_MLDSA_87 ? 60 : LARCH_MLDSA_65 ? 49 : 39)

/* Bytes of a polynomial whose coefficients take so many bits. */
#define MLDSA_POLY_LEN(bits) ((size_t)(MLDSA_N / 8) * (bits))

/* Says that bytes which were made from secrets are public from here on. Empty,
 * except in the copy that the constant-time test builds for valgrind. */
#ifdef LARCH_CT_VALGRIND
#include <valgrind/memcheck.h>
#define MLDSA_PUBLIC(bytes, len) ((void)VALGRIND_MAKE_MEM_DEFINED(bytes, len))
#else
#define MLDSA_PUBLIC(bytes, len) ((void)0)
#endif

/* What Decompose needs of gamma2 [FIPS204 table 1]: floor(x / (2 gamma2)) is
 * (x >> shift) * factor >> factor_shift for x < q + gamma2, without a division. */
typedef struct mldsa_rounding {
    int32_t gamma2;
    int32_t parts; /* m = (q - 1) / (2 gamma2) */
    uint32_t factor;
    uint8_t shift, factor_shift;
    uint8_t w1_bits;
} mldsa_rounding;

/* ---- parameter sets ------------------------------------------------------- */

typedef struct mldsa_params {
    uint8_t k, l, eta, eta_bits, tau, beta, omega, c_tilde_len;
    uint8_t gamma1_bits; /* gamma1 = 2^(gamma1_bits - 1) */
    mldsa_rounding rounding;
} mldsa_params;

/* The three sets, to initialize a mldsa_params. [FIPS204 4] */
#define MLDSA_PARAMS_44                                                                                 \
    {                                                                                                   \
        .k = 4, .l = 4, .eta = 2, .eta_bits = 3, .tau = 39, .beta = 78, .omega = 80, .c_tilde_len = 32, \
        .gamma1_bits = 18, .rounding = MLDSA_GAMMA2_88                                                  \
    }
#define MLDSA_PARAMS_65                                                                                  \
    {                                                                                                    \
        .k = 6, .l = 5, .eta = 4, .eta_bits = 4, .tau = 49, .beta = 196, .omega = 55, .c_tilde_len = 48, \
        .gamma1_bits = 20, .rounding = MLDSA_GAMMA2_32                                                   \
    }
#define MLDSA_PARAMS_87                                                                                  \
    {                                                                                                    \
        .k = 8, .l = 7, .eta = 2, .eta_bits = 3, .tau = 60, .beta = 120, .omega = 75, .c_tilde_len = 64, \
        .gamma1_bits = 20, .rounding = MLDSA_GAMMA2_32                                                   \
    }
#define MLDSA_GAMMA2_88                                                                             \
    {                                                                                               \
        .gamma2 = 95232, .parts = 44, .factor = 2819, .shift = 11, .factor_shift = 18, .w1_bits = 6 \
    }
#define MLDSA_GAMMA2_32                                                                              \
    {                                                                                                \
        .gamma2 = 261888, .parts = 16, .factor = 65601, .shift = 9, .factor_shift = 26, .w1_bits = 4 \
    }

#define MLDSA_K_MAX       (LARCH_MLDSA_87 ? 8 : LARCH_MLDSA_65 ? 6 : 4)
#define MLDSA_L_MAX       (LARCH_MLDSA_87 ? 7 : LARCH_MLDSA_65 ? 5 : 4)
#define MLDSA_Z_BITS_MAX  (LARCH_MLDSA_87 || LARCH_MLDSA_65 ? 20 : 18)
#define MLDSA_W1_BITS_MAX (LARCH_MLDSA_44 ? 6 : 4)
#define MLDSA_C_TILDE_MAX 64

#define MLDSA_T1_LEN MLDSA_POLY_LEN(MLDSA_T1_BITS)
#define MLDSA_T0_LEN MLDSA_POLY_LEN(MLDSA_T0_BITS)
#define MLDSA_T0_TOP (1 << (MLDSA_D - 1))

/* sk = rho | K | tr | s1 | s2 | t0     pk = rho | t1     sig = c_tilde | z | h */
#define MLDSA_S1_AT 128

static inline size_t mldsa_s_len(const mldsa_params *p) { return MLDSA_POLY_LEN(p->eta_bits); }
static inline size_t mldsa_z_len(const mldsa_params *p) { return MLDSA_POLY_LEN(p->gamma1_bits); }
static inline const uint8_t *mldsa_s1_of(const mldsa_params *p, const uint8_t *sk, unsigned s)
{
    return sk + MLDSA_S1_AT + s * mldsa_s_len(p);
}
static inline const uint8_t *mldsa_s2_of(const mldsa_params *p, const uint8_t *sk, unsigned r)
{
    return mldsa_s1_of(p, sk, p->l + r);
}
static inline const uint8_t *mldsa_t0_of(const mldsa_params *p, const uint8_t *sk, unsigned r)
{
    return mldsa_s2_of(p, sk, p->k) + r * MLDSA_T0_LEN;
}
static inline int32_t mldsa_gamma1(const mldsa_params *p) { return (int32_t)1 << (p->gamma1_bits - 1); }

/* HintBitUnpack's checks [FIPS204 algorithm 21] of the omega + k bytes at y: each polynomial's places
 * ascend, the counts do not shrink or pass omega, and what is unused is zero. */
bool larch_mldsa_hint_is_valid(const uint8_t *y, unsigned k, unsigned omega);

#endif
