/* SPDX-License-Identifier: Apache-2.0 */
/* Values of options that several commands take. */
#ifndef LARCH_APP_OPTIONS_H
#define LARCH_APP_OPTIONS_H

#include "address.h"
#include "larch/kem.h"

/* Seconds as a decimal, "0.5", from 0 to 86400 * 365; false, with *out unchanged, if text is anything else. */
bool larch_app_seconds(const char *text, double *out);

/* "512", "768" or "1024", if it is in this build. */
bool larch_app_kem(const char *text, const larch_kem **out);

/* Says why the address in text leads nowhere; the exit code: a name that is not found may be another time. */
int larch_app_bad_address(const char *command, const char *text, const larch_posix_reason *why);

#endif
