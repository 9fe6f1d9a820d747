/* SPDX-License-Identifier: Apache-2.0 */
/* The grace of an old key goes on over restarts: with a wall clock by the time between, without one by the runs alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "gateway_bench.h"

#define STEPS 16
#define DAY   UINT64_C(86400000)
#define GRACE (8 * DAY)
#define STEP  (GRACE / STEPS)
#define EPOCH UINT64_C(1800000000000) /* a date, Unix time */

static bench b;
static const larch_kem *kem;

static int set_up(void **state)
{
    (void)state;
    kem = larch_direct_kem_at(0);
    bench_prepare(&b, 1, BENCH_MARKS);
    b.config.direct.grace_ms = GRACE;
    return larch_crypto_init() == LARCH_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    bench_end(&b);
    return 0;
}

/* A program's next run begins. Its monotonic clock may be any. */
static void start(uint64_t unix_ms)
{
    b.now_ms = 5000 + unix_ms % 977;
    b.config.direct.unix_ms = unix_ms;
    assert_int_equal(bench_start(&b), LARCH_OK);
}

static void run_for(uint64_t ms)
{
    b.now_ms += ms;
    bench_answer answer;
    bench_collect(&b, &answer);
}

static void rotate(void) { assert_int_equal(larch_gateway_rotate(&b.gw, b.now_ms, kem), LARCH_OK); }

static larch_key_ring ring(void)
{
    larch_key_ring r;
    larch_store_fault fault;
    assert_int_equal(larch_key_ring_load(&b.storage, kem->set, &r, &fault), LARCH_OK);
    return r;
}

static bool has_old_key(void) { return ring().previous.generation != 0; }

/* The old key is wiped after so much of this run, and not before. */
static void assert_left(uint64_t left_ms)
{
    assert_true(larch_gateway_deadline_ms(&b.gw) == b.now_ms + left_ms);
    if (left_ms > 0) {
        run_for(left_ms - 1);
        assert_true(has_old_key());
        run_for(1);
    } else {
        run_for(0);
    }
    assert_false(has_old_key());
    assert_int_equal(b.told[LARCH_EVENT_FORGOTTEN], 1);
}

static void test_restarts_with_a_clock(void **state)
{
    (void)state;
    start(EPOCH);
    run_for(DAY);
    rotate();
    assert_true(ring().grace_left_ms == GRACE && ring().grace_unix_ms == EPOCH + DAY);
    run_for(3 * DAY);
    start(EPOCH + 4 * DAY);
    const uint32_t before = b.flash.operations;
    start(EPOCH + 7 * DAY); /* once a week, and nothing of it is written */
    assert_in_range(b.flash.operations - before, 0, 60);
    assert_true(ring().grace_left_ms == GRACE && ring().grace_unix_ms == EPOCH + DAY);
    assert_left(2 * DAY);
}

/* Each day's run is cut short of a step now and then: what is lost is less than a step a run. */
static void test_runs_without_a_clock(void **state)
{
    (void)state;
    unsigned runs = 0;
    start(0);
    rotate();
    assert_true(ring().grace_left_ms == GRACE && ring().grace_unix_ms == 0);
    for (; has_old_key(); runs++) {
        run_for(STEP - 1);
        run_for(2);
        run_for(STEP / 2);
        if (has_old_key())
            start(0);
    }
    assert_in_range(runs, STEPS - 1, STEPS);

    /* Less than a step a run is not recorded, and not lost for the run. */
    rotate();
    for (unsigned i = 0; i < 3; i++) {
        run_for(STEP - 1);
        start(0);
        assert_true(ring().grace_left_ms == GRACE);
    }
    b.told[LARCH_EVENT_FORGOTTEN] = 0;
    assert_left(GRACE);
}

