/* SPDX-License-Identifier: Apache-2.0 */
/* The storage that the library sees, over the pieces that the other files of this name keep. */
#include "nor_int.h"

#define FAULT_TEXT(name, text) [LARCH_NOR_FILES_##name] = (text),
static const char *const fault_texts[] = {LARCH_NOR_FILES_FAULTS(FAULT_TEXT)};

const char *larch_nor_files_fault_text(larch_nor_files_fault fault)
{
    return (size_t)fault < LARCH_NOR_FILES_FAULT_COUNT ? fault_texts[fault] : "?";
}

larch_nor_files_fault larch_nor_files_reason(const larch_nor_files *files) { return files->fault; }

/* ---- names -------------------------------------------------------------- */

larch_error larch_nor_find(larch_nor_files *f, const char *name, uint32_t *generation, uint32_t *size)
{
    larch_nor_entry entry;
    *generation = 0;
    for (size_t i = 0; i < f->piece_count; i++) {
        const larch_nor_piece *piece = &f->pieces[i];
        if (piece->kind != LARCH_NOR_PIECE || piece->first != 0 || piece->generation <= *generation)
            continue;
        larch_error e = larch_nor_read_entry(f, piece->at, &entry);
        if (e != LARCH_OK)
            return e;
        if (strcmp(entry.name, name) != 0)
            continue;
        *generation = piece->generation;
        *size = entry.size;
    }
    return LARCH_OK;
}

