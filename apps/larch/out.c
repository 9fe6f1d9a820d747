/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "out.h"

_Static_assert(LARCH_OUT_LINE < LARCH_OUT_BYTES, "a line fits the buffer");

void larch_out_init(larch_out *out, int fd)
{
    out->fd = fd;
    out->error = 0;
    out->writer = larch_writer_to(out->bytes, sizeof out->bytes);
}

larch_writer *larch_out_line(larch_out *out)
{
    if (out->writer.len > sizeof out->bytes - LARCH_OUT_LINE)
        (void)larch_out_flush(out); /* the error sticks */
    return &out->writer;
}

bool larch_out_flush(larch_out *out)
{
    size_t done = 0;

    while (out->error == 0 && done < out->writer.len) {
        ssize_t n = write(out->fd, out->bytes + done, out->writer.len - done);

        if (n >= 0)
            done += (size_t)n;
        else if (errno == EAGAIN)
            (void)poll(&(struct pollfd){.fd = out->fd, .events = POLLOUT}, 1, -1);
        else if (errno != EINTR)
            out->error = errno;
    }
    out->writer.len = 0;
    return out->error == 0;
}
