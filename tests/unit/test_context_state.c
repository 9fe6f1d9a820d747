/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a device keeps beside a context file. Whatever fails, and wherever a run ends, no sequence number and no n is
 * given out twice; a file that cannot be trusted is refused.
 */
#define _DEFAULT_SOURCE /* NOLINT(bugprone-reserved-identifier): mkdtemp */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "common/context_file.h"
#include "common/context_state.h"
#include "complaint.h"
#include "temp_folder.h"

#define NEVER 1000000

static const char sound[] =
    "master_secret,hex,0102030405060708090a0b0c0d0e0f10\nsender_id,hex,01\nrecipient_id,hex,02\n";

static char folder[TEMP_FOLDER_MAX], path[96], state_path[128];
static larch_context_file context;
static larch_context_state state;
static bool is_new;

/* ---- operations that fail ------------------------------------------------------ */

static struct {
    unsigned count;
    unsigned fail_at; /* this operation, */
    bool goes_on;     /* and all after it */
    char order[64];   /* a letter for each: w write, f sync of a file, F of a folder, r rename */
} ops;

static bool fails(char letter)
{
    const unsigned number = ops.count++;
    if (number < sizeof ops.order - 1)
        ops.order[number] = letter;
    errno = EIO;
    return number == ops.fail_at || (ops.goes_on && number > ops.fail_at);
}

static void plan(unsigned fail_at, bool goes_on)
{
    memset(&ops, 0, sizeof ops);
    ops.fail_at = fail_at;
    ops.goes_on = goes_on;
}

ssize_t __real_write(int fd, const void *data, size_t len);
int __real_rename(const char *from, const char *to);
int __real_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags);
ssize_t __wrap_write(int fd, const void *data, size_t len);
int __wrap_fsync(int fd);
int __wrap_rename(const char *from, const char *to);
int __wrap_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags);

ssize_t __wrap_write(int fd, const void *data, size_t len)
{
    if (fails('w')) /* a part of it is there, and the result is below 0 */
        return __real_write(fd, data, len / 2) - (ssize_t)len;
    return __real_write(fd, data, len);
}

int __wrap_fsync(int fd)
{
    struct stat st;
    return fstat(fd, &st) != 0 || fails(S_ISDIR(st.st_mode) ? 'F' : 'f') ? -1 : 0; /* nobody cuts the power here */
}

int __wrap_rename(const char *from, const char *to) { return fails('r') ? -1 : __real_rename(from, to); }

int __wrap_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
    return fails('r') ? -1 : __real_renameat2(from_fd, from, to_fd, to, flags);
}

/* ---- files ------------------------------------------------------------------- */

static void take_context(const char *text)
{
    larch_context_fault fault;
    assert_int_equal(larch_context_file_parse(larch_bytes_of_text(text), &context, &fault), LARCH_OK);
}

static int set_up(void **unused)
{
    (void)unused;
    if (!temp_folder_make(folder))
        return -1;
    snprintf(path, sizeof path, "%s/context", folder);
    snprintf(state_path, sizeof state_path, "%s.state", path);
    take_context(sound);
    plan(NEVER, false);
    return 0;
}

static int tear_down(void **unused)
{
    (void)unused;
    return temp_folder_remove(folder);
}

static larch_exit open_state(void)
{
    const larch_oscore_parameters parameters = larch_context_file_parameters(&context);
    return larch_context_state_open(&state, "send", path, &parameters, &is_new);
}

static void assert_opens(larch_exit code, const char *text)
{
    begin_complaint();
    const larch_exit is = open_state();
    end_complaint();
    assert_complaint(text);
    assert_int_equal(is, code);
    assert_int_equal(state.file >= 0, code == LARCH_EXIT_DONE);
}

static void assert_grant(uint64_t want)
{
    uint64_t first, end;
    assert_int_equal(larch_context_state_grant(&state, &first, &end), LARCH_EXIT_DONE);
    assert_int_equal(first, want);
    assert_int_equal(end, want + LARCH_CONTEXT_GRANT);
}

