/* SPDX-License-Identifier: Apache-2.0 */
/* The signer of ML-DSA. [FIPS204 5.2, 6.2] Names of variables are the standard's. */
#include <string.h>

#include "pq/mldsa_int.h"

#if LARCH_MLDSA_44 || LARCH_MLDSA_65 || LARCH_MLDSA_87

#define T0_SPLIT 7 /* t0 = low part + 2^7 high part, so that products with a challenge fit 16 bits */

/* More attempts than this have a chance below 2^-256 [FIPS204 appendix C]: the machine is broken. */
#define ATTEMPTS_MAX 814

/*
 * One attempt at a signature; as secret as the key until it succeeds. What an
 * observer of the time may learn, and why that is no harm:
 * - which check refused an attempt, and at which polynomial: y is uniform over
 *   its range, and so, as good as, is LowBits(w); the chance of that is the same
 *   for every s1, s2. Which coefficient it was, and its sign, never show;
 * - c_tilde of every attempt: it is the hash of a w1 that nobody can guess.
 */
typedef struct attempt {
    uint8_t z[MLDSA_L_MAX * MLDSA_POLY_LEN(MLDSA_Z_BITS_MAX)]; /* y at first, in the same form */
    uint8_t c_tilde[MLDSA_C_TILDE_MAX];
    mldsa_challenge c;
    uint8_t w1[MLDSA_K_MAX][MLDSA_N]; /* in the end the hints */
    mldsa_short w0[MLDSA_K_MAX];      /* LowBits(w), then - c s2, then + c t0 */
} attempt;

#if LARCH_PQ_SMALL
/* The matrix as it is kept through all attempts: its seed. */
typedef struct matrix {
    const uint8_t *rho;
} matrix;

static void sample_matrix(const mldsa_params *p, matrix *a, const uint8_t *rho)
{
    (void)p;
    a->rho = rho;
}

static void multiply_kept_row(const mldsa_params *p, mldsa_poly *w, const matrix *a, unsigned r, const mldsa_poly *v)
{
    larch_mldsa_multiply_sampled_row(p, w, a->rho, r, v);
}
#else
/* The matrix as it is kept through all attempts: whole. */
typedef struct matrix {
    mldsa_poly entry[MLDSA_K_MAX * MLDSA_L_MAX];
} matrix;

static void sample_matrix(const mldsa_params *p, matrix *a, const uint8_t *rho)
{
    for (unsigned r = 0; r < p->k; r++)
        larch_mldsa_sample_row(a->entry + r * p->l, p->l, rho, r);
}

static void multiply_kept_row(const mldsa_params *p, mldsa_poly *w, const matrix *a, unsigned r, const mldsa_poly *v)
{
    larch_mldsa_multiply_row(w, a->entry + r * p->l, v, p->l);
    larch_mldsa_inverse_ntt(w);
}
#endif

/* y, w = A y, and the challenge that follows. */
static void commit(const mldsa_params *p, attempt *a, const matrix *big_a, const uint8_t *mu, const uint8_t *rho_second,
                   uint16_t kappa)
{
    mldsa_poly y[MLDSA_L_MAX], w;
    larch_keccak h;
    for (unsigned s = 0; s < p->l; s++) {
        larch_mldsa_sample_mask(a->z + s * mldsa_z_len(p), mldsa_z_len(p), rho_second, (uint16_t)(kappa + s));
        larch_mldsa_unpack_residues(&y[s], a->z + s * mldsa_z_len(p), mldsa_gamma1(p), p->gamma1_bits);
        larch_mldsa_ntt(&y[s]);
    }
    larch_mldsa_commitment_init(&h, mu);
    for (unsigned r = 0; r < p->k; r++) {
        multiply_kept_row(p, &w, big_a, r, y);
        larch_mldsa_decompose(&p->rounding, a->w1[r], &a->w0[r], &w);
        larch_mldsa_commitment_absorb(p, &h, a->w1[r]);
    }
    larch_mldsa_commitment_finish(p, &h, a->c_tilde);
    MLDSA_PUBLIC(a->c_tilde, p->c_tilde_len); /* see attempt */
    larch_mldsa_sample_challenge(&a->c, p->tau, a->c_tilde, p->c_tilde_len);
    larch_wipe(y, sizeof y);
    larch_wipe(&w, sizeof w);
}

/* p += factor * a. */
static void add(mldsa_short *restrict p, const mldsa_small *restrict a, int32_t factor)
{
    for (unsigned n = 0; n < MLDSA_N; n++)
        p->c[n] += factor * a->c[n];
}

