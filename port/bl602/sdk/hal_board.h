/* SPDX-License-Identifier: Apache-2.0 */
/* The device tree: calibration, MAC address. */
#ifndef LARCH_SDK_HAL_BOARD_H
#define LARCH_SDK_HAL_BOARD_H

#include <stdint.h>

int hal_board_cfg(uint8_t board_code);

#endif
