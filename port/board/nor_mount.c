/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding the files on NOR flash. First everything is looked at and nothing written: what larch cannot have left
 * behind, cut short or not, is a fault. Then what a power cut interrupted is finished.
 */
#include "nor_int.h"

typedef enum pass {
    FIND_NOTICES, /* tracks notices of erases that are not done; stops at what it does not understand */
    CHECK,        /* tracks pieces; anything that cannot be is a fault */
    MEND          /* nothing torn or half dead stays */
} pass;

static larch_error damaged(larch_nor_files *f) { return larch_nor_fail(f, LARCH_MALFORMED, LARCH_NOR_FILES_DAMAGED); }

/* ---- one sector --------------------------------------------------------- */

/* Whether the erase that a notice announces is still to be done. */
static larch_error is_due(larch_nor_files *f, uint32_t sector, uint32_t erases, bool *due)
{
    larch_nor_head head;
    *due = false;
    if (sector >= f->nor->sector_count)
        return damaged(f);
    larch_error e = larch_nor_read_head(f, sector, &head);
    const bool is_done = head.kind == LARCH_NOR_HEAD_IS_SOUND || head.kind == LARCH_NOR_HEAD_IS_DRAFT;
    *due = !is_done || head.erases < erases;
    return e;
}

static bool is_tracked(const larch_nor_files *f, uint32_t at)
{
    for (size_t i = 0; i < f->piece_count; i++)
        if (f->pieces[i].at == at)
            return true;
    return false;
}

static larch_error check_cells(larch_nor_files *f, uint32_t at, uint32_t cells)
{
    uint8_t cell[LARCH_NOR_CELL_LEN];
    larch_error e = LARCH_OK;
    for (uint32_t i = 0; e == LARCH_OK && i < cells; i++) {
        e = larch_nor_read(f, at + larch_nor_entry_len(i), cell, sizeof cell);
        if (e == LARCH_OK && larch_nor_mark_is_set(cell + LARCH_NOR_CELL_MARK) && !larch_nor_cell_is_sound(cell))
            e = damaged(f);
    }
    larch_wipe(cell, sizeof cell);
    return e;
}

/* Only what was written stays; a chip that refuses to be mended is read the same way the next time. */
static larch_error mend_entry(larch_nor_files *f, uint32_t at, const larch_nor_entry *entry)
{
    const uint32_t cells_at = at + LARCH_NOR_ENTRY_LEN;
    const uint32_t len = entry->cells * LARCH_NOR_CELL_LEN;
    bool wiped;
    if (entry->is_dead) {
        larch_error e = larch_nor_look(f, cells_at, len, 0, &wiped);
        if (e == LARCH_OK && !wiped)
            larch_nor_kill(f, at, entry->cells);
        return e;
    }
    if (entry->is_whole && (entry->kind == LARCH_NOR_PIECE || is_tracked(f, at)))
        (void)!larch_nor_set_mark(f, at + LARCH_NOR_ENTRY_WHOLE);
    else
        larch_nor_kill(f, at, entry->cells);
    return LARCH_OK;
}

static larch_error visit_entry(larch_nor_files *f, pass p, uint32_t at, const larch_nor_entry *entry)
{
    const bool stands = entry->is_whole && !entry->is_dead;
    bool due;
    larch_error e;
    if (entry->generation == 0 || entry->generation > LARCH_NOR_COUNT_MAX)
        return damaged(f);
    if (entry->kind == LARCH_NOR_PIECE && entry->generation >= f->generation)
        f->generation = entry->generation + 1;
    if (p == MEND)
        return mend_entry(f, at, entry);
    if (!stands || (entry->kind == LARCH_NOR_NOTICE) != (p == FIND_NOTICES))
        return LARCH_OK;
    if (p == FIND_NOTICES) {
        if ((e = is_due(f, entry->first, entry->generation, &due)) != LARCH_OK || !due)
            return e;
    } else if ((e = check_cells(f, at, entry->cells)) != LARCH_OK) {
        return e;
    }
    return larch_nor_track(f, at, entry);
}

