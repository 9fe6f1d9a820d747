/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A change of the state folder: by the gateway that runs over it, which is asked through its control socket, or else by
 * this process, under the folder's lock.
 */
#ifndef LARCH_APP_KEYS_CHANGE_H
#define LARCH_APP_KEYS_CHANGE_H

#include "common/control.h"
#include "keys/view.h"
#include "state.h"

/* An open folder whose start was counted. */
typedef struct keys_start {
    larch_posix_storage files;
    larch_app_store store;
    larch_storage storage;
    larch_posix_state state;
} keys_start;

typedef struct keys_change {
    void *context;
    larch_bytes words[LARCH_CONTROL_WORDS_MAX]; /* for the gateway: a verb and its arguments */
    size_t count;
    /* Takes a data line of the gateway's reply; its first says LARCH_EXIT_DONE. NULL: there are none. */
    larch_exit (*take)(void *context, larch_bytes text);
    /* Looks at the folder, which is of the present format, before it is locked. NULL: there is nothing to see. */
    larch_exit (*look)(void *context);
    /* Makes the change, durably. */
    larch_exit (*make)(void *context, keys_start *start);
    const char *done; /* "rotated": said with who did it */
} keys_change;

/* Makes it. A gateway that begins or ends holds the folder for a moment without listening: the command waits for that. */
larch_exit keys_change_folder(const keys_options *options, const keys_change *change);

#endif
