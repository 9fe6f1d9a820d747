/* SPDX-License-Identifier: Apache-2.0 */
/* The console's command for what a network has to be told before it can be joined; on boards with a cable there is none. */
#ifndef LARCH_CREDENTIALS_H
#define LARCH_CREDENTIALS_H

#include "console.h"
#include "larch/port.h"

/* Once: adds the command, if the board's network has one. storage: where it is kept. */
void larch_credentials_offer(larch_console *console, const larch_storage *storage);

#endif
