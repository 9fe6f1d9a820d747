/* SPDX-License-Identifier: Apache-2.0 */
/* A pair of ML-DSA keys, as gateways, devices and authorities have it. */
#ifndef LARCH_APP_SIGNER_H
#define LARCH_APP_SIGNER_H

#include "larch/cose.h"
#include "larch/sig.h"
#include "larch/store.h"

/* Secret. */
typedef struct larch_app_signer {
    const larch_sig *sig; /* NULL: there is no key */
    uint8_t seed[LARCH_SIG_SEED_LEN];
    uint8_t pub[LARCH_SIG_PK_MAX];
} larch_app_signer;

/* The pair of a seed, or of a new one. LARCH_STATE: this build has no such algorithm (by its number in COSE). LARCH_PLATFORM.
 * The signer is wiped on error. */
LARCH_MUST_USE larch_error larch_app_signer_of(larch_app_signer *signer, int alg,
                                               const uint8_t seed[LARCH_SIG_SEED_LEN]);
LARCH_MUST_USE larch_error larch_app_signer_make(larch_app_signer *signer, int alg, const larch_random *random);
/* The gateway's own, from the identity in its state folder. LARCH_STATE, with *fault NONE: it has none of this algorithm.
 * Else errors as larch_stored_identity_load. */
LARCH_MUST_USE larch_error larch_app_signer_load(larch_app_signer *signer, int alg, const larch_storage *storage,
                                                 larch_store_fault *fault);

static inline larch_bytes larch_app_signer_pub(const larch_app_signer *signer)
{
    return (larch_bytes){signer->pub, signer->sig->pk_len};
}
/* As a COSE_Key, with its private part; views of the signer. */
larch_cose_key larch_app_signer_key(const larch_app_signer *signer);

#endif
