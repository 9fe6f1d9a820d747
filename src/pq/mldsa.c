/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ML-DSA [FIPS204]. The parameter set is a value, not a macro: one code serves
 * all three. Rows of the matrix are sampled where they are multiplied; only the
 * signer, who needs them in every attempt, keeps them. Names of variables are the
 * standard's.
 */
#include <string.h>

#include "pq/mldsa_int.h"

#if LARCH_MLDSA_44 || LARCH_MLDSA_65 || LARCH_MLDSA_87

typedef struct params {
    uint8_t k, l, eta, eta_bits, tau, beta, omega, c_tilde_len;
    uint8_t gamma1_bits; /* gamma1 = 2^(gamma1_bits - 1) */
    mldsa_rounding rounding;
} params;

#define K_MAX       (LARCH_MLDSA_87 ? 8 : LARCH_MLDSA_65 ? 6 : 4)
#define L_MAX       (LARCH_MLDSA_87 ? 7 : LARCH_MLDSA_65 ? 5 : 4)
#define Z_BITS_MAX  (LARCH_MLDSA_87 || LARCH_MLDSA_65 ? 20 : 18)
#define W1_BITS_MAX (LARCH_MLDSA_44 ? 6 : 4)
#define C_TILDE_MAX 64

/* More attempts than this have a chance below 2^-256 [FIPS204 appendix C]: the machine is broken. */
#define ATTEMPTS_MAX 814

#define T1_LEN   MLDSA_POLY_LEN(MLDSA_T1_BITS)
#define T0_LEN   MLDSA_POLY_LEN(MLDSA_T0_BITS)
#define T0_TOP   (1 << (MLDSA_D - 1))
#define T0_SPLIT 7 /* t0 = low part + 2^7 high part, so that products with a challenge fit 16 bits */

/* sk = rho | K | tr | s1 | s2 | t0     pk = rho | t1     sig = c_tilde | z | h */
#define S1_AT 128

static size_t s_len(const params *p) { return MLDSA_POLY_LEN(p->eta_bits); }
static size_t z_len(const params *p) { return MLDSA_POLY_LEN(p->gamma1_bits); }
static const uint8_t *s1_of(const params *p, const uint8_t *sk, unsigned s) { return sk + S1_AT + s * s_len(p); }
static const uint8_t *s2_of(const params *p, const uint8_t *sk, unsigned r) { return s1_of(p, sk, p->l + r); }
static const uint8_t *t0_of(const params *p, const uint8_t *sk, unsigned r) { return s2_of(p, sk, p->k) + r * T0_LEN; }
static int32_t gamma1(const params *p) { return (int32_t)1 << (p->gamma1_bits - 1); }

/* w = row r of A, times v, which is in the NTT's domain already; w is not, and below q. */
#if LARCH_PQ_SMALL
static void multiply_sampled_row(const params *p, mldsa_poly *w, const uint8_t *rho, unsigned r, const mldsa_poly *v)
{
    memset(w, 0, sizeof *w);
    for (unsigned s = 0; s < p->l; s++)
        larch_mldsa_multiply_sampled(w, rho, r, s, &v[s]);
    larch_mldsa_reduce(w);
    larch_mldsa_inverse_ntt(w);
}
#else
static void multiply_sampled_row(const params *p, mldsa_poly *w, const uint8_t *rho, unsigned r, const mldsa_poly *v)
{
    mldsa_poly row[L_MAX];
    larch_mldsa_sample_row(row, p->l, rho, r);
    larch_mldsa_multiply_row(w, row, v, p->l);
    larch_mldsa_inverse_ntt(w);
}
#endif

/* H(mu || w1Encode(w1)), a row at a time. */
static void commitment_init(larch_keccak *h, const uint8_t mu[64])
{
    larch_shake256_init(h);
    larch_shake_absorb(h, (larch_bytes){mu, 64});
}

static void commitment_absorb(const params *p, larch_keccak *h, const uint8_t w1[MLDSA_N])
{
    uint8_t bytes[MLDSA_POLY_LEN(W1_BITS_MAX)];
    larch_mldsa_pack_w1(bytes, w1, p->rounding.w1_bits);
    larch_shake_absorb(h, (larch_bytes){bytes, MLDSA_POLY_LEN(p->rounding.w1_bits)});
    larch_wipe(bytes, sizeof bytes);
}

