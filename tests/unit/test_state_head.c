/* SPDX-License-Identifier: Apache-2.0 */
/* The head of the state folder: counted starts, and a folder that is not sound is named and left as it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "flash.h"
#include "larch/store.h"
#include "seal.h"

#define NAME      LARCH_STATE_HEAD_NAME
#define FRONT     16 /* of the record */
#define HEAD_SIZE 180

static const uint8_t machine[LARCH_STATE_MACHINE_LEN] = {1, 2, 3};
static const uint8_t another[LARCH_STATE_MACHINE_LEN] = {4, 5, 6};
static const uint8_t none[LARCH_STATE_MACHINE_LEN];

static larch_flash flash;
static larch_storage storage;
static larch_state_head found;
static larch_store_fault fault;
static char faulty[LARCH_STORAGE_NAME_MAX + 1];

static int begin(void **state)
{
    (void)state;
    larch_flash_init(&flash, 1);
    storage = larch_flash_storage(&flash);
    return 0;
}

static int end(void **state)
{
    (void)state;
    larch_flash_free(&flash);
    return 0;
}

/* A start by a program that holds nothing of the one before. */
static larch_error start(uint64_t now_ms, const uint8_t *of_machine)
{
    storage.start = 0;
    memset(&found, 0xaa, sizeof found);
    return larch_state_start(&storage, now_ms, of_machine, &found, faulty, &fault);
}

static void put_ring(uint32_t start_counter)
{
    const larch_key_ring ring = {.set = 768, .present = {.generation = 1, .seed = {1}}};
    larch_storage of_a_start = storage;
    of_a_start.start = start_counter;
    assert_int_equal(larch_key_ring_save(&of_a_start, &ring), LARCH_OK);
}

static void assert_refused(larch_error error, const char *name, larch_store_fault expected)
{
    uint8_t before[HEAD_SIZE + 1] = {0};
    const larch_bytes head = larch_flash_look(&flash, NAME);
    const size_t len = head.len;
    assert_true(len <= sizeof before);
    if (len > 0)
        memcpy(before, head.data, len);
    assert_int_equal(start(5, machine), error);
    assert_string_equal(faulty, name);
    assert_int_equal(fault, expected);
    assert_int_equal(storage.start, 0);
    const larch_bytes after = larch_flash_look(&flash, NAME);
    assert_int_equal(after.data != NULL, head.data != NULL);
    assert_true(larch_bytes_equal(after, (larch_bytes){before, len}));
}

static void test_bytes(void **state)
{
    (void)state;
    const larch_state_head head = {
        .start = 0x01020304, .machine = {0xaa, 0xbb}, .newest_ms = 0x1122334455667788, .complete = 0x01020303};
    uint8_t expected[HEAD_SIZE] = {'L', 'R', 'C', 'H', 2, 5, 0, 0, 1, 2, 3, 4, 0, 0, 0, 160, 0, 2, 0xaa, 0xbb};
    static const uint8_t time[] = {0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 1, 2, 3, 3};
    larch_state_head again;
    memcpy(expected + FRONT + 34, time, sizeof time);
    seal_crc(expected, HEAD_SIZE - 4);
    assert_int_equal(larch_state_head_save(&storage, &head), LARCH_OK);
    assert_true(larch_bytes_equal(larch_flash_look(&flash, NAME), LARCH_BYTES(expected)));
    assert_int_equal(larch_state_head_load(&storage, &again, &fault), LARCH_OK);
    assert_int_equal(again.start, head.start);
    assert_memory_equal(again.machine, head.machine, sizeof head.machine);
    assert_true(again.newest_ms == head.newest_ms);
    assert_int_equal(again.complete, head.complete);

    const larch_state_head not_started = {.newest_ms = 1};
    assert_int_equal(larch_state_head_save(&storage, &not_started), LARCH_STATE);
    assert_true(larch_bytes_equal(larch_flash_look(&flash, NAME), LARCH_BYTES(expected)));
}

