/* SPDX-License-Identifier: Apache-2.0 */
/* Records and key rings: what is not sound is named, never loaded, never written over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "flash.h"
#include "larch/store.h"

#define RING_NAME "direct-512.key"
#define RING_SIZE 206 /* 16 in front, set, twice (generation, seed, tag key), grace, 4 behind */

static const uint8_t payload[] = {'p', 'a', 'y', 'l', 'o', 'a', 'd'};

static larch_key_ring sample_ring(void)
{
    larch_key_ring ring = {.set = 512,
                           .present = {.generation = 2},
                           .previous = {.generation = 1},
                           .grace_left_ms = 0x0102030405060708,
                           .grace_unix_ms = 0x1112131415161718};
    for (size_t i = 0; i < LARCH_STORE_SEED_LEN; i++) {
        ring.present.seed[i] = (uint8_t)(i + 1);
        ring.previous.seed[i] = (uint8_t)(200 - i);
    }
    memset(ring.present.tag_key, 0x31, LARCH_STORE_TAG_KEY_LEN);
    memset(ring.previous.tag_key, 0x32, LARCH_STORE_TAG_KEY_LEN);
    return ring;
}

static bool rings_equal(const larch_key_ring *a, const larch_key_ring *b)
{
    return a->set == b->set && a->present.generation == b->present.generation &&
           memcmp(a->present.seed, b->present.seed, LARCH_STORE_SEED_LEN) == 0 &&
           memcmp(a->present.tag_key, b->present.tag_key, LARCH_STORE_TAG_KEY_LEN) == 0 &&
           a->previous.generation == b->previous.generation &&
           memcmp(a->previous.seed, b->previous.seed, LARCH_STORE_SEED_LEN) == 0 &&
           memcmp(a->previous.tag_key, b->previous.tag_key, LARCH_STORE_TAG_KEY_LEN) == 0 &&
           a->grace_left_ms == b->grace_left_ms && a->grace_unix_ms == b->grace_unix_ms;
}

/* ---- records ----------------------------------------------------------- */

static void test_record_bytes(void **state)
{
    (void)state;
    static const uint8_t expected[] = {
        'L',  'R',  'C',  'H',                 /* magic */
        2,    3,    0,    0,                   /* version, kind, reserved */
        1,    2,    3,    4,                   /* start counter */
        0,    0,    0,    7,                   /* payload length */
        'p',  'a',  'y',  'l',  'o', 'a', 'd', /* payload */
        0xb0, 0x54, 0xe9, 0x64,                /* checksum, as zlib computes it */
        0xff, 0xff, 0xff,                      /* tail */
    };
    larch_flash flash;
    larch_flash_init(&flash, 1);
    larch_storage storage = larch_flash_storage(&flash);
    storage.start = 0x01020304;
    assert_int_equal(larch_record_write(&storage, "a.rec", LARCH_RECORD_PIN, LARCH_BYTES(payload), 3), LARCH_OK);
    larch_bytes file = larch_flash_look(&flash, "a.rec");
    assert_int_equal(file.len, sizeof expected);
    assert_memory_equal(file.data, expected, sizeof expected);
    larch_flash_free(&flash);
}

typedef struct record_row {
    const char *what;
    const char *file;
    size_t file_len;
    size_t cap;
    larch_error error;
    larch_store_fault fault;
} record_row;

#define FILE_OF(text) (text), sizeof(text) - 1

