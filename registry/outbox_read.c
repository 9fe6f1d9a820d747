/* SPDX-License-Identifier: Apache-2.0 */
/* Rows out. The newest batch is read from memory, an older one comes whole from the file. */
#include <stdlib.h>

#include "registry/outbox_int.h"
#include "registry/outbox_record.h"

/* What a sink with a backlog is allowed to read by one transaction: about what a pipe holds, so after a crash few rows
 * are marked that did not leave. */
#define SPAN_BYTES (64u << 10)

static larch_error error_of(const larch_outbox *ob, larch_error e)
{
    return e == LARCH_OK || ob->why.fault == LARCH_REGISTRY_DAMAGED ? e
           : ob->why.fault == LARCH_REGISTRY_FULL                   ? LARCH_BUSY
                                                                    : LARCH_PLATFORM;
}

/* The cursors as they are, but for one sink, which is handed rows up to this one. */
static larch_error store_handed(larch_outbox *ob, const larch_outbox_reader *reader, uint64_t last)
{
    uint64_t handed[LARCH_OUTBOX_SINKS];
    for (size_t i = 0; i < ob->sink_count; i++)
        handed[i] = &ob->sinks[i] == reader ? last : ob->sinks[i].stored.handed;
    return error_of(ob, larch_outbox_store(ob, NULL, false, handed));
}

/* That the next row may leave is in the file before it does. */
static larch_error allow(larch_outbox *ob, larch_outbox_reader *r)
{
    uint64_t last = ob->newest.first + ob->newest.count - 1;
    if (r->next <= r->stored.handed)
        return LARCH_OK;
    if (r->next < ob->newest.first) {
        const larch_error e = larch_outbox_db_find_span(ob->db, r->next, SPAN_BYTES, &last, &ob->why);
        if (e != LARCH_OK)
            return error_of(ob, e);
        if (!ob->marked && last >= ob->newest.first)
            last = ob->newest.first - 1;
    }
    return store_handed(ob, r, last);
}

/* The batch of the next row. */
static larch_error find_batch(larch_outbox *ob, larch_outbox_reader *r, const larch_outbox_batch **batch)
{
    *batch = &ob->newest;
    if (r->next >= ob->newest.first) {
        free(r->backlog.data);
        r->backlog = (larch_outbox_batch){0};
        return LARCH_OK;
    }
    *batch = &r->backlog;
    if (r->backlog.count > 0 && r->next - r->backlog.first < r->backlog.count)
        return LARCH_OK;
    return error_of(ob, larch_outbox_db_load(ob->db, r->next, &r->backlog, &ob->why));
}

/* Where the next row begins: known, unless it is the first that is read of its batch or follows a release. */
static larch_error find_record(larch_outbox_reader *r, const larch_outbox_batch *batch, larch_reader *reader)
{
    larch_outbox_message skipped;
    uint64_t sequence = batch->first;
    size_t at = 0;
    if (r->at_sequence == r->next && r->next > batch->first) {
        sequence = r->at_sequence;
        at = r->at;
    }
    *reader = larch_reader_of((larch_bytes){batch->data + at, batch->len - at});
    for (; sequence < r->next; sequence++)
        if (larch_outbox_record_take(reader, &skipped) != LARCH_OK)
            return LARCH_MALFORMED;
    return LARCH_OK;
}

static larch_outbox_position position_of(const larch_outbox_batch *batch, uint64_t sequence)
{
    if (sequence + 1 == batch->first + batch->count)
        return (larch_outbox_position){sequence, sequence + 1, batch->ends};
    return (larch_outbox_position){sequence, batch->first, batch->ends - batch->len};
}

larch_error larch_outbox_read(larch_outbox *ob, size_t sink, larch_outbox_row *row)
{
    larch_outbox_reader *r = &ob->sinks[sink];
    const larch_outbox_batch *batch;
    larch_reader reader;
    const uint64_t end = ob->newest.first + (ob->marked ? ob->newest.count : 0);
    larch_error e;
    if (r->next >= end)
        return LARCH_AGAIN;
    if ((e = allow(ob, r)) != LARCH_OK || (e = find_batch(ob, r, &batch)) != LARCH_OK)
        return e;
    if (find_record(r, batch, &reader) != LARCH_OK || larch_outbox_record_take(&reader, &row->message) != LARCH_OK)
        return larch_registry_fail(&ob->why, "the outbox", LARCH_REGISTRY_DAMAGED, "is damaged (a row)");
    r->after = batch->len - reader.left.len;
    row->position = position_of(batch, r->next);
    row->repeat = r->next <= r->repeat;
    return LARCH_OK;
}

void larch_outbox_advance(larch_outbox *ob, size_t sink)
{
    larch_outbox_reader *r = &ob->sinks[sink];
    r->at = r->after;
    r->at_sequence = ++r->next;
}

void larch_outbox_acknowledge(larch_outbox *ob, size_t sink, const larch_outbox_position *delivered, bool ready)
{
    larch_outbox_reader *r = &ob->sinks[sink];
    if (delivered->sequence > r->settled.sequence)
        r->settled = *delivered;
    r->ready = ready;
}

void larch_outbox_release(larch_outbox *ob, size_t sink, uint64_t handed)
{
    larch_outbox_reader *r = &ob->sinks[sink];
    const uint64_t last = handed > r->settled.sequence ? handed : r->settled.sequence;
    if (last + 1 < r->next)
        r->next = last + 1;
}

bool larch_outbox_is_stale(const larch_outbox *ob)
{
    bool stale = ob->forgotten.count > 0 || ob->last.erase;
    for (size_t i = 0; i < ob->sink_count; i++)
        stale = stale || ob->sinks[i].settled.sequence != ob->sinks[i].stored.delivered;
    return stale;
}

larch_error larch_outbox_tidy(larch_outbox *ob) { return store_handed(ob, NULL, 0); }
