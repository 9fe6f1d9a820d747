/* SPDX-License-Identifier: Apache-2.0 */
/* A folder that is a copy, or came from a backup, becomes this machine's. */
#ifndef LARCH_APP_RECOVER_H
#define LARCH_APP_RECOVER_H

#include "common/app.h"
#include "larch/port.h"
#include "storage.h"

/* Wipes every direct key, deletes all sessions, and takes the folder over for this machine: larch_posix_state_recover, and
 * the same for the databases. storage: of the open store. It says how many sessions went. */
larch_exit larch_app_recover(const char *command, larch_posix_storage *files, larch_storage *storage);

#endif
