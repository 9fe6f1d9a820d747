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

/* The 2 k + 1 polynomials of an encryption's noise: y, e1, e2. */
static size_t add_noise(const mlkem_params *p, x86_job *jobs, x86_poly *noise, const uint8_t *r)
{
    const uint8_t count = (uint8_t)(2 * p->k + 1);
    for (uint8_t i = 0; i < count; i++)
        jobs[i] = noise_job(p, &noise[i], r, i, i < p->k);
    return count;
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

/* Not inlined: a compiler that sees the copy loads the secret early, and keeps it in a
 * frame that is not wiped. */
__attribute__((noinline)) static void copy_secret(uint8_t *to, const uint8_t *from) { memcpy(to, from, 32); }

/* Three operations follow, each on count items side by side, of which every item
 * has its own work. jobs has room for what all items need at a time. */

typedef struct keygen_work {
    x86_poly a[K_MAX * K_MAX], s_e[2 * K_MAX];
    uint8_t rho_sigma[64];
} keygen_work;

#define KEYGEN_JOBS (K_MAX * K_MAX + 2 * K_MAX)

/* The rest of K-PKE.KeyGen [FIPS203 algorithm 13], after its sampling; and dk but for H(ek). */
static void finish_keygen(const x86_ops *ops, const mlkem_params *p, keygen_work *w, const uint8_t *seed, uint8_t *ek,
                          uint8_t *dk)
{
    const unsigned k = p->k;
    const size_t vector_len = mlkem_vector_len(p), ek_len = mlkem_ek_len(p);
    x86_factor s[K_MAX];
    x86_poly t;
    for (unsigned i = 0; i < 2 * k; i++)
        ops->ntt(&w->s_e[i]);
    for (unsigned i = 0; i < k; i++) {
        ops->factor(&s[i], &w->s_e[i]);
        ops->encode(dk + (size_t)MLKEM_POLY_LEN * i, &w->s_e[i], 12);
    }
    for (unsigned i = 0; i < k; i++) {
        ops->multiply(&t, &w->a[i * k], 1, s, k);
        ops->scale_add(&t, &w->s_e[k + i]);
        ops->encode(ek + (size_t)MLKEM_POLY_LEN * i, &t, 12);
    }
    memcpy(ek + vector_len, w->rho_sigma, 32);
    memcpy(dk + vector_len, ek, ek_len);
    copy_secret(dk + vector_len + ek_len + 32, seed + 32);
    larch_wipe(s, sizeof s[0] * k);
    larch_wipe(&t, sizeof t);
    larch_x86_burn();
}

/* ML-KEM.KeyGen_internal [FIPS203 algorithm 16]. */
static void keygen(const x86_ops *ops, const mlkem_params *p, keygen_work *w, x86_job *jobs, const uint8_t *const *seed,
                   uint8_t *const *ek, uint8_t *const *dk, size_t count)
{
    const uint8_t noises = (uint8_t)(2 * p->k);
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        jobs[i] = (x86_job){
            .in = seed[i], .in_len = 32, .tail = {p->k}, .tail_len = 1, .kind = X86_G, .bytes = w[i].rho_sigma};
    larch_x86_run(ops, jobs, count);
    for (size_t i = 0; i < count; i++) {
        MLKEM_PUBLIC(w[i].rho_sigma, 32); /* rho is the end of ek */
        n += add_matrix(p, jobs + n, w[i].a, w[i].rho_sigma, false);
    }
    for (size_t i = 0; i < count; i++)
        for (uint8_t nonce = 0; nonce < noises; nonce++)
            jobs[n++] = noise_job(p, &w[i].s_e[nonce], w[i].rho_sigma + 32, nonce, true);
    larch_x86_run(ops, jobs, n);
    for (size_t i = 0; i < count; i++) {
        finish_keygen(ops, p, &w[i], seed[i], ek[i], dk[i]);
        jobs[i] = hash_job(X86_H, ek[i], mlkem_ek_len(p), dk[i] + mlkem_vector_len(p) + mlkem_ek_len(p));
        larch_wipe(w[i].s_e, sizeof w[i].s_e[0] * noises);
        larch_wipe(w[i].rho_sigma, sizeof w[i].rho_sigma);
    }
    larch_x86_run(ops, jobs, count);
    leave(ops);
}

typedef struct encaps_work {
    public_key key;
    x86_poly noise[NOISE_MAX];
    uint8_t m_h[64], k_r[64];
} encaps_work;

#define ENCAPS_JOBS (K_MAX * K_MAX + 1)
_Static_assert(NOISE_MAX <= ENCAPS_JOBS, "the jobs of noise fit");

/* ML-KEM.Encaps_internal [FIPS203 algorithm 17]. */
static void encaps(const x86_ops *ops, const mlkem_params *p, encaps_work *w, x86_job *jobs, const uint8_t *const *ek,
                   const uint8_t *const *m, uint8_t *const *ct, uint8_t *const *ss, size_t count)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) { /* the longest first */
        copy_secret(w[i].m_h, m[i]);
        jobs[n++] = hash_job(X86_H, ek[i], mlkem_ek_len(p), w[i].m_h + 32);
    }
    for (size_t i = 0; i < count; i++)
        n += add_matrix(p, jobs + n, w[i].key.a, ek[i] + mlkem_vector_len(p), true);
    larch_x86_run(ops, jobs, n);
    for (size_t i = 0; i < count; i++)
        jobs[i] = hash_job(X86_G, w[i].m_h, 64, w[i].k_r);
    larch_x86_run(ops, jobs, count);
    n = 0;
    for (size_t i = 0; i < count; i++)
        n += add_noise(p, jobs + n, w[i].noise, w[i].k_r + 32);
    larch_x86_run(ops, jobs, n);
    for (size_t i = 0; i < count; i++) {
        for (unsigned j = 0; j < p->k; j++)
            ops->decode(&w[i].key.t[j], ek[i] + (size_t)MLKEM_POLY_LEN * j, 12);
        encrypt(ops, p, &w[i].key, w[i].noise, m[i], ct[i]);
        copy_secret(ss[i], w[i].k_r);
        larch_wipe(w[i].noise, sizeof w[i].noise[0] * (2u * p->k + 1));
        larch_wipe(w[i].m_h, sizeof w[i].m_h);
        larch_wipe(w[i].k_r, sizeof w[i].k_r);
    }
    leave(ops);
}

