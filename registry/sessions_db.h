/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the sessions need of a database. sessions_sqlite.c is one; the sessions themselves contain no SQL. Errors of all
 * functions are those of reason.h for the fault in *why; on an error the database is as it was, and outputs are
 * unchanged. Every function that writes is one transaction, durable on LARCH_OK; but for larch_sessions_db_add_made and
 * larch_sessions_db_confirm, whose writes are durable together after larch_sessions_db_commit.
 */
#ifndef LARCH_REGISTRY_SESSIONS_DB_H
#define LARCH_REGISTRY_SESSIONS_DB_H

#include "registry/commands.h"
#include "registry/enrolled.h"
#include "registry/policy.h"

#define LARCH_SESSIONS_SCHEMA    2 /* of the file */
#define LARCH_SESSIONS_SEALED    1 /* of what is sealed in it */
#define LARCH_SESSIONS_CHECK_LEN 16
#define LARCH_SESSIONS_MARK_LEN  16
#define LARCH_SESSIONS_MARKS     2 /* of a context: one for each of its keys */

/* What holds for the whole file. */
typedef struct larch_sessions_setting {
    uint64_t unused;   /* no context has used an epoch from this one on */
    uint32_t start;    /* the start counter that the file carries; 0: none */
    uint32_t newest_s; /* the newest wall-clock time seen, seconds since 1970; 0: none */
    bool has_check;
    uint8_t check[LARCH_SESSIONS_CHECK_LEN]; /* of the store key */
} larch_sessions_setting;

typedef struct larch_sessions_row {
    uint64_t number;
    uint64_t device;
    uint32_t expires_s;
    uint32_t own_used, failed;
    uint64_t made; /* which handshake of the file made it, in order; 0: none, it is fixed */
    bool is_unconfirmed;
    larch_bytes sealed;
} larch_sessions_row;

/* A pre-shared key: a device's own, or one for its resumption. */
typedef struct larch_sessions_psk_row {
    uint64_t number;
    uint64_t device;
    uint64_t made; /* the handshake that made it, with the context of the same number; 0: it is the device's own */
    larch_bytes kid, sealed;
} larch_sessions_psk_row;

/* By what a device proves itself, beside its own key. A device without it: method 4 and suite -24. */
typedef struct larch_sessions_credential_row {
    int method, suite;
    larch_bytes key, hash, cred; /* SHA-256 of its public key and of CRED_I, and CRED_I; empty in method 4 */
} larch_sessions_credential_row;

/* What a search for a key finds. */
typedef struct larch_sessions_found_row {
    larch_sessions_psk_row psk, own; /* own.device and own.made are those of a device's own key */
    larch_bytes cred;
} larch_sessions_found_row;

#define LARCH_SESSIONS_DOOMED_MAX 16 /* contexts that one handshake removes, at most */

/* Contexts that were deleted, by their numbers. */
typedef struct larch_sessions_doomed {
    uint64_t numbers[LARCH_SESSIONS_DOOMED_MAX];
    size_t count;
} larch_sessions_doomed;

/* How far a context's limits are used. */
typedef struct larch_sessions_counters {
    uint64_t number;
    uint32_t own_used, failed;
} larch_sessions_counters;

/* When a device was heard last. */
typedef struct larch_sessions_heard_row {
    uint64_t device;
    uint32_t time_s;
} larch_sessions_heard_row;

/* A device with one of its contexts (0: it has none). */
typedef struct larch_sessions_listed_row {
    uint64_t device, context;
    char name[LARCH_SESSIONS_NAME_MAX + 1];
    bool is_enrolled;
    int method, suite;
    uint32_t heard_s;
} larch_sessions_listed_row;

typedef struct larch_sessions_db larch_sessions_db;

larch_error larch_sessions_db_open(larch_sessions_db **out, const char *path, larch_registry_reason *why);
void larch_sessions_db_close(larch_sessions_db *db);

larch_error larch_sessions_db_get_setting(larch_sessions_db *db, larch_sessions_setting *setting,
                                          larch_registry_reason *why);
/* setting: NULL leaves it. */
larch_error larch_sessions_db_store(larch_sessions_db *db, const larch_sessions_setting *setting,
                                    const larch_sessions_counters *counters, size_t count, larch_registry_reason *why);

/* Hands every context to take, up to its first error, which it returns. The row's view holds inside take. */
larch_error larch_sessions_db_each(larch_sessions_db *db,
                                   larch_error (*take)(void *context, const larch_sessions_row *row), void *context,
                                   larch_registry_reason *why);
