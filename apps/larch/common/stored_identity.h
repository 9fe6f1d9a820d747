/* SPDX-License-Identifier: Apache-2.0 */
/* The identity of a gateway that does not run, from its state folder. */
#ifndef LARCH_APP_STORED_IDENTITY_H
#define LARCH_APP_STORED_IDENTITY_H

#include "larch/identity.h"
#include "larch/store.h"

/* Errors as larch_stored_identity_load, and LARCH_PLATFORM: hashing failed. Whether each seed makes its key is the gateway's to
 * check. */
LARCH_MUST_USE larch_error larch_app_stored_identity(const larch_storage *storage,
                                                     uint8_t identity[LARCH_FINGERPRINT_LEN], larch_store_fault *fault);

#endif
