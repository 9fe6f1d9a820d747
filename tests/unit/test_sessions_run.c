/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions during a gateway's run: own numbers, limits, the clock, observations, and the start counter. */
#define _DEFAULT_SOURCE /* NOLINT(bugprone-reserved-identifier): mkdtemp */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sessions_folder.h"

/* ---- own numbers -------------------------------------------------------------- */

static void test_numbers(void **state)
{
    (void)state;
    open_ok();
    (void)add_ok(1, "a", 0); /* as a command adds it */
    close_ok();
    start_ok();
    larch_session *s = find_numbered(1);
    assert_int_equal(s->first_epoch, BASE);
    assert_int_equal(s->oscore.own_number, (uint64_t)BASE << 8);
    use_numbers(s, 257); /* two epochs */
    larch_session *added = add_ok(2, "a", 0);
    assert_true(added->first_epoch > BASE + 1); /* behind all that may have been used */
    const uint32_t first = added->first_epoch;
    use_numbers(added, 1);

    crash(); /* the clock stands still: the file alone keeps the numbers apart */
    start_ok();
    s = find_numbered(1);
    assert_true(s->first_epoch > first);
    const uint32_t second = s->first_epoch;
    use_numbers(s, 1);
    close_ok();
    start_ok();
    assert_int_equal(find_numbered(1)->first_epoch, second + 1); /* exactly, after an end in order */
    close_ok();
    start_ok();
    close_ok();
    open_ok(); /* a command changes none of it */
    close_ok();
    start_ok();
    assert_int_equal(find_numbered(1)->first_epoch, second + 1); /* a start without a number uses up none */
    close_ok();
}

static void test_never_lower(void **state)
{
    (void)state;
    start_ok();
    (void)add_ok(1, "a", 0);
    const larch_contexts *c = larch_sessions_contexts(sessions);
    assert_int_equal(c->raise(c->context, BASE + 1000), LARCH_OK);
    assert_int_equal(c->raise(c->context, BASE + 5), LARCH_OK); /* it is so already */
    crash();
    start_ok();
    assert_int_equal(find_numbered(1)->first_epoch, BASE + 1000);
    close_ok();
}

/* ---- limits ------------------------------------------------------------------- */

static void use(larch_session *s, uint32_t own, uint32_t failed)
{
    s->own_used += own;
    s->failed += failed;
}

static void assert_used(unsigned n, uint32_t own, uint32_t failed)
{
    assert_int_equal(find_numbered(n)->own_used, own);
    assert_int_equal(find_numbered(n)->failed, failed);
}

static void test_limits(void **state)
{
    (void)state;
    start_ok();
    (void)add_ok(1, "a", 0);
    (void)add_ok(2, "a", 0);
    (void)add_ok(3, "a", 0);
    use(find_numbered(1), 1, 0);
    use(find_numbered(2), 0, 1);
    assert_int_equal(larch_sessions_flush(sessions), LARCH_OK);
    use(find_numbered(1), 500, 0); /* within what was granted */
    assert_int_equal(larch_sessions_flush(sessions), LARCH_OK);
    crash();
    start_ok();
    assert_used(1, 1025, 0);
    assert_used(2, 0, 257);
    assert_used(3, 0, 0);
    use(find_numbered(1), 1, 0);
    assert_int_equal(larch_sessions_flush(sessions), LARCH_OK);
    use(find_numbered(1), 600, 0);
    assert_int_equal(larch_sessions_flush(sessions), LARCH_OK); /* more than half of a grant: the next one */
    crash();
    start_ok();
    assert_used(1, 1626 + 1024, 0);
    assert_used(2, 0, 257);
    close_ok();
    start_ok();
    assert_used(1, 1626 + 1024, 0); /* nothing was used: nothing is added */
    use(find_numbered(1), 3, 2);
    close_ok();
    start_ok();
    assert_used(1, 1626 + 1024 + 3, 2); /* exactly */
    close_ok();
}

/* ---- the clock ---------------------------------------------------------------- */

static larch_error start_counting(uint64_t now_ms, uint64_t unix_s, size_t *removed)
{
    return larch_sessions_start(sessions, &epochs, now_ms, unix_s, removed);
}

