/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flash that holds what nobody wrote: each byte flipped, sectors lost, foreign data. It is named and left alone, or
 * the files are what they were; nothing else ever passes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "board/nor_int.h"
#include "nor.h"
#include "seal.h"

enum { SECTOR = 1024, SECTORS = 4, SIZE = SECTOR * SECTORS, FILES = 6, FILE_MAX = 700 };

static const char *const names[FILES] = {"direct-512.key", "replay-512-1.log", "empty", "tail", "large", "gone"};

static larch_sim_nor sim;
static larch_nor_files files;
static larch_storage f;
static larch_nor_files_fault fault;
static uint8_t image[SIZE];
static uint8_t before[SIZE];

typedef struct content {
    uint32_t size;
    uint8_t bytes[FILE_MAX];
} content;

static content wanted[FILES];

static larch_error remount(void)
{
    larch_error e = larch_nor_files_mount(&files, &sim.nor, &fault);
    f = larch_nor_files_storage(&files);
    return e;
}

static void load(int i, content *c)
{
    memset(c, 0, sizeof *c);
    assert_int_equal(f.size(f.context, names[i], &c->size), LARCH_OK);
    if (c->size == LARCH_STORAGE_NONE)
        return;
    assert_true(c->size <= FILE_MAX);
    assert_int_equal(f.read(f.context, names[i], 0, c->bytes, c->size), LARCH_OK);
}

/* A flash that has lived: sectors erased, files replaced and removed, a journal half full, a file in two pieces. */
static int begin(void **state)
{
    (void)state;
    uint8_t bytes[FILE_MAX];
    memset(bytes, 0x5a, sizeof bytes);
    larch_sim_nor_init(&sim, 1, SECTOR, SECTORS);
    assert_int_equal(remount(), LARCH_OK);
    for (unsigned round = 0; round < 9; round++) {
        bytes[0] = (uint8_t)round;
        assert_int_equal(f.replace(f.context, names[0], (larch_bytes){bytes, 206}, 0), LARCH_OK);
    }
    assert_int_equal(f.replace(f.context, names[1], (larch_bytes){bytes, 26}, 150), LARCH_OK);
    for (uint32_t at = 32; at < 96; at += 16)
        assert_int_equal(f.write(f.context, names[1], at, (larch_bytes){bytes, 16}), LARCH_OK);
    assert_int_equal(f.replace(f.context, names[5], (larch_bytes){bytes, 40}, 0), LARCH_OK);
    assert_int_equal(f.replace(f.context, names[4], (larch_bytes){bytes, 700}, 0), LARCH_OK);
    assert_int_equal(f.remove(f.context, names[5]), LARCH_OK);
    assert_int_equal(f.replace(f.context, names[2], (larch_bytes){NULL, 0}, 0), LARCH_OK);
    assert_int_equal(f.replace(f.context, names[3], (larch_bytes){NULL, 0}, 40), LARCH_OK);
    for (int i = 0; i < FILES; i++)
        load(i, &wanted[i]);
    assert_true(files.piece_count > 5);
    memcpy(image, sim.bytes, SIZE);
    sim.refuses = true;
    return 0;
}

static int end(void **state)
{
    (void)state;
    larch_sim_nor_free(&sim);
    return 0;
}

static void put(const uint8_t *bytes)
{
    memcpy(sim.bytes, bytes, SIZE);
    memcpy(before, bytes, SIZE);
}

/* Named, and not a bit written; or all there. */
static bool is_named(void)
{
    const uint32_t operations = sim.operations;
    if (remount() != LARCH_OK) {
        assert_true(fault >= LARCH_NOR_FILES_FOREIGN && fault <= LARCH_NOR_FILES_DAMAGED);
        assert_int_equal(sim.operations, operations);
        assert_memory_equal(sim.bytes, before, SIZE);
        uint32_t size;
        assert_int_equal(f.size(f.context, names[0], &size), LARCH_PLATFORM);
        assert_int_equal(larch_nor_files_reason(&files), fault);
        return true;
    }
    static content found;
    for (int i = 0; i < FILES; i++) {
        load(i, &found);
        if (found.size != wanted[i].size)
            print_error("%s: %u bytes, not %u\n", names[i], found.size, wanted[i].size);
        assert_int_equal(found.size, wanted[i].size);
        assert_memory_equal(found.bytes, wanted[i].bytes, sizeof found.bytes);
    }
    return false;
}

