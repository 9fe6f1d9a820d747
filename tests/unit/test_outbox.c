/* SPDX-License-Identifier: Apache-2.0 */
/* Messages in, rows out, each once: bounds, cursors, repeats, what a file is refused for. */
#define _DEFAULT_SOURCE /* NOLINT(bugprone-reserved-identifier): mkdtemp */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "outbox_folder.h"
#include "registry/outbox_record.h"

/* Reads the row with that number, and acknowledges it. */
static larch_outbox_row take_row(size_t sink, unsigned n)
{
    larch_outbox_row row;
    assert_int_equal(larch_outbox_read(outbox, sink, &row), LARCH_OK);
    assert_int_equal(row.position.sequence, n);
    assert_true(is_message(&row.message, n));
    larch_outbox_advance(outbox, sink);
    return row;
}

static void take_rows(size_t sink, unsigned first, unsigned last, bool repeat)
{
    for (unsigned n = first; n <= last; n++) {
        const larch_outbox_row row = take_row(sink, n);
        assert_int_equal(row.repeat, repeat);
        larch_outbox_acknowledge(outbox, sink, &row.position, true);
    }
}

static void assert_no_row(size_t sink)
{
    larch_outbox_row row;
    assert_int_equal(larch_outbox_read(outbox, sink, &row), LARCH_AGAIN);
}

/* The same, found by the next process, which adds the marks again. */
static void crash_and_open(void)
{
    crash();
    assert_int_equal(open_outbox(), LARCH_OK);
    larch_outbox_marked(outbox);
}

/* ---- order and exactly once ------------------------------------------------ */

static void test_rows_come_in_order(void **state)
{
    (void)state;
    static const unsigned sizes[] = {1, 2, 256, 32, 1, 7};
    assert_int_equal(open_outbox(), LARCH_OK);
    assert_no_row(0);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) { /* the reader keeps up */
        const unsigned first = put_number + 1;
        put_batch(sizes[i]);
        take_rows(0, first, put_number, false);
        assert_no_row(0);
    }
    const unsigned first = put_number + 1;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        put_batch(sizes[i]);
    take_rows(0, first, put_number - 3, false); /* and here a backlog, read from the file */
    put_batch(5);
    take_rows(0, put_number - 7, put_number, false);
    assert_no_row(0);
    assert_int_equal(close_outbox(), LARCH_OK);
    assert_int_equal(open_outbox(), LARCH_OK);
    larch_outbox_marked(outbox);
    assert_no_row(0);
    put_batch(1);
    take_rows(0, put_number, put_number, false);
    assert_int_equal(close_outbox(), LARCH_OK);
}

static void test_rows_wait_for_marks(void **state)
{
    (void)state;
    larch_outbox_message m;
    size_t at = 0;
    assert_int_equal(open_outbox(), LARCH_OK);
    assert_int_equal(larch_outbox_unmarked(outbox, &at, &m), LARCH_AGAIN);
    put_batch(2);
    assert_int_equal(put_next(), LARCH_OK);
    assert_int_equal(larch_outbox_commit(outbox), LARCH_OK);
    take_rows(0, 1, 2, false);
    assert_no_row(0);
    assert_int_equal(put_next(), LARCH_OK);
    assert_int_equal(larch_outbox_commit(outbox), LARCH_STATE); /* the marks of the batch before come first */
    assert_int_equal(larch_outbox_unmarked(outbox, &at, &m), LARCH_OK);
    assert_true(is_message(&m, 3));
    assert_int_equal(larch_outbox_unmarked(outbox, &at, &m), LARCH_AGAIN);
    larch_outbox_marked(outbox);
    assert_int_equal(larch_outbox_commit(outbox), LARCH_OK);
    take_rows(0, 3, 3, false);
    crash();
    assert_int_equal(open_outbox(), LARCH_OK); /* the newest batch, and only that, is offered for its marks */
    take_rows(0, 3, 3, true);
    assert_no_row(0);
    at = 0;
    assert_int_equal(larch_outbox_unmarked(outbox, &at, &m), LARCH_OK);
    assert_true(is_message(&m, 4));
    assert_int_equal(larch_outbox_unmarked(outbox, &at, &m), LARCH_AGAIN);
    larch_outbox_marked(outbox);
    take_rows(0, 4, 4, false); /* without its mark it cannot have left */
    assert_int_equal(close_outbox(), LARCH_OK);
}

