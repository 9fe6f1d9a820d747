/* SPDX-License-Identifier: Apache-2.0 */
/* What every build of ML-KEM shares, portable or for one processor. [FIPS203 8] */
#ifndef LARCH_MLKEM_LEVEL_H
#define LARCH_MLKEM_LEVEL_H

#include "pq/pq.h"

#define MLKEM_N        256
#define MLKEM_Q        3329
#define MLKEM_POLY_LEN 384 /* ByteEncode_12 of one polynomial, bytes */
#define MLKEM_ETA2     2
#define MLKEM_K_MAX    (LARCH_MLKEM_1024 ? 4 : LARCH_MLKEM_768 ? 3 : 2)

/* Says that bytes which were made from secrets are public from here on. Empty,
 * except in the copy that the constant-time test builds for valgrind. */
#ifdef LARCH_CT_VALGRIND
#include <valgrind/memcheck.h>
#define MLKEM_PUBLIC(bytes, len) ((void)VALGRIND_MAKE_MEM_DEFINED(bytes, len))
#else
#define MLKEM_PUBLIC(bytes, len) ((void)0)
#endif

/* The portable code's table of functions. Where there is a choice of levels, x86/dispatch.c makes it. */
#if LARCH_X86
#define MLKEM_PORTABLE(set) larch_mlkem_portable_##set
#else
#define MLKEM_PORTABLE(set) larch_mlkem_##set
#endif

typedef struct mlkem_params {
    uint8_t k, eta1, du, dv;
} mlkem_params;

/* The three sets, to initialize a mlkem_params. [FIPS203 8 table 2] */
#define MLKEM_PARAMS_512                     \
    {                                        \
        .k = 2, .eta1 = 3, .du = 10, .dv = 4 \
    }
#define MLKEM_PARAMS_768                     \
    {                                        \
        .k = 3, .eta1 = 2, .du = 10, .dv = 4 \
    }
#define MLKEM_PARAMS_1024                    \
    {                                        \
        .k = 4, .eta1 = 2, .du = 11, .dv = 5 \
    }

/* Lengths in bytes of a vector of k polynomials, of ek, and of a ciphertext. */
static inline size_t mlkem_vector_len(const mlkem_params *p) { return (size_t)MLKEM_POLY_LEN * p->k; }
static inline size_t mlkem_ek_len(const mlkem_params *p) { return mlkem_vector_len(p) + 32; }
static inline size_t mlkem_ct_len(const mlkem_params *p) { return (size_t)32 * ((size_t)p->du * p->k + p->dv); }

/* Whether the ciphertext is what encrypting again gave. With LARCH_KEM_DOUBLE_CHECK
 * the comparison is made twice, so that one skipped or flipped instruction does not
 * make a forged ciphertext genuine. */
static inline bool mlkem_ct_equal(const uint8_t *ct, const uint8_t *again, size_t len)
{
    bool equal = larch_ct_equal(ct, again, len);
#if LARCH_KEM_DOUBLE_CHECK
    const uint8_t *volatile other = again; /* lest the second be taken from the first */
    equal &= larch_ct_equal(other, ct, len);
#endif
    return equal;
}

/* ss = genuine ? k : rejected, without a branch; genuine is 0 or 1. */
static inline void mlkem_select(uint8_t *ss, bool genuine, const uint8_t *k, const uint8_t *rejected)
{
    uint8_t mask = (uint8_t)-genuine;
    for (unsigned i = 0; i < 32; i++) {
#if defined(__GNUC__)
        /* Hides that it is all ones or all zeroes, lest a branch be made of it. */
        __asm__ volatile("" : "+r"(mask));
#endif
        ss[i] = (uint8_t)(rejected[i] ^ (mask & (rejected[i] ^ k[i])));
    }
}

#endif
