/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Start stamps: a file that was put back from a backup is found at the next start, wherever the power goes the folder
 * starts again, and a recovery leaves nothing that a backup could bring back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "flash.h"
#include "seal.h"
#include "stamp.h"

#define SLOTS   16
#define STAMPS  30 /* of a journal, before it is written anew */
#define RING    "direct-512.key"
#define JOURNAL "replay-512-1.log"
#define ROOT    "root.key" /* two records of a kind that nobody here knows */
#define FOREIGN "notes.txt"

static const char *const files[] = {RING, JOURNAL, ROOT};
static larch_flash flash;
static larch_storage storage;
static larch_state_head found;
static larch_stamp_name faulty;
static larch_store_fault fault;
static uint64_t slots[SLOTS];
static larch_replay_set marks;

static size_t list(larch_stamp_name *names)
{
    size_t count = 0;
    for (size_t i = 0; i < LARCH_FLASH_FILES; i++)
        if (flash.files[i].now != NULL)
            memcpy(names[count++], flash.files[i].name, sizeof names[0]);
    return count;
}

/* A program's first step. */
static larch_error begin_start(void)
{
    larch_stamp_name names[LARCH_FLASH_FILES];
    const size_t count = list(names);
    storage.start = 0;
    larch_error e = larch_state_head_load(&storage, &found, &fault);
    if (e == LARCH_OK)
        e = larch_stamp_check(&storage, names, count, &found, faulty, &fault);
    else if (e == LARCH_STATE)
        e = LARCH_OK;
    return e == LARCH_OK ? larch_state_start(&storage, 0, NULL, &found, faulty, &fault) : e;
}

static larch_error write_root(void)
{
    uint8_t bytes[64];
    larch_writer w = larch_writer_to(bytes, sizeof bytes);
    larch_record_compose(&w, (larch_record_kind)9, storage.start, LARCH_TEXT("root"));
    larch_record_compose(&w, (larch_record_kind)9, storage.start, LARCH_TEXT("another"));
    return storage.replace(storage.context, ROOT, (larch_bytes){bytes, w.len}, 0);
}

/* Loads what is there, and makes the rest, as a gateway does. */
static larch_error use_files(void)
{
    larch_key_ring ring;
    uint32_t needed, size;
    larch_error e = larch_key_ring_load(&storage, 512, &ring, &fault);
    if (e == LARCH_STATE) {
        ring = (larch_key_ring){.set = 512, .present = {.generation = 1, .seed = {7}}};
        if ((e = larch_replay_set_create(&marks, &storage, 512, 1, slots, SLOTS)) == LARCH_OK)
            e = larch_key_ring_save(&storage, &ring);
    } else if (e == LARCH_OK) {
        e = larch_replay_set_open(&marks, &storage, 512, 1, slots, SLOTS, &needed, &fault);
    }
    if (e == LARCH_OK && (e = storage.size(storage.context, ROOT, &size)) == LARCH_OK && size == LARCH_STORAGE_NONE)
        e = write_root();
    return e;
}

static larch_error complete(void)
{
    larch_stamp_name names[LARCH_FLASH_FILES];
    return larch_stamp_complete(&storage, names, list(names), faulty, &fault);
}

static larch_error start(void)
{
    larch_error e;
    if ((e = begin_start()) != LARCH_OK || (e = use_files()) != LARCH_OK)
        return e;
    return complete();
}

static void start_ok(void)
{
    const larch_error e = start();
    if (e != LARCH_OK)
        print_error("%s %s\n", faulty, larch_store_fault_text(fault));
    assert_int_equal(e, LARCH_OK);
}

static larch_error recover(const uint8_t *machine)
{
    larch_stamp_name names[LARCH_FLASH_FILES];
    return larch_stamp_recover(&storage, names, list(names), 77, machine, faulty, &fault);
}

static void accept(uint64_t tag)
{
    assert_int_equal(larch_replay_set_add(&marks, tag), LARCH_OK);
    assert_int_equal(larch_replay_set_commit(&marks), LARCH_OK);
}

/* ---- a backup ---------------------------------------------------------- */

typedef struct kept_file {
    uint8_t bytes[1024];
    size_t len;
} kept_file;

static kept_file keep(const char *name)
{
    kept_file kept = {.len = larch_flash_look(&flash, name).len};
    assert_in_range(kept.len, 1, sizeof kept.bytes);
    memcpy(kept.bytes, larch_flash_look(&flash, name).data, kept.len);
    return kept;
}

