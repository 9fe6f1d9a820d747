/* SPDX-License-Identifier: Apache-2.0 */
/* The signer of ML-DSA [FIPS204 5.2, 6.2] on the vector operations of a level; what may be
 * seen of it is said in mldsa_sign.c. Names of variables are the standard's. */
#include <string.h>

#include "pq/x86/mldsa_x86.h"

#if LARCH_MLDSA_44 || LARCH_MLDSA_65 || LARCH_MLDSA_87

/* See mldsa_sign.c. */
#define ATTEMPTS_MAX 814

/*
 * Through all attempts; transformed. A product of the challenge with s1 or s2 has no coefficient beyond beta < 200
 * (beyond 539, with a key that larch_sig_check_sk refuses): so ML-KEM's modulus is enough for it, and 16 bits, in
 * which an NTT takes a third of the time.
 */
typedef struct signing_key {
    dsa_poly a[MLDSA_K_MAX * MLDSA_L_MAX], t0[MLDSA_K_MAX];
    x86_factor s1[MLDSA_L_MAX], minus_s2[MLDSA_K_MAX];
} signing_key;

typedef struct attempt {
    dsa_poly y[2 * MLDSA_L_MAX + DSA_MASKS]; /* then z; behind the l of this attempt, those that the next ones take */
    unsigned have;                           /* polynomials of y */
    x86_poly c;
    x86_poly small_c; /* transformed */
    dsa_poly minus_w1[MLDSA_K_MAX];
    dsa_poly w0[MLDSA_K_MAX]; /* LowBits(w), then - c s2, then + c t0 */
    uint8_t hints[MLDSA_K_MAX][MLDSA_N / 8];
    uint8_t c_tilde[MLDSA_C_TILDE_MAX];
} attempt;

/* sign: 1 or -1. */
static void unpack_secret(const dsa_ops *ops, const mldsa_params *p, x86_factor *f, const uint8_t *in, int sign)
{
    dsa_poly wide;
    x86_poly s;
    ops->unpack(&wide, in, p->eta, p->eta_bits);
    for (unsigned n = 0; n < MLDSA_N; n++)
        s.c[n] = (int16_t)(sign * wide.c[n]);
    ops->x86->ntt(&s);
    ops->x86->factor(f, &s);
    larch_wipe(&wide, sizeof wide);
    larch_wipe(&s, sizeof s);
}

static void unpack_key(const dsa_ops *ops, const mldsa_params *p, signing_key *key, const uint8_t *sk)
{
    dsa_rows rows = {.rho = sk, .a = key->a, .stride = p->l, .kept = p->k};
    (void)larch_dsa_sample_row(ops, p, &rows, p->k - 1u, NULL);
    for (unsigned s = 0; s < p->l; s++)
        unpack_secret(ops, p, &key->s1[s], mldsa_s1_of(p, sk, s), 1);
    for (unsigned r = 0; r < p->k; r++) {
        unpack_secret(ops, p, &key->minus_s2[r], mldsa_s2_of(p, sk, r), -1);
        ops->unpack(&key->t0[r], mldsa_t0_of(p, sk, r), MLDSA_T0_TOP, MLDSA_T0_BITS);
        ops->ntt(&key->t0[r]);
    }
}

/* c, and its NTT modulo ML-KEM's q, reduced for multiply. */
static void make_challenge(const dsa_ops *ops, const mldsa_params *p, attempt *a)
{
    uint8_t reduced[MLKEM_POLY_LEN];
    larch_dsa_sample_challenge(ops, p, &a->c, a->c_tilde);
    a->small_c = a->c;
    ops->x86->ntt(&a->small_c);
    ops->x86->encode(reduced, &a->small_c, 12);
    ops->x86->decode(&a->small_c, reduced, 12);
}

