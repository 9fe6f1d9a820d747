/* SPDX-License-Identifier: Apache-2.0 */
/* The detectors. A retransmission (the same message ID and bytes between the same two
 * endpoints) is harmless and no detector but the rates looks at it. */
#include <stdio.h>
#include <string.h>

#include "sniff/alert_int.h"
#include "sniff/randomness.h"
#include "sniff/text.h"

static double seconds_between(uint64_t from_ns, uint64_t to_ns)
{
    return to_ns > from_ns ? (double)(to_ns - from_ns) / 1e9 : 0;
}

/* ---- replay ------------------------------------------------------------ */

static struct larch_sniff_sealed_seen *find_sealed(larch_sniff_alerts *a, const uint8_t *identity,
                                                   struct larch_sniff_sealed_seen **oldest)
{
    size_t at = hash_set(hash_bytes(HASH_START, identity, LARCH_SNIFF_DIGEST_LEN), LARCH_SNIFF_SEALED_MESSAGES);
    struct larch_sniff_sealed_seen *set = &a->sealed[at];
    *oldest = set;
    for (size_t i = 0; i < LARCH_SNIFF_WAYS; i++) {
        if (set[i].number != 0 && memcmp(set[i].identity, identity, LARCH_SNIFF_DIGEST_LEN) == 0)
            return &set[i];
        if (set[i].number < (*oldest)->number)
            *oldest = &set[i];
    }
    return NULL;
}

static void detect_replay(larch_sniff_alerts *a, const larch_sniff_packet *p)
{
    struct larch_sniff_sealed_seen *oldest, *seen;

    /* [RFC9175 2.3] who asks for an Echo did not process the message and wants it again. */
    if (p->kind == LARCH_SNIFF_RESPONSE && p->coap.code == LARCH_COAP_UNAUTHORIZED && p->has_echo &&
        p->exchange != NULL && p->exchange->sealed) {
        seen = find_sealed(a, p->exchange->identity, &oldest);
        if (seen != NULL && larch_peer_equal(&seen->client, &p->exchange->client))
            seen->challenged = true;
        return;
    }
    if (p->direct != LARCH_SNIFF_DIRECT_SEALED)
        return;
    const larch_peer *source = &p->datagram.source;
    seen = find_sealed(a, p->identity, &oldest);
    if (seen == NULL) {
        *oldest = (struct larch_sniff_sealed_seen){.client = *source, .number = p->number, .time_ns = p->time_ns};
        memcpy(oldest->identity, p->identity, sizeof oldest->identity);
        memcpy(oldest->digest, p->digest, sizeof oldest->digest);
        return;
    }
    bool same_client = larch_peer_equal(&seen->client, source);
    if (seen->challenged && same_client && p->has_echo) {
        seen->challenged = false;
        return;
    }
    char now[LARCH_SNIFF_PEER_TEXT], before[LARCH_SNIFF_PEER_TEXT];
    bool altered = memcmp(seen->digest, p->digest, sizeof seen->digest) != 0;
    larch_sniff_raise(
        a, p->number, p->time_ns, LARCH_SNIFF_ALERT_REPLAY,
        hash_bytes(hash_bytes(HASH_START, &altered, sizeof altered), seen->identity, sizeof seen->identity),
        "%s sends the sealed message of #%llu%s again %s%s, %.1f s later", larch_sniff_peer_text(source, now),
        (unsigned long long)seen->number, altered ? ", altered," : "",
        same_client ? "under a new message ID" : "that came from ",
        same_client ? "" : larch_sniff_peer_text(&seen->client, before), seconds_between(seen->time_ns, p->time_ns));
}

/* ---- keys -------------------------------------------------------------- */

static struct larch_sniff_gateway_key *find_key(larch_sniff_alerts *a, const larch_peer *gateway, uint16_t set_number)
{
    uint64_t hash = hash_peer(HASH_START, gateway); /* the sets of one gateway lie together */
    struct larch_sniff_gateway_key *set = &a->keys[hash_set(hash, LARCH_SNIFF_GATEWAY_KEYS)], *oldest = set;
    for (size_t i = 0; i < LARCH_SNIFF_WAYS; i++) {
        if (set[i].number != 0 && set[i].set == set_number && larch_peer_equal(&set[i].gateway, gateway))
            return &set[i];
        if (set[i].number < oldest->number)
            oldest = &set[i];
    }
    memset(oldest, 0, sizeof *oldest);
    oldest->gateway = *gateway;
    oldest->set = set_number;
    return oldest;
}

