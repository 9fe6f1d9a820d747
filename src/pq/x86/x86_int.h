/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ML-KEM on x86-64 with AVX2 or AVX-512. Polynomials are always in the standard's
 * order, before and after the NTT, so that no format of one level leaks out.
 * Coefficients are signed and not always reduced; each function says what it takes
 * and leaves, as a bound on the absolute value.
 */
#ifndef LARCH_MLKEM_X86_INT_H
#define LARCH_MLKEM_X86_INT_H

#include "pq/mlkem_level.h"

typedef struct x86_poly {
    _Alignas(64) int16_t c[MLKEM_N];
} x86_poly;

/* The right-hand side of products, from the NTT (b0, b1, ...): the even coefficients
 * of a product with (a0, a1, ...) are a0 b0 + a1 gamma b1, the odd ones a0 b1 + a1 b0:
 * pairs of the one times pairs of the other, which is one instruction. */
typedef struct x86_factor {
    x86_poly straight; /* b0, gamma b1 */
    x86_poly crossed;  /* b1, b0 */
} x86_factor;

/* A row of constants for Montgomery products: z, and z / q mod 2^16. The first
 * half of a row serves coefficients 0 to 127, the second half the others. */
typedef struct x86_row {
    _Alignas(64) int16_t z[32];
    int16_t z_q[32];
} x86_row;

/* The zetas of six layers, forward or backward: three whose butterflies join
 * coefficients 64, 32 and 16 apart, and three for 8, 4 and 2. */
typedef struct x86_zetas {
    x86_row far[7], near[7];
} x86_zetas;

extern const x86_zetas larch_x86_zetas, larch_x86_inverse_zetas;
extern const x86_row larch_x86_gammas[8];          /* 1 and the gamma of each pair */
extern const uint8_t larch_x86_compaction[256][8]; /* for each mask: the places of its ones */

/* A level of the processor. */
typedef struct x86_ops {
    /* Keccak-f[1600] on interleaved states: word i of state l at s[width i + l]. */
    struct {
        uint8_t width;
        uint8_t busy_min; /* lanes in use, on average, that make it worth its width; 0 for the last */
        void (*permute)(uint64_t *s);
    } keccak[3]; /* widest first; the rest is zero */

    /* NTT [FIPS203 algorithm 9]. In: |c| <= q; out: |c| < 8 q. */
    void (*ntt)(x86_poly *p);
    /* The NTT's inverse of what multiply leaves, its 2^-16 undone [algorithm 10]. Out: |c| < q. */
    void (*inverse_ntt)(x86_poly *p);
    /* Takes |c| <= 8 q. */
    void (*factor)(x86_factor *f, const x86_poly *p);
    /* The sum of k products of step-th polynomials from a with factors, times 2^-16
     * [algorithm 11]. |a| <= 8 q if the factor's is at most 2^12, or the other way round. */
    void (*multiply)(x86_poly *out, const x86_poly *a, unsigned step, const x86_factor *f, unsigned k);
    /* p 2^16 + a; |a| < 8 q, out < 9 q. */
    void (*scale_add)(x86_poly *p, const x86_poly *a);
    /* Compress_d, if d < 12, and ByteEncode_d to 32 d bytes; any coefficients. [4.2.1] */
    void (*encode)(uint8_t *out, const x86_poly *p, unsigned d);
    /* ByteDecode_d and, if d < 12, Decompress_d. Out: 0 <= c < 2^12. */
    void (*decode)(x86_poly *p, const uint8_t *in, unsigned d);
    /* Whether all coefficients are below q. Public. */
    bool (*is_reduced)(const x86_poly *p);
    /* Appends numbers below q from the 12-bit numbers of bytes, at most room; how many.
     * len is a multiple of 24, and X86_SLACK bytes may be read behind it. Public. [algorithm 7] */
    unsigned (*reject)(int16_t *out, unsigned room, const uint8_t *bytes, size_t len);
    /* 64 eta bytes to coefficients [algorithm 8]; |c| <= eta. */
    void (*cbd)(x86_poly *p, const uint8_t *bytes, unsigned eta);
    /* The first 24 words of four of the width states that s interleaves. */
    void (*deinterleave)(uint8_t *const to[4], const uint64_t *s, unsigned width);
    /* Zeroes the vector registers. */
    void (*clear)(void);
} x86_ops;

#define X86_SLACK 40

extern const x86_ops larch_x86_avx2, larch_x86_avx512;

/* Whether this processor has the level; 0 is the portable code. */
bool larch_x86_has(unsigned level);

