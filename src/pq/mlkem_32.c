/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ML-KEM [FIPS203] for 32-bit processors and little stack. The caller's frame
 * holds k + 1 polynomials, v, and no other is ever needed; a wrapper for each set
 * makes v as large as that set needs. Names of variables are the standard's.
 */
#include <string.h>

#include "pq/mlkem_32_int.h"

#if LARCH_MLKEM_32

#if defined(__GNUC__)
#define NOINLINE __attribute__((noinline))
#else
#define NOINLINE
#endif

/* Wipes the caller's polynomials, and the stack below, where compilers may have spilled secrets. */
NOINLINE static void burn(mlkem_residues *v, size_t len)
{
    uint8_t below[768];
    larch_wipe(v, len);
    larch_wipe(below, sizeof below);
}

/* Small C libraries copy byte by byte. */
static void copy(uint8_t *to, const uint8_t *from, size_t len)
{
#if defined(__GNUC__)
    typedef uint32_t __attribute__((may_alias)) word;
    if (((uintptr_t)to | (uintptr_t)from) % sizeof(word) == 0)
        for (; len >= sizeof(word); len -= sizeof(word), to += sizeof(word), from += sizeof(word))
            *(word *)(uintptr_t)to = *(const word *)(uintptr_t)from;
#endif
    memcpy(to, from, len);
}

/* (rho, sigma) = G(d || k). */
NOINLINE static void expand_seed(const mlkem_params *p, const uint8_t *seed, uint8_t rho_sigma[64])
{
    uint8_t d_k[33];
    memcpy(d_k, seed, 32);
    d_k[32] = p->k;
    larch_sha3_512(LARCH_BYTES(d_k), rho_sigma);
    larch_wipe(d_k, sizeof d_k);
}

/* p = NTT of the sample with that nonce: at most 15 q + 3, or scaled below 18 q. */
static void sample_transformed(mlkem_residues *p, unsigned eta, const uint8_t *seed, uint8_t nonce, bool is_scaled)
{
    larch_mlkem32_sample_noise(p, eta, seed, nonce, is_scaled);
    larch_mlkem32_ntt(p);
}

/* ML-KEM.KeyGen_internal [FIPS203 algorithm 16], with K-PKE.KeyGen [algorithm 13] within.
 *
 *     dk = ByteEncode_12(s) | ek | H(ek) | z        ek = ByteEncode_12(t) | rho
 */
static void keygen(const mlkem_params *p, mlkem_residues *v, const uint8_t *seed, uint8_t *ek, uint8_t *dk)
{
    mlkem_residues *s = v, *t = v + p->k;
    uint8_t rho_sigma[64];
    const uint8_t *rho = rho_sigma, *sigma = rho_sigma + 32;

    memcpy(dk + mlkem_vector_len(p) + mlkem_ek_len(p) + 32, seed + 32, 32); /* z, lest it wait in a register */
    expand_seed(p, seed, rho_sigma);
    MLKEM_PUBLIC(rho, 32); /* it is the end of ek */

    for (uint8_t i = 0; i < p->k; i++)
        sample_transformed(&s[i], p->eta1, sigma, i, true);
    for (uint8_t i = 0; i < p->k; i++) {
        sample_transformed(t, p->eta1, sigma, (uint8_t)(p->k + i), false);
        for (uint8_t j = 0; j < p->k; j++)
            larch_mlkem32_multiply_sampled(t, rho, j, i, &s[j]);
        larch_mlkem32_encode(ek + (size_t)MLKEM_POLY_LEN * i, t, MLKEM32_ONE);
    }
    memcpy(ek + mlkem_vector_len(p), rho, 32);

    for (uint8_t i = 0; i < p->k; i++)
        larch_mlkem32_encode(dk + (size_t)MLKEM_POLY_LEN * i, &s[i], MLKEM32_UNSCALE);
    dk += mlkem_vector_len(p);
    copy(dk, ek, mlkem_ek_len(p));
    dk += mlkem_ek_len(p);
    larch_sha3_256((larch_bytes){ek, mlkem_ek_len(p)}, dk);

    larch_wipe(rho_sigma, sizeof rho_sigma);
}

