/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records: small files that know what they are and whether they are whole.
 *
 *     0        4         5      6          8         12           16        16+L     20+L
 *    +--------+---------+------+----------+---------+------------+---------+--------+
 *    | "LRCH" | version | kind | reserved | start   | L: payload | payload | CRC-32 |
 *    |        | = 2     |      | = 0      | counter | length     |         |        |
 *    +--------+---------+------+----------+---------+------------+---------+--------+
 *
 * Numbers are big-endian; the CRC-32 covers everything before it. The start counter is that of
 * the start that wrote the file: a record from a later start than the head's stems from another
 * copy of the folder.
 */
#include <string.h>

#include "store_int.h"

#define RECORD_VERSION LARCH_STATE_FORMAT
#define VERSION_AT     4
#define KIND_AT        5
#define RESERVED_AT    6
#define START_AT       8
#define PAYLOAD_LEN_AT 12
#define HEAD_LEN       16
#define CRC_LEN        4

_Static_assert(HEAD_LEN + CRC_LEN == LARCH_RECORD_OVERHEAD, "the header says how large a record is");

static const uint8_t magic[4] = {'L', 'R', 'C', 'H'};

/* ---- faults ------------------------------------------------------------ */

#define FAULT_TEXT(name, text) [LARCH_STORE_##name] = (text),
static const char *const fault_texts[] = {LARCH_STORE_FAULTS(FAULT_TEXT)};

const char *larch_store_fault_text(larch_store_fault fault)
{
    return (size_t)fault < LARCH_STORE_FAULT_COUNT ? fault_texts[fault] : "?";
}

larch_error larch_store_error(larch_store_fault fault)
{
    switch (fault) {
    case LARCH_STORE_NONE:
        return LARCH_OK;
    case LARCH_STORE_MISSING:
        return LARCH_STATE;
    case LARCH_STORE_MEDIUM:
        return LARCH_PLATFORM;
    default:
        return LARCH_MALFORMED;
    }
}

/* ---- one record -------------------------------------------------------- */

/* The version comes before the checksum, because another version may have another
 * checksum; the kind comes after it, because a damaged kind is damage. */
static larch_store_fault parse_record(larch_bytes file, larch_record_kind kind, uint32_t *start, larch_bytes *payload)
{
    if (memcmp(file.data, magic, file.len < sizeof magic ? file.len : sizeof magic) != 0)
        return LARCH_STORE_FOREIGN;

    if (file.len <= VERSION_AT)
        return LARCH_STORE_TRUNCATED;
    if (file.data[VERSION_AT] != RECORD_VERSION)
        return LARCH_STORE_VERSION;
    if (file.len < HEAD_LEN)
        return LARCH_STORE_TRUNCATED;
    *start = (uint32_t)larch_number_at(file.data + START_AT, 4);
    const uint32_t payload_len = (uint32_t)larch_number_at(file.data + PAYLOAD_LEN_AT, 4);
    if (payload_len > LARCH_RECORD_MAX)
        return LARCH_STORE_DAMAGED;
    if (file.len < HEAD_LEN + payload_len + CRC_LEN)
        return LARCH_STORE_TRUNCATED;
    *payload = (larch_bytes){file.data + HEAD_LEN, payload_len};
    if (larch_number_at(payload->data + payload_len, CRC_LEN) !=
        larch_crc32(0, (larch_bytes){file.data, HEAD_LEN + payload_len}))
        return LARCH_STORE_DAMAGED;
    if (larch_number_at(file.data + RESERVED_AT, 2) != 0)
        return LARCH_STORE_VERSION;
    return file.data[KIND_AT] == (uint8_t)kind ? LARCH_STORE_NONE : LARCH_STORE_KIND;
}

