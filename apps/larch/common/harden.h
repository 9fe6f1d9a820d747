/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps what a process holds inside it: out of core files, debuggers and swap space. */
#ifndef LARCH_APP_HARDEN_H
#define LARCH_APP_HARDEN_H

#include <stdbool.h>

/*
 * For a command that holds secrets, before it makes or reads one:
 *
 * - RLIMIT_CORE is 0, and the process is not dumpable (prctl(2)): no core file, no debugger of the same user, no reader
 *   of its /proc/PID/mem. A build of the type Debug stays dumpable.
 * - SIGXFSZ is ignored: a limit on the size of files becomes an error of the write, not the end of the process.
 * - Memory is locked: with RLIMIT_MEMLOCK unlimited, or raised by root, all that it touches from now on; below that the
 *   program's own data, where long-lived keys stand, and the stack. The heap of libraries is not locked then, since a
 *   limit that is reached later would make their allocations fail.
 */
void larch_app_harden(void);

/* Whether any memory was locked. */
bool larch_app_memory_is_locked(void);
/* Why not, for people. */
const char *larch_app_memory_fault(void);

#endif
