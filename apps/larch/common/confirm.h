/* SPDX-License-Identifier: Apache-2.0 */
/* A question before something that cannot be undone. */
#ifndef LARCH_APP_CONFIRM_H
#define LARCH_APP_CONFIRM_H

#include "common/app.h"

/* Says on stderr what will be done, and asks whether it shall be. LARCH_EXIT_DONE: the answer was "yes", or is_sure is
 * true (--yes) and nothing was asked. LARCH_EXIT_FAILED: it was not. LARCH_EXIT_USAGE: standard input is no terminal; it
 * has said so. what: sentences, in lines. */
larch_exit larch_app_confirm(const char *command, const char *what, bool is_sure);

#endif