/* What is no entry: the erased rest, a place skipped, or a head that a power cut tore, which then is the last thing
 * in the sector. *is_last: not if it is a place skipped. */
static larch_error visit_gap(larch_nor_files *f, pass p, uint32_t at, uint32_t end,
                             const uint8_t raw[LARCH_NOR_ENTRY_LEN], bool *is_last)
{
    bool rest_is_erased = true;
    const larch_bytes bytes = {raw, LARCH_NOR_ENTRY_LEN};
    *is_last = !larch_nor_all_are((larch_bytes){raw, LARCH_NOR_ENTRY_WHOLE}, 0);
    if (!*is_last || p == FIND_NOTICES)
        return LARCH_OK;
    larch_error e = LARCH_OK;
    if (p == CHECK) /* once: it is most of the flash */
        e = larch_nor_look(f, at + LARCH_NOR_ENTRY_LEN, end - at - LARCH_NOR_ENTRY_LEN, LARCH_STORAGE_ERASED,
                           &rest_is_erased);
    if (e != LARCH_OK)
        return e;
    if (!rest_is_erased || larch_nor_mark_is_set(raw + LARCH_NOR_ENTRY_WHOLE) ||
        larch_nor_mark_is_set(raw + LARCH_NOR_ENTRY_DEAD))
        return damaged(f);
    if (p == MEND && !larch_nor_all_are(bytes, LARCH_STORAGE_ERASED))
        larch_nor_wipe(f, at, LARCH_NOR_ENTRY_WHOLE); /* no mark: torn, that would look set */
    return LARCH_OK;
}

static larch_error walk(larch_nor_files *f, pass p, uint32_t sector)
{
    uint8_t raw[LARCH_NOR_ENTRY_LEN];
    larch_nor_entry entry;
    const uint32_t begin = sector * f->nor->sector_size;
    const uint32_t end = begin + f->nor->sector_size;
    uint32_t at = begin + LARCH_NOR_HEAD_LEN;
    bool is_last = false;
    larch_error e = LARCH_OK;
    while (e == LARCH_OK && !is_last && end - at >= LARCH_NOR_ENTRY_LEN) {
        if ((e = larch_nor_read(f, at, raw, sizeof raw)) != LARCH_OK)
            break;
        uint32_t len = LARCH_NOR_ENTRY_LEN;
        if (larch_nor_entry_parse(raw, &entry) != LARCH_OK) {
            e = visit_gap(f, p, at, end, raw, &is_last);
            if (is_last && larch_nor_all_are(LARCH_BYTES(raw), LARCH_STORAGE_ERASED))
                break;
        } else if ((len = larch_nor_entry_len(entry.cells)) > end - at) {
            e = damaged(f);
        } else {
            e = visit_entry(f, p, at, &entry);
        }
        at += len;
    }
    if (e == LARCH_OK && !is_last) {
        bool is_erased;
        if ((e = larch_nor_look(f, at, end - at, LARCH_STORAGE_ERASED, &is_erased)) == LARCH_OK && !is_erased)
            e = damaged(f);
    }
    if (e == LARCH_OK && p == MEND)
        f->used[sector] = at - begin;
    return e;
}

/* ---- formatting --------------------------------------------------------- */

static larch_error begin(larch_nor_files *f, const larch_nor *nor, larch_nor_files_fault *fault)
{
    memset(f, 0, sizeof *f);
    f->generation = 1;
    if (nor->sector_count < 2 || nor->sector_count > LARCH_NOR_FILES_SECTORS || nor->sector_size < 1024 ||
        nor->sector_size > UINT32_C(1) << 20 || (nor->sector_size & (nor->sector_size - 1)) != 0) {
        *fault = LARCH_NOR_FILES_GEOMETRY;
        return larch_nor_fail(f, LARCH_SPACE, *fault);
    }
    f->nor = nor;
    return LARCH_OK;
}

