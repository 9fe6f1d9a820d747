/* SPDX-License-Identifier: Apache-2.0 */
/* The PSA Crypto API as the provider, so that an HSM, a secure element or a chip's own unit can stand behind it. Only
 * src/crypto/psa* speak to it. */
#include "crypto/psa_int.h"

larch_error larch_crypto_init(void) { return larch_psa_error(psa_crypto_init()); }

static larch_error fill(void *context, uint8_t *out, size_t len)
{
    (void)context;
    return larch_psa_error(psa_generate_random(out, len));
}

larch_random larch_crypto_random(void) { return (larch_random){fill, NULL}; }

/* ---- hash, MAC, KDF: out_len is the hash's, but for HKDF ------------------ */

LARCH_IN_CALLERS psa_status_t digest(psa_algorithm_t algorithm, const larch_bytes *pieces, size_t count, uint8_t *out,
                                     size_t out_len)
{
    psa_hash_operation_t hash = PSA_HASH_OPERATION_INIT;
    size_t len;
    psa_status_t s = psa_hash_setup(&hash, algorithm);
    for (size_t i = 0; s == PSA_SUCCESS && i < count; i++)
        s = psa_hash_update(&hash, pieces[i].data, pieces[i].len);
    if (s == PSA_SUCCESS)
        s = psa_hash_finish(&hash, out, out_len, &len);
    if (s != PSA_SUCCESS) {
        (void)psa_hash_abort(&hash);
        larch_wipe(out, out_len);
    }
    return s;
}

larch_error larch_sha256(const larch_bytes *pieces, size_t count, uint8_t out[LARCH_SHA256_LEN])
{
    return larch_psa_error(digest(PSA_ALG_SHA_256, pieces, count, out, LARCH_SHA256_LEN));
}

larch_error larch_sha384(const larch_bytes *pieces, size_t count, uint8_t out[LARCH_SHA384_LEN])
{
    return larch_psa_optional_error(digest(PSA_ALG_SHA_384, pieces, count, out, LARCH_SHA384_LEN));
}

LARCH_IN_CALLERS psa_status_t hmac(psa_algorithm_t algorithm, larch_bytes key, const larch_bytes *pieces, size_t count,
                                   uint8_t *out, size_t out_len)
{
    psa_mac_operation_t mac = PSA_MAC_OPERATION_INIT;
    psa_key_id_t id = 0;
    size_t len;
    psa_status_t s = larch_psa_import(key, PSA_KEY_TYPE_HMAC, PSA_KEY_USAGE_SIGN_MESSAGE, algorithm, &id);
    if (s == PSA_SUCCESS)
        s = psa_mac_sign_setup(&mac, id, algorithm);
    for (size_t i = 0; s == PSA_SUCCESS && i < count; i++)
        s = psa_mac_update(&mac, pieces[i].data, pieces[i].len);
    if (s == PSA_SUCCESS)
        s = psa_mac_sign_finish(&mac, out, out_len, &len);
    (void)psa_mac_abort(&mac);
    (void)psa_destroy_key(id);
    if (s != PSA_SUCCESS)
        larch_wipe(out, out_len);
    return s;
}

larch_error larch_hmac_sha256(larch_bytes key, const larch_bytes *pieces, size_t count, uint8_t out[LARCH_SHA256_LEN])
{
    return larch_psa_error(hmac(PSA_ALG_HMAC(PSA_ALG_SHA_256), key, pieces, count, out, LARCH_SHA256_LEN));
}

larch_error larch_hmac_sha384(larch_bytes key, const larch_bytes *pieces, size_t count, uint8_t out[LARCH_SHA384_LEN])
{
    return larch_psa_optional_error(hmac(PSA_ALG_HMAC(PSA_ALG_SHA_384), key, pieces, count, out, LARCH_SHA384_LEN));
}

LARCH_IN_CALLERS psa_status_t hkdf(psa_algorithm_t algorithm, larch_bytes salt, larch_bytes ikm, larch_bytes info,
                                   uint8_t *out, size_t out_len)
{
    psa_key_derivation_operation_t kdf = PSA_KEY_DERIVATION_OPERATION_INIT;
    psa_status_t s = psa_key_derivation_setup(&kdf, algorithm);
    if (s == PSA_SUCCESS && salt.len > 0)
        s = psa_key_derivation_input_bytes(&kdf, PSA_KEY_DERIVATION_INPUT_SALT, salt.data, salt.len);
    if (s == PSA_SUCCESS)
        s = psa_key_derivation_input_bytes(&kdf, PSA_KEY_DERIVATION_INPUT_SECRET, ikm.data, ikm.len);
    if (s == PSA_SUCCESS)
        s = psa_key_derivation_input_bytes(&kdf, PSA_KEY_DERIVATION_INPUT_INFO, info.data, info.len);
    if (s == PSA_SUCCESS)
        s = psa_key_derivation_output_bytes(&kdf, out, out_len);
    (void)psa_key_derivation_abort(&kdf);
    if (s != PSA_SUCCESS)
        larch_wipe(out, out_len);
    return s;
}

larch_error larch_hkdf_sha256(larch_bytes salt, larch_bytes ikm, larch_bytes info, uint8_t *out, size_t out_len)
{
    if (out_len == 0 || out_len > 255 * LARCH_SHA256_LEN)
        return LARCH_SPACE;
    return larch_psa_error(hkdf(PSA_ALG_HKDF(PSA_ALG_SHA_256), salt, ikm, info, out, out_len));
}

