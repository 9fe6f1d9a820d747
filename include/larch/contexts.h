/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions: security contexts with what a node keeps beside each, the table that holds them, and the numbers of its own
 * that a node may use. The node finds a session by its kid and needs a few durable steps of whoever keeps the table:
 * a board in memory, a gateway in a database.
 *
 *     own number of a session = epoch (n >> 8) | count (8 bits)
 *
 *     epochs     0 ............... base ........... end ......................
 *                used by earlier   begun at this    durable: no session has used
 *                starts            start            an epoch from here on
 */
#ifndef LARCH_CONTEXTS_H
#define LARCH_CONTEXTS_H

#include "larch/oscore.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_SESSION_LIFE_S     (7u * 24 * 3600) /* of a session that a handshake made */
#define LARCH_SESSION_FAILED_MAX (1u << 13)       /* datagrams that fail decryption, in one such life, at most */
#define LARCH_SESSION_BURST      64               /* of them at once, in each bucket */
#define LARCH_SESSION_BUCKETS    4

#define LARCH_READING_NAME_MAX 32 /* bytes of the NAME in /r/NAME */

/* ---- a session ----------------------------------------------------------- */

/* One session. Secret. The node and the table write it. A table must not move it while it is in use. */
typedef struct larch_session {
    larch_oscore_context oscore;
    uint64_t number;         /* random, not 0: names the session in identities, observations and storage */
    uint64_t device;         /* random, not 0: of the device that holds it, for the device's life */
    larch_peer last;         /* where the last authentic new request came from; port 0: there was none */
    uint32_t first_epoch;    /* where its own numbers began */
    uint32_t own_used;       /* messages protected, of every kind; durable in grants, rounded up at a start */
    uint32_t failed;         /* datagrams that failed decryption; likewise */
    uint32_t expires_s;      /* seconds since 1970; 0: fixed, it does not expire */
    uint32_t bucket_at : 31; /* when the buckets were refilled, in refills since the clock's zero */
    /* A handshake made it, and no request came under it but that inside message_3: what it takes the place of is still
     * kept (larch/lake_service.h). Stored with it. */
    uint32_t is_unconfirmed : 1;
    uint8_t taken[LARCH_SESSION_BUCKETS]; /* of the burst of each larch_session_sender; 0: its bucket is full */
} larch_session;

/* ---- the table ----------------------------------------------------------- */

/* What identifies an observation for good: a client may have one for each token. */
typedef struct larch_observation {
    uint64_t session; /* its number; 0: free */
    larch_peer peer;
    larch_oscore_binding binding; /* of the registration: notifications answer it */
    uint16_t accept;              /* Accept, or LARCH_COAP_FORMAT_NONE */
    uint8_t confirmable;
    uint8_t szx; /* largest block, as the client asked */
    uint8_t token_len;
    uint8_t token[LARCH_COAP_TOKEN_MAX];
    uint8_t name_len;
    uint8_t name[LARCH_READING_NAME_MAX]; /* of the resource */
} larch_observation;

/* What a node needs of its table of sessions. Functions run inside calls of the node. */
typedef struct larch_contexts {
    void *context;
    /* The session of this Recipient ID. kid_context.data NULL: the request names none, and any session of the kid fits.
     * NULL: none. A session that expired is not found. The pointer holds until the session is removed, which never happens
     * inside a call of the node. */
    larch_session *(*find)(void *context, larch_bytes kid, larch_bytes kid_context);
    /* The session of this number, or NULL. */
    larch_session *(*find_number)(void *context, uint64_t number);
    /* Makes durable that no session has used an epoch from this one on, and returns then. LARCH_PLATFORM: that is not
     * sure. It may be durable all the same. */
    larch_error (*raise)(void *context, uint64_t epoch);
    /* Makes an observation durable, or forgets it for good. LARCH_SPACE: there are too many. LARCH_PLATFORM. */
    larch_error (*add_observation)(void *context, const larch_observation *observation);
    larch_error (*end_observation)(void *context, const larch_observation *observation);
} larch_contexts;

/* ---- own numbers --------------------------------------------------------- */

#define LARCH_EPOCH_AHEAD 16 /* epochs that one durable write adds */

/* The own numbers of all sessions of a node. */
typedef struct larch_epochs {
    const larch_contexts *contexts; /* private, all of it */
    uint64_t base;                  /* where every stored session begins at this start */
    uint64_t end;                   /* durable: no session has used an epoch from this one on */
    uint64_t unused;                /* the first epoch that no session was allowed to use */
    uint64_t start_ms;
} larch_epochs;

/* Begins a start at now_ms of the monotonic clock. stored: the first unused epoch as the last run left it, 0 if there
 * was none. unix_s: the wall clock, 0 if it cannot be right (the caller compares it with the time of its build). Sessions
 * begin at the larger of `stored` and the seconds since 2026-01-01, so that a restored copy of the storage begins above
 * what was used since the copy was made. LARCH_PLATFORM: the new end is not durable. LARCH_SPENT: no epoch is left.
 * *epochs is zeroed on error, and no number can be had from it. */
LARCH_MUST_USE larch_error larch_epochs_start(larch_epochs *epochs, const larch_contexts *contexts, uint64_t now_ms,
                                              uint64_t stored, uint64_t unix_s);
/* Begins at the base, without a durable write: a session that was stored before this start, or whose keys a handshake
 * has just made. It has used no number in this run. */
void larch_epochs_begin(const larch_epochs *epochs, larch_session *session);
/* Begins at an epoch that no session has used, with one durable write: a fixed session that is added while the node
 * runs, or any session that is loaded again after its own number was forgotten. LARCH_PLATFORM: the write failed.
 * LARCH_SPENT: no epoch is left. On error this copy of the session never has a number; a copy that is loaded anew may be
 * tried again. */
