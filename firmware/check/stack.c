/* SPDX-License-Identifier: Apache-2.0 */
/* The check's own task, and its stack. */
#include "FreeRTOS.h"
#include "freertos_lwip/stacks.h"
#include "task.h"

#include "check.h"

enum { STACK_WORDS = 512 };

LARCH_PORT_STACK(stack, STACK_WORDS * sizeof(StackType_t));

static void say_number(uint32_t value)
{
    char digits[LARCH_CHECK_DIGITS];
    larch_check_say(larch_check_digits(value, digits));
}

static void say_stack(const larch_port_stack *each)
{
    larch_check_say("stack: ");
    larch_check_say(each->name);
    larch_check_say(" ");
    say_number(each->used);
    larch_check_say(" of ");
    say_number(each->size);
    larch_check_say(" bytes\n");
}

void larch_check_say_stacks(void)
{
    larch_port_stack each;
    for (unsigned i = 0; larch_port_stack_of(i, &each); i++)
        say_stack(&each);
}

/* ---- too deep --------------------------------------------------------------- */

static uint32_t go_deeper(uint32_t steps)
{
    volatile uint32_t here = steps;
    return steps == 0 ? 0 : go_deeper(steps - 1) + here;
}

void larch_check_overflow(void)
{
    if (go_deeper(STACK_WORDS) > 0)
        larch_check_say("a stack may be endless\n");
}

/* Of memory.ld: as an interrupt's handler that goes too deep. */
extern volatile uint32_t __interrupt_guard[LARCH_PORT_GUARD_LEN / 4];

void larch_check_overflow_interrupts(void) { __interrupt_guard[LARCH_PORT_GUARD_LEN / 4 - 1] = 1; }

/* ---- the task ---------------------------------------------------------------- */

static void (*body)(void *);

static void begin(void *unused)
{
    larch_port_stacks_guard();
    body(unused);
}

void larch_check_start(void (*run)(void *))
{
    static StaticTask_t task;
    body = run;
    larch_port_stack_add("check", stack.words, STACK_WORDS);
    xTaskCreateStatic(begin, "check", STACK_WORDS, NULL, 2, stack.words, &task);
}
