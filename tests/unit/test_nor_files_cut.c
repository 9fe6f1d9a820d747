/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files on NOR flash against a model, the power cut at every program and erase, torn, and again while the flash is
 * mounted: what a call said is there, what was under way is old or new.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "nor.h"

enum { FILES = 4, SIZE_MAX_TRIED = 2600 };

static const char *const names[FILES] = {"direct-512.key", "replay-512-1.log", "replay-512-2.log", "pin"};

typedef struct model_file {
    uint32_t size; /* LARCH_STORAGE_NONE: not there */
    uint8_t bytes[SIZE_MAX_TRIED];
} model_file;

typedef struct world {
    larch_sim_nor sim;
    larch_nor_files files;
    larch_storage storage;
    model_file now[FILES];
    model_file next; /* what the call under way makes of file busy */
    int busy;        /* -1: none */
    uint64_t seed;
    uint32_t file_max;
    uint32_t full;
} world;

static world w;

static uint32_t below(uint32_t bound)
{
    uint64_t z = w.seed += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return (uint32_t)((z ^ z >> 31) >> 32) % bound;
}

/* ---- what is there ------------------------------------------------------ */

static void load(int i, model_file *found)
{
    larch_error e = w.storage.size(w.storage.context, names[i], &found->size);
    assert_int_equal(e, LARCH_OK);
    if (found->size == LARCH_STORAGE_NONE)
        return;
    assert_true(found->size <= SIZE_MAX_TRIED);
    assert_int_equal(w.storage.read(w.storage.context, names[i], 0, found->bytes, found->size), LARCH_OK);
}

static bool same(const model_file *a, const model_file *b)
{
    return a->size == b->size && (a->size == LARCH_STORAGE_NONE || memcmp(a->bytes, b->bytes, a->size) == 0);
}

/* Each atom old or new. */
static bool between(const model_file *found, const model_file *old, const model_file *new)
{
    if (found->size != old->size || found->size != new->size || found->size == LARCH_STORAGE_NONE)
        return false;
    for (uint32_t at = 0; at < found->size; at += LARCH_STORAGE_ATOM) {
        uint32_t n = found->size - at < LARCH_STORAGE_ATOM ? found->size - at : LARCH_STORAGE_ATOM;
        if (memcmp(found->bytes + at, old->bytes + at, n) != 0 && memcmp(found->bytes + at, new->bytes + at, n) != 0)
            return false;
    }
    return true;
}

static bool is_write;

static void check(void)
{
    static model_file found;
    for (int i = 0; i < FILES; i++) {
        load(i, &found);
        bool ok = same(&found, &w.now[i]);
        if (!ok && i == w.busy)
            ok = same(&found, &w.next) || (is_write && between(&found, &w.now[i], &w.next));
        if (!ok)
            print_error("%s: %u bytes, was %u\n", names[i], found.size, w.now[i].size);
        assert_true(ok);
        w.now[i] = found;
    }
    w.busy = -1;
}

/* ---- what is done ------------------------------------------------------- */

static larch_error do_replace(int i)
{
    w.next.size = below(w.file_max + 1);
    uint32_t content = below(3) == 0 ? w.next.size : below(w.next.size + 1);
    memset(w.next.bytes, 0xff, sizeof w.next.bytes);
    for (uint32_t k = 0; k < content; k++)
        w.next.bytes[k] = (uint8_t)(below(5) == 0 ? 0xff : below(256));
    return w.storage.replace(w.storage.context, names[i], (larch_bytes){w.next.bytes, content}, w.next.size - content);
}

/* Over what is erased; a few atoms, or bytes anywhere in them. */
static larch_error do_write(int i)
{
    uint32_t at = below(w.now[i].size);
    if (below(4) > 0)
        at -= at % LARCH_STORAGE_ATOM;
    uint32_t most = 1 + below(100);
    uint32_t len = 0;
    w.next = w.now[i];
    while (at + len < w.next.size && len < most && w.next.bytes[at + len] == 0xff) {
        w.next.bytes[at + len] = (uint8_t)below(256);
        len++;
    }
    if (len == 0)
        return LARCH_OK;
    larch_error e = w.storage.write(w.storage.context, names[i], at, (larch_bytes){w.next.bytes + at, len});
    /* The same bytes may come again. */
    return e == LARCH_OK && below(8) == 0
               ? w.storage.write(w.storage.context, names[i], at, (larch_bytes){w.next.bytes + at, len})
               : e;
}

