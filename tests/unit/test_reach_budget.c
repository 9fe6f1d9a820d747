/* SPDX-License-Identifier: Apache-2.0 */
/* Budgets: what addresses, prefixes and all together may spend, and who finds a rest that others cannot spend. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "reach_bench.h"

enum { HOUR_MS = 3600000, LAN = 0x0a000000, FAR = 0x20000000 };

static reach_bench f;
static larch_reach_limits limits;

static int begin(void **state)
{
    (void)state;
    limits = larch_reach_default_limits();
    reach_begin(&f, REACH_ENTRIES, 5, &limits);
    return 0;
}

static void restart(void) { reach_begin(&f, REACH_ENTRIES, 5, &limits); }

static larch_peer at(uint32_t address) { return larch_sim_ipv4(address, 5000); }

static larch_reach_verdict take(uint64_t now_ms, const larch_peer *peer, larch_reach_cost cost)
{
    return reach_take(&f, now_ms, peer, (larch_bytes){0}, cost);
}

/* So many strangers, each of another prefix, want so many each. Returns how many they got. */
static unsigned flood(uint64_t now_ms, uint32_t first, uint32_t prefixes, larch_reach_cost cost, unsigned each)
{
    unsigned granted = 0;
    for (uint32_t i = 0; i < prefixes; i++) {
        const larch_peer peer = at(first + (i << 8));
        granted += reach_count(&f, now_ms, &peer, cost, each);
    }
    return granted;
}

/* ---- grants ------------------------------------------------------------- */

/* Thirty proven addresses of one network get what the network may have, and a quiet neighbour of theirs is served. */
static void test_prefix_of_proven(void **state)
{
    (void)state;
    unsigned granted = 0;
    const larch_peer quiet = at(FAR + 200);
    for (uint32_t i = 1; i <= 30; i++) {
        const larch_peer peer = at(FAR + i);
        reach_prove(&f, 1000, &peer);
        granted += reach_count(&f, 1000, &peer, LARCH_REACH_GRANT, 4000);
    }
    assert_in_range(granted, 2 * limits.proven_burst, 2 * limits.proven_burst + 30 * 80);
    const larch_peer busy = at(FAR + 1);
    assert_int_equal(take(1000, &busy, LARCH_REACH_GRANT), LARCH_REACH_CHALLENGE); /* its own bucket is empty */
    assert_int_equal(reach_take_echo(&f, 1000, &busy, LARCH_REACH_GRANT), LARCH_REACH_LATER);
    assert_int_equal(f.wait_s, 1);
    reach_prove(&f, 1000, &quiet);
    for (uint64_t s = 0; s < 60; s++)
        assert_int_equal(take(1000 + 1000 * s, &quiet, LARCH_REACH_GRANT), LARCH_REACH_GRANTED);
}

/* Busy networks, however many, leave a rest to those who ask seldom. */
static void test_total_of_proven(void **state)
{
    (void)state;
    unsigned granted = 0;
    for (uint32_t i = 0; i < 20; i++) {
        const larch_peer peer = at(FAR + (i << 8));
        reach_prove(&f, 1000, &peer);
        granted += reach_count(&f, 1000, &peer, LARCH_REACH_GRANT, 4000);
    }
    assert_in_range(granted, 4 * limits.proven_burst, 4 * limits.proven_burst + 20 * 80);
    const larch_peer quiet = at(LAN + 1);
    reach_prove(&f, 1000, &quiet);
    assert_int_equal(take(1000, &quiet, LARCH_REACH_GRANT), LARCH_REACH_GRANTED);
}

static void test_rate_of_nothing_is_no_limit(void **state)
{
    (void)state;
    limits.proven_rate = limits.marks = limits.root_rate = 0;
    restart();
    const larch_peer peer = at(FAR);
    reach_prove(&f, 1000, &peer);
    assert_int_equal(reach_count(&f, 1000, &peer, LARCH_REACH_GRANT, 100000), 100000);
    assert_int_equal(reach_count(&f, 1000, &peer, LARCH_REACH_MARK, 300000), 300000);
    assert_int_equal(reach_count(&f, 1000, &peer, LARCH_REACH_ROOT, 1000), 1000);
    limits.prefix_rate = limits.total_rate = limits.excess_prefix_rate = limits.excess_total_rate = 0;
    restart();
    assert_int_equal(reach_count(&f, 1000, &peer, LARCH_REACH_GRANT, 100000), 100000);
    assert_int_equal(reach_count(&f, 1000, &peer, LARCH_REACH_EXCESS, 100000), 100000);
}

