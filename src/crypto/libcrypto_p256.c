/* SPDX-License-Identifier: Apache-2.0 */
/* P-256: ECDH by libcrypto's arithmetic of points, ES256 by its keys. All that a call makes is freed before it returns. */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/params.h>
#include <string.h>

#include "crypto/libcrypto_int.h"

#if LARCH_ECC

#define LEN       LARCH_P256_LEN
#define POINT_LEN (1 + 2 * LEN) /* 04 || x || y [SEC1 2.3.3] */
#define DER_MAX   72            /* SEQUENCE of two INTEGERs of up to 33 bytes */

static EC_GROUP *group; /* NULL until the provider starts, both */
static EVP_PKEY_CTX *maker;

bool larch_libcrypto_start_p256(void)
{
    if (group == NULL)
        group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    if (maker == NULL)
        maker = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    return group != NULL && maker != NULL;
}

/* Sets *d to the number, which the caller frees. LARCH_MALFORMED if it is not from 1 to n - 1. */
static larch_error read_private(const uint8_t *private_key, BIGNUM **d)
{
    if (group == NULL || (*d = BN_bin2bn(private_key, LEN, NULL)) == NULL)
        return LARCH_PLATFORM;
    return BN_is_zero(*d) || BN_cmp(*d, EC_GROUP_get0_order(group)) >= 0 ? LARCH_MALFORMED : LARCH_OK;
}

/* ---- ECDH ---------------------------------------------------------------- */

larch_error larch_p256_public(const uint8_t private_key[LARCH_P256_LEN], uint8_t public_key[LARCH_P256_PUBLIC_LEN])
{
    uint8_t bytes[POINT_LEN] = {0};
    BIGNUM *d = NULL;
    larch_error e = read_private(private_key, &d);
    EC_POINT *point = e == LARCH_OK ? EC_POINT_new(group) : NULL;
    if (e == LARCH_OK &&
        (point == NULL || EC_POINT_mul(group, point, d, NULL, NULL, NULL) != 1 ||
         EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, bytes, sizeof bytes, NULL) != sizeof bytes)) {
        memset(bytes, 0, sizeof bytes);
        e = LARCH_PLATFORM;
    }
    memcpy(public_key, bytes + 1, LARCH_P256_PUBLIC_LEN);
    EC_POINT_free(point);
    BN_clear_free(d);
    return larch_libcrypto_outcome(e == LARCH_OK, e);
}

larch_error larch_p256_ecdh(const uint8_t private_key[LARCH_P256_LEN], larch_bytes peer, uint8_t shared[LARCH_P256_LEN])
{
    uint8_t bytes[POINT_LEN] = {peer.len == LEN ? POINT_CONVERSION_COMPRESSED : POINT_CONVERSION_UNCOMPRESSED};
    BIGNUM *d = NULL;
    EC_POINT *point = NULL;
    larch_error e = peer.len == LEN || peer.len == 2 * LEN ? read_private(private_key, &d) : LARCH_MALFORMED;
    if (e == LARCH_OK) {
        memcpy(bytes + 1, peer.data, peer.len);
        point = EC_POINT_new(group);
        if (point != NULL && EC_POINT_oct2point(group, point, bytes, 1 + peer.len, NULL) != 1)
            e = LARCH_MALFORMED;
        else if (point == NULL || EC_POINT_mul(group, point, NULL, point, d, NULL) != 1 ||
                 EC_POINT_point2oct(group, point, POINT_CONVERSION_COMPRESSED, bytes, 1 + LEN, NULL) != 1 + LEN)
            e = LARCH_PLATFORM;
    }
    if (e == LARCH_OK)
        memcpy(shared, bytes + 1, LEN);
    else
        larch_wipe(shared, LEN);
    larch_wipe(bytes, sizeof bytes);
    EC_POINT_clear_free(point);
    BN_clear_free(d);
    return larch_libcrypto_outcome(e == LARCH_OK, e);
}

/* ---- ES256 --------------------------------------------------------------- */