static void test_each_byte(void **state)
{
    (void)state;
    static const uint8_t flips[] = {0x01, 0x10, 0x80, 0xff, 0x55};
    unsigned named = 0;
    for (size_t k = 0; k < sizeof flips; k++)
        for (size_t at = 0; at < SIZE; at++) {
            image[at] ^= flips[k];
            put(image);
            image[at] ^= flips[k];
            const bool was_named = is_named();
            named += was_named;
            if (was_named)
                continue;
            /* What was healed or never mattered does not matter later either. */
            assert_int_equal(f.replace(f.context, "next", LARCH_TEXT("next"), 0), LARCH_OK);
            memcpy(before, sim.bytes, SIZE);
            assert_false(is_named());
        }
    print_message("%u of %u flips named, the others without effect\n", named, (unsigned)(sizeof flips * SIZE));
    assert_true(named > sizeof flips * SIZE / 4);
}

/* A sector erased, zeroed, or swapped with another. */
static void test_lost_sectors(void **state)
{
    (void)state;
    for (unsigned s = 0; s < SECTORS; s++)
        for (int way = 0; way < 3; way++) {
            static uint8_t bytes[SIZE];
            memcpy(bytes, image, SIZE);
            memset(bytes + (size_t)s * SECTOR, way == 0 ? 0xff : way == 1 ? 0 : 0x77, SECTOR);
            put(bytes);
            assert_true(is_named());
            assert_int_equal(fault, LARCH_NOR_FILES_DAMAGED);
        }
}

static void test_foreign(void **state)
{
    (void)state;
    static uint8_t bytes[SIZE];
    uint64_t z = 1;
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (uint8_t)((z = z * 6364136223846793005u + 1442695040888963407u) >> 56);
    put(bytes);
    assert_true(is_named());
    assert_int_equal(fault, LARCH_NOR_FILES_FOREIGN);
    memset(bytes, 0, SIZE);
    put(bytes);
    assert_true(is_named());
    assert_int_equal(fault, LARCH_NOR_FILES_FOREIGN);
    /* A few bytes somewhere on an otherwise blank flash, also where they look like the beginning of ours. */
    for (size_t at = 0; at + 8 <= SIZE; at += 7) {
        memset(bytes, 0xff, SIZE);
        memcpy(bytes + at, "settings", 8);
        put(bytes);
        assert_true(is_named());
        assert_int_equal(fault, LARCH_NOR_FILES_FOREIGN);
    }
    /* The caller may still want it formatted. */
    assert_int_equal(larch_nor_files_format(&files, &sim.nor, &fault), LARCH_OK);
    assert_int_equal(remount(), LARCH_OK);
}

static void test_other_versions_and_shapes(void **state)
{
    (void)state;
    static uint8_t bytes[SIZE];
    memcpy(bytes, image, SIZE);
    for (unsigned s = 0; s < SECTORS; s++)
        bytes[s * SECTOR + 4] = 2;
    put(bytes);
    assert_true(is_named());
    assert_int_equal(fault, LARCH_NOR_FILES_VERSION);
    put(image);
    sim.nor.sector_count = SECTORS - 1;
    assert_int_equal(remount(), LARCH_MALFORMED);
    assert_int_equal(fault, LARCH_NOR_FILES_SHAPE);
    sim.nor = (larch_nor){sim.nor.context, SECTOR * 2, SECTORS / 2, sim.nor.read, sim.nor.program, sim.nor.erase};
    assert_int_equal(remount(), LARCH_MALFORMED);
    assert_int_equal(fault, LARCH_NOR_FILES_SHAPE);
    sim.nor = (larch_nor){sim.nor.context, SECTOR, SECTORS, sim.nor.read, sim.nor.program, sim.nor.erase};
    assert_memory_equal(sim.bytes, image, SIZE);
    /* A head without its mark beside files. */
    memcpy(bytes, image, SIZE);
    memset(bytes + 16, 0xff, 4);
    put(bytes);
    assert_true(is_named());
    assert_int_equal(fault, LARCH_NOR_FILES_UNFINISHED);
}

