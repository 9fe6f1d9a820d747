/* SPDX-License-Identifier: Apache-2.0 */
#include "interfaces.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

int larch_posix_interfaces_open(void)
{
    const struct sockaddr_nl address = {.nl_family = AF_NETLINK,
                                        .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR};
    const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    const int reason = errno;
    (void)close(fd);
    errno = reason;
    return -1;
}

bool larch_posix_interfaces_take(int fd)
{
    char report[8192]; /* what it says is asked for anew */
    bool changed = false;
    ssize_t len;
    while ((len = recv(fd, report, sizeof report, MSG_DONTWAIT)) > 0 || (len < 0 && errno == ENOBUFS))
        changed = true;
    return changed;
}
