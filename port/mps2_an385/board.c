/* SPDX-License-Identifier: Apache-2.0 */
#include "board/board.h"

#include "freertos_lwip/stacks.h"
#include "mps2.h"

/* Of memory.ld; start.S paints it. */
extern const uint32_t __interrupt_stack[], __interrupt_stack_end[];

const char *const larch_board_name = "mps2-an385 cortex-m3";

void larch_board_init(void)
{
    larch_port_stack_add("interrupts", __interrupt_stack, (uint32_t)(__interrupt_stack_end - __interrupt_stack));
    larch_mps2_clock_start();
    larch_mps2_uart_start();
    larch_mps2_channel_start();
    larch_mps2_random_start();
    larch_mps2_flash_start();
}
