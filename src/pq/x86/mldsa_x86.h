/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ML-DSA on x86-64 with AVX2 or AVX-512. Coefficients are signed, in the standard's
 * order before and after the NTT, and not always reduced; each function says what
 * it takes and leaves, as a bound on the absolute value.
 */
#ifndef LARCH_MLDSA_X86_H
#define LARCH_MLDSA_X86_H

#include "pq/mldsa_level.h"
#include "pq/x86/x86_int.h"

typedef struct dsa_poly {
    _Alignas(64) int32_t c[MLDSA_N];
} dsa_poly;

/* Constants for Montgomery products: z 2^32, and that / q mod 2^32; eight for each
 * block of 64 coefficients. */
typedef struct dsa_row {
    _Alignas(64) int32_t z[32 + 16]; /* some are read from one place on */
    int32_t z_q[32];
} dsa_row;

/* The zetas of six layers, forward or backward: three whose butterflies join
 * coefficients 32, 16 and 8 apart, and three for 4, 2 and 1. */
typedef struct dsa_zetas {
    dsa_row far[7], near[7];
} dsa_zetas;

extern const dsa_zetas larch_dsa_zetas, larch_dsa_inverse_zetas;

/* A level of the processor. */
typedef struct dsa_ops {
    const x86_ops *x86;           /* the permutations of several states, and what goes with them */
    void (*permute)(uint64_t *s); /* of one */
    /* Of four interleaved states, and in general registers of a fifth, which costs next to nothing; or NULL. */
    void (*permute_five)(uint64_t *four, uint64_t *fifth);

    /* NTT [FIPS204 algorithm 41]. In: |c| < 2 q; out: |c| < 9 q. */
    void (*ntt)(dsa_poly *p);
    /* The NTT's inverse of what multiply leaves, its 2^-32 undone [algorithm 42]. Out: |c| < 3/4 q, so
     * that a result which is known to be below q/4 comes out as itself. */
    void (*inverse_ntt)(dsa_poly *p);
    /* out = the sum of len products a[i] b[i] / 2^32, value by value, len <= 8; |a|, |b| < 9 q. Out: |c| < q. */
    void (*multiply)(dsa_poly *out, const dsa_poly *a, const dsa_poly *b, unsigned len);
    /* p += a, whose |c| < 3329 stand for residues modulo 3329 next to zero; then, whether every |c| < bound. The
     * answer is public. */
    bool (*add_small_is_below)(dsa_poly *p, const x86_poly *a, int32_t bound);
    /* Whether every |c| < bound: public too. */
    bool (*is_below)(const dsa_poly *p, int32_t bound);
    /* Power2Round [algorithm 35] of |t| < q, which becomes -t1. */
    void (*power2round)(dsa_poly *t, dsa_poly *t0);
    /* Decompose [algorithm 36] of |w| < q, which becomes LowBits; minus_w1: -HighBits. */
    void (*decompose)(const mldsa_rounding *m, dsa_poly *minus_w1, dsa_poly *w);
    /* See larch_mldsa_make_hint. hints: a bit for each coefficient. How many: public. */
    unsigned (*make_hint)(const mldsa_rounding *m, uint8_t *hints, const dsa_poly *minus_w1, const dsa_poly *low);
    /* BitPack and BitUnpack of coefficients top - n, 0 <= n < 2^bits; 3 <= bits <= 20. [algorithms 17 and 19] */
    void (*pack)(uint8_t *out, const dsa_poly *p, int32_t top, unsigned bits);
    void (*unpack)(dsa_poly *p, const uint8_t *in, int32_t top, unsigned bits);
    /* Appends to out what bytes hold of numbers below q [algorithm 14] or of coefficients for eta [algorithm 15],
     * at most room; how many. len is a multiple of 24 or 8; DSA_SLACK bytes may be read behind it. The time
     * depends on what is refused. */
    unsigned (*reject)(int32_t *out, unsigned room, const uint8_t *bytes, size_t len);
    unsigned (*reject_halves)(int32_t *out, unsigned room, const uint8_t *bytes, size_t len, unsigned eta);
} dsa_ops;

#define DSA_SLACK 40

extern const dsa_ops larch_dsa_avx2, larch_dsa_avx512;

/* ---- mldsa_sponges.c --------------------------------------------------------- */

/* SHAKE256 of an array that fills little by little: left bytes from in on are there and not yet absorbed. */
typedef struct dsa_hash {
    uint64_t s[25];
    const uint8_t *in;
    size_t left;
} dsa_hash;

/* Whether it pays to sample ahead of need for the sake of what is then absorbed beside. */
bool larch_dsa_hash_is_worth_it(const dsa_ops *ops, const dsa_hash *h);
/* Absorbs the rest. Out: at most 136 bytes. Wipes the state. */
void larch_dsa_hash_finish(const dsa_ops *ops, dsa_hash *h, uint8_t *out, size_t out_len);

/* The rows of ExpandA [FIPS204 algorithm 32] in their order. a is a ring with places for kept of them, stride
 * polynomials apart. */
typedef struct dsa_rows {
    const uint8_t *rho;
    dsa_poly *a;
    unsigned stride, kept;
    unsigned row, column, place; /* the next entry of the matrix, and where its row stands; at first 0 */
} dsa_rows;

/* Eight lanes may run so far ahead of the first row that is wanted. */
#define DSA_ROWS_AHEAD 3
/* Samples until row r is there, and at most DSA_ROWS_AHEAD - 1 rows after it have begun. Out: 0 <= c < q.
 * beside: what it has whole blocks of is absorbed where a lane is idle; may be NULL. */
dsa_poly *larch_dsa_sample_row(const dsa_ops *ops, const mldsa_params *p, dsa_rows *rows, unsigned r, dsa_hash *beside);
/* ExpandS [algorithm 33]: s1 and s2, l + k polynomials. */
void larch_dsa_sample_secrets(const dsa_ops *ops, const mldsa_params *p, dsa_poly *s, const uint8_t *rho_prime);
/* Polynomials of ExpandMask [algorithm 34], with nonces from kappa on; how many: at most DSA_MASKS. beside: as for
 * larch_dsa_sample_row. */
#define DSA_MASKS 5
unsigned larch_dsa_sample_masks(const dsa_ops *ops, const mldsa_params *p, dsa_poly *y, const uint8_t *rho_second,
                                unsigned kappa, dsa_hash *beside);
/* SHAKE256 to at most 136 bytes. */
void larch_dsa_hash(const dsa_ops *ops, const uint8_t *in, size_t len, uint8_t *out, size_t out_len);
/* SampleInBall [algorithm 29]. */
void larch_dsa_sample_challenge(const dsa_ops *ops, const mldsa_params *p, x86_poly *c, const uint8_t *c_tilde);

/* ---- mldsa_x86.c, mldsa_x86_sign.c -------------------------------------------- */

void larch_dsa_widen(dsa_poly *p, const x86_poly *a);

/* As in struct larch_sig_functions. */
void larch_dsa_keygen(const dsa_ops *ops, const mldsa_params *p, const uint8_t *seed, uint8_t *pk, uint8_t *sk);
bool larch_dsa_sign(const dsa_ops *ops, const mldsa_params *p, const uint8_t *sk, const uint8_t *mu, const uint8_t *rnd,
                    uint8_t *sig);
bool larch_dsa_verify(const dsa_ops *ops, const mldsa_params *p, const uint8_t *pk, const uint8_t *mu,
                      const uint8_t *sig);

#endif
