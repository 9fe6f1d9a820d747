/* SPDX-License-Identifier: Apache-2.0 */
#include "core.h"

#include "lwip/tcpip.h"

#if LWIP_TCPIP_CORE_LOCKING

void larch_core_call(void (*call)(void *argument), void *argument)
{
    LOCK_TCPIP_CORE();
    call(argument);
    UNLOCK_TCPIP_CORE();
}

#else

#include "FreeRTOS.h"
#include "semphr.h"
#include "task.h"

typedef struct {
    void (*call)(void *argument);
    void *argument;
    SemaphoreHandle_t done;
} job;

static void run(void *context)
{
    const job *j = context;
    j->call(j->argument);
    (void)xSemaphoreGive(j->done);
}

/* lwIP has a few messages for all; those in use come back soon. */
void larch_core_call(void (*call)(void *argument), void *argument)
{
    StaticSemaphore_t memory;
    job j = {call, argument, xSemaphoreCreateBinaryStatic(&memory)};
    while (tcpip_callback(run, &j) != ERR_OK)
        vTaskDelay(1);
    (void)xSemaphoreTake(j.done, portMAX_DELAY);
}

#endif
