/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys and verification of ML-DSA [FIPS204] on the vector operations of a level. Unlike
 * the portable code it holds several rows of the matrix, whose entries are sampled side
 * by side.
 * Names of variables are the standard's.
 */
#include <string.h>

#include "pq/x86/mldsa_x86.h"

#if LARCH_MLDSA_44 || LARCH_MLDSA_65 || LARCH_MLDSA_87

void larch_dsa_widen(dsa_poly *p, const x86_poly *a)
{
    for (unsigned n = 0; n < MLDSA_N; n++)
        p->c[n] = a->c[n];
}

/* ML-DSA.KeyGen_internal [FIPS204 algorithm 6]. */
void larch_dsa_keygen(const dsa_ops *ops, const mldsa_params *p, const uint8_t *seed, uint8_t *pk, uint8_t *sk)
{
    dsa_poly a[DSA_ROWS_AHEAD * MLDSA_L_MAX], secrets[MLDSA_L_MAX + MLDSA_K_MAX], t, t0;
    dsa_poly *const s1 = secrets, *const s2 = secrets + p->l;
    uint8_t xi_k_l[34], hash[128];
    const uint8_t *rho = hash, *rho_prime = hash + 32, *big_k = hash + 96;
    uint8_t *s_out = sk + MLDSA_S1_AT, *t0_out = s_out + (p->k + p->l) * mldsa_s_len(p);

    memcpy(xi_k_l, seed, 32);
    xi_k_l[32] = p->k;
    xi_k_l[33] = p->l;
    larch_dsa_hash(ops, xi_k_l, sizeof xi_k_l, hash, sizeof hash);
    MLDSA_PUBLIC(rho, 32); /* it is the start of pk */
    memcpy(pk, rho, 32);
    memcpy(sk, rho, 32);
    memcpy(sk + 32, big_k, 32);

    larch_dsa_sample_secrets(ops, p, secrets, rho_prime);
    for (unsigned i = 0; i < (unsigned)p->l + p->k; i++)
        ops->pack(s_out + i * mldsa_s_len(p), &secrets[i], p->eta, p->eta_bits);
    for (unsigned s = 0; s < p->l; s++)
        ops->ntt(&s1[s]);
    dsa_rows rows = {.rho = rho, .a = a, .stride = p->l, .kept = DSA_ROWS_AHEAD};
    dsa_hash tr = {.in = pk, .left = 32};
    for (unsigned r = 0; r < p->k; r++, tr.left += MLDSA_T1_LEN) {
        ops->multiply(&t, larch_dsa_sample_row(ops, p, &rows, r, &tr), s1, p->l);
        ops->inverse_ntt(&t);
        for (unsigned n = 0; n < MLDSA_N; n++)
            t.c[n] += s2[r].c[n];
        ops->power2round(&t, &t0);
        ops->pack(pk + 32 + r * MLDSA_T1_LEN, &t, 0, MLDSA_T1_BITS);
        ops->pack(t0_out + r * MLDSA_T0_LEN, &t0, MLDSA_T0_TOP, MLDSA_T0_BITS);
    }
    larch_dsa_hash_finish(ops, &tr, sk + 64, 64);

    larch_wipe(secrets, sizeof secrets[0] * ((unsigned)p->l + p->k));
    larch_wipe(&t, sizeof t);
    larch_wipe(&t0, sizeof t0);
    larch_wipe(xi_k_l, sizeof xi_k_l);
    larch_wipe(hash, sizeof hash);
    ops->x86->clear();
    larch_x86_burn();
}

/* UseHint [FIPS204 algorithm 40] for row r of valid hints: minus_w1 is that of the hash then. */
static void use_hints(const mldsa_params *p, dsa_poly *minus_w1, const dsa_poly *w0, const uint8_t *h, unsigned r)
{
    const int32_t parts = p->rounding.parts;
    for (unsigned at = r > 0 ? h[p->omega + r - 1] : 0; at < h[p->omega + r]; at++) {
        int32_t *c = &minus_w1->c[h[at]];
        const int32_t w1 = -*c + (w0->c[h[at]] > 0 ? 1 : -1);
        *c = w1 < 0 ? 1 - parts : w1 == parts ? 0 : -w1;
    }
}

/* ML-DSA.Verify_internal [FIPS204 algorithm 8] from mu on. All is public. */
bool larch_dsa_verify(const dsa_ops *ops, const mldsa_params *p, const uint8_t *pk, const uint8_t *mu,
                      const uint8_t *sig)
{
    /* Each row has one entry more, t1 2^d, and z one more, -c: so one sum gives A z - c t1 2^d. */
    dsa_poly a[DSA_ROWS_AHEAD * (MLDSA_L_MAX + 1)], z[MLDSA_L_MAX + 1], w, minus_w1;
    x86_poly c;
    uint8_t mu_w1[64 + MLDSA_K_MAX * MLDSA_POLY_LEN(MLDSA_W1_BITS_MAX)], c_tilde[MLDSA_C_TILDE_MAX];
    const uint8_t *z_bytes = sig + p->c_tilde_len, *h_bytes = z_bytes + p->l * mldsa_z_len(p);
    const unsigned stride = p->l + 1u;
    const size_t w1_len = MLDSA_POLY_LEN(p->rounding.w1_bits);

    if (!larch_mldsa_hint_is_valid(h_bytes, p->k, p->omega))
        return false;
    for (unsigned s = 0; s < p->l; s++) {
        ops->unpack(&z[s], z_bytes + s * mldsa_z_len(p), mldsa_gamma1(p), p->gamma1_bits);
        if (!ops->is_below(&z[s], mldsa_gamma1(p) - p->beta))
            return false;
        ops->ntt(&z[s]);
    }
    larch_dsa_sample_challenge(ops, p, &c, sig);
    larch_dsa_widen(&z[p->l], &c);
    ops->ntt(&z[p->l]);
    memcpy(mu_w1, mu, 64);
    dsa_rows rows = {.rho = pk, .a = a, .stride = stride, .kept = DSA_ROWS_AHEAD};
    dsa_hash h = {.in = mu_w1, .left = 64};
    for (unsigned r = 0; r < p->k; r++, h.left += w1_len) {
        dsa_poly *const row = larch_dsa_sample_row(ops, p, &rows, r, &h), *const t1 = &row[p->l];
        ops->unpack(t1, pk + 32 + r * MLDSA_T1_LEN, 0, MLDSA_T1_BITS); /* -t1 */
        for (unsigned n = 0; n < MLDSA_N; n++)
            t1->c[n] *= 1 << MLDSA_D;
        ops->ntt(t1);
        ops->multiply(&w, row, z, stride);
        ops->inverse_ntt(&w);
        ops->decompose(&p->rounding, &minus_w1, &w);
        use_hints(p, &minus_w1, &w, h_bytes, r);
        ops->pack(mu_w1 + 64 + r * w1_len, &minus_w1, 0, p->rounding.w1_bits);
    }
    larch_dsa_hash_finish(ops, &h, c_tilde, p->c_tilde_len);
    return larch_ct_equal(c_tilde, sig, p->c_tilde_len);
}

#endif