static void test_starts_are_counted(void **state)
{
    (void)state;
    static const struct {
        uint64_t now_ms;
        const uint8_t *machine;
        uint64_t newest_ms;
        const uint8_t *recorded;
    } rows[] = {
        {0, NULL, 0, none},     {70, NULL, 70, none},       {60, machine, 70, machine},
        {0, NULL, 70, machine}, {80, machine, 80, machine}, {81, another, 81, another},
    };
    larch_state_head head = {0};
    for (uint32_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(start(rows[i].now_ms, rows[i].machine), LARCH_OK);
        assert_string_equal(faulty, "");
        assert_int_equal(fault, LARCH_STORE_NONE);
        assert_int_equal(found.start, i);
        assert_memory_equal(found.machine, head.machine, sizeof head.machine);
        assert_int_equal(storage.start, i + 1);
        assert_int_equal(larch_state_head_load(&storage, &head, &fault), LARCH_OK);
        assert_int_equal(head.start, i + 1);
        assert_int_equal(head.complete, i == 0 ? 0 : 3); /* a start leaves it as it is */
        head.complete = 3;
        assert_int_equal(larch_state_head_save(&storage, &head), LARCH_OK);
        assert_true(head.newest_ms == rows[i].newest_ms);
        assert_memory_equal(head.machine, rows[i].recorded, sizeof head.machine);
    }
}

/* What an earlier start wrote is read, what a later one wrote is not: then the head is an older copy, or the file stems
 * from elsewhere. */
static void test_files_of_other_starts(void **state)
{
    (void)state;
    larch_key_ring ring;
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(start(0, NULL), LARCH_OK);
    for (uint32_t counter = 0; counter <= 3; counter++) {
        put_ring(counter);
        assert_int_equal(larch_key_ring_load(&storage, 768, &ring, &fault), LARCH_OK);
    }
    put_ring(4);
    assert_int_equal(larch_key_ring_load(&storage, 768, &ring, &fault), LARCH_MALFORMED);
    assert_int_equal(fault, LARCH_STORE_AHEAD);
    assert_int_equal(ring.present.generation, 0);

    /* Without a start nothing that a start wrote is read. */
    storage.start = 0;
    put_ring(1);
    assert_int_equal(larch_key_ring_load(&storage, 768, &ring, &fault), LARCH_MALFORMED);
    assert_int_equal(fault, LARCH_STORE_AHEAD);
}

static void test_every_bit_and_length_matters(void **state)
{
    (void)state;
    uint8_t copy[HEAD_SIZE + 1] = {0};
    assert_int_equal(start(1, machine), LARCH_OK);
    memcpy(copy, larch_flash_look(&flash, NAME).data, HEAD_SIZE);
    for (size_t bit = 0; bit < HEAD_SIZE * 8; bit++) {
        const size_t at = bit / 8;
        copy[at] ^= (uint8_t)(1u << bit % 8);
        larch_flash_put(&flash, NAME, (larch_bytes){copy, HEAD_SIZE});
        assert_int_equal(start(5, machine), LARCH_MALFORMED);
        assert_string_equal(faulty, NAME);
        assert_int_equal(found.start, 0);
        if (at < 4)
            assert_int_equal(fault, LARCH_STORE_FOREIGN);
        else if (at == 4)
            assert_int_equal(fault, LARCH_STORE_VERSION);
        assert_true(larch_bytes_equal(larch_flash_look(&flash, NAME), (larch_bytes){copy, HEAD_SIZE}));
        copy[at] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t len = 0; len <= HEAD_SIZE + 1; len++) {
        larch_flash_put(&flash, NAME, (larch_bytes){copy, len});
        if (len != HEAD_SIZE)
            assert_refused(LARCH_MALFORMED, NAME, len < HEAD_SIZE ? LARCH_STORE_TRUNCATED : LARCH_STORE_DAMAGED);
    }
}

