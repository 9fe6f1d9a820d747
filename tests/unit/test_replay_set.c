/* SPDX-License-Identifier: Apache-2.0 */
/* The replay set against a plain list of tags, and its journal against damage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flash.h"
#include "larch/store.h"

#define NAME      "replay-512-7.log"
#define START     512
#define SLOTS_MAX 4096
#define AT(index) (START + (size_t)(index)*16)

static uint64_t slots[SLOTS_MAX];

/* Well spread, no two alike: SplitMix64's last step turns every number into another. */
static uint64_t tag_of(uint64_t i)
{
    i = (i + 1) * 0x9e3779b97f4a7c15;
    i = (i ^ i >> 30) * 0xbf58476d1ce4e5b9;
    i = (i ^ i >> 27) * 0x94d049bb133111eb;
    return i ^ i >> 31;
}

static larch_error open_set(larch_replay_set *rs, const larch_storage *storage, uint32_t slot_count,
                            larch_store_fault *fault)
{
    uint32_t needed;
    memset(slots, 0xaa, sizeof slots);
    return larch_replay_set_open(rs, storage, 512, 7, slots, slot_count, &needed, fault);
}

/* A journal of so many slots with count marks, all durable. */
static void make_journal(larch_flash *flash, larch_storage *storage, uint32_t slot_count, uint32_t count)
{
    larch_replay_set rs;
    larch_flash_init(flash, 1);
    *storage = larch_flash_storage(flash);
    assert_int_equal(larch_replay_set_create(&rs, storage, 512, 7, slots, slot_count), LARCH_OK);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(larch_replay_set_add(&rs, tag_of(i)), LARCH_OK);
    assert_int_equal(larch_replay_set_commit(&rs), LARCH_OK);
}

/* ---- the set ----------------------------------------------------------- */

static void test_against_a_list(void **state)
{
    (void)state;
    for (uint32_t slot_count = 16; slot_count <= SLOTS_MAX; slot_count *= 4) {
        uint32_t capacity = slot_count / 16 * 15;
        larch_flash flash;
        larch_flash_init(&flash, slot_count);
        larch_storage storage = larch_flash_storage(&flash);
        larch_replay_set rs;
        assert_int_equal(larch_replay_set_create(&rs, &storage, 512, 7, slots, slot_count), LARCH_OK);
        assert_int_equal(larch_flash_look(&flash, NAME).len, AT(capacity));
        assert_int_equal(larch_replay_set_capacity(slot_count), capacity);

        for (uint32_t i = 0; i < capacity; i++) {
            assert_int_equal(larch_replay_set_is_nearly_full(&rs), i >= capacity - capacity / 8);
            assert_false(larch_replay_set_is_full(&rs));
            assert_false(larch_replay_set_contains(&rs, tag_of(i)));
            assert_int_equal(larch_replay_set_add(&rs, tag_of(i)), LARCH_OK);
            assert_true(larch_replay_set_contains(&rs, tag_of(i)));
            assert_false(larch_replay_set_is_durable(&rs));
            assert_int_equal(larch_replay_set_add(&rs, tag_of(i / 2)), LARCH_REPLAY);
            if (i % 37 == 36) {
                assert_int_equal(larch_replay_set_commit(&rs), LARCH_OK);
                assert_true(larch_replay_set_is_durable(&rs));
            }
            if (i % 101 == 100) {
                larch_store_fault fault;
                assert_int_equal(larch_replay_set_commit(&rs), LARCH_OK);
                assert_int_equal(open_set(&rs, &storage, slot_count, &fault), LARCH_OK);
                for (uint32_t known = 0; known <= i; known++)
                    assert_true(larch_replay_set_contains(&rs, tag_of(known)));
            }
        }
        assert_true(larch_replay_set_is_full(&rs));
        assert_true(larch_replay_set_is_nearly_full(&rs));
        assert_int_equal(larch_replay_set_add(&rs, tag_of(capacity)), LARCH_SPENT);
        assert_int_equal(larch_replay_set_add(&rs, tag_of(3)), LARCH_REPLAY);
        assert_false(larch_replay_set_contains(&rs, tag_of(capacity)));

        assert_int_equal(larch_replay_set_commit(&rs), LARCH_OK);
        uint32_t operations = flash.operations;
        assert_int_equal(larch_replay_set_commit(&rs), LARCH_OK);
        assert_int_equal(flash.operations, operations); /* nothing new, nothing done */
        assert_int_equal(larch_replay_set_remove(&rs), LARCH_OK);
        assert_null(larch_flash_look(&flash, NAME).data);
        larch_flash_free(&flash);
    }
}

