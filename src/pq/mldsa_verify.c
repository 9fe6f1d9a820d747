/* SPDX-License-Identifier: Apache-2.0 */
/* The verifier of ML-DSA, a row at a time. [FIPS204 5.3, 6.3] All is public here. */
#include <string.h>

#include "pq/mldsa_int.h"

#if LARCH_MLDSA_44 || LARCH_MLDSA_65 || LARCH_MLDSA_87

#if defined(__GNUC__)
#define NOINLINE __attribute__((noinline))
#else
#define NOINLINE
#endif

NOINLINE static bool z_is_short(const mldsa_params *p, const uint8_t *z_bytes)
{
    mldsa_short z;
    bool is_short = true;
    for (unsigned s = 0; is_short && s < p->l; s++) {
        larch_mldsa_unpack_short(&z, z_bytes + s * mldsa_z_len(p), mldsa_gamma1(p), p->gamma1_bits);
        is_short = larch_mldsa_norm_is_below(&z, mldsa_gamma1(p) - p->beta);
    }
    return is_short;
}

static void transform_z(const mldsa_params *p, mldsa_poly *z, const uint8_t *z_bytes, unsigned s)
{
    larch_mldsa_unpack_residues(z, z_bytes + s * mldsa_z_len(p), mldsa_gamma1(p), p->gamma1_bits);
    larch_mldsa_ntt(z);
}

/* What the verifier prepares for all rows. */
typedef struct verification {
    mldsa_challenge c;
#if !LARCH_PQ_SMALL
    mldsa_poly z[MLDSA_L_MAX]; /* transformed */
    mldsa_small c_ones;        /* c * (1 + X + ... + X^255) */
#endif
} verification;

#if LARCH_PQ_SMALL
static void prepare(const mldsa_params *p, verification *v, const uint8_t *sig)
{
    larch_mldsa_sample_challenge(&v->c, p->tau, sig, p->c_tilde_len);
}

/* z is transformed anew for each row. Neither this nor the next is inlined, lest their frames add up. */
NOINLINE static void multiply_z(const mldsa_params *p, mldsa_poly *w, const uint8_t *rho, unsigned r,
                                const uint8_t *z_bytes)
{
    mldsa_poly z;
    larch_wipe(w, sizeof *w); /* zeroes */
    for (unsigned s = 0; s < p->l; s++) {
        transform_z(p, &z, z_bytes, s);
        larch_mldsa_multiply_sampled(w, rho, r, s, &z);
    }
    larch_mldsa_reduce(w);
    larch_mldsa_inverse_ntt(w);
}

NOINLINE static void subtract_t1(const verification *v, mldsa_poly *w, const uint8_t *t1_bytes)
{
    mldsa_small t1;
    larch_mldsa_unpack_t1_centered(&t1, t1_bytes);
    larch_mldsa_subtract_t1_slowly(w, &v->c, &t1);
}

/* w = row r of A z - c t1 2^d. */
static void compute_row(const mldsa_params *p, const verification *v, mldsa_poly *w, const uint8_t *pk, unsigned r,
                        const uint8_t *sig)
{
    multiply_z(p, w, pk, r, sig + p->c_tilde_len);
    subtract_t1(v, w, pk + 32 + r * MLDSA_T1_LEN);
}
#else
static void prepare(const mldsa_params *p, verification *v, const uint8_t *sig)
{
    mldsa_small ones;
    for (unsigned s = 0; s < p->l; s++)
        transform_z(p, &v->z[s], sig + p->c_tilde_len, s);
    larch_mldsa_sample_challenge(&v->c, p->tau, sig, p->c_tilde_len);
    for (unsigned n = 0; n < MLDSA_N; n++)
        ones.c[n] = 1;
    larch_mldsa_challenge_times(&v->c_ones, &v->c, &ones);
}

/* w = row r of A z - c t1 2^d. */
static void compute_row(const mldsa_params *p, const verification *v, mldsa_poly *w, const uint8_t *pk, unsigned r,
                        const uint8_t *sig)
{
    mldsa_small t1, product;
    (void)sig;
    larch_mldsa_multiply_sampled_row(p, w, pk, r, v->z);
    larch_mldsa_unpack_t1_centered(&t1, pk + 32 + r * MLDSA_T1_LEN);
    larch_mldsa_challenge_times(&product, &v->c, &t1);
    larch_mldsa_subtract_t1(w, &product, &v->c_ones);
}
#endif

/* w1 = UseHint(h, w), into the hash. */
NOINLINE static void absorb_row(const mldsa_params *p, larch_keccak *h, const mldsa_poly *w, unsigned r,
                                const uint8_t *h_bytes)
{
    uint8_t w1[MLDSA_N]; /* the hints first */
    larch_mldsa_unpack_hint(w1, h_bytes, r, p->omega);
    larch_mldsa_use_hint(&p->rounding, w1, w);
    larch_mldsa_commitment_absorb(p, h, w1);
}

NOINLINE static bool finish(const mldsa_params *p, larch_keccak *h, const uint8_t *sig)
{
    uint8_t c_tilde[MLDSA_C_TILDE_MAX];
    larch_mldsa_commitment_finish(p, h, c_tilde);
    return larch_ct_equal(c_tilde, sig, p->c_tilde_len);
}

/* ML-DSA.Verify_internal [FIPS204 algorithm 8] from mu on. All is public. */
bool larch_mldsa_verify(const mldsa_params *p, const uint8_t *pk, const uint8_t *mu, const uint8_t *sig)
{
    const uint8_t *z_bytes = sig + p->c_tilde_len, *h_bytes = z_bytes + p->l * mldsa_z_len(p);
    verification v;
    mldsa_poly w;
    larch_keccak h;

    if (!larch_mldsa_hint_is_valid(h_bytes, p->k, p->omega) || !z_is_short(p, z_bytes))
        return false;
    prepare(p, &v, sig);
    larch_mldsa_commitment_init(&h, mu);
    for (unsigned r = 0; r < p->k; r++) {
        compute_row(p, &v, &w, pk, r, sig);
        absorb_row(p, &h, &w, r, h_bytes);
    }
    return finish(p, &h, sig);
}

#endif
