/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of reachability share: debts, gauges, and the table. */
#ifndef LARCH_REACH_INT_H
#define LARCH_REACH_INT_H

#include "larch/reach.h"

/* ---- buckets (reach_bucket.c) -------------------------------------------- */

/* Of each entry, which debt is whose. */
enum {
    /* a proven or noted address */
    DEBT_OWN = 0,        /* grants, at the address's rate */
    DEBT_PACE_GRANT = 1, /* grants, marks and root questions within the pace of an honest sender */
    DEBT_PACE_MARK = 2,
    DEBT_PACE_ROOT = 3,
    /* a prefix, or a total */
    DEBT_STRANGERS = 0,
    DEBT_PROVEN = 1,
    DEBT_MARKS = 2,
    DEBT_ROOTS = 3,
    DEBT_EXCESS = 4,
    DEBT_STRANGER_MARKS = 5,
    DEBT_NOTES = 6, /* of a total alone */
};

typedef enum reach_gauge {
    GAUGE_OFF,
    GAUGE_STRANGERS_PREFIX,
    GAUGE_STRANGERS_TOTAL,
    GAUGE_PROVEN,
    GAUGE_PROVEN_PREFIX,
    GAUGE_PROVEN_TOTAL,
    GAUGE_PACE_GRANT,
    GAUGE_PACE_MARK,
    GAUGE_PACE_ROOT,
    GAUGE_MARKS_PREFIX,
    GAUGE_MARKS_TOTAL,
    GAUGE_STRANGER_MARKS_PREFIX,
    GAUGE_STRANGER_MARKS_TOTAL,
    GAUGE_ROOTS_PREFIX,
    GAUGE_ROOTS_TOTAL,
    GAUGE_EXCESS_PREFIX,
    GAUGE_EXCESS_TOTAL,
    GAUGE_NOTES,
    GAUGE_COUNT
} reach_gauge;

_Static_assert(GAUGE_COUNT == LARCH_REACH_GAUGES, "one place for each");

#define SHARE_ALL 16 /* shares of a bucket's room are sixteenths */

void larch_reach_gauges_init(larch_reach_gauge gauges[GAUGE_COUNT], const larch_reach_limits *limits);

/* What is still owed at now_ms. A NULL entry owes nothing. */
uint32_t larch_reach_owed_us(const larch_reach_entry *entry, unsigned debt, uint64_t now_ms);
/* The time until so many more fit into that share of the room; 0: they do now. */
uint64_t larch_reach_short_us(const larch_reach_entry *entry, unsigned debt, const larch_reach_gauge *gauge,
                              unsigned share, uint32_t amount, uint64_t now_ms);
/* Adds so many to what is owed. */
void larch_reach_owe(larch_reach_entry *entry, unsigned debt, const larch_reach_gauge *gauge, uint32_t amount,
                     uint64_t now_ms);

/* ---- table (reach_table.c) ------------------------------------------------ */

/* The hashes of peer's address and prefix, in one pass. */
void larch_reach_hash(const larch_reach *reach, const larch_peer *peer, larch_reach_source *source);

static inline bool larch_reach_is_current(const larch_reach_entry *entry, uint64_t now_ms)
{
    return entry != NULL && (uint32_t)(now_ms / 1000) < entry->until_s;
}

static inline void larch_reach_extend(larch_reach_entry *entry, uint64_t now_ms, uint32_t ms)
{
    entry->until_s = (uint32_t)((now_ms + ms) / 1000) & 0x7fffffffu;
}

/* NULL: there is none. Those of addresses may be over: larch_reach_is_current. */
larch_reach_entry *larch_reach_find_proven(const larch_reach *reach, const larch_reach_source *source);
larch_reach_entry *larch_reach_find_noted(const larch_reach *reach, const larch_reach_source *source);
larch_reach_entry *larch_reach_find_prefix(const larch_reach *reach, const larch_reach_source *source);

/* An entry found or made anew. A proven address takes the place of the one longest untouched; a prefix the place of
 * the one that owes least, so that no flood makes another prefix's debts forgotten; a noted address (NULL: it has no
 * place) only one whose time is over. */
larch_reach_entry *larch_reach_make_proven(const larch_reach *reach, const larch_reach_source *source, uint64_t now_ms);
larch_reach_entry *larch_reach_make_noted(const larch_reach *reach, const larch_reach_source *source, uint64_t now_ms);
larch_reach_entry *larch_reach_make_prefix(const larch_reach *reach, const larch_reach_source *source, uint64_t now_ms);

/* ---- Echo (reach_echo.c) --------------------------------------------------- */

bool larch_reach_echo_is_genuine(const larch_reach *reach, uint64_t now_ms, const larch_peer *peer, larch_bytes echo);

#endif
