/* SPDX-License-Identifier: Apache-2.0 */
#include "common/recovery_secret.h"

#include <string.h>

#include "common/secret_file.h"
#include "secrets/backup.h"
#include "secrets/passphrase.h"

#define CREDENTIAL "larch-recovery-passphrase"

static larch_exit read_key(const char *command, const char *key, larch_app_secret *secret)
{
    memset(secret, 0, sizeof *secret);
    if (key[0] == '\0')
        return larch_app_usage(command, "this backup is sealed under a key: --key FILE names it");
    const larch_exit code = larch_app_secret_read(command, key, secret->bytes, LARCH_APP_SECRET_MAX, &secret->len);
    if (code != LARCH_EXIT_DONE)
        return code;
    return secret->len >= LARCH_APP_RECOVERY_KEY_MIN && secret->len <= LARCH_APP_SECRET_MAX
               ? LARCH_EXIT_DONE
               : larch_app_fail(command,
                                "%s has no key of 32 to %d bytes; make one with: head -c 32 /dev/urandom > FILE", key,
                                LARCH_APP_SECRET_MAX);
}

larch_exit larch_app_read_recovery(const char *command, unsigned kind, const char *passphrase, const char *key,
                                   bool is_new, larch_app_secret *secret)
{
    if (kind == LARCH_BACKUP_KEY)
        return read_key(command, key, secret);
    if (key[0] != '\0')
        return larch_app_usage(command, "this backup is sealed under a passphrase: it takes no --key");
    const larch_exit code = larch_app_read_secret(command, passphrase, CREDENTIAL, "the recovery passphrase",
                                                  "--passphrase", is_new, secret);
    if (code == LARCH_EXIT_DONE && is_new && secret->len < LARCH_PASSPHRASE_MIN)
        return larch_app_fail(command, "the recovery passphrase has less than %d bytes; take a longer one",
                              LARCH_PASSPHRASE_MIN);
    return code;
}