/* Sound records that no larch of this format wrote. */
static void test_content(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        size_t at;
        size_t len;
        larch_store_fault fault;
        uint8_t value;
    } rows[] = {
        {"a newer format", FRONT + 1, HEAD_SIZE, LARCH_STORE_VERSION, 3},
        {"a newer format, shorter", FRONT + 1, 40, LARCH_STORE_VERSION, 3},
        {"first reserved byte", FRONT + 46, HEAD_SIZE, LARCH_STORE_VERSION, 1},
        {"last reserved byte", HEAD_SIZE - 5, HEAD_SIZE, LARCH_STORE_VERSION, 1},
        {"no format", FRONT, 21, LARCH_STORE_KIND, 0},
        {"shorter", FRONT, HEAD_SIZE - 1, LARCH_STORE_KIND, 0},
        {"another kind", 5, HEAD_SIZE, LARCH_STORE_KIND, 1},
        {"no start", 11, HEAD_SIZE, LARCH_STORE_DAMAGED, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t copy[HEAD_SIZE];
        assert_int_equal(storage.remove(storage.context, NAME), LARCH_OK);
        assert_int_equal(start(1, machine), LARCH_OK);
        memcpy(copy, larch_flash_look(&flash, NAME).data, HEAD_SIZE);
        copy[rows[i].at] = rows[i].value;
        copy[15] = (uint8_t)(rows[i].len - LARCH_RECORD_OVERHEAD);
        seal_crc(copy, rows[i].len - 4);
        larch_flash_put(&flash, NAME, (larch_bytes){copy, rows[i].len});
        print_message("%s\n", rows[i].what);
        assert_refused(LARCH_MALFORMED, NAME, rows[i].fault);
    }

    const larch_state_head last = {.start = UINT32_MAX};
    assert_int_equal(larch_state_head_save(&storage, &last), LARCH_OK);
    assert_refused(LARCH_MALFORMED, NAME, LARCH_STORE_DAMAGED);
}

/* Keys without a head: it is lost, or the folder is an older larch's. No head is made beside them. */
static void test_keys_without_a_head(void **state)
{
    (void)state;
    static const char format_1[] = "LRCH\1\1\0\0";
    put_ring(0);
    assert_refused(LARCH_STATE, NAME, LARCH_STORE_MISSING);
    put_ring(7);
    assert_refused(LARCH_STATE, NAME, LARCH_STORE_MISSING);
    larch_flash_put(&flash, "direct-768.key", LARCH_TEXT("Dear diary"));
    assert_refused(LARCH_STATE, NAME, LARCH_STORE_MISSING);
    larch_flash_put(&flash, "direct-768.key", (larch_bytes){(const uint8_t *)format_1, sizeof format_1});
    assert_refused(LARCH_MALFORMED, "direct-768.key", LARCH_STORE_VERSION);
    assert_int_equal(storage.remove(storage.context, "direct-768.key"), LARCH_OK);
    assert_int_equal(start(5, machine), LARCH_OK);
}

/* Each call of the storage fails once, and the power goes during it: the counter stands or went up by one. */
static void test_storage_fails(void **state)
{
    (void)state;
    for (uint32_t with_power = 0; with_power < 2; with_power++)
        for (uint32_t at = 0, failed = 1; failed; at++) {
            larch_state_head before, after;
            larch_flash_free(&flash);
            larch_flash_init(&flash, at);
            assert_int_equal(start(1, machine), LARCH_OK);
            assert_int_equal(larch_state_head_load(&storage, &before, &fault), LARCH_OK);
            *(with_power ? &flash.cut_at : &flash.fail_at) = flash.operations + at;
            const larch_error e = start(2, machine);
            failed = e != LARCH_OK;
            if (failed) {
                assert_int_equal(e, LARCH_PLATFORM);
                assert_string_equal(faulty, NAME);
                assert_int_equal(fault, LARCH_STORE_MEDIUM);
                assert_int_equal(storage.start, 0);
            }
            larch_flash_power_on(&flash);
            assert_int_equal(larch_state_head_load(&storage, &after, &fault), LARCH_OK);
            assert_in_range(after.start, failed ? before.start : before.start + 1, before.start + 1);
            assert_true(failed || at > 2);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_bytes, begin, end),
        cmocka_unit_test_setup_teardown(test_starts_are_counted, begin, end),
        cmocka_unit_test_setup_teardown(test_files_of_other_starts, begin, end),
        cmocka_unit_test_setup_teardown(test_every_bit_and_length_matters, begin, end),
        cmocka_unit_test_setup_teardown(test_content, begin, end),
        cmocka_unit_test_setup_teardown(test_keys_without_a_head, begin, end),
        cmocka_unit_test_setup_teardown(test_storage_fails, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
