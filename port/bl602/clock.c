/* SPDX-License-Identifier: Apache-2.0 */
/* Time, and the count of instructions. */
#include "board/board.h"

#include "bl_timer.h"

uint64_t larch_board_now_us(void) { return bl_timer_now_us64(); }
uint64_t larch_board_now_ms(void) { return bl_timer_now_us64() / 1000; }

#ifdef __riscv
uint32_t larch_board_instructions(void)
{
    uint32_t count;
    __asm__ volatile("csrr %0, minstret" : "=r"(count));
    return count;
}
#else
uint32_t larch_board_instructions(void) { return 0; }
#endif
