/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of the boards' talk: what they look like, and that a line which nobody reads stops nobody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "board/board.h"
#include "roles/say.h"
#include "roles/sleep.h"

static struct {
    uint64_t now_ms;
    size_t room;
    char text[4096];
} line;

uint64_t larch_board_now_ms(void) { return line.now_ms; }
void larch_sleep_ms(uint32_t ms) { line.now_ms += ms; }
size_t larch_board_line_room(void) { return line.room; }
size_t larch_board_line_write(larch_bytes bytes)
{
    const size_t len = bytes.len < line.room ? bytes.len : line.room;
    strncat(line.text, (const char *)bytes.data, len);
    line.room -= len;
    return len;
}

static int start(void **state)
{
    (void)state;
    memset(&line, 0, sizeof line);
    line.room = sizeof line.text - 1;
    return 0;
}

/* Times go on after 49.7 days. */
static void test_numbers(void **state)
{
    (void)state;
    larch_say("up %U ms", (uint64_t)5000000000);
    larch_say("%u, %U, %U", UINT32_MAX, (uint64_t)0, UINT64_MAX);
    assert_string_equal(line.text, "up 5000000000 ms\n4294967295, 0, 18446744073709551615\n");
}

static void test_nobody_reads(void **state)
{
    (void)state;
    line.room = 3; /* too little for any line, and it stays so */
    larch_say("first");
    assert_in_range(line.now_ms, 1000, 1010);
    for (int i = 0; i < 100; i++)
        larch_say("more");
    assert_in_range(line.now_ms, 1000, 1010); /* who has waited once waits no more */
    assert_string_equal(line.text, "");
    line.room = 1000;
    larch_say("back");
    larch_say("again");
    assert_string_equal(line.text, "line: 101 lines were lost\nback\nagain\n");
}

/* The longest line is cut, never split. */
static void test_length(void **state)
{
    (void)state;
    char text[2 * LARCH_SAY_MAX + 1];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    larch_say("%s", text);
    assert_int_equal(strlen(line.text), LARCH_SAY_MAX + 1);
    assert_int_equal(line.text[LARCH_SAY_MAX], '\n');
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup(test_numbers, start),
                                       cmocka_unit_test_setup(test_nobody_reads, start),
                                       cmocka_unit_test_setup(test_length, start)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
