/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last reading of each path, in memory. The outbox's file holds the same as a log, as registry/seen.h has one:
 * every transaction adds the last readings of its batch, one for each path, and writes the oldest live ones again
 * before the log exceeds about three times what lives in it. Positions are bytes: of all that was ever added.
 *
 *     position      head                                              next
 *     the log        | live  dead  live  live  dead  dead  live  live  |
 *
 * A reading is fresh while its batch waits for the commit, and stored after that. Only stored readings are shown.
 */
#ifndef LARCH_REGISTRY_LAST_H
#define LARCH_REGISTRY_LAST_H

#include "registry/outbox.h"

/* One entry of the log, big-endian: length of all that follows (4), arrival (8), Content-Format (2), length (1) path,
 * length (1) device, text. */
void larch_last_entry_put(larch_writer *w, larch_bytes path, const larch_outbox_last_reading *reading);
/* The next entry, of bytes that the disk may have damaged: path and reading get views of them. LARCH_MALFORMED: a field
 * is out of its bound; nothing changed. */
LARCH_MUST_USE larch_error larch_last_entry_take(larch_reader *reader, larch_bytes *path,
                                                 larch_outbox_last_reading *reading);

/* Private: an entry of the log, by malloc. */
typedef struct larch_last_item {
    uint8_t *data; /* NULL: none */
    size_t len;
} larch_last_item;

typedef struct larch_last_path larch_last_path;

typedef struct larch_last {
    uint64_t paths_max;        /* a new path is refused beyond this, */
    uint64_t bytes_max;        /* and beyond so many bytes; a larger reading of a known path beyond twice as many */
    larch_last_path **buckets; /* private from here on; by the hash of the path */
    uint32_t bucket_count;     /* a power of two */
    uint32_t seed;             /* of the hash */
    uint64_t path_count;
    uint64_t bytes;                   /* of each path the longer of its two entries */
    uint64_t live_bytes, fresh_bytes; /* of entries stored, and fresh */
    larch_last_path *oldest, *newest; /* of the log */
    larch_last_path *fresh;           /* the newest that has a fresh one */
    uint64_t next;                    /* position behind the log */
    uint64_t head;                    /* entries before this position are deleted, as far as known */
    bool erase;                       /* something was forgotten that the file still has */
} larch_last;

/* Empty, with the bounds of outbox.h. False: the system gave no random bytes. */
bool larch_last_init(larch_last *last);
void larch_last_free(larch_last *last);

/* Takes the reading over as fresh, in place of a fresh one of its path. Errors as larch_outbox_put; nothing changed. */
LARCH_MUST_USE larch_error larch_last_put(larch_last *last, larch_bytes path, const larch_outbox_last_reading *reading);
/* The batch is dropped: what is fresh goes. */
void larch_last_drop(larch_last *last);

/* The stored reading; LARCH_AGAIN: there is none, and reading is unchanged. */
LARCH_MUST_USE larch_error larch_last_get(const larch_last *last, larch_bytes path, larch_outbox_last_reading *reading);
/* Forgets a path, fresh and stored. The next transaction rewrites the log without it. */
void larch_last_forget(larch_last *last, larch_bytes path);

/* Forgets every path whose fresh or stored reading is of this device. Returns how many. */
size_t larch_last_forget_device(larch_last *last, larch_bytes device);

/* What the next transaction adds to the log. Returns the position before which nothing lives after it. */
uint64_t larch_last_compose(const larch_last *last, bool with_fresh, larch_writer *w);
/* That transaction succeeded, with nothing changed since. */
void larch_last_stored(larch_last *last, bool with_fresh);

/* Adds a part of the log as it stands in the file, the oldest first, up to position ends. LARCH_MALFORMED: it is
 * damaged; LARCH_PLATFORM: out of memory. It is to be freed then. */
LARCH_MUST_USE larch_error larch_last_load(larch_last *last, larch_bytes entries, uint64_t ends);

#endif
