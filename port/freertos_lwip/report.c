/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include <string.h>

#include "FreeRTOS.h"
#include "board/board.h"
#include "task.h"

void vApplicationStackOverflowHook(TaskHandle_t task, char *name);

/* The longest there is: five numbers. */
#define TEXT_MAX 192

static void put(larch_writer *w, const char *text)
{
    larch_writer_put(w, (larch_bytes){(const uint8_t *)text, strlen(text)});
}

static void put_hex(larch_writer *w, uint32_t value)
{
    char text[] = "0x00000000";
    for (size_t i = sizeof text - 2; value != 0; i--, value >>= 4)
        text[i] = "0123456789abcdef"[value & 15];
    put(w, text);
}

/* All at one go: where nobody takes what the line says, it is waited for once. */
_Noreturn void larch_report_fatal(const char *what, const larch_report_number *numbers, size_t count)
{
    uint8_t text[TEXT_MAX];
    larch_writer w = larch_writer_to(text, sizeof text);
    portDISABLE_INTERRUPTS();
    larch_writer_put_u8(&w, 0); /* ends what the line may be in: a record */
    put(&w, "\r\n");
    put(&w, what);
    for (size_t i = 0; i < count; i++) {
        put(&w, i == 0 ? ": " : " ");
        put(&w, numbers[i].name);
        put(&w, " ");
        put_hex(&w, numbers[i].value);
    }
    put(&w, ", task ");
    put(&w, xTaskGetSchedulerState() == taskSCHEDULER_NOT_STARTED ? "none" : pcTaskGetName(NULL));
    put(&w, "\r\n");
    larch_board_line_flush((larch_bytes){text, w.len < sizeof text ? w.len : sizeof text});
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
