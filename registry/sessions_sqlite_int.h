/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files over SQLite share: the statements, and what all do with them. sessions_sqlite.c has the file, settings,
 * contexts, devices and observations, sessions_made_sqlite.c keys and handshakes,
 * sessions_queue_sqlite.c commands, sessions_policy_sqlite.c policies.
 */
#ifndef LARCH_REGISTRY_SESSIONS_SQLITE_INT_H
#define LARCH_REGISTRY_SESSIONS_SQLITE_INT_H

#include "registry/sessions_db.h"
#include "registry/sqlite.h"

/* A key, the device's own key, and what the device proves itself by in method 0. */
#define FIND_KEY                                                                                     \
    "SELECT psk.number, psk.device, psk.made, psk.kid, psk.sealed, own.number, own.kid, own.sealed," \
    " credential.cred FROM psk JOIN psk AS own ON own.device = psk.device AND own.made = 0"          \
    " LEFT JOIN credential ON credential.device = psk.device WHERE "

#define COMMAND_COLUMNS                                                                                              \
    "SELECT number, device, state, method, sends, created, expires, ended, code, path, payload, result FROM command" \
    " WHERE "

/* Without a credential: method 4 and suite -24. */
#define LISTED                                                                                                    \
    "SELECT device.number, device.name, psk.number, ifnull(credential.method, 4), ifnull(credential.suite, -24)," \
    " heard.time, context.number FROM device LEFT JOIN psk ON psk.device = device.number AND psk.made = 0"        \
    " LEFT JOIN credential ON credential.device = device.number LEFT JOIN heard ON heard.device = device.number"  \
    " LEFT JOIN context ON context.device = device.number WHERE "

