/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/last.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define LOG_SLACK 262144 /* bytes of dead entries that do not matter */
#define BUCKETS   64     /* at first */

struct larch_last_path {
    larch_last_path *chain;           /* in its bucket */
    larch_last_path *before, *behind; /* in the log; it is there while it has a stored entry */
    larch_last_path *next_fresh;
    uint64_t position; /* of the stored entry */
    larch_last_item stored, fresh;
    size_t len;
    uint8_t bytes[LARCH_OUTBOX_PATH_MAX];
};

/* ---- entries of the log ---------------------------------------------------- */

static void put_short(larch_writer *w, larch_bytes bytes)
{
    larch_writer_put_u8(w, (uint8_t)bytes.len);
    larch_writer_put(w, bytes);
}

static size_t body_len(larch_bytes path, const larch_outbox_last_reading *r)
{
    return 8 + 2 + 1 + path.len + 1 + r->device.len + r->text.len;
}

void larch_last_entry_put(larch_writer *w, larch_bytes path, const larch_outbox_last_reading *r)
{
    larch_writer_put_u32(w, (uint32_t)body_len(path, r));
    larch_writer_put_u64(w, r->time_ms);
    larch_writer_put_u16(w, r->format);
    put_short(w, path);
    put_short(w, r->device);
    larch_writer_put(w, r->text);
}

static larch_error take_short(larch_reader *r, size_t max, larch_bytes *out)
{
    uint8_t len;
    const larch_error e = larch_reader_take_u8(r, &len);
    return e != LARCH_OK ? e : len > max ? LARCH_MALFORMED : larch_reader_take(r, len, out);
}

larch_error larch_last_entry_take(larch_reader *reader, larch_bytes *path, larch_outbox_last_reading *reading)
{
    larch_reader rest = *reader, body;
    larch_outbox_last_reading r;
    larch_bytes name;
    uint32_t len;
    larch_error e;
    if ((e = larch_reader_take_u32(&rest, &len)) != LARCH_OK ||
        (e = larch_reader_take(&rest, len, &body.left)) != LARCH_OK ||
        (e = larch_reader_take_u64(&body, &r.time_ms)) != LARCH_OK ||
        (e = larch_reader_take_u16(&body, &r.format)) != LARCH_OK ||
        (e = take_short(&body, LARCH_OUTBOX_PATH_MAX, &name)) != LARCH_OK ||
        (e = take_short(&body, LARCH_OUTBOX_NAME_MAX, &r.device)) != LARCH_OK)
        return e;
    r.text = body.left;
    if (name.len == 0 || r.text.len > LARCH_OUTBOX_TEXT_MAX)
        return LARCH_MALFORMED;
    *reader = rest;
    *path = name;
    *reading = r;
    return LARCH_OK;
}

/* ---- paths ----------------------------------------------------------------- */

/* A polynomial of the path at a random place, modulo the prime 2^31 - 1: who chooses paths cannot make them meet. */
static uint32_t hash_of(const larch_last *last, larch_bytes path)
{
    uint64_t hash = path.len + 1;
    for (size_t at = 0; at < path.len; at += 3) {
        const size_t len = path.len - at < 3 ? path.len - at : 3;
        hash = hash * last->seed + larch_number_at(path.data + at, len);
        hash = (hash & 0x7fffffff) + (hash >> 31);
    }
    return (uint32_t)(hash * last->seed % 0x7fffffff);
}

static bool is_named(const larch_last_path *p, larch_bytes path)
{
    return larch_bytes_equal((larch_bytes){p->bytes, p->len}, path);
}

/* Where the pointer to a path stands, or would stand. */
static larch_last_path **place_of(const larch_last *last, larch_bytes path)
{
    larch_last_path **at = &last->buckets[hash_of(last, path) & (last->bucket_count - 1)];
    while (*at != NULL && !is_named(*at, path))
        at = &(*at)->chain;
    return at;
}

static larch_last_path *find_path(const larch_last *last, larch_bytes path)
{
    return last->bucket_count > 0 ? *place_of(last, path) : NULL;
}

static bool reserve_bucket(larch_last *last)
{
    if (last->path_count < last->bucket_count)
        return true;
    larch_last old = *last;
    const uint32_t count = old.bucket_count > 0 ? 2 * old.bucket_count : BUCKETS;
    larch_last_path **buckets = calloc(count, sizeof(larch_last_path *));
    if (buckets == NULL)
        return false;
    last->buckets = buckets;
    last->bucket_count = count;
    for (uint32_t i = 0; i < old.bucket_count; i++)
        for (larch_last_path *p = old.buckets[i], *chain; p != NULL; p = chain) {
            chain = p->chain;
            p->chain = NULL;
            *place_of(last, (larch_bytes){p->bytes, p->len}) = p;
        }
    free((void *)old.buckets);
    return true;
}

