/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/stdout.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define READY_BYTES  (32u << 10) /* rows are taken over while less than this waits to be written */
#define FIRST_CAP    (2 * READY_BYTES)
#define WINDOW       (64u << 10) /* of a socket: bytes out before it has to be read empty */
#define CHECK_MIN_MS 20
#define CHECK_MAX_MS 1000
#define RETRY_MS     1000

/* ---- rows to lines ------------------------------------------------------- */

static size_t waiting(const larch_stdout *out) { return out->len - out->done; }

/* The kernel says of a socket only when all is read: for a reader that is slow all the time that must come to pass. */
static bool window_is_full(const larch_stdout *out)
{
    return out->stream.kind == LARCH_STREAM_SOCKET && out->written - out->taken >= WINDOW;
}

static bool is_ready(void *context)
{
    const larch_stdout *out = context;
    return !out->closed && !out->failing && out->count < LARCH_STDOUT_LINES && waiting(out) < READY_BYTES &&
           !window_is_full(out);
}

static bool reserve(larch_stdout *out, size_t len)
{
    memmove(out->bytes, out->bytes + out->done, waiting(out));
    out->len = waiting(out);
    out->done = 0;
    if (len <= out->cap - out->len)
        return true;
    uint8_t *bytes = realloc(out->bytes, out->len + len);
    if (bytes == NULL)
        return false;
    out->bytes = bytes;
    out->cap = out->len + len;
    return true;
}

/* Whether the bytes before the first line may be a part of the line that is repeated now. Pipes keep short lines whole. */
static bool follows_a_part(const larch_stdout *out, const larch_outbox_row *row, size_t line_len)
{
    if (out->stream.kind == LARCH_STREAM_FILE)
        return larch_stream_is_torn(&out->stream);
    return row->repeat && (line_len > PIPE_BUF || out->stream.kind == LARCH_STREAM_SOCKET);
}

static larch_error take_row(void *context, const larch_outbox_row *row)
{
    larch_stdout *out = context;
    larch_writer line = larch_writer_to(out->bytes + out->len, out->cap - out->len);
    out->format(out->context, row, &line);
    const size_t more = !out->started && follows_a_part(out, row, line.len) ? 1 : 0;
    if (line.len + more > line.cap || more > 0) {
        if (!reserve(out, line.len + more))
            return LARCH_PLATFORM;
        line = larch_writer_to(out->bytes + out->len, out->cap - out->len);
        if (more > 0)
            larch_writer_put_u8(&line, '\n');
        out->format(out->context, row, &line);
    }
    if (line.len > line.cap) /* the format's two answers differ */
        return LARCH_PLATFORM;
    out->started = true;
    out->len += line.len;
    out->lines[(out->first + out->count++) % LARCH_STDOUT_LINES] =
        (larch_stdout_line){out->written + waiting(out), row->position};
    return LARCH_OK;
}

/* ---- lines to the reader ------------------------------------------------- */

static void write_lines(larch_stdout *out)
{
    const size_t n = larch_stream_write(&out->stream, (larch_bytes){out->bytes + out->done, waiting(out)});
    out->done += n;
    out->written += n;
    if (out->done == out->len)
        out->done = out->len = 0;
}

static void settle_lines(larch_stdout *out)
{
    const size_t unread = larch_stream_unread(&out->stream);
    if (unread <= out->written && out->written - unread > out->taken)
        out->taken = out->written - unread;
    while (out->count > 0 && out->lines[out->first].end <= out->taken) {
        out->delivered = out->lines[out->first].position;
        out->settled = out->lines[out->first].end;
        out->first = (out->first + 1) % LARCH_STDOUT_LINES;
        out->count--;
    }
}