/* z = y + c s1 and w0 - c s2. false if either tells of the secrets: reject. */
static bool respond(const mldsa_params *p, attempt *a, const uint8_t *sk)
{
    mldsa_short z;
    mldsa_small secret, product;
    bool accepted = true;
    for (unsigned r = 0; accepted && r < p->k; r++) {
        larch_mldsa_unpack_small(&secret, mldsa_s2_of(p, sk, r), p->eta, p->eta_bits);
        larch_mldsa_challenge_times(&product, &a->c, &secret);
        add(&a->w0[r], &product, -1);
        accepted = larch_mldsa_norm_is_below(&a->w0[r], p->rounding.gamma2 - p->beta);
    }
    for (unsigned s = 0; accepted && s < p->l; s++) {
        uint8_t *bytes = a->z + s * mldsa_z_len(p);
        larch_mldsa_unpack_short(&z, bytes, mldsa_gamma1(p), p->gamma1_bits);
        larch_mldsa_unpack_small(&secret, mldsa_s1_of(p, sk, s), p->eta, p->eta_bits);
        larch_mldsa_challenge_times(&product, &a->c, &secret);
        add(&z, &product, 1);
        accepted = larch_mldsa_norm_is_below(&z, mldsa_gamma1(p) - p->beta);
        larch_mldsa_pack_short(bytes, &z, mldsa_gamma1(p), p->gamma1_bits);
    }
    larch_wipe(&z, sizeof z);
    larch_wipe(&secret, sizeof secret);
    larch_wipe(&product, sizeof product);
    return accepted;
}

/* The hints that make up for the missing t0. false if there are too many: reject. */
static bool make_hints(const mldsa_params *p, attempt *a, const uint8_t *sk)
{
    mldsa_small low, high, product;
    mldsa_short c_t0;
    unsigned count = 0;
    bool accepted = true;
    for (unsigned r = 0; accepted && r < p->k; r++) {
        larch_mldsa_unpack_small(&low, mldsa_t0_of(p, sk, r), MLDSA_T0_TOP, MLDSA_T0_BITS);
        for (unsigned n = 0; n < MLDSA_N; n++) {
            high.c[n] = (int16_t)(low.c[n] >> T0_SPLIT);
            low.c[n] &= (1 << T0_SPLIT) - 1;
        }
        memset(&c_t0, 0, sizeof c_t0);
        larch_mldsa_challenge_times(&product, &a->c, &low);
        add(&c_t0, &product, 1);
        larch_mldsa_challenge_times(&product, &a->c, &high);
        add(&c_t0, &product, 1 << T0_SPLIT);
        accepted = larch_mldsa_norm_is_below(&c_t0, p->rounding.gamma2);
        for (unsigned n = 0; n < MLDSA_N; n++)
            a->w0[r].c[n] += c_t0.c[n];
        count += larch_mldsa_make_hint(&p->rounding, a->w1[r], &a->w0[r]);
    }
    larch_wipe(&low, sizeof low);
    larch_wipe(&high, sizeof high);
    larch_wipe(&product, sizeof product);
    larch_wipe(&c_t0, sizeof c_t0);
    return accepted && count <= p->omega;
}

static void put_signature(const mldsa_params *p, attempt *a, uint8_t *sig)
{
    uint8_t *z = sig + p->c_tilde_len, *h = z + p->l * mldsa_z_len(p);
    MLDSA_PUBLIC(a->w1, sizeof a->w1); /* accepted: the hints are in the signature */
    memcpy(sig, a->c_tilde, p->c_tilde_len);
    memcpy(z, a->z, p->l * mldsa_z_len(p));
    memset(h, 0, (size_t)p->omega + p->k);
    for (unsigned r = 0; r < p->k; r++)
        larch_mldsa_pack_hint(h, a->w1[r], r, p->omega);
}

/* ML-DSA.Sign_internal [FIPS204 algorithm 7] from mu on. */
bool larch_mldsa_sign(const mldsa_params *p, const uint8_t *sk, const uint8_t *mu, const uint8_t *rnd, uint8_t *sig)
{
    matrix big_a;
    attempt a;
    uint8_t k_rnd_mu[128], rho_second[64];
    bool done = false;

    memcpy(k_rnd_mu, sk + 32, 32);
    memcpy(k_rnd_mu + 32, rnd, 32);
    memcpy(k_rnd_mu + 64, mu, 64);
    larch_shake256(LARCH_BYTES(k_rnd_mu), rho_second, sizeof rho_second);
    sample_matrix(p, &big_a, sk);

    for (unsigned attempts = 0; !done && attempts < ATTEMPTS_MAX; attempts++) {
        commit(p, &a, &big_a, mu, rho_second, (uint16_t)(attempts * p->l));
        done = respond(p, &a, sk) && make_hints(p, &a, sk);
    }
    if (done)
        put_signature(p, &a, sig);

    larch_wipe(&a, sizeof a);
    larch_wipe(k_rnd_mu, sizeof k_rnd_mu);
    larch_wipe(rho_second, sizeof rho_second);
    return done;
}

#endif
