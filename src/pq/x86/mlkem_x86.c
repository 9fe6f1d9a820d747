/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ML-KEM [FIPS203] on the vector operations of a level. Unlike the portable code it
 * holds the matrix, because entries and noise are sampled side by side, those of
 * several operations too. Names of variables are the standard's.
 */
#include <string.h>

#include "pq/x86/x86_int.h"

#define K_MAX     MLKEM_K_MAX
#define CT_MAX    LARCH_KEM_CT_MAX
/* Operations that share their sponges' lanes. */
#define GROUP     8
/* Polynomials of noise in an encryption: y, e1, e2. */
#define NOISE_MAX (2 * K_MAX + 1)

/* What an encryption needs of an encapsulation key. */
typedef struct public_key {
    x86_poly a[K_MAX * K_MAX]; /* the matrix, transposed, row after row */
    x86_poly t[K_MAX];
} public_key;

/* ---- jobs -------------------------------------------------------------- */

/* The k^2 entries of the matrix, or of its transpose, row after row. */
static size_t add_matrix(const mlkem_params *p, x86_job *jobs, x86_poly *a, const uint8_t *rho, bool transposed)
{
    for (uint8_t i = 0; i < p->k; i++)
        for (uint8_t j = 0; j < p->k; j++) {
            const uint8_t column = transposed ? i : j, row = transposed ? j : i;
            *jobs++ = (x86_job){
                .in = rho, .in_len = 32, .tail = {column, row}, .tail_len = 2, .kind = X86_ENTRY, .poly = a++};
        }
    return (size_t)p->k * p->k;
}

static x86_job noise_job(const mlkem_params *p, x86_poly *poly, const uint8_t *seed, uint8_t nonce, bool eta1)
{
    return (x86_job){.in = seed,
                     .in_len = 32,
                     .tail = {nonce},
                     .tail_len = 1,
                     .kind = eta1 && p->eta1 == 3 ? X86_NOISE3 : X86_NOISE,
                     .poly = poly};
}

static x86_job hash_job(x86_kind kind, const uint8_t *in, size_t in_len, uint8_t *out)
{
    return (x86_job){.in = in, .in_len = in_len, .kind = kind, .bytes = out};
}

/* ---- K-PKE ------------------------------------------------------------- */

static void add(x86_poly *p, const x86_poly *a)
{
    for (unsigned n = 0; n < MLKEM_N; n++)
        p->c[n] = (int16_t)(p->c[n] + a->c[n]);
}

/* K-PKE.Encrypt [FIPS203 algorithm 14] with its noise y | e1 | e2, which is used up. */
static void encrypt(const x86_ops *ops, const mlkem_params *p, const public_key *key, x86_poly *noise, const uint8_t *m,
                    uint8_t *ct)
{
    x86_factor y[K_MAX];
    x86_poly acc, mu;
    const unsigned k = p->k;
    for (unsigned i = 0; i < k; i++) {
        ops->ntt(&noise[i]);
        ops->factor(&y[i], &noise[i]);
    }
    for (unsigned i = 0; i < k; i++) {
        ops->multiply(&acc, &key->a[i * k], 1, y, k);
        ops->inverse_ntt(&acc);
        add(&acc, &noise[k + i]);
        ops->encode(ct, &acc, p->du);
        ct += (size_t)32 * p->du;
    }
    ops->multiply(&acc, key->t, 1, y, k);
    ops->inverse_ntt(&acc);
    ops->decode(&mu, m, 1);
    add(&acc, &noise[2 * k]);
    add(&acc, &mu);
    ops->encode(ct, &acc, p->dv);
    larch_wipe(y, sizeof y[0] * k);
    larch_wipe(&acc, sizeof acc);
    larch_wipe(&mu, sizeof mu);
    larch_x86_burn();
}

/* K-PKE.Decrypt [FIPS203 algorithm 15]. */
static void decrypt(const x86_ops *ops, const mlkem_params *p, const x86_factor *s, const uint8_t *ct, uint8_t *m)
{
    x86_poly u[K_MAX], v, acc;
    for (unsigned i = 0; i < p->k; i++) {
        ops->decode(&u[i], ct, p->du);
        ops->ntt(&u[i]);
        ct += (size_t)32 * p->du;
    }
    ops->multiply(&acc, u, 1, s, p->k);
    ops->inverse_ntt(&acc);
    ops->decode(&v, ct, p->dv);
    for (unsigned n = 0; n < MLKEM_N; n++)
        acc.c[n] = (int16_t)(v.c[n] - acc.c[n]);
    ops->encode(m, &acc, 1);
    larch_wipe(&acc, sizeof acc);
    larch_x86_burn();
}

