/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sniff/alert_int.h"
#include "sniff/text.h"

static const struct {
    const char *name;
    larch_sniff_severity severity;
    const char *meaning;
} kinds[] = {
#define KIND(id, name, severity, text) {(name), LARCH_SNIFF_##severity, (text)},
    LARCH_SNIFF_ALERTS(KIND)
#undef KIND
};

const char *larch_sniff_alert_name(larch_sniff_alert_kind kind) { return kinds[kind].name; }
larch_sniff_severity larch_sniff_alert_severity(larch_sniff_alert_kind kind) { return kinds[kind].severity; }
const char *larch_sniff_alert_meaning(larch_sniff_alert_kind kind) { return kinds[kind].meaning; }

const char *larch_sniff_severity_text(larch_sniff_severity severity)
{
#define SEVERITY(name, text) (text),
    static const char *const texts[] = {LARCH_SNIFF_SEVERITIES(SEVERITY)};
#undef SEVERITY
    return texts[severity];
}

void larch_sniff_alerts_init(larch_sniff_alerts *alerts) { memset(alerts, 0, sizeof *alerts); }

static struct larch_sniff_cause *find_cause(larch_sniff_alerts *a, larch_sniff_alert_kind kind, uint64_t hash)
{
    struct larch_sniff_cause *set = &a->causes[hash_set(hash, LARCH_SNIFF_CAUSES)], *oldest = set;
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

void larch_sniff_raise(larch_sniff_alerts *a, uint64_t number, uint64_t time_ns, larch_sniff_alert_kind kind,
                       uint64_t cause, const char *format, ...)
{
    if (a->now_count == LARCH_SNIFF_ALERTS_MAX)
        return;
    larch_sniff_alert *alert = &a->now[a->now_count++];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(alert->text, sizeof alert->text, format, arguments);
    va_end(arguments);
    alert->kind = kind;
    alert->number = number;
    alert->time_ns = time_ns;

    struct larch_sniff_tally *tally = &a->tallies[kind];
    struct larch_sniff_cause *c = find_cause(a, kind, hash_bytes(cause, &kind, sizeof kind));
    tally->alerts++;
    alert->told = false;
    if (c->count == 0) {
        memcpy(c->text, alert->text, sizeof c->text);
        tally->causes++;
        if (tally->second != time_ns / SECOND_NS)
            tally->told = 0;
        tally->second = time_ns / SECOND_NS;
        alert->told = tally->told++ < LARCH_SNIFF_ALERTS_PER_S;
        if (!alert->told)
            tally->untold++;
    }
    c->last = number;
    alert->count = ++c->count;
}

uint32_t larch_sniff_rate(larch_sniff_alerts *a, uint8_t purpose, const larch_peer *subject, uint64_t now_ns,
                          uint64_t window_ns)
{
    enum { BUCKETS = sizeof a->rates[0].buckets / sizeof a->rates[0].buckets[0] };
    uint64_t hash = hash_peer(hash_bytes(HASH_START, &purpose, 1), subject);
    struct larch_sniff_rate *set = &a->rates[hash_set(hash, LARCH_SNIFF_RATES)], *rate = NULL, *oldest = set;
    uint64_t slot = now_ns / (window_ns / BUCKETS);
    for (size_t i = 0; i < LARCH_SNIFF_WAYS; i++) {
        if (set[i].purpose == purpose && larch_peer_equal(&set[i].subject, subject))
            rate = &set[i];
        if (oldest->purpose != 0 && (set[i].purpose == 0 || set[i].slot < oldest->slot))
            oldest = &set[i];
    }
    if (rate == NULL) {
        rate = oldest;
        memset(rate, 0, sizeof *rate);
        rate->subject = *subject;
        rate->purpose = purpose;
        rate->slot = slot;
    }
    for (unsigned passed = 0; rate->slot < slot && passed < BUCKETS; passed++)
        rate->buckets[++rate->slot % BUCKETS] = 0;
    if (rate->slot < slot)
        rate->slot = slot; /* idle for longer than the window: all buckets are clear */
    rate->buckets[rate->slot % BUCKETS]++;
    uint32_t sum = 0;
    for (unsigned i = 0; i < BUCKETS; i++)
        sum += rate->buckets[i];
    return sum;
}

size_t larch_sniff_alerts_take(larch_sniff_alerts *alerts, const larch_sniff_packet *packet,
                               const larch_sniff_alert **out)
{
    alerts->now_count = 0;
    larch_sniff_detect(alerts, packet);
    *out = alerts->now;
    return alerts->now_count;
}

size_t larch_sniff_alerts_take_frame(larch_sniff_alerts *alerts, uint64_t number, uint64_t time_ns,
                                     const larch_sniff_datagram *datagram, const larch_sniff_alert **out)
{
    char source[LARCH_SNIFF_PEER_TEXT];
    larch_peer host = datagram->source;
    host.port = 0;
    alerts->now_count = 0;
    larch_sniff_raise(alerts, number, time_ns, LARCH_SNIFF_ALERT_MALFORMED,
                      hash_peer(hash_bytes(HASH_START, datagram->why, strlen(datagram->why)), &datagram->destination),
                      "%s%s%s", datagram->why, datagram->has_addresses ? ", from " : "",
                      datagram->has_addresses ? larch_sniff_host_text(&host, source) : "");
    *out = alerts->now;
    return alerts->now_count;
}

size_t larch_sniff_alerts_take_loss(larch_sniff_alerts *alerts, uint64_t number, uint64_t time_ns,
                                    larch_sniff_loss loss, uint64_t count, const larch_sniff_alert **out)
{
    static const char *const texts[] = {
        [LARCH_SNIFF_LOSS_DROPPED] = "frames dropped by the board, whose line was full",
        [LARCH_SNIFF_LOSS_LINE] = "frames lost between board and here",
        [LARCH_SNIFF_LOSS_DAMAGED] = "damaged records",
        [LARCH_SNIFF_LOSS_RESTART] = "restarts of the board",
    };
    alerts->now_count = 0;
    larch_sniff_raise(alerts, number, time_ns, LARCH_SNIFF_ALERT_FRAMES_MISSING, (uint64_t)loss, "%s: %llu",
                      texts[loss], (unsigned long long)count);
    *out = alerts->now;
    return alerts->now_count;
}
