/* SPDX-License-Identifier: Apache-2.0 */
#include "stamp.h"

#include <stdlib.h>
#include <string.h>

#include "format_1.h"

#define MARKS_START 512
#define ATOM        LARCH_STORAGE_ATOM
#define JOURNAL_LEN 6 /* set and generation, in front of a journal's head */
#define CRC_AT      12
#define FILE_MAX    65536 /* of records; a journal may be larger */

/* One record within a file. */
typedef struct record {
    uint8_t kind;
    uint32_t start;
    larch_bytes payload;
} record;

/* A file that consists of sound records, or is a journal. */
typedef struct stamped {
    bool is_ours;
    bool is_journal;
    uint32_t start; /* the counter that it carries */
    uint32_t size;
    uint8_t journal[JOURNAL_LEN];
    size_t stamps_at; /* of a journal: where its stamps begin, */
    size_t free_at;   /* and where the next one goes */
} stamped;

static larch_error error_of(larch_store_fault fault)
{
    return fault == LARCH_STORE_NONE      ? LARCH_OK
           : fault == LARCH_STORE_MEDIUM  ? LARCH_PLATFORM
           : fault == LARCH_STORE_MISSING ? LARCH_STATE
                                          : LARCH_MALFORMED;
}

static bool has_form(const char *name, const char *begin, const char *end)
{
    const size_t len = strlen(name), begin_len = strlen(begin), end_len = strlen(end);
    return len > begin_len + end_len && strncmp(name, begin, begin_len) == 0 && strcmp(name + len - end_len, end) == 0;
}

static bool is_stamped(const char *name) { return has_form(name, "", ".key") || has_form(name, "", ".log"); }

/* ---- records ----------------------------------------------------------- */

/* Only a record that larch_record_compose makes of its parts is sound. */
static bool take_record(larch_reader *file, record *r)
{
    uint8_t again[LARCH_RECORD_OVERHEAD + LARCH_RECORD_MAX];
    const uint8_t *at = file->left.data;
    larch_bytes whole;
    if (file->left.len < LARCH_RECORD_OVERHEAD)
        return false;
    const uint32_t len = (uint32_t)larch_number_at(at + 12, 4);
    *r = (record){at[5], (uint32_t)larch_number_at(at + 8, 4), {at + 16, len}};
    if (len > LARCH_RECORD_MAX || larch_reader_take(file, LARCH_RECORD_OVERHEAD + len, &whole) != LARCH_OK)
        return false;
    larch_writer w = larch_writer_to(again, sizeof again);
    larch_record_compose(&w, (larch_record_kind)r->kind, r->start, r->payload);
    const bool is_sound = memcmp(again, whole.data, w.len) == 0;
    larch_wipe(again, sizeof again);
    return is_sound;
}

/* Gives the records at the front of a file another counter. */
static void renew_records(uint8_t *bytes, size_t len, size_t count, uint32_t start)
{
    larch_reader file = larch_reader_of((larch_bytes){bytes, len});
    record r;
    for (uint8_t *at = bytes; count > 0 && take_record(&file, &r); count--) {
        larch_writer w = larch_writer_to(at, LARCH_RECORD_OVERHEAD + r.payload.len);
        uint8_t payload[LARCH_RECORD_MAX];
        memcpy(payload, r.payload.data, r.payload.len);
        larch_record_compose(&w, (larch_record_kind)r.kind, start, (larch_bytes){payload, r.payload.len});
        larch_wipe(payload, sizeof payload);
        at += w.len;
    }
}

/* ---- one file ---------------------------------------------------------- */

static void compose_stamp(const stamped *f, uint32_t start, uint8_t atom[ATOM])
{
    larch_writer w = larch_writer_to(atom, ATOM);
    larch_writer_put_u32(&w, start);
    larch_writer_put_u64(&w, 0);
    larch_writer_put_u32(&w, larch_crc32(larch_crc32(0, LARCH_BYTES(f->journal)), (larch_bytes){atom, CRC_AT}));
}

static larch_store_fault look_at_stamps(const uint8_t front[MARKS_START], stamped *f)
{
    uint8_t erased[ATOM], expected[ATOM];
    memset(erased, LARCH_STORAGE_ERASED, sizeof erased);
    f->free_at = f->stamps_at;
    for (; f->free_at < MARKS_START && memcmp(front + f->free_at, erased, ATOM) != 0; f->free_at += ATOM) {
        const uint32_t start = (uint32_t)larch_number_at(front + f->free_at, 4);
        compose_stamp(f, start, expected);
        if (memcmp(front + f->free_at, expected, ATOM) != 0 || start <= f->start)
            return LARCH_STORE_DAMAGED;
        f->start = start;
    }
    return LARCH_STORE_NONE;
}

static larch_store_fault look_at_journal(const uint8_t *bytes, const record *head, stamped *f)
{
    f->is_journal = f->is_ours = head->payload.len >= JOURNAL_LEN && f->size >= MARKS_START;
    if (!f->is_ours)
        return LARCH_STORE_NONE;
    memcpy(f->journal, head->payload.data, JOURNAL_LEN);
    f->start = head->start;
    f->stamps_at = (LARCH_RECORD_OVERHEAD + head->payload.len + ATOM - 1) / ATOM * ATOM;
    return look_at_stamps(bytes, f);
}