static void test_uncommitted_is_dropped(void **state)
{
    (void)state;
    assert_int_equal(open_outbox(), LARCH_OK);
    put_batch(3);
    assert_int_equal(put_next(), LARCH_OK);
    assert_int_equal(close_outbox(), LARCH_OK);
    assert_int_equal(open_outbox(), LARCH_OK);
    larch_outbox_marked(outbox);
    take_rows(0, 1, 3, false);
    assert_no_row(0);
    assert_int_equal(close_outbox(), LARCH_OK);
}

/* ---- repeats --------------------------------------------------------------- */

static void test_repeat_after_a_crash(void **state)
{
    (void)state;
    assert_int_equal(open_outbox(), LARCH_OK);
    put_batch(4);
    take_rows(0, 1, 3, false);
    crash_and_open();
    take_rows(0, 1, 4, true); /* the cursor was not in the file yet, and 4 may have left */
    assert_no_row(0);
    put_batch(2);
    take_rows(0, 5, 5, false);
    crash_and_open(); /* the cursor went with the batch */
    take_rows(0, 5, 6, true);
    assert_int_equal(larch_outbox_tidy(outbox), LARCH_OK);
    crash_and_open();
    assert_no_row(0);
    assert_int_equal(close_outbox(), LARCH_OK);
}

/* A sink that takes no more: what comes then has surely not left. */
static void test_no_repeat_without_reason(void **state)
{
    (void)state;
    larch_outbox_row row;
    assert_int_equal(open_outbox(), LARCH_OK);
    put_batch(3);
    row = take_row(0, 1);
    larch_outbox_acknowledge(outbox, 0, &row.position, true);
    put_batch(3); /* it has not read all before */
    crash_and_open();
    take_rows(0, 2, 3, true);
    row = take_row(0, 4);
    assert_false(row.repeat);
    larch_outbox_acknowledge(outbox, 0, &row.position, true);
    take_rows(0, 5, 6, false);
    larch_outbox_acknowledge(outbox, 0, &(larch_outbox_position){0}, false);
    put_batch(2);
    crash_and_open();
    take_rows(0, 7, 8, false);
    assert_int_equal(close_outbox(), LARCH_OK);
}

static void test_close_is_exact(void **state)
{
    (void)state;
    assert_int_equal(open_outbox(), LARCH_OK);
    put_batch(5);
    put_batch(5);
    take_rows(0, 1, 2, false);
    for (unsigned n = 3; n <= 7; n++) /* handed over: 3 and 4 leave, 5 to 7 stay with the sink */
        take_row(0, n);
    larch_outbox_release(outbox, 0, 4);
    assert_int_equal(close_outbox(), LARCH_OK);
    assert_int_equal(open_outbox(), LARCH_OK);
    larch_outbox_marked(outbox);
    assert_int_equal(close_outbox(), LARCH_OK); /* a run that reads nothing keeps what is known */
    assert_int_equal(open_outbox(), LARCH_OK);
    larch_outbox_marked(outbox);
    take_rows(0, 3, 4, true);
    take_rows(0, 5, 6, false);
    take_row(0, 7);
    larch_outbox_release(outbox, 0, 6); /* within a run too */
    take_rows(0, 7, 10, false);
    assert_no_row(0);
    assert_int_equal(close_outbox(), LARCH_OK);
}

/* ---- sinks ----------------------------------------------------------------- */

static void test_each_sink_has_its_cursor(void **state)
{
    (void)state;
    assert_int_equal(open_with("stdout", "mqtt"), LARCH_OK);
    put_batch(4);
    put_batch(4);
    put_batch(4);
    take_rows(0, 1, 12, false);
    take_rows(1, 1, 5, false);
    assert_int_equal(larch_outbox_use(outbox).delivered, 5);
    assert_int_equal(close_outbox(), LARCH_OK);
    assert_int_equal(open_with("mqtt", "webhook"),
                     LARCH_OK); /* stdout is forgotten; the new one begins at the lowest */
    larch_outbox_marked(outbox);
    take_rows(1, 6, 6, false);
    take_rows(0, 6, 12, false);
    assert_int_equal(close_outbox(), LARCH_OK);
    assert_int_equal(open_with("stdout", NULL), LARCH_OK);
    larch_outbox_marked(outbox);
    take_rows(0, 7, 12, false);
    assert_int_equal(close_outbox(), LARCH_OK);
    assert_int_equal(open_with(NULL, NULL), LARCH_OK);
    larch_outbox_marked(outbox);
    assert_int_equal(larch_outbox_use(outbox).bytes, 0);
    put_batch(4);
    assert_int_equal(larch_outbox_use(outbox).bytes, 0);
    assert_int_equal(close_outbox(), LARCH_OK);
    const char *const twice[] = {"stdout", "stdout"};
    const larch_outbox_config config = {.path = outbox_file, .sinks = twice, .sink_count = 2};
    assert_int_equal(larch_outbox_open(&outbox, &config, &why), LARCH_PLATFORM);
}