/* X(name, SQL) */
#define STATEMENTS(X)                                                                                                  \
    X(BEGIN, "BEGIN IMMEDIATE")                                                                                        \
    X(COMMIT, "COMMIT")                                                                                                \
    X(ROLLBACK, "ROLLBACK")                                                                                            \
    X(GET_SETTING, "SELECT unused, start, newest, checked FROM setting")                                               \
    X(SET_SETTING, "UPDATE setting SET unused = ?1, start = ?2, newest = ?3, checked = ?4")                            \
    X(LIST_CONTEXTS, "SELECT number, device, expires, own_used, failed, sealed, made, unconfirmed FROM context")       \
    X(ADD_CONTEXT, "INSERT INTO context VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")                                   \
    X(SET_COUNTERS, "UPDATE context SET own_used = ?2, failed = ?3 WHERE number = ?1")                                 \
    X(LIST_EXPIRED, "SELECT number FROM context WHERE expires > 0 AND expires <= ?1 ORDER BY expires")                 \
    X(DELETE_CONTEXT, "DELETE FROM context WHERE number = ?1")                                                         \
    X(DELETE_CONTEXTS, "DELETE FROM context WHERE device = ?1")                                                        \
    X(CLEAR_CONTEXTS, "DELETE FROM context")                                                                           \
    X(FIND_MARK, "SELECT 1 FROM mark WHERE mark = ?1")                                                                 \
    X(ADD_MARK, "INSERT INTO mark VALUES(?1, ?2)")                                                                     \
    X(DELETE_MARKS, "DELETE FROM mark WHERE expires > 0 AND expires <= ?1")                                            \
    X(FIND_DEVICE, "SELECT number FROM device WHERE name = ?1")                                                        \
    X(GET_NAME, "SELECT name FROM device WHERE number = ?1")                                                           \
    X(ADD_DEVICE, "INSERT INTO device VALUES(?1, ?2) ON CONFLICT(number) DO NOTHING")                                  \
    X(DELETE_DEVICE, "DELETE FROM device WHERE number = ?1")                                                           \
    X(NEXT_DEVICE, "SELECT number, name, EXISTS(SELECT 1 FROM psk WHERE psk.device = device.number AND psk.made = 0)"  \
                   " FROM device WHERE number > ?1 ORDER BY number LIMIT 1")                                           \
    X(ADD_PSK, "INSERT INTO psk VALUES(?1, ?2, ?3, ?4, ?5)")                                                           \
    X(FIND_PSK, FIND_KEY "psk.kid = ?1 ORDER BY psk.number LIMIT 1 OFFSET ?2")                                         \
    X(FIND_OWN, FIND_KEY "psk.device = ?1 AND psk.made = 0 LIMIT 1")                                                   \
    X(FIND_HASH, "SELECT device FROM credential WHERE hash = ?1")                                                      \
    X(ADD_CREDENTIAL, "INSERT OR REPLACE INTO credential VALUES(?1, ?2, ?3, ?4, ?5, ?6)")                              \
    X(DELETE_CREDENTIAL, "DELETE FROM credential WHERE device = ?1")                                                   \
    X(REVOKE_KEY, "INSERT OR IGNORE INTO revoked SELECT key FROM credential WHERE device = ?1 AND key IS NOT NULL")    \
    X(FIND_REVOKED, "SELECT 1 FROM revoked WHERE key = ?1")                                                            \
    X(SET_SEALED, "UPDATE psk SET sealed = ?2 WHERE number = ?1")                                                      \
    X(GET_CONTEXT, "SELECT device, made FROM context WHERE number = ?1")                                               \
    X(CONFIRM_CONTEXT, "UPDATE context SET unconfirmed = 0 WHERE number = ?1")                                         \
    X(LAST_MADE, "SELECT max(ifnull((SELECT max(made) FROM context WHERE made > 0), 0),"                               \
                 " ifnull((SELECT max(made) FROM psk WHERE made > 0), 0))")                                            \
    X(LIST_MADE,                                                                                                       \
      "SELECT number, made, parent, unconfirmed FROM context WHERE device = ?1 AND made > 0 ORDER BY made DESC")       \
    X(LIST_PSKS, "SELECT number, made FROM psk WHERE device = ?1 ORDER BY made DESC")                                  \
    X(DELETE_PSK, "DELETE FROM psk WHERE number = ?1")                                                                 \
    X(DELETE_PSKS, "DELETE FROM psk WHERE device = ?1")                                                                \
    X(ADD_OBSERVATION, "INSERT OR REPLACE INTO observation(session, key, record) VALUES(?1, ?2, ?3)")                  \
    X(END_OBSERVATION, "DELETE FROM observation WHERE session = ?1 AND key = ?2")                                      \
    X(DELETE_OBSERVATIONS, "DELETE FROM observation WHERE session = ?1")                                               \
    X(DELETE_OBSERVATIONS_OF_DEVICE,                                                                                   \
      "DELETE FROM observation WHERE session IN (SELECT number FROM context WHERE device = ?1)")                       \
    X(CLEAR_OBSERVATIONS, "DELETE FROM observation")                                                                   \
    X(NEXT_OBSERVATION, "SELECT id, session, record FROM observation WHERE id > ?1 ORDER BY id LIMIT 1")               \
    X(COUNT_OTHERS, "SELECT count(*) FROM observation WHERE session <> ?1 OR key <> ?2")                               \
    X(LIST_DEVICES, LISTED "device.name > ?1 ORDER BY device.name, context.number")                                    \
    X(SHOW_DEVICE, LISTED "device.name = ?1 ORDER BY context.number")                                                  \
    X(QUEUE_COMMAND, "INSERT INTO command(device, state, method, sends, created, expires, ended, code, path, payload)" \
                     " VALUES(?1, 0, ?2, 0, ?3, ?4, 0, 0, ?5, ?6)")                                                    \
    X(COUNT_COMMANDS, "SELECT (SELECT count(*) FROM command WHERE device = ?1 AND state < 2),"                         \
                      " (SELECT count(*) FROM command WHERE state < 2)")                                               \
    X(SET_COMMAND, "UPDATE command SET state = ?2, sends = sends + ?3, ended = ?4, code = ?5, result = ?6"             \
                   " WHERE number = ?1")                                                                               \
    X(TRIM_COMMANDS, "DELETE FROM command WHERE device = ?1 AND state >= 2 AND number NOT IN (SELECT number"           \
                     " FROM command WHERE device = ?1 AND state >= 2 ORDER BY number DESC LIMIT ?2)")                  \
    X(TRIM_ALL_COMMANDS, "DELETE FROM command WHERE state >= 2 AND number <= (SELECT number FROM command"              \
                         " WHERE state >= 2 ORDER BY number DESC LIMIT 1 OFFSET ?1)")                                  \
    X(END_SENT, "UPDATE command SET state = 5, ended = ?1 WHERE state = 1 AND method = 2")                             \
    X(END_WAITING, "UPDATE command SET state = 5, ended = ?1 WHERE state < 2")                                         \
    X(RESUME_SENT, "UPDATE command SET state = 0 WHERE state = 1")                                                     \
    X(NEXT_COMMAND, COMMAND_COLUMNS "device = ?1 AND number > ?2 ORDER BY number LIMIT 1")                             \
    X(NEXT_WAITING, COMMAND_COLUMNS "state < 2 AND number > ?2 ORDER BY number LIMIT 1")                               \
    X(DELETE_COMMANDS, "DELETE FROM command WHERE device = ?1")                                                        \
    X(SET_HEARD, "INSERT INTO heard VALUES(?1, ?2) ON CONFLICT(device) DO UPDATE SET time = max(time, ?2)")            \
    X(DELETE_HEARD, "DELETE FROM heard WHERE device = ?1")                                                             \
    X(ADD_POLICY, "INSERT OR REPLACE INTO policy VALUES(?1, ?2, ?3)")                                                  \
    X(HAS_POLICIES, "SELECT EXISTS(SELECT 1 FROM policy)")                                                             \
    X(ALLOWS, "SELECT NOT EXISTS(SELECT 1 FROM policy WHERE device = ?1) OR EXISTS(SELECT 1 FROM policy"               \
              " WHERE device = ?1 AND name IN (?2, '*') AND rights & ?3 <> 0)")                                        \
    X(NEXT_POLICY, "SELECT name, rights FROM policy WHERE device = ?1 AND name > ?2 ORDER BY name LIMIT 1")            \
    X(BEGIN_ONE, "SAVEPOINT one")                                                                                      \
    X(END_ONE, "RELEASE one")                                                                                          \
    X(DROP_ONE, "ROLLBACK TO one")                                                                                     \
    X(DELETE_POLICY, "DELETE FROM policy WHERE device = ?1")                                                           \
    X(TRUNCATE, "PRAGMA wal_checkpoint(TRUNCATE)")

