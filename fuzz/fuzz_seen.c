/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log of identities over a file that is an array here. The first byte says how the rest is read: as entries of the
 * log, in one row that is loaded; or as four bytes for each (kind and owner, number, hash), which reach more. Whatever
 * those hold: what is on record is what a plain list of all entries has, also when some were reverted, when the oldest
 * rows were moved, and when the log was loaded again.
 */
#include <string.h>

#include "fuzz.h"
#include "registry/seen.h"

enum { ENTRIES = 512, OWNERS = 32 };

static larch_seen_entry log_file[2 * ENTRIES]; /* by position */

static bool is_of(const larch_seen_entry *e, uint8_t kind, const uint8_t owner[LARCH_SEEN_OWNER_LEN])
{
    return e->kind == kind && memcmp(e->owner, owner, LARCH_SEEN_OWNER_LEN) == 0;
}

static larch_seen_verdict search(const larch_seen *seen, const larch_seen_entry *e, uint64_t *highest)
{
    larch_seen_search s = larch_seen_begin_search(seen, e->kind, e->owner, e->number, e->hash);
    for (unsigned reads = 0; s.at != 0; reads++) {
        require(s.at > seen->head && s.at <= seen->next && reads <= ENTRIES);
        require(larch_seen_search_take(seen, &s, &log_file[s.at - 1]) == LARCH_OK);
    }
    *highest = s.highest;
    return s.verdict;
}

/* ---- entries as they stand in a file ----------------------------------------- */

static void load_row(larch_bytes row)
{
    larch_seen seen = {0};
    larch_reader r = larch_reader_of(row);
    larch_seen_entry e;
    uint64_t highest, count = 0;
    const uint64_t ends = row.len / LARCH_SEEN_ENTRY_LEN;
    if (larch_seen_load(&seen, row, ends) == LARCH_OK) {
        for (; larch_seen_entry_take(&r, &e) == LARCH_OK; count++) {
            uint8_t bytes[LARCH_SEEN_ENTRY_LEN];
            larch_writer w = larch_writer_to(bytes, sizeof bytes);
            larch_seen_entry_put(&w, &e);
            require(w.len == sizeof bytes && memcmp(bytes, row.data + count * sizeof bytes, sizeof bytes) == 0);
            log_file[count] = e;
        }
        require(count == ends && seen.next == ends && seen.contexts.count + seen.devices.count <= count);
        for (uint64_t i = 0; i < count; i++)
            if (larch_seen_lives(&seen, &log_file[i]))
                require(search(&seen, &log_file[i], &highest) != LARCH_SEEN_FAILED && highest >= log_file[i].number);
    }
    larch_seen_free(&seen);
}

/* ---- entries as they come ------------------------------------------------------ */

/* What was put, by a plain list. */
typedef struct plain_list {
    larch_seen_entry entries[ENTRIES];
    size_t count;
} plain_list;

static larch_seen_verdict recall_plain(const plain_list *list, const larch_seen_entry *e, uint64_t *highest)
{
    bool is_there = false, is_same = false, is_any = false;
    *highest = 0;
    for (size_t i = 0; i < list->count; i++) {
        const larch_seen_entry *other = &list->entries[i];
        if (!is_of(other, e->kind, e->owner))
            continue;
        is_any = true;
        *highest = other->number > *highest ? other->number : *highest;
        is_there = is_there || other->number == e->number;
        is_same = is_same || (other->number == e->number && memcmp(other->hash, e->hash, sizeof e->hash) == 0);
    }
    if (is_any && e->number < *highest && *highest - e->number >= LARCH_SEEN_WINDOW)
        return e->kind == 'N' ? LARCH_SEEN_CONFLICT : LARCH_SEEN_UNKNOWN;
    return is_same ? LARCH_SEEN_KNOWN : is_there && e->kind == 'N' ? LARCH_SEEN_CONFLICT : LARCH_SEEN_UNKNOWN;
}

static void check(const larch_seen *seen, const plain_list *list)
{
    larch_seen_entry e;
    uint64_t highest, wanted;
    for (size_t i = 0; i < list->count; i++)
        for (uint8_t other = 0; other < 3; other++) {
            e = list->entries[i];
            e.hash[0] = (uint8_t)(e.hash[0] + other % 2);
            e.number += other / 2;
            const larch_seen_verdict verdict = recall_plain(list, &e, &wanted);
            require(search(seen, &e, &highest) == verdict && highest == wanted);
        }
}

