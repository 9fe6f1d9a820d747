/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the SDK's start-up code enters the application: brings the chip and the SDK's tasks up in the order of its own
 * examples of 2021, then goes on as on every board. Also what its kernel asks an application for.
 */
#include "FreeRTOS.h"
#include "task.h"

#include "aos/yloop.h"
#include "bl602.h"
#include "bl_dma.h"
#include "bl_irq.h"
#include "bl_sec.h"
#include "bl_sys.h"
#include "bl_uart.h"
#include "blog.h"
#include "board/board.h"
#include "event_device.h"
#include "freertos_lwip/report.h"
#include "freertos_lwip/stacks.h"
#include "hal_board.h"
#include "hal_boot2.h"
#include "looprt.h"
#include "loopset_i2c.h"
#include "lwip/tcpip.h"
#include "vfs.h"

/* Of the SDK's linker script. */
extern uint8_t _heap_start, _heap_size, _heap_wifi_start, _heap_wifi_size;

int main(void);
void bfl_main(void);
void vApplicationGetTimerTaskMemory(StaticTask_t **task, StackType_t **stack, uint32_t *stack_words);
void vApplicationMallocFailedHook(void);

#define EVENTS_WORDS  1024
#define EVENTS_URGENT 15 /* as the SDK's examples have it: above the role, below the radio */
#define LOOP_WORDS    512

static void run_events(void *unused)
{
    (void)unused;
    (void)vfs_init();
    (void)vfs_device_init();
    (void)aos_loop_init();
    aos_loop_run();
    larch_report_assertion(); /* it never ends */
}

static void start_tasks(void)
{
    LARCH_PORT_STACK(events, EVENTS_WORDS * sizeof(StackType_t));
    static StackType_t loop[LOOP_WORDS];
    static StaticTask_t events_task, loop_task;
    larch_port_stack_add("events", events.words, EVENTS_WORDS);
    (void)xTaskCreateStatic(run_events, "events", EVENTS_WORDS, NULL, EVENTS_URGENT, events.words, &events_task);
    (void)looprt_start(loop, LOOP_WORDS, &loop_task);
    (void)loopset_i2c_hook_on_looprt();
    tcpip_init(NULL, NULL);
}

void bfl_main(void)
{
    static HeapRegion_t regions[3];
    regions[0] = (HeapRegion_t){&_heap_start, (size_t)(uintptr_t)&_heap_size};
    regions[1] = (HeapRegion_t){&_heap_wifi_start, (size_t)(uintptr_t)&_heap_wifi_size};
    (void)bl_sys_early_init();
    (void)bl_uart_init(LARCH_BL602_UART, LARCH_BL602_PIN_TX, LARCH_BL602_PIN_RX, LARCH_BL602_NO_PIN, LARCH_BL602_NO_PIN,
                       LARCH_BOARD_BAUD);
    (void)bl_sys_init();
    vPortDefineHeapRegions(regions);
    blog_init();
    bl_irq_init();
    (void)bl_sec_init();
    bl_dma_init();
    (void)hal_boot2_init();
    (void)hal_board_cfg(0);
    start_tasks();
    (void)main();
}

/* ---- what the kernel asks for ------------------------------------------------ */

void vApplicationGetTimerTaskMemory(StaticTask_t **task, StackType_t **stack, uint32_t *stack_words)
{
    static StaticTask_t timer;
    static StackType_t words[configTIMER_TASK_STACK_DEPTH];
    *task = &timer;
    *stack = words;
    *stack_words = configTIMER_TASK_STACK_DEPTH;
}

void vApplicationMallocFailedHook(void) { larch_report_fatal("no memory left for the SDK", NULL, 0); }

void vAssertCalled(void) { larch_report_assertion(); }
