/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands that wait for devices, on record: their states, their bounds, and what a start makes of them; also when the power
 * goes at every single operation of SQLite: a command that was sent never waits again as if it had not been.
 */
#define _DEFAULT_SOURCE /* NOLINT(bugprone-reserved-identifier): mkdtemp */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "larch/coap_message.h"
#include "registry/commands.h"
#include "sessions_folder.h"
#include "sqlite_sim.h"

static larch_command_record command_to(uint64_t device, uint8_t method)
{
    return (larch_command_record){.device = device,
                                  .method = method,
                                  .created_s = UNIX_S,
                                  .expires_s = UNIX_S + 60,
                                  .path = "led?a=1",
                                  .payload_len = 2,
                                  .payload = {'o', 'n'}};
}

static uint64_t device_ok(const char *name, unsigned n) { return add_ok(n, name, 0)->device; }

static uint64_t queue_ok(uint64_t device, uint8_t method)
{
    const larch_command_record c = command_to(device, method);
    uint64_t number = 0;
    assert_int_equal(larch_sessions_queue(sessions, &c, &number), LARCH_OK);
    return number;
}

static larch_command_record get(uint64_t device, uint64_t number)
{
    larch_command_record c;
    uint64_t at = number - 1;
    assert_int_equal(larch_sessions_next_command(sessions, device, &at, &c), LARCH_OK);
    assert_int_equal(c.number, number);
    assert_int_equal(at, number);
    return c;
}

static void end_ok(larch_command_record c, uint8_t state)
{
    c.state = state;
    c.ended_s = UNIX_S + 1;
    c.code = LARCH_COAP_CHANGED;
    c.result_len = 1;
    c.result[0] = 'r';
    assert_int_equal(larch_sessions_command_changed(sessions, &c), LARCH_OK);
}

static size_t count_of(uint64_t device)
{
    larch_command_record c;
    uint64_t at = 0;
    size_t count = 0;
    while (larch_sessions_next_command(sessions, device, &at, &c) == LARCH_OK)
        count++;
    return count;
}

/* ---- states ------------------------------------------------------------------ */

static void test_states(void **state)
{
    (void)state;
    start_ok();
    const uint64_t device = device_ok("valve", 1), number = queue_ok(device, LARCH_COAP_POST);
    larch_command_record c = get(device, number);
    assert_int_equal(c.state, LARCH_COMMAND_QUEUED);
    assert_string_equal(c.path, "led?a=1");
    assert_memory_equal(c.payload, "on", 2);
    assert_int_equal(c.expires_s, UNIX_S + 60);
    assert_int_equal(c.sends, 0);
    assert_int_equal(larch_sessions_command_sent(sessions, &c), LARCH_OK);
    c = get(device, number);
    assert_int_equal(c.state, LARCH_COMMAND_SENT);
    assert_int_equal(c.sends, 1);
    end_ok(c, LARCH_COMMAND_DONE);
    close_ok();
    open_ok();
    c = get(device, number);
    assert_int_equal(c.state, LARCH_COMMAND_DONE);
    assert_int_equal(c.code, LARCH_COAP_CHANGED);
    assert_int_equal(c.ended_s, UNIX_S + 1);
    assert_int_equal(c.result_len, 1);
    assert_int_equal(c.result[0], 'r');
    assert_int_equal(count_of(0), 0); /* none waits */
    assert_string_equal(larch_command_state_text(LARCH_COMMAND_EXPIRED), "expired");
    assert_string_equal(larch_command_state_text(6), "?");
    close_ok();
}

/* What was sent and may be carried out once is unknown; all else waits again. */
static void test_start(void **state)
{
    (void)state;
    start_ok();
    const uint64_t device = device_ok("valve", 1);
    const uint64_t post = queue_ok(device, LARCH_COAP_POST), put = queue_ok(device, LARCH_COAP_PUT),
                   waits = queue_ok(device, LARCH_COAP_POST);
    larch_command_record c = get(device, post);
    assert_int_equal(larch_sessions_command_sent(sessions, &c), LARCH_OK);
    c = get(device, put);
    assert_int_equal(larch_sessions_command_sent(sessions, &c), LARCH_OK);
    close_ok();
    start_ok();
    assert_int_equal(larch_sessions_resume_commands(sessions, UNIX_S + 2), LARCH_OK);
    c = get(device, post);
    assert_int_equal(c.state, LARCH_COMMAND_UNKNOWN);
    assert_int_equal(c.ended_s, UNIX_S + 2);
    c = get(device, put);
    assert_int_equal(c.state, LARCH_COMMAND_QUEUED);
    assert_int_equal(c.sends, 1);
    assert_int_equal(get(device, waits).state, LARCH_COMMAND_QUEUED);
    assert_int_equal(count_of(0), 2);
    close_ok();
}

