/* SPDX-License-Identifier: Apache-2.0 */
/* The halves of HKDF over the provider's HMAC, for several keys from one secret. [RFC5869 2] */
#include <string.h>

#include "larch/crypto.h"

larch_error larch_hkdf_sha256_extract(larch_bytes salt, larch_bytes ikm, uint8_t prk[LARCH_SHA256_LEN])
{
    static const uint8_t none[LARCH_SHA256_LEN];
    return larch_hmac_sha256(salt.len > 0 ? salt : LARCH_BYTES(none), &ikm, 1, prk);
}

larch_error larch_hkdf_sha256_expand(const uint8_t prk[LARCH_SHA256_LEN], larch_bytes info, uint8_t *out,
                                     size_t out_len)
{
    static const uint8_t first = 1;
    const larch_bytes pieces[] = {info, {&first, 1}};
    uint8_t t[LARCH_SHA256_LEN];
    if (out_len == 0 || out_len > sizeof t)
        return LARCH_SPACE;
    const larch_error e = larch_hmac_sha256((larch_bytes){prk, LARCH_SHA256_LEN}, pieces, 2, t);
    if (e == LARCH_OK)
        memcpy(out, t, out_len);
    else
        larch_wipe(out, out_len);
    larch_wipe(t, sizeof t);
    return e;
}