/* The reader's progress makes no event: it is looked for, often at first. */
static void plan_check(larch_stdout *out, uint64_t now_ms, bool progress)
{
    if (out->written == out->taken || out->closed) {
        out->check_at_ms = UINT64_MAX;
        out->check_ms = CHECK_MIN_MS;
    } else if (progress || out->check_at_ms == UINT64_MAX) {
        out->check_at_ms = now_ms + CHECK_MIN_MS;
        out->check_ms = 2 * CHECK_MIN_MS;
    } else if (now_ms >= out->check_at_ms) {
        out->check_at_ms = now_ms + out->check_ms;
        out->check_ms = 2 * out->check_ms < CHECK_MAX_MS ? 2 * out->check_ms : CHECK_MAX_MS;
    }
}

static larch_error flush(void *context, uint64_t now_ms)
{
    larch_stdout *out = context;
    const uint64_t taken = out->taken;
    const bool was_closed = out->closed, was_failing = out->failing;
    if (out->stream.kind == LARCH_STREAM_SOCKET) /* to see it empty before more goes in */
        settle_lines(out);
    if (!out->closed && waiting(out) > 0 && (!out->failing || now_ms >= out->retry_at_ms)) {
        write_lines(out);
        out->closed = out->stream.error == EPIPE || out->stream.error == ECONNRESET;
        out->failing = out->stream.error != 0 && !out->closed;
        out->retry_at_ms = now_ms + RETRY_MS;
    }
    out->closed = out->closed || larch_stream_is_closed(&out->stream);
    out->failing = out->failing && !out->closed; /* nothing is tried again */
    settle_lines(out);                           /* now, so that all counts that a reader took before it went */
    plan_check(out, now_ms, out->taken != taken);
    if (out->closed)
        return was_closed ? LARCH_OK : LARCH_RESET;
    return out->failing && !was_failing ? LARCH_PLATFORM : LARCH_OK;
}

static larch_outbox_position settled(void *context)
{
    const larch_stdout *out = context;
    return out->delivered;
}

static uint64_t handed(void *context)
{
    const larch_stdout *out = context;
    uint64_t last = out->delivered.sequence, begin = out->settled;
    for (size_t i = 0; i < out->count && begin < out->written; i++) {
        const larch_stdout_line *line = &out->lines[(out->first + i) % LARCH_STDOUT_LINES];
        last = line->position.sequence;
        begin = line->end;
    }
    return last;
}

/* ---- what it waits for --------------------------------------------------- */

static size_t wait_for(void *context, struct pollfd *fds)
{
    const larch_stdout *out = context;
    const bool writes = waiting(out) > 0; /* else only the end of the reader is waited for */
    if (out->closed || out->failing || out->stream.kind == LARCH_STREAM_FILE ||
        (out->stream.kind == LARCH_STREAM_TERMINAL && !writes))
        return 0;
    fds[0] = (struct pollfd){.fd = out->stream.fd, .events = writes ? POLLOUT : 0};
    return 1;
}

static uint64_t deadline_ms(void *context)
{
    const larch_stdout *out = context;
    return out->failing && out->retry_at_ms < out->check_at_ms ? out->retry_at_ms : out->check_at_ms;
}

/* ---- the sink ------------------------------------------------------------ */

larch_error larch_stdout_open(larch_stdout *out, int fd, larch_stdout_format *format, void *context)
{
    memset(out, 0, sizeof *out);
    out->bytes = malloc(FIRST_CAP);
    if (out->bytes == NULL)
        return LARCH_PLATFORM;
    out->cap = FIRST_CAP;
    out->format = format;
    out->context = context;
    out->check_at_ms = UINT64_MAX;
    larch_stream_open(&out->stream, fd);
    return LARCH_OK;
}

void larch_stdout_close(larch_stdout *out)
{
    larch_stream_close(&out->stream);
    free(out->bytes);
    out->bytes = NULL;
}

larch_sink larch_stdout_sink(larch_stdout *out)
{
    return (larch_sink){.context = out,
                        .ready = is_ready,
                        .offer = take_row,
                        .flush = flush,
                        .settled = settled,
                        .handed = handed,
                        .wait = wait_for,
                        .deadline_ms = deadline_ms};
}

int larch_stdout_error(const larch_stdout *out) { return out->stream.error; }
