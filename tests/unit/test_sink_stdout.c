/* SPDX-License-Identifier: Apache-2.0 */
/* Readers that are fast, slow, stopped or gone: each row reaches them whole, in order and once, or again with its mark. */
#ifndef _GNU_SOURCE /* the program's tests have it already */
#define _GNU_SOURCE /* NOLINT(bugprone-reserved-identifier): mkdtemp, posix_openpt, cfmakeraw */
#endif
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <termios.h>

#include <cmocka.h>

#include "outbox_folder.h"
#include "output_ends.h"
#include "sinks/stdout.h"

static larch_stdout out;
static larch_sink sink;
static int reader = -1, end = -1;
static uint64_t now_ms;
static bool is_open;

/* What the reader has got: whole lines are checked and counted. */
static char text[1 << 16];
static size_t text_len;
static unsigned expected; /* the row that is to come next */
static unsigned repeats;  /* lines with the mark */
static unsigned blanks;

/* "12 message 12......\n", with the mark before its end. */
static void format_row(void *context, const larch_outbox_row *row, larch_writer *line)
{
    char number[32];
    const int len = snprintf(number, sizeof number, "%u ", (unsigned)row->position.sequence);
    assert_ptr_equal(context, &out);
    larch_writer_put(line, (larch_bytes){(const uint8_t *)number, (size_t)len});
    larch_writer_put(line, row->message.text);
    if (row->repeat)
        larch_writer_put(line, LARCH_TEXT(" (repeat)"));
    larch_writer_put_u8(line, '\n');
}

static void put_texts(unsigned count, size_t len)
{
    static uint8_t padded[LARCH_OUTBOX_TEXT_MAX];
    for (unsigned i = 0; i < count; i++) {
        char number[64];
        uint8_t id[14];
        larch_outbox_message m = message_of(put_number + 1, number, id);
        memset(padded, '.', sizeof padded);
        memcpy(padded, number, m.text.len);
        m.text = (larch_bytes){padded, len > m.text.len ? len : m.text.len};
        assert_int_equal(larch_outbox_put(outbox, &m), LARCH_OK);
        put_number++;
    }
    assert_int_equal(larch_outbox_commit(outbox), LARCH_OK);
    larch_outbox_marked(outbox);
}

static void make_ends(output_kind kind) { output_ends_make(kind, &reader, &end); }

/* A run of the program, with its standard output at this end. */
static void start(void)
{
    assert_int_equal(open_outbox(), LARCH_OK);
    larch_outbox_marked(outbox);
    assert_int_equal(larch_stdout_open(&out, end, format_row, &out), LARCH_OK);
    sink = larch_stdout_sink(&out);
    is_open = true;
    (void)alarm(60); /* who waits for a reader would wait for ever */
}

/* in_order: else as after a crash, in which the sink could not say what had left. */
static void stop(bool in_order)
{
    if (in_order)
        larch_sink_stop(&sink, outbox, 0);
    larch_stdout_close(&out);
    assert_int_equal(close_outbox(), LARCH_OK);
    is_open = false;
    (void)alarm(0);
}

static void close_ends(void)
{
    if (reader >= 0)
        (void)close(reader);
    if (end >= 0)
        (void)close(end);
    reader = end = -1;
    text_len = 0;
}

static larch_error pump_once(void)
{
    bool outbox_failed;
    const larch_error e = larch_sink_pump(&sink, outbox, 0, now_ms, &outbox_failed);
    assert_false(outbox_failed);
    return e;
}

static void pump(void)
{
    larch_error e;
    while ((e = pump_once()) == LARCH_AGAIN)
        ;
    assert_int_equal(e, LARCH_OK);
}

static void check_line(char *line)
{
    char want[32];
    const char *mark = strstr(line, " (repeat)");
    if (line[0] == '\0') {
        blanks++;
        return;
    }
    const int len = snprintf(want, sizeof want, "%u message %u", expected, expected);
    if (strncmp(line, want, (size_t)len) != 0)
        fail_msg("%.40s in place of %s", line, want);
    assert_int_equal(strspn(line + len, "."), (mark != NULL ? (size_t)(mark - line) : strlen(line)) - (size_t)len);
    repeats += mark != NULL;
    expected++;
}

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
        *next = '\0';
        check_line(line);
    }
    text_len -= (size_t)(line - text);
    memmove(text, line, text_len);
    return (size_t)n;
}

