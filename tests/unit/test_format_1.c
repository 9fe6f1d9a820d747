/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A folder of format 1 is moved to the present format: no key and no mark is lost, whenever the power goes or the medium
 * fails; a folder that is not sound is named and left as it is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "flash.h"
#include "format_1.h"
#include "format_1_folder.h"
#include "larch/store.h"

#define HEAD LARCH_STATE_HEAD_NAME

static format_1_file old[FORMAT_1_FILES];
static larch_flash flash;
static larch_storage storage;
static size_t moved;
static larch_format_1_name faulty;
static larch_store_fault fault;

static void put_old(uint64_t seed)
{
    larch_flash_init(&flash, seed);
    storage = larch_flash_storage(&flash);
    for (size_t i = 0; i < FORMAT_1_FILES; i++)
        larch_flash_put(&flash, old[i].name, (larch_bytes){old[i].bytes, old[i].len});
}

static int begin(void **state)
{
    (void)state;
    format_1_load(FORMAT_1_FOLDER, old);
    put_old(1);
    return 0;
}

static int end(void **state)
{
    (void)state;
    larch_flash_free(&flash);
    return 0;
}

static const char *copy_of(const char *name)
{
    static larch_format_1_name copy;
    snprintf(copy, sizeof copy, "%.28s.v1", name);
    return copy;
}

static larch_error move_files(void)
{
    larch_format_1_name names[LARCH_FLASH_FILES];
    size_t count = 0;
    for (size_t i = 0; i < LARCH_FLASH_FILES; i++)
        if (flash.files[i].now != NULL)
            memcpy(names[count++], flash.files[i].name, sizeof names[0]);
    return larch_format_1_move(&storage, names, count, &moved, faulty, &fault);
}

/* What a host does at a start. */
static larch_error start(void)
{
    larch_state_head found;
    storage.start = 0;
    larch_error e = larch_state_head_load(&storage, &found, &fault);
    if (e == LARCH_STATE)
        e = move_files();
    return e == LARCH_OK ? larch_state_start(&storage, 7, NULL, &found, faulty, &fault) : e;
}

static bool is_as_it_was(const char *name, const format_1_file *f)
{
    return larch_bytes_equal(larch_flash_look(&flash, name), (larch_bytes){f->bytes, f->len});
}

/* Old or new, never between; nothing is new before all copies are there, no head before all is new. */
static void assert_in_order(void)
{
    size_t copies = 0, renewed = 0;
    for (size_t i = 0; i < FORMAT_1_FILES; i++) {
        const larch_bytes copy = larch_flash_look(&flash, copy_of(old[i].name));
        assert_true(copy.data == NULL || is_as_it_was(copy_of(old[i].name), &old[i]));
        copies += copy.data != NULL;
        renewed += !is_as_it_was(old[i].name, &old[i]);
    }
    assert_true(renewed == 0 || copies == FORMAT_1_FILES);
    if (larch_flash_look(&flash, HEAD).data != NULL)
        assert_int_equal(renewed, FORMAT_1_FILES);
}

static void assert_ring_is_kept(const format_1_file *f, uint16_t set)
{
    larch_key_ring ring;
    assert_int_equal(larch_key_ring_load(&storage, set, &ring, &fault), LARCH_OK);
    assert_int_equal(ring.present.generation, 2);
    assert_int_equal(ring.previous.generation, 1);
    const larch_bytes file = larch_flash_look(&flash, f->name);
    assert_int_equal(file.len, f->len + 4);
    assert_memory_equal(file.data + 16, f->bytes + 12, f->len - 16);
}

static void assert_marks_are_kept(const format_1_file *f, uint16_t set, uint32_t generation, uint32_t count)
{
    larch_replay_set rs;
    uint64_t slots[FORMAT_1_SLOTS];
    uint32_t needed;
    const larch_bytes file = larch_flash_look(&flash, f->name);
    assert_int_equal(file.len, f->len);
    assert_memory_equal(file.data + FORMAT_1_MARKS_START, f->bytes + FORMAT_1_MARKS_START,
                        f->len - FORMAT_1_MARKS_START);
    assert_int_equal(larch_replay_set_open(&rs, &storage, set, generation, slots, FORMAT_1_SLOTS, &needed, &fault),
                     LARCH_OK);
    assert_int_equal(rs.used, count);
    assert_int_equal(larch_replay_set_mark_input(&rs), LARCH_MARK_INPUT_WHOLE);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t tag = 0;
        for (size_t k = 0; k < 8; k++)
            tag = tag << 8 | f->bytes[FORMAT_1_MARKS_START + 16 * i + k];
        assert_true(larch_replay_set_contains(&rs, tag));
    }
}