static void commitment_finish(const params *p, larch_keccak *h, uint8_t *c_tilde)
{
    larch_shake_finalize(h);
    larch_shake_squeeze(h, c_tilde, p->c_tilde_len);
    larch_wipe(h, sizeof *h);
}

/* ---- key generation -------------------------------------------------------- */

/* ML-DSA.KeyGen_internal [FIPS204 algorithm 6]. */
static void keygen(const params *p, const uint8_t *seed, uint8_t *pk, uint8_t *sk)
{
    mldsa_poly s1[L_MAX], t;
    mldsa_small s, t0;
    uint8_t xi_k_l[34], hash[128];
    const uint8_t *rho = hash, *rho_prime = hash + 32, *big_k = hash + 96;
    uint8_t *s_out = sk + S1_AT, *t0_out = s_out + (p->k + p->l) * s_len(p);

    memcpy(xi_k_l, seed, 32);
    xi_k_l[32] = p->k;
    xi_k_l[33] = p->l;
    larch_shake256(LARCH_BYTES(xi_k_l), hash, sizeof hash);
    MLDSA_PUBLIC(rho, 32); /* it is the start of pk */
    memcpy(pk, rho, 32);
    memcpy(sk, rho, 32);
    memcpy(sk + 32, big_k, 32);

    for (unsigned i = 0; i < p->l; i++, s_out += s_len(p)) {
        larch_mldsa_sample_secret(&s, p->eta, rho_prime, (uint16_t)i);
        larch_mldsa_pack_small(s_out, &s, p->eta, p->eta_bits);
        memset(&s1[i], 0, sizeof s1[i]);
        larch_mldsa_add_small(&s1[i], &s);
        larch_mldsa_ntt(&s1[i]);
    }
    for (unsigned r = 0; r < p->k; r++, s_out += s_len(p), t0_out += T0_LEN) {
        larch_mldsa_sample_secret(&s, p->eta, rho_prime, (uint16_t)(p->l + r));
        larch_mldsa_pack_small(s_out, &s, p->eta, p->eta_bits);
        multiply_sampled_row(p, &t, rho, r, s1);
        larch_mldsa_add_small(&t, &s);
        larch_mldsa_power2round(&t, &t0);
        larch_mldsa_pack_t1(pk + 32 + r * T1_LEN, &t);
        larch_mldsa_pack_small(t0_out, &t0, T0_TOP, MLDSA_T0_BITS);
    }
    larch_shake256((larch_bytes){pk, 32 + p->k * T1_LEN}, sk + 64, 64); /* tr */

    larch_wipe(s1, sizeof s1);
    larch_wipe(&t, sizeof t);
    larch_wipe(&s, sizeof s);
    larch_wipe(&t0, sizeof t0);
    larch_wipe(xi_k_l, sizeof xi_k_l);
    larch_wipe(hash, sizeof hash);
}

/* ---- signing --------------------------------------------------------------- */

/*
 * One attempt at a signature; as secret as the key until it succeeds. What an
 * observer of the time may learn, and why that is no harm:
 * - which check refused an attempt, and at which polynomial: y is uniform over
 *   its range, so the chance of that is the same for every s1, s2;
 * - c_tilde of every attempt: it is the hash of a w1 that nobody can guess.
 */
typedef struct attempt {
    uint8_t z[L_MAX * MLDSA_POLY_LEN(Z_BITS_MAX)]; /* y at first, in the same form */
    uint8_t c_tilde[C_TILDE_MAX];
    mldsa_challenge c;
    uint8_t w1[K_MAX][MLDSA_N]; /* in the end the hints */
    mldsa_short w0[K_MAX];      /* LowBits(w), then - c s2, then + c t0 */
} attempt;

#if LARCH_PQ_SMALL
/* The matrix as it is kept through all attempts: its seed. */
typedef struct matrix {
    const uint8_t *rho;
} matrix;

static void sample_matrix(const params *p, matrix *a, const uint8_t *rho)
{
    (void)p;
    a->rho = rho;
}

