/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening an interface, a serial port or a file may take root or a capability; what is read then was written by strangers,
 * and is read without either.
 */
#ifndef LARCH_PRIVILEGE_H
#define LARCH_PRIVILEGE_H

#include <sys/types.h>

#include "common/app.h"

/* Who a process becomes. */
typedef struct larch_privilege {
    uid_t uid; /* private, all of it */
    gid_t gid;
    bool keep;
} larch_privilege;

/* Chooses who, before anything is opened. user: a name; NULL: who called sudo, and nobody where that was root himself.
 * Whoever is not root stays who he is. Returns LARCH_EXIT_DONE, or LARCH_EXIT_USAGE after saying that there is no such
 * user. */
larch_exit larch_privilege_choose(const char *command, const char *user, larch_privilege *who);

/* Becomes that user, without other groups and capabilities, for good. Files that are open stay open. Returns
 * LARCH_EXIT_DONE, or LARCH_EXIT_FAILED after saying why it is still root. */
larch_exit larch_privilege_drop(const char *command, const larch_privilege *who);

#endif
