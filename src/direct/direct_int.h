/* SPDX-License-Identifier: Apache-2.0 */
/* The keys and tags that follow from a shared secret. Each purpose has a label, and so a key, of its own. */
#ifndef LARCH_DIRECT_INT_H
#define LARCH_DIRECT_INT_H

#include "larch/crypto.h"
#include "larch/direct.h"

#define DIRECT_TAG_KEY_LEN 32

/* HKDF-Extract(no salt, ss): what larch_hkdf_sha256_expand makes every key of. LARCH_PLATFORM: prk is zeroed. */
LARCH_MUST_USE larch_error larch_direct_extract(const uint8_t ss[LARCH_KEM_SS_LEN], uint8_t prk[LARCH_SHA256_LEN]);
/* HMAC-SHA-256(key, pieces) cut to 16. LARCH_PLATFORM: tag is unchanged. */
LARCH_MUST_USE larch_error larch_direct_make_tag(const uint8_t key[DIRECT_TAG_KEY_LEN], const larch_bytes *pieces,
                                                 size_t count, uint8_t tag[LARCH_DIRECT_TAG_LEN]);

/* ---- forms of a sealed message ------------------------------------------- */

/* A message whose frame is written, and whose fields are to be filled: views of the fields as a parser would give them,
 * and the same places to write to. */
typedef struct larch_direct_draft {
    larch_direct_sealed fields;
    uint8_t *nonce, *kem_ct, *sealed;
} larch_direct_draft;

/* Whether a message has the form of COSE. A constant where no message may have it, so that even compilers that optimise
 * nothing leave out what is called then. */
#define DIRECT_IS_COSE(message) (LARCH_DIRECT_COSE && (message)->form == LARCH_DIRECT_FORM_COSE)

/* Frames a message in the form of COSE, sealed to ek. LARCH_SPACE: the text is too long or out too small. */
LARCH_MUST_USE larch_error larch_direct_frame_cose(const larch_kem *kem, larch_bytes ek, size_t text_len, uint8_t *out,
                                                   size_t cap, larch_direct_draft *draft);
/* The content key of such a message. LARCH_SPACE does not occur. */
LARCH_MUST_USE larch_error larch_direct_derive_cose(const larch_direct_sealed *sealed,
                                                    const uint8_t ss[LARCH_KEM_SS_LEN], uint8_t key[LARCH_CCM_KEY_LEN]);
/* What is authenticated beside its text. */
#define DIRECT_COSE_AAD_MAX 16
larch_bytes larch_direct_cose_aad(uint8_t out[DIRECT_COSE_AAD_MAX]);

#endif