/* LARCH_PLATFORM: the power went. */
static larch_error step(void)
{
    const int i = (int)below(FILES);
    const uint32_t what = below(10);
    larch_error e;
    w.busy = i;
    is_write = false;
    if (w.now[i].size == LARCH_STORAGE_NONE || what < 3) {
        e = do_replace(i);
        if (e == LARCH_PLATFORM && larch_nor_files_reason(&w.files) == LARCH_NOR_FILES_FULL && !w.sim.off) {
            w.full++;
            w.busy = -1;
            return LARCH_OK;
        }
    } else if (what < 9 && w.now[i].size > 0) {
        is_write = true;
        e = do_write(i);
    } else {
        w.next.size = LARCH_STORAGE_NONE;
        e = w.storage.remove(w.storage.context, names[i]);
    }
    if (e != LARCH_OK) {
        if (!w.sim.off) {
            print_error("%s, %s: the flash %s\n", names[i], larch_error_name(e),
                        larch_nor_files_fault_text(larch_nor_files_reason(&w.files)));
        }
        return e;
    }
    w.now[i] = w.next;
    w.busy = -1;
    return below(4) == 0
               ? w.storage.sync(w.storage.context, names[i]) == LARCH_OK || w.now[i].size == LARCH_STORAGE_NONE
                     ? LARCH_OK
                     : LARCH_PLATFORM
               : LARCH_OK;
}

static larch_error mount(void)
{
    larch_nor_files_fault fault;
    larch_error e = larch_nor_files_mount(&w.files, &w.sim.nor, &fault);
    w.storage = larch_nor_files_storage(&w.files);
    if (e != LARCH_OK && !w.sim.off)
        print_error("mount: %s: the flash %s\n", larch_error_name(e), larch_nor_files_fault_text(fault));
    assert_true(e == LARCH_OK || w.sim.off);
    return w.sim.off ? LARCH_PLATFORM : e;
}

static void power_on_and_check(void)
{
    larch_sim_nor_power_on(&w.sim);
    if (mount() != LARCH_OK)
        fail();
    check();
}

/* Mounting, cut at its first, second, ... operation, until one is not cut. Each mends for good or leaves it to the next. */
static void power_on_with_cuts(void)
{
    for (uint32_t tries = 0;; tries++) {
        assert_true(tries < 100);
        larch_sim_nor_power_on(&w.sim);
        w.sim.cut_at = w.sim.operations + below(3 + 4 * tries);
        if (mount() == LARCH_OK)
            break;
    }
    larch_sim_nor_power_on(&w.sim);
    check();
}

static void begin(uint64_t seed, uint32_t sector_size, uint32_t sector_count, uint32_t file_max)
{
    memset(&w, 0, sizeof w);
    larch_sim_nor_init(&w.sim, seed, sector_size, sector_count);
    w.seed = seed * 77 + 1;
    w.file_max = file_max;
    w.busy = -1;
    for (int i = 0; i < FILES; i++)
        w.now[i].size = LARCH_STORAGE_NONE;
}

typedef struct shape {
    uint32_t sector_size, sector_count, file_max, steps;
} shape;

static const shape shapes[] = {
    {1024, 2, 90, 60}, {1024, 3, 180, 60}, {1024, 8, 2500, 40}, {4096, 2, 500, 60}, {4096, 6, 2600, 40},
};

/* Formatting, and so many steps, cut at each operation in turn; then more of them. */
static void test_cut_anywhere(void **state)
{
    (void)state;
    uint32_t cuts = 0;
    uint32_t erases = 0;
    for (size_t k = 0; k < sizeof shapes / sizeof shapes[0]; k++)
        for (uint64_t seed = 0; seed < 3; seed++) {
            bool cut = true;
            for (uint32_t at = 0; cut; at++) {
                const shape *s = &shapes[k];
                begin(seed, s->sector_size, s->sector_count, s->file_max);
                w.sim.seed += (uint64_t)at << 32;
                w.sim.cut_at = at;
                larch_error e = mount();
                for (uint32_t i = 0; e == LARCH_OK && !w.sim.off && i < s->steps; i++)
                    e = step();
                cut = w.sim.off;
                assert_true(e == LARCH_OK || cut); /* wiping what was replaced may be cut, and all is said */
                if (at % 2 == 0)
                    power_on_and_check();
                else
                    power_on_with_cuts();
                for (uint32_t i = 0; i < 4; i++) {
                    assert_int_equal(step(), LARCH_OK);
                    check();
                }
                power_on_and_check();
                cuts += cut;
                for (uint32_t i = 0; i < s->sector_count; i++)
                    erases += w.sim.erases[i];
                larch_sim_nor_free(&w.sim);
            }
        }
    print_message("%u cuts, %u erases\n", cuts, erases);
    assert_true(cuts > 5000);
}

/* Many lives of one flash, each ended by a cut. */
static void test_many_lives(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof shapes / sizeof shapes[0]; k++)
        for (uint64_t seed = 100; seed < 108; seed++) {
            begin(seed, shapes[k].sector_size, shapes[k].sector_count, shapes[k].file_max);
            for (uint32_t life = 0; life < 200; life++) {
                w.sim.cut_at = w.sim.operations + below(120);
                larch_error e = mount();
                if (e == LARCH_OK)
                    check();
                while (e == LARCH_OK && !w.sim.off)
                    e = step();
                assert_true(w.sim.off);
                larch_sim_nor_power_on(&w.sim);
            }
            power_on_and_check();
            larch_nor_files_status status;
            assert_int_equal(larch_nor_files_look(&w.files, &status), LARCH_OK);
            assert_false(status.stuck);
            assert_int_equal(status.out_of_order, 0);
            larch_sim_nor_free(&w.sim);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_many_lives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
