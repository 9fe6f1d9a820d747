/* SPDX-License-Identifier: Apache-2.0 */
/* Files on NOR flash: the contract of larch_storage, limits, full flash, sectors that fail, and what is left of old bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "nor.h"

#define NAME "direct-512.key"

static larch_sim_nor sim;
static larch_nor_files files;
static larch_storage f;
static larch_nor_files_fault fault;
static uint8_t big[300000];

static larch_error remount(void)
{
    larch_error e = larch_nor_files_mount(&files, &sim.nor, &fault);
    f = larch_nor_files_storage(&files);
    return e;
}

static void begin(uint32_t sector_size, uint32_t sector_count)
{
    larch_sim_nor_init(&sim, 1, sector_size, sector_count);
    assert_int_equal(remount(), LARCH_OK);
    for (size_t i = 0; i < sizeof big; i++)
        big[i] = (uint8_t)(i * 167 % 251); /* never 0xff */
}

static void end(void) { larch_sim_nor_free(&sim); }

static larch_nor_files_status look(void)
{
    larch_nor_files_status status;
    assert_int_equal(larch_nor_files_look(&files, &status), LARCH_OK);
    return status;
}

static void assert_file(const char *name, larch_bytes content)
{
    static uint8_t out[sizeof big];
    uint32_t size;
    assert_int_equal(f.size(f.context, name, &size), LARCH_OK);
    assert_int_equal(size, content.len);
    assert_int_equal(f.read(f.context, name, 0, out, content.len), LARCH_OK);
    if (content.len > 0)
        assert_memory_equal(out, content.data, content.len);
}

static void assert_none(const char *name)
{
    uint32_t size;
    assert_int_equal(f.size(f.context, name, &size), LARCH_OK);
    assert_int_equal(size, LARCH_STORAGE_NONE);
}

static bool flash_holds(larch_bytes bytes)
{
    const size_t size = (size_t)sim.nor.sector_size * sim.nor.sector_count;
    for (size_t i = 0; i + bytes.len <= size; i++)
        if (memcmp(sim.bytes + i, bytes.data, bytes.len) == 0)
            return true;
    return false;
}

static void assert_ok(larch_error e)
{
    if (e != LARCH_OK)
        print_error("%s: the flash %s\n", larch_error_name(e),
                    larch_nor_files_fault_text(larch_nor_files_reason(&files)));
    assert_int_equal(e, LARCH_OK);
}

/* ---- the contract ------------------------------------------------------- */

