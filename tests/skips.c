/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmocka counts a skipped test as one that passed. Linked between it and every test program (ld --wrap), this makes a
 * program in which no test ran exit with 77, which CTest reports as skipped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define EXIT_SKIPPED 77

int __real__cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t count,
                                   CMFixtureFunction setup, CMFixtureFunction teardown);
int __wrap__cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t count,
                                   CMFixtureFunction setup, CMFixtureFunction teardown);
void __real__skip(const char *file, int line);
void __wrap__skip(const char *file, int line);

static size_t skipped;

void __wrap__skip(const char *file, int line)
{
    skipped++;
    __real__skip(file, line);
}

int __wrap__cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t count,
                                   CMFixtureFunction setup, CMFixtureFunction teardown)
{
    const int failed = __real__cmocka_run_group_tests(name, tests, count, setup, teardown);
    return failed == 0 && skipped == count ? EXIT_SKIPPED : failed;
}
