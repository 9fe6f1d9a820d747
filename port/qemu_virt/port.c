/* SPDX-License-Identifier: Apache-2.0 */
/* The layer below FreeRTOS: a task's first registers, the tick, traps. The names are FreeRTOS's, larch_port_* are trap.S's. */
#include "FreeRTOS.h"
#include "task.h"

#include "board/board.h"
#include "board/mmio.h"
#include "drivers.h"
#include "freertos_lwip/report.h"
#include "freertos_lwip/stacks.h"
#include "virt.h"

#define TICK (LARCH_VIRT_MTIME_HZ / configTICK_RATE_HZ)

#define MIE_TIMER    (1u << 7)
#define MIE_EXTERNAL (1u << 11)

#define MSTATUS_NEW_TASK 0x3880u /* machine mode, interrupts on after mret, floating point untouched */

#define CAUSE_ECALL     11u
#define CAUSE_INTERRUPT 0x80000000u
#define CAUSE_TIMER     (CAUSE_INTERRUPT | 7u)
#define CAUSE_EXTERNAL  (CAUSE_INTERRUPT | 11u)

void larch_port_on_trap(uint32_t cause, uint32_t value, uint32_t *frame);
_Noreturn void larch_port_fault(uint32_t cause, uint32_t value, uint32_t pc);
_Noreturn void larch_port_resume(void);
StackType_t *pxPortInitialiseStack(StackType_t *top, TaskFunction_t code, void *parameters);

static uint64_t next_tick;

/* ---- tasks --------------------------------------------------------------- */

static void task_returned(void) { configASSERT(0); }

/* As trap.S saves a task that never used floating point. */
StackType_t *pxPortInitialiseStack(StackType_t *top, TaskFunction_t code, void *parameters)
{
    enum { FRAME_WORDS = 32, MEPC = 0, MSTATUS = 1, X1 = 2, X10 = 8 };
    StackType_t *frame = (StackType_t *)((uintptr_t)top & ~(uintptr_t)(portBYTE_ALIGNMENT - 1)) - FRAME_WORDS;
    for (int i = 0; i < FRAME_WORDS; i++)
        frame[i] = 0;
    frame[MEPC] = (StackType_t)(uintptr_t)code;
    frame[MSTATUS] = MSTATUS_NEW_TASK;
    frame[X1] = (StackType_t)(uintptr_t)task_returned;
    frame[X10] = (StackType_t)(uintptr_t)parameters;
    return frame;
}

static void set_timer(uint64_t at)
{
    larch_mmio_write32(LARCH_VIRT_MTIMECMP + 4, UINT32_MAX); /* never a moment of the past in between */
    larch_mmio_write32(LARCH_VIRT_MTIMECMP, (uint32_t)at);
    larch_mmio_write32(LARCH_VIRT_MTIMECMP + 4, (uint32_t)(at >> 32));
}

BaseType_t xPortStartScheduler(void)
{
    larch_mmio_write32(LARCH_VIRT_PLIC_THRESHOLD, 0);
    for (uint32_t irq = 1; irq < 32; irq++)
        larch_mmio_write32(LARCH_VIRT_PLIC_PRIORITY + 4 * irq, 1);
    larch_mmio_write32(LARCH_VIRT_PLIC_ENABLE, larch_virt_irq_mask());

    next_tick = larch_virt_time() + TICK;
    set_timer(next_tick);
    __asm volatile("csrw mie, %0" ::"r"(MIE_TIMER | MIE_EXTERNAL));
    larch_port_resume();
}

void vPortEndScheduler(void) { larch_board_restart(); }

/* ---- traps --------------------------------------------------------------- */

/* The next interrupt is due a tick after the last was, not after now: one that came late makes the next ones come at
 * once, so that FreeRTOS's time stays the board's. */
static void tick(void)
{
    next_tick += TICK;
    set_timer(next_tick);
    const BaseType_t wake = xTaskIncrementTick();
    larch_virt_tick();
    larch_virt_watchdog_tick();
    portYIELD_FROM_ISR(wake);
}

static void serve_devices(void)
{
    for (uint32_t irq; (irq = larch_mmio_read32(LARCH_VIRT_PLIC_CLAIM)) != 0;
         larch_mmio_write32(LARCH_VIRT_PLIC_CLAIM, irq))
        larch_virt_irq(irq);
}

void larch_port_on_trap(uint32_t cause, uint32_t value, uint32_t *frame)
{
    switch (cause) {
    case CAUSE_ECALL:
        frame[0] += 4; /* behind the ecall */
        vTaskSwitchContext();
        break;
    case CAUSE_TIMER:
        tick();
        break;
    case CAUSE_EXTERNAL:
        serve_devices();
        break;
    default:
        larch_port_fault(cause, value, frame[0]);
    }
}

_Noreturn void larch_port_fault(uint32_t cause, uint32_t value, uint32_t pc)
{
    const larch_report_number numbers[] = {{"mcause", cause}, {"mepc", pc}, {"mtval", value}};
    larch_report_fatal(larch_port_is_guard(value) ? "stack overflow" : "fault", numbers,
                       sizeof numbers / sizeof *numbers);
}
