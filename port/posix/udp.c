/* SPDX-License-Identifier: Apache-2.0 */
#include "udp.h"

#include <errno.h>
#include <ifaddrs.h>
#include <limits.h>
#include <linux/errqueue.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "larch/coap_message.h"
#include "system.h"
#include "text/peer.h"

/* Bytes that the kernel keeps while the program is busy: some thousand datagrams. */
#define RECEIVE_BUFFER (4 << 20)

/* All CoAP Nodes [RFC7252 12.8]. */
static const uint8_t group_ipv4[4] = {224, 0, 1, 187};
static const uint8_t group_link[16] = {0xff, 0x02, [15] = 0xfd};
static const uint8_t group_site[16] = {0xff, 0x05, [15] = 0xfd};

static const uint8_t ipv4_prefix[12] = {[10] = 0xff, [11] = 0xff};

/* :: or 0.0.0.0 */
static bool is_any(const uint8_t address[16])
{
    static const uint8_t zeros[16];
    const bool ipv4 = memcmp(address, ipv4_prefix, sizeof ipv4_prefix) == 0;
    return memcmp(address + (ipv4 ? 12 : 0), zeros, ipv4 ? 4 : 16) == 0;
}

/* ---- opening ----------------------------------------------------------- */

static int set(int fd, int level, int option, int value) { return setsockopt(fd, level, option, &value, sizeof value); }

static int configure(int fd, int family, unsigned flags)
{
    /* The larger buffer needs a privilege; without it the system's limit holds. */
    if (set(fd, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER) != 0)
        (void)set(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER);
    /* Without DF: a router whose link takes less parts a datagram itself, so that no message depends on reports of it,
     * which anybody may forge or filter. IPv6 has no such routers; there the kernel parts what is too long. */
    if (set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT) != 0)
        return -1;
    if (set(fd, SOL_SOCKET, SO_BROADCAST, 1) != 0 || set(fd, IPPROTO_IP, IP_PKTINFO, 1) != 0 ||
        set(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0) != 0) /* only the groups joined here */
        return -1;
    if (family == AF_INET6 &&
        (set(fd, IPPROTO_IPV6, IPV6_V6ONLY, (flags & LARCH_UDP_IPV6_ONLY) != 0) != 0 ||
         set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) != 0 || set(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0) != 0))
        return -1;
    return 0;
}

/* An address that is not there yet may be bound to all the same, if that is asked for. */
static int bind_to(larch_udp *udp, int fd, const struct sockaddr_storage *address, socklen_t len, unsigned flags)
{
    const int e = bind(fd, (const struct sockaddr *)address, len);
    if (e == 0 || errno != EADDRNOTAVAIL || (flags & LARCH_UDP_EARLY) == 0)
        return e;
    udp->is_early = true;
    return set(fd, IPPROTO_IP, IP_FREEBIND, 1) == 0 ? bind(fd, (const struct sockaddr *)address, len) : -1;
}

static int try_open(larch_udp *udp, int family, const larch_peer *local, unsigned flags)
{
    struct sockaddr_storage address;
    socklen_t len = larch_posix_peer_to_sockaddr(local, family, &address);
    if (len == 0) {
        errno = EAFNOSUPPORT;
        return -1;
    }
    const int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    if (configure(fd, family, flags) != 0 || bind_to(udp, fd, &address, len, flags) != 0 ||
        (len = sizeof address, getsockname(fd, (struct sockaddr *)&address, &len)) != 0) {
        const int e = errno;
        close(fd);
        errno = e;
        return -1;
    }
    udp->fd = fd;
    udp->family = family;
    len = sizeof udp->send_buffer;
    (void)getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &udp->send_buffer, &len);
    (void)larch_posix_peer_from_sockaddr((struct sockaddr *)&address, &udp->local);
    return 0;
}

int larch_udp_open_as(larch_udp *udp, const larch_peer *local, unsigned flags, larch_posix_reason *why)
{
    *udp = (larch_udp){.fd = -1};
    /* What is for IPv4 alone takes the shorter way through the system. */
    int e = try_open(udp, larch_peer_is_ipv4(local) ? AF_INET : AF_INET6, local, flags);
    if (e != 0 && errno == EAFNOSUPPORT) {
        larch_peer ipv4 = *local;
        if (is_any(local->address))
            ipv4.address[10] = ipv4.address[11] = 0xff;
        e = try_open(udp, AF_INET, &ipv4, flags);
    }
    if (e != 0) {
        char text[LARCH_TEXT_PEER_MAX];
        const char *reason = errno == EADDRINUSE ? "another program holds this port" : strerror(errno);
        snprintf(why->text, sizeof why->text, "%s: %s", larch_text_of_peer(local, text), reason);
    }
    return e;
}

