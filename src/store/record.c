/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records: small files that know what they are and whether they are whole.
 *
 *     0                4         5      6          8             12        12+L     16+L
 *    +----------------+---------+------+----------+-------------+---------+--------+
 *    | "LRCH"         | version | kind | reserved | L: payload  | payload | CRC-32 |
 *    |                | = 1     |      | = 0      | length      |         |        |
 *    +----------------+---------+------+----------+-------------+---------+--------+
 *
 * Numbers are big-endian; the CRC-32 covers everything before it.
 */
#include <string.h>

#include "store_int.h"

#define RECORD_VERSION 1
#define HEAD_LEN       12
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

void larch_store_put_decimal(larch_writer *w, uint32_t number)
{
    uint8_t digits[10];
    size_t first = sizeof digits;
    do {
        digits[--first] = (uint8_t)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    larch_writer_put(w, (larch_bytes){digits + first, sizeof digits - first});
}

/* ---- one record -------------------------------------------------------- */

/* The version comes before the checksum, because another version may have another
 * checksum; the kind comes after it, because a damaged kind is damage. */
static larch_store_fault parse_record(larch_bytes file, larch_record_kind kind, larch_bytes *payload)
{
    if (memcmp(file.data, magic, file.len < sizeof magic ? file.len : sizeof magic) != 0)
        return LARCH_STORE_FOREIGN;

    larch_reader r = larch_reader_of(file);
    larch_bytes skipped;
    uint8_t version;
    uint8_t found_kind;
    uint16_t reserved;
    uint32_t payload_len;
    uint32_t crc;
    if (larch_reader_take(&r, sizeof magic, &skipped) != LARCH_OK || larch_reader_take_u8(&r, &version) != LARCH_OK)
        return LARCH_STORE_TRUNCATED;
    if (version != RECORD_VERSION)
        return LARCH_STORE_VERSION;
    if (larch_reader_take_u8(&r, &found_kind) != LARCH_OK || larch_reader_take_u16(&r, &reserved) != LARCH_OK ||
        larch_reader_take_u32(&r, &payload_len) != LARCH_OK)
        return LARCH_STORE_TRUNCATED;
    if (payload_len > LARCH_RECORD_MAX)
        return LARCH_STORE_DAMAGED;
    if (larch_reader_take(&r, payload_len, payload) != LARCH_OK || larch_reader_take_u32(&r, &crc) != LARCH_OK)
        return LARCH_STORE_TRUNCATED;
    if (crc != larch_crc32(0, (larch_bytes){file.data, HEAD_LEN + payload_len}))
        return LARCH_STORE_DAMAGED;
    if (reserved != 0)
        return LARCH_STORE_VERSION;
    return found_kind == (uint8_t)kind ? LARCH_STORE_NONE : LARCH_STORE_KIND;
}

larch_error larch_record_write(const larch_storage *storage, const char *name, larch_record_kind kind,
                               larch_bytes payload, uint32_t tail)
{
    if (payload.len > LARCH_RECORD_MAX)
        return LARCH_SPACE;

    uint8_t record[LARCH_RECORD_OVERHEAD + LARCH_RECORD_MAX];
    larch_writer w = larch_writer_to(record, sizeof record);
    larch_writer_put(&w, LARCH_BYTES(magic));
    larch_writer_put_u8(&w, RECORD_VERSION);
    larch_writer_put_u8(&w, (uint8_t)kind);
    larch_writer_put_u16(&w, 0);
    larch_writer_put_u32(&w, (uint32_t)payload.len);
    larch_writer_put(&w, payload);
    larch_writer_put_u32(&w, larch_crc32(0, (larch_bytes){record, w.len}));

    larch_error e = storage->replace(storage->context, name, (larch_bytes){record, w.len}, tail);
    larch_wipe(record, sizeof record);
    return e;
}

larch_error larch_record_read(const larch_storage *storage, const char *name, larch_record_kind kind, uint8_t *out,
                              size_t cap, size_t *len, larch_store_fault *fault)
{
    *len = 0;
    *fault = LARCH_STORE_MEDIUM;
    uint32_t size;
    if (storage->size(storage->context, name, &size) != LARCH_OK)
        return LARCH_PLATFORM;
    if (size == LARCH_STORAGE_NONE) {
        *fault = LARCH_STORE_MISSING;
        return LARCH_STATE;
    }

    uint8_t record[LARCH_RECORD_OVERHEAD + LARCH_RECORD_MAX];
    larch_bytes payload = {NULL, 0};
    size_t front = size < sizeof record ? size : sizeof record;
    larch_error e = storage->read(storage->context, name, 0, record, front);
    if (e == LARCH_OK)
        *fault = parse_record((larch_bytes){record, front}, kind, &payload);
    else if (e == LARCH_MALFORMED)
        *fault = LARCH_STORE_TRUNCATED;
    e = larch_store_error(*fault);
    if (e == LARCH_OK && payload.len > cap) {
        *fault = LARCH_STORE_KIND;
        e = LARCH_SPACE;
    }
    if (e == LARCH_OK && payload.len > 0) {
        memcpy(out, payload.data, payload.len);
        *len = payload.len;
    }
    larch_wipe(record, sizeof record);
    return e;
}
