/* SPDX-License-Identifier: Apache-2.0 */
/* IPv4 [RFC791], IPv6 [RFC8200] and UDP [RFC768]. */
#include <string.h>

#include "sniff/link/link_int.h"

#define PROTOCOL_UDP 17

static uint32_t sum16(uint32_t sum, const uint8_t *p, size_t len)
{
    for (size_t i = 0; i + 1 < len; i += 2)
        sum += be16(p + i);
    if (len % 2 != 0)
        sum += (uint32_t)p[len - 1] << 8;
    return sum;
}

static uint16_t fold(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

/* The mapped form of an IPv4 address adds 0xffff, which one's complement counts as 0; so one
 * pseudo-header does for both versions. */
static larch_sniff_checksum checksum(const larch_sniff_datagram *d, const uint8_t *udp, size_t len)
{
    uint32_t pseudo = sum16(PROTOCOL_UDP + (uint32_t)len, d->source.address, 16);
    pseudo = sum16(pseudo, d->destination.address, 16);
    uint16_t field = be16(udp + 6);
    if (field == 0)
        return LARCH_SNIFF_CHECKSUM_NONE;
    if (fold(sum16(pseudo, udp, len)) == 0xffff)
        return LARCH_SNIFF_CHECKSUM_GOOD;
    return field == fold(pseudo) ? LARCH_SNIFF_CHECKSUM_OFFLOADED : LARCH_SNIFF_CHECKSUM_BAD;
}

/*  source port 2 | destination port 2 | length 2 | checksum 2 | payload */
static larch_sniff_found udp(cursor c, bool checkable, larch_sniff_datagram *out)
{
    larch_sniff_found found;
    const uint8_t *p;
    size_t ip_payload = c.wire;

    out->why = "UDP header";
    if (!take(&c, 8, &p, &found))
        return found;
    size_t len = be16(p + 4);
    if (len < 8 || len > ip_payload) {
        out->why = "UDP length does not fit the IP packet";
        return LARCH_SNIFF_MALFORMED;
    }
    out->source.port = be16(p);
    out->destination.port = be16(p + 2);
    out->payload_len = len - 8;
    limit(&c, len - 8);
    out->payload = (larch_bytes){c.data, c.captured};
    out->checksum = checkable && c.captured == c.wire ? checksum(out, p, len) : LARCH_SNIFF_CHECKSUM_UNKNOWN;
    out->why = NULL;
    return LARCH_SNIFF_DATAGRAM;
}

/*  ver 4, IHL 4 | TOS | total length 2 | id 2 | flags 3, offset 13 | TTL | protocol | checksum 2 | src 4 | dst 4 | options
 * The header checksum is left alone: a network card may fill it in after the capture. */
static larch_sniff_found ipv4(larch_sniff_links *l, cursor c, larch_sniff_datagram *out)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    larch_sniff_found found;
    const uint8_t *p, *options;
    size_t frame = c.wire;

    out->why = "IPv4 header";
    if (!take(&c, 20, &p, &found))
        return found;
    size_t header = (size_t)(p[0] & 15) * 4, total = be16(p + 2);
    if (total == 0)
        total = frame; /* left to the network card to cut (segmentation offload) */
    if (header < 20 || total < header || total > frame) {
        out->why = "IPv4 length does not fit the frame";
        return LARCH_SNIFF_MALFORMED;
    }
    memcpy(out->source.address, mapped, 12);
    memcpy(out->source.address + 12, p + 12, 4);
    memcpy(out->destination.address, mapped, 12);
    memcpy(out->destination.address + 12, p + 16, 4);
    out->has_addresses = true;
    out->hop_limit = p[8];
    limit(&c, total - 20);
    if (!take(&c, header - 20, &options, &found))
        return found;
    uint8_t protocol = p[9];
    uint16_t flags = be16(p + 6);
    if ((flags & 0x3fff) != 0) {
        fragment f = {be16(p + 4), (uint32_t)(flags & 0x1fff) * 8, protocol, (flags & 0x2000) != 0};
        if (protocol != PROTOCOL_UDP)
            return out->why = NULL, LARCH_SNIFF_OTHER;
        found = larch_sniff_fragment_take(l, out, &f, &c, &protocol, &out->why);
        if (found != LARCH_SNIFF_DATAGRAM)
            return found;
        out->reassembled = true;
    }
    if (protocol != PROTOCOL_UDP)
        return out->why = NULL, LARCH_SNIFF_OTHER;
    return udp(c, true, out);
}