static void test_round_trip(void **state)
{
    (void)state;
    static const struct {
        uint32_t sector_size, sector_count, tail;
    } shapes[] = {{1024, 2, 100}, {1024, 32, 3000}, {4096, 2, 1000}, {4096, 16, 20000}, {262144, 8, 40000}};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        const uint32_t tail = shapes[i].tail;
        const uint32_t size = tail + 5;
        uint8_t out[8];
        begin(shapes[i].sector_size, shapes[i].sector_count);
        assert_int_equal(f.remove(f.context, NAME), LARCH_OK);
        assert_none(NAME);
        assert_int_equal(f.read(f.context, NAME, 0, out, 1), LARCH_PLATFORM);
        assert_int_equal(larch_nor_files_reason(&files), LARCH_NOR_FILES_NAME);
        assert_int_equal(f.write(f.context, NAME, 0, LARCH_TEXT("x")), LARCH_PLATFORM);
        assert_int_equal(f.sync(f.context, NAME), LARCH_PLATFORM);

        assert_int_equal(f.replace(f.context, NAME, LARCH_TEXT("first"), tail), LARCH_OK);
        for (int again = 0; again < 2; again++) {
            uint32_t found;
            assert_int_equal(f.size(f.context, NAME, &found), LARCH_OK);
            assert_int_equal(found, size);
            assert_int_equal(f.read(f.context, NAME, 4, out, 8), LARCH_OK);
            assert_memory_equal(out, "t\xff\xff\xff\xff\xff\xff\xff", 8);
            assert_int_equal(f.read(f.context, NAME, size - 8, out, 8), LARCH_OK);
            assert_memory_equal(out, "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
            memset(out, 1, sizeof out);
            assert_int_equal(f.read(f.context, NAME, size - 7, out, 8), LARCH_MALFORMED);
            assert_int_equal(f.read(f.context, NAME, size + 1, out, 0), LARCH_MALFORMED);
            assert_int_equal(f.read(f.context, NAME, UINT32_MAX, out, 8), LARCH_MALFORMED);
            assert_int_equal(out[0], 1);
            assert_int_equal(f.read(f.context, NAME, size, out, 0), LARCH_OK);
            assert_int_equal(remount(), LARCH_OK);
        }
        assert_int_equal(f.write(f.context, NAME, 16, LARCH_TEXT("mark")), LARCH_OK);
        assert_int_equal(f.sync(f.context, NAME), LARCH_OK);
        assert_int_equal(f.read(f.context, NAME, 15, out, 6), LARCH_OK);
        assert_memory_equal(out, "\xffmark\xff", 6);
        /* The rest of an atom in use, the same again, and across atoms. */
        assert_int_equal(f.write(f.context, NAME, 20, LARCH_TEXT("er")), LARCH_OK);
        assert_int_equal(f.write(f.context, NAME, 16, LARCH_TEXT("marker")), LARCH_OK);
        assert_int_equal(f.write(f.context, NAME, 30, LARCH_TEXT("abcd")), LARCH_OK);
        assert_int_equal(f.write(f.context, NAME, size - 1, LARCH_TEXT("z")), LARCH_OK);
        assert_int_equal(remount(), LARCH_OK);
        assert_int_equal(f.read(f.context, NAME, 15, out, 8), LARCH_OK);
        assert_memory_equal(out, "\xffmarker\xff", 8);
        assert_int_equal(f.read(f.context, NAME, 29, out, 6), LARCH_OK);
        assert_memory_equal(out,
                            "\xff"
                            "abcd\xff",
                            6);
        assert_int_equal(f.read(f.context, NAME, size - 2, out, 2), LARCH_OK);
        assert_memory_equal(out, "\xffz", 2);

        assert_int_equal(f.write(f.context, NAME, 16, LARCH_TEXT("M")), LARCH_PLATFORM);
        assert_int_equal(larch_nor_files_reason(&files), LARCH_NOR_FILES_IN_USE);
        assert_int_equal(f.write(f.context, NAME, size, LARCH_TEXT("M")), LARCH_PLATFORM);

        assert_int_equal(f.replace(f.context, NAME, LARCH_TEXT("second"), 0), LARCH_OK);
        assert_file(NAME, LARCH_TEXT("second"));
        assert_int_equal(f.replace(f.context, NAME, LARCH_TEXT(""), 0), LARCH_OK);
        assert_file(NAME, LARCH_TEXT(""));
        assert_int_equal(remount(), LARCH_OK);
        assert_file(NAME, LARCH_TEXT(""));
        assert_int_equal(f.remove(f.context, NAME), LARCH_OK);
        assert_none(NAME);
        assert_int_equal(remount(), LARCH_OK);
        assert_none(NAME);
        end();
    }
}

static void test_names(void **state)
{
    (void)state;
    static const char *const refused[] = {"", ".hidden", "UPPER", "a b", "a/b", "12345678901234567890123456789.key"};
    uint8_t out[1];
    uint32_t size;
    begin(1024, 4);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        assert_int_equal(f.replace(f.context, refused[i], LARCH_TEXT("x"), 0), LARCH_PLATFORM);
        assert_int_equal(larch_nor_files_reason(&files), LARCH_NOR_FILES_NAME);
        assert_int_equal(f.size(f.context, refused[i], &size), LARCH_PLATFORM);
        assert_int_equal(f.read(f.context, refused[i], 0, out, 1), LARCH_PLATFORM);
        assert_int_equal(f.remove(f.context, refused[i]), LARCH_PLATFORM);
    }
    assert_int_equal(f.replace(f.context, "replay-1024-4294967295.log", LARCH_TEXT("x"), 0), LARCH_OK);
    assert_int_equal(f.replace(f.context, "123456789012345678901234567.key", LARCH_TEXT("y"), 0), LARCH_OK);
    assert_file("replay-1024-4294967295.log", LARCH_TEXT("x"));
    assert_file("123456789012345678901234567.key", LARCH_TEXT("y"));
    assert_none("12345678901234567890123456.key");
    end();
}