/* ---- ML-KEM ------------------------------------------------------------ */

/* After the last secret: what is left in registers, and below on the stack. */
static void leave(const x86_ops *ops)
{
    ops->clear();
    larch_x86_burn();
}

/* ML-KEM.KeyGen_internal [FIPS203 algorithm 16], K-PKE.KeyGen [algorithm 13] within. */
static void keygen(const x86_ops *ops, const mlkem_params *p, const uint8_t *seed, uint8_t *ek, uint8_t *dk)
{
    x86_poly a[K_MAX * K_MAX], s_e[2 * K_MAX], t;
    x86_factor factors[K_MAX];
    x86_job jobs[K_MAX * K_MAX + 2 * K_MAX];
    uint8_t rho_sigma[64];
    const unsigned k = p->k;
    const size_t vector_len = mlkem_vector_len(p), ek_len = mlkem_ek_len(p);

    jobs[0] = (x86_job){.in = seed, .in_len = 32, .tail = {p->k}, .tail_len = 1, .kind = X86_G, .bytes = rho_sigma};
    larch_x86_run(ops, jobs, 1);
    MLKEM_PUBLIC(rho_sigma, 32); /* rho is the end of ek */
    size_t count = add_matrix(p, jobs, a, rho_sigma, false);
    for (uint8_t i = 0; i < 2 * k; i++)
        jobs[count++] = noise_job(p, &s_e[i], rho_sigma + 32, i, true);
    larch_x86_run(ops, jobs, count);

    for (unsigned i = 0; i < 2 * k; i++)
        ops->ntt(&s_e[i]);
    for (unsigned i = 0; i < k; i++) {
        ops->factor(&factors[i], &s_e[i]);
        ops->encode(dk + MLKEM_POLY_LEN * i, &s_e[i], 12);
    }
    for (unsigned i = 0; i < k; i++) {
        ops->multiply(&t, &a[i * k], 1, factors, k);
        ops->scale_add(&t, &s_e[k + i]);
        ops->encode(ek + MLKEM_POLY_LEN * i, &t, 12);
    }
    memcpy(ek + vector_len, rho_sigma, 32);
    memcpy(dk + vector_len, ek, ek_len);
    jobs[0] = hash_job(X86_H, ek, ek_len, dk + vector_len + ek_len);
    larch_x86_run(ops, jobs, 1);
    memcpy(dk + vector_len + ek_len + 32, seed + 32, 32);

    larch_wipe(s_e, sizeof s_e[0] * 2 * k);
    larch_wipe(factors, sizeof factors[0] * k);
    larch_wipe(&t, sizeof t);
    larch_wipe(rho_sigma, sizeof rho_sigma);
    leave(ops);
}

void larch_x86_keygen(const x86_ops *ops, const mlkem_params *p, const uint8_t *const *seed, uint8_t *const *ek,
                      uint8_t *const *dk, size_t count)
{
    for (size_t i = 0; i < count; i++)
        keygen(ops, p, seed[i], ek[i], dk[i]);
}

/* ML-KEM.Encaps_internal [FIPS203 algorithm 17]. */
static void encaps(const x86_ops *ops, const mlkem_params *p, const uint8_t *ek, const uint8_t *m, uint8_t *ct,
                   uint8_t *ss)
{
    public_key key;
    x86_poly noise[NOISE_MAX];
    x86_job jobs[K_MAX * K_MAX + 1];
    uint8_t m_h[64], k_r[64];
    const unsigned k = p->k;

    memcpy(m_h, m, 32);
    jobs[0] = hash_job(X86_H, ek, mlkem_ek_len(p), m_h + 32);
    larch_x86_run(ops, jobs, 1 + add_matrix(p, jobs + 1, key.a, ek + mlkem_vector_len(p), true));
    jobs[0] = hash_job(X86_G, m_h, 64, k_r);
    larch_x86_run(ops, jobs, 1);
    for (uint8_t i = 0; i < 2 * k + 1; i++)
        jobs[i] = noise_job(p, &noise[i], k_r + 32, i, i < k);
    larch_x86_run(ops, jobs, 2 * k + 1);
    for (unsigned i = 0; i < k; i++)
        ops->decode(&key.t[i], ek + MLKEM_POLY_LEN * i, 12);
    encrypt(ops, p, &key, noise, m, ct);
    memcpy(ss, k_r, 32);
    larch_wipe(noise, sizeof noise[0] * (2 * k + 1));
    larch_wipe(m_h, sizeof m_h);
    larch_wipe(k_r, sizeof k_r);
    leave(ops);
}

