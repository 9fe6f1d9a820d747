/* SPDX-License-Identifier: Apache-2.0 */
#include "board/board.h"

#include "mps2.h"

const char *const larch_board_name = "mps2-an385 cortex-m3";

void larch_board_init(void)
{
    larch_mps2_clock_start();
    larch_mps2_uart_start();
    larch_mps2_channel_start();
    larch_mps2_random_start();
    larch_mps2_flash_start();
}