/* ---- bounds ---------------------------------------------------------------- */

static void test_room_is_bounded(void **state)
{
    (void)state;
    outbox_bytes_max = 10000;
    assert_int_equal(open_outbox(), LARCH_OK);
    unsigned count = 0;
    while (put_next() == LARCH_OK)
        if (++count % 10 == 0) {
            assert_int_equal(larch_outbox_commit(outbox), LARCH_OK);
            larch_outbox_marked(outbox);
        }
    assert_int_equal(put_next(), LARCH_BUSY); /* of the bytes in this batch too */
    const larch_outbox_usage full = larch_outbox_use(outbox);
    assert_true(full.bytes <= 10000 && full.bytes > 9800);
    assert_int_equal(larch_outbox_commit(outbox), LARCH_OK);
    larch_outbox_marked(outbox);
    assert_int_equal(close_outbox(), LARCH_OK);
    assert_int_equal(open_outbox(), LARCH_OK); /* and counted the same by the next run */
    larch_outbox_marked(outbox);
    assert_int_equal(larch_outbox_use(outbox).bytes, full.bytes);
    assert_int_equal(put_next(), LARCH_BUSY);
    take_rows(0, 1, 9, false);
    assert_int_equal(put_next(), LARCH_BUSY); /* the batch of row 10 is still there */
    take_rows(0, 10, 10, false);
    put_batch(10);
    take_rows(0, 11, put_number, false);
    assert_int_equal(larch_outbox_use(outbox).bytes, 0);
    assert_int_equal(close_outbox(), LARCH_OK);
}

/* However much goes through, the file stays as large as what waits. */
static void test_file_does_not_grow(void **state)
{
    (void)state;
    struct stat st;
    assert_int_equal(open_outbox(), LARCH_OK);
    for (unsigned i = 0; i < 3000; i++) {
        const unsigned first = put_number + 1;
        put_batch(1 + i % 64);
        take_rows(0, first, put_number, false);
    }
    assert_int_equal(close_outbox(), LARCH_OK);
    assert_int_equal(stat(outbox_file, &st), 0);
    assert_true(st.st_size < 200000);
}