static void assert_moved(void)
{
    static const uint16_t sets[] = {512, 768, 1024};
    assert_in_order();
    for (size_t i = 0; i < 3; i++) {
        assert_ring_is_kept(&old[i], sets[i]);
        assert_marks_are_kept(&old[3 + 2 * i], sets[i], 1, i == 0 ? 3 : 0);
        assert_marks_are_kept(&old[4 + 2 * i], sets[i], 2, i == 0 ? 2 : 0);
    }
    for (size_t i = 0; i < FORMAT_1_FILES; i++) {
        assert_true(format_1_takes((larch_bytes){old[i].bytes, old[i].len}));
        assert_false(format_1_takes(larch_flash_look(&flash, old[i].name)));
        assert_true(is_as_it_was(copy_of(old[i].name), &old[i]));
    }
    assert_false(format_1_takes(larch_flash_look(&flash, HEAD)));
    assert_null(larch_flash_look(&flash, "state.room").data);
}

/* ---- moving ------------------------------------------------------------ */

static void test_move(void **state)
{
    (void)state;
    assert_int_equal(start(), LARCH_OK);
    assert_int_equal(moved, FORMAT_1_FILES);
    assert_string_equal(faulty, "");
    assert_int_equal(storage.start, 2);
    assert_moved();
    assert_int_equal(start(), LARCH_OK);
    assert_int_equal(storage.start, 3);
    assert_moved();
}

static void test_every_cut(void **state)
{
    (void)state;
    bool cut = true;
    for (uint32_t at = 0; cut; at++) {
        cut = false;
        for (uint32_t seed = 0; seed < 16; seed++) {
            larch_flash_free(&flash);
            put_old(seed);
            flash.cut_at = at;
            larch_error e = start();
            assert_int_equal(e, flash.off ? LARCH_PLATFORM : LARCH_OK);
            cut = cut || flash.off;
            larch_flash_power_on(&flash);
            assert_in_order();
            flash.cut_at = flash.operations + 5 * seed; /* and again, on the way */
            e = start();
            assert_int_equal(e, flash.off ? LARCH_PLATFORM : LARCH_OK);
            larch_flash_power_on(&flash);
            assert_in_order();
            assert_int_equal(start(), LARCH_OK);
            assert_moved();
        }
        assert_true(at < 1000);
    }
}

/* A full or broken medium is named; while copies are made the folder stays what it was. */
static void test_every_failure(void **state)
{
    (void)state;
    bool failed = true;
    for (uint32_t at = 0; failed; at++) {
        larch_flash_free(&flash);
        put_old(at);
        flash.fail_at = at;
        flash.fail_count = 1000;
        const larch_error e = start();
        failed = e != LARCH_OK;
        assert_true(!failed || (e == LARCH_PLATFORM && fault == LARCH_STORE_MEDIUM));
        assert_in_order();
        larch_flash_power_on(&flash);
        assert_int_equal(start(), LARCH_OK);
        assert_moved();
        assert_true(at < 1000);
    }
}

/* An older larch ran after a move that was cut short, and accepted more: its newer file is the one that counts. */
static void test_copy_of_an_older_file(void **state)
{
    (void)state;
    static const uint8_t older[] = {'L', 'R', 'C', 'H', 1};
    larch_flash_put(&flash, copy_of(old[4].name), LARCH_BYTES(older));
    assert_int_equal(start(), LARCH_OK);
    assert_moved();
}