static void read_everything(void)
{
    size_t n;
    do {
        pump();
        n = read_some(sizeof text);
    } while (n > 0 || sink.handed(&out) < put_number);
    pump();
    assert_int_equal(text_len, 0);
}

static uint64_t delivered(void) { return larch_outbox_use(outbox).delivered; }

static int set_up(void **state)
{
    expected = 1;
    repeats = blanks = 0;
    text_len = 0;
    now_ms = 1000;
    return set_up_folder(state);
}

static int tear_down(void **state)
{
    if (is_open)
        stop(true);
    close_ends();
    return tear_down_folder(state);
}

/* ---- readers that keep up ---------------------------------------------------- */

static void test_fast_reader(void **state)
{
    (void)state;
    for (output_kind k = PIPE; k < OUTPUT_KINDS; k++) {
        expected = put_number + 1;
        make_ends(k);
        start();
        for (unsigned i = 0; i < 50; i++) {
            put_texts(1 + i * 5, i);
            pump();
            if (k != TERMINAL) /* not before it has read */
                assert_true(delivered() < put_number);
            read_everything();
            assert_int_equal(delivered(), put_number);
            assert_int_equal(expected, put_number + 1);
            assert_true(sink.deadline_ms(&out) == UINT64_MAX);
        }
        assert_int_equal(fcntl(end, F_GETFL) & O_NONBLOCK, 0); /* others share the open file */
        stop(true);
        close_ends();
    }
    assert_int_equal(repeats, 0);
}

/* Never empty, and rows are delivered all the same: what it read is known. */
static void test_slow_reader(void **state)
{
    (void)state;
    make_ends(PIPE);
    start();
    unsigned behind = 0;
    for (unsigned i = 0; i < 400; i++) {
        put_texts(16, 100);
        pump();
        if (i > 30) {
            (void)read_some(1500);
            pump();
            behind = put_number - (unsigned)delivered();
            assert_int_equal(delivered(), expected - 1); /* each whole line, and no other */
        }
    }
    assert_true(behind > 600);
    read_everything();
    assert_int_equal(delivered(), put_number);
    assert_int_equal(repeats, 0);
}

static void test_slow_reader_of_a_socket(void **state)
{
    (void)state;
    make_ends(SOCKET);
    start();
    for (unsigned i = 0; i < 60; i++)
        put_texts(32, 100);
    pump();
    assert_true(out.written >= 1 << 15 && out.written < 1 << 18); /* no more than a window is out */
    while (expected <= put_number) {
        assert_true(read_some(700) > 0);
        pump();
        while (read_some(700) > 0)
            ;
        pump();
        assert_int_equal(delivered(), expected - 1); /* read empty */
    }
    assert_int_equal(delivered(), put_number);
    assert_int_equal(repeats, 0);
}

/* ---- readers that stop ------------------------------------------------------- */

static void test_stopped_reader(void **state)
{
    (void)state;
    for (output_kind k = PIPE; k <= SOCKET; k++) {
        const unsigned first = expected = put_number + 1;
        make_ends(k);
        start();
        for (unsigned i = 0; i < 100; i++) { /* 1.3 MB: the pipe and the buffer hold a tenth of it */
            put_texts(64, 200);
            pump();
        }
        struct pollfd fd;
        assert_int_equal(sink.wait(&out, &fd), 1);
        assert_int_equal(fd.events, out.len > out.done ? POLLOUT : 0);
        assert_int_equal(delivered(), first - 1);
        assert_true(out.cap < 1 << 17);
        assert_true(larch_outbox_use(outbox).bytes > 1000000);
        const unsigned left = (unsigned)sink.handed(&out);
        stop(true);
        start(); /* the same pipe, in which lines wait still */
        repeats = 0;
        while (read_some(sizeof text) > 0)
            ;
        const unsigned had = expected - 1;
        assert_true(had >= left - 1 && had <= left);
        assert_int_equal(repeats, 0);
        text_len = 0; /* of the line that is cut, in the next run it stands whole */
        expected = first;
        read_everything();
        assert_int_equal(expected, put_number + 1);
        assert_int_equal(repeats, left - first + 1); /* what had left, and no more */
        assert_int_equal(delivered(), put_number);
        stop(true);
        close_ends();
    }
}

