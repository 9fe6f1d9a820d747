/* SPDX-License-Identifier: Apache-2.0 */
/* Own numbers of the sessions of a node: where they begin, what is durable before them, and how far they may run. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "all_are.h"
#include "larch/contexts.h"

#define UNIX_2026 UINT64_C(1767225600) /* date -d 2026-01-01T00:00Z +%s */
#define EPOCHS    (UINT64_C(1) << 32)

typedef struct store {
    uint64_t end;
    unsigned writes;
    bool fails;
} store;

static larch_error raise_end(void *context, uint64_t epoch)
{
    store *s = context;
    if (s->fails)
        return LARCH_PLATFORM;
    assert_true(epoch > s->end);
    s->end = epoch;
    s->writes++;
    return LARCH_OK;
}

static store disk;
static const larch_contexts contexts = {.context = &disk, .raise = raise_end};

static larch_session new_session(void)
{
    larch_session s = {.number = 1};
    s.oscore.aead = larch_cose_aead_find(LARCH_COSE_AES_CCM_16_128_128);
    return s;
}

/* Nothing is handed out whose epoch is not durably behind the end. */
static uint64_t take(larch_epochs *epochs, larch_session *session, uint64_t now_ms)
{
    uint64_t number;
    assert_int_equal(larch_epochs_take(epochs, session, now_ms, &number), LARCH_OK);
    assert_true(number >> 8 < disk.end);
    return number;
}

static void take_refused(larch_epochs *epochs, larch_session *session, uint64_t now_ms, larch_error error)
{
    const larch_session before = *session;
    uint64_t number = 77;
    assert_int_equal(larch_epochs_take(epochs, session, now_ms, &number), error);
    assert_int_equal(larch_epochs_allow(epochs, session, now_ms), error);
    assert_int_equal(number, 77);
    assert_memory_equal(session, &before, sizeof before);
}