#define STATEMENT_ENUM(name, sql) name,
enum { STATEMENTS(STATEMENT_ENUM) STATEMENT_COUNT };
#undef STATEMENT_ENUM

struct larch_sessions_db {
    sqlite3 *sqlite;
    sqlite3_stmt *statements[STATEMENT_COUNT];
    bool is_in_changes; /* a transaction of several changes is open */
    uint64_t last_made; /* number of the newest handshake, if it is known */
    bool has_last_made;
    size_t part;        /* of the group, the newest */
    bool has_group;     /* a transaction is open, for handshakes that are made durable together */
    bool is_group_lost; /* the last one failed, and nobody was told yet */
    larch_registry_reason group_why;
    char path[LARCH_REGISTRY_PATH_MAX];
};

/* ---- statements ---------------------------------------------------------- */

static inline sqlite3_stmt *with_number(larch_sessions_db *db, int which, uint64_t number)
{
    sqlite3_stmt *s = db->statements[which];
    (void)sqlite3_bind_int64(s, 1, number < INT64_MAX ? (sqlite3_int64)number : INT64_MAX);
    return s;
}

static inline void bind_bytes(sqlite3_stmt *s, int index, larch_bytes bytes)
{
    (void)sqlite3_bind_blob64(s, index, bytes.data, bytes.len, SQLITE_STATIC);
}

