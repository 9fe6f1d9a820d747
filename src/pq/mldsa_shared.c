/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What key generation, signer and verifier of ML-DSA [FIPS204] share: a row of the
 * matrix, sampled where it is multiplied, and the hash of the commitment.
 */
#include <string.h>

#include "pq/mldsa_int.h"

#if LARCH_MLDSA_44 || LARCH_MLDSA_65 || LARCH_MLDSA_87

#if LARCH_PQ_SMALL
void larch_mldsa_multiply_sampled_row(const mldsa_params *p, mldsa_poly *w, const uint8_t *rho, unsigned r,
                                      const mldsa_poly *v)
{
    memset(w, 0, sizeof *w);
    for (unsigned s = 0; s < p->l; s++)
        larch_mldsa_multiply_sampled(w, rho, r, s, &v[s]);
    larch_mldsa_reduce(w);
    larch_mldsa_inverse_ntt(w);
}
#else
void larch_mldsa_multiply_sampled_row(const mldsa_params *p, mldsa_poly *w, const uint8_t *rho, unsigned r,
                                      const mldsa_poly *v)
{
    mldsa_poly row[MLDSA_L_MAX];
    larch_mldsa_sample_row(row, p->l, rho, r);
    larch_mldsa_multiply_row(w, row, v, p->l);
    larch_mldsa_inverse_ntt(w);
}
#endif

void larch_mldsa_commitment_init(larch_keccak *h, const uint8_t *mu)
{
    larch_shake256_init(h);
    larch_shake_absorb(h, (larch_bytes){mu, 64});
}

void larch_mldsa_commitment_absorb(const mldsa_params *p, larch_keccak *h, const uint8_t *w1)
{
    uint8_t bytes[MLDSA_POLY_LEN(MLDSA_W1_BITS_MAX)];
    larch_mldsa_pack_w1(bytes, w1, p->rounding.w1_bits);
    larch_shake_absorb(h, (larch_bytes){bytes, MLDSA_POLY_LEN(p->rounding.w1_bits)});
    larch_wipe(bytes, sizeof bytes);
}

void larch_mldsa_commitment_finish(const mldsa_params *p, larch_keccak *h, uint8_t *c_tilde)
{
    larch_shake_finalize(h);
    larch_shake_squeeze(h, c_tilde, p->c_tilde_len);
    larch_wipe(h, sizeof *h);
}

#endif
