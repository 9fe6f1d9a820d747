/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel as every board has it: preemptive, 1 ms ticks, all memory static, mistakes end in a report and a restart. */
#ifndef LARCH_FREERTOS_CONFIG_H
#define LARCH_FREERTOS_CONFIG_H

#include "report.h"

#define configTICK_RATE_HZ                      1000
#define configUSE_16_BIT_TICKS                  0
#define configMAX_PRIORITIES                    5
#define configMINIMAL_STACK_SIZE                96 /* words; the idle task's */
#define configMAX_TASK_NAME_LEN                 8
#define configUSE_PREEMPTION                    1
#define configUSE_TIME_SLICING                  1
#define configIDLE_SHOULD_YIELD                 1
#define configUSE_MUTEXES                       1
#define configUSE_TASK_NOTIFICATIONS            1
#define configUSE_PORT_OPTIMISED_TASK_SELECTION 0
#define configUSE_TIMERS                        0
#define configUSE_CO_ROUTINES                   0
#define configUSE_IDLE_HOOK                     1
#define configUSE_TICK_HOOK                     0
#define configUSE_TRACE_FACILITY                0
#define configQUEUE_REGISTRY_SIZE               0

#define configSUPPORT_STATIC_ALLOCATION  1
#define configSUPPORT_DYNAMIC_ALLOCATION 0

#define configCHECK_FOR_STACK_OVERFLOW 2
#define configASSERT(condition)        ((condition) ? (void)0 : larch_report_assertion())

#define INCLUDE_vTaskDelay                  1
#define INCLUDE_vTaskDelayUntil             1
#define INCLUDE_vTaskDelete                 0
#define INCLUDE_vTaskSuspend                1 /* portMAX_DELAY is for ever */
#define INCLUDE_vTaskPrioritySet            0
#define INCLUDE_uxTaskPriorityGet           0
#define INCLUDE_uxTaskGetStackHighWaterMark 1
#define INCLUDE_xTaskGetSchedulerState      1
#define INCLUDE_xTaskGetCurrentTaskHandle   1
#define INCLUDE_pcTaskGetTaskName           1

/* Of Cortex-M3: the system timer runs at the processor's clock; FreeRTOS's own interrupts are the least urgent. */
#ifdef __arm__
#define configCPU_CLOCK_HZ                   25000000
#define configPRIO_BITS                      3
#define configKERNEL_INTERRUPT_PRIORITY      (7 << (8 - configPRIO_BITS))
#define configMAX_SYSCALL_INTERRUPT_PRIORITY (2 << (8 - configPRIO_BITS))
#endif

#endif
