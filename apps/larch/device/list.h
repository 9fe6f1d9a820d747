/* SPDX-License-Identifier: Apache-2.0 */
/* The gateway's devices: the list of them, and all that is known of one. */
#ifndef LARCH_APP_DEVICE_LIST_H
#define LARCH_APP_DEVICE_LIST_H

#include "device/connection.h"

larch_exit device_list(device_connection *gateway, bool json);
larch_exit device_show(device_connection *gateway, const char *name, bool json);

#endif