static void multiply_kept_row(const params *p, mldsa_poly *w, const matrix *a, unsigned r, const mldsa_poly *v)
{
    multiply_sampled_row(p, w, a->rho, r, v);
}
#else
/* The matrix as it is kept through all attempts: whole. */
typedef struct matrix {
    mldsa_poly entry[K_MAX * L_MAX];
} matrix;

static void sample_matrix(const params *p, matrix *a, const uint8_t *rho)
{
    for (unsigned r = 0; r < p->k; r++)
        larch_mldsa_sample_row(a->entry + r * p->l, p->l, rho, r);
}

static void multiply_kept_row(const params *p, mldsa_poly *w, const matrix *a, unsigned r, const mldsa_poly *v)
{
    larch_mldsa_multiply_row(w, a->entry + r * p->l, v, p->l);
    larch_mldsa_inverse_ntt(w);
}
#endif

/* y, w = A y, and the challenge that follows. */
static void commit(const params *p, attempt *a, const matrix *big_a, const uint8_t *mu, const uint8_t *rho_second,
                   uint16_t kappa)
{
    mldsa_poly y[L_MAX], w;
    larch_keccak h;
    for (unsigned s = 0; s < p->l; s++) {
        larch_mldsa_sample_mask(a->z + s * z_len(p), z_len(p), rho_second, (uint16_t)(kappa + s));
        larch_mldsa_unpack_residues(&y[s], a->z + s * z_len(p), gamma1(p), p->gamma1_bits);
        larch_mldsa_ntt(&y[s]);
    }
    commitment_init(&h, mu);
    for (unsigned r = 0; r < p->k; r++) {
        multiply_kept_row(p, &w, big_a, r, y);
        larch_mldsa_decompose(&p->rounding, a->w1[r], &a->w0[r], &w);
        commitment_absorb(p, &h, a->w1[r]);
    }
    commitment_finish(p, &h, a->c_tilde);
    MLDSA_PUBLIC(a->c_tilde, p->c_tilde_len); /* see attempt */
    larch_mldsa_sample_challenge(&a->c, p->tau, a->c_tilde, p->c_tilde_len);
    larch_wipe(y, sizeof y);
    larch_wipe(&w, sizeof w);
}

/* p += a, or p -= a. */
static void add(mldsa_short *restrict p, const mldsa_small *restrict a, int32_t factor)
{
    for (unsigned n = 0; n < MLDSA_N; n++)
        p->c[n] += factor * a->c[n];
}

/* z = y + c s1 and w0 - c s2. false if either tells of the secrets: reject. */
static bool respond(const params *p, attempt *a, const uint8_t *sk)
{
    mldsa_short z;
    mldsa_small secret, product;
    bool accepted = true;
    for (unsigned r = 0; accepted && r < p->k; r++) {
        larch_mldsa_unpack_small(&secret, s2_of(p, sk, r), p->eta, p->eta_bits);
        larch_mldsa_challenge_times(&product, &a->c, &secret);
        add(&a->w0[r], &product, -1);
        accepted = larch_mldsa_norm_is_below(&a->w0[r], p->rounding.gamma2 - p->beta);
    }
    for (unsigned s = 0; accepted && s < p->l; s++) {
        uint8_t *bytes = a->z + s * z_len(p);
        larch_mldsa_unpack_short(&z, bytes, gamma1(p), p->gamma1_bits);
        larch_mldsa_unpack_small(&secret, s1_of(p, sk, s), p->eta, p->eta_bits);
        larch_mldsa_challenge_times(&product, &a->c, &secret);
        add(&z, &product, 1);
        accepted = larch_mldsa_norm_is_below(&z, gamma1(p) - p->beta);
        larch_mldsa_pack_short(bytes, &z, gamma1(p), p->gamma1_bits);
    }
    larch_wipe(&z, sizeof z);
    larch_wipe(&secret, sizeof secret);
    larch_wipe(&product, sizeof product);
    return accepted;
}

