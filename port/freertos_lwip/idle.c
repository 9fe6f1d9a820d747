/* SPDX-License-Identifier: Apache-2.0 */
/* What FreeRTOS asks for its idle task: memory, and what to do. */
#include "FreeRTOS.h"
#include "stacks.h"
#include "task.h"

void vApplicationGetIdleTaskMemory(StaticTask_t **task, StackType_t **stack, uint32_t *stack_words);
void vApplicationIdleHook(void);

void vApplicationGetIdleTaskMemory(StaticTask_t **task, StackType_t **stack, uint32_t *stack_words)
{
    static StaticTask_t idle;
    LARCH_PORT_STACK(own, configMINIMAL_STACK_SIZE * sizeof(StackType_t));
    larch_port_stack_add("idle", own.words, configMINIMAL_STACK_SIZE);
    *task = &idle;
    *stack = own.words;
    *stack_words = configMINIMAL_STACK_SIZE;
}

/* The processor sleeps until an interrupt; an emulator gives its host's processor back. */
void vApplicationIdleHook(void) { __asm volatile("wfi"); }
