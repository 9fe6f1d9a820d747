/* SPDX-License-Identifier: Apache-2.0 */
#include <psa/crypto.h>

#include "unit/failing.h"

static long held;
static unsigned long made;

bool failing_keeps(const uint8_t *secret, size_t len)
{
    (void)secret;
    (void)len;
    return false;
}

bool failing_aead_is_static(void) { return false; }
bool failing_hash_is_static(void) { return false; }
bool failing_begin(void) { return true; }
long failing_held(void) { return held; }
unsigned long failing_made(void) { return made; }

#define NO PSA_ERROR_INSUFFICIENT_MEMORY

FAILS(psa_status_t, NO, psa_crypto_init, (void), ())
FAILS(psa_status_t, NO, psa_generate_random, (uint8_t * a, size_t b), (a, b))
FAILS(psa_status_t, NO, psa_hash_setup, (psa_hash_operation_t * a, psa_algorithm_t b), (a, b))
FAILS(psa_status_t, NO, psa_hash_update, (psa_hash_operation_t * a, const uint8_t *b, size_t c), (a, b, c))
FAILS(psa_status_t, NO, psa_hash_finish, (psa_hash_operation_t * a, uint8_t *b, size_t c, size_t *d), (a, b, c, d))
FAILS(psa_status_t, NO, psa_mac_sign_setup, (psa_mac_operation_t * a, mbedtls_svc_key_id_t b, psa_algorithm_t c),
      (a, b, c))
FAILS(psa_status_t, NO, psa_mac_update, (psa_mac_operation_t * a, const uint8_t *b, size_t c), (a, b, c))
FAILS(psa_status_t, NO, psa_mac_sign_finish, (psa_mac_operation_t * a, uint8_t *b, size_t c, size_t *d), (a, b, c, d))
FAILS(psa_status_t, NO, psa_key_derivation_setup, (psa_key_derivation_operation_t * a, psa_algorithm_t b), (a, b))
FAILS(psa_status_t, NO, psa_key_derivation_input_bytes,
      (psa_key_derivation_operation_t * a, psa_key_derivation_step_t b, const uint8_t *c, size_t d), (a, b, c, d))
FAILS(psa_status_t, NO, psa_key_derivation_output_bytes, (psa_key_derivation_operation_t * a, uint8_t *b, size_t c),
      (a, b, c))
FAILS(psa_status_t, NO, psa_aead_encrypt,
      (mbedtls_svc_key_id_t a, psa_algorithm_t b, const uint8_t *c, size_t d, const uint8_t *e, size_t f,
       const uint8_t *g, size_t h, uint8_t *i, size_t j, size_t *k),
      (a, b, c, d, e, f, g, h, i, j, k))
FAILS(psa_status_t, NO, psa_aead_decrypt,
      (mbedtls_svc_key_id_t a, psa_algorithm_t b, const uint8_t *c, size_t d, const uint8_t *e, size_t f,
       const uint8_t *g, size_t h, uint8_t *i, size_t j, size_t *k),
      (a, b, c, d, e, f, g, h, i, j, k))
FAILS(psa_status_t, NO, psa_export_public_key, (mbedtls_svc_key_id_t a, uint8_t *b, size_t c, size_t *d), (a, b, c, d))
FAILS(psa_status_t, NO, psa_raw_key_agreement,
      (psa_algorithm_t a, mbedtls_svc_key_id_t b, const uint8_t *c, size_t d, uint8_t *e, size_t f, size_t *g),
      (a, b, c, d, e, f, g))
FAILS(psa_status_t, NO, psa_sign_hash,
      (mbedtls_svc_key_id_t a, psa_algorithm_t b, const uint8_t *c, size_t d, uint8_t *e, size_t f, size_t *g),
      (a, b, c, d, e, f, g))
FAILS(psa_status_t, NO, psa_verify_hash,
      (mbedtls_svc_key_id_t a, psa_algorithm_t b, const uint8_t *c, size_t d, const uint8_t *e, size_t f),
      (a, b, c, d, e, f))

/* These count as well. */
#define COUNTS(type, name, parameters) \
    type __real_##name parameters;     \
    type __wrap_##name parameters;     \
    type __wrap_##name parameters

COUNTS(psa_status_t, psa_import_key,
       (const psa_key_attributes_t *a, const uint8_t *b, size_t c, mbedtls_svc_key_id_t *d))
{
    psa_status_t s = failing_now() ? NO : __real_psa_import_key(a, b, c, d);
    held += s == PSA_SUCCESS;
    made += s == PSA_SUCCESS;
    return s;
}

COUNTS(psa_status_t, psa_destroy_key, (mbedtls_svc_key_id_t a))
{
    held -= a != 0;
    return __real_psa_destroy_key(a);
}
