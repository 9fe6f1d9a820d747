/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Room for files on NOR flash: which sector is written next, and which is emptied for it.
 *
 * Pieces end RESERVE bytes before the end of their sector: so all that is in one fits into a free one, behind a notice.
 * One sector at least stays free for that.
 */
#include "nor_int.h"

#define RESERVE  LARCH_NOR_ENTRY_LEN
#define SPREAD   16  /* erases that a sector may be behind before what lies in it moves */
#define MIN_GAIN 128 /* bytes that must come of emptying a sector: more than its notice takes */

static bool is_free(const larch_nor_files *f, uint32_t sector) { return f->used[sector] == LARCH_NOR_HEAD_LEN; }

static uint32_t free_count(const larch_nor_files *f)
{
    uint32_t count = 0;
    for (uint32_t s = 0; s < f->nor->sector_count; s++)
        count += is_free(f, s);
    return count;
}

static uint32_t live_len(const larch_nor_files *f, uint32_t sector)
{
    uint32_t len = 0;
    for (size_t i = 0; i < f->piece_count; i++)
        if (larch_nor_sector_of(f, f->pieces[i].at) == sector)
            len += larch_nor_entry_len(f->pieces[i].cells);
    return len;
}

/* The cells of a piece that fits into so many bytes. */
static uint32_t cells_in(uint32_t len)
{
    return len > LARCH_NOR_ENTRY_LEN ? (len - LARCH_NOR_ENTRY_LEN) / LARCH_NOR_CELL_LEN : 0;
}

/* The room in a sector after it was emptied: beside its pieces and a notice. */
static uint32_t room_after(const larch_nor_files *f, uint32_t sector)
{
    uint32_t taken = LARCH_NOR_HEAD_LEN + live_len(f, sector) + LARCH_NOR_ENTRY_LEN + RESERVE;
    return f->used[sector] > 0 && f->nor->sector_size > taken ? f->nor->sector_size - taken : 0;
}

static uint32_t erases_of(larch_nor_files *f, uint32_t sector)
{
    larch_nor_head head;
    return larch_nor_read_head(f, sector, &head) == LARCH_OK ? head.erases : 0;
}

/* The free sector erased least, another than without; NOWHERE: none is free. */
static uint32_t least_erased_free(larch_nor_files *f, uint32_t without)
{
    uint32_t best = LARCH_NOR_NOWHERE;
    for (uint32_t s = 0; s < f->nor->sector_count; s++)
        if (is_free(f, s) && s != without && (best == LARCH_NOR_NOWHERE || erases_of(f, s) < erases_of(f, best)))
            best = s;
    return best;
}

static uint32_t room_in(const larch_nor_files *f, uint32_t sector)
{
    uint32_t taken = f->used[sector] + RESERVE;
    return f->used[sector] > 0 && f->nor->sector_size > taken ? f->nor->sector_size - taken : 0;
}

/* Where to write so many bytes: the begun sector with the least room that suffices, else a free one if that is not the
 * last. If none has so much: the sector with most room, which may be none at all. */
static uint32_t choose(larch_nor_files *f, uint32_t len)
{
    uint32_t tight = LARCH_NOR_NOWHERE;
    uint32_t roomy = 0;
    for (uint32_t s = 0; s < f->nor->sector_count; s++) {
        if (is_free(f, s))
            continue;
        if (room_in(f, s) >= len && (tight == LARCH_NOR_NOWHERE || room_in(f, s) < room_in(f, tight)))
            tight = s;
        if (is_free(f, roomy) || room_in(f, s) > room_in(f, roomy))
            roomy = s;
    }
    if (tight != LARCH_NOR_NOWHERE)
        return tight;
    return free_count(f) > 1 ? least_erased_free(f, LARCH_NOR_NOWHERE) : roomy;
}

/* ---- erasing ------------------------------------------------------------ */

bool larch_nor_renew(larch_nor_files *f, uint32_t sector, uint32_t erases)
{
    uint8_t raw[LARCH_NOR_HEAD_LEN];
    const uint32_t at = sector * f->nor->sector_size;
    larch_nor_head_compose(f->nor, erases, raw);
    bool works = f->nor->erase(f->nor->context, sector) == LARCH_OK &&
                 larch_nor_program(f, at, (larch_bytes){raw, LARCH_NOR_HEAD_DONE}) == LARCH_OK &&
                 larch_nor_set_mark(f, at + LARCH_NOR_HEAD_DONE) == LARCH_OK;
    f->used[sector] = works ? LARCH_NOR_HEAD_LEN : 0;
    return works;
}

static larch_nor_entry notice_of(uint32_t sector, uint32_t erases)
{
    return (larch_nor_entry){.kind = LARCH_NOR_NOTICE, .first = (uint16_t)sector, .generation = erases};
}