static inline uint64_t column(sqlite3_stmt *s, int index)
{
    const sqlite3_int64 value = sqlite3_column_int64(s, index);
    return value > 0 ? (uint64_t)value : 0;
}

static inline uint32_t column_32(sqlite3_stmt *s, int index)
{
    const uint64_t value = column(s, index);
    return value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;
}

static inline larch_bytes column_bytes(sqlite3_stmt *s, int index)
{
    const uint8_t *data = sqlite3_column_blob(s, index); /* before its length */
    return (larch_bytes){data, (size_t)sqlite3_column_bytes(s, index)};
}

static inline larch_error run(larch_sessions_db *db, int which, larch_registry_reason *why)
{
    return larch_sqlite_run(db->sqlite, db->path, db->statements[which], why);
}

static inline larch_error run_with_number(larch_sessions_db *db, int which, uint64_t number, larch_registry_reason *why)
{
    (void)with_number(db, which, number);
    return run(db, which, why);
}

/* A row to be read and reset; LARCH_AGAIN: there is none, and the statement is reset. */
static inline larch_error step(larch_sessions_db *db, sqlite3_stmt *s, larch_registry_reason *why)
{
    const int code = sqlite3_step(s);
    if (code == SQLITE_ROW)
        return LARCH_OK;
    const larch_error e = code == SQLITE_DONE ? LARCH_AGAIN : larch_sqlite_fail(db->sqlite, db->path, why);
    (void)sqlite3_reset(s);
    return e;
}

static inline larch_error end_transaction(larch_sessions_db *db, larch_error e, larch_registry_reason *why)
{
    larch_registry_reason other; /* the first failure is the one to report */
    if (e == LARCH_OK)
        e = run(db, COMMIT, why);
    if (e != LARCH_OK && sqlite3_get_autocommit(db->sqlite) == 0)
        (void)!run(db, ROLLBACK, &other);
    return e;
}

/* Makes a group durable that is open, because something else is to be durable by itself; larch_sessions_db_commit tells
 * what came of it. */
static inline void end_group(larch_sessions_db *db)
{
    if (!db->has_group)
        return;
    db->has_group = false;
    if (end_transaction(db, LARCH_OK, &db->group_why) != LARCH_OK)
        db->is_group_lost = true;
}

/* A transaction by itself. */
static inline larch_error begin_transaction(larch_sessions_db *db, larch_registry_reason *why)
{
    end_group(db);
    return run(db, BEGIN, why);
}

/* A change by itself, or one of several. */
static inline larch_error begin_change(larch_sessions_db *db, larch_registry_reason *why)
{
    return db->is_in_changes ? run(db, BEGIN_ONE, why) : begin_transaction(db, why);
}

/* One that fails leaves the others. SQLite itself may have ended the whole transaction, as on a full disk. */
static inline larch_error end_change(larch_sessions_db *db, larch_error e, larch_registry_reason *why)
{
    larch_registry_reason other;
    if (!db->is_in_changes)
        return end_transaction(db, e, why);
    if (e == LARCH_OK)
        return run(db, END_ONE, why);
    if (sqlite3_get_autocommit(db->sqlite) == 0) {
        (void)!run(db, DROP_ONE, &other);
        (void)!run(db, END_ONE, &other);
    }
    return e;
}

/* The row of a context. parent: the handshake that made the key under which this one was made; 0: none did. */
larch_error larch_sessions_sqlite_add_row(larch_sessions_db *db, const larch_sessions_row *row, uint64_t parent,
                                          larch_registry_reason *why);

#endif
