/* SPDX-License-Identifier: Apache-2.0 */
/* What a gateway's state folder holds, without its secrets. It may be looked at while the gateway runs. */
#ifndef LARCH_APP_KEYS_VIEW_H
#define LARCH_APP_KEYS_VIEW_H

#include "common/app.h"
#include "common/folder.h"
#include "common/store.h"
#include "larch/direct.h"
#include "larch/gateway.h"
#include "larch/identity.h"
#include "larch/store.h"
#include "storage.h"

#define KEYS_NAME      "keys"
#define KEYS_SLOTS_MIN 16 /* of replay marks, in memory */

typedef struct keys_options {
    char state[LARCH_POSIX_PATH_MAX];
    const larch_kem *kem; /* NULL: not given */
    bool json;
    bool is_sure;
    larch_store_choice store;
    int folder; /* of the state, open (common/folder.h) */
} keys_options;

/* One key of a set, without its secrets. */
typedef struct key_view {
    uint32_t generation; /* 0: there is none */
    uint32_t marks;
    uint32_t capacity;
    uint32_t slots; /* that its marks need in memory */
    char fingerprint[LARCH_FINGERPRINT_TEXT_LEN + 1];
} key_view;

typedef struct set_view {
    key_view present;
    key_view previous;
} set_view;

/* All sets, or the one of --kem; the others stay zeroed. */
larch_exit keys_view_state(const keys_options *options, bool with_marks, set_view views[LARCH_DIRECT_SETS]);

/* A start that nothing comes of, since what a view writes is discarded: it judges the head. */
larch_error keys_start_view(larch_storage *storage, char file[LARCH_STORAGE_NAME_MAX + 1], larch_store_fault *fault);

/* The identity that the folder holds, as text; "" if it is of a larch that knew none. */
larch_exit keys_view_identity(const keys_options *options, char text[LARCH_FINGERPRINT_TEXT_LEN + 1]);

/* Says what is wrong with a file of the folder. Returns LARCH_EXIT_FAILED. */
static inline larch_exit keys_complain_of_file(const larch_posix_storage *files, const char *name,
                                               larch_store_fault fault)
{
    return larch_app_complain_of_file(KEYS_NAME, files, name, fault);
}

#endif
