/* SPDX-License-Identifier: Apache-2.0 */
/* No command that makes or uses keys starts on a machine on which the self-test fails. The linker
 * puts __wrap_larch_pq_self_test where the program calls larch_pq_self_test. */
#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/app.h"
#include "larch/kem.h"

larch_error __wrap_larch_pq_self_test(void);

static unsigned calls;
static larch_error answer;

larch_error __wrap_larch_pq_self_test(void)
{
    calls++;
    return answer;
}

/* Runs a command with its words and with stderr kept in text. */
static int run(int (*command)(int argc, char **argv), const char *const *words, char *text, size_t cap)
{
    char copies[8][64], *argv[9] = {NULL};
    int argc = 0;
    for (; words[argc] != NULL; argc++) {
        assert_true(larch_app_copy(words[argc], copies[argc], sizeof copies[argc]));
        argv[argc] = copies[argc];
    }
    FILE *file = tmpfile();
    const int before = dup(STDERR_FILENO);
    assert_non_null(file);
    assert_true(before >= 0);
    assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
    optind = 0; /* glibc's getopt begins anew */
    const int code = command(argc, argv);
    assert_true(dup2(before, STDERR_FILENO) >= 0);
    (void)close(before);
    rewind(file);
    text[fread(text, 1, cap - 1, file)] = '\0';
    (void)fclose(file);
    return code;
}

static void test_start(void **state)
{
    (void)state;
    calls = 0;
    answer = LARCH_OK;
    assert_int_equal(larch_app_start_crypto("test"), LARCH_EXIT_DONE);
    assert_int_equal(calls, 1);
}

static void test_commands(void **state)
{
    (void)state;
    char folder[] = "/tmp/larch-start-XXXXXX", text[1024], starts[64];
    assert_non_null(mkdtemp(folder));
    const struct {
        int (*main)(int argc, char **argv);
        const char *words[8];
    } commands[] = {
        {larch_gateway_main, {"gateway", "--listen", "127.0.0.1:0", "--state", folder}},
        {larch_send_main, {"send", "coap://127.0.0.1:9", "text"}},
        {larch_keys_main, {"keys", "show", "--state", folder}},
        {larch_bench_main, {"bench", "kem"}},
        {larch_demo_main, {"demo"}},
    };
    answer = LARCH_PLATFORM;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        calls = 0;
        assert_int_equal(run(commands[i].main, commands[i].words, text, sizeof text), LARCH_EXIT_FAILED);
        assert_int_equal(calls, 1);
        (void)snprintf(starts, sizeof starts, "larch %s: the post-quantum code fails its self-test",
                       commands[i].words[0]);
        assert_memory_equal(text, starts, strlen(starts));
    }
    assert_int_equal(rmdir(folder), 0); /* nothing was made in it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_start), cmocka_unit_test(test_commands)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
