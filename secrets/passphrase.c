/* SPDX-License-Identifier: Apache-2.0 */
#include "secrets/passphrase.h"

#include <argon2.h>

larch_error larch_passphrase_key(larch_bytes passphrase, const uint8_t salt[LARCH_HEAD_SALT_LEN],
                                 const larch_argon2_cost *cost, uint8_t out[LARCH_SEAL_KEY_LEN])
{
    /* Lanes are computed one after the other: a unit that counts its threads needs none for this. The library takes
     * pointers without const, and writes to neither input without a flag that is not set. */
    argon2_context c = {.out = out,
                        .outlen = LARCH_SEAL_KEY_LEN,
                        .pwd = (uint8_t *)(uintptr_t)passphrase.data,
                        .pwdlen = (uint32_t)passphrase.len,
                        .salt = (uint8_t *)(uintptr_t)salt,
                        .saltlen = LARCH_HEAD_SALT_LEN,
                        .t_cost = cost->passes,
                        .m_cost = cost->memory_kib,
                        .lanes = cost->lanes,
                        .threads = 1,
                        .version = ARGON2_VERSION_13,
                        .flags = ARGON2_DEFAULT_FLAGS};
    if (argon2id_ctx(&c) == ARGON2_OK)
        return LARCH_OK;
    larch_wipe(out, LARCH_SEAL_KEY_LEN);
    return LARCH_PLATFORM;
}
