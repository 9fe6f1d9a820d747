/* SPDX-License-Identifier: Apache-2.0 */
/* What an EtherType or an LLC header announces, on wires and in the air. */
#include "sniff/link/link_int.h"

#define ETHERTYPE_IPV4  0x0800
#define ETHERTYPE_IPV6  0x86dd
#define ETHERTYPE_PPPOE 0x8864

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
    if (type == ETHERTYPE_PPPOE)
        return larch_sniff_pppoe(l, c, out);
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
