/* SPDX-License-Identifier: Apache-2.0 */
/* Buckets, Echo and the table of who is proven, against floods of forged addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "reach_bench.h"

static const uint64_t starts[] = {0, 1, 999, 1000000, UINT64_C(1) << 40};
#define STARTS (sizeof starts / sizeof starts[0])

typedef reach_bench fixture;

static const larch_reach_limits few = {
    .prefix_rate = 10,
    .prefix_burst = 3,
    .total_rate = 100,
    .total_burst = 20,
    .proven_rate = 5,
    .proven_burst = 4,
    .proven_ms = 60000,
    .echo_ms = 10000,
    .noted_ms = 60000,
};

static void begin(fixture *f, const larch_reach_limits *limits) { reach_begin(f, REACH_ENTRIES, 7, limits); }

static larch_reach_verdict take_as(fixture *f, uint64_t now_ms, const larch_peer *peer, larch_bytes echo)
{
    return reach_take(f, now_ms, peer, echo, LARCH_REACH_GRANT);
}

static larch_reach_verdict take(fixture *f, uint64_t now_ms, uint32_t address)
{
    const larch_peer peer = larch_sim_ipv4(address, 5000);
    return take_as(f, now_ms, &peer, (larch_bytes){NULL, 0});
}

static larch_reach_verdict take_with_echo(fixture *f, uint64_t now_ms, uint32_t address)
{
    const larch_peer peer = larch_sim_ipv4(address, 5000);
    return reach_take_echo(f, now_ms, &peer, LARCH_REACH_GRANT);
}

/* ---- init -------------------------------------------------------------- */

static void test_init(void **state)
{
    (void)state;
    fixture f;
    const size_t bad[] = {0, 1, 4, 8, 15, 17, 24, 100};
    const larch_reach_limits limits = larch_reach_default_limits();
    f.random_state = (larch_sim_random){.state = 1};
    f.random = larch_sim_random_of(&f.random_state);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(larch_reach_init(&f.reach, f.entries, bad[i], &limits, &f.random), LARCH_STATE);
    assert_int_equal(larch_reach_init(&f.reach, f.entries, 16, &limits, &f.random), LARCH_OK);
    f.random_state.fails_at = 1;
    assert_int_equal(larch_reach_init(&f.reach, f.entries, 16, &limits, &f.random), LARCH_PLATFORM);
}

/* ---- buckets ----------------------------------------------------------- */

static void test_prefix_bucket(void **state)
{
    (void)state;
    for (size_t s = 0; s < STARTS; s++) {
        fixture f;
        uint64_t now_ms = starts[s];
        begin(&f, &few);
        for (unsigned i = 0; i < few.prefix_burst; i++)
            assert_int_equal(take(&f, now_ms, 0x0a000001 + i), LARCH_REACH_GRANTED);
        assert_int_equal(take(&f, now_ms, 0x0a0000ff), LARCH_REACH_CHALLENGE);
        assert_int_equal(take(&f, now_ms, 0x0a0001ff), LARCH_REACH_GRANTED); /* the next /24 */
        /* 10 a second: the next comes after 100 ms, not before */
        assert_int_equal(take(&f, now_ms + 99, 0x0a000001), LARCH_REACH_CHALLENGE);
        assert_int_equal(take(&f, now_ms + 100, 0x0a000001), LARCH_REACH_GRANTED);
        assert_int_equal(take(&f, now_ms + 100, 0x0a000001), LARCH_REACH_CHALLENGE);
        /* However long it rests, no more than a burst. */
        now_ms += UINT64_C(1) << 50;
        for (unsigned i = 0; i < few.prefix_burst; i++)
            assert_int_equal(take(&f, now_ms, 0x0a000001), LARCH_REACH_GRANTED);
        assert_int_equal(take(&f, now_ms, 0x0a000001), LARCH_REACH_CHALLENGE);
    }
}