/* Bits that turn while the flash is mounted: read says so, and nothing copies them. */
static void test_decay_while_mounted(void **state)
{
    (void)state;
    uint8_t out[700];
    unsigned refused = 0;
    for (size_t at = 0; at < SIZE; at++) {
        put(image);
        assert_int_equal(remount(), LARCH_OK);
        sim.bytes[at] ^= 0x04;
        for (int i = 0; i < FILES; i++) {
            uint32_t size;
            if (f.size(f.context, names[i], &size) != LARCH_OK || size == LARCH_STORAGE_NONE)
                continue;
            if (f.read(f.context, names[i], 0, out, size) == LARCH_OK)
                assert_memory_equal(out, wanted[i].bytes, size);
            else
                refused++;
        }
    }
    assert_true(refused > 700);
}

/* ---- counts that are used up -------------------------------------------- */

/* Replaces one more file as often as it goes, and mounts after each time: what mounted once mounts ever after. Returns
 * how often it went. */
static unsigned replace_until_full(void)
{
    uint8_t bytes[16] = {0};
    unsigned count = 0;
    larch_error e = LARCH_OK;
    assert_false(is_named());
    for (; e == LARCH_OK && count < 100; count++) {
        uint8_t out[sizeof bytes];
        bytes[0] = (uint8_t)(count + 1);
        if ((e = f.replace(f.context, "more", LARCH_BYTES(bytes), 0)) != LARCH_OK)
            break;
        assert_false(is_named());
        assert_int_equal(f.read(f.context, "more", 0, out, sizeof out), LARCH_OK);
        assert_memory_equal(out, bytes, sizeof out);
    }
    assert_int_equal(larch_nor_files_reason(&files), e == LARCH_OK ? LARCH_NOR_FILES_NONE : LARCH_NOR_FILES_FULL);
    assert_false(is_named());
    return count;
}

/* Erases at the bound: no sector is erased past it. Formatted anew, the flash is as good as any. */
static void test_erases_spent(void **state)
{
    (void)state;
    static uint8_t bytes[SIZE];
    unsigned went[5];
    for (uint32_t left = 0; left < 5; left++) {
        memcpy(bytes, image, SIZE);
        for (unsigned s = 0; s < SECTORS; s++) {
            seal_put_u32(bytes + s * SECTOR + 8, LARCH_NOR_COUNT_MAX - left);
            seal_crc(bytes + s * SECTOR, 12);
        }
        put(bytes);
        went[left] = replace_until_full();
        print_message("%u erases left: %u files\n", left, went[left]);
        assert_true(went[left] < 100);
        assert_true(left == 0 || went[left] > went[left - 1]);
        larch_nor_files_status status;
        assert_int_equal(larch_nor_files_look(&files, &status), LARCH_OK);
        assert_int_equal(status.erases_max, LARCH_NOR_COUNT_MAX);
        assert_int_equal(larch_nor_files_format(&files, &sim.nor, &fault), LARCH_OK);
        f = larch_nor_files_storage(&files);
        for (int i = 0; i < 100; i++)
            assert_int_equal(f.replace(f.context, "more", (larch_bytes){bytes, 16}, 0), LARCH_OK);
        assert_int_equal(remount(), LARCH_OK);
    }
    /* One more is damage. */
    seal_put_u32(bytes + 8, LARCH_NOR_COUNT_MAX + 1);
    seal_crc(bytes, 12);
    put(bytes);
    assert_true(is_named());
    assert_int_equal(fault, LARCH_NOR_FILES_DAMAGED);
}

/* The same of generations: the number after the last is not given. */
static void test_generations_spent(void **state)
{
    (void)state;
    static uint8_t bytes[SIZE];
    for (uint32_t left = 0; left < 5; left++) {
        put(image);
        assert_int_equal(remount(), LARCH_OK);
        assert_int_equal(f.replace(f.context, "more", LARCH_TEXT("once"), 0), LARCH_OK);
        for (size_t i = 0; i < files.piece_count; i++) {
            const larch_nor_piece *piece = &files.pieces[i];
            if (piece->kind == LARCH_NOR_PIECE && piece->generation == files.generation - 1) {
                seal_put_u32(sim.bytes + piece->at + 8, LARCH_NOR_COUNT_MAX - left);
                seal_crc(sim.bytes + piece->at, 48);
            }
        }
        memcpy(bytes, sim.bytes, SIZE);
        put(bytes);
        assert_int_equal(replace_until_full(), left);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_byte),
        cmocka_unit_test(test_lost_sectors),
        cmocka_unit_test(test_foreign),
        cmocka_unit_test(test_other_versions_and_shapes),
        cmocka_unit_test(test_decay_while_mounted),
        cmocka_unit_test(test_erases_spent),
        cmocka_unit_test(test_generations_spent),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
