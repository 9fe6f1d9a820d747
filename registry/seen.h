/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is remembered of messages that were accepted under OSCORE, so that none is stored twice: the identities whose
 * number is among the newest 64 of their owner, a context or a device. The outbox's file holds them as a log of
 * fixed-size entries; memory holds 32 bytes for each owner, and 16 at most to find them:
 *
 *     memory        owner: highest number | which of the 64 are on record | its newest entry ---.
 *                                                                                               |
 *     the log       | dead  live  dead  live ...  dead  live |  <-- prior --  <-- prior --  entry
 *     position      head                                                                           next
 *
 * A number that is not on record, and every number above the highest is none, is recognised from memory alone. For one
 * that is, the entries of its owner are read from the newest back, until the identity is found.
 *
 * An entry is dead when its number has left the window, or its owner was forgotten. The oldest entries are read again
 * and, as far as they live, written at the end, before the log exceeds about three times what lives in it. A log gives
 * the same memory again when its entries are loaded in the order of their positions.
 */
#ifndef LARCH_REGISTRY_SEEN_H
#define LARCH_REGISTRY_SEEN_H

#include "larch/base.h"

#define LARCH_SEEN_WINDOW    64
#define LARCH_SEEN_OWNER_LEN 8 /* the number of a context or a device: random, given when it was made, and once only */
#define LARCH_SEEN_HASH_LEN  16
#define LARCH_SEEN_ENTRY_LEN (1 + LARCH_SEEN_OWNER_LEN + 8 + LARCH_SEEN_HASH_LEN + 8)
#define LARCH_SEEN_ROW_MAX   96 /* entries that are stored, read and written again together */

/* One entry of the log: kind (1) owner (8) number (8) hash (16) prior (8), big-endian. */
typedef struct larch_seen_entry {
    uint8_t kind; /* 'O': a context and its number; 'N': a device and its n; in lower case: the owner is forgotten */
    uint8_t owner[LARCH_SEEN_OWNER_LEN];
    uint64_t number;
    uint8_t hash[LARCH_SEEN_HASH_LEN];
    uint64_t prior; /* the position behind the owner's entry before this one; 0: none */
} larch_seen_entry;

void larch_seen_entry_put(larch_writer *w, const larch_seen_entry *entry);
/* LARCH_MALFORMED: too few bytes, or another kind. */
LARCH_MUST_USE larch_error larch_seen_entry_take(larch_reader *reader, larch_seen_entry *entry);

typedef enum larch_seen_verdict {
    LARCH_SEEN_UNKNOWN,
    LARCH_SEEN_KNOWN,    /* the very message is on record */
    LARCH_SEEN_CONFLICT, /* of N: n is below the window, or on record with another body only */
    LARCH_SEEN_FAILED    /* the file could not be read: nothing is known */
} larch_seen_verdict;

/* Private. */
typedef struct larch_seen_owner {
    uint8_t id[LARCH_SEEN_OWNER_LEN];
    uint64_t highest; /* number; of a free one, the next free one plus one */
    uint64_t window;  /* bit i: number highest - i is on record */
    uint64_t newest;  /* the position behind its newest entry; 0: free */
} larch_seen_owner;

_Static_assert(sizeof(larch_seen_owner) == 32, "RAM budget: 100,000 contexts and their devices in 10 MB");

/* Private. */
typedef struct larch_seen_table {
    larch_seen_owner *owners;
    uint32_t *map; /* of owners, open addressing; a power of two */
    uint32_t cap, map_cap;
    uint32_t count; /* live ones */
    uint32_t top;   /* never used from here on */
    uint32_t free;  /* plus one; 0: none */
} larch_seen_table;

/* Private: how an owner was before an entry was added. */
typedef struct larch_seen_undo {
    larch_seen_table *table;
    uint32_t index;
    larch_seen_owner before; /* newest 0: there was none */
} larch_seen_undo;

/* Zeroed: empty. */
typedef struct larch_seen {
    larch_seen_table contexts, devices; /* private, all of it */
    larch_seen_undo *undo;
    size_t undo_count, undo_cap;
    uint64_t kept;       /* next, without what may be reverted */
    uint64_t head, next; /* positions of the oldest entry of the log, and behind its newest */
    uint64_t live;       /* numbers on record */
} larch_seen;

void larch_seen_free(larch_seen *seen);

/* ---- entries in ------------------------------------------------------------ */

/* Makes room for count more entries before the next larch_seen_keep, of as many new owners. False: out of memory;
 * nothing changed. */
bool larch_seen_reserve(larch_seen *seen, size_t count);

/* Takes over an entry, for which room was reserved, at position seen->next, and sets its prior. False: its number is
 * below the window, and nothing changed. An entry in lower case forgets the owner, which cannot be reverted. */
bool larch_seen_add(larch_seen *seen, larch_seen_entry *entry);
/* What was added since is in the file, or it is not: it is taken back. */
void larch_seen_keep(larch_seen *seen);
void larch_seen_revert(larch_seen *seen);

/* Forgets an owner at once; false: there was none. The entry that says so is the caller's to store. */
bool larch_seen_forget(larch_seen *seen, uint8_t kind, const uint8_t owner[LARCH_SEEN_OWNER_LEN]);

/* Whether a transaction with count new entries has to take away one more of the oldest rows of the log, from head on,
 * when it took those before position from. */
bool larch_seen_is_long(const larch_seen *seen, size_t count, uint64_t from);
/* Whether an entry of such a row has to be written again. */
bool larch_seen_lives(const larch_seen *seen, const larch_seen_entry *entry);

/* Adds a row of the log as it stands in the file, the oldest first; ends: the position behind it. LARCH_MALFORMED: it is
 * damaged, and was added in part; LARCH_PLATFORM: out of memory. */
LARCH_MUST_USE larch_error larch_seen_load(larch_seen *seen, larch_bytes entries, uint64_t ends);

/* ---- questions ------------------------------------------------------------- */

typedef struct larch_seen_search {
    uint64_t at;                /* the position behind the entry that is to be read next; 0: the verdict is final */
    larch_seen_verdict verdict; /* of what was read so far */
    uint64_t highest;           /* number on record of this owner; 0: none */
    larch_seen_entry wanted;    /* private from here on */
    bool is_found;              /* an entry with this number */
} larch_seen_search;

larch_seen_search larch_seen_begin_search(const larch_seen *seen, uint8_t kind,
                                          const uint8_t owner[LARCH_SEEN_OWNER_LEN], uint64_t number,
                                          const uint8_t hash[LARCH_SEEN_HASH_LEN]);
/* Takes the entry at position search->at - 1. LARCH_MALFORMED: the log is damaged; the verdict is FAILED. */
LARCH_MUST_USE larch_error larch_seen_search_take(const larch_seen *seen, larch_seen_search *search,
                                                  const larch_seen_entry *entry);

#endif
