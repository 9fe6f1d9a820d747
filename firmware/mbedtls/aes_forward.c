/* SPDX-License-Identifier: Apache-2.0 */
/* The deciphering half of AES, which no algorithm of this configuration uses: two kilobytes saved. */
#include "mbedtls/aes.h"

int mbedtls_aes_setkey_dec(mbedtls_aes_context *aes, const unsigned char *key, unsigned int key_bits)
{
    (void)aes;
    (void)key;
    (void)key_bits;
    return MBEDTLS_ERR_AES_FEATURE_UNAVAILABLE;
}

int mbedtls_internal_aes_decrypt(mbedtls_aes_context *aes, const unsigned char in[16], unsigned char out[16])
{
    (void)aes;
    (void)in;
    (void)out;
    return MBEDTLS_ERR_AES_FEATURE_UNAVAILABLE;
}
