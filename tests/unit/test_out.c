/* SPDX-License-Identifier: Apache-2.0 */
/* Lines for readers that are slow, stand still or are gone: nobody waits for them, and no line is cut. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/out.h"
#include "output_ends.h"

static larch_out out;
static int reader, end;
static unsigned put;      /* number of the next line */
static unsigned expected; /* that the reader is to find next */
static char text[4096];
static size_t text_len;

static void begin(output_kind k)
{
    output_ends_make(k, &reader, &end);
    larch_out_init(&out, end);
    put = expected = 0;
    text_len = 0;
    (void)alarm(60); /* who waits for a reader would wait for ever */
}

static void finish(void)
{
    (void)alarm(0);
    if (out.fd != end)
        (void)close(out.fd);
    (void)close(reader);
    (void)close(end);
}

/* One more line; false: it was dropped. */
static bool put_line(void)
{
    char line[128];
    const uint64_t dropped = out.dropped;
    const int len = snprintf(line, sizeof line, "%u %.*s\n", put, (int)(put % 89),
                             "..........................."
                             "..............................................................");
    larch_writer_put(larch_out_line(&out), (larch_bytes){(const uint8_t *)line, (size_t)len});
    if (out.dropped == dropped)
        put++;
    return out.dropped == dropped;
}

/* Reads at most so much and checks every whole line of it. Returns how much. */
static size_t read_some(size_t most)
{
    char *line = text, *next;
    const size_t room = sizeof text - text_len - 1;
    const ssize_t n = read(reader, text + text_len, most < room ? most : room);
    if (n <= 0)
        return 0;
    text_len += (size_t)n;
    text[text_len] = '\0';
    for (; (next = strchr(line, '\n')) != NULL; line = next + 1) {
        char *number_end;
        assert_int_equal(strtoul(line, &number_end, 10), expected);
        assert_int_equal(next - number_end - 1, expected % 89);
        expected++;
    }
    text_len -= (size_t)(line - text);
    memmove(text, line, text_len);
    return (size_t)n;
}

/* All that waits, line by line, in order, none cut. */
static void read_all(void)
{
    size_t n;
    do {
        assert_true(larch_out_flush(&out));
        n = read_some(sizeof text);
    } while (n > 0 || larch_out_waits(&out));
    assert_int_equal(expected, put);
    assert_int_equal(text_len, 0);
}

static void test_reader_stands_still(void **state)
{
    (void)state;
    for (output_kind k = PIPE; k < OUTPUT_KINDS; k++) {
        begin(k);
        while (put_line())
            assert_true(larch_out_flush(&out));
        assert_true(out.writer.len - out.done >= LARCH_OUT_BYTES / 2);
        for (unsigned i = 0; i < 99; i++)
            assert_false(put_line());
        assert_int_equal(out.dropped, 100);
        assert_true(larch_out_flush(&out));
        assert_false(larch_out_finish(&out, 1));
        assert_int_equal(out.error, 0);
        read_all();
        assert_true(put_line()); /* there is room again, and the gap was counted */
        assert_true(larch_out_finish(&out, 1000));
        read_all();
        finish();
    }
}

/* It falls behind by up to half of the buffer, again and again, and misses nothing. */
static void test_reader_is_slow(void **state)
{
    (void)state;
    for (output_kind k = PIPE; k < OUTPUT_KINDS; k++) {
        begin(k);
        for (unsigned round = 0; round < 12; round++) {
            while (out.writer.len - out.done < LARCH_OUT_BYTES / 2 - LARCH_OUT_LINE) {
                assert_true(put_line());
                if (put % 64 == 0) {
                    assert_true(larch_out_flush(&out));
                    (void)read_some(1000);
                }
            }
            while (out.writer.len - out.done > LARCH_OUT_BYTES / 8) {
                assert_true(larch_out_flush(&out));
                (void)read_some(3000);
            }
        }
        assert_int_equal(out.dropped, 0);
        read_all();
        finish();
    }
}

static void test_reader_is_gone(void **state)
{
    (void)state;
    begin(PIPE);
    assert_true(put_line());
    (void)close(reader);
    assert_false(larch_out_flush(&out));
    assert_int_equal(out.error, EPIPE);
    for (unsigned i = 0; i < 100000; i++)
        assert_true(put_line()); /* to nowhere, without an end */
    assert_false(larch_out_flush(&out));
    assert_false(larch_out_waits(&out));
    assert_false(larch_out_finish(&out, 1000));
    finish();
}

/* Who shares the open file with us must not find it changed. */
static void test_flags_are_left_alone(void **state)
{
    (void)state;
    for (output_kind k = PIPE; k < OUTPUT_KINDS; k++) {
        begin(k);
        assert_true(put_line());
        assert_true(larch_out_flush(&out));
        assert_int_equal(fcntl(end, F_GETFL) & O_NONBLOCK, 0);
        read_all();
        finish();
    }
}

int main(void)
{
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reader_stands_still),
        cmocka_unit_test(test_reader_is_slow),
        cmocka_unit_test(test_reader_is_gone),
        cmocka_unit_test(test_flags_are_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