larch_error larch_nor_put_notice(larch_nor_files *f, uint32_t sector, uint32_t erases)
{
    const larch_nor_entry notice = notice_of(sector, erases);
    larch_error e = LARCH_AGAIN;
    uint32_t at;
    if (erases > LARCH_NOR_COUNT_MAX)
        return larch_nor_fail(f, LARCH_PLATFORM, LARCH_NOR_FILES_FULL);
    while (e == LARCH_AGAIN) {
        const uint32_t to = choose(f, LARCH_NOR_ENTRY_LEN);
        if (room_in(f, to) < LARCH_NOR_ENTRY_LEN)
            return larch_nor_fail(f, LARCH_PLATFORM, LARCH_NOR_FILES_FULL);
        e = larch_nor_append(f, to, &notice, NULL, &at);
    }
    return e == LARCH_OK ? larch_nor_track(f, at, &notice) : e;
}

/* If one stays on the chip, the next mount sees that its erase is done. */
void larch_nor_end_notice(larch_nor_files *f, uint32_t sector)
{
    for (size_t i = f->piece_count; i-- > 0;)
        if (f->pieces[i].kind == LARCH_NOR_NOTICE && f->pieces[i].first == sector) {
            (void)!larch_nor_set_mark(f, f->pieces[i].at + LARCH_NOR_ENTRY_DEAD);
            larch_nor_untrack(f, i);
        }
}

/* ---- emptying ----------------------------------------------------------- */

bool larch_nor_drop_draft(larch_nor_files *f, uint32_t sector, uint32_t erases, bool is_emptying)
{
    f->used[sector] = 0;
    if (erases > LARCH_NOR_COUNT_MAX || (!is_emptying && larch_nor_put_notice(f, sector, erases) != LARCH_OK))
        return true;                                                      /* a draft it remains */
    larch_nor_wipe(f, sector * f->nor->sector_size, LARCH_NOR_HEAD_DONE); /* not the mark that would commit it */
    if (!larch_nor_renew(f, sector, erases))
        return !is_emptying || larch_nor_put_notice(f, sector, erases) == LARCH_OK;
    larch_nor_end_notice(f, sector);
    return true;
}

static larch_error fill_copy(larch_nor_files *f, const larch_nor_source *source, uint16_t i,
                             uint8_t cell[LARCH_NOR_CELL_LEN])
{
    if (source->patch != NULL && i == source->patch_cell) {
        larch_nor_cell_compose(source->patch, cell);
        return LARCH_OK;
    }
    larch_error e = larch_nor_read(f, source->from + larch_nor_entry_len(i), cell, LARCH_NOR_CELL_LEN);
    if (e != LARCH_OK)
        return e;
    if (!larch_nor_mark_is_set(cell + LARCH_NOR_CELL_MARK))
        memset(cell, LARCH_STORAGE_ERASED, LARCH_NOR_CELL_LEN);
    else if (!larch_nor_cell_is_sound(cell))
        return larch_nor_fail(f, LARCH_PLATFORM, LARCH_NOR_FILES_DAMAGED);
    else
        memset(cell + LARCH_NOR_CELL_MARK, 0, LARCH_NOR_MARK_LEN);
    return LARCH_OK;
}

/* Copies the pieces of a sector into a free one, behind the notice of its erase. */
static larch_error draft(larch_nor_files *f, uint32_t sector, uint32_t erases, uint32_t to, larch_nor_source *source,
                         uint32_t patched, const uint8_t *patch)
{
    const uint32_t head = to * f->nor->sector_size;
    larch_nor_entry entry = notice_of(sector, erases);
    uint32_t at;
    larch_error e = larch_nor_set_mark(f, head + LARCH_NOR_HEAD_DRAFT);
    if (e == LARCH_OK)
        e = larch_nor_append(f, to, &entry, NULL, &at);
    for (size_t i = 0; e == LARCH_OK && i < f->piece_count; i++) {
        source->from = f->pieces[i].at;
        source->patch = source->from == patched ? patch : NULL;
        if (larch_nor_sector_of(f, source->from) == sector &&
            (e = larch_nor_read_entry(f, source->from, &entry)) == LARCH_OK)
            e = larch_nor_append(f, to, &entry, source, &at);
    }
    return e == LARCH_OK ? larch_nor_set_mark(f, head + LARCH_NOR_HEAD_COMMITTED) : e;
}

