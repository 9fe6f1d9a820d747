/* SPDX-License-Identifier: Apache-2.0 */
/* The identities of a batch on their way: collected with its messages, stored in its transaction, then on record; and
 * what of them is read again. */
#include <stdlib.h>
#include <string.h>

#include "registry/outbox_int.h"

larch_error larch_outbox_fail_memory(larch_outbox *ob)
{
    (void)!larch_registry_fail(&ob->why, "the outbox", LARCH_REGISTRY_FAILED, "ran out of memory");
    return LARCH_PLATFORM;
}

static bool reserve(larch_outbox_entries *e, size_t count)
{
    if (count <= e->cap)
        return true;
    const size_t cap = 2 * count;
    larch_seen_entry *list = realloc(e->list, cap * sizeof *list);
    if (list == NULL)
        return false;
    e->list = list;
    e->cap = cap;
    return true;
}

/* ---- into the batch -------------------------------------------------------- */

/* The entry of an identity; false: it has another length than its kind's. */
static bool make_entry(uint8_t kind, larch_bytes id, larch_bytes hash, larch_seen_entry *entry)
{
    const bool is_o = kind == 'O';
    const size_t number_len = is_o ? 5 : 8;
    if (is_o ? id.len != LARCH_OUTBOX_O_LEN || hash.len != 0
             : id.len != LARCH_OUTBOX_N_LEN || hash.len != LARCH_SEEN_HASH_LEN)
        return false;
    entry->kind = kind;
    memcpy(entry->owner, id.data, sizeof entry->owner);
    entry->number = larch_number_at(id.data + sizeof entry->owner, number_len);
    memcpy(entry->hash, is_o ? id.data + sizeof entry->owner + number_len : hash.data, sizeof entry->hash);
    return true;
}

static larch_error add_fresh(larch_outbox *ob, const larch_seen_entry *entries, size_t count)
{
    larch_outbox_entries *fresh = &ob->fresh;
    if (!reserve(fresh, fresh->count + count) || !larch_seen_reserve(&ob->seen, fresh->count + count))
        return larch_outbox_fail_memory(ob);
    memcpy(fresh->list + fresh->count, entries, count * sizeof *entries);
    fresh->count += count;
    return LARCH_OK;
}

larch_error larch_outbox_take_identities(larch_outbox *ob, const larch_outbox_message *m)
{
    larch_seen_entry entries[2];
    size_t count = 0;
    if (m->kind != 'O' && m->kind != 'N')
        return m->hash.len == 0 && m->also.len == 0 ? LARCH_OK : LARCH_MALFORMED;
    if (!make_entry(m->kind, m->id, m->hash, &entries[count++]))
        return LARCH_MALFORMED;
    if (m->also.len > 0 && !make_entry('O', m->also, (larch_bytes){NULL, 0}, &entries[count++]))
        return LARCH_MALFORMED;
    return add_fresh(ob, entries, count);
}

larch_error larch_outbox_note(larch_outbox *ob, uint8_t kind, larch_bytes id, larch_bytes hash)
{
    larch_seen_entry entry;
    if (ob->failed)
        return LARCH_PLATFORM;
    if ((kind != 'O' && kind != 'N') || !make_entry(kind, id, hash, &entry))
        return LARCH_MALFORMED;
    if (ob->notes == LARCH_OUTBOX_NOTES_MAX)
        return LARCH_STATE;
    const larch_error e = add_fresh(ob, &entry, 1);
    ob->notes += e == LARCH_OK;
    return e;
}

void larch_outbox_clear_identities(larch_outbox *ob)
{
    ob->fresh.count = 0;
    ob->notes = 0;
}

/* ---- questions ------------------------------------------------------------- */

/* The entry at a position, from the row that was read last if it is there. */
static larch_error load_entry(larch_outbox *ob, uint64_t position, larch_seen_entry *entry)
{
    larch_outbox_batch *row = &ob->seen_row;
    if (row->count == 0 || position < row->first || position >= row->ends) {
        const larch_error e = larch_outbox_db_load_seen(ob->db, position, row, &ob->why);
        if (e != LARCH_OK)
            return e;
    }
    const size_t at = (size_t)(position - row->first) * LARCH_SEEN_ENTRY_LEN;
    larch_reader reader = larch_reader_of((larch_bytes){row->data + at, row->len - at});
    return larch_seen_entry_take(&reader, entry);
}

larch_seen_verdict larch_outbox_recall(larch_outbox *ob, uint8_t kind, const uint8_t owner[LARCH_SEEN_OWNER_LEN],
                                       uint64_t number, const uint8_t hash[LARCH_SEEN_HASH_LEN], uint64_t *highest)
{
    larch_seen_search search = larch_seen_begin_search(&ob->seen, kind, owner, number, hash);
    larch_seen_entry entry;
    *highest = search.highest;
    ob->seen_row.count = 0;
    while (search.at != 0) {
        larch_error e = load_entry(ob, search.at - 1, &entry);
        if (e == LARCH_OK && (e = larch_seen_search_take(&ob->seen, &search, &entry)) != LARCH_OK)
            (void)!larch_registry_fail(&ob->why, "the outbox", LARCH_REGISTRY_DAMAGED,
                                       "is damaged (the identities of messages)");
        if (e != LARCH_OK)
            return LARCH_SEEN_FAILED;
    }
    return search.verdict;
}