static bool name_is_allowed(const char *name)
{
    size_t len = 0;
    for (; name[len] != '\0'; len++) {
        const char c = name[len];
        if (len == LARCH_STORAGE_NAME_MAX ||
            !((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || (c == '.' && len > 0)))
            return false;
    }
    return len > 0;
}

/* What every call begins with. *generation: 0 if there is no such file. */
static larch_error begin(larch_nor_files *f, const char *name, uint32_t *generation, uint32_t *size)
{
    if (f->nor == NULL)
        return LARCH_PLATFORM; /* the fault of the mount stands */
    f->fault = LARCH_NOR_FILES_NONE;
    if (!name_is_allowed(name))
        return larch_nor_fail(f, LARCH_PLATFORM, LARCH_NOR_FILES_NAME);
    return larch_nor_find(f, name, generation, size);
}

static larch_error begin_existing(larch_nor_files *f, const char *name, uint32_t *generation, uint32_t *size)
{
    larch_error e = begin(f, name, generation, size);
    return e != LARCH_OK || *generation != 0 ? e : larch_nor_fail(f, LARCH_PLATFORM, LARCH_NOR_FILES_NAME);
}

/* ---- atoms -------------------------------------------------------------- */

typedef struct place {
    const larch_nor_piece *piece;
    uint16_t cell;
    uint32_t at;
    bool is_set;
    bool is_erased; /* not even touched */
} place;

/* Finds and reads the cell of an atom; an atom that was never written whole is all ones. */
static larch_error read_atom(larch_nor_files *f, uint32_t generation, uint32_t number, place *p,
                             uint8_t atom[LARCH_STORAGE_ATOM])
{
    uint8_t cell[LARCH_NOR_CELL_LEN];
    *p = (place){0};
    p->piece = larch_nor_piece_at(f, generation, number);
    if (p->piece == NULL) /* an image that nobody wrote */
        return larch_nor_fail(f, LARCH_PLATFORM, LARCH_NOR_FILES_DAMAGED);
    p->cell = (uint16_t)(number - p->piece->first);
    p->at = p->piece->at + larch_nor_entry_len(p->cell);
    larch_error e = larch_nor_read(f, p->at, cell, sizeof cell);
    if (e != LARCH_OK)
        return e;
    p->is_set = larch_nor_mark_is_set(cell + LARCH_NOR_CELL_MARK);
    p->is_erased = larch_nor_all_are(LARCH_BYTES(cell), LARCH_STORAGE_ERASED);
    if (!p->is_set)
        memset(atom, LARCH_STORAGE_ERASED, LARCH_STORAGE_ATOM);
    else if (larch_nor_cell_is_sound(cell))
        memcpy(atom, cell, LARCH_STORAGE_ATOM);
    else
        e = larch_nor_fail(f, LARCH_PLATFORM, LARCH_NOR_FILES_DAMAGED);
    larch_wipe(cell, sizeof cell);
    return e;
}

/* Atom and checksum are there before the mark says so. A place that is no longer erased takes no other bits, and one
 * that failed is not to be trusted: then its sector moves, with the atom in it. */
static larch_error write_atom(larch_nor_files *f, const place *p, const uint8_t atom[LARCH_STORAGE_ATOM])
{
    uint8_t cell[LARCH_NOR_CELL_LEN];
    bool done = false;
    if (p->is_erased) {
        larch_nor_cell_compose(atom, cell);
        done = larch_nor_program(f, p->at, (larch_bytes){cell, LARCH_NOR_CELL_MARK}) == LARCH_OK &&
               larch_nor_set_mark(f, p->at + LARCH_NOR_CELL_MARK) == LARCH_OK;
        larch_wipe(cell, sizeof cell);
    }
    return done ? LARCH_OK : larch_nor_compact(f, larch_nor_sector_of(f, p->at), p->piece->at, p->cell, atom);
}

/* ---- the storage -------------------------------------------------------- */

static larch_error files_size(void *context, const char *name, uint32_t *size)
{
    uint32_t generation = 0;
    uint32_t found = LARCH_STORAGE_NONE;
    larch_error e = begin(context, name, &generation, &found);
    *size = e == LARCH_OK ? found : LARCH_STORAGE_NONE;
    return e;
}

static bool is_inside(uint32_t offset, size_t len, uint32_t size) { return offset <= size && len <= size - offset; }

static larch_error files_read(void *context, const char *name, uint32_t offset, uint8_t *out, size_t len)
{
    larch_nor_files *f = context;
    uint8_t atom[LARCH_STORAGE_ATOM] = {0};
    uint32_t generation = 0;
    uint32_t size = 0;
    place p;
    larch_error e = begin_existing(f, name, &generation, &size);
    if (e != LARCH_OK)
        return e;
    if (!is_inside(offset, len, size))
        return LARCH_MALFORMED;
    for (size_t done = 0; e == LARCH_OK && done < len;) {
        const uint32_t skip = (offset + (uint32_t)done) % LARCH_STORAGE_ATOM;
        const size_t left = len - done;
        const size_t n = left < LARCH_STORAGE_ATOM - skip ? left : LARCH_STORAGE_ATOM - skip;
        if ((e = read_atom(f, generation, (offset + (uint32_t)done) / LARCH_STORAGE_ATOM, &p, atom)) == LARCH_OK)
            memcpy(out + done, atom + skip, n);
        done += n;
    }
    larch_wipe(atom, sizeof atom);
    if (e != LARCH_OK)
        larch_wipe(out, len);
    return e;
}

static larch_error files_replace(void *context, const char *name, larch_bytes content, uint32_t tail)
{
    larch_nor_files *f = context;
    uint32_t old = 0;
    uint32_t old_size = 0;
    const uint32_t most = (uint32_t)LARCH_NOR_ATOMS_MAX * LARCH_STORAGE_ATOM;
    larch_error e = begin(f, name, &old, &old_size);
    if (e != LARCH_OK)
        return e;
    if (content.len > most || tail > most - content.len || f->generation > LARCH_NOR_COUNT_MAX)
        return larch_nor_fail(f, LARCH_PLATFORM, LARCH_NOR_FILES_FULL);
    larch_nor_entry entry = {
        .kind = LARCH_NOR_PIECE, .generation = f->generation++, .size = (uint32_t)content.len + tail};
    memcpy(entry.name, name, strlen(name));
    if ((e = larch_nor_place(f, &entry, content)) == LARCH_OK && old != 0) {
        larch_nor_drop(f, old);
    } else if (e != LARCH_OK) {
        const larch_nor_files_fault fault = f->fault;
        larch_nor_drop(f, entry.generation);
        f->fault = fault;
    }
    return e;
}

static larch_error files_write(void *context, const char *name, uint32_t offset, larch_bytes bytes)
{
    larch_nor_files *f = context;
    uint8_t atom[LARCH_STORAGE_ATOM] = {0};
    uint32_t generation = 0;
    uint32_t size = 0;
    place p;
    larch_error e = begin_existing(f, name, &generation, &size);
    if (e == LARCH_OK && !is_inside(offset, bytes.len, size))
        e = larch_nor_fail(f, LARCH_PLATFORM, LARCH_NOR_FILES_IN_USE);
    for (size_t done = 0; e == LARCH_OK && done < bytes.len;) {
        const uint32_t number = (offset + (uint32_t)done) / LARCH_STORAGE_ATOM;
        bool changes = false;
        if ((e = read_atom(f, generation, number, &p, atom)) != LARCH_OK)
            break;
        for (uint32_t i = (offset + (uint32_t)done) % LARCH_STORAGE_ATOM; i < LARCH_STORAGE_ATOM && done < bytes.len;
             i++, done++) {
            if (atom[i] == bytes.data[done])
                continue;
            if (atom[i] != LARCH_STORAGE_ERASED)
                return larch_nor_fail(f, LARCH_PLATFORM, LARCH_NOR_FILES_IN_USE);
            atom[i] = bytes.data[done];
            changes = true;
        }
        if (changes)
            e = write_atom(f, &p, atom);
    }
    larch_wipe(atom, sizeof atom);
    return e;
}

/* Each program is done when it returns. */
static larch_error files_sync(void *context, const char *name)
{
    uint32_t generation = 0;
    uint32_t size = 0;
    return begin_existing(context, name, &generation, &size);
}

static larch_error files_remove(void *context, const char *name)
{
    larch_nor_files *f = context;
    uint32_t generation = 0;
    uint32_t size = 0;
    larch_error e = begin(f, name, &generation, &size);
    if (e != LARCH_OK || generation == 0)
        return e;
    if (f->stuck)
        return larch_nor_fail(f, LARCH_PLATFORM, LARCH_NOR_FILES_STUCK);
    /* Without its first piece it is no more. */
    e = larch_nor_set_mark(f, larch_nor_piece_at(f, generation, 0)->at + LARCH_NOR_ENTRY_DEAD);
    if (e == LARCH_OK)
        larch_nor_drop(f, generation);
    return e;
}

larch_storage larch_nor_files_storage(larch_nor_files *files)
{
    return (larch_storage){
        .context = files,
        .size = files_size,
        .read = files_read,
        .replace = files_replace,
        .write = files_write,
        .sync = files_sync,
        .remove = files_remove,
    };
}

/* ---- status ------------------------------------------------------------- */

larch_error larch_nor_files_look(larch_nor_files *files, larch_nor_files_status *status)
{
    larch_nor_files_status s = {.erases_min = UINT32_MAX, .stuck = files->stuck};
    larch_error e = files->nor != NULL ? LARCH_OK : LARCH_PLATFORM;
    for (uint32_t i = 0; e == LARCH_OK && i < files->nor->sector_count; i++) {
        larch_nor_head head;
        if (files->used[i] == 0) {
            s.out_of_order++;
            continue;
        }
        s.sectors++;
        e = larch_nor_read_head(files, i, &head);
        s.erases_min = head.erases < s.erases_min ? head.erases : s.erases_min;
        s.erases_max = head.erases > s.erases_max ? head.erases : s.erases_max;
    }
    memset(status, 0, sizeof *status);
    if (e != LARCH_OK)
        return e;
    s.free_bytes = larch_nor_free_cells(files) * LARCH_STORAGE_ATOM;
    s.pieces = files->piece_count;
    *status = s;
    return LARCH_OK;
}
