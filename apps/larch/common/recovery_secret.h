/* SPDX-License-Identifier: Apache-2.0 */
/* What a backup is sealed under: a passphrase of its own, or a key in a file. */
#ifndef LARCH_APP_RECOVERY_SECRET_H
#define LARCH_APP_RECOVERY_SECRET_H

#include "common/store_secret.h"

#define LARCH_APP_RECOVERY_KEY_MIN 32 /* bytes */

/* kind: LARCH_BACKUP_PASSPHRASE or _KEY. passphrase: a place of larch_app_read_secret; key: a file of mode 0600, whose
 * bytes are the key; "": not given. */
larch_exit larch_app_read_recovery(const char *command, unsigned kind, const char *passphrase, const char *key,
                                   bool is_new, larch_app_secret *secret);

#endif
