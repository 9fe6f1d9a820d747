/* SPDX-License-Identifier: Apache-2.0 */
/* The partition over the SDK's calls, which say that all went well whatever the chip did. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bl602/bl602.h"
#include "board/board.h"
#include "board/nor_files.h"

#include "bl602/sdk/bl_mtd.h"

enum { SECTOR = 4096, SECTORS = 8 };

/* ---- the chip, and the SDK over it ------------------------------------------------ */

static struct {
    uint8_t bytes[SECTORS * SECTOR];
    unsigned size, offset;
    int open_fails, info_fails, read_fails, write_fails, erase_fails;
    uint8_t stuck_ones; /* bits that no program turns into zeros */
    bool erase_does_nothing;
    unsigned writes, erases, largest;
    const void *written; /* where the last bytes lay */
} chip;

static int handle;

int bl_mtd_open(const char *name, bl_mtd_handle_t *out, unsigned int flags)
{
    assert_string_equal(name, "PSM");
    assert_int_equal(flags, BL_MTD_OPEN_FLAG_NONE);
    *out = &handle;
    return chip.open_fails;
}

int bl_mtd_info(bl_mtd_handle_t of, bl_mtd_info_t *info)
{
    assert_ptr_equal(of, &handle);
    *info = (bl_mtd_info_t){"PSM", chip.offset, chip.size, NULL};
    return chip.info_fails;
}

int bl_mtd_read(bl_mtd_handle_t of, unsigned int addr, unsigned int size, uint8_t *data)
{
    assert_ptr_equal(of, &handle);
    assert_true(size <= chip.size && addr <= chip.size - size);
    memcpy(data, chip.bytes + addr, size);
    return chip.read_fails;
}

/* As the chip: ones turn into zeros, and no zero back. */
int bl_mtd_write(bl_mtd_handle_t of, unsigned int addr, unsigned int size, const uint8_t *data)
{
    assert_ptr_equal(of, &handle);
    assert_true(size <= chip.size && addr <= chip.size - size);
    for (unsigned i = 0; i < size; i++)
        chip.bytes[addr + i] &= data[i] | chip.stuck_ones;
    chip.writes++;
    chip.written = data;
    chip.largest = size > chip.largest ? size : chip.largest;
    return chip.write_fails;
}

int bl_mtd_erase(bl_mtd_handle_t of, unsigned int addr, unsigned int size)
{
    assert_ptr_equal(of, &handle);
    assert_int_equal(addr % SECTOR, 0);
    assert_int_equal(size, SECTOR);
    assert_true(addr < chip.size);
    if (!chip.erase_does_nothing)
        memset(chip.bytes + addr, 0xff, size);
    chip.erases++;
    return chip.erase_fails;
}

static const larch_nor *nor;

static int start(void **state)
{
    (void)state;
    memset(&chip, 0, sizeof chip);
    memset(chip.bytes, 0xff, sizeof chip.bytes);
    chip.size = sizeof chip.bytes;
    chip.offset = 0x1e9000;
    larch_bl602_flash_start();
    nor = larch_board_flash();
    return 0;
}

static larch_error program(uint32_t at, const uint8_t *bytes, size_t len)
{
    return nor->program(nor->context, at, (larch_bytes){bytes, len});
}

/* ---- tests -------------------------------------------------------------------------- */

static void test_shape(void **state)
{
    (void)state;
    assert_int_equal(nor->sector_size, SECTOR);
    assert_int_equal(nor->sector_count, SECTORS);
    chip.size = SECTOR * 3 + 100; /* the rest is nobody's */
    larch_bl602_flash_start();
    assert_int_equal(nor->sector_count, 3);
    chip.size = SECTOR * 1000;
    larch_bl602_flash_start();
    assert_int_equal(nor->sector_count, LARCH_NOR_FILES_SECTORS);
}

/* No partition, or none that stands on sectors: no sectors, and no call goes through. */
static void test_no_partition(void **state)
{
    (void)state;
    int *const failures[] = {&chip.open_fails, &chip.info_fails};
    uint8_t byte;
    for (size_t i = 0; i < 2; i++) {
        *failures[i] = -1;
        larch_bl602_flash_start();
        *failures[i] = 0;
        assert_int_equal(nor->sector_count, 0);
        assert_int_equal(nor->read(nor->context, 0, &byte, 1), LARCH_PLATFORM);
        assert_int_equal(nor->erase(nor->context, 0), LARCH_PLATFORM);
    }
    chip.offset = 100;
    larch_bl602_flash_start();
    assert_int_equal(nor->sector_count, 0);
    assert_int_equal(chip.erases, 0);
}

static void test_bounds(void **state)
{
    (void)state;
    const uint32_t end = SECTORS * SECTOR;
    uint8_t bytes[2] = {0, 0};
    assert_int_equal(nor->read(nor->context, end - 2, bytes, 2), LARCH_OK);
    assert_int_equal(nor->read(nor->context, end, bytes, 0), LARCH_OK);
    assert_int_equal(nor->read(nor->context, end - 1, bytes, 2), LARCH_PLATFORM);
    assert_int_equal(nor->read(nor->context, UINT32_MAX, bytes, 2), LARCH_PLATFORM);
    assert_int_equal(program(end - 1, bytes, 2), LARCH_PLATFORM);
    assert_int_equal(program(UINT32_MAX, bytes, 1), LARCH_PLATFORM);
    assert_int_equal(nor->erase(nor->context, SECTORS), LARCH_PLATFORM);
    assert_int_equal(chip.writes + chip.erases, 0);
}

