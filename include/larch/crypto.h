/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The classical primitives, as larch needs them, over the PSA Crypto API. Keys
 * and outputs are secret unless said otherwise. LARCH_PLATFORM: the provider
 * failed; outputs are then zeroed.
 */
#ifndef LARCH_CRYPTO_H
#define LARCH_CRYPTO_H

#include "larch/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_SHA256_LEN    32
#define LARCH_CCM_TAG_LEN   16
#define LARCH_CCM_KEY_LEN   16
#define LARCH_CCM_NONCE_MAX 13

/* Starts the provider; once, before all else. Again is harmless. */
LARCH_MUST_USE larch_error larch_crypto_init(void);

/* The provider's random generator, as a source. */
larch_random larch_crypto_random(void);

/* SHA-256 [FIPS180-4] over count pieces, one after the other. */
LARCH_MUST_USE larch_error larch_sha256(const larch_bytes *pieces, size_t count, uint8_t out[LARCH_SHA256_LEN]);

/* HMAC-SHA-256 [RFC2104] over count pieces. */
LARCH_MUST_USE larch_error larch_hmac_sha256(larch_bytes key, const larch_bytes *pieces, size_t count,
                                             uint8_t out[LARCH_SHA256_LEN]);

/* HKDF-SHA-256 [RFC5869], extract then expand; an empty salt is "not provided".
 * out_len: 1 to 255 * 32, else LARCH_SPACE. */
LARCH_MUST_USE larch_error larch_hkdf_sha256(larch_bytes salt, larch_bytes ikm, larch_bytes info, uint8_t *out,
                                             size_t out_len);

/* AES-CCM with a 128-bit key [RFC3610]. nonce: 7 to 13 bytes, never used twice
 * with one key. tag_len: 4, 6, ... 16. out: in.len + tag_len bytes, the tag last. out may not share
 * memory with in. LARCH_SPACE if out_cap is too small, LARCH_STATE for another nonce or tag length: out is
 * unchanged. */
LARCH_MUST_USE larch_error larch_ccm_seal(const uint8_t key[LARCH_CCM_KEY_LEN], larch_bytes nonce, larch_bytes aad,
                                          larch_bytes in, size_t tag_len, uint8_t *out, size_t out_cap);
/* in: ciphertext then tag, untrusted. out: in.len - tag_len bytes. LARCH_AUTH: the tag is
 * wrong, out is zeroed. LARCH_MALFORMED: shorter than a tag; LARCH_SPACE, LARCH_STATE as above. */
LARCH_MUST_USE larch_error larch_ccm_open(const uint8_t key[LARCH_CCM_KEY_LEN], larch_bytes nonce, larch_bytes aad,
                                          larch_bytes in, size_t tag_len, uint8_t *out, size_t out_cap);

/* X25519 [RFC7748 5], in builds with LARCH_XWING. A private key is any 32 random bytes. */
#define LARCH_X25519_LEN 32
LARCH_MUST_USE larch_error larch_x25519_public(const uint8_t private_key[LARCH_X25519_LEN],
                                               uint8_t public_key[LARCH_X25519_LEN]);
/* public_key: untrusted. LARCH_MALFORMED if it has a small order, so that the shared secret
 * would be all zero, known to everybody [RFC7748 6.1]; shared is zeroed on any error. */
LARCH_MUST_USE larch_error larch_x25519(const uint8_t private_key[LARCH_X25519_LEN],
                                        const uint8_t public_key[LARCH_X25519_LEN], uint8_t shared[LARCH_X25519_LEN]);

/* A keyed 64-bit hash for tables and cookies that never leave this machine or come back to it unread:
 * the first 8 bytes, big-endian, of SHAKE128(key || pieces). A sponge keyed in
 * front is a pseudorandom function; the pieces must be unambiguous by the
 * caller's own framing. */
#define LARCH_TAG64_KEY_LEN 16
uint64_t larch_tag64(const uint8_t key[LARCH_TAG64_KEY_LEN], const larch_bytes *pieces, size_t count);

#ifdef __cplusplus
}
#endif

#endif
