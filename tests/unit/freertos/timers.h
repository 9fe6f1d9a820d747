/* SPDX-License-Identifier: Apache-2.0 */
/* Timers that the test itself runs; it defines these functions. */
#ifndef LARCH_TEST_TIMERS_H
#define LARCH_TEST_TIMERS_H

#define pdTRUE            1
#define pdMS_TO_TICKS(ms) (ms)

typedef struct StaticTimer_t {
    int unused;
} StaticTimer_t;
typedef StaticTimer_t *TimerHandle_t;
typedef void (*TimerCallbackFunction_t)(TimerHandle_t timer);

TimerHandle_t xTimerCreateStatic(const char *name, unsigned ticks, unsigned again, void *id,
                                 TimerCallbackFunction_t call, StaticTimer_t *memory);
int xTimerStart(TimerHandle_t timer, unsigned wait);

#endif