/* Whatever comes from elsewhere, peers on the link find their own totals whole. */
static void test_link(void **state)
{
    (void)state;
    (void)flood(1000, FAR, 2000, LARCH_REACH_GRANT, 2);
    (void)flood(1000, FAR, 50, LARCH_REACH_EXCESS, 4096);
    (void)flood(1000, FAR, 50, LARCH_REACH_MARK, 2000);
    for (uint32_t i = 0; i < 20; i++) {
        const larch_peer peer = at(FAR + 1 + (i << 8));
        reach_prove(&f, 1000, &peer);
        (void)reach_count(&f, 1000, &peer, LARCH_REACH_GRANT, 4000);
        (void)reach_count(&f, 1000, &peer, LARCH_REACH_MARK, 60000);
        (void)take(1000, &peer, LARCH_REACH_ROOT);
    }
    const larch_peer elsewhere = at(LAN + 1), on_link = reach_on_link(LAN + 2);
    assert_int_equal(take(1000, &elsewhere, LARCH_REACH_GRANT), LARCH_REACH_CHALLENGE);
    assert_int_equal(take(1000, &elsewhere, LARCH_REACH_MARK), LARCH_REACH_CHALLENGE);
    /* The link is the whole fleet: no prefix binds it. */
    assert_int_equal(reach_count(&f, 1000, &on_link, LARCH_REACH_GRANT, 2000), limits.total_burst);
    assert_int_equal(reach_count(&f, 1000, &on_link, LARCH_REACH_EXCESS, 20000), limits.excess_total_burst);
    assert_int_equal(take(1000, &on_link, LARCH_REACH_MARK), LARCH_REACH_GRANTED);
    reach_prove(&f, 1000, &on_link);
    assert_int_equal(reach_count(&f, 1000, &on_link, LARCH_REACH_GRANT, 10000), limits.proven_burst);
    assert_int_equal(take(1000, &on_link, LARCH_REACH_ROOT), LARCH_REACH_GRANTED);
}

/* ---- noted addresses ----------------------------------------------------- */

/* Whoever seals one good message under a forged address buys nothing outside the buckets: not for the address, nor for
 * its network, nor in all. */
static void test_noted_are_bounded(void **state)
{
    (void)state;
    const larch_peer one = at(FAR + 1);
    reach_note(&f, 1000, &one);
    assert_int_equal(reach_standing(&f, 1000, &one), LARCH_REACH_NOTED);
    assert_int_equal(reach_count(&f, 1000, &one, LARCH_REACH_GRANT, 1000), limits.prefix_burst);
    assert_int_equal(reach_count(&f, 2000, &one, LARCH_REACH_GRANT, 1000), limits.prefix_rate);

    restart();
    unsigned granted = 0;
    for (uint32_t i = 0; i < 4; i++) {
        const larch_peer peer = at(FAR + i);
        reach_note(&f, 1000, &peer);
        granted += reach_count(&f, 1000, &peer, LARCH_REACH_GRANT, 1000);
    }
    assert_int_equal(granted, 2 * limits.prefix_burst);

    restart();
    for (uint32_t i = 0; i < 60; i++) {
        const larch_peer peer = at(FAR + (i << 8));
        reach_note(&f, 1000, &peer);
    }
    granted = flood(1000, FAR, 60, LARCH_REACH_GRANT, 1000);
    assert_in_range(granted, limits.total_burst, 2 * limits.total_burst);
    for (uint64_t ms = 2000; ms < 12000; ms += 100)
        granted += flood(ms, FAR, 60, LARCH_REACH_GRANT, 10);
    assert_in_range(granted, 10 * limits.total_rate, 2 * limits.total_burst + 11 * limits.total_rate);
}

/* Strangers who flood the very network of a noted address, and all others, leave it served. */
static void test_noted_outlive_strangers(void **state)
{
    (void)state;
    const larch_peer good = at(LAN + 1);
    reach_note(&f, 1000, &good);
    for (uint64_t s = 1; s < 60; s++) {
        const larch_peer forged = at(LAN + 2 + (uint32_t)s);
        (void)flood(1000 + 1000 * s, FAR, 300, LARCH_REACH_GRANT, 3);
        (void)reach_count(&f, 1000 + 1000 * s, &forged, LARCH_REACH_GRANT, 100);
        (void)reach_count(&f, 1000 + 1000 * s, &forged, LARCH_REACH_EXCESS, 5000);
        assert_int_equal(take(1000 + 1000 * s, &forged, LARCH_REACH_GRANT), LARCH_REACH_CHALLENGE);
        assert_int_equal(take(1000 + 1000 * s, &good, LARCH_REACH_GRANT), LARCH_REACH_GRANTED);
        if (s % 2 == 0) /* a prototype's key */
            assert_int_equal(reach_count(&f, 1000 + 1000 * s, &good, LARCH_REACH_EXCESS, 780), 780);
    }
}