/* y, w = A y, and the challenge that follows. */
static void commit(const dsa_ops *ops, const mldsa_params *p, attempt *a, const signing_key *key, const uint8_t *mu,
                   const uint8_t *rho_second, unsigned kappa)
{
    dsa_poly y[MLDSA_L_MAX];
    uint8_t mu_w1[64 + MLDSA_K_MAX * MLDSA_POLY_LEN(MLDSA_W1_BITS_MAX)];
    const size_t w1_len = MLDSA_POLY_LEN(p->rounding.w1_bits);
    while (a->have < p->l)
        a->have += larch_dsa_sample_masks(ops, p, &a->y[a->have], rho_second, kappa + a->have, NULL);
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
    /* The hash costs little beside masks of the next attempt, which most likely comes. */
    dsa_hash h = {.in = mu_w1, .left = 64 + p->k * w1_len};
    while (a->have < 2u * p->l && larch_dsa_hash_is_worth_it(ops, &h))
        a->have += larch_dsa_sample_masks(ops, p, &a->y[a->have], rho_second, kappa + a->have, &h);
    larch_dsa_hash_finish(ops, &h, a->c_tilde, p->c_tilde_len);
    MLDSA_PUBLIC(a->c_tilde, p->c_tilde_len); /* see attempt of mldsa_sign.c */
    make_challenge(ops, p, a);
    larch_wipe(y, sizeof y[0] * p->l);
    larch_wipe(mu_w1, sizeof mu_w1);
    larch_x86_burn();
}

/* p += c * factor, if every coefficient of the sum is below bound. */
static bool add_product(const dsa_ops *ops, dsa_poly *p, const attempt *a, const x86_factor *factor, int32_t bound)
{
    x86_poly product;
    ops->x86->multiply(&product, &a->small_c, 0, factor, 1);
    ops->x86->inverse_ntt(&product);
    const bool accepted = ops->add_small_is_below(p, &product, bound);
    larch_wipe(&product, sizeof product);
    return accepted;
}

/* w0 - c s2 + c t0, and the hints that make up for the missing t0. false if c t0 is too large or there are too many
 * hints: reject. */
static bool make_hints(const dsa_ops *ops, const mldsa_params *p, attempt *a, const signing_key *key)
{
    dsa_poly c, product;
    unsigned count = 0;
    bool accepted = true;
    larch_dsa_widen(&c, &a->c);
    ops->ntt(&c);
    for (unsigned r = 0; accepted && r < p->k; r++) {
        ops->multiply(&product, &c, &key->t0[r], 1);
        ops->inverse_ntt(&product);
        accepted = ops->is_below(&product, p->rounding.gamma2);
        for (unsigned n = 0; n < MLDSA_N; n++)
            a->w0[r].c[n] += product.c[n];
        count += ops->make_hint(&p->rounding, a->hints[r], &a->minus_w1[r], &a->w0[r]);
    }
    larch_wipe(&product, sizeof product);
    return accepted && count <= p->omega;
}

/* w0 - c s2, z = y + c s1, and the hints. false if one of them tells of the secrets: reject. */
static bool respond(const dsa_ops *ops, const mldsa_params *p, attempt *a, const signing_key *key)
{
    bool accepted = true;
    for (unsigned r = 0; accepted && r < p->k; r++)
        accepted = add_product(ops, &a->w0[r], a, &key->minus_s2[r], p->rounding.gamma2 - p->beta);
    for (unsigned s = 0; accepted && s < p->l; s++)
        accepted = add_product(ops, &a->y[s], a, &key->s1[s], mldsa_gamma1(p) - p->beta);
    accepted = accepted && make_hints(ops, p, a, key);
    larch_x86_burn();
    return accepted;
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

    larch_wipe(a.y, sizeof a.y[0] * (2u * p->l + DSA_MASKS));
    larch_wipe(&a.c, sizeof a - offsetof(attempt, c));
    larch_wipe(key.s1, sizeof key.s1[0] * p->l);
    larch_wipe(key.minus_s2, sizeof key.minus_s2[0] * p->k);
    larch_wipe(key.t0, sizeof key.t0[0] * p->k);
    larch_wipe(k_rnd_mu, sizeof k_rnd_mu);
    larch_wipe(rho_second, sizeof rho_second);
    ops->x86->clear();
    larch_x86_burn();
    return done;
}

#endif