static void test_tag_zero(void **state)
{
    (void)state;
    larch_flash flash;
    larch_storage storage;
    larch_replay_set rs;
    larch_store_fault fault;
    make_journal(&flash, &storage, 16, 0);
    assert_int_equal(open_set(&rs, &storage, 16, &fault), LARCH_OK);
    assert_false(larch_replay_set_contains(&rs, 0));
    assert_int_equal(larch_replay_set_add(&rs, 0), LARCH_OK);
    assert_true(larch_replay_set_contains(&rs, 0));
    assert_int_equal(larch_replay_set_add(&rs, 0), LARCH_REPLAY);
    assert_int_equal(larch_replay_set_add(&rs, 1), LARCH_REPLAY);
    /* All of one slot's neighbourhood, around the end of the table. */
    for (uint64_t i = 1; i < 15; i++)
        assert_int_equal(larch_replay_set_add(&rs, i << 4 | 15), LARCH_OK);
    assert_int_equal(larch_replay_set_commit(&rs), LARCH_OK);
    assert_int_equal(open_set(&rs, &storage, 16, &fault), LARCH_OK);
    assert_true(larch_replay_set_contains(&rs, 0));
    for (uint64_t i = 1; i < 15; i++)
        assert_true(larch_replay_set_contains(&rs, i << 4 | 15));
    assert_false(larch_replay_set_contains(&rs, UINT64_C(15) << 4 | 15));
    larch_flash_free(&flash);
}

static void test_slot_counts(void **state)
{
    (void)state;
    static const uint32_t refused[] = {0, 1, 8, 15, 17, 24, 4095, UINT32_C(1) << 29, UINT32_MAX};
    larch_flash flash;
    larch_storage storage;
    larch_replay_set rs;
    larch_store_fault fault;
    uint32_t needed;
    make_journal(&flash, &storage, 256, 100);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        assert_int_equal(larch_replay_set_create(&rs, &storage, 512, 8, slots, refused[i]), LARCH_STATE);
        assert_int_equal(larch_replay_set_open(&rs, &storage, 512, 7, slots, refused[i], &needed, &fault), LARCH_STATE);
        assert_false(larch_replay_set_contains(&rs, 1)); /* a set that is none is harmless */
        assert_int_equal(larch_replay_set_add(&rs, 1), LARCH_SPENT);
        assert_int_equal(larch_replay_set_commit(&rs), LARCH_OK);
        assert_int_equal(larch_replay_set_remove(&rs), LARCH_OK);
    }
    assert_int_equal(larch_replay_set_open(&rs, &storage, 512, 7, slots, 128, &needed, &fault), LARCH_SPACE);
    assert_int_equal(needed, 256);
    assert_int_equal(fault, LARCH_STORE_NONE);
    /* More slots do not enlarge the journal. */
    assert_int_equal(larch_replay_set_open(&rs, &storage, 512, 7, slots, 1024, &needed, &fault), LARCH_OK);
    for (uint32_t i = 100; i < 240; i++)
        assert_int_equal(larch_replay_set_add(&rs, tag_of(i)), LARCH_OK);
    assert_int_equal(larch_replay_set_add(&rs, tag_of(240)), LARCH_SPENT);
    larch_flash_free(&flash);
}

