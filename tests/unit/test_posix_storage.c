/* SPDX-License-Identifier: Apache-2.0 */
/* The folder on a POSIX system: who may use it, what it leaves behind, what it says on failure. */
#define _DEFAULT_SOURCE /* NOLINT(bugprone-reserved-identifier): mkdtemp, setrlimit */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "larch/store.h"
#include "storage.h"
#include "temp_folder.h"

#define NAME "direct-512.key"

static char base[TEMP_FOLDER_MAX]; /* a fresh folder for each test */
static char where[96];             /* base/state */

static int set_up(void **state)
{
    (void)state;
    if (!temp_folder_make(base))
        return -1;
    snprintf(where, sizeof where, "%s/state", base);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return temp_folder_remove(base);
}

static const char *in_state(const char *name)
{
    static char path[160];
    snprintf(path, sizeof path, "%s/%s", where, name);
    return path;
}

static mode_t mode_of(const char *path)
{
    struct stat st;
    assert_int_equal(lstat(path, &st), 0);
    return st.st_mode & 07777;
}

static void make_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void assert_says(const larch_posix_storage *s, const char *text)
{
    if (strstr(larch_posix_storage_error(s), text) == NULL)
        print_error("\"%s\" does not say \"%s\"\n", larch_posix_storage_error(s), text);
    assert_non_null(strstr(larch_posix_storage_error(s), text));
}

static void open_ok(larch_posix_storage *s)
{
    larch_error e = larch_posix_storage_open(s, where, LARCH_POSIX_DURABILITY_MEDIUM);
    if (e != LARCH_OK)
        print_error("%s\n", larch_posix_storage_error(s));
    assert_int_equal(e, LARCH_OK);
}

/* ---- files ------------------------------------------------------------- */

static void test_round_trip(void **state)
{
    (void)state;
    for (int durability = LARCH_POSIX_DURABILITY_MEDIUM; durability <= LARCH_POSIX_DURABILITY_PROCESS; durability++) {
        larch_posix_storage s;
        assert_int_equal(larch_posix_storage_open(&s, where, (larch_posix_durability)durability), LARCH_OK);
        larch_storage f = larch_posix_storage_interface(&s);
        uint8_t out[8];
        uint32_t size;
        assert_int_equal(f.remove(f.context, NAME), LARCH_OK);
        assert_int_equal(f.size(f.context, NAME, &size), LARCH_OK);
        assert_int_equal(size, LARCH_STORAGE_NONE);
        assert_int_equal(f.read(f.context, NAME, 0, out, 1), LARCH_PLATFORM);
        assert_says(&s, "state/direct-512.key: No such file");

        assert_int_equal(f.replace(f.context, NAME, LARCH_TEXT("first"), 40000), LARCH_OK);
        assert_int_equal(mode_of(in_state(NAME)), 0600);
        assert_int_equal(f.size(f.context, NAME, &size), LARCH_OK);
        assert_int_equal(size, 40005);
        assert_int_equal(f.read(f.context, NAME, 4, out, 8), LARCH_OK);
        assert_memory_equal(out, "t\xff\xff\xff\xff\xff\xff\xff", 8);
        assert_int_equal(f.read(f.context, NAME, 39997, out, 8), LARCH_OK);
        assert_memory_equal(out, "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
        assert_int_equal(f.read(f.context, NAME, 39998, out, 8), LARCH_MALFORMED);
        assert_int_equal(f.write(f.context, NAME, 16, LARCH_TEXT("mark")), LARCH_OK);
        assert_int_equal(f.sync(f.context, NAME), LARCH_OK);
        assert_int_equal(f.read(f.context, NAME, 15, out, 6), LARCH_OK);
        assert_memory_equal(out, "\xffmark\xff", 6);

        /* The descriptor of the old file must not live on. */
        assert_int_equal(f.replace(f.context, NAME, LARCH_TEXT("second"), 0), LARCH_OK);
        assert_int_equal(f.read(f.context, NAME, 0, out, 6), LARCH_OK);
        assert_memory_equal(out, "second", 6);
        assert_int_equal(f.replace(f.context, NAME, LARCH_TEXT(""), 0), LARCH_OK);
        assert_int_equal(f.size(f.context, NAME, &size), LARCH_OK);
        assert_int_equal(size, 0);
        assert_int_equal(f.remove(f.context, NAME), LARCH_OK);
        assert_int_equal(access(in_state(NAME), F_OK), -1);
        larch_posix_storage_close(&s);
        larch_posix_storage_close(&s); /* twice is harmless */
    }
}

/* More files than descriptors: each keeps its own content. */
static void test_many_files(void **state)
{
    (void)state;
    larch_posix_storage s;
    open_ok(&s);
    larch_storage f = larch_posix_storage_interface(&s);
    for (int round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 3 * LARCH_POSIX_STORAGE_FILES; i++) {
            char name[16];
            uint8_t value = (uint8_t)(i + 1);
            uint8_t out = 0;
            snprintf(name, sizeof name, "file-%u.log", i);
            if (round == 0)
                assert_int_equal(f.replace(f.context, name, (larch_bytes){NULL, 0}, 1), LARCH_OK);
            else if (round == 1)
                assert_int_equal(f.write(f.context, name, 0, (larch_bytes){&value, 1}), LARCH_OK);
            else
                assert_int_equal(f.sync(f.context, name), LARCH_OK);
            assert_int_equal(f.read(f.context, name, 0, &out, 1), LARCH_OK);
            assert_int_equal(out, round == 0 ? 0xff : value);
        }
    }
    larch_posix_storage_close(&s);
}

