/* SPDX-License-Identifier: Apache-2.0 */
/* The signer of ML-DSA [FIPS204 5.2, 6.2] on the vector operations of a level; what may be
 * seen of it is said in mldsa_sign.c. Names of variables are the standard's. */
#include <string.h>

#include "pq/x86/mldsa_x86.h"

#if LARCH_MLDSA_44 || LARCH_MLDSA_65 || LARCH_MLDSA_87

/* See mldsa_sign.c. */
#define ATTEMPTS_MAX 814

/* Through all attempts; transformed. */
typedef struct signing_key {
    dsa_poly a[MLDSA_K_MAX * MLDSA_L_MAX];
    dsa_poly s1[MLDSA_L_MAX], minus_s2[MLDSA_K_MAX], t0[MLDSA_K_MAX];
} signing_key;

typedef struct attempt {
    dsa_poly y[MLDSA_L_MAX + DSA_MASKS]; /* then z; behind the l of this attempt, those that the next ones take */
    unsigned have;                       /* polynomials of y */
    dsa_poly c;                          /* transformed */
    dsa_poly minus_w1[MLDSA_K_MAX];
    dsa_poly w0[MLDSA_K_MAX]; /* LowBits(w), then - c s2, then + c t0 */
    uint8_t hints[MLDSA_K_MAX][MLDSA_N / 8];
    uint8_t c_tilde[MLDSA_C_TILDE_MAX];
} attempt;

static void unpack_key(const dsa_ops *ops, const mldsa_params *p, signing_key *key, const uint8_t *sk)
{
    larch_dsa_sample_matrix(ops, p, key->a, p->l, sk);
    for (unsigned s = 0; s < p->l; s++) {
        ops->unpack(&key->s1[s], mldsa_s1_of(p, sk, s), p->eta, p->eta_bits);
        ops->ntt(&key->s1[s]);
    }
    for (unsigned r = 0; r < p->k; r++) {
        ops->unpack(&key->minus_s2[r], mldsa_s2_of(p, sk, r), p->eta, p->eta_bits);
        for (unsigned n = 0; n < MLDSA_N; n++)
            key->minus_s2[r].c[n] = -key->minus_s2[r].c[n];
        ops->ntt(&key->minus_s2[r]);
        ops->unpack(&key->t0[r], mldsa_t0_of(p, sk, r), MLDSA_T0_TOP, MLDSA_T0_BITS);
        ops->ntt(&key->t0[r]);
    }
}

/* y, w = A y, and the challenge that follows. */
static void commit(const dsa_ops *ops, const mldsa_params *p, attempt *a, const signing_key *key, const uint8_t *mu,
                   const uint8_t *rho_second, unsigned kappa)
{
    dsa_poly y[MLDSA_L_MAX];
    uint8_t mu_w1[64 + MLDSA_K_MAX * MLDSA_POLY_LEN(MLDSA_W1_BITS_MAX)];
    const size_t w1_len = MLDSA_POLY_LEN(p->rounding.w1_bits);
    for (; a->have < p->l; a->have += DSA_MASKS)
        larch_dsa_sample_masks(ops, p, &a->y[a->have], rho_second, kappa + a->have);
    for (unsigned s = 0; s < p->l; s++) {
        y[s] = a->y[s];
        ops->ntt(&y[s]);
    }
    memcpy(mu_w1, mu, 64);
    for (unsigned r = 0; r < p->k; r++) {
        ops->multiply(&a->w0[r], &key->a[r * p->l], y, p->l);
        ops->inverse_ntt(&a->w0[r]);
        ops->decompose(&p->rounding, &a->minus_w1[r], &a->w0[r]);
        ops->pack(mu_w1 + 64 + r * w1_len, &a->minus_w1[r], 0, p->rounding.w1_bits);
    }
    larch_dsa_hash(ops, mu_w1, 64 + p->k * w1_len, a->c_tilde, p->c_tilde_len);
    MLDSA_PUBLIC(a->c_tilde, p->c_tilde_len); /* see attempt of mldsa_sign.c */
    larch_dsa_sample_challenge(ops, p, &a->c, a->c_tilde);
    larch_wipe(y, sizeof y[0] * p->l);
    larch_wipe(mu_w1, sizeof mu_w1);
    larch_x86_burn();
}

/* out = c * factor, whose coefficients are below q/4. */
static void challenge_times(const dsa_ops *ops, dsa_poly *out, const attempt *a, const dsa_poly *factor)
{
    ops->multiply(out, &a->c, factor, 1);
    ops->inverse_ntt(out);
}

