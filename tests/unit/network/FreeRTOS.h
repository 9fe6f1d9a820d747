/* SPDX-License-Identifier: Apache-2.0 */
/* The little of FreeRTOS that port/freertos_lwip/network.c uses, for a test that is the only task: a queue of three places,
 * an event that nobody waits for. queue.h, semphr.h and task.h are this file. */
#ifndef LARCH_TEST_NETWORK_FREERTOS_H
#define LARCH_TEST_NETWORK_FREERTOS_H

#include <stdint.h>
#include <string.h>

#define portMAX_DELAY        0xffffffffu
#define pdTRUE               1
#define pdMS_TO_TICKS(ms)    (ms)
#define taskENTER_CRITICAL() ((void)0)
#define taskEXIT_CRITICAL()  ((void)0)

typedef uint32_t TickType_t;

typedef struct StaticQueue_t {
    uint8_t *slots;
    size_t size, count, cap;
} StaticQueue_t;
typedef StaticQueue_t *QueueHandle_t;

static inline QueueHandle_t xQueueCreateStatic(size_t cap, size_t size, uint8_t *slots, StaticQueue_t *memory)
{
    *memory = (StaticQueue_t){slots, size, 0, cap};
    return memory;
}

static inline int xQueueSend(QueueHandle_t q, const void *item, TickType_t wait)
{
    (void)wait;
    if (q->count == q->cap)
        return 0;
    memcpy(q->slots + q->size * q->count++, item, q->size);
    return pdTRUE;
}

static inline int xQueueReceive(QueueHandle_t q, void *item, TickType_t wait)
{
    (void)wait;
    if (q->count == 0)
        return 0;
    memcpy(item, q->slots, q->size);
    memmove(q->slots, q->slots + q->size, q->size * --q->count);
    return pdTRUE;
}

typedef struct StaticSemaphore_t {
    int unused;
} StaticSemaphore_t;
typedef StaticSemaphore_t *SemaphoreHandle_t;

static inline SemaphoreHandle_t xSemaphoreCreateBinaryStatic(StaticSemaphore_t *memory) { return memory; }
static inline int xSemaphoreTake(SemaphoreHandle_t s, TickType_t wait)
{
    (void)s;
    (void)wait;
    return 0;
}
static inline int xSemaphoreGive(SemaphoreHandle_t s)
{
    (void)s;
    return 1;
}

static inline void vTaskDelay(TickType_t ticks) { (void)ticks; }

#endif