static void test_names(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "",        ".",    "..",        "../x.key", "a/b.key",
        ".hidden", "lock", "UPPER.key", "a b.key",  "12345678901234567890123456789.key",
    };
    larch_posix_storage s;
    open_ok(&s);
    larch_storage f = larch_posix_storage_interface(&s);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        uint8_t out[1];
        assert_int_equal(f.replace(f.context, refused[i], LARCH_TEXT("x"), 0), LARCH_PLATFORM);
        assert_int_equal(f.remove(f.context, refused[i]), LARCH_PLATFORM);
        assert_int_equal(f.read(f.context, refused[i], 0, out, 1), LARCH_PLATFORM);
    }
    larch_posix_storage_close(&s);
}

/* Links and other things that are no files are not touched. */
static void test_no_links(void **state)
{
    (void)state;
    larch_posix_storage s;
    char outside[96];
    uint8_t out[1];
    uint32_t size;
    open_ok(&s);
    larch_storage f = larch_posix_storage_interface(&s);
    snprintf(outside, sizeof outside, "%s/outside", base);
    make_file(outside, "not ours");
    assert_int_equal(symlink(outside, in_state(NAME)), 0);
    assert_int_equal(f.size(f.context, NAME, &size), LARCH_PLATFORM);
    assert_says(&s, "is not a regular file");
    assert_int_equal(f.read(f.context, NAME, 0, out, 1), LARCH_PLATFORM);
    assert_says(&s, strerror(ELOOP));
    assert_int_equal(f.write(f.context, NAME, 0, LARCH_TEXT("x")), LARCH_PLATFORM);
    assert_int_equal(symlink(outside, in_state(NAME ".tmp")), 0);
    assert_int_equal(f.replace(f.context, NAME, LARCH_TEXT("ours"), 0), LARCH_OK);
    assert_int_equal(f.read(f.context, NAME, 0, out, 1), LARCH_OK);
    assert_int_equal(out[0], 'o');

    struct stat st;
    assert_int_equal(stat(outside, &st), 0);
    assert_int_equal(st.st_size, 8);
    assert_int_equal(mkdir(in_state("a.log"), 0700), 0);
    assert_int_equal(f.size(f.context, "a.log", &size), LARCH_PLATFORM);
    assert_int_equal(f.replace(f.context, "a.log", LARCH_TEXT("x"), 0), LARCH_PLATFORM);
    assert_says(&s, "state/a.log: Is a directory");
    assert_int_equal(access(in_state("a.log.tmp"), F_OK), -1);
    larch_posix_storage_close(&s);
}

/* A full medium is known when the file is made, and the old file stands. */
static void test_full_medium(void **state)
{
    (void)state;
    larch_posix_storage s;
    larch_replay_set rs;
    static uint64_t slots[4096];
    struct rlimit before;
    uint8_t out[3];
    open_ok(&s);
    larch_storage f = larch_posix_storage_interface(&s);
    assert_int_equal(f.replace(f.context, NAME, LARCH_TEXT("old"), 0), LARCH_OK);

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit small = {32768, before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    larch_error tail = f.replace(f.context, NAME, LARCH_TEXT("new"), 40000);
    assert_says(&s, "state/direct-512.key: File too large");
    larch_error journal = larch_replay_set_create(&rs, &f, 512, 1, slots, 4096);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);

    assert_int_equal(tail, LARCH_PLATFORM);
    assert_int_equal(journal, LARCH_PLATFORM);
    assert_int_equal(f.read(f.context, NAME, 0, out, 3), LARCH_OK);
    assert_memory_equal(out, "old", 3);
    assert_int_equal(access(in_state(NAME ".tmp"), F_OK), -1);
    assert_int_equal(access(in_state("replay-512-1.log.tmp"), F_OK), -1);
    larch_posix_storage_close(&s);
}