/* ---- bounds ------------------------------------------------------------------- */

static void test_bounds(void **state)
{
    (void)state;
    larch_command_record c;
    uint64_t number = 0;
    start_ok();
    const uint64_t device = device_ok("valve", 1), other = device_ok("lamp", 2);
    for (unsigned i = 0; i < LARCH_COMMANDS_DEVICE_MAX; i++)
        number = queue_ok(device, LARCH_COAP_PUT);
    c = command_to(device, LARCH_COAP_PUT);
    assert_int_equal(larch_sessions_queue(sessions, &c, &number), LARCH_BUSY);
    (void)queue_ok(other, LARCH_COAP_PUT); /* has room of its own */
    for (unsigned i = 0; i < LARCH_COMMANDS_DEVICE_MAX; i++)
        end_ok(get(device, i + 1), LARCH_COMMAND_DONE);
    for (unsigned i = 0; i < 3; i++) { /* of those that have ended the newest stay */
        number = queue_ok(device, LARCH_COAP_PUT);
        end_ok(get(device, number), LARCH_COMMAND_FAILED);
    }
    assert_int_equal(count_of(device), LARCH_COMMANDS_KEPT);
    uint64_t at = 0;
    assert_int_equal(larch_sessions_next_command(sessions, device, &at, &c), LARCH_OK);
    assert_int_equal(c.number, 4);
    assert_int_equal(count_of(other), 1);
    c = command_to(12345, LARCH_COAP_PUT);
    assert_int_equal(larch_sessions_queue(sessions, &c, &number), LARCH_STATE); /* no such device */
    assert_int_equal(larch_sessions_queue(sessions, &(larch_command_record){.device = device}, &number), LARCH_OK);
    close_ok();
}

static void test_bound_of_all(void **state)
{
    (void)state;
    uint64_t number;
    char name[8];
    place_max = LARCH_COMMANDS_MAX / LARCH_COMMANDS_DEVICE_MAX + 1;
    start_ok();
    for (unsigned i = 0; i < place_max; i++) {
        snprintf(name, sizeof name, "d%u", i);
        const uint64_t device = device_ok(name, i);
        const larch_command_record c = command_to(device, LARCH_COAP_PUT);
        for (unsigned k = 0; k < LARCH_COMMANDS_DEVICE_MAX; k++)
            assert_int_equal(larch_sessions_queue(sessions, &c, &number), i + 1 < place_max ? LARCH_OK : LARCH_BUSY);
    }
    assert_int_equal(count_of(0), LARCH_COMMANDS_MAX);
    close_ok();
}

static void test_revoked(void **state)
{
    (void)state;
    size_t removed;
    start_ok();
    const uint64_t device = device_ok("valve", 1), other = device_ok("lamp", 2);
    (void)queue_ok(device, LARCH_COAP_POST);
    const uint64_t number = queue_ok(other, LARCH_COAP_POST);
    assert_int_equal(larch_sessions_forget_device(sessions, device, &removed), LARCH_OK);
    assert_int_equal(count_of(device), 0);
    assert_int_equal(count_of(0), 1);
    assert_int_equal(get(other, number).number, number);
    close_ok();
}

/* ---- faults ------------------------------------------------------------------- */

