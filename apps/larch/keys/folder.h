/* SPDX-License-Identifier: Apache-2.0 */
/* The state folder, and whom a command acts for in it. */
#ifndef LARCH_APP_KEYS_FOLDER_H
#define LARCH_APP_KEYS_FOLDER_H

#include "keys/view.h"

/* Makes the folder of --state if it is not there, for a command that may come before the gateway's first start. */
larch_exit keys_make_folder(const keys_options *options);
/* Opens the folder of --state into options->folder, and makes nothing. Root becomes the folder's owner, for good: what it
 * writes there is the gateway's to read, and what the gateway's user could put there does nothing with root's rights.
 * It keeps one right, to walk to the folder: systemd has it below one that is root's alone.
 * Returns LARCH_EXIT_DONE, or LARCH_EXIT_FAILED after saying why. */
larch_exit keys_enter_folder(keys_options *options);

#endif
