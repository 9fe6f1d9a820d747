/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EDHOC_Extract and EDHOC_Expand of the three hash functions [RFC9528 4.1.1, 4.1.2]:
 *
 *               EDHOC_Extract(salt, IKM)       EDHOC_Expand(PRK, info, length)
 *     SHA-2     HKDF-Extract                   HKDF-Expand
 *     SHAKE256  KMAC256(salt, IKM, 512, "")    KMAC256(PRK, info, 8 * length, "")
 *
 *     EDHOC_KDF(PRK, label, context, length) = EDHOC_Expand(PRK, info, length)
 *     info = ( label : int, context : bstr, length : uint )
 *
 * Everything is hashed in pieces, so that no credential or plaintext is copied.
 */
#include <string.h>

#include "lake_int.h"
#include "larch/crypto.h"

#define TH_PIECES   4
#define INFO_PIECES (LAKE_CONTEXT_PIECES + 2)

lake_head larch_lake_head_of(size_t len)
{
    lake_head head;
    larch_writer w = larch_writer_to(head.bytes, sizeof head.bytes);
    larch_cbor_put_bytes_head(&w, len);
    head.len = (uint8_t)w.len;
    return head;
}

/* ---- hash -------------------------------------------------------------------- */

static larch_error hash(const larch_lake_suite *suite, const larch_bytes *pieces, size_t count, uint8_t *out)
{
    switch (suite->hash) {
    case LARCH_COSE_SHA_256:
        return larch_sha256(pieces, count, out);
    case LARCH_COSE_SHA_384:
        return larch_sha384(pieces, count, out);
    default:
        larch_shake256_of(pieces, count, out, suite->hash_len);
        return LARCH_OK;
    }
}

larch_error larch_lake_hash(const larch_lake_suite *suite, larch_bytes in, uint8_t out[LAKE_HASH_MAX])
{
    return hash(suite, &in, 1, out);
}

larch_error larch_lake_th(const larch_lake_suite *suite, larch_bytes first, const larch_bytes *pieces, size_t count,
                          uint8_t out[LAKE_HASH_MAX])
{
    const lake_head head = larch_lake_head_of(first.len);
    larch_bytes all[2 + TH_PIECES] = {lake_head_bytes(&head), first};
    memcpy(all + 2, pieces, count * sizeof *pieces);
    return hash(suite, all, 2 + count, out);
}

/* ---- extract and expand -------------------------------------------------------- */

static larch_error hmac(const larch_lake_suite *suite, const uint8_t *key, const larch_bytes *pieces, size_t count,
                        uint8_t *out)
{
    const larch_bytes k = {key, suite->hash_len};
    return suite->hash == LARCH_COSE_SHA_256 ? larch_hmac_sha256(k, pieces, count, out)
                                             : larch_hmac_sha384(k, pieces, count, out);
}

larch_error larch_lake_extract(const larch_lake_suite *suite, const uint8_t *salt, larch_bytes ikm,
                               uint8_t out[LAKE_HASH_MAX])
{
    if (suite->hash != LARCH_COSE_SHAKE256)
        return hmac(suite, salt, &ikm, 1, out);
    larch_kmac256((larch_bytes){salt, suite->hash_len}, (larch_bytes){0}, &ikm, 1, out, suite->hash_len);
    return LARCH_OK;
}

/* T(i) = HMAC(PRK, T(i - 1) | info | i) [RFC5869 2.3] */
static larch_error hkdf_expand(const larch_lake_suite *suite, const uint8_t *prk, const larch_bytes *info, size_t count,
                               uint8_t *out, size_t len)
{
    uint8_t t[LAKE_HASH_MAX], i = 0;
    larch_bytes pieces[1 + INFO_PIECES + 1] = {{t, 0}};
    larch_error e = len > 255u * suite->hash_len ? LARCH_SPACE : LARCH_OK;
    memcpy(pieces + 1, info, count * sizeof *info);
    pieces[1 + count] = (larch_bytes){&i, 1};
    for (size_t done = 0; e == LARCH_OK && done < len; done += suite->hash_len) {
        const size_t left = len - done;
        i++;
        if ((e = hmac(suite, prk, pieces, count + 2, t)) == LARCH_OK)
            memcpy(out + done, t, left < suite->hash_len ? left : suite->hash_len);
        pieces[0].len = suite->hash_len;
    }
    larch_wipe(t, sizeof t);
    return e;
}

/* The pieces of one info, and the memory that they lie in. */
typedef struct info {
    uint8_t front[9 + 9], back[9];
    larch_bytes pieces[INFO_PIECES];
    size_t count;
} info;

static void put_info(info *in, unsigned label, const larch_bytes *context, size_t count, size_t len)
{
    larch_writer w = larch_writer_to(in->front, sizeof in->front), v = larch_writer_to(in->back, sizeof in->back);
    size_t context_len = 0;
    for (size_t i = 0; i < count; i++) {
        in->pieces[1 + i] = context[i];
        context_len += context[i].len;
    }
    larch_cbor_put_uint(&w, label);
    larch_cbor_put_bytes_head(&w, context_len);
    larch_cbor_put_uint(&v, len);
    in->pieces[0] = (larch_bytes){in->front, w.len};
    in->pieces[1 + count] = (larch_bytes){in->back, v.len};
    in->count = count + 2;
}