static size_t read_state(char *text, size_t cap)
{
    FILE *f = fopen(state_path, "r");
    assert_non_null(f);
    const size_t len = fread(text, 1, cap - 1, f);
    text[len] = '\0';
    assert_int_equal(fclose(f), 0);
    return len;
}

static void write_state(const char *text, size_t len)
{
    const int fd = open(state_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0 && __real_write(fd, text, len) == (ssize_t)len);
    assert_int_equal(close(fd), 0);
}

static void write_record(larch_context_record record)
{
    uint8_t bytes[LARCH_CONTEXT_RECORD_MAX];
    larch_writer w = larch_writer_to(bytes, sizeof bytes);
    memcpy(record.keys, state.stored.keys, sizeof record.keys);
    larch_context_record_put(&w, &record);
    assert_true(w.len <= sizeof bytes);
    write_state((const char *)bytes, w.len);
}

static unsigned files_in_folder(void)
{
    char command[96];
    unsigned count = 0;
    snprintf(command, sizeof command, "ls -A '%s' | wc -l", folder);
    FILE *f = popen(command, "r");                          /* NOLINT(cert-env33-c) */
    assert_true(f != NULL && fscanf(f, "%u", &count) == 1); /* NOLINT(cert-err34-c) */
    (void)pclose(f);
    return count;
}

/* ---- numbers ------------------------------------------------------------------- */

static void test_grants(void **unused)
{
    (void)unused;
    uint64_t n;
    assert_opens(LARCH_EXIT_DONE, "");
    assert_true(is_new);
    assert_string_equal(ops.order, "wfrF"); /* the file is whole before it has its name, which is durable then */
    plan(NEVER, false);
    assert_grant(0);
    assert_string_equal(ops.order, "wfrF");
    assert_grant(256);
    assert_int_equal(larch_context_state_close(&state, 300), LARCH_EXIT_DONE);
    assert_opens(LARCH_EXIT_DONE, "");
    assert_false(is_new);
    assert_grant(300); /* an end in order leaves no gap */
    (void)close(state.file);
    assert_opens(LARCH_EXIT_DONE, "");
    assert_grant(556); /* a crash leaves one */
    plan(NEVER, false);
    for (uint64_t i = 1; i <= 600; i++) {
        assert_int_equal(larch_context_state_take_n(&state, &n), LARCH_EXIT_DONE);
        assert_int_equal(n, i);
    }
    assert_string_equal(ops.order, "wfrFwfrFwfrF");
    assert_int_equal(larch_context_state_close(&state, UINT64_MAX), LARCH_EXIT_DONE);
    assert_opens(LARCH_EXIT_DONE, "");
    assert_int_equal(larch_context_state_take_n(&state, &n), LARCH_EXIT_DONE);
    assert_int_equal(n, 601);
    assert_grant(812);
    (void)close(state.file);
    assert_opens(LARCH_EXIT_DONE, "");
    assert_int_equal(larch_context_state_take_n(&state, &n), LARCH_EXIT_DONE);
    assert_int_equal(n, 857);
    assert_int_equal(larch_context_state_close(&state, 0), LARCH_EXIT_DONE); /* not of this run: ignored */
    assert_opens(LARCH_EXIT_DONE, "");
    plan(NEVER, false);
    assert_int_equal(larch_context_state_close(&state, 1068), LARCH_EXIT_DONE);
    assert_int_equal(ops.count, 0); /* nothing has changed */
    assert_opens(LARCH_EXIT_DONE, "");
    assert_grant(1068);
    assert_int_equal(larch_context_state_close(&state, UINT64_MAX), LARCH_EXIT_DONE);
    assert_int_equal(files_in_folder(), 1);
}

static void test_numbers_end(void **unused)
{
    (void)unused;
    uint64_t first = 7, end = 7;
    assert_opens(LARCH_EXIT_DONE, "");
    assert_int_equal(larch_context_state_close(&state, 0), LARCH_EXIT_DONE);
    write_record((larch_context_record){.next = LARCH_OSCORE_NUMBER_MAX - 9, .n = 1});
    assert_opens(LARCH_EXIT_DONE, "");
    assert_int_equal(larch_context_state_grant(&state, &first, &end), LARCH_EXIT_DONE);
    assert_int_equal(end - first, 10);
    begin_complaint();
    assert_int_equal(larch_context_state_grant(&state, &first, &end), LARCH_EXIT_REFUSED);
    end_complaint();
    assert_complaint("all sequence numbers are used up; give both sides another master secret");
    assert_int_equal(end - first, 10);
    assert_int_equal(larch_context_state_close(&state, UINT64_MAX), LARCH_EXIT_DONE);
}