/* K-PKE.Encrypt [FIPS203 algorithm 14] into ct, or if that is NULL compared with
 * expected: 0, or if it differs not 0. */
NOINLINE static uint8_t encrypt(const mlkem_params *p, mlkem_residues *v, const uint8_t *ek, const uint8_t *m,
                                const uint8_t *r, uint8_t *ct, const uint8_t *expected)
{
    mlkem_residues *y = v, *sum = v + p->k;
    const size_t u_len = (size_t)32 * p->du;
    uint8_t difference = 0;
    for (uint8_t i = 0; i < p->k; i++)
        sample_transformed(&y[i], p->eta1, r, i, false);
    for (uint8_t i = 0; i <= p->k; i++) {
        const bool is_u = i < p->k;
        larch_wipe(sum, sizeof *sum);
        for (uint8_t j = 0; j < p->k; j++)
            if (is_u)
                larch_mlkem32_multiply_sampled(sum, ek + mlkem_vector_len(p), i, j, &y[j]);
            else
                larch_mlkem32_multiply_encoded(sum, ek + (size_t)MLKEM_POLY_LEN * j, &y[j]);
        larch_mlkem32_inverse_ntt(sum);
        larch_mlkem32_add_noise(sum, r, (uint8_t)(p->k + i));
        if (!is_u)
            larch_mlkem32_add_message(sum, m);
        difference |=
            larch_mlkem32_compress(ct == NULL ? NULL : ct + i * u_len, expected + i * u_len, sum, is_u ? p->du : p->dv);
    }
    return difference;
}

/* K-PKE.Decrypt [FIPS203 algorithm 15]. */
NOINLINE static void decrypt(const mlkem_params *p, mlkem_residues *v, const uint8_t *dk, const uint8_t *ct, uint8_t *m)
{
    mlkem_residues *u = v, *sum = v + 1;
    const size_t u_len = (size_t)32 * p->du;
    larch_wipe(sum, sizeof *sum);
    for (uint8_t i = 0; i < p->k; i++) {
        larch_mlkem32_decompress(u, ct + i * u_len, p->du);
        larch_mlkem32_ntt(u);
        larch_mlkem32_multiply_encoded(sum, dk + (size_t)MLKEM_POLY_LEN * i, u);
    }
    larch_mlkem32_inverse_ntt(sum);
    larch_mlkem32_decompress(u, ct + p->k * u_len, p->dv);
    larch_mlkem32_get_message(m, u, sum);
}

/* (K, r) = G(m || H(ek)). */
NOINLINE static void derive(const uint8_t *m, const uint8_t *h, uint8_t k_r[64])
{
    uint8_t m_h[64];
    memcpy(m_h, m, 32);
    memcpy(m_h + 32, h, 32);
    larch_sha3_512(LARCH_BYTES(m_h), k_r);
    larch_wipe(m_h, sizeof m_h);
}

/* ML-KEM.Encaps_internal [FIPS203 algorithm 17]. */
static void encaps(const mlkem_params *p, mlkem_residues *v, const uint8_t *ek, const uint8_t *m, uint8_t *ct,
                   uint8_t *ss)
{
    uint8_t k_r[64];
    larch_sha3_256((larch_bytes){ek, mlkem_ek_len(p)}, k_r);
    derive(m, k_r, k_r);
    (void)encrypt(p, v, ek, m, k_r + 32, ct, ct);
    memcpy(ss, k_r, 32);
    larch_wipe(k_r, sizeof k_r);
}

/* J(z || ct), the secret of a ciphertext that is not genuine. */
NOINLINE static void reject(const mlkem_params *p, const uint8_t *z, const uint8_t *ct, uint8_t *ss)
{
    larch_keccak j;
    larch_shake256_init(&j);
    larch_shake_absorb(&j, (larch_bytes){z, 32});
    larch_shake_absorb(&j, (larch_bytes){ct, mlkem_ct_len(p)});
    larch_shake_finalize(&j);
    larch_shake_squeeze(&j, ss, 32);
    larch_wipe(&j, sizeof j);
}

