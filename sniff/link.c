/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "sniff/link_int.h"

#define ETHERTYPE_IPV4  0x0800
#define ETHERTYPE_IPV6  0x86dd
#define ARPHRD_RADIOTAP 803
#define ARPHRD_WIFI     801

const char *larch_sniff_link_text(uint32_t linktype)
{
    switch (linktype) {
#define LINK_CASE(name, number, text) \
    case (number):                    \
        return text;
        LARCH_SNIFF_LINKS(LINK_CASE)
#undef LINK_CASE
    default:
        return NULL;
    }
}

const char *larch_sniff_found_text(larch_sniff_found found)
{
#define FOUND_TEXT(name, text) text,
    static const char *const texts[] = {LARCH_SNIFF_FOUNDS(FOUND_TEXT)};
#undef FOUND_TEXT
    return (unsigned)found < LARCH_SNIFF_FOUND_COUNT ? texts[found] : "?";
}

/*  EtherType                      802.1Q / 802.1ad tag, any number up to 4
 *  +--------+--------+            +--------+--------+--------+--------+
 *  | type            | payload    | pri, VLAN id    | type            | payload
 *  +--------+--------+            +--------+--------+--------+--------+   */
larch_sniff_found larch_sniff_ethertype(larch_sniff_links *l, uint16_t type, cursor c, larch_sniff_datagram *out)
{
    larch_sniff_found found;
    for (unsigned tags = 0; type == 0x8100 || type == 0x88a8 || type == 0x9100; tags++) {
        const uint8_t *tag;
        out->why = "802.1Q tag";
        if (tags == 4)
            return LARCH_SNIFF_MALFORMED;
        if (!take(&c, 4, &tag, &found))
            return found;
        type = be16(tag + 2);
        out->why = NULL;
    }
    if (type != ETHERTYPE_IPV4 && type != ETHERTYPE_IPV6)
        return LARCH_SNIFF_OTHER;
    return larch_sniff_ip(l, c, out);
}

/*   aa aa 03 | 00 00 00 (or 00 00 f8) | EtherType   [RFC1042] */
larch_sniff_found larch_sniff_llc(larch_sniff_links *l, cursor c, larch_sniff_datagram *out)
{
    larch_sniff_found found;
    const uint8_t *p;
    if (c.wire < 8)
        return LARCH_SNIFF_OTHER; /* some other LLC frame, shorter than SNAP */
    out->why = "LLC header";
    if (!take(&c, 8, &p, &found))
        return found;
    out->why = NULL;
    if (p[0] != 0xaa || p[1] != 0xaa || p[2] != 3 || p[3] != 0 || p[4] != 0 || (p[5] != 0 && p[5] != 0xf8) ||
        be16(p + 6) < 0x0600)
        return LARCH_SNIFF_OTHER;
    return larch_sniff_ethertype(l, be16(p + 6), c, out);
}

/*  dst 6 | src 6 | EtherType 2 */
static larch_sniff_found ethernet(larch_sniff_links *l, cursor c, larch_sniff_datagram *out)
{
    larch_sniff_found found;
    const uint8_t *p;
    out->why = "Ethernet header";
    if (!take(&c, 14, &p, &found))
        return found;
    out->why = NULL;
    uint16_t type = be16(p + 12);
    if (type < 0x0600) {
        limit(&c, type); /* [IEEE802.3 3.2.6] a length: LLC follows */
        return larch_sniff_llc(l, c, out);
    }
    return larch_sniff_ethertype(l, type, c, out);
}

/*  v1: packet type 2 | ARPHRD 2 | address length 2 | address 8 | protocol 2
 *  v2: protocol 2 | 0 2 | interface 4 | ARPHRD 2 | packet type 1 | address length 1 | address 8  */
static larch_sniff_found cooked(larch_sniff_links *l, cursor c, bool v2, larch_sniff_datagram *out)
{
    larch_sniff_found found;
    const uint8_t *p;
    out->why = "Linux cooked header";
    if (!take(&c, v2 ? 20 : 16, &p, &found))
        return found;
    out->why = NULL;
    uint16_t hardware = be16(v2 ? p + 8 : p + 2);
    uint16_t protocol = be16(v2 ? p : p + 14);
    if (hardware == ARPHRD_RADIOTAP) /* the protocol field then means nothing */
        return larch_sniff_radiotap(l, c, out);
    if (hardware == ARPHRD_WIFI)
        return larch_sniff_wifi(l, c, false, out);
    if (protocol == 4)
        return larch_sniff_llc(l, c, out);
    if (protocol < 0x0600)
        return LARCH_SNIFF_OTHER;
    return larch_sniff_ethertype(l, protocol, c, out);
}

/*  family 4: of the machine that captured (NULL: in its byte order; LOOP: big-endian)  */
static larch_sniff_found loopback(larch_sniff_links *l, cursor c, larch_sniff_datagram *out)
{
    larch_sniff_found found;
    const uint8_t *p;
    out->why = "loopback header";
    if (!take(&c, 4, &p, &found))
        return found;
    out->why = NULL;
    uint32_t family = be32(p) > 0xffff ? le32(p) : be32(p);
    switch (family) {
    case 2:  /* AF_INET, everywhere */
    case 10: /* AF_INET6 of Linux, NetBSD and OpenBSD, FreeBSD, Darwin */
    case 24:
    case 28:
    case 30:
        return larch_sniff_ip(l, c, out);
    default:
        return LARCH_SNIFF_OTHER;
    }
}

void larch_sniff_links_init(larch_sniff_links *links) { memset(links, 0, sizeof *links); }

void larch_sniff_links_begin(larch_sniff_links *links, const larch_sniff_frame *frame)
{
    links->left = (cursor){frame->bytes.data, frame->bytes.len, frame->wire_len};
    if (links->left.wire < links->left.captured)
        links->left.wire = links->left.captured;
    links->now_ns = frame->time_ns;
    links->linktype = frame->linktype;
    links->begun = true;
    links->in_amsdu = false;
}

larch_sniff_found larch_sniff_links_next(larch_sniff_links *links, larch_sniff_datagram *out)
{
    memset(out, 0, sizeof *out);
    if (links->in_amsdu)
        return larch_sniff_amsdu_next(links, out);
    if (!links->begun)
        return LARCH_SNIFF_END;
    links->begun = false;
    switch (links->linktype) {
    case LARCH_SNIFF_LINK_NULL:
    case LARCH_SNIFF_LINK_LOOP:
        return loopback(links, links->left, out);
    case LARCH_SNIFF_LINK_ETHERNET:
        return ethernet(links, links->left, out);
    case LARCH_SNIFF_LINK_RAW:
    case LARCH_SNIFF_LINK_IPV4:
    case LARCH_SNIFF_LINK_IPV6:
        return larch_sniff_ip(links, links->left, out);
    case LARCH_SNIFF_LINK_WIFI:
        return larch_sniff_wifi(links, links->left, false, out);
    case LARCH_SNIFF_LINK_RADIOTAP:
        return larch_sniff_radiotap(links, links->left, out);
    case LARCH_SNIFF_LINK_SLL:
    case LARCH_SNIFF_LINK_SLL2:
        return cooked(links, links->left, links->linktype == LARCH_SNIFF_LINK_SLL2, out);
    default:
        out->why = "link type is not known";
        return LARCH_SNIFF_OTHER;
    }
}
