/* SPDX-License-Identifier: Apache-2.0 */
/* Man pages and shell completion, made at build time from the commands' own rows. */
#ifndef LARCH_APP_PAGES_H
#define LARCH_APP_PAGES_H

#include "common/command.h"

/* larch(1) or larch-COMMAND(1). False: the command has no notes. */
bool page_put_man(larch_writer *w, const larch_command *command);
/* gateway.ini(5), from the commented sample: comments above a setting describe it. */
void page_put_ini(larch_writer *w, larch_bytes sample);
/* What bash needs to complete the program's command line. */
void page_put_completion(larch_writer *w, const larch_command *const *commands, size_t count);

#endif
