/* SPDX-License-Identifier: Apache-2.0 */
/* Random bytes: each leaves once, to one process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "system.h"

enum { DRAWS = 4000, LEN = 16 };

static uint8_t drawn[2 * DRAWS][LEN];

static int compare(const void *a, const void *b) { return memcmp(a, b, LEN); }

static void assert_all_different(size_t count)
{
    qsort(drawn, count, LEN, compare);
    for (size_t i = 1; i < count; i++)
        assert_true(memcmp(drawn[i - 1], drawn[i], LEN) != 0);
}

static void fill_all(uint8_t (*out)[LEN])
{
    const larch_random random = larch_posix_random();
    for (size_t i = 0; i < DRAWS; i++)
        assert_int_equal(larch_random_fill(&random, out[i], LEN), LARCH_OK);
}

static void test_no_bytes_twice(void **state)
{
    (void)state;
    fill_all(drawn);
    assert_all_different(DRAWS);
}

/* What a child draws is not what its parent draws, nor what was waiting when it was made. */
static void test_a_child_has_its_own(void **state)
{
    const larch_random random = larch_posix_random();
    uint8_t one[LEN];
    int ends[2], status;
    (void)state;
    assert_int_equal(larch_random_fill(&random, one, LEN), LARCH_OK); /* more of them wait now */
    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        fill_all(drawn);
        for (size_t at = 0; at < DRAWS * LEN;) {
            const ssize_t n = write(ends[1], (const uint8_t *)drawn + at, DRAWS * LEN - at);
            if (n <= 0)
                _exit(1);
            at += (size_t)n;
        }
        _exit(0);
    }
    close(ends[1]);
    for (size_t at = 0; at < DRAWS * LEN;) {
        const ssize_t n = read(ends[0], (uint8_t *)drawn[DRAWS] + at, DRAWS * LEN - at);
        assert_true(n > 0);
        at += (size_t)n;
    }
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    fill_all(drawn);
    assert_all_different(2 * DRAWS);
}

static void test_any_length(void **state)
{
    static uint8_t out[5000];
    const larch_random random = larch_posix_random();
    (void)state;
    for (size_t len = 0; len < sizeof out; len = len < 40 ? len + 1 : 2 * len) {
        memset(out, 0, sizeof out);
        assert_int_equal(larch_random_fill(&random, out, len), LARCH_OK);
        for (size_t i = len; i < sizeof out; i++)
            assert_int_equal(out[i], 0);
        unsigned zeros = 0;
        for (size_t i = 0; i < len; i++)
            zeros += out[i] == 0;
        assert_true(zeros <= 8 + len / 64);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_bytes_twice),
        cmocka_unit_test(test_a_child_has_its_own),
        cmocka_unit_test(test_any_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