/* A new flash is not erased: cut short, an erase would leave what nobody could tell from something foreign. The first
 * mark comes after all heads: so as long as one is without, formatting is not done. */
static larch_error format(larch_nor_files *f, bool is_new)
{
    const larch_nor *nor = f->nor;
    uint8_t raw[LARCH_NOR_HEAD_LEN];
    larch_nor_head head;
    larch_error e = LARCH_OK;
    uint32_t count = 0;
    for (uint32_t s = 0; s < nor->sector_count; s++) {
        (void)!larch_nor_read_head(f, s, &head); /* what cannot be read was erased nobody knows how often */
        /* A count that is spent was never true: it begins anew. */
        if (!is_new)
            head.erases = head.erases < LARCH_NOR_COUNT_MAX ? head.erases + 1 : 1;
        larch_nor_head_compose(nor, head.erases, raw);
        if ((is_new || nor->erase(nor->context, s) == LARCH_OK) &&
            larch_nor_program(f, s * nor->sector_size, (larch_bytes){raw, LARCH_NOR_HEAD_DONE}) == LARCH_OK) {
            f->used[s] = LARCH_NOR_HEAD_LEN;
            count++;
        }
    }
    if (count < 2)
        return larch_nor_fail(f, LARCH_PLATFORM, LARCH_NOR_FILES_MEDIUM);
    for (uint32_t s = 0; e == LARCH_OK && s < nor->sector_count; s++)
        if (f->used[s] == 0) {
            (void)!larch_nor_read_head(f, s, &head);
            e = larch_nor_put_notice(f, s, head.erases + 1);
        }
    for (uint32_t s = 0; e == LARCH_OK && s < nor->sector_count; s++)
        if (f->used[s] != 0)
            e = larch_nor_set_mark(f, s * nor->sector_size + LARCH_NOR_HEAD_DONE);
    return e;
}

larch_error larch_nor_files_format(larch_nor_files *files, const larch_nor *nor, larch_nor_files_fault *fault)
{
    larch_error e = begin(files, nor, fault);
    if (e != LARCH_OK)
        return e;
    e = format(files, false);
    files->fault = e == LARCH_OK ? LARCH_NOR_FILES_NONE : files->fault;
    *fault = files->fault;
    if (e != LARCH_OK)
        files->nor = NULL;
    return e;
}

/* ---- mounting ----------------------------------------------------------- */

typedef struct heads {
    bool is_new;       /* the flash is blank, or its first formatting was cut short with nothing in it */
    uint32_t erases;   /* of the sector erased most */
    uint32_t emptying; /* sectors, or NOWHERE */
    uint32_t headless; /* what is left of a draft */
} heads;

