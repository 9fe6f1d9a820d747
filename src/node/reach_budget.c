/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Budgets: who may spend what. Each is a row below, with a bucket of the address, one of its prefix and one of all. A
 * rank may fill the shared buckets up to its share, so that whoever stands higher finds the rest of it unspent,
 * whatever those below do: strangers, then proven addresses above the pace of an honest sender, then those within it,
 * then the few that are noted.
 */
#include "node/reach_int.h"

typedef enum rank { RANK_STRANGER, RANK_BUSY, RANK_SLOW, RANK_GOOD, RANK_COUNT } rank;

typedef struct budget {
    uint8_t own; /* gauges */
    uint8_t pace;
    uint8_t prefix;
    uint8_t total;
    uint8_t pace_debt;
    uint8_t debt; /* of prefix and total */
    uint8_t share[RANK_COUNT];
} budget;

static const budget budget_strangers = {.own = GAUGE_STRANGERS_PREFIX,
                                        .pace = GAUGE_PACE_GRANT,
                                        .pace_debt = DEBT_PACE_GRANT,
                                        .prefix = GAUGE_STRANGERS_PREFIX,
                                        .total = GAUGE_STRANGERS_TOTAL,
                                        .debt = DEBT_STRANGERS,
                                        .share = {[RANK_STRANGER] = 8, [RANK_GOOD] = 16}};
static const budget budget_proven = {.own = GAUGE_PROVEN,
                                     .pace = GAUGE_PACE_GRANT,
                                     .prefix = GAUGE_PROVEN_PREFIX,
                                     .total = GAUGE_PROVEN_TOTAL,
                                     .pace_debt = DEBT_PACE_GRANT,
                                     .debt = DEBT_PROVEN,
                                     .share = {[RANK_BUSY] = 8, [RANK_SLOW] = 16, [RANK_GOOD] = 16}};
static const budget budget_marks = {.pace = GAUGE_PACE_MARK,
                                    .prefix = GAUGE_MARKS_PREFIX,
                                    .total = GAUGE_MARKS_TOTAL,
                                    .pace_debt = DEBT_PACE_MARK,
                                    .debt = DEBT_MARKS,
                                    .share = {[RANK_BUSY] = 8, [RANK_SLOW] = 12, [RANK_GOOD] = 16}};
static const budget budget_stranger_marks = {.prefix = GAUGE_STRANGER_MARKS_PREFIX,
                                             .total = GAUGE_STRANGER_MARKS_TOTAL,
                                             .debt = DEBT_STRANGER_MARKS,
                                             .share = {[RANK_STRANGER] = 16}};
static const budget budget_roots = {.pace = GAUGE_PACE_ROOT,
                                    .prefix = GAUGE_ROOTS_PREFIX,
                                    .total = GAUGE_ROOTS_TOTAL,
                                    .pace_debt = DEBT_PACE_ROOT,
                                    .debt = DEBT_ROOTS,
                                    .share = {4, 8, 16, 16}};
static const budget budget_excess = {.prefix = GAUGE_EXCESS_PREFIX,
                                     .total = GAUGE_EXCESS_TOTAL,
                                     .debt = DEBT_EXCESS,
                                     .share = {[RANK_STRANGER] = 8, [RANK_GOOD] = 16}};

static const budget *budget_of(const larch_reach_source *source, larch_reach_cost cost)
{
    switch (cost) {
    case LARCH_REACH_MARK:
        return source->standing == LARCH_REACH_STRANGER ? &budget_stranger_marks : &budget_marks;
    case LARCH_REACH_ROOT:
        return &budget_roots;
    case LARCH_REACH_EXCESS:
        return &budget_excess;
    default:
        return source->standing == LARCH_REACH_PROVEN ? &budget_proven : &budget_strangers;
    }
}

static larch_reach_entry *own_entry(const larch_reach *reach, const larch_reach_source *source)
{
    return source->standing == LARCH_REACH_PROVEN  ? larch_reach_find_proven(reach, source)
           : source->standing == LARCH_REACH_NOTED ? larch_reach_find_noted(reach, source)
                                                   : NULL;
}

/* ---- asking ------------------------------------------------------------------ */

static bool is_within_pace(const larch_reach *reach, const budget *b, const larch_reach_entry *own, uint32_t amount,
                           uint64_t now_ms)
{
    return own != NULL &&
           larch_reach_short_us(own, b->pace_debt, &reach->gauges[b->pace], SHARE_ALL, amount, now_ms) == 0;
}

static rank rank_of(const larch_reach *reach, const budget *b, const larch_reach_source *source,
                    const larch_reach_entry *own, uint32_t amount, uint64_t now_ms)
{
    const bool is_slow = is_within_pace(reach, b, own, amount, now_ms);
    if (source->standing == LARCH_REACH_PROVEN)
        return is_slow ? RANK_SLOW : RANK_BUSY;
    return source->standing == LARCH_REACH_NOTED && is_slow ? RANK_GOOD : RANK_STRANGER;
}