static void test_nothing_to_move(void **state)
{
    (void)state;
    static const char *const names[] = {"direct-512.key.v1", "direct-512.key.bak", "replay-512-1.txt", "notes.key"};
    larch_flash_free(&flash);
    larch_flash_init(&flash, 1);
    storage = larch_flash_storage(&flash);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        larch_flash_put(&flash, names[i], LARCH_TEXT("Dear diary"));
    assert_int_equal(move_files(), LARCH_OK);
    assert_int_equal(moved, 0);
    assert_null(larch_flash_look(&flash, HEAD).data);
    assert_int_equal(start(), LARCH_OK);
    assert_int_equal(storage.start, 1);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_true(larch_bytes_equal(larch_flash_look(&flash, names[i]), LARCH_TEXT("Dear diary")));
}

static void test_forget(void **state)
{
    (void)state;
    larch_format_1_name names[2] = {"direct-512.key", "direct-512.key.v1"};
    assert_int_equal(start(), LARCH_OK);
    assert_int_equal(larch_format_1_forget(&storage, names, 2), LARCH_OK);
    assert_non_null(larch_flash_look(&flash, names[0]).data);
    assert_null(larch_flash_look(&flash, names[1]).data);
    assert_non_null(larch_flash_look(&flash, copy_of("replay-512-1.log")).data);
}

/* ---- refusing ---------------------------------------------------------- */

static void assert_refused(larch_error error, const char *name, larch_store_fault expected)
{
    static larch_flash before;
    static uint8_t bytes[LARCH_FLASH_FILES][1024];
    before = flash;
    for (size_t i = 0; i < LARCH_FLASH_FILES; i++)
        if (flash.files[i].now != NULL)
            memcpy(bytes[i], flash.files[i].now, flash.files[i].size);
    const larch_error e = start();
    if (e != error || fault != expected)
        print_error("%s: %s %s\n", larch_error_name(e), faulty, larch_store_fault_text(fault));
    assert_int_equal(e, error);
    assert_string_equal(faulty, name);
    assert_int_equal(fault, expected);
    for (size_t i = 0; i < LARCH_FLASH_FILES; i++) {
        assert_string_equal(flash.files[i].name, before.files[i].name);
        assert_int_equal(flash.files[i].size, before.files[i].size);
        if (flash.files[i].now != NULL)
            assert_memory_equal(flash.files[i].now, bytes[i], flash.files[i].size);
    }
}

