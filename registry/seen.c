/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/seen.h"

#include <stdlib.h>
#include <string.h>

#define LOG_SLACK 4096 /* dead entries that do not matter */
#define NONE      UINT32_MAX

/* ---- entries of the log ---------------------------------------------------- */

void larch_seen_entry_put(larch_writer *w, const larch_seen_entry *e)
{
    larch_writer_put_u8(w, e->kind);
    larch_writer_put(w, LARCH_BYTES(e->owner));
    larch_writer_put_u64(w, e->number);
    larch_writer_put(w, LARCH_BYTES(e->hash));
    larch_writer_put_u64(w, e->prior);
}

larch_error larch_seen_entry_take(larch_reader *reader, larch_seen_entry *entry)
{
    larch_reader body;
    larch_bytes bytes, owner, hash;
    const larch_error e = larch_reader_take(reader, LARCH_SEEN_ENTRY_LEN, &bytes);
    if (e != LARCH_OK)
        return e;
    if (bytes.data[0] == '\0' || strchr("ONon", bytes.data[0]) == NULL)
        return LARCH_MALFORMED;
    body = larch_reader_of(bytes);
    if (larch_reader_take_u8(&body, &entry->kind) != LARCH_OK ||
        larch_reader_take(&body, sizeof entry->owner, &owner) != LARCH_OK ||
        larch_reader_take_u64(&body, &entry->number) != LARCH_OK ||
        larch_reader_take(&body, sizeof entry->hash, &hash) != LARCH_OK ||
        larch_reader_take_u64(&body, &entry->prior) != LARCH_OK)
        return LARCH_MALFORMED;
    memcpy(entry->owner, owner.data, owner.len);
    memcpy(entry->hash, hash.data, hash.len);
    return LARCH_OK;
}

static bool is_forgotten(uint8_t kind) { return kind == 'o' || kind == 'n'; }

/* ---- memory ---------------------------------------------------------------- */

static larch_seen_table *table_of(larch_seen *s, uint8_t kind)
{
    return kind == 'O' || kind == 'o' ? &s->contexts : &s->devices;
}

void larch_seen_free(larch_seen *seen)
{
    free(seen->contexts.owners);
    free(seen->contexts.map);
    free(seen->devices.owners);
    free(seen->devices.map);
    free(seen->undo);
    *seen = (larch_seen){0};
}

/* The owner's number is random and its choice is ours, so a weak hash will do. */
static uint32_t place_of(const larch_seen_table *t, const uint8_t id[LARCH_SEEN_OWNER_LEN])
{
    uint64_t hash;
    memcpy(&hash, id, sizeof hash);
    hash = (hash ^ hash >> 32) * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(hash >> 32) & (t->map_cap - 1);
}

/* Where an owner stands in the map, or the free place where it would. */
static uint32_t find_place(const larch_seen_table *t, const uint8_t id[LARCH_SEEN_OWNER_LEN])
{
    uint32_t at = place_of(t, id);
    while (t->map[at] != NONE && memcmp(t->owners[t->map[at]].id, id, LARCH_SEEN_OWNER_LEN) != 0)
        at = (at + 1) & (t->map_cap - 1);
    return at;
}

static larch_seen_owner *find_owner(const larch_seen_table *t, const uint8_t id[LARCH_SEEN_OWNER_LEN])
{
    const uint32_t index = t->map_cap > 0 ? t->map[find_place(t, id)] : NONE;
    return index != NONE ? &t->owners[index] : NULL;
}

static bool reserve_map(larch_seen_table *t, size_t owners)
{
    uint32_t cap = t->map_cap > 0 ? t->map_cap : 16;
    while (cap / 2 < owners)
        cap *= 2;
    if (cap == t->map_cap)
        return true;
    uint32_t *map = malloc(cap * sizeof *map);
    if (map == NULL)
        return false;
    free(t->map);
    t->map = map;
    t->map_cap = cap;
    memset(map, 0xff, cap * sizeof *map);
    for (uint32_t i = 0; i < t->top; i++)
        if (t->owners[i].newest != 0)
            map[find_place(t, t->owners[i].id)] = i;
    return true;
}

/* Also the map of a table this large has numbers of 32 bits. */
static bool reserve_owners(larch_seen_table *t, size_t count)
{
    size_t cap = t->cap > 0 ? t->cap : 16;
    while (cap < count)
        cap *= 2;
    if (cap > t->cap) {
        larch_seen_owner *owners = cap <= NONE / 8 ? realloc(t->owners, cap * sizeof *owners) : NULL;
        if (owners == NULL)
            return false;
        t->owners = owners;
        t->cap = (uint32_t)cap;
    }
    return reserve_map(t, count);
}