/* Judges the heads of all sectors whose erase is not under way. */
static larch_error check_heads(larch_nor_files *f, heads *h)
{
    static const uint8_t faults[LARCH_NOR_HEAD_KINDS] = {
        [LARCH_NOR_HEAD_IS_NEW] = LARCH_NOR_FILES_DAMAGED,
        [LARCH_NOR_HEAD_IS_RAW] = LARCH_NOR_FILES_UNFINISHED,
        [LARCH_NOR_HEAD_IS_FOREIGN] = LARCH_NOR_FILES_FOREIGN,
        [LARCH_NOR_HEAD_IS_OTHER_VERSION] = LARCH_NOR_FILES_VERSION,
        [LARCH_NOR_HEAD_IS_OTHER_SHAPE] = LARCH_NOR_FILES_SHAPE,
        [LARCH_NOR_HEAD_IS_DAMAGED] = LARCH_NOR_FILES_DAMAGED,
    };
    uint32_t count[LARCH_NOR_HEAD_KINDS] = {0};
    uint32_t faulty = 0;
    bool all_empty = true;
    larch_nor_files_fault fault = LARCH_NOR_FILES_NONE;
    *h = (heads){.emptying = LARCH_NOR_NOWHERE, .headless = LARCH_NOR_NOWHERE};
    for (uint32_t s = 0; s < f->nor->sector_count; s++) {
        const uint32_t at = s * f->nor->sector_size;
        larch_nor_head head;
        bool is_empty;
        larch_error e;
        if (larch_nor_noticed(f, s) != 0)
            continue;
        if ((e = larch_nor_read_head(f, s, &head)) != LARCH_OK ||
            (e = larch_nor_look(f, at + LARCH_NOR_HEAD_LEN, f->nor->sector_size - LARCH_NOR_HEAD_LEN,
                                LARCH_STORAGE_ERASED, &is_empty)) != LARCH_OK)
            return e;
        count[head.kind]++;
        all_empty = all_empty && is_empty && head.kind <= LARCH_NOR_HEAD_IS_SOUND;
        h->erases = head.erases > h->erases ? head.erases : h->erases;
        if (head.is_emptying)
            h->emptying = s;
        if (faults[head.kind] == LARCH_NOR_FILES_NONE)
            continue;
        h->headless = s;
        faulty++;
        if (fault == LARCH_NOR_FILES_NONE || fault == LARCH_NOR_FILES_DAMAGED)
            fault = (larch_nor_files_fault)faults[head.kind];
    }
    const uint32_t sound = count[LARCH_NOR_HEAD_IS_SOUND];
    h->is_new = all_empty && (count[LARCH_NOR_HEAD_IS_NEW] > 0 ? sound == 0 : count[LARCH_NOR_HEAD_IS_RAW] > 0);
    if (h->is_new || faulty == 0 || (faulty == 1 && h->emptying != LARCH_NOR_NOWHERE))
        return LARCH_OK;
    if (fault == LARCH_NOR_FILES_FOREIGN || fault == LARCH_NOR_FILES_DAMAGED)
        fault = sound + count[LARCH_NOR_HEAD_IS_RAW] + count[LARCH_NOR_HEAD_IS_DAMAGED] > 0 ? LARCH_NOR_FILES_DAMAGED
                                                                                            : LARCH_NOR_FILES_FOREIGN;
    return larch_nor_fail(f, LARCH_MALFORMED, fault);
}

/* Erases what was being erased. A sector that fails keeps its notice and stays out of order. */
static void finish_erases(larch_nor_files *f)
{
    for (uint32_t s = 0; s < f->nor->sector_count; s++) {
        const uint32_t erases = larch_nor_noticed(f, s);
        if (erases != 0 && larch_nor_renew(f, s, erases))
            larch_nor_end_notice(f, s);
    }
}

/* Whether nothing is left that the next mount could not tell from damage once the emptying is over. */
static bool drop_drafts(larch_nor_files *f, const heads *h)
{
    const bool is_emptying = h->emptying != LARCH_NOR_NOWHERE;
    bool all = true;
    for (uint32_t s = 0; s < f->nor->sector_count; s++) {
        larch_nor_head head;
        if (s == h->headless)
            all = larch_nor_drop_draft(f, s, h->erases, is_emptying) && all;
        else if (larch_nor_read_head(f, s, &head) == LARCH_OK && head.kind == LARCH_NOR_HEAD_IS_DRAFT)
            all = larch_nor_drop_draft(f, s, head.erases + 1, is_emptying) && all;
    }
    return all;
}

static bool is_complete(larch_nor_files *f, uint32_t generation)
{
    larch_nor_entry entry;
    const larch_nor_piece *piece = larch_nor_piece_at(f, generation, 0);
    if (piece == NULL || larch_nor_read_entry(f, piece->at, &entry) != LARCH_OK)
        return false;
    uint32_t atoms = larch_nor_atoms(entry.size);
    uint32_t atom = 0;
    while (atom < atoms && (piece = larch_nor_piece_at(f, generation, atom)) != NULL && piece->cells > 0)
        atom = (uint32_t)piece->first + piece->cells;
    return atom >= atoms;
}