static void test_noted_places(void **state)
{
    (void)state;
    unsigned noted = 0;
    for (uint32_t i = 0; i < 20; i++) {
        const larch_peer peer = at(FAR + i), on_link = reach_on_link(LAN + i);
        reach_note(&f, 1000, &peer);
        reach_note(&f, 1000, &on_link);
        assert_int_equal(reach_standing(&f, 1000, &peer), i < 4 ? LARCH_REACH_NOTED : LARCH_REACH_STRANGER);
        noted += reach_standing(&f, 1000, &on_link) == LARCH_REACH_NOTED;
    }
    assert_in_range(noted, 15, 20);
    larch_peer v6 = {.address = {0x20, 1, 0xd, 0xb8}, .port = 1};
    for (uint8_t i = 0; i < 20; i++) {
        v6.address[15] = i;
        reach_note(&f, 1000, &v6);
        assert_int_equal(reach_standing(&f, 1000, &v6), i < 4 ? LARCH_REACH_NOTED : LARCH_REACH_STRANGER);
    }
}

/* Neither forged messages, nor strangers, nor addresses that prove themselves push out who is noted; and whoever is
 * served in between stays noted for the whole of a long attack. */
static void test_noted_cannot_be_flushed(void **state)
{
    (void)state;
    larch_peer good[8];
    for (uint32_t i = 0; i < 8; i++) {
        good[i] = i % 2 == 0 ? at(LAN + (i << 8)) : reach_on_link(LAN + i);
        reach_note(&f, 0, &good[i]);
    }
    const uint64_t end_ms = 30 * (uint64_t)HOUR_MS;
    for (uint64_t now_ms = 0; now_ms <= end_ms; now_ms += HOUR_MS / 2) {
        for (uint32_t i = 0; i < 3000; i++) {
            const larch_peer forged = at(FAR + (i << 8)), near = reach_on_link(LAN + 0x10000 + i);
            reach_note(&f, now_ms, &forged);
            reach_note(&f, now_ms, &near);
            reach_prove(&f, now_ms, i % 2 == 0 ? &forged : &near);
        }
        (void)flood(now_ms, FAR, 1000, LARCH_REACH_GRANT, 3);
        for (unsigned i = 0; i < 8; i++) {
            assert_int_equal(reach_standing(&f, now_ms, &good[i]), LARCH_REACH_NOTED);
            if (now_ms % (10 * HOUR_MS) == 0)
                assert_int_equal(take(now_ms, &good[i], LARCH_REACH_GRANT), LARCH_REACH_GRANTED);
        }
    }
    for (unsigned i = 0; i < 8; i++) /* a day after it was last served */
        assert_int_equal(reach_standing(&f, end_ms + limits.noted_ms, &good[i]), LARCH_REACH_STRANGER);
}

static void test_noting_has_a_rate(void **state)
{
    (void)state;
    unsigned noted = 0;
    for (uint32_t i = 0; i < 200; i++) {
        const larch_peer peer = reach_on_link(LAN + i * 7);
        reach_note(&f, 1000, &peer);
    }
    for (size_t i = 0; i < REACH_ENTRIES; i++)
        noted += f.entries[i].is_on_link;
    assert_in_range(noted, 40, 64);
    const larch_peer late = reach_on_link(LAN + 0x1234);
    reach_note(&f, 10999, &late);
    assert_int_equal(reach_standing(&f, 10999, &late), LARCH_REACH_STRANGER);
}

/* ---- marks --------------------------------------------------------------- */

/* A budget so small that it can be counted: of 640 marks an hour a network has 320, strangers 40, those of one 10. */
static void few_marks(void)
{
    limits.marks = limits.mark_burst = 640;
    restart();
}