int larch_udp_open(larch_udp *udp, const larch_peer *local, larch_posix_reason *why)
{
    return larch_udp_open_as(udp, local, 0, why);
}

int larch_udp_connect(const larch_udp *udp, const larch_peer *peer)
{
    struct sockaddr_storage address;
    const socklen_t len = larch_posix_peer_to_sockaddr(peer, udp->family, &address);
    if (len == 0) {
        errno = EAFNOSUPPORT;
        return -1;
    }
    /* Without these the kernel keeps some reports to itself, such as that a host is not reached. */
    if (set(udp->fd, IPPROTO_IP, IP_RECVERR, 1) != 0 ||
        (udp->family == AF_INET6 && set(udp->fd, IPPROTO_IPV6, IPV6_RECVERR, 1) != 0))
        return -1;
    return connect(udp->fd, (struct sockaddr *)&address, len);
}

int larch_udp_take_report(const larch_udp *udp)
{
    _Alignas(struct cmsghdr) uint8_t space[256];
    uint8_t begin; /* of the datagram that it is about */
    struct iovec part = {&begin, sizeof begin};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
    if (recvmsg(udp->fd, &header, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
        return 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&header); c != NULL; c = CMSG_NXTHDR(&header, c))
        if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
            (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR)) {
            struct sock_extended_err error;
            memcpy(&error, CMSG_DATA(c), sizeof error);
            return error.ee_errno != 0 ? (int)error.ee_errno : EIO;
        }
    return EIO;
}

void larch_udp_close(larch_udp *udp)
{
    if (udp->fd >= 0)
        close(udp->fd);
    udp->fd = -1;
    larch_posix_neighbours_close(&udp->neighbours);
}

/* ---- groups ------------------------------------------------------------ */

static bool membership(int e) { return e == 0 || errno == EADDRINUSE; /* joined before */ }

static int join_ipv6(int fd, const uint8_t group[16], unsigned interface)
{
    struct ipv6_mreq request = {.ipv6mr_interface = interface};
    memcpy(&request.ipv6mr_multiaddr, group, 16);
    return membership(setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &request, sizeof request));
}

static int join_ipv4(int fd, unsigned interface)
{
    struct ip_mreqn request = {.imr_ifindex = (int)interface};
    memcpy(&request.imr_multiaddr, group_ipv4, 4);
    return membership(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request));
}

int larch_udp_join(const larch_udp *udp)
{
    struct if_nameindex *interfaces = if_nameindex();
    if (interfaces == NULL)
        return -1;
    int joined = 0;
    for (const struct if_nameindex *i = interfaces; i->if_index != 0; i++) {
        joined += join_ipv4(udp->fd, i->if_index);
        if (udp->family == AF_INET6)
            joined += join_ipv6(udp->fd, group_link, i->if_index) + join_ipv6(udp->fd, group_site, i->if_index);
    }
    if_freenameindex(interfaces);
    return joined;
}

/* From address and mask: an address that was given without a broadcast address shows itself in its place. */
static bool broadcast_of(const struct ifaddrs *a, larch_peer *out)
{
    larch_peer mask;
    if (a->ifa_netmask == NULL || !larch_posix_peer_from_sockaddr(a->ifa_addr, out) ||
        !larch_posix_peer_from_sockaddr(a->ifa_netmask, &mask))
        return false;
    for (size_t i = 12; i < sizeof out->address; i++)
        out->address[i] = (uint8_t)(out->address[i] | ~mask.address[i]);
    return true;
}

size_t larch_udp_neighbourhoods(const larch_udp *udp, uint16_t port, larch_peer *out, size_t max)
{
    struct ifaddrs *addresses;
    size_t count = 0;
    if (getifaddrs(&addresses) != 0)
        return 0;
    for (const struct ifaddrs *a = addresses; a != NULL && count < max; a = a->ifa_next) {
        larch_peer peer = {.port = port};
        if ((a->ifa_flags & IFF_UP) == 0 || a->ifa_addr == NULL)
            continue;
        if (a->ifa_addr->sa_family == AF_INET && (a->ifa_flags & IFF_BROADCAST) != 0) {
            if (!broadcast_of(a, &peer))
                continue;
        } else if (a->ifa_addr->sa_family == AF_INET6 && (a->ifa_flags & IFF_MULTICAST) != 0 &&
                   udp->family == AF_INET6) {
            memcpy(peer.address, group_link, 16);
            peer.scope = if_nametoindex(a->ifa_name);
        } else {
            continue;
        }
        peer.port = port;
        bool known = false; /* an interface with several addresses */
        for (size_t i = 0; i < count; i++)
            known = known || larch_peer_equal(&out[i], &peer);
        if (!known)
            out[count++] = peer;
    }
    freeifaddrs(addresses);
    return count;
}