/* The hints that make up for the missing t0. false if there are too many: reject. */
static bool make_hints(const params *p, attempt *a, const uint8_t *sk)
{
    unsigned count = 0;
    for (unsigned r = 0; r < p->k; r++) {
        mldsa_small low, high, product;
        mldsa_short c_t0 = {{0}};
        larch_mldsa_unpack_small(&low, t0_of(p, sk, r), T0_TOP, MLDSA_T0_BITS);
        for (unsigned n = 0; n < MLDSA_N; n++) {
            high.c[n] = (int16_t)(low.c[n] >> T0_SPLIT);
            low.c[n] &= (1 << T0_SPLIT) - 1;
        }
        larch_mldsa_challenge_times(&product, &a->c, &low);
        add(&c_t0, &product, 1);
        larch_mldsa_challenge_times(&product, &a->c, &high);
        add(&c_t0, &product, 1 << T0_SPLIT);
        if (!larch_mldsa_norm_is_below(&c_t0, p->rounding.gamma2))
            return false;
        for (unsigned n = 0; n < MLDSA_N; n++)
            a->w0[r].c[n] += c_t0.c[n];
        count += larch_mldsa_make_hint(&p->rounding, a->w1[r], &a->w0[r]);
    }
    return count <= p->omega;
}

static void put_signature(const params *p, attempt *a, uint8_t *sig)
{
    uint8_t *z = sig + p->c_tilde_len, *h = z + p->l * z_len(p);
    MLDSA_PUBLIC(a->w1, sizeof a->w1); /* accepted: the hints are in the signature */
    memcpy(sig, a->c_tilde, p->c_tilde_len);
    memcpy(z, a->z, p->l * z_len(p));
    memset(h, 0, (size_t)p->omega + p->k);
    for (unsigned r = 0; r < p->k; r++)
        larch_mldsa_pack_hint(h, a->w1[r], r, p->omega);
}

/* ML-DSA.Sign_internal [FIPS204 algorithm 7] from mu on. */
static bool sign(const params *p, const uint8_t *sk, const uint8_t *mu, const uint8_t *rnd, uint8_t *sig)
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

/* ---- verification ---------------------------------------------------------- */

static bool z_is_short(const params *p, const uint8_t *z_bytes)
{
    mldsa_short z;
    bool is_short = true;
    for (unsigned s = 0; is_short && s < p->l; s++) {
        larch_mldsa_unpack_short(&z, z_bytes + s * z_len(p), gamma1(p), p->gamma1_bits);
        is_short = larch_mldsa_norm_is_below(&z, gamma1(p) - p->beta);
    }
    return is_short;
}

static void transform_z(const params *p, mldsa_poly *z, const uint8_t *z_bytes, unsigned s)
{
    larch_mldsa_unpack_residues(z, z_bytes + s * z_len(p), gamma1(p), p->gamma1_bits);
    larch_mldsa_ntt(z);
}

/* What the verifier prepares for all rows. */
typedef struct verification {
    mldsa_challenge c;
#if !LARCH_PQ_SMALL
    mldsa_poly z[L_MAX]; /* transformed */
    mldsa_small c_ones;  /* c * (1 + X + ... + X^255) */
#endif
} verification;

#if LARCH_PQ_SMALL
static void prepare(const params *p, verification *v, const uint8_t *sig)
{
    larch_mldsa_sample_challenge(&v->c, p->tau, sig, p->c_tilde_len);
}

/* z is transformed anew for each row. */
static void multiply_z(const params *p, mldsa_poly *w, const uint8_t *rho, unsigned r, const uint8_t *z_bytes)
{
    mldsa_poly z;
    memset(w, 0, sizeof *w);
    for (unsigned s = 0; s < p->l; s++) {
        transform_z(p, &z, z_bytes, s);
        larch_mldsa_multiply_sampled(w, rho, r, s, &z);
    }
    larch_mldsa_reduce(w);
    larch_mldsa_inverse_ntt(w);
}

/* w = row r of A z - c t1 2^d. */
static void compute_row(const params *p, const verification *v, mldsa_poly *w, const uint8_t *pk, unsigned r,
                        const uint8_t *sig)
{
    mldsa_small t1;
    multiply_z(p, w, pk, r, sig + p->c_tilde_len);
    larch_mldsa_unpack_t1_centered(&t1, pk + 32 + r * T1_LEN);
    larch_mldsa_subtract_t1_slowly(w, &v->c, &t1);
}
#else
static void prepare(const params *p, verification *v, const uint8_t *sig)
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
static void compute_row(const params *p, const verification *v, mldsa_poly *w, const uint8_t *pk, unsigned r,
                        const uint8_t *sig)
{
    mldsa_small t1, product;
    (void)sig;
    multiply_sampled_row(p, w, pk, r, v->z);
    larch_mldsa_unpack_t1_centered(&t1, pk + 32 + r * T1_LEN);
    larch_mldsa_challenge_times(&product, &v->c, &t1);
    larch_mldsa_subtract_t1(w, &product, &v->c_ones);
}
#endif