/* ---- the journal ------------------------------------------------------- */

static void test_mark_bytes(void **state)
{
    (void)state;
    static const uint8_t mark_1[] = {0x0f, 0x0e, 0x0d, 0x0c, 0x0b, 0x0a, 0x09, 0x08,
                                     0,    0,    0,    1,    0x00, 0x00, 0x00, 0x00};
    static const uint8_t covered[] = {0x02, 0x00, 0,    0,    0,    7, 0x0f, 0x0e, 0x0d,
                                      0x0c, 0x0b, 0x0a, 0x09, 0x08, 0, 0,    0,    1};
    larch_flash flash;
    larch_storage storage;
    larch_replay_set rs;
    larch_store_fault fault;
    make_journal(&flash, &storage, 16, 1);
    assert_int_equal(open_set(&rs, &storage, 16, &fault), LARCH_OK);
    assert_int_equal(larch_replay_set_add(&rs, 0x0f0e0d0c0b0a0908), LARCH_OK);
    assert_int_equal(larch_replay_set_commit(&rs), LARCH_OK);
    larch_bytes file = larch_flash_look(&flash, NAME);
    static const uint8_t head[] = {
        'L', 'R', 'C', 'H', 2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 11, 2, 0, 0, 0, 0, 7, 0, 0, 0, 15, LARCH_MARK_INPUT_FRONT};
    assert_memory_equal(file.data, head, sizeof head);
    assert_memory_equal(file.data + AT(1), mark_1, 12);
    uint32_t crc = larch_crc32(0, LARCH_BYTES(covered));
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(file.data[AT(1) + 12 + i], crc >> (24 - 8 * i) & 0xff);
    for (size_t i = AT(2); i < file.len; i++)
        assert_int_equal(file.data[i], 0xff);
    larch_flash_free(&flash);
}

/* A journal says what its marks are made of; one that does not is older. */
static void test_mark_input(void **state)
{
    (void)state;
    static const struct {
        uint8_t head[11];
        size_t len;
        larch_error error;
        uint8_t mark_input;
        larch_store_fault fault;
    } rows[] = {
        {{2, 0, 0, 0, 0, 7, 0, 0, 0, 15}, 10, LARCH_OK, LARCH_MARK_INPUT_WHOLE, LARCH_STORE_NONE},
        {{2, 0, 0, 0, 0, 7, 0, 0, 0, 15, 1}, 11, LARCH_OK, LARCH_MARK_INPUT_WHOLE, LARCH_STORE_NONE},
        {{2, 0, 0, 0, 0, 7, 0, 0, 0, 15, 2}, 11, LARCH_OK, LARCH_MARK_INPUT_FRONT, LARCH_STORE_NONE},
        {{2, 0, 0, 0, 0, 7, 0, 0, 0, 15, 0}, 11, LARCH_MALFORMED, 0, LARCH_STORE_VERSION},
        {{2, 0, 0, 0, 0, 7, 0, 0, 0, 15, 3}, 11, LARCH_MALFORMED, 0, LARCH_STORE_VERSION},
        {{2, 0, 0, 0, 0, 7, 0, 0, 0}, 9, LARCH_MALFORMED, 0, LARCH_STORE_KIND},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        larch_flash flash;
        larch_flash_init(&flash, 1);
        larch_storage storage = larch_flash_storage(&flash);
        larch_replay_set rs;
        larch_store_fault fault;
        assert_int_equal(larch_record_write(&storage, NAME, LARCH_RECORD_REPLAY,
                                            (larch_bytes){rows[i].head, rows[i].len},
                                            (uint32_t)(AT(15) - LARCH_RECORD_OVERHEAD - rows[i].len)),
                         LARCH_OK);
        assert_int_equal(open_set(&rs, &storage, 16, &fault), rows[i].error);
        assert_int_equal(fault, rows[i].fault);
        assert_int_equal(larch_replay_set_mark_input(&rs), rows[i].mark_input);
        larch_flash_free(&flash);
    }
}