/* ---- the system's view of a batch -------------------------------------- */

/* Both families: a system may say where an IPv4 datagram came to in either way. */
typedef struct control {
    _Alignas(
        struct cmsghdr) uint8_t bytes[CMSG_SPACE(sizeof(struct in_pktinfo)) + CMSG_SPACE(sizeof(struct in6_pktinfo))];
} control;

typedef struct envelope {
    struct mmsghdr headers[LARCH_UDP_BATCH];
    struct iovec parts[LARCH_UDP_BATCH];
    struct sockaddr_storage names[LARCH_UDP_BATCH];
    control controls[LARCH_UDP_BATCH];
} envelope;

/* ---- receiving --------------------------------------------------------- */

/* The mark of an address of ours: 1 and up. When the table is full, the oldest makes room. */
static uint8_t mark_of(larch_udp *udp, const uint8_t address[16])
{
    for (uint8_t i = 0; i < LARCH_UDP_LOCALS; i++)
        if (memcmp(udp->locals[i], address, 16) == 0)
            return (uint8_t)(i + 1);
    const uint8_t place = udp->next_local;
    memcpy(udp->locals[place], address, 16);
    udp->next_local = (uint8_t)((place + 1) % LARCH_UDP_LOCALS);
    return (uint8_t)(place + 1);
}

/* Finds out which address of ours a datagram came to, and how near its sender is. */
static void read_destination(larch_udp *udp, struct msghdr *header, larch_udp_datagram *d)
{
    uint8_t local[16] = {0};
    unsigned interface = 0;
    d->multicast = false;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c != NULL; c = CMSG_NXTHDR(header, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            memcpy(local, ipv4_prefix, sizeof ipv4_prefix);
            memcpy(local + 12, &info.ipi_spec_dst, 4);
            interface = (unsigned)info.ipi_ifindex;
            /* The address in the header is not the one that received it: a group, or a broadcast address. */
            d->multicast = info.ipi_addr.s_addr != info.ipi_spec_dst.s_addr;
            break;
        }
        if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            memcpy(local, &info.ipi6_addr, sizeof local);
            interface = info.ipi6_ifindex;
            d->multicast = IN6_IS_ADDR_MULTICAST(&info.ipi6_addr) != 0;
        }
    }
    d->peer.via = d->multicast || is_any(local) ? 0 : mark_of(udp, local);
    d->peer.is_on_link = larch_posix_links_have(&udp->links, interface, d->peer.address);
}

