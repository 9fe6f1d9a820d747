/* SPDX-License-Identifier: Apache-2.0 */
/* 802.11 data frames, bare or behind radiotap. */
#include "sniff/link/link_int.h"

#define RADIOTAP_TSFT     (1u << 0)
#define RADIOTAP_FLAGS    (1u << 1)
#define RADIOTAP_MORE     (1u << 31) /* another word of the bitmap follows */
#define RADIOTAP_HAS_FCS  0x10
#define RADIOTAP_DATA_PAD 0x20 /* the 802.11 header is padded to 32 bits */
#define RADIOTAP_BAD_FCS  0x40

#define FC_TO_DS          0x01 /* second byte of Frame Control */
#define FC_FROM_DS        0x02
#define FC_MORE_FRAGMENTS 0x04
#define FC_PROTECTED      0x40
#define FC_ORDER          0x80
#define SUBTYPE_NULL      0x4 /* no payload */
#define SUBTYPE_QOS       0x8

/*  version 1 | pad 1 | length 2 LE | present 4 LE, more while bit 31 | TSFT 8, aligned to 8 | flags 1 | ... */
larch_sniff_found larch_sniff_radiotap(larch_sniff_links *l, cursor c, larch_sniff_datagram *out)
{
    larch_sniff_found found;
    const uint8_t *p;
    cursor whole = c;
    uint8_t flags = 0;

    out->why = "radiotap header";
    if (!take(&whole, 8, &p, &found))
        return found;
    size_t len = le16(p + 2);
    if (p[0] != 0 || len < 8)
        return LARCH_SNIFF_MALFORMED;
    if (!take(&c, len, &p, &found))
        return found;
    uint32_t present = le32(p + 4);
    size_t at = 8;
    for (uint32_t word = present; (word & RADIOTAP_MORE) != 0; at += 4) {
        if (at + 4 > len)
            return LARCH_SNIFF_MALFORMED;
        word = le32(p + at);
    }
    if ((present & RADIOTAP_TSFT) != 0)
        at = ((at + 7) & ~(size_t)7) + 8;
    if ((present & RADIOTAP_FLAGS) != 0) {
        if (at >= len)
            return LARCH_SNIFF_MALFORMED;
        flags = p[at];
    }
    if ((flags & RADIOTAP_BAD_FCS) != 0) {
        out->why = "802.11 frame received with a wrong FCS";
        return LARCH_SNIFF_OTHER; /* noise on the air, not somebody's format */
    }
    if ((flags & RADIOTAP_HAS_FCS) != 0) {
        out->why = "802.11 FCS";
        if (c.wire < 4)
            return LARCH_SNIFF_MALFORMED;
        limit(&c, c.wire - 4);
    }
    out->why = NULL;
    return larch_sniff_wifi(l, c, (flags & RADIOTAP_DATA_PAD) != 0, out);
}

/*  control 2 | duration 2 | address 6, 6, 6 | sequence 2 | address 4: 6 | QoS 2 | HT 4 | payload   [IEEE802.11 9.3.2] */
larch_sniff_found larch_sniff_wifi(larch_sniff_links *l, cursor c, bool pad, larch_sniff_datagram *out)
{
    larch_sniff_found found;
    const uint8_t *p;

    out->why = "802.11 header";
    cursor start = c;
    if (!take(&start, 2, &p, &found))
        return found;
    unsigned type = p[0] >> 2 & 3, subtype = p[0] >> 4, flags = p[1];
    if ((p[0] & 3) != 0)
        return LARCH_SNIFF_MALFORMED;
    if (type != 2 || (subtype & SUBTYPE_NULL) != 0) {
        out->why = NULL;
        return LARCH_SNIFF_OTHER;
    }
    bool qos = (subtype & SUBTYPE_QOS) != 0;
    size_t len = 24, qos_at = 24;
    if ((flags & FC_TO_DS) != 0 && (flags & FC_FROM_DS) != 0)
        qos_at = len = 30;
    if (qos)
        len += (flags & FC_ORDER) != 0 ? 6 : 2;
    if (pad)
        len = (len + 3) & ~(size_t)3;
    if (!take(&c, len, &p, &found))
        return found;
    out->why = NULL;
    if ((flags & FC_PROTECTED) != 0)
        return LARCH_SNIFF_PROTECTED;
    if ((flags & FC_MORE_FRAGMENTS) != 0 || (p[22] & 0x0f) != 0) {
        out->why = "802.11 fragment; not put together";
        return LARCH_SNIFF_OTHER;
    }
    if (qos && (p[qos_at] & 0x80) != 0) {
        l->left = c;
        l->in_amsdu = true;
        return larch_sniff_amsdu_next(l, out);
    }
    return larch_sniff_llc(l, c, out);
}

/*  dst 6 | src 6 | length 2 | MSDU | padding to 4, not after the last   [IEEE802.11 9.3.2.2] */
larch_sniff_found larch_sniff_amsdu_next(larch_sniff_links *l, larch_sniff_datagram *out)
{
    larch_sniff_found found;
    const uint8_t *p;

    if (l->left.wire < 14) { /* nothing, or padding */
        l->in_amsdu = false;
        return LARCH_SNIFF_END;
    }
    out->why = "A-MSDU subframe";
    if (!take(&l->left, 14, &p, &found)) {
        l->in_amsdu = false;
        return found;
    }
    size_t len = be16(p + 12);
    if (len > l->left.wire) {
        l->in_amsdu = false;
        return LARCH_SNIFF_MALFORMED;
    }
    cursor msdu = l->left;
    limit(&msdu, len);
    size_t step = len + ((4u - (14 + len) % 4) & 3u);
    if (!take(&l->left, step, &p, &found))
        l->in_amsdu = false; /* it was the last that was captured */
    out->why = NULL;
    return larch_sniff_llc(l, msdu, out);
}
