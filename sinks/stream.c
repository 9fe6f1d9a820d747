/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static larch_stream_kind kind_of(int fd)
{
    struct stat st;
    if (isatty(fd) == 1)
        return LARCH_STREAM_TERMINAL;
    if (fstat(fd, &st) != 0)
        return LARCH_STREAM_FILE; /* the first write will name the error */
    return S_ISFIFO(st.st_mode) ? LARCH_STREAM_PIPE : S_ISSOCK(st.st_mode) ? LARCH_STREAM_SOCKET : LARCH_STREAM_FILE;
}

void larch_stream_open(larch_stream *stream, int fd)
{
    const char *terminal = isatty(fd) == 1 ? ttyname(fd) : NULL;
    const int own = terminal != NULL ? open(terminal, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC) : -1;
    *stream = (larch_stream){.fd = own >= 0 ? own : fd, .own = own >= 0, .kind = kind_of(fd)};
}

void larch_stream_close(larch_stream *stream)
{
    if (stream->own)
        (void)close(stream->fd);
    stream->fd = -1;
}

/* Standard output is open for writing alone. */
bool larch_stream_is_torn(const larch_stream *stream)
{
    char name[32], last = '\n';
    struct stat st;
    if (stream->kind != LARCH_STREAM_FILE || fstat(stream->fd, &st) != 0 || !S_ISREG(st.st_mode))
        return false;
    const bool appends = (fcntl(stream->fd, F_GETFL) & O_APPEND) != 0;
    const off_t end = appends ? st.st_size : lseek(stream->fd, 0, SEEK_CUR);
    if (end <= 0)
        return false;
    snprintf(name, sizeof name, "/proc/self/fd/%d", stream->fd);
    const int fd = open(name, O_RDONLY | O_CLOEXEC);
    const bool torn = fd >= 0 && pread(fd, &last, 1, end - 1) == 1 && last != '\n';
    if (fd >= 0)
        (void)close(fd);
    return torn;
}

static bool is_waited_for(const larch_stream *s)
{
    return s->kind == LARCH_STREAM_PIPE || s->kind == LARCH_STREAM_SOCKET;
}

/* Whether poll reports this now, or an error, which it reports unasked. */
static bool polls(const larch_stream *s, short events)
{
    struct pollfd fd = {.fd = s->fd, .events = events};
    return poll(&fd, 1, 0) > 0;
}

/* Bytes to hand to write now: 0, the reader has to take some first. A pipe or a terminal that poll calls writable takes
 * PIPE_BUF bytes without blocking; of lines, only whole ones if there is a whole one. */
static size_t portion(const larch_stream *s, larch_bytes lines)
{
    if (s->kind == LARCH_STREAM_FILE || s->own)
        return lines.len;
    if (!polls(s, POLLOUT)) /* or the error, which write will name */
        return 0;
    if (lines.len <= PIPE_BUF)
        return lines.len;
    size_t n = PIPE_BUF;
    while (n > 0 && lines.data[n - 1] != '\n')
        n--;
    return n > 0 ? n : PIPE_BUF;
}

static ssize_t write_some(const larch_stream *s, const uint8_t *data, size_t len)
{
    if (s->kind == LARCH_STREAM_SOCKET) /* here the kernel takes a flag for one call */
        return send(s->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    return write(s->fd, data, len);
}

size_t larch_stream_write(larch_stream *s, larch_bytes lines)
{
    size_t done = 0, n;
    while (done < lines.len && (n = portion(s, (larch_bytes){lines.data + done, lines.len - done})) > 0) {
        const ssize_t written = write_some(s, lines.data + done, n);
        if (written < 0 && errno == EINTR)
            continue;
        s->error = written >= 0 || errno == EAGAIN ? 0 : errno;
        if (written <= 0)
            break;
        done += (size_t)written;
    }
    return done;
}

bool larch_stream_is_closed(const larch_stream *s) { return is_waited_for(s) && polls(s, 0); }

size_t larch_stream_unread(const larch_stream *s)
{
    int unread = 0;
    if (!is_waited_for(s))
        return 0;
    if (ioctl(s->fd, s->kind == LARCH_STREAM_PIPE ? FIONREAD : SIOCOUTQ, &unread) != 0 || unread < 0)
        return SIZE_MAX;
    if (s->kind == LARCH_STREAM_PIPE)
        return (size_t)unread;
    /* A socket drops what its reader left when that goes, and shows that it has gone before. */
    return unread == 0 && !larch_stream_is_closed(s) ? 0 : SIZE_MAX;
}
