/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chip's watchdog, which waits for some four seconds at most: too short for a start of Wi-Fi. So a timer of the kernel
 * feeds it, for as long as the role has fed that. A role that stands still is found by the timer, a kernel that stands still
 * by the chip.
 */
#include "FreeRTOS.h"
#include "timers.h"

#include "bl_wdt.h"
#include "board/board.h"

#define CHIP_MS 4000 /* its counter ends at 4095 */
#define EACH_MS 1000

static volatile uint32_t
    left; /* times that the timer may feed the chip's; set by the role alone, but for counting down */

static void on_timer(TimerHandle_t unused)
{
    (void)unused;
    if (left == 0)
        return;
    left--;
    bl_wdt_feed();
}

/* Without its timer the chip's would not be fed: it is started only behind that. */
void larch_board_watchdog_feed(void)
{
    static StaticTimer_t memory;
    static TimerHandle_t timer;
    static bool started;
    left = LARCH_BOARD_WATCHDOG_MS / EACH_MS;
    if (started)
        return;
    if (timer == NULL)
        timer = xTimerCreateStatic("watch", pdMS_TO_TICKS(EACH_MS), pdTRUE, NULL, on_timer, &memory);
    started = xTimerStart(timer, 0) == pdTRUE && bl_wdt_init(CHIP_MS) == 0;
}
