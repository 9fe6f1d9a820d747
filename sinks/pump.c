/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/sink.h"

#define ROUNDS 8 /* of what the sink takes at once: the program has other things to do */

/* Offers what the sink takes; *offered counts. LARCH_OK, or the error that stopped it. */
static larch_error offer_rows(const larch_sink *sink, larch_outbox *outbox, size_t index, size_t *offered,
                              bool *outbox_failed)
{
    larch_outbox_row row;
    larch_error e = LARCH_OK;
    while (sink->ready(sink->context) && (e = larch_outbox_read(outbox, index, &row)) == LARCH_OK) {
        if ((e = sink->offer(sink->context, &row)) != LARCH_OK)
            return e;
        larch_outbox_advance(outbox, index);
        ++*offered;
    }
    *outbox_failed = e != LARCH_OK && e != LARCH_AGAIN;
    return *outbox_failed ? e : LARCH_OK;
}

larch_error larch_sink_pump(const larch_sink *sink, larch_outbox *outbox, size_t index, uint64_t now_ms,
                            bool *outbox_failed)
{
    *outbox_failed = false;
    for (size_t round = 0; round < ROUNDS; round++) {
        size_t offered = 0;
        const bool was_ready = sink->ready(sink->context);
        const larch_error read = offer_rows(sink, outbox, index, &offered, outbox_failed);
        const larch_error flushed = sink->flush(sink->context, now_ms);
        const larch_outbox_position settled = sink->settled(sink->context);
        const bool ready = sink->ready(sink->context);
        larch_outbox_acknowledge(outbox, index, &settled, ready);
        if (read != LARCH_OK || flushed != LARCH_OK)
            return read != LARCH_OK ? read : flushed;
        if (!ready || (was_ready && offered == 0)) /* a sink that has become ready takes the rows that were left */
            return LARCH_OK;
    }
    return LARCH_AGAIN;
}

void larch_sink_stop(const larch_sink *sink, larch_outbox *outbox, size_t index)
{
    const larch_outbox_position settled = sink->settled(sink->context);
    larch_outbox_acknowledge(outbox, index, &settled, false);
    larch_outbox_release(outbox, index, sink->handed(sink->context));
}