static void test_fields_are_bounded(void **state)
{
    (void)state;
    static uint8_t large[LARCH_OUTBOX_TEXT_MAX + 1];
    larch_outbox_row row;
    memset(large, 'x', sizeof large);
    assert_int_equal(open_outbox(), LARCH_OK);
    const larch_outbox_message bad[] = {{.kind = 'D', .text = LARCH_BYTES(large)},
                                        {.kind = 'D', .id = {large, LARCH_OUTBOX_ID_MAX + 1}},
                                        {.kind = 'D', .through = {large, LARCH_OUTBOX_NAME_MAX + 1}},
                                        {.kind = 'D', .kem = {large, LARCH_OUTBOX_NAME_MAX + 1}},
                                        {.kind = 'D', .device = {large, LARCH_OUTBOX_NAME_MAX + 1}},
                                        {.kind = 'D', .path = {large, LARCH_OUTBOX_PATH_MAX + 1}}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(larch_outbox_put(outbox, &bad[i]), LARCH_MALFORMED);
    assert_int_equal(larch_outbox_commit(outbox), LARCH_OK); /* nothing was put */
    assert_int_equal(larch_outbox_use(outbox).newest, 0);
    const larch_outbox_message longest = {.kind = 'D',
                                          .id = {large, LARCH_OUTBOX_ID_MAX},
                                          .through = {large, LARCH_OUTBOX_NAME_MAX},
                                          .kem = {large, LARCH_OUTBOX_NAME_MAX},
                                          .device = {large, LARCH_OUTBOX_NAME_MAX},
                                          .path = {large, LARCH_OUTBOX_PATH_MAX},
                                          .text = {large, LARCH_OUTBOX_TEXT_MAX}};
    for (unsigned i = 0; i < LARCH_OUTBOX_BATCH_MAX; i++)
        assert_int_equal(larch_outbox_put(outbox, i % 2 == 0 ? &longest : &(larch_outbox_message){.kind = 'D'}),
                         LARCH_OK);
    assert_int_equal(larch_outbox_put(outbox, &longest), LARCH_STATE);
    assert_int_equal(larch_outbox_commit(outbox), LARCH_OK);
    larch_outbox_marked(outbox);
    for (unsigned i = 0; i < LARCH_OUTBOX_BATCH_MAX; i++) {
        assert_int_equal(larch_outbox_read(outbox, 0, &row), LARCH_OK);
        assert_int_equal(row.message.text.len, i % 2 == 0 ? LARCH_OUTBOX_TEXT_MAX : 0);
        assert_int_equal(row.message.path.len, i % 2 == 0 ? LARCH_OUTBOX_PATH_MAX : 0);
        assert_int_equal(row.message.id.len, i % 2 == 0 ? LARCH_OUTBOX_ID_MAX : 0);
        larch_outbox_advance(outbox, 0);
    }
    assert_int_equal(close_outbox(), LARCH_OK);
}

static void assert_cut_is_refused(const larch_writer *w)
{
    larch_outbox_message back;
    for (size_t len = 0; len < w->len; len++) {
        larch_reader r = larch_reader_of((larch_bytes){w->data, len});
        assert_int_equal(larch_outbox_record_take(&r, &back), LARCH_MALFORMED);
        assert_int_equal(r.left.len, len);
    }
}

static void test_record_is_checked(void **state)
{
    (void)state;
    uint8_t bytes[256], id[14];
    char text[64];
    const larch_outbox_message m = message_of(7, text, id);
    larch_outbox_message back;
    larch_writer w = larch_writer_to(bytes, sizeof bytes);
    larch_outbox_record_put(&w, &m);
    assert_cut_is_refused(&w);
    larch_reader r = larch_reader_of((larch_bytes){bytes, w.len});
    assert_int_equal(larch_outbox_record_take(&r, &back), LARCH_OK);
    assert_int_equal(r.left.len, 0);
    assert_true(is_message(&back, 7));
    assert_int_equal(back.device.len + back.path.len, 0);
    assert_int_equal(back.format, LARCH_OUTBOX_NO_FORMAT);
    assert_int_equal(bytes[4], 1);                 /* as every larch can read it */
    for (bytes[4] = 0; bytes[4] < 8; bytes[4]++) { /* a version that is not known, and one that has more fields */
        r = larch_reader_of((larch_bytes){bytes, w.len});
        assert_int_equal(larch_outbox_record_take(&r, &back), bytes[4] == 1 ? LARCH_OK : LARCH_MALFORMED);
    }
}

static void test_record_of_a_reading(void **state)
{
    (void)state;
    const struct {
        larch_bytes device, path;
        uint16_t format;
    } rows[] = {{LARCH_TEXT("garden-7"), LARCH_TEXT("temperature"), 60},
                {LARCH_TEXT("garden-7"), {NULL, 0}, LARCH_OUTBOX_NO_FORMAT},
                {{NULL, 0}, LARCH_TEXT("temperature"), 0}};
    uint8_t bytes[256], id[14];
    char text[64];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        larch_outbox_message m = message_of(7, text, id), back;
        m.device = rows[i].device;
        m.path = rows[i].path;
        m.format = rows[i].format;
        larch_writer w = larch_writer_to(bytes, sizeof bytes);
        larch_outbox_record_put(&w, &m);
        assert_int_equal(bytes[4], 2);
        larch_reader r = larch_reader_of((larch_bytes){bytes, w.len});
        assert_int_equal(larch_outbox_record_take(&r, &back), LARCH_OK);
        assert_true(is_message(&back, 7));
        assert_true(larch_bytes_equal(back.device, m.device) && larch_bytes_equal(back.path, m.path));
        assert_int_equal(back.format, m.format);
    }
}

