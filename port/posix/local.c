/* SPDX-License-Identifier: Apache-2.0 */
#include "local.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 8

static int fail(int fd, larch_posix_reason *why, const char *name)
{
    snprintf(why->text, sizeof why->text, "%s: %s", name, strerror(errno));
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

/* False: the name is too long. */
static bool make_address(int folder, const char *name, struct sockaddr_un *address)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    const int len = snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/%s", folder, name);
    if (len > 0 && (size_t)len < sizeof address->sun_path)
        return true;
    errno = ENAMETOOLONG;
    return false;
}

int larch_local_listen(int folder, const char *name, larch_posix_reason *why)
{
    struct sockaddr_un address;
    if (!make_address(folder, name, &address) || (unlinkat(folder, name, 0) != 0 && errno != ENOENT))
        return fail(-1, why, name);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* bind makes the file with the mode that the socket has by then. */
    if (fd < 0 || fchmod(fd, S_IRUSR | S_IWUSR) != 0 ||
        bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 || listen(fd, BACKLOG) != 0)
        return fail(fd, why, name);
    return fd;
}

int larch_local_accept(int listener, bool *is_allowed)
{
    struct ucred peer;
    socklen_t len = sizeof peer;
    const int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    *is_allowed = fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
                  (peer.uid == 0 || peer.uid == geteuid());
    return fd;
}

static bool set_timeouts(int fd, unsigned timeout_ms)
{
    const struct timeval timeout = {timeout_ms / 1000, timeout_ms % 1000 * 1000L};
    return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) == 0 &&
           setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) == 0;
}

int larch_local_connect(int folder, const char *name, unsigned timeout_ms)
{
    struct sockaddr_un address;
    if (!make_address(folder, name, &address))
        return -1;
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (set_timeouts(fd, timeout_ms) && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    const int reason = errno;
    (void)close(fd);
    errno = reason;
    return -1;
}