/* What a sponge in the lanes is for. */
typedef enum x86_kind {
    X86_ENTRY,  /* SHAKE128 to a polynomial by rejection */
    X86_NOISE,  /* SHAKE256 to a polynomial with eta = 2 */
    X86_NOISE3, /* with eta = 3 */
    X86_G,      /* SHA3-512 */
    X86_H,      /* SHA3-256 */
    X86_J,      /* SHAKE256 to 32 bytes */
} x86_kind;

typedef struct x86_job {
    const uint8_t *in;
    size_t in_len;
    uint8_t tail[2]; /* absorbed after in */
    uint8_t tail_len;
    x86_kind kind;
    x86_poly *poly; /* where the result goes: */
    uint8_t *bytes; /* one of the two, by kind */
} x86_job;

/* Runs all jobs, as many at a time as the level has lanes; where one ends the next
 * begins, so those with most blocks should come first. */
void larch_x86_run(const x86_ops *ops, const x86_job *jobs, size_t count);

/* As larch_shake128_many. */
void larch_x86_shake128_many(const x86_ops *ops, uint8_t (*out)[8], const larch_bytes *pieces, size_t piece_count,
                             size_t count);

/* As larch_shake_prepare_many. */
struct larch_keccak;
void larch_x86_prepare_many(const x86_ops *ops, struct larch_keccak *k, size_t count);

/* ML-KEM's three operations [FIPS203 6], one or count at once: those share the lanes,
 * decapsulations where neighbours have the same dk (the same pointer). */
void larch_x86_keygen(const x86_ops *ops, const mlkem_params *p, const uint8_t *seed, uint8_t *ek, uint8_t *dk);
void larch_x86_encaps(const x86_ops *ops, const mlkem_params *p, const uint8_t *ek, const uint8_t *m, uint8_t *ct,
                      uint8_t *ss);
void larch_x86_decaps(const x86_ops *ops, const mlkem_params *p, const uint8_t *dk, const uint8_t *ct, uint8_t *ss);
void larch_x86_keygen_many(const x86_ops *ops, const mlkem_params *p, const uint8_t *const *seed, uint8_t *const *ek,
                           uint8_t *const *dk, size_t count);
void larch_x86_encaps_many(const x86_ops *ops, const mlkem_params *p, const uint8_t *const *ek, const uint8_t *const *m,
                           uint8_t *const *ct, uint8_t *const *ss, size_t count);
void larch_x86_decaps_many(const x86_ops *ops, const mlkem_params *p, const uint8_t *const *dk,
                           const uint8_t *const *ct, uint8_t *const *ss, size_t count);
bool larch_x86_ek_is_valid(const x86_ops *ops, const mlkem_params *p, const uint8_t *ek);
bool larch_x86_dk_is_valid(const x86_ops *ops, const mlkem_params *p, const uint8_t *dk);

/* All of a level's functions have its name. */
#define X86_DECLARE(level)                                                                                             \
    void larch_x86_ntt_##level(x86_poly *p);                                                                           \
    void larch_x86_inverse_ntt_##level(x86_poly *p);                                                                   \
    void larch_x86_factor_##level(x86_factor *f, const x86_poly *p);                                                   \
    void larch_x86_multiply_##level(x86_poly *out, const x86_poly *a, unsigned step, const x86_factor *f, unsigned k); \
    void larch_x86_scale_add_##level(x86_poly *p, const x86_poly *a);                                                  \
    void larch_x86_encode_##level(uint8_t *out, const x86_poly *p, unsigned d);                                        \
    void larch_x86_decode_##level(x86_poly *p, const uint8_t *in, unsigned d);                                         \
    unsigned larch_x86_reject_##level(int16_t *out, unsigned room, const uint8_t *bytes, size_t len);
X86_DECLARE(avx2)
X86_DECLARE(avx512)

/* These serve both. */
bool larch_x86_is_reduced(const x86_poly *p);
void larch_x86_cbd(x86_poly *p, const uint8_t *bytes, unsigned eta);
void larch_x86_deinterleave(uint8_t *const to[4], const uint64_t *s, unsigned width);
void larch_x86_clear(void);
/* Wipes the stack below its caller, where the functions of a level spilled vectors. */
void larch_x86_burn(void);

void larch_keccak_x1_bmi2(uint64_t *s);
void larch_keccak_x4_avx2(uint64_t *s);
void larch_keccak_x5_avx2(uint64_t *four, uint64_t *fifth);
void larch_keccak_x1_avx512(uint64_t *s);
void larch_keccak_x4_avx512(uint64_t *s);
void larch_keccak_x8_avx512(uint64_t *s);

#endif
