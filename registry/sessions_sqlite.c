/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sessions in SQLite. What a context is stands in one sealed column; device and expiry stand beside it too, for the
 * statements that look for them. Numbers are below 2^63, as SQLite has them.
 */
#include <stdlib.h>
#include <string.h>

#include "registry/sessions_sqlite_int.h"

static const larch_sqlite_kind sessions_kind = {
    .noun = "table of sessions",
    .application_id = 0x6c726853, /* "lrhS" */
    .version = LARCH_SESSIONS_SCHEMA,
    .schema = "CREATE TABLE setting(id INTEGER PRIMARY KEY CHECK(id = 0), unused INTEGER NOT NULL,"
              " start INTEGER NOT NULL, newest INTEGER NOT NULL, checked BLOB);"
              "INSERT INTO setting VALUES(0, 0, 0, 0, NULL);"
              "CREATE TABLE device(number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
              "CREATE TABLE context(number INTEGER PRIMARY KEY, device INTEGER NOT NULL, expires INTEGER NOT NULL,"
              " own_used INTEGER NOT NULL, failed INTEGER NOT NULL, sealed BLOB NOT NULL,"
              " made INTEGER NOT NULL, parent INTEGER NOT NULL, unconfirmed INTEGER NOT NULL);"
              "CREATE INDEX context_device ON context(device);"
              "CREATE INDEX context_expires ON context(expires) WHERE expires > 0;"
              "CREATE INDEX context_made ON context(made) WHERE made > 0;"
              "CREATE TABLE psk(number INTEGER PRIMARY KEY, device INTEGER NOT NULL, made INTEGER NOT NULL,"
              " kid BLOB NOT NULL, sealed BLOB NOT NULL);"
              "CREATE INDEX psk_device ON psk(device);"
              "CREATE INDEX psk_kid ON psk(kid);"
              "CREATE INDEX psk_made ON psk(made) WHERE made > 0;"
              "CREATE TABLE mark(mark BLOB PRIMARY KEY, expires INTEGER NOT NULL) WITHOUT ROWID;"
              "CREATE TABLE observation(id INTEGER PRIMARY KEY, session INTEGER NOT NULL, key BLOB NOT NULL,"
              " record BLOB NOT NULL, UNIQUE(session, key))",
    .additions = "CREATE TABLE IF NOT EXISTS credential(device INTEGER PRIMARY KEY, method INTEGER NOT NULL,"
                 " suite INTEGER NOT NULL, key BLOB, hash BLOB, cred BLOB,"
                 " CHECK(method = 0 OR method = 4 OR (method = 3 AND suite > 0)));"
                 "CREATE INDEX IF NOT EXISTS credential_hash ON credential(hash) WHERE hash IS NOT NULL;"
                 "CREATE TABLE IF NOT EXISTS revoked(key BLOB PRIMARY KEY) WITHOUT ROWID;"
                 "CREATE TABLE IF NOT EXISTS kept(number INTEGER PRIMARY KEY, sealed BLOB NOT NULL);" /* reseal.h */
                 "CREATE TABLE IF NOT EXISTS command(number INTEGER PRIMARY KEY AUTOINCREMENT,"
                 " device INTEGER NOT NULL, state INTEGER NOT NULL, method INTEGER NOT NULL, sends INTEGER NOT NULL,"
                 " created INTEGER NOT NULL, expires INTEGER NOT NULL, ended INTEGER NOT NULL, code INTEGER NOT NULL,"
                 " path TEXT NOT NULL, payload BLOB, result BLOB);"
                 "CREATE INDEX IF NOT EXISTS command_device ON command(device, number);"
                 "CREATE INDEX IF NOT EXISTS command_waits ON command(number) WHERE state < 2;"
                 "CREATE INDEX IF NOT EXISTS command_ended ON command(number) WHERE state >= 2;"
                 "CREATE TABLE IF NOT EXISTS heard(device INTEGER PRIMARY KEY, time INTEGER NOT NULL);"
                 "CREATE TABLE IF NOT EXISTS policy(device INTEGER NOT NULL, name TEXT NOT NULL,"
                 " rights INTEGER NOT NULL, PRIMARY KEY(device, name)) WITHOUT ROWID",
    .keeps_copy = true,
};

