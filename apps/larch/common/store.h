/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store: a state folder whose secrets are sealed under one key (secrets/). Every command that works on a folder opens
 * it here, before anything else in it is read.
 */
#ifndef LARCH_APP_STORE_H
#define LARCH_APP_STORE_H

#include "common/store_choice.h"
#include "common/store_secret.h"
#include "larch/store.h"
#include "secrets/sealed_files.h"
#include "storage.h"

/* An open store. */
typedef struct larch_app_store {
    const char *command; /* private, all of it */
    const larch_store_choice *choice;
    larch_posix_storage *files;
    larch_random random;
    larch_sealed_files sealed;
    larch_app_secret secret; /* of a source that is to take a new key */
} larch_app_store;

/* Opens the store of a folder that is open, or is looked at: finishes what a cut left half-done (unless it is looked at),
 * gets the store key from its source, and gives the storage through which all else reads and writes. A folder without a
 * store key gets one, from the source of choice, when it is first asked for. choice: kept; NULL: no options. The store,
 * files and choice stay where they are. Else it has said what is missing or wrong and what to do, and changed nothing:
 * LARCH_EXIT_REFUSED for a secret that is wrong. */
larch_exit larch_app_store_open(larch_app_store *store, const char *command, larch_posix_storage *files,
                                const larch_store_choice *choice, larch_storage *interface);
/* Wipes it. */
void larch_app_store_close(larch_app_store *store);

/* For people: where the key of an open store comes from. */
#define LARCH_APP_STORE_TEXT_MAX 400
void larch_app_store_describe(const larch_app_store *store, char text[LARCH_APP_STORE_TEXT_MAX]);

/* Wraps a key by a source. is_new_secret: a passphrase is asked for twice. options: those that name places, "store" or
 * "new". */
larch_exit larch_app_store_wrap(const char *command, const larch_store_choice *choice, const char *options,
                                const larch_seal_key *key, const larch_random *random, larch_store_head *head);

#endif
