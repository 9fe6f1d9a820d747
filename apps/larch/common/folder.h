/* SPDX-License-Identifier: Apache-2.0 */
/* Whom a command acts for in a gateway's state folder. */
#ifndef LARCH_APP_FOLDER_H
#define LARCH_APP_FOLDER_H

#include "common/app.h"

/* Opens the folder into *folder, and makes nothing. Root becomes the folder's owner, for good: what it writes there is the
 * gateway's to read, and what the gateway's user could put there does nothing with root's rights. It keeps one right, to walk
 * to the folder: systemd has it below one that is root's alone.
 * Returns LARCH_EXIT_DONE, or LARCH_EXIT_FAILED after saying why. */
larch_exit larch_app_enter_folder(const char *command, const char *path, int *folder);

#endif