/* Any place and length; from RAM, in pieces; what needs no change is not written. */
static void test_program(void **state)
{
    (void)state;
    static const uint8_t image[1000] = {1, 2, 3, 0xff};
    uint8_t out[sizeof image];
    assert_int_equal(program(4093, image, sizeof image), LARCH_OK);
    assert_int_equal(nor->read(nor->context, 4093, out, sizeof out), LARCH_OK);
    assert_memory_equal(out, image, sizeof image);
    assert_int_equal(chip.bytes[4092] & chip.bytes[4093 + sizeof image], 0xff);
    assert_in_range(chip.largest, 1, 256);
    const uint8_t *written = chip.written;
    assert_false(written >= image && written < image + sizeof image);
    const unsigned writes = chip.writes;
    assert_int_equal(program(4093, image, sizeof image), LARCH_OK);
    assert_int_equal(chip.writes, writes);
    const uint8_t zero = 0;
    assert_int_equal(program(4096, &zero, 1), LARCH_OK); /* 0xff to 0: further zeros are allowed */
    assert_int_equal(chip.bytes[4096], 0);
}

/* A bit that would have to turn into a one is refused, and nothing is written. */
static void test_no_ones(void **state)
{
    (void)state;
    static const uint8_t first[] = {0xf0, 0x0f}, second[] = {0xf0, 0x1f};
    assert_int_equal(program(10, first, 2), LARCH_OK);
    const unsigned writes = chip.writes;
    assert_int_equal(program(10, second, 2), LARCH_PLATFORM);
    assert_int_equal(chip.writes, writes);
    assert_memory_equal(chip.bytes + 10, first, 2);
}

/* What the SDK says, and what it does not. */
static void test_failures(void **state)
{
    (void)state;
    const uint8_t bytes[4] = {0x12, 0x34, 0x56, 0x78};
    uint8_t out[4];
    chip.read_fails = -1;
    assert_int_equal(nor->read(nor->context, 0, out, 4), LARCH_PLATFORM);
    assert_int_equal(program(0, bytes, 4), LARCH_PLATFORM);
    assert_int_equal(nor->erase(nor->context, 0), LARCH_PLATFORM);
    assert_int_equal(chip.writes, 0);
    chip.read_fails = 0;
    chip.write_fails = -1;
    assert_int_equal(program(0, bytes, 4), LARCH_PLATFORM);
    chip.write_fails = 0;
    chip.stuck_ones = 0x40;
    assert_int_equal(program(100, bytes, 4), LARCH_PLATFORM);
    chip.stuck_ones = 0;
    chip.erase_fails = -1;
    assert_int_equal(nor->erase(nor->context, 0), LARCH_PLATFORM);
    chip.erase_fails = 0;
    assert_int_equal(program(SECTOR - 1, bytes, 1), LARCH_OK);
    chip.erase_does_nothing = true;
    assert_int_equal(nor->erase(nor->context, 0), LARCH_PLATFORM);
    chip.erase_does_nothing = false;
    assert_int_equal(nor->erase(nor->context, 0), LARCH_OK);
    assert_int_equal(chip.bytes[SECTOR - 1], 0xff);
}

/* What a gateway keeps, through many rotations, fits the SDK's usual 32 KiB: two keys of a set, the new and the old one's
 * journal of 480 marks, the identity, and the network. The oldest key goes before a new one is made. */
static void test_holds_a_gateway(void **state)
{
    (void)state;
    static larch_nor_files files;
    static uint8_t content[512];
    larch_nor_files_fault fault;
    assert_int_equal(larch_nor_files_mount(&files, nor, &fault), LARCH_OK);
    const larch_storage s = larch_nor_files_storage(&files);
    assert_int_equal(s.replace(s.context, "wifi.cfg", (larch_bytes){content, 113}, 0), LARCH_OK);
    assert_int_equal(s.replace(s.context, "identity.key", (larch_bytes){content, 124}, 0), LARCH_OK);
    for (unsigned generation = 1; generation <= 40; generation++) {
        char name[] = "replay-512-0.log", old[] = "replay-512-0.log";
        name[11] = (char)('0' + generation % 10);
        old[11] = (char)('0' + (generation + 8) % 10);
        assert_int_equal(s.remove(s.context, old), LARCH_OK);
        assert_int_equal(s.replace(s.context, name, LARCH_BYTES(content), 480 * LARCH_STORAGE_ATOM), LARCH_OK);
        assert_int_equal(s.replace(s.context, "direct-512.key", (larch_bytes){content, 186}, 0), LARCH_OK);
        for (uint32_t mark = 0; mark < 480; mark++)
            assert_int_equal(s.write(s.context, name, 512 + mark * LARCH_STORAGE_ATOM, (larch_bytes){content, 16}),
                             LARCH_OK);
        assert_int_equal(s.sync(s.context, name), LARCH_OK);
        memset(content, (int)generation, sizeof content);
    }
    larch_nor_files_status status;
    assert_int_equal(larch_nor_files_look(&files, &status), LARCH_OK);
    assert_int_equal(status.out_of_order, 0);
    assert_false(status.stuck);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_shape, start),           cmocka_unit_test_setup(test_no_partition, start),
        cmocka_unit_test_setup(test_bounds, start),          cmocka_unit_test_setup(test_program, start),
        cmocka_unit_test_setup(test_no_ones, start),         cmocka_unit_test_setup(test_failures, start),
        cmocka_unit_test_setup(test_holds_a_gateway, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
