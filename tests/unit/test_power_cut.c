/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The power goes at every possible moment: what was durable is there afterwards, what
 * was being replaced is old or new, and nothing is ever found damaged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "flash.h"
#include "larch/store.h"

#define LIVES 3000
#define SLOTS 2048

static uint64_t slots[2][SLOTS];
static uint64_t random_state;

static uint64_t mix(uint64_t z)
{
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static uint32_t below(uint32_t bound) { return (uint32_t)(mix(random_state += 0x9e3779b97f4a7c15) >> 32) % bound; }

static uint64_t tag_of(uint32_t i) { return mix((uint64_t)i + 1); }

/* ---- marks ------------------------------------------------------------- */

/* Adds until the power goes, committing now and then. The number of tags tried. */
static uint32_t live(larch_replay_set *rs, uint32_t first, bool *committed)
{
    uint32_t tried = first;
    uint32_t pending = first;
    for (uint32_t commit_every = 1 + below(300); tried < first + 1500; tried++) {
        larch_error e = larch_replay_set_add(rs, tag_of(tried));
        if (e != LARCH_OK) /* SPENT: the set has had its time */
            return tried + 1;
        if (below(commit_every) != 0)
            continue;
        if (larch_replay_set_commit(rs) != LARCH_OK)
            return tried + 1;
        for (; pending <= tried; pending++)
            committed[pending] = true;
    }
    return tried;
}

/* One journal over several cuts, from every seed at other moments. */
static void test_committed_marks_stay(void **state)
{
    (void)state;
    static bool committed[16 * 1024];
    uint32_t with_holes = 0;
    for (uint32_t seed = 0; seed < LIVES; seed++) {
        uint32_t slot_count = seed % 3 == 0 ? SLOTS : 64;
        larch_flash flash;
        larch_flash_init(&flash, seed);
        larch_storage storage = larch_flash_storage(&flash);
        larch_replay_set rs;
        random_state = seed;
        memset(committed, 0, sizeof committed);

        uint32_t tried = 0;
        bool created = false;
        for (uint32_t cut = 0; cut < 6; cut++) {
            /* Now and then only the process ends: what it wrote is there, and not durable. */
            bool killed = below(4) == 0;
            flash.cut_at = killed ? LARCH_FLASH_NEVER : flash.operations + below(cut % 2 == 0 ? 120 : 40);
            uint32_t needed;
            larch_store_fault fault;
            larch_error e = larch_replay_set_open(&rs, &storage, 512, 1, slots[0], slot_count, &needed, &fault);
            if (e == LARCH_STATE) {
                assert_false(created); /* once there, it never goes missing */
                e = larch_replay_set_create(&rs, &storage, 512, 1, slots[0], slot_count);
            }
            assert_true(e == LARCH_OK || e == LARCH_PLATFORM);
            if (e == LARCH_OK) {
                created = true;
                /* What an opened set shows is as good as committed. */
                for (uint32_t i = 0; i < tried; i++) {
                    assert_true(!committed[i] || larch_replay_set_contains(&rs, tag_of(i)));
                    committed[i] = larch_replay_set_contains(&rs, tag_of(i));
                }
                tried = live(&rs, tried, committed);
            }
            assert_true(e == LARCH_OK || flash.off);
            if (killed)
                continue;
            larch_flash_power_on(&flash);

            larch_bytes file = larch_flash_look(&flash, "replay-512-1.log");
            bool hole = false;
            bool erased = false;
            for (size_t at = 512; at + 16 <= file.len; at += 16) {
                bool is_erased = file.data[at] == 0xff && file.data[at + 8] == 0xff;
                hole = hole || (erased && !is_erased);
                erased = erased || is_erased;
            }
            with_holes += hole;
        }
        larch_flash_free(&flash);
    }
    /* Else the simulation would not test what it is for. */
    assert_true(with_holes > LIVES / 10);
}

/* ---- rotation ---------------------------------------------------------- */

typedef struct gateway {
    larch_key_ring ring;
    larch_replay_set present;
    larch_replay_set previous;
} gateway;

/* What a gateway does at a start. LARCH_PLATFORM: the power went. */
static larch_error start(gateway *g, const larch_storage *storage)
{
    larch_store_fault fault;
    uint32_t needed;
    larch_error e = larch_key_ring_load(storage, 512, &g->ring, &fault);
    if (e == LARCH_STATE) {
        if ((e = larch_replay_set_create(&g->present, storage, 512, 1, slots[0], 64)) != LARCH_OK)
            return e;
        g->ring = (larch_key_ring){.set = 512, .present = {.generation = 1, .seed = {1}}};
        return larch_key_ring_save(storage, &g->ring);
    }
    if (e != LARCH_OK)
        return e;
    uint32_t present = g->ring.present.generation;
    uint32_t previous = g->ring.previous.generation;
    uint32_t oldest = previous > 0 ? previous : present;
    if ((e = larch_replay_set_open(&g->present, storage, 512, present, slots[present % 2], 64, &needed, &fault)) !=
        LARCH_OK)
        return e;
    if (previous > 0 && (e = larch_replay_set_open(&g->previous, storage, 512, previous, slots[previous % 2], 64,
                                                   &needed, &fault)) != LARCH_OK)
        return e;
    return larch_replay_set_discard(storage, 512, oldest - 1);
}

static larch_error rotate(gateway *g, const larch_storage *storage)
{
    larch_error e;
    uint32_t next = g->ring.present.generation + 1;
    larch_key_ring ring = {.set = 512, .present = {.generation = next, .seed = {(uint8_t)next}}};
    ring.previous = g->ring.present;
    uint32_t forgotten = g->ring.previous.generation;
    if ((e = larch_replay_set_create(&g->previous, storage, 512, next, slots[next % 2], 64)) != LARCH_OK ||
        (e = larch_key_ring_save(storage, &ring)) != LARCH_OK)
        return e;
    larch_replay_set created = g->previous;
    g->previous = g->present;
    g->present = created;
    g->ring = ring;
    return forgotten > 0 ? larch_replay_set_discard(storage, 512, forgotten) : LARCH_OK;
}

static larch_error forget_previous(gateway *g, const larch_storage *storage)
{
    larch_error e;
    memset(&g->ring.previous, 0, sizeof g->ring.previous);
    if ((e = larch_key_ring_save(storage, &g->ring)) != LARCH_OK)
        return e;
    return larch_replay_set_remove(&g->previous);
}

/* Start, a mark under every key, three rotations, one forgetting. *marked: the newest
 * generation whose mark (its own number) was committed. */
static larch_error run_rotations(gateway *g, const larch_storage *storage, uint32_t *marked)
{
    larch_error e = start(g, storage);
    for (uint32_t step = 0; e == LARCH_OK && step < 4; step++) {
        uint32_t generation = g->ring.present.generation;
        if (!larch_replay_set_contains(&g->present, generation) &&
            (e = larch_replay_set_add(&g->present, generation)) != LARCH_OK)
            return e;
        if ((e = larch_replay_set_commit(&g->present)) != LARCH_OK)
            return e;
        *marked = generation;
        e = step < 3 ? rotate(g, storage) : forget_previous(g, storage);
    }
    return e;
}

static void assert_whole(larch_flash *flash, const larch_storage *storage, uint32_t marked)
{
    gateway g;
    assert_int_equal(start(&g, storage), LARCH_OK);
    uint32_t present = g.ring.present.generation;
    uint32_t previous = g.ring.previous.generation;
    assert_true(marked == 0 || present == marked || present == marked + 1);
    assert_true(previous == 0 || previous + 1 == present);
    assert_int_equal(g.ring.present.seed[0], present);
    assert_int_equal(g.ring.previous.seed[0], previous);
    if (present <= marked)
        assert_true(larch_replay_set_contains(&g.present, present));
    if (previous > 0 && previous <= marked)
        assert_true(larch_replay_set_contains(&g.previous, previous));

    /* No journal outlives its key, but for one that the next rotation makes anew. */
    uint32_t files = 0;
    for (size_t i = 0; i < LARCH_FLASH_FILES; i++)
        files += flash->files[i].name[0] != '\0';
    assert_in_range(files, previous > 0 ? 3 : 2, previous > 0 ? 4 : 3);
}

static void test_rotation_survives_every_cut(void **state)
{
    (void)state;
    bool cut = true;
    for (uint32_t at = 0; cut; at++) {
        cut = false;
        for (uint32_t seed = 0; seed < 24; seed++) {
            larch_flash flash;
            gateway g;
            uint32_t marked = 0;
            larch_flash_init(&flash, seed);
            larch_storage storage = larch_flash_storage(&flash);
            flash.cut_at = at;
            larch_error e = run_rotations(&g, &storage, &marked);
            assert_true(e == (flash.off ? LARCH_PLATFORM : LARCH_OK));
            cut = cut || flash.off;
            larch_flash_power_on(&flash);
            /* A second cut, during the start or what follows. */
            flash.cut_at = flash.operations + seed;
            e = run_rotations(&g, &storage, &marked);
            assert_true(e == (flash.off ? LARCH_PLATFORM : LARCH_OK));
            larch_flash_power_on(&flash);
            assert_whole(&flash, &storage, marked);
            larch_flash_free(&flash);
        }
        assert_true(at < 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_committed_marks_stay),
        cmocka_unit_test(test_rotation_survives_every_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
