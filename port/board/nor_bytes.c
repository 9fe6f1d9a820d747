/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of files on NOR flash, as nor_int.h draws them; no state. */
#include "nor_int.h"

#define VERSION     1
#define HEAD_ERASES 8
#define HEAD_CRC    12
#define ENTRY_NAME  16
#define ENTRY_CRC   48

static const uint8_t magic[4] = {'L', 'N', 'O', 'R'};

/* Of what was written so far. */
static void put_crc(larch_writer *w) { larch_writer_put_u32(w, larch_crc32(0, (larch_bytes){w->data, w->len})); }

static uint32_t get_u32(const uint8_t in[4])
{
    uint32_t value = 0;
    larch_reader r = larch_reader_of((larch_bytes){in, 4});
    (void)!larch_reader_take_u32(&r, &value); /* they are there */
    return value;
}

bool larch_nor_mark_is_set(const uint8_t mark[LARCH_NOR_MARK_LEN])
{
    unsigned ones = 0;
    for (uint32_t bits = get_u32(mark); bits != 0; bits &= bits - 1)
        ones++;
    return ones <= 16;
}

bool larch_nor_all_are(larch_bytes bytes, uint8_t value)
{
    size_t i = 0;
    while (i < bytes.len && bytes.data[i] == value)
        i++;
    return i == bytes.len;
}

/* ---- sectors ------------------------------------------------------------ */

void larch_nor_head_compose(const larch_nor *nor, uint32_t erases, uint8_t raw[LARCH_NOR_HEAD_LEN])
{
    larch_writer w = larch_writer_to(raw, LARCH_NOR_HEAD_LEN);
    uint8_t log2 = 0;
    while (nor->sector_size >> log2 > 1)
        log2++;
    memset(raw, LARCH_STORAGE_ERASED, LARCH_NOR_HEAD_LEN);
    larch_writer_put(&w, LARCH_BYTES(magic));
    larch_writer_put_u8(&w, VERSION);
    larch_writer_put_u8(&w, log2);
    larch_writer_put_u16(&w, (uint16_t)nor->sector_count);
    larch_writer_put_u32(&w, erases);
    put_crc(&w);
}

static larch_nor_head_kind head_kind_of(const larch_nor *nor, const uint8_t raw[LARCH_NOR_HEAD_LEN])
{
    uint8_t ours[LARCH_NOR_HEAD_LEN];
    const bool is_done = larch_nor_mark_is_set(raw + LARCH_NOR_HEAD_DONE);
    larch_nor_head_compose(nor, get_u32(raw + HEAD_ERASES), ours);
    if (memcmp(raw, ours, LARCH_NOR_HEAD_DONE) == 0) {
        if (get_u32(raw + HEAD_ERASES) > LARCH_NOR_COUNT_MAX)
            return LARCH_NOR_HEAD_IS_DAMAGED;
        if (!is_done)
            return LARCH_NOR_HEAD_IS_RAW;
        return larch_nor_mark_is_set(raw + LARCH_NOR_HEAD_DRAFT) &&
                       !larch_nor_mark_is_set(raw + LARCH_NOR_HEAD_COMMITTED)
                   ? LARCH_NOR_HEAD_IS_DRAFT
                   : LARCH_NOR_HEAD_IS_SOUND;
    }
    size_t i = 0;
    larch_nor_head_compose(nor, 0, ours);
    while (i < LARCH_NOR_HEAD_DONE && (raw[i] & ours[i]) == ours[i])
        i++;
    const larch_bytes marks = {raw + LARCH_NOR_HEAD_DONE, LARCH_NOR_HEAD_LEN - LARCH_NOR_HEAD_DONE};
    if (i == LARCH_NOR_HEAD_DONE && larch_nor_all_are(marks, LARCH_STORAGE_ERASED))
        return LARCH_NOR_HEAD_IS_NEW;
    if (memcmp(raw, magic, sizeof magic) != 0)
        return LARCH_NOR_HEAD_IS_FOREIGN;
    if (raw[4] != VERSION)
        return LARCH_NOR_HEAD_IS_OTHER_VERSION;
    return get_u32(raw + HEAD_CRC) == larch_crc32(0, (larch_bytes){raw, HEAD_CRC}) ? LARCH_NOR_HEAD_IS_OTHER_SHAPE
                                                                                   : LARCH_NOR_HEAD_IS_DAMAGED;
}