static void test_record_faults(void **state)
{
    (void)state;
    static const record_row rows[] = {
        {"sound", FILE_OF("LRCH\2\3\0\0\0\0\0\0\0\0\0\7payload\x56\x0d\xa1\x90"), 7, LARCH_OK, LARCH_STORE_NONE},
        {"tail", FILE_OF("LRCH\2\3\0\0\0\0\0\0\0\0\0\7payload\x56\x0d\xa1\x90\xff\xff"), 7, LARCH_OK, LARCH_STORE_NONE},
        {"cap", FILE_OF("LRCH\2\3\0\0\0\0\0\0\0\0\0\7payload\x56\x0d\xa1\x90"), 6, LARCH_SPACE, LARCH_STORE_KIND},
        {"damage before cap", FILE_OF("LRCH\2\3\0\0\0\0\0\0\0\0\0\7pAyload\x56\x0d\xa1\x90"), 6, LARCH_MALFORMED,
         LARCH_STORE_DAMAGED},
        {"missing", NULL, 0, 7, LARCH_STATE, LARCH_STORE_MISSING},
        {"empty", FILE_OF(""), 7, LARCH_MALFORMED, LARCH_STORE_TRUNCATED},
        {"foreign", FILE_OF("#!/bin/sh\n"), 7, LARCH_MALFORMED, LARCH_STORE_FOREIGN},
        {"short and foreign", FILE_OF("X"), 7, LARCH_MALFORMED, LARCH_STORE_FOREIGN},
        {"erased", FILE_OF("\xff\xff\xff\xff\xff\xff\xff\xff"), 7, LARCH_MALFORMED, LARCH_STORE_FOREIGN},
        {"version", FILE_OF("LRCH\3\3"), 7, LARCH_MALFORMED, LARCH_STORE_VERSION},
        {"format 1", FILE_OF("LRCH\1\3\0\0\0\0\0\7payload\xa5\x9d\x67\x5f"), 7, LARCH_MALFORMED, LARCH_STORE_VERSION},
        {"of a later start", FILE_OF("LRCH\2\3\0\0\0\0\0\10\0\0\0\7payload\x50\x01\xd7\x6e"), 7, LARCH_MALFORMED,
         LARCH_STORE_AHEAD},
        {"kind", FILE_OF("LRCH\2\1\0\0\0\0\0\0\0\0\0\7payload\x53\xd9\xca\x13"), 7, LARCH_MALFORMED, LARCH_STORE_KIND},
        {"reserved", FILE_OF("LRCH\2\3\0\1\0\0\0\0\0\0\0\7payload\xf8\x65\x30\x01"), 7, LARCH_MALFORMED,
         LARCH_STORE_VERSION},
        {"length beyond all", FILE_OF("LRCH\2\3\0\0\0\0\0\0\xff\xff\xff\xffpayload\0\0\0\0"), 7, LARCH_MALFORMED,
         LARCH_STORE_DAMAGED},
        {"length beyond file", FILE_OF("LRCH\2\3\0\0\0\0\0\0\0\0\0\10payload\0\0\0\0"), 8, LARCH_MALFORMED,
         LARCH_STORE_TRUNCATED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const record_row *row = &rows[i];
        larch_flash flash;
        larch_flash_init(&flash, i);
        larch_storage storage = larch_flash_storage(&flash);
        if (row->file != NULL)
            larch_flash_put(&flash, "a.rec", (larch_bytes){(const uint8_t *)row->file, row->file_len});
        uint8_t out[16];
        memset(out, 0xaa, sizeof out);
        size_t len = 99;
        larch_store_fault fault = LARCH_STORE_FAULT_COUNT;
        larch_error e = larch_record_read(&storage, "a.rec", LARCH_RECORD_PIN, out, row->cap, &len, &fault);
        if (e != row->error || fault != row->fault)
            print_error("row: %s\n", row->what);
        assert_int_equal(e, row->error);
        assert_int_equal(fault, row->fault);
        if (e == LARCH_OK) {
            assert_int_equal(len, sizeof payload);
            assert_memory_equal(out, payload, sizeof payload);
        } else {
            assert_int_equal(len, 0);
            assert_int_equal(out[0], 0xaa);
        }
        larch_flash_free(&flash);
    }
}

static void test_record_sizes(void **state)
{
    (void)state;
    uint8_t large[LARCH_RECORD_MAX + 1] = {7};
    uint8_t out[LARCH_RECORD_MAX];
    larch_flash flash;
    larch_flash_init(&flash, 1);
    larch_storage storage = larch_flash_storage(&flash);
    for (size_t n = 0; n <= LARCH_RECORD_MAX; n++) {
        size_t len;
        larch_store_fault fault;
        assert_int_equal(larch_record_write(&storage, "a.rec", LARCH_RECORD_PIN, (larch_bytes){large, n}, 0), LARCH_OK);
        assert_int_equal(larch_record_read(&storage, "a.rec", LARCH_RECORD_PIN, out, n, &len, &fault), LARCH_OK);
        assert_int_equal(len, n);
        assert_memory_equal(out, large, n);
    }
    assert_int_equal(larch_record_write(&storage, "b.rec", LARCH_RECORD_PIN, LARCH_BYTES(large), 0), LARCH_SPACE);
    assert_null(larch_flash_look(&flash, "b.rec").data);
    larch_flash_free(&flash);
}

/* ---- key rings --------------------------------------------------------- */

/* Loading must name a fault, give nothing, and leave the file as it is. */
static void assert_refused(larch_bytes content, larch_store_fault expected)
{
    static const larch_key_ring zero;
    larch_flash flash;
    larch_flash_init(&flash, 1);
    larch_storage storage = larch_flash_storage(&flash);
    larch_flash_put(&flash, RING_NAME, content);
    larch_key_ring ring;
    memset(&ring, 0xaa, sizeof ring);
    larch_store_fault fault = LARCH_STORE_NONE;
    assert_int_equal(larch_key_ring_load(&storage, 512, &ring, &fault), LARCH_MALFORMED);
    assert_true(rings_equal(&ring, &zero));
    if (expected == LARCH_STORE_NONE)
        assert_in_range(fault, LARCH_STORE_FOREIGN, LARCH_STORE_DAMAGED);
    else
        assert_int_equal(fault, expected);
    assert_true(larch_bytes_equal(larch_flash_look(&flash, RING_NAME), content));
    larch_flash_free(&flash);
}

static void save_sample(larch_flash *flash, uint8_t copy[RING_SIZE])
{
    larch_flash_init(flash, 1);
    larch_storage storage = larch_flash_storage(flash);
    larch_key_ring ring = sample_ring();
    assert_int_equal(larch_key_ring_save(&storage, &ring), LARCH_OK);
    larch_bytes file = larch_flash_look(flash, RING_NAME);
    assert_int_equal(file.len, RING_SIZE);
    memcpy(copy, file.data, RING_SIZE);
}

static void test_ring_round_trip(void **state)
{
    (void)state;
    uint8_t copy[RING_SIZE];
    larch_flash flash;
    save_sample(&flash, copy);
    larch_storage storage = larch_flash_storage(&flash);
    larch_key_ring expected = sample_ring();
    larch_key_ring ring;
    larch_store_fault fault;
    assert_int_equal(larch_key_ring_load(&storage, 512, &ring, &fault), LARCH_OK);
    assert_int_equal(fault, LARCH_STORE_NONE);
    assert_true(rings_equal(&ring, &expected));
    assert_int_equal(larch_key_ring_load(&storage, 768, &ring, &fault), LARCH_STATE);
    assert_int_equal(fault, LARCH_STORE_MISSING);

    /* A forgotten key is zeros on the medium even if its bytes were left in memory. */
    expected.previous.generation = 0;
    assert_int_equal(larch_key_ring_save(&storage, &expected), LARCH_OK);
    assert_int_equal(larch_key_ring_load(&storage, 512, &ring, &fault), LARCH_OK);
    memset(&expected.previous, 0, sizeof expected.previous);
    expected.grace_left_ms = expected.grace_unix_ms = 0;
    assert_true(rings_equal(&ring, &expected));
    larch_flash_free(&flash);
}

/* A ring as versions wrote it that kept no grace: what is left of it is not known. Saved again, it has the present form. */
static void test_ring_without_grace(void **state)
{
    (void)state;
    for (uint32_t previous = 0; previous < 2; previous++) {
        uint8_t copy[RING_SIZE];
        larch_flash flash;
        save_sample(&flash, copy);
        larch_storage storage = larch_flash_storage(&flash);
        larch_key_ring expected = sample_ring(), ring;
        larch_store_fault fault;
        expected.grace_left_ms = previous == 0 ? 0 : LARCH_GRACE_UNKNOWN;
        expected.grace_unix_ms = 0;
        if (previous == 0) {
            memset(&expected.previous, 0, sizeof expected.previous);
            memset(copy + 16 + 86, 0, 84);
        }
        assert_int_equal(
            larch_record_write(&storage, RING_NAME, LARCH_RECORD_KEYS, (larch_bytes){copy + 16, RING_SIZE - 36}, 0),
            LARCH_OK);
        for (unsigned round = 0; round < 2; round++) {
            assert_int_equal(larch_key_ring_load(&storage, 512, &ring, &fault), LARCH_OK);
            assert_true(rings_equal(&ring, &expected));
            assert_int_equal(larch_flash_look(&flash, RING_NAME).len, round == 0 ? RING_SIZE - 16 : RING_SIZE);
            assert_int_equal(larch_key_ring_save(&storage, &ring), LARCH_OK);
        }
        larch_flash_free(&flash);
    }
}

static void test_ring_every_bit_matters(void **state)
{
    (void)state;
    uint8_t copy[RING_SIZE];
    larch_flash flash;
    save_sample(&flash, copy);
    larch_flash_free(&flash);
    for (size_t at = 0; at < RING_SIZE; at++) {
        larch_store_fault expected = at < 4 ? LARCH_STORE_FOREIGN : at == 4 ? LARCH_STORE_VERSION : LARCH_STORE_NONE;
        for (unsigned bit = 0; bit < 8; bit++) {
            copy[at] ^= (uint8_t)(1u << bit);
            assert_refused(LARCH_BYTES(copy), expected);
            copy[at] ^= (uint8_t)(1u << bit);
        }
    }
}

static void test_ring_every_length_but_one_is_refused(void **state)
{
    (void)state;
    uint8_t copy[RING_SIZE + 1] = {0};
    larch_flash flash;
    save_sample(&flash, copy);
    larch_flash_free(&flash);
    for (size_t len = 0; len < RING_SIZE; len++)
        assert_refused((larch_bytes){copy, len}, LARCH_STORE_TRUNCATED);
    assert_refused((larch_bytes){copy, RING_SIZE + 1}, LARCH_STORE_DAMAGED);
}

/* Sound records whose payload no ring makes. */
static void test_ring_content(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        size_t at;
        uint8_t value;
        size_t len;
        larch_record_kind kind;
        larch_store_fault fault;
    } rows[] = {
        {"another set", 0, 3, 186, LARCH_RECORD_KEYS, LARCH_STORE_KIND},
        {"another kind", 0, 2, 186, LARCH_RECORD_REPLAY, LARCH_STORE_KIND},
        {"another set, old", 0, 3, 170, LARCH_RECORD_KEYS, LARCH_STORE_KIND},
        {"between old and new", 0, 2, 178, LARCH_RECORD_KEYS, LARCH_STORE_KIND},
        {"too short", 0, 2, 169, LARCH_RECORD_KEYS, LARCH_STORE_KIND},
        {"empty", 0, 2, 0, LARCH_RECORD_KEYS, LARCH_STORE_KIND},
        {"no present key", 5, 0, 186, LARCH_RECORD_KEYS, LARCH_STORE_DAMAGED},
        {"no present key, old", 5, 0, 170, LARCH_RECORD_KEYS, LARCH_STORE_DAMAGED},
        {"same generation twice", 5, 1, 186, LARCH_RECORD_KEYS, LARCH_STORE_DAMAGED},
        {"a seed without generation", 89, 0, 186, LARCH_RECORD_KEYS, LARCH_STORE_DAMAGED},
        {"a seed without generation, old", 89, 0, 170, LARCH_RECORD_KEYS, LARCH_STORE_DAMAGED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t copy[RING_SIZE];
        larch_flash flash;
        save_sample(&flash, copy);
        larch_storage storage = larch_flash_storage(&flash);
        uint8_t *ring_payload = copy + LARCH_RECORD_OVERHEAD - 4;
        ring_payload[rows[i].at] = rows[i].value;
        assert_int_equal(
            larch_record_write(&storage, RING_NAME, rows[i].kind, (larch_bytes){ring_payload, rows[i].len}, 0),
            LARCH_OK);
        larch_bytes file = larch_flash_look(&flash, RING_NAME);
        assert_refused(file, rows[i].fault);
        larch_flash_free(&flash);
    }

    larch_flash flash;
    larch_flash_init(&flash, 1);
    larch_storage storage = larch_flash_storage(&flash);
    larch_key_ring unsound = sample_ring();
    unsound.previous.generation = unsound.present.generation;
    assert_int_equal(larch_key_ring_save(&storage, &unsound), LARCH_STATE);
    memset(&unsound, 0, sizeof unsound);
    assert_int_equal(larch_key_ring_save(&storage, &unsound), LARCH_STATE);
    assert_int_equal(flash.operations, 0);
    larch_flash_free(&flash);
}

/* Each call of the storage fails once: saving leaves the old ring or the new, loading says MEDIUM. */
static void test_ring_medium_fails(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < 32; n++) {
        uint8_t copy[RING_SIZE];
        larch_flash flash;
        save_sample(&flash, copy);
        flash.seed = n;
        larch_storage storage = larch_flash_storage(&flash);
        larch_key_ring old = sample_ring();
        larch_key_ring new = sample_ring();
        larch_key_ring ring;
        larch_store_fault fault;
        new.present.generation = 3;

        flash.fail_at = flash.operations;
        assert_int_equal(larch_key_ring_save(&storage, &new), LARCH_PLATFORM);
        assert_int_equal(larch_key_ring_load(&storage, 512, &ring, &fault), LARCH_OK);
        assert_true(rings_equal(&ring, &old) || rings_equal(&ring, &new));

        uint32_t calls = 0;
        larch_error e;
        do {
            flash.fail_at = flash.operations + calls++;
            e = larch_key_ring_load(&storage, 512, &ring, &fault);
            assert_true(e == LARCH_OK || (e == LARCH_PLATFORM && fault == LARCH_STORE_MEDIUM));
        } while (e != LARCH_OK);
        assert_int_equal(calls, 4); /* size, read, size, none */
        larch_flash_free(&flash);
    }
}

static void test_fault_texts(void **state)
{
    (void)state;
    for (unsigned i = 0; i < LARCH_STORE_FAULT_COUNT; i++)
        assert_true(strlen(larch_store_fault_text((larch_store_fault)i)) > 1);
    assert_string_equal(larch_store_fault_text(LARCH_STORE_FAULT_COUNT), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_record_bytes),
        cmocka_unit_test(test_record_faults),
        cmocka_unit_test(test_record_sizes),
        cmocka_unit_test(test_ring_round_trip),
        cmocka_unit_test(test_ring_without_grace),
        cmocka_unit_test(test_ring_every_bit_matters),
        cmocka_unit_test(test_ring_every_length_but_one_is_refused),
        cmocka_unit_test(test_ring_content),
        cmocka_unit_test(test_ring_medium_fails),
        cmocka_unit_test(test_fault_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
