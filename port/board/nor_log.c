/* SPDX-License-Identifier: Apache-2.0 */
/* Entries on the chip, written so that a torn one is never taken for a whole one; and the list of their places. */
#include "nor_int.h"

enum { CHUNK = 64, TRIES = 2 };

larch_error larch_nor_fail(larch_nor_files *f, larch_error error, larch_nor_files_fault fault)
{
    f->fault = fault;
    return error;
}

/* ---- the chip ----------------------------------------------------------- */

larch_error larch_nor_read(larch_nor_files *f, uint32_t at, uint8_t *out, size_t len)
{
    if (f->nor->read(f->nor->context, at, out, len) == LARCH_OK)
        return LARCH_OK;
    memset(out, 0, len);
    return larch_nor_fail(f, LARCH_PLATFORM, LARCH_NOR_FILES_MEDIUM);
}

larch_error larch_nor_program(larch_nor_files *f, uint32_t at, larch_bytes bytes)
{
    if (f->nor->program(f->nor->context, at, bytes) == LARCH_OK)
        return LARCH_OK;
    return larch_nor_fail(f, LARCH_PLATFORM, LARCH_NOR_FILES_MEDIUM);
}

/* Whole words where it can: at a mount this reads most of the flash. */
static bool all_are(const uint32_t *words, uint32_t len, uint8_t value)
{
    const uint32_t wanted = value * UINT32_C(0x01010101);
    uint32_t i = 0;
    while (i < len / 4 && words[i] == wanted)
        i++;
    return i == len / 4 && larch_nor_all_are((larch_bytes){(const uint8_t *)(words + i), len % 4}, value);
}

larch_error larch_nor_look(larch_nor_files *f, uint32_t at, uint32_t len, uint8_t value, bool *all)
{
    uint32_t chunk[CHUNK / 4];
    larch_error e = LARCH_OK;
    *all = true;
    while (e == LARCH_OK && *all && len > 0) {
        uint32_t n = len < CHUNK ? len : CHUNK;
        if ((e = larch_nor_read(f, at, (uint8_t *)chunk, n)) == LARCH_OK)
            *all = all_are(chunk, n, value);
        at += n;
        len -= n;
    }
    larch_wipe(chunk, sizeof chunk);
    return e;
}

larch_error larch_nor_read_head(larch_nor_files *f, uint32_t sector, larch_nor_head *head)
{
    uint8_t raw[LARCH_NOR_HEAD_LEN];
    larch_error e = larch_nor_read(f, sector * f->nor->sector_size, raw, sizeof raw);
    larch_nor_head_parse(f->nor, raw, head);
    return e;
}

larch_error larch_nor_read_entry(larch_nor_files *f, uint32_t at, larch_nor_entry *entry)
{
    uint8_t raw[LARCH_NOR_ENTRY_LEN];
    larch_error e = larch_nor_read(f, at, raw, sizeof raw);
    if (e == LARCH_OK && larch_nor_entry_parse(raw, entry) != LARCH_OK)
        e = larch_nor_fail(f, LARCH_PLATFORM, LARCH_NOR_FILES_DAMAGED);
    return e;
}

void larch_nor_wipe(larch_nor_files *f, uint32_t at, uint32_t len)
{
    static const uint8_t zeros[CHUNK];
    while (len > 0) {
        uint32_t n = len < CHUNK ? len : CHUNK;
        (void)!larch_nor_program(f, at, (larch_bytes){zeros, n});
        at += n;
        len -= n;
    }
}

/* What counts is how the mark reads afterwards: that is what the next mount goes by. */
larch_error larch_nor_set_mark(larch_nor_files *f, uint32_t at)
{
    static const uint8_t set[LARCH_NOR_MARK_LEN];
    uint8_t mark[LARCH_NOR_MARK_LEN];
    for (int i = 0; i < TRIES; i++) {
        if (larch_nor_program(f, at, LARCH_BYTES(set)) == LARCH_OK)
            return LARCH_OK;
        if (larch_nor_read(f, at, mark, sizeof mark) == LARCH_OK && larch_nor_mark_is_set(mark))
            return LARCH_OK;
    }
    return LARCH_PLATFORM;
}

void larch_nor_kill(larch_nor_files *f, uint32_t at, uint32_t cells)
{
    if (larch_nor_set_mark(f, at + LARCH_NOR_ENTRY_DEAD) != LARCH_OK)
        f->stuck = true;
    else
        larch_nor_wipe(f, at + LARCH_NOR_ENTRY_LEN, cells * LARCH_NOR_CELL_LEN);
}

