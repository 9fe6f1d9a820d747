/* SPDX-License-Identifier: Apache-2.0 */
/* A folder that a gateway refuses, because it is a copy or holds what was put back from a backup. */
#ifndef LARCH_APP_KEYS_RECOVER_H
#define LARCH_APP_KEYS_RECOVER_H

#include "keys/view.h"

/* Asks, unless --yes is given, and takes the folder over for this machine: every direct key is wiped, so that no message
 * of the past is accepted again. Says what it did. Fails while a gateway runs. */
larch_exit keys_recover(const keys_options *options);

#endif