/* Puts an entry at the end of the file; false: it is below its window. */
static bool put(larch_seen *seen, larch_seen_entry *e)
{
    require(larch_seen_reserve(seen, 1));
    const uint64_t position = seen->next;
    if (!larch_seen_add(seen, e))
        return false;
    require(seen->next == position + 1 && position < 2 * ENTRIES);
    log_file[position] = *e;
    return true;
}

static void load_again(const larch_seen *seen)
{
    larch_seen again = {0};
    uint8_t row[LARCH_SEEN_ROW_MAX * LARCH_SEEN_ENTRY_LEN];
    uint64_t at = seen->head;
    while (at < seen->next) {
        larch_writer w = larch_writer_to(row, sizeof row);
        for (; at < seen->next && w.len < sizeof row; at++)
            larch_seen_entry_put(&w, &log_file[at]);
        require(larch_seen_load(&again, (larch_bytes){row, w.len}, at) == LARCH_OK);
    }
    require(again.live == seen->live && again.contexts.count == seen->contexts.count &&
            again.devices.count == seen->devices.count && (at == 0 || again.next == seen->next));
    larch_seen_free(&again);
}

/* Moves what lives of the first entries to the end, as rows are moved. */
static void move(larch_seen *seen, uint64_t count)
{
    const uint64_t end = seen->head + count;
    for (uint64_t at = seen->head; at < end; at++)
        if (larch_seen_lives(seen, &log_file[at])) {
            larch_seen_entry e = log_file[at];
            require(put(seen, &e));
        }
    larch_seen_keep(seen);
    seen->head = end;
}

static bool take_short(larch_reader *r, larch_seen_entry *e, bool *reverts)
{
    uint8_t kind, hash;
    uint16_t number;
    if (larch_reader_take_u8(r, &kind) != LARCH_OK || larch_reader_take_u16(r, &number) != LARCH_OK ||
        larch_reader_take_u8(r, &hash) != LARCH_OK)
        return false;
    *e = (larch_seen_entry){.kind = (uint8_t) "ONONONon"[kind >> 5], .number = number};
    e->owner[0] = kind & (OWNERS - 1);
    memset(e->hash, hash & 15, sizeof e->hash);
    *reverts = hash >> 4 == 15;
    return true;
}

/* The owner is gone, and its number is not given again. */
static void forget(plain_list *list, bool gone[2][OWNERS], const larch_seen_entry *e)
{
    const uint8_t kind = e->kind == 'o' ? 'O' : 'N';
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++)
        if (!is_of(&list->entries[i], kind, e->owner))
            list->entries[kept++] = list->entries[i];
    list->count = kept;
    gone[kind == 'N'][e->owner[0]] = true;
}

static void put_short(larch_reader r)
{
    static plain_list list;
    bool gone[2][OWNERS] = {{false}}, reverts;
    larch_seen seen = {0};
    larch_seen_entry e;
    list.count = 0;
    for (size_t i = 0; i < ENTRIES && take_short(&r, &e, &reverts); i++) {
        const bool forgets = e.kind == 'o' || e.kind == 'n';
        if (!forgets && gone[e.kind == 'N'][e.owner[0]])
            continue;
        const bool is_put = put(&seen, &e);
        if (is_put && reverts && !forgets) {
            larch_seen_revert(&seen);
            continue;
        }
        larch_seen_keep(&seen);
        if (forgets)
            forget(&list, gone, &e);
        else if (is_put)
            list.entries[list.count++] = e;
    }
    check(&seen, &list);
    load_again(&seen);
    move(&seen, seen.next / 2);
    check(&seen, &list);
    load_again(&seen);
    move(&seen, (seen.next - seen.head) / 3);
    check(&seen, &list);
    larch_seen_free(&seen);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    const larch_bytes rest = {data + 1, size - 1};
    if (data[0] == 0)
        load_row(rest);
    else
        put_short(larch_reader_of(rest));
    return 0;
}