/* The lowest counter of all records that fill the file. */
static void look_at_records(larch_reader *file, const record *first, stamped *f)
{
    record r = *first;
    f->start = first->start;
    f->is_ours = true;
    while (f->is_ours && file->left.len > 0)
        if ((f->is_ours = take_record(file, &r)) && r.start < f->start)
            f->start = r.start;
}

static uint8_t *load(const larch_storage *storage, const char *name, size_t len)
{
    uint8_t *bytes = malloc(len);
    if (bytes == NULL || storage->read(storage->context, name, 0, bytes, len) == LARCH_OK)
        return bytes;
    free(bytes);
    return NULL;
}

static void drop(uint8_t *bytes, size_t len)
{
    if (bytes != NULL)
        larch_wipe(bytes, len);
    free(bytes);
}

/* is_ours is false if the file is not sound; who needs it says so. */
static larch_store_fault look(const larch_storage *storage, const char *name, stamped *f)
{
    larch_store_fault fault = LARCH_STORE_NONE;
    record first;
    *f = (stamped){0};
    if (storage->size(storage->context, name, &f->size) != LARCH_OK)
        return LARCH_STORE_MEDIUM;
    if (f->size == LARCH_STORAGE_NONE || f->size == 0)
        return LARCH_STORE_NONE;
    const size_t len = f->size < FILE_MAX ? f->size : FILE_MAX;
    uint8_t *bytes = load(storage, name, len);
    if (bytes == NULL)
        return LARCH_STORE_MEDIUM;
    larch_reader file = larch_reader_of((larch_bytes){bytes, len});
    const bool is_record = take_record(&file, &first);
    if (is_record && first.kind == LARCH_RECORD_REPLAY)
        fault = look_at_journal(bytes, &first, f);
    else if (is_record && len == f->size)
        look_at_records(&file, &first, f);
    drop(bytes, len);
    return fault;
}

/* Writes a file anew: its records with the counter of this start, and a journal without its stamps. */
static larch_error rewrite(const larch_storage *storage, const char *name, const stamped *f)
{
    size_t len = f->size;
    uint8_t *bytes = load(storage, name, len);
    if (bytes == NULL)
        return LARCH_PLATFORM;
    renew_records(bytes, len, f->is_journal ? 1 : SIZE_MAX, storage->start);
    if (f->is_journal)
        memset(bytes + f->stamps_at, LARCH_STORAGE_ERASED, MARKS_START - f->stamps_at);
    while (bytes[len - 1] == LARCH_STORAGE_ERASED) /* ends at the record's magic at the latest */
        len--;
    const larch_error e =
        storage->replace(storage->context, name, (larch_bytes){bytes, len}, (uint32_t)(f->size - len));
    drop(bytes, f->size);
    return e;
}

static larch_error stamp_journal(const larch_storage *storage, const char *name, const stamped *f)
{
    uint8_t atom[ATOM];
    larch_error e;
    if (f->free_at == MARKS_START)
        return rewrite(storage, name, f);
    compose_stamp(f, storage->start, atom);
    if ((e = storage->write(storage->context, name, (uint32_t)f->free_at, LARCH_BYTES(atom))) != LARCH_OK)
        return e;
    return storage->sync(storage->context, name);
}

/* A file that this start made is at least made durable: the program may not have waited for that. */
static larch_store_fault stamp(const larch_storage *storage, const char *name)
{
    stamped f;
    larch_error e = LARCH_OK;
    const larch_store_fault fault = look(storage, name, &f);
    if (fault == LARCH_STORE_NONE && f.is_ours)
        e = f.start == storage->start ? storage->sync(storage->context, name)
            : f.is_journal            ? stamp_journal(storage, name, &f)
                                      : rewrite(storage, name, &f);
    return e == LARCH_OK ? fault : LARCH_STORE_MEDIUM;
}

/* ---- all files --------------------------------------------------------- */

static larch_error name_fault(const char *name, larch_store_fault found, char *faulty, larch_store_fault *fault)
{
    *fault = found;
    memcpy(faulty, found == LARCH_STORE_NONE ? "" : name, found == LARCH_STORE_NONE ? 1 : strlen(name) + 1);
    return error_of(found);
}

static bool is_there(larch_stamp_name *names, size_t count, const char *name)
{
    size_t i = 0;
    while (i < count && strcmp(names[i], name) != 0)
        i++;
    return i < count;
}

/* The journal of a key that is in no ring, though a start once had it: a new key would be made in its place. */
static bool has_lost_ring(larch_stamp_name *names, size_t count, const char *name, bool is_complete, char *ring)
{
    char *end;
    if (!has_form(name, "replay-", ".log"))
        return false;
    const unsigned long set = strtoul(name + 7, &end, 10);
    const unsigned long generation = *end == '-' ? strtoul(end + 1, NULL, 10) : 0;
    larch_key_ring_name((uint16_t)set, ring);
    return (is_complete || generation > 1) && !is_there(names, count, ring);
}