static void test_messages_are_counted(void **unused)
{
    (void)unused;
    static const char text[] = "the context is used up: its keys may protect 1048576 messages; give both sides";
    assert_opens(LARCH_EXIT_DONE, "");
    plan(NEVER, false);
    for (unsigned i = 0; i < 513; i++)
        assert_int_equal(larch_context_state_count(&state, 1), LARCH_EXIT_DONE);
    assert_string_equal(ops.order, "wfrF");
    assert_int_equal(larch_context_state_count(&state, 1), LARCH_EXIT_DONE);
    assert_string_equal(ops.order, "wfrFwfrF");
    (void)close(state.file);
    assert_opens(LARCH_EXIT_DONE, "");
    assert_int_equal(state.messages, 1026); /* rounded up */
    assert_int_equal(larch_context_state_count(&state, LARCH_CONTEXT_MESSAGES_MAX - 1027), LARCH_EXIT_DONE);
    assert_int_equal(larch_context_state_close(&state, 0), LARCH_EXIT_DONE);
    assert_opens(LARCH_EXIT_DONE, "");
    begin_complaint();
    assert_int_equal(larch_context_state_count(&state, 2), LARCH_EXIT_REFUSED);
    end_complaint();
    assert_complaint(text);
    assert_int_equal(larch_context_state_count(&state, 1), LARCH_EXIT_DONE);
    assert_int_equal(larch_context_state_close(&state, 0), LARCH_EXIT_DONE);
    assert_opens(LARCH_EXIT_REFUSED, text);
}

/* ---- faults -------------------------------------------------------------------- */

typedef struct used {
    uint64_t next, n; /* neither was used from here on */
    uint32_t messages;
} used;

/* A run that does something of everything, as far as it is let. */
static bool run(used *u)
{
    uint64_t first, end, n;
    if (open_state() != LARCH_EXIT_DONE)
        return false;
    for (unsigned i = 0; i < 2; i++) {
        if (larch_context_state_grant(&state, &first, &end) != LARCH_EXIT_DONE)
            return false;
        assert_true(first >= u->next);
        u->next = end;
        if (larch_context_state_take_n(&state, &n) != LARCH_EXIT_DONE)
            return false;
        assert_true(n >= u->n);
        u->n = n + 1;
        if (larch_context_state_count(&state, 400) != LARCH_EXIT_DONE)
            return false;
        u->messages += 400;
    }
    return true;
}

static void test_every_operation_fails(void **unused)
{
    (void)unused;
    for (int goes_on = 0; goes_on < 2; goes_on++)
        for (unsigned at = 0, met = 1; met != 0; at++) {
            used u = {0};
            (void)unlink(state_path);
            plan(at, goes_on != 0);
            begin_complaint();
            const bool ran = run(&u);
            const larch_exit closed =
                goes_on != 0 ? LARCH_EXIT_DONE : larch_context_state_close(&state, u.next > 10 ? u.next - 10 : 0);
            if (goes_on != 0 && state.file >= 0) /* the power has gone */
                (void)close(state.file);
            end_complaint();
            met = ops.count > at;
            assert_int_equal(met == 0, ran && closed == LARCH_EXIT_DONE && complaint[0] == '\0');
            if (ran && goes_on == 0)
                u.next -= 10;
            plan(NEVER, false);
            assert_true(run(&u)); /* what the run after gets is new */
            assert_true(state.messages >= u.messages);
            assert_int_equal(larch_context_state_close(&state, UINT64_MAX), LARCH_EXIT_DONE);
            if (met == 0)
                assert_in_range(at, 20, 40);
        }
}

/* ---- beside an enrolment --------------------------------------------------------- */

static const uint8_t psk[32] = {7};