/* ---- files that are refused -------------------------------------------------- */

static void assert_refused(larch_error e, larch_registry_fault fault, const char *text)
{
    char command[256], before[256], after[256];
    FILE *sums;
    snprintf(command, sizeof command, "cd '%s' && ls -l --full-time && cksum * 2>/dev/null | cksum", folder);
    assert_non_null(sums = popen(command, "r")); /* NOLINT(cert-env33-c) */
    before[fread(before, 1, sizeof before - 1, sums)] = '\0';
    (void)pclose(sums);
    assert_int_equal(open_outbox(), e);
    assert_null(outbox);
    assert_int_equal(why.fault, fault);
    assert_non_null(strstr(why.text, outbox_file));
    if (strstr(why.text, text) == NULL)
        fail_msg("%s", why.text);
    assert_non_null(sums = popen(command, "r")); /* NOLINT(cert-env33-c) */
    after[fread(after, 1, sizeof after - 1, sums)] = '\0';
    (void)pclose(sums);
    assert_string_equal(before, after); /* nothing was overwritten */
}

static void poke(off_t at, const void *bytes, size_t len)
{
    const int fd = open(outbox_file, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0 && pwrite(fd, bytes, len, at) == (ssize_t)len);
    (void)close(fd);
}

static void make_outbox(unsigned batches)
{
    assert_int_equal(open_outbox(), LARCH_OK);
    for (unsigned i = 0; i < batches; i++)
        put_batch(100);
    assert_int_equal(close_outbox(), LARCH_OK);
}

