/* SPDX-License-Identifier: Apache-2.0 */
/* A gateway board's flash under the most marks that its budgets grant: it lasts ten years. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "larch/reach.h"
#include "larch/store.h"
#include "nor.h"
#include "roles/wear.h"
#include "sim.h"

enum { SET = 512, ROTATIONS = 300 };

static larch_sim_nor sim;
static larch_nor_files files;
static larch_storage f;
static uint64_t slots[2][LARCH_WEAR_REPLAY_SLOTS];
static larch_replay_set marks[2];
static larch_key_ring ring;

/* What a gateway board keeps beside its keys and marks. */
static void begin(uint32_t sector_size, uint32_t sector_count)
{
    larch_nor_files_fault fault;
    static const larch_stored_identity identity = {.founding = 1, .count = 1};
    static const uint8_t wifi[128];
    larch_sim_nor_init(&sim, 1, sector_size, sector_count);
    assert_int_equal(larch_nor_files_mount(&files, &sim.nor, &fault), LARCH_OK);
    f = larch_nor_files_storage(&files);
    f.start = 1;
    assert_int_equal(larch_state_head_save(&f, &(larch_state_head){.start = 1}), LARCH_OK);
    assert_int_equal(larch_stored_identity_save(&f, &identity), LARCH_OK);
    assert_int_equal(larch_record_write(&f, "wifi.cfg", LARCH_RECORD_WIFI, LARCH_BYTES(wifi), 0), LARCH_OK);
    ring = (larch_key_ring){.set = SET, .present.generation = 1};
    assert_int_equal(larch_replay_set_create(&marks[0], &f, SET, 1, slots[0], LARCH_WEAR_REPLAY_SLOTS), LARCH_OK);
    assert_int_equal(larch_key_ring_save(&f, &ring), LARCH_OK);
}

/* As src/node/direct_keys.c does it: the old key is forgotten, the present one becomes the old one. */
static void rotate(void)
{
    const uint32_t generation = ring.present.generation + 1;
    larch_replay_set *fresh = &marks[(generation - 1) % 2];
    if (ring.previous.generation != 0) {
        ring.previous = (larch_stored_key){0};
        assert_int_equal(larch_key_ring_save(&f, &ring), LARCH_OK);
        assert_int_equal(larch_replay_set_remove(fresh), LARCH_OK);
    }
    ring.previous = ring.present;
    ring.present.generation = generation;
    assert_int_equal(
        larch_replay_set_create(fresh, &f, SET, generation, slots[(generation - 1) % 2], LARCH_WEAR_REPLAY_SLOTS),
        LARCH_OK);
    assert_int_equal(larch_key_ring_save(&f, &ring), LARCH_OK);
}

static uint32_t most_erases(void)
{
    uint32_t most = 0;
    for (uint32_t s = 0; s < sim.nor.sector_count; s++)
        most = sim.erases[s] > most ? sim.erases[s] : most;
    return most;
}

/* Marks one by one, as each is synced before its answer leaves; the key is rotated as soon as it is nearly full. */
static void test_a_mark_takes_no_more_than_it_says(void **state)
{
    (void)state;
    static const uint32_t shapes[][2] = {{4096, 8}, {4096, 16}, {4096, 32}, {262144, 8}};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        uint64_t count = 0;
        begin(shapes[i][0], shapes[i][1]);
        for (unsigned r = 0; r < ROTATIONS; r++, rotate())
            for (larch_replay_set *present = &marks[(ring.present.generation - 1) % 2];
                 !larch_replay_set_is_nearly_full(present);) {
                assert_int_equal(larch_replay_set_add(present, ++count), LARCH_OK);
                assert_int_equal(larch_replay_set_commit(present), LARCH_OK);
            }
        const double each = (double)most_erases() * sim.nor.sector_size * sim.nor.sector_count / (double)count;
        print_message("%2u sectors of %6u bytes: %5u erases of the most worn one, %.1f bytes a mark\n", shapes[i][1],
                      shapes[i][0], most_erases(), each);
        assert_true(each <= LARCH_WEAR_BYTES_A_MARK);
        larch_sim_nor_free(&sim);
    }
}

/* So many marks an hour erase each sector as often as it stands, in ten years, and hardly less often. */
static void test_ten_years(void **state)
{
    (void)state;
    static const uint32_t shapes[][2] = {{4096, 8}, {4096, 32}, {262144, 8}};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        const larch_nor nor = {.sector_size = shapes[i][0], .sector_count = shapes[i][1]};
        const double hourly = larch_wear_marks(&nor) * 17 / 8.0 + 2;
        const double erases = hourly * LARCH_WEAR_HOURS * LARCH_WEAR_BYTES_A_MARK / nor.sector_size / nor.sector_count;
        print_message("%2u sectors of %6u bytes: %u marks an hour, %.0f erases in ten years\n", nor.sector_count,
                      nor.sector_size, larch_wear_marks(&nor), erases);
        assert_true(erases <= LARCH_WEAR_ERASES && erases > 0.99 * LARCH_WEAR_ERASES);
    }
    const larch_nor least = {.sector_size = 1024, .sector_count = 1};
    assert_true(larch_wear_marks(&least) > 0);
}

/* Everybody takes what marks there are, every second: peers on the link and elsewhere, proven, noted and strangers. */
static void test_budgets_grant_no_more(void **state)
{
    (void)state;
    enum { HOURS = 12, PREFIXES = 16, STANDINGS = 3 };
    static const larch_nor nor = {.sector_size = 4096, .sector_count = 8};
    static larch_reach_entry entries[128];
    static larch_reach reach;
    larch_sim_random random_state = {.state = 1};
    const larch_random random = larch_sim_random_of(&random_state);
    larch_reach_limits limits = larch_reach_default_limits();
    limits.marks = larch_wear_marks(&nor);
    limits.mark_burst = LARCH_WEAR_REPLAY_SLOTS / 16 * 13;
    assert_int_equal(larch_reach_init(&reach, entries, 128, &limits, &random), LARCH_OK);
    uint64_t granted = 0;
    for (uint64_t now_ms = 1000; now_ms <= (uint64_t)HOURS * 3600 * 1000; now_ms += 1000)
        for (uint32_t i = 0; i < 2 * PREFIXES * STANDINGS; i++) {
            const larch_peer peer = {.address = {[10] = 0xff, [11] = 0xff, 10, (uint8_t)(i / 2), 0, 1},
                                     .port = 5683,
                                     .is_on_link = i % 2 == 0};
            uint8_t echo[LARCH_ECHO_LEN];
            larch_reach_echo(&reach, now_ms, &peer, echo);
            const larch_reach_source source = larch_reach_identify(
                &reach, now_ms, &peer, i / 2 % STANDINGS == 0 ? (larch_bytes){0} : LARCH_BYTES(echo));
            uint32_t wait_s;
            while (larch_reach_take(&reach, now_ms, &source, LARCH_REACH_MARK, &wait_s) == LARCH_REACH_GRANTED)
                granted++;
        }
    const uint64_t burst = limits.marks < limits.mark_burst ? limits.marks : limits.mark_burst;
    const uint64_t most = (limits.marks * 17 / 8 + 2) * HOURS + burst * 17 / 8;
    print_message("%llu marks granted in %u hours, of %llu\n", (unsigned long long)granted, HOURS,
                  (unsigned long long)most);
    assert_true(granted <= most && granted > most / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_mark_takes_no_more_than_it_says),
        cmocka_unit_test(test_ten_years),
        cmocka_unit_test(test_budgets_grant_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