/* Adds a context and the marks of its keys, and its device unless that is there. LARCH_REPLAY, without *why: a mark is
 * on record. */
larch_error larch_sessions_db_add(larch_sessions_db *db, const larch_sessions_row *row, const char *name,
                                  uint8_t marks[LARCH_SESSIONS_MARKS][LARCH_SESSIONS_MARK_LEN],
                                  larch_registry_reason *why);
/* Deletes contexts with their observations, and marks whose time has passed by unix_s (0: none has). */
larch_error larch_sessions_db_remove(larch_sessions_db *db, const uint64_t *numbers, size_t count, uint64_t unix_s,
                                     larch_registry_reason *why);
larch_error larch_sessions_db_remove_device(larch_sessions_db *db, uint64_t device, larch_registry_reason *why);
/* Deletes all contexts and observations, ends commands that wait as unknown, and stores the setting. */
larch_error larch_sessions_db_clear(larch_sessions_db *db, const larch_sessions_setting *setting, size_t *removed,
                                    larch_registry_reason *why);
/* Contexts that have expired by then, cap of them at most. */
larch_error larch_sessions_db_list_expired(larch_sessions_db *db, uint64_t unix_s, uint64_t *numbers, size_t cap,
                                           size_t *count, larch_registry_reason *why);

/* LARCH_AGAIN: there is no such device. */
larch_error larch_sessions_db_find_device(larch_sessions_db *db, const char *name, uint64_t *device,
                                          larch_registry_reason *why);
larch_error larch_sessions_db_get_name(larch_sessions_db *db, uint64_t device, char name[LARCH_SESSIONS_NAME_MAX + 1],
                                       larch_registry_reason *why);

/* Adds a device with its own key, and by what it proves itself (NULL: method 4 and suite -24). LARCH_REPLAY, without *why:
 * there is one of this name. */
larch_error larch_sessions_db_enrol(larch_sessions_db *db, const char *name, const larch_sessions_psk_row *psk,
                                    const larch_sessions_credential_row *credential, larch_registry_reason *why);
/* Another credential of a device, whose own key has another seal then. */
larch_error larch_sessions_db_set_credential(larch_sessions_db *db, const larch_sessions_psk_row *psk,
                                             const larch_sessions_credential_row *credential,
                                             larch_registry_reason *why);
/* Hands the nth key of this kid to take, and returns what take does. LARCH_AGAIN: there is none. Views hold inside take. */
larch_error larch_sessions_db_find_psk(larch_sessions_db *db, larch_bytes kid, unsigned nth,
                                       larch_error (*take)(void *context, const larch_sessions_found_row *row),
                                       void *context, larch_registry_reason *why);
/* Likewise, the own key of a device. */
larch_error larch_sessions_db_find_own(larch_sessions_db *db, uint64_t device,
                                       larch_error (*take)(void *context, const larch_sessions_found_row *row),
                                       void *context, larch_registry_reason *why);
/* The device that has the credential of this hash. LARCH_AGAIN: none has. */
larch_error larch_sessions_db_find_hash(larch_sessions_db *db, larch_bytes hash, uint64_t *device,
                                        larch_registry_reason *why);
/* Whether a device with the public key of this hash was revoked. LARCH_AGAIN: none was. */
larch_error larch_sessions_db_find_revoked(larch_sessions_db *db, larch_bytes hash, larch_registry_reason *why);
/* Adds what a handshake under the key `under` made: a context, and the key for the next resumption; both get the next
 * number of a handshake. What the key's use has made superfluous is deleted: contexts and keys that are older than it, and
 * what an earlier handshake under it left unconfirmed; under a resumption key everything but that key and its context; and the
 * oldest, so that LARCH_ENROLLED_CONTEXTS_MAX stay. since: the last handshake that was stored when this one began. LARCH_AGAIN,
 * without *why: that key is not on record, or the device has stored another handshake since. */
larch_error larch_sessions_db_add_made(larch_sessions_db *db, const larch_sessions_row *row,
                                       const larch_sessions_psk_row *next, uint64_t under, uint64_t since,
                                       larch_sessions_doomed *doomed, larch_registry_reason *why);
/* The last handshake that was stored; 0: none was. */
larch_error larch_sessions_db_last_made(larch_sessions_db *db, uint64_t *made, larch_registry_reason *why);
/* A context is confirmed: deletes contexts and keys of its device that are older. LARCH_AGAIN, without *why: there is no
 * such context. */
