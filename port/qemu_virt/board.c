/* SPDX-License-Identifier: Apache-2.0 */
#include "board/board.h"

#include "kernel.h"
#include "virt.h"

const char *const larch_board_name = "qemu-virt rv32imfc";

void larch_board_init(void) { larch_virt_devices_init(); }

uint64_t larch_virt_time(void)
{
    volatile uint32_t *time = larch_virt_registers(LARCH_VIRT_MTIME);
    uint32_t high = time[1], low = time[0];
    while (time[1] != high) { /* it ran over between the two */
        high = time[1];
        low = time[0];
    }
    return (uint64_t)high << 32 | low;
}

uint64_t larch_board_now_us(void) { return larch_virt_time() / (LARCH_VIRT_MTIME_HZ / 1000000); }
uint64_t larch_board_now_ms(void) { return larch_virt_time() / (LARCH_VIRT_MTIME_HZ / 1000); }

uint32_t larch_board_instructions(void)
{
    uint32_t count;
    __asm volatile("csrr %0, minstret" : "=r"(count));
    return count;
}

_Noreturn void larch_board_restart(void)
{
    *larch_virt_registers(LARCH_VIRT_FINISHER) = LARCH_VIRT_FINISHER_RESTART;
    for (;;)
        ;
}
