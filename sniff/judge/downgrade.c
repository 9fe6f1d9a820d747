/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handshakes that end on less than they might. SUITES_R is not authenticated when it comes, and nobody without keys knows
 * who made it. So it is held against what the same responder said and did before; and an initiator that passes over a suite,
 * against what its responder said. Hosts are known by their addresses alone.
 */
#include <inttypes.h>
#include <string.h>

#include "sniff/dissect/table.h"
#include "sniff/judge/judge_int.h"
#include "text/peer.h"

typedef struct larch_sniff_responder responder;
typedef struct larch_sniff_initiator initiator;

/* ---- tables ------------------------------------------------------------ */

static responder *find_responder(larch_sniff_alerts *a, const larch_sniff_packet *p)
{
    const larch_peer *peer = &p->claims.agreement.responder;
    const uint64_t hash = larch_sniff_hash_peer(LARCH_SNIFF_HASH_START, peer);
    responder *set = &a->agreements.responders[larch_sniff_hash_set(hash, LARCH_SNIFF_RESPONDERS)], *oldest = set;
    for (size_t i = 0; i < LARCH_SNIFF_WAYS; i++) {
        if (set[i].number != 0 && larch_peer_equal(&set[i].peer, peer)) {
            set[i].number = p->number;
            return &set[i];
        }
        if (set[i].number < oldest->number)
            oldest = &set[i];
    }
    *oldest = (responder){.peer = *peer, .number = p->number};
    return oldest;
}

/* A host's use of post-quantum suites with one responder; NULL: none that is remembered. */
static initiator *find_initiator(larch_sniff_alerts *a, const larch_peer *from, const larch_peer *to,
                                 initiator **oldest)
{
    larch_peer host = *from;
    host.port = 0;
    const uint64_t hash = larch_sniff_hash_peer(larch_sniff_hash_peer(LARCH_SNIFF_HASH_START, &host), to);
    initiator *set = &a->agreements.initiators[larch_sniff_hash_set(hash, LARCH_SNIFF_INITIATORS)];
    *oldest = set;
    for (size_t i = 0; i < LARCH_SNIFF_WAYS; i++) {
        if (set[i].number != 0 && larch_peer_equal(&set[i].host, &host) && larch_peer_equal(&set[i].responder, to))
            return &set[i];
        if (set[i].number < (*oldest)->number)
            *oldest = &set[i];
    }
    return NULL;
}

static void note_post_quantum(larch_sniff_alerts *a, const larch_sniff_packet *p)
{
    const larch_sniff_agreement *g = &p->claims.agreement;
    initiator *oldest, *i = find_initiator(a, &g->initiator, &g->responder, &oldest);
    i = i != NULL ? i : oldest;
    i->host = g->initiator;
    i->host.port = 0;
    i->responder = g->responder;
    i->number = p->number;
}

/* ---- alerts ------------------------------------------------------------ */

static uint64_t cause_of(const larch_sniff_agreement *g, int64_t suite, char what)
{
    larch_peer host = g->initiator;
    host.port = 0;
    uint64_t hash = larch_sniff_hash_peer(larch_sniff_hash_peer(LARCH_SNIFF_HASH_START, &g->responder), &host);
    hash = larch_sniff_hash(hash, &suite, sizeof suite);
    return larch_sniff_hash(hash, &what, sizeof what);
}

/* A suite that stands before the selected one, and that nobody refused. */
static void judge_passed_over(larch_sniff_alerts *a, const larch_sniff_packet *p, const responder *r)
{
    const larch_sniff_agreement *g = &p->claims.agreement;
    char from[LARCH_TEXT_PEER_MAX], to[LARCH_TEXT_PEER_MAX];
    for (size_t i = 0; i < g->offered.count && g->offered.numbers[i] != g->selected; i++) {
        const int64_t better = g->offered.numbers[i];
        const bool named = larch_sniff_suites_hold(&r->announced, better) || larch_sniff_suites_hold(&r->took, better);
        if (r->announced_at != 0 && !named)
            continue;
        larch_sniff_alert *alert = larch_sniff_raise(
            a, larch_sniff_judged_packet(p), LARCH_SNIFF_ALERT_DOWNGRADE, cause_of(g, better, 'p'),
            "%s and %s shake hands with suite %" PRId64 ", though the first prefers %" PRId64 " and %s",
            larch_text_of_peer(&g->initiator, from), larch_text_of_peer(&g->responder, to), g->selected, better,
            named ? "the other has it" : "no SUITES_R was seen that asked for less");
        alert->before = r->announced_at;
        return;
    }
}

/* What a responder named before and does now. */
static void judge_taken(larch_sniff_alerts *a, const larch_sniff_packet *p, const responder *r)
{
    const larch_sniff_agreement *g = &p->claims.agreement;
    char to[LARCH_TEXT_PEER_MAX], list[LARCH_SNIFF_SUITES_TEXT];
    if (r->announced_at == 0 || r->announced.more || larch_sniff_suites_hold(&r->announced, g->selected))
        return;
    larch_sniff_raise(a, larch_sniff_judged_packet(p), LARCH_SNIFF_ALERT_DOWNGRADE, cause_of(g, g->selected, 't'),
                      "%s takes suite %" PRId64 ", which its SUITES_R in #%llu (%s) left out: that one may be forged",
                      larch_text_of_peer(&g->responder, to), g->selected, (unsigned long long)r->announced_at,
                      larch_sniff_suites_text(&r->announced, list))
        ->before = r->announced_at;
}

