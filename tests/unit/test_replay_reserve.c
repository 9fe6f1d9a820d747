/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Marks in two steps, reserve and then keep or release, against a plain list of which tag is in which state. The
 * tags crowd around the end of a small table, so that releasing one moves others back over its end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "flash.h"
#include "larch/store.h"
#include "sim.h"

enum { SLOTS_MAX = 128, TAGS = 160, STEPS = 3000 };

typedef enum tag_state { ABSENT, RESERVED, KEPT, DURABLE } tag_state;

typedef struct model {
    larch_flash flash;
    larch_storage storage;
    larch_replay_set set;
    uint32_t slot_count;
    uint32_t capacity;
    uint32_t copies; /* with which a start closed holes of the journal: they take places for good */
    tag_state tags[TAGS];
} model;

static larch_sim_random dice;
static uint64_t slots[SLOTS_MAX];
static model m;

static uint32_t below(uint32_t limit)
{
    const larch_random random = larch_sim_random_of(&dice);
    uint32_t n = 0;
    assert_int_equal(larch_random_fill(&random, (uint8_t *)&n, sizeof n), LARCH_OK);
    return n % limit;
}

/* A tag begins its search at its lowest bits: those of these lie in the last three places and the first. */
static uint64_t tag_of(uint32_t i)
{
    const uint64_t home = (m.slot_count - 3 + i % 4) % m.slot_count;
    return (uint64_t)(i + 1) << 32 | home;
}

static uint32_t count_of(tag_state from, tag_state to)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < TAGS; i++)
        count += m.tags[i] >= from && m.tags[i] <= to;
    return count;
}

static void check(void)
{
    const uint32_t taken = m.copies + count_of(RESERVED, DURABLE);
    for (uint32_t i = 0; i < TAGS; i++)
        assert_int_equal(larch_replay_set_contains(&m.set, tag_of(i)), m.tags[i] != ABSENT);
    assert_int_equal(larch_replay_set_room(&m.set), m.capacity - taken);
    assert_int_equal(larch_replay_set_is_full(&m.set), taken == m.capacity);
    assert_int_equal(larch_replay_set_is_nearly_full(&m.set), taken >= m.capacity - m.capacity / 8);
    assert_int_equal(larch_replay_set_is_durable(&m.set), count_of(KEPT, KEPT) == 0);
}

static void begin(uint32_t slot_count, uint64_t seed)
{
    memset(&m, 0, sizeof m);
    dice.state = seed;
    larch_flash_init(&m.flash, seed);
    m.storage = larch_flash_storage(&m.flash);
    m.slot_count = slot_count;
    m.capacity = larch_replay_set_capacity(slot_count);
    assert_int_equal(larch_replay_set_create(&m.set, &m.storage, 512, 7, slots, slot_count), LARCH_OK);
}

static void commit(void)
{
    assert_int_equal(larch_replay_set_commit(&m.set), LARCH_OK);
    for (uint32_t i = 0; i < TAGS; i++)
        if (m.tags[i] == KEPT)
            m.tags[i] = DURABLE;
}

/* After a restart what was only reserved is unknown; what was kept and not committed may be either. */
static void restart(void)
{
    uint32_t needed;
    larch_store_fault fault;
    larch_flash_power_on(&m.flash);
    memset(slots, 0xaa, sizeof slots);
    assert_int_equal(larch_replay_set_open(&m.set, &m.storage, 512, 7, slots, m.slot_count, &needed, &fault), LARCH_OK);
    for (uint32_t i = 0; i < TAGS; i++) {
        const bool known = larch_replay_set_contains(&m.set, tag_of(i));
        assert_true(m.tags[i] != DURABLE || known);
        assert_true(m.tags[i] == DURABLE || m.tags[i] == KEPT || !known);
        m.tags[i] = known ? DURABLE : ABSENT;
    }
    m.copies = m.set.used - count_of(DURABLE, DURABLE);
}

static void reserve(uint32_t i)
{
    const bool full = m.copies + count_of(RESERVED, DURABLE) == m.capacity;
    const larch_error expected = m.tags[i] != ABSENT ? LARCH_REPLAY : full ? LARCH_SPENT : LARCH_OK;
    assert_int_equal(larch_replay_set_reserve(&m.set, tag_of(i)), expected);
    if (expected == LARCH_OK)
        m.tags[i] = RESERVED;
}

/* Of a tag in the journal neither is allowed while another is reserved: the caller knows what it reserved. */
static bool may_end(uint32_t i) { return m.tags[i] < KEPT || count_of(RESERVED, RESERVED) == 0; }

static void step(void)
{
    const uint32_t i = below(TAGS);
    switch (below(16)) {
    case 0:
        if (below(8) == 0)
            commit();
        break;
    case 1:
        if (below(64) == 0)
            restart();
        break;
    case 2:
    case 3:
    case 4:
        if (may_end(i)) {
            const bool reserved = m.tags[i] == RESERVED;
            assert_int_equal(larch_replay_set_keep(&m.set, tag_of(i)), reserved ? LARCH_OK : LARCH_STATE);
            m.tags[i] = reserved ? KEPT : m.tags[i];
        }
        break;
    case 5:
    case 6:
    case 7:
    case 8:
    case 9:
        if (may_end(i)) {
            larch_replay_set_release(&m.set, tag_of(i));
            m.tags[i] = m.tags[i] == RESERVED ? ABSENT : m.tags[i];
        }
        break;
    default:
        reserve(i);
        break;
    }
}

