/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include <string.h>

#include "FreeRTOS.h"
#include "board/board.h"
#include "task.h"

void vApplicationStackOverflowHook(TaskHandle_t task, char *name);

static void say(const char *text) { larch_board_line_flush((larch_bytes){(const uint8_t *)text, strlen(text)}); }

static void say_hex(uint32_t value)
{
    char text[] = "0x00000000";
    for (size_t i = sizeof text - 2; value != 0; i--, value >>= 4)
        text[i] = "0123456789abcdef"[value & 15];
    say(text);
}

_Noreturn void larch_report_fatal(const char *what, const larch_report_number *numbers, size_t count)
{
    portDISABLE_INTERRUPTS();
    larch_board_line_flush((larch_bytes){(const uint8_t *)"", 1}); /* ends what the line may be in: a record */
    say("\r\n");
    say(what);
    for (size_t i = 0; i < count; i++) {
        say(i == 0 ? ": " : " ");
        say(numbers[i].name);
        say(" ");
        say_hex(numbers[i].value);
    }
    say(", task ");
    say(xTaskGetSchedulerState() == taskSCHEDULER_NOT_STARTED ? "none" : pcTaskGetName(NULL));
    say("\r\n");
    larch_board_restart();
}

_Noreturn void larch_report_assertion(void)
{
    const larch_report_number at = {"at", (uint32_t)(uintptr_t)__builtin_return_address(0)};
    larch_report_fatal("assertion", &at, 1);
}

void vApplicationStackOverflowHook(TaskHandle_t task, char *name)
{
    (void)task;
    (void)name; /* it is still the current task */
    larch_report_fatal("stack overflow", NULL, 0);
}