LARCH_MUST_USE larch_error larch_epochs_begin_new(larch_epochs *epochs, larch_session *session);
/* Uses up an own number of the session and counts a protected message. LARCH_AGAIN: not before a second has passed, so
 * that the numbers do not run ahead of the clock. LARCH_SPENT: the session's numbers, or the messages that its AEAD may
 * protect, are used up. LARCH_STATE: it has not begun at this start. LARCH_PLATFORM: a durable write failed. *number is
 * unchanged on error. */
LARCH_MUST_USE larch_error larch_epochs_take(larch_epochs *epochs, larch_session *session, uint64_t now_ms,
                                             uint64_t *number);
/* Allows the next number without taking it, so that larch_oscore_accept_number can: the caller counts that challenge by
 * larch_session_count_protected. Errors as take. */
LARCH_MUST_USE larch_error larch_epochs_allow(larch_epochs *epochs, larch_session *session, uint64_t now_ms);
/* What a clean stop stores: the first epoch that no session was allowed to use in this run, those removed since among
 * them. Nothing may be taken or allowed after this call. */
uint64_t larch_epochs_unused(const larch_epochs *epochs);

/* ---- limits [draft-ietf-core-oscore-key-limits] -------------------------- */

/* Whether the session may neither protect nor accept another message. It may while q < 2^20 and v is below 2^14 with
 * CCM_8, below 2^20 with another AEAD. q: highest number received + 1 + own messages, or own_used alone if
 * oscore.peer_has_epochs; v: failed decryptions. */
bool larch_session_is_spent(const larch_session *session);
/* Messages that may still pass before the limit; 0: it is spent. */
uint32_t larch_session_left(const larch_session *session);
/* Counts a message that was protected without larch_epochs_take: a response under the nonce of its request, or a
 * challenge of larch_oscore_accept_number. */
void larch_session_count_protected(larch_session *session);
/* Counts a request that is authentic, and new or challenged, of a peer whose numbers do not count its messages. */
void larch_session_count_received(larch_session *session);

/* Who sent a datagram that has yet to be decrypted. */
typedef enum larch_session_sender {
    LARCH_SESSION_LAST,         /* the address of the last authentic request, which may be forged */
    LARCH_SESSION_OTHER,        /* another address, which may be forged */
    LARCH_SESSION_LAST_PROVEN,  /* the address of the last authentic request, and an outer Echo came back */
    LARCH_SESSION_OTHER_PROVEN, /* another address, and an outer Echo came back */
} larch_session_sender;

/* Takes what one decryption may cost from the sender's bucket. False: it is empty, nothing changed, and the sender is to
 * be asked for an outer Echo, or, if proven, is not served now. now_ms: of the monotonic clock; a time before an earlier
 * one refills nothing. Each bucket holds LARCH_SESSION_BURST and gets back a quarter of LARCH_SESSION_FAILED_MAX in
 * LARCH_SESSION_LIFE_S; it is full in a session that was zeroed. */
bool larch_session_try(larch_session *session, uint64_t now_ms, larch_session_sender sender);
/* How many more larch_session_try would grant now. */
unsigned larch_session_tries_left(larch_session *session, uint64_t now_ms, larch_session_sender sender);
/* The datagram was authentic: gives back what it took, and no more than the bucket holds. */
void larch_session_refund(larch_session *session, larch_session_sender sender);
/* It was not: counts it. */
void larch_session_count_failed(larch_session *session);

/* ---- a table in memory --------------------------------------------------- */

/* Sessions in memory of the caller, found by a keyed hash of the kid. A board uses it as it is, and a database fills it.
 * It knows no time: whoever offers it as larch_contexts leaves out sessions that expired. */
typedef struct larch_session_table {
    larch_session *places; /* private, all of it; number 0: free */
    size_t place_count;
    size_t unused;    /* from this place on, none was ever taken */
    uint32_t *by_kid; /* open addressing: place + 1 */
    uint32_t *by_number;
    size_t index_count;
    size_t used;
    size_t free_first;
    uint64_t key[2];
} larch_session_table;

/* places: place_count of them. by_kid, by_number: index_count entries each, a power of two of at least 2 and at least
 * twice place_count. The memory is the table's from now on, and what it held does not count: a place is not touched before
 * a session takes it. LARCH_STATE: the counts are others.
 * LARCH_PLATFORM: random failed. *table is zeroed on error. */
LARCH_MUST_USE larch_error larch_session_table_init(larch_session_table *table, larch_session *places,
                                                    size_t place_count, uint32_t *by_kid, uint32_t *by_number,
                                                    size_t index_count, const larch_random *random);
/* Adds a copy of a session. *place: the copy, which stays there until it is removed; NULL on error. LARCH_STATE: its
 * number is 0, or the number, or the kid with the same ID context, is there. LARCH_SPACE: the table is full. */
LARCH_MUST_USE larch_error larch_session_table_add(larch_session_table *table, const larch_session *session,
                                                   larch_session **place);
/* Removes and wipes a session of the table. */
void larch_session_table_remove(larch_session_table *table, larch_session *session);
/* As find of larch_contexts: kid and kid_context are untrusted. A session without an ID context fits no kid_context. */
larch_session *larch_session_table_find(const larch_session_table *table, larch_bytes kid, larch_bytes kid_context,
                                        size_t nth);
larch_session *larch_session_table_find_number(const larch_session_table *table, uint64_t number);
/* All sessions: start with *at = 0. NULL: no more. The session returned may be removed before the next call. */
larch_session *larch_session_table_next(const larch_session_table *table, size_t *at);

#ifdef __cplusplus
}
#endif

#endif
