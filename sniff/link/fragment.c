/* SPDX-License-Identifier: Apache-2.0 */
/* Puts IP fragments together in a table of fixed size. Whoever overlaps fragments wants two readers
 * to see two texts: such a datagram is dropped whole, as [RFC5722 4] demands for IPv6. */
#include <string.h>

#include "sniff/link/link_int.h"

static larch_sniff_fragmented *find(larch_sniff_links *l, const larch_sniff_datagram *d, const fragment *f)
{
    larch_sniff_fragmented *oldest = &l->fragmented[0];
    for (size_t i = 0; i < LARCH_SNIFF_FRAGMENTED; i++) {
        larch_sniff_fragmented *e = &l->fragmented[i];
        if (e->used && l->now_ns - e->began_ns > LARCH_SNIFF_FRAGMENTED_S * UINT64_C(1000000000))
            e->used = false;
        if (e->used && e->identification == f->identification && e->protocol == f->protocol &&
            memcmp(e->source, d->source.address, 16) == 0 && memcmp(e->destination, d->destination.address, 16) == 0)
            return e;
        if (oldest->used && (!e->used || e->began_ns < oldest->began_ns))
            oldest = e;
    }
    memcpy(oldest->source, d->source.address, 16);
    memcpy(oldest->destination, d->destination.address, 16);
    memset(oldest->units, 0, sizeof oldest->units);
    oldest->began_ns = l->now_ns;
    oldest->identification = f->identification;
    oldest->protocol = f->protocol;
    oldest->total = 0;
    oldest->received = 0;
    oldest->used = true;
    return oldest;
}

static bool unit_is_set(const larch_sniff_fragmented *e, size_t unit)
{
    return (e->units[unit / 8] >> unit % 8 & 1) != 0;
}

/* Whether any, and whether all of the units of [offset, offset + len) are there. */
static void look(const larch_sniff_fragmented *e, size_t offset, size_t len, bool *any, bool *all)
{
    *any = false;
    *all = true;
    for (size_t unit = offset / 8; unit * 8 < offset + len; unit++) {
        *any = *any || unit_is_set(e, unit);
        *all = *all && unit_is_set(e, unit);
    }
}

larch_sniff_found larch_sniff_fragment_take(larch_sniff_links *l, const larch_sniff_datagram *addresses,
                                            const fragment *f, cursor *c, uint8_t *protocol, const char **why)
{
    size_t len = c->wire;
    bool any, all;

    *why = "IP fragment of a length that is not a multiple of 8";
    if (len == 0 || (f->more && len % 8 != 0))
        return LARCH_SNIFF_MALFORMED;
    *why = "IP fragment past 65535 bytes";
    if (f->offset + len > 65535)
        return LARCH_SNIFF_MALFORMED;
    *why = "fragmented datagram is too large to be put together";
    if (f->offset + len > LARCH_SNIFF_FRAGMENTED_MAX)
        return LARCH_SNIFF_OTHER;
    *why = "IP fragment";
    if (c->captured < len)
        return LARCH_SNIFF_TRUNCATED;

    larch_sniff_fragmented *e = find(l, addresses, f);
    look(e, f->offset, len, &any, &all);
    bool same = all && memcmp(e->bytes + f->offset, c->data, len) == 0;
    bool beyond = e->total != 0 && (f->offset + len > e->total || (!f->more && f->offset + len != e->total));
    if ((any && !same) || beyond) {
        e->used = false;
        *why = "overlapping IP fragments";
        return LARCH_SNIFF_MALFORMED;
    }
    *why = "IP fragment, the first";
    if (f->offset != 0)
        *why = "IP fragment, a later one";
    if (same)
        return LARCH_SNIFF_FRAGMENT;
    memcpy(e->bytes + f->offset, c->data, len);
    for (size_t unit = f->offset / 8; unit * 8 < f->offset + len; unit++)
        e->units[unit / 8] = (uint8_t)(e->units[unit / 8] | 1u << unit % 8);
    e->received += (uint32_t)len;
    if (!f->more)
        e->total = (uint32_t)(f->offset + len);
    if (e->total == 0 || e->received < e->total)
        return LARCH_SNIFF_FRAGMENT;
    e->used = false;
    look(e, 0, e->total, &any, &all);
    if (e->received > e->total || !all) { /* the last one ended before what was there already */
        *why = "overlapping IP fragments";
        return LARCH_SNIFF_MALFORMED;
    }
    *c = (cursor){e->bytes, e->total, e->total};
    *protocol = e->protocol;
    return LARCH_SNIFF_DATAGRAM;
}