typedef struct decaps_work {
    x86_poly noise[NOISE_MAX];
    uint8_t m_h[64], k_r[64], rejected[32], z_ct[32 + CT_MAX];
} decaps_work;

/* A decapsulation key, expanded. */
typedef struct secret_key {
    public_key public;
    x86_factor s[K_MAX];
    const uint8_t *dk; /* of which it was made; NULL: not yet */
} secret_key;

/* The jobs of count decapsulations under one key. */
#define DECAPS_JOBS(count) (K_MAX * K_MAX + (count)*NOISE_MAX)

static void expand(const x86_ops *ops, const mlkem_params *p, secret_key *key, const uint8_t *dk)
{
    x86_poly s;
    for (unsigned i = 0; i < p->k; i++) {
        ops->decode(&s, dk + (size_t)MLKEM_POLY_LEN * i, 12);
        ops->factor(&key->s[i], &s);
        ops->decode(&key->public.t[i], dk + mlkem_vector_len(p) + (size_t)MLKEM_POLY_LEN * i, 12);
    }
    key->dk = dk;
    larch_wipe(&s, sizeof s);
}

/* ML-KEM.Decaps_internal [FIPS203 algorithm 18], all under one key, which is expanded if need be. */
static void decaps(const x86_ops *ops, const mlkem_params *p, secret_key *key, decaps_work *w, x86_job *jobs,
                   const uint8_t *dk, const uint8_t *const *ct, uint8_t *const *ss, size_t count)
{
    const uint8_t *h = dk + mlkem_vector_len(p) + mlkem_ek_len(p);
    const size_t ct_len = mlkem_ct_len(p);
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        copy_secret(w[i].z_ct, h + 32);
        memcpy(w[i].z_ct + 32, ct[i], ct_len);
        jobs[n++] = hash_job(X86_J, w[i].z_ct, 32 + ct_len, w[i].rejected);
    }
    if (key->dk != dk)
        n += add_matrix(p, jobs + n, key->public.a, h - 32, true);
    larch_x86_run(ops, jobs, n);
    if (key->dk != dk)
        expand(ops, p, key, dk);
    for (size_t i = 0; i < count; i++) {
        decrypt(ops, p, key->s, ct[i], w[i].m_h);
        memcpy(w[i].m_h + 32, h, 32);
        jobs[i] = hash_job(X86_G, w[i].m_h, 64, w[i].k_r);
    }
    larch_x86_run(ops, jobs, count);
    n = 0;
    for (size_t i = 0; i < count; i++)
        n += add_noise(p, jobs + n, w[i].noise, w[i].k_r + 32);
    larch_x86_run(ops, jobs, n);
    for (size_t i = 0; i < count; i++) {
        uint8_t again[CT_MAX];
        encrypt(ops, p, &key->public, w[i].noise, w[i].m_h, again);
        mlkem_select(ss[i], mlkem_ct_equal(ct[i], again, ct_len), w[i].k_r, w[i].rejected);
        larch_wipe(again, ct_len);
        larch_wipe(w[i].noise, sizeof w[i].noise[0] * (2u * p->k + 1));
        larch_wipe(w[i].m_h, sizeof w[i].m_h);
        larch_wipe(w[i].k_r, sizeof w[i].k_r);
        larch_wipe(w[i].rejected, sizeof w[i].rejected);
        larch_wipe(w[i].z_ct, 32);
    }
    leave(ops);
}

