/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The outbox: accepted messages wait here, in a file, until every sink has delivered them.
 *
 *     put put put -> commit -> (the services make the replay marks durable) -> marked -> read, acknowledge
 *
 * A message that was answered OK is in the outbox once. It leaves the file when its replay mark is durable and each sink
 * has acknowledged it. Rows have sequence numbers from 1 on, without gaps, in the order in which they were put.
 *
 * One outbox is for one thread and holds its file alone: no other process, and no second outbox of this process, may
 * open that file. Functions never wait for anything but the disk.
 */
#ifndef LARCH_REGISTRY_OUTBOX_H
#define LARCH_REGISTRY_OUTBOX_H

#include "larch/base.h"
#include "registry/reason.h"
#include "registry/seen.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_OUTBOX_BYTES      (64u << 20) /* what the outbox holds if nothing else is configured */
#define LARCH_OUTBOX_BATCH_MAX  256         /* messages in one batch */
#define LARCH_OUTBOX_SINKS      8
#define LARCH_OUTBOX_NAME_MAX   31 /* of a sink, of a way in, of a KEM: bytes */
#define LARCH_OUTBOX_ID_MAX     32
#define LARCH_OUTBOX_O_LEN      (LARCH_SEEN_OWNER_LEN + 5 + LARCH_SEEN_HASH_LEN) /* of an identity O */
#define LARCH_OUTBOX_N_LEN      (LARCH_SEEN_OWNER_LEN + 8)                       /* of an identity N */
#define LARCH_OUTBOX_NOTES_MAX  (2 * LARCH_OUTBOX_BATCH_MAX)                     /* of larch_outbox_note in one batch */
#define LARCH_OUTBOX_PATH_MAX   64
#define LARCH_OUTBOX_NO_FORMAT  0xffff
#define LARCH_OUTBOX_TEXT_MAX   65536
#define LARCH_OUTBOX_PATHS_MAX  65536       /* of which the last reading is kept */
#define LARCH_OUTBOX_LAST_BYTES (64u << 20) /* of last readings: text and up to 111 more */

/* What a successful commit survives. */
typedef enum larch_outbox_durability {
    LARCH_OUTBOX_MEDIUM, /* a power cut: each commit waits for the medium */
    LARCH_OUTBOX_PROCESS /* the end of the process; after a power cut the file may be damaged, and opening says so */
} larch_outbox_durability;

/* One accepted message. put copies what the views show. */
typedef struct larch_outbox_message {
    uint8_t kind;        /* 'D', 'O' or 'N': how the identity is made (sessions and direct messages) */
    uint8_t flags;       /* 0; reserved */
    larch_bytes id;      /* at most LARCH_OUTBOX_ID_MAX, big-endian. D: set (2) generation (4) mark (8). O: context (8)
                            number (5), the first 16 bytes of a hash of the request. N: device (8) n (8) */
    larch_bytes hash;    /* of N: the first 16 bytes of a hash of the body; not kept in the row */
    larch_bytes also;    /* of O and N: another identity O of the message, or empty; not kept in the row. A request that
                            returns an Echo has the number of the challenged request, and its own. */
    uint64_t time_ms;    /* arrival, since 1970 */
    larch_peer peer;     /* via is not kept */
    larch_bytes through; /* "direct" or "oscore"; at most LARCH_OUTBOX_NAME_MAX */
    larch_bytes kem;     /* "ML-KEM-512", or empty; at most LARCH_OUTBOX_NAME_MAX */
    larch_bytes device;  /* the name of the device that reports, or empty; at most LARCH_OUTBOX_NAME_MAX */
    larch_bytes path;    /* the name of what it reports, or empty; at most LARCH_OUTBOX_PATH_MAX */
    uint16_t format;     /* Content-Format of a text with a device or a path; else it reads as LARCH_OUTBOX_NO_FORMAT */
    larch_bytes text;    /* untrusted; at most LARCH_OUTBOX_TEXT_MAX */
} larch_outbox_message;

/* Up to where a sink has delivered. Sinks copy it from the last row delivered and look at sequence alone. */
typedef struct larch_outbox_position {
    uint64_t sequence;   /* the row's; 0: nothing yet */
    uint64_t keep_first; /* private: the first row of the batch to keep */
    uint64_t keep_bytes; /* private: where that batch begins, in bytes ever stored */
} larch_outbox_position;

typedef struct larch_outbox_row {
    larch_outbox_message message; /* its views hold until the next call on the outbox */
    larch_outbox_position position;
    bool repeat; /* it may have left before, in an earlier run that did not see it delivered */
} larch_outbox_row;