/* Pieces in several sectors, replaced by as many again. */
static void test_larger_than_a_sector(void **state)
{
    (void)state;
    begin(1024, 32);
    for (size_t len = 500; len < 9000; len += 777) {
        assert_int_equal(f.replace(f.context, "a", (larch_bytes){big, len}, 0), LARCH_OK);
        assert_int_equal(f.replace(f.context, "b", (larch_bytes){big + len, 100}, 0), LARCH_OK);
        assert_file("a", (larch_bytes){big, len});
        assert_int_equal(remount(), LARCH_OK);
        assert_file("a", (larch_bytes){big, len});
        assert_file("b", (larch_bytes){big + len, 100});
    }
    assert_true(look().pieces > 8);
    end();
    begin(262144, 4);
    assert_int_equal(f.replace(f.context, "a", LARCH_BYTES(big), 0), LARCH_OK);
    assert_int_equal(remount(), LARCH_OK);
    assert_file("a", LARCH_BYTES(big));
    end();
}

static void test_geometry(void **state)
{
    (void)state;
    static const uint32_t refused[][2] = {{1024, 1}, {1024, 33}, {512, 4}, {1536, 4}, {UINT32_C(1) << 21, 4}};
    uint32_t size;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        larch_sim_nor_init(&sim, 1, refused[i][0], refused[i][1]);
        assert_int_equal(remount(), LARCH_SPACE);
        assert_int_equal(fault, LARCH_NOR_FILES_GEOMETRY);
        assert_int_equal(f.size(f.context, NAME, &size), LARCH_PLATFORM);
        assert_int_equal(larch_nor_files_format(&files, &sim.nor, &fault), LARCH_SPACE);
        assert_int_equal(sim.operations, 0);
        end();
    }
}

/* ---- full --------------------------------------------------------------- */

/* Nothing is lost, nothing is written in vain, and what status promises fits. */
static void test_full(void **state)
{
    (void)state;
    static const uint32_t shapes[][2] = {{1024, 2}, {1024, 5}, {4096, 2}, {4096, 8}};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        char name[16];
        unsigned count = 0;
        begin(shapes[i][0], shapes[i][1]);
        const size_t len = shapes[i][0] / 5;
        for (;; count++) {
            snprintf(name, sizeof name, "f%u", count);
            if (f.replace(f.context, name, (larch_bytes){big + count, len}, 0) != LARCH_OK)
                break;
            assert_true(count < 100);
        }
        assert_int_equal(larch_nor_files_reason(&files), LARCH_NOR_FILES_FULL);
        assert_true(count >= shapes[i][1] - 1);
        const uint32_t operations = sim.operations;
        for (unsigned tries = 0; tries < 10; tries++)
            assert_int_equal(f.replace(f.context, "f0", (larch_bytes){big, len * 5 * shapes[i][1]}, 0), LARCH_PLATFORM);
        assert_int_equal(sim.operations, operations); /* a caller that tries again wears nothing */
        for (int again = 0; again < 2; again++) {
            assert_none(name);
            for (unsigned k = 0; k < count; k++) {
                char other[16];
                snprintf(other, sizeof other, "f%u", k);
                assert_file(other, (larch_bytes){big + k, len});
            }
            assert_int_equal(remount(), LARCH_OK);
        }
        /* Room comes back. */
        assert_int_equal(f.remove(f.context, "f0"), LARCH_OK);
        assert_int_equal(f.replace(f.context, name, (larch_bytes){big, len}, 0), LARCH_OK);
        assert_int_equal(f.remove(f.context, "f1"), LARCH_OK);
        const uint32_t room = look().free_bytes;
        assert_int_equal(f.replace(f.context, "last", (larch_bytes){big, room}, 0), LARCH_OK);
        assert_file("last", (larch_bytes){big, room});
        end();
    }
    begin(1024, 32); /* more pieces than are tracked */
    unsigned count = 0;
    char name[16];
    do
        snprintf(name, sizeof name, "f%u", count++);
    while (f.replace(f.context, name, LARCH_TEXT("x"), 0) == LARCH_OK);
    assert_int_equal(larch_nor_files_reason(&files), LARCH_NOR_FILES_CROWDED);
    assert_int_equal(count, LARCH_NOR_FILES_PIECES);
    assert_int_equal(remount(), LARCH_OK);
    assert_file("f0", LARCH_TEXT("x"));
    end();
}

/* ---- sectors that fail -------------------------------------------------- */

