/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The classical primitives, as larch needs them. One provider, chosen when larch is built, computes them: OpenSSL's
 * libcrypto, or any implementation of the PSA Crypto API. Keys and outputs are secret unless said otherwise.
 * LARCH_PLATFORM: the provider failed. LARCH_STATE: the provider does not have the algorithm, which may be so for SHA-384
 * and AES-GCM behind PSA. Outputs are then zeroed.
 * Only one thread at a time may be inside these functions, and those that build on them (larch/kem.h, larch/ecc.h).
 */
#ifndef LARCH_CRYPTO_H
#define LARCH_CRYPTO_H

#include "larch/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_SHA256_LEN    32
#define LARCH_SHA384_LEN    48
#define LARCH_CCM_TAG_LEN   16
#define LARCH_CCM_KEY_LEN   16
#define LARCH_CCM_NONCE_MAX 13
#define LARCH_GCM_TAG_LEN   16
#define LARCH_GCM_NONCE_LEN 12

/* Starts the provider; once, before all else. Again is harmless, and after a failure repairs what failed. */
LARCH_MUST_USE larch_error larch_crypto_init(void);

/* The provider's random generator, as a source. */
larch_random larch_crypto_random(void);

/* SHA-256 and SHA-384 [FIPS180-4] over count pieces, one after the other. */
LARCH_MUST_USE larch_error larch_sha256(const larch_bytes *pieces, size_t count, uint8_t out[LARCH_SHA256_LEN]);
LARCH_MUST_USE larch_error larch_sha384(const larch_bytes *pieces, size_t count, uint8_t out[LARCH_SHA384_LEN]);

/* HMAC [RFC2104] with these hashes over count pieces. */
LARCH_MUST_USE larch_error larch_hmac_sha256(larch_bytes key, const larch_bytes *pieces, size_t count,
                                             uint8_t out[LARCH_SHA256_LEN]);
LARCH_MUST_USE larch_error larch_hmac_sha384(larch_bytes key, const larch_bytes *pieces, size_t count,
                                             uint8_t out[LARCH_SHA384_LEN]);

/* HKDF [RFC5869] with these hashes, extract then expand; an empty salt is "not provided".
 * out_len: 1 to 255 times the hash's length, else LARCH_SPACE. */
LARCH_MUST_USE larch_error larch_hkdf_sha256(larch_bytes salt, larch_bytes ikm, larch_bytes info, uint8_t *out,
                                             size_t out_len);
LARCH_MUST_USE larch_error larch_hkdf_sha384(larch_bytes salt, larch_bytes ikm, larch_bytes info, uint8_t *out,
                                             size_t out_len);

/* The two halves of HKDF with SHA-256, for several keys from one secret. out_len: 1 to 32, else LARCH_SPACE. */
LARCH_MUST_USE larch_error larch_hkdf_sha256_extract(larch_bytes salt, larch_bytes ikm, uint8_t prk[LARCH_SHA256_LEN]);
LARCH_MUST_USE larch_error larch_hkdf_sha256_expand(const uint8_t prk[LARCH_SHA256_LEN], larch_bytes info, uint8_t *out,
                                                    size_t out_len);

/* KMAC256 [SP800-185 4] over count pieces, as a MAC or as a key derivation [SP800-108r1 4.4]: computed by larch itself,
 * so it cannot fail. customization: often empty. out_len bytes out, which take part in the computation. */
void larch_kmac256(larch_bytes key, larch_bytes customization, const larch_bytes *pieces, size_t count, uint8_t *out,
                   size_t out_len);
/* One message of larch_kmac256_many, and where its output goes. */
typedef struct larch_kmac_message {
    const larch_bytes *pieces;
    size_t count;
    uint8_t *out;
    size_t out_len;
} larch_kmac_message;
/* Computes larch_kmac256 for each message under one key, with an empty customization. It absorbs the key once, and computes
 * the messages side by side where this processor can. */
void larch_kmac256_many(larch_bytes key, const larch_kmac_message *messages, size_t count);

/* SHAKE256 [FIPS202 6.2] over count pieces: computed by larch itself, so it cannot fail. */
void larch_shake256_of(const larch_bytes *pieces, size_t count, uint8_t *out, size_t out_len);

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

/* AES-GCM [SP800-38D] with a key of 16 or 32 bytes, else LARCH_STATE. nonce: never used twice with one key.
 * The tag has 16 bytes; out, and the errors of both functions, are as for AES-CCM. */
LARCH_MUST_USE larch_error larch_gcm_seal(larch_bytes key, const uint8_t nonce[LARCH_GCM_NONCE_LEN], larch_bytes aad,
                                          larch_bytes in, uint8_t *out, size_t out_cap);
LARCH_MUST_USE larch_error larch_gcm_open(larch_bytes key, const uint8_t nonce[LARCH_GCM_NONCE_LEN], larch_bytes aad,
                                          larch_bytes in, uint8_t *out, size_t out_cap);

#if LARCH_ECC
/* X25519 [RFC7748 5]. A private key is any 32 random bytes. */
#define LARCH_X25519_LEN 32
LARCH_MUST_USE larch_error larch_x25519_public(const uint8_t private_key[LARCH_X25519_LEN],
                                               uint8_t public_key[LARCH_X25519_LEN]);
/* public_key: untrusted. LARCH_MALFORMED if it has a small order, so that the shared secret
 * would be all zero, known to everybody [RFC7748 6.1]; shared is zeroed on any error. */
LARCH_MUST_USE larch_error larch_x25519(const uint8_t private_key[LARCH_X25519_LEN],
                                        const uint8_t public_key[LARCH_X25519_LEN], uint8_t shared[LARCH_X25519_LEN]);
#endif

/* A keyed 64-bit hash for tables and cookies that never leave this machine or come back to it unread:
 * the first 8 bytes, big-endian, of SHAKE128(key || pieces). A sponge keyed in
 * front is a pseudorandom function; the pieces must be unambiguous by the
 * caller's own framing. */
#define LARCH_TAG64_KEY_LEN 16
uint64_t larch_tag64(const uint8_t key[LARCH_TAG64_KEY_LEN], const larch_bytes *pieces, size_t count);
#if LARCH_SERVER_GROUP > 1
/* The tags of count inputs, computed side by side as long as neighbours are of one length. Input i is the piece_count
 * pieces from pieces[piece_count * i] on, of which the first is its key. */
void larch_tag64_many(uint64_t *tags, const larch_bytes *pieces, size_t piece_count, size_t count);
#endif

#ifdef __cplusplus
}
#endif

#endif