/* An initiator that made post-quantum keys with this responder before. */
static void judge_weaker(larch_sniff_alerts *a, const larch_sniff_packet *p)
{
    const larch_sniff_agreement *g = &p->claims.agreement;
    char from[LARCH_TEXT_PEER_MAX], to[LARCH_TEXT_PEER_MAX];
    initiator *oldest;
    const initiator *i = find_initiator(a, &g->initiator, &g->responder, &oldest);
    if (i == NULL || g->strength != LARCH_SNIFF_STRENGTH_CLASSICAL)
        return;
    larch_sniff_raise(a, larch_sniff_judged_packet(p), LARCH_SNIFF_ALERT_DOWNGRADE, cause_of(g, g->selected, 'w'),
                      "%s shakes hands with %s by suite %" PRId64
                      ", which is not post-quantum; in #%llu it used one that is",
                      larch_text_of_peer(&g->initiator, from), larch_text_of_peer(&g->responder, to), g->selected,
                      (unsigned long long)i->number)
        ->before = i->number;
}

/* One suite of those that this responder had, and that this SUITES_R lacks; the newest alarm tells one of them. */
static bool find_missing(const larch_sniff_suites *had, const larch_sniff_suites *answered, int64_t *suite)
{
    for (size_t i = 0; i < had->count; i++)
        if (!larch_sniff_suites_hold(answered, had->numbers[i])) {
            *suite = had->numbers[i];
            return true;
        }
    return false;
}

/* A responder may refuse a suite that it has only if it has one that stands before it. [RFC9528 5.2.3] */
static bool has_better(const larch_sniff_agreement *g)
{
    for (size_t i = 0; i < g->offered.count && g->offered.numbers[i] != g->selected; i++)
        if (larch_sniff_suites_hold(&g->answered, g->offered.numbers[i]))
            return true;
    return false;
}

static void judge_refusal(larch_sniff_alerts *a, const larch_sniff_packet *p, responder *r)
{
    const larch_sniff_agreement *g = &p->claims.agreement;
    char to[LARCH_TEXT_PEER_MAX], list[LARCH_SNIFF_SUITES_TEXT];
    const uint64_t took_at = r->took_at, announced_at = r->announced_at;
    int64_t suite;
    larch_text_of_peer(&g->responder, to);
    larch_sniff_suites_text(&g->answered, list);
    if (larch_sniff_suites_hold(&g->answered, g->selected) && !has_better(g) && !g->offered.more)
        larch_sniff_raise(a, larch_sniff_judged_packet(p), LARCH_SNIFF_ALERT_DOWNGRADE, cause_of(g, g->selected, 'r'),
                          "%s refuses suite %" PRId64 " and names it in SUITES_R (%s): that one may be forged", to,
                          g->selected, list);
    else if (!g->answered.more && find_missing(&r->took, &g->answered, &suite))
        larch_sniff_raise(a, larch_sniff_judged_packet(p), LARCH_SNIFF_ALERT_DOWNGRADE, cause_of(g, suite, 'm'),
                          "SUITES_R of %s (%s) lacks suite %" PRId64 ", which it took before: that one may be forged",
                          to, list, suite)
            ->before = took_at;
    else if (!g->answered.more && find_missing(&r->announced, &g->answered, &suite))
        larch_sniff_raise(a, larch_sniff_judged_packet(p), LARCH_SNIFF_ALERT_DOWNGRADE, cause_of(g, suite, 'a'),
                          "SUITES_R of %s (%s) lacks suite %" PRId64
                          ", which it named in #%llu: one of them may be forged",
                          to, list, suite, (unsigned long long)announced_at)
            ->before = announced_at;
    r->announced = g->answered;
    r->announced_at = p->number;
}

static void note_taken(responder *r, const larch_sniff_packet *p)
{
    const larch_sniff_agreement *g = &p->claims.agreement;
    r->took_at = p->number;
    if (!larch_sniff_suites_hold(&r->took, g->selected) && r->took.count < LARCH_SNIFF_SUITES_MAX)
        r->took.numbers[r->took.count++] = g->selected;
}

/* A sealed message from a host that has post-quantum sessions with this gateway. */
static void judge_fallback(larch_sniff_alerts *a, const larch_sniff_packet *p)
{
    const larch_sniff_datagram *d = &p->datagram;
    char from[LARCH_TEXT_PEER_MAX], to[LARCH_TEXT_PEER_MAX];
    initiator *oldest;
    const initiator *i = find_initiator(a, &d->source, &d->destination, &oldest);
    larch_peer host = d->source;
    host.port = 0;
    if (i == NULL)
        return;
    larch_sniff_raise(a, larch_sniff_judged_packet(p), LARCH_SNIFF_ALERT_FALLBACK,
                      larch_sniff_hash_peer(larch_sniff_hash_peer(LARCH_SNIFF_HASH_START, &host), &d->destination),
                      "%s sends %s a sealed message without a session; in #%llu it shook hands",
                      larch_text_of_peer(&d->source, from), larch_text_of_peer(&d->destination, to),
                      (unsigned long long)i->number)
        ->before = i->number;
}

void larch_sniff_detect_downgrade(larch_sniff_alerts *a, const larch_sniff_packet *p)
{
    const larch_sniff_agreement *g = &p->claims.agreement;
    if (p->claims.sessionless)
        judge_fallback(a, p);
    if (g->offered.count == 0)
        return;
    if (g->step == LARCH_SNIFF_STEP_REFUSES) {
        judge_refusal(a, p, find_responder(a, p));
    } else if (g->step == LARCH_SNIFF_STEP_AGREES) {
        responder *r = find_responder(a, p);
        judge_passed_over(a, p, r);
        judge_taken(a, p, r);
        judge_weaker(a, p);
        note_taken(r, p);
    } else if (g->step == LARCH_SNIFF_STEP_COMPLETES && g->strength == LARCH_SNIFF_STRENGTH_POST_QUANTUM) {
        note_post_quantum(a, p);
    }
}
