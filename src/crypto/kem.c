/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "larch/kem.h"

#include "pq/pq.h"

static const larch_kem kems[] = {
#if LARCH_MLKEM_512
    {"ML-KEM-512", 512, 800, 1632, 768, LARCH_KEM_SEED_LEN, 32, &larch_mlkem_512},
#endif
#if LARCH_MLKEM_768
    {"ML-KEM-768", 768, 1184, 2400, 1088, LARCH_KEM_SEED_LEN, 32, &larch_mlkem_768},
#endif
#if LARCH_MLKEM_1024
    {"ML-KEM-1024", 1024, 1568, 3168, 1568, LARCH_KEM_SEED_LEN, 32, &larch_mlkem_1024},
#endif
};

#define KEM_COUNT (sizeof kems / sizeof kems[0])
#define M_MAX     64 /* X-Wing's m_len */

const larch_kem *larch_kem_at(size_t index) { return index < KEM_COUNT ? &kems[index] : NULL; }

const larch_kem *larch_kem_find(unsigned set)
{
    for (size_t i = 0; i < KEM_COUNT; i++)
        if (kems[i].set == set)
            return &kems[i];
    return NULL;
}

/* FIPS 140-3, pairwise consistency: what the one key encapsulates, the other finds. */
static larch_error check_pair(const larch_kem *kem, const uint8_t *ek, const uint8_t *dk)
{
#if LARCH_KEM_PAIRWISE_TEST
    uint8_t m[M_MAX] = {0}, ct[LARCH_KEM_CT_MAX], ss[LARCH_KEM_SS_LEN], other[LARCH_KEM_SS_LEN];
    larch_error e = kem->functions->encaps(ek, m, ct, ss);
    if (e == LARCH_OK)
        e = kem->functions->decaps(dk, ct, other);
    if (e == LARCH_OK && !larch_ct_equal(ss, other, sizeof ss))
        e = LARCH_PLATFORM;
    larch_wipe(ss, sizeof ss);
    larch_wipe(other, sizeof other);
    return e;
#else
    (void)kem;
    (void)ek;
    (void)dk;
    return LARCH_OK;
#endif
}

larch_error larch_kem_keygen(const larch_kem *kem, const uint8_t *seed, uint8_t *ek, uint8_t *dk)
{
    larch_error e = kem->functions->keygen(seed, ek, dk);
    if (e == LARCH_OK)
        e = check_pair(kem, ek, dk);
    if (e != LARCH_OK) {
        larch_wipe(ek, kem->ek_len);
        larch_wipe(dk, kem->dk_len);
    }
    return e;
}

/* dk of ML-KEM: dk_PKE | ek | H(ek) | z [FIPS203 algorithm 16]. That of X-Wing: this | sk_X | pk_X; ek: ek | pk_X. */
void larch_kem_ek_of(const larch_kem *kem, const uint8_t *dk, uint8_t *ek)
{
    const size_t x_len = LARCH_XWING && kem->set == LARCH_XWING_SET ? 32 : 0;
    const size_t ek_len = kem->ek_len - x_len, dk_len = kem->dk_len - 2 * x_len;
    memcpy(ek, dk + dk_len - 64 - ek_len, ek_len);
    memcpy(ek + ek_len, dk + kem->dk_len - x_len, x_len);
}

larch_error larch_kem_check_ek(const larch_kem *kem, larch_bytes ek)
{
    return ek.len == kem->ek_len && kem->functions->ek_is_valid(ek.data) ? LARCH_OK : LARCH_MALFORMED;
}

larch_error larch_kem_check_dk(const larch_kem *kem, larch_bytes dk)
{
    return dk.len == kem->dk_len && kem->functions->dk_is_valid(dk.data) ? LARCH_OK : LARCH_MALFORMED;
}

larch_error larch_kem_encaps(const larch_kem *kem, const larch_random *random, larch_bytes ek, uint8_t *ct, uint8_t *ss)
{
    uint8_t m[M_MAX];
    larch_error e;
    if ((e = larch_kem_check_ek(kem, ek)) != LARCH_OK || (e = larch_random_fill(random, m, kem->m_len)) != LARCH_OK ||
        (e = kem->functions->encaps(ek.data, m, ct, ss)) != LARCH_OK) {
        larch_wipe(ct, kem->ct_len);
        larch_wipe(ss, LARCH_KEM_SS_LEN);
    }
    larch_wipe(m, sizeof m);
    return e;
}

larch_error larch_kem_decaps(const larch_kem *kem, const uint8_t *dk, larch_bytes ct, uint8_t *ss)
{
    larch_error e = ct.len == kem->ct_len ? kem->functions->decaps(dk, ct.data, ss) : LARCH_MALFORMED;
    if (e != LARCH_OK)
        larch_wipe(ss, LARCH_KEM_SS_LEN);
    return e;
}
