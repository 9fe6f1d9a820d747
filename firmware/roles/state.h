/* SPDX-License-Identifier: Apache-2.0 */
/* The role's files, in the board's flash. */
#ifndef LARCH_STATE_H
#define LARCH_STATE_H

#include "larch/port.h"

/* Mounts the flash and counts the start; an erased flash is made ready. One that is not ours, or whose files are another
 * version's, is named and left as it is: returns NULL, and all that the role can do is wait for "format" or "restart" on the console. */
const larch_storage *larch_state_open(void);

/* Erases all of it and begins anew: all keys and pins are lost. Then restarts. */
_Noreturn void larch_state_format(void);

/* Says how full and how worn the flash is. */
void larch_state_say(void);

#endif