static void test_against_a_list(void **state)
{
    (void)state;
    static const uint32_t slot_counts[] = {16, 32, 128};
    for (uint64_t run = 0; run < 24; run++) {
        begin(slot_counts[run % 3], run + 1);
        for (uint32_t i = 0; i < STEPS; i++) {
            step();
            check();
        }
        larch_flash_free(&m.flash);
    }
}

/* Every order of releasing a run of tags that crosses the end of the table, homes in all constellations. */
static void test_release_in_every_order(void **state)
{
    (void)state;
    enum { RUN = 5, ORDERS = 120 };
    for (uint32_t homes = 0; homes < 243; homes++) { /* 3^5 */
        uint64_t tags[RUN];
        for (uint32_t i = 0, h = homes; i < RUN; i++, h /= 3)
            tags[i] = (uint64_t)(i + 1) << 8 | (14 + h % 3) % 16;
        for (uint32_t order = 0; order < ORDERS; order++) {
            bool there[RUN] = {false};
            begin(16, 1);
            for (uint32_t i = 0; i < RUN; i++) {
                assert_int_equal(larch_replay_set_reserve(&m.set, tags[i]), LARCH_OK);
                there[i] = true;
            }
            for (uint32_t left = RUN, rest = order; left > 0; rest /= left, left--) {
                uint32_t pick = rest % left, i = 0;
                while (!there[i] || pick-- > 0)
                    i++;
                larch_replay_set_release(&m.set, tags[i]);
                there[i] = false;
                for (uint32_t k = 0; k < RUN; k++)
                    assert_int_equal(larch_replay_set_contains(&m.set, tags[k]), there[k]);
            }
            for (uint32_t i = 0; i < 16; i++)
                assert_int_equal(slots[i], 0);
            larch_flash_free(&m.flash);
        }
    }
}

/* keep hands over a whole batch when the next mark needs its place: if that fails, the tag stays reserved and both
 * ways out of it work. */
static void test_keep_fails(void **state)
{
    (void)state;
    for (int way = 0; way < 2; way++) {
        begin(128, 3);
        for (uint32_t i = 0; i <= LARCH_REPLAY_BATCH; i++) {
            reserve(i);
            if (i < LARCH_REPLAY_BATCH) {
                assert_int_equal(larch_replay_set_keep(&m.set, tag_of(i)), LARCH_OK);
                m.tags[i] = KEPT;
            }
        }
        check();
        m.flash.fail_at = m.flash.operations;
        assert_int_equal(larch_replay_set_keep(&m.set, tag_of(LARCH_REPLAY_BATCH)), LARCH_PLATFORM);
        check();
        if (way == 0) {
            assert_int_equal(larch_replay_set_keep(&m.set, tag_of(LARCH_REPLAY_BATCH)), LARCH_OK);
            m.tags[LARCH_REPLAY_BATCH] = KEPT;
        } else {
            larch_replay_set_release(&m.set, tag_of(LARCH_REPLAY_BATCH));
            m.tags[LARCH_REPLAY_BATCH] = ABSENT;
        }
        check();
        commit();
        check();
        restart();
        check();
        larch_flash_free(&m.flash);
    }
}

/* What is only reserved writes nothing, takes room, and is gone after a restart. */
static void test_reserve_alone(void **state)
{
    (void)state;
    begin(16, 5);
    const uint32_t operations = m.flash.operations;
    for (uint32_t i = 0; i < m.capacity; i++)
        reserve(i);
    reserve(m.capacity); /* LARCH_SPENT */
    reserve(0);          /* LARCH_REPLAY */
    assert_int_equal(larch_replay_set_add(&m.set, tag_of(m.capacity)), LARCH_SPENT);
    assert_int_equal(larch_replay_set_commit(&m.set), LARCH_OK);
    assert_int_equal(m.flash.operations, operations);
    check();
    restart();
    assert_int_equal(larch_replay_set_room(&m.set), m.capacity);
    check();
    assert_int_equal(larch_replay_set_keep(&m.set, tag_of(0)), LARCH_STATE);
    larch_replay_set_release(&m.set, tag_of(0));
    check();
    larch_flash_free(&m.flash);
}

/* Tag 0 goes by the name of 1 in every step. */
static void test_tag_zero(void **state)
{
    (void)state;
    begin(16, 6);
    assert_int_equal(larch_replay_set_reserve(&m.set, 0), LARCH_OK);
    assert_int_equal(larch_replay_set_reserve(&m.set, 1), LARCH_REPLAY);
    larch_replay_set_release(&m.set, 1);
    assert_false(larch_replay_set_contains(&m.set, 0));
    assert_int_equal(larch_replay_set_reserve(&m.set, 1), LARCH_OK);
    assert_int_equal(larch_replay_set_keep(&m.set, 0), LARCH_OK);
    assert_true(larch_replay_set_contains(&m.set, 1));
    larch_flash_free(&m.flash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_a_list), cmocka_unit_test(test_release_in_every_order),
        cmocka_unit_test(test_keep_fails),     cmocka_unit_test(test_reserve_alone),
        cmocka_unit_test(test_tag_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