/* Lines that fill the ring and not the pipe are taken at once: the pump that finds it goes on with the rows left. */
static void test_reader_takes_all(void **state)
{
    (void)state;
    make_ends(PIPE);
    start();
    for (unsigned i = 0; i < 8; i++)
        put_texts(200, 0);
    pump();
    assert_int_equal(sink.handed(&out), LARCH_STDOUT_LINES);
    while (read_some(sizeof text) > 0)
        ;
    assert_int_equal(expected, LARCH_STDOUT_LINES + 1);
    now_ms = sink.deadline_ms(&out);
    pump();
    assert_int_equal(sink.handed(&out), put_number);
    read_everything();
}

static void test_checks_become_rare(void **state)
{
    (void)state;
    static const unsigned waits[] = {20, 40, 80, 160, 320, 640, 1000, 1000};
    make_ends(PIPE);
    start();
    put_texts(2, 100);
    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        pump();
        assert_int_equal(sink.deadline_ms(&out) - now_ms, waits[i]);
        now_ms += waits[i] - 1;
        pump(); /* too early: nothing changes */
        assert_int_equal(sink.deadline_ms(&out), now_ms + 1);
        now_ms++;
    }
    (void)read_some(60); /* progress */
    pump();
    assert_int_equal(sink.deadline_ms(&out) - now_ms, 20);
    read_everything();
    assert_true(sink.deadline_ms(&out) == UINT64_MAX);
}

/* ---- ends and starts ----------------------------------------------------------- */

static void test_closed_reader(void **state)
{
    (void)state;
    for (output_kind k = PIPE; k <= SOCKET; k++) {
        struct pollfd fd;
        expected = put_number + 1;
        make_ends(k);
        start();
        put_texts(10, 50);
        read_everything();
        repeats = 0;
        put_texts(10, 50); /* into the pipe, and never read */
        pump();
        assert_int_equal(sink.wait(&out, &fd), 1);
        assert_int_equal(poll(&fd, 1, 0), 0);
        (void)close(reader);
        reader = -1;
        assert_int_equal(poll(&fd, 1, 0), 1); /* the program wakes up */
        assert_int_equal(pump_once(), LARCH_RESET);
        for (unsigned i = 0; i < 3; i++) {
            put_texts(10, 50);
            assert_int_equal(pump_once(), LARCH_OK); /* told once */
            assert_int_equal(sink.wait(&out, &fd), 0);
            assert_true(sink.deadline_ms(&out) == UINT64_MAX);
        }
        assert_int_equal(delivered(), put_number - 40);
        stop(true);
        close_ends();
        make_ends(k);
        start();
        read_everything();
        assert_int_equal(repeats, 10);
        assert_int_equal(expected, put_number + 1);
        assert_int_equal(delivered(), put_number);
        stop(true);
        close_ends();
        make_ends(PIPE);
        (void)close(reader);
        reader = -1;
        start(); /* gone before the first line */
        put_texts(1, 50);
        assert_int_equal(pump_once(), LARCH_RESET);
        stop(true);
        close_ends();
        make_ends(PIPE);
        start();
        expected = put_number;
        repeats = 0;
        read_everything();
        assert_int_equal(repeats, 0);
        stop(true);
        close_ends();
    }
}

static void test_repeat_after_a_crash(void **state)
{
    (void)state;
    make_ends(PIPE);
    start();
    put_texts(5, 50);
    read_everything();
    put_texts(5, 50);
    pump(); /* in the pipe */
    stop(false);
    start();
    while (read_some(sizeof text) > 0)
        ;
    assert_int_equal(expected, 11);
    assert_int_equal(repeats, 0);
    expected = 6;
    put_texts(2, 50);
    read_everything();
    assert_int_equal(repeats, 5);
    assert_int_equal(blanks, 0); /* short lines are never cut */
    assert_int_equal(expected, 13);
}

