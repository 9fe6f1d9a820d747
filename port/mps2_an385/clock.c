/* SPDX-License-Identifier: Apache-2.0 */
/* Time: CMSDK timer 0 [DDI0479 4.2], 32 bits counting down at the board's clock, carried on to 64 by looking often. */
#include "board/board.h"
#include "board/lock.h"
#include "board/mmio.h"

#include "mps2.h"

#define CTRL        (LARCH_MPS2_TIMER0 + 0x0)
#define VALUE       (LARCH_MPS2_TIMER0 + 0x4)
#define RELOAD      (LARCH_MPS2_TIMER0 + 0x8)
#define CTRL_ENABLE 1u

static uint64_t elapsed;
static uint32_t last;

void larch_mps2_clock_start(void)
{
    larch_mmio_write32(CTRL, 0);
    larch_mmio_write32(RELOAD, UINT32_MAX);
    larch_mmio_write32(VALUE, UINT32_MAX);
    last = UINT32_MAX;
    elapsed = 0;
    larch_mmio_write32(CTRL, CTRL_ENABLE);
}

uint64_t larch_mps2_clock(void)
{
    const uint32_t before = larch_interrupts_off();
    const uint32_t now = larch_mmio_read32(VALUE);
    elapsed += last - now;
    last = now;
    const uint64_t clock = elapsed;
    larch_interrupts_back(before);
    return clock;
}

uint64_t larch_board_now_us(void) { return larch_mps2_clock() / (LARCH_MPS2_CLOCK_HZ / 1000000); }
uint64_t larch_board_now_ms(void) { return larch_mps2_clock() / (LARCH_MPS2_CLOCK_HZ / 1000); }

/* QEMU counts none, but its -icount shift=5 makes each last 32 ns, and the clock ticks each 40. Without that, time. */
uint32_t larch_board_instructions(void) { return (uint32_t)(larch_mps2_clock() * 40 / 32); }
