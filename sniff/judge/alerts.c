/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sniff/dissect/table.h"
#include "sniff/judge/judge_int.h"

void larch_sniff_alerts_init(larch_sniff_alerts *alerts) { memset(alerts, 0, sizeof *alerts); }

static struct larch_sniff_cause *find_cause(larch_sniff_alerts *a, larch_sniff_alert_kind kind, uint64_t hash)
{
    struct larch_sniff_cause *set = &a->causes[larch_sniff_hash_set(hash, LARCH_SNIFF_CAUSES)], *oldest = set;
    for (size_t i = 0; i < LARCH_SNIFF_WAYS; i++) {
        if (set[i].count != 0 && set[i].hash == hash && set[i].kind == kind)
            return &set[i];
        if (oldest->count != 0 && (set[i].count == 0 || set[i].last < oldest->last))
            oldest = &set[i];
    }
    memset(oldest, 0, sizeof *oldest);
    oldest->hash = hash;
    oldest->kind = kind;
    return oldest;
}

larch_sniff_alert *larch_sniff_raise(larch_sniff_alerts *a, larch_sniff_judged judged, larch_sniff_alert_kind kind,
                                     uint64_t cause, const char *format, ...)
{
    larch_sniff_alert *alert = &a->now[a->now_count];
    va_list arguments;
    *alert = (larch_sniff_alert){.kind = kind, .number = judged.number, .time_ns = judged.time_ns};
    if (a->now_count == LARCH_SNIFF_ALERTS_MAX)
        return alert;
    a->now_count++;
    va_start(arguments, format);
    (void)vsnprintf(alert->text, sizeof alert->text, format, arguments);
    va_end(arguments);
    if (judged.datagram != NULL && judged.datagram->has_addresses) {
        alert->has_addresses = true;
        alert->source = judged.datagram->source;
        alert->destination = judged.datagram->destination;
    }

    struct larch_sniff_tally *tally = &a->tallies[kind];
    struct larch_sniff_cause *c = find_cause(a, kind, larch_sniff_hash(cause, &kind, sizeof kind));
    tally->alerts++;
    if (c->count == 0) {
        tally->causes++;
        if (tally->second != judged.time_ns / LARCH_SNIFF_SECOND_NS)
            tally->told = 0;
        tally->second = judged.time_ns / LARCH_SNIFF_SECOND_NS;
        alert->told = tally->told++ < LARCH_SNIFF_ALERTS_PER_S;
        if (!alert->told)
            tally->untold++;
    }
    c->last = judged.number;
    alert->count = ++c->count;
    return alert;
}

size_t larch_sniff_alerts_take(larch_sniff_alerts *alerts, const larch_sniff_packet *packet,
                               const larch_sniff_alert **out)
{
    static const struct {
        larch_sniff_detector *detect;
        bool duplicates;
    } detectors[] = {
#define ROW(name, duplicates) {larch_sniff_detect_##name, (duplicates)},
        LARCH_SNIFF_DETECTORS(ROW)
#undef ROW
    };
    alerts->now_count = 0;
    for (size_t i = 0; i < sizeof detectors / sizeof detectors[0]; i++)
        if (packet->duplicate_of == 0 || detectors[i].duplicates)
            detectors[i].detect(alerts, packet);
    *out = alerts->now;
    return alerts->now_count;
}
