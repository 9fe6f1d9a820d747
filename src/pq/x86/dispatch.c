/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chooses the level. The processor's features come from the compiler's runtime,
 * which asks the processor once, before main: no state of ours, and no cpuid per
 * call, which a virtual machine would trap.
 */
#include "pq/keccak_int.h"
#include "pq/x86/x86_int.h"

enum { PORTABLE, AVX2, AVX512 };

static const struct {
    const char *name;
    const x86_ops *ops;
} levels[LARCH_PQ_LEVELS] = {{"portable", NULL}, {"avx2", &larch_x86_avx2}, {"avx512", &larch_x86_avx512}};

bool larch_x86_has(unsigned level)
{
    if (level == AVX512)
        return larch_x86_has(AVX2) && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vbmi2");
    if (level == AVX2)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
               __builtin_cpu_supports("popcnt");
    return level == PORTABLE;
}

/* The best level's operations; NULL: the portable code. */
static const x86_ops *best(void)
{
    return levels[larch_x86_has(AVX512) ? AVX512 : larch_x86_has(AVX2) ? AVX2 : PORTABLE].ops;
}

const char *larch_pq_level_name(unsigned level) { return level < LARCH_PQ_LEVELS ? levels[level].name : NULL; }

/* ---- SHAKE128 of many ----------------------------------------------------- */

void larch_shake128_many(uint8_t (*out)[8], const larch_bytes *pieces, size_t piece_count, size_t count)
{
    const x86_ops *ops = best();
    if (ops == NULL)
        larch_shake128_each(out, pieces, piece_count, count);
    else
        larch_x86_shake128_many(ops, out, pieces, piece_count, count);
}

static void shake128_many_avx2(uint8_t (*out)[8], const larch_bytes *pieces, size_t piece_count, size_t count)
{
    larch_x86_shake128_many(&larch_x86_avx2, out, pieces, piece_count, count);
}

static void shake128_many_avx512(uint8_t (*out)[8], const larch_bytes *pieces, size_t piece_count, size_t count)
{
    larch_x86_shake128_many(&larch_x86_avx512, out, pieces, piece_count, count);
}

larch_shake_many *larch_shake128_many_at_level(unsigned level)
{
    static larch_shake_many *const at[LARCH_PQ_LEVELS] = {larch_shake128_each, shake128_many_avx2,
                                                          shake128_many_avx512};
    return level < LARCH_PQ_LEVELS && larch_x86_has(level) ? at[level] : NULL;
}

/* ---- output of many sponges ------------------------------------------------ */

void larch_shake_prepare_many(larch_keccak *k, size_t count)
{
    const x86_ops *ops = best();
    if (ops != NULL && count > 1)
        larch_x86_prepare_many(ops, k, count);
}

/* ---- ML-KEM ---------------------------------------------------------------- */

/* One level's functions of one set; ops is an expression that tells the level's
 * operations, and where it gives NULL, the portable function is called. */
