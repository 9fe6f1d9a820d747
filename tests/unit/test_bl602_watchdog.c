/* SPDX-License-Identifier: Apache-2.0 */
/* The BL602's watchdog over a chip made of a counter: it is fed while the role lives, and no longer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bl602/sdk/bl_wdt.h"
#include "board/board.h"
#include "freertos/timers.h"

static TimerCallbackFunction_t on_timer;
static unsigned period_ms, chip_ms, since_fed_ms, timers;
static int queue_is_full;

TimerHandle_t xTimerCreateStatic(const char *name, unsigned ticks, unsigned again, void *id,
                                 TimerCallbackFunction_t call, StaticTimer_t *memory)
{
    (void)name;
    (void)id;
    assert_int_equal(again, pdTRUE);
    period_ms = ticks;
    on_timer = call;
    timers++;
    return memory;
}
int xTimerStart(TimerHandle_t timer, unsigned wait)
{
    (void)timer;
    (void)wait;
    return queue_is_full ? 0 : pdTRUE;
}
int bl_wdt_init(int ms)
{
    assert_in_range(ms, 1, 4094);
    chip_ms = (unsigned)ms;
    return 0;
}
void bl_wdt_feed(void) { since_fed_ms = 0; }

/* Milliseconds until the chip resets; each_ms: how often the role feeds, 0: never again. */
static unsigned run(unsigned limit_ms, unsigned each_ms)
{
    unsigned now_ms = 0;
    for (since_fed_ms = 0; now_ms < limit_ms && since_fed_ms < chip_ms; now_ms++, since_fed_ms++) {
        if (each_ms > 0 && now_ms % each_ms == 0)
            larch_board_watchdog_feed();
        if (now_ms % period_ms == 0)
            on_timer(NULL);
    }
    return now_ms;
}

static void test_watchdog(void **state)
{
    (void)state;
    queue_is_full = 1;
    larch_board_watchdog_feed();
    assert_int_equal(chip_ms, 0); /* nobody would feed it */
    queue_is_full = 0;
    larch_board_watchdog_feed();
    assert_int_equal(timers, 1);
    assert_int_equal(run(100000, 20), 100000);
    assert_int_equal(run(100000, LARCH_BOARD_WATCHDOG_MS - period_ms), 100000);
    assert_int_equal(timers, 1);
    assert_in_range(run(100000, 0), LARCH_BOARD_WATCHDOG_MS - period_ms, LARCH_BOARD_WATCHDOG_MS + chip_ms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_watchdog)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
