/* SPDX-License-Identifier: Apache-2.0 */
/* The store key, as its source wraps and unwraps it. */
#ifndef LARCH_SECRETS_SOURCE_H
#define LARCH_SECRETS_SOURCE_H

#include "secrets/head.h"
#include "secrets/token.h"

#define LARCH_STORE_CREDENTIAL_MIN 32 /* bytes: all of its strength is its own */

/* Wraps key into head, whose source, name and cost are set. secret: the credential, the passphrase, or the token's PIN;
 * of the file it is not looked at. LARCH_STATE: the secret is too short or too long, or there is no such token. Other
 * errors as larch_token_wrap; why says more, without a full stop. head is then not to be used. */
LARCH_MUST_USE larch_error larch_store_wrap(larch_store_head *head, const larch_seal_key *key, larch_bytes secret,
                                            const larch_random *random, char why[LARCH_TOKEN_WHY_MAX]);
/* LARCH_AUTH: the secret is not the one, or the head was altered. key is zeroed on error. */
LARCH_MUST_USE larch_error larch_store_unwrap(const larch_store_head *head, larch_bytes secret, larch_seal_key *key,
                                              char why[LARCH_TOKEN_WHY_MAX]);

#endif
