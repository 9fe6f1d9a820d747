/* SPDX-License-Identifier: Apache-2.0 */
/* The only file that speaks to the PSA Crypto API, so that an HSM, a secure
 * element or a chip's own unit can take its place. */
#include <psa/crypto.h>

#include "larch/crypto.h"

static larch_error error_of(psa_status_t status) { return status == PSA_SUCCESS ? LARCH_OK : LARCH_PLATFORM; }

larch_error larch_crypto_init(void) { return error_of(psa_crypto_init()); }

static larch_error fill(void *context, uint8_t *out, size_t len)
{
    (void)context;
    return error_of(psa_generate_random(out, len));
}

larch_random larch_crypto_random(void) { return (larch_random){fill, NULL}; }

larch_error larch_sha256(const larch_bytes *pieces, size_t count, uint8_t out[LARCH_SHA256_LEN])
{
    psa_hash_operation_t hash = PSA_HASH_OPERATION_INIT;
    size_t len;
    psa_status_t s = psa_hash_setup(&hash, PSA_ALG_SHA_256);
    for (size_t i = 0; s == PSA_SUCCESS && i < count; i++)
        s = psa_hash_update(&hash, pieces[i].data, pieces[i].len);
    if (s == PSA_SUCCESS)
        s = psa_hash_finish(&hash, out, LARCH_SHA256_LEN, &len);
    if (s != PSA_SUCCESS) {
        (void)psa_hash_abort(&hash);
        larch_wipe(out, LARCH_SHA256_LEN);
    }
    return error_of(s);
}

/* Hands a key to the provider for one use of one algorithm. */
static psa_status_t import(larch_bytes key, psa_key_type_t type, psa_key_usage_t usage, psa_algorithm_t algorithm,
                           psa_key_id_t *id)
{
    psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
    psa_set_key_type(&attributes, type);
    psa_set_key_usage_flags(&attributes, usage);
    psa_set_key_algorithm(&attributes, algorithm);
    return psa_import_key(&attributes, key.data, key.len, id);
}

larch_error larch_hmac_sha256(larch_bytes key, const larch_bytes *pieces, size_t count, uint8_t out[LARCH_SHA256_LEN])
{
    const psa_algorithm_t algorithm = PSA_ALG_HMAC(PSA_ALG_SHA_256);
    psa_mac_operation_t mac = PSA_MAC_OPERATION_INIT;
    psa_key_id_t id = 0;
    size_t len;
    psa_status_t s = import(key, PSA_KEY_TYPE_HMAC, PSA_KEY_USAGE_SIGN_MESSAGE, algorithm, &id);
    if (s == PSA_SUCCESS)
        s = psa_mac_sign_setup(&mac, id, algorithm);
    for (size_t i = 0; s == PSA_SUCCESS && i < count; i++)
        s = psa_mac_update(&mac, pieces[i].data, pieces[i].len);
    if (s == PSA_SUCCESS)
        s = psa_mac_sign_finish(&mac, out, LARCH_SHA256_LEN, &len);
    (void)psa_mac_abort(&mac);
    (void)psa_destroy_key(id);
    if (s != PSA_SUCCESS)
        larch_wipe(out, LARCH_SHA256_LEN);
    return error_of(s);
}

larch_error larch_hkdf_sha256(larch_bytes salt, larch_bytes ikm, larch_bytes info, uint8_t *out, size_t out_len)
{
    psa_key_derivation_operation_t kdf = PSA_KEY_DERIVATION_OPERATION_INIT;
    if (out_len == 0 || out_len > 255 * LARCH_SHA256_LEN)
        return LARCH_SPACE;
    psa_status_t s = psa_key_derivation_setup(&kdf, PSA_ALG_HKDF(PSA_ALG_SHA_256));
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
    return error_of(s);
}

static bool ccm_lengths_are_valid(larch_bytes nonce, size_t tag_len)
{
    return nonce.len >= 7 && nonce.len <= LARCH_CCM_NONCE_MAX && tag_len >= 4 && tag_len <= LARCH_CCM_TAG_LEN &&
           tag_len % 2 == 0;
}

