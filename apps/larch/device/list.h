/* SPDX-License-Identifier: Apache-2.0 */
/* larch device list: a line for each context of each device. */
#ifndef LARCH_APP_DEVICE_LIST_H
#define LARCH_APP_DEVICE_LIST_H

#include "device/connection.h"

larch_exit device_list(device_connection *gateway, bool json);

#endif
