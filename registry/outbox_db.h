/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the outbox needs of a database: batches by sequence, a cursor for each sink, and one transaction that changes
 * both. outbox_sqlite.c is one; the outbox itself contains no SQL. Errors of all functions are those of reason.h for
 * the fault in *why; on an error the database is as it was, and outputs are unchanged unless it says otherwise.
 */
#ifndef LARCH_REGISTRY_OUTBOX_DB_H
#define LARCH_REGISTRY_OUTBOX_DB_H

#include "registry/last.h"
#include "registry/outbox.h"
#include "registry/outbox_batch.h"
#include "registry/seen.h"

typedef struct larch_outbox_cursor {
    const char *name;
    uint64_t delivered; /* all rows up to this one are */
    uint64_t handed;    /* no row after this one has left */
} larch_outbox_cursor;

typedef struct larch_outbox_db larch_outbox_db;

larch_error larch_outbox_db_open(larch_outbox_db **out, const char *path, larch_outbox_durability durability,
                                 larch_registry_reason *why);
void larch_outbox_db_close(larch_outbox_db *db);

/* In one transaction: forgets the cursors of other names, adds those that are missing where the lowest one known
 * stands (0 if there is none), and fills in all of them. */
larch_error larch_outbox_db_open_cursors(larch_outbox_db *db, larch_outbox_cursor *cursors, size_t count,
                                         larch_registry_reason *why);

/* The batch that holds a row, with its bytes checked, or the newest one for UINT64_MAX. LARCH_AGAIN: there is none at
 * all, for UINT64_MAX only. An error leaves count at 0. */
larch_error larch_outbox_db_load(larch_outbox_db *db, uint64_t sequence, larch_outbox_batch *batch,
                                 larch_registry_reason *why);
/* As load, without the bytes: len tells how many, data is left alone. */
larch_error larch_outbox_db_find(larch_outbox_db *db, uint64_t sequence, larch_outbox_batch *batch,
                                 larch_registry_reason *why);
/* The last row of the batches, from the one that holds a row on, that together have no more bytes than that; at
 * least of that one batch. */
larch_error larch_outbox_db_find_span(larch_outbox_db *db, uint64_t sequence, uint64_t bytes, uint64_t *last,
                                      larch_registry_reason *why);

/* What a transaction adds to a log, and which entries in front it no longer needs. */
typedef struct larch_outbox_log {
    larch_bytes entries; /* may be empty */
    uint64_t ends;       /* the position behind them */
    uint64_t head;       /* entries before this position may go; 0: none */
} larch_outbox_log;

typedef struct larch_outbox_logs {
    larch_outbox_log seen; /* identities; its positions are entries, and LARCH_SEEN_ROW_MAX of them make a row */
    larch_outbox_log last; /* last readings; its positions are bytes */
} larch_outbox_logs;

/* One transaction, or nothing of it. batch: a new one, or NULL. keep_first: batches before this row are deleted;
 * 0: none. cursors: those to write. */
larch_error larch_outbox_db_store(larch_outbox_db *db, const larch_outbox_batch *batch, uint64_t keep_first,
                                  const larch_outbox_cursor *cursors, size_t count, const larch_outbox_logs *logs,
                                  larch_registry_reason *why);

/* The row of the log of identities that holds a position, with its bytes checked: first is the position of its first
 * entry, count how many it has. An error leaves count at 0. */
larch_error larch_outbox_db_load_seen(larch_outbox_db *db, uint64_t position, larch_outbox_batch *row,
                                      larch_registry_reason *why);

/* Puts the logs of the file into seen and last, which are empty, and which an error leaves in part. */
larch_error larch_outbox_db_load_logs(larch_outbox_db *db, larch_seen *seen, larch_last *last,
                                      larch_registry_reason *why);

/* The start counter that the file carries; 0: none yet. set: durably, whatever the durability. */
larch_error larch_outbox_db_get_start(larch_outbox_db *db, uint64_t *start, larch_registry_reason *why);
larch_error larch_outbox_db_set_start(larch_outbox_db *db, uint32_t start, larch_registry_reason *why);

#endif
