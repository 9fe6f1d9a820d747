/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/outbox_int.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "registry/outbox_record.h"

#define KEEP_CAP (1u << 20) /* memory of a batch beyond this is given back */

/* ---- memory -------------------------------------------------------------- */

static void clear_pending(larch_outbox *ob)
{
    larch_outbox_batch empty = {.data = ob->pending.data, .cap = ob->pending.cap};
    if (empty.cap > KEEP_CAP) {
        free(empty.data);
        empty.data = NULL;
        empty.cap = 0;
    }
    ob->pending = empty;
    larch_last_drop(&ob->last);
    larch_outbox_clear_identities(ob);
}

static void give_memory(larch_outbox *ob)
{
    larch_outbox_db_close(ob->db);
    free(ob->newest.data);
    free(ob->pending.data);
    for (size_t i = 0; i < ob->sink_count; i++)
        free(ob->sinks[i].backlog.data);
    larch_outbox_free_seen(ob);
    larch_outbox_free_last_log(ob);
    larch_last_free(&ob->last);
    free(ob);
}

/* ---- opening ------------------------------------------------------------- */

static uint64_t last_of(const larch_outbox_batch *batch) { return batch->first + batch->count - 1; }

static larch_error check_config(const larch_outbox_config *config, larch_registry_reason *why)
{
    const char *fault = config->sink_count > LARCH_OUTBOX_SINKS ? "has too many sinks" : NULL;
    for (size_t i = 0; fault == NULL && i < config->sink_count; i++) {
        const size_t len = strlen(config->sinks[i]);
        if (len == 0 || len > LARCH_OUTBOX_NAME_MAX)
            fault = "has a sink whose name is empty or too long";
        for (size_t j = 0; j < i; j++)
            if (strcmp(config->sinks[i], config->sinks[j]) == 0)
                fault = "has two sinks of one name";
    }
    return fault == NULL ? LARCH_OK : larch_registry_fail(why, config->path, LARCH_REGISTRY_FAILED, fault);
}

static larch_error check_records(const larch_outbox_batch *batch, const char *path, larch_registry_reason *why)
{
    larch_reader reader = larch_reader_of((larch_bytes){batch->data, batch->len});
    larch_outbox_message message;
    for (uint64_t i = 0; i < batch->count; i++)
        if (larch_outbox_record_take(&reader, &message) != LARCH_OK)
            return larch_registry_fail(why, path, LARCH_REGISTRY_DAMAGED, "is damaged (a row)");
    return LARCH_OK;
}

static larch_error open_newest(larch_outbox *ob, const char *path, larch_registry_reason *why)
{
    const larch_error e = larch_outbox_db_load(ob->db, UINT64_MAX, &ob->newest, why);
    ob->marked = e == LARCH_AGAIN;
    if (e == LARCH_AGAIN) {
        ob->newest.first = 1;
        return LARCH_OK;
    }
    return e == LARCH_OK ? check_records(&ob->newest, path, why) : e;
}

/* Every row that a sink will read can be read: damage is found now, when the operator looks, not in the middle. */
static larch_error check_backlog(larch_outbox *ob, const char *path, larch_registry_reason *why)
{
    larch_outbox_batch batch = {0};
    larch_error e = LARCH_OK;
    uint64_t sequence = ob->newest.first;
    for (size_t i = 0; i < ob->sink_count; i++)
        if (ob->sinks[i].next < sequence)
            sequence = ob->sinks[i].next;
    for (; e == LARCH_OK && sequence < ob->newest.first; sequence = batch.first + batch.count)
        if ((e = larch_outbox_db_load(ob->db, sequence, &batch, why)) == LARCH_OK)
            e = check_records(&batch, path, why);
    free(batch.data);
    return e;
}