#define STATEMENT_TEXT(name, sql) sql,
static const char *const texts[STATEMENT_COUNT] = {STATEMENTS(STATEMENT_TEXT)};
#undef STATEMENT_TEXT

/* ---- opening ------------------------------------------------------------- */

larch_error larch_sessions_db_open(larch_sessions_db **out, const char *path, larch_registry_reason *why)
{
    sqlite3 *sqlite;
    larch_error e = larch_sqlite_open(&sqlite, path, &sessions_kind, true, why);
    if (e != LARCH_OK)
        return e;
    larch_sessions_db *db = calloc(1, sizeof *db);
    if (db == NULL) {
        (void)sqlite3_close(sqlite);
        return larch_registry_fail(why, path, LARCH_REGISTRY_FAILED, "cannot be opened: out of memory");
    }
    db->sqlite = sqlite;
    memcpy(db->path, path, strlen(path) + 1); /* larch_sqlite_open has checked its length */
    for (size_t i = 0; e == LARCH_OK && i < STATEMENT_COUNT; i++)
        e = larch_sqlite_prepare(sqlite, path, texts[i], &db->statements[i], why);
    if (e != LARCH_OK) {
        larch_sessions_db_close(db);
        return e;
    }
    *out = db;
    return LARCH_OK;
}

void larch_sessions_db_close(larch_sessions_db *db)
{
    if (db == NULL)
        return;
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        (void)sqlite3_finalize(db->statements[i]);
    (void)sqlite3_close(db->sqlite);
    free(db);
}

/* ---- setting ------------------------------------------------------------- */

larch_error larch_sessions_db_get_setting(larch_sessions_db *db, larch_sessions_setting *setting,
                                          larch_registry_reason *why)
{
    sqlite3_stmt *s = db->statements[GET_SETTING];
    const larch_error e = step(db, s, why);
    if (e == LARCH_AGAIN)
        return larch_registry_fail(why, db->path, LARCH_REGISTRY_DAMAGED, "is damaged (its settings are missing)");
    if (e != LARCH_OK)
        return e;
    const larch_bytes check = column_bytes(s, 3);
    *setting = (larch_sessions_setting){column(s, 0), column_32(s, 1), column_32(s, 2), check.data != NULL, {0}};
    const bool is_sound = check.data == NULL || check.len == sizeof setting->check;
    if (is_sound && check.data != NULL)
        memcpy(setting->check, check.data, sizeof setting->check);
    (void)sqlite3_reset(s);
    return is_sound ? LARCH_OK
                    : larch_registry_fail(why, db->path, LARCH_REGISTRY_DAMAGED, "is damaged (its settings)");
}

static larch_error set_setting(larch_sessions_db *db, const larch_sessions_setting *setting, larch_registry_reason *why)
{
    sqlite3_stmt *s = with_number(db, SET_SETTING, setting->unused);
    (void)sqlite3_bind_int64(s, 2, setting->start);
    (void)sqlite3_bind_int64(s, 3, setting->newest_s);
    bind_bytes(s, 4, (larch_bytes){setting->has_check ? setting->check : NULL, sizeof setting->check});
    return run(db, SET_SETTING, why);
}

larch_error larch_sessions_db_store(larch_sessions_db *db, const larch_sessions_setting *setting,
                                    const larch_sessions_counters *counters, size_t count, larch_registry_reason *why)
{
    larch_error e = begin_transaction(db, why);
    if (e != LARCH_OK)
        return e;
    if (setting != NULL)
        e = set_setting(db, setting, why);
    for (size_t i = 0; e == LARCH_OK && i < count; i++) {
        sqlite3_stmt *s = with_number(db, SET_COUNTERS, counters[i].number);
        (void)sqlite3_bind_int64(s, 2, counters[i].own_used);
        (void)sqlite3_bind_int64(s, 3, counters[i].failed);
        e = run(db, SET_COUNTERS, why);
    }
    return end_transaction(db, e, why);
}

/* ---- contexts ------------------------------------------------------------ */