static void drop_incomplete(larch_nor_files *f)
{
    for (size_t i = 0; i < f->piece_count;) {
        const larch_nor_piece piece = f->pieces[i];
        if (piece.kind == LARCH_NOR_PIECE && !is_complete(f, piece.generation)) {
            larch_nor_drop(f, piece.generation);
            i = 0;
        } else {
            i++;
        }
    }
}

/* Of the generations of a file, all complete, the newest stands. */
static larch_error drop_replaced(larch_nor_files *f)
{
    larch_nor_entry entry;
    uint32_t newest;
    uint32_t size;
    larch_error e;
    for (size_t i = 0; i < f->piece_count;) {
        const larch_nor_piece piece = f->pieces[i];
        i++;
        if (piece.kind != LARCH_NOR_PIECE || piece.first != 0)
            continue;
        if ((e = larch_nor_read_entry(f, piece.at, &entry)) != LARCH_OK ||
            (e = larch_nor_find(f, entry.name, &newest, &size)) != LARCH_OK)
            return e;
        if (newest != piece.generation) {
            larch_nor_drop(f, piece.generation);
            i = 0;
        }
    }
    return LARCH_OK;
}

static bool is_void(larch_nor_files *f, uint32_t sector, const heads *h)
{
    larch_nor_head head;
    return sector == h->headless || larch_nor_noticed(f, sector) != 0 ||
           larch_nor_read_head(f, sector, &head) != LARCH_OK || head.kind == LARCH_NOR_HEAD_IS_DRAFT;
}

static larch_error mount(larch_nor_files *f)
{
    const uint32_t count = f->nor->sector_count;
    larch_nor_head head;
    heads h;
    larch_error e;
    for (uint32_t s = 0; s < count; s++) {
        if ((e = larch_nor_read_head(f, s, &head)) != LARCH_OK)
            return e;
        if (head.kind == LARCH_NOR_HEAD_IS_SOUND && (e = walk(f, FIND_NOTICES, s)) == LARCH_PLATFORM)
            return e;
    }
    /* What a half-erased sector announces counts for nothing. */
    for (size_t i = f->piece_count; i-- > 0;)
        if (larch_nor_noticed(f, larch_nor_sector_of(f, f->pieces[i].at)) != 0)
            larch_nor_untrack(f, i);
    if ((e = check_heads(f, &h)) != LARCH_OK)
        return e;
    if (h.is_new)
        return format(f, true);
    for (uint32_t s = 0; s < count; s++)
        if (!is_void(f, s, &h) && (e = walk(f, CHECK, s)) != LARCH_OK)
            return e;
    for (uint32_t s = 0; s < count; s++)
        if (!is_void(f, s, &h) && (e = walk(f, MEND, s)) != LARCH_OK)
            return e;
    finish_erases(f);
    drop_incomplete(f);
    if ((e = drop_replaced(f)) != LARCH_OK)
        return e;
    if (drop_drafts(f, &h) && h.emptying != LARCH_NOR_NOWHERE && f->used[h.emptying] != 0)
        (void)!larch_nor_compact(f, h.emptying, LARCH_NOR_NOWHERE, 0, NULL);
    return LARCH_OK;
}

larch_error larch_nor_files_mount(larch_nor_files *files, const larch_nor *nor, larch_nor_files_fault *fault)
{
    larch_error e = begin(files, nor, fault);
    if (e != LARCH_OK)
        return e;
    e = mount(files);
    files->fault = e == LARCH_OK ? LARCH_NOR_FILES_NONE : files->fault;
    *fault = files->fault;
    if (e != LARCH_OK)
        files->nor = NULL;
    return e;
}