static void put_back(const char *name, const kept_file *kept)
{
    larch_flash_put(&flash, name, (larch_bytes){kept->bytes, kept->len});
}

static int set_up(void **state)
{
    (void)state;
    larch_flash_init(&flash, 1);
    storage = larch_flash_storage(&flash);
    larch_flash_put(&flash, FOREIGN, LARCH_TEXT("a text of the operator's, longer than a record's frame"));
    larch_flash_put(&flash, "empty.key", (larch_bytes){NULL, 0});
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    larch_flash_free(&flash);
    return 0;
}

static void assert_refused(const char *name, larch_store_fault expected)
{
    const kept_file head = keep(LARCH_STATE_HEAD_NAME);
    assert_int_equal(start(), expected == LARCH_STORE_MISSING ? LARCH_STATE : LARCH_MALFORMED);
    assert_string_equal(faulty, name);
    assert_int_equal(fault, expected);
    assert_int_equal(storage.start, 0);
    const larch_bytes now = larch_flash_look(&flash, LARCH_STATE_HEAD_NAME);
    assert_true(larch_bytes_equal(now, (larch_bytes){head.bytes, head.len}));
}

/* ---- tests ------------------------------------------------------------- */

static void test_every_old_file_is_found(void **state)
{
    (void)state;
    for (unsigned starts_since = 1; starts_since < 3; starts_since++)
        for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
            start_ok();
            accept(1000 * starts_since + i);
            const kept_file old = keep(files[i]);
            for (unsigned s = 0; s < starts_since; s++)
                start_ok();
            const kept_file present = keep(files[i]);
            put_back(files[i], &old);
            assert_refused(files[i], LARCH_STORE_LAGS);
            put_back(files[i], &present);
            start_ok();
        }
    assert_true(larch_bytes_equal(larch_flash_look(&flash, FOREIGN),
                                  LARCH_TEXT("a text of the operator's, longer than a record's frame")));
}

/* Then every other file is ahead of it. */
static void test_old_head(void **state)
{
    (void)state;
    start_ok();
    const kept_file old = keep(LARCH_STATE_HEAD_NAME);
    start_ok();
    put_back(LARCH_STATE_HEAD_NAME, &old);
    assert_int_equal(start(), LARCH_MALFORMED);
    assert_int_equal(fault, LARCH_STORE_AHEAD);
}

/* A folder that is put back as a whole says nothing of it: what it can say is in state.c. */
static void test_whole_folder(void **state)
{
    (void)state;
    kept_file old[3];
    start_ok();
    const kept_file head = keep(LARCH_STATE_HEAD_NAME);
    for (size_t i = 0; i < 3; i++)
        old[i] = keep(files[i]);
    start_ok();
    for (size_t i = 0; i < 3; i++)
        put_back(files[i], &old[i]);
    put_back(LARCH_STATE_HEAD_NAME, &head);
    start_ok();
}

static void test_lost_ring(void **state)
{
    (void)state;
    start_ok();
    const kept_file ring = keep(RING);
    assert_int_equal(storage.remove(storage.context, RING), LARCH_OK);
    assert_refused(RING, LARCH_STORE_MISSING); /* also if its journal is empty: a start had both */
    put_back(RING, &ring);
    start_ok();

    /* A first start that was cut between journal and ring goes on, but a later journal is never the first. */
    tear_down(NULL);
    set_up(NULL);
    assert_int_equal(begin_start(), LARCH_OK);
    assert_int_equal(larch_replay_set_create(&marks, &storage, 512, 1, slots, SLOTS), LARCH_OK);
    start_ok();
    tear_down(NULL);
    set_up(NULL);
    assert_int_equal(begin_start(), LARCH_OK);
    assert_int_equal(larch_replay_set_create(&marks, &storage, 512, 2, slots, SLOTS), LARCH_OK);
    assert_refused(RING, LARCH_STORE_MISSING);
}

