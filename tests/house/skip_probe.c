/* SPDX-License-Identifier: Apache-2.0 */
/* A test program as test_skips.py wants it: a letter of its argument a test, which passes, fails or is skipped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "skips.h"

static void passes(void **state) { (void)state; }
static void fails(void **state)
{
    (void)state;
    fail();
}
static void is_skipped(void **state)
{
    (void)state;
    skip_because("the probe was asked to");
}

int main(int argc, char **argv)
{
    struct CMUnitTest tests[] = {cmocka_unit_test(passes), cmocka_unit_test(passes), cmocka_unit_test(passes)};
    if (argc != 2 || strlen(argv[1]) != sizeof tests / sizeof tests[0])
        return 2;
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
        tests[i].test_func = argv[1][i] == 'p' ? passes : argv[1][i] == 'f' ? fails : is_skipped;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