/* Longer than what a pipe takes as a whole: the reader has a part of it when the run ends. */
static void test_line_in_part(void **state)
{
    (void)state;
    make_ends(PIPE);
    start();
    assert_int_equal(fcntl(end, F_SETPIPE_SZ, 16384), 16384);
    put_texts(2, 20000);
    pump();
    assert_int_equal(sink.handed(&out), 1);
    assert_int_equal(read_some(16384), 16384);
    pump();
    assert_int_equal(sink.handed(&out), 2);
    assert_int_equal(read_some(20002 - 16384), 20002 - 16384);
    pump();
    assert_int_equal(delivered(), 0); /* its end of line is missing */
    assert_int_equal(read_some(1), 1);
    pump();
    assert_int_equal(delivered(), 1);
    stop(true);
    start();
    while (read_some(sizeof text) > 0)
        ;
    assert_int_equal(expected, 2);
    assert_true(text_len > 0 && text_len < 20000);
    pump();
    text_len = 0; /* the part, and the empty line ends it */
    read_everything();
    assert_int_equal(blanks, 1);
    assert_int_equal(expected, 3);
    assert_int_equal(repeats, 1);
}

/* ---- files ------------------------------------------------------------------- */

static void read_file(const char *path, char *to, size_t cap)
{
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    to[fread(to, 1, cap - 1, f)] = '\0';
    (void)fclose(f);
}

static void test_file(void **state)
{
    (void)state;
    char path[96], content[512];
    snprintf(path, sizeof path, "%s/lines", folder);
    end = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    assert_true(end >= 0 && write(end, "torn", 4) == 4);
    start();
    put_texts(2, 0);
    pump();
    assert_int_equal(delivered(), 2); /* written is delivered */
    assert_int_equal(sink.wait(&out, &(struct pollfd){0}), 0);
    stop(true);
    start();
    put_texts(1, 0);
    pump();
    read_file(path, content, sizeof content);
    assert_string_equal(content, "torn\n1 message 1\n2 message 2\n3 message 3\n");
}

static void test_full_disk(void **state)
{
    (void)state;
    end = open("/dev/full", O_WRONLY);
    assert_true(end >= 0);
    start();
    put_texts(2, 0);
    assert_int_equal(pump_once(), LARCH_PLATFORM); /* told once */
    assert_int_equal(larch_stdout_error(&out), ENOSPC);
    assert_int_equal(sink.deadline_ms(&out), now_ms + 1000);
    put_texts(2, 0);
    pump();
    now_ms += 1000;
    pump(); /* tried again, in vain */
    assert_int_equal(sink.deadline_ms(&out), now_ms + 1000);
    assert_int_equal(delivered(), 0);
    char path[96], content[256];
    snprintf(path, sizeof path, "%s/lines", folder);
    const int room = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(room >= 0 && dup2(room, end) == end); /* now there is room */
    (void)close(room);
    now_ms += 1000;
    pump();
    pump();
    assert_int_equal(delivered(), 4);
    read_file(path, content, sizeof content);
    assert_string_equal(content, "1 message 1\n2 message 2\n3 message 3\n4 message 4\n");
}

/* A socket whose peer has gone without a good-bye fails and is closed at once: nothing is tried again. */
static void test_closed_while_failing(void **state)
{
    (void)state;
    end = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_true(end >= 0);
    start();
    put_texts(1, 50);
    assert_int_equal(pump_once(), LARCH_RESET);
    assert_int_equal(larch_stdout_error(&out), ENOTCONN);
    assert_true(sink.deadline_ms(&out) == UINT64_MAX);
    now_ms += 5000;
    assert_int_equal(pump_once(), LARCH_OK);
    assert_true(sink.deadline_ms(&out) == UINT64_MAX);
}

int main(void)
{
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
        return 1;
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_fast_reader),
        TEST(test_slow_reader),
        TEST(test_slow_reader_of_a_socket),
        TEST(test_stopped_reader),
        TEST(test_closed_reader),
        TEST(test_reader_takes_all),
        TEST(test_checks_become_rare),
        TEST(test_repeat_after_a_crash),
        TEST(test_line_in_part),
        TEST(test_file),
        TEST(test_full_disk),
        TEST(test_closed_while_failing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
