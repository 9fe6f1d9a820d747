/* SPDX-License-Identifier: Apache-2.0 */
/* What the two halves of the outbox share: messages in (outbox.c) and rows out (outbox_read.c). */
#ifndef LARCH_REGISTRY_OUTBOX_INT_H
#define LARCH_REGISTRY_OUTBOX_INT_H

#include "registry/last.h"
#include "registry/outbox.h"
#include "registry/outbox_db.h"

/*
 * How far a sink is. Always: settled.sequence < next, stored.delivered <= settled.sequence, and every row that was read is at most
 * stored.handed.
 *
 *     delivered and known to be   handed over, not known     may be read    needs stored.handed raised first
 *     ...... settled.sequence | .................... next-1 | ... stored.handed | ......................... newest row
 */
typedef struct larch_outbox_reader {
    char name[LARCH_OUTBOX_NAME_MAX + 1];
    larch_outbox_cursor stored; /* in the file */
    larch_outbox_position settled;
    uint64_t repeat; /* rows up to this one may have left in an earlier run */
    uint64_t next;
    bool ready;

    size_t at; /* where row at_sequence begins in its batch */
    uint64_t at_sequence;
    size_t after;               /* where the row read last ends */
    larch_outbox_batch backlog; /* the batch that it reads, if that is not the newest */
} larch_outbox_reader;

typedef struct larch_outbox_entries {
    larch_seen_entry *list; /* by malloc */
    size_t count, cap;
} larch_outbox_entries;

struct larch_outbox {
    larch_outbox_db *db;
    uint64_t bytes_max;
    larch_outbox_batch newest;      /* stored; first + count is the next sequence */
    larch_outbox_batch pending;     /* put, not stored */
    larch_seen seen;                /* what is on record in the file, as far as memory has it */
    larch_outbox_batch seen_row;    /* a row of it that is being read */
    larch_outbox_entries fresh;     /* identities of pending, and notes */
    larch_outbox_entries forgotten; /* owners that live in the file, and no longer in seen */
    larch_outbox_batch log;         /* bytes that the transaction under way adds to the log */
    larch_last last;                /* stored readings, and those of pending */
    larch_outbox_batch last_log;    /* bytes that the transaction under way adds to their log */
    size_t notes;
    bool marked;      /* of newest */
    bool failed;      /* a commit failed in a way that says nothing about the next */
    uint64_t deleted; /* rows before this one are no longer in the file, as far as known */
    size_t sink_count;
    larch_outbox_reader sinks[LARCH_OUTBOX_SINKS];
    larch_registry_reason why;
};

/* The lowest position of all sinks; without sinks, the end of what is marked. */
larch_outbox_position larch_outbox_lowest(const larch_outbox *ob);

/* Notes that memory ran out; returns LARCH_PLATFORM. */
larch_error larch_outbox_fail_memory(larch_outbox *ob);

/* Takes the identities of a message over into fresh, and reserves memory for them; D has none there. LARCH_MALFORMED: a
 * field has another length than its kind's. LARCH_PLATFORM: out of memory. On an error fresh is unchanged. */
larch_error larch_outbox_take_identities(larch_outbox *ob, const larch_outbox_message *message);
/* The batch is stored or dropped. */
void larch_outbox_clear_identities(larch_outbox *ob);

/* What the next transaction adds to the log, with fresh or without, and what leaves it; the bytes hold until the next
 * call. Memory has the additions from then on: larch_outbox_log_stored keeps them, larch_seen_revert takes them back.
 * Errors of reason.h: out of memory, or the oldest part of the log cannot be read; ob->why has it. */
larch_error larch_outbox_compose_log(larch_outbox *ob, bool with_fresh, larch_outbox_log *log);
/* The transaction succeeded. */
void larch_outbox_log_stored(larch_outbox *ob, const larch_outbox_log *log);

void larch_outbox_free_seen(larch_outbox *ob);

/* Takes the reading of a message over, if it is one with a path. Errors of larch_outbox_put; nothing changed then. */
larch_error larch_outbox_take_reading(larch_outbox *ob, const larch_outbox_message *message);

/* As the two functions above, for the log of last readings; the bytes hold until the transaction has succeeded. */
larch_error larch_outbox_compose_last(larch_outbox *ob, bool with_fresh, larch_outbox_log *log);
void larch_outbox_last_stored(larch_outbox *ob, bool with_fresh, const larch_outbox_log *log);

void larch_outbox_free_last_log(larch_outbox *ob);

/* One transaction: a batch or NULL, its identities and readings or not, what can be deleted, and the cursors that changed.
 * handed: for each sink, what to write down as handed to it. Errors of reason.h. */
larch_error larch_outbox_store(larch_outbox *ob, const larch_outbox_batch *batch, bool with_fresh,
                               const uint64_t *handed);

#endif