/* A context for the key that type and half describe; NULL if libcrypto refuses it. */
static EVP_PKEY_CTX *make_context(int type, OSSL_PARAM half)
{
    char name[] = "P-256";
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, name, 0), half,
                           OSSL_PARAM_construct_end()};
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = NULL;
    if (maker != NULL && EVP_PKEY_fromdata_init(maker) == 1 && EVP_PKEY_fromdata(maker, &key, type, params) == 1)
        context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    EVP_PKEY_free(key); /* a context holds its own reference */
    return context;
}

static bool write_raw(const uint8_t *der, size_t der_len, uint8_t *raw)
{
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)der_len);
    bool ok = sig != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, LEN) == LEN &&
              BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + LEN, LEN) == LEN;
    ECDSA_SIG_free(sig);
    return ok;
}

/* The signature's length in DER; 0: no memory. */
static size_t write_der(const uint8_t *raw, uint8_t der[DER_MAX])
{
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(raw, LEN, NULL), *s = BN_bin2bn(raw + LEN, LEN, NULL);
    int len = 0;
    if (sig != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(sig, r, s) == 1) {
        r = s = NULL; /* now the signature's */
        len = i2d_ECDSA_SIG(sig, &der);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(sig);
    return len > 0 ? (size_t)len : 0;
}

static bool sign(BIGNUM *d, const uint8_t hash[LARCH_SHA256_LEN], uint8_t *signature)
{
    uint8_t number[LEN], der[DER_MAX];
    size_t der_len = sizeof der;
    EVP_PKEY_CTX *context = NULL;
    if (BN_bn2nativepad(d, number, LEN) == LEN)
        context = make_context(EVP_PKEY_KEYPAIR, OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, number, LEN));
    bool ok = context != NULL && EVP_PKEY_sign_init(context) == 1 &&
              EVP_PKEY_sign(context, der, &der_len, hash, LARCH_SHA256_LEN) == 1 && write_raw(der, der_len, signature);
    EVP_PKEY_CTX_free(context);
    larch_wipe(number, sizeof number);
    return ok;
}

larch_error larch_es256_sign(const uint8_t private_key[LARCH_P256_LEN], const larch_bytes *pieces, size_t count,
                             uint8_t signature[LARCH_ES256_LEN])
{
    uint8_t hash[LARCH_SHA256_LEN];
    BIGNUM *d = NULL;
    larch_error e = larch_sha256(pieces, count, hash);
    if (e == LARCH_OK && (e = read_private(private_key, &d)) == LARCH_OK && !sign(d, hash, signature))
        e = LARCH_PLATFORM;
    if (e != LARCH_OK)
        larch_wipe(signature, LARCH_ES256_LEN);
    BN_clear_free(d);
    return larch_libcrypto_outcome(e == LARCH_OK, e);
}

larch_error larch_es256_verify(const uint8_t public_key[LARCH_P256_PUBLIC_LEN], const larch_bytes *pieces, size_t count,
                               larch_bytes signature)
{
    uint8_t hash[LARCH_SHA256_LEN], point[POINT_LEN] = {POINT_CONVERSION_UNCOMPRESSED}, der[DER_MAX];
    EVP_PKEY_CTX *context = NULL;
    size_t der_len = 0;
    larch_error e = larch_sha256(pieces, count, hash);
    if (e != LARCH_OK)
        return e;
    memcpy(point + 1, public_key, LARCH_P256_PUBLIC_LEN);
    context = make_context(EVP_PKEY_PUBLIC_KEY,
                           OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point));
    if (context == NULL)
        e = LARCH_MALFORMED;
    else if (signature.len == LARCH_ES256_LEN &&
             (EVP_PKEY_verify_init(context) != 1 || (der_len = write_der(signature.data, der)) == 0))
        e = LARCH_PLATFORM;
    else if (signature.len != LARCH_ES256_LEN || EVP_PKEY_verify(context, der, der_len, hash, sizeof hash) != 1)
        e = LARCH_AUTH;
    EVP_PKEY_CTX_free(context);
    return larch_libcrypto_outcome(e == LARCH_OK, e);
}

#endif
