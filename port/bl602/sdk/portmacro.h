/* SPDX-License-Identifier: Apache-2.0 */
/* What FreeRTOS's RISC-V port declares, as far as the roles and this port use it. */
#ifndef LARCH_SDK_PORTMACRO_H
#define LARCH_SDK_PORTMACRO_H

#include <stdint.h>

#define portSTACK_TYPE        uint32_t
#define portBASE_TYPE         long
#define portPOINTER_SIZE_TYPE uint32_t

typedef uint32_t StackType_t;
typedef long BaseType_t;
typedef unsigned long UBaseType_t;
typedef uint32_t TickType_t;

#define portMAX_DELAY           ((TickType_t)0xffffffffu)
#define portTICK_TYPE_IS_ATOMIC 1
#define portTICK_PERIOD_MS      ((TickType_t)1000 / configTICK_RATE_HZ)
#define portSTACK_GROWTH        (-1)
#define portBYTE_ALIGNMENT      16

#define portDISABLE_INTERRUPTS() __asm volatile("csrc mstatus, 8" ::: "memory")
#define portENABLE_INTERRUPTS()  __asm volatile("csrs mstatus, 8" ::: "memory")

#define portCRITICAL_NESTING_IN_TCB 1
void vTaskEnterCritical(void);
void vTaskExitCritical(void);
#define portENTER_CRITICAL() vTaskEnterCritical()
#define portEXIT_CRITICAL()  vTaskExitCritical()

#define portYIELD()                                   __asm volatile("ecall" ::: "memory")
#define portTASK_FUNCTION_PROTO(function, parameters) void function(void *parameters)
#define portTASK_FUNCTION(function, parameters)       void function(void *parameters)

#endif
