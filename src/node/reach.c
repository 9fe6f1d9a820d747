/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "larch/crypto.h"
#include "larch/reach.h"

#define WAYS 4 /* entries that a key may stand in */

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
        .echo_ms = 300000,
    };
}

larch_error larch_reach_init(larch_reach *reach, larch_reach_entry *entries, size_t count,
                             const larch_reach_limits *limits, const larch_random *random)
{
    memset(reach, 0, sizeof *reach);
    if (count < 4 * WAYS || (count & (count - 1)) != 0)
        return LARCH_STATE;
    reach->entries = entries;
    reach->entry_count = count;
    reach->limits = *limits;
    reach->total.millitokens = (uint64_t)limits->total_burst * 1000;
    memset(entries, 0, count * sizeof *entries);
    return larch_random_fill(random, reach->key, sizeof reach->key);
}

/* ---- token buckets ----------------------------------------------------- */

static void refill(larch_reach_entry *bucket, uint64_t now_ms, uint32_t rate, uint32_t burst)
{
    uint64_t most = (uint64_t)burst * 1000;
    uint64_t elapsed_ms = now_ms - bucket->at_ms;
    /* At rate tokens a second, one millisecond brings rate millitokens. */
    if (rate > 0 && elapsed_ms >= most / rate)
        bucket->millitokens = most;
    else
        bucket->millitokens += elapsed_ms * rate;
    if (bucket->millitokens > most)
        bucket->millitokens = most;
    bucket->at_ms = now_ms;
}

static bool has_token(const larch_reach_entry *bucket) { return bucket->millitokens >= 1000; }

/* ---- the table --------------------------------------------------------- */

typedef enum { PROVEN, BUCKET } half;

static uint64_t key_of(const larch_reach *reach, half which, const larch_peer *peer)
{
    uint8_t head[5];
    larch_writer w = larch_writer_to(head, sizeof head);
    larch_writer_put_u8(&w, (uint8_t)which);
    larch_writer_put_u32(&w, peer->scope);
    const larch_bytes pieces[] = {LARCH_BYTES(head), LARCH_BYTES(peer->address)};
    uint64_t key = larch_tag64(reach->key, pieces, 2);
    return key != 0 ? key : 1;
}

static larch_reach_entry *set_of(const larch_reach *reach, half which, uint64_t key)
{
    size_t sets = reach->entry_count / 2 / WAYS;
    return reach->entries + (which == BUCKET ? reach->entry_count / 2 : 0) + (key & (sets - 1)) * WAYS;
}

static larch_reach_entry *find(const larch_reach *reach, half which, uint64_t key)
{
    larch_reach_entry *set = set_of(reach, which, key);
    for (size_t i = 0; i < WAYS; i++)
        if (set[i].key == key)
            return &set[i];
    return NULL;
}

/* An entry for a new key: a free one, else the one longest untouched. An address that
 * was only noted as good never pushes out one that proved itself by an Echo. */
static larch_reach_entry *make(const larch_reach *reach, half which, uint64_t key, uint64_t now_ms, bool echoed)
{
    larch_reach_entry *set = set_of(reach, which, key);
    larch_reach_entry *best = NULL;
    for (size_t i = 0; i < WAYS && (best == NULL || best->key != 0); i++) {
        const larch_reach_entry *e = &set[i];
        bool spared = !echoed && e->echoed && e->until_ms > now_ms;
        if (!spared && (best == NULL || e->key == 0 || e->at_ms < best->at_ms))
            best = &set[i];
    }
    if (best != NULL)
        *best = (larch_reach_entry){.key = key, .at_ms = now_ms, .echoed = echoed};
    return best;
}

/* ---- Echo [RFC9175 2.2] ------------------------------------------------ */

static uint64_t echo_mac(const larch_reach *reach, uint32_t seconds, const larch_peer *peer)
{
    uint8_t head[11];
    larch_writer w = larch_writer_to(head, sizeof head);
    larch_writer_put_u8(&w, 2); /* apart from the keys of the table */
    larch_writer_put_u32(&w, seconds);
    larch_writer_put_u32(&w, peer->scope);
    larch_writer_put_u16(&w, peer->port);
    const larch_bytes pieces[] = {LARCH_BYTES(head), LARCH_BYTES(peer->address)};
    return larch_tag64(reach->key, pieces, 2);
}

/*
 *   0                 4                                  12
 *  +-----------------+----------------------------------+
 *  | seconds of our  | MAC over seconds, port, address  |
 *  | clock, BE       | and zone                         |
 *  +-----------------+----------------------------------+
 */
void larch_reach_echo(const larch_reach *reach, uint64_t now_ms, const larch_peer *peer, uint8_t out[LARCH_ECHO_LEN])
{
    larch_writer w = larch_writer_to(out, LARCH_ECHO_LEN);
    uint32_t seconds = (uint32_t)(now_ms / 1000);
    larch_writer_put_u32(&w, seconds);
    larch_writer_put_u64(&w, echo_mac(reach, seconds, peer));
}

static bool echo_is_genuine(const larch_reach *reach, uint64_t now_ms, const larch_peer *peer, larch_bytes echo)
{
    larch_reader r = larch_reader_of(echo);
    uint32_t seconds;
    uint64_t mac;
    if (echo.len != LARCH_ECHO_LEN || larch_reader_take_u32(&r, &seconds) != LARCH_OK ||
        larch_reader_take_u64(&r, &mac) != LARCH_OK)
        return false;
    uint32_t age = (uint32_t)(now_ms / 1000) - seconds; /* a time to come is very old */
    if (age > reach->limits.echo_ms / 1000)
        return false;
    return mac == echo_mac(reach, seconds, peer);
}