/* Linux reports lost writes once; larch does not forget them. */
static void test_failed_sync_stays(void **state)
{
    (void)state;
    larch_posix_storage s;
    open_ok(&s);
    larch_storage f = larch_posix_storage_interface(&s);
    assert_int_equal(f.replace(f.context, NAME, LARCH_TEXT(""), 64), LARCH_OK);
    assert_int_equal(f.write(f.context, NAME, 0, LARCH_TEXT("mark")), LARCH_OK);
    /* A pipe in place of the file cannot be synced. */
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    int file = dup(s.files[0].fd);
    assert_int_equal(dup2(ends[1], s.files[0].fd), s.files[0].fd);
    assert_int_equal(f.sync(f.context, NAME), LARCH_PLATFORM);
    assert_says(&s, "state/direct-512.key: ");
    assert_int_equal(dup2(file, s.files[0].fd), s.files[0].fd);
    assert_int_equal(f.sync(f.context, NAME), LARCH_PLATFORM);
    assert_int_equal(f.write(f.context, NAME, 16, LARCH_TEXT("mark")), LARCH_PLATFORM);
    close(file);
    close(ends[0]);
    close(ends[1]);
    larch_posix_storage_close(&s);
}

/* As ssh refuses a key that others could have read or written. */
static void test_access_is_refused(void **state)
{
    (void)state;
    static const mode_t modes[] = {0666, 0644, 0640, 0601, 0620};
    char command[160];
    uint8_t out[1];
    larch_posix_storage s;
    for (int view = 0; view < 2; view++) {
        open_ok(&s);
        larch_storage f = larch_posix_storage_interface(&s);
        assert_int_equal(f.replace(f.context, NAME, LARCH_TEXT("key"), 0), LARCH_OK);
        larch_posix_storage_close(&s);
        for (size_t i = 0; i <= sizeof modes / sizeof modes[0]; i++) {
            const bool is_owner = i == sizeof modes / sizeof modes[0];
            if (is_owner && geteuid() != 0) {
                print_message("skipped: a file of another user: needs root\n");
                continue;
            }
            assert_int_equal(view ? larch_posix_storage_view(&s, where)
                                  : larch_posix_storage_open(&s, where, LARCH_POSIX_DURABILITY_MEDIUM),
                             LARCH_OK);
            f = larch_posix_storage_interface(&s);
            assert_int_equal(is_owner ? chown(in_state(NAME), 12345, (gid_t)-1) : chmod(in_state(NAME), modes[i]), 0);
            assert_int_equal(f.read(f.context, NAME, 0, out, 1), LARCH_PLATFORM);
            assert_says(&s, is_owner ? "belongs to another user (12345)" : "is open to other users (mode 06");
            snprintf(command, sizeof command, is_owner ? "'chown 0 %s' mends it" : "'chmod 600 %s' mends it",
                     in_state(NAME));
            assert_says(&s, command);
            if (!view)
                assert_int_equal(f.write(f.context, NAME, 0, LARCH_TEXT("x")), LARCH_PLATFORM);
            assert_int_equal(chown(in_state(NAME), geteuid(), (gid_t)-1) | chmod(in_state(NAME), 0600), 0);
            assert_int_equal(f.read(f.context, NAME, 0, out, 1), LARCH_OK);
            larch_posix_storage_close(&s);
        }
    }
    assert_int_equal(mkfifo(in_state("a.log"), 0600), 0); /* nothing waits for its other end */
    assert_int_equal(larch_posix_storage_view(&s, where), LARCH_OK);
    larch_storage f = larch_posix_storage_interface(&s);
    assert_int_equal(f.read(f.context, "a.log", 0, out, 1), LARCH_PLATFORM);
    assert_says(&s, "is not a regular file");
    larch_posix_storage_close(&s);
}

/* What happens to the folder behind a running program's back. */
static int do_unlink(const char *path, const char *other)
{
    (void)other;
    return unlink(path);
}

