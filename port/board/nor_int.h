/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files on NOR flash, inside. Numbers are big-endian; a mark is a word of 32 bits that is set by programming it to
 * zero, and read by the majority of its bits: so a torn mark means one thing or the other, and a flipped bit nothing.
 *
 *     sector   0        4         5          6        8        12       16     20         24      28          32
 *             +--------+---------+----------+--------+--------+--------+------+----------+-------+-----------+------ --+
 *             | "LNOR" | version | log2 of  | number | erases | CRC-32 | mark | mark     | mark  | mark      | entries |
 *             |        | = 1     | its size | of all |        |        | done | emptying | draft | committed |         |
 *             +--------+---------+----------+--------+--------+--------+------+----------+-------+-----------+------ --+
 *
 *     entry    0      1     2       4       6      8            12     16     48       52      56     60
 *             +------+-----+-------+-------+------+------------+------+------+--------+-------+------+------ --+
 *             | kind | = 0 | first | cells | = 0  | generation | size | name | CRC-32 | mark  | mark | cells   |
 *             |      |     |       |       |      |            |      |      |        | whole | dead |         |
 *             +------+-----+-------+-------+------+------------+------+------+--------+-------+------+------ --+
 *
 *     cell     0                16       20     24
 *             +----------------+--------+------+
 *             | an atom        | CRC-32 | mark |
 *             +----------------+--------+------+
 *
 * An entry is a piece of a file ('F': cells of it from atom first on; the file of a name with the highest generation
 * that has all its pieces stands) or a notice of an erase ('E': what is in the sector number first is void until its
 * head says that it was erased generation times). What is in a draft is void until it is committed. A cell without
 * its mark reads as erased. An entry that begins with 52 zeros is skipped: once a head that a power cut tore.
 *
 * The order of things, which a power cut at any moment must survive:
 *   entry:    its head, its cells, mark whole
 *   cell:     atom and checksum, mark; cells that come with their entry at once, as the entry is not whole yet
 *   replace:  the new entries; then those of the old file: mark dead, zeros over its cells
 *   emptying: mark emptying; a free sector's mark draft; in that the notice, and copies of the pieces; its mark
 *             committed; the erase; head and mark done; the notice's mark dead
 * An emptying that was cut short before the commit is begun anew: the draft, or what is left of it, is erased without
 * a notice, which is why one sector without a head is no damage as long as another is marked emptying.
 */
#ifndef LARCH_BOARD_NOR_INT_H
#define LARCH_BOARD_NOR_INT_H

#include <string.h>

#include "nor_files.h"

#define LARCH_NOR_HEAD_LEN  32
#define LARCH_NOR_ENTRY_LEN 60
#define LARCH_NOR_CELL_LEN  24
#define LARCH_NOR_MARK_LEN  4
#define LARCH_NOR_ATOMS_MAX UINT16_MAX
/* Of generations and erases; no flash lives to see it. What says more is damage, so what stands at it is spent: a
 * sector is not erased again, a file not replaced. */
#define LARCH_NOR_COUNT_MAX (UINT32_MAX / 2)

/* Where the marks are. */
#define LARCH_NOR_HEAD_DONE      16
#define LARCH_NOR_HEAD_EMPTYING  20
#define LARCH_NOR_HEAD_DRAFT     24
#define LARCH_NOR_HEAD_COMMITTED 28
#define LARCH_NOR_ENTRY_WHOLE    52
#define LARCH_NOR_ENTRY_DEAD     56
#define LARCH_NOR_CELL_MARK      20

#define LARCH_NOR_NOWHERE UINT32_MAX

enum { LARCH_NOR_PIECE = 'F', LARCH_NOR_NOTICE = 'E' };

/* ---- bytes: nor_bytes.c ------------------------------------------------- */

