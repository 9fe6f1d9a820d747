/* SPDX-License-Identifier: Apache-2.0 */
/* The loop that I2C runs in; its stack in words. */
#ifndef LARCH_SDK_LOOPRT_H
#define LARCH_SDK_LOOPRT_H

#include "FreeRTOS.h"
#include "task.h"

int looprt_start(StackType_t *proc_stack_looprt, int stack_count, StaticTask_t *proc_task_looprt);

#endif