static void test_marks_of_strangers(void **state)
{
    (void)state;
    few_marks();
    const larch_peer one = at(FAR + 1);
    assert_int_equal(reach_count(&f, 1000, &one, LARCH_REACH_MARK, 100), 10);
    assert_int_equal(take(1000, &one, LARCH_REACH_MARK), LARCH_REACH_CHALLENGE);
    assert_int_equal(flood(1000, FAR + 256, 50, LARCH_REACH_MARK, 3), 40 - 10);
    /* Whoever proves itself finds the rest. */
    reach_prove(&f, 1000, &one);
    assert_int_equal(take(1000, &one, LARCH_REACH_MARK), LARCH_REACH_GRANTED);
}

static void test_marks_of_a_prefix(void **state)
{
    (void)state;
    few_marks();
    const larch_peer busy = at(FAR + 1);
    reach_prove(&f, 1000, &busy);
    assert_int_equal(reach_count(&f, 1000, &busy, LARCH_REACH_MARK, 1000), 320 / 2);
    assert_int_equal(take(1000, &busy, LARCH_REACH_MARK), LARCH_REACH_LATER);
    assert_int_equal(f.wait_s, (3600 + 319) / 320);
    /* Those below one mark a second find a quarter more. */
    unsigned granted = 0;
    for (uint32_t i = 2; i < 30; i++) {
        const larch_peer slow = at(FAR + i);
        reach_prove(&f, 1000, &slow);
        granted += reach_count(&f, 1000, &slow, LARCH_REACH_MARK, 5);
    }
    assert_int_equal(granted, 320 / 4);
    /* 320 an hour come back. */
    assert_int_equal(take(1000 + 3600000 / 320 - 1, &busy, LARCH_REACH_MARK), LARCH_REACH_LATER);
    granted = 0;
    for (uint32_t s = 0; s < 3 * 3600; s++) {
        reach_prove(&f, 1000 + 1000 * (uint64_t)s, &busy);
        granted += take(1000 + 1000 * (uint64_t)s, &busy, LARCH_REACH_MARK) == LARCH_REACH_GRANTED;
    }
    assert_in_range(granted, 3 * 320 - 90, 3 * 320 + 160);
}

/* Exhausting the rest never refuses a known-good address, be it proven as well or not. */
static void test_marks_of_the_known_good(void **state)
{
    (void)state;
    few_marks();
    const larch_peer good = at(FAR + 1), both = at(FAR + 2), link = reach_on_link(LAN + 1);
    reach_note(&f, 0, &good);
    reach_note(&f, 0, &both);
    reach_note(&f, 0, &link);
    reach_prove(&f, 0, &both);
    for (uint64_t s = 1; s < 1000; s++) {
        const uint64_t now_ms = 1000 * s;
        for (uint32_t i = 0; i < 60; i++) { /* of the same network, and of others */
            const larch_peer neighbour = at(FAR + 3 + i), stranger = at(FAR + 0x10000 + (i << 8)),
                             near = reach_on_link(LAN + 2 + i);
            reach_prove(&f, now_ms, &neighbour);
            reach_prove(&f, now_ms, &near);
            (void)reach_count(&f, now_ms, &neighbour, LARCH_REACH_MARK, 3);
            (void)reach_count(&f, now_ms, &stranger, LARCH_REACH_MARK, 3);
            (void)reach_count(&f, now_ms, &near, LARCH_REACH_MARK, 3);
        }
        if (s % 200 != 0)
            continue;
        assert_int_equal(take(now_ms, &good, LARCH_REACH_MARK), LARCH_REACH_GRANTED);
        assert_int_equal(take(now_ms, &both, LARCH_REACH_MARK), LARCH_REACH_GRANTED);
        assert_int_equal(take(now_ms, &link, LARCH_REACH_MARK), LARCH_REACH_GRANTED);
    }
    /* It is not known to be good for any rate. */
    assert_in_range(reach_count(&f, 1000000, &good, LARCH_REACH_MARK, 100), 0, 20);
    assert_int_equal(take(1000000, &good, LARCH_REACH_MARK), LARCH_REACH_CHALLENGE);
}

/* No flood of other networks makes the table forget what one has spent. */
static void test_debts_are_not_forgotten(void **state)
{
    (void)state;
    few_marks();
    const larch_peer busy = at(FAR + 1);
    reach_prove(&f, 1000, &busy);
    assert_int_equal(reach_count(&f, 1000, &busy, LARCH_REACH_MARK, 1000), 160);
    for (uint32_t i = 1; i < 20000; i++) {
        const larch_peer forged = at(FAR + (i << 8));
        (void)take(1000 + i / 10, &forged, LARCH_REACH_GRANT);
        (void)take(1000 + i / 10, &forged, LARCH_REACH_EXCESS);
    }
    reach_prove(&f, 3000, &busy);
    assert_int_equal(reach_count(&f, 3000, &busy, LARCH_REACH_MARK, 1000), 2); /* two within its pace since */
}