static void assert_refused(uint8_t *content, size_t len, larch_error error, larch_store_fault expected)
{
    larch_flash flash;
    larch_flash_init(&flash, 1);
    larch_storage storage = larch_flash_storage(&flash);
    larch_flash_put(&flash, NAME, (larch_bytes){content, len});
    larch_replay_set rs;
    larch_store_fault fault = LARCH_STORE_NONE;
    assert_int_equal(open_set(&rs, &storage, 64, &fault), error);
    if (expected != LARCH_STORE_NONE)
        assert_int_equal(fault, expected);
    assert_in_range(fault, LARCH_STORE_FOREIGN, LARCH_STORE_DAMAGED);
    assert_int_equal(rs.slot_count, 0);
    /* Making a journal of that name is no way around it. */
    assert_int_equal(larch_replay_set_create(&rs, &storage, 512, 7, slots, 64), LARCH_STATE);
    assert_true(larch_bytes_equal(larch_flash_look(&flash, NAME), (larch_bytes){content, len}));
    larch_flash_free(&flash);
}

/* One changed bit is found wherever it counts, in erased marks too. */
static void test_every_bit_matters(void **state)
{
    (void)state;
    larch_flash flash;
    larch_storage storage;
    make_journal(&flash, &storage, 64, 40);
    larch_bytes file = larch_flash_look(&flash, NAME);
    uint8_t *copy = malloc(file.len + 1);
    assert_non_null(copy);
    memcpy(copy, file.data, file.len);
    for (size_t at = 0; at < file.len; at++) {
        if (at >= 31 && at < START)
            continue; /* between head and marks there is nothing */
        larch_store_fault expected = at < 4        ? LARCH_STORE_FOREIGN
                                     : at == 4     ? LARCH_STORE_VERSION
                                     : at >= START ? LARCH_STORE_DAMAGED
                                                   : LARCH_STORE_NONE;
        for (unsigned bit = 0; bit < 8; bit++) {
            copy[at] ^= (uint8_t)(1u << bit);
            assert_refused(copy, file.len, LARCH_MALFORMED, expected);
            copy[at] ^= (uint8_t)(1u << bit);
        }
    }
    for (size_t len = 0; len < file.len; len++)
        assert_refused(copy, len, LARCH_MALFORMED, LARCH_STORE_TRUNCATED);
    copy[file.len] = 0xff;
    assert_refused(copy, file.len + 1, LARCH_MALFORMED, LARCH_STORE_DAMAGED);
    free(copy);
    larch_flash_free(&flash);
}

/* A journal under the name of another, and marks moved between journals or places. */
static void test_wrong_place(void **state)
{
    (void)state;
    larch_flash flash;
    larch_storage storage;
    larch_replay_set rs;
    larch_store_fault fault;
    uint32_t needed;
    make_journal(&flash, &storage, 64, 3);
    larch_bytes file = larch_flash_look(&flash, NAME);
    larch_flash_put(&flash, "replay-512-8.log", file);
    larch_flash_put(&flash, "replay-768-7.log", file);
    assert_int_equal(larch_replay_set_open(&rs, &storage, 512, 8, slots, 64, &needed, &fault), LARCH_MALFORMED);
    assert_int_equal(fault, LARCH_STORE_KIND);
    assert_int_equal(larch_replay_set_open(&rs, &storage, 768, 7, slots, 64, &needed, &fault), LARCH_MALFORMED);
    assert_int_equal(fault, LARCH_STORE_KIND);
    assert_int_equal(larch_replay_set_open(&rs, &storage, 512, 9, slots, 64, &needed, &fault), LARCH_STATE);
    assert_int_equal(fault, LARCH_STORE_MISSING);

    uint8_t copy[AT(60)];
    memcpy(copy, file.data, sizeof copy);
    memcpy(copy + AT(3), copy + AT(2), 16);
    assert_refused(copy, sizeof copy, LARCH_MALFORMED, LARCH_STORE_DAMAGED);

    assert_int_equal(larch_replay_set_create(&rs, &storage, 512, 1, slots, 64), LARCH_OK);
    assert_int_equal(larch_replay_set_add(&rs, tag_of(0)), LARCH_OK);
    assert_int_equal(larch_replay_set_commit(&rs), LARCH_OK);
    larch_bytes other = larch_flash_look(&flash, "replay-512-1.log");
    file = larch_flash_look(&flash, NAME);
    memcpy(copy, file.data, sizeof copy);
    memcpy(copy + START, other.data + START, 16);
    assert_refused(copy, sizeof copy, LARCH_MALFORMED, LARCH_STORE_DAMAGED);
    larch_flash_free(&flash);
}

