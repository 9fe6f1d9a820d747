/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the command share. */
#ifndef LARCH_APP_STORE_INT_H
#define LARCH_APP_STORE_INT_H

#include "common/store.h"

#define STORE_NAME "store"

typedef struct store_options {
    char state[LARCH_POSIX_PATH_MAX];
    bool json;
    larch_store_choice now, next;
    int folder;
} store_options;

/* Seals every secret of the folder under a new key from the source of options->next. */
larch_exit store_rekey(const store_options *options);

#endif