void larch_nor_head_parse(const larch_nor *nor, const uint8_t raw[LARCH_NOR_HEAD_LEN], larch_nor_head *head)
{
    head->kind = head_kind_of(nor, raw);
    head->is_emptying = head->kind == LARCH_NOR_HEAD_IS_SOUND && larch_nor_mark_is_set(raw + LARCH_NOR_HEAD_EMPTYING);
    head->erases =
        head->kind == LARCH_NOR_HEAD_IS_NEW || head->kind >= LARCH_NOR_HEAD_IS_FOREIGN ? 0 : get_u32(raw + HEAD_ERASES);
}

/* ---- entries ------------------------------------------------------------ */

void larch_nor_entry_compose(const larch_nor_entry *entry, uint8_t raw[LARCH_NOR_ENTRY_LEN])
{
    larch_writer w = larch_writer_to(raw, LARCH_NOR_ENTRY_LEN);
    memset(raw, LARCH_STORAGE_ERASED, LARCH_NOR_ENTRY_LEN);
    larch_writer_put_u8(&w, entry->kind);
    larch_writer_put_u8(&w, 0);
    larch_writer_put_u16(&w, entry->first);
    larch_writer_put_u16(&w, entry->cells);
    larch_writer_put_u16(&w, 0);
    larch_writer_put_u32(&w, entry->generation);
    larch_writer_put_u32(&w, entry->size);
    larch_writer_put(&w, (larch_bytes){(const uint8_t *)entry->name, sizeof entry->name});
    put_crc(&w);
}

larch_error larch_nor_entry_parse(const uint8_t raw[LARCH_NOR_ENTRY_LEN], larch_nor_entry *entry)
{
    if (get_u32(raw + ENTRY_CRC) != larch_crc32(0, (larch_bytes){raw, ENTRY_CRC}) ||
        (raw[0] != LARCH_NOR_PIECE && raw[0] != LARCH_NOR_NOTICE) || raw[ENTRY_CRC - 1] != '\0')
        return LARCH_MALFORMED;
    entry->kind = raw[0];
    entry->first = (uint16_t)get_u32(raw);
    entry->cells = (uint16_t)(get_u32(raw + 4) >> 16);
    entry->generation = get_u32(raw + 8);
    entry->size = get_u32(raw + 12);
    memcpy(entry->name, raw + ENTRY_NAME, sizeof entry->name);
    entry->is_whole = larch_nor_mark_is_set(raw + LARCH_NOR_ENTRY_WHOLE);
    entry->is_dead = larch_nor_mark_is_set(raw + LARCH_NOR_ENTRY_DEAD);
    return LARCH_OK;
}

/* ---- cells -------------------------------------------------------------- */

void larch_nor_cell_compose(const uint8_t atom[LARCH_STORAGE_ATOM], uint8_t cell[LARCH_NOR_CELL_LEN])
{
    larch_writer w = larch_writer_to(cell, LARCH_NOR_CELL_LEN);
    larch_writer_put(&w, (larch_bytes){atom, LARCH_STORAGE_ATOM});
    put_crc(&w);
    larch_writer_put_u32(&w, 0);
}

bool larch_nor_cell_is_sound(const uint8_t cell[LARCH_NOR_CELL_LEN])
{
    return get_u32(cell + LARCH_STORAGE_ATOM) == larch_crc32(0, (larch_bytes){cell, LARCH_STORAGE_ATOM});
}
