/* SPDX-License-Identifier: Apache-2.0 */
#include "FreeRTOS.h"
#include "task.h"

#include "say.h"
#include "stacks.h"

static struct {
    const char *name;
    TaskHandle_t task;
    uint32_t size;
} tasks[LARCH_STACKS_MAX];
static unsigned count;

void larch_stacks_add(const char *name, void *task, uint32_t size)
{
    configASSERT(count < LARCH_STACKS_MAX);
    tasks[count].name = name;
    tasks[count].task = task;
    tasks[count].size = size;
    count++;
}

void larch_stacks_say(void)
{
    for (unsigned i = 0; i < count; i++) {
        const uint32_t left = (uint32_t)uxTaskGetStackHighWaterMark(tasks[i].task) * (uint32_t)sizeof(StackType_t);
        larch_say("stack: %s %u of %u bytes", tasks[i].name, tasks[i].size - left, tasks[i].size);
    }
}