/* Any one operation fails once: what then stands is old or new, and after OK new. */
static void test_one_failure(void **state)
{
    (void)state;
    static const uint32_t shapes[][2] = {{1024, 3}, {1024, 6}};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        for (uint32_t at = 0; at < 600; at++) {
            uint8_t kept[300];
            uint8_t mark[16] = {0};
            begin(shapes[i][0], shapes[i][1]);
            memset(kept, 7, sizeof kept);
            assert_int_equal(f.replace(f.context, "kept", LARCH_BYTES(kept), 80), LARCH_OK);
            sim.fail_at = sim.operations + at;
            for (unsigned round = 0; round < 14; round++) {
                const larch_bytes content = {big + round, 150};
                if (f.replace(f.context, "changing", content, 0) != LARCH_OK) {
                    assert_true(round > 0);
                    assert_file("changing", (larch_bytes){big + round - 1, 150});
                    assert_ok(f.replace(f.context, "changing", content, 0));
                }
                assert_file("changing", content);
                if (round % 4 == 0) {
                    mark[0] = (uint8_t)round;
                    larch_error e = f.write(f.context, "kept", 304 + 16 * (round / 4), LARCH_BYTES(mark));
                    if (e != LARCH_OK)
                        e = f.write(f.context, "kept", 304 + 16 * (round / 4), LARCH_BYTES(mark));
                    assert_ok(e);
                }
                if (round == 7)
                    assert_int_equal(remount(), LARCH_OK);
            }
            assert_int_equal(remount(), LARCH_OK);
            uint8_t out[300];
            assert_int_equal(f.read(f.context, "kept", 0, out, sizeof out), LARCH_OK);
            assert_memory_equal(out, kept, sizeof out);
            for (unsigned k = 0; k < 3; k++) {
                assert_int_equal(f.read(f.context, "kept", 304 + 16 * k, out, 1), LARCH_OK);
                assert_int_equal(out[0], 4 * k);
            }
            assert_file("changing", (larch_bytes){big + 13, 150});
            assert_int_equal(f.remove(f.context, "kept"), LARCH_OK);
            assert_int_equal(remount(), LARCH_OK);
            assert_none("kept");
            end();
        }
}

/* One sector cannot be erased or programmed any more: the others carry on, also over restarts. */
static void test_bad_sector(void **state)
{
    (void)state;
    for (uint32_t bad = 0; bad < 6; bad++)
        for (int kind = 0; kind < 3; kind++) {
            begin(1024, 6);
            assert_int_equal(f.replace(f.context, "kept", (larch_bytes){big, 300}, 0), LARCH_OK);
            assert_int_equal(f.replace(f.context, "changing", (larch_bytes){big, 150}, 0), LARCH_OK);
            sim.erase_fails[bad] = kind != 1;
            sim.program_fails[bad] = kind != 0;
            for (unsigned round = 0; round < 60; round++) {
                assert_ok(f.replace(f.context, "changing", (larch_bytes){big + round, 150}, 0));
                if (round % 9 == 8)
                    assert_int_equal(remount(), LARCH_OK);
                assert_file("changing", (larch_bytes){big + round, 150});
                assert_file("kept", (larch_bytes){big, 300});
            }
            assert_true(look().out_of_order <= 1);
            end();
        }
}

/* What fails when it is formatted is left out, and stays out. */
static void test_bad_sector_from_the_start(void **state)
{
    (void)state;
    begin(1024, 4);
    assert_int_equal(f.replace(f.context, "old", LARCH_TEXT("x"), 0), LARCH_OK);
    sim.erase_fails[0] = true; /* where old is */
    assert_int_equal(larch_nor_files_format(&files, &sim.nor, &fault), LARCH_OK);
    f = larch_nor_files_storage(&files);
    assert_none("old");
    assert_int_equal(look().out_of_order, 1);
    assert_int_equal(f.replace(f.context, "new", LARCH_TEXT("y"), 0), LARCH_OK);
    assert_int_equal(remount(), LARCH_OK);
    assert_none("old");
    assert_file("new", LARCH_TEXT("y"));
    assert_int_equal(look().out_of_order, 1);
    sim.erase_fails[0] = false; /* it was a bad day */
    assert_int_equal(remount(), LARCH_OK);
    assert_int_equal(look().out_of_order, 0);
    sim.erase_fails[0] = sim.erase_fails[1] = sim.erase_fails[2] = true;
    assert_int_equal(larch_nor_files_format(&files, &sim.nor, &fault), LARCH_PLATFORM);
    assert_int_equal(fault, LARCH_NOR_FILES_MEDIUM);
    end();
}

/* ---- what is left of old bytes ------------------------------------------ */