static int do_replace(const char *path, const char *other)
{
    make_file(other, "an older one");
    return rename(other, path);
}

static int do_move_folder(const char *path, const char *other)
{
    (void)path;
    return rename(where, other);
}

static int do_replace_folder(const char *path, const char *other)
{
    (void)path;
    return rename(where, other) | mkdir(where, 0700);
}

static void test_sync_misses_what_is_gone(void **state)
{
    (void)state;
    static int (*const deeds[])(const char *path, const char *other) = {do_unlink, rename, do_replace, do_move_folder,
                                                                        do_replace_folder};
    /* With what inotify tells and without it; each durability; the file that is synced, another one, and a guarded one. */
    for (size_t i = 0; i < 2 * 2 * 3 * sizeof deeds / sizeof deeds[0]; i++) {
        static const char *const names[] = {NAME, "b.log", "outbox.db-wal"};
        larch_posix_storage s;
        char other[128];
        const size_t deed = i / 12;
        const bool is_folder = deed > 2;
        const char *name = names[i / 4 % 3];
        snprintf(where, sizeof where, "%s/state-%zu", base, i);
        snprintf(other, sizeof other, "%s/other-%zu", base, i);
        assert_int_equal(larch_posix_storage_open(&s, where, (larch_posix_durability)(i % 2)), LARCH_OK);
        assert_true(s.watch >= 0);
        if (i % 4 > 1) {
            close(s.watch);
            s.watch = -1;
        }
        larch_storage f = larch_posix_storage_interface(&s);
        assert_int_equal(f.replace(f.context, NAME, LARCH_TEXT(""), 64), LARCH_OK);
        assert_int_equal(f.replace(f.context, "b.log", LARCH_TEXT(""), 64), LARCH_OK);
        assert_int_equal(f.sync(f.context, "b.log"), LARCH_OK);
        assert_int_equal(larch_posix_storage_guard(&s, "outbox.db-wal"), LARCH_PLATFORM);
        make_file(in_state("outbox.db-wal"), "of another library");
        assert_int_equal(larch_posix_storage_guard(&s, "outbox.db-wal"), LARCH_OK);
        assert_int_equal(f.write(f.context, NAME, 0, LARCH_TEXT("mark")), LARCH_OK);
        assert_int_equal(f.sync(f.context, NAME), LARCH_OK);
        assert_int_equal(f.remove(f.context, "c.log"), LARCH_OK);
        assert_int_equal(f.replace(f.context, "c.log", LARCH_TEXT("ours"), 0), LARCH_OK);
        assert_int_equal(f.remove(f.context, "c.log"), LARCH_OK);
        assert_int_equal(f.sync(f.context, NAME), LARCH_OK); /* what we did ourselves is no harm */
        assert_int_equal(deeds[deed](in_state(name), other), 0);
        (void)!f.write(f.context, NAME, 16, LARCH_TEXT("mark"));
        assert_int_equal(f.sync(f.context, NAME), LARCH_PLATFORM);
        assert_says(&s, is_folder ? "was moved or deleted while" : "was moved, replaced or deleted");
        assert_says(&s, is_folder ? "" : name);
        assert_int_equal(f.sync(f.context, NAME), LARCH_PLATFORM);
        assert_int_equal(f.write(f.context, NAME, 32, LARCH_TEXT("mark")), LARCH_PLATFORM);
        if (is_folder)
            assert_int_equal(f.replace(f.context, "d.log", LARCH_TEXT("new"), 0), LARCH_PLATFORM);
        larch_posix_storage_close(&s);
    }
}

/* ---- the folder -------------------------------------------------------- */

static void test_folder_is_made(void **state)
{
    (void)state;
    larch_posix_storage s;
    char deep[128];
    snprintf(deep, sizeof deep, "%s/a/b/larch//", base);
    mode_t mask = umask(0);
    assert_int_equal(larch_posix_storage_open(&s, deep, LARCH_POSIX_DURABILITY_MEDIUM), LARCH_OK);
    larch_posix_storage_close(&s);
    umask(mask);
    assert_int_equal(mode_of(deep), 0700);
    snprintf(deep, sizeof deep, "%s/a", base);
    assert_int_equal(mode_of(deep), 0700);
}