/* ---- roots ---------------------------------------------------------------- */

static void test_roots(void **state)
{
    (void)state;
    unsigned granted = 0;
    /* Strangers: two at once in all; then they have to prove themselves. */
    assert_int_equal(flood(1000, FAR, 100, LARCH_REACH_ROOT, 2), 2);
    restart();
    for (uint32_t i = 0; i < 100; i++) { /* each for the first time in an hour */
        const larch_peer peer = at(FAR + (i << 8));
        reach_prove(&f, 1000, &peer);
        granted += take(1000, &peer, LARCH_REACH_ROOT) == LARCH_REACH_GRANTED;
    }
    assert_int_equal(granted, limits.root_rate);
    assert_int_equal(f.wait_s, 1);
    /* Four of a network at once, one a second. */
    for (uint32_t i = 1; i <= 6; i++) {
        const larch_peer peer = at(LAN + i);
        reach_prove(&f, 5000, &peer);
        assert_int_equal(take(i < 6 ? 5500 : 6500, &peer, LARCH_REACH_ROOT),
                         i == 5 ? LARCH_REACH_LATER : LARCH_REACH_GRANTED);
        assert_true(i != 5 || f.wait_s == 1);
    }
}

/* Whoever forges addresses of a network, or has some of it, leaves questions to the rest of the network. */
static void test_roots_of_one_prefix(void **state)
{
    (void)state;
    for (unsigned is_proven = 0; is_proven < 2; is_proven++) {
        restart();
        for (uint64_t now_ms = 1000; now_ms < 100000; now_ms += 50) {
            const larch_peer hostile = at(LAN + 100 + (uint32_t)(now_ms / 50 % 20));
            if (is_proven)
                reach_prove(&f, now_ms, &hostile);
            (void)take(now_ms, &hostile, LARCH_REACH_ROOT);
            if (now_ms % 2000 != 0 || now_ms < 20000)
                continue;
            const larch_peer seldom = at(LAN + (uint32_t)(now_ms / 2000));
            reach_prove(&f, now_ms, &seldom);
            assert_int_equal(take(now_ms, &seldom, LARCH_REACH_ROOT), LARCH_REACH_GRANTED);
        }
    }
}

/* Half is kept for addresses that ask less than once an hour. */
static void test_roots_of_the_busy(void **state)
{
    (void)state;
    uint64_t now_ms = 1000;
    for (uint32_t i = 0; i < 12; i++) {
        const larch_peer peer = at(FAR + (i << 8));
        reach_prove(&f, now_ms, &peer);
        assert_int_equal(take(now_ms, &peer, LARCH_REACH_ROOT), LARCH_REACH_GRANTED);
        now_ms += 1000;
    }
    assert_int_equal(flood(now_ms, FAR, 12, LARCH_REACH_ROOT, 1), limits.root_rate / 2);
    const larch_peer seldom = at(LAN + 1);
    reach_prove(&f, now_ms, &seldom);
    assert_int_equal(take(now_ms, &seldom, LARCH_REACH_ROOT), LARCH_REACH_GRANTED);
}

/* ---- bytes ---------------------------------------------------------------- */

