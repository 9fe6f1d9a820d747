/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SIGINT and SIGTERM for commands that print with stdio. Handlers catch them, not a signalfd: a write that waits
 * for a slow reader must end too, which only a signal that is not blocked does.
 */
#ifndef LARCH_APP_INTERRUPT_H
#define LARCH_APP_INTERRUPT_H

#include "loop.h"

/* Catches both from now on. also: runs inside the handler, where few calls are safe; or NULL. Call it once. Returns 0,
 * or -1 with errno. */
int larch_interrupt_catch(void (*also)(void));

/* Whether one of them came. */
bool larch_interrupt_came(void);

/* Has the loop stop with code 0 when one of them comes, and at once if one came before. watch is filled in.
 * Errors as larch_loop_add_watch. */
LARCH_MUST_USE larch_error larch_interrupt_watch(larch_loop *loop, larch_loop_watch *watch);

#endif
