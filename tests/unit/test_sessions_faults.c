/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The disk fails, is full, or the power goes at every single operation of SQLite. Afterwards a context is there whole or
 * not at all, what was reported stored is there, what was reported removed is not, and no own number that was used can
 * be used again.
 */
#define _DEFAULT_SOURCE /* NOLINT(bugprone-reserved-identifier): mkdtemp */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sessions_folder.h"
#include "sqlite_sim.h"

#define CONTEXTS 9

static uint32_t swept; /* the operation that met the fault */

typedef enum fate { ABSENT, THERE, MAYBE } fate;

/* What the world outside of the file knows of one run. */
typedef struct world {
    fate context[CONTEXTS], observation[CONTEXTS];
    uint32_t own_used[CONTEXTS]; /* when that was last written */
    uint64_t epoch_end;          /* no number of an epoch from here on was used */
    bool started, stopped;
} world;

/* What an operation leaves behind that would have changed a fate from one to another. */
static void settle(world *w, fate *at, larch_error e, fate after)
{
    if (e == LARCH_OK)
        *at = after;
    else
        assert_true(e == LARCH_SPACE || e == LARCH_PLATFORM);
    if (e == LARCH_PLATFORM && *at != after) {
        *at = sim.sync_failed || sim.off ? MAYBE : *at;
        w->stopped = true;
    }
}

static void use_some(world *w, larch_session *s, unsigned count)
{
    uint64_t number;
    for (unsigned i = 0; i < count && !w->stopped; i++) {
        const larch_error e = larch_epochs_take(&epochs, s, 1000000000, &number);
        if (e == LARCH_OK && (number >> 8) + 1 > w->epoch_end)
            w->epoch_end = (number >> 8) + 1;
        w->stopped = e != LARCH_OK;
    }
}

static larch_observation observation_of(unsigned n)
{
    return (larch_observation){
        .session = find_numbered(n)->number, .token_len = 1, .name_len = 1, .name = {(uint8_t)n}};
}

static void add_one(world *w, unsigned n)
{
    const larch_contexts *c = larch_sessions_contexts(sessions);
    larch_session *s;
    settle(w, &w->context[n], add_numbered(n, n % 2 == 0 ? "even" : "odd", 0, &s), THERE);
    if (w->context[n] != THERE)
        return;
    use_some(w, s, 4000); /* the end has to be raised */
    const larch_observation o = observation_of(n);
    if (!w->stopped)
        settle(w, &w->observation[n], c->add_observation(c->context, &o), THERE);
    if (!w->stopped && n % 4 == 1 && w->observation[n] == THERE)
        settle(w, &w->observation[n], c->end_observation(c->context, &o), ABSENT);
}

static void remove_one(world *w, unsigned n)
{
    const larch_session *s = find_numbered(n);
    const bool observed = w->observation[n] != ABSENT;
    if (s == NULL)
        return;
    const larch_error e = larch_sessions_remove(sessions, s->number);
    settle(w, &w->context[n], e, ABSENT);
    if (observed)
        settle(w, &w->observation[n], e, ABSENT);
}

static void flush(world *w)
{
    const larch_error e = larch_sessions_flush(sessions);
    w->stopped = w->stopped || e == LARCH_PLATFORM;
    for (unsigned n = 0; e == LARCH_OK && n < CONTEXTS; n++)
        if (w->context[n] == THERE)
            w->own_used[n] = find_numbered(n)->own_used;
}

static world run(void)
{
    world w = {0};
    if (open_sessions() != LARCH_OK) {
        w.stopped = true;
        return w;
    }
    w.stopped = start_at(0, UNIX_S) != LARCH_OK;
    for (unsigned n = 0; n < CONTEXTS && !w.stopped; n++) {
        add_one(&w, n);
        if (n % 3 == 2 && !w.stopped)
            remove_one(&w, n - 1);
        if (n % 2 == 1 && !w.stopped)
            flush(&w);
    }
    (void)!close_sessions();
    return w;
}

/* ---- the next run, in which nothing fails ----------------------------------------- */

