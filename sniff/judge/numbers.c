/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers that a sender must use once and that make nonces. Without keys nobody can tell a device that lost its count
 * from somebody who made a message up, and both deserve a look.
 *
 * A number counts as used when an answer shows that the receiver took its message for authentic; the sender's own numbers
 * in answers do so at once. Otherwise one message with a huge number, which anybody can send, would make all that follow
 * look as if they had fallen back. New keys begin a new count.
 */
#include <string.h>

#include "sniff/dissect/table.h"
#include "sniff/judge/judge_int.h"
#include "text/peer.h"

typedef struct larch_sniff_counter counter;
typedef struct larch_sniff_number_seen number_seen;
typedef struct larch_sniff_renewal renewal;

/* ---- tables ------------------------------------------------------------ */

static counter *find_counter(larch_sniff_alerts *a, const uint8_t *name, counter **oldest)
{
    const uint64_t hash = larch_sniff_hash(LARCH_SNIFF_HASH_START, name, LARCH_SNIFF_DIGEST_LEN);
    counter *set = &a->numbers.counters[larch_sniff_hash_set(hash, LARCH_SNIFF_COUNTERS)];
    *oldest = set;
    for (size_t i = 0; i < LARCH_SNIFF_WAYS; i++) {
        if (set[i].number != 0 && memcmp(set[i].name, name, LARCH_SNIFF_DIGEST_LEN) == 0)
            return &set[i];
        if (set[i].number < (*oldest)->number)
            *oldest = &set[i];
    }
    return NULL;
}

/* The newest handshake between the two hosts of a packet, whichever asked: its keys serve both, and other ports. */
static renewal *find_renewal(larch_sniff_alerts *a, const larch_sniff_packet *p, renewal **oldest)
{
    const larch_peer *one = &p->datagram.source, *other = &p->datagram.destination;
    const size_t len = sizeof one->address;
    if (memcmp(one->address, other->address, len) > 0) {
        one = &p->datagram.destination;
        other = &p->datagram.source;
    }
    const uint64_t hash =
        larch_sniff_hash(larch_sniff_hash(LARCH_SNIFF_HASH_START, one->address, len), other->address, len);
    renewal *set = &a->numbers.renewals[larch_sniff_hash_set(hash, LARCH_SNIFF_RENEWALS)];
    *oldest = set;
    for (size_t i = 0; i < LARCH_SNIFF_WAYS; i++) {
        if (set[i].number != 0 && memcmp(set[i].hosts[0], one->address, len) == 0 &&
            memcmp(set[i].hosts[1], other->address, len) == 0)
            return &set[i];
        if (set[i].number < (*oldest)->number)
            *oldest = &set[i];
    }
    return NULL;
}

static void note_renewal(larch_sniff_alerts *a, const larch_sniff_packet *p)
{
    renewal *oldest, *r = find_renewal(a, p, &oldest);
    const uint8_t *source = p->datagram.source.address, *destination = p->datagram.destination.address;
    if (r == NULL) {
        const bool in_order = memcmp(source, destination, sizeof r->hosts[0]) <= 0;
        r = oldest;
        memcpy(r->hosts[in_order ? 0 : 1], source, sizeof r->hosts[0]);
        memcpy(r->hosts[in_order ? 1 : 0], destination, sizeof r->hosts[0]);
    }
    r->number = p->number;
}

/* The counter of a packet that counts. */
static counter *take_counter(larch_sniff_alerts *a, const larch_sniff_packet *p)
{
    renewal *oldest_renewal;
    const renewal *r = find_renewal(a, p, &oldest_renewal);
    const uint64_t renewed = r != NULL ? r->number : 0;
    counter *oldest, *c = find_counter(a, p->claims.count.counter, &oldest);
    if (c == NULL || c->renewal != renewed) {
        c = c != NULL ? c : oldest;
        *c = (counter){.renewal = renewed};
        memcpy(c->name, p->claims.count.counter, sizeof c->name);
    }
    c->number = p->number;
    return c;
}