static void test_damage_is_named_and_left(void **state)
{
    (void)state;
    static const struct {
        size_t file;
        size_t at;
        size_t len;
        larch_store_fault fault;
        uint8_t flip;
    } rows[] = {
        {0, 0, SIZE_MAX, LARCH_STORE_FOREIGN, 1},     {0, 4, SIZE_MAX, LARCH_STORE_MISSING, 1 ^ 2},
        {1, 4, SIZE_MAX, LARCH_STORE_VERSION, 1 ^ 3}, {1, 5, SIZE_MAX, LARCH_STORE_DAMAGED, 1},
        {2, 100, SIZE_MAX, LARCH_STORE_DAMAGED, 1},   {0, 11, SIZE_MAX, LARCH_STORE_TRUNCATED, 4},
        {0, 8, SIZE_MAX, LARCH_STORE_DAMAGED, 1},     {1, 0, 100, LARCH_STORE_TRUNCATED, 0},
        {1, 0, 0, LARCH_STORE_TRUNCATED, 0},          {3, 15, SIZE_MAX, LARCH_STORE_DAMAGED, 1},
        {4, 0, 751, LARCH_STORE_TRUNCATED, 0},        {5, 0, 26, LARCH_STORE_TRUNCATED, 0},
        {6, 0, 2, LARCH_STORE_TRUNCATED, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        format_1_file f = old[rows[i].file];
        larch_flash_free(&flash);
        put_old(i);
        f.bytes[rows[i].at] ^= rows[i].flip;
        larch_flash_put(&flash, f.name, (larch_bytes){f.bytes, f.len < rows[i].len ? f.len : rows[i].len});
        if (rows[i].fault == LARCH_STORE_MISSING)
            assert_refused(LARCH_STATE, HEAD, LARCH_STORE_MISSING);
        else
            assert_refused(LARCH_MALFORMED, f.name, rows[i].fault);
    }
}

static void test_longer_and_renamed_files(void **state)
{
    (void)state;
    uint8_t longer[FORMAT_1_FILE_MAX + 1] = {0};
    memcpy(longer, old[3].bytes, old[3].len);
    larch_flash_put(&flash, old[3].name, LARCH_BYTES(longer));
    assert_refused(LARCH_MALFORMED, old[3].name, LARCH_STORE_DAMAGED);
    larch_flash_put(&flash, old[3].name, (larch_bytes){old[0].bytes, old[0].len});
    assert_refused(LARCH_MALFORMED, old[3].name, LARCH_STORE_KIND);
    larch_flash_put(&flash, old[3].name, (larch_bytes){old[3].bytes, old[3].len});
    memcpy(longer, old[0].bytes, old[0].len);
    larch_flash_put(&flash, old[0].name, (larch_bytes){longer, old[0].len + 1});
    assert_refused(LARCH_MALFORMED, old[0].name, LARCH_STORE_DAMAGED);
}

/* The head of a folder that lived on is lost: the copies that still stand there are no reason to begin again. */
static void test_lost_head(void **state)
{
    (void)state;
    larch_replay_set rs;
    uint64_t slots[FORMAT_1_SLOTS];
    uint32_t needed;
    assert_int_equal(start(), LARCH_OK);
    assert_int_equal(larch_replay_set_open(&rs, &storage, 512, 2, slots, FORMAT_1_SLOTS, &needed, &fault), LARCH_OK);
    assert_int_equal(larch_replay_set_add(&rs, 5), LARCH_OK);
    assert_int_equal(larch_replay_set_commit(&rs), LARCH_OK);
    assert_int_equal(storage.remove(storage.context, HEAD), LARCH_OK);
    assert_refused(LARCH_STATE, HEAD, LARCH_STORE_MISSING);
}

static void test_lost_head_without_copies(void **state)
{
    (void)state;
    assert_int_equal(start(), LARCH_OK);
    for (size_t i = 0; i < FORMAT_1_FILES; i++)
        assert_int_equal(storage.remove(storage.context, copy_of(old[i].name)), LARCH_OK);
    assert_int_equal(storage.remove(storage.context, HEAD), LARCH_OK);
    assert_refused(LARCH_STATE, HEAD, LARCH_STORE_MISSING);
}

/* An old file that was put back into a moved folder is not moved again: its marks are not those of today. */
static void test_old_file_beside_a_head(void **state)
{
    (void)state;
    larch_key_ring ring;
    assert_int_equal(start(), LARCH_OK);
    larch_flash_put(&flash, old[0].name, (larch_bytes){old[0].bytes, old[0].len});
    assert_int_equal(start(), LARCH_OK);
    assert_int_equal(larch_key_ring_load(&storage, 512, &ring, &fault), LARCH_MALFORMED);
    assert_int_equal(fault, LARCH_STORE_VERSION);
    assert_true(is_as_it_was(old[0].name, &old[0]));
}

/* Without the move, as on a board: the folder is refused, and no head is made in it. */
static void test_boards_refuse(void **state)
{
    (void)state;
    larch_state_head found;
    assert_int_equal(larch_state_start(&storage, 0, NULL, &found, faulty, &fault), LARCH_MALFORMED);
    assert_string_equal(faulty, "direct-512.key");
    assert_int_equal(fault, LARCH_STORE_VERSION);
    assert_null(larch_flash_look(&flash, HEAD).data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_move, begin, end),
        cmocka_unit_test_setup_teardown(test_every_cut, begin, end),
        cmocka_unit_test_setup_teardown(test_every_failure, begin, end),
        cmocka_unit_test_setup_teardown(test_copy_of_an_older_file, begin, end),
        cmocka_unit_test_setup_teardown(test_nothing_to_move, begin, end),
        cmocka_unit_test_setup_teardown(test_forget, begin, end),
        cmocka_unit_test_setup_teardown(test_damage_is_named_and_left, begin, end),
        cmocka_unit_test_setup_teardown(test_longer_and_renamed_files, begin, end),
        cmocka_unit_test_setup_teardown(test_lost_head, begin, end),
        cmocka_unit_test_setup_teardown(test_lost_head_without_copies, begin, end),
        cmocka_unit_test_setup_teardown(test_old_file_beside_a_head, begin, end),
        cmocka_unit_test_setup_teardown(test_boards_refuse, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