/* The pieces are where the draft put them: one behind the other. */
static void follow(larch_nor_files *f, uint32_t sector, uint32_t to)
{
    uint32_t at = to * f->nor->sector_size + LARCH_NOR_HEAD_LEN + LARCH_NOR_ENTRY_LEN;
    for (size_t i = 0; i < f->piece_count; i++) {
        if (larch_nor_sector_of(f, f->pieces[i].at) != sector)
            continue;
        f->pieces[i].at = at;
        at += larch_nor_entry_len(f->pieces[i].cells);
    }
}

/* Sectors failed, and none is free: one of them may work again, or one may hold nothing any more. */
static bool revive(larch_nor_files *f, uint32_t without, bool is_emptying)
{
    for (uint32_t s = 0; s < f->nor->sector_count && least_erased_free(f, without) == LARCH_NOR_NOWHERE; s++) {
        const uint32_t used = f->used[s];
        const uint32_t noticed = larch_nor_noticed(f, s);
        const uint32_t erases = noticed != 0 ? noticed : erases_of(f, s) + 1;
        if (s == without || (used > 0 && live_len(f, s) > 0))
            continue;
        f->used[s] = 0;
        if (used == 0 && noticed == 0) {
            (void)!larch_nor_drop_draft(f, s, erases, is_emptying);
        } else if (used > 0 && larch_nor_put_notice(f, s, erases) != LARCH_OK) {
            f->used[s] = used;
        } else if (larch_nor_renew(f, s, erases)) {
            larch_nor_end_notice(f, s);
        }
    }
    return least_erased_free(f, without) != LARCH_NOR_NOWHERE;
}

larch_error larch_nor_compact(larch_nor_files *f, uint32_t sector, uint32_t patched, uint16_t cell,
                              const uint8_t *patch)
{
    larch_nor_source source = {.fill = fill_copy, .patch_cell = cell};
    larch_nor_files_fault fault = LARCH_NOR_FILES_FULL;
    larch_nor_head head;
    larch_error e;
    if (f->piece_count == LARCH_NOR_FILES_PIECES)
        return larch_nor_fail(f, LARCH_PLATFORM, LARCH_NOR_FILES_CROWDED);
    if ((e = larch_nor_read_head(f, sector, &head)) != LARCH_OK)
        return e;
    if (head.erases >= LARCH_NOR_COUNT_MAX)
        return larch_nor_fail(f, LARCH_PLATFORM, LARCH_NOR_FILES_FULL);
    /* A sector that takes no mark is emptied all the same. */
    const bool is_emptying = larch_nor_set_mark(f, sector * f->nor->sector_size + LARCH_NOR_HEAD_EMPTYING) == LARCH_OK;
    for (bool revived = false;;) {
        const uint32_t to = least_erased_free(f, sector); /* a forged mark may have an empty one emptied */
        if (to == LARCH_NOR_NOWHERE) {
            if (revived || !revive(f, sector, is_emptying))
                return larch_nor_fail(f, LARCH_PLATFORM, fault);
            revived = true;
            continue;
        }
        e = draft(f, sector, head.erases + 1, to, &source, patched, patch);
        if (e == LARCH_OK) {
            const larch_nor_entry notice = notice_of(sector, head.erases + 1);
            follow(f, sector, to);
            e = larch_nor_track(f, to * f->nor->sector_size + LARCH_NOR_HEAD_LEN, &notice);
            if (e == LARCH_OK && larch_nor_renew(f, sector, head.erases + 1))
                larch_nor_end_notice(f, sector);
            return e;
        }
        f->used[to] = 0;
        if (e != LARCH_AGAIN && f->fault != LARCH_NOR_FILES_MEDIUM)
            return e;
        fault = LARCH_NOR_FILES_MEDIUM;
    }
}

/* ---- new files ---------------------------------------------------------- */

/* The sector whose emptying makes most room, of those the one erased least; NOWHERE: none is worth it. */
static uint32_t choose_victim(larch_nor_files *f)
{
    uint32_t best = LARCH_NOR_NOWHERE;
    uint32_t best_room = 0;
    uint32_t best_erases = 0;
    for (uint32_t s = 0; s < f->nor->sector_count; s++) {
        if (f->used[s] < LARCH_NOR_HEAD_LEN + live_len(f, s) + MIN_GAIN)
            continue;
        uint32_t room = room_after(f, s);
        uint32_t erases = erases_of(f, s);
        if (erases >= LARCH_NOR_COUNT_MAX)
            continue;
        if (room > best_room || (room == best_room && erases < best_erases)) {
            best = s;
            best_room = room;
            best_erases = erases;
        }
    }
    return best;
}

uint32_t larch_nor_free_cells(const larch_nor_files *f)
{
    uint32_t cells = 0;
    bool kept = false;
    for (uint32_t s = 0; s < f->nor->sector_count; s++) {
        if (is_free(f, s) && !kept)
            kept = true;
        else
            cells += cells_in(room_after(f, s));
    }
    return kept && cells < LARCH_NOR_ATOMS_MAX ? cells : kept ? LARCH_NOR_ATOMS_MAX : 0;
}