larch_error larch_sessions_db_each(larch_sessions_db *db,
                                   larch_error (*take)(void *context, const larch_sessions_row *row), void *context,
                                   larch_registry_reason *why)
{
    sqlite3_stmt *s = db->statements[LIST_CONTEXTS];
    larch_error e;
    while ((e = step(db, s, why)) == LARCH_OK) {
        const larch_sessions_row row = {.number = column(s, 0),
                                        .device = column(s, 1),
                                        .expires_s = column_32(s, 2),
                                        .own_used = column_32(s, 3),
                                        .failed = column_32(s, 4),
                                        .sealed = column_bytes(s, 5),
                                        .made = column(s, 6),
                                        .is_unconfirmed = column(s, 7) != 0};
        if ((e = take(context, &row)) != LARCH_OK)
            break;
    }
    (void)sqlite3_reset(s);
    return e == LARCH_AGAIN ? LARCH_OK : e;
}

static larch_error add_mark(larch_sessions_db *db, const uint8_t *mark, uint32_t expires_s, larch_registry_reason *why)
{
    const larch_bytes bytes = {mark, LARCH_SESSIONS_MARK_LEN};
    sqlite3_stmt *s = db->statements[FIND_MARK];
    bind_bytes(s, 1, bytes);
    const larch_error e = step(db, s, why);
    (void)sqlite3_reset(s);
    if (e != LARCH_AGAIN)
        return e == LARCH_OK ? LARCH_REPLAY : e;
    bind_bytes(db->statements[ADD_MARK], 1, bytes);
    (void)sqlite3_bind_int64(db->statements[ADD_MARK], 2, expires_s);
    return run(db, ADD_MARK, why);
}

larch_error larch_sessions_sqlite_add_row(larch_sessions_db *db, const larch_sessions_row *row, uint64_t parent,
                                          larch_registry_reason *why)
{
    sqlite3_stmt *s = with_number(db, ADD_CONTEXT, row->number);
    (void)sqlite3_bind_int64(s, 2, (sqlite3_int64)row->device);
    (void)sqlite3_bind_int64(s, 3, row->expires_s);
    (void)sqlite3_bind_int64(s, 4, row->own_used);
    (void)sqlite3_bind_int64(s, 5, row->failed);
    bind_bytes(s, 6, row->sealed);
    (void)sqlite3_bind_int64(s, 7, (sqlite3_int64)row->made);
    (void)sqlite3_bind_int64(s, 8, (sqlite3_int64)parent);
    (void)sqlite3_bind_int64(s, 9, row->is_unconfirmed);
    return run(db, ADD_CONTEXT, why);
}

larch_error larch_sessions_db_add(larch_sessions_db *db, const larch_sessions_row *row, const char *name,
                                  uint8_t marks[LARCH_SESSIONS_MARKS][LARCH_SESSIONS_MARK_LEN],
                                  larch_registry_reason *why)
{
    larch_error e = begin_transaction(db, why);
    if (e != LARCH_OK)
        return e;
    (void)sqlite3_bind_text(with_number(db, ADD_DEVICE, row->device), 2, name, -1, SQLITE_STATIC);
    e = run(db, ADD_DEVICE, why);
    for (size_t i = 0; e == LARCH_OK && i < LARCH_SESSIONS_MARKS; i++)
        e = add_mark(db, marks[i], row->expires_s, why);
    return end_transaction(db, e == LARCH_OK ? larch_sessions_sqlite_add_row(db, row, 0, why) : e, why);
}

larch_error larch_sessions_db_remove(larch_sessions_db *db, const uint64_t *numbers, size_t count, uint64_t unix_s,
                                     larch_registry_reason *why)
{
    larch_error e = begin_transaction(db, why);
    if (e != LARCH_OK)
        return e;
    for (size_t i = 0; e == LARCH_OK && i < count; i++)
        if ((e = run_with_number(db, DELETE_OBSERVATIONS, numbers[i], why)) == LARCH_OK)
            e = run_with_number(db, DELETE_CONTEXT, numbers[i], why);
    if (e == LARCH_OK && unix_s > 0)
        e = run_with_number(db, DELETE_MARKS, unix_s, why);
    return end_transaction(db, e, why);
}