larch_error larch_stamp_check(const larch_storage *storage, larch_stamp_name *names, size_t count,
                              const larch_state_head *found, larch_stamp_name faulty, larch_store_fault *fault)
{
    larch_stamp_name ring;
    stamped f;
    for (size_t i = 0; i < count; i++) {
        if (!is_stamped(names[i]))
            continue;
        if (has_lost_ring(names, count, names[i], found->complete == found->start, ring))
            return name_fault(ring, LARCH_STORE_MISSING, faulty, fault);
        larch_store_fault of_file = look(storage, names[i], &f);
        if (of_file == LARCH_STORE_NONE && f.is_ours)
            of_file = f.start > found->start      ? LARCH_STORE_AHEAD
                      : f.start < found->complete ? LARCH_STORE_LAGS
                                                  : LARCH_STORE_NONE;
        if (of_file != LARCH_STORE_NONE)
            return name_fault(names[i], of_file, faulty, fault);
    }
    return name_fault("", LARCH_STORE_NONE, faulty, fault);
}

larch_error larch_stamp_complete(const larch_storage *storage, larch_stamp_name *names, size_t count,
                                 larch_stamp_name faulty, larch_store_fault *fault)
{
    larch_state_head head;
    larch_store_fault of_file;
    for (size_t i = 0; i < count; i++)
        if (is_stamped(names[i]) && (of_file = stamp(storage, names[i])) != LARCH_STORE_NONE)
            return name_fault(names[i], of_file, faulty, fault);
    if (larch_state_head_load(storage, &head, &of_file) == LARCH_OK) {
        head.complete = storage->start;
        of_file = larch_state_head_save(storage, &head) == LARCH_OK ? LARCH_STORE_NONE : LARCH_STORE_MEDIUM;
    }
    return name_fault(LARCH_STATE_HEAD_NAME, of_file, faulty, fault);
}

/* ---- recovery ---------------------------------------------------------- */

/* The highest counter of all files. MISSING: there are none. */
static larch_store_fault find_highest(const larch_storage *storage, larch_stamp_name *names, size_t count,
                                      uint32_t *highest, char *faulty)
{
    larch_store_fault all = LARCH_STORE_MISSING;
    *highest = 0;
    for (size_t i = 0; i < count; i++) {
        stamped f;
        if (!is_stamped(names[i]) && strcmp(names[i], LARCH_STATE_HEAD_NAME) != 0)
            continue;
        const larch_store_fault fault = look(storage, names[i], &f);
        memcpy(faulty, names[i], strlen(names[i]) + 1);
        if (fault == LARCH_STORE_MEDIUM || (f.is_ours && f.start >= UINT32_MAX - 1))
            return fault == LARCH_STORE_MEDIUM ? fault : LARCH_STORE_DAMAGED;
        if (f.is_ours && f.start > *highest)
            *highest = f.start;
        all = LARCH_STORE_NONE;
    }
    if (all == LARCH_STORE_MISSING)
        memcpy(faulty, LARCH_STATE_HEAD_NAME, sizeof LARCH_STATE_HEAD_NAME);
    return all;
}

static larch_store_fault remove_files(const larch_storage *storage, larch_stamp_name *names, size_t count,
                                      const char *begin, const char *end, char *faulty)
{
    for (size_t i = 0; i < count; i++) {
        if (!has_form(names[i], begin, end))
            continue;
        memcpy(faulty, names[i], strlen(names[i]) + 1);
        if (storage->remove(storage->context, names[i]) != LARCH_OK)
            return LARCH_STORE_MEDIUM;
    }
    return LARCH_STORE_NONE;
}

larch_error larch_stamp_recover(larch_storage *storage, larch_stamp_name *names, size_t count, uint64_t now_ms,
                                const uint8_t machine[LARCH_STATE_MACHINE_LEN], larch_stamp_name faulty,
                                larch_store_fault *fault)
{
    larch_state_head head = {.complete = LARCH_STATE_RECOVERING, .newest_ms = now_ms};
    if ((*fault = find_highest(storage, names, count, &head.start, faulty)) != LARCH_STORE_NONE)
        return error_of(*fault);
    head.start++;
    if (machine != NULL)
        memcpy(head.machine, machine, sizeof head.machine);
    if (larch_state_head_save(storage, &head) != LARCH_OK)
        return name_fault(LARCH_STATE_HEAD_NAME, LARCH_STORE_MEDIUM, faulty, fault);
    storage->start = head.start;
    if ((*fault = remove_files(storage, names, count, "direct-", ".key", faulty)) == LARCH_STORE_NONE &&
        (*fault = remove_files(storage, names, count, "replay-", ".log", faulty)) == LARCH_STORE_NONE)
        *fault = remove_files(storage, names, count, "", LARCH_FORMAT_1_SUFFIX, faulty);
    if (*fault == LARCH_STORE_NONE)
        faulty[0] = '\0';
    return error_of(*fault);
}
