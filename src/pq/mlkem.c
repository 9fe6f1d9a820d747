/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ML-KEM [FIPS203]. The parameter set is a value, not a macro: one code serves
 * all three. The matrix is never held: each entry is sampled where it is
 * multiplied. Names of variables are the standard's.
 */
#include <string.h>

#include "pq/mlkem_int.h"

#if !LARCH_MLKEM_32

typedef mlkem_params params;

#if defined(__GNUC__)
#define NOINLINE __attribute__((noinline))
#else
#define NOINLINE
#endif

#define ETA2   MLKEM_ETA2
#define K_MAX  MLKEM_K_MAX
#define CT_MAX LARCH_KEM_CT_MAX

static size_t vector_len(const params *p) { return mlkem_vector_len(p); }
static size_t ek_len(const params *p) { return mlkem_ek_len(p); }
static size_t ct_len(const params *p) { return mlkem_ct_len(p); }

/* v[i] = NTT of the sample with nonce i. */
static void sample_vector(const params *p, mlkem_factor *v, const uint8_t *seed)
{
    for (uint8_t i = 0; i < p->k; i++) {
        larch_mlkem_sample_cbd(&v[i].poly, p->eta1, seed, i);
        larch_mlkem_ntt(&v[i].poly);
        larch_mlkem_factor_finish(&v[i]);
    }
}

/* acc = row i of the matrix, or of its transpose, times v. */
static void multiply_row(const params *p, mlkem_poly *acc, const uint8_t *rho, uint8_t i, bool transposed,
                         const mlkem_factor *v)
{
    mlkem_poly a;
    *acc = (mlkem_poly){{0}};
    for (uint8_t j = 0; j < p->k; j++) {
        larch_mlkem_sample_ntt(&a, rho, transposed ? i : j, transposed ? j : i);
        larch_mlkem_multiply_add(acc, &a, &v[j]);
    }
}

/* acc += the i-th polynomial of the vector that bytes encode, times f. */
static void multiply_encoded(mlkem_poly *acc, const uint8_t *bytes, uint8_t i, const mlkem_factor *f)
{
    mlkem_poly a;
    larch_mlkem_decode(&a, bytes + (size_t)MLKEM_POLY_LEN * i, 12);
    larch_mlkem_multiply_add(acc, &a, f);
    larch_wipe(&a, sizeof a);
}

/* Wipes the stack below its caller, where compilers may have spilled secrets. */
NOINLINE static void burn(void)
{
    uint8_t below[768];
    larch_wipe(below, sizeof below);
}

/* (rho, sigma) = G(d || k). Not inlined: compilers keep d in a vector register and
 * spill it, here where later frames overwrite it. */
NOINLINE static void expand_seed(const params *p, const uint8_t *seed, uint8_t rho_sigma[64])
{
    uint8_t d_k[33];
    memcpy(d_k, seed, 32);
    d_k[32] = p->k;
    larch_sha3_512(LARCH_BYTES(d_k), rho_sigma);
    larch_wipe(d_k, sizeof d_k);
}

/* ML-KEM.KeyGen_internal [FIPS203 algorithm 16], with K-PKE.KeyGen [algorithm 13] within.
 *
 *     dk = ByteEncode_12(s) | ek | H(ek) | z        ek = ByteEncode_12(t) | rho
 */
static void keygen(const params *p, const uint8_t *seed, uint8_t *ek, uint8_t *dk)
{
    mlkem_factor s[K_MAX];
    mlkem_poly t, e;
    uint8_t rho_sigma[64];
    const uint8_t *rho = rho_sigma, *sigma = rho_sigma + 32;

    memcpy(dk + vector_len(p) + ek_len(p) + 32, seed + 32, 32); /* first, lest z wait in a register and be spilled */
    expand_seed(p, seed, rho_sigma);
    MLKEM_PUBLIC(rho, 32); /* it is the end of ek */

    sample_vector(p, s, sigma);
    for (uint8_t i = 0; i < p->k; i++) {
        multiply_row(p, &t, rho, i, false, s);
        larch_mlkem_sample_cbd(&e, p->eta1, sigma, (uint8_t)(p->k + i));
        larch_mlkem_ntt(&e);
        larch_mlkem_finish_sum(&t, &e);
        larch_mlkem_encode(ek + (size_t)MLKEM_POLY_LEN * i, &t, 12);
    }
    memcpy(ek + vector_len(p), rho, 32);

    for (uint8_t i = 0; i < p->k; i++) {
        larch_mlkem_to_plain(&s[i].poly);
        larch_mlkem_encode(dk + (size_t)MLKEM_POLY_LEN * i, &s[i].poly, 12);
    }
    dk += vector_len(p);
    memcpy(dk, ek, ek_len(p));
    dk += ek_len(p);
    larch_sha3_256((larch_bytes){ek, ek_len(p)}, dk);

    larch_wipe(s, sizeof s);
    larch_wipe(&t, sizeof t);
    larch_wipe(&e, sizeof e);
    larch_wipe(rho_sigma, sizeof rho_sigma);
    burn();
}