void larch_record_compose(larch_writer *w, larch_record_kind kind, uint32_t start, larch_bytes payload)
{
    const size_t begin = w->len;
    larch_writer_put(w, LARCH_BYTES(magic));
    larch_writer_put_u8(w, RECORD_VERSION);
    larch_writer_put_u8(w, (uint8_t)kind);
    larch_writer_put_u16(w, 0);
    larch_writer_put_u32(w, start);
    larch_writer_put_u32(w, (uint32_t)payload.len);
    larch_writer_put(w, payload);
    if (w->len <= w->cap)
        larch_writer_put_u32(w, larch_crc32(0, (larch_bytes){w->data + begin, w->len - begin}));
}

larch_error larch_record_write(const larch_storage *storage, const char *name, larch_record_kind kind,
                               larch_bytes payload, uint32_t tail)
{
    if (payload.len > LARCH_RECORD_MAX)
        return LARCH_SPACE;

    uint8_t record[LARCH_RECORD_OVERHEAD + LARCH_RECORD_MAX];
    larch_writer w = larch_writer_to(record, sizeof record);
    larch_record_compose(&w, kind, storage->start, payload);
    larch_error e = storage->replace(storage->context, name, (larch_bytes){record, w.len}, tail);
    larch_wipe(record, sizeof record);
    return e;
}

/* start: as in larch_store_read_whole. */
static larch_error read_record(const larch_storage *storage, const char *name, uint32_t offset, larch_record_kind kind,
                               uint32_t *start, uint8_t *out, size_t cap, size_t *len, larch_store_fault *fault)
{
    uint8_t record[LARCH_RECORD_OVERHEAD + LARCH_RECORD_MAX];
    larch_bytes payload = {NULL, 0};
    uint32_t size, found_start = 0;
    *len = 0;
    *fault = LARCH_STORE_MEDIUM;
    if (storage->size(storage->context, name, &size) != LARCH_OK)
        return LARCH_PLATFORM;
    if (size == LARCH_STORAGE_NONE) {
        *fault = LARCH_STORE_MISSING;
        return LARCH_STATE;
    }

    const uint32_t left = size > offset ? size - offset : 0;
    const size_t front = left < sizeof record ? left : sizeof record;
    larch_error e = storage->read(storage->context, name, offset, record, front);
    if (e == LARCH_OK)
        *fault = parse_record((larch_bytes){record, front}, kind, &found_start, &payload);
    else if (e == LARCH_MALFORMED)
        *fault = LARCH_STORE_TRUNCATED;
    if (*fault == LARCH_STORE_NONE) {
        if (start != NULL)
            *start = found_start;
        else if (found_start > storage->start)
            *fault = LARCH_STORE_AHEAD;
    }
    e = larch_store_error(*fault);
    if (e == LARCH_OK && payload.len > cap) {
        *fault = LARCH_STORE_KIND;
        e = LARCH_SPACE;
    } else if (e == LARCH_OK && payload.len > 0) {
        memcpy(out, payload.data, payload.len);
        *len = payload.len;
    }
    larch_wipe(record, sizeof record);
    return e;
}

larch_error larch_record_read(const larch_storage *storage, const char *name, larch_record_kind kind, uint8_t *out,
                              size_t cap, size_t *len, larch_store_fault *fault)
{
    return read_record(storage, name, 0, kind, NULL, out, cap, len, fault);
}

larch_error larch_store_read_at(const larch_storage *storage, const char *name, uint32_t offset, larch_record_kind kind,
                                uint8_t *out, size_t cap, size_t *len, larch_store_fault *fault)
{
    return read_record(storage, name, offset, kind, NULL, out, cap, len, fault);
}

larch_error larch_store_read_whole(const larch_storage *storage, const char *name, larch_record_kind kind,
                                   uint32_t *start, uint8_t *out, size_t cap, size_t *len, larch_store_fault *fault)
{
    uint32_t size;
    larch_error e = read_record(storage, name, 0, kind, start, out, cap, len, fault);
    if (e != LARCH_OK)
        return e;
    if (storage->size(storage->context, name, &size) != LARCH_OK)
        *fault = LARCH_STORE_MEDIUM;
    else if (size != LARCH_RECORD_OVERHEAD + *len)
        *fault = LARCH_STORE_DAMAGED;
    return larch_store_error(*fault);
}
