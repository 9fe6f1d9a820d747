/* SPDX-License-Identifier: Apache-2.0 */
/* The firmware of the radio. */
#ifndef LARCH_SDK_HAL_WIFI_H
#define LARCH_SDK_HAL_WIFI_H

int hal_wifi_start_firmware_task(void);

#endif