/*  ver 4, class 8, label 20 | payload length 2 | next 1 | hop limit 1 | src 16 | dst 16 | extension headers */
static larch_sniff_found ipv6(larch_sniff_links *l, cursor c, larch_sniff_datagram *out)
{
    larch_sniff_found found;
    const uint8_t *p;
    bool checkable = true;

    out->why = "IPv6 header";
    if (!take(&c, 40, &p, &found))
        return found;
    size_t len = be16(p + 4);
    if (len > c.wire) {
        out->why = "IPv6 length does not fit the frame";
        return LARCH_SNIFF_MALFORMED;
    }
    if (len != 0) /* else segmentation offload or a jumbogram: up to the frame's end */
        limit(&c, len);
    memcpy(out->source.address, p + 8, 16);
    memcpy(out->destination.address, p + 24, 16);
    out->has_addresses = true;
    out->hop_limit = p[7];

    uint8_t next = p[6];
    for (unsigned headers = 0; headers < 16; headers++) {
        const uint8_t *h, *rest;
        out->why = "IPv6 extension header";
        switch (next) {
        case PROTOCOL_UDP:
            return udp(c, checkable, out);
        case 0:   /* hop-by-hop */
        case 43:  /* routing */
        case 60:  /* destination options */
        case 135: /* mobility */
        case 139: /* HIP */
        case 140: /* shim6 */
            if (!take(&c, 8, &h, &found) || !take(&c, (size_t)h[1] * 8, &rest, &found))
                return found;
            if (next == 43 && h[3] != 0)
                checkable = false; /* [RFC8200 8.1] the checksum is over an address further down the route */
            next = h[0];
            break;
        case 51: /* authentication: its length counts otherwise [RFC4302 2.2] */
            if (!take(&c, 8, &h, &found) || !take(&c, (size_t)h[1] * 4, &rest, &found))
                return found;
            next = h[0];
            break;
        case 44: {
            if (!take(&c, 8, &h, &found))
                return found;
            fragment f = {be32(h + 4), (uint32_t)(be16(h + 2) & 0xfff8), h[0], (h[3] & 1) != 0};
            next = h[0];
            if (f.offset == 0 && !f.more)
                break; /* an atomic fragment [RFC6946] is whole */
            if (out->reassembled) {
                out->why = "IPv6 fragment inside a fragment";
                return LARCH_SNIFF_MALFORMED;
            }
            found = larch_sniff_fragment_take(l, out, &f, &c, &next, &out->why);
            if (found != LARCH_SNIFF_DATAGRAM)
                return found;
            out->reassembled = true;
            break;
        }
        default:
            out->why = NULL;
            return LARCH_SNIFF_OTHER;
        }
    }
    out->why = "more than 16 IPv6 extension headers";
    return LARCH_SNIFF_MALFORMED;
}

larch_sniff_found larch_sniff_ip(larch_sniff_links *l, cursor c, larch_sniff_datagram *out)
{
    larch_sniff_found found;
    const uint8_t *p;
    cursor start = c;
    out->why = "IP header";
    if (!take(&start, 1, &p, &found))
        return found;
    switch (p[0] >> 4) {
    case 4:
        return ipv4(l, c, out);
    case 6:
        return ipv6(l, c, out);
    default:
        out->why = "IP version is neither 4 nor 6";
        return LARCH_SNIFF_MALFORMED;
    }
}
