/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the command share. */
#ifndef LARCH_APP_RESTORE_INT_H
#define LARCH_APP_RESTORE_INT_H

#include "common/recovery_secret.h"
#include "common/store.h"
#include "secrets/backup.h"

#define RESTORE_NAME "restore"

typedef struct restore_options {
    char state[LARCH_POSIX_PATH_MAX];
    char passphrase[LARCH_APP_SECRET_PATH_MAX];
    char key[LARCH_APP_SECRET_PATH_MAX];
    larch_store_choice store;
    bool is_sure, json, is_other_machine;
    int folder;
} restore_options;

/* A backup on its way into a folder. */
typedef struct restoring {
    const restore_options *options;
    const char *path;
    int fd;
    larch_backup_head head;
    larch_app_secret secret;
    larch_backup backup;
    larch_posix_storage files; /* of the folder, locked */
    larch_seal_key key;        /* of the store, out of the backup */
    larch_random random;
} restoring;

/* Reads the whole backup into restore.new, which is made. LARCH_EXIT_REFUSED: the file was altered, or the secret is
 * another. */
larch_exit restore_unpack(restoring *r);
/* Removes from the unpacked folder what the present one has revoked since, and prints the devices. */
larch_exit restore_compare(const restoring *r);

#endif
