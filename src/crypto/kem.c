/* SPDX-License-Identifier: Apache-2.0 */
#include "larch/kem.h"

#include "pq/pq.h"

static const larch_kem kems[] = {
#if LARCH_MLKEM_512
    {"ML-KEM-512", 512, 800, 1632, 768, &larch_mlkem_512},
#endif
#if LARCH_MLKEM_768
    {"ML-KEM-768", 768, 1184, 2400, 1088, &larch_mlkem_768},
#endif
#if LARCH_MLKEM_1024
    {"ML-KEM-1024", 1024, 1568, 3168, 1568, &larch_mlkem_1024},
#endif
};

#define KEM_COUNT (sizeof kems / sizeof kems[0])

const larch_kem *larch_kem_at(size_t index) { return index < KEM_COUNT ? &kems[index] : NULL; }

const larch_kem *larch_kem_find(unsigned set)
{
    for (size_t i = 0; i < KEM_COUNT; i++)
        if (kems[i].set == set)
            return &kems[i];
    return NULL;
}

/* FIPS 140-3, pairwise consistency: what the one key encapsulates, the other finds. */
static larch_error check_pair(const larch_kem *kem, uint8_t *ek, uint8_t *dk)
{
#if LARCH_KEM_PAIRWISE_TEST
    uint8_t m[64] = {0}, ct[LARCH_KEM_CT_MAX], ss[LARCH_KEM_SS_LEN], other[LARCH_KEM_SS_LEN];
    kem->functions->encaps(ek, m, ct, ss);
    kem->functions->decaps(dk, ct, other);
    const bool fit = larch_ct_equal(ss, other, sizeof ss);
    larch_wipe(ss, sizeof ss);
    larch_wipe(other, sizeof other);
    if (!fit) {
        larch_wipe(ek, kem->ek_len);
        larch_wipe(dk, kem->dk_len);
        return LARCH_PLATFORM;
    }
#else
    (void)kem;
    (void)ek;
    (void)dk;
#endif
    return LARCH_OK;
}

larch_error larch_kem_keygen(const larch_kem *kem, const uint8_t *seed, uint8_t *ek, uint8_t *dk)
{
    kem->functions->keygen(seed, ek, dk);
    return check_pair(kem, ek, dk);
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
    uint8_t m[32];
    larch_error e;
    if ((e = larch_kem_check_ek(kem, ek)) != LARCH_OK || (e = larch_random_fill(random, m, sizeof m)) != LARCH_OK) {
        larch_wipe(ct, kem->ct_len);
        larch_wipe(ss, LARCH_KEM_SS_LEN);
        return e;
    }
    kem->functions->encaps(ek.data, m, ct, ss);
    larch_wipe(m, sizeof m);
    return LARCH_OK;
}

larch_error larch_kem_decaps(const larch_kem *kem, const uint8_t *dk, larch_bytes ct, uint8_t *ss)
{
    if (ct.len != kem->ct_len) {
        larch_wipe(ss, LARCH_KEM_SS_LEN);
        return LARCH_MALFORMED;
    }
    kem->functions->decaps(dk, ct.data, ss);
    return LARCH_OK;
}