static void test_start(void **state)
{
    (void)state;
    static const struct {
        uint64_t stored, unix_s, base;
        larch_error error;
    } rows[] = {
        {0, 0, 0, LARCH_OK}, /* no clock, nothing stored */
        {500, 0, 500, LARCH_OK},
        {0, UNIX_2026 + 30, 30, LARCH_OK},
        {500, UNIX_2026 + 30, 500, LARCH_OK}, /* the clock is behind */
        {500, UNIX_2026 + 501, 501, LARCH_OK},
        {500, UNIX_2026 - 1, 500, LARCH_OK}, /* before epochs began */
        {EPOCHS - 1, 0, EPOCHS - 1, LARCH_OK},
        {EPOCHS, 0, 0, LARCH_SPENT},
        {0, UNIX_2026 + EPOCHS, 0, LARCH_SPENT},
        {0, UINT64_MAX, 0, LARCH_SPENT},
        {UINT64_MAX, 0, 0, LARCH_SPENT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        larch_epochs epochs;
        larch_session session = new_session();
        disk = (store){.end = 0};
        assert_int_equal(larch_epochs_start(&epochs, &contexts, 9000, rows[i].stored, rows[i].unix_s), rows[i].error);
        if (rows[i].error != LARCH_OK) {
            assert_true(is_zero((const uint8_t *)&epochs, sizeof epochs));
            assert_int_equal(disk.writes, 0);
            continue;
        }
        assert_int_equal(disk.end, rows[i].base + 1);
        assert_int_equal(larch_epochs_unused(&epochs), rows[i].base);
        larch_epochs_begin(&epochs, &session);
        assert_int_equal(take(&epochs, &session, 9000), rows[i].base << 8);
        assert_int_equal(session.own_used, 1);
        assert_int_equal(larch_epochs_unused(&epochs), rows[i].base + 1);
        assert_int_equal(disk.writes, 1);
    }
}

static void test_start_not_durable(void **state)
{
    (void)state;
    larch_epochs epochs;
    larch_session session = new_session();
    disk = (store){.fails = true};
    assert_int_equal(larch_epochs_start(&epochs, &contexts, 0, 3, 0), LARCH_PLATFORM);
    assert_true(is_zero((const uint8_t *)&epochs, sizeof epochs));
    take_refused(&epochs, &session, 0, LARCH_PLATFORM);
}

/* A whole epoch is taken, then the next one, which waits for its second and for a durable write. */
static void test_pace(void **state)
{
    (void)state;
    larch_epochs epochs;
    larch_session session = new_session();
    disk = (store){.end = 0};
    assert_int_equal(larch_epochs_start(&epochs, &contexts, 5000, 100, 0), LARCH_OK);
    larch_epochs_begin(&epochs, &session);
    for (uint64_t n = 0; n < 256; n++)
        assert_int_equal(take(&epochs, &session, 5000), 25600 + n);
    take_refused(&epochs, &session, 5999, LARCH_AGAIN);
    take_refused(&epochs, &session, 0, LARCH_AGAIN); /* a clock that went back */
    disk.fails = true;
    take_refused(&epochs, &session, 6000, LARCH_PLATFORM);
    disk.fails = false;
    assert_int_equal(disk.end, 101);
    assert_int_equal(take(&epochs, &session, 6000), 101 << 8);
    assert_int_equal(disk.end, 101 + LARCH_EPOCH_AHEAD);
    /* Behind the clock: as fast as it likes, with one write for 16 epochs. */
    for (uint64_t n = 1; n < 16 * 256; n++)
        assert_int_equal(take(&epochs, &session, 5000 + 20 * 1000), (101 << 8) + n);
    assert_int_equal(disk.writes, 2);
    assert_int_equal(take(&epochs, &session, 5000 + 20 * 1000), 117 << 8);
    assert_int_equal(disk.end, 117 + LARCH_EPOCH_AHEAD);
    assert_int_equal(larch_epochs_unused(&epochs), 118);
    assert_int_equal(session.own_used, 17 * 256 + 1);
}

/* Sessions that are added begin where none was, one durable write each, and then wait for the clock. */
static void test_added(void **state)
{
    (void)state;
    larch_epochs epochs;
    larch_session old = new_session(), first = new_session(), second = new_session(), third = new_session();
    disk = (store){.end = 0};
    assert_int_equal(larch_epochs_start(&epochs, &contexts, 0, 100, 0), LARCH_OK);
    larch_epochs_begin(&epochs, &old);
    assert_int_equal(larch_epochs_begin_new(&epochs, &first), LARCH_OK);
    assert_int_equal(disk.end, 102);
    assert_int_equal(larch_epochs_begin_new(&epochs, &second), LARCH_OK);
    assert_int_equal(disk.end, 103);
    assert_int_equal(take(&epochs, &old, 0), 100 << 8);
    for (uint64_t n = 0; n < 256; n++)
        assert_int_equal(take(&epochs, &second, 0), (102 << 8) + n);
    assert_int_equal(take(&epochs, &first, 0), 101 << 8);
    take_refused(&epochs, &second, 2999, LARCH_AGAIN);
    assert_int_equal(take(&epochs, &second, 3000), 103 << 8);
    assert_int_equal(disk.end, 103 + LARCH_EPOCH_AHEAD);
    disk.fails = true;
    assert_int_equal(larch_epochs_begin_new(&epochs, &third), LARCH_PLATFORM);
    disk.fails = false;
    take_refused(&epochs, &third, 3000, LARCH_SPENT);
    assert_int_equal(larch_epochs_unused(&epochs), 104);
    third = new_session(); /* loaded anew */
    assert_int_equal(larch_epochs_begin_new(&epochs, &third), LARCH_OK);
    assert_int_equal(take(&epochs, &third, 3000), (103 + LARCH_EPOCH_AHEAD) << 8);
}

static void test_not_begun(void **state)
{
    (void)state;
    larch_epochs epochs;
    larch_session session = new_session();
    disk = (store){.end = 0};
    assert_int_equal(larch_epochs_start(&epochs, &contexts, 0, 1, 0), LARCH_OK);
    take_refused(&epochs, &session, 0, LARCH_STATE);
}

/* A copy of the storage is restored, and the clock is right: it begins above everything that was used since. */
static void test_restored_copy(void **state)
{
    (void)state;
    larch_epochs epochs;
    larch_session session = new_session();
    disk = (store){.end = 0};
    assert_int_equal(larch_epochs_start(&epochs, &contexts, 0, 0, UNIX_2026 + 1000), LARCH_OK);
    const uint64_t copy = disk.end;
    uint64_t highest = 0, now_ms = 0;
    larch_epochs_begin(&epochs, &session);
    for (; now_ms < 600000; now_ms += 100) { /* as much as it can for ten minutes */
        uint64_t number;
        while (larch_epochs_take(&epochs, &session, now_ms, &number) == LARCH_OK)
            highest = number;
    }
    assert_true(highest >> 8 > copy + 500);
    disk = (store){.end = copy};
    session = new_session();
    assert_int_equal(larch_epochs_start(&epochs, &contexts, 0, copy, UNIX_2026 + 1000 + now_ms / 1000), LARCH_OK);
    larch_epochs_begin(&epochs, &session);
    assert_true(take(&epochs, &session, 0) > highest);
}

/* The last epoch is used to its end, and nothing overflows behind it. */
static void test_end(void **state)
{
    (void)state;
    larch_epochs epochs;
    larch_session session = new_session(), added = new_session();
    disk = (store){.end = 0};
    assert_int_equal(larch_epochs_start(&epochs, &contexts, 0, EPOCHS - 2, 0), LARCH_OK);
    larch_epochs_begin(&epochs, &session);
    for (uint64_t n = 0; n < 512; n++)
        assert_int_equal(take(&epochs, &session, UINT64_MAX), ((EPOCHS - 2) << 8) + n);
    assert_int_equal(disk.end, EPOCHS);
    take_refused(&epochs, &session, UINT64_MAX, LARCH_SPENT);
    assert_int_equal(larch_epochs_begin_new(&epochs, &added), LARCH_SPENT);
    take_refused(&epochs, &added, UINT64_MAX, LARCH_SPENT);
    assert_int_equal(larch_epochs_unused(&epochs), EPOCHS);
}

/* A challenge takes a number that was allowed, and none beyond the epoch. */
static void test_allow(void **state)
{
    (void)state;
    larch_epochs epochs;
    larch_session session = new_session();
    uint64_t number;
    disk = (store){.end = 0};
    assert_int_equal(larch_epochs_start(&epochs, &contexts, 0, 100, 0), LARCH_OK);
    larch_epochs_begin(&epochs, &session);
    assert_int_equal(larch_oscore_take_number(&session.oscore, &number), LARCH_SPENT);
    assert_int_equal(larch_epochs_allow(&epochs, &session, 0), LARCH_OK);
    assert_int_equal(session.own_used, 0);
    for (uint64_t n = 0; n < 256; n++) {
        assert_int_equal(larch_oscore_take_number(&session.oscore, &number), LARCH_OK);
        assert_int_equal(number, 25600 + n);
    }
    assert_int_equal(larch_oscore_take_number(&session.oscore, &number), LARCH_SPENT);
    assert_int_equal(larch_epochs_allow(&epochs, &session, 999), LARCH_AGAIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_start),     cmocka_unit_test(test_start_not_durable),
                                       cmocka_unit_test(test_pace),      cmocka_unit_test(test_added),
                                       cmocka_unit_test(test_not_begun), cmocka_unit_test(test_restored_copy),
                                       cmocka_unit_test(test_end),       cmocka_unit_test(test_allow)};
    return cmocka_run_group_tests_name("contexts_epochs", tests, NULL, NULL);
}