static void test_clock_comes_right(void **state)
{
    (void)state;
    size_t removed;
    larch_session *s;
    start_ok();
    (void)add_ok(1, "a", 0);
    close_ok();
    open_ok();
    assert_int_equal(start_counting(1000, UNIX_S - 1, &removed), LARCH_AGAIN);
    assert_null(find_numbered(1));
    assert_int_equal(add_numbered(2, "a", 0, &s), LARCH_AGAIN);
    assert_int_equal(larch_sessions_flush(sessions), LARCH_OK);
    assert_int_equal(larch_sessions_expire(sessions, UNIX_S + 1, &removed), LARCH_OK);
    assert_int_equal(start_counting(60000, 0, &removed), LARCH_AGAIN);
    assert_int_equal(start_counting(60999, UNIX_S, &removed), LARCH_OK);
    assert_int_equal(removed, 0);
    assert_non_null(find_numbered(1));
    close_ok();
    open_ok(); /* an end while it waits leaves everything */
    assert_int_equal(start_counting(1000, UNIX_S - 1, &removed), LARCH_AGAIN);
    close_ok();
    start_ok();
    assert_non_null(find_numbered(1));
    close_ok();
}

static void test_clock_stays_behind(void **state)
{
    (void)state;
    size_t removed;
    start_ok();
    (void)add_ok(1, "a", 0);
    (void)add_ok(2, "a", 0);
    const uint64_t device = find_numbered(1)->device;
    close_ok();
    open_ok();
    assert_int_equal(start_counting(1000, UNIX_S - 100, &removed), LARCH_AGAIN);
    assert_int_equal(start_counting(61000, UNIX_S - 40, &removed), LARCH_OK);
    assert_int_equal(removed, 2);
    assert_null(find_numbered(1));
    assert_int_equal(larch_sessions_count(sessions), 0);
    larch_session *s = add_ok(3, "a", 0);
    assert_int_equal(s->device, device);
    assert_true(s->first_epoch > BASE);
    close_ok();
    start_ok();
    assert_null(find_numbered(1));
    assert_non_null(find_numbered(3));
    close_ok();
}

/* The newest time is one of a run, not only of its start; and without contexts nothing waits. */
static void test_newest_time(void **state)
{
    (void)state;
    size_t removed;
    start_ok();
    (void)add_ok(1, "a", UNIX_S + 50);
    assert_int_equal(larch_sessions_expire(sessions, UNIX_S + 40, &removed), LARCH_OK);
    close_ok();
    open_ok();
    assert_int_equal(start_counting(0, UNIX_S + 39, &removed), LARCH_AGAIN);
    assert_int_equal(start_counting(0, UNIX_S + 50, &removed), LARCH_OK);
    assert_int_equal(larch_sessions_expire(sessions, UNIX_S + 50, &removed), LARCH_OK);
    assert_int_equal(removed, 1);
    close_ok();
    open_ok();
    assert_int_equal(start_counting(0, 0, &removed), LARCH_OK);
    close_ok();
}

/* ---- observations ------------------------------------------------------------- */

static larch_observation observation_of(const larch_session *s, uint8_t port, uint8_t token)
{
    return (larch_observation){.session = s->number,
                               .peer = {.address = {0xfe, 0x80, [15] = 7}, .scope = 3, .port = port},
                               .binding = {3, 2, {1, 2, 3}, {4, 5}},
                               .accept = 50,
                               .confirmable = 1,
                               .szx = 6,
                               .token_len = 2,
                               .token = {token, 9},
                               .name_len = 5,
                               .name = "hello"};
}

static size_t list(larch_observation *out, size_t cap)
{
    uint64_t at = 0;
    size_t count = 0;
    larch_error e;
    while (count < cap && (e = larch_sessions_next_observation(sessions, &at, &out[count])) == LARCH_OK)
        count++;
    assert_int_equal(larch_sessions_next_observation(sessions, &at, &out[0]), LARCH_AGAIN);
    return count;
}