/* The path, known or new; NULL: out of memory. */
static larch_last_path *add_path(larch_last *last, larch_bytes path)
{
    larch_last_path *p = find_path(last, path);
    if (p != NULL || !reserve_bucket(last) || (p = calloc(1, sizeof *p)) == NULL)
        return p;
    p->len = path.len;
    memcpy(p->bytes, path.data, path.len);
    *place_of(last, path) = p;
    last->path_count++;
    return p;
}

/* Ends a path that has no reading left. */
static void end_path(larch_last *last, larch_last_path *p)
{
    larch_last_path **at = place_of(last, (larch_bytes){p->bytes, p->len});
    if (p->stored.data != NULL || p->fresh.data != NULL)
        return;
    *at = p->chain;
    last->path_count--;
    free(p);
}

/* ---- readings -------------------------------------------------------------- */

static size_t longer(size_t a, size_t b) { return a > b ? a : b; }

/* Gives a path other entries and frees those that it no longer has; the sums follow. */
static void set_items(larch_last *last, larch_last_path *p, larch_last_item stored, larch_last_item fresh)
{
    last->live_bytes = last->live_bytes - p->stored.len + stored.len;
    last->fresh_bytes = last->fresh_bytes - p->fresh.len + fresh.len;
    last->bytes = last->bytes - longer(p->stored.len, p->fresh.len) + longer(stored.len, fresh.len);
    if (p->stored.data != stored.data)
        free(p->stored.data);
    if (p->fresh.data != fresh.data && p->fresh.data != stored.data)
        free(p->fresh.data);
    p->stored = stored;
    p->fresh = fresh;
}

static void leave_log(larch_last *last, larch_last_path *p)
{
    *(p->before != NULL ? &p->before->behind : &last->oldest) = p->behind;
    *(p->behind != NULL ? &p->behind->before : &last->newest) = p->before;
}

static void enter_log(larch_last *last, larch_last_path *p)
{
    p->position = last->next;
    last->next += p->stored.len;
    p->before = last->newest;
    p->behind = NULL;
    *(last->newest != NULL ? &last->newest->behind : &last->oldest) = p;
    last->newest = p;
}

bool larch_last_init(larch_last *last)
{
    uint8_t seed[4];
    *last = (larch_last){.paths_max = LARCH_OUTBOX_PATHS_MAX, .bytes_max = LARCH_OUTBOX_LAST_BYTES};
    if (getentropy(seed, sizeof seed) != 0)
        return false;
    last->seed = (uint32_t)(larch_number_at(seed, sizeof seed) % 0x7ffffffd + 2);
    return true;
}

void larch_last_free(larch_last *last)
{
    for (uint32_t i = 0; i < last->bucket_count; i++)
        for (larch_last_path *p = last->buckets[i], *chain; p != NULL; p = chain) {
            chain = p->chain;
            free(p->stored.data);
            free(p->fresh.data);
            free(p);
        }
    free((void *)last->buckets);
    *last = (larch_last){0};
}

static bool has_room(const larch_last *last, const larch_last_path *p, size_t len)
{
    const size_t held = p != NULL ? longer(p->stored.len, p->fresh.len) : 0, stored = p != NULL ? p->stored.len : 0;
    const uint64_t bytes = last->bytes - held + longer(stored, len);
    if (p == NULL)
        return last->path_count < last->paths_max && bytes <= last->bytes_max;
    return len <= held || bytes <= 2 * last->bytes_max;
}

larch_error larch_last_put(larch_last *last, larch_bytes path, const larch_outbox_last_reading *reading)
{
    larch_last_path *p = last->fresh; /* often the same path again */
    if (p == NULL || !is_named(p, path))
        p = find_path(last, path);
    larch_last_item item = {NULL, 4 + body_len(path, reading)};
    if (!has_room(last, p, item.len))
        return LARCH_BUSY;
    item.data = p != NULL && p->fresh.len == item.len ? p->fresh.data : malloc(item.len);
    if (item.data == NULL || (p == NULL && (p = add_path(last, path)) == NULL)) {
        free(item.data);
        return LARCH_PLATFORM;
    }
    larch_writer w = larch_writer_to(item.data, item.len);
    larch_last_entry_put(&w, path, reading);
    if (p->fresh.data == NULL) {
        p->next_fresh = last->fresh;
        last->fresh = p;
    }
    set_items(last, p, p->stored, item);
    return LARCH_OK;
}

void larch_last_drop(larch_last *last)
{
    for (larch_last_path *p = last->fresh, *next; p != NULL; p = next) {
        next = p->next_fresh;
        set_items(last, p, p->stored, (larch_last_item){NULL, 0});
        end_path(last, p);
    }
    last->fresh = NULL;
}

larch_error larch_last_get(const larch_last *last, larch_bytes path, larch_outbox_last_reading *reading)
{
    const larch_last_path *p = find_path(last, path);
    if (p == NULL || p->stored.data == NULL)
        return LARCH_AGAIN;
    larch_reader reader = larch_reader_of((larch_bytes){p->stored.data, p->stored.len});
    larch_bytes same;
    return larch_last_entry_take(&reader, &same, reading);
}

