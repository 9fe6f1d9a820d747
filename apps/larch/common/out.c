/* SPDX-License-Identifier: Apache-2.0 */
#include "common/out.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "system.h"

_Static_assert(2 * LARCH_OUT_LINE < LARCH_OUT_BYTES / 2, "a line fits the buffer");

/*
 * O_NONBLOCK belongs to the open file, which others may share, such as the shell that started us and reads its
 * terminal through it: it is not set there. A pipe or socket that poll says can be written takes PIPE_BUF bytes
 * without blocking. A terminal promises nothing of the kind, but can be opened once more, for us alone.
 */
void larch_out_init(larch_out *out, int fd)
{
    struct stat status;
    const char *terminal = isatty(fd) == 1 ? ttyname(fd) : NULL;
    const int own = terminal != NULL ? open(terminal, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC) : -1;
    out->fd = own >= 0 ? own : fd;
    out->error = 0;
    out->in_pieces = own < 0 && (isatty(fd) == 1 ||
                                 (fstat(fd, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode))));
    out->dropped = 0;
    out->done = 0;
    out->writer = larch_writer_to(out->bytes, sizeof out->bytes);
}

bool larch_out_has_room(larch_out *out)
{
    if (out->writer.len + LARCH_OUT_LINE > sizeof out->bytes)
        (void)larch_out_flush(out); /* the error sticks */
    /* Moved only when half is written, so that each byte is moved once at most. */
    if (out->writer.len + LARCH_OUT_LINE > sizeof out->bytes && out->done >= sizeof out->bytes / 2) {
        out->writer.len -= out->done;
        memmove(out->bytes, out->bytes + out->done, out->writer.len);
        out->done = 0;
    }
    return out->writer.len + LARCH_OUT_LINE <= sizeof out->bytes;
}

larch_writer *larch_out_line(larch_out *out)
{
    if (larch_out_has_room(out))
        return &out->writer;
    out->dropped++;
    out->nowhere = larch_writer_to(NULL, 0);
    return &out->nowhere;
}

/* Bytes to hand to write now: 0, the reader has to take some first. */
static size_t portion(const larch_out *out)
{
    const size_t left = out->writer.len - out->done;
    if (!out->in_pieces)
        return left;
    struct pollfd fd = {.fd = out->fd, .events = POLLOUT};
    if (poll(&fd, 1, 0) <= 0)
        return 0;
    return left < PIPE_BUF ? left : PIPE_BUF; /* or the error, which write will name */
}

bool larch_out_flush(larch_out *out)
{
    size_t n;
    while (out->error == 0 && larch_out_waits(out) && (n = portion(out)) > 0) {
        const ssize_t written = write(out->fd, out->bytes + out->done, n);
        if (written >= 0)
            out->done += (size_t)written;
        else if (errno == EAGAIN)
            break;
        else if (errno != EINTR)
            out->error = errno;
    }
    if (out->error != 0 || !larch_out_waits(out))
        out->done = out->writer.len = 0;
    return out->error == 0;
}

bool larch_out_waits(const larch_out *out) { return out->done < out->writer.len; }

bool larch_out_finish(larch_out *out, unsigned ms)
{
    const uint64_t end_ms = larch_posix_now_ms() + ms;
    uint64_t now_ms;
    while (larch_out_flush(out) && larch_out_waits(out) && (now_ms = larch_posix_now_ms()) < end_ms) {
        struct pollfd fd = {.fd = out->fd, .events = POLLOUT};
        (void)poll(&fd, 1, (int)(end_ms - now_ms));
    }
    return out->error == 0 && !larch_out_waits(out);
}
