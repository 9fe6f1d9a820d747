/* SPDX-License-Identifier: Apache-2.0 */
/* Time, the count of instructions, and the machine's own reset. */
#include "board/board.h"
#include "board/lock.h"
#include "board/mmio.h"

#include "drivers.h"
#include "virt.h"

uint64_t larch_virt_time(void)
{
    /* Two halves: the upper one must not change while the lower is read. */
    uint32_t high, low;
    do {
        high = larch_mmio_read32(LARCH_VIRT_MTIME + 4);
        low = larch_mmio_read32(LARCH_VIRT_MTIME);
    } while (larch_mmio_read32(LARCH_VIRT_MTIME + 4) != high);
    return (uint64_t)high << 32 | low;
}

uint64_t larch_board_now_us(void) { return larch_virt_time() / (LARCH_VIRT_MTIME_HZ / 1000000); }
uint64_t larch_board_now_ms(void) { return larch_virt_time() / (LARCH_VIRT_MTIME_HZ / 1000); }

uint32_t larch_board_instructions(void)
{
    uint32_t count;
    __asm__ volatile("csrr %0, minstret" : "=r"(count));
    return count;
}

_Noreturn void larch_board_restart(void)
{
    (void)larch_interrupts_off();
    larch_mmio_write32(LARCH_VIRT_FINISHER, LARCH_VIRT_FINISHER_RESTART);
    for (;;)
        ;
}
