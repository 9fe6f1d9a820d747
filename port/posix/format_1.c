/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record of format 1:
 *
 *     0        4         5      6          8            12        12+L     16+L
 *    +--------+---------+------+----------+------------+---------+--------+
 *    | "LRCH" | version | kind | reserved | L: payload | payload | CRC-32 |
 *    |        | = 1     |      | = 0      | length     |         |        |
 *    +--------+---------+------+----------+------------+---------+--------+
 *
 * Payloads, and the marks of a journal from offset 512 on, are those of the present format.
 */
#include "format_1.h"

#include <stdlib.h>
#include <string.h>

#define FRONT       12
#define OVERHEAD    16
#define GROWTH      (LARCH_RECORD_OVERHEAD - OVERHEAD)
#define RING_LEN    170
#define HEAD_LEN    10 /* of a journal: set, generation, capacity */
#define MARKS_START 512
#define ROOM_NAME   "state.room"

/* A file in memory, with room to grow by GROWTH. */
typedef struct file {
    uint8_t *bytes; /* NULL: there is none */
    size_t len;
} file;

static void drop(file *f)
{
    if (f->bytes != NULL)
        larch_wipe(f->bytes, f->len);
    free(f->bytes);
    *f = (file){0};
}

/* MEDIUM, with *f empty, stands for memory that is out, too. */
static larch_store_fault load(const larch_storage *storage, const char *name, file *f)
{
    uint32_t size;
    *f = (file){0};
    if (storage->size(storage->context, name, &size) != LARCH_OK)
        return LARCH_STORE_MEDIUM;
    if (size == LARCH_STORAGE_NONE)
        return LARCH_STORE_MISSING;
    f->bytes = malloc((size_t)size + GROWTH);
    if (f->bytes == NULL)
        return LARCH_STORE_MEDIUM;
    f->len = size;
    if (storage->read(storage->context, name, 0, f->bytes, size) == LARCH_OK)
        return LARCH_STORE_NONE;
    drop(f);
    return LARCH_STORE_MEDIUM;
}

/* The erased end of a journal is not written but erased. */
static larch_error store(const larch_storage *storage, const char *name, const file *f)
{
    size_t len = f->len;
    while (len > 0 && f->bytes[len - 1] == LARCH_STORAGE_ERASED)
        len--;
    return storage->replace(storage->context, name, (larch_bytes){f->bytes, len}, (uint32_t)(f->len - len));
}

static bool equal(const file *a, const file *b) { return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0; }

/* ---- names ------------------------------------------------------------- */

static bool ends_with(const char *name, const char *end)
{
    size_t len = strlen(name), end_len = strlen(end);
    return len > end_len && strcmp(name + len - end_len, end) == 0;
}

/* 0: not a name of format 1. */
static larch_record_kind kind_of(const char *name)
{
    if (strncmp(name, "direct-", 7) == 0 && ends_with(name, ".key"))
        return LARCH_RECORD_KEYS;
    return strncmp(name, "replay-", 7) == 0 && ends_with(name, ".log") ? LARCH_RECORD_REPLAY : 0;
}

static bool copy_name(const char *name, larch_format_1_name copy)
{
    larch_writer w = larch_writer_to((uint8_t *)copy, sizeof(larch_format_1_name));
    larch_writer_put(&w, (larch_bytes){(const uint8_t *)name, strlen(name)});
    larch_writer_put(&w, LARCH_TEXT(LARCH_FORMAT_1_SUFFIX "\0"));
    return w.len <= w.cap;
}

/* ---- one file ---------------------------------------------------------- */

static bool is_format(const file *f, uint8_t version)
{
    static const uint8_t magic[] = {'L', 'R', 'C', 'H'};
    return f->len > sizeof magic && memcmp(f->bytes, magic, sizeof magic) == 0 && f->bytes[sizeof magic] == version;
}

