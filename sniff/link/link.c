/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "sniff/link/link_int.h"

#define ARPHRD_RADIOTAP 803
#define ARPHRD_WIFI     801
#define CISCO_UNICAST   0x0f
#define CISCO_GROUP     0x8f

const char *larch_sniff_found_text(larch_sniff_found found)
{
#define FOUND_TEXT(name, text) text,
    static const char *const texts[] = {LARCH_SNIFF_FOUNDS(FOUND_TEXT)};
#undef FOUND_TEXT
    return (unsigned)found < LARCH_SNIFF_FOUND_COUNT ? texts[found] : "?";
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

/*  address 1 | 0 | EtherType 2 | payload  */
static larch_sniff_found cisco(larch_sniff_links *l, cursor c, larch_sniff_datagram *out)
{
    larch_sniff_found found;
    const uint8_t *p;
    out->why = "Cisco HDLC header";
    if (!take(&c, 4, &p, &found))
        return found;
    out->why = NULL;
    return larch_sniff_ethertype(l, be16(p + 2), c, out);
}

/* Cisco's framing shares the lines of PPP, and is known by its addresses [RFC1547 4.3.1]. */
static larch_sniff_found hdlc(larch_sniff_links *l, cursor c, larch_sniff_datagram *out)
{
    const uint8_t address = c.captured > 0 ? c.data[0] : 0;
    return address == CISCO_UNICAST || address == CISCO_GROUP ? cisco(l, c, out) : larch_sniff_ppp(l, c, out);
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
    case LARCH_SNIFF_LINK_CISCO_HDLC:
        return cisco(links, links->left, out);
    case LARCH_SNIFF_LINK_PPP_HDLC:
        return hdlc(links, links->left, out);
    case LARCH_SNIFF_LINK_PPP:
    case LARCH_SNIFF_LINK_PPP_PPPD:
    case LARCH_SNIFF_LINK_PPP_DIR:
        return larch_sniff_ppp(links, links->left, out);
    case LARCH_SNIFF_LINK_PPPOE:
        return larch_sniff_pppoe(links, links->left, out);
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