/* K-PKE.Encrypt [FIPS203 algorithm 14]. */
static void encrypt(const params *p, const uint8_t *ek, const uint8_t *m, const uint8_t *r, uint8_t *ct)
{
    mlkem_factor y[K_MAX];
    mlkem_poly acc, e;
    sample_vector(p, y, r);
    for (uint8_t i = 0; i < p->k; i++) {
        multiply_row(p, &acc, ek + vector_len(p), i, true, y);
        larch_mlkem_inverse_ntt(&acc);
        larch_mlkem_sample_cbd(&e, ETA2, r, (uint8_t)(p->k + i));
        larch_mlkem_add(&acc, &e);
        larch_mlkem_compress(&acc, p->du);
        larch_mlkem_encode(ct, &acc, p->du);
        ct += (size_t)32 * p->du;
    }
    acc = (mlkem_poly){{0}};
    for (uint8_t i = 0; i < p->k; i++)
        multiply_encoded(&acc, ek, i, &y[i]);
    larch_mlkem_inverse_ntt(&acc);
    larch_mlkem_sample_cbd(&e, ETA2, r, (uint8_t)(2 * p->k));
    larch_mlkem_add(&acc, &e);
    larch_mlkem_decode(&e, m, 1);
    larch_mlkem_decompress(&e, 1);
    larch_mlkem_add(&acc, &e);
    larch_mlkem_compress(&acc, p->dv);
    larch_mlkem_encode(ct, &acc, p->dv);

    larch_wipe(y, sizeof y);
    larch_wipe(&acc, sizeof acc);
    larch_wipe(&e, sizeof e);
}

/* K-PKE.Decrypt [FIPS203 algorithm 15]. Not inlined, so that its frame is gone
 * when decaps comes to encrypt, which needs the most stack. */
NOINLINE static void decrypt(const params *p, const uint8_t *dk, const uint8_t *ct, uint8_t *m)
{
    mlkem_factor u;
    mlkem_poly acc = {{0}}, v;
    for (uint8_t i = 0; i < p->k; i++) {
        larch_mlkem_decode(&u.poly, ct, p->du);
        larch_mlkem_decompress(&u.poly, p->du);
        larch_mlkem_ntt(&u.poly);
        larch_mlkem_factor_finish(&u);
        multiply_encoded(&acc, dk, i, &u);
        ct += (size_t)32 * p->du;
    }
    larch_mlkem_inverse_ntt(&acc);
    larch_mlkem_decode(&v, ct, p->dv);
    larch_mlkem_decompress(&v, p->dv);
    for (unsigned n = 0; n < MLKEM_N; n++)
        acc.c[n] = (int16_t)(v.c[n] - acc.c[n]);
    larch_mlkem_compress(&acc, 1);
    larch_mlkem_encode(m, &acc, 1);
    larch_wipe(&acc, sizeof acc);
}

/* (K, r) = G(m || H(ek)). */
static void derive(const uint8_t *m, const uint8_t *h, uint8_t k_r[64])
{
    uint8_t m_h[64];
    memcpy(m_h, m, 32);
    memcpy(m_h + 32, h, 32);
    larch_sha3_512(LARCH_BYTES(m_h), k_r);
    larch_wipe(m_h, sizeof m_h);
}

/* ML-KEM.Encaps_internal [FIPS203 algorithm 17]. */
static void encaps(const params *p, const uint8_t *ek, const uint8_t *m, uint8_t *ct, uint8_t *ss)
{
    uint8_t h[32], k_r[64];
    larch_sha3_256((larch_bytes){ek, ek_len(p)}, h);
    derive(m, h, k_r);
    encrypt(p, ek, m, k_r + 32, ct);
    memcpy(ss, k_r, 32);
    larch_wipe(k_r, sizeof k_r);
    burn();
}

