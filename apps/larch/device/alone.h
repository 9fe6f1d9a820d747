/* SPDX-License-Identifier: Apache-2.0 */
/* Devices of a gateway that does not run, under the lock of its state folder. */
#ifndef LARCH_APP_DEVICE_ALONE_H
#define LARCH_APP_DEVICE_ALONE_H

#include "device/ask.h"

/* Adds a device with a new key, and writes its enrolment, which is secret. LARCH_EXIT_DONE; else it has said why. state: the
 * folder, whose owner root becomes. */
larch_exit device_add_alone(const char *state, const device_asking *asking, const char *name, larch_writer *enrolment);
larch_exit device_revoke_alone(const char *state, const larch_store_choice *store, const char *name);

#endif