larch_error larch_hkdf_sha384(larch_bytes salt, larch_bytes ikm, larch_bytes info, uint8_t *out, size_t out_len)
{
    if (out_len == 0 || out_len > 255 * LARCH_SHA384_LEN)
        return LARCH_SPACE;
    return larch_psa_optional_error(hkdf(PSA_ALG_HKDF(PSA_ALG_SHA_384), salt, ikm, info, out, out_len));
}

/* ---- AES-CCM, AES-GCM ---------------------------------------------------- */

/* psa_aead_encrypt or psa_aead_decrypt. */
typedef psa_status_t aead(psa_key_id_t id, psa_algorithm_t algorithm, const uint8_t *nonce, size_t nonce_len,
                          const uint8_t *aad, size_t aad_len, const uint8_t *in, size_t in_len, uint8_t *out,
                          size_t out_cap, size_t *out_len);

/* out_len: what comes out, no more: the provider may zero all that it is given. */
static psa_status_t run(aead *function, psa_key_usage_t usage, psa_algorithm_t algorithm, larch_bytes key,
                        larch_bytes nonce, larch_bytes aad, larch_bytes in, uint8_t *out, size_t out_len)
{
    psa_key_id_t id = 0;
    size_t len;
    psa_status_t s = larch_psa_import(key, PSA_KEY_TYPE_AES, usage, algorithm, &id);
    if (s == PSA_SUCCESS)
        s = function(id, algorithm, nonce.data, nonce.len, aad.data, aad.len, in.data, in.len, out, out_len, &len);
    (void)psa_destroy_key(id);
    if (s != PSA_SUCCESS)
        larch_wipe(out, out_len);
    return s;
}

larch_error larch_ccm_seal(const uint8_t key[LARCH_CCM_KEY_LEN], larch_bytes nonce, larch_bytes aad, larch_bytes in,
                           size_t tag_len, uint8_t *out, size_t out_cap)
{
    if (!larch_ccm_lengths_are_valid(nonce, tag_len))
        return LARCH_STATE;
    larch_error e = larch_aead_check_seal(in.len, tag_len, out_cap);
    if (e != LARCH_OK)
        return e;
    return larch_psa_error(run(psa_aead_encrypt, PSA_KEY_USAGE_ENCRYPT,
                               PSA_ALG_AEAD_WITH_SHORTENED_TAG(PSA_ALG_CCM, tag_len),
                               (larch_bytes){key, LARCH_CCM_KEY_LEN}, nonce, aad, in, out, in.len + tag_len));
}

larch_error larch_ccm_open(const uint8_t key[LARCH_CCM_KEY_LEN], larch_bytes nonce, larch_bytes aad, larch_bytes in,
                           size_t tag_len, uint8_t *out, size_t out_cap)
{
    if (!larch_ccm_lengths_are_valid(nonce, tag_len))
        return LARCH_STATE;
    larch_error e = larch_aead_check_open(in.len, tag_len, out_cap);
    if (e != LARCH_OK)
        return e;
    psa_status_t s = run(psa_aead_decrypt, PSA_KEY_USAGE_DECRYPT, PSA_ALG_AEAD_WITH_SHORTENED_TAG(PSA_ALG_CCM, tag_len),
                         (larch_bytes){key, LARCH_CCM_KEY_LEN}, nonce, aad, in, out, in.len - tag_len);
    return s == PSA_ERROR_INVALID_SIGNATURE ? LARCH_AUTH : larch_psa_error(s);
}

larch_error larch_gcm_seal(larch_bytes key, const uint8_t nonce[LARCH_GCM_NONCE_LEN], larch_bytes aad, larch_bytes in,
                           uint8_t *out, size_t out_cap)
{
    if (!larch_gcm_key_is_valid(key))
        return LARCH_STATE;
    larch_error e = larch_aead_check_seal(in.len, LARCH_GCM_TAG_LEN, out_cap);
    if (e != LARCH_OK)
        return e;
    return larch_psa_optional_error(run(psa_aead_encrypt, PSA_KEY_USAGE_ENCRYPT, PSA_ALG_GCM, key,
                                        (larch_bytes){nonce, LARCH_GCM_NONCE_LEN}, aad, in, out,
                                        in.len + LARCH_GCM_TAG_LEN));
}

larch_error larch_gcm_open(larch_bytes key, const uint8_t nonce[LARCH_GCM_NONCE_LEN], larch_bytes aad, larch_bytes in,
                           uint8_t *out, size_t out_cap)
{
    if (!larch_gcm_key_is_valid(key))
        return LARCH_STATE;
    larch_error e = larch_aead_check_open(in.len, LARCH_GCM_TAG_LEN, out_cap);
    if (e != LARCH_OK)
        return e;
    psa_status_t s = run(psa_aead_decrypt, PSA_KEY_USAGE_DECRYPT, PSA_ALG_GCM, key,
                         (larch_bytes){nonce, LARCH_GCM_NONCE_LEN}, aad, in, out, in.len - LARCH_GCM_TAG_LEN);
    return s == PSA_ERROR_INVALID_SIGNATURE ? LARCH_AUTH : larch_psa_optional_error(s);
}