static void check_context(const world *w, unsigned n)
{
    char name[LARCH_SESSIONS_NAME_MAX + 1];
    larch_session *s = find_numbered(n), *other;
    if (w->context[n] != MAYBE && (s != NULL) != (w->context[n] == THERE))
        fail_msg("after operation %u: context %u is %s", (unsigned)swept, n, s != NULL ? "there" : "lost");
    if (s == NULL)
        return;
    assert_true(is_numbered(s, n));
    assert_true(larch_sessions_name(sessions, s->device, name));
    assert_string_equal(name, n % 2 == 0 ? "even" : "odd");
    assert_true(s->own_used >= w->own_used[n]);
    if (s->first_epoch < w->epoch_end)
        fail_msg("after operation %u: numbers of context %u come again", (unsigned)swept, n);
    assert_int_equal(add_numbered(n, "other", 0, &other), LARCH_STATE);
}

static void check_observations(const world *w)
{
    bool found[CONTEXTS] = {false};
    uint64_t at = 0;
    larch_observation o;
    larch_error e;
    while ((e = larch_sessions_next_observation(sessions, &at, &o)) == LARCH_OK) {
        assert_true(o.name_len == 1 && o.name[0] < CONTEXTS && !found[o.name[0]]);
        assert_int_equal(o.session, find_numbered(o.name[0])->number);
        found[o.name[0]] = true;
    }
    assert_int_equal(e, LARCH_AGAIN);
    for (unsigned n = 0; n < CONTEXTS; n++)
        if (w->observation[n] != MAYBE && w->context[n] != MAYBE)
            assert_int_equal(found[n], w->observation[n] == THERE);
}

static void check_next_run(const world *w)
{
    const larch_error e = open_sessions();
    if (e != LARCH_OK)
        fail_msg("after operation %u: %s", (unsigned)swept, why.text);
    assert_int_equal(start_at(0, UNIX_S), LARCH_OK);
    for (unsigned n = 0; n < CONTEXTS; n++)
        check_context(w, n);
    check_observations(w);
    assert_true(add_ok(CONTEXTS, "new", 0)->first_epoch >= w->epoch_end);
    close_ok();
}

static void clear_folder(void)
{
    char path[128];
    (void)unlink(sessions_file);
    snprintf(path, sizeof path, "%s-wal", sessions_file);
    (void)unlink(path);
    snprintf(path, sizeof path, "%s/" LARCH_SEAL_KEY_NAME, folder);
    (void)unlink(path);
    larch_posix_storage_close(&files); /* which holds the key open */
    open_storage();
}

#ifdef __SANITIZE_ADDRESS__ /* many times as slow */
#define STRIDE 5
#else
#define STRIDE 1
#endif

/* Every operation, or each of a stride, meets the fault. */
static void sweep(sim_fault fault, uint32_t count, uint32_t stride)
{
    uint32_t met = 1, runs = 0;
    for (uint32_t at = 0; met > 0; at += stride * STRIDE) {
        clear_folder();
        swept = at;
        sim_plan(fault, at, count, at * 7919 + runs);
        const world w = run();
        met = sim.met;
        sim_power_on();
        check_next_run(&w);
        sim_power_on();
        runs++;
    }
    assert_true(runs > 10);
}

static void test_every_cut(void **state)
{
    (void)state;
    sweep(SIM_CUT, 1, 1);
}

static void test_every_failure(void **state)
{
    (void)state;
    sweep(SIM_FAIL, 1, 2);
    sweep(SIM_FAIL, 20, 5);
}

static void test_every_full_disk(void **state)
{
    (void)state;
    sweep(SIM_FULL, 1, 3);
    sweep(SIM_FULL, 20, 5);
}

