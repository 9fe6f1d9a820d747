/* SPDX-License-Identifier: Apache-2.0 */
/* PPP [RFC1661] as serial lines, modems and PPPoE [RFC2516] carry it. */
#include "sniff/link/link_int.h"

#define PPP_IPV4     0x21
#define PPP_IPV6     0x57
#define ALL_STATIONS 0xff /* the address in front of a PPP frame */

/*  protocol 2, or 1 if it is odd: its first byte, 0, may be left out [RFC1661 6.5] | payload  */
static larch_sniff_found protocol(larch_sniff_links *l, cursor c, larch_sniff_datagram *out)
{
    larch_sniff_found found;
    const uint8_t *p, *second;
    out->why = "PPP header";
    if (!take(&c, 1, &p, &found))
        return found;
    unsigned number = p[0];
    if (number % 2 == 0) {
        if (!take(&c, 1, &second, &found))
            return found;
        number = number << 8 | second[0];
    }
    out->why = NULL;
    return number == PPP_IPV4 || number == PPP_IPV6 ? larch_sniff_ip(l, c, out) : LARCH_SNIFF_OTHER;
}

/*  version, type 1 | code 1 | session 2 | length 2 | PPP, without address and control  */
larch_sniff_found larch_sniff_pppoe(larch_sniff_links *l, cursor c, larch_sniff_datagram *out)
{
    larch_sniff_found found;
    const uint8_t *p;
    out->why = "PPPoE header";
    if (!take(&c, 6, &p, &found))
        return found;
    const size_t len = be16(p + 4);
    if (p[0] != 0x11 || p[1] != 0) /* a later version, or no session's data */
        return out->why = NULL, LARCH_SNIFF_OTHER;
    out->why = "PPPoE length does not fit the frame";
    if (len > c.wire)
        return LARCH_SNIFF_MALFORMED;
    limit(&c, len);
    return protocol(l, c, out);
}

/*  direction 1, of PPP_DIR | address ff, control 03; either both or none | protocol
 *  PPP_PPPD has the direction in the address's place.  */
larch_sniff_found larch_sniff_ppp(larch_sniff_links *l, cursor c, larch_sniff_datagram *out)
{
    larch_sniff_found found;
    const uint8_t *p;
    out->why = "PPP header";
    if (l->linktype == LARCH_SNIFF_LINK_PPP_DIR && !take(&c, 1, &p, &found))
        return found;
    const uint8_t address = c.captured > 0 ? c.data[0] : 0;
    if ((address == ALL_STATIONS || l->linktype == LARCH_SNIFF_LINK_PPP_PPPD) && !take(&c, 2, &p, &found))
        return found;
    return protocol(l, c, out);
}