static bool is_of(const larch_seen_entry *e, uint8_t kind, const uint8_t owner[LARCH_SEEN_OWNER_LEN])
{
    return e->kind == kind && memcmp(e->owner, owner, LARCH_SEEN_OWNER_LEN) == 0;
}

larch_error larch_outbox_forget(larch_outbox *ob, uint8_t kind, const uint8_t owner[LARCH_SEEN_OWNER_LEN])
{
    larch_outbox_entries *fresh = &ob->fresh, *forgotten = &ob->forgotten;
    size_t kept = 0;
    if (!reserve(forgotten, forgotten->count + 1))
        return larch_outbox_fail_memory(ob);
    for (size_t i = 0; i < fresh->count; i++)
        if (!is_of(&fresh->list[i], kind, owner))
            fresh->list[kept++] = fresh->list[i];
    fresh->count = kept;
    if (larch_seen_forget(&ob->seen, kind, owner)) {
        larch_seen_entry *entry = &forgotten->list[forgotten->count++];
        *entry = (larch_seen_entry){.kind = kind == 'O' ? 'o' : 'n'};
        memcpy(entry->owner, owner, sizeof entry->owner);
    }
    return LARCH_OK;
}

/* ---- into the file --------------------------------------------------------- */

static larch_error add(larch_outbox *ob, larch_seen_entry entry, larch_outbox_log *log)
{
    if (!larch_seen_reserve(&ob->seen, 1) ||
        !larch_outbox_batch_reserve(&ob->log, log->entries.len + LARCH_SEEN_ENTRY_LEN))
        return larch_outbox_fail_memory(ob);
    log->entries.data = ob->log.data;
    if (!larch_seen_add(&ob->seen, &entry))
        return LARCH_OK; /* the newest 64 have left it behind */
    larch_writer w = larch_writer_to(ob->log.data + log->entries.len, LARCH_SEEN_ENTRY_LEN);
    larch_seen_entry_put(&w, &entry);
    log->entries.len += w.len;
    return LARCH_OK;
}

static larch_error add_all(larch_outbox *ob, const larch_outbox_entries *entries, larch_outbox_log *log)
{
    larch_error e = LARCH_OK;
    for (size_t i = 0; e == LARCH_OK && i < entries->count; i++)
        e = add(ob, entries->list[i], log);
    return e;
}

/* Takes away one row, the oldest that is left, but for what lives in it. */
static larch_error move_row(larch_outbox *ob, uint64_t first, larch_outbox_log *log)
{
    larch_outbox_batch *row = &ob->seen_row;
    larch_seen_entry entry;
    larch_error e = larch_outbox_db_load_seen(ob->db, first, row, &ob->why);
    larch_reader reader = larch_reader_of((larch_bytes){row->data, e == LARCH_OK ? row->len : 0});
    while (e == LARCH_OK && reader.left.len > 0)
        if (larch_seen_entry_take(&reader, &entry) != LARCH_OK)
            e = larch_registry_fail(&ob->why, "the outbox", LARCH_REGISTRY_DAMAGED,
                                    "is damaged (the identities of messages)");
        else if (larch_seen_lives(&ob->seen, &entry))
            e = add(ob, entry, log);
    if (e == LARCH_OK)
        log->head = row->ends;
    return e;
}

larch_error larch_outbox_compose_log(larch_outbox *ob, bool with_fresh, larch_outbox_log *log)
{
    static const larch_outbox_entries nothing = {0};
    const larch_outbox_entries *fresh = with_fresh ? &ob->fresh : &nothing;
    const size_t count = ob->forgotten.count + fresh->count;
    *log = (larch_outbox_log){0};
    larch_error e = add_all(ob, &ob->forgotten, log);
    for (uint64_t from = ob->seen.head; e == LARCH_OK && larch_seen_is_long(&ob->seen, count, from); from = log->head)
        e = move_row(ob, from, log);
    if (e == LARCH_OK)
        e = add_all(ob, fresh, log);
    log->ends = ob->seen.next;
    if (e != LARCH_OK)
        larch_seen_revert(&ob->seen);
    return e;
}

void larch_outbox_log_stored(larch_outbox *ob, const larch_outbox_log *log)
{
    larch_seen_keep(&ob->seen);
    ob->forgotten.count = 0;
    if (log->head > 0)
        ob->seen.head = log->head;
}

void larch_outbox_free_seen(larch_outbox *ob)
{
    larch_seen_free(&ob->seen);
    free(ob->fresh.list);
    free(ob->forgotten.list);
    free(ob->log.data);
    free(ob->seen_row.data);
}