static void test_folder_is_refused(void **state)
{
    (void)state;
    larch_posix_storage s;
    char below[128];
    static const mode_t open_modes[] = {0755, 0750, 0701, 0770, 0704};

    assert_int_equal(mkdir(where, 0700), 0);
    for (size_t i = 0; i < sizeof open_modes / sizeof open_modes[0]; i++) {
        assert_int_equal(chmod(where, open_modes[i]), 0);
        assert_int_equal(larch_posix_storage_open(&s, where, LARCH_POSIX_DURABILITY_MEDIUM), LARCH_STATE);
        assert_says(&s, "state: is open to other users");
    }
    assert_int_equal(chmod(where, 0700), 0);
    if (geteuid() == 0) {
        assert_int_equal(chown(where, 12345, (gid_t)-1), 0);
        assert_int_equal(larch_posix_storage_open(&s, where, LARCH_POSIX_DURABILITY_MEDIUM), LARCH_STATE);
        assert_says(&s, "state: belongs to another user");
    } else {
        print_message("skipped: a folder of another user: needs root\n");
    }
    assert_int_equal(rmdir(where), 0);
    make_file(where, "a file");
    assert_int_equal(larch_posix_storage_open(&s, where, LARCH_POSIX_DURABILITY_MEDIUM), LARCH_STATE);
    assert_says(&s, "state: is not a folder");
    snprintf(below, sizeof below, "%s/below", where);
    assert_int_equal(larch_posix_storage_open(&s, below, LARCH_POSIX_DURABILITY_MEDIUM), LARCH_PLATFORM);
    assert_says(&s, "Not a directory");
    assert_int_equal(larch_posix_storage_open(&s, "", LARCH_POSIX_DURABILITY_MEDIUM), LARCH_PLATFORM);
    assert_says(&s, "No such file");
    char too_long[2 * LARCH_POSIX_PATH_MAX];
    memset(too_long, 'a', sizeof too_long);
    too_long[sizeof too_long - 1] = '\0';
    assert_int_equal(larch_posix_storage_open(&s, too_long, LARCH_POSIX_DURABILITY_MEDIUM), LARCH_PLATFORM);
    assert_says(&s, "too long");
}

static void test_one_process(void **state)
{
    (void)state;
    larch_posix_storage s;
    larch_posix_storage second;
    char pid[32];
    open_ok(&s);
    assert_int_equal(larch_posix_storage_open(&second, where, LARCH_POSIX_DURABILITY_MEDIUM), LARCH_STATE);
    snprintf(pid, sizeof pid, "in use by process %ld", (long)getpid());
    assert_says(&second, pid);
    larch_posix_storage_close(&s);

    /* Held by a process that is killed, it is free again. */
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        larch_error e = larch_posix_storage_open(&s, where, LARCH_POSIX_DURABILITY_MEDIUM);
        if (write(ready[1], e == LARCH_OK ? "y" : "n", 1) == 1)
            pause();
        _exit(1);
    }
    char answer = 0;
    assert_int_equal(read(ready[0], &answer, 1), 1);
    assert_int_equal(answer, 'y');
    assert_int_equal(larch_posix_storage_open(&second, where, LARCH_POSIX_DURABILITY_MEDIUM), LARCH_STATE);
    snprintf(pid, sizeof pid, "in use by process %ld", (long)child);
    assert_says(&second, pid);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    open_ok(&second);
    larch_posix_storage_close(&second);
    close(ready[0]);
    close(ready[1]);
}

/* Whatever is removed from it: the folder itself is locked. And who knows only the file's lock is kept out as well. */
static void test_lock_is_the_folders(void **state)
{
    (void)state;
    larch_posix_storage s, second;
    open_ok(&s);
    assert_int_equal(unlink(in_state("lock")), 0);
    assert_int_equal(larch_posix_storage_open(&second, where, LARCH_POSIX_DURABILITY_MEDIUM), LARCH_STATE);
    assert_says(&second, "is in use by process unknown");
    assert_int_equal(larch_posix_storage_holder(&second), 0);
    make_file(in_state("lock"), "");
    assert_int_equal(larch_posix_storage_open(&second, where, LARCH_POSIX_DURABILITY_MEDIUM), LARCH_STATE);
    larch_posix_storage_close(&s);

    int old = open(in_state("lock"), O_RDWR | O_CLOEXEC);
    assert_int_equal(flock(old, LOCK_EX | LOCK_NB), 0);
    assert_int_equal(larch_posix_storage_open(&s, where, LARCH_POSIX_DURABILITY_MEDIUM), LARCH_STATE);
    assert_says(&s, "is in use by process");
    close(old);
    open_ok(&s);
    old = open(in_state("lock"), O_RDWR | O_CLOEXEC);
    assert_int_equal(flock(old, LOCK_EX | LOCK_NB), -1);
    close(old);
    larch_posix_storage_close(&s);
}

