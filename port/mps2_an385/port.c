/* SPDX-License-Identifier: Apache-2.0 */
/* What FreeRTOS's own port for Cortex-M3 leaves to us: the tick, interrupts, faults. larch_port_* are start.S's names. */
#include "FreeRTOS.h"
#include "task.h"

#include "board/board.h"
#include "board/line.h"
#include "board/lock.h"
#include "board/mmio.h"
#include "freertos_lwip/report.h"
#include "freertos_lwip/stacks.h"

#include "mps2.h"

#define TICK (LARCH_MPS2_CLOCK_HZ / configTICK_RATE_HZ)
_Static_assert(configCPU_CLOCK_HZ == LARCH_MPS2_CLOCK_HZ, "the system timer and ours run alike");

/* [ARMv7-M B3.2] */
#define ICSR          0xe000ed04u
#define AIRCR         0xe000ed0cu
#define AIRCR_RESTART 0x05fa0004u /* the key, SYSRESETREQ */
#define CFSR          0xe000ed28u
#define CFSR_STACKING 0x00000010u /* the memory protection unit refused what the processor saved */
#define CFSR_ADDRESS  0x00000080u /* MMFAR is good */
#define HFSR          0xe000ed2cu
#define MMFAR         0xe000ed34u
#define BFAR          0xe000ed38u
#define FIRST_IRQ     16u /* exception number */
#define VECTACTIVE    0x1ffu
#define NMI           2u

extern uint8_t __interrupt_stack[], __ram_end[];

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

static const char *name_fault(uint32_t cfsr)
{
    if ((larch_mmio_read32(ICSR) & VECTACTIVE) == NMI)
        return "watchdog";
    if ((cfsr & CFSR_STACKING) != 0)
        return "stack overflow";
    return (cfsr & CFSR_ADDRESS) != 0 && larch_port_is_guard(larch_mmio_read32(MMFAR)) ? "stack overflow" : "fault";
}

/* frame: what the processor has saved, r0 to xPSR, if the stack could take it. */
_Noreturn void larch_port_fault(const uint32_t *frame)
{
    enum { FRAME_WORDS = 8, PC = 6 };
    const uintptr_t at = (uintptr_t)frame;
    const bool saved =
        at % 4 == 0 && at >= (uintptr_t)__interrupt_stack && at <= (uintptr_t)__ram_end - FRAME_WORDS * sizeof *frame;
    const uint32_t cfsr = larch_mmio_read32(CFSR);
    const larch_report_number numbers[] = {{"cfsr", cfsr},
                                           {"hfsr", larch_mmio_read32(HFSR)},
                                           {"pc", saved ? frame[PC] : 0},
                                           {"bfar", larch_mmio_read32(BFAR)},
                                           {"sp", (uint32_t)at}};
    larch_report_fatal(name_fault(cfsr), numbers, sizeof numbers / sizeof *numbers);
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