larch_error larch_sessions_db_remove_device(larch_sessions_db *db, uint64_t device, larch_registry_reason *why)
{
    larch_error e = begin_transaction(db, why);
    if (e != LARCH_OK)
        return e;
    if ((e = run_with_number(db, DELETE_OBSERVATIONS_OF_DEVICE, device, why)) == LARCH_OK &&
        (e = run_with_number(db, DELETE_CONTEXTS, device, why)) == LARCH_OK &&
        (e = run_with_number(db, DELETE_PSKS, device, why)) == LARCH_OK &&
        (e = run_with_number(db, REVOKE_KEY, device, why)) == LARCH_OK &&
        (e = run_with_number(db, DELETE_CREDENTIAL, device, why)) == LARCH_OK &&
        (e = run_with_number(db, DELETE_COMMANDS, device, why)) == LARCH_OK &&
        (e = run_with_number(db, DELETE_HEARD, device, why)) == LARCH_OK &&
        (e = run_with_number(db, DELETE_POLICY, device, why)) == LARCH_OK)
        e = run_with_number(db, DELETE_DEVICE, device, why);
    return end_transaction(db, e, why);
}

larch_error larch_sessions_db_clear(larch_sessions_db *db, const larch_sessions_setting *setting, size_t *removed,
                                    larch_registry_reason *why)
{
    larch_error e = begin_transaction(db, why);
    int count = 0;
    if (e != LARCH_OK)
        return e;
    if ((e = run(db, CLEAR_OBSERVATIONS, why)) == LARCH_OK && (e = run(db, CLEAR_CONTEXTS, why)) == LARCH_OK) {
        count = sqlite3_changes(db->sqlite);
        /* The file may be an old copy: what waits in it may have been carried out since. */
        if ((e = run_with_number(db, END_WAITING, setting->newest_s, why)) == LARCH_OK)
            e = set_setting(db, setting, why);
    }
    if ((e = end_transaction(db, e, why)) == LARCH_OK)
        *removed = (size_t)count;
    return e;
}

larch_error larch_sessions_db_list_expired(larch_sessions_db *db, uint64_t unix_s, uint64_t *numbers, size_t cap,
                                           size_t *count, larch_registry_reason *why)
{
    sqlite3_stmt *s = with_number(db, LIST_EXPIRED, unix_s);
    larch_error e = LARCH_OK;
    size_t found = 0;
    while (found < cap && (e = step(db, s, why)) == LARCH_OK)
        numbers[found++] = column(s, 0);
    (void)sqlite3_reset(s);
    if (e != LARCH_OK && e != LARCH_AGAIN)
        return e;
    *count = found;
    return LARCH_OK;
}

/* ---- devices ------------------------------------------------------------- */

larch_error larch_sessions_db_find_device(larch_sessions_db *db, const char *name, uint64_t *device,
                                          larch_registry_reason *why)
{
    sqlite3_stmt *s = db->statements[FIND_DEVICE];
    (void)sqlite3_bind_text(s, 1, name, -1, SQLITE_STATIC);
    const larch_error e = step(db, s, why);
    if (e == LARCH_OK)
        *device = column(s, 0);
    (void)sqlite3_reset(s);
    return e;
}

static larch_error take_name(const larch_sessions_db *db, sqlite3_stmt *s, int index,
                             char name[LARCH_SESSIONS_NAME_MAX + 1], larch_registry_reason *why)
{
    const char *text = (const char *)sqlite3_column_text(s, index);
    const size_t len = (size_t)sqlite3_column_bytes(s, index);
    if (text == NULL || len > LARCH_SESSIONS_NAME_MAX)
        return larch_registry_fail(why, db->path, LARCH_REGISTRY_DAMAGED, "is damaged (a name)");
    memcpy(name, text, len);
    name[len] = '\0';
    return LARCH_OK;
}

larch_error larch_sessions_db_get_name(larch_sessions_db *db, uint64_t device, char name[LARCH_SESSIONS_NAME_MAX + 1],
                                       larch_registry_reason *why)
{
    sqlite3_stmt *s = with_number(db, GET_NAME, device);
    larch_error e = step(db, s, why);
    if (e != LARCH_OK)
        return e;
    e = take_name(db, s, 0, name, why);
    (void)sqlite3_reset(s);
    return e;
}

larch_error larch_sessions_db_next_device(larch_sessions_db *db, uint64_t *at, char name[LARCH_SESSIONS_NAME_MAX + 1],
                                          bool *is_enrolled, larch_registry_reason *why)
{
    sqlite3_stmt *s = with_number(db, NEXT_DEVICE, *at);
    larch_error e = step(db, s, why);
    if (e != LARCH_OK)
        return e;
    e = take_name(db, s, 1, name, why);
    if (e == LARCH_OK) {
        *at = column(s, 0);
        *is_enrolled = column(s, 2) != 0;
    }
    (void)sqlite3_reset(s);
    return e;
}