static void test_leftovers_go(void **state)
{
    (void)state;
    larch_posix_storage s;
    open_ok(&s);
    larch_posix_storage_close(&s);
    make_file(in_state("direct-512.key.tmp"), "half a k");
    make_file(in_state("direct-512.key"), "a key");
    make_file(in_state("notes.txt"), "of the owner");
    open_ok(&s);
    larch_posix_storage_close(&s);
    assert_int_equal(access(in_state("direct-512.key.tmp"), F_OK), -1);
    assert_int_equal(access(in_state("direct-512.key"), F_OK), 0);
    assert_int_equal(access(in_state("notes.txt"), F_OK), 0);
}

static void test_state_path(void **state)
{
    (void)state;
    static const struct {
        const char *systemd;
        const char *xdg;
        const char *home;
        const char *path; /* NULL: none */
    } rows[] = {
        {"/var/lib/larch", "/x", "/home/a", "/var/lib/larch"},
        {"/var/lib/larch:/var/lib/other", NULL, NULL, "/var/lib/larch"},
        {NULL, "/x/state", "/home/a", "/x/state/larch"},
        {NULL, "relative", "/home/a", "/home/a/.local/state/larch"},
        {NULL, "", "/home/a", "/home/a/.local/state/larch"},
        {NULL, NULL, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *values[] = {rows[i].systemd, rows[i].xdg, rows[i].home};
        static const char *const names[] = {"STATE_DIRECTORY", "XDG_STATE_HOME", "HOME"};
        for (size_t n = 0; n < 3; n++)
            assert_int_equal(values[n] != NULL ? setenv(names[n], values[n], 1) : unsetenv(names[n]), 0);
        char path[64];
        larch_error e = larch_posix_state_path(path, sizeof path);
        assert_int_equal(e, rows[i].path != NULL ? LARCH_OK : LARCH_STATE);
        if (rows[i].path == NULL)
            continue;
        assert_string_equal(path, rows[i].path);
        assert_int_equal(larch_posix_state_path(path, strlen(rows[i].path)), LARCH_SPACE);
        assert_int_equal(larch_posix_state_path(path, strlen(rows[i].path) + 1), LARCH_OK);
    }
}

/* ---- the store on it --------------------------------------------------- */

static void test_store_on_folder(void **state)
{
    (void)state;
    static uint64_t slots[4096];
    larch_posix_storage s;
    larch_replay_set rs;
    larch_store_fault fault;
    uint32_t needed;
    larch_key_ring ring = {.set = 512, .present = {.generation = 1, .seed = {5}}};
    open_ok(&s);
    larch_storage f = larch_posix_storage_interface(&s);
    assert_int_equal(larch_replay_set_create(&rs, &f, 512, 1, slots, 4096), LARCH_OK);
    assert_int_equal(larch_key_ring_save(&f, &ring), LARCH_OK);
    for (uint64_t tag = 0; tag < 3000; tag += 2)
        assert_int_equal(larch_replay_set_add(&rs, tag << 20 | tag), LARCH_OK);
    assert_int_equal(larch_replay_set_commit(&rs), LARCH_OK);
    larch_posix_storage_close(&s);

    open_ok(&s);
    f = larch_posix_storage_interface(&s);
    assert_int_equal(larch_key_ring_load(&f, 512, &ring, &fault), LARCH_OK);
    assert_int_equal(ring.present.seed[0], 5);
    assert_int_equal(larch_replay_set_open(&rs, &f, 512, 1, slots, 4096, &needed, &fault), LARCH_OK);
    for (uint64_t tag = 1; tag < 3000; tag++)
        assert_int_equal(larch_replay_set_contains(&rs, tag << 20 | tag), tag % 2 == 0);
    assert_int_equal(larch_replay_set_remove(&rs), LARCH_OK);
    assert_int_equal(access(in_state("replay-512-1.log"), F_OK), -1);
    larch_posix_storage_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_round_trip, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_links, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_full_medium, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_failed_sync_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_access_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sync_misses_what_is_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lock_is_the_folders, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_folder_is_made, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_folder_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_one_process, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_leftovers_go, set_up, tear_down),
        cmocka_unit_test(test_state_path),
        cmocka_unit_test_setup_teardown(test_store_on_folder, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
