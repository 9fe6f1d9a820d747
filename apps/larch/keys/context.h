/* SPDX-License-Identifier: Apache-2.0 */
/* Fixed OSCORE contexts, which an operator gives to a gateway. */
#ifndef LARCH_APP_KEYS_CONTEXT_H
#define LARCH_APP_KEYS_CONTEXT_H

#include "common/context_file.h"
#include "keys/view.h"

/* Reads a context file (common/context_file.h) as whoever runs the command, then stores its context in the folder of
 * --state, for a device of that name, as the folder's owner. */
larch_exit keys_add_context(keys_options *options, const char *name, const char *path);

/* Stores a context in the state folder, which is open and whose owner the process is by now. name: a device's
 * (common/device_name.h). LARCH_EXIT_DONE: it is stored durably; else it has said why. */
larch_exit keys_store_context(const keys_options *options, const char *name, const larch_context_file *file);

#endif