/* Stamps use up the room in the journal, and the marks stay. */
static void test_many_starts(void **state)
{
    (void)state;
    size_t last = 0;
    unsigned rewritten = 0;
    for (unsigned i = 1; i < 3 * STAMPS; i++) {
        start_ok();
        if (i < 12)
            accept(i);
        for (unsigned tag = 1; tag < 12; tag++)
            assert_int_equal(larch_replay_set_contains(&marks, tag), tag <= i);
        const larch_bytes journal = larch_flash_look(&flash, JOURNAL);
        size_t used = 32;
        while (used < 512 && journal.data[used + 3] != LARCH_STORAGE_ERASED)
            used += 16;
        assert_int_equal(journal.len, 512 + 15 * 16);
        rewritten += used < last;
        last = used;
        assert_int_equal(larch_number_at(used > 32 ? journal.data + used - 16 : journal.data + 8, 4), i);
    }
    assert_int_equal(rewritten, 2);

    /* Of several records each has the counter, and what they hold stays. */
    const kept_file root = keep(ROOT);
    assert_int_equal(root.len, 24 + 27);
    assert_memory_equal(root.bytes + 16, "root", 4);
    assert_memory_equal(root.bytes + 24 + 16, "another", 7);
    assert_int_equal(larch_number_at(root.bytes + 8, 4), storage.start);
    assert_int_equal(larch_number_at(root.bytes + 24 + 8, 4), storage.start);
}

/* A part of a file is older than the rest: the whole file lags. A file that is not sound is not judged, nor written. */
static void test_parts(void **state)
{
    (void)state;
    start_ok();
    const kept_file old = keep(ROOT);
    start_ok();
    kept_file mixed = keep(ROOT);
    for (size_t at = 0; at < 2; at++) {
        const kept_file sound = mixed;
        memcpy(mixed.bytes + (at == 0 ? 0 : 24), old.bytes + (at == 0 ? 0 : 24), at == 0 ? 24 : 27);
        put_back(ROOT, &mixed);
        assert_refused(ROOT, LARCH_STORE_LAGS);
        mixed = sound;
    }
    for (size_t at = 0; at < old.len; at++) {
        kept_file damaged = old;
        damaged.bytes[at] ^= 1;
        put_back(ROOT, &damaged);
        start_ok();
        assert_true(larch_bytes_equal(larch_flash_look(&flash, ROOT), (larch_bytes){damaged.bytes, damaged.len}));
    }
}