typedef struct larch_outbox_config {
    const char *path; /* shorter than LARCH_REGISTRY_PATH_MAX; the file is made if it is not there */
    larch_outbox_durability durability;
    uint64_t bytes_max; /* bound on what waits, in bytes of records (text and about 80 more); 0: LARCH_OUTBOX_BYTES */
    const char *const *sinks; /* distinct names; a sink is called by its index here. A name that the file does not hold
                                 begins where the slowest sink of the file stands; a name of the file that is missing
                                 here is forgotten with its cursor, and its rows are no longer kept for it. */
    size_t sink_count;        /* at most LARCH_OUTBOX_SINKS; 0: rows leave when they are marked */
    uint32_t start;    /* the start counter of the state folder, which the file carries from now on; 0: it is in none */
    uint32_t complete; /* the newest start that every file of the folder carries: a file with a lower counter, or with
                          one that no start before this one had, was put back from a backup */
} larch_outbox_config;

typedef struct larch_outbox larch_outbox;

/* Opens the file, or makes it with mode 0600. LARCH_OK: *outbox is open; close it. Else *outbox is NULL, *why has the
 * fault and a sentence, and nothing was overwritten. The error follows from the fault (reason.h): LARCH_MALFORMED the
 * file is damaged, LARCH_STATE it is another program's or a newer version's or was put back, LARCH_BUSY another process holds it,
 * LARCH_AUTH its owner, mode or type is refused, LARCH_SPACE the disk is full, LARCH_PLATFORM it cannot be written, a
 * call failed, or memory ran out. A file of up to 16 MiB is checked as a whole; of a larger one its head, its newest
 * rows and those that the sinks read next. */
LARCH_MUST_USE larch_error larch_outbox_open(larch_outbox **outbox, const larch_outbox_config *config,
                                             larch_registry_reason *why);

/* Gives a file that no gateway uses another start counter, durably, for the recovery of its folder. No file there is
 * LARCH_OK. Errors as larch_outbox_open. */
LARCH_MUST_USE larch_error larch_outbox_stamp(const char *path, uint32_t start, larch_registry_reason *why);

/* Stores where each sink stands, exactly (after a sync that failed: at least), and closes. Messages put and not committed are dropped. NULL is allowed.
 * LARCH_PLATFORM: the file could not be written, *why says why; it is closed all the same, and rows that were delivered
 * will come again with repeat set. */
LARCH_MUST_USE larch_error larch_outbox_close(larch_outbox *ob, larch_registry_reason *why);

/* The last failure of a call below. */
const larch_registry_reason *larch_outbox_error(const larch_outbox *ob);

/* ---- messages in --------------------------------------------------------- */

/* Adds a message to the batch in memory. On an error it is not in the batch, and the batch is unchanged.
 * LARCH_BUSY: no room until sinks have delivered more, or none for the reading of this path (see larch_outbox_last);
 * answer 5.03. LARCH_STATE: the batch has LARCH_OUTBOX_BATCH_MAX messages, commit first. LARCH_MALFORMED: a field is
 * longer than its bound, or an identity has not the length of its kind.
 * LARCH_PLATFORM: out of memory, or a commit failed before with LARCH_PLATFORM: nothing is accepted until the outbox is
 * opened anew. */
LARCH_MUST_USE larch_error larch_outbox_put(larch_outbox *ob, const larch_outbox_message *message);

/* Adds to the batch that the message of this kind, 'O' or 'N', is on record under this identity, without a row: the
 * message itself was stored before. hash: of N. Errors as larch_outbox_put; LARCH_STATE: LARCH_OUTBOX_NOTES_MAX. */
LARCH_MUST_USE larch_error larch_outbox_note(larch_outbox *ob, uint8_t kind, larch_bytes id, larch_bytes hash);

/* Stores the batch in one transaction; afterwards the batch in memory is empty, whatever is returned. An empty batch
 * is LARCH_OK. LARCH_STATE: the batch before is not marked yet (and this one stays as it is). LARCH_BUSY: the disk is
 * full, nothing of the batch is stored, answer 5.03. LARCH_PLATFORM: anything else; answer nothing: this outbox
 * accepts no more messages. Nothing of the batch is stored then either, with one exception that no file system can
 * rule out: if the failure was that of a sync, the whole batch may be there at the next open, as its newest. */
LARCH_MUST_USE larch_error larch_outbox_commit(larch_outbox *ob);

/* The replay marks of the newest batch are durable: its rows may leave. Also after an open, once the marks of
 * larch_outbox_unmarked are durable. */
void larch_outbox_marked(larch_outbox *ob);

/* The messages of the newest batch, while it waits for larch_outbox_marked: after an open their marks have to be added
 * again, for the run before may have ended between commit and mark. Start with *at = 0; views hold until the next
 * commit. LARCH_AGAIN: no more. */
LARCH_MUST_USE larch_error larch_outbox_unmarked(const larch_outbox *ob, size_t *at, larch_outbox_message *message);

/* ---- what is remembered of O and N ---------------------------------------- */

