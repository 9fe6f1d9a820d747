/* SPDX-License-Identifier: Apache-2.0 */
/* How a pinned key names its successor: only who holds the old key can answer. */
#include <string.h>

#include "larch/crypto.h"
#include "larch/direct.h"

#define HASH_LEN 32

/* HMAC-SHA-256(HKDF-SHA-256(no salt, ss, "larch-next", 32), old hash | new hash) cut to 16 */
static larch_error make_tag(const uint8_t ss[LARCH_KEM_SS_LEN], const uint8_t old_hash[HASH_LEN],
                            const uint8_t new_hash[HASH_LEN], uint8_t tag[LARCH_DIRECT_TAG_LEN])
{
    uint8_t key[32], mac[LARCH_SHA256_LEN];
    const larch_bytes hashes[] = {{old_hash, HASH_LEN}, {new_hash, HASH_LEN}};
    larch_error e = larch_hkdf_sha256((larch_bytes){0}, (larch_bytes){ss, LARCH_KEM_SS_LEN}, LARCH_TEXT("larch-next"),
                                      key, sizeof key);
    if (e == LARCH_OK)
        e = larch_hmac_sha256(LARCH_BYTES(key), hashes, 2, mac);
    if (e == LARCH_OK)
        memcpy(tag, mac, LARCH_DIRECT_TAG_LEN);
    larch_wipe(key, sizeof key);
    larch_wipe(mac, sizeof mac);
    return e;
}

larch_error larch_direct_next_ask(const larch_kem *kem, const larch_random *random, larch_bytes old_ek, uint8_t *out,
                                  size_t cap, size_t *len, uint8_t ss[LARCH_KEM_SS_LEN])
{
    uint8_t hash[HASH_LEN];
    larch_error e;
    size_t need = LARCH_DIRECT_HINT_LEN + (size_t)kem->ct_len;
    if (cap < need)
        return LARCH_SPACE;
    if ((e = larch_direct_key_hash(old_ek, hash)) != LARCH_OK ||
        (e = larch_kem_encaps(kem, random, old_ek, out + LARCH_DIRECT_HINT_LEN, ss)) != LARCH_OK)
        return e;
    memcpy(out, hash, LARCH_DIRECT_HINT_LEN);
    *len = need;
    return LARCH_OK;
}

larch_error larch_direct_next_parse(larch_bytes payload, const larch_kem **kem, larch_bytes *hint, larch_bytes *kem_ct)
{
    const larch_kem *k;
    for (size_t i = 0; (k = larch_kem_at(i)) != NULL; i++)
        if (payload.len == LARCH_DIRECT_HINT_LEN + (size_t)k->ct_len) {
            *kem = k;
            *hint = (larch_bytes){payload.data, LARCH_DIRECT_HINT_LEN};
            *kem_ct = (larch_bytes){payload.data + LARCH_DIRECT_HINT_LEN, k->ct_len};
            return LARCH_OK;
        }
    return LARCH_MALFORMED;
}

larch_error larch_direct_next_answer(const larch_kem *kem, const uint8_t *old_dk, larch_bytes kem_ct,
                                     const uint8_t old_hash[HASH_LEN], const uint8_t new_hash[HASH_LEN],
                                     uint8_t out[LARCH_DIRECT_NEXT_LEN])
{
    uint8_t ss[LARCH_KEM_SS_LEN];
    larch_error e = larch_kem_decaps(kem, old_dk, kem_ct, ss);
    if (e == LARCH_OK)
        e = make_tag(ss, old_hash, new_hash, out + HASH_LEN);
    if (e == LARCH_OK)
        memcpy(out, new_hash, HASH_LEN);
    larch_wipe(ss, sizeof ss);
    return e;
}

larch_error larch_direct_next_check(const uint8_t ss[LARCH_KEM_SS_LEN], const uint8_t old_hash[HASH_LEN],
                                    larch_bytes answer, uint8_t new_hash[HASH_LEN])
{
    uint8_t tag[LARCH_DIRECT_TAG_LEN];
    larch_error e;
    memset(new_hash, 0, HASH_LEN);
    if (answer.len != LARCH_DIRECT_NEXT_LEN)
        return LARCH_MALFORMED;
    if ((e = make_tag(ss, old_hash, answer.data, tag)) != LARCH_OK)
        return e;
    bool genuine = larch_ct_equal(tag, answer.data + HASH_LEN, sizeof tag);
    larch_wipe(tag, sizeof tag);
    if (!genuine)
        return LARCH_AUTH;
    memcpy(new_hash, answer.data, HASH_LEN);
    return LARCH_OK;
}