/* w0 - c s2, z = y + c s1, and the hints that make up for the missing t0. false if one of
 * them tells of the secrets, or there are too many hints: reject. */
static bool respond(const dsa_ops *ops, const mldsa_params *p, attempt *a, const signing_key *key)
{
    dsa_poly product;
    const int32_t gamma2 = p->rounding.gamma2;
    unsigned count = 0;
    bool accepted = true;
    for (unsigned r = 0; accepted && r < p->k; r++) {
        challenge_times(ops, &product, a, &key->minus_s2[r]);
        accepted = ops->add_is_below(&a->w0[r], &product, gamma2 - p->beta);
    }
    for (unsigned s = 0; accepted && s < p->l; s++) {
        challenge_times(ops, &product, a, &key->s1[s]);
        accepted = ops->add_is_below(&a->y[s], &product, mldsa_gamma1(p) - p->beta);
    }
    for (unsigned r = 0; accepted && r < p->k; r++) {
        challenge_times(ops, &product, a, &key->t0[r]);
        accepted = ops->is_below(&product, gamma2);
        for (unsigned n = 0; n < MLDSA_N; n++)
            a->w0[r].c[n] += product.c[n];
        count += ops->make_hint(&p->rounding, a->hints[r], &a->minus_w1[r], &a->w0[r]);
    }
    larch_wipe(&product, sizeof product);
    larch_x86_burn();
    return accepted && count <= p->omega;
}

/* HintBitPack [FIPS204 algorithm 20]. */
static void pack_hints(const mldsa_params *p, uint8_t *h, uint8_t hints[][MLDSA_N / 8])
{
    uint8_t at = 0;
    memset(h, 0, (size_t)p->omega + p->k);
    for (unsigned r = 0; r < p->k; r++) {
        for (unsigned i = 0; i < MLDSA_N / 8; i++)
            for (unsigned bits = hints[r][i]; bits != 0; bits &= bits - 1)
                h[at++] = (uint8_t)(8 * i + (unsigned)__builtin_ctz(bits));
        h[p->omega + r] = at;
    }
}

static void put_signature(const dsa_ops *ops, const mldsa_params *p, attempt *a, uint8_t *sig)
{
    uint8_t *z = sig + p->c_tilde_len;
    MLDSA_PUBLIC(a->hints, sizeof a->hints); /* accepted: the hints are in the signature */
    memcpy(sig, a->c_tilde, p->c_tilde_len);
    for (unsigned s = 0; s < p->l; s++, z += mldsa_z_len(p))
        ops->pack(z, &a->y[s], mldsa_gamma1(p), p->gamma1_bits);
    pack_hints(p, z, a->hints);
}

/* ML-DSA.Sign_internal [FIPS204 algorithm 7] from mu on. */
bool larch_dsa_sign(const dsa_ops *ops, const mldsa_params *p, const uint8_t *sk, const uint8_t *mu, const uint8_t *rnd,
                    uint8_t *sig)
{
    signing_key key;
    attempt a;
    uint8_t k_rnd_mu[128], rho_second[64];
    bool done = false;

    memcpy(k_rnd_mu, sk + 32, 32);
    memcpy(k_rnd_mu + 32, rnd, 32);
    memcpy(k_rnd_mu + 64, mu, 64);
    larch_dsa_hash(ops, k_rnd_mu, sizeof k_rnd_mu, rho_second, sizeof rho_second);
    unpack_key(ops, p, &key, sk);

    a.have = 0;
    for (unsigned attempts = 0; !done && attempts < ATTEMPTS_MAX; attempts++) {
        if (a.have > 0) { /* the last attempt's are used up */
            a.have -= p->l;
            memmove(a.y, a.y + p->l, sizeof a.y[0] * a.have);
        }
        commit(ops, p, &a, &key, mu, rho_second, attempts * p->l);
        done = respond(ops, p, &a, &key);
    }
    if (done)
        put_signature(ops, p, &a, sig);

    larch_wipe(&a, sizeof a);
    larch_wipe(key.s1, sizeof key.s1);
    larch_wipe(key.minus_s2, sizeof key.minus_s2);
    larch_wipe(key.t0, sizeof key.t0);
    larch_wipe(k_rnd_mu, sizeof k_rnd_mu);
    larch_wipe(rho_second, sizeof rho_second);
    ops->x86->clear();
    larch_x86_burn();
    return done;
}

#endif