static void test_prefix_of_ipv6(void **state)
{
    (void)state;
    fixture f;
    larch_peer peer = {.address = {0x20, 1, 0xd, 0xb8, 0, 0, 0, 1}, .port = 1};
    begin(&f, &few);
    for (uint8_t i = 0; i < 3; i++) {
        peer.address[15] = i;
        assert_int_equal(take_as(&f, 0, &peer, (larch_bytes){0}), LARCH_REACH_GRANTED);
    }
    peer.address[8] = 9;
    assert_int_equal(take_as(&f, 0, &peer, (larch_bytes){0}), LARCH_REACH_CHALLENGE);
    peer.address[7] = 2; /* the next /64 */
    assert_int_equal(take_as(&f, 0, &peer, (larch_bytes){0}), LARCH_REACH_GRANTED);
}

/* However many prefixes are forged, all of them together get the total. */
static void test_total_bucket(void **state)
{
    (void)state;
    fixture f;
    unsigned granted = 0;
    begin(&f, &few);
    for (uint32_t i = 0; i < 5000; i++)
        granted += take(&f, 1000, i << 8) == LARCH_REACH_GRANTED;
    assert_int_equal(granted, few.total_burst);
    granted = 0;
    for (uint32_t i = 0; i < 20000; i++) /* one second */
        granted += take(&f, 1000 + i / 20, i << 8) == LARCH_REACH_GRANTED;
    assert_in_range(granted, few.total_rate - 1, few.total_rate);
}

static void test_rates_of_nothing(void **state)
{
    (void)state;
    fixture f;
    const larch_reach_limits none = {.proven_ms = 1000, .echo_ms = 1000};
    begin(&f, &none);
    assert_int_equal(take(&f, 0, 1), LARCH_REACH_CHALLENGE);
    assert_int_equal(take(&f, UINT64_MAX, 1), LARCH_REACH_CHALLENGE);
    const larch_reach_limits most = {.prefix_rate = UINT32_MAX,
                                     .prefix_burst = UINT32_MAX,
                                     .total_rate = UINT32_MAX,
                                     .total_burst = UINT32_MAX,
                                     .proven_ms = UINT32_MAX,
                                     .echo_ms = UINT32_MAX};
    begin(&f, &most);
    for (uint64_t now_ms = 1; now_ms != 0; now_ms *= 2)
        assert_int_equal(take(&f, now_ms, 1), LARCH_REACH_GRANTED);
}

/* ---- Echo -------------------------------------------------------------- */