/* w1 = UseHint(h, w), into the hash. */
static void absorb_row(const params *p, larch_keccak *h, const mldsa_poly *w, unsigned r, const uint8_t *h_bytes)
{
    uint8_t w1[MLDSA_N]; /* the hints first */
    larch_mldsa_unpack_hint(w1, h_bytes, r, p->omega);
    larch_mldsa_use_hint(&p->rounding, w1, w);
    commitment_absorb(p, h, w1);
}

/* ML-DSA.Verify_internal [FIPS204 algorithm 8] from mu on. All is public. */
static bool verify(const params *p, const uint8_t *pk, const uint8_t *mu, const uint8_t *sig)
{
    const uint8_t *z_bytes = sig + p->c_tilde_len, *h_bytes = z_bytes + p->l * z_len(p);
    verification v;
    mldsa_poly w;
    larch_keccak h;
    uint8_t c_tilde[C_TILDE_MAX];

    if (!larch_mldsa_hint_is_valid(h_bytes, p->k, p->omega) || !z_is_short(p, z_bytes))
        return false;
    prepare(p, &v, sig);
    commitment_init(&h, mu);
    for (unsigned r = 0; r < p->k; r++) {
        compute_row(p, &v, &w, pk, r, sig);
        absorb_row(p, &h, &w, r, h_bytes);
    }
    commitment_finish(p, &h, c_tilde);
    return larch_ct_equal(c_tilde, sig, p->c_tilde_len);
}

/* ---- the three sets [FIPS204 4] -------------------------------------------- */

#define GAMMA2_88                                                                                   \
    {                                                                                               \
        .gamma2 = 95232, .parts = 44, .factor = 2819, .shift = 11, .factor_shift = 18, .w1_bits = 6 \
    }
#define GAMMA2_32                                                                                    \
    {                                                                                                \
        .gamma2 = 261888, .parts = 16, .factor = 65601, .shift = 9, .factor_shift = 26, .w1_bits = 4 \
    }

#define MLDSA_SET(set, ...)                                                                                          \
    static const params params_##set = {__VA_ARGS__};                                                                \
    static void keygen_##set(const uint8_t *seed, uint8_t *pk, uint8_t *sk) { keygen(&params_##set, seed, pk, sk); } \
    static bool sign_##set(const uint8_t *sk, const uint8_t *mu, const uint8_t *rnd, uint8_t *sig)                   \
    {                                                                                                                \
        return sign(&params_##set, sk, mu, rnd, sig);                                                                \
    }                                                                                                                \
    static bool verify_##set(const uint8_t *pk, const uint8_t *mu, const uint8_t *sig)                               \
    {                                                                                                                \
        return verify(&params_##set, pk, mu, sig);                                                                   \
    }                                                                                                                \
    const struct larch_sig_functions larch_mldsa_##set = {keygen_##set, sign_##set, verify_##set};

#if LARCH_MLDSA_44
MLDSA_SET(44, .k = 4, .l = 4, .eta = 2, .eta_bits = 3, .tau = 39, .beta = 78, .omega = 80, .c_tilde_len = 32,
          .gamma1_bits = 18, .rounding = GAMMA2_88)
#endif
#if LARCH_MLDSA_65
MLDSA_SET(65, .k = 6, .l = 5, .eta = 4, .eta_bits = 4, .tau = 49, .beta = 196, .omega = 55, .c_tilde_len = 48,
          .gamma1_bits = 20, .rounding = GAMMA2_32)
#endif
#if LARCH_MLDSA_87
MLDSA_SET(87, .k = 8, .l = 7, .eta = 2, .eta_bits = 3, .tau = 60, .beta = 120, .omega = 75, .c_tilde_len = 64,
          .gamma1_bits = 20, .rounding = GAMMA2_32)
#endif

#endif