static bool reserve_undo(larch_seen *s, size_t count)
{
    if (count <= s->undo_cap)
        return true;
    larch_seen_undo *undo = realloc(s->undo, 2 * count * sizeof *undo);
    if (undo == NULL)
        return false;
    s->undo = undo;
    s->undo_cap = 2 * count;
    return true;
}

bool larch_seen_reserve(larch_seen *s, size_t count)
{
    return reserve_undo(s, s->undo_count + count) && reserve_owners(&s->contexts, s->contexts.count + count) &&
           reserve_owners(&s->devices, s->devices.count + count);
}

/* ---- owners ---------------------------------------------------------------- */

static uint32_t add_owner(larch_seen_table *t, const uint8_t id[LARCH_SEEN_OWNER_LEN])
{
    uint32_t index = t->top;
    if (t->free != 0) {
        index = t->free - 1;
        t->free = (uint32_t)t->owners[index].highest;
    } else {
        t->top++;
    }
    t->owners[index] = (larch_seen_owner){0};
    memcpy(t->owners[index].id, id, LARCH_SEEN_OWNER_LEN);
    t->count++;
    t->map[find_place(t, id)] = index;
    return index;
}

/* Whoever stands behind the freed place moves up, so that a search never ends too early. */
static void remove_owner(larch_seen_table *t, larch_seen_owner *owner)
{
    const uint32_t last = t->map_cap - 1;
    uint32_t hole = find_place(t, owner->id);
    t->map[hole] = NONE;
    for (uint32_t at = (hole + 1) & last; t->map[at] != NONE; at = (at + 1) & last) {
        const uint32_t wanted = place_of(t, t->owners[t->map[at]].id);
        if (((at - wanted) & last) < ((at - hole) & last))
            continue;
        t->map[hole] = t->map[at];
        t->map[at] = NONE;
        hole = at;
    }
    *owner = (larch_seen_owner){.highest = t->free};
    t->free = (uint32_t)(owner - t->owners) + 1;
    t->count--;
}

/* ---- entries in ------------------------------------------------------------ */

static bool is_below(const larch_seen_owner *owner, uint64_t number)
{
    return number < owner->highest && owner->highest - number >= LARCH_SEEN_WINDOW;
}

static bool is_on_record(const larch_seen_owner *owner, uint64_t number)
{
    return number <= owner->highest && !is_below(owner, number) &&
           (owner->window >> (owner->highest - number) & 1) != 0;
}

static unsigned count_of(uint64_t window) { return (unsigned)__builtin_popcountll(window); }

/* Of a new owner, window is 0. */
static void record_number(larch_seen_owner *owner, uint64_t number)
{
    if (owner->window == 0 || (number > owner->highest && number - owner->highest >= LARCH_SEEN_WINDOW)) {
        owner->highest = number;
        owner->window = 1;
    } else if (number > owner->highest) {
        owner->window = owner->window << (number - owner->highest) | 1;
        owner->highest = number;
    } else {
        owner->window |= UINT64_C(1) << (owner->highest - number);
    }
}

bool larch_seen_add(larch_seen *s, larch_seen_entry *e)
{
    larch_seen_table *t = table_of(s, e->kind);
    larch_seen_owner *owner = find_owner(t, e->owner);
    if (is_forgotten(e->kind)) {
        (void)larch_seen_forget(s, e->kind, e->owner);
        e->prior = 0;
        s->next++;
        return true;
    }
    if (owner != NULL && is_below(owner, e->number))
        return false;
    larch_seen_undo *undo = &s->undo[s->undo_count++];
    *undo = (larch_seen_undo){.table = t};
    if (owner != NULL)
        undo->before = *owner;
    else
        owner = &t->owners[add_owner(t, e->owner)];
    undo->index = (uint32_t)(owner - t->owners);
    e->prior = owner->newest;
    record_number(owner, e->number);
    owner->newest = ++s->next;
    s->live = s->live + count_of(owner->window) - count_of(undo->before.window);
    return true;
}

void larch_seen_keep(larch_seen *s)
{
    s->undo_count = 0;
    s->kept = s->next;
}

void larch_seen_revert(larch_seen *s)
{
    while (s->undo_count > 0) {
        const larch_seen_undo *undo = &s->undo[--s->undo_count];
        larch_seen_owner *owner = &undo->table->owners[undo->index];
        s->live = s->live + count_of(undo->before.window) - count_of(owner->window);
        if (undo->before.newest != 0)
            *owner = undo->before;
        else
            remove_owner(undo->table, owner);
    }
    s->next = s->kept;
}

bool larch_seen_forget(larch_seen *s, uint8_t kind, const uint8_t id[LARCH_SEEN_OWNER_LEN])
{
    larch_seen_table *t = table_of(s, kind);
    larch_seen_owner *owner = find_owner(t, id);
    if (owner == NULL)
        return false;
    s->live -= count_of(owner->window);
    remove_owner(t, owner);
    return true;
}