larch_error larch_sessions_db_store_heard(larch_sessions_db *db, const larch_sessions_heard_row *rows, size_t count,
                                          larch_registry_reason *why)
{
    larch_error e = begin_transaction(db, why);
    if (e != LARCH_OK)
        return e;
    for (size_t i = 0; e == LARCH_OK && i < count; i++) {
        (void)sqlite3_bind_int64(with_number(db, SET_HEARD, rows[i].device), 2, rows[i].time_s);
        e = run(db, SET_HEARD, why);
    }
    return end_transaction(db, e, why);
}

larch_error larch_sessions_db_list(larch_sessions_db *db, const char *name, bool is_behind,
                                   bool (*take)(void *context, const larch_sessions_listed_row *row), void *context,
                                   larch_registry_reason *why)
{
    sqlite3_stmt *s = db->statements[is_behind ? LIST_DEVICES : SHOW_DEVICE];
    larch_error e;
    (void)sqlite3_bind_text(s, 1, name, -1, SQLITE_STATIC);
    while ((e = step(db, s, why)) == LARCH_OK) {
        larch_sessions_listed_row row = {.device = column(s, 0),
                                         .context = column(s, 6),
                                         .is_enrolled = sqlite3_column_type(s, 2) != SQLITE_NULL,
                                         .method = sqlite3_column_int(s, 3),
                                         .suite = sqlite3_column_int(s, 4),
                                         .heard_s = column_32(s, 5)};
        if ((e = take_name(db, s, 1, row.name, why)) != LARCH_OK || !take(context, &row))
            break;
    }
    (void)sqlite3_reset(s);
    return e == LARCH_AGAIN ? LARCH_OK : e;
}

/* ---- observations -------------------------------------------------------- */

larch_error larch_sessions_db_add_observation(larch_sessions_db *db, uint64_t session, larch_bytes key,
                                              larch_bytes record, larch_registry_reason *why)
{
    sqlite3_stmt *s = with_number(db, ADD_OBSERVATION, session);
    end_group(db);
    bind_bytes(s, 2, key);
    bind_bytes(s, 3, record);
    return run(db, ADD_OBSERVATION, why);
}

larch_error larch_sessions_db_end_observation(larch_sessions_db *db, uint64_t session, larch_bytes key,
                                              larch_registry_reason *why)
{
    end_group(db);
    bind_bytes(with_number(db, END_OBSERVATION, session), 2, key);
    return run(db, END_OBSERVATION, why);
}

larch_error larch_sessions_db_next_observation(larch_sessions_db *db, uint64_t *at, uint64_t *session, uint8_t *record,
                                               size_t cap, size_t *len, larch_registry_reason *why)
{
    sqlite3_stmt *s = with_number(db, NEXT_OBSERVATION, *at);
    const larch_error e = step(db, s, why);
    if (e != LARCH_OK)
        return e;
    const larch_bytes bytes = column_bytes(s, 2);
    const bool is_sound = bytes.data != NULL && bytes.len <= cap;
    if (is_sound) {
        *at = column(s, 0);
        *session = column(s, 1);
        *len = bytes.len;
        memcpy(record, bytes.data, bytes.len);
    }
    (void)sqlite3_reset(s);
    return is_sound ? LARCH_OK
                    : larch_registry_fail(why, db->path, LARCH_REGISTRY_DAMAGED, "is damaged (an observation)");
}

larch_error larch_sessions_db_count_others(larch_sessions_db *db, uint64_t session, larch_bytes key, size_t *count,
                                           larch_registry_reason *why)
{
    sqlite3_stmt *s = with_number(db, COUNT_OTHERS, session);
    bind_bytes(s, 2, key);
    const larch_error e = step(db, s, why);
    if (e == LARCH_OK)
        *count = (size_t)column(s, 0);
    (void)sqlite3_reset(s);
    return e;
}

/* ---- log ----------------------------------------------------------------- */

/* Its row says whether it was blocked, which nobody can do who holds the file alone. */
larch_error larch_sessions_db_truncate_log(larch_sessions_db *db, larch_registry_reason *why)
{
    sqlite3_stmt *s = db->statements[TRUNCATE];
    end_group(db);
    const larch_error e = step(db, s, why);
    (void)sqlite3_reset(s);
    return e == LARCH_AGAIN ? LARCH_OK : e;
}
