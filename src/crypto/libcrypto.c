/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenSSL's libcrypto as the provider, one file a noun; these files alone include <openssl/...>. Contexts of hashes and
 * ciphers are made when the provider starts and stay in static storage, so that a message costs no allocation (but for
 * the state of a hash in OpenSSL 3.0, which allocates one wherever a hash begins). At rest they hold nothing of the
 * caller's: each use ends with an initialisation that overwrites its state.
 */
#include <openssl/rand.h>

#include "crypto/libcrypto_int.h"

#if LARCH_ECC
static bool start_ecc(void) { return larch_libcrypto_start_x25519() && larch_libcrypto_start_p256(); }
#else
static bool start_ecc(void) { return true; }
#endif

larch_error larch_crypto_init(void)
{
    return larch_libcrypto_outcome(RAND_status() == 1 && larch_libcrypto_start_hash() && larch_libcrypto_start_aead() &&
                                       start_ecc(),
                                   LARCH_PLATFORM);
}

static larch_error fill(void *context, uint8_t *out, size_t len)
{
    (void)context;
    return larch_libcrypto_outcome(RAND_bytes_ex(NULL, out, len, 0) == 1, LARCH_PLATFORM);
}

larch_random larch_crypto_random(void) { return (larch_random){fill, NULL}; }