/* ---- the log --------------------------------------------------------------- */

/* Three old entries for each new one: the log grows by less than a third of what lives in it, until all of that has
 * been written again. */
bool larch_seen_is_long(const larch_seen *s, size_t count, uint64_t from)
{
    return from < s->kept && s->kept - from > 2 * s->live + LOG_SLACK && from - s->head < 3 * (uint64_t)count;
}

bool larch_seen_lives(const larch_seen *s, const larch_seen_entry *e)
{
    const larch_seen_owner *owner =
        is_forgotten(e->kind) ? NULL : find_owner(e->kind == 'O' ? &s->contexts : &s->devices, e->owner);
    return owner != NULL && is_on_record(owner, e->number);
}

/* An entry whose prior is not the one that memory has shows that others are missing. */
static bool load_entry(larch_seen *s, larch_seen_entry *e)
{
    const larch_seen_owner *owner = find_owner(table_of(s, e->kind), e->owner);
    const uint64_t prior = e->prior;
    return larch_seen_add(s, e) && (owner != NULL ? prior == e->prior : prior <= s->head);
}

larch_error larch_seen_load(larch_seen *s, larch_bytes entries, uint64_t ends)
{
    const uint64_t count = entries.len / LARCH_SEEN_ENTRY_LEN;
    larch_reader reader = larch_reader_of(entries);
    larch_seen_entry entry;
    if (count == 0 || count > LARCH_SEEN_ROW_MAX || entries.len % LARCH_SEEN_ENTRY_LEN != 0 || ends < count)
        return LARCH_MALFORMED;
    if (s->next == s->head)
        s->head = s->next = ends - count;
    if (ends - count != s->next)
        return LARCH_MALFORMED;
    if (!larch_seen_reserve(s, count))
        return LARCH_PLATFORM;
    while (reader.left.len > 0)
        if (larch_seen_entry_take(&reader, &entry) != LARCH_OK || !load_entry(s, &entry))
            return LARCH_MALFORMED;
    larch_seen_keep(s);
    return LARCH_OK;
}

/* ---- questions ------------------------------------------------------------- */

larch_seen_search larch_seen_begin_search(const larch_seen *s, uint8_t kind, const uint8_t id[LARCH_SEEN_OWNER_LEN],
                                          uint64_t number, const uint8_t hash[LARCH_SEEN_HASH_LEN])
{
    const larch_seen_owner *owner = find_owner(kind == 'O' ? &s->contexts : &s->devices, id);
    larch_seen_search search = {.wanted = {.kind = kind, .number = number}};
    memcpy(search.wanted.owner, id, LARCH_SEEN_OWNER_LEN);
    memcpy(search.wanted.hash, hash, LARCH_SEEN_HASH_LEN);
    if (owner == NULL)
        return search;
    search.highest = owner->highest;
    if (kind == 'N' && is_below(owner, number))
        search.verdict = LARCH_SEEN_CONFLICT;
    else if (is_on_record(owner, number))
        search.at = owner->newest;
    return search;
}

/* What stands before an entry was added before it, when this one's number was in the window. So if it is two windows
 * below the highest of today, all before it are below the window. */
static bool is_last(const larch_seen *s, const larch_seen_search *search, const larch_seen_entry *e)
{
    return e->prior <= s->head || (e->number < search->highest && search->highest - e->number >= 2 * LARCH_SEEN_WINDOW);
}

larch_error larch_seen_search_take(const larch_seen *s, larch_seen_search *search, const larch_seen_entry *e)
{
    const larch_seen_entry *wanted = &search->wanted;
    const uint64_t at = search->at;
    const bool is_sound = e->kind == wanted->kind && memcmp(e->owner, wanted->owner, sizeof e->owner) == 0 &&
                          e->prior < at && e->number <= search->highest;
    if (is_sound && e->number == wanted->number) {
        search->is_found = true;
        search->verdict = wanted->kind == 'N' ? LARCH_SEEN_CONFLICT : LARCH_SEEN_UNKNOWN;
        if (memcmp(e->hash, wanted->hash, sizeof e->hash) == 0) {
            search->verdict = LARCH_SEEN_KNOWN;
            search->at = 0;
            return LARCH_OK;
        }
    }
    const bool ends = is_sound && is_last(s, search, e);
    search->at = is_sound && !ends ? e->prior : 0;
    if (is_sound && (!ends || search->is_found))
        return LARCH_OK;
    search->verdict = LARCH_SEEN_FAILED; /* memory says that an entry with this number is there */
    return LARCH_MALFORMED;
}