static void test_create_over(void **state)
{
    (void)state;
    larch_flash flash;
    larch_storage storage;
    larch_replay_set rs;
    make_journal(&flash, &storage, 64, 0);
    assert_int_equal(larch_replay_set_create(&rs, &storage, 512, 7, slots, 16), LARCH_OK); /* empty: made anew */
    assert_int_equal(larch_flash_look(&flash, NAME).len, AT(15));
    assert_int_equal(larch_replay_set_create(&rs, &storage, 512, 7, slots, 256), LARCH_OK);
    assert_int_equal(larch_replay_set_add(&rs, 5), LARCH_OK);
    assert_int_equal(larch_replay_set_commit(&rs), LARCH_OK);
    assert_int_equal(larch_replay_set_create(&rs, &storage, 512, 7, slots, 256), LARCH_STATE);
    assert_int_equal(larch_replay_set_create(&rs, &storage, 512, 7, slots, 16), LARCH_STATE);
    assert_int_equal(larch_flash_look(&flash, NAME).len, AT(240));
    assert_int_equal(larch_replay_set_discard(&storage, 512, 7), LARCH_OK);
    assert_int_equal(larch_replay_set_discard(&storage, 512, 7), LARCH_OK);
    assert_null(larch_flash_look(&flash, NAME).data);
    larch_flash_free(&flash);
}

/* Holes as a power cut leaves them are closed; an older hole is damage. */
static void test_holes(void **state)
{
    (void)state;
    static const struct {
        uint32_t first;
        uint32_t count; /* of the erased marks */
        uint32_t marks;
        larch_error error;
    } rows[] = {
        {0, 1, 2, LARCH_OK},
        {0, 511, 512, LARCH_OK},
        {0, 1, 512, LARCH_OK},
        {0, 1, 513, LARCH_MALFORMED},
        {0, 512, 513, LARCH_MALFORMED},
        {1, 1, 513, LARCH_OK},
        {487, 1, 1000, LARCH_MALFORMED},
        {488, 1, 1000, LARCH_OK},
        {488, 511, 1000, LARCH_OK},
        {0, 1, 1000, LARCH_MALFORMED},
        {999, 1, 1000, LARCH_OK},
        {0, 1000, 1000, LARCH_OK},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        larch_flash flash;
        larch_storage storage;
        larch_replay_set rs;
        larch_store_fault fault;
        make_journal(&flash, &storage, 2048, rows[i].marks);
        uint8_t copy[AT(1920)];
        memcpy(copy, larch_flash_look(&flash, NAME).data, sizeof copy);
        memset(copy + AT(rows[i].first), 0xff, (size_t)rows[i].count * 16);
        larch_flash_put(&flash, NAME, LARCH_BYTES(copy));
        larch_error e = open_set(&rs, &storage, 2048, &fault);
        if (e != rows[i].error)
            print_error("row %zu\n", i);
        assert_int_equal(e, rows[i].error);
        if (e == LARCH_OK) {
            uint32_t behind = rows[i].first + rows[i].count;
            uint32_t used = behind < rows[i].marks ? rows[i].marks : rows[i].first;
            assert_int_equal(rs.used, used);
            for (uint32_t k = 0; k < used; k++)
                assert_int_equal(larch_replay_set_contains(&rs, tag_of(k)), k < rows[i].first || k >= behind);
            /* So much more that a hole left open would be found too old. */
            for (uint32_t k = 0; k < 900; k++)
                assert_int_equal(larch_replay_set_add(&rs, tag_of(5000 + k)), LARCH_OK);
            assert_int_equal(larch_replay_set_commit(&rs), LARCH_OK);
            assert_int_equal(open_set(&rs, &storage, 2048, &fault), LARCH_OK);
            assert_int_equal(rs.used, used + 900);
        } else {
            assert_int_equal(fault, LARCH_STORE_DAMAGED);
        }
        larch_flash_free(&flash);
    }
}