typedef enum larch_nor_head_kind {
    LARCH_NOR_HEAD_IS_NEW, /* erased, or the beginning of the head of a sector never erased */
    LARCH_NOR_HEAD_IS_RAW, /* whole but for its mark done */
    LARCH_NOR_HEAD_IS_SOUND,
    LARCH_NOR_HEAD_IS_DRAFT, /* not committed */
    LARCH_NOR_HEAD_IS_FOREIGN,
    LARCH_NOR_HEAD_IS_OTHER_VERSION,
    LARCH_NOR_HEAD_IS_OTHER_SHAPE,
    LARCH_NOR_HEAD_IS_DAMAGED,
    LARCH_NOR_HEAD_KINDS
} larch_nor_head_kind;

typedef struct larch_nor_head {
    larch_nor_head_kind kind;
    uint32_t erases;  /* 0 from FOREIGN on */
    bool is_emptying; /* if it is SOUND */
} larch_nor_head;

typedef struct larch_nor_entry {
    uint8_t kind;
    bool is_whole;
    bool is_dead;
    uint16_t first;
    uint16_t cells;
    uint32_t generation;
    uint32_t size;
    char name[LARCH_STORAGE_NAME_MAX + 1]; /* filled up with zeros */
} larch_nor_entry;

bool larch_nor_mark_is_set(const uint8_t mark[LARCH_NOR_MARK_LEN]);
/* Whether all bytes are value. */
bool larch_nor_all_are(larch_bytes bytes, uint8_t value);

/* With its marks erased. */
void larch_nor_head_compose(const larch_nor *nor, uint32_t erases, uint8_t raw[LARCH_NOR_HEAD_LEN]);
void larch_nor_head_parse(const larch_nor *nor, const uint8_t raw[LARCH_NOR_HEAD_LEN], larch_nor_head *head);

/* With its marks erased. */
void larch_nor_entry_compose(const larch_nor_entry *entry, uint8_t raw[LARCH_NOR_ENTRY_LEN]);
/* LARCH_MALFORMED: not the head of an entry. */
LARCH_MUST_USE larch_error larch_nor_entry_parse(const uint8_t raw[LARCH_NOR_ENTRY_LEN], larch_nor_entry *entry);
static inline uint32_t larch_nor_entry_len(uint32_t cells) { return LARCH_NOR_ENTRY_LEN + cells * LARCH_NOR_CELL_LEN; }

/* With its mark set. */
void larch_nor_cell_compose(const uint8_t atom[LARCH_STORAGE_ATOM], uint8_t cell[LARCH_NOR_CELL_LEN]);
/* Whether a cell with its mark set is as it was written. */
bool larch_nor_cell_is_sound(const uint8_t cell[LARCH_NOR_CELL_LEN]);

/* ---- the chip: nor_log.c ------------------------------------------------ */

/* All of these leave the reason in files->fault. */
LARCH_MUST_USE larch_error larch_nor_fail(larch_nor_files *f, larch_error error, larch_nor_files_fault fault);
LARCH_MUST_USE larch_error larch_nor_read(larch_nor_files *f, uint32_t at, uint8_t *out, size_t len);
LARCH_MUST_USE larch_error larch_nor_program(larch_nor_files *f, uint32_t at, larch_bytes bytes);
LARCH_MUST_USE larch_error larch_nor_read_head(larch_nor_files *f, uint32_t sector, larch_nor_head *head);
LARCH_MUST_USE larch_error larch_nor_read_entry(larch_nor_files *f, uint32_t at, larch_nor_entry *entry);
/* *all: whether all bytes are value. */
LARCH_MUST_USE larch_error larch_nor_look(larch_nor_files *f, uint32_t at, uint32_t len, uint8_t value, bool *all);
/* LARCH_OK: it is set now, whatever the chip said. */
LARCH_MUST_USE larch_error larch_nor_set_mark(larch_nor_files *f, uint32_t at);
/* Zeros, as far as the chip takes them. */
void larch_nor_wipe(larch_nor_files *f, uint32_t at, uint32_t len);
/* Marks an entry dead and wipes its cells; if that fails, the files are stuck. */
void larch_nor_kill(larch_nor_files *f, uint32_t at, uint32_t cells);