/* Whether a message was stored under this identity, if its number is among the newest 64 of its context or device. It
 * sees what this run or an earlier one committed, and not what waits in the batch. kind: 'O' or 'N'. owner: the context
 * or device. number: of O below 2^40. *highest: the highest number stored of this owner, 0 if there is none. It reads
 * the file only if a message with this number is on record. LARCH_SEEN_FAILED: that read failed, larch_outbox_error
 * says why; accept nothing, for it may have been stored before. */
larch_seen_verdict larch_outbox_recall(larch_outbox *ob, uint8_t kind, const uint8_t owner[LARCH_SEEN_OWNER_LEN],
                                       uint64_t number, const uint8_t hash[LARCH_SEEN_HASH_LEN], uint64_t *highest);

/* Forgets all identities of a context or device that exists no more, and whose number is never given again, also those
 * in the batch: at once in memory, and in the file with the next transaction. Until then larch_outbox_is_stale is true. LARCH_PLATFORM: out of memory, and
 * nothing is forgotten. */
LARCH_MUST_USE larch_error larch_outbox_forget(larch_outbox *ob, uint8_t kind,
                                               const uint8_t owner[LARCH_SEEN_OWNER_LEN]);

/* ---- last readings --------------------------------------------------------- */

/*
 * Of each path that a message of kind 'O' or 'N' had, the reading that was put last is kept: from the commit of its
 * batch on, also when every sink has taken it, and across restarts. A commit that fails changes none.
 *
 * They are bounded. A path that is not known finds room while there are less than LARCH_OUTBOX_PATHS_MAX and all
 * readings stay within LARCH_OUTBOX_LAST_BYTES. A known path has a reserve of as many bytes again: only a reading that
 * is longer than the one before can exceed that, and is refused then. Paths of the batch count.
 */
typedef struct larch_outbox_last_reading {
    uint64_t time_ms; /* arrival, since 1970 */
    larch_bytes device;
    uint16_t format;  /* or LARCH_OUTBOX_NO_FORMAT */
    larch_bytes text; /* untrusted */
} larch_outbox_last_reading;

/* The last reading of a path, from memory; its views hold until the next call on the outbox that is not const.
 * LARCH_AGAIN: there is none, and reading is unchanged. */
LARCH_MUST_USE larch_error larch_outbox_last(const larch_outbox *ob, larch_bytes path,
                                             larch_outbox_last_reading *reading);

/* Erases the last reading of a path, also that of the batch: at once in memory, and in the file with the next
 * transaction, which writes all others again; until then larch_outbox_is_stale is true. Messages that wait for a sink
 * stay, and so does the newest batch. */
void larch_outbox_forget_path(larch_outbox *ob, larch_bytes path);

/* Likewise, of every path whose last reading this device sent. Returns how many. */
size_t larch_outbox_forget_device(larch_outbox *ob, larch_bytes device);

/* ---- rows out ------------------------------------------------------------ */

/* The next row for a sink; the same one again until larch_outbox_advance. What it gives may leave at once: that it may
 * have left is in the file before. LARCH_AGAIN: no row now. LARCH_MALFORMED: the file is damaged there; LARCH_BUSY: the
 * disk is full, and LARCH_PLATFORM: the file cannot be read or written: row is unchanged, and a later call tries again. */
LARCH_MUST_USE larch_error larch_outbox_read(larch_outbox *ob, size_t sink, larch_outbox_row *row);
/* The sink has taken over the row that was read last; call it only after a read that returned LARCH_OK. */
void larch_outbox_advance(larch_outbox *ob, size_t sink);

/* All rows up to this position are delivered; an earlier position changes nothing. ready: the sink takes more rows now;
 * while it does not, new batches are not written down as handed to it. */
void larch_outbox_acknowledge(larch_outbox *ob, size_t sink, const larch_outbox_position *delivered, bool ready);
/* The rows after this sequence, which the sink took over, have not left, not in part either: they are read again, and
 * without repeat unless they had it. For an end in order. */
void larch_outbox_release(larch_outbox *ob, size_t sink, uint64_t handed);

/* Whether the file lags behind what was acknowledged. The next commit makes that good; a program to which no
 * messages come calls larch_outbox_tidy, for instance after a second, so that less is repeated after a crash. */
bool larch_outbox_is_stale(const larch_outbox *ob);
/* LARCH_BUSY: the disk is full; LARCH_PLATFORM. Nothing is lost either way, and a later call tries again. */
LARCH_MUST_USE larch_error larch_outbox_tidy(larch_outbox *ob);

/* ---- figures ------------------------------------------------------------- */

typedef struct larch_outbox_usage {
    uint64_t bytes; /* stored and to be kept, and put; what bytes_max bounds */
    uint64_t bytes_max;
    uint64_t newest;    /* sequence of the newest stored row; 0: none yet */
    uint64_t delivered; /* by every sink: the lowest of their sequences */
} larch_outbox_usage;

larch_outbox_usage larch_outbox_use(const larch_outbox *ob);

#ifdef __cplusplus
}
#endif

#endif
