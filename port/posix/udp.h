/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One UDP socket for both IPv4 and IPv6. Datagrams come and go in batches, one
 * system call for many. Each marks in peer.via the address of ours that it came to:
 * whatever is sent to that peer leaves from there. With via 0 the system chooses. Whether the sender's address belongs
 * to the link of the interface that it came through is told in peer.is_on_link.
 */
#ifndef LARCH_POSIX_UDP_H
#define LARCH_POSIX_UDP_H

#include "address.h"
#include "larch/base.h"
#include "links.h"
#include "neighbour.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_UDP_BATCH 64
#define LARCH_UDP_LEN_MAX \
    (LARCH_COAP_DATAGRAM_MAX + 1) /* a datagram that has so many bytes is too long, and may be cut */

#define LARCH_UDP_LOCALS 32 /* addresses of ours that are told apart; at most 255 */

typedef struct larch_udp {
    int fd;                               /* to poll for reading; never blocks */
    bool is_early;                        /* see LARCH_UDP_EARLY */
    larch_peer local;                     /* what it is bound to, with the port that was chosen */
    int family;                           /* private, and all below */
    uint8_t locals[LARCH_UDP_LOCALS][16]; /* peer.via - 1 is the place in it */
    uint8_t next_local;
    larch_posix_links links;
    larch_posix_neighbours neighbours;
    int send_buffer; /* bytes */
} larch_udp;

typedef struct larch_udp_datagram {
    larch_peer peer; /* who sent it, or whom it goes to; via: the address of ours it came to, or leaves from */
    bool multicast;  /* it came to a group or broadcast address; via is 0 then */
    size_t len;
    uint8_t bytes[LARCH_UDP_LEN_MAX];
} larch_udp_datagram;

/* About 90 KiB: not for a stack. */
typedef struct larch_udp_batch {
    size_t count;
    larch_udp_datagram datagrams[LARCH_UDP_BATCH];
} larch_udp_batch;

/* Opens a socket on an address and port of this system; all zeros: any of both
 * families and a free port. A port that another socket holds is an error. May send
 * to broadcast addresses. On a system without IPv6 it serves IPv4 alone, if the
 * address allows it. Returns 0; or -1 with the reason, and fd is -1. */
int larch_udp_open(larch_udp *udp, const larch_peer *local, larch_posix_reason *why);
/* With LARCH_UDP_IPV6_ONLY, [::] leaves IPv4 to another socket. With LARCH_UDP_EARLY, the address may come later:
 * udp->is_early says that it is not there now. */
#define LARCH_UDP_IPV6_ONLY 1u
#define LARCH_UDP_EARLY     2u
int larch_udp_open_as(larch_udp *udp, const larch_peer *local, unsigned flags, larch_posix_reason *why);
/* From now on the kernel drops what comes from others than this peer, and keeps what a router or the peer's host reports
 * about the way there (ICMP): the socket is then ready for reading, and receiving or sending may fail once for each.
 * Returns 0, or -1 with errno: there is no way now. */
int larch_udp_connect(const larch_udp *udp, const larch_peer *peer);
/* Takes the next report: an errno such as ECONNREFUSED or EHOSTUNREACH; 0: there is none. Take all of them. */
int larch_udp_take_report(const larch_udp *udp);
void larch_udp_close(larch_udp *udp);

/* Joins All CoAP Nodes, 224.0.1.187, ff02::fd and ff05::fd [RFC7252 12.8], on every
 * interface that is up; again after interfaces came up. Returns how many memberships hold;
 * or -1 with errno. */
int larch_udp_join(const larch_udp *udp);

/* Where to ask all CoAP nodes nearby, at this port: for every interface that is up
 * its IPv4 broadcast address and ff02::fd. Returns how many were written, at most max. */
size_t larch_udp_neighbourhoods(const larch_udp *udp, uint16_t port, larch_peer *out, size_t max);

/* Takes what has arrived, at most a batch, and does not wait. A datagram larger
 * than LARCH_COAP_DATAGRAM_MAX comes with its first LARCH_UDP_LEN_MAX bytes. Returns batch->count;
 * 0 if nothing is there; or -1 with errno. */
int larch_udp_receive(larch_udp *udp, larch_udp_batch *batch);

/* Waits until a datagram is there or larch_posix_now_ms() reaches until_ms
 * (UINT64_MAX: for ever). Returns 1, or 0 when it is time; or -1 with errno (EINTR: a signal). */
int larch_udp_wait(const larch_udp *udp, uint64_t until_ms);

/* Sends a batch and does not wait. What the system does not take is lost, as on a
 * network; so is what goes to a neighbour that is not there, while the system waits for others of the kind. Returns how
 * many were taken; errno tells why the last of the others was not. */
int larch_udp_send(larch_udp *udp, const larch_udp_batch *batch);

/* Sends one. Returns 0, or -1 with errno. */
int larch_udp_send_to(const larch_udp *udp, const larch_peer *peer, larch_bytes bytes);

#ifdef __cplusplus
}
#endif

#endif