static larch_exit open_enrolled(void)
{
    return larch_context_state_open_enrolled(&state, "send", path, LARCH_BYTES(psk), &is_new);
}

/* What handshake i makes. */
static larch_exit renew(uint8_t i)
{
    larch_lake_oscore session = {.aead = larch_cose_aead_find(LARCH_COSE_AES_CCM_16_64_128),
                                 .hash = LARCH_COSE_SHA_256,
                                 .master_secret_len = 16,
                                 .sender_id = {1, {i}},
                                 .recipient_id = {7, {i, 1}}};
    larch_lake_resumption key = {.psk_hash = LARCH_COSE_SHAKE256, .psk_len = 64, .kid_len = 8};
    memset(session.master_secret, i, sizeof session.master_secret);
    memset(key.psk, i, sizeof key.psk);
    memset(key.kid, i, sizeof key.kid);
    return larch_context_state_renew(&state, &session, &key, 256, 1800000000u + i);
}

/* The number of the handshake that the state holds, whole; 0: none. */
static uint8_t held(void)
{
    const larch_context_made *made = &state.stored.made;
    const uint8_t i = made->key.kid[0];
    assert_int_equal(made->session.aead != NULL, i != 0);
    if (i == 0)
        return 0;
    assert_true(made->session.master_secret_len == 16 && made->session.master_secret[15] == i &&
                made->session.sender_id.bytes[0] == i && made->session.recipient_id.len == 7 &&
                made->made_s == 1800000000u + i && made->key.psk_len == 64 && made->key.psk[63] == i &&
                made->key.psk_hash == LARCH_COSE_SHAKE256);
    return i;
}

static void test_handshakes_are_kept(void **unused)
{
    (void)unused;
    uint64_t n, again;
    assert_int_equal(open_enrolled(), LARCH_EXIT_DONE);
    assert_true(is_new && held() == 0);
    assert_int_equal(larch_context_state_take_n(&state, &n), LARCH_EXIT_DONE);
    assert_true(n > 1u << 30); /* above what a file that was lost had */
    for (uint8_t i = 1; i < 4; i++) {
        plan(NEVER, false);
        assert_int_equal(renew(i), LARCH_EXIT_DONE);
        assert_string_equal(ops.order, "wfrF");
        assert_grant(256);
        assert_int_equal(larch_context_state_count(&state, 5), LARCH_EXIT_DONE);
        assert_int_equal(larch_context_state_close(&state, 300), LARCH_EXIT_DONE);
        assert_int_equal(state.stored.made.key.psk_len, 0);
        assert_int_equal(open_enrolled(), LARCH_EXIT_DONE);
        assert_true(!is_new && held() == i && state.messages == 5);
        assert_grant(300);
        assert_int_equal(larch_context_state_take_n(&state, &again), LARCH_EXIT_DONE);
        assert_true(again > n); /* for the device's life */
        n = again;
    }
    assert_int_equal(larch_context_state_close(&state, UINT64_MAX), LARCH_EXIT_DONE);
}

/* Whatever fails: what the file has is the handshake before or the new one, and the new one if it was reported stored. */
static void test_handshakes_that_fail(void **unused)
{
    (void)unused;
    for (unsigned at = 0, met = 1; met != 0; at++) {
        (void)unlink(state_path);
        plan(NEVER, false);
        assert_int_equal(open_enrolled(), LARCH_EXIT_DONE);
        assert_int_equal(renew(1), LARCH_EXIT_DONE);
        plan(at, true);
        begin_complaint();
        const larch_exit code = renew(2);
        end_complaint();
        met = ops.count > at;
        assert_int_equal(code == LARCH_EXIT_DONE, met == 0);
        (void)close(state.file); /* the power has gone */
        plan(NEVER, false);
        assert_int_equal(open_enrolled(), LARCH_EXIT_DONE);
        assert_true(code == LARCH_EXIT_DONE ? held() == 2 : held() == 1 || held() == 2);
        assert_int_equal(larch_context_state_close(&state, UINT64_MAX), LARCH_EXIT_DONE);
    }
}