/* ---- one and many ------------------------------------------------------ */

void larch_x86_keygen(const x86_ops *ops, const mlkem_params *p, const uint8_t *seed, uint8_t *ek, uint8_t *dk)
{
    keygen_work w;
    x86_job jobs[KEYGEN_JOBS];
    keygen(ops, p, &w, jobs, &seed, &ek, &dk, 1);
}

void larch_x86_encaps(const x86_ops *ops, const mlkem_params *p, const uint8_t *ek, const uint8_t *m, uint8_t *ct,
                      uint8_t *ss)
{
    encaps_work w;
    x86_job jobs[ENCAPS_JOBS];
    encaps(ops, p, &w, jobs, &ek, &m, &ct, &ss, 1);
}

void larch_x86_decaps(const x86_ops *ops, const mlkem_params *p, const uint8_t *dk, const uint8_t *ct, uint8_t *ss)
{
    decaps_work w;
    secret_key key;
    x86_job jobs[DECAPS_JOBS(1)];
    key.dk = NULL;
    decaps(ops, p, &key, &w, jobs, dk, &ct, &ss, 1);
    larch_wipe(key.s, sizeof key.s[0] * p->k);
}

/* How many share the lanes: enough to fill them, without too much stack. */
enum { KEYS = 4, CIPHERTEXTS = 8 };

static size_t at_most(size_t n, size_t most) { return n < most ? n : most; }

void larch_x86_keygen_many(const x86_ops *ops, const mlkem_params *p, const uint8_t *const *seed, uint8_t *const *ek,
                           uint8_t *const *dk, size_t count)
{
    keygen_work w[KEYS];
    x86_job jobs[KEYS * KEYGEN_JOBS];
    for (size_t i = 0, n; i < count; i += n) {
        n = at_most(count - i, KEYS);
        keygen(ops, p, w, jobs, seed + i, ek + i, dk + i, n);
    }
}

void larch_x86_encaps_many(const x86_ops *ops, const mlkem_params *p, const uint8_t *const *ek, const uint8_t *const *m,
                           uint8_t *const *ct, uint8_t *const *ss, size_t count)
{
    encaps_work w[KEYS];
    x86_job jobs[KEYS * ENCAPS_JOBS];
    for (size_t i = 0, n; i < count; i += n) {
        n = at_most(count - i, KEYS);
        encaps(ops, p, w, jobs, ek + i, m + i, ct + i, ss + i, n);
    }
}

void larch_x86_decaps_many(const x86_ops *ops, const mlkem_params *p, const uint8_t *const *dk,
                           const uint8_t *const *ct, uint8_t *const *ss, size_t count)
{
    decaps_work w[CIPHERTEXTS];
    secret_key key;
    x86_job jobs[DECAPS_JOBS(CIPHERTEXTS)];
    key.dk = NULL;
    for (size_t i = 0, n; i < count; i += n) {
        for (n = 1; n < at_most(count - i, CIPHERTEXTS) && dk[i + n] == dk[i]; n++)
            ;
        decaps(ops, p, &key, w, jobs, dk[i], ct + i, ss + i, n);
    }
    larch_wipe(key.s, sizeof key.s[0] * p->k);
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