/* At once; and if the power goes before or during it, after the next mount. */
static void test_old_bytes_are_wiped(void **state)
{
    (void)state;
    static const uint8_t secret[16] = "very secret key";
    for (int removes = 0; removes < 2; removes++) {
        bool cut = true;
        for (uint32_t at = 0; cut; at++) {
            begin(1024, 3);
            sim.seed = at;
            assert_int_equal(f.replace(f.context, NAME, LARCH_BYTES(secret), 0), LARCH_OK);
            assert_true(flash_holds(LARCH_BYTES(secret)));
            sim.cut_at = sim.operations + at;
            larch_error e = removes ? f.remove(f.context, NAME) : f.replace(f.context, NAME, LARCH_TEXT("new"), 0);
            cut = sim.off;
            assert_true(cut || e == LARCH_OK);
            if (cut) {
                larch_sim_nor_power_on(&sim);
                assert_int_equal(remount(), LARCH_OK);
            }
            uint8_t out[16];
            bool stands = f.read(f.context, NAME, 0, out, sizeof out) == LARCH_OK;
            assert_true(!stands || e != LARCH_OK);
            assert_int_equal(flash_holds(LARCH_BYTES(secret)), stands);
            end();
        }
    }
}

/* ---- formatting --------------------------------------------------------- */

static void test_format(void **state)
{
    (void)state;
    begin(1024, 4);
    assert_int_equal(sim.erases[0], 0); /* new from the factory */
    assert_int_equal(f.replace(f.context, "old", LARCH_TEXT("x"), 0), LARCH_OK);
    assert_int_equal(larch_nor_files_format(&files, &sim.nor, &fault), LARCH_OK);
    assert_int_equal(fault, LARCH_NOR_FILES_NONE);
    f = larch_nor_files_storage(&files);
    assert_none("old");
    assert_int_equal(look().erases_min, 1);
    end();

    /* Cut short: the old files as they were, none, or a fault with a name; never some of them. */
    bool cut = true;
    unsigned named = 0;
    for (uint32_t at = 0; cut; at++) {
        begin(1024, 4);
        sim.seed = at;
        assert_int_equal(f.replace(f.context, "a", (larch_bytes){big, 700}, 0), LARCH_OK);
        assert_int_equal(f.replace(f.context, "b", (larch_bytes){big, 700}, 0), LARCH_OK);
        sim.cut_at = sim.operations + at;
        (void)!larch_nor_files_format(&files, &sim.nor, &fault);
        cut = sim.off;
        larch_sim_nor_power_on(&sim);
        if (remount() == LARCH_OK) {
            uint32_t size_a, size_b;
            assert_int_equal(f.size(f.context, "a", &size_a), LARCH_OK);
            assert_int_equal(f.size(f.context, "b", &size_b), LARCH_OK);
            assert_int_equal(size_a, size_b);
        } else {
            named++;
            assert_true(fault >= LARCH_NOR_FILES_FOREIGN && fault <= LARCH_NOR_FILES_DAMAGED);
            assert_int_equal(larch_nor_files_format(&files, &sim.nor, &fault), LARCH_OK);
            assert_int_equal(remount(), LARCH_OK);
        }
        end();
    }
    assert_true(named > 3);
}

static void test_status(void **state)
{
    (void)state;
    larch_nor_files_status status;
    begin(4096, 4);
    status = look();
    assert_int_equal(status.sectors, 4);
    assert_int_equal(status.pieces, 0);
    assert_in_range(status.free_bytes, 3 * 4096 * 6 / 10, 3 * 4096);
    assert_int_equal(f.replace(f.context, "a", (larch_bytes){big, 1600}, 0), LARCH_OK);
    const uint32_t before = status.free_bytes;
    status = look();
    assert_int_equal(status.pieces, 1);
    assert_in_range(before - status.free_bytes, 1600, 1760);
    sim.off = true;
    assert_int_equal(larch_nor_files_look(&files, &status), LARCH_PLATFORM);
    assert_int_equal(status.sectors, 0);
    assert_int_equal(remount(), LARCH_PLATFORM);
    assert_int_equal(fault, LARCH_NOR_FILES_MEDIUM);
    assert_int_equal(larch_nor_files_look(&files, &status), LARCH_PLATFORM);
    end();
    for (int i = 0; i < LARCH_NOR_FILES_FAULT_COUNT; i++)
        assert_true(strlen(larch_nor_files_fault_text((larch_nor_files_fault)i)) > 4);
    assert_string_equal(larch_nor_files_fault_text(LARCH_NOR_FILES_FAULT_COUNT), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_larger_than_a_sector),
        cmocka_unit_test(test_geometry),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_one_failure),
        cmocka_unit_test(test_bad_sector),
        cmocka_unit_test(test_bad_sector_from_the_start),
        cmocka_unit_test(test_old_bytes_are_wiped),
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
