/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "FreeRTOS.h"
#include "board/board.h"
#include "task.h"

#include "check.h"

static bool all_passed = true;

void larch_check_say(const char *text) { larch_board_line_flush((larch_bytes){(const uint8_t *)text, strlen(text)}); }

void larch_check_say_number(const char *name, uint32_t value)
{
    char digits[11];
    size_t at = sizeof digits - 1;
    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    larch_check_say(name);
    larch_check_say(" ");
    larch_check_say(digits + at);
    larch_check_say("\n");
}

void larch_check(const char *name, bool passed)
{
    larch_check_say(passed ? "ok " : "FAILED ");
    larch_check_say(name);
    larch_check_say("\n");
    all_passed = all_passed && passed;
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
    larch_check_say(all_passed ? "all passed\n" : "some FAILED\n");
    if (joined)
        larch_check_echo();
    larch_check_say("end\n");
    for (;;)
        vTaskDelay(portMAX_DELAY);
}

int main(void)
{
    static StaticTask_t task;
    static StackType_t stack[512] __attribute__((aligned(portBYTE_ALIGNMENT)));
    larch_board_init();
    xTaskCreateStatic(run, "check", sizeof stack / sizeof *stack, NULL, 2, stack, &task);
    vTaskStartScheduler();
    larch_board_restart();
}