larch_error larch_sessions_db_confirm(larch_sessions_db *db, uint64_t number, larch_sessions_doomed *doomed,
                                      larch_registry_reason *why);
/* Makes durable what the two above wrote. After an error nothing of that is in the database. */
larch_error larch_sessions_db_commit(larch_sessions_db *db, larch_registry_reason *why);
/* The first device whose number is behind *at, and whether it has a key of its own. LARCH_AGAIN: no more. */
larch_error larch_sessions_db_next_device(larch_sessions_db *db, uint64_t *at, char name[LARCH_SESSIONS_NAME_MAX + 1],
                                          bool *is_enrolled, larch_registry_reason *why);

/* key: what names the observation among those of its session. One that is there is replaced. */
larch_error larch_sessions_db_add_observation(larch_sessions_db *db, uint64_t session, larch_bytes key,
                                              larch_bytes record, larch_registry_reason *why);
larch_error larch_sessions_db_end_observation(larch_sessions_db *db, uint64_t session, larch_bytes key,
                                              larch_registry_reason *why);
/* The first one behind *at; its record is copied into record, which has cap bytes. LARCH_AGAIN: no more. */
larch_error larch_sessions_db_next_observation(larch_sessions_db *db, uint64_t *at, uint64_t *session, uint8_t *record,
                                               size_t cap, size_t *len, larch_registry_reason *why);
/* Those besides this one. */
larch_error larch_sessions_db_count_others(larch_sessions_db *db, uint64_t session, larch_bytes key, size_t *count,
                                           larch_registry_reason *why);

/* An earlier time than the one on record changes nothing. */
larch_error larch_sessions_db_store_heard(larch_sessions_db *db, const larch_sessions_heard_row *rows, size_t count,
                                          larch_registry_reason *why);

/* Hands the rows of all devices behind that name, or of the device of that name alone, to take, in the order of their names, until
 * it returns false. */
larch_error larch_sessions_db_list(larch_sessions_db *db, const char *name, bool is_behind,
                                   bool (*take)(void *context, const larch_sessions_listed_row *row), void *context,
                                   larch_registry_reason *why);

/* Between the two, changes by enrol and set_policy are parts of one. */
larch_error larch_sessions_db_begin_changes(larch_sessions_db *db, larch_registry_reason *why);
larch_error larch_sessions_db_end_changes(larch_sessions_db *db, bool keep, larch_registry_reason *why);

/* What a device may use: all entries at once; whether there are any, of any device; whether one, or none at all, gives a right;
 * the entry with the next name. */
larch_error larch_sessions_db_set_policy(larch_sessions_db *db, uint64_t device, const larch_policy_entry *entries,
                                         size_t count, larch_registry_reason *why);
larch_error larch_sessions_db_has_policies(larch_sessions_db *db, bool *has, larch_registry_reason *why);
larch_error larch_sessions_db_allows(larch_sessions_db *db, uint64_t device, larch_bytes name, unsigned right,
                                     bool *allows, larch_registry_reason *why);
larch_error larch_sessions_db_next_policy(larch_sessions_db *db, uint64_t device, larch_policy_entry *entry,
                                          larch_registry_reason *why);

/* Adds a command. LARCH_BUSY, without *why: as many wait as may, for its device or in all. */
larch_error larch_sessions_db_queue(larch_sessions_db *db, const larch_command_record *command, uint64_t *number,
                                    larch_registry_reason *why);
/* Another state, with what belongs to it; is_sent: counts a sending. Of commands that have ended, the oldest go beyond
 * LARCH_COMMANDS_KEPT and LARCH_COMMANDS_KEPT_MAX. */
larch_error larch_sessions_db_set_command(larch_sessions_db *db, const larch_command_record *command, bool is_sent,
                                          larch_registry_reason *why);
/* After a start: POSTs that were sent become unknown, and all others that were sent wait again. */
larch_error larch_sessions_db_resume_commands(larch_sessions_db *db, uint64_t unix_s, larch_registry_reason *why);
/* The first command of the device (0: of any, that has not ended) whose number is behind *at. LARCH_AGAIN: no more. */
larch_error larch_sessions_db_next_command(larch_sessions_db *db, uint64_t device, uint64_t *at,
                                           larch_command_record *command, larch_registry_reason *why);

/* Moves all of the log into the file, and cuts it to nothing. */
larch_error larch_sessions_db_truncate_log(larch_sessions_db *db, larch_registry_reason *why);

#endif