/* As a larch of format 1 judged it, but for the marks: those are judged when the journal is opened. */
static larch_store_fault judge(const file *f, larch_record_kind kind, larch_bytes *payload)
{
    larch_reader r = larch_reader_of((larch_bytes){f->bytes, f->len});
    larch_bytes magic;
    uint8_t version, found_kind;
    uint16_t reserved, set;
    uint32_t payload_len, crc, generation, capacity;
    if (f->len == 0)
        return LARCH_STORE_TRUNCATED;
    if (memcmp(f->bytes, "LRCH", f->len < 4 ? f->len : 4) != 0)
        return LARCH_STORE_FOREIGN;
    if (larch_reader_take(&r, 4, &magic) != LARCH_OK || larch_reader_take_u8(&r, &version) != LARCH_OK)
        return LARCH_STORE_TRUNCATED;
    if (version != 1)
        return LARCH_STORE_VERSION;
    if (larch_reader_take_u8(&r, &found_kind) != LARCH_OK || larch_reader_take_u16(&r, &reserved) != LARCH_OK ||
        larch_reader_take_u32(&r, &payload_len) != LARCH_OK)
        return LARCH_STORE_TRUNCATED;
    if (payload_len > LARCH_RECORD_MAX)
        return LARCH_STORE_DAMAGED;
    if (larch_reader_take(&r, payload_len, payload) != LARCH_OK || larch_reader_take_u32(&r, &crc) != LARCH_OK)
        return LARCH_STORE_TRUNCATED;
    if (crc != larch_crc32(0, (larch_bytes){f->bytes, FRONT + payload_len}))
        return LARCH_STORE_DAMAGED;
    if (reserved != 0)
        return LARCH_STORE_VERSION;
    if (found_kind != (uint8_t)kind || payload_len != (kind == LARCH_RECORD_KEYS ? RING_LEN : HEAD_LEN))
        return LARCH_STORE_KIND;
    if (kind == LARCH_RECORD_KEYS)
        return r.left.len == 0 ? LARCH_STORE_NONE : LARCH_STORE_DAMAGED;

    larch_reader head = larch_reader_of(*payload);
    if (larch_reader_take_u16(&head, &set) != LARCH_OK || larch_reader_take_u32(&head, &generation) != LARCH_OK ||
        larch_reader_take_u32(&head, &capacity) != LARCH_OK)
        return LARCH_STORE_KIND;
    const uint64_t size = MARKS_START + (uint64_t)capacity * LARCH_STORAGE_ATOM;
    return f->len < size ? LARCH_STORE_TRUNCATED : f->len > size ? LARCH_STORE_DAMAGED : LARCH_STORE_NONE;
}

/* Gives a sound file of format 1 its new form. Its record is of the first start: that of the head. */
static larch_store_fault renew(file *f, larch_record_kind kind)
{
    uint8_t record[LARCH_RECORD_OVERHEAD + LARCH_RECORD_MAX];
    larch_bytes payload;
    larch_store_fault fault = judge(f, kind, &payload);
    if (fault != LARCH_STORE_NONE)
        return fault;
    larch_writer w = larch_writer_to(record, sizeof record);
    larch_record_compose(&w, kind, 1, payload);
    memcpy(f->bytes, record, w.len); /* between a journal's head and its marks there is room */
    larch_wipe(record, sizeof record);
    if (kind == LARCH_RECORD_KEYS)
        f->len = w.len;
    return LARCH_STORE_NONE;
}

/* Whether a file of the present format is what moving its copy makes. */
static larch_store_fault check_moved(const larch_storage *storage, const char *name, const file *f)
{
    larch_format_1_name copy;
    file kept;
    if (!copy_name(name, copy))
        return LARCH_STORE_MISSING;
    larch_store_fault fault = load(storage, copy, &kept);
    if (fault == LARCH_STORE_NONE && (renew(&kept, kind_of(name)) != LARCH_STORE_NONE || !equal(&kept, f)))
        fault = LARCH_STORE_MISSING;
    drop(&kept);
    return fault;
}

/* ---- all files --------------------------------------------------------- */

/* One file on its way: what a step does to it. */
typedef larch_store_fault move_step(const larch_storage *storage, const char *name, file *f, char *faulty);

/* Nothing is written. */
static larch_store_fault step_check(const larch_storage *storage, const char *name, file *f, char *faulty)
{
    larch_bytes payload;
    if (!is_format(f, LARCH_STATE_FORMAT))
        return judge(f, kind_of(name), &payload);
    const larch_store_fault fault = check_moved(storage, name, f);
    if (fault == LARCH_STORE_MISSING)
        memcpy(faulty, LARCH_STATE_HEAD_NAME, sizeof LARCH_STATE_HEAD_NAME);
    return fault;
}