static void test_enrolled_files(void **unused)
{
    (void)unused;
    char text[LARCH_CONTEXT_RECORD_MAX + 2];
    static const uint8_t other[32] = {8};
    assert_int_equal(open_enrolled(), LARCH_EXIT_DONE);
    assert_int_equal(renew(1), LARCH_EXIT_DONE);
    assert_int_equal(larch_context_state_close(&state, UINT64_MAX), LARCH_EXIT_DONE);
    assert_opens(LARCH_EXIT_REFUSED, "belongs to another context than");
    begin_complaint();
    assert_int_equal(larch_context_state_open_enrolled(&state, "send", path, LARCH_BYTES(other), &is_new),
                     LARCH_EXIT_REFUSED);
    end_complaint();
    assert_complaint("belongs to another enrolment than");
    const size_t len = read_state(text, sizeof text);
    for (size_t i = 0; i < len; i++) {
        text[i] ^= 1;
        write_state(text, len);
        begin_complaint();
        assert_int_equal(open_enrolled(), LARCH_EXIT_REFUSED);
        end_complaint();
        assert_complaint("the device shakes hands anew");
        text[i] ^= 1;
    }
    (void)unlink(state_path);
    assert_opens(LARCH_EXIT_DONE, "");
    assert_int_equal(larch_context_state_close(&state, UINT64_MAX), LARCH_EXIT_DONE);
    begin_complaint();
    assert_int_equal(open_enrolled(), LARCH_EXIT_REFUSED); /* that of a context */
    end_complaint();
}

/* ---- files that are refused ------------------------------------------------------ */

static void test_damaged_files(void **unused)
{
    (void)unused;
    char text[LARCH_CONTEXT_RECORD_MAX + 2], damaged[sizeof text];
    assert_opens(LARCH_EXIT_DONE, "");
    assert_grant(0);
    assert_int_equal(larch_context_state_close(&state, 100), LARCH_EXIT_DONE);
    const size_t len = read_state(text, sizeof text);
    assert_non_null(strstr(text, "\nnext 100\nn 1\nmessages 0\ncheck "));
    for (size_t i = 0; i < len; i++) {
        write_state(text, i);
        assert_opens(LARCH_EXIT_REFUSED, "is damaged, so it is not known which sequence numbers were used: give both");
        memcpy(damaged, text, sizeof damaged);
        damaged[i] ^= 3;
        write_state(damaged, len);
        assert_opens(LARCH_EXIT_REFUSED, i == strlen("larch-context ") ? "is of a newer larch" : "is damaged");
    }
    write_state(text, len + 1);
    assert_opens(LARCH_EXIT_REFUSED, "is damaged");
    write_state(text, len);
    assert_opens(LARCH_EXIT_DONE, "");
    assert_grant(100);
    assert_int_equal(larch_context_state_close(&state, UINT64_MAX), LARCH_EXIT_DONE);
    static const larch_context_record bad[] = {{.next = LARCH_OSCORE_NUMBER_MAX + 2, .n = 1},
                                               {.n = 0},
                                               {.n = UINT64_MAX},
                                               {.n = 1, .messages = LARCH_CONTEXT_MESSAGES_MAX + 1}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        write_record(bad[i]);
        assert_opens(LARCH_EXIT_REFUSED, "is damaged");
    }
}

