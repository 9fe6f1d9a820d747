/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a device keeps of a fixed context beside its file, in FILE.state: which sequence numbers may have been used, so
 * that none ever is again [RFC8613 B.1.1]. Two messages under one number would give the plaintexts away.
 *
 *     FILE.state: next = 256        the file promises: nobody has used a number from 256 on
 *     grant          0 ... 255      in use by this run
 *
 * Beside an enrolment, whose sessions come from handshakes, the file holds the session and the key for its resumption too, so
 * it is secret. A handshake replaces both in one durable write, before anything else is sent under the new session.
 *
 * A grant is made durable before its first number is used, so a run that ends at any moment wastes numbers and repeats
 * none. The file is locked while it is in use. One that is missing is made anew, from 0 on: whoever deletes it, or puts
 * back an older one, has to change the keys.
 */
#ifndef LARCH_APP_CONTEXT_STATE_H
#define LARCH_APP_CONTEXT_STATE_H

#include "common/app.h"
#include "larch/crypto.h"
#include "larch/lake.h"
#include "larch/oscore.h"

#define LARCH_CONTEXT_STATE_PATH_MAX 1024
#define LARCH_CONTEXT_GRANT          256
#define LARCH_CONTEXT_MESSAGES_MAX   (UINT64_C(1) << 20) /* of both sides: q of the key-limits draft */

/* What handshakes made. Secret. */
typedef struct larch_context_made {
    larch_lake_oscore session; /* aead NULL: there is none */
    uint64_t made_s;           /* when, by this host's clock: seconds since 1970 */
    larch_lake_resumption key; /* psk_len 0: there is none */
} larch_context_made;

/* The content of the file. */
typedef struct larch_context_record {
    bool is_enrolled;               /* beside an enrolment: made counts */
    uint8_t keys[LARCH_SHA256_LEN]; /* recognises the context, or the enrolment; no secret */
    uint64_t next;                  /* no own number from here on was used */
    uint64_t n;                     /* no n from here on was given out */
    uint64_t messages;              /* at most so many were protected, by both sides */
    larch_context_made made;
} larch_context_record;

#define LARCH_CONTEXT_RECORD_MAX 1024 /* bytes of text */
void larch_context_record_put(larch_writer *w, const larch_context_record *record);
/* Reads untrusted bytes. LARCH_MALFORMED: damaged; LARCH_STATE: a newer format. *record is unchanged then. */
LARCH_MUST_USE larch_error larch_context_record_parse(larch_bytes bytes, larch_context_record *record);

typedef struct larch_context_state {
    const char *command; /* private, all of it */
    int file;            /* open and locked; -1: not open */
    bool is_stuck;       /* a write failed: what the file holds is not certain */
    larch_context_record stored;
    uint64_t first; /* of the first grant of this run */
    uint64_t n, messages;
    char path[LARCH_CONTEXT_STATE_PATH_MAX];
} larch_context_state;

/* Opens and locks the file beside context_file, or makes it; *is_new says which. command: begins every complaint, and
 * stays the caller's. LARCH_EXIT_DONE: close it; else it has said why and what to do. LARCH_EXIT_REFUSED: the file is
 * damaged, of another context or open to others, or the context is used up. LARCH_EXIT_FAILED: it is in use, or a call
 * failed. */
larch_exit larch_context_state_open(larch_context_state *state, const char *command, const char *context_file,
                                    const larch_oscore_parameters *parameters, bool *is_new);

/* As larch_context_state_open, beside an enrolment with this PSK. The session of the state, if there is one, is
 * state->stored.made.session. */
larch_exit larch_context_state_open_enrolled(larch_context_state *state, const char *command, const char *path,
                                             larch_bytes psk, bool *is_new);
/* Stores what a handshake made, durably, in place of the session and the key before; own numbers below
 * `next` count as used. As larch_context_state_grant. */
larch_exit larch_context_state_renew(larch_context_state *state, const larch_lake_oscore *session,
                                     const larch_lake_resumption *key, uint64_t next, uint64_t unix_s);
/* Grants the own numbers from *first up to, but not including, *end, for larch_oscore_grant. LARCH_EXIT_DONE: that is
 * durable. Else nothing is granted, and it has said why. LARCH_EXIT_REFUSED: they are used up. LARCH_EXIT_FAILED: the
 * file cannot be written; from then on every call but close fails. */
larch_exit larch_context_state_grant(larch_context_state *state, uint64_t *first, uint64_t *end);

/* Gives out the next n, for "?n=": from 1 on, each once. As larch_context_state_grant. */
larch_exit larch_context_state_take_n(larch_context_state *state, uint64_t *n);

/* Counts messages that are about to be protected, or that were received and authentic. LARCH_EXIT_REFUSED: they are
 * more than the keys may protect; protect none. As larch_context_state_grant. */
larch_exit larch_context_state_count(larch_context_state *state, uint32_t messages);

/* Stores that no own number from next on was used, so that none is wasted, and closes. next: the number after the last
 * one that was used; any number outside the grants of this run, as UINT64_MAX, stores their end.
 * LARCH_EXIT_FAILED: it could not be written, which wastes numbers and does no other harm; it has said so. A state that
 * is not open is LARCH_EXIT_DONE. */
larch_exit larch_context_state_close(larch_context_state *state, uint64_t next);

#endif
