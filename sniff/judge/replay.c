/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A message that claims to be accepted once only comes again: as a new message, or from another address.
 *
 * A capture on both sides of a router with NAT shows each datagram twice, under two pairs of addresses. That is no replay,
 * and is told apart in two steps.
 *
 * 1. A datagram was forwarded, for all that its own frame says, if it has the same bytes (message ID and token among
 *    them), was seen within a second of the first, and has the lower hop limit if it came later. Anything else raises
 *    the alert at once.
 * 2. An attacker can copy all of that. The gateway then gets two datagrams and answers each, the first one first; and a
 *    gateway that keeps its word answers the second otherwise. Behind NAT there is one answer, which passes the places
 *    in the opposite order. So the alert is raised when the answers differ, or come in the order of a replay.
 *
 * What escapes: a copy within a second, with a lower hop limit, that a gateway without memory answers in the same words,
 * while the answer to the first is not captured.
 */
#include <string.h>

#include "sniff/judge/judge_int.h"
#include "text/peer.h"

typedef struct larch_sniff_once_seen once_seen;

static double seconds_between(uint64_t from_ns, uint64_t to_ns)
{
    return to_ns > from_ns ? (double)(to_ns - from_ns) / 1e9 : 0;
}

static once_seen *find_seen(larch_sniff_alerts *a, const uint8_t *identity, once_seen **oldest)
{
    size_t at = larch_sniff_hash_set(larch_sniff_hash(LARCH_SNIFF_HASH_START, identity, LARCH_SNIFF_DIGEST_LEN),
                                     LARCH_SNIFF_ONCE_MESSAGES);
    once_seen *set = &a->replays.seen[at];
    *oldest = set;
    for (size_t i = 0; i < LARCH_SNIFF_WAYS; i++) {
        if (set[i].number != 0 && memcmp(set[i].identity, identity, LARCH_SNIFF_DIGEST_LEN) == 0)
            return &set[i];
        if (set[i].number < (*oldest)->number)
            *oldest = &set[i];
    }
    return NULL;
}

/* ---- one datagram at several places -------------------------------------- */

static larch_sniff_sighting sighting_of(const larch_sniff_packet *p)
{
    return (larch_sniff_sighting){p->number, p->time_ns, 0, p->datagram.hop_limit};
}

/* A message that is in order: it is the one that may be seen again elsewhere. */
static void begin_sightings(once_seen *seen, const larch_sniff_packet *p)
{
    memset(seen->sightings, 0, sizeof seen->sightings);
    seen->sightings[0] = sighting_of(p);
    memcpy(seen->datagram, p->digest, sizeof seen->datagram);
}

/* Whether a may be the datagram b further on. Frames of several interfaces may stand in a file in any order, but their
 * times tell. */
static bool is_further(const larch_sniff_sighting *a, const larch_sniff_sighting *b)
{
    return a->hop_limit < b->hop_limit && a->time_ns >= b->time_ns &&
           a->time_ns - b->time_ns <= LARCH_SNIFF_FORWARD_NS &&
           (b->answered_ns == 0 || b->answered_ns >= a->time_ns); /* an answer comes from the far end */
}

/* Notes the packet as another sighting; false if it cannot be one. */
static bool add_sighting(once_seen *seen, const larch_sniff_packet *p)
{
    const larch_sniff_sighting now = sighting_of(p);
    if (memcmp(seen->datagram, p->digest, sizeof seen->datagram) != 0)
        return false;
    for (size_t i = 0; i < LARCH_SNIFF_SIGHTINGS; i++) {
        if (seen->sightings[i].number == 0) {
            seen->sightings[i] = now;
            return true;
        }
        if (!is_further(&now, &seen->sightings[i]) && !is_further(&seen->sightings[i], &now))
            return false;
    }
    return false;
}

/* Whether the answers to two sightings passed as one answer does: the further place first. */
static bool passed_back(const larch_sniff_sighting *a, const larch_sniff_sighting *b)
{
    return a->hop_limit < b->hop_limit ? a->answered_ns <= b->answered_ns : a->answered_ns >= b->answered_ns;
}

/* ---- alerts -------------------------------------------------------------- */

static uint64_t cause_of(const once_seen *seen, bool altered)
{
    return larch_sniff_hash(larch_sniff_hash(LARCH_SNIFF_HASH_START, &altered, sizeof altered), seen->identity,
                            sizeof seen->identity);
}

