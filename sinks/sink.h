/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sink delivers rows of the outbox to somebody: a pipe, a broker, a server. Its thread is the program's, and no call
 * waits: a sink says what it waits for, and the program polls.
 *
 *     rows were marked, a file descriptor is ready, or the deadline has come  ->  larch_sink_pump
 *
 * The functions of a sink are called by the pump alone, but for wait and deadline_ms. A sink does not know the outbox.
 */
#ifndef LARCH_SINKS_SINK_H
#define LARCH_SINKS_SINK_H

#include <poll.h>

#include "registry/outbox.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_SINK_FDS 1 /* at most, of one sink */

typedef struct larch_sink {
    void *context;
    /* Whether offer would take over a row now. */
    bool (*ready)(void *context);
    /* Takes over a row: copies what it needs of it. Called only while ready. LARCH_PLATFORM: out of memory; the row is
     * not taken over and will be offered again. */
    larch_error (*offer)(void *context, const larch_outbox_row *row);
    /* Moves on what was taken over and looks at what has been delivered. LARCH_RESET: nobody can receive any more;
     * LARCH_PLATFORM: it failed for now and will be tried again. Each is returned once when it begins, and LARCH_OK
     * while it goes on. */
    larch_error (*flush)(void *context, uint64_t now_ms);
    /* The last row up to which all are delivered. */
    larch_outbox_position (*settled)(void *context);
    /* The last row that has left, be it in part: after it nothing has. */
    uint64_t (*handed)(void *context);
    /* Fills in what to wait for and returns how many, at most LARCH_SINK_FDS. */
    size_t (*wait)(void *context, struct pollfd *fds);
    /* When to pump at the latest; UINT64_MAX: only for rows or a descriptor. */
    uint64_t (*deadline_ms)(void *context);
} larch_sink;

/* Offers rows, flushes, and acknowledges what is delivered, until no row is left or the sink takes no more. index: of
 * the sink in the outbox. LARCH_OK: wait now. LARCH_AGAIN: rows are left and the sink takes them; it stopped for
 * fairness, call again soon. LARCH_RESET, LARCH_PLATFORM: from the sink's flush or offer. LARCH_BUSY, LARCH_MALFORMED
 * or, with *outbox_failed, LARCH_PLATFORM: the outbox could not be read, see larch_outbox_error; what was taken over
 * before is on its way. */
LARCH_MUST_USE larch_error larch_sink_pump(const larch_sink *sink, larch_outbox *outbox, size_t index, uint64_t now_ms,
                                           bool *outbox_failed);

/* Before an outbox is closed in order: hands back what has not left. */
void larch_sink_stop(const larch_sink *sink, larch_outbox *outbox, size_t index);

#ifdef __cplusplus
}
#endif

#endif