/* The longer of the waits for prefix and total. */
static uint64_t shared_short_us(const larch_reach *reach, const budget *b, const larch_reach_source *source, rank as,
                                uint32_t amount, uint64_t now_ms)
{
    const uint64_t total_us = larch_reach_short_us(&reach->totals[source->is_on_link], b->debt,
                                                   &reach->gauges[b->total], b->share[as], amount, now_ms);
    if (source->is_on_link)
        return total_us;
    const uint64_t prefix_us = larch_reach_short_us(larch_reach_find_prefix(reach, source), b->debt,
                                                    &reach->gauges[b->prefix], b->share[as], amount, now_ms);
    return prefix_us > total_us ? prefix_us : total_us;
}

static larch_reach_verdict refuse(uint64_t short_us, uint32_t *wait_s)
{
    *wait_s = (uint32_t)((short_us + 999999) / 1000000);
    return LARCH_REACH_LATER;
}

larch_reach_verdict larch_reach_ask(const larch_reach *reach, uint64_t now_ms, const larch_reach_source *source,
                                    larch_reach_cost cost, uint32_t amount, uint32_t *wait_s)
{
    const budget *b = budget_of(source, cost);
    const bool is_proven = source->standing == LARCH_REACH_PROVEN;
    if (is_proven && cost == LARCH_REACH_EXCESS)
        return LARCH_REACH_GRANTED;
    const larch_reach_entry *own = own_entry(reach, source);
    /* An Echo in this very request finds half of the address's room kept for it: whoever forges the address has none. */
    const unsigned own_share = source->has_echo ? SHARE_ALL : SHARE_ALL / 2;
    const uint64_t own_us = larch_reach_short_us(own, DEBT_OWN, &reach->gauges[b->own], own_share, amount, now_ms);
    if (own_us > 0)
        return source->has_echo ? refuse(own_us, wait_s) : LARCH_REACH_CHALLENGE;
    const rank as = rank_of(reach, b, source, own, amount, now_ms);
    const uint64_t short_us = shared_short_us(reach, b, source, as, amount, now_ms);
    if (short_us == 0)
        return LARCH_REACH_GRANTED;
    if (!is_proven)
        return LARCH_REACH_CHALLENGE;
    /* Only now is it worth a look whether it is noted as well. */
    if (as == RANK_SLOW && larch_reach_is_current(larch_reach_find_noted(reach, source), now_ms) &&
        shared_short_us(reach, b, source, RANK_GOOD, amount, now_ms) == 0)
        return LARCH_REACH_GRANTED;
    return refuse(short_us, wait_s);
}

#if LARCH_SERVER_GROUP > 1

bool larch_reach_would_grant(const larch_reach *reach, uint64_t now_ms, const larch_peer *peer, uint32_t takes)
{
    uint32_t wait_s;
    larch_reach_source source = {.is_on_link = peer->is_on_link};
    larch_reach_hash(reach, peer, &source);
    if (larch_reach_is_current(larch_reach_find_proven(reach, &source), now_ms))
        source.standing = LARCH_REACH_PROVEN;
    else if (larch_reach_is_current(larch_reach_find_noted(reach, &source), now_ms))
        source.standing = LARCH_REACH_NOTED;
    return larch_reach_ask(reach, now_ms, &source, LARCH_REACH_GRANT, takes, &wait_s) == LARCH_REACH_GRANTED &&
           larch_reach_ask(reach, now_ms, &source, LARCH_REACH_MARK, takes, &wait_s) == LARCH_REACH_GRANTED;
}

#endif

/* ---- spending ----------------------------------------------------------------- */

void larch_reach_spend(larch_reach *reach, uint64_t now_ms, const larch_reach_source *source, larch_reach_cost cost,
                       uint32_t amount)
{
    const budget *b = budget_of(source, cost);
    if (source->standing == LARCH_REACH_PROVEN && cost == LARCH_REACH_EXCESS)
        return;
    larch_reach_entry *own = own_entry(reach, source);
    if (own != NULL) {
        if (cost == LARCH_REACH_GRANT)
            larch_reach_owe(own, DEBT_OWN, &reach->gauges[b->own], amount, now_ms);
        if (source->standing == LARCH_REACH_NOTED)
            larch_reach_extend(own, now_ms, reach->noted_ms);
        /* What is above the pace is not owed to it: a busy sender that slows down is a slow one at once. */
        if (b->pace != GAUGE_OFF && is_within_pace(reach, b, own, amount, now_ms))
            larch_reach_owe(own, b->pace_debt, &reach->gauges[b->pace], amount, now_ms);
    }
    larch_reach_owe(&reach->totals[source->is_on_link], b->debt, &reach->gauges[b->total], amount, now_ms);
    if (!source->is_on_link && reach->gauges[b->prefix].cost_us > 0)
        larch_reach_owe(larch_reach_make_prefix(reach, source, now_ms), b->debt, &reach->gauges[b->prefix], amount,
                        now_ms);
}

larch_reach_verdict larch_reach_take(larch_reach *reach, uint64_t now_ms, const larch_reach_source *source,
                                     larch_reach_cost cost, uint32_t *wait_s)
{
    const larch_reach_verdict verdict = larch_reach_ask(reach, now_ms, source, cost, 1, wait_s);
    if (verdict == LARCH_REACH_GRANTED)
        larch_reach_spend(reach, now_ms, source, cost, 1);
    return verdict;
}
