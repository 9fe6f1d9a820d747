/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the holder of a key says about another hash: a question is a ciphertext to that key, and only its holder can
 * tag the answer. The label tells the statements apart: the key that is present ("larch-next"), and the identity
 * document ("larch-root").
 */
#include <string.h>

#include "direct/direct_int.h"

#define HASH_LEN 32

#define NEXT LARCH_TEXT("larch-next")
#define ROOT LARCH_TEXT("larch-root")

_Static_assert(LARCH_DIRECT_NEXT_LEN == HASH_LEN + LARCH_DIRECT_TAG_LEN, "hash, tag");

/* The tag over both hashes. */
static larch_error tag_of(const uint8_t ss[LARCH_KEM_SS_LEN], larch_bytes label, const uint8_t asked_hash[HASH_LEN],
                          const uint8_t said_hash[HASH_LEN], uint8_t tag[LARCH_DIRECT_TAG_LEN])
{
    uint8_t prk[LARCH_SHA256_LEN], key[DIRECT_TAG_KEY_LEN];
    const larch_bytes hashes[] = {{asked_hash, HASH_LEN}, {said_hash, HASH_LEN}};
    larch_error e = larch_direct_extract(ss, prk);
    if (e == LARCH_OK)
        e = larch_hkdf_sha256_expand(prk, label, key, sizeof key);
    if (e == LARCH_OK)
        e = larch_direct_make_tag(key, hashes, 2, tag);
    larch_wipe(prk, sizeof prk);
    larch_wipe(key, sizeof key);
    return e;
}

static larch_error answer_of(const larch_kem *kem, const uint8_t *dk, larch_bytes kem_ct, larch_bytes label,
                             const uint8_t asked_hash[HASH_LEN], const uint8_t said_hash[HASH_LEN],
                             uint8_t out[LARCH_DIRECT_NEXT_LEN])
{
    uint8_t ss[LARCH_KEM_SS_LEN];
    larch_error e = larch_kem_decaps(kem, dk, kem_ct, ss);
    if (e == LARCH_OK)
        e = tag_of(ss, label, asked_hash, said_hash, out + HASH_LEN);
    if (e == LARCH_OK)
        memcpy(out, said_hash, HASH_LEN);
    larch_wipe(ss, sizeof ss);
    return e;
}

static larch_error check_answer(const uint8_t ss[LARCH_KEM_SS_LEN], larch_bytes label,
                                const uint8_t asked_hash[HASH_LEN], larch_bytes answer, uint8_t said_hash[HASH_LEN])
{
    uint8_t tag[LARCH_DIRECT_TAG_LEN];
    larch_error e;
    memset(said_hash, 0, HASH_LEN);
    if (answer.len != LARCH_DIRECT_NEXT_LEN)
        return LARCH_MALFORMED;
    if ((e = tag_of(ss, label, asked_hash, answer.data, tag)) != LARCH_OK)
        return e;
    bool genuine = larch_ct_equal(tag, answer.data + HASH_LEN, sizeof tag);
    larch_wipe(tag, sizeof tag);
    if (!genuine)
        return LARCH_AUTH;
    memcpy(said_hash, answer.data, HASH_LEN);
    return LARCH_OK;
}

/* ---- the question -------------------------------------------------------- */

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
    larch_reader r = larch_reader_of(payload);
    const larch_kem *found;
    larch_bytes front;
    if (larch_reader_take(&r, LARCH_DIRECT_HINT_LEN, &front) != LARCH_OK ||
        (found = larch_direct_kem_by_ct_len(r.left.len)) == NULL)
        return LARCH_MALFORMED;
    *kem = found;
    *hint = front;
    *kem_ct = r.left;
    return LARCH_OK;
}

/* ---- which key is present ------------------------------------------------ */

larch_error larch_direct_next_answer(const larch_kem *kem, const uint8_t *old_dk, larch_bytes kem_ct,
                                     const uint8_t old_hash[HASH_LEN], const uint8_t new_hash[HASH_LEN],
                                     uint8_t out[LARCH_DIRECT_NEXT_LEN])
{
    return answer_of(kem, old_dk, kem_ct, NEXT, old_hash, new_hash, out);
}

larch_error larch_direct_next_check(const uint8_t ss[LARCH_KEM_SS_LEN], const uint8_t old_hash[HASH_LEN],
                                    larch_bytes answer, uint8_t new_hash[HASH_LEN])
{
    return check_answer(ss, NEXT, old_hash, answer, new_hash);
}

/* ---- which identity document holds --------------------------------------- */

larch_error larch_direct_root_answer(const larch_kem *kem, const uint8_t *dk, larch_bytes kem_ct,
                                     const uint8_t asked_hash[HASH_LEN], const uint8_t document_hash[HASH_LEN],
                                     uint8_t out[LARCH_DIRECT_NEXT_LEN])
{
    return answer_of(kem, dk, kem_ct, ROOT, asked_hash, document_hash, out);
}

larch_error larch_direct_root_check(const uint8_t ss[LARCH_KEM_SS_LEN], const uint8_t asked_hash[HASH_LEN],
                                    larch_bytes answer, uint8_t document_hash[HASH_LEN])
{
    return check_answer(ss, ROOT, asked_hash, answer, document_hash);
}
