/* SPDX-License-Identifier: Apache-2.0 */
/* Devices of a gateway that does not run, under the lock of its state folder. */
#ifndef LARCH_APP_DEVICE_ALONE_H
#define LARCH_APP_DEVICE_ALONE_H

#include "device/ask.h"
#include "device/enrol.h"

/* As device_enrol. LARCH_EXIT_DONE; else it has said why. state: the folder, whose owner root becomes. */
larch_exit device_enrol_alone(const char *state, const larch_store_choice *store, const device_enrolling *enrolling,
                              const larch_app_newcomer *newcomers, size_t count, device_enrolled *results);
larch_exit device_revoke_alone(const char *state, const larch_store_choice *store, const char *name);
/* Gives the folder back, if a call above took it; they hold it until then. Returns code, or LARCH_EXIT_FAILED if the folder could
 * not be left as it has to be, which it has said. */
larch_exit device_end_alone(larch_exit code);

#endif
