/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "sniff/dissect/table.h"
#include "sniff/judge/rate.h"

static struct larch_sniff_rate *find(larch_sniff_rates *rates, uint8_t purpose, const larch_peer *subject,
                                     uint64_t slot)
{
    const uint64_t hash = larch_sniff_hash_peer(larch_sniff_hash(LARCH_SNIFF_HASH_START, &purpose, 1), subject);
    struct larch_sniff_rate *set = &rates->entries[larch_sniff_hash_set(hash, LARCH_SNIFF_RATES)], *oldest = set;
    for (size_t i = 0; i < LARCH_SNIFF_WAYS; i++) {
        if (set[i].purpose == purpose && larch_peer_equal(&set[i].subject, subject))
            return &set[i];
        if (oldest->purpose != LARCH_SNIFF_RATE_EMPTY &&
            (set[i].purpose == LARCH_SNIFF_RATE_EMPTY || set[i].slot < oldest->slot))
            oldest = &set[i];
    }
    memset(oldest, 0, sizeof *oldest);
    oldest->subject = *subject;
    oldest->purpose = purpose;
    oldest->slot = slot;
    return oldest;
}

/* The entry of a subject, with the buckets of the window that ends now. */
static struct larch_sniff_rate *find_at(larch_sniff_rates *rates, larch_sniff_rate_purpose purpose,
                                        const larch_peer *subject, uint64_t now_ns, uint64_t window_ns)
{
    enum { BUCKETS = LARCH_SNIFF_RATE_BUCKETS };
    const uint64_t slot = now_ns / (window_ns / BUCKETS);
    struct larch_sniff_rate *rate = find(rates, (uint8_t)purpose, subject, slot);
    for (unsigned passed = 0; rate->slot < slot && passed < BUCKETS; passed++)
        rate->buckets[++rate->slot % BUCKETS] = 0;
    if (rate->slot < slot)
        rate->slot = slot; /* idle for longer than the window: all buckets are clear */
    return rate;
}

uint32_t larch_sniff_rate_count(larch_sniff_rates *rates, larch_sniff_rate_purpose purpose, const larch_peer *subject,
                                uint64_t now_ns, uint64_t window_ns)
{
    struct larch_sniff_rate *rate = find_at(rates, purpose, subject, now_ns, window_ns);
    uint32_t sum = 0;
    rate->buckets[rate->slot % LARCH_SNIFF_RATE_BUCKETS]++;
    for (unsigned i = 0; i < LARCH_SNIFF_RATE_BUCKETS; i++)
        sum += rate->buckets[i];
    return sum;
}

void larch_sniff_rate_take_off(larch_sniff_rates *rates, larch_sniff_rate_purpose purpose, const larch_peer *subject,
                               uint64_t now_ns, uint64_t window_ns)
{
    enum { BUCKETS = LARCH_SNIFF_RATE_BUCKETS };
    struct larch_sniff_rate *rate = find_at(rates, purpose, subject, now_ns, window_ns);
    for (unsigned back = 0; back < BUCKETS; back++) {
        uint32_t *bucket = &rate->buckets[(rate->slot + BUCKETS - back) % BUCKETS];
        if (*bucket > 0) {
            (*bucket)--;
            return;
        }
    }
}
