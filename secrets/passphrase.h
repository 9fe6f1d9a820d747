/* SPDX-License-Identifier: Apache-2.0 */
/* Keys from passphrases, by Argon2id [RFC9106]. */
#ifndef LARCH_SECRETS_PASSPHRASE_H
#define LARCH_SECRETS_PASSPHRASE_H

#include "secrets/head.h"

#define LARCH_PASSPHRASE_MIN 12 /* bytes */
#define LARCH_PASSPHRASE_MAX 1024

/* LARCH_PLATFORM: memory is out; out is zeroed. cost: sound. */
LARCH_MUST_USE larch_error larch_passphrase_key(larch_bytes passphrase, const uint8_t salt[LARCH_HEAD_SALT_LEN],
                                                const larch_argon2_cost *cost, uint8_t out[LARCH_SEAL_KEY_LEN]);

#endif
