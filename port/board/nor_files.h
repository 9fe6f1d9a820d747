/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A larch_storage on NOR flash: files that survive a power cut at any moment, torn programs and half-erased
 * sectors included. The bytes stand in PROTOCOL.md 3.1; nor_int.h draws them.
 *
 * Files lie in pieces, one behind the other, in whatever sector has room; one sector at least is kept free, and what
 * a crowded sector still holds moves there before it is erased. So sectors are used in turn, and a file may be larger
 * than one. Writing over erased bytes erases nothing. The bytes of replaced and removed files are programmed to zeros
 * as soon as the change is durable, or at the next mount if the power went in between; where the chip refuses that
 * (larch_nor_files_status says so), with the next erase.
 *
 * Needs a chip that lets zeros be programmed anywhere and in any number of steps, so none with its own error
 * correction. The checksums find accidents, not attackers: whoever can write the flash owns the files.
 */
#ifndef LARCH_BOARD_NOR_FILES_H
#define LARCH_BOARD_NOR_FILES_H

#include "larch/port.h"
#include "nor.h"

/* Limits. A file has at most 65535 atoms of LARCH_STORAGE_ATOM bytes. */
#ifndef LARCH_NOR_FILES_SECTORS
#define LARCH_NOR_FILES_SECTORS 32 /* 2 of them at least; of 1 KiB to 1 MiB */
#endif
#ifndef LARCH_NOR_FILES_PIECES
#define LARCH_NOR_FILES_PIECES 40 /* of all files together, a file being replaced counting twice */
#endif

/* Why mounting failed, or the last call. X(NAME, text) */
#define LARCH_NOR_FILES_FAULTS(X)                                   \
    X(NONE, "sound")                                                \
    X(GEOMETRY, "has too many, too few or too large sectors")       \
    X(FOREIGN, "holds something that larch did not write")          \
    X(VERSION, "was written by another version of larch")           \
    X(SHAPE, "was formatted for other sectors")                     \
    X(UNFINISHED, "was being formatted when the power went")        \
    X(DAMAGED, "is damaged (a checksum does not match)")            \
    X(CROWDED, "holds more pieces of files than this build tracks") \
    X(FULL, "has no room left")                                     \
    X(IN_USE, "was to be written over bytes in use")                \
    X(NAME, "has no file of that name, or cannot have one")         \
    X(STUCK, "keeps an old file that cannot be removed")            \
    X(MEDIUM, "cannot be read, programmed or erased")

#define LARCH_NOR_FILES_FAULT_ENUM(name, text) LARCH_NOR_FILES_##name,
typedef enum larch_nor_files_fault {
    LARCH_NOR_FILES_FAULTS(LARCH_NOR_FILES_FAULT_ENUM) LARCH_NOR_FILES_FAULT_COUNT
} larch_nor_files_fault;
#undef LARCH_NOR_FILES_FAULT_ENUM

/* To be read behind "the flash". */
const char *larch_nor_files_fault_text(larch_nor_files_fault fault);

typedef struct larch_nor_piece {
    uint32_t at;
    uint32_t generation; /* of its file; of an erase notice: what the sector's count of erases will be */
    uint16_t first;      /* atom of the file; of a notice: the sector */
    uint16_t cells;
    uint8_t kind;
} larch_nor_piece;

typedef struct larch_nor_files {
    const larch_nor *nor; /* private, all of it; NULL: not mounted */
    uint32_t generation;  /* of the next file */
    larch_nor_files_fault fault;
    bool stuck; /* an old piece could not be marked dead */
    uint8_t piece_count;
    larch_nor_piece pieces[LARCH_NOR_FILES_PIECES];
    uint32_t used[LARCH_NOR_FILES_SECTORS]; /* up to the end of the last entry; 0: out of order */
} larch_nor_files;

_Static_assert(sizeof(larch_nor_files) <= 1024 || LARCH_NOR_FILES_SECTORS > 32 || LARCH_NOR_FILES_PIECES > 40,
               "RAM budget");

/* Finds the files, and finishes what a power cut interrupted; a blank flash is formatted. nor stays with the caller,
 * as long as the files are used. LARCH_MALFORMED (FOREIGN ... DAMAGED): nothing was written; the caller decides whether
 * to format. LARCH_SPACE: GEOMETRY or CROWDED. LARCH_PLATFORM: MEDIUM. fault may not be NULL. After an error every call
 * of the storage is LARCH_PLATFORM. */
LARCH_MUST_USE larch_error larch_nor_files_mount(larch_nor_files *files, const larch_nor *nor,
                                                 larch_nor_files_fault *fault);

/* Erases everything, whatever it is, and mounts. Sectors that cannot be erased are left out. Cut short it leaves
 * UNFINISHED or DAMAGED, never old files beside new. LARCH_SPACE: GEOMETRY. LARCH_PLATFORM: fewer than two sectors work. */
LARCH_MUST_USE larch_error larch_nor_files_format(larch_nor_files *files, const larch_nor *nor,
                                                  larch_nor_files_fault *fault);

/* The files as a storage. Its errors are those of port.h; larch_nor_files_reason says more after LARCH_PLATFORM.
 * FULL: nothing was changed. STUCK is for remove alone: an older content would come back. A sector that fails is
 * replaced by another as long as there is one. */
larch_storage larch_nor_files_storage(larch_nor_files *files);
larch_nor_files_fault larch_nor_files_reason(const larch_nor_files *files);

typedef struct larch_nor_files_status {
    uint32_t sectors; /* in order */
    uint32_t out_of_order;
    uint32_t erases_min; /* of one sector in its life, as far as known */
    uint32_t erases_max;
    uint32_t free_bytes; /* the largest file that could still be made, pieces permitting */
    uint32_t pieces;
    bool stuck; /* old bytes remain that could neither be wiped nor marked dead */
} larch_nor_files_status;

/* LARCH_PLATFORM: not mounted, or a read failed; status is zeroed. */
LARCH_MUST_USE larch_error larch_nor_files_look(larch_nor_files *files, larch_nor_files_status *status);

#endif
