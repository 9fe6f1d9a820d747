/* SPDX-License-Identifier: Apache-2.0 */
/* The name under which a gateway knows a device. */
#ifndef LARCH_APP_DEVICE_NAME_H
#define LARCH_APP_DEVICE_NAME_H

#include <stdbool.h>

#define LARCH_APP_DEVICE_NAME_MAX   16 /* bytes */
/* For complaints: what a name has to be. */
#define LARCH_APP_DEVICE_NAME_WANTS "1 to 16 letters, digits, '-', '_' and '.'"

/* Whether a text can be a name. */
bool larch_app_is_device_name(const char *text);

#endif
