/* SPDX-License-Identifier: Apache-2.0 */
/* Devices of a gateway that does not run, under the lock of its state folder. */
#ifndef LARCH_APP_DEVICE_ALONE_H
#define LARCH_APP_DEVICE_ALONE_H

#include "common/app.h"
#include "larch/enrolment.h"

/* Adds a device with a new key, and writes its enrolment, which is secret. LARCH_EXIT_DONE; else it has said why. state: the
 * folder. authority: of the gateway; empty: none. */
larch_exit device_add_alone(const char *state, const char *name, larch_bytes authority, larch_writer *enrolment);
larch_exit device_revoke_alone(const char *state, const char *name);

#endif
