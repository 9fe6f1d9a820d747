/* SPDX-License-Identifier: Apache-2.0 */
/* The random numbers of a board's lwIP: where the source fails the board stops, and nobody sees a number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "board/board.h"
#include "freertos_lwip/report.h"

uint32_t larch_network_random(void);

static bool fails;
static jmp_buf stopped;

larch_error larch_board_random(void *context, uint8_t *out, size_t len)
{
    (void)context;
    memset(out, fails ? 0 : 0x5a, len);
    return fails ? LARCH_PLATFORM : LARCH_OK;
}

void larch_report_fatal(const char *what, const larch_report_number *numbers, size_t count)
{
    (void)numbers;
    (void)count;
    assert_string_equal(what, "the random source failed");
    longjmp(stopped, 1);
}
void larch_report_assertion(void) { abort(); }

static void test_failing(void **state)
{
    (void)state;
    assert_int_equal(larch_network_random(), 0x5a5a5a5a);
    fails = true;
    if (setjmp(stopped) == 0) {
        (void)larch_network_random();
        fail_msg("a number came");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_failing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