static void test_echo(void **state)
{
    (void)state;
    const larch_reach_limits challenge_all = {.proven_ms = 60000, .echo_ms = 10000};
    for (size_t s = 0; s < STARTS; s++) {
        fixture f;
        uint64_t now_ms = starts[s];
        uint8_t echo[LARCH_ECHO_LEN + 1] = {0};
        const larch_peer peer = larch_sim_ipv4(0x0a000001, 5000);
        begin(&f, &challenge_all);
        larch_reach_echo(&f.reach, now_ms, &peer, echo);
        const larch_bytes genuine = {echo, LARCH_ECHO_LEN};

        larch_peer other = larch_sim_ipv4(0x0a000002, 5000);
        assert_int_equal(take_as(&f, now_ms, &other, genuine), LARCH_REACH_CHALLENGE);
        other = larch_sim_ipv4(0x0a000001, 5001);
        assert_int_equal(take_as(&f, now_ms, &other, genuine), LARCH_REACH_CHALLENGE);
        other = peer;
        other.scope = 2;
        assert_int_equal(take_as(&f, now_ms, &other, genuine), LARCH_REACH_CHALLENGE);

        for (size_t len = 0; len < LARCH_ECHO_LEN; len++)
            assert_int_equal(take_as(&f, now_ms, &peer, (larch_bytes){echo, len}), LARCH_REACH_CHALLENGE);
        assert_int_equal(take_as(&f, now_ms, &peer, LARCH_BYTES(echo)), LARCH_REACH_CHALLENGE);
        for (size_t bit = 0; bit < 8 * LARCH_ECHO_LEN; bit++) {
            echo[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_int_equal(take_as(&f, now_ms, &peer, genuine), LARCH_REACH_CHALLENGE);
            echo[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        /* Too old, and from a time to come (the clock is whole seconds). */
        assert_int_equal(take_as(&f, now_ms + 11000, &peer, genuine), LARCH_REACH_CHALLENGE);
        larch_reach_echo(&f.reach, now_ms + 1000, &peer, echo);
        assert_int_equal(take_as(&f, now_ms, &peer, genuine), LARCH_REACH_CHALLENGE);

        larch_reach_echo(&f.reach, now_ms, &peer, echo);
        assert_int_equal(take_as(&f, now_ms + 9000, &peer, genuine), LARCH_REACH_GRANTED);
        /* Proven from then on, from any port, without the Echo, for an hour from the last proof. */
        other = larch_sim_ipv4(0x0a000001, 6000);
        for (uint64_t t = 9000; t < 9000 + 60000; t += 1000)
            assert_int_equal(take_as(&f, now_ms + t, &other, (larch_bytes){0}), LARCH_REACH_GRANTED);
        assert_int_equal(take_as(&f, now_ms + 69000, &other, (larch_bytes){0}), LARCH_REACH_CHALLENGE);
    }
}

/* An Echo of another start of this gateway, that is under another key, proves nothing. */
static void test_echo_of_another_key(void **state)
{
    (void)state;
    fixture f;
    uint8_t echo[LARCH_ECHO_LEN];
    const larch_reach_limits challenge_all = {.proven_ms = 60000, .echo_ms = 10000};
    const larch_peer peer = larch_sim_ipv4(1, 1);
    begin(&f, &challenge_all);
    larch_reach_echo(&f.reach, 0, &peer, echo);
    f.reach.echo_key[0] ^= 1;
    assert_int_equal(take_as(&f, 0, &peer, LARCH_BYTES(echo)), LARCH_REACH_CHALLENGE);
}

/* Above its rate a proven address is challenged: whoever forges it cannot answer, and the Echo finds a reserve. */
static void test_proven_rate(void **state)
{
    (void)state;
    fixture f;
    begin(&f, &few);
    assert_int_equal(take_with_echo(&f, 500, 1), LARCH_REACH_GRANTED);
    for (unsigned i = 1; i < few.proven_burst; i++)
        assert_int_equal(take(&f, 500, 1), LARCH_REACH_GRANTED);
    assert_int_equal(take(&f, 500, 1), LARCH_REACH_CHALLENGE);
    assert_int_equal(take(&f, 699, 1), LARCH_REACH_CHALLENGE);
    assert_int_equal(take(&f, 700, 1), LARCH_REACH_GRANTED);
    assert_int_equal(take(&f, 700, 1), LARCH_REACH_CHALLENGE);
    for (unsigned i = 0; i < few.proven_burst; i++)
        assert_int_equal(take_with_echo(&f, 700, 1), LARCH_REACH_GRANTED);
    /* The same Echo again must not fill the bucket anew. */
    assert_int_equal(take_with_echo(&f, 700, 1), LARCH_REACH_LATER);
    assert_int_equal(f.wait_s, 1);
    assert_int_equal(take_with_echo(&f, 900, 1), LARCH_REACH_GRANTED);
    assert_int_equal(take_with_echo(&f, 900, 1), LARCH_REACH_LATER);
    assert_int_equal(take(&f, 900, 1), LARCH_REACH_CHALLENGE);
}

/* ---- floods ------------------------------------------------------------ */

/* Forged addresses cannot return an Echo: who did stays served, and so does who was noted before. */
static void test_proven_outlive_a_flood(void **state)
{
    (void)state;
    for (size_t s = 0; s < STARTS; s++) {
        fixture f;
        uint64_t now_ms = starts[s];
        begin(&f, &few);
        for (uint32_t peer = 1; peer <= 8; peer++)
            assert_int_equal(take_with_echo(&f, now_ms, peer << 8), LARCH_REACH_GRANTED);
        const larch_peer good = larch_sim_ipv4(0x0b000001, 5000);
        reach_note(&f, now_ms, &good);
        for (uint32_t i = 0; i < 50000; i++) {
            const larch_peer forged = larch_sim_ipv4(0x20000000 + (i << 8), 5000);
            uint8_t echo[LARCH_ECHO_LEN] = {0};
            (void)take_as(&f, now_ms + i / 100, &forged, LARCH_BYTES(echo));
            reach_note(&f, now_ms + i / 100, &forged); /* not in a flood */
        }
        for (uint32_t peer = 1; peer <= 8; peer++)
            assert_int_equal(take(&f, now_ms + 500, peer << 8), LARCH_REACH_GRANTED);
        assert_int_equal(take_as(&f, now_ms + 500, &good, (larch_bytes){0}), LARCH_REACH_GRANTED);
        (void)take(&f, now_ms + 500, 0x0c000001); /* what the last millisecond may have brought */
        assert_int_equal(take(&f, now_ms + 500, 0x0c000001), LARCH_REACH_CHALLENGE);
    }
}

/* Noted addresses, however many, never push out one that returned an Echo. */
static void test_noted_spare_the_echoed(void **state)
{
    (void)state;
    fixture f;
    larch_reach_limits limits = few;
    limits.total_burst = limits.total_rate = 1000000;
    begin(&f, &limits);
    assert_int_equal(take_with_echo(&f, 1000, 0x0a000001), LARCH_REACH_GRANTED);
    for (uint32_t i = 0; i < 20000; i++) {
        const larch_peer peer = larch_sim_ipv4(0x20000000 + i, 1);
        reach_note(&f, 2000, &peer);
    }
    for (uint32_t i = 1; i < limits.proven_burst; i++)
        assert_int_equal(take(&f, 2000, 0x0a000001), LARCH_REACH_GRANTED);
}

static void test_noted_only_in_quiet(void **state)
{
    (void)state;
    fixture f;
    const larch_peer good = larch_sim_ipv4(0x0b000001, 5000);
    begin(&f, &few);
    for (uint32_t i = 0; i < 11; i++) /* more than half of the total is gone */
        assert_int_equal(take(&f, 1000, i << 8), LARCH_REACH_GRANTED);
    reach_note(&f, 1000, &good);
    for (uint32_t i = 0; i < 20; i++)
        (void)take(&f, 1000, 0x20000000 + (i << 8));
    assert_int_equal(take_as(&f, 1000, &good, (larch_bytes){0}), LARCH_REACH_CHALLENGE);
    reach_note(&f, 2000, &good); /* a second later it is quiet */
    for (uint32_t i = 0; i < 200; i++)
        (void)take(&f, 2000, 0x20000000 + (i << 8));
    /* A noted one has its own bucket of a prefix, no more. */
    for (unsigned i = 0; i < few.prefix_burst; i++)
        assert_int_equal(take_as(&f, 2000, &good, (larch_bytes){0}), LARCH_REACH_GRANTED);
    assert_int_equal(take_as(&f, 2000, &good, (larch_bytes){0}), LARCH_REACH_CHALLENGE);
    /* And no longer than an hour. */
    for (uint32_t i = 0; i < 200; i++)
        (void)take(&f, 2000 + few.proven_ms, 0x20000000 + (i << 8));
    assert_int_equal(take_as(&f, 2000 + few.proven_ms, &good, (larch_bytes){0}), LARCH_REACH_CHALLENGE);
}

/* At the first tick of the clock, too, an entry in use is not taken for a free one. */
static void test_free_before_used(void **state)
{
    (void)state;
    larch_reach_limits limits = few;
    limits.proven_rate = 0;
    limits.total_burst = 0; /* only the proven are served */
    for (uint64_t seed = 0; seed < 50; seed++) {
        fixture f;
        f.random_state = (larch_sim_random){.state = seed};
        f.random = larch_sim_random_of(&f.random_state);
        assert_int_equal(larch_reach_init(&f.reach, f.entries, 16, &limits, &f.random), LARCH_OK);
        /* 16 entries: two sets of four. Four peers always fit. */
        for (uint32_t peer = 1; peer <= 4; peer++)
            assert_int_equal(take_with_echo(&f, 0, peer), LARCH_REACH_GRANTED);
        for (uint32_t peer = 1; peer <= 4; peer++)
            assert_int_equal(take(&f, 0, peer), LARCH_REACH_GRANTED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_init),
        cmocka_unit_test(test_prefix_bucket),
        cmocka_unit_test(test_prefix_of_ipv6),
        cmocka_unit_test(test_total_bucket),
        cmocka_unit_test(test_rates_of_nothing),
        cmocka_unit_test(test_echo),
        cmocka_unit_test(test_echo_of_another_key),
        cmocka_unit_test(test_proven_rate),
        cmocka_unit_test(test_proven_outlive_a_flood),
        cmocka_unit_test(test_noted_spare_the_echoed),
        cmocka_unit_test(test_noted_only_in_quiet),
        cmocka_unit_test(test_free_before_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