static void raise_endorsed(larch_sniff_alerts *a, const larch_sniff_packet *p, const struct larch_sniff_gateway_key *k)
{
    char gateway[LARCH_SNIFF_PEER_TEXT], fingerprint[LARCH_FINGERPRINT_TEXT_LEN + 1];
    larch_fingerprint_format(k->hash, fingerprint);
    larch_sniff_raise(a, p->number, p->time_ns, LARCH_SNIFF_ALERT_KEY_ENDORSED,
                      hash_bytes(hash_peer(HASH_START, &k->gateway), k->hash, sizeof k->hash),
                      "%s: the old key names %s (tag not verified here)", larch_sniff_peer_text(&k->gateway, gateway),
                      fingerprint);
}

static void detect_key(larch_sniff_alerts *a, const larch_sniff_packet *p)
{
    const larch_peer *gateway = &p->datagram.source;
    if (p->direct == LARCH_SNIFF_DIRECT_NEXT_ANSWER) {
        size_t at = hash_set(hash_peer(HASH_START, gateway), LARCH_SNIFF_GATEWAY_KEYS);
        for (struct larch_sniff_gateway_key *k = &a->keys[at]; k < &a->keys[at + LARCH_SNIFF_WAYS]; k++) {
            if (k->number == 0 || !larch_peer_equal(&k->gateway, gateway))
                continue;
            /* the answer does not say which set it is about; a hash fits one key alone */
            memcpy(k->endorsed, p->hash, sizeof k->endorsed);
            if (k->changed && memcmp(k->hash, p->hash, sizeof k->hash) == 0) {
                k->changed = false;
                raise_endorsed(a, p, k);
            }
        }
        return;
    }
    if (p->direct != LARCH_SNIFF_DIRECT_KEY)
        return;
    struct larch_sniff_gateway_key *k = find_key(a, gateway, p->kem->set);
    if (k->number != 0 && memcmp(k->hash, p->hash, sizeof k->hash) != 0) {
        char peer[LARCH_SNIFF_PEER_TEXT];
        char old[LARCH_FINGERPRINT_TEXT_LEN + 1], new[LARCH_FINGERPRINT_TEXT_LEN + 1];
        larch_fingerprint_format(k->hash, old);
        larch_fingerprint_format(p->hash, new);
        memcpy(k->hash, p->hash, sizeof k->hash);
        k->changed = memcmp(k->endorsed, p->hash, sizeof k->endorsed) != 0;
        if (!k->changed)
            raise_endorsed(a, p, k);
        else
            larch_sniff_raise(a, p->number, p->time_ns, LARCH_SNIFF_ALERT_KEY_CHANGED,
                              hash_bytes(hash_peer(HASH_START, gateway), p->hash, sizeof p->hash),
                              "%s shows another %s key, not endorsed by the old one: %s, before (#%llu) %s",
                              larch_sniff_peer_text(gateway, peer), p->kem->name, new, (unsigned long long)k->number,
                              old);
    }
    memcpy(k->hash, p->hash, sizeof k->hash);
    k->number = p->number;
}

/* ---- answers ----------------------------------------------------------- */

static void detect_forged(larch_sniff_alerts *a, const larch_sniff_packet *p)
{
    char server[LARCH_SNIFF_PEER_TEXT];
    if (!p->other_answer)
        return;
    larch_sniff_raise(a, p->number, p->time_ns, LARCH_SNIFF_ALERT_FORGED_ANSWER,
                      hash_peer(hash_peer(HASH_START, &p->exchange->client), &p->exchange->server),
                      "request #%llu was answered in #%llu; %s answers again, otherwise",
                      (unsigned long long)p->exchange->number, (unsigned long long)p->exchange->answer_number,
                      larch_sniff_peer_text(&p->datagram.source, server));
}

static void detect_auth_failures(larch_sniff_alerts *a, const larch_sniff_packet *p)
{
    char gateway[LARCH_SNIFF_PEER_TEXT];
    if (p->direct != LARCH_SNIFF_DIRECT_ANSWER || p->answer != LARCH_DIRECT_AUTH_FAIL ||
        p->coap.code != LARCH_COAP_BAD_REQUEST)
        return;
    uint32_t count = larch_sniff_rate(a, RATE_AUTH_FAILURES, &p->datagram.source, p->time_ns, 10 * SECOND_NS);
    if (count > LARCH_SNIFF_AUTH_FAILURES)
        larch_sniff_raise(a, p->number, p->time_ns, LARCH_SNIFF_ALERT_AUTH_FAILURES,
                          hash_peer(HASH_START, &p->datagram.source),
                          "%s answered AUTH_FAIL %u times in 10 s: probing, or senders with an old key",
                          larch_sniff_peer_text(&p->datagram.source, gateway), (unsigned)count);
}

