/* SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE 1

#include "links.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <string.h>

#include "address.h"

#define REFRESH_MS 10000

/* The leading ones of a netmask; those of IPv4 count behind 96 that all of them share. */
static unsigned bits_of(const struct sockaddr *netmask)
{
    larch_peer mask;
    unsigned bits = 0;
    if (netmask == NULL || !larch_posix_peer_from_sockaddr(netmask, &mask))
        return 128;
    if (larch_peer_is_ipv4(&mask))
        memset(mask.address, 0xff, 12);
    while (bits < 128 && (mask.address[bits / 8] >> (7 - bits % 8) & 1) != 0)
        bits++;
    return bits;
}

void larch_posix_links_refresh(larch_posix_links *links, uint64_t now_ms)
{
    struct ifaddrs *addresses;
    if (links->is_read && now_ms - links->read_at_ms < REFRESH_MS)
        return;
    links->is_read = true;
    links->read_at_ms = now_ms;
    if (getifaddrs(&addresses) != 0)
        return; /* what was known holds on */
    links->count = 0;
    for (const struct ifaddrs *a = addresses; a != NULL && links->count < LARCH_POSIX_LINKS_MAX; a = a->ifa_next) {
        larch_posix_link *link = &links->links[links->count];
        larch_peer own;
        if (a->ifa_addr == NULL || !larch_posix_peer_from_sockaddr(a->ifa_addr, &own))
            continue;
        link->interface = if_nametoindex(a->ifa_name);
        link->bits = bits_of(a->ifa_netmask);
        link->resolves = (a->ifa_flags & (IFF_LOOPBACK | IFF_NOARP | IFF_POINTOPOINT)) == 0;
        memcpy(link->address, own.address, sizeof link->address);
        links->count++;
    }
    freeifaddrs(addresses);
}

static bool shares(const uint8_t a[16], const uint8_t b[16], unsigned bits)
{
    const unsigned whole = bits / 8, rest = bits % 8;
    return memcmp(a, b, whole) == 0 && (rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0);
}

bool larch_posix_links_have(const larch_posix_links *links, unsigned interface, const uint8_t address[16])
{
    if (address[0] == 0xfe && (address[1] & 0xc0) == 0x80) /* link-local [RFC4291 2.5.6] */
        return true;
    for (size_t i = 0; i < links->count; i++) {
        const larch_posix_link *link = &links->links[i];
        /* Our own host is near, by whatever interface its datagrams take. */
        if (shares(link->address, address, link->interface == interface ? link->bits : 128))
            return true;
    }
    return false;
}

unsigned larch_posix_links_interface(const larch_posix_links *links, const uint8_t address[16])
{
    for (size_t i = 0; i < links->count; i++)
        if (memcmp(links->links[i].address, address, sizeof links->links[i].address) == 0)
            return 0; /* our own */
    for (size_t i = 0; i < links->count; i++)
        if (shares(links->links[i].address, address, links->links[i].bits))
            return links->links[i].resolves ? links->links[i].interface : 0;
    return 0;
}
