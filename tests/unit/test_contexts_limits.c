/* SPDX-License-Identifier: Apache-2.0 */
/* How many messages and forgeries a session takes, over weeks in which an attacker never stops. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "larch/contexts.h"

#define MESSAGES (1u << 20)
#define HOUR_MS  UINT64_C(3600000)
#define LIFE_MS  (UINT64_C(1000) * LARCH_SESSION_LIFE_S)

static larch_session session_with(int64_t aead)
{
    larch_session s = {.number = 1};
    s.oscore.aead = larch_cose_aead_find(aead);
    return s;
}

/* ---- q and v -------------------------------------------------------------------- */

static void test_limits(void **state)
{
    (void)state;
    enum { CCM_8 = LARCH_COSE_AES_CCM_16_64_128, CCM_16 = LARCH_COSE_AES_CCM_16_128_128 };
    static const struct {
        int64_t aead;
        int64_t received; /* the highest number; -1: none */
        uint32_t own, failed, left;
    } rows[] = {
        {CCM_8, -1, 0, 0, MESSAGES},
        {CCM_8, 0, 0, 0, MESSAGES - 1},
        {CCM_8, 99, 7, 0, MESSAGES - 107},
        {CCM_8, -1, MESSAGES - 1, 0, 1},
        {CCM_8, -1, MESSAGES, 0, 0},
        {CCM_8, -1, UINT32_MAX, 0, 0},
        {CCM_8, MESSAGES - 2, 0, 0, 1},
        {CCM_8, MESSAGES - 1, 0, 0, 0},
        {CCM_8, (int64_t)LARCH_OSCORE_NUMBER_MAX, UINT32_MAX, 0, 0},
        {CCM_8, 9, 0, (1u << 14) - 1, MESSAGES - 10},
        {CCM_8, 9, 0, 1u << 14, 0},
        {CCM_16, 9, 0, 1u << 14, MESSAGES - 10},
        {LARCH_COSE_A128GCM, 9, 0, (1u << 20) - 1, MESSAGES - 10},
        {LARCH_COSE_A256GCM, 9, 0, 1u << 20, 0},
        {CCM_16, 9, 0, UINT32_MAX, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        larch_session s = session_with(rows[i].aead);
        larch_oscore_verdict verdict;
        uint64_t own;
        if (rows[i].received >= 0)
            assert_int_equal(larch_oscore_accept_number(&s.oscore, (uint64_t)rows[i].received, (larch_bytes){NULL, 0},
                                                        &verdict, &own),
                             LARCH_OK);
        s.own_used = rows[i].own;
        s.failed = rows[i].failed;
        assert_int_equal(larch_session_left(&s), rows[i].left);
        assert_int_equal(larch_session_is_spent(&s), rows[i].left == 0);
        larch_session_count_protected(&s);
        larch_session_count_failed(&s);
        assert_int_equal(s.own_used, rows[i].own == UINT32_MAX ? UINT32_MAX : rows[i].own + 1);
        assert_int_equal(s.failed, rows[i].failed == UINT32_MAX ? UINT32_MAX : rows[i].failed + 1);
    }
}

static larch_error fill(void *context, uint8_t *out, size_t len)
{
    (void)context;
    memset(out, 5, len);
    return LARCH_OK;
}

/* A number that was challenged counts, also when a lower one then set the window. */
static void test_challenged_numbers_count(void **state)
{
    (void)state;
    static const larch_random random = {fill, NULL};
    larch_session s = session_with(LARCH_COSE_AES_CCM_16_64_128);
    uint8_t echo[LARCH_OSCORE_ECHO_LEN];
    larch_oscore_verdict verdict;
    uint64_t own;
    larch_oscore_grant(&s.oscore, 0, 10);
    assert_int_equal(larch_oscore_forget_window(&s.oscore, &random), LARCH_OK);
    assert_int_equal(larch_session_left(&s), MESSAGES);
    assert_int_equal(larch_oscore_accept_number(&s.oscore, 0, (larch_bytes){NULL, 0}, &verdict, &own), LARCH_OK);
    assert_int_equal(larch_session_left(&s), MESSAGES - 1);
    larch_oscore_put_echo(&s.oscore, echo);
    assert_int_equal(larch_oscore_accept_number(&s.oscore, 50, (larch_bytes){NULL, 0}, &verdict, &own), LARCH_OK);
    assert_int_equal(verdict, LARCH_OSCORE_CHALLENGE);
    assert_int_equal(larch_session_left(&s), MESSAGES - 51);
    assert_int_equal(larch_oscore_accept_number(&s.oscore, 49, LARCH_BYTES(echo), &verdict, &own), LARCH_OK);
    assert_int_equal(verdict, LARCH_OSCORE_FRESH);
    assert_int_equal(larch_session_left(&s), MESSAGES - 51);
}

/* A gateway's numbers begin at the seconds since 2026: their height says nothing, and each message received counts. */
static void test_numbers_that_jump(void **state)
{
    (void)state;
    larch_session s = session_with(LARCH_COSE_AES_CCM_16_64_128), other = s;
    larch_oscore_verdict verdict;
    uint64_t own;
    s.oscore.peer_has_epochs = true;
    const uint64_t number = UINT64_C(30000000) << 8;
    assert_int_equal(larch_oscore_accept_number(&s.oscore, number, (larch_bytes){NULL, 0}, &verdict, &own), LARCH_OK);
    assert_int_equal(larch_session_left(&s), MESSAGES);
    larch_session_count_received(&s);
    larch_session_count_protected(&s);
    assert_int_equal(larch_session_left(&s), MESSAGES - 2);
    s.own_used = MESSAGES;
    assert_true(larch_session_is_spent(&s));
    larch_session_count_received(&other);
    assert_int_equal(larch_session_left(&other), MESSAGES);
    assert_int_equal(larch_oscore_accept_number(&other.oscore, number, (larch_bytes){NULL, 0}, &verdict, &own),
                     LARCH_OK);
    assert_true(larch_session_is_spent(&other));
}

/* A session whose messages are used up gets no own number either. */
static void test_spent_takes_nothing(void **state)
{
    (void)state;
    larch_session s = session_with(LARCH_COSE_AES_CCM_16_64_128);
    larch_epochs epochs = {.base = 0, .end = 1};
    uint64_t number;
    larch_epochs_begin(&epochs, &s);
    s.own_used = MESSAGES - 1;
    assert_int_equal(larch_epochs_take(&epochs, &s, 0, &number), LARCH_OK);
    assert_int_equal(larch_epochs_take(&epochs, &s, 0, &number), LARCH_SPENT);
}

/* ---- buckets ---------------------------------------------------------------------- */

static unsigned drain(larch_session *s, uint64_t now_ms, larch_session_sender sender)
{
    unsigned n = 0;
    while (larch_session_try(s, now_ms, sender))
        n++;
    return n;
}

static void test_bucket(void **state)
{
    (void)state;
    const uint64_t refill_ms = LIFE_MS * LARCH_SESSION_BUCKETS / LARCH_SESSION_FAILED_MAX + 1;
    larch_session s = session_with(LARCH_COSE_AES_CCM_16_64_128);
    for (int i = 0; i < 100; i++) /* a refund is never more than what was taken */
        larch_session_refund(&s, LARCH_SESSION_LAST);
    for (unsigned sender = 0; sender < LARCH_SESSION_BUCKETS; sender++) /* no bucket touches another */
        assert_int_equal(drain(&s, 0, (larch_session_sender)sender), LARCH_SESSION_BURST);
    const larch_session empty = s;
    for (unsigned sender = 0; sender < LARCH_SESSION_BUCKETS; sender++)
        assert_false(larch_session_try(&s, refill_ms - 1, (larch_session_sender)sender));
    assert_memory_equal(&s, &empty, sizeof s);
    assert_int_equal(drain(&s, refill_ms, LARCH_SESSION_OTHER), 1);
    larch_session_refund(&s, LARCH_SESSION_OTHER);
    assert_int_equal(drain(&s, refill_ms, LARCH_SESSION_OTHER), 1);
    assert_int_equal(drain(&s, 11 * refill_ms, LARCH_SESSION_OTHER), 10);
    assert_int_equal(drain(&s, 11 * refill_ms, LARCH_SESSION_LAST), 11);
    for (uint64_t at = 0; at < 10; at++) { /* time that goes back and forth refills nothing */
        assert_int_equal(drain(&s, at * refill_ms, LARCH_SESSION_LAST), 0);
        assert_int_equal(drain(&s, 11 * refill_ms, LARCH_SESSION_LAST), 0);
    }
    /* A jump of years, and one past all that fits, fill each bucket once. */
    assert_int_equal(drain(&s, 30 * 365 * 24 * HOUR_MS, LARCH_SESSION_LAST), LARCH_SESSION_BURST);
    assert_int_equal(drain(&s, 30 * 365 * 24 * HOUR_MS + refill_ms, LARCH_SESSION_LAST), 1);
    assert_int_equal(drain(&s, UINT64_MAX, LARCH_SESSION_LAST), LARCH_SESSION_BURST);
    assert_int_equal(drain(&s, UINT64_MAX, LARCH_SESSION_LAST), 0);
}

/*
 * An attacker forges under the device's address, under others, and after an outer Echo of its own; the device sends once
 * an hour. The session must stay below the limit of CCM_8 in each of its lives, and the device must always be served.
 */
static void run_life(uint64_t begin_ms, uint64_t pace_ms, bool device_works)
{
    larch_session s = session_with(LARCH_COSE_AES_CCM_16_64_128);
    unsigned served = 0, proven = 0;
    s.bucket_at = 0; /* as it comes from storage */
    for (uint64_t now = begin_ms; now < begin_ms + LIFE_MS; now += pace_ms) {
        static const larch_session_sender forged[] = {LARCH_SESSION_LAST, LARCH_SESSION_OTHER,
                                                      LARCH_SESSION_OTHER_PROVEN};
        for (size_t i = 0; i < 3; i++)
            while (larch_session_try(&s, now, forged[i]))
                larch_session_count_failed(&s);
        if (device_works && (now - begin_ms) % HOUR_MS < pace_ms) {
            larch_session_sender sender = LARCH_SESSION_LAST;
            if (!larch_session_try(&s, now, sender)) { /* it is asked for an Echo, and returns it */
                sender = LARCH_SESSION_LAST_PROVEN;
                assert_true(larch_session_try(&s, now, sender));
                proven++;
            }
            larch_session_refund(&s, sender);
            served++;
        }
        assert_false(larch_session_is_spent(&s));
    }
    assert_true(!device_works || (served >= 7 * 24 && proven > 100));
    assert_in_range(s.failed, 3 * 2048, LARCH_SESSION_FAILED_MAX);
}

static void test_weeks_of_forgery(void **state)
{
    (void)state;
    for (unsigned week = 0; week < 4; week++) {
        run_life(week * LIFE_MS, 1000 * 60, true);
        run_life(week * LIFE_MS + 12345, 777 * 60, false);
    }
    run_life(400 * LIFE_MS, 7 * 60000, true);
}

/* All four senders at once are below the limit too. */
static void test_all_buckets(void **state)
{
    (void)state;
    larch_session s = session_with(LARCH_COSE_AES_CCM_16_64_128);
    for (uint64_t now = HOUR_MS * 1000; now <= HOUR_MS * 1000 + LIFE_MS; now += 60000)
        for (unsigned sender = 0; sender < LARCH_SESSION_BUCKETS; sender++)
            s.failed += drain(&s, now, (larch_session_sender)sender);
    assert_in_range(s.failed, LARCH_SESSION_FAILED_MAX,
                    LARCH_SESSION_FAILED_MAX + LARCH_SESSION_BUCKETS * LARCH_SESSION_BURST);
    assert_false(larch_session_is_spent(&s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_limits),
                                       cmocka_unit_test(test_challenged_numbers_count),
                                       cmocka_unit_test(test_numbers_that_jump),
                                       cmocka_unit_test(test_spent_takes_nothing),
                                       cmocka_unit_test(test_bucket),
                                       cmocka_unit_test(test_weeks_of_forgery),
                                       cmocka_unit_test(test_all_buckets)};
    return cmocka_run_group_tests_name("contexts_limits", tests, NULL, NULL);
}
