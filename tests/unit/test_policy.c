/* SPDX-License-Identifier: Apache-2.0 */
/* What devices may use, on record, and several changes as one: all or none of it is there, also after a cut. */
#define _DEFAULT_SOURCE /* NOLINT(bugprone-reserved-identifier): mkdtemp */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "registry/enrolled.h"
#include "registry/policy.h"
#include "sessions_folder.h"
#include "sqlite_sim.h"

static const larch_policy_entry level_and_plan[] = {{"level", LARCH_POLICY_BOTH}, {"plan", LARCH_POLICY_READ}};

static bool allows(uint64_t device, const char *name, unsigned right)
{
    return larch_sessions_allows(sessions, device, larch_bytes_of_text(name), right);
}

static larch_error enrol(const char *name, uint64_t *device)
{
    larch_enrolment e = {.name = larch_bytes_of_text(name),
                         .hash = LARCH_COSE_SHAKE256,
                         .method = LARCH_LAKE_METHOD_PSK,
                         .suite = LARCH_LAKE_SUITE_PQ_1};
    return larch_sessions_enrol_new(sessions, &e, device);
}

static void test_rights(void **state)
{
    (void)state;
    larch_policy_entry entry = {.rights = 0};
    uint64_t one, two;
    size_t removed;
    start_ok();
    assert_int_equal(enrol("one", &one), LARCH_OK);
    assert_int_equal(enrol("two", &two), LARCH_OK);
    assert_true(allows(one, "x", LARCH_POLICY_REPORT));
    assert_int_equal(larch_sessions_set_policy(sessions, one, level_and_plan, 2), LARCH_OK);
    for (unsigned runs = 0; runs < 2; runs++) {
        assert_true(allows(one, "level", LARCH_POLICY_REPORT) && allows(one, "level", LARCH_POLICY_READ));
        assert_true(allows(one, "plan", LARCH_POLICY_READ) && !allows(one, "plan", LARCH_POLICY_REPORT));
        assert_false(allows(one, "x", LARCH_POLICY_READ) || allows(one, "leve", LARCH_POLICY_READ) ||
                     allows(one, "level1", LARCH_POLICY_READ) || allows(one, "*", LARCH_POLICY_READ) ||
                     allows(one, "%", LARCH_POLICY_READ));
        assert_true(allows(two, "x", LARCH_POLICY_REPORT)); /* has none of its own */
        close_ok();
        start_ok();
    }
    assert_int_equal(larch_sessions_next_policy(sessions, one, &entry), LARCH_OK);
    assert_string_equal(entry.name, "level");
    assert_int_equal(entry.rights, LARCH_POLICY_BOTH);
    assert_int_equal(larch_sessions_next_policy(sessions, one, &entry), LARCH_OK);
    assert_string_equal(entry.name, "plan");
    assert_int_equal(larch_sessions_next_policy(sessions, one, &entry), LARCH_AGAIN);
    const larch_policy_entry all = {LARCH_POLICY_ALL, LARCH_POLICY_REPORT};
    assert_int_equal(larch_sessions_set_policy(sessions, one, &all, 1), LARCH_OK); /* in place of the others */
    assert_true(allows(one, "x", LARCH_POLICY_REPORT) && !allows(one, "level", LARCH_POLICY_READ));
    const larch_policy_entry many[LARCH_POLICY_MAX + 1] = {{"a", 1}};
    assert_int_equal(larch_sessions_set_policy(sessions, one, many, LARCH_POLICY_MAX + 1), LARCH_MALFORMED);
    assert_int_equal(larch_sessions_forget_device(sessions, one, &removed), LARCH_OK);
    memset(&entry, 0, sizeof entry);
    assert_int_equal(larch_sessions_next_policy(sessions, one, &entry), LARCH_AGAIN);
    close_ok();
}

static size_t count_devices(void)
{
    char name[LARCH_SESSIONS_NAME_MAX + 1];
    uint64_t at = 0;
    size_t count = 0;
    bool is_enrolled;
    while (larch_sessions_next_device(sessions, &at, name, &is_enrolled) == LARCH_OK)
        count++;
    return count;
}

/* One that fails leaves the others of the change. */
static void test_changes(void **state)
{
    (void)state;
    uint64_t device, other;
    start_ok();
    assert_int_equal(enrol("there", &device), LARCH_OK);
    assert_int_equal(larch_sessions_begin_changes(sessions), LARCH_OK);
    assert_int_equal(enrol("a", &device), LARCH_OK);
    assert_int_equal(larch_sessions_set_policy(sessions, device, level_and_plan, 2), LARCH_OK);
    assert_int_equal(enrol("there", &other), LARCH_STATE);
    assert_int_equal(enrol("a", &other), LARCH_STATE); /* of this very change */
    assert_int_equal(enrol("b", &other), LARCH_OK);
    assert_int_equal(larch_sessions_end_changes(sessions, true), LARCH_OK);
    assert_int_equal(count_devices(), 3);
    assert_false(allows(device, "x", LARCH_POLICY_READ));
    assert_int_equal(larch_sessions_begin_changes(sessions), LARCH_OK);
    assert_int_equal(enrol("c", &device), LARCH_OK);
    assert_int_equal(larch_sessions_end_changes(sessions, false), LARCH_OK);
    assert_int_equal(count_devices(), 3);
    close_ok();
    start_ok();
    assert_int_equal(count_devices(), 3);
    close_ok();
}

static bool add_two(void)
{
    uint64_t device;
    larch_error e = larch_sessions_begin_changes(sessions);
    if (e != LARCH_OK)
        return false;
    if ((e = enrol("a", &device)) == LARCH_OK &&
        (e = larch_sessions_set_policy(sessions, device, level_and_plan, 2)) == LARCH_OK)
        e = enrol("b", &device);
    const larch_error end = larch_sessions_end_changes(sessions, e == LARCH_OK);
    return e == LARCH_OK && end == LARCH_OK;
}

static void sweep(void **state, sim_fault fault, uint32_t count)
{
    for (uint32_t at = 0;; at++) {
        if (at > 0)
            assert_int_equal(set_up_folder(state), 0);
        start_ok();
        sim_plan(fault, at, count, at * 7919 + 1);
        const bool is_added = add_two();
        (void)!close_sessions();
        sim_power_on();
        sim_plan(fault, SIM_NEVER, 1, 1);
        start_ok();
        const size_t found = count_devices();
        assert_true(found == 0 || found == 2);
        assert_true(found == 2 || !is_added);
        close_ok();
        assert_int_equal(tear_down_folder(state), 0);
        if (is_added)
            break;
    }
    assert_int_equal(set_up_folder(state), 0);
}

static void test_every_cut(void **state) { sweep(state, SIM_CUT, 1); }

static void test_every_full_disk(void **state) { sweep(state, SIM_FULL, UINT32_MAX); }

/* A disk that was full costs the change, and nothing else. */
static void test_full_disk_recovers(void **state)
{
    (void)state;
    start_ok();
    sim_plan(SIM_FULL, 0, UINT32_MAX, 1);
    assert_false(add_two());
    sim_plan(SIM_FULL, SIM_NEVER, 1, 1);
    assert_int_equal(count_devices(), 0);
    assert_true(add_two());
    assert_int_equal(count_devices(), 2);
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
    const struct CMUnitTest tests[] = {TEST(test_rights), TEST(test_changes), TEST(test_every_cut),
                                       TEST(test_every_full_disk), TEST(test_full_disk_recovers)};
    return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