void larch_last_forget(larch_last *last, larch_bytes path)
{
    larch_last_path *p = find_path(last, path), **at = &last->fresh;
    if (p == NULL)
        return;
    while (*at != NULL && *at != p)
        at = &(*at)->next_fresh;
    if (*at == p)
        *at = p->next_fresh;
    if (p->stored.data != NULL) {
        leave_log(last, p);
        last->erase = true;
    }
    set_items(last, p, (larch_last_item){NULL, 0}, (larch_last_item){NULL, 0});
    end_path(last, p);
}

static bool is_of(const larch_last_item *item, larch_bytes device)
{
    larch_reader r = larch_reader_of((larch_bytes){item->data, item->len});
    larch_outbox_last_reading reading;
    larch_bytes path;
    return item->data != NULL && larch_last_entry_take(&r, &path, &reading) == LARCH_OK &&
           larch_bytes_equal(reading.device, device);
}

size_t larch_last_forget_device(larch_last *last, larch_bytes device)
{
    size_t count = 0;
    for (uint32_t i = 0; i < last->bucket_count; i++)
        for (larch_last_path *p = last->buckets[i], *chain; p != NULL; p = chain) {
            chain = p->chain;
            if (!is_of(&p->stored, device) && !is_of(&p->fresh, device))
                continue;
            larch_last_forget(last, (larch_bytes){p->bytes, p->len});
            count++;
        }
    return count;
}

/* ---- the log --------------------------------------------------------------- */

/* How many bytes of the oldest readings are written again. All of them, when one has to leave the file. Else twice as
 * many as come: a round over all that live ends before as many again have come. */
static uint64_t excess_of(const larch_last *last, bool with_fresh)
{
    const uint64_t span = last->oldest != NULL ? last->next - last->oldest->position : 0;
    if (last->erase)
        return UINT64_MAX;
    return with_fresh && span > 2 * last->live_bytes + LOG_SLACK ? 2 * last->fresh_bytes : 0;
}

/* Whether the next transaction makes this stored entry a dead one. */
static bool is_replaced(const larch_last_path *p, bool with_fresh) { return with_fresh && p->fresh.data != NULL; }

uint64_t larch_last_compose(const larch_last *last, bool with_fresh, larch_writer *w)
{
    const uint64_t again = excess_of(last, with_fresh);
    const larch_last_path *p = last->oldest;
    for (; p != NULL && (w->len < again || is_replaced(p, with_fresh)); p = p->behind)
        if (!is_replaced(p, with_fresh))
            larch_writer_put(w, (larch_bytes){p->stored.data, p->stored.len});
    for (const larch_last_path *f = with_fresh ? last->fresh : NULL; f != NULL; f = f->next_fresh)
        larch_writer_put(w, (larch_bytes){f->fresh.data, f->fresh.len});
    return p != NULL ? p->position : last->next;
}

/* In the order of larch_last_compose. */
void larch_last_stored(larch_last *last, bool with_fresh)
{
    const uint64_t again = excess_of(last, with_fresh), from = last->next;
    const larch_last_path *end = last->newest;
    larch_last_path *p = last->oldest, *next;
    for (; p != NULL && (last->next - from < again || is_replaced(p, with_fresh)); p = p == end ? NULL : next) {
        next = p->behind;
        if (is_replaced(p, with_fresh))
            continue;
        leave_log(last, p);
        enter_log(last, p);
    }
    for (p = with_fresh ? last->fresh : NULL; p != NULL; p = p->next_fresh) {
        if (p->stored.data != NULL)
            leave_log(last, p);
        set_items(last, p, p->fresh, (larch_last_item){NULL, 0});
        enter_log(last, p);
    }
    if (with_fresh)
        last->fresh = NULL;
    last->erase = false;
}

static larch_error load_one(larch_last *last, larch_reader *reader)
{
    const larch_reader before = *reader;
    larch_outbox_last_reading reading;
    larch_bytes path;
    const larch_error e = larch_last_entry_take(reader, &path, &reading);
    if (e != LARCH_OK)
        return LARCH_MALFORMED;
    const larch_last_item item = {malloc(before.left.len - reader->left.len), before.left.len - reader->left.len};
    larch_last_path *p = item.data != NULL ? add_path(last, path) : NULL;
    if (p == NULL) {
        free(item.data);
        return LARCH_PLATFORM;
    }
    memcpy(item.data, before.left.data, item.len);
    if (p->stored.data != NULL)
        leave_log(last, p);
    set_items(last, p, item, p->fresh);
    enter_log(last, p);
    return LARCH_OK;
}

larch_error larch_last_load(larch_last *last, larch_bytes entries, uint64_t ends)
{
    larch_reader reader = larch_reader_of(entries);
    larch_error e = LARCH_OK;
    if (entries.len == 0 || ends < entries.len || ends - entries.len < last->next)
        return LARCH_MALFORMED;
    last->next = ends - entries.len;
    while (e == LARCH_OK && reader.left.len > 0)
        e = load_one(last, &reader);
    return e;
}
