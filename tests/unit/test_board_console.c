/* SPDX-License-Identifier: Apache-2.0 */
/* The boards' console: which bytes run which command, and what it says of the others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "board/board.h"
#include "roles/console.h"
#include "roles/restart.h"
#include "roles/say.h"
#include "roles/stacks.h"

/* What stands behind the console on a board. */
static char said[64];
static char ran[256];

void larch_say(const char *format, ...) { strncpy(said, format, sizeof said - 1); }
void larch_stacks_say(void) { strcat(ran, "stack;"); }
size_t larch_board_line_read(uint8_t *out, size_t cap)
{
    (void)out;
    (void)cap;
    return 0;
}
void larch_restart(const char *why)
{
    (void)why;
    fail_msg("restarted");
    for (;;)
        ;
}

static void run_a(larch_bytes rest)
{
    strcat(ran, "a(");
    strncat(ran, (const char *)rest.data, rest.len);
    strcat(ran, ");");
}
static void run_b(larch_bytes rest)
{
    (void)rest;
    strcat(ran, "b;");
}

static const larch_command commands[] = {{"send", "TEXT", "", run_a}, {"status", "", "", run_b}};
static larch_console console;

static void type(const char *text) { larch_console_take(&console, (larch_bytes){(const uint8_t *)text, strlen(text)}); }

static const struct {
    const char *typed, *ran, *said;
} rows[] = {
    {"status\n", "b;", ""},
    {"status\r\nstatus\r", "b;b;", ""},
    {"  status \t \n", "b;", ""},
    {"send  two words \n", "a(two words);", ""},
    {"send\n", "a();", ""},
    {"stakk\x7f\x08"
     "ck\n",
     "stack;", ""},
    {"\x7f\x7fstatus\n", "b;", ""},
    {"stat", "", ""},
    {"\n\r\n", "", ""},
    {"stack\n", "stack;", ""},
    {"status now\n", "", "error: %s takes nothing"},
    {"stack now\n", "", "error: %s takes nothing"},
    {"statusx\n", "", "error: no command '%q'; help lists them"},
    {"stat\x01us\n", "b;", ""},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        larch_console_init(&console, commands, 2);
        ran[0] = said[0] = 0;
        type(rows[i].typed);
        assert_string_equal(ran, rows[i].ran);
        assert_string_equal(said, rows[i].said);
    }
}

/* The longest line runs; a longer one is dropped whole, and the next one runs. */
static void test_length(void **state)
{
    (void)state;
    for (size_t len = LARCH_CONSOLE_LINE_MAX - 1; len <= LARCH_CONSOLE_LINE_MAX + 3; len++) {
        larch_console_init(&console, commands, 2);
        ran[0] = said[0] = 0;
        type("status");
        for (size_t i = 6; i < len; i++)
            type(" ");
        type("\n");
        assert_string_equal(ran, len <= LARCH_CONSOLE_LINE_MAX ? "b;" : "");
        assert_int_equal(said[0] != 0, len > LARCH_CONSOLE_LINE_MAX);
        type("status\n");
        assert_string_equal(ran, len <= LARCH_CONSOLE_LINE_MAX ? "b;b;" : "b;");
    }
}

/* A command of the board's is found like the others, and nothing of what was typed stays in memory. */
static void test_more(void **state)
{
    (void)state;
    static const larch_command wifi = {"wifi", "SSID PASSPHRASE", "", run_a};
    static const uint8_t nothing[LARCH_CONSOLE_LINE_MAX];
    larch_console_init(&console, commands, 2);
    ran[0] = said[0] = 0;
    type("wifi home secret78\n");
    assert_string_equal(ran, "");
    larch_console_add(&console, &wifi);
    ran[0] = said[0] = 0;
    type("wifi home secret78\nstatus\n");
    assert_string_equal(ran, "a(home secret78);b;");
    assert_string_equal(said, "");
    assert_memory_equal(console.line, nothing, sizeof console.line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows), cmocka_unit_test(test_length),
                                       cmocka_unit_test(test_more)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
