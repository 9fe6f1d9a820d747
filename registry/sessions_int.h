/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of the sessions share. Each calls those below it:
 *
 *     sessions.c (opening)   sessions_change.c (what comes and goes)   sessions_enrolled.c (handshakes)   sessions_keep.c (a run)
 *     sessions_grants.c (limits)   sessions_heard.c (when devices were heard)   sessions_queue.c (commands)
 *     sessions_policy.c (what devices may use)
 *     sessions_store.c (memory, writes)
 */
#ifndef LARCH_REGISTRY_SESSIONS_INT_H
#define LARCH_REGISTRY_SESSIONS_INT_H

#include "registry/seal.h"
#include "registry/session_record.h"
#include "registry/sessions_db.h"

#define LARCH_SESSIONS_CHECK_USE "larch-seal check"
#define LARCH_SESSIONS_MARK_USE  "larch-seal mark"

/*
 * How far the limits of one context are granted, in the file: at least as far as they are used, but for the last second.
 *
 *     seen <= used <= granted      written anew once used != seen and less than half a grant is left
 */
typedef struct larch_sessions_grant {
    uint32_t own, own_seen; /* granted; used when that was written */
    uint32_t failed, failed_seen;
    bool is_doomed;                   /* deleted from the file; its place waits for larch_sessions_drop */
    uint32_t heard_s, heard_stored_s; /* when its device was heard last, seconds since 1970; as it is in the file */
} larch_sessions_grant;

/* What handshakes wrote and is not durable yet, in their order. */
#define LARCH_SESSIONS_GROUP 256
typedef struct larch_sessions_group {
    size_t count;
    struct {
        uint64_t number; /* of a context that was made, or confirmed */
        bool is_made;
        larch_sessions_doomed doomed;
    } parts[LARCH_SESSIONS_GROUP];
} larch_sessions_group;

struct larch_sessions {
    larch_sessions_db *db;
    larch_sessions_group group;
    bool has_groups; /* else every handshake is durable when its call returns */
    const larch_random *random;
    larch_seal_key key;
    uint8_t mark_key[LARCH_SHA256_LEN]; /* for the marks of contexts */
    larch_sessions_setting stored;      /* in the file */
    uint32_t start;                     /* that the file is to carry; 0: the one that it carries */
    uint32_t newest_s;                  /* the newest wall-clock time seen */
    larch_session_table table;
    larch_session *places;
    uint32_t *by_kid, *by_number;
    larch_sessions_grant *grants; /* of each place */
    larch_contexts contexts;
    larch_epochs *epochs; /* NULL: not started */
    bool waits;           /* for the clock, */
    uint64_t wait_end_ms; /* up to this time */
    size_t place_end;     /* no place from here on was ever taken */
    size_t scan_at, heard_at;
    size_t doomed; /* contexts that are; the numbers of some, so that nobody has to look for them */
    size_t listed;
    uint64_t list[LARCH_SESSIONS_GROUP];
    bool has_removed; /* since the log was truncated */
    bool has_policies;
    bool failed; /* a write failed in a way that says nothing about the next */
#if LARCH_KEYLOG
    void (*key_log)(void *context, const larch_oscore_parameters *parameters);
    void *key_log_context;
#endif
    char path[LARCH_REGISTRY_PATH_MAX];
    larch_registry_reason why;
};

/* The key of the marks: derived from the store key, or kept since that was another one (reseal.h). key: the store key. */
larch_error larch_sessions_db_mark_key(larch_sessions_db *db, const larch_seal_key *key,
                                       uint8_t mark_key[LARCH_SHA256_LEN], larch_registry_reason *why);
/* The seal of a context stands in its row. */
larch_seal_place larch_sessions_place(uint64_t number);
/* Derives a session's context, with its window unknown. LARCH_STATE: no context has such parameters. LARCH_PLATFORM. */
larch_error larch_sessions_derive(const larch_sessions *s, const larch_session_record *record, uint64_t number,
                                  larch_session *session);
/* Adds it to memory, with what the file grants it. Errors of larch_session_table_add. */
larch_error larch_sessions_place_session(larch_sessions *s, const larch_session *session, larch_session **place);
/* Removes it from memory. */
void larch_sessions_unplace(larch_sessions *s, larch_session *session);
void larch_sessions_drop_all(larch_sessions *s);
/* A number that is random, not 0, and within what SQLite has. */
larch_error larch_sessions_make_number(const larch_sessions *s, uint64_t *number);
/* Seals a context for its row; sealed: LARCH_SESSION_RECORD_MAX + LARCH_SEAL_OVERHEAD bytes. */
larch_error larch_sessions_seal(const larch_sessions *s, const larch_session_record *record, uint64_t number,
                                uint8_t *sealed, larch_bytes *out);

/* The setting as it has to be from now on. */
larch_sessions_setting larch_sessions_setting_now(const larch_sessions *s);
/* What the write that returned e means for those that follow. Returns e as a call of sessions.h does. */
larch_error larch_sessions_wrote(larch_sessions *s, larch_error e);
/* Writes the setting (NULL: leaves it) and counters. */
larch_error larch_sessions_store(larch_sessions *s, const larch_sessions_setting *setting,
                                 const larch_sessions_counters *counters, size_t count);

/* Writes when devices were heard: exactly, or of some that were not written for a while. */
larch_error larch_sessions_write_heard(larch_sessions *s, bool exactly);

void larch_sessions_see_time(larch_sessions *s, uint64_t unix_s);
/* Writes counters: of all contexts that used any, exactly, or grants, of some contexts, where they are needed. */
larch_error larch_sessions_write_counters(larch_sessions *s, const larch_sessions_setting *setting, bool exactly);

#endif