static void test_excess(void **state)
{
    (void)state;
    uint32_t wait_s;
    const larch_peer one = at(FAR + 1);
    assert_int_equal(reach_count(&f, 1000, &one, LARCH_REACH_EXCESS, 10000), limits.excess_prefix_burst);
    assert_in_range(reach_count(&f, 2000, &one, LARCH_REACH_EXCESS, 10000), 1020, limits.excess_prefix_rate);
    assert_int_equal(flood(2000, FAR + 256, 20, LARCH_REACH_EXCESS, 5000) / 100, (16384 - 1024) / 100);
    assert_int_equal(flood(2000, FAR, 50, LARCH_REACH_EXCESS, 1), 0);
    /* Many bytes are asked for together: all of them, or none. */
    const larch_peer other = reach_on_link(LAN + 1);
    larch_reach_source source = larch_reach_identify(&f.reach, 2000, &other, (larch_bytes){0});
    assert_int_equal(larch_reach_ask(&f.reach, 2000, &source, LARCH_REACH_EXCESS, 16384, &wait_s), LARCH_REACH_GRANTED);
    assert_int_equal(larch_reach_ask(&f.reach, 2000, &source, LARCH_REACH_EXCESS, 16385, &wait_s),
                     LARCH_REACH_CHALLENGE);
    /* Whoever is proven has no part in it. */
    reach_prove(&f, 2000, &one);
    assert_int_equal(reach_count(&f, 2000, &one, LARCH_REACH_EXCESS, 100000), 100000);
    /* Zero is allowed, and allows nothing. */
    limits.excess_prefix_burst = 0;
    restart();
    assert_int_equal(take(1000, &one, LARCH_REACH_EXCESS), LARCH_REACH_CHALLENGE);
    limits = larch_reach_default_limits();
    limits.excess_total_burst = limits.excess_total_rate = 0;
    restart();
    assert_int_equal(take(1000, &one, LARCH_REACH_EXCESS), LARCH_REACH_CHALLENGE);
}

/* ---- looking ahead ---------------------------------------------------------- */

#if LARCH_SERVER_GROUP > 1

/* What would be granted is granted: after any past, that many grants and marks are given in a row. */
static void test_would_grant(void **state)
{
    (void)state;
    const larch_reach_limits tight = {.prefix_rate = 5,
                                      .prefix_burst = 6,
                                      .total_rate = 12,
                                      .total_burst = 20,
                                      .proven_rate = 3,
                                      .proven_burst = 5,
                                      .proven_ms = 30000,
                                      .noted_ms = 60000,
                                      .echo_ms = 10000,
                                      .marks = 3600,
                                      .mark_burst = 48};
    unsigned promised = 0;
    uint64_t now_ms = 1000;
    limits = tight;
    restart();
    uint32_t dice = 1;
    for (unsigned round = 0; round < 20000; round++) {
        dice = dice * 1103515245u + 12345u;
        const uint32_t any = dice >> 8;
        larch_peer peer = at(LAN + ((any & 3) << 8) + (any >> 2 & 3));
        peer.is_on_link = (any & 3) == 0;
        const uint32_t takes = 1 + (any >> 4) % 8;
        now_ms += (any >> 8) % 16 == 0 ? 2000 : (any >> 8) % 4 * 50;
        if ((any >> 12) % 16 == 0)
            reach_prove(&f, now_ms, &peer);
        if ((any >> 12) % 16 == 1)
            reach_note(&f, now_ms, &peer);
        if (!larch_reach_would_grant(&f.reach, now_ms, &peer, takes)) {
            (void)take(now_ms, &peer, LARCH_REACH_GRANT);
            continue;
        }
        promised++;
        for (uint32_t i = 0; i < takes; i++) {
            assert_int_equal(take(now_ms, &peer, LARCH_REACH_GRANT), LARCH_REACH_GRANTED);
            assert_int_equal(take(now_ms, &peer, LARCH_REACH_MARK), LARCH_REACH_GRANTED);
        }
    }
    assert_in_range(promised, 1000, 19000);
}

#else
static void test_would_grant(void **state) { (void)state; }
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_prefix_of_proven, begin),
        cmocka_unit_test_setup(test_total_of_proven, begin),
        cmocka_unit_test_setup(test_rate_of_nothing_is_no_limit, begin),
        cmocka_unit_test_setup(test_link, begin),
        cmocka_unit_test_setup(test_noted_are_bounded, begin),
        cmocka_unit_test_setup(test_noted_outlive_strangers, begin),
        cmocka_unit_test_setup(test_noted_places, begin),
        cmocka_unit_test_setup(test_noted_cannot_be_flushed, begin),
        cmocka_unit_test_setup(test_noting_has_a_rate, begin),
        cmocka_unit_test_setup(test_marks_of_strangers, begin),
        cmocka_unit_test_setup(test_marks_of_a_prefix, begin),
        cmocka_unit_test_setup(test_marks_of_the_known_good, begin),
        cmocka_unit_test_setup(test_debts_are_not_forgotten, begin),
        cmocka_unit_test_setup(test_roots, begin),
        cmocka_unit_test_setup(test_roots_of_the_busy, begin),
        cmocka_unit_test_setup(test_roots_of_one_prefix, begin),
        cmocka_unit_test_setup(test_excess, begin),
        cmocka_unit_test_setup(test_would_grant, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