static number_seen *find_number(larch_sniff_alerts *a, const counter *c, uint64_t count, number_seen **oldest)
{
    uint64_t hash = larch_sniff_hash(LARCH_SNIFF_HASH_START, c->name, sizeof c->name);
    hash = larch_sniff_hash(hash, &count, sizeof count);
    number_seen *set = &a->numbers.seen[larch_sniff_hash_set(hash, LARCH_SNIFF_NUMBERS)];
    *oldest = set;
    for (size_t i = 0; i < LARCH_SNIFF_WAYS; i++) {
        if (set[i].number != 0 && set[i].count == count && set[i].renewal == c->renewal &&
            memcmp(set[i].counter, c->name, sizeof set[i].counter) == 0)
            return &set[i];
        if (set[i].number < (*oldest)->number)
            *oldest = &set[i];
    }
    return NULL;
}

/* ---- what happens to a count ------------------------------------------- */

static void use(counter *c, uint64_t count, uint64_t number)
{
    if (count < c->highest)
        return;
    c->highest = count + 1;
    c->highest_at = number;
}

/* ---- alerts ------------------------------------------------------------ */

static uint64_t cause_of(const counter *c) { return larch_sniff_hash(LARCH_SNIFF_HASH_START, c->name, sizeof c->name); }

static void raise_reuse(larch_sniff_alerts *a, const larch_sniff_packet *p, const counter *c, const number_seen *seen)
{
    char source[LARCH_TEXT_PEER_MAX];
    larch_sniff_alert *alert = larch_sniff_raise(
        a, larch_sniff_judged_packet(p), LARCH_SNIFF_ALERT_NONCE_REUSE, cause_of(c),
        "%s sends another %s than #%llu under the same number, %llu: it uses a nonce twice, or one is made up",
        larch_text_of_peer(&p->datagram.source, source), p->claims.count.name, (unsigned long long)seen->number,
        (unsigned long long)seen->count);
    alert->before = seen->number;
    alert->has_before_source = true;
    alert->before_source = seen->source;
}

static void raise_fall(larch_sniff_alerts *a, const larch_sniff_packet *p, const counter *c)
{
    char source[LARCH_TEXT_PEER_MAX];
    larch_sniff_alert *alert = larch_sniff_raise(
        a, larch_sniff_judged_packet(p), LARCH_SNIFF_ALERT_NUMBER_FELL, cause_of(c),
        "the %s of %s has number %llu after %llu in #%llu: an old message, or a sender that lost its count",
        p->claims.count.name, larch_text_of_peer(&p->datagram.source, source),
        (unsigned long long)p->claims.count.number, (unsigned long long)(c->highest - 1),
        (unsigned long long)c->highest_at);
    alert->before = c->highest_at;
}

void larch_sniff_detect_numbers(larch_sniff_alerts *a, const larch_sniff_packet *p)
{
    const larch_sniff_count *count = &p->claims.count;
    number_seen *oldest_seen;
    counter *c, *oldest;
    if (p->claims.renews)
        note_renewal(a, p);
    if (p->claims.confirms && p->exchange != NULL && p->exchange->count.name != NULL &&
        (c = find_counter(a, p->exchange->count.counter, &oldest)) != NULL)
        use(c, p->exchange->count.number, p->exchange->number);
    if (count->name == NULL)
        return;
    c = take_counter(a, p);
    const number_seen *seen = find_number(a, c, count->number, &oldest_seen);
    if (seen != NULL) {
        if (memcmp(seen->digest, count->digest, sizeof seen->digest) != 0)
            raise_reuse(a, p, c, seen);
        return;
    }
    *oldest_seen =
        (number_seen){.renewal = c->renewal, .count = count->number, .source = p->datagram.source, .number = p->number};
    memcpy(oldest_seen->counter, c->name, sizeof oldest_seen->counter);
    memcpy(oldest_seen->digest, count->digest, sizeof oldest_seen->digest);
    if (count->rises && count->number + LARCH_SNIFF_NUMBER_WINDOW < c->highest)
        raise_fall(a, p, c);
    if (count->rises && p->kind == LARCH_SNIFF_RESPONSE)
        use(c, count->number, p->number);
}
