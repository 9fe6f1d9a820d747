/* SPDX-License-Identifier: Apache-2.0 */
/* X25519 and P-256, apart from what every image holds. */
#include <string.h>

#include "crypto/psa_int.h"

#if LARCH_ECC

/* ---- X25519 -------------------------------------------------------------- */

/* The provider takes it as it is, and clamps it itself. */
static psa_status_t import_x25519(const uint8_t *private_key, psa_key_id_t *id)
{
    return larch_psa_import((larch_bytes){private_key, LARCH_X25519_LEN},
                            PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_MONTGOMERY), PSA_KEY_USAGE_DERIVE, PSA_ALG_ECDH,
                            id);
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

/* ---- P-256 --------------------------------------------------------------- */

#define POINT_LEN (1 + LARCH_P256_PUBLIC_LEN) /* 04 || x || y [SEC1 2.3.3] */

static psa_status_t import_p256(const uint8_t *private_key, psa_key_usage_t usage, psa_algorithm_t algorithm,
                                psa_key_id_t *id)
{
    return larch_psa_import((larch_bytes){private_key, LARCH_P256_LEN},
                            PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1), usage, algorithm, id);
}

/* A key is an argument of the provider's, too. */
static larch_error error_of_key(psa_status_t status)
{
    return status == PSA_ERROR_INVALID_ARGUMENT ? LARCH_MALFORMED : larch_psa_optional_error(status);
}

larch_error larch_p256_public(const uint8_t private_key[LARCH_P256_LEN], uint8_t public_key[LARCH_P256_PUBLIC_LEN])
{
    uint8_t point[POINT_LEN];
    psa_key_id_t id = 0;
    size_t len;
    psa_status_t s = import_p256(private_key, PSA_KEY_USAGE_DERIVE, PSA_ALG_ECDH, &id);
    if (s == PSA_SUCCESS)
        s = psa_export_public_key(id, point, sizeof point, &len);
    (void)psa_destroy_key(id);
    if (s == PSA_SUCCESS)
        memcpy(public_key, point + 1, LARCH_P256_PUBLIC_LEN);
    else
        larch_wipe(public_key, LARCH_P256_PUBLIC_LEN);
    return error_of_key(s);
}

larch_error larch_p256_ecdh(const uint8_t private_key[LARCH_P256_LEN], larch_bytes peer, uint8_t shared[LARCH_P256_LEN])
{
    uint8_t point[POINT_LEN] = {4};
    psa_key_id_t id = 0;
    size_t len;
    psa_status_t s = PSA_ERROR_INVALID_ARGUMENT;
    if (peer.len == LARCH_P256_LEN)
        s = PSA_ERROR_NOT_SUPPORTED; /* its format of points has both coordinates */
    else if (peer.len == LARCH_P256_PUBLIC_LEN)
        s = import_p256(private_key, PSA_KEY_USAGE_DERIVE, PSA_ALG_ECDH, &id);
    if (s == PSA_SUCCESS) {
        memcpy(point + 1, peer.data, peer.len);
        s = psa_raw_key_agreement(PSA_ALG_ECDH, id, point, sizeof point, shared, LARCH_P256_LEN, &len);
    }
    (void)psa_destroy_key(id);
    if (s != PSA_SUCCESS)
        larch_wipe(shared, LARCH_P256_LEN);
    return error_of_key(s);
}

larch_error larch_es256_sign(const uint8_t private_key[LARCH_P256_LEN], const larch_bytes *pieces, size_t count,
                             uint8_t signature[LARCH_ES256_LEN])
{
    const psa_algorithm_t algorithm = PSA_ALG_ECDSA(PSA_ALG_SHA_256);
    uint8_t hash[LARCH_SHA256_LEN];
    psa_key_id_t id = 0;
    size_t len;
    larch_error e = larch_sha256(pieces, count, hash);
    if (e != LARCH_OK) {
        larch_wipe(signature, LARCH_ES256_LEN);
        return e;
    }
    psa_status_t s = import_p256(private_key, PSA_KEY_USAGE_SIGN_HASH, algorithm, &id);
    if (s == PSA_SUCCESS)
        s = psa_sign_hash(id, algorithm, hash, sizeof hash, signature, LARCH_ES256_LEN, &len);
    (void)psa_destroy_key(id);
    if (s != PSA_SUCCESS)
        larch_wipe(signature, LARCH_ES256_LEN);
    return error_of_key(s);
}

larch_error larch_es256_verify(const uint8_t public_key[LARCH_P256_PUBLIC_LEN], const larch_bytes *pieces, size_t count,
                               larch_bytes signature)
{
    const psa_algorithm_t algorithm = PSA_ALG_ECDSA(PSA_ALG_SHA_256);
    uint8_t hash[LARCH_SHA256_LEN], point[POINT_LEN] = {4};
    psa_key_id_t id = 0;
    larch_error e = larch_sha256(pieces, count, hash);
    if (e != LARCH_OK)
        return e;
    memcpy(point + 1, public_key, LARCH_P256_PUBLIC_LEN);
    psa_status_t s = larch_psa_import(LARCH_BYTES(point), PSA_KEY_TYPE_ECC_PUBLIC_KEY(PSA_ECC_FAMILY_SECP_R1),
                                      PSA_KEY_USAGE_VERIFY_HASH, algorithm, &id);
    if (s == PSA_SUCCESS)
        s = psa_verify_hash(id, algorithm, hash, sizeof hash, signature.data, signature.len);
    (void)psa_destroy_key(id);
    return s == PSA_ERROR_INVALID_SIGNATURE ? LARCH_AUTH : error_of_key(s);
}

#endif