/* The bytes of a stamp, and that each bit of it counts. */
static void test_stamp_bytes(void **state)
{
    (void)state;
    static const uint8_t journal[6] = {2, 0, 0, 0, 0, 1};
    uint8_t expected[16] = {0, 0, 0, 2};
    start_ok();
    start_ok();
    kept_file kept = keep(JOURNAL);
    seal_put_u32(expected + 12, larch_crc32(larch_crc32(0, LARCH_BYTES(journal)), (larch_bytes){expected, 12}));
    assert_memory_equal(kept.bytes + 32, expected, sizeof expected);
    for (size_t bit = 0; bit < 128; bit++) {
        kept.bytes[32 + bit / 8] ^= (uint8_t)(1u << bit % 8);
        put_back(JOURNAL, &kept);
        assert_refused(JOURNAL, LARCH_STORE_DAMAGED);
        kept.bytes[32 + bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    memcpy(kept.bytes + 48, expected, sizeof expected); /* the same stamp twice */
    put_back(JOURNAL, &kept);
    assert_refused(JOURNAL, LARCH_STORE_DAMAGED);
}

/* Each operation of a start fails once, or the power goes during it: the next start goes on, nothing is lost, and what
 * was put back from before the last complete start is found all the same. */
static void test_every_step_cut(void **state)
{
    (void)state;
    for (unsigned with_power = 0; with_power < 2; with_power++)
        for (unsigned starts_before = 0; starts_before < 32; starts_before += starts_before < 2 ? 1 : 28)
            for (uint32_t at = 0, failed = 1; failed; at++) {
                larch_flash_free(&flash);
                larch_flash_init(&flash, 100 * at + starts_before);
                storage = larch_flash_storage(&flash);
                for (unsigned i = 0; i < starts_before; i++)
                    start_ok();
                if (starts_before > 0)
                    accept(5);
                *(with_power ? &flash.cut_at : &flash.fail_at) = flash.operations + at;
                failed = start() != LARCH_OK;
                larch_flash_power_on(&flash);
                start_ok();
                if (!failed)
                    assert_int_equal(found.complete, found.start);
                assert_int_equal(larch_replay_set_contains(&marks, 5), starts_before > 0);
                for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
                    const kept_file old = keep(files[i]);
                    start_ok();
                    const kept_file present = keep(files[i]);
                    put_back(files[i], &old);
                    assert_refused(files[i], LARCH_STORE_LAGS);
                    put_back(files[i], &present);
                }
            }
}

/* ---- recovery ---------------------------------------------------------- */

static void test_recover(void **state)
{
    (void)state;
    static const uint8_t machine[LARCH_STATE_MACHINE_LEN] = {3};
    larch_state_head head;
    assert_int_equal(storage.remove(storage.context, "empty.key"), LARCH_OK);
    assert_int_equal(recover(NULL), LARCH_STATE); /* nothing of larch's is there */
    assert_int_equal(fault, LARCH_STORE_MISSING);
    assert_null(larch_flash_look(&flash, LARCH_STATE_HEAD_NAME).data);
    start_ok();
    const kept_file old_ring = keep(RING), old_journal = keep(JOURNAL);
    start_ok();
    accept(5);
    larch_flash_put(&flash, "direct-512.key.v1", LARCH_TEXT("an old copy of a key"));
    larch_flash_put(&flash, "direct-768.key", LARCH_TEXT("damaged"));
    put_back(JOURNAL, &old_journal);
    assert_int_equal(recover(machine), LARCH_OK);
    assert_int_equal(storage.start, 3);
    assert_null(larch_flash_look(&flash, "direct-512.key.v1").data);
    assert_null(larch_flash_look(&flash, "direct-768.key").data);
    assert_null(larch_flash_look(&flash, RING).data);
    assert_null(larch_flash_look(&flash, JOURNAL).data);
    assert_refused(ROOT, LARCH_STORE_LAGS); /* until it is complete */
    storage.start = 3;
    assert_int_equal(complete(), LARCH_OK);
    assert_int_equal(larch_state_head_load(&storage, &head, &fault), LARCH_OK);
    assert_memory_equal(head.machine, machine, sizeof machine);
    assert_true(head.newest_ms == 77 && head.complete == 3 && head.start == 3);
    start_ok();
    assert_false(larch_replay_set_contains(&marks, 5)); /* it was of a key that is gone */
    put_back(RING, &old_ring);
    assert_refused(RING, LARCH_STORE_LAGS);
}

/* Whatever became of the head: the counter is above that of every file. */
static void test_recover_without_a_head(void **state)
{
    (void)state;
    for (unsigned damaged = 0; damaged < 2; damaged++) {
        for (unsigned i = 0; i < 4; i++)
            start_ok();
        const kept_file root = keep(ROOT);
        const uint32_t last = storage.start;
        assert_int_equal(storage.remove(storage.context, LARCH_STATE_HEAD_NAME), LARCH_OK);
        if (damaged)
            larch_flash_put(&flash, LARCH_STATE_HEAD_NAME, LARCH_TEXT("LRCH, and no more of it"));
        assert_int_equal(recover(NULL), LARCH_OK);
        assert_int_equal(complete(), LARCH_OK);
        assert_int_equal(storage.start, last + 1);
        start_ok();
        put_back(ROOT, &root);
        assert_refused(ROOT, LARCH_STORE_LAGS);
        assert_int_equal(recover(NULL), LARCH_OK);
        assert_int_equal(complete(), LARCH_OK);
    }
    larch_storage last = storage;
    last.start = UINT32_MAX;
    assert_int_equal(larch_record_write(&last, "last.key", (larch_record_kind)9, LARCH_TEXT("x"), 0), LARCH_OK);
    assert_int_equal(recover(NULL), LARCH_MALFORMED);
    assert_string_equal(faulty, "last.key");
}

/* Cut or failed at any step, the folder is as before, or refused until it is recovered anew; no old key ever serves. */
static void test_recover_cut(void **state)
{
    (void)state;
    for (unsigned with_power = 0; with_power < 2; with_power++)
        for (uint32_t at = 0, failed = 1; failed; at++) {
            larch_flash_free(&flash);
            larch_flash_init(&flash, at);
            storage = larch_flash_storage(&flash);
            start_ok();
            const kept_file old = keep(JOURNAL);
            start_ok();
            accept(5);
            put_back(JOURNAL, &old);
            *(with_power ? &flash.cut_at : &flash.fail_at) = flash.operations + at;
            failed = recover(NULL) != LARCH_OK || complete() != LARCH_OK;
            larch_flash_power_on(&flash);
            if (larch_flash_look(&flash, JOURNAL).data != NULL || larch_flash_look(&flash, RING).data != NULL)
                assert_int_not_equal(start(), LARCH_OK);
            assert_int_equal(recover(NULL), LARCH_OK);
            assert_int_equal(complete(), LARCH_OK);
            assert_null(larch_flash_look(&flash, RING).data);
            start_ok();
            assert_true(failed || at > 5);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_old_file_is_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_old_head, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_whole_folder, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lost_ring, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many_starts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_parts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stamp_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_every_step_cut, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_recover, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_recover_without_a_head, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_recover_cut, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
