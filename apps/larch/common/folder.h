/* SPDX-License-Identifier: Apache-2.0 */
/* The state folder, and whom a command acts for in it. */
#ifndef LARCH_APP_FOLDER_H
#define LARCH_APP_FOLDER_H

#include "common/app.h"
#include "larch/store.h"
#include "storage.h"

/* Makes the folder if it is not there, for a command that may come before the gateway's first start. */
larch_exit larch_app_make_folder(const char *command, const char *state);
/* Opens the folder, and makes nothing. Root becomes the folder's owner, for good: what it writes there is the gateway's to
 * read, and what the gateway's user could put there does nothing with root's rights. It keeps one right, to walk to the
 * folder: systemd has it below one that is root's alone. Returns LARCH_EXIT_DONE, or LARCH_EXIT_FAILED after saying why. */
larch_exit larch_app_enter_folder(const char *command, const char *state, int *folder);
/* Says what is wrong with a file of the folder. Returns LARCH_EXIT_FAILED. */
larch_exit larch_app_complain_of_file(const char *command, const larch_posix_storage *files, const char *name,
                                      larch_store_fault fault);

#endif
