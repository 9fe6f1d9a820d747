/* SPDX-License-Identifier: Apache-2.0 */
/* Limits, the table's life, and who a request comes from. */
#include <string.h>

#include "base/siphash.h"
#include "node/reach_int.h"

#define ENTRIES_MIN 16

larch_reach_limits larch_reach_default_limits(void)
{
    return (larch_reach_limits){
        .prefix_rate = 20,
        .prefix_burst = 40,
        .total_rate = 400,
        .total_burst = 800,
        .proven_rate = 2000,
        .proven_burst = 4000,
        .proven_ms = 3600000,
        .noted_ms = 24 * 3600000,
        .echo_ms = 300000,
        .marks = 107520,
        .mark_burst = 107520,
        .root_rate = 10,
        .excess_prefix_rate = 1024,
        .excess_prefix_burst = 4096,
        .excess_total_rate = 8192,
        .excess_total_burst = 16384,
    };
}

void larch_reach_set_limits(larch_reach *reach, const larch_reach_limits *limits)
{
    reach->proven_ms = limits->proven_ms;
    reach->noted_ms = limits->noted_ms;
    reach->echo_ms = limits->echo_ms;
    larch_reach_gauges_init(reach->gauges, limits);
}

larch_error larch_reach_init(larch_reach *reach, larch_reach_entry *entries, size_t count,
                             const larch_reach_limits *limits, const larch_random *random)
{
    memset(reach, 0, sizeof *reach);
    if (count < ENTRIES_MIN || (count & (count - 1)) != 0)
        return LARCH_STATE;
    reach->entries = entries;
    reach->entry_count = count;
    larch_reach_set_limits(reach, limits);
    /* Only what is not zero is written: pages that a system has promised but not yet given stay so. A free entry is
     * never read but for its key. */
    for (larch_reach_entry *e = entries; e < entries + count; e++)
        if (e->key != 0)
            *e = (larch_reach_entry){0};
    larch_error e = larch_siphash_key(random, reach->table_key);
    return e != LARCH_OK ? e : larch_random_fill(random, reach->echo_key, sizeof reach->echo_key);
}

/* ---- who it is ----------------------------------------------------------------- */

larch_reach_source larch_reach_identify(larch_reach *reach, uint64_t now_ms, const larch_peer *peer, larch_bytes echo)
{
    larch_reach_source source = {.is_on_link = peer->is_on_link};
    larch_reach_hash(reach, peer, &source);
    if (echo.len > 0 && larch_reach_echo_is_genuine(reach, now_ms, peer, echo)) {
        larch_reach_entry *proven = larch_reach_make_proven(reach, &source, now_ms);
        larch_reach_extend(proven, now_ms, reach->proven_ms);
        source.has_echo = true;
    }
    if (source.has_echo || larch_reach_is_current(larch_reach_find_proven(reach, &source), now_ms)) {
        source.standing = LARCH_REACH_PROVEN;
        return source;
    }
    larch_reach_entry *noted = larch_reach_find_noted(reach, &source);
    if (larch_reach_is_current(noted, now_ms))
        source.standing = LARCH_REACH_NOTED;
    return source;
}

void larch_reach_note_good(larch_reach *reach, uint64_t now_ms, const larch_reach_source *source)
{
    larch_reach_entry *noted = larch_reach_find_noted(reach, source);
    if (!larch_reach_is_current(noted, now_ms)) {
        /* Quiet: strangers have half of their grants left. Theirs are half of the bucket. */
        larch_reach_entry *total = &reach->totals[source->is_on_link];
        const bool is_quiet = larch_reach_short_us(total, DEBT_STRANGERS, &reach->gauges[GAUGE_STRANGERS_TOTAL],
                                                   SHARE_ALL / 4, 0, now_ms) == 0;
        const larch_reach_gauge *notes = &reach->gauges[GAUGE_NOTES];
        if (!is_quiet || larch_reach_short_us(total, DEBT_NOTES, notes, SHARE_ALL, 1, now_ms) > 0 ||
            (noted = larch_reach_make_noted(reach, source, now_ms)) == NULL)
            return;
        larch_reach_owe(total, DEBT_NOTES, notes, 1, now_ms);
    }
    larch_reach_extend(noted, now_ms, reach->noted_ms);
}
