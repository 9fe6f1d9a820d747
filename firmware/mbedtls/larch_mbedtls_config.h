/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mbed TLS 2.28 as the PSA provider of the firmware: AES-CCM, SHA-256, HMAC and HKDF, and nothing else. Both the
 * library's own configuration and PSA's (MBEDTLS_PSA_CRYPTO_CONFIG_FILE).
 */
#ifndef LARCH_MBEDTLS_CONFIG_H
#define LARCH_MBEDTLS_CONFIG_H

/* ---- what PSA offers ----------------------------------------------------- */

#define MBEDTLS_PSA_CRYPTO_C
#define MBEDTLS_PSA_CRYPTO_CONFIG
#define PSA_WANT_ALG_CCM         1
#define PSA_WANT_ALG_SHA_256     1
#define PSA_WANT_ALG_HMAC        1
#define PSA_WANT_ALG_HKDF        1
#define PSA_WANT_KEY_TYPE_AES    1
#define PSA_WANT_KEY_TYPE_HMAC   1
#define PSA_WANT_KEY_TYPE_DERIVE 1

/* src/crypto/psa.c holds one key at a time. */
#define MBEDTLS_PSA_KEY_SLOT_COUNT 2

/* What those need below PSA, which PSA's configuration does not ask for by itself. */
#define MBEDTLS_AES_C
#define MBEDTLS_CIPHER_C
#define MBEDTLS_MD_C
#define MBEDTLS_SHA224_C

/* ---- for a small board --------------------------------------------------- */

#define MBEDTLS_AES_ROM_TABLES
#define MBEDTLS_AES_FEWER_TABLES
/* CCM enciphers only; aes_forward.c stands in for the other half. [SP800-38C 6] */
#define MBEDTLS_AES_SETKEY_DEC_ALT
#define MBEDTLS_AES_DECRYPT_ALT
#define MBEDTLS_SHA256_SMALLER

/* No libc heap, no files, no clock. */
#define MBEDTLS_PLATFORM_C
#define MBEDTLS_PLATFORM_MEMORY
#define MBEDTLS_PLATFORM_CALLOC_MACRO larch_mbedtls_calloc
#define MBEDTLS_PLATFORM_FREE_MACRO   larch_mbedtls_free
#define MBEDTLS_PSA_CRYPTO_EXTERNAL_RNG

#include <stddef.h>
void *larch_mbedtls_calloc(size_t count, size_t size);
void larch_mbedtls_free(void *block);

#include "mbedtls/check_config.h"
#include "mbedtls/config_psa.h"

#endif
