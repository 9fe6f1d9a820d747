/* SPDX-License-Identifier: Apache-2.0 */
/* Known answers, before anything is trusted. What they cover is wider than it looks: a KEM's digest
 * takes in both keys, a ciphertext, its secret, and that of a forged one; a signature's digest both
 * keys and a signature, which is verified too, and then refused with one bit changed. */
#include <string.h>

#include "larch/kem.h"
#include "larch/sig.h"
#include "pq/pq.h"

/* SHA3-256 of "" [FIPS202]. */
static const uint8_t empty[32] = {0xa7, 0xff, 0xc6, 0xf8, 0xbf, 0x1e, 0xd7, 0x66, 0x51, 0xc1, 0x47,
                                  0x56, 0xa0, 0x61, 0xd6, 0x62, 0xf5, 0x80, 0xff, 0x4d, 0xe4, 0x3b,
                                  0x49, 0xfa, 0x82, 0xd8, 0x0a, 0x4b, 0x80, 0xf8, 0x43, 0x4a};

/* The first 16 bytes of each set's digest_of; all levels agree on them, and with the published vectors. */
static const struct {
    uint16_t set;
    uint8_t digest[16];
} answers[] = {
    {512, {0x63, 0x30, 0x25, 0x5b, 0xee, 0x3d, 0xe1, 0x10, 0x5d, 0x37, 0xf6, 0x95, 0x85, 0xee, 0xab, 0x84}},
    {768, {0x55, 0x81, 0x86, 0x7e, 0x71, 0x15, 0x70, 0x85, 0xb1, 0x2c, 0xf4, 0x8d, 0x05, 0x7b, 0x30, 0x9b}},
    {1024, {0x1f, 0xc5, 0x79, 0x49, 0xdb, 0x21, 0xe4, 0x99, 0xbb, 0xb9, 0x11, 0xca, 0x17, 0x7b, 0x32, 0x2c}},
};

/* SHAKE256 of all that comes of the seed 0, 1, ... 63 and of m = 0, 1, ... 31. */
static void digest_of(const larch_kem *kem, uint8_t digest[32])
{
    uint8_t seed[LARCH_KEM_SEED_LEN],
        all[LARCH_KEM_EK_MAX + LARCH_KEM_DK_MAX + LARCH_KEM_CT_MAX + 3 * LARCH_KEM_SS_LEN];
    uint8_t *ek = all, *dk = ek + kem->ek_len, *ct = dk + kem->dk_len, *ss = ct + kem->ct_len;
    for (unsigned i = 0; i < sizeof seed; i++)
        seed[i] = (uint8_t)i;
    kem->functions->keygen(seed, ek, dk);
    kem->functions->encaps(ek, seed, ct, ss);
    kem->functions->decaps(dk, ct, ss + LARCH_KEM_SS_LEN);
    ct[0] ^= 1;
    kem->functions->decaps(dk, ct, ss + 2 * LARCH_KEM_SS_LEN);
    ct[0] ^= 1;
    larch_shake256((larch_bytes){all, (size_t)(ss - all) + 3 * LARCH_KEM_SS_LEN}, digest, 32);
}

#if LARCH_MLDSA_44 || LARCH_MLDSA_65 || LARCH_MLDSA_87

/* The same of each signature algorithm's sig_digest_of. */
static const struct {
    int16_t cose_algorithm;
    uint8_t digest[16];
} sig_answers[] = {
    {-48, {0x76, 0x4d, 0x72, 0x99, 0x60, 0x88, 0xe3, 0x6e, 0xc1, 0xe4, 0xa3, 0x5e, 0xb6, 0xbb, 0xab, 0xe8}},
    {-49, {0x96, 0xa8, 0xc2, 0x99, 0xc4, 0x01, 0x46, 0x2a, 0x54, 0x82, 0x68, 0x98, 0x00, 0xd4, 0x0e, 0xbd}},
    {-50, {0x29, 0x71, 0x95, 0x4a, 0xf9, 0x27, 0x17, 0x69, 0xca, 0xde, 0x1f, 0x17, 0xcf, 0x0c, 0x87, 0x91}},
};

/* SHAKE256 of both keys of the seed 0, 1, ... 31, and of the deterministic signature of mu = 20, 21, ... 83,
 * which every set makes in few attempts.
 * false: the signature cannot be made, is not valid, or still is when it was changed. */
static bool sig_digest_of(const larch_sig *sig, uint8_t digest[32])
{
    static const uint8_t rnd[32];
    uint8_t seed[LARCH_SIG_SEED_LEN], mu[LARCH_SIG_MU_LEN],
        all[LARCH_SIG_PK_MAX + LARCH_SIG_SK_MAX + LARCH_SIG_SIG_MAX];
    uint8_t *pk = all, *sk = pk + sig->pk_len, *signature = sk + sig->sk_len;
    for (unsigned i = 0; i < sizeof seed; i++)
        seed[i] = (uint8_t)i;
    for (unsigned i = 0; i < sizeof mu; i++)
        mu[i] = (uint8_t)(20 + i);
    sig->functions->keygen(seed, pk, sk);
    if (!sig->functions->sign(sk, mu, rnd, signature) || !sig->functions->verify(pk, mu, signature))
        return false;
    larch_shake256((larch_bytes){all, (size_t)(signature - all) + sig->sig_len}, digest, 32);
    signature[0] ^= 1;
    return !sig->functions->verify(pk, mu, signature);
}

static bool sigs_are_right(void)
{
    uint8_t digest[32];
    for (size_t i = 0; i < sizeof sig_answers / sizeof sig_answers[0]; i++) {
        const larch_sig *sig = larch_sig_find(sig_answers[i].cose_algorithm);
        if (sig == NULL)
            continue;
        if (!sig_digest_of(sig, digest) || memcmp(digest, sig_answers[i].digest, sizeof sig_answers[i].digest) != 0)
            return false;
    }
    return true;
}

#else

static bool sigs_are_right(void) { return true; }

#endif

larch_error larch_pq_self_test(void)
{
    uint8_t digest[32];
    larch_sha3_256((larch_bytes){NULL, 0}, digest);
    if (memcmp(digest, empty, sizeof empty) != 0)
        return LARCH_PLATFORM;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        const larch_kem *kem = larch_kem_find(answers[i].set);
        if (kem == NULL)
            continue;
        digest_of(kem, digest);
        if (memcmp(digest, answers[i].digest, sizeof answers[i].digest) != 0)
            return LARCH_PLATFORM;
    }
    return sigs_are_right() ? LARCH_OK : LARCH_PLATFORM;
}