/* ---- failures ---------------------------------------------------------- */

/* Each call of the storage fails in turn, once or from then on. A mark that was committed is
 * there afterwards; one that add refused is not counted; nothing is taken twice. */
static void test_every_call_fails(void **state)
{
    (void)state;
    for (uint32_t run = 0; run < 400; run++) {
        larch_flash flash;
        larch_flash_init(&flash, run);
        larch_storage storage = larch_flash_storage(&flash);
        larch_replay_set rs;
        larch_store_fault fault;
        flash.fail_at = run / 4;
        flash.fail_count = run % 2 == 0 ? 1 : UINT32_MAX;
        uint32_t known = 0;
        uint32_t committed = 0;
        larch_error e = larch_replay_set_create(&rs, &storage, 512, 7, slots, 1024);
        assert_true(e == LARCH_OK || e == LARCH_PLATFORM);
        if (e == LARCH_PLATFORM && flash.fail_count == 1)
            e = larch_replay_set_create(&rs, &storage, 512, 7, slots, 1024);
        for (uint32_t i = 0; e == LARCH_OK && i < 900; i++) {
            larch_error added = larch_replay_set_add(&rs, tag_of(known));
            assert_true(added == LARCH_OK || added == LARCH_PLATFORM);
            assert_int_equal(larch_replay_set_contains(&rs, tag_of(known)), added == LARCH_OK);
            if (added == LARCH_OK)
                known++;
            if ((i % 97 == 96 || (run % 4 > 1 && i % 16 == 15)) && larch_replay_set_commit(&rs) == LARCH_OK) {
                assert_true(larch_replay_set_is_durable(&rs));
                committed = known;
            }
        }
        larch_flash_power_on(&flash);
        e = open_set(&rs, &storage, 1024, &fault);
        assert_true(e == LARCH_OK || fault == LARCH_STORE_MISSING);
        assert_true(e == LARCH_OK || committed == 0);
        for (uint32_t i = 0; i < committed; i++)
            assert_true(larch_replay_set_contains(&rs, tag_of(i)));

        /* And the opening itself: whichever call fails, it says so and can be tried again. */
        for (uint32_t n = 0; e == LARCH_OK && n < 3; n++) {
            flash.fail_count = 1;
            flash.fail_at = flash.operations + (run + n * 7) % 24;
            larch_error opened = open_set(&rs, &storage, 1024, &fault);
            assert_true(opened == LARCH_OK || (opened == LARCH_PLATFORM && fault == LARCH_STORE_MEDIUM));
            flash.fail_at = LARCH_FLASH_NEVER;
            assert_int_equal(open_set(&rs, &storage, 1024, &fault), LARCH_OK);
        }
        larch_flash_free(&flash);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_a_list), cmocka_unit_test(test_tag_zero),
        cmocka_unit_test(test_slot_counts),    cmocka_unit_test(test_mark_bytes),
        cmocka_unit_test(test_mark_input),     cmocka_unit_test(test_every_bit_matters),
        cmocka_unit_test(test_wrong_place),    cmocka_unit_test(test_create_over),
        cmocka_unit_test(test_holes),          cmocka_unit_test(test_every_call_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