/* ---- the verdict ------------------------------------------------------- */

static larch_reach_verdict take_proven(larch_reach *reach, larch_reach_entry *entry, uint64_t now_ms)
{
    uint32_t rate = entry->echoed ? reach->limits.proven_rate : reach->limits.prefix_rate;
    uint32_t burst = entry->echoed ? reach->limits.proven_burst : reach->limits.prefix_burst;
    if (entry->echoed && rate == 0) {
        entry->at_ms = now_ms;
        return LARCH_REACH_GRANTED;
    }
    refill(entry, now_ms, rate, burst);
    if (!has_token(entry))
        return entry->echoed ? LARCH_REACH_LIMITED : LARCH_REACH_CHALLENGE;
    entry->millitokens -= 1000;
    return LARCH_REACH_GRANTED;
}

static larch_reach_verdict take_unproven(larch_reach *reach, uint64_t now_ms, const larch_peer *peer)
{
    const larch_peer prefix = larch_peer_prefix(peer);
    uint64_t key = key_of(reach, BUCKET, &prefix);
    larch_reach_entry *bucket = find(reach, BUCKET, key);

    refill(&reach->total, now_ms, reach->limits.total_rate, reach->limits.total_burst);
    if (bucket == NULL) {
        bucket = make(reach, BUCKET, key, now_ms, false);
        bucket->millitokens = (uint64_t)reach->limits.prefix_burst * 1000;
    }
    refill(bucket, now_ms, reach->limits.prefix_rate, reach->limits.prefix_burst);
    if (!has_token(&reach->total) || !has_token(bucket))
        return LARCH_REACH_CHALLENGE;
    reach->total.millitokens -= 1000;
    bucket->millitokens -= 1000;
    return LARCH_REACH_GRANTED;
}

larch_reach_verdict larch_reach_take(larch_reach *reach, uint64_t now_ms, const larch_peer *peer, larch_bytes echo)
{
    uint64_t key = key_of(reach, PROVEN, peer);
    larch_reach_entry *entry = find(reach, PROVEN, key);

    if (echo.len > 0 && echo_is_genuine(reach, now_ms, peer, echo)) {
        if (entry == NULL || !entry->echoed || entry->until_ms <= now_ms) {
            if (entry == NULL)
                entry = make(reach, PROVEN, key, now_ms, true);
            entry->echoed = true;
            entry->millitokens = (uint64_t)reach->limits.proven_burst * 1000;
        }
        entry->until_ms = now_ms + reach->limits.proven_ms;
    }
    if (entry != NULL && entry->until_ms > now_ms) {
        larch_reach_verdict verdict = take_proven(reach, entry, now_ms);
        if (verdict != LARCH_REACH_CHALLENGE)
            return verdict;
    }
    return take_unproven(reach, now_ms, peer);
}

/* Whether so many tokens will be there. */
static bool holds(larch_reach_entry bucket, uint64_t now_ms, uint32_t rate, uint32_t burst, uint32_t tokens)
{
    refill(&bucket, now_ms, rate, burst);
    return bucket.millitokens / 1000 >= tokens;
}

bool larch_reach_would_grant(const larch_reach *reach, uint64_t now_ms, const larch_peer *peer, uint32_t takes)
{
    const larch_reach_limits *l = &reach->limits;
    const larch_reach_entry *entry = find(reach, PROVEN, key_of(reach, PROVEN, peer));
    if (entry != NULL && entry->until_ms > now_ms) {
        if (entry->echoed)
            return l->proven_rate == 0 || holds(*entry, now_ms, l->proven_rate, l->proven_burst, takes);
        if (holds(*entry, now_ms, l->prefix_rate, l->prefix_burst, takes))
            return true;
    }
    if (!holds(reach->total, now_ms, l->total_rate, l->total_burst, takes))
        return false;
    const larch_peer prefix = larch_peer_prefix(peer);
    const larch_reach_entry *bucket = find(reach, BUCKET, key_of(reach, BUCKET, &prefix));
    return bucket == NULL ? l->prefix_burst >= takes : holds(*bucket, now_ms, l->prefix_rate, l->prefix_burst, takes);
}

void larch_reach_note_good(larch_reach *reach, uint64_t now_ms, const larch_peer *peer)
{
    refill(&reach->total, now_ms, reach->limits.total_rate, reach->limits.total_burst);
    if (reach->total.millitokens < (uint64_t)reach->limits.total_burst * 500)
        return;
    uint64_t key = key_of(reach, PROVEN, peer);
    larch_reach_entry *entry = find(reach, PROVEN, key);
    if (entry != NULL && entry->until_ms > now_ms) {
        if (!entry->echoed)
            entry->until_ms = now_ms + reach->limits.proven_ms;
        return;
    }
    if (entry == NULL)
        entry = make(reach, PROVEN, key, now_ms, false);
    if (entry == NULL)
        return;
    *entry = (larch_reach_entry){.key = key,
                                 .at_ms = now_ms,
                                 .until_ms = now_ms + reach->limits.proven_ms,
                                 .millitokens = (uint64_t)reach->limits.prefix_burst * 1000};
}