/* A cursor of the file, as a position: where the batch of the next row begins. */
static larch_error open_reader(larch_outbox *ob, larch_outbox_reader *r, const char *path, larch_registry_reason *why)
{
    larch_outbox_batch batch = {0};
    const uint64_t last = last_of(&ob->newest), delivered = r->stored.delivered;
    if (delivered > r->stored.handed || r->stored.handed > last)
        return larch_registry_fail(why, path, LARCH_REGISTRY_DAMAGED, "is damaged (a cursor is past its rows)");
    r->settled = (larch_outbox_position){delivered, last + 1, ob->newest.ends};
    if (delivered < last) {
        const larch_error e = larch_outbox_db_find(ob->db, delivered + 1, &batch, why);
        if (e != LARCH_OK)
            return e;
        r->settled.keep_first = batch.first;
        r->settled.keep_bytes = batch.ends - batch.len;
    }
    r->next = delivered + 1;
    r->repeat = r->stored.handed;
    r->ready = true;
    return LARCH_OK;
}

static larch_error open_readers(larch_outbox *ob, const larch_outbox_config *config, larch_registry_reason *why)
{
    larch_outbox_cursor cursors[LARCH_OUTBOX_SINKS];
    for (size_t i = 0; i < config->sink_count; i++) {
        memcpy(ob->sinks[i].name, config->sinks[i], strlen(config->sinks[i]));
        cursors[i] = (larch_outbox_cursor){.name = ob->sinks[i].name};
    }
    larch_error e = larch_outbox_db_open_cursors(ob->db, cursors, config->sink_count, why);
    for (size_t i = 0; e == LARCH_OK && i < config->sink_count; i++) {
        ob->sinks[i].stored = cursors[i];
        e = open_reader(ob, &ob->sinks[i], config->path, why);
    }
    return e;
}

static larch_error check_start(larch_outbox *ob, const larch_outbox_config *config, larch_registry_reason *why)
{
    uint64_t start;
    const larch_error e = larch_outbox_db_get_start(ob->db, &start, why);
    return e == LARCH_OK ? larch_registry_check_start(why, config->path, start, config->start, config->complete) : e;
}

static larch_error set_start(larch_outbox *ob, uint32_t start, larch_registry_reason *why)
{
    return start > 0 ? larch_outbox_db_set_start(ob->db, start, why) : LARCH_OK;
}

larch_error larch_outbox_stamp(const char *path, uint32_t start, larch_registry_reason *why)
{
    larch_outbox_db *db;
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return LARCH_OK;
    larch_error e = larch_outbox_db_open(&db, path, LARCH_OUTBOX_MEDIUM, why);
    if (e != LARCH_OK)
        return e;
    e = larch_outbox_db_set_start(db, start, why);
    larch_outbox_db_close(db);
    return e;
}

larch_error larch_outbox_open(larch_outbox **outbox, const larch_outbox_config *config, larch_registry_reason *why)
{
    *outbox = NULL;
    larch_error e = check_config(config, why);
    if (e != LARCH_OK)
        return e;
    larch_outbox *ob = calloc(1, sizeof *ob);
    if (ob == NULL)
        return larch_registry_fail(why, config->path, LARCH_REGISTRY_FAILED, "cannot be opened: out of memory");
    if (!larch_last_init(&ob->last)) {
        give_memory(ob);
        return larch_registry_fail(why, config->path, LARCH_REGISTRY_FAILED, "cannot be opened: no random bytes");
    }
    ob->bytes_max = config->bytes_max > 0 ? config->bytes_max : LARCH_OUTBOX_BYTES;
    ob->sink_count = config->sink_count;
    if ((e = larch_outbox_db_open(&ob->db, config->path, config->durability, why)) != LARCH_OK ||
        (e = check_start(ob, config, why)) != LARCH_OK || (e = open_newest(ob, config->path, why)) != LARCH_OK ||
        (e = open_readers(ob, config, why)) != LARCH_OK || (e = check_backlog(ob, config->path, why)) != LARCH_OK ||
        (e = larch_outbox_db_load_logs(ob->db, &ob->seen, &ob->last, why)) != LARCH_OK ||
        (e = set_start(ob, config->start, why)) != LARCH_OK) {
        give_memory(ob);
        return e;
    }
    *outbox = ob;
    return LARCH_OK;
}