static void detect_resets(larch_sniff_alerts *a, const larch_sniff_packet *p)
{
    char text[LARCH_SNIFF_PEER_TEXT];
    larch_peer host = p->datagram.source;
    if (p->kind != LARCH_SNIFF_EMPTY || p->coap.type != LARCH_COAP_RST)
        return;
    host.port = 0;
    uint32_t count = larch_sniff_rate(a, RATE_RESETS, &host, p->time_ns, 10 * SECOND_NS);
    if (count > LARCH_SNIFF_RESETS)
        larch_sniff_raise(a, p->number, p->time_ns, LARCH_SNIFF_ALERT_RESET_STORM, hash_peer(HASH_START, &host),
                          "%s sent %u Resets in 10 s", larch_sniff_host_text(&host, text), (unsigned)count);
}

/* ---- rates ------------------------------------------------------------- */

static void detect_flood(larch_sniff_alerts *a, const larch_sniff_packet *p)
{
    char text[LARCH_SNIFF_PEER_TEXT];
    if (p->kind != LARCH_SNIFF_REQUEST)
        return;
    larch_peer prefix = larch_peer_prefix(&p->datagram.source);
    uint32_t to = larch_sniff_rate(a, RATE_GATEWAY, &p->datagram.destination, p->time_ns, SECOND_NS);
    uint32_t from = larch_sniff_rate(a, RATE_PREFIX, &prefix, p->time_ns, SECOND_NS);
    if (to > LARCH_SNIFF_FLOOD_GATEWAY)
        larch_sniff_raise(a, p->number, p->time_ns, LARCH_SNIFF_ALERT_FLOOD,
                          hash_peer(HASH_START, &p->datagram.destination), "more than %u requests a second to %s",
                          (unsigned)LARCH_SNIFF_FLOOD_GATEWAY, larch_sniff_peer_text(&p->datagram.destination, text));
    if (from > LARCH_SNIFF_FLOOD_PREFIX)
        larch_sniff_raise(a, p->number, p->time_ns, LARCH_SNIFF_ALERT_FLOOD, hash_peer(HASH_START, &prefix),
                          "more than %u requests a second from %s/%s", (unsigned)LARCH_SNIFF_FLOOD_PREFIX,
                          larch_sniff_host_text(&prefix, text), larch_peer_is_ipv4(&prefix) ? "24" : "64");
}

/* ---- form -------------------------------------------------------------- */

static void detect_malformed(larch_sniff_alerts *a, const larch_sniff_packet *p)
{
    char source[LARCH_SNIFF_PEER_TEXT];
    if (p->why != NULL)
        larch_sniff_raise(a, p->number, p->time_ns, LARCH_SNIFF_ALERT_MALFORMED,
                          hash_peer(hash_bytes(HASH_START, p->why, strlen(p->why)), &p->datagram.destination),
                          "%s, from %s", p->why, larch_sniff_peer_text(&p->datagram.source, source));
}

static void detect_not_random(larch_sniff_alerts *a, const larch_sniff_packet *p)
{
    larch_sniff_odds odds = {0, "", 0, 0, 0};
    const char *what = "public key";
    if (p->direct == LARCH_SNIFF_DIRECT_SEALED) {
        /* ciphertext, text and tag follow each other */
        what = "sealed message";
        odds = larch_sniff_odds_of_bytes(
            (larch_bytes){p->sealed.kem_ct.data, p->sealed.kem_ct.len + p->sealed.sealed.len});
    } else if (p->direct == LARCH_SNIFF_DIRECT_KEY) {
        odds = larch_sniff_odds_of_key(p->body);
    }
    if (odds.log10 >= LARCH_SNIFF_RANDOM_LOG10)
        return;
    char source[LARCH_SNIFF_PEER_TEXT];
    larch_sniff_raise(a, p->number, p->time_ns, LARCH_SNIFF_ALERT_NOT_RANDOM,
                      hash_bytes(hash_peer(HASH_START, &p->datagram.source), what, 1),
                      "%s of %s: %s %u stands %llu times in %llu; chance below 1e%.0f", what,
                      larch_sniff_peer_text(&p->datagram.source, source), odds.what, odds.symbol,
                      (unsigned long long)odds.count, (unsigned long long)odds.of, odds.log10);
}

void larch_sniff_detect(larch_sniff_alerts *a, const larch_sniff_packet *p)
{
    static const struct {
        void (*detect)(larch_sniff_alerts *a, const larch_sniff_packet *p);
        bool duplicates; /* looks at retransmissions too */
    } detectors[] = {
        {detect_replay, false},       {detect_key, false},  {detect_forged, false}, {detect_not_random, false},
        {detect_auth_failures, true}, {detect_flood, true}, {detect_resets, true},  {detect_malformed, false},
    };
    for (size_t i = 0; i < sizeof detectors / sizeof detectors[0]; i++)
        if (p->duplicate_of == 0 || detectors[i].duplicates)
            detectors[i].detect(a, p);
}