larch_error larch_lake_kdf(const larch_lake_suite *suite, const uint8_t *prk, unsigned label,
                           const larch_bytes *context, size_t count, uint8_t *out, size_t len)
{
    info in;
    larch_error e = LARCH_OK;
    put_info(&in, label, context, count, len);
    if (suite->hash == LARCH_COSE_SHAKE256)
        larch_kmac256((larch_bytes){prk, suite->hash_len}, (larch_bytes){0}, in.pieces, in.count, out, len);
    else
        e = hkdf_expand(suite, prk, in.pieces, in.count, out, len);
    if (e != LARCH_OK)
        larch_wipe(out, len);
    return e;
}

static larch_error expand_each(const larch_lake_suite *suite, const uint8_t *prk, const info *in,
                               const lake_output *outputs, size_t count)
{
    larch_kmac_message messages[LAKE_OUTPUTS] = {0};
    larch_error e = LARCH_OK;
    if (suite->hash == LARCH_COSE_SHAKE256) {
        for (size_t i = 0; i < count; i++)
            messages[i] = (larch_kmac_message){in[i].pieces, in[i].count, outputs[i].out, outputs[i].len};
        larch_kmac256_many((larch_bytes){prk, suite->hash_len}, messages, count);
        return LARCH_OK;
    }
    for (size_t i = 0; e == LARCH_OK && i < count; i++)
        e = hkdf_expand(suite, prk, in[i].pieces, in[i].count, outputs[i].out, outputs[i].len);
    return e;
}

larch_error larch_lake_kdf_each(const larch_lake_suite *suite, const uint8_t *prk, larch_bytes context,
                                const lake_output *outputs, size_t count)
{
    info in[LAKE_OUTPUTS];
    for (size_t i = 0; i < count; i++)
        put_info(&in[i], outputs[i].label, &context, 1, outputs[i].len);
    const larch_error e = expand_each(suite, prk, in, outputs, count);
    for (size_t i = 0; e != LARCH_OK && i < count; i++)
        larch_wipe(outputs[i].out, outputs[i].len);
    return e;
}

/* ---- the schedule --------------------------------------------------------------- */

static larch_error kdf_of_th(const larch_lake_suite *suite, const uint8_t *prk, unsigned label, const uint8_t *th,
                             uint8_t *out, size_t len)
{
    const larch_bytes context = lake_th(suite, th);
    return larch_lake_kdf(suite, prk, label, &context, 1, out, len);
}

larch_error larch_lake_next_prk(const larch_lake_suite *suite, const uint8_t *prk, unsigned label, const uint8_t *th,
                                larch_bytes ikm, uint8_t out[LAKE_HASH_MAX])
{
    uint8_t salt[LAKE_HASH_MAX];
    larch_error e = kdf_of_th(suite, prk, label, th, salt, suite->hash_len);
    if (e == LARCH_OK)
        e = larch_lake_extract(suite, salt, ikm, out);
    if (e != LARCH_OK)
        larch_wipe(out, suite->hash_len);
    larch_wipe(salt, sizeof salt);
    return e;
}

larch_error larch_lake_finish_keys(larch_lake_keys *keys, const uint8_t *prk_4e3m, const uint8_t *th_4)
{
    const larch_lake_suite *suite = keys->suite;
    const larch_error e = kdf_of_th(suite, prk_4e3m, LAKE_PRK_OUT, th_4, keys->prk_out, suite->hash_len);
    return e == LARCH_OK
               ? larch_lake_kdf(suite, keys->prk_out, LAKE_PRK_EXPORTER, NULL, 0, keys->prk_exporter, suite->hash_len)
               : e;
}

/* ---- AEAD ----------------------------------------------------------------------- */

typedef struct sealing {
    uint8_t key[LARCH_COSE_AEAD_KEY_MAX], iv[LARCH_COSE_AEAD_NONCE_MAX];
} sealing;

/* K_3 and IV_3, or K_4 and IV_4: the labels are neighbours. */
static larch_error derive(const larch_lake_suite *suite, const larch_cose_aead *aead, const uint8_t *prk,
                          unsigned key_label, const uint8_t *th, sealing *out)
{
    const lake_output outputs[] = {{key_label, out->key, aead->key_len}, {key_label + 1, out->iv, aead->nonce_len}};
    return larch_lake_kdf_each(suite, prk, lake_th(suite, th), outputs, 2);
}

larch_error larch_lake_seal(const larch_lake_suite *suite, const uint8_t *prk, unsigned key_label, const uint8_t *th,
                            larch_bytes aad, larch_bytes in, uint8_t *out, size_t cap)
{
    const larch_cose_aead *aead = larch_cose_aead_find(suite->aead);
    sealing s;
    larch_error e = derive(suite, aead, prk, key_label, th, &s);
    if (e == LARCH_OK)
        e = larch_cose_aead_seal(aead, s.key, s.iv, aad, in, out, cap);
    larch_wipe(&s, sizeof s);
    return e;
}

larch_error larch_lake_open(const larch_lake_suite *suite, const uint8_t *prk, unsigned key_label, const uint8_t *th,
                            larch_bytes aad, larch_bytes in, uint8_t *out, size_t cap)
{
    const larch_cose_aead *aead = larch_cose_aead_find(suite->aead);
    sealing s;
    larch_error e = derive(suite, aead, prk, key_label, th, &s);
    if (e == LARCH_OK)
        e = larch_cose_aead_open(aead, s.key, s.iv, aad, in, out, cap);
    larch_wipe(&s, sizeof s);
    return e;
}

larch_bytes larch_lake_aad(const larch_lake_suite *suite, const uint8_t *th, uint8_t out[LAKE_AAD_MAX])
{
    larch_writer w = larch_writer_to(out, LAKE_AAD_MAX);
    larch_cose_put_enc_structure(&w, "Encrypt0", (larch_bytes){0}, lake_th(suite, th));
    return (larch_bytes){out, w.len};
}
