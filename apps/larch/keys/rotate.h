/* SPDX-License-Identifier: Apache-2.0 */
/* New keys for a gateway, whether it runs or not. */
#ifndef LARCH_APP_KEYS_ROTATE_H
#define LARCH_APP_KEYS_ROTATE_H

#include "keys/view.h"

/* Rotates the keys of all sets, itself or by the gateway that runs, and leaves in views what is there then. Says on stderr
 * who did it. */
larch_exit keys_rotate(const keys_options *options, set_view views[LARCH_DIRECT_SETS]);

#endif
