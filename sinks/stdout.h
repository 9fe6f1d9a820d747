/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sink for standard output: one line a row, in the program's format. A row is delivered when the pipe's reader has
 * taken its line, or when a file or a terminal has it. Lines of a reader that does not read wait in the outbox;
 * here stand those alone that are on their way, in a buffer that does not grow with them.
 *
 * A line that its reader has had in part counts as not delivered: it comes again, whole and marked as a repeat. It
 * stands on a line of its own then.
 */
#ifndef LARCH_SINKS_STDOUT_H
#define LARCH_SINKS_STDOUT_H

#include "sinks/sink.h"
#include "sinks/stream.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_STDOUT_LINES 1024 /* on their way at once */

/* Writes the line of a row, with its end and with the mark of row->repeat. May be called again for a row, with a larger
 * writer; must not call the outbox. Runs within larch_sink_pump. */
typedef void larch_stdout_format(void *context, const larch_outbox_row *row, larch_writer *line);

typedef struct larch_stdout_line {
    uint64_t end; /* of all bytes since the start: where the line ends */
    larch_outbox_position position;
} larch_stdout_line;

typedef struct larch_stdout {
    larch_stream stream; /* private, all of it */
    larch_stdout_format *format;
    void *context;
    uint8_t *bytes;
    size_t cap;
    size_t done; /* bytes at the front that are written */
    size_t len;
    uint64_t written; /* bytes, since the start */
    uint64_t taken;   /* of them, by the reader */
    uint64_t settled; /* of them, by the reader, up to the end of a line */
    size_t first;     /* a ring of lines that are not delivered */
    size_t count;
    larch_stdout_line lines[LARCH_STDOUT_LINES];
    larch_outbox_position delivered;
    bool started; /* a line was taken over */
    bool closed;
    bool failing;
    uint64_t retry_at_ms;
    uint64_t check_at_ms; /* UINT64_MAX: nothing to look at */
    unsigned check_ms;    /* until the look after that */
} larch_stdout;

/* fd is used, and not closed. context is handed to format. LARCH_PLATFORM: out of memory, nothing to close. */
LARCH_MUST_USE larch_error larch_stdout_open(larch_stdout *out, int fd, larch_stdout_format *format, void *context);
/* What has not been written is dropped: larch_sink_stop first. */
void larch_stdout_close(larch_stdout *out);

/* The sink. Its flush returns LARCH_RESET when the reader has gone: the sink takes no more rows then, and those that
 * were not read stay in the outbox; LARCH_PLATFORM when a write fails for another reason, see larch_stdout_error: it is
 * tried again every second. */
larch_sink larch_stdout_sink(larch_stdout *out);

/* errno of the write that failed. */
int larch_stdout_error(const larch_stdout *out);

#ifdef __cplusplus
}
#endif

#endif
