/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ML-DSA [FIPS204]: its sets and their keys. The parameter set is a value, not a
 * macro: one code serves all three. Names of variables are the standard's.
 */
#include <string.h>

#include "pq/mldsa_int.h"

#if LARCH_MLDSA_44 || LARCH_MLDSA_65 || LARCH_MLDSA_87

/* ---- key generation -------------------------------------------------------- */

/* ML-DSA.KeyGen_internal [FIPS204 algorithm 6]. */
static void keygen(const mldsa_params *p, const uint8_t *seed, uint8_t *pk, uint8_t *sk)
{
    mldsa_poly s1[MLDSA_L_MAX], t;
    mldsa_small s, t0;
    uint8_t xi_k_l[34], hash[128];
    const uint8_t *rho = hash, *rho_prime = hash + 32, *big_k = hash + 96;
    uint8_t *s_out = sk + MLDSA_S1_AT, *t0_out = s_out + (p->k + p->l) * mldsa_s_len(p);

    memcpy(xi_k_l, seed, 32);
    xi_k_l[32] = p->k;
    xi_k_l[33] = p->l;
    larch_shake256(LARCH_BYTES(xi_k_l), hash, sizeof hash);
    MLDSA_PUBLIC(rho, 32); /* it is the start of pk */
    memcpy(pk, rho, 32);
    memcpy(sk, rho, 32);
    memcpy(sk + 32, big_k, 32);

    for (unsigned i = 0; i < p->l; i++, s_out += mldsa_s_len(p)) {
        larch_mldsa_sample_secret(&s, p->eta, rho_prime, (uint16_t)i);
        larch_mldsa_pack_small(s_out, &s, p->eta, p->eta_bits);
        memset(&s1[i], 0, sizeof s1[i]);
        larch_mldsa_add_small(&s1[i], &s);
        larch_mldsa_ntt(&s1[i]);
    }
    for (unsigned r = 0; r < p->k; r++, s_out += mldsa_s_len(p), t0_out += MLDSA_T0_LEN) {
        larch_mldsa_sample_secret(&s, p->eta, rho_prime, (uint16_t)(p->l + r));
        larch_mldsa_pack_small(s_out, &s, p->eta, p->eta_bits);
        larch_mldsa_multiply_sampled_row(p, &t, rho, r, s1);
        larch_mldsa_add_small(&t, &s);
        larch_mldsa_power2round(&t, &t0);
        larch_mldsa_pack_t1(pk + 32 + r * MLDSA_T1_LEN, &t);
        larch_mldsa_pack_small(t0_out, &t0, MLDSA_T0_TOP, MLDSA_T0_BITS);
    }
    larch_shake256((larch_bytes){pk, 32 + p->k * MLDSA_T1_LEN}, sk + 64, 64); /* tr */

    larch_wipe(s1, sizeof s1);
    larch_wipe(&t, sizeof t);
    larch_wipe(&s, sizeof s);
    larch_wipe(&t0, sizeof t0);
    larch_wipe(xi_k_l, sizeof xi_k_l);
    larch_wipe(hash, sizeof hash);
}

/* ---- the three sets [FIPS204 4] -------------------------------------------- */

/* With levels, larch_mldsa_44 and so on are theirs: see x86/mldsa_dispatch.c. */
#if LARCH_X86
#define TABLE(set) larch_mldsa_portable_##set
extern const struct larch_sig_functions TABLE(44), TABLE(65), TABLE(87);
#else
#define TABLE(set) larch_mldsa_##set
#endif

#define MLDSA_SET(set)                                                                                               \
    static const mldsa_params params_##set = MLDSA_PARAMS_##set;                                                     \
    static void keygen_##set(const uint8_t *seed, uint8_t *pk, uint8_t *sk) { keygen(&params_##set, seed, pk, sk); } \
    static bool sign_##set(const uint8_t *sk, const uint8_t *mu, const uint8_t *rnd, uint8_t *sig)                   \
    {                                                                                                                \
        return larch_mldsa_sign(&params_##set, sk, mu, rnd, sig);                                                    \
    }                                                                                                                \
    static bool verify_##set(const uint8_t *pk, const uint8_t *mu, const uint8_t *sig)                               \
    {                                                                                                                \
        return larch_mldsa_verify(&params_##set, pk, mu, sig);                                                       \
    }                                                                                                                \
    const struct larch_sig_functions TABLE(set) = {keygen_##set, sign_##set, verify_##set};

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

#if !LARCH_X86
const struct larch_sig_functions *larch_mldsa_at_level(unsigned level, int cose_algorithm)
{
    const larch_sig *sig = larch_sig_find(cose_algorithm);
    return level == 0 && sig != NULL ? sig->functions : NULL;
}
#endif
