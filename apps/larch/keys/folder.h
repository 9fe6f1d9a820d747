/* SPDX-License-Identifier: Apache-2.0 */
/* The state folder, and whom a command acts for in it. */
#ifndef LARCH_APP_KEYS_FOLDER_H
#define LARCH_APP_KEYS_FOLDER_H

#include "keys/view.h"

/* Makes the folder of --state if it is not there, for a command that may come before the gateway's first start. */
larch_exit keys_make_folder(const keys_options *options);
/* Opens the folder of --state into options->folder, and makes nothing; root becomes its owner (common/folder.h). */
larch_exit keys_enter_folder(keys_options *options);

#endif
