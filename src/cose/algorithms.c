/* SPDX-License-Identifier: Apache-2.0 */
#include "larch/cose.h"
#include "larch/crypto.h"

#define ROW(name, number, key, nonce, tag, text) {(number), (key), (nonce), (tag), (text)},
static const larch_cose_aead aeads[] = {LARCH_COSE_AEADS(ROW)};
#undef ROW

#define CHECK(name, number, key, nonce, tag, text)                                             \
    _Static_assert((key) <= LARCH_COSE_AEAD_KEY_MAX && (nonce) <= LARCH_COSE_AEAD_NONCE_MAX && \
                       (tag) <= LARCH_COSE_AEAD_TAG_MAX && (number) <= INT8_MAX,               \
                   text);
LARCH_COSE_AEADS(CHECK)
#undef CHECK

const larch_cose_aead *larch_cose_aead_find(int64_t number)
{
    for (size_t i = 0; i < sizeof aeads / sizeof aeads[0]; i++)
        if (aeads[i].number == number)
            return &aeads[i];
    return NULL;
}

static bool is_gcm(const larch_cose_aead *aead)
{
    return aead->number == LARCH_COSE_A128GCM || aead->number == LARCH_COSE_A256GCM;
}

larch_error larch_cose_aead_seal(const larch_cose_aead *aead, const uint8_t *key, const uint8_t *nonce, larch_bytes aad,
                                 larch_bytes in, uint8_t *out, size_t cap)
{
    if (is_gcm(aead))
        return larch_gcm_seal((larch_bytes){key, aead->key_len}, nonce, aad, in, out, cap);
    return larch_ccm_seal(key, (larch_bytes){nonce, aead->nonce_len}, aad, in, aead->tag_len, out, cap);
}

larch_error larch_cose_aead_open(const larch_cose_aead *aead, const uint8_t *key, const uint8_t *nonce, larch_bytes aad,
                                 larch_bytes in, uint8_t *out, size_t cap)
{
    if (is_gcm(aead))
        return larch_gcm_open((larch_bytes){key, aead->key_len}, nonce, aad, in, out, cap);
    return larch_ccm_open(key, (larch_bytes){nonce, aead->nonce_len}, aad, in, aead->tag_len, out, cap);
}

larch_error larch_cose_hkdf(int64_t hash, larch_bytes salt, larch_bytes ikm, larch_bytes info, uint8_t *out,
                            size_t out_len)
{
    switch (hash) {
    case LARCH_COSE_SHA_256:
        return larch_hkdf_sha256(salt, ikm, info, out, out_len);
    case LARCH_COSE_SHA_384:
        return larch_hkdf_sha384(salt, ikm, info, out, out_len);
    default:
        return LARCH_STATE;
    }
}

/* ---- KEMs ------------------------------------------------------------------ */

static const struct {
    uint16_t set;
    int32_t number;
} kems[] = {
#define ROW(name, set, number) {(set), (number)},
    LARCH_COSE_KEMS(ROW)
#undef ROW
};

#define KEM_COUNT (sizeof kems / sizeof kems[0])

int64_t larch_cose_kem_number(const larch_kem *kem)
{
    for (size_t i = 0; i < KEM_COUNT; i++)
        if (kems[i].set == kem->set)
            return kems[i].number;
    return 0;
}

const larch_kem *larch_cose_kem_find(int64_t number)
{
    for (size_t i = 0; i < KEM_COUNT; i++)
        if (kems[i].number == number)
            return kems[i].set == LARCH_XWING_SET ? larch_kem_xwing() : larch_kem_find(kems[i].set);
    return NULL;
}