void larch_x86_encaps(const x86_ops *ops, const mlkem_params *p, const uint8_t *const *ek, const uint8_t *const *m,
                      uint8_t *const *ct, uint8_t *const *ss, size_t count)
{
    for (size_t i = 0; i < count; i++)
        encaps(ops, p, ek[i], m[i], ct[i], ss[i]);
}

/* ML-KEM.Decaps_internal [FIPS203 algorithm 18]. */
static void decaps(const x86_ops *ops, const mlkem_params *p, const uint8_t *dk, const uint8_t *ct, uint8_t *ss)
{
    public_key key;
    x86_factor s[K_MAX];
    x86_poly noise[NOISE_MAX], t;
    x86_job jobs[K_MAX * K_MAX + 1];
    uint8_t m_h[64], k_r[64], rejected[32], z_ct[32 + CT_MAX], again[CT_MAX];
    const unsigned k = p->k;
    const uint8_t *ek = dk + mlkem_vector_len(p), *h = ek + mlkem_ek_len(p);

    memcpy(z_ct, h + 32, 32);
    memcpy(z_ct + 32, ct, mlkem_ct_len(p));
    jobs[0] = hash_job(X86_J, z_ct, 32 + mlkem_ct_len(p), rejected);
    larch_x86_run(ops, jobs, 1 + add_matrix(p, jobs + 1, key.a, ek + mlkem_vector_len(p), true));
    for (unsigned i = 0; i < k; i++) {
        ops->decode(&t, dk + MLKEM_POLY_LEN * i, 12);
        ops->factor(&s[i], &t);
        ops->decode(&key.t[i], ek + MLKEM_POLY_LEN * i, 12);
    }
    decrypt(ops, p, s, ct, m_h);
    memcpy(m_h + 32, h, 32);
    jobs[0] = hash_job(X86_G, m_h, 64, k_r);
    larch_x86_run(ops, jobs, 1);
    for (uint8_t i = 0; i < 2 * k + 1; i++)
        jobs[i] = noise_job(p, &noise[i], k_r + 32, i, i < k);
    larch_x86_run(ops, jobs, 2 * k + 1);
    encrypt(ops, p, &key, noise, m_h, again);
    mlkem_select(ss, larch_ct_equal(ct, again, mlkem_ct_len(p)), k_r, rejected);

    larch_wipe(s, sizeof s[0] * k);
    larch_wipe(&t, sizeof t);
    larch_wipe(noise, sizeof noise[0] * (2 * k + 1));
    larch_wipe(m_h, sizeof m_h);
    larch_wipe(k_r, sizeof k_r);
    larch_wipe(rejected, sizeof rejected);
    larch_wipe(z_ct, 32);
    larch_wipe(again, mlkem_ct_len(p));
    leave(ops);
}

void larch_x86_decaps(const x86_ops *ops, const mlkem_params *p, const uint8_t *const *dk, const uint8_t *const *ct,
                      uint8_t *const *ss, size_t count)
{
    for (size_t i = 0; i < count; i++)
        decaps(ops, p, dk[i], ct[i], ss[i]);
}

bool larch_x86_ek_is_valid(const x86_ops *ops, const mlkem_params *p, const uint8_t *ek)
{
    x86_poly t;
    bool valid = true;
    for (unsigned i = 0; i < p->k; i++) {
        ops->decode(&t, ek + MLKEM_POLY_LEN * i, 12);
        valid &= ops->is_reduced(&t);
    }
    return valid;
}

bool larch_x86_dk_is_valid(const x86_ops *ops, const mlkem_params *p, const uint8_t *dk)
{
    const uint8_t *ek = dk + mlkem_vector_len(p);
    uint8_t h[32];
    const x86_job job = hash_job(X86_H, ek, mlkem_ek_len(p), h);
    larch_x86_run(ops, &job, 1);
    return larch_ct_equal(h, ek + mlkem_ek_len(p), sizeof h);
}
