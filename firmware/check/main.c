/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "FreeRTOS.h"
#include "board/board.h"
#include "freertos_lwip/stacks.h"
#include "task.h"

#include "check.h"

enum { STACK_WORDS = 512 };

static bool all_passed = true;

void larch_check_say(const char *text) { larch_board_line_flush((larch_bytes){(const uint8_t *)text, strlen(text)}); }

const char *larch_check_digits(uint32_t value, char digits[LARCH_CHECK_DIGITS])
{
    size_t at = LARCH_CHECK_DIGITS - 1;
    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    return digits + at;
}

static void say_number(uint32_t value)
{
    char digits[LARCH_CHECK_DIGITS];
    larch_check_say(larch_check_digits(value, digits));
}

void larch_check(const char *name, bool passed)
{
    larch_check_say(passed ? "ok " : "FAILED ");
    larch_check_say(name);
    larch_check_say("\n");
    all_passed = all_passed && passed;
}

static void say_stack(const larch_port_stack *stack)
{
    larch_check_say("stack: ");
    larch_check_say(stack->name);
    larch_check_say(" ");
    say_number(stack->used);
    larch_check_say(" of ");
    say_number(stack->size);
    larch_check_say(" bytes\n");
}

static StackType_t stack[STACK_WORDS] __attribute__((aligned(portBYTE_ALIGNMENT)));

void larch_check_say_stacks(void)
{
    larch_port_stack each = {"check", sizeof stack, 0};
    each.used = (uint32_t)(sizeof stack - uxTaskGetStackHighWaterMark(NULL) * sizeof *stack);
    say_stack(&each);
    for (unsigned i = 0; larch_port_stack_of(i, &each); i++)
        say_stack(&each);
}

void larch_check_spoil_stack(void)
{
    stack[0] = 0;
    taskYIELD();
}

static void run(void *unused)
{
    (void)unused;
    larch_check_say("check of ");
    larch_check_say(larch_board_name);
    larch_check_say("\n");
    larch_check_kernel();
    larch_check_devices();
    const bool joined = larch_check_join();
    larch_check_say_stacks();
    larch_check_say(all_passed ? "all passed\n" : "some FAILED\n");
    if (joined)
        larch_check_echo();
    for (;;)
        vTaskDelay(portMAX_DELAY);
}

int main(void)
{
    static StaticTask_t task;
    larch_board_init();
    xTaskCreateStatic(run, "check", STACK_WORDS, NULL, 2, stack, &task);
    vTaskStartScheduler();
    larch_board_restart();
}