/* ML-KEM.Decaps_internal [FIPS203 algorithm 18]. */
static void decaps(const params *p, const uint8_t *dk, const uint8_t *ct, uint8_t *ss)
{
    const uint8_t *ek = dk + vector_len(p), *h = ek + ek_len(p), *z = h + 32;
    uint8_t m[32], k_r[64], rejected[32], again[CT_MAX];
    larch_keccak j;

    decrypt(p, dk, ct, m);
    derive(m, h, k_r);
    larch_shake256_init(&j);
    larch_shake_absorb(&j, (larch_bytes){z, 32});
    larch_shake_absorb(&j, (larch_bytes){ct, ct_len(p)});
    larch_shake_finalize(&j);
    larch_shake_squeeze(&j, rejected, sizeof rejected);
    encrypt(p, ek, m, k_r + 32, again);

    mlkem_select(ss, mlkem_ct_equal(ct, again, ct_len(p)), k_r, rejected);

    larch_wipe(m, sizeof m);
    larch_wipe(k_r, sizeof k_r);
    larch_wipe(rejected, sizeof rejected);
    larch_wipe(again, sizeof again);
    larch_wipe(&j, sizeof j);
    burn();
}

/* Each number of ek below q, that is: ek = ByteEncode_12(ByteDecode_12(ek)). [FIPS203 7.2] */
static bool ek_is_valid(const params *p, const uint8_t *ek)
{
    for (const uint8_t *b = ek; b < ek + vector_len(p); b += 3)
        if ((b[0] | (b[1] & 15) << 8) >= MLKEM_Q || (b[1] >> 4 | b[2] << 4) >= MLKEM_Q)
            return false;
    return true;
}

/* H(ek) in dk is that of the ek in dk. [FIPS203 7.3] */
static bool dk_is_valid(const params *p, const uint8_t *dk)
{
    const uint8_t *ek = dk + vector_len(p);
    uint8_t h[32];
    larch_sha3_256((larch_bytes){ek, ek_len(p)}, h);
    return larch_ct_equal(h, ek + ek_len(p), sizeof h);
}

/* ---- the three sets [FIPS203 8] ---------------------------------------- */

#define MLKEM_SET(set)                                                                             \
    static const params params_##set = MLKEM_PARAMS_##set;                                         \
    static larch_error keygen_##set(const uint8_t *seed, uint8_t *ek, uint8_t *dk)                 \
    {                                                                                              \
        keygen(&params_##set, seed, ek, dk);                                                       \
        return LARCH_OK;                                                                           \
    }                                                                                              \
    static larch_error encaps_##set(const uint8_t *ek, const uint8_t *m, uint8_t *ct, uint8_t *ss) \
    {                                                                                              \
        encaps(&params_##set, ek, m, ct, ss);                                                      \
        return LARCH_OK;                                                                           \
    }                                                                                              \
    static larch_error decaps_##set(const uint8_t *dk, const uint8_t *ct, uint8_t *ss)             \
    {                                                                                              \
        decaps(&params_##set, dk, ct, ss);                                                         \
        return LARCH_OK;                                                                           \
    }                                                                                              \
    static bool ek_is_valid_##set(const uint8_t *ek) { return ek_is_valid(&params_##set, ek); }    \
    static bool dk_is_valid_##set(const uint8_t *dk) { return dk_is_valid(&params_##set, dk); }    \
    const struct larch_kem_functions MLKEM_PORTABLE(set) = {.keygen = keygen_##set,                \
                                                            .encaps = encaps_##set,                \
                                                            .decaps = decaps_##set,                \
                                                            .ek_is_valid = ek_is_valid_##set,      \
                                                            .dk_is_valid = dk_is_valid_##set};

#if LARCH_MLKEM_512
MLKEM_SET(512)
#endif
#if LARCH_MLKEM_768
MLKEM_SET(768)
#endif
#if LARCH_MLKEM_1024
MLKEM_SET(1024)
#endif

#endif

#if !LARCH_X86
const char *larch_pq_level_name(unsigned level) { return level == 0 ? "portable" : NULL; }

const struct larch_kem_functions *larch_mlkem_at_level(unsigned level, unsigned set)
{
    const larch_kem *kem = larch_kem_find(set);
    return level == 0 && kem != NULL ? kem->functions : NULL;
}
#endif
