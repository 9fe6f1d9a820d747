/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a long life costs the flash: how evenly its sectors are erased, and how many bytes are programmed for one that
 * is stored. The figures are printed; the bounds are what the design promises.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "nor.h"

enum { OPERATIONS = 100000, RING = 206, MARKS = 120, HEAD = 26, MARKS_START = 512 };

static larch_sim_nor sim;
static larch_nor_files files;
static larch_storage f;

static void begin(uint32_t sector_size, uint32_t sector_count)
{
    larch_nor_files_fault fault;
    larch_sim_nor_init(&sim, 1, sector_size, sector_count);
    assert_int_equal(larch_nor_files_mount(&files, &sim.nor, &fault), LARCH_OK);
    f = larch_nor_files_storage(&files);
}

/* Sectors in use from the start are at most this many erases ahead of one another: SPREAD in nor_room.c, and what
 * happens until the next file is written. */
#define APART 20

static void report(const char *what, uint64_t stored)
{
    larch_nor_files_status status;
    uint64_t erases = 0;
    assert_int_equal(larch_nor_files_look(&files, &status), LARCH_OK);
    for (uint32_t i = 0; i < sim.nor.sector_count; i++) {
        erases += sim.erases[i];
        assert_true(sim.erases[i] >= status.erases_min && sim.erases[i] <= status.erases_max);
    }
    print_message("%-34s %2u x %6u bytes: erases of a sector %5u to %5u, programmed %.2f bytes a byte\n", what,
                  sim.nor.sector_count, sim.nor.sector_size, status.erases_min, status.erases_max,
                  (double)sim.programmed / (double)stored);
    assert_true(status.erases_max - status.erases_min <= APART);
    /* Each erase made room for nearly a sector of what was written. */
    assert_true(erases * sim.nor.sector_size < 4 * sim.programmed);
}

/* A file that changes beside one that never does. */
static void test_replace(void **state)
{
    (void)state;
    static const uint32_t shapes[][2] = {{4096, 2}, {4096, 4}, {4096, 16}, {65536, 4}};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        uint8_t ring[RING] = {0};
        uint8_t other[1000] = {0};
        begin(shapes[i][0], shapes[i][1]);
        assert_int_equal(f.replace(f.context, "other", LARCH_BYTES(other), 0), LARCH_OK);
        for (uint32_t n = 0; n < OPERATIONS; n++) {
            memcpy(ring, &n, sizeof n);
            assert_int_equal(f.replace(f.context, "direct-512.key", LARCH_BYTES(ring), 0), LARCH_OK);
        }
        report("replace 206 bytes, 1000 at rest", (uint64_t)OPERATIONS * sizeof ring);
        assert_true(sim.programmed < (uint64_t)OPERATIONS * sizeof ring * 6);
        larch_sim_nor_free(&sim);
    }
}

/* As a gateway does: a journal of marks, and when it is full a new one and a new ring. */
static void test_journal(void **state)
{
    (void)state;
    static const uint32_t shapes[][2] = {{4096, 5}, {4096, 16}, {262144, 8}};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        uint8_t ring[RING] = {0};
        uint8_t mark[16] = {0};
        uint64_t stored = 0;
        char name[2][32] = {"", ""};
        uint32_t appended_erases = 0;
        begin(shapes[i][0], shapes[i][1]);
        for (uint32_t n = 0; n < OPERATIONS; n++) {
            if (n % MARKS == 0) {
                char *next = name[n / MARKS % 2];
                if (next[0] != '\0')
                    assert_int_equal(f.remove(f.context, next), LARCH_OK);
                snprintf(next, sizeof name[0], "replay-512-%u.log", n / MARKS);
                assert_int_equal(f.replace(f.context, next, (larch_bytes){ring, HEAD}, MARKS_START - HEAD + MARKS * 16),
                                 LARCH_OK);
                assert_int_equal(f.replace(f.context, "direct-512.key", LARCH_BYTES(ring), 0), LARCH_OK);
                stored += sizeof ring + HEAD;
            }
            uint32_t before = 0, after = 0;
            for (uint32_t s = 0; s < sim.nor.sector_count; s++)
                before += sim.erases[s];
            memcpy(mark, &n, sizeof n);
            assert_int_equal(f.write(f.context, name[n / MARKS % 2], MARKS_START + n % MARKS * 16, LARCH_BYTES(mark)),
                             LARCH_OK);
            for (uint32_t s = 0; s < sim.nor.sector_count; s++)
                after += sim.erases[s];
            appended_erases += after - before;
            stored += sizeof mark;
        }
        report("marks of 16 bytes, 120 a journal", stored);
        assert_int_equal(appended_erases, 0);
        assert_true(sim.programmed < stored * 4);
        larch_sim_nor_free(&sim);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replace),
        cmocka_unit_test(test_journal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