/* All but a step is taken away by a clock that is wrong at one start, and no more however wrong it is. */
static void test_clock_jumps_ahead(void **state)
{
    (void)state;
    start(EPOCH);
    rotate();
    start(EPOCH + 50 * 365 * DAY);
    run_for(0);
    assert_true(ring().grace_left_ms == STEP);
    assert_true(larch_gateway_deadline_ms(&b.gw) == b.now_ms + STEP);
    start(EPOCH + 50 * 365 * DAY + STEP / 2);
    assert_left(STEP / 2);

    b.told[LARCH_EVENT_FORGOTTEN] = 0;
    rotate();
    start(EPOCH + 60 * 365 * DAY);
    run_for(0);
    start(EPOCH + 70 * 365 * DAY);
    assert_left(0);
}

/* The gateway was switched off for longer than the grace: who slept meanwhile still finds the old key for a step. */
static void test_long_stop(void **state)
{
    (void)state;
    start(EPOCH);
    rotate();
    start(EPOCH + 30 * DAY);
    assert_left(STEP);
}

static void test_clock_goes_back(void **state)
{
    (void)state;
    start(EPOCH);
    rotate();
    start(EPOCH - DAY);
    assert_true(larch_gateway_deadline_ms(&b.gw) == b.now_ms + GRACE);
    assert_true(ring().grace_unix_ms == EPOCH); /* it counts again when the clock is right */
    run_for(2 * DAY);
    start(EPOCH + 3 * DAY);
    assert_left(GRACE - 3 * DAY);

    /* A clock that is not believed at all: the run counts, and is recorded. */
    b.told[LARCH_EVENT_FORGOTTEN] = 0;
    rotate();
    start(0);
    run_for(STEP);
    assert_true(ring().grace_left_ms == GRACE - STEP && ring().grace_unix_ms == 0);
    start(EPOCH + 300 * DAY);
    assert_left(GRACE - STEP);
}

/* Rings of an older version, and those of a program without a grace of its own, count from the first start on. */
static void test_unknown_grace(void **state)
{
    (void)state;
    start(EPOCH);
    b.gw.direct.config.grace_ms = UINT64_MAX;
    rotate();
    larch_key_ring r = ring();
    assert_true(r.grace_left_ms == LARCH_GRACE_UNKNOWN);
    r.grace_unix_ms = 0;
    assert_int_equal(larch_key_ring_save(&b.storage, &r), LARCH_OK);
    start(EPOCH + 100 * DAY);
    run_for(0);
    assert_true(ring().grace_left_ms == GRACE && ring().grace_unix_ms == EPOCH + 100 * DAY);
    start(EPOCH + 105 * DAY);
    assert_left(GRACE - 5 * DAY);
}

static void test_another_grace(void **state)
{
    (void)state;
    start(EPOCH);
    rotate();
    b.config.direct.grace_ms = 2 * GRACE; /* does not bring back */
    start(EPOCH + DAY);
    assert_true(larch_gateway_deadline_ms(&b.gw) == b.now_ms + GRACE - DAY);
    b.config.direct.grace_ms = DAY;
    start(EPOCH + DAY + 1);
    run_for(0);
    assert_true(ring().grace_left_ms < DAY);
    start(EPOCH + DAY + 2);
    b.config.direct.grace_ms = 0;
    start(EPOCH + DAY + 3);
    assert_left(0);
}

/* The power goes, or the medium fails, at every operation of a run that records: what is left never grows. */
static void test_every_operation_cut(void **state)
{
    (void)state;
    for (unsigned with_power = 0; with_power < 2; with_power++)
        for (uint32_t at = 0, over = 0; !over; at++) {
            larch_flash_free(&b.flash);
            larch_flash_init(&b.flash, at);
            start(0);
            rotate();
            *(with_power ? &b.flash.cut_at : &b.flash.fail_at) = b.flash.operations + at;
            run_for(STEP);
            over = at > 8;
            larch_flash_power_on(&b.flash);
            start(0);
            const uint64_t left_ms = ring().grace_left_ms;
            assert_true(left_ms == GRACE || left_ms == GRACE - STEP);
            assert_true(!over || left_ms == GRACE - STEP);
            assert_true(larch_gateway_deadline_ms(&b.gw) == b.now_ms + left_ms);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_restarts_with_a_clock, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_runs_without_a_clock, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_clock_jumps_ahead, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_long_stop, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_clock_goes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unknown_grace, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_another_grace, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_every_operation_cut, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
