/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of addresses and prefixes. Each key has a few neighbouring places to be, so every step takes the same short
 * time. Half of the table holds proven addresses, a quarter prefixes, a quarter noted addresses: a flood of one kind
 * pushes out nothing of another.
 */
#include "base/siphash.h"
#include "node/reach_int.h"

#define WAYS       4 /* places that a proven address or a prefix may have */
#define NOTED_WAYS 8 /* and a noted address */

void larch_reach_hash(const larch_reach *reach, const larch_peer *peer, larch_reach_source *source)
{
    const size_t split = larch_peer_is_ipv4(peer) ? 15 : 8; /* as larch_peer_prefix cuts */
    const uint8_t zone[4] = {(uint8_t)(peer->scope >> 24), (uint8_t)(peer->scope >> 16), (uint8_t)(peer->scope >> 8),
                             (uint8_t)peer->scope};
    larch_siphash h;
    larch_siphash_init(&h, reach->table_key);
    larch_siphash_part(&h, LARCH_BYTES(zone));
    larch_siphash_part(&h, (larch_bytes){peer->address, split});
    larch_siphash prefix = h;
    larch_siphash_part(&h, (larch_bytes){peer->address + split, sizeof peer->address - split});
    const uint64_t of_address = larch_siphash_end(&h), of_prefix = larch_siphash_end(&prefix);
    source->address = of_address != 0 ? of_address : 1;
    source->prefix = of_prefix != 0 ? of_prefix : 1;
}

/* ---- places ----------------------------------------------------------------- */

/* The places of one key. */
typedef struct places {
    larch_reach_entry *first;
    size_t count;
} places;

/* count, ways and where the part begins are powers of two or multiples of them. */
static places places_of(const larch_reach *reach, size_t begin, size_t count, size_t ways, uint64_t key)
{
    return (places){reach->entries + begin + ((size_t)key & (count - ways)), ways};
}

static places proven_places(const larch_reach *reach, const larch_reach_source *source)
{
    return places_of(reach, 0, reach->entry_count / 2, WAYS, source->address);
}

static places prefix_places(const larch_reach *reach, const larch_reach_source *source)
{
    return places_of(reach, reach->entry_count / 2, reach->entry_count / 4, WAYS, source->prefix);
}

/* Noted addresses of one prefix share their places, which bounds how many there can be; those on the link do not. */
static places noted_places(const larch_reach *reach, const larch_reach_source *source)
{
    const size_t count = reach->entry_count / 4;
    return places_of(reach, reach->entry_count - count, count, count < NOTED_WAYS ? count : NOTED_WAYS,
                     source->is_on_link ? source->address : source->prefix);
}

static larch_reach_entry *find(places p, uint64_t key)
{
    for (size_t i = 0; i < p.count; i++)
        if (p.first[i].key == key)
            return &p.first[i];
    return NULL;
}

larch_reach_entry *larch_reach_find_proven(const larch_reach *reach, const larch_reach_source *source)
{
    return find(proven_places(reach, source), source->address);
}

larch_reach_entry *larch_reach_find_noted(const larch_reach *reach, const larch_reach_source *source)
{
    return find(noted_places(reach, source), source->address);
}

larch_reach_entry *larch_reach_find_prefix(const larch_reach *reach, const larch_reach_source *source)
{
    return find(prefix_places(reach, source), source->prefix);
}

/* ---- making ----------------------------------------------------------------- */

static larch_reach_entry *begin(larch_reach_entry *entry, uint64_t key, uint64_t now_ms)
{
    *entry = (larch_reach_entry){.key = key, .at_ms = now_ms};
    return entry;
}

larch_reach_entry *larch_reach_make_proven(const larch_reach *reach, const larch_reach_source *source, uint64_t now_ms)
{
    const places p = proven_places(reach, source);
    larch_reach_entry *best = find(p, source->address);
    if (best != NULL)
        return best;
    best = p.first;
    for (size_t i = 1; i < p.count && best->key != 0; i++)
        if (p.first[i].key == 0 || p.first[i].at_ms < best->at_ms)
            best = &p.first[i];
    return begin(best, source->address, now_ms);
}

static uint32_t owed_most_us(const larch_reach_entry *entry, uint64_t now_ms)
{
    uint32_t most_us = 0;
    for (unsigned i = 0; i < LARCH_REACH_DEBTS; i++) {
        const uint32_t owed_us = larch_reach_owed_us(entry, i, now_ms);
        most_us = owed_us > most_us ? owed_us : most_us;
    }
    return most_us;
}

larch_reach_entry *larch_reach_make_prefix(const larch_reach *reach, const larch_reach_source *source, uint64_t now_ms)
{
    const places p = prefix_places(reach, source);
    larch_reach_entry *best = find(p, source->prefix);
    if (best != NULL)
        return best;
    best = p.first;
    for (size_t i = 1; i < p.count && best->key != 0; i++)
        if (p.first[i].key == 0 || owed_most_us(&p.first[i], now_ms) < owed_most_us(best, now_ms))
            best = &p.first[i];
    return begin(best, source->prefix, now_ms);
}

/* Of the places of a prefix those elsewhere take half at most: four. */
larch_reach_entry *larch_reach_make_noted(const larch_reach *reach, const larch_reach_source *source, uint64_t now_ms)
{
    const places p = noted_places(reach, source);
    larch_reach_entry *best = NULL;
    size_t elsewhere = 0;
    for (size_t i = 0; i < p.count; i++) {
        if (larch_reach_is_current(&p.first[i], now_ms))
            elsewhere += !p.first[i].is_on_link;
        else if (best == NULL || p.first[i].key == source->address)
            best = &p.first[i];
    }
    if (best == NULL || (!source->is_on_link && elsewhere >= p.count / 2))
        return NULL;
    best = begin(best, source->address, now_ms);
    best->is_on_link = source->is_on_link;
    return best;
}
