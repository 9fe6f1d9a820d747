/* SPDX-License-Identifier: Apache-2.0 */
/* What every provider checks of its arguments. A provider implements larch/crypto.h and larch/ecc.h, and no more. */
#ifndef LARCH_CRYPTO_INT_H
#define LARCH_CRYPTO_INT_H

#include "larch/crypto.h"
#include "larch/ecc.h"

static inline bool larch_ccm_lengths_are_valid(larch_bytes nonce, size_t tag_len)
{
    return nonce.len >= 7 && nonce.len <= LARCH_CCM_NONCE_MAX && tag_len >= 4 && tag_len <= LARCH_CCM_TAG_LEN &&
           tag_len % 2 == 0;
}

static inline bool larch_gcm_key_is_valid(larch_bytes key) { return key.len == 16 || key.len == 32; }

/* Of an AEAD's text and its tag. */
static inline larch_error larch_aead_check_seal(size_t text_len, size_t tag_len, size_t out_cap)
{
    return out_cap < tag_len || out_cap - tag_len < text_len ? LARCH_SPACE : LARCH_OK;
}

static inline larch_error larch_aead_check_open(size_t in_len, size_t tag_len, size_t out_cap)
{
    return in_len < tag_len ? LARCH_MALFORMED : out_cap < in_len - tag_len ? LARCH_SPACE : LARCH_OK;
}

#endif
