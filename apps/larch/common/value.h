/* SPDX-License-Identifier: Apache-2.0 */
/* Values as people write them, on a command line or in a configuration file. */
#ifndef LARCH_APP_VALUE_H
#define LARCH_APP_VALUE_H

#include "address.h"
#include "common/app.h"
#include "larch/kem.h"

/* Seconds as a decimal, "0.5", from 0 to 86400 * 365; false, with *out unchanged, if text is anything else. */
bool larch_app_seconds(const char *text, double *out);

/* "512", "768", "1024" or "xwing", if it is in this build; false, with *out unchanged, if text is anything else. */
bool larch_app_kem(const char *text, const larch_kem **out);

/* Says why the address in text leads nowhere. Returns LARCH_EXIT_USAGE for a mistake in writing, and LARCH_EXIT_FAILED
 * for a name that is not found now and may be found at another time. */
larch_exit larch_app_bad_address(const char *command, const char *text, const larch_posix_reason *why);

/* If state is empty, fills it with the folder that a gateway's state has by default. Returns LARCH_EXIT_DONE, or
 * LARCH_EXIT_FAILED after saying that there is none. */
larch_exit larch_app_default_state(const char *command, char *state, size_t cap);

#endif