static void test_observations(void **state)
{
    (void)state;
    larch_observation found[8];
    start_ok();
    const larch_contexts *c = larch_sessions_contexts(sessions);
    larch_session *s = add_ok(1, "a", 0), *other = add_ok(2, "a", 0);
    larch_observation o = observation_of(s, 1, 1);
    assert_int_equal(c->add_observation(c->context, &o), LARCH_OK);
    o.accept = LARCH_COAP_FORMAT_NONE;
    assert_int_equal(c->add_observation(c->context, &o), LARCH_OK); /* in its place */
    larch_observation more[] = {observation_of(s, 2, 1), observation_of(s, 1, 2), observation_of(other, 1, 1)};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(c->add_observation(c->context, &more[i]), LARCH_OK);
    assert_int_equal(c->end_observation(c->context, &more[0]), LARCH_OK);
    assert_int_equal(c->end_observation(c->context, &more[0]), LARCH_OK); /* none there is no error */
    crash();
    start_ok();
    assert_int_equal(list(found, 8), 3);
    uint64_t at = 0;
    assert_int_equal(larch_sessions_next_observation(sessions, &at, &found[0]), LARCH_OK);
    assert_true(found[0].session == o.session && found[0].accept == o.accept && found[0].szx == 6 &&
                found[0].confirmable == 1 && found[0].token_len == 2 && found[0].name_len == 5);
    assert_true(larch_peer_equal(&found[0].peer, &o.peer));
    assert_memory_equal(&found[0].binding, &o.binding, sizeof o.binding);
    assert_memory_equal(found[0].token, o.token, sizeof o.token);
    assert_memory_equal(found[0].name, o.name, sizeof o.name);
    assert_int_equal(larch_sessions_remove(sessions, find_numbered(1)->number), LARCH_OK);
    larch_observation left[8] = {0};
    at = 0;
    assert_int_equal(larch_sessions_next_observation(sessions, &at, &left[0]), LARCH_OK);
    assert_int_equal(left[0].session, find_numbered(2)->number);
    assert_int_equal(larch_sessions_next_observation(sessions, &at, &left[1]), LARCH_AGAIN);
    close_ok();
}

/* ---- the start counter -------------------------------------------------------- */

static void begin_start(uint32_t start, uint32_t complete)
{
    assert_int_equal(open_at(start, complete), LARCH_OK);
    assert_int_equal(start_at(0, UNIX_S), LARCH_OK);
    crash();
}

static void assert_lags(uint32_t start, uint32_t complete, const char *text)
{
    assert_int_equal(open_at(start, complete), LARCH_STATE);
    assert_null(sessions);
    assert_int_equal(why.fault, LARCH_REGISTRY_LAGS);
    assert_non_null(strstr(why.text, text));
}

static void test_counter(void **state)
{
    (void)state;
    begin_start(1, 0);
    begin_start(2, 1);
    begin_start(4, 2); /* a start in between was cut before it came here */
    assert_lags(6, 5, "is older than the last start");
    assert_lags(4, 3, "is newer than the rest of the folder");
    open_ok(); /* a command compares nothing, */
    (void)add_ok(1, "a", 0);
    close_ok();
    begin_start(5, 4); /* and changes nothing */
    assert_int_equal(open_at(6, 5), LARCH_OK);
    assert_int_equal(start_at(0, UNIX_S - 1), LARCH_AGAIN); /* while the clock is behind, too */
    crash();
    begin_start(7, 6);
}

static void test_recover(void **state)
{
    (void)state;
    size_t removed = 9;
    larch_session *s;
    assert_int_equal(larch_sessions_recover(sessions_file, 5, &removed, &why), LARCH_OK); /* none is made */
    assert_int_equal(removed, 0);
    assert_int_equal(access(sessions_file, F_OK), -1);
    assert_int_equal(open_at(2, 1), LARCH_OK);
    assert_int_equal(start_at(0, UNIX_S), LARCH_OK);
    const uint64_t device = add_ok(1, "a", 0)->device;
    (void)add_ok(2, "b", 0);
    larch_observation o = observation_of(find_numbered(1), 1, 1), found[2];
    const larch_contexts *c = larch_sessions_contexts(sessions);
    assert_int_equal(c->add_observation(c->context, &o), LARCH_OK);
    assert_int_equal(larch_sessions_recover(sessions_file, 9, &removed, &why), LARCH_BUSY); /* a gateway uses it */
    assert_int_equal(removed, 0);
    close_ok();
    assert_lags(10, 9, "older");
    assert_int_equal(larch_sessions_recover(sessions_file, 9, &removed, &why), LARCH_OK);
    assert_int_equal(removed, 2);
    assert_int_equal(open_at(10, 9), LARCH_OK);
    assert_int_equal(larch_sessions_count(sessions), 0);
    assert_int_equal(larch_sessions_device(sessions, "a"), device);
    assert_int_equal(start_at(0, UNIX_S), LARCH_OK);
    assert_int_equal(list(found, 2), 0);
    assert_int_equal(add_numbered(1, "a", 0, &s), LARCH_STATE); /* its keys may have been used since the copy */
    assert_true(add_ok(3, "a", 0)->first_epoch > BASE);
    close_ok();
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up_folder, tear_down_folder)
    const struct CMUnitTest tests[] = {
        TEST(test_numbers),
        TEST(test_never_lower),
        TEST(test_limits),
        TEST(test_clock_comes_right),
        TEST(test_clock_stays_behind),
        TEST(test_newest_time),
        TEST(test_observations),

        TEST(test_counter),
        TEST(test_recover),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