int larch_udp_receive(larch_udp *udp, larch_udp_batch *batch)
{
    envelope e;
    batch->count = 0;
    for (size_t i = 0; i < LARCH_UDP_BATCH; i++) {
        e.parts[i] = (struct iovec){batch->datagrams[i].bytes, sizeof batch->datagrams[i].bytes};
        e.headers[i].msg_hdr = (struct msghdr){.msg_name = &e.names[i],
                                               .msg_namelen = sizeof e.names[i],
                                               .msg_iov = &e.parts[i],
                                               .msg_iovlen = 1,
                                               .msg_control = &e.controls[i],
                                               .msg_controllen = sizeof e.controls[i]};
    }
    const int got = recvmmsg(udp->fd, e.headers, LARCH_UDP_BATCH, MSG_DONTWAIT, NULL);
    if (got < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
    larch_posix_links_refresh(&udp->links, larch_posix_now_ms());
    for (size_t i = 0; i < (size_t)got; i++) {
        larch_udp_datagram *d = &batch->datagrams[i];
        d->len = e.headers[i].msg_len;
        (void)larch_posix_peer_from_sockaddr((struct sockaddr *)&e.names[i], &d->peer);
        read_destination(udp, &e.headers[i].msg_hdr, d);
    }
    batch->count = (size_t)got;
    return got;
}

int larch_udp_wait(const larch_udp *udp, uint64_t until_ms)
{
    struct pollfd fd = {.fd = udp->fd, .events = POLLIN};
    const uint64_t now_ms = larch_posix_now_ms();
    const uint64_t left_ms = until_ms > now_ms ? until_ms - now_ms : 0;
    const int timeout = until_ms == UINT64_MAX ? -1 : left_ms < INT_MAX ? (int)left_ms : INT_MAX;
    return poll(&fd, 1, timeout);
}

/* ---- sending ----------------------------------------------------------- */

/* Lets a datagram leave from the address of ours that its peer is used to. */
static void write_source(const larch_udp *udp, struct msghdr *header, control *space, const larch_peer *peer)
{
    if (peer->via == 0 || peer->via > LARCH_UDP_LOCALS || !is_any(udp->local.address))
        return; /* a socket of one address sends from it */
    const uint8_t *local = udp->locals[peer->via - 1];
    const bool ipv4 = memcmp(local, ipv4_prefix, sizeof ipv4_prefix) == 0;
    if (ipv4 != larch_peer_is_ipv4(peer)) /* the place was taken by another address since */
        return;
    memset(space, 0, sizeof *space);
    header->msg_control = space;
    header->msg_controllen = sizeof *space;
    struct cmsghdr *c = CMSG_FIRSTHDR(header);
    if (ipv4) {
        struct in_pktinfo info = {.ipi_ifindex = 0};
        memcpy(&info.ipi_spec_dst, local + 12, 4);
        c->cmsg_level = IPPROTO_IP;
        c->cmsg_type = IP_PKTINFO;
        c->cmsg_len = CMSG_LEN(sizeof info);
        memcpy(CMSG_DATA(c), &info, sizeof info);
        header->msg_controllen = CMSG_SPACE(sizeof info);
    } else {
        struct in6_pktinfo info = {.ipi6_ifindex = peer->scope};
        memcpy(&info.ipi6_addr, local, 16);
        c->cmsg_level = IPPROTO_IPV6;
        c->cmsg_type = IPV6_PKTINFO;
        c->cmsg_len = CMSG_LEN(sizeof info);
        memcpy(CMSG_DATA(c), &info, sizeof info);
        header->msg_controllen = CMSG_SPACE(sizeof info);
    }
}

/* Datagrams wait in the system and fill this socket's send buffer by more than half: they go to neighbours that nobody
 * has answered for yet. */
static bool is_clogged(const larch_udp *udp)
{
    int waiting;
    return ioctl(udp->fd, SIOCOUTQ, &waiting) == 0 && waiting > udp->send_buffer / 2;
}

/* The half that is left is for those who are there. Whoever else sent to us forged its address. */
static bool is_worth_sending(larch_udp *udp, bool clogged, const larch_peer *peer)
{
    if (!clogged || !peer->is_on_link)
        return true;
    const unsigned interface = peer->scope != 0 ? peer->scope : larch_posix_links_interface(&udp->links, peer->address);
    return interface == 0 || larch_posix_neighbour_is_there(&udp->neighbours, interface, peer->address);
}

/* What the system needs to know for one datagram. False: this socket cannot reach the peer. */
static bool fill_header(const larch_udp *udp, envelope *e, size_t at, const larch_peer *peer, larch_bytes bytes)
{
    const socklen_t len = larch_posix_peer_to_sockaddr(peer, udp->family, &e->names[at]);
    if (len == 0)
        return false;
    /* Sending only reads the bytes, but iovec has no const. */
    e->parts[at] = (struct iovec){(void *)(uintptr_t)bytes.data, bytes.len};
    struct msghdr *header = &e->headers[at].msg_hdr;
    *header = (struct msghdr){.msg_name = &e->names[at], .msg_namelen = len, .msg_iov = &e->parts[at], .msg_iovlen = 1};
    write_source(udp, header, &e->controls[at], peer);
    return true;
}

int larch_udp_send(larch_udp *udp, const larch_udp_batch *batch)
{
    envelope e;
    const bool clogged = is_clogged(udp);
    unsigned count = 0;
    int taken = 0;
    for (size_t i = 0; i < batch->count; i++) {
        const larch_udp_datagram *d = &batch->datagrams[i];
        if (!is_worth_sending(udp, clogged, &d->peer))
            errno = EHOSTUNREACH;
        else if (fill_header(udp, &e, count, &d->peer, (larch_bytes){d->bytes, d->len}))
            count++;
        else
            errno = EAFNOSUPPORT;
    }
    /* It stops at the first datagram that the system refuses; go on behind that one. */
    for (unsigned at = 0; at < count;) {
        const int sent = sendmmsg(udp->fd, e.headers + at, count - at, MSG_DONTWAIT);
        at += sent > 0 ? (unsigned)sent : 1;
        taken += sent > 0 ? sent : 0;
    }
    return taken;
}

int larch_udp_send_to(const larch_udp *udp, const larch_peer *peer, larch_bytes bytes)
{
    envelope e;
    if (!fill_header(udp, &e, 0, peer, bytes)) {
        errno = EAFNOSUPPORT;
        return -1;
    }
    return sendmsg(udp->fd, &e.headers[0].msg_hdr, MSG_DONTWAIT) < 0 ? -1 : 0;
}