/* ---- entries ------------------------------------------------------------ */

/* The sector takes nothing more until it is erased: after a failure nobody knows which bits it holds. */
static larch_error give_up(larch_nor_files *f, uint32_t sector)
{
    f->used[sector] = f->nor->sector_size;
    return larch_nor_fail(f, LARCH_AGAIN, LARCH_NOR_FILES_MEDIUM);
}

larch_error larch_nor_append(larch_nor_files *f, uint32_t sector, const larch_nor_entry *entry,
                             const larch_nor_source *source, uint32_t *at)
{
    uint8_t raw[LARCH_NOR_ENTRY_LEN];
    uint8_t cell[LARCH_NOR_CELL_LEN];
    uint32_t place = sector * f->nor->sector_size + f->used[sector];
    uint32_t to = place + LARCH_NOR_ENTRY_LEN;
    larch_error e = LARCH_OK;
    f->used[sector] += larch_nor_entry_len(entry->cells);
    larch_nor_entry_compose(entry, raw);
    if (larch_nor_program(f, place, (larch_bytes){raw, LARCH_NOR_ENTRY_WHOLE}) != LARCH_OK) {
        larch_nor_wipe(f, place, LARCH_NOR_ENTRY_WHOLE);
        return give_up(f, sector);
    }
    for (uint16_t i = 0; e == LARCH_OK && i < entry->cells; i++, to += LARCH_NOR_CELL_LEN) {
        e = source->fill(f, source, i, cell);
        if (e == LARCH_OK && !larch_nor_all_are(LARCH_BYTES(cell), LARCH_STORAGE_ERASED) &&
            larch_nor_program(f, to, LARCH_BYTES(cell)) != LARCH_OK)
            e = give_up(f, sector);
    }
    larch_wipe(cell, sizeof cell);
    if (e == LARCH_OK && larch_nor_set_mark(f, place + LARCH_NOR_ENTRY_WHOLE) != LARCH_OK)
        e = give_up(f, sector);
    if (e == LARCH_OK) {
        *at = place;
    } else {
        bool stuck = f->stuck; /* it is not whole: nothing of it can come back, dead or not */
        larch_nor_kill(f, place, entry->cells);
        f->stuck = stuck;
    }
    return e;
}

/* ---- pieces in memory --------------------------------------------------- */

larch_error larch_nor_track(larch_nor_files *f, uint32_t at, const larch_nor_entry *entry)
{
    if (f->piece_count == LARCH_NOR_FILES_PIECES)
        return larch_nor_fail(f, LARCH_SPACE, LARCH_NOR_FILES_CROWDED);
    f->pieces[f->piece_count++] = (larch_nor_piece){
        .at = at,
        .generation = entry->generation,
        .first = entry->first,
        .cells = entry->cells,
        .kind = entry->kind,
    };
    return LARCH_OK;
}

void larch_nor_untrack(larch_nor_files *f, size_t index) { f->pieces[index] = f->pieces[--f->piece_count]; }

larch_nor_piece *larch_nor_piece_at(larch_nor_files *f, uint32_t generation, uint32_t atom)
{
    for (size_t i = 0; i < f->piece_count; i++) {
        larch_nor_piece *piece = &f->pieces[i];
        if (piece->kind == LARCH_NOR_PIECE && piece->generation == generation && atom >= piece->first &&
            (atom - piece->first < piece->cells || (atom == 0 && piece->cells == 0)))
            return piece;
    }
    return NULL;
}

uint32_t larch_nor_noticed(const larch_nor_files *f, uint32_t sector)
{
    uint32_t erases = 0;
    for (size_t i = 0; i < f->piece_count; i++)
        if (f->pieces[i].kind == LARCH_NOR_NOTICE && f->pieces[i].first == sector && f->pieces[i].generation > erases)
            erases = f->pieces[i].generation;
    return erases;
}

void larch_nor_drop(larch_nor_files *f, uint32_t generation)
{
    for (size_t i = f->piece_count; i-- > 0;) {
        const larch_nor_piece piece = f->pieces[i];
        if (piece.kind != LARCH_NOR_PIECE || piece.generation != generation)
            continue;
        larch_nor_kill(f, piece.at, piece.cells);
        larch_nor_untrack(f, i);
    }
}