/* Rows that a sink did not read have not left, unless they had before this run. */
static uint64_t exactly_handed(const larch_outbox_reader *r)
{
    return r->next - 1 > r->repeat ? r->next - 1 : r->repeat;
}

larch_error larch_outbox_close(larch_outbox *ob, larch_registry_reason *why)
{
    uint64_t handed[LARCH_OUTBOX_SINKS];
    if (ob == NULL)
        return LARCH_OK;
    for (size_t i = 0; i < ob->sink_count; i++)
        handed[i] = exactly_handed(&ob->sinks[i]);
    const larch_error e = larch_outbox_store(ob, NULL, false, handed);
    if (e != LARCH_OK)
        *why = ob->why;
    give_memory(ob);
    return e == LARCH_OK ? LARCH_OK : LARCH_PLATFORM;
}

const larch_registry_reason *larch_outbox_error(const larch_outbox *ob) { return &ob->why; }

/* ---- one transaction ----------------------------------------------------- */

larch_outbox_position larch_outbox_lowest(const larch_outbox *ob)
{
    const larch_outbox_batch *newest = &ob->newest;
    larch_outbox_position lowest =
        ob->marked ? (larch_outbox_position){last_of(newest), newest->first + newest->count, newest->ends}
                   : (larch_outbox_position){newest->first - 1, newest->first, newest->ends - newest->len};
    for (size_t i = 0; i < ob->sink_count; i++)
        if (ob->sinks[i].settled.sequence < lowest.sequence)
            lowest = ob->sinks[i].settled;
    return lowest;
}

larch_error larch_outbox_store(larch_outbox *ob, const larch_outbox_batch *batch, bool with_fresh,
                               const uint64_t *handed)
{
    larch_outbox_logs logs;
    larch_outbox_cursor changed[LARCH_OUTBOX_SINKS];
    size_t count = 0;
    const uint64_t newest = batch != NULL ? batch->first : ob->newest.first; /* stays in any event */
    const uint64_t lowest = larch_outbox_lowest(ob).keep_first, keep_first = lowest < newest ? lowest : newest;
    for (size_t i = 0; i < ob->sink_count; i++) {
        const larch_outbox_reader *r = &ob->sinks[i];
        if (r->settled.sequence != r->stored.delivered || handed[i] != r->stored.handed)
            changed[count++] = (larch_outbox_cursor){r->name, r->settled.sequence, handed[i]};
    }
    larch_error e = larch_outbox_compose_log(ob, with_fresh, &logs.seen);
    if (e != LARCH_OK)
        return e;
    e = larch_outbox_compose_last(ob, with_fresh, &logs.last);
    if (e == LARCH_OK && batch == NULL && count == 0 && keep_first <= ob->deleted && logs.seen.entries.len == 0 &&
        !ob->last.erase)
        return LARCH_OK;
    if (e == LARCH_OK)
        e = larch_outbox_db_store(ob->db, batch, keep_first > ob->deleted ? keep_first : 0, changed, count, &logs,
                                  &ob->why);
    if (e != LARCH_OK) {
        larch_seen_revert(&ob->seen);
        return e;
    }
    larch_outbox_log_stored(ob, &logs.seen);
    larch_outbox_last_stored(ob, with_fresh, &logs.last);
    ob->deleted = keep_first;
    for (size_t i = 0; i < ob->sink_count; i++) {
        ob->sinks[i].stored.delivered = ob->sinks[i].settled.sequence;
        ob->sinks[i].stored.handed = handed[i];
    }
    return LARCH_OK;
}

/* ---- messages in --------------------------------------------------------- */

static uint64_t bytes_in_use(const larch_outbox *ob)
{
    return ob->newest.ends - larch_outbox_lowest(ob).keep_bytes + ob->pending.len;
}