/* Any difference in what the keys are derived from. */
static void test_other_contexts(void **unused)
{
    (void)unused;
    static const char *const others[] = {
        "master_secret,hex,0102030405060708090a0b0c0d0e0f11\nsender_id,hex,01\nrecipient_id,hex,02\n",
        "master_secret,hex,0102030405060708090a0b0c0d0e0f10\nsender_id,hex,02\nrecipient_id,hex,01\n",
        "master_secret,hex,0102030405060708090a0b0c0d0e0f10\nsender_id,hex,0102\nrecipient_id,hex,\"\"\n",
        "master_secret,hex,0102030405060708090a0b0c0d0e0f10\nsender_id,hex,01\nrecipient_id,hex,02\nmaster_salt,hex,"
        "01\n",
        "master_secret,hex,0102030405060708090a0b0c0d0e0f10\nsender_id,hex,01\nrecipient_id,hex,02\nid_context,hex,"
        "\"\"\n",
        "master_secret,hex,0102030405060708090a0b0c0d0e0f10\nsender_id,hex,01\nrecipient_id,hex,02\naead_alg,integer,"
        "30\n",
    };
    char before[256], after[256];
    assert_opens(LARCH_EXIT_DONE, "");
    assert_grant(0);
    assert_int_equal(larch_context_state_close(&state, 7), LARCH_EXIT_DONE);
    (void)read_state(before, sizeof before);
    assert_null(strstr(before, "0102030405060708090a0b0c0d0e0f10"));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        take_context(others[i]);
        assert_opens(LARCH_EXIT_REFUSED, "belongs to another context than");
    }
    (void)read_state(after, sizeof after);
    assert_string_equal(before, after);
    take_context(sound);
    assert_opens(LARCH_EXIT_DONE, "");
    assert_grant(7);
    assert_int_equal(larch_context_state_close(&state, UINT64_MAX), LARCH_EXIT_DONE);
}

static void test_access_is_refused(void **unused)
{
    (void)unused;
    char other[128];
    snprintf(other, sizeof other, "%s/other", folder);
    assert_opens(LARCH_EXIT_DONE, "");
    assert_int_equal(larch_context_state_close(&state, 0), LARCH_EXIT_DONE);
    assert_int_equal(chmod(state_path, 0640), 0);
    assert_opens(LARCH_EXIT_REFUSED, "it is open to others; if nobody has changed it, run: chmod 600 '");
    assert_int_equal(chmod(state_path, 0600), 0);
    assert_int_equal(link(state_path, other), 0);
    assert_opens(LARCH_EXIT_REFUSED, "the file has a second name");
    assert_int_equal(unlink(state_path), 0);
    assert_int_equal(symlink(other, state_path), 0);
    assert_opens(LARCH_EXIT_REFUSED, "it is a symbolic link");
    assert_int_equal(unlink(state_path), 0);
    assert_int_equal(mkfifo(state_path, 0600), 0);
    assert_opens(LARCH_EXIT_REFUSED, "it is not a regular file");
}

/* ---- two at once ----------------------------------------------------------------- */

static void test_one_process(void **unused)
{
    (void)unused;
    int status;
    uint64_t first, end;
    assert_opens(LARCH_EXIT_DONE, "");
    for (int again = 0; again < 2; again++) { /* before a grant and after one, which makes the file anew */
        const pid_t child = fork();
        if (child == 0) {
            larch_context_state theirs;
            const larch_oscore_parameters parameters = larch_context_file_parameters(&context);
            begin_complaint();
            const larch_exit code = larch_context_state_open(&theirs, "send", path, &parameters, &is_new);
            end_complaint();
            _exit(code == LARCH_EXIT_FAILED && strstr(complaint, "is in use by another larch") != NULL ? 0 : 1);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        assert_grant(again == 0 ? 0 : 256);
    }
    assert_int_equal(unlink(state_path), 0); /* by somebody who wants it free */
    begin_complaint();
    assert_int_equal(larch_context_state_grant(&state, &first, &end), LARCH_EXIT_FAILED);
    end_complaint();
    assert_complaint("was replaced or deleted while in use");
    begin_complaint();
    assert_int_equal(larch_context_state_grant(&state, &first, &end), LARCH_EXIT_FAILED);
    assert_int_equal(larch_context_state_close(&state, 300), LARCH_EXIT_DONE);
    end_complaint();
    assert_int_equal(access(state_path, F_OK), -1);
    assert_int_equal(larch_context_state_close(&state, 0), LARCH_EXIT_DONE); /* again is harmless */
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_grants),
        TEST(test_numbers_end),
        TEST(test_messages_are_counted),
        TEST(test_every_operation_fails),
        TEST(test_damaged_files),
        TEST(test_other_contexts),
        TEST(test_access_is_refused),
        TEST(test_one_process),
        TEST(test_handshakes_are_kept),
        TEST(test_handshakes_that_fail),
        TEST(test_enrolled_files),
    };
    return larch_crypto_init() == LARCH_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
