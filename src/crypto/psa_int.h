/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the PSA provider share. */
#ifndef LARCH_PSA_INT_H
#define LARCH_PSA_INT_H

#include <psa/crypto.h>

#include "crypto/crypto_int.h"

/* A function that is compiled into each of its callers: an image holds only those callers that it uses, and what they
 * do not share would otherwise come with them. */
#if defined(__GNUC__)
#define LARCH_IN_CALLERS static inline __attribute__((always_inline))
#else
#define LARCH_IN_CALLERS static inline
#endif

static inline larch_error larch_psa_error(psa_status_t status)
{
    return status == PSA_SUCCESS ? LARCH_OK : LARCH_PLATFORM;
}

/* Of the algorithms that an implementation may lack. */
LARCH_IN_CALLERS larch_error larch_psa_optional_error(psa_status_t status)
{
    return status == PSA_ERROR_NOT_SUPPORTED ? LARCH_STATE : larch_psa_error(status);
}

/* Hands a key to the provider for one use of one algorithm. */
static inline psa_status_t larch_psa_import(larch_bytes key, psa_key_type_t type, psa_key_usage_t usage,
                                            psa_algorithm_t algorithm, psa_key_id_t *id)
{
    psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
    psa_set_key_type(&attributes, type);
    psa_set_key_usage_flags(&attributes, usage);
    psa_set_key_algorithm(&attributes, algorithm);
    return psa_import_key(&attributes, key.data, key.len, id);
}

#endif