/* The states that a command may have after a cut: not below what a call had returned for. */
static void test_every_cut(void **state)
{
    (void)state;
    for (uint32_t at = 0;; at++) {
        if (at > 0)
            assert_int_equal(set_up_folder(state), 0);
        start_ok();
        const uint64_t device = device_ok("valve", 1);
        larch_command_record c = command_to(device, LARCH_COAP_POST);
        uint64_t number = 0, from = 0;
        sim_plan(SIM_CUT, at, 1, at * 7919 + 1);
        const bool queued = larch_sessions_queue(sessions, &c, &number) == LARCH_OK;
        c.number = 1;
        const bool sent = queued && larch_sessions_command_sent(sessions, &c) == LARCH_OK;
        c.state = LARCH_COMMAND_DONE;
        const bool done = sent && larch_sessions_command_changed(sessions, &c) == LARCH_OK;
        (void)!close_sessions();
        sim_power_on();
        sim_plan(SIM_CUT, SIM_NEVER, 1, 1);
        start_ok();
        const larch_error e = larch_sessions_next_command(sessions, device, &from, &c);
        assert_true(e == LARCH_OK || (e == LARCH_AGAIN && !queued));
        if (e == LARCH_OK)
            assert_true(c.state >= (done ? LARCH_COMMAND_DONE : sent ? LARCH_COMMAND_SENT : LARCH_COMMAND_QUEUED));
        close_ok();
        assert_int_equal(tear_down_folder(state), 0);
        if (done) {
            assert_true(at > 5);
            break;
        }
    }
    assert_int_equal(set_up_folder(state), 0);
}

static void test_full_disk(void **state)
{
    (void)state;
    start_ok();
    const uint64_t device = device_ok("valve", 1), number = queue_ok(device, LARCH_COAP_POST);
    const larch_command_record c = get(device, number);
    uint64_t other = 77;
    sim_plan(SIM_FULL, 0, UINT32_MAX, 1);
    assert_int_equal(larch_sessions_queue(sessions, &c, &other), LARCH_SPACE);
    assert_int_equal(other, 77);
    assert_int_equal(larch_sessions_command_sent(sessions, &c), LARCH_SPACE);
    sim_plan(SIM_FULL, SIM_NEVER, 1, 1);
    assert_int_equal(get(device, number).state, LARCH_COMMAND_QUEUED);
    assert_int_equal(larch_sessions_command_sent(sessions, &c), LARCH_OK);
    assert_int_equal(count_of(device), 1);
    close_ok();
}

/* ---- when devices were heard ----------------------------------------------------- */

static int time_in_file(uint64_t device)
{
    sqlite3 *db;
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_open_v2(sessions_file, &db, SQLITE_OPEN_READWRITE, sim.real->zName), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT time FROM heard WHERE device = ?1", -1, &statement, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_bind_int64(statement, 1, (sqlite3_int64)device), SQLITE_OK);
    const int time = sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int(statement, 0) : 0;
    assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return time;
}

/* It costs one write in ten minutes, and one at the end. */
static void test_heard(void **state)
{
    (void)state;
    start_ok();
    larch_session *session = add_ok(1, "valve", 0);
    const uint64_t device = session->device;
    larch_sessions_hear(sessions, session, 0); /* without a clock */
    assert_int_equal(larch_sessions_heard(sessions, session), 0);
    larch_sessions_hear(sessions, session, UNIX_S);
    assert_int_equal(larch_sessions_heard(sessions, session), UNIX_S);
    assert_int_equal(larch_sessions_flush(sessions), LARCH_OK);
    const uint32_t operations = sim.operations;
    for (unsigned i = 1; i < LARCH_SESSIONS_HEARD_S; i++) {
        larch_sessions_hear(sessions, session, UNIX_S + i);
        assert_int_equal(larch_sessions_flush(sessions), LARCH_OK);
    }
    assert_int_equal(sim.operations, operations);
    larch_sessions_hear(sessions, session, UNIX_S + LARCH_SESSIONS_HEARD_S);
    assert_int_equal(larch_sessions_flush(sessions), LARCH_OK);
    assert_true(sim.operations > operations);
    larch_sessions_hear(sessions, session, UNIX_S + LARCH_SESSIONS_HEARD_S + 7);
    close_ok();
    assert_int_equal(time_in_file(device), UNIX_S + LARCH_SESSIONS_HEARD_S + 7);
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
    const struct CMUnitTest tests[] = {TEST(test_states),       TEST(test_start),   TEST(test_bounds),
                                       TEST(test_bound_of_all), TEST(test_revoked), TEST(test_every_cut),
                                       TEST(test_full_disk),    TEST(test_heard)};
    return cmocka_run_group_tests_name("commands", tests, NULL, NULL);
}
