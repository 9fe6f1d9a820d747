/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets for Wireshark and larch sniff --keylog: in builds with LARCH_KEYLOG alone, which are for debugging. */
#ifndef LARCH_APP_KEYLOG_H
#define LARCH_APP_KEYLOG_H

#include "common/app.h"
#include "larch/oscore.h"

#if LARCH_KEYLOG

#define LARCH_APP_KEYLOG_VARIABLE "LARCH_KEYLOGFILE"

/* Appends a security context to the file that the environment variable names, and makes that file if need be, readable by
 * its owner alone. Two lines, since a reader such as Wireshark takes the first ID for the one of who sends requests, and
 * either end may. Without the variable nothing is written. Returns LARCH_EXIT_DONE, or LARCH_EXIT_FAILED after saying
 * why. */
larch_exit larch_app_keylog(const char *command, const larch_oscore_parameters *parameters);
/* Appends a line with a handshake's secrets (larch/lake_observer.h) to the same file. Otherwise as larch_app_keylog. */
larch_exit larch_app_keylog_lake(const char *command, larch_bytes line);

#endif

#endif
