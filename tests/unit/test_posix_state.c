/* SPDX-License-Identifier: Apache-2.0 */
/* Starts over a real folder: an old one is moved, a full disk leaves it as it was, another machine is noticed. */
#define _DEFAULT_SOURCE /* NOLINT(bugprone-reserved-identifier): mkdtemp, setrlimit */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "format_1_folder.h"
#include "larch/crypto.h"
#include "registry/seal.h"
#include "state.h"
#include "temp_folder.h"

static format_1_file old[FORMAT_1_FILES];
static char folder[TEMP_FOLDER_MAX];
static larch_posix_storage files;
static larch_storage storage;
static larch_posix_state started;
static char faulty[LARCH_STORAGE_NAME_MAX + 1];
static larch_store_fault fault;

static const char *in_folder(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void put(const char *path, const void *bytes, size_t len)
{
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    assert_int_equal(fchmod(fileno(f), 0600), 0);
    assert_int_equal(fwrite(bytes, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

static bool holds(const char *name, const format_1_file *expected)
{
    uint8_t bytes[FORMAT_1_FILE_MAX + 1];
    FILE *f = fopen(in_folder(name), "re");
    if (f == NULL)
        return false;
    const size_t len = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    return len == expected->len && memcmp(bytes, expected->bytes, len) == 0;
}

static larch_error start_as(larch_posix_durability durability)
{
    assert_int_equal(larch_posix_storage_open(&files, folder, durability), LARCH_OK);
    storage = larch_posix_storage_interface(&files);
    const larch_error e = larch_posix_state_start(&files, &storage, &started, faulty, &fault);
    assert_int_equal(files.durability, durability);
    larch_posix_storage_close(&files);
    return e;
}

static larch_error start(void) { return start_as(LARCH_POSIX_DURABILITY_MEDIUM); }

static int begin(void **state)
{
    (void)state;
    format_1_load(FORMAT_1_FOLDER, old);
    return larch_crypto_init() == LARCH_OK && temp_folder_make(folder) ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    return temp_folder_remove(folder);
}

static void put_old(void)
{
    for (size_t i = 0; i < FORMAT_1_FILES; i++)
        put(in_folder(old[i].name), old[i].bytes, old[i].len);
}

static void test_starts(void **state)
{
    (void)state;
    for (uint32_t i = 1; i < 4; i++) {
        larch_state_head head;
        assert_int_equal(start_as(i % 2 ? LARCH_POSIX_DURABILITY_PROCESS : LARCH_POSIX_DURABILITY_MEDIUM), LARCH_OK);
        assert_int_equal(storage.start, i);
        assert_int_equal(started.moved, 0);
        assert_false(started.is_clock_behind);
        assert_true(started.unix_ms > UINT64_C(1700000000000));
        assert_int_equal(started.start, i);
        assert_int_equal(started.complete, 0);
        assert_int_equal(larch_posix_storage_view(&files, folder), LARCH_OK);
        storage = larch_posix_storage_interface(&files);
        assert_int_equal(larch_state_head_load(&storage, &head, &fault), LARCH_OK);
        assert_true(head.newest_ms > UINT64_C(1700000000000));
        larch_posix_storage_close(&files);
    }
}

static void test_old_folder(void **state)
{
    (void)state;
    put_old();
    assert_int_equal(start_as(LARCH_POSIX_DURABILITY_PROCESS), LARCH_OK);
    assert_int_equal(started.moved, FORMAT_1_FILES);
    assert_int_equal(storage.start, 2);
    assert_int_equal(start(), LARCH_OK);
    assert_int_equal(started.moved, 0);
    assert_int_equal(storage.start, 3);
    assert_true(holds("direct-512.key.v1", &old[0]));
    assert_false(holds("direct-512.key", &old[0]));

    assert_int_equal(larch_posix_storage_open(&files, folder, LARCH_POSIX_DURABILITY_MEDIUM), LARCH_OK);
    storage = larch_posix_storage_interface(&files);
    assert_int_equal(larch_posix_state_forget_copies(&files, &storage), LARCH_OK);
    larch_posix_storage_close(&files);
    assert_int_equal(access(in_folder("direct-512.key.v1"), F_OK), -1);
    assert_int_equal(access(in_folder("replay-1024-2.log.v1"), F_OK), -1);
    assert_int_equal(access(in_folder("direct-512.key"), F_OK), 0);
}

static void test_full_disk(void **state)
{
    (void)state;
    struct rlimit before;
    put_old();
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    const struct rlimit small = {500, before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    const larch_error e = start();
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(e, LARCH_PLATFORM);
    assert_non_null(strstr(larch_posix_storage_error(&files), ".log.v1: File too large"));
    for (size_t i = 0; i < FORMAT_1_FILES; i++)
        assert_true(holds(old[i].name, &old[i]));
    assert_int_equal(access(in_folder(LARCH_STATE_HEAD_NAME), F_OK), -1);
    assert_int_equal(start(), LARCH_OK);
    assert_int_equal(started.moved, FORMAT_1_FILES);
}

static void test_head_that_is_not_sound(void **state)
{
    (void)state;
    const format_1_file foreign = {.len = 10, .bytes = "Dear diary"};
    put_old();
    put(in_folder(LARCH_STATE_HEAD_NAME), foreign.bytes, foreign.len);
    assert_int_equal(start(), LARCH_MALFORMED);
    assert_string_equal(faulty, LARCH_STATE_HEAD_NAME);
    assert_int_equal(fault, LARCH_STORE_FOREIGN);
    assert_true(holds(LARCH_STATE_HEAD_NAME, &foreign));
    for (size_t i = 0; i < FORMAT_1_FILES; i++)
        assert_true(holds(old[i].name, &old[i]));
    assert_int_equal(access(in_folder("direct-512.key.v1"), F_OK), -1);
}

/* ---- machines ---------------------------------------------------------- */

static void test_machine_hash(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_one;
    } rows[] = {
        {"0123456789abcdef0123456789abcdef\n", true},
        {"0123456789abcdef0123456789abcdef", true},
        {"0123456789abcdef0123456789abcdee\n", true},
        {"uninitialized\n", false},
        {"", false},
        {"0123456789abcdef0123456789abcde\n", false},
        {"0123456789abcdef0123456789abcdef0\n", false},
        {"0123456789ABCDEF0123456789abcdef\n", false},
    };
    static const uint8_t zeros[LARCH_STATE_MACHINE_LEN];
    uint8_t hashes[3][LARCH_STATE_MACHINE_LEN], none[LARCH_STATE_MACHINE_LEN];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        put(in_folder("id"), rows[i].text, strlen(rows[i].text));
        assert_int_equal(larch_posix_machine_hash(in_folder("id"), i < 3 ? hashes[i] : none), rows[i].is_one);
        if (i >= 3)
            assert_memory_equal(none, zeros, sizeof zeros);
    }
    assert_memory_equal(hashes[0], hashes[1], sizeof hashes[0]);
    assert_memory_not_equal(hashes[0], hashes[2], sizeof hashes[0]);
    assert_false(larch_posix_machine_hash(in_folder("missing"), none));
}

/* Who serves leaves one in the folder before a start is complete. */
static void make_identity(void)
{
    const larch_stored_identity identity = {.founding = 1, .count = 1, .keys = {{.kind = 1, .algorithm = 512}}};
    assert_int_equal(larch_stored_identity_save(&storage, &identity), LARCH_OK);
}

static void save_head(const larch_state_head *head)
{
    assert_int_equal(larch_posix_storage_open(&files, folder, LARCH_POSIX_DURABILITY_MEDIUM), LARCH_OK);
    storage = larch_posix_storage_interface(&files);
    assert_int_equal(larch_state_head_save(&storage, head), LARCH_OK);
    larch_posix_storage_close(&files);
}

static larch_state_head load_head(void)
{
    larch_state_head head;
    assert_int_equal(larch_posix_storage_view(&files, folder), LARCH_OK);
    storage = larch_posix_storage_interface(&files);
    assert_int_equal(larch_state_head_load(&storage, &head, &fault), LARCH_OK);
    larch_posix_storage_close(&files);
    return head;
}

static void recover(bool completely)
{
    assert_int_equal(larch_posix_storage_open(&files, folder, LARCH_POSIX_DURABILITY_PROCESS), LARCH_OK);
    storage = larch_posix_storage_interface(&files);
    assert_int_equal(larch_posix_state_recover(&files, &storage, faulty, &fault), LARCH_OK);
    if (completely) {
        make_identity();
        assert_int_equal(larch_posix_state_complete(&files, &storage, faulty, &fault), LARCH_OK);
    }
    assert_int_equal(files.durability, LARCH_POSIX_DURABILITY_PROCESS);
    larch_posix_storage_close(&files);
}

static void test_other_machine(void **state)
{
    (void)state;
    uint8_t here[LARCH_STATE_MACHINE_LEN];
    const larch_state_head copied = {.start = 8, .machine = {1}}, unnamed = {.start = 8};
    if (!larch_posix_machine_hash(LARCH_POSIX_MACHINE_ID, here)) {
        print_message("skipped: a folder of another machine: needs " LARCH_POSIX_MACHINE_ID "\n");
        save_head(&copied);
        assert_int_equal(start(), LARCH_OK); /* what has no name is not compared */
        assert_memory_equal(load_head().machine, copied.machine, sizeof copied.machine);
        return;
    }
    save_head(&unnamed);
    assert_int_equal(start(), LARCH_OK);
    assert_memory_equal(load_head().machine, here, sizeof here);
    save_head(&copied);
    assert_int_equal(start(), LARCH_MALFORMED);
    assert_string_equal(faulty, LARCH_STATE_HEAD_NAME);
    assert_int_equal(fault, LARCH_STORE_COPY);
    assert_int_equal(load_head().start, 8);
    assert_memory_equal(load_head().machine, copied.machine, sizeof copied.machine);
    recover(true);
    assert_memory_equal(load_head().machine, here, sizeof here);
    assert_int_equal(start(), LARCH_OK);
    assert_int_equal(storage.start, 10);
}

/* A start that got to its end, and nothing else. */
static void start_completely(void)
{
    assert_int_equal(larch_posix_storage_open(&files, folder, LARCH_POSIX_DURABILITY_MEDIUM), LARCH_OK);
    storage = larch_posix_storage_interface(&files);
    assert_int_equal(larch_posix_state_start(&files, &storage, &started, faulty, &fault), LARCH_OK);
    make_identity();
    assert_int_equal(larch_posix_state_complete(&files, &storage, faulty, &fault), LARCH_OK);
    larch_posix_storage_close(&files);
}

static void shell(const char *format)
{
    char command[384];
    snprintf(command, sizeof command, format, folder, folder, folder, folder);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): the paths are this program's own */
}

static void test_backup_of_the_folder(void **state)
{
    (void)state;
    static const struct {
        const char *deed;
        bool starts_between;
        bool is_found;
    } rows[] = {
        {"rm -rf %s && cp -a %s.old %s", false, true},
        {"rm -rf %s && cp -a %s.old %s", true, true},
        {"cp -a %s.old/. %s/", true, true},
        {"cp -a %s.old/state.birth %s/", true, false}, /* as after a start that was cut */
        {"mv %s %s.new && mv %s.new %s", true, false},
        {"chmod -R u=rwX,go= %s && touch %s/*", true, false},
        {"rm %s/state.birth", true, false},
        {"printf 'LRCH 1234567890123456' >%s/state.birth", true, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        start_completely();
        start_completely();
        if (access(in_folder("state.birth"), F_OK) != 0) {
            print_message("skipped: a folder put back from a backup: needs a file system that knows times of birth\n");
            return;
        }
        shell("rm -rf %s.old && cp -a %s %s.old");
        if (rows[i].starts_between)
            start_completely();
        const uint32_t before = storage.start;
        print_message("%s\n", rows[i].deed);
        shell(rows[i].deed);
        assert_int_equal(start(), rows[i].is_found ? LARCH_MALFORMED : LARCH_OK);
        if (!rows[i].is_found) {
            assert_int_equal(storage.start, before + 1);
            continue;
        }
        const bool is_damaged = strstr(rows[i].deed, "printf") != NULL;
        assert_int_equal(fault, is_damaged ? LARCH_STORE_VERSION : LARCH_STORE_COPY);
        assert_string_equal(faulty, is_damaged ? "state.birth" : LARCH_STATE_HEAD_NAME);
        recover(true);
        assert_int_equal(start(), LARCH_OK);
    }
    shell("rm -rf %s.old");
}

/* A start may end without the second step: of a program that only rotates, or one that finds its port in use. */
static void test_backup_after_half_a_start(void **state)
{
    (void)state;
    start_completely();
    assert_int_equal(start(), LARCH_OK);
    if (access(in_folder("state.birth"), F_OK) != 0) {
        print_message("skipped: a backup after half a start: needs a file system that knows times of birth\n");
        return;
    }
    shell("rm -rf %s.old && cp -a %s %s.old");
    start_completely();
    shell("rm -rf %s && cp -a %s.old %s && rm -rf %s.old");
    assert_int_equal(start(), LARCH_MALFORMED);
    assert_int_equal(fault, LARCH_STORE_COPY);
    recover(true);
    assert_int_equal(start(), LARCH_OK);
}

static larch_error try_to_recover(void)
{
    assert_int_equal(larch_posix_storage_open(&files, folder, LARCH_POSIX_DURABILITY_MEDIUM), LARCH_OK);
    storage = larch_posix_storage_interface(&files);
    larch_error e = larch_posix_state_recover(&files, &storage, faulty, &fault);
    if (e == LARCH_OK)
        e = larch_posix_state_complete(&files, &storage, faulty, &fault);
    larch_posix_storage_close(&files);
    return e;
}

/* Recovered without it, a folder would lose its direct keys and be refused all the same. */
static void test_recover_without_the_identity(void **state)
{
    (void)state;
    static const struct {
        const char *deed;
        larch_store_fault fault;
    } rows[] = {
        {"rm %s/identity.key", LARCH_STORE_MISSING},
        {"umask 077; printf LRCH >%s/identity.key", LARCH_STORE_TRUNCATED},
        {"printf X | dd of=%s/identity.key bs=1 seek=20 conv=notrunc 2>/dev/null", LARCH_STORE_DAMAGED},
    };
    start_completely();
    put(in_folder("direct-512.key"), "a key", 5);
    shell("cp -a %s/identity.key %s.identity");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        print_message("%s\n", rows[i].deed);
        shell(rows[i].deed);
        assert_int_equal(try_to_recover(), LARCH_MALFORMED);
        assert_int_equal(fault, rows[i].fault);
        assert_string_equal(faulty, "identity.key");
        assert_non_null(strstr(larch_posix_state_advice(fault, faulty), "Put it back from a backup"));
        assert_int_equal(access(in_folder("direct-512.key"), F_OK), 0);
        shell("cp -a %s.identity %s/identity.key");
    }
    shell("rm %s.identity");
    assert_int_equal(try_to_recover(), LARCH_OK);
    assert_int_equal(start(), LARCH_OK);
}

/* A folder that never had an identity is not asked for one, wherever its recovery was cut. */
static void test_recover_an_old_folder(void **state)
{
    (void)state;
    put_old();
    put(in_folder("direct-512.key"), "LRCH", 4);
    assert_int_not_equal(start(), LARCH_OK);
    recover(false);
    assert_int_equal(start(), LARCH_MALFORMED);
    assert_int_equal(try_to_recover(), LARCH_OK);
    start_completely();
    assert_int_equal(start(), LARCH_OK);
}

/* Direct keys stay, but their grace does not go by such a clock. */
static void test_clock_behind(void **state)
{
    (void)state;
    const larch_state_head head = {.start = 8, .newest_ms = UINT64_C(4000000000000)};
    save_head(&head);
    assert_int_equal(start(), LARCH_OK);
    assert_true(started.is_clock_behind);
    assert_true(started.unix_ms == 0);
    assert_true(load_head().newest_ms == head.newest_ms);
    recover(true);
    assert_true(load_head().newest_ms < head.newest_ms);
    assert_int_equal(start(), LARCH_OK);
    assert_false(started.is_clock_behind);
}

static void test_recover(void **state)
{
    (void)state;
    put_old();
    assert_int_equal(start(), LARCH_OK); /* the files of format 1 are moved */
    recover(false);
    assert_int_equal(access(in_folder("direct-512.key"), F_OK), -1);
    assert_int_equal(access(in_folder("direct-512.key.v1"), F_OK), -1);
    assert_int_equal(access(in_folder("replay-1024-2.log"), F_OK), -1);
    assert_int_equal(load_head().complete, LARCH_STATE_RECOVERING);
    recover(true);
    assert_int_equal(load_head().complete, load_head().start);
    assert_int_equal(start(), LARCH_OK);

    /* Where there is no state, there is nothing to recover. */
    assert_int_equal(unlink(in_folder(LARCH_STATE_HEAD_NAME)), 0);
    assert_int_equal(unlink(in_folder(LARCH_STORED_IDENTITY_NAME)), 0);
    assert_int_equal(larch_posix_storage_open(&files, folder, LARCH_POSIX_DURABILITY_MEDIUM), LARCH_OK);
    storage = larch_posix_storage_interface(&files);
    assert_int_equal(larch_posix_state_recover(&files, &storage, faulty, &fault), LARCH_STATE);
    assert_int_equal(fault, LARCH_STORE_MISSING);
    larch_posix_storage_close(&files);
    assert_int_equal(access(in_folder(LARCH_STATE_HEAD_NAME), F_OK), -1);
}

static larch_seal_key use_store_key(bool is_new)
{
    const larch_random random = larch_crypto_random();
    larch_seal_key key;
    assert_int_equal(larch_posix_storage_open(&files, folder, LARCH_POSIX_DURABILITY_MEDIUM), LARCH_OK);
    storage = larch_posix_storage_interface(&files);
    storage.start = started.start;
    assert_int_equal(
        is_new ? larch_seal_key_make(&key, &storage, &random) : larch_seal_key_load(&key, &storage, &fault), LARCH_OK);
    larch_posix_storage_close(&files);
    return key;
}

/* The key that seals the secrets of databases is a file of the folder as any other. */
static void test_store_key(void **state)
{
    (void)state;
    start_completely();
    const larch_seal_key key = use_store_key(true);
    start_completely();
    shell("cp -p %s/store.key %s.old");
    start_completely();
    assert_memory_equal(use_store_key(false).bytes, key.bytes, sizeof key.bytes);
    shell("mv %s.old %s/store.key");
    assert_int_equal(start(), LARCH_MALFORMED);
    assert_int_equal(fault, LARCH_STORE_LAGS);
    assert_string_equal(faulty, LARCH_SEAL_KEY_NAME);
    recover(true); /* a backup of it is as good as the file: its bytes never change */
    start_completely();
    assert_memory_equal(use_store_key(false).bytes, key.bytes, sizeof key.bytes);
}

static void test_advice(void **state)
{
    (void)state;
    for (unsigned i = LARCH_STORE_MISSING; i < LARCH_STORE_FAULT_COUNT; i++) {
        const char *advice = larch_posix_state_advice((larch_store_fault)i, LARCH_STATE_HEAD_NAME);
        assert_null(strstr(advice, "estore"));
        assert_int_equal(strstr(advice, "'larch keys recover'") == NULL, i == LARCH_STORE_VERSION);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_starts, begin, end),
        cmocka_unit_test_setup_teardown(test_old_folder, begin, end),
        cmocka_unit_test_setup_teardown(test_full_disk, begin, end),
        cmocka_unit_test_setup_teardown(test_head_that_is_not_sound, begin, end),
        cmocka_unit_test_setup_teardown(test_machine_hash, begin, end),
        cmocka_unit_test_setup_teardown(test_other_machine, begin, end),
        cmocka_unit_test_setup_teardown(test_backup_of_the_folder, begin, end),
        cmocka_unit_test_setup_teardown(test_backup_after_half_a_start, begin, end),
        cmocka_unit_test_setup_teardown(test_recover_without_the_identity, begin, end),
        cmocka_unit_test_setup_teardown(test_recover_an_old_folder, begin, end),
        cmocka_unit_test_setup_teardown(test_clock_behind, begin, end),
        cmocka_unit_test_setup_teardown(test_recover, begin, end),
        cmocka_unit_test_setup_teardown(test_store_key, begin, end),
        cmocka_unit_test(test_advice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
