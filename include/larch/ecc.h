/* SPDX-License-Identifier: Apache-2.0 */
/*
 * P-256 [SP800-186 3.2.1.3]: ECDH and ES256, from the provider of larch/crypto.h. Every number is 32 bytes, big-endian.
 * LARCH_PLATFORM: the provider failed. LARCH_STATE: the provider cannot do this. Outputs are zeroed on any error.
 * A library that is built with LARCH_ECC=0 has none of these functions.
 */
#ifndef LARCH_ECC_H
#define LARCH_ECC_H

#include "larch/base.h"

#if LARCH_ECC

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_P256_LEN        32
#define LARCH_P256_PUBLIC_LEN (2 * LARCH_P256_LEN) /* x || y */
#define LARCH_ES256_LEN       (2 * LARCH_P256_LEN) /* r || s */

/* LARCH_MALFORMED: the private key is not from 1 to n - 1. Of 32 random bytes that happens once in 2^32; draw again. */
LARCH_MUST_USE larch_error larch_p256_public(const uint8_t private_key[LARCH_P256_LEN],
                                             uint8_t public_key[LARCH_P256_PUBLIC_LEN]);

/* ECDH [SP800-56A 5.7.1.2]: the x of the shared point. peer, untrusted: x || y, or x alone, since both points of an x
 * give the same secret [RFC9528 4.1]. LARCH_MALFORMED: peer is neither, or not on the curve, or the private key is out
 * of range. LARCH_STATE: the provider needs y (PSA). */
LARCH_MUST_USE larch_error larch_p256_ecdh(const uint8_t private_key[LARCH_P256_LEN], larch_bytes peer,
                                           uint8_t shared[LARCH_P256_LEN]);

/* ES256 [RFC9053 2.1]: ECDSA with SHA-256 over count pieces. LARCH_MALFORMED: the private key is out of range. */
LARCH_MUST_USE larch_error larch_es256_sign(const uint8_t private_key[LARCH_P256_LEN], const larch_bytes *pieces,
                                            size_t count, uint8_t signature[LARCH_ES256_LEN]);
/* signature: untrusted. LARCH_AUTH: it is wrong, or of another length. LARCH_MALFORMED: the key is not on the curve. */
LARCH_MUST_USE larch_error larch_es256_verify(const uint8_t public_key[LARCH_P256_PUBLIC_LEN],
                                              const larch_bytes *pieces, size_t count, larch_bytes signature);

#ifdef __cplusplus
}
#endif

#endif

#endif