/* ML-KEM.Decaps_internal [FIPS203 algorithm 18]. */
static void decaps(const mlkem_params *p, mlkem_residues *v, const uint8_t *dk, const uint8_t *ct, uint8_t *ss)
{
    const uint8_t *ek = dk + mlkem_vector_len(p), *h = ek + mlkem_ek_len(p), *z = h + 32, zero = 0;
    uint8_t m[32], k_r[64], rejected[32];

    decrypt(p, v, dk, ct, m);
    derive(m, h, k_r);
    uint8_t difference = encrypt(p, v, ek, m, k_r + 32, NULL, ct);
    bool genuine = larch_ct_equal(&difference, &zero, 1);
#if LARCH_KEM_DOUBLE_CHECK
    difference = encrypt(p, v, ek, m, k_r + 32, NULL, ct);
    genuine &= larch_ct_equal(&difference, &zero, 1);
#endif
    reject(p, z, ct, rejected);
    mlkem_select(ss, genuine, k_r, rejected);

    larch_wipe(m, sizeof m);
    larch_wipe(k_r, sizeof k_r);
    larch_wipe(rejected, sizeof rejected);
}

/* Each number of ek below q, that is: ek = ByteEncode_12(ByteDecode_12(ek)). [FIPS203 7.2] */
static bool ek_is_valid(const mlkem_params *p, const uint8_t *ek)
{
    for (const uint8_t *b = ek; b < ek + mlkem_vector_len(p); b += 3)
        if ((b[0] | (b[1] & 15) << 8) >= MLKEM_Q || (b[1] >> 4 | b[2] << 4) >= MLKEM_Q)
            return false;
    return true;
}

/* H(ek) in dk is that of the ek in dk. [FIPS203 7.3] */
static bool dk_is_valid(const mlkem_params *p, const uint8_t *dk)
{
    const uint8_t *ek = dk + mlkem_vector_len(p);
    uint8_t h[32];
    larch_sha3_256((larch_bytes){ek, mlkem_ek_len(p)}, h);
    return larch_ct_equal(h, ek + mlkem_ek_len(p), sizeof h);
}

/* ---- the three sets [FIPS203 8] ---------------------------------------- */

#define MLKEM_SET(set, set_k)                                                                      \
    static const mlkem_params params_##set = MLKEM_PARAMS_##set;                                   \
    static larch_error keygen_##set(const uint8_t *seed, uint8_t *ek, uint8_t *dk)                 \
    {                                                                                              \
        mlkem_residues v[(set_k) + 1];                                                             \
        keygen(&params_##set, v, seed, ek, dk);                                                    \
        burn(v, sizeof v);                                                                         \
        return LARCH_OK;                                                                           \
    }                                                                                              \
    static larch_error encaps_##set(const uint8_t *ek, const uint8_t *m, uint8_t *ct, uint8_t *ss) \
    {                                                                                              \
        mlkem_residues v[(set_k) + 1];                                                             \
        encaps(&params_##set, v, ek, m, ct, ss);                                                   \
        burn(v, sizeof v);                                                                         \
        return LARCH_OK;                                                                           \
    }                                                                                              \
    static larch_error decaps_##set(const uint8_t *dk, const uint8_t *ct, uint8_t *ss)             \
    {                                                                                              \
        mlkem_residues v[(set_k) + 1];                                                             \
        decaps(&params_##set, v, dk, ct, ss);                                                      \
        burn(v, sizeof v);                                                                         \
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
MLKEM_SET(512, 2)
#endif
#if LARCH_MLKEM_768
MLKEM_SET(768, 3)
#endif
#if LARCH_MLKEM_1024
MLKEM_SET(1024, 4)
#endif

#endif
