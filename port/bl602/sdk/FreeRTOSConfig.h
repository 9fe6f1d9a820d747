/* SPDX-License-Identifier: Apache-2.0 */
/* What the roles and this port need of the SDK's kernel; its own configuration says more. */
#ifndef LARCH_SDK_FREERTOS_CONFIG_H
#define LARCH_SDK_FREERTOS_CONFIG_H

#define configTICK_RATE_HZ                      ((TickType_t)1000)
#define configUSE_16_BIT_TICKS                  0
#define configMAX_PRIORITIES                    32
#define configMINIMAL_STACK_SIZE                ((unsigned short)96)
#define configMAX_TASK_NAME_LEN                 16
#define configUSE_PREEMPTION                    1
#define configUSE_IDLE_HOOK                     1
#define configUSE_TICK_HOOK                     0
#define configUSE_MUTEXES                       1
#define configUSE_TRACE_FACILITY                1
#define configUSE_CO_ROUTINES                   0
#define configUSE_TIMERS                        1
#define configTIMER_TASK_PRIORITY               (configMAX_PRIORITIES - 1)
#define configTIMER_QUEUE_LENGTH                4
#define configTIMER_TASK_STACK_DEPTH            400
#define configSUPPORT_STATIC_ALLOCATION         1
#define configSUPPORT_DYNAMIC_ALLOCATION        1
#define configTOTAL_HEAP_SIZE                   ((size_t)14100)
#define configCHECK_FOR_STACK_OVERFLOW          2
#define configUSE_PORT_OPTIMISED_TASK_SELECTION 0

#define INCLUDE_vTaskDelay                  1
#define INCLUDE_vTaskDelete                 1
#define INCLUDE_vTaskSuspend                1
#define INCLUDE_vTaskPrioritySet            1
#define INCLUDE_uxTaskPriorityGet           1
#define INCLUDE_uxTaskGetStackHighWaterMark 1
#define INCLUDE_pcTaskGetTaskName           1

void vAssertCalled(void);
#define configASSERT(x) ((x) ? (void)0 : vAssertCalled())

#endif
