/* SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE 1

#include "neighbour.h"

#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define VALID (NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY)

typedef struct question {
    struct nlmsghdr head;
    struct ndmsg what;
    struct rtattr attribute;
    uint8_t address[16];
} question;

_Static_assert(sizeof(question) == NLMSG_ALIGN(NLMSG_LENGTH(sizeof(struct ndmsg))) + RTA_LENGTH(16), "no padding");

static bool open_table(larch_posix_neighbours *neighbours)
{
    if (neighbours->fd == 0)
        neighbours->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    return neighbours->fd > 0;
}

static bool ask(larch_posix_neighbours *neighbours, unsigned interface, const uint8_t address[16])
{
    larch_peer asked = {.port = 0};
    memcpy(asked.address, address, sizeof asked.address);
    const size_t skip = larch_peer_is_ipv4(&asked) ? 12 : 0, len = sizeof asked.address - skip;
    question q = {
        .head = {.nlmsg_type = RTM_GETNEIGH, .nlmsg_flags = NLM_F_REQUEST, .nlmsg_seq = ++neighbours->sequence},
        .what = {.ndm_family = skip > 0 ? AF_INET : AF_INET6, .ndm_ifindex = (int)interface},
        .attribute = {.rta_type = NDA_DST, .rta_len = (unsigned short)RTA_LENGTH(len)}};
    memcpy(q.address, asked.address + skip, len);
    q.head.nlmsg_len = (uint32_t)(sizeof q - sizeof q.address + len);
    return send(neighbours->fd, &q, q.head.nlmsg_len, 0) == (ssize_t)q.head.nlmsg_len;
}

bool larch_posix_neighbour_is_there(larch_posix_neighbours *neighbours, unsigned interface, const uint8_t address[16])
{
    union {
        struct nlmsghdr head;
        uint8_t bytes[1024];
    } answer;
    if (!open_table(neighbours) || !ask(neighbours, interface, address))
        return true;
    for (;;) { /* the system answers before send returns; an earlier question may have left an answer behind */
        const ssize_t got = recv(neighbours->fd, &answer, sizeof answer, 0);
        if (got < (ssize_t)sizeof answer.head)
            return true;
        if (answer.head.nlmsg_seq != neighbours->sequence)
            continue;
        if (answer.head.nlmsg_type != RTM_NEWNEIGH || got < (ssize_t)NLMSG_LENGTH(sizeof(struct ndmsg)))
            return false;
        struct ndmsg entry;
        memcpy(&entry, NLMSG_DATA(&answer.head), sizeof entry);
        return (entry.ndm_state & VALID) != 0;
    }
}

void larch_posix_neighbours_close(larch_posix_neighbours *neighbours)
{
    if (neighbours->fd > 0)
        close(neighbours->fd);
    neighbours->fd = 0;
}
