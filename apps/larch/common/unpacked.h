/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A state folder takes the place of another one, whose name, owner and lock stay. The new files are made in a folder within it:
 *
 *     restore.new      is being filled: a start removes it
 *     restore.ready    is whole: every other file is removed               <- renaming to this is the moment of the change
 *     restore.go       the others are gone: its files move up, and it goes
 *
 * Each step may be cut anywhere, and is begun again by whoever opens the folder next.
 */
#ifndef LARCH_APP_UNPACKED_H
#define LARCH_APP_UNPACKED_H

#include <stdbool.h>

#define LARCH_APP_UNPACKED "restore.new"

/* All work on the folder that is open as folder. False: errno says why, and it may be called again. */

/* Makes an empty restore.new, of mode 0700. */
bool larch_app_unpacked_begin(int folder);
/* Removes it. */
bool larch_app_unpacked_drop(int folder);
/* The change: durable on true. After false it may have happened or not. */
bool larch_app_unpacked_commit(int folder);
/* Finishes what a cut left; *is_done: whether there was a change to finish. */
bool larch_app_unpacked_finish(int folder, bool *is_done);

#endif
