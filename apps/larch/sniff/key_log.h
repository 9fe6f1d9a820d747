/* SPDX-License-Identifier: Apache-2.0 */
/* The file with the keys of others, for what they protect from each other. */
#ifndef LARCH_KEY_LOG_H
#define LARCH_KEY_LOG_H

#include "common/app.h"
#include "sniff/dissect/keys.h"

/* Reads a key log (sniff/dissect/key_line.h) into *keys, which the caller gives back with larch_key_log_free in any case;
 * hardens the process before (common/harden.h). Nothing of the file is ever printed. Returns LARCH_EXIT_DONE;
 * LARCH_EXIT_USAGE after naming the line that is wrong, or LARCH_EXIT_FAILED, with no key read. */
larch_exit larch_key_log_read(const char *command, const char *path, larch_sniff_keys **keys);
/* Wipes them. keys may be NULL. */
void larch_key_log_free(larch_sniff_keys *keys);

#endif