/* A disk that is full for a while refuses, and goes on when there is room. */
static void test_full_disk_recovers(void **state)
{
    (void)state;
    larch_session *s;
    start_ok();
    (void)add_ok(1, "a", 0);
    const larch_contexts *c = larch_sessions_contexts(sessions);
    sim_plan(SIM_FULL, 0, UINT32_MAX, 1);
    assert_int_equal(add_numbered(2, "a", 0, &s), LARCH_SPACE);
    assert_null(s);
    assert_int_equal(larch_sessions_remove(sessions, find_numbered(1)->number), LARCH_SPACE);
    assert_non_null(find_numbered(1));
    assert_int_equal(c->raise(c->context, UINT32_MAX), LARCH_PLATFORM);
    sim_plan(SIM_FULL, SIM_NEVER, 1, 1);
    (void)add_ok(2, "a", 0);
    assert_int_equal(larch_sessions_remove(sessions, find_numbered(1)->number), LARCH_OK);
    close_ok();
}

/* Here because these files are not synced in truth. */
static void test_too_many_observations(void **state)
{
    (void)state;
    start_ok();
    const larch_contexts *c = larch_sessions_contexts(sessions);
    (void)add_ok(1, "a", 0);
    larch_observation o = observation_of(1);
    for (uint16_t i = 0; i < LARCH_SESSIONS_OBSERVATIONS; i++) {
        o.peer.port = i;
        assert_int_equal(c->add_observation(c->context, &o), LARCH_OK);
    }
    o.peer.port = LARCH_SESSIONS_OBSERVATIONS;
    assert_int_equal(c->add_observation(c->context, &o), LARCH_SPACE);
    o.peer.port = 0;
    assert_int_equal(c->add_observation(c->context, &o), LARCH_OK); /* that one is there */
    assert_int_equal(c->end_observation(c->context, &o), LARCH_OK);
    o.peer.port = LARCH_SESSIONS_OBSERVATIONS;
    assert_int_equal(c->add_observation(c->context, &o), LARCH_OK);
    close_ok();
}

/* After a sync that failed nothing is believed any more. */
static void test_failed_for_good(void **state)
{
    (void)state;
    larch_session *s;
    size_t removed;
    start_ok();
    const uint64_t number = add_ok(1, "a", 0)->number;
    const larch_contexts *c = larch_sessions_contexts(sessions);
    const larch_observation o = observation_of(1);
    sim_plan(SIM_FAIL, 0, 1, 1);
    assert_int_equal(c->raise(c->context, UINT32_MAX), LARCH_PLATFORM);
    assert_int_equal(sim.met, 1);
    assert_int_equal(c->raise(c->context, UINT32_MAX), LARCH_PLATFORM);
    assert_int_equal(c->raise(c->context, 1), LARCH_PLATFORM);
    assert_int_equal(c->add_observation(c->context, &o), LARCH_PLATFORM);
    assert_int_equal(c->end_observation(c->context, &o), LARCH_PLATFORM);
    assert_int_equal(add_numbered(2, "a", 0, &s), LARCH_PLATFORM);
    assert_int_equal(larch_sessions_remove(sessions, number), LARCH_PLATFORM);
    assert_int_equal(larch_sessions_forget_device(sessions, 1, &removed), LARCH_PLATFORM);
    assert_int_equal(larch_sessions_flush(sessions), LARCH_PLATFORM);
    assert_int_equal(larch_sessions_expire(sessions, UNIX_S, &removed), LARCH_PLATFORM);
    assert_int_equal(close_sessions(), LARCH_PLATFORM);
    start_ok();
    assert_non_null(find_numbered(1));
    close_ok();
}

static int set_up(void **state)
{
    sim_plan(SIM_FAIL, SIM_NEVER, 1, 1);
    return set_up_folder(state);
}

static int tear_down(void **state)
{
    sim_power_on();
    return tear_down_folder(state);
}

int main(void)
{
    sim_install();
    if (access("/dev/shm", W_OK) == 0) /* what the program itself syncs costs nothing there */
        (void)setenv("TMPDIR", "/dev/shm", 1);
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_every_cut),          TEST(test_every_failure),   TEST(test_every_full_disk),
        TEST(test_full_disk_recovers), TEST(test_failed_for_good), TEST(test_too_many_observations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
