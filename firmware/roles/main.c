/* SPDX-License-Identifier: Apache-2.0 */
/* The start of every image: the board, then the one task of the role. */
#include "FreeRTOS.h"
#include "task.h"

#include "board/board.h"
#include "freertos_lwip/stacks.h"
#include "role.h"

#ifndef LARCH_ROLE_STACK
#define LARCH_ROLE_STACK 7168
#endif

LARCH_PORT_STACK(stack, LARCH_ROLE_STACK);
static StaticTask_t task;

static void run(void *context)
{
    (void)context;
    larch_port_stacks_guard();
    larch_role_main();
}

int main(void)
{
    larch_board_init();
    larch_port_stack_add(larch_role_name, stack.words, LARCH_PORT_STACK_WORDS(stack));
    (void)xTaskCreateStatic(run, larch_role_name, LARCH_PORT_STACK_WORDS(stack), NULL, 2, stack.words, &task);
    vTaskStartScheduler();
    return 1; /* never reached: nothing is allocated that could fail */
}