larch_error larch_outbox_put(larch_outbox *ob, const larch_outbox_message *message)
{
    if (ob->failed)
        return LARCH_PLATFORM;
    if (!larch_outbox_record_fits(message))
        return LARCH_MALFORMED;
    if (ob->pending.count == LARCH_OUTBOX_BATCH_MAX)
        return LARCH_STATE;
    larch_writer w = larch_writer_to(NULL, 0);
    larch_outbox_record_put(&w, message);
    if (w.len > ob->bytes_max || bytes_in_use(ob) > ob->bytes_max - w.len)
        return LARCH_BUSY;
    if (!larch_outbox_batch_reserve(&ob->pending, ob->pending.len + w.len))
        return larch_outbox_fail_memory(ob);
    const size_t fresh = ob->fresh.count;
    larch_error e = larch_outbox_take_identities(ob, message);
    if (e == LARCH_OK)
        e = larch_outbox_take_reading(ob, message);
    if (e != LARCH_OK) {
        ob->fresh.count = fresh;
        return e;
    }
    w = larch_writer_to(ob->pending.data + ob->pending.len, w.len);
    larch_outbox_record_put(&w, message);
    ob->pending.len += w.len;
    ob->pending.count++;
    return LARCH_OK;
}

/* A sink that has read everything reads the new batch as soon as it is marked, and that must be in the file by then: it
 * costs nothing here, and a transaction of its own there. */
static uint64_t handed_with(const larch_outbox_reader *r, const larch_outbox_batch *batch)
{
    return batch != NULL && r->ready && r->next == batch->first ? last_of(batch) : r->stored.handed;
}

larch_error larch_outbox_commit(larch_outbox *ob)
{
    uint64_t handed[LARCH_OUTBOX_SINKS] = {0};
    if (ob->failed)
        return LARCH_PLATFORM;
    if (ob->pending.count == 0 && ob->fresh.count == 0)
        return LARCH_OK;
    if (!ob->marked)
        return LARCH_STATE;
    const larch_outbox_batch *batch = ob->pending.count > 0 ? &ob->pending : NULL;
    ob->pending.first = ob->newest.first + ob->newest.count;
    ob->pending.ends = ob->newest.ends + ob->pending.len;
    for (size_t i = 0; i < ob->sink_count; i++)
        handed[i] = handed_with(&ob->sinks[i], batch);
    const larch_error e = larch_outbox_store(ob, batch, true, handed);
    if (e == LARCH_OK && batch != NULL) {
        const larch_outbox_batch stored = ob->pending;
        ob->pending = ob->newest;
        ob->newest = stored;
        ob->marked = false;
    }
    clear_pending(ob);
    ob->failed = e != LARCH_OK && ob->why.fault != LARCH_REGISTRY_FULL;
    return e == LARCH_OK ? LARCH_OK : ob->failed ? LARCH_PLATFORM : LARCH_BUSY;
}

void larch_outbox_marked(larch_outbox *ob) { ob->marked = true; }

larch_error larch_outbox_unmarked(const larch_outbox *ob, size_t *at, larch_outbox_message *message)
{
    if (ob->marked || *at >= ob->newest.len)
        return LARCH_AGAIN;
    larch_reader reader = larch_reader_of((larch_bytes){ob->newest.data + *at, ob->newest.len - *at});
    const larch_error e = larch_outbox_record_take(&reader, message);
    if (e == LARCH_OK)
        *at = ob->newest.len - reader.left.len;
    return e == LARCH_OK ? LARCH_OK : LARCH_AGAIN; /* checked when it was read, or written by this run */
}

/* ---- figures ------------------------------------------------------------- */

larch_outbox_usage larch_outbox_use(const larch_outbox *ob)
{
    return (larch_outbox_usage){.bytes = bytes_in_use(ob),
                                .bytes_max = ob->bytes_max,
                                .newest = last_of(&ob->newest),
                                .delivered = larch_outbox_lowest(ob).sequence};
}