/* Where the cells of an entry come from: fill makes number i, all ones if it is erased. */
typedef struct larch_nor_source {
    larch_error (*fill)(larch_nor_files *f, const struct larch_nor_source *source, uint16_t i,
                        uint8_t cell[LARCH_NOR_CELL_LEN]);
    larch_bytes content; /* of a new file */
    uint16_t first;
    uint32_t from; /* of a copy: the entry; and an atom for one of its cells, or NULL */
    const uint8_t *patch;
    uint16_t patch_cell;
} larch_nor_source;

/* Puts an entry at the end of a sector, whole; *at: where. The room must be there. LARCH_AGAIN: the chip failed, the
 * sector is closed and nothing of the entry stands. Other errors are fill's. */
LARCH_MUST_USE larch_error larch_nor_append(larch_nor_files *f, uint32_t sector, const larch_nor_entry *entry,
                                            const larch_nor_source *source, uint32_t *at);

/* ---- pieces in memory: nor_log.c ---------------------------------------- */

static inline uint32_t larch_nor_sector_of(const larch_nor_files *f, uint32_t at) { return at / f->nor->sector_size; }
/* LARCH_SPACE: there is no place (CROWDED). */
LARCH_MUST_USE larch_error larch_nor_track(larch_nor_files *f, uint32_t at, const larch_nor_entry *entry);
/* The last piece takes its place. */
void larch_nor_untrack(larch_nor_files *f, size_t index);
/* The piece that holds an atom of a generation; NULL: none. */
larch_nor_piece *larch_nor_piece_at(larch_nor_files *f, uint32_t generation, uint32_t atom);
/* How often the sector will have been erased by its notice; 0: there is none. */
uint32_t larch_nor_noticed(const larch_nor_files *f, uint32_t sector);
/* Kills all pieces of a generation, and forgets them. */
void larch_nor_drop(larch_nor_files *f, uint32_t generation);

/* ---- room: nor_room.c --------------------------------------------------- */

/* Erases a sector, which a notice or an emptying allows, and opens it; false: the chip failed, it is out of order. */
bool larch_nor_renew(larch_nor_files *f, uint32_t sector, uint32_t erases);
/* Notices that a sector is void; tracks it. LARCH_PLATFORM: there is no room, or its count of erases is spent. */
LARCH_MUST_USE larch_error larch_nor_put_notice(larch_nor_files *f, uint32_t sector, uint32_t erases);
/* Forgets the notices of a sector that was renewed. */
void larch_nor_end_notice(larch_nor_files *f, uint32_t sector);
/* Erases a draft that was not committed, or what an erase left of one: its head goes first, as a draft half erased must
 * not look like anything else. Spent, it stays a draft. is_emptying: a sector is, so no notice is needed. false: nothing
 * but that allows what is there now. */
bool larch_nor_drop_draft(larch_nor_files *f, uint32_t sector, uint32_t erases, bool is_emptying);
/* Moves the pieces of a sector elsewhere and erases it; patch: an atom for one cell of the piece at patched, or NULL. */
LARCH_MUST_USE larch_error larch_nor_compact(larch_nor_files *f, uint32_t sector, uint32_t patched, uint16_t cell,
                                             const uint8_t *patch);
/* Writes the file of entry's name, generation and size in as few pieces as there is room for. LARCH_PLATFORM: FULL,
 * CROWDED or MEDIUM; pieces of it may be left over, to be dropped. */
LARCH_MUST_USE larch_error larch_nor_place(larch_nor_files *f, larch_nor_entry *entry, larch_bytes content);
/* Cells that a new file can have. */
uint32_t larch_nor_free_cells(const larch_nor_files *f);

/* ---- files: nor_files.c ------------------------------------------------- */

/* The generation whose first piece has this name and is tracked; 0: none. *size: of the file. */
LARCH_MUST_USE larch_error larch_nor_find(larch_nor_files *f, const char *name, uint32_t *generation, uint32_t *size);
static inline uint32_t larch_nor_atoms(uint32_t size)
{
    return size / LARCH_STORAGE_ATOM + (size % LARCH_STORAGE_ATOM != 0);
}

#endif
