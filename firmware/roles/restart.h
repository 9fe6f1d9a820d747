/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LARCH_RESTART_H
#define LARCH_RESTART_H

/* Says why, gives the line time to send it, and starts the board anew: for what cannot be mended in place. */
_Noreturn void larch_restart(const char *why);

#endif
