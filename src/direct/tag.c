/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "direct/direct_int.h"

larch_error larch_direct_extract(const uint8_t ss[LARCH_KEM_SS_LEN], uint8_t prk[LARCH_SHA256_LEN])
{
    return larch_hkdf_sha256_extract((larch_bytes){0}, (larch_bytes){ss, LARCH_KEM_SS_LEN}, prk);
}

larch_error larch_direct_make_tag(const uint8_t key[DIRECT_TAG_KEY_LEN], const larch_bytes *pieces, size_t count,
                                  uint8_t tag[LARCH_DIRECT_TAG_LEN])
{
    uint8_t mac[LARCH_SHA256_LEN];
    const larch_error e = larch_hmac_sha256((larch_bytes){key, DIRECT_TAG_KEY_LEN}, pieces, count, mac);
    if (e == LARCH_OK)
        memcpy(tag, mac, LARCH_DIRECT_TAG_LEN);
    larch_wipe(mac, sizeof mac);
    return e;
}
