/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session as a program uses it: a fixed OSCORE context from its file, or one that a handshake made, beside an enrolment;
 * and what is durable of it (common/context_state.h). Own
 * numbers and counts come from there before they are used, so nothing is sent if the state cannot be written.
 */
#ifndef LARCH_APP_SESSION_H
#define LARCH_APP_SESSION_H

#include "common/context_file.h"
#include "common/context_state.h"
#include "larch/contexts.h"
#include "larch/enrolment.h"

/* Secret; ended by larch_app_session_close. All zero: nothing is open. */
typedef struct larch_app_session {
    const char *command; /* private, all of it */
    larch_context_file file;
    bool is_enrolled;
    larch_enrolment enrolment; /* views of bytes; to be read */
    uint8_t bytes[LARCH_ENROLMENT_MAX + 1];
    char beside[LARCH_CONTEXT_STATE_PATH_MAX]; /* the name to which .state and .reading are added; to be read */
    char cwt_path[LARCH_CONTEXT_STATE_PATH_MAX];
    larch_bytes cwt; /* the device's credential of an authority; empty: it has none. To be read */
    uint8_t cwt_bytes[LARCH_LAKE_CWT_MAX + 1];
    bool has_no_clock;
    uint64_t clock_s, clock_at_ms; /* what the gateway's clock was, and when; 0: not known */
    larch_context_state state;
    larch_oscore_parameters parameters; /* views of file or state; to be read */
    uint64_t first;                     /* own number of this run; to be read */
    uint64_t end;                       /* numbers below it are granted to this run */
    uint64_t before;                    /* messages of earlier runs; to be read */
    uint64_t counted;                   /* messages of this run that are on record; to be read */
    larch_exit failure;                 /* why the state refused; LARCH_EXIT_DONE: it did not */
} larch_app_session;

/* Reads the context file, opens its state and takes a first grant of own numbers, before anything is sent. Start the
 * cryptography before. A build with LARCH_KEYLOG logs the context (common/keylog.h). Other than LARCH_EXIT_DONE: it has said why, and nothing is open. command is kept. */
larch_exit larch_app_session_open(larch_app_session *session, const char *command, const char *path);

typedef struct larch_app_enrolled {
    const char *path;
    const char *state; /* a folder for the state, which is made if it is not there; "": beside the enrolment */
    bool has_no_clock; /* this host's clock is not to be believed: the time comes from the gateway */
} larch_app_enrolled;

/* Reads an enrolment and the credential beside it, and opens its state. Then it needs a handshake (common/shake.h), or can be
 * taken up. Otherwise as larch_app_session_open. LARCH_EXIT_USAGE: the file is no enrolment. */
larch_exit larch_app_session_open_enrolled(larch_app_session *session, const char *command,
                                           const larch_app_enrolled *enrolled);
/* Reads the credential beside the enrolment again, if it has one: a new one may have taken its place. */
larch_exit larch_app_session_read_credential(larch_app_session *session);
/* Seconds since 1970, by this host's clock or by what the gateway's was; 0: it is not known. */
uint64_t larch_app_session_unix_s(const larch_app_session *session);
/* Whether there is no session, or one that is near its limits or its end. */
bool larch_app_session_needs_handshake(const larch_app_session *session);
/* Takes up the session of the state, with a first grant of own numbers; again after each handshake. */
larch_exit larch_app_session_take_up(larch_app_session *session);

/* Makes durable that the own numbers below end belong to this run. LARCH_SPENT: there are no more. LARCH_PLATFORM: the
 * state cannot be written. Either way it has said why, and session->failure is the exit code. */
LARCH_MUST_USE larch_error larch_app_session_grant(larch_app_session *session, uint64_t end);

/* Puts on record that this run has protected and received so many messages. Errors as larch_app_session_grant; SPENT: they
 * are as many as the keys may protect. */
LARCH_MUST_USE larch_error larch_app_session_count(larch_app_session *session, uint64_t messages);

/* Begins the context in *out for a client, with the messages of earlier runs in own_used.
 * LARCH_EXIT_FAILED: the provider has no such algorithm, or failed; it has said so. */
larch_exit larch_app_session_begin(const larch_app_session *session, larch_session *out);

/* Stores that own numbers from next on were not used, and wipes. larch_app_session_open gave `first`. Returns as
 * larch_context_state_close. */
larch_exit larch_app_session_close(larch_app_session *session, uint64_t next);

/* Whether a path is that of a reading: r/NAME. */
bool larch_app_is_reading_path(const char *path);

#endif