larch_error larch_ccm_seal(const uint8_t key[LARCH_CCM_KEY_LEN], larch_bytes nonce, larch_bytes aad, larch_bytes in,
                           size_t tag_len, uint8_t *out, size_t out_cap)
{
    const psa_algorithm_t algorithm = PSA_ALG_AEAD_WITH_SHORTENED_TAG(PSA_ALG_CCM, tag_len);
    psa_key_id_t id = 0;
    size_t len;
    if (!ccm_lengths_are_valid(nonce, tag_len))
        return LARCH_STATE;
    if (out_cap < in.len + tag_len)
        return LARCH_SPACE;
    psa_status_t s =
        import((larch_bytes){key, LARCH_CCM_KEY_LEN}, PSA_KEY_TYPE_AES, PSA_KEY_USAGE_ENCRYPT, algorithm, &id);
    if (s == PSA_SUCCESS)
        s = psa_aead_encrypt(id, algorithm, nonce.data, nonce.len, aad.data, aad.len, in.data, in.len, out,
                             in.len + tag_len, &len);
    (void)psa_destroy_key(id);
    if (s != PSA_SUCCESS)
        larch_wipe(out, in.len + tag_len);
    return error_of(s);
}

larch_error larch_ccm_open(const uint8_t key[LARCH_CCM_KEY_LEN], larch_bytes nonce, larch_bytes aad, larch_bytes in,
                           size_t tag_len, uint8_t *out, size_t out_cap)
{
    const psa_algorithm_t algorithm = PSA_ALG_AEAD_WITH_SHORTENED_TAG(PSA_ALG_CCM, tag_len);
    psa_key_id_t id = 0;
    size_t len;
    if (!ccm_lengths_are_valid(nonce, tag_len))
        return LARCH_STATE;
    if (in.len < tag_len)
        return LARCH_MALFORMED;
    if (out_cap < in.len - tag_len)
        return LARCH_SPACE;
    psa_status_t s =
        import((larch_bytes){key, LARCH_CCM_KEY_LEN}, PSA_KEY_TYPE_AES, PSA_KEY_USAGE_DECRYPT, algorithm, &id);
    if (s == PSA_SUCCESS) /* not told of out_cap: on error the provider may zero all that it is given */
        s = psa_aead_decrypt(id, algorithm, nonce.data, nonce.len, aad.data, aad.len, in.data, in.len, out,
                             in.len - tag_len, &len);
    (void)psa_destroy_key(id);
    if (s == PSA_SUCCESS)
        return LARCH_OK;
    larch_wipe(out, in.len - tag_len);
    return s == PSA_ERROR_INVALID_SIGNATURE ? LARCH_AUTH : LARCH_PLATFORM;
}

#if LARCH_XWING

/* The provider takes it as it is, and clamps it itself. */
static psa_status_t import_x25519(const uint8_t *private_key, psa_key_id_t *id)
{
    return import((larch_bytes){private_key, LARCH_X25519_LEN}, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_MONTGOMERY),
                  PSA_KEY_USAGE_DERIVE, PSA_ALG_ECDH, id);
}

larch_error larch_x25519_public(const uint8_t private_key[LARCH_X25519_LEN], uint8_t public_key[LARCH_X25519_LEN])
{
    psa_key_id_t id = 0;
    size_t len = 0;
    psa_status_t s = import_x25519(private_key, &id);
    if (s == PSA_SUCCESS)
        s = psa_export_public_key(id, public_key, LARCH_X25519_LEN, &len);
    (void)psa_destroy_key(id);
    if (s != PSA_SUCCESS || len != LARCH_X25519_LEN) {
        larch_wipe(public_key, LARCH_X25519_LEN);
        return LARCH_PLATFORM;
    }
    return LARCH_OK;
}

larch_error larch_x25519(const uint8_t private_key[LARCH_X25519_LEN], const uint8_t public_key[LARCH_X25519_LEN],
                         uint8_t shared[LARCH_X25519_LEN])
{
    static const uint8_t zero[LARCH_X25519_LEN];
    psa_key_id_t id = 0;
    size_t len = 0;
    psa_status_t s = import_x25519(private_key, &id);
    if (s == PSA_SUCCESS)
        s = psa_raw_key_agreement(PSA_ALG_ECDH, id, public_key, LARCH_X25519_LEN, shared, LARCH_X25519_LEN, &len);
    (void)psa_destroy_key(id);
    if (s == PSA_SUCCESS && len == LARCH_X25519_LEN && !larch_ct_equal(shared, zero, sizeof zero))
        return LARCH_OK;
    larch_wipe(shared, LARCH_X25519_LEN);
    /* Providers differ in whether they refuse the key or compute the zero. */
    return s == PSA_SUCCESS || s == PSA_ERROR_INVALID_ARGUMENT ? LARCH_MALFORMED : LARCH_PLATFORM;
}

#endif