/* A copy that differs is older: larch ran in between, and was a larch of format 1. */
static larch_store_fault step_keep(const larch_storage *storage, const char *name, file *f, char *faulty)
{
    larch_format_1_name copy;
    file kept;
    if (!is_format(f, 1))
        return LARCH_STORE_NONE;
    if (!copy_name(name, copy))
        return LARCH_STORE_KIND;
    memcpy(faulty, copy, sizeof copy);
    larch_store_fault fault = load(storage, copy, &kept);
    const bool is_kept = fault == LARCH_STORE_NONE && equal(&kept, f);
    drop(&kept);
    if (is_kept || fault == LARCH_STORE_MEDIUM)
        return fault;
    return store(storage, copy, f) == LARCH_OK ? LARCH_STORE_NONE : LARCH_STORE_MEDIUM;
}

/* The room that the largest new file takes beside the old one, as long as nothing has changed. */
static larch_store_fault step_prove_room(const larch_storage *storage, const char *name, file *f, char *faulty)
{
    (void)name;
    memcpy(faulty, ROOM_NAME, sizeof ROOM_NAME);
    if (storage->replace(storage->context, ROOM_NAME, (larch_bytes){NULL, 0}, (uint32_t)f->len + GROWTH) != LARCH_OK)
        return LARCH_STORE_MEDIUM;
    return storage->remove(storage->context, ROOM_NAME) == LARCH_OK ? LARCH_STORE_NONE : LARCH_STORE_MEDIUM;
}

static larch_store_fault step_replace(const larch_storage *storage, const char *name, file *f, char *faulty)
{
    (void)faulty;
    if (!is_format(f, 1))
        return LARCH_STORE_NONE;
    const larch_store_fault fault = renew(f, kind_of(name));
    if (fault != LARCH_STORE_NONE)
        return fault;
    return store(storage, name, f) == LARCH_OK ? LARCH_STORE_NONE : LARCH_STORE_MEDIUM;
}

static larch_store_fault take_step(const larch_storage *storage, const char *name, move_step *step, char *faulty)
{
    file f;
    memcpy(faulty, name, strlen(name) + 1);
    larch_store_fault fault = load(storage, name, &f);
    if (fault == LARCH_STORE_NONE)
        fault = step(storage, name, &f, faulty);
    drop(&f);
    return fault;
}

static larch_error error_of(larch_store_fault fault)
{
    return fault == LARCH_STORE_NONE      ? LARCH_OK
           : fault == LARCH_STORE_MEDIUM  ? LARCH_PLATFORM
           : fault == LARCH_STORE_MISSING ? LARCH_STATE
                                          : LARCH_MALFORMED;
}

larch_error larch_format_1_move(const larch_storage *storage, larch_format_1_name *names, size_t count, size_t *moved,
                                char faulty[LARCH_STORAGE_NAME_MAX + 1], larch_store_fault *fault)
{
    static move_step *const steps[] = {step_check, step_keep, step_prove_room, step_replace};
    const larch_state_head head = {.start = 1};
    *moved = 0;
    *fault = LARCH_STORE_NONE;
    faulty[0] = '\0';
    for (size_t s = 0; s < sizeof steps / sizeof steps[0]; s++)
        for (size_t i = *moved = 0; i < count; i++) {
            if (kind_of(names[i]) == 0)
                continue;
            if ((*fault = take_step(storage, names[i], steps[s], faulty)) != LARCH_STORE_NONE)
                return error_of(*fault);
            ++*moved;
        }
    faulty[0] = '\0';
    if (*moved == 0)
        return LARCH_OK;
    memcpy(faulty, LARCH_STATE_HEAD_NAME, sizeof LARCH_STATE_HEAD_NAME);
    if (larch_state_head_save(storage, &head) != LARCH_OK)
        return error_of(*fault = LARCH_STORE_MEDIUM);
    faulty[0] = '\0';
    return LARCH_OK;
}

larch_error larch_format_1_forget(const larch_storage *storage, larch_format_1_name *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (ends_with(names[i], LARCH_FORMAT_1_SUFFIX)) {
            const larch_error e = storage->remove(storage->context, names[i]);
            if (e != LARCH_OK)
                return e;
        }
    return LARCH_OK;
}
