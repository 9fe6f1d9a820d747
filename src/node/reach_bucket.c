/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Token buckets, each kept as one number: the time until it is full again, its debt. Whatever its rate, a debt shrinks
 * with the clock; so the buckets of an entry share one clock, an absent entry is a full bucket, and none is ever
 * refilled by a flood of other work. [ITU-T I.371, virtual scheduling]
 */
#include "node/reach_int.h"

#define SECOND_US 1000000u
#define HOUR_US   UINT32_C(3600000000)

/* ---- gauges ----------------------------------------------------------------- */

/* rate: so many a period. The cost is rounded up: a budget never gives more than it says. */
static larch_reach_gauge gauge_of(uint32_t period_us, uint32_t rate, uint64_t burst)
{
    if (rate == 0)
        return (larch_reach_gauge){0, UINT32_MAX};
    const uint32_t cost_us = period_us / rate + (period_us % rate != 0);
    const uint64_t most = UINT32_MAX / cost_us;
    return (larch_reach_gauge){cost_us, (uint32_t)((burst < most ? burst : most) * cost_us)};
}

/* For strangers a burst of 0 allows nothing, also without a rate. Noted peers have as much again. */
static larch_reach_gauge strangers_gauge(uint32_t rate, uint32_t burst)
{
    return burst == 0 ? (larch_reach_gauge){SECOND_US, 0} : gauge_of(SECOND_US, rate, 2 * (uint64_t)burst);
}

/* Stays 0, for a budget that is off, only if rate is. */
static uint32_t part_of(uint32_t rate, uint32_t n) { return rate / n + (rate % n != 0); }

static uint32_t times(uint32_t n, uint32_t rate) { return rate < UINT32_MAX / n ? n * rate : UINT32_MAX; }

void larch_reach_gauges_init(larch_reach_gauge gauges[GAUGE_COUNT], const larch_reach_limits *l)
{
    gauges[GAUGE_OFF] = gauge_of(SECOND_US, 0, 0);
    gauges[GAUGE_STRANGERS_PREFIX] = strangers_gauge(l->prefix_rate, l->prefix_burst);
    gauges[GAUGE_STRANGERS_TOTAL] = strangers_gauge(l->total_rate, l->total_burst);
    gauges[GAUGE_PROVEN] = gauge_of(SECOND_US, l->proven_rate, 2 * (uint64_t)l->proven_burst);
    gauges[GAUGE_PROVEN_PREFIX] = gauge_of(SECOND_US, times(2, l->proven_rate), 4 * (uint64_t)l->proven_burst);
    gauges[GAUGE_PROVEN_TOTAL] = gauge_of(SECOND_US, times(4, l->proven_rate), 8 * (uint64_t)l->proven_burst);
    gauges[GAUGE_PACE_GRANT] = gauge_of(SECOND_US, 4, 20);
    gauges[GAUGE_PACE_MARK] = gauge_of(SECOND_US, 1, 20);
    gauges[GAUGE_PACE_ROOT] = gauge_of(HOUR_US, 1, 1);
    gauges[GAUGE_MARKS_PREFIX] = gauge_of(HOUR_US, part_of(l->marks, 2), l->mark_burst / 2);
    gauges[GAUGE_MARKS_TOTAL] = gauge_of(HOUR_US, l->marks, l->mark_burst);
    gauges[GAUGE_STRANGER_MARKS_PREFIX] = gauge_of(HOUR_US, part_of(l->marks, 64), l->mark_burst / 64);
    gauges[GAUGE_STRANGER_MARKS_TOTAL] = gauge_of(HOUR_US, part_of(l->marks, 16), l->mark_burst / 16);
    gauges[GAUGE_ROOTS_PREFIX] = gauge_of(SECOND_US, l->root_rate > 0, 4); /* strangers' share is one */
    gauges[GAUGE_ROOTS_TOTAL] = gauge_of(SECOND_US, l->root_rate, l->root_rate);
    gauges[GAUGE_EXCESS_PREFIX] = strangers_gauge(l->excess_prefix_rate, l->excess_prefix_burst);
    gauges[GAUGE_EXCESS_TOTAL] = strangers_gauge(l->excess_total_rate, l->excess_total_burst);
    gauges[GAUGE_NOTES] = (larch_reach_gauge){10 * SECOND_US, 64 * 10 * SECOND_US};
}

/* ---- debts ------------------------------------------------------------------ */

static uint32_t left_of(uint32_t debt_us, uint64_t elapsed_ms)
{
    return elapsed_ms <= UINT32_MAX / 1000 && (uint32_t)elapsed_ms * 1000 < debt_us
               ? debt_us - (uint32_t)elapsed_ms * 1000
               : 0;
}

uint32_t larch_reach_owed_us(const larch_reach_entry *entry, unsigned debt, uint64_t now_ms)
{
    return entry != NULL ? left_of(entry->debt_us[debt], now_ms - entry->at_ms) : 0;
}

uint64_t larch_reach_short_us(const larch_reach_entry *entry, unsigned debt, const larch_reach_gauge *gauge,
                              unsigned share, uint32_t amount, uint64_t now_ms)
{
    const uint64_t room_us = (uint64_t)gauge->room_us * share / SHARE_ALL;
    const uint64_t then_us = larch_reach_owed_us(entry, debt, now_ms) + (uint64_t)gauge->cost_us * amount;
    return gauge->cost_us > 0 && then_us > room_us ? then_us - room_us : 0;
}

void larch_reach_owe(larch_reach_entry *entry, unsigned debt, const larch_reach_gauge *gauge, uint32_t amount,
                     uint64_t now_ms)
{
    const uint64_t elapsed_ms = now_ms - entry->at_ms;
    if (elapsed_ms > 0)
        for (size_t i = 0; i < LARCH_REACH_DEBTS; i++)
            entry->debt_us[i] = left_of(entry->debt_us[i], elapsed_ms);
    entry->at_ms = now_ms;
    const uint64_t then_us = entry->debt_us[debt] + (uint64_t)gauge->cost_us * amount;
    entry->debt_us[debt] = then_us < UINT32_MAX ? (uint32_t)then_us : UINT32_MAX;
}