static void test_new_file(void **state)
{
    (void)state;
    struct stat st;
    const mode_t mask = umask(0);
    make_outbox(1);
    (void)umask(mask);
    assert_int_equal(stat(outbox_file, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(open_outbox(), LARCH_OK);
    char wal[128];
    snprintf(wal, sizeof wal, "%s-wal", outbox_file);
    larch_outbox_marked(outbox);
    put_batch(1);
    assert_int_equal(stat(wal, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(close_outbox(), LARCH_OK);
    assert_int_equal(rename(outbox_file, wal), 0); /* SQLite would play such a file into a new one */
    assert_refused(LARCH_MALFORMED, LARCH_REGISTRY_DAMAGED, "is not there, but its -wal file is");
}

static void test_foreign_files(void **state)
{
    (void)state;
    static const char text[] = "a text that somebody keeps under this name, and that is long enough for the head of a "
                               "file, which is 100 bytes";
    poke(0, text, sizeof text);
    assert_refused(LARCH_STATE, LARCH_REGISTRY_FOREIGN, "is not the outbox of a gateway; it was left as it is. Move");
    assert_int_equal(unlink(outbox_file), 0);
    make_outbox(1);
    poke(68, "abcd", 4); /* application_id */
    assert_refused(LARCH_STATE, LARCH_REGISTRY_FOREIGN, "is not the outbox of a gateway");
    assert_int_equal(unlink(outbox_file), 0);
    make_outbox(1);
    poke(60, "\0\0\0\3", 4); /* user_version */
    assert_refused(LARCH_STATE, LARCH_REGISTRY_NEWER, "newer version of larch (schema 3, this one has 2); it was left");
    assert_int_equal(truncate(outbox_file, 0), 0);
    assert_refused(LARCH_MALFORMED, LARCH_REGISTRY_DAMAGED, "is empty; it was left as it is. Move it");
}

static void test_damaged_files(void **state)
{
    (void)state;
    struct stat st;
    static uint8_t noise[8192];
    memset(noise, 0xa5, sizeof noise);
    make_outbox(5);
    assert_int_equal(stat(outbox_file, &st), 0);
    for (off_t page = 1; page < st.st_size / 8192; page++) {
        uint8_t kept[8192];
        const int fd = open(outbox_file, O_RDONLY);
        assert_int_equal(pread(fd, kept, sizeof kept, page * 8192), sizeof kept);
        (void)close(fd);
        poke(page * 8192, noise, sizeof noise);
        assert_int_not_equal(open_outbox(), LARCH_OK);
        assert_int_equal(why.fault, LARCH_REGISTRY_DAMAGED);
        assert_refused(LARCH_MALFORMED, LARCH_REGISTRY_DAMAGED, "is damaged");
        poke(page * 8192, kept, sizeof kept);
    }
    assert_int_equal(truncate(outbox_file, st.st_size / 2), 0);
    assert_refused(LARCH_MALFORMED, LARCH_REGISTRY_DAMAGED, "is damaged");
}

static void test_access_is_refused(void **state)
{
    (void)state;
    char other[128];
    make_outbox(1);
    assert_int_equal(chmod(outbox_file, 0640), 0);
    assert_refused(LARCH_AUTH, LARCH_REGISTRY_REFUSED, "is open to other users (mode 0640). Give it to the user");
    assert_int_equal(chmod(outbox_file, 0400), 0);
    assert_refused(LARCH_PLATFORM, LARCH_REGISTRY_READ_ONLY, "Make the file and its folder writable");
    assert_int_equal(chmod(outbox_file, 0600), 0);
    if (geteuid() == 0) {
        assert_int_equal(chown(outbox_file, 12345, (gid_t)-1), 0);
        assert_refused(LARCH_AUTH, LARCH_REGISTRY_REFUSED, "belongs to another user");
        assert_int_equal(chown(outbox_file, 0, (gid_t)-1), 0);
    }
    snprintf(other, sizeof other, "%s/other", folder);
    assert_int_equal(rename(outbox_file, other), 0);
    assert_int_equal(symlink(other, outbox_file), 0);
    assert_refused(LARCH_AUTH, LARCH_REGISTRY_REFUSED, "is not a regular file");
    assert_int_equal(unlink(outbox_file), 0);
    assert_int_equal(mkdir(outbox_file, 0700), 0);
    assert_refused(LARCH_AUTH, LARCH_REGISTRY_REFUSED, "is not a regular file");
}

/* In a process of its own, which may give up root's rights. */
static int try_as_nobody(const char *path)
{
    const larch_outbox_config config = {.path = path};
    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
        return 1;
    const larch_error e = larch_outbox_open(&outbox, &config, &why);
    return e == LARCH_PLATFORM && why.fault == LARCH_REGISTRY_READ_ONLY ? 0 : 2;
}

static void test_folder_is_read_only(void **state)
{
    (void)state;
    int status;
    for (int with_file = 0; with_file < 2; with_file++) {
        if (with_file != 0) {
            make_outbox(1);
            assert_true(geteuid() != 0 || chown(outbox_file, 65534, 65534) == 0);
        }
        assert_int_equal(chmod(folder, 0555), 0);
        const pid_t child = fork();
        if (child == 0)
            _exit(try_as_nobody(outbox_file));
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        assert_int_equal(chmod(folder, 0700), 0);
    }
}

static void test_one_process(void **state)
{
    (void)state;
    int ready[2], done[2], status;
    char byte;
    make_outbox(1);
    assert_true(pipe(ready) == 0 && pipe(done) == 0);
    const pid_t child = fork();
    if (child == 0) {
        (void)close(done[1]);
        const bool held = open_outbox() == LARCH_OK && write(ready[1], "x", 1) == 1;
        _exit(held && read(done[0], &byte, 1) == 0 && close_outbox() == LARCH_OK ? 0 : 1);
    }
    (void)close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_refused(LARCH_BUSY, LARCH_REGISTRY_IN_USE, "is in use by another process");
    (void)close(done[1]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    (void)close(done[0]);
    (void)close(ready[0]);
    assert_int_equal(open_outbox(), LARCH_OK);
    assert_int_equal(close_outbox(), LARCH_OK);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up_folder, tear_down_folder)
    const struct CMUnitTest tests[] = {
        TEST(test_rows_come_in_order),
        TEST(test_rows_wait_for_marks),
        TEST(test_uncommitted_is_dropped),
        TEST(test_repeat_after_a_crash),
        TEST(test_no_repeat_without_reason),
        TEST(test_close_is_exact),
        TEST(test_each_sink_has_its_cursor),
        TEST(test_room_is_bounded),
        TEST(test_file_does_not_grow),
        TEST(test_fields_are_bounded),
        TEST(test_record_is_checked),
        TEST(test_record_of_a_reading),
        TEST(test_new_file),
        TEST(test_foreign_files),
        TEST(test_damaged_files),
        TEST(test_access_is_refused),
        TEST(test_folder_is_read_only),
        TEST(test_one_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
