/* SPDX-License-Identifier: Apache-2.0 */
/* What FreeRTOS asks of a port, for RV32 in machine mode; the names are FreeRTOS's. */
#ifndef LARCH_PORTMACRO_H
#define LARCH_PORTMACRO_H

#include <stdint.h>

#define portCHAR              char
#define portFLOAT             float
#define portDOUBLE            double
#define portLONG              long
#define portSHORT             short
#define portSTACK_TYPE        uint32_t
#define portBASE_TYPE         int32_t
#define portPOINTER_SIZE_TYPE uint32_t

typedef uint32_t StackType_t;
typedef int32_t BaseType_t;
typedef uint32_t UBaseType_t;
typedef uint32_t TickType_t;

#define portMAX_DELAY           UINT32_MAX
#define portTICK_TYPE_IS_ATOMIC 1
#define portTICK_PERIOD_MS      (1000 / configTICK_RATE_HZ)
#define portSTACK_GROWTH        (-1)
#define portBYTE_ALIGNMENT      16

/* ---- interrupts: all or none -------------------------------------------- */

#define portDISABLE_INTERRUPTS()                 __asm volatile("csrci mstatus, 8" ::: "memory")
#define portENABLE_INTERRUPTS()                  __asm volatile("csrsi mstatus, 8" ::: "memory")
/* No interrupt interrupts another. */
#define portSET_INTERRUPT_MASK_FROM_ISR()        0
#define portCLEAR_INTERRUPT_MASK_FROM_ISR(value) ((void)(value))

/* A task may yield inside a critical section; what it counts must stay with it. */
#define portCRITICAL_NESTING_IN_TCB 1
void vTaskEnterCritical(void);
void vTaskExitCritical(void);
#define portENTER_CRITICAL() vTaskEnterCritical()
#define portEXIT_CRITICAL()  vTaskExitCritical()

/* ---- switching ----------------------------------------------------------- */

void vTaskSwitchContext(void);
#define portYIELD()              __asm volatile("ecall" ::: "memory")
#define portYIELD_FROM_ISR(wake) ((wake) ? vTaskSwitchContext() : (void)0)
#define portEND_SWITCHING_ISR    portYIELD_FROM_ISR

#define portNOP() __asm volatile("nop")

#define portTASK_FUNCTION_PROTO(function, parameters) void function(void *parameters)
#define portTASK_FUNCTION(function, parameters)       void function(void *parameters)

#endif