/* The alert of a copy that was taken for a forwarded one: number is the copy's, and p the answer that gave it away. */
static void raise_answered(larch_sniff_alerts *a, const once_seen *seen, const larch_sniff_packet *p, uint64_t number)
{
    larch_sniff_alert *alert =
        larch_sniff_raise(a, larch_sniff_judged_packet(p), LARCH_SNIFF_ALERT_REPLAY, cause_of(seen, false),
                          "the %s of #%llu came again in #%llu: each has an answer of its own", p->exchange->once,
                          (unsigned long long)seen->number, (unsigned long long)number);
    alert->request = number;
    alert->before = seen->number;
    alert->has_before_source = true;
    alert->before_source = seen->client;
}

static void take_answer(larch_sniff_alerts *a, once_seen *seen, const larch_sniff_packet *p)
{
    const uint8_t *answer = p->exchange->answer;
    larch_sniff_sighting *here = NULL;
    bool first = true, one = true;
    for (size_t i = 0; i < LARCH_SNIFF_SIGHTINGS; i++)
        if (seen->sightings[i].number == p->exchange->number)
            here = &seen->sightings[i];
    if (here == NULL || here->answered_ns != 0)
        return;
    here->answered_ns = p->time_ns;
    uint64_t latest = here->number;
    for (size_t i = 0; i < LARCH_SNIFF_SIGHTINGS; i++) {
        const larch_sniff_sighting *other = &seen->sightings[i];
        if (other == here || other->answered_ns == 0)
            continue;
        first = false;
        one = one && passed_back(here, other);
        latest = other->number > latest ? other->number : latest;
    }
    if (first)
        memcpy(seen->answer, answer, sizeof seen->answer);
    else if (!one || memcmp(seen->answer, answer, sizeof seen->answer) != 0)
        raise_answered(a, seen, p, latest);
}

static void raise_replay(larch_sniff_alerts *a, const once_seen *seen, const larch_sniff_packet *p, bool same_client)
{
    char now[LARCH_TEXT_PEER_MAX], before[LARCH_TEXT_PEER_MAX];
    bool altered = memcmp(seen->digest, p->claims.digest, sizeof seen->digest) != 0;
    larch_sniff_alert *alert = larch_sniff_raise(
        a, larch_sniff_judged_packet(p), LARCH_SNIFF_ALERT_REPLAY, cause_of(seen, altered),
        "%s sends the %s of #%llu%s again %s%s, %.1f s later", larch_text_of_peer(&p->datagram.source, now),
        p->claims.once, (unsigned long long)seen->number, altered ? ", altered," : "",
        same_client ? "under a new message ID" : "that came from ",
        same_client ? "" : larch_text_of_peer(&seen->client, before), seconds_between(seen->time_ns, p->time_ns));
    alert->before = seen->number;
    alert->has_before_source = true;
    alert->before_source = seen->client;
}

void larch_sniff_detect_replay(larch_sniff_alerts *a, const larch_sniff_packet *p)
{
    once_seen *oldest, *seen;

    if (p->kind == LARCH_SNIFF_RESPONSE && p->exchange != NULL && p->exchange->once != NULL) {
        seen = find_seen(a, p->exchange->identity, &oldest);
        if (seen == NULL)
            return;
        take_answer(a, seen, p);
        /* [RFC9175 2.3] who asks for an Echo did not process the message and wants it again. */
        if (p->coap.code == LARCH_COAP_UNAUTHORIZED && p->has_echo &&
            larch_peer_equal(&seen->client, &p->exchange->client))
            seen->challenged = true;
        return;
    }
    if (p->claims.once == NULL)
        return;
    const larch_peer *source = &p->datagram.source;
    seen = find_seen(a, p->claims.identity, &oldest);
    if (seen == NULL) {
        *oldest = (once_seen){.client = *source, .number = p->number, .time_ns = p->time_ns};
        memcpy(oldest->identity, p->claims.identity, sizeof oldest->identity);
        memcpy(oldest->digest, p->claims.digest, sizeof oldest->digest);
        begin_sightings(oldest, p);
        return;
    }
    bool same_client = larch_peer_equal(&seen->client, source);
    if (seen->challenged && same_client && p->has_echo) {
        seen->challenged = false;
        begin_sightings(seen, p);
        return;
    }
    if (!add_sighting(seen, p))
        raise_replay(a, seen, p, same_client);
}
