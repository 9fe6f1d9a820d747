/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file descriptor that takes bytes without making the program wait, and says how many of them its reader has not
 * taken yet. O_NONBLOCK belongs to the open file, which others may share, such as the shell that started us and reads
 * its terminal through it: it is not set there.
 */
#ifndef LARCH_SINKS_STREAM_H
#define LARCH_SINKS_STREAM_H

#include "larch/base.h"

typedef enum larch_stream_kind {
    LARCH_STREAM_FILE, /* and every other thing without a reader to wait for */
    LARCH_STREAM_TERMINAL,
    LARCH_STREAM_PIPE,
    LARCH_STREAM_SOCKET
} larch_stream_kind;

typedef struct larch_stream {
    int fd;
    bool own; /* fd is to be closed */
    larch_stream_kind kind;
    int error; /* errno of the last write that failed, 0 after one that did not */
} larch_stream;

/* fd is used, and not closed. A terminal is opened anew, not to block. */
void larch_stream_open(larch_stream *stream, int fd);
void larch_stream_close(larch_stream *stream);

/* Whether what stands there already may end within a line: a file whose last byte is no end of line. */
bool larch_stream_is_torn(const larch_stream *stream);

/* Writes what is taken without waiting and returns how many bytes that are. A pipe takes up to PIPE_BUF bytes whole or
 * not at all, even if the program is killed meanwhile: lines up to that length are not torn. Less than all: wait for
 * POLLOUT, or stream->error is set. The program ignores SIGPIPE. */
size_t larch_stream_write(larch_stream *stream, larch_bytes lines);

/* The reader of a pipe or socket has gone. */
bool larch_stream_is_closed(const larch_stream *stream);

/* Bytes that the reader has not taken; never too few. PIPE: those in it, whoever wrote them. SOCKET: 0 when all are
 * taken (TCP: by the reader's system) and the reader is there, else SIZE_MAX, as the kernel does not say how many.
 * Else 0. */
size_t larch_stream_unread(const larch_stream *stream);

#endif
