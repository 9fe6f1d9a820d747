/* SPDX-License-Identifier: Apache-2.0 */
#include "board/board.h"

#include "virt.h"

const char *const larch_board_name = "qemu-virt rv32imfc";

void larch_board_init(void) { larch_virt_devices_init(); }