#define FUNCTIONS(level, set, choose)                                                                               \
    static larch_error keygen_##level##_##set(const uint8_t *seed, uint8_t *ek, uint8_t *dk)                        \
    {                                                                                                               \
        const x86_ops *ops = choose;                                                                                \
        if (ops == NULL)                                                                                            \
            return larch_mlkem_portable_##set.keygen(seed, ek, dk);                                                 \
        larch_x86_keygen(ops, &params_##set, seed, ek, dk);                                                         \
        return LARCH_OK;                                                                                            \
    }                                                                                                               \
    static larch_error encaps_##level##_##set(const uint8_t *ek, const uint8_t *m, uint8_t *ct, uint8_t *ss)        \
    {                                                                                                               \
        const x86_ops *ops = choose;                                                                                \
        if (ops == NULL)                                                                                            \
            return larch_mlkem_portable_##set.encaps(ek, m, ct, ss);                                                \
        larch_x86_encaps(ops, &params_##set, ek, m, ct, ss);                                                        \
        return LARCH_OK;                                                                                            \
    }                                                                                                               \
    static larch_error decaps_##level##_##set(const uint8_t *dk, const uint8_t *ct, uint8_t *ss)                    \
    {                                                                                                               \
        const x86_ops *ops = choose;                                                                                \
        if (ops == NULL)                                                                                            \
            return larch_mlkem_portable_##set.decaps(dk, ct, ss);                                                   \
        larch_x86_decaps(ops, &params_##set, dk, ct, ss);                                                           \
        return LARCH_OK;                                                                                            \
    }                                                                                                               \
    static bool ek_is_valid_##level##_##set(const uint8_t *ek)                                                      \
    {                                                                                                               \
        const x86_ops *ops = choose;                                                                                \
        return ops == NULL ? larch_mlkem_portable_##set.ek_is_valid(ek)                                             \
                           : larch_x86_ek_is_valid(ops, &params_##set, ek);                                         \
    }                                                                                                               \
    static bool dk_is_valid_##level##_##set(const uint8_t *dk)                                                      \
    {                                                                                                               \
        const x86_ops *ops = choose;                                                                                \
        return ops == NULL ? larch_mlkem_portable_##set.dk_is_valid(dk)                                             \
                           : larch_x86_dk_is_valid(ops, &params_##set, dk);                                         \
    }                                                                                                               \
    static void keygen_many_##level##_##set(const uint8_t *const *seed, uint8_t *const *ek, uint8_t *const *dk,     \
                                            size_t count)                                                           \
    {                                                                                                               \
        const x86_ops *ops = choose;                                                                                \
        if (ops != NULL)                                                                                            \
            larch_x86_keygen_many(ops, &params_##set, seed, ek, dk, count);                                         \
        for (size_t i = 0; ops == NULL && i < count; i++)                                                           \
            (void)larch_mlkem_portable_##set.keygen(seed[i], ek[i], dk[i]);                                         \
    }                                                                                                               \
    static void encaps_many_##level##_##set(const uint8_t *const *ek, const uint8_t *const *m, uint8_t *const *ct,  \
                                            uint8_t *const *ss, size_t count)                                       \
    {                                                                                                               \
        const x86_ops *ops = choose;                                                                                \
        if (ops != NULL)                                                                                            \
            larch_x86_encaps_many(ops, &params_##set, ek, m, ct, ss, count);                                        \
        for (size_t i = 0; ops == NULL && i < count; i++)                                                           \
            (void)larch_mlkem_portable_##set.encaps(ek[i], m[i], ct[i], ss[i]);                                     \
    }                                                                                                               \
    static void decaps_many_##level##_##set(const uint8_t *const *dk, const uint8_t *const *ct, uint8_t *const *ss, \
                                            size_t count)                                                           \
    {                                                                                                               \
        const x86_ops *ops = choose;                                                                                \
        if (ops != NULL)                                                                                            \
            larch_x86_decaps_many(ops, &params_##set, dk, ct, ss, count);                                           \
        for (size_t i = 0; ops == NULL && i < count; i++)                                                           \
            (void)larch_mlkem_portable_##set.decaps(dk[i], ct[i], ss[i]);                                           \
    }

#define TABLE(level, set)                                                                                     \
    {                                                                                                         \
        .keygen = keygen_##level##_##set, .encaps = encaps_##level##_##set, .decaps = decaps_##level##_##set, \
        .ek_is_valid = ek_is_valid_##level##_##set, .dk_is_valid = dk_is_valid_##level##_##set,               \
        .keygen_many = keygen_many_##level##_##set, .encaps_many = encaps_many_##level##_##set,               \
        .decaps_many = decaps_many_##level##_##set                                                            \
    }

#define MLKEM_SET(set)                                                     \
    extern const struct larch_kem_functions larch_mlkem_portable_##set;    \
    static const mlkem_params params_##set = MLKEM_PARAMS_##set;           \
    FUNCTIONS(best, set, best())                                           \
    FUNCTIONS(avx2, set, &larch_x86_avx2)                                  \
    FUNCTIONS(avx512, set, &larch_x86_avx512)                              \
    const struct larch_kem_functions larch_mlkem_##set = TABLE(best, set); \
    static const struct larch_kem_functions avx2_##set = TABLE(avx2, set); \
    static const struct larch_kem_functions avx512_##set = TABLE(avx512, set);

#if LARCH_MLKEM_512
MLKEM_SET(512)
#endif
#if LARCH_MLKEM_768
MLKEM_SET(768)
#endif
#if LARCH_MLKEM_1024
MLKEM_SET(1024)
#endif

const struct larch_kem_functions *larch_mlkem_at_level(unsigned level, unsigned set)
{
#define OF_SET(set)                                             \
    {                                                           \
        &larch_mlkem_portable_##set, &avx2_##set, &avx512_##set \
    }
    static const struct {
        unsigned set;
        const struct larch_kem_functions *at[LARCH_PQ_LEVELS];
    } sets[] = {
#if LARCH_MLKEM_512
        {512, OF_SET(512)},
#endif
#if LARCH_MLKEM_768
        {768, OF_SET(768)},
#endif
#if LARCH_MLKEM_1024
        {1024, OF_SET(1024)},
#endif
    };
    if (level >= LARCH_PQ_LEVELS || !larch_x86_has(level))
        return NULL;
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++)
        if (sets[i].set == set)
            return sets[i].at[level];
    return NULL;
}
