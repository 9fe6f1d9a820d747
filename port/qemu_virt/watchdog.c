/* SPDX-License-Identifier: Apache-2.0 */
/* The machine has no watchdog, so the tick counts: it finds a task that stands still, but not a processor whose interrupts
 * are off. */
#include "board/board.h"
#include "freertos_lwip/report.h"

#include "drivers.h"

static volatile uint32_t left_ms; /* 0: it was never fed */

void larch_board_watchdog_feed(void) { left_ms = LARCH_BOARD_WATCHDOG_MS; }

void larch_virt_watchdog_tick(void)
{
    if (left_ms > 0 && --left_ms == 0)
        larch_report_fatal("watchdog", NULL, 0);
}
