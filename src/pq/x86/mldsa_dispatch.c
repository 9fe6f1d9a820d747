/* SPDX-License-Identifier: Apache-2.0 */
/* ML-DSA at the level that the processor has: see dispatch.c. */
#include "pq/x86/mldsa_x86.h"

#if LARCH_MLDSA_44 || LARCH_MLDSA_65 || LARCH_MLDSA_87

static const dsa_ops *const levels[LARCH_PQ_LEVELS] = {NULL, &larch_dsa_avx2, &larch_dsa_avx512};

/* The best level's operations; NULL: the portable code, also where memory is dearer than time. */
static const dsa_ops *best(void)
{
    unsigned level = LARCH_PQ_SMALL ? 0 : LARCH_PQ_LEVELS - 1;
    while (level > 0 && !larch_x86_has(level))
        level--;
    return levels[level];
}

/* One level's functions of one set; see dispatch.c. */
#define FUNCTIONS(level, set, choose)                                                                              \
    static void keygen_##level##_##set(const uint8_t *seed, uint8_t *pk, uint8_t *sk)                              \
    {                                                                                                              \
        const dsa_ops *ops = choose;                                                                               \
        if (ops == NULL)                                                                                           \
            larch_mldsa_portable_##set.keygen(seed, pk, sk);                                                       \
        else                                                                                                       \
            larch_dsa_keygen(ops, &params_##set, seed, pk, sk);                                                    \
    }                                                                                                              \
    static bool sign_##level##_##set(const uint8_t *sk, const uint8_t *mu, const uint8_t *rnd, uint8_t *signature) \
    {                                                                                                              \
        const dsa_ops *ops = choose;                                                                               \
        return ops == NULL ? larch_mldsa_portable_##set.sign(sk, mu, rnd, signature)                               \
                           : larch_dsa_sign(ops, &params_##set, sk, mu, rnd, signature);                           \
    }                                                                                                              \
    static bool verify_##level##_##set(const uint8_t *pk, const uint8_t *mu, const uint8_t *signature)             \
    {                                                                                                              \
        const dsa_ops *ops = choose;                                                                               \
        return ops == NULL ? larch_mldsa_portable_##set.verify(pk, mu, signature)                                  \
                           : larch_dsa_verify(ops, &params_##set, pk, mu, signature);                              \
    }

#define TABLE(level, set)                                                    \
    {                                                                        \
        keygen_##level##_##set, sign_##level##_##set, verify_##level##_##set \
    }

#define MLDSA_SET(set)                                                     \
    extern const struct larch_sig_functions larch_mldsa_portable_##set;    \
    static const mldsa_params params_##set = MLDSA_PARAMS_##set;           \
    FUNCTIONS(best, set, best())                                           \
    FUNCTIONS(avx2, set, &larch_dsa_avx2)                                  \
    FUNCTIONS(avx512, set, &larch_dsa_avx512)                              \
    const struct larch_sig_functions larch_mldsa_##set = TABLE(best, set); \
    static const struct larch_sig_functions avx2_##set = TABLE(avx2, set); \
    static const struct larch_sig_functions avx512_##set = TABLE(avx512, set);

#if LARCH_MLDSA_44
MLDSA_SET(44)
#endif
#if LARCH_MLDSA_65
MLDSA_SET(65)
#endif
#if LARCH_MLDSA_87
MLDSA_SET(87)
#endif

#endif

const struct larch_sig_functions *larch_mldsa_at_level(unsigned level, int cose_algorithm)
{
#define OF_SET(set)                                             \
    {                                                           \
        &larch_mldsa_portable_##set, &avx2_##set, &avx512_##set \
    }
    static const struct {
        int cose_algorithm;
        const struct larch_sig_functions *at[LARCH_PQ_LEVELS];
    } sets[] = {
#if LARCH_MLDSA_44
        {-48, OF_SET(44)},
#endif
#if LARCH_MLDSA_65
        {-49, OF_SET(65)},
#endif
#if LARCH_MLDSA_87
        {-50, OF_SET(87)},
#endif
        {0, {NULL}},
    };
    if (level >= LARCH_PQ_LEVELS || !larch_x86_has(level))
        return NULL;
    for (size_t i = 0; sets[i].cose_algorithm != 0; i++)
        if (sets[i].cose_algorithm == cose_algorithm)
            return sets[i].at[level];
    return NULL;
}
