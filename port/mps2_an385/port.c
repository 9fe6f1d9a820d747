/* SPDX-License-Identifier: Apache-2.0 */
/* What FreeRTOS's own port for Cortex-M3 leaves to us: the tick, interrupts, faults. larch_port_* are start.S's names. */
#include "FreeRTOS.h"
#include "task.h"

#include "board/board.h"
#include "board/line.h"
#include "board/lock.h"
#include "board/mmio.h"
#include "freertos_lwip/report.h"

#include "mps2.h"

#define TICK (LARCH_MPS2_CLOCK_HZ / configTICK_RATE_HZ)
_Static_assert(configCPU_CLOCK_HZ == LARCH_MPS2_CLOCK_HZ, "the system timer and ours run alike");

/* [ARMv7-M B3.2, B3.4] */
#define NVIC_ENABLE   0xe000e100u
#define NVIC_PRIORITY 0xe000e400u /* + irq, a byte each */
#define ICSR          0xe000ed04u
#define AIRCR         0xe000ed0cu
#define AIRCR_RESTART 0x05fa0004u /* the key, SYSRESETREQ */
#define CFSR          0xe000ed28u
#define HFSR          0xe000ed2cu
#define BFAR          0xe000ed38u
#define FIRST_IRQ     16u /* exception number */
#define VECTACTIVE    0x1ffu

extern uint8_t __data[], __ram_end[];

void larch_port_tick(void);
void larch_port_irq(void);
_Noreturn void larch_port_fault(const uint32_t *frame);
void xPortSysTickHandler(void);

/* ---- tick ------------------------------------------------------------------ */

static uint64_t next_tick;

/* FreeRTOS's handler, as often as ticks are due: one that came late would else be lost, and FreeRTOS's time would fall
 * behind the board's. */
void larch_port_tick(void)
{
    if (next_tick == 0)
        next_tick = larch_mps2_clock();
    for (; next_tick <= larch_mps2_clock(); next_tick += TICK)
        xPortSysTickHandler();
    larch_line_serve();
    larch_mps2_channel_tick();
    larch_mps2_ethernet_tick();
}

/* ---- interrupts ------------------------------------------------------------ */

void larch_mps2_irq_enable(uint32_t irq)
{
    larch_mmio_write8(NVIC_PRIORITY + irq, configKERNEL_INTERRUPT_PRIORITY);
    larch_mmio_write32(NVIC_ENABLE + irq / 32 * 4, 1u << irq % 32);
}

void larch_port_irq(void)
{
    switch ((larch_mmio_read32(ICSR) & VECTACTIVE) - FIRST_IRQ) {
    case LARCH_MPS2_IRQ_UART0_RX:
    case LARCH_MPS2_IRQ_UART0_TX:
        larch_mps2_uart_irq();
        break;
    case LARCH_MPS2_IRQ_ETHERNET:
        larch_mps2_ethernet_irq();
        break;
    default:
        configASSERT(0);
    }
}

/* ---- faults ------------------------------------------------------------------ */

/* frame: what the processor has saved, r0 to xPSR, if the stack could take it. */
_Noreturn void larch_port_fault(const uint32_t *frame)
{
    enum { FRAME_WORDS = 8, PC = 6 };
    const uintptr_t at = (uintptr_t)frame;
    const bool saved =
        at % 4 == 0 && at >= (uintptr_t)__data && at <= (uintptr_t)__ram_end - FRAME_WORDS * sizeof *frame;
    const larch_report_number numbers[] = {{"cfsr", larch_mmio_read32(CFSR)},
                                           {"hfsr", larch_mmio_read32(HFSR)},
                                           {"pc", saved ? frame[PC] : 0},
                                           {"bfar", larch_mmio_read32(BFAR)},
                                           {"sp", (uint32_t)at}};
    larch_report_fatal("fault", numbers, sizeof numbers / sizeof *numbers);
}

_Noreturn void larch_board_restart(void)
{
    (void)larch_interrupts_off();
    larch_mps2_random_stop();
    larch_mps2_flash_stop();
    larch_mmio_write32(AIRCR, AIRCR_RESTART);
    for (;;)
        ;
}
