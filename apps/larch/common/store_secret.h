/* SPDX-License-Identifier: Apache-2.0 */
/* Passphrases, PINs and credentials: from a file, from systemd, or typed. Never from the command line. */
#ifndef LARCH_APP_STORE_SECRET_H
#define LARCH_APP_STORE_SECRET_H

#include "common/app.h"
#include "larch/base.h"

#define LARCH_APP_SECRET_MAX      1024
#define LARCH_APP_SECRET_PATH_MAX 1024
#define LARCH_APP_CREDENTIAL      "credential:" /* in front of a name, in the place of a path */

typedef struct larch_app_secret {
    uint8_t bytes[LARCH_APP_SECRET_MAX + 1];
    size_t len;
} larch_app_secret;

/* Whether systemd has handed over a credential of this name, in $CREDENTIALS_DIRECTORY. */
bool larch_app_has_credential(const char *name);
/* Reads one, whole. LARCH_EXIT_FAILED after saying that it is missing, and what for. */
larch_exit larch_app_read_credential(const char *command, const char *name, const char *what, larch_app_secret *secret);
/* Reads a passphrase or PIN, one line: from place, a file of mode 0600 or "credential:NAME", if it is not empty; else from
 * the credential of the name standard, if there is one; else from the terminal, without echo, twice if it is new. what:
 * "the passphrase of the store"; option: that which names a place, "--store-passphrase". */
larch_exit larch_app_read_secret(const char *command, const char *place, const char *standard, const char *what,
                                 const char *option, bool is_new, larch_app_secret *secret);
static inline larch_bytes larch_app_secret_bytes(const larch_app_secret *secret)
{
    return (larch_bytes){secret->bytes, secret->len};
}

#endif
