/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An AES key on a PKCS#11 token, which wraps the store key and nothing else. The key never leaves the token: larch makes it
 * with CKA_SENSITIVE and without CKA_EXTRACTABLE, and refuses one that is otherwise. The mechanism is CKM_AES_CBC over two
 * blocks under a random IV, which every token with AES has; what it unwraps is authenticated by the check value of the
 * store's head.
 */
#ifndef LARCH_SECRETS_TOKEN_H
#define LARCH_SECRETS_TOKEN_H

#include "secrets/head.h"

#define LARCH_TOKEN_IV_LEN  16
#define LARCH_TOKEN_WHY_MAX 256
#define LARCH_TOKEN_PIN_MAX 255

/* Whether this build can use tokens. */
bool larch_token_is_built(void);

/* uri: "pkcs11:token=...;object=..." [RFC7512], with module-path=FILE unless p11-kit is configured for the module; it
 * names a token and a key's label. out: LARCH_SEAL_KEY_LEN bytes. LARCH_STATE: this build has no PKCS#11; no module, token
 * or key fits; or the key is not as above. LARCH_AUTH: the PIN is wrong. LARCH_PLATFORM: the token failed. why says
 * more, as a predicate of the token. */
LARCH_MUST_USE larch_error larch_token_unwrap(const char *uri, larch_bytes pin, const uint8_t iv[LARCH_TOKEN_IV_LEN],
                                              const uint8_t wrapped[LARCH_SEAL_KEY_LEN], uint8_t *out,
                                              char why[LARCH_TOKEN_WHY_MAX]);
/* Makes the token's key if there is none of that label. */
LARCH_MUST_USE larch_error larch_token_wrap(const char *uri, larch_bytes pin, const uint8_t iv[LARCH_TOKEN_IV_LEN],
                                            const uint8_t key[LARCH_SEAL_KEY_LEN], uint8_t *out,
                                            char why[LARCH_TOKEN_WHY_MAX]);

#endif
