/* SPDX-License-Identifier: Apache-2.0 */
/* Task switches, registers, queue, tick, critical sections, stack paint. */
#include "FreeRTOS.h"
#include "board/board.h"
#include "queue.h"
#include "task.h"

#include "check.h"

enum { WORKERS = 3, WORKER_WORDS = 192, ROUNDS = 200 };

typedef struct {
    StaticTask_t task;
    StackType_t stack[WORKER_WORDS] __attribute__((aligned(portBYTE_ALIGNMENT)));
    volatile uint32_t rounds;
    volatile bool wrong;
} worker;

static worker workers[WORKERS];
static volatile bool stop;

/* ---- registers ----------------------------------------------------------- */

/* Of the task that asks, which has not used floating point itself: asking does not count as use. */
static uint32_t rounding_mode(void)
{
    uint32_t mode = 0;
#ifdef __riscv_flen
    __asm volatile("frrm %0" : "=r"(mode));
#endif
    return mode;
}

/* Sums with values that live in registers over many ticks, and a rounding mode of its own: a switch that mixed up a register
 * or the mode would show in a result. Whole numbers below 2^24 are exact in a float, whatever the rounding. */
static void compute(void *argument)
{
    worker *self = argument;
    const uint32_t which = (uint32_t)(self - workers);
#ifdef __riscv_flen
    __asm volatile("fsrm %0" ::"r"(which)); /* nearest, zero, down */
#endif
    while (!stop) {
        volatile uint32_t steps = 4096;
        float a = (float)which, b = a + 1, c = a + 2, d = a + 3;
        uint32_t i = which, j = i + 1, k = i + 2, l = i + 3;
        while (steps > 0) {
            steps--;
            a += 1, b += 2, c += 3, d += 5;
            i += 1, j += 2, k += 3, l += 5;
        }
        if ((uint32_t)a != i || (uint32_t)b != j || (uint32_t)c != k || (uint32_t)d != l)
            self->wrong = true;
#ifdef __riscv_flen
        if (rounding_mode() != which)
            self->wrong = true;
#endif
        self->rounds++;
    }
    for (;;)
        vTaskDelay(portMAX_DELAY);
}

/* Workers of one priority share the processor by the tick alone; this task looks on from above. */
static void check_registers(void)
{
    bool foreign_mode = false;
    for (int i = 0; i < WORKERS; i++)
        xTaskCreateStatic(compute, "worker", WORKER_WORDS, &workers[i], 1, workers[i].stack, &workers[i].task);
    bool all_ran = false;
    for (int tick = 0; tick < 5000 && !all_ran; tick++) {
        vTaskDelay(1);
        foreign_mode = foreign_mode || rounding_mode() != 0;
        all_ran = true;
        for (int i = 0; i < WORKERS; i++)
            all_ran = all_ran && workers[i].rounds >= ROUNDS;
    }
    stop = true;
    vTaskDelay(20);
    bool wrong = false;
    for (int i = 0; i < WORKERS; i++)
        wrong = wrong || workers[i].wrong;
    larch_check("tasks share the processor", all_ran);
    larch_check("registers and rounding mode survive switches", !wrong);
    larch_check("a task new to floating point rounds as usual", !foreign_mode);
}

/* ---- queue --------------------------------------------------------------- */

static QueueHandle_t there, back;

static void answer(void *unused)
{
    (void)unused;
    for (uint32_t number;;)
        if (xQueueReceive(there, &number, portMAX_DELAY) == pdTRUE) {
            number = ~number;
            xQueueSend(back, &number, portMAX_DELAY);
        }
}

static void check_queue(void)
{
    static StaticQueue_t queues[2];
    static uint32_t slots[2][4];
    static StaticTask_t task;
    static StackType_t stack[WORKER_WORDS] __attribute__((aligned(portBYTE_ALIGNMENT)));
    there = xQueueCreateStatic(4, sizeof(uint32_t), (uint8_t *)slots[0], &queues[0]);
    back = xQueueCreateStatic(4, sizeof(uint32_t), (uint8_t *)slots[1], &queues[1]);
    xTaskCreateStatic(answer, "answer", WORKER_WORDS, NULL, 1, stack, &task);
    bool right = true;
    for (uint32_t i = 0; i < 1000 && right; i++) {
        uint32_t got = 0;
        right = xQueueSend(there, &i, 1000) == pdTRUE && xQueueReceive(back, &got, 1000) == pdTRUE && got == ~i;
    }
    larch_check("queues carry a thousand numbers there and back", right);
    uint32_t none;
    larch_check("an empty queue times out", xQueueReceive(back, &none, 3) == pdFALSE);
}

/* ---- time ---------------------------------------------------------------- */

/* The tick, and the clock at that tick: read again if the host took the processor away in between. */
static TickType_t tick_at(uint64_t *us)
{
    TickType_t tick;
    uint64_t before;
    do {
        before = larch_board_now_us();
        tick = xTaskGetTickCount();
        *us = larch_board_now_us();
    } while (*us - before > 500);
    return tick;
}

/* By the board's own clock, so that a slow host does not matter; ticks that slipped are made up for. */
static void check_tick(void)
{
    uint64_t from_us, to_us;
    vTaskDelay(1);
    const TickType_t from = tick_at(&from_us);
    vTaskDelay(200);
    const uint32_t ticks = tick_at(&to_us) - from, took = (uint32_t)(to_us - from_us);
    larch_check("a tick is a millisecond", took + 2000 > ticks * 1000 && took < ticks * 1000 + 2000);
    larch_check("a delay is as long as asked", ticks >= 200 && took >= 199000);
    const uint32_t before = larch_board_instructions();
    larch_check("instructions are counted", larch_board_instructions() != before);
}

static void check_critical(void)
{
    taskENTER_CRITICAL();
    taskENTER_CRITICAL();
    taskEXIT_CRITICAL();
    const TickType_t tick = xTaskGetTickCount();
    for (const uint64_t until = larch_board_now_us() + 5000; larch_board_now_us() < until;)
        ;
    const bool held = xTaskGetTickCount() == tick;
    taskEXIT_CRITICAL();
    vTaskDelay(1);
    larch_check("a critical section holds the tick off, nested too", held);
    larch_check("held ticks are made up for", xTaskGetTickCount() - tick >= 5);
}

void larch_check_kernel(void)
{
    check_queue();
    check_registers();
    check_tick();
    check_critical();
    const uint32_t left = (uint32_t)uxTaskGetStackHighWaterMark(NULL);
    larch_check("stacks are painted", left > 0 && left < 512);
}