/* What rests for long would keep its sector from its share of the erases: it moves to one that had more. */
static void level(larch_nor_files *f)
{
    uint32_t idle = LARCH_NOR_NOWHERE;
    uint32_t least = 0;
    uint32_t most = 0;
    for (uint32_t s = 0; s < f->nor->sector_count; s++) {
        if (f->used[s] == 0)
            continue;
        uint32_t erases = erases_of(f, s);
        if (erases > most)
            most = erases;
        if (idle == LARCH_NOR_NOWHERE || erases < least) {
            least = erases;
            idle = s;
        }
    }
    /* If it cannot move, the file to be written is still welcome. */
    if (most - least > SPREAD && !is_free(f, idle) && free_count(f) > 0)
        (void)!larch_nor_compact(f, idle, LARCH_NOR_NOWHERE, 0, NULL);
}

static larch_error fill_content(larch_nor_files *f, const larch_nor_source *source, uint16_t i,
                                uint8_t cell[LARCH_NOR_CELL_LEN])
{
    uint8_t atom[LARCH_STORAGE_ATOM];
    const size_t offset = (size_t)(source->first + i) * LARCH_STORAGE_ATOM;
    (void)f;
    if (offset >= source->content.len) {
        memset(cell, LARCH_STORAGE_ERASED, LARCH_NOR_CELL_LEN);
        return LARCH_OK;
    }
    const size_t left = source->content.len - offset;
    memset(atom, LARCH_STORAGE_ERASED, sizeof atom);
    memcpy(atom, source->content.data + offset, left < sizeof atom ? left : sizeof atom);
    larch_nor_cell_compose(atom, cell);
    larch_wipe(atom, sizeof atom);
    return LARCH_OK;
}

/* One piece with as many of the cells from done on as the sector takes. LARCH_AGAIN: it failed. */
static larch_error place_piece(larch_nor_files *f, uint32_t sector, larch_nor_entry *entry, larch_bytes content,
                               uint32_t done)
{
    uint32_t at;
    const uint32_t left = larch_nor_atoms(entry->size) - done;
    const uint32_t fit = cells_in(room_in(f, sector));
    entry->first = (uint16_t)done;
    entry->cells = (uint16_t)(left < fit ? left : fit);
    if (room_in(f, sector) < LARCH_NOR_ENTRY_LEN || (entry->cells == 0 && left > 0))
        return larch_nor_fail(f, LARCH_PLATFORM, LARCH_NOR_FILES_FULL);
    const larch_nor_source source = {.fill = fill_content, .content = content, .first = entry->first};
    larch_error e = larch_nor_append(f, sector, entry, &source, &at);
    return e == LARCH_OK ? larch_nor_track(f, at, entry) : e;
}

larch_error larch_nor_place(larch_nor_files *f, larch_nor_entry *entry, larch_bytes content)
{
    const uint32_t total = larch_nor_atoms(entry->size);
    uint32_t patience = 2 * f->nor->sector_count;
    uint32_t done = 0;
    bool is_whole = false;
    larch_error e = LARCH_OK;
    level(f);
    if (free_count(f) == 0)
        (void)!revive(f, LARCH_NOR_NOWHERE, false);
    if (total > larch_nor_free_cells(f))
        return larch_nor_fail(f, LARCH_PLATFORM, LARCH_NOR_FILES_FULL);
    while (!is_whole) {
        const uint32_t len = larch_nor_entry_len(total - done);
        const uint32_t sector = choose(f, len);
        const uint32_t victim = choose_victim(f);
        /* One place is kept for the notice of an emptying. */
        if (f->piece_count + 1 >= LARCH_NOR_FILES_PIECES)
            return larch_nor_fail(f, LARCH_PLATFORM, LARCH_NOR_FILES_CROWDED);
        if (room_in(f, sector) < len && victim != LARCH_NOR_NOWHERE &&
            room_after(f, victim) >= room_in(f, sector) + MIN_GAIN && patience > 0) {
            patience--;
            e = larch_nor_compact(f, victim, LARCH_NOR_NOWHERE, 0, NULL);
        } else if ((e = place_piece(f, sector, entry, content, done)) == LARCH_OK) {
            done += entry->cells;
            is_whole = done == total;
        } else if (e == LARCH_AGAIN && patience > 0) {
            patience--;
            e = LARCH_OK;
        }
        if (e != LARCH_OK)
            return e == LARCH_AGAIN ? LARCH_PLATFORM : e;
    }
    return LARCH_OK;
}
