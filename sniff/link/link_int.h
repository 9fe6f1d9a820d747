/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of this folder alone. */
#ifndef LARCH_SNIFF_LINK_INT_H
#define LARCH_SNIFF_LINK_INT_H

#include "sniff/link/link.h"

/* A walk over bytes of which the last (wire - captured) were not captured. */
typedef struct larch_sniff_cursor cursor;

static inline uint16_t be16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }
static inline uint32_t be32(const uint8_t *p) { return (uint32_t)be16(p) << 16 | be16(p + 2); }
static inline uint16_t le16(const uint8_t *p) { return (uint16_t)(p[1] << 8 | p[0]); }
static inline uint32_t le32(const uint8_t *p) { return (uint32_t)le16(p + 2) << 16 | le16(p); }

/* Takes n bytes. False: *found says whether the capture or the frame ended, and *why where. */
static inline bool take(cursor *c, size_t n, const uint8_t **out, larch_sniff_found *found)
{
    if (n > c->captured) {
        *found = n > c->wire ? LARCH_SNIFF_MALFORMED : LARCH_SNIFF_TRUNCATED;
        return false;
    }
    *out = c->data;
    c->data += n;
    c->captured -= n;
    c->wire -= n;
    return true;
}

/* Forgets all but the next n bytes: padding, checksums. */
static inline void limit(cursor *c, size_t n)
{
    if (c->wire > n)
        c->wire = n;
    if (c->captured > c->wire)
        c->captured = c->wire;
}

/* By EtherType, through VLAN tags. */
larch_sniff_found larch_sniff_ethertype(larch_sniff_links *l, uint16_t type, cursor c, larch_sniff_datagram *out);
/* A PPPoE session's frame, behind its EtherType. */
larch_sniff_found larch_sniff_pppoe(larch_sniff_links *l, cursor c, larch_sniff_datagram *out);
/* PPP of one of the link types that carry it. */
larch_sniff_found larch_sniff_ppp(larch_sniff_links *l, cursor c, larch_sniff_datagram *out);
/* LLC/SNAP, as in 802.11 and in 802.3 frames with a length. */
larch_sniff_found larch_sniff_llc(larch_sniff_links *l, cursor c, larch_sniff_datagram *out);
/* IP of either version, by its first nibble. */
larch_sniff_found larch_sniff_ip(larch_sniff_links *l, cursor c, larch_sniff_datagram *out);

/* 802.11: finds the start of the payload, which may hold several; then links->left is at them. */
larch_sniff_found larch_sniff_radiotap(larch_sniff_links *l, cursor c, larch_sniff_datagram *out);
larch_sniff_found larch_sniff_wifi(larch_sniff_links *l, cursor c, bool pad, larch_sniff_datagram *out);
larch_sniff_found larch_sniff_amsdu_next(larch_sniff_links *l, larch_sniff_datagram *out);

/* One fragment of an IP payload. DATAGRAM: *c is at the whole payload, in the table's memory. */
typedef struct fragment {
    uint32_t identification;
    uint32_t offset; /* bytes, a multiple of 8 */
    uint8_t protocol;
    bool more;
} fragment;
larch_sniff_found larch_sniff_fragment_take(larch_sniff_links *l, const larch_sniff_datagram *addresses,
                                            const fragment *f, cursor *c, uint8_t *protocol, const char **why);

#endif
