/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The outbox in SQLite. One row is one batch: a row for each message would cost ten times as much. The newest batch
 * stays in the file, delivered or not, because the next sequence number follows from it. A row of a log, of identities
 * or of last readings, holds entries that one transaction added; its key is the position behind the last of them.
 */
#include <stdlib.h>
#include <string.h>

#include "registry/crc.h"
#include "registry/outbox_db.h"
#include "registry/sqlite.h"

static const larch_sqlite_kind outbox_kind = {
    .noun = "outbox",
    .application_id = 0x6c72684f, /* "lrhO" */
    .version = 2,                 /* 2: records of readings, and the logs */
    .schema = "CREATE TABLE batch(first INTEGER PRIMARY KEY, count INTEGER NOT NULL, ends INTEGER NOT NULL,"
              " crc INTEGER NOT NULL, bytes BLOB NOT NULL);"
              "CREATE TABLE sink(name TEXT PRIMARY KEY, delivered INTEGER NOT NULL, handed INTEGER NOT NULL)"
              " WITHOUT ROWID",
    /* start has one row: the start counter of the state folder that the file is part of. */
    .additions = "CREATE TABLE IF NOT EXISTS start(id INTEGER PRIMARY KEY CHECK(id = 0), counter INTEGER NOT NULL);"
                 "CREATE TABLE IF NOT EXISTS seen(ends INTEGER PRIMARY KEY, crc INTEGER NOT NULL, bytes BLOB NOT NULL);"
                 "CREATE TABLE IF NOT EXISTS last(ends INTEGER PRIMARY KEY, crc INTEGER NOT NULL, bytes BLOB NOT NULL)",
};

/* X(name, SQL) */
#define STATEMENTS(X)                                                                                            \
    X(BEGIN, "BEGIN IMMEDIATE")                                                                                  \
    X(COMMIT, "COMMIT")                                                                                          \
    X(ROLLBACK, "ROLLBACK")                                                                                      \
    X(ADD_BATCH, "INSERT INTO batch(first, count, ends, crc, bytes) VALUES(?1, ?2, ?3, ?4, ?5)")                 \
    X(DELETE_BATCHES, "DELETE FROM batch WHERE first < ?1")                                                      \
    X(LOAD, "SELECT first, count, ends, crc, bytes FROM batch WHERE first <= ?1 ORDER BY first DESC LIMIT 1")    \
    X(FIND, "SELECT first, count, ends, length(bytes) FROM batch WHERE first <= ?1 ORDER BY first DESC LIMIT 1") \
    X(FOLLOW, "SELECT first, count, ends FROM batch WHERE first >= ?1 ORDER BY first")                           \
    X(SET_CURSOR, "UPDATE sink SET delivered = ?2, handed = ?3 WHERE name = ?1")                                 \
    X(ADD_CURSOR, "INSERT OR IGNORE INTO sink VALUES(?1, ?2, ?2)")                                               \
    X(GET_CURSOR, "SELECT delivered, handed FROM sink WHERE name = ?1")                                          \
    X(LOWEST_CURSOR, "SELECT coalesce(min(delivered), 0), 0 FROM sink")                                          \
    X(LIST_CURSORS, "SELECT name FROM sink")                                                                     \
    X(DELETE_CURSOR, "DELETE FROM sink WHERE name = ?1")                                                         \
    X(ADD_SEEN, "INSERT INTO seen(ends, crc, bytes) VALUES(?1, ?2, ?3)")                                         \
    X(DELETE_SEEN, "DELETE FROM seen WHERE ends <= ?1")                                                          \
    X(LOAD_SEEN, "SELECT ends, crc, bytes FROM seen WHERE ends > ?1 ORDER BY ends LIMIT 1")                      \
    X(LIST_SEEN, "SELECT ends, crc, bytes FROM seen ORDER BY ends")                                              \
    X(ADD_LAST, "INSERT INTO last(ends, crc, bytes) VALUES(?1, ?2, ?3)")                                         \
    X(DELETE_LAST, "DELETE FROM last WHERE ends <= ?1")                                                          \
    X(LIST_LAST, "SELECT ends, crc, bytes FROM last ORDER BY ends")                                              \
    X(GET_START, "SELECT counter, 0 FROM start")                                                                 \
    X(SET_START, "INSERT OR REPLACE INTO start VALUES(0, ?1)")

#define STATEMENT_ENUM(name, sql) name,
#define STATEMENT_TEXT(name, sql) sql,
enum { STATEMENTS(STATEMENT_ENUM) STATEMENT_COUNT };
static const char *const texts[STATEMENT_COUNT] = {STATEMENTS(STATEMENT_TEXT)};

struct larch_outbox_db {
    sqlite3 *sqlite;
    sqlite3_stmt *statements[STATEMENT_COUNT];
    bool medium;
    larch_crc crc;
    char path[LARCH_REGISTRY_PATH_MAX];
};

/* ---- opening ------------------------------------------------------------- */

larch_error larch_outbox_db_open(larch_outbox_db **out, const char *path, larch_outbox_durability durability,
                                 larch_registry_reason *why)
{
    sqlite3 *sqlite;
    larch_error e = larch_sqlite_open(&sqlite, path, &outbox_kind, durability == LARCH_OUTBOX_MEDIUM, why);
    if (e != LARCH_OK)
        return e;
    larch_outbox_db *db = calloc(1, sizeof *db);
    if (db == NULL) {
        (void)sqlite3_close(sqlite);
        return larch_registry_fail(why, path, LARCH_REGISTRY_FAILED, "cannot be opened: out of memory");
    }
    db->sqlite = sqlite;
    larch_crc_init(&db->crc);
    db->medium = durability == LARCH_OUTBOX_MEDIUM;
    memcpy(db->path, path, strlen(path) + 1); /* larch_sqlite_open has checked its length */
    for (size_t i = 0; e == LARCH_OK && i < STATEMENT_COUNT; i++)
        e = larch_sqlite_prepare(sqlite, path, texts[i], &db->statements[i], why);
    if (e != LARCH_OK) {
        larch_outbox_db_close(db);
        return e;
    }
    *out = db;
    return LARCH_OK;
}

void larch_outbox_db_close(larch_outbox_db *db)
{
    if (db == NULL)
        return;
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        (void)sqlite3_finalize(db->statements[i]);
    (void)sqlite3_close(db->sqlite);
    free(db);
}

/* ---- reading ------------------------------------------------------------- */

static larch_error damaged(const larch_outbox_db *db, const char *text, larch_registry_reason *why)
{
    return larch_registry_fail(why, db->path, LARCH_REGISTRY_DAMAGED, text);
}

static sqlite3_stmt *with_number(larch_outbox_db *db, int which, uint64_t number)
{
    sqlite3_stmt *s = db->statements[which];
    (void)sqlite3_bind_int64(s, 1, number < INT64_MAX ? (sqlite3_int64)number : INT64_MAX);
    return s;
}

static uint64_t column(sqlite3_stmt *s, int index)
{
    const sqlite3_int64 value = sqlite3_column_int64(s, index);
    return value > 0 ? (uint64_t)value : 0;
}

static larch_error take_extent(larch_outbox_db *db, sqlite3_stmt *s, uint64_t sequence, size_t len,
                               larch_outbox_batch *out, larch_registry_reason *why)
{
    const uint64_t first = column(s, 0), count = column(s, 1), ends = column(s, 2);
    if (first == 0 || count == 0 || count > LARCH_OUTBOX_BATCH_MAX || first > INT64_MAX - count || ends < len ||
        (sequence != UINT64_MAX && sequence - first >= count))
        return damaged(db, "is damaged (rows are missing)", why);
    out->first = first;
    out->count = count;
    out->ends = ends;
    out->len = len;
    return LARCH_OK;
}

static larch_error take_bytes(larch_outbox_db *db, sqlite3_stmt *s, uint64_t sequence, larch_outbox_batch *out,
                              larch_registry_reason *why)
{
    const larch_bytes bytes = {sqlite3_column_blob(s, 4), (size_t)sqlite3_column_bytes(s, 4)};
    if (bytes.data == NULL || larch_crc_sum(&db->crc, bytes) != column(s, 3))
        return damaged(db, "is damaged (a batch of messages has another checksum)", why);
    if (!larch_outbox_batch_reserve(out, bytes.len))
        return larch_registry_fail(why, db->path, LARCH_REGISTRY_FAILED, "cannot be read: out of memory");
    memcpy(out->data, bytes.data, bytes.len);
    return take_extent(db, s, sequence, bytes.len, out, why);
}

static larch_error look_up(larch_outbox_db *db, int which, uint64_t sequence, larch_outbox_batch *batch,
                           larch_registry_reason *why)
{
    sqlite3_stmt *s = with_number(db, which, sequence);
    larch_error e;
    batch->count = 0;
    switch (sqlite3_step(s)) {
    case SQLITE_ROW:
        e = which == LOAD ? take_bytes(db, s, sequence, batch, why)
                          : take_extent(db, s, sequence, (size_t)column(s, 3), batch, why);
        break;
    case SQLITE_DONE:
        e = sequence == UINT64_MAX ? LARCH_AGAIN : damaged(db, "is damaged (rows are missing)", why);
        break;
    default:
        e = larch_sqlite_fail(db->sqlite, db->path, why);
    }
    (void)sqlite3_reset(s);
    return e;
}

larch_error larch_outbox_db_load(larch_outbox_db *db, uint64_t sequence, larch_outbox_batch *batch,
                                 larch_registry_reason *why)
{
    return look_up(db, LOAD, sequence, batch, why);
}

larch_error larch_outbox_db_find(larch_outbox_db *db, uint64_t sequence, larch_outbox_batch *batch,
                                 larch_registry_reason *why)
{
    return look_up(db, FIND, sequence, batch, why);
}

larch_error larch_outbox_db_find_span(larch_outbox_db *db, uint64_t sequence, uint64_t bytes, uint64_t *last,
                                      larch_registry_reason *why)
{
    larch_outbox_batch batch = {0};
    larch_error e = larch_outbox_db_find(db, sequence, &batch, why);
    if (e != LARCH_OK)
        return e;
    const uint64_t limit = batch.ends - batch.len + bytes;
    uint64_t end = batch.first + batch.count;
    sqlite3_stmt *s = with_number(db, FOLLOW, end);
    int code;
    while ((code = sqlite3_step(s)) == SQLITE_ROW && column(s, 0) == end && column(s, 2) <= limit)
        end += column(s, 1);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        e = larch_sqlite_fail(db->sqlite, db->path, why);
    else
        *last = end - 1;
    (void)sqlite3_reset(s);
    return e;
}

/* ---- writing ------------------------------------------------------------- */

static larch_error run(larch_outbox_db *db, int which, larch_registry_reason *why)
{
    return larch_sqlite_run(db->sqlite, db->path, db->statements[which], why);
}

static larch_error end_transaction(larch_outbox_db *db, larch_error e, larch_registry_reason *why)
{
    larch_registry_reason other; /* the first failure is the one to report */
    if (e == LARCH_OK)
        e = run(db, COMMIT, why);
    if (e != LARCH_OK && sqlite3_get_autocommit(db->sqlite) == 0)
        (void)run(db, ROLLBACK, &other);
    return e;
}

static larch_error add_batch(larch_outbox_db *db, const larch_outbox_batch *batch, larch_registry_reason *why)
{
    sqlite3_stmt *s = with_number(db, ADD_BATCH, batch->first);
    (void)sqlite3_bind_int64(s, 2, (sqlite3_int64)batch->count);
    (void)sqlite3_bind_int64(s, 3, (sqlite3_int64)batch->ends);
    (void)sqlite3_bind_int64(s, 4, larch_crc_sum(&db->crc, (larch_bytes){batch->data, batch->len}));
    (void)sqlite3_bind_blob64(s, 5, batch->data, batch->len, SQLITE_STATIC);
    return run(db, ADD_BATCH, why);
}

static sqlite3_stmt *with_name(larch_outbox_db *db, int which, const char *name)
{
    (void)sqlite3_bind_text(db->statements[which], 1, name, -1, SQLITE_STATIC);
    return db->statements[which];
}

static larch_error trim_log(larch_outbox_db *db, int delete_rows, uint64_t head, larch_registry_reason *why)
{
    if (head == 0)
        return LARCH_OK;
    (void)with_number(db, delete_rows, head);
    return run(db, delete_rows, why);
}

static larch_error add_row(larch_outbox_db *db, int which, larch_bytes entries, uint64_t ends,
                           larch_registry_reason *why)
{
    sqlite3_stmt *s = with_number(db, which, ends);
    (void)sqlite3_bind_int64(s, 2, larch_crc_sum(&db->crc, entries));
    (void)sqlite3_bind_blob64(s, 3, entries.data, entries.len, SQLITE_STATIC);
    return run(db, which, why);
}

/* In rows that are small enough to be written again one by one. */
static larch_error change_seen(larch_outbox_db *db, const larch_outbox_log *log, larch_registry_reason *why)
{
    const size_t row_max = (size_t)LARCH_SEEN_ROW_MAX * LARCH_SEEN_ENTRY_LEN;
    uint64_t ends = log->ends - log->entries.len / LARCH_SEEN_ENTRY_LEN;
    larch_error e = trim_log(db, DELETE_SEEN, log->head, why);
    for (size_t at = 0; e == LARCH_OK && at < log->entries.len; at += row_max) {
        const size_t left = log->entries.len - at, len = left < row_max ? left : row_max;
        ends += len / LARCH_SEEN_ENTRY_LEN;
        e = add_row(db, ADD_SEEN, (larch_bytes){log->entries.data + at, len}, ends, why);
    }
    return e;
}

static larch_error change_last(larch_outbox_db *db, const larch_outbox_log *log, larch_registry_reason *why)
{
    const larch_error e = trim_log(db, DELETE_LAST, log->head, why);
    return e == LARCH_OK && log->entries.len > 0 ? add_row(db, ADD_LAST, log->entries, log->ends, why) : e;
}

larch_error larch_outbox_db_store(larch_outbox_db *db, const larch_outbox_batch *batch, uint64_t keep_first,
                                  const larch_outbox_cursor *cursors, size_t count, const larch_outbox_logs *logs,
                                  larch_registry_reason *why)
{
    larch_error e = run(db, BEGIN, why);
    if (e != LARCH_OK)
        return e;
    if (keep_first > 0) {
        (void)with_number(db, DELETE_BATCHES, keep_first);
        e = run(db, DELETE_BATCHES, why);
    }
    if (e == LARCH_OK && batch != NULL)
        e = add_batch(db, batch, why);
    for (size_t i = 0; e == LARCH_OK && i < count; i++) {
        sqlite3_stmt *s = with_name(db, SET_CURSOR, cursors[i].name);
        (void)sqlite3_bind_int64(s, 2, (sqlite3_int64)cursors[i].delivered);
        (void)sqlite3_bind_int64(s, 3, (sqlite3_int64)cursors[i].handed);
        e = run(db, SET_CURSOR, why);
    }
    if (e == LARCH_OK)
        e = change_seen(db, &logs->seen, why);
    if (e == LARCH_OK)
        e = change_last(db, &logs->last, why);
    return end_transaction(db, e, why);
}

/* ---- logs ---------------------------------------------------------------- */

#define SEEN_DAMAGED "is damaged (the identities of messages)"

/* The row that a statement stands on, if it is whole. */
static bool take_log_row(const larch_outbox_db *db, sqlite3_stmt *s, larch_bytes *bytes, uint64_t *ends)
{
    bytes->data = sqlite3_column_blob(s, 2); /* before its length */
    bytes->len = (size_t)sqlite3_column_bytes(s, 2);
    *ends = column(s, 0);
    return *ends < INT64_MAX && larch_crc_sum(&db->crc, *bytes) == column(s, 1);
}

static larch_error take_seen_row(larch_outbox_db *db, sqlite3_stmt *s, uint64_t position, larch_outbox_batch *row,
                                 larch_registry_reason *why)
{
    larch_bytes bytes;
    uint64_t ends;
    if (!take_log_row(db, s, &bytes, &ends) || bytes.len == 0 || bytes.len % LARCH_SEEN_ENTRY_LEN != 0 ||
        bytes.len / LARCH_SEEN_ENTRY_LEN > ends || ends - bytes.len / LARCH_SEEN_ENTRY_LEN > position)
        return damaged(db, SEEN_DAMAGED, why);
    if (!larch_outbox_batch_reserve(row, bytes.len))
        return larch_registry_fail(why, db->path, LARCH_REGISTRY_FAILED, "cannot be read: out of memory");
    memcpy(row->data, bytes.data, bytes.len);
    row->len = bytes.len;
    row->count = bytes.len / LARCH_SEEN_ENTRY_LEN;
    row->first = ends - row->count;
    row->ends = ends;
    return LARCH_OK;
}

larch_error larch_outbox_db_load_seen(larch_outbox_db *db, uint64_t position, larch_outbox_batch *row,
                                      larch_registry_reason *why)
{
    sqlite3_stmt *s = with_number(db, LOAD_SEEN, position);
    larch_error e;
    row->count = 0;
    switch (sqlite3_step(s)) {
    case SQLITE_ROW:
        e = take_seen_row(db, s, position, row, why);
        break;
    case SQLITE_DONE:
        e = damaged(db, SEEN_DAMAGED, why);
        break;
    default:
        e = larch_sqlite_fail(db->sqlite, db->path, why);
    }
    (void)sqlite3_reset(s);
    return e;
}

/* Takes a row of the log over. LARCH_MALFORMED: it is damaged; LARCH_PLATFORM: out of memory. */
typedef larch_error take_row(void *log, larch_bytes entries, uint64_t ends);

static larch_error take_seen(void *log, larch_bytes bytes, uint64_t ends) { return larch_seen_load(log, bytes, ends); }
static larch_error take_last(void *log, larch_bytes bytes, uint64_t ends) { return larch_last_load(log, bytes, ends); }

static larch_error load_log(larch_outbox_db *db, int which, take_row *take, void *log, const char *damage,
                            larch_registry_reason *why)
{
    sqlite3_stmt *s = db->statements[which];
    larch_error e = LARCH_OK;
    int code;
    while (e == LARCH_OK && (code = sqlite3_step(s)) == SQLITE_ROW) {
        larch_bytes bytes;
        uint64_t ends;
        e = take_log_row(db, s, &bytes, &ends) ? take(log, bytes, ends) : LARCH_MALFORMED;
    }
    if (e == LARCH_MALFORMED)
        e = damaged(db, damage, why);
    else if (e != LARCH_OK)
        e = larch_registry_fail(why, db->path, LARCH_REGISTRY_FAILED, "cannot be read: out of memory");
    else if (code != SQLITE_DONE)
        e = larch_sqlite_fail(db->sqlite, db->path, why);
    (void)sqlite3_reset(s);
    return e;
}

larch_error larch_outbox_db_load_logs(larch_outbox_db *db, larch_seen *seen, larch_last *last,
                                      larch_registry_reason *why)
{
    const larch_error e = load_log(db, LIST_SEEN, take_seen, seen, SEEN_DAMAGED, why);
    return e == LARCH_OK ? load_log(db, LIST_LAST, take_last, last, "is damaged (a last reading)", why) : e;
}

/* ---- cursors ------------------------------------------------------------- */

/* Two numbers of a statement's only row. LARCH_AGAIN: it has none. */
static larch_error take_pair(larch_outbox_db *db, sqlite3_stmt *s, uint64_t *a, uint64_t *b, larch_registry_reason *why)
{
    const int code = sqlite3_step(s);
    larch_error e = LARCH_AGAIN;
    if (code == SQLITE_ROW) {
        *a = column(s, 0);
        *b = column(s, 1);
        e = LARCH_OK;
    } else if (code != SQLITE_DONE) {
        e = larch_sqlite_fail(db->sqlite, db->path, why);
    }
    (void)sqlite3_reset(s);
    return e;
}

static bool is_among(const char *name, const larch_outbox_cursor *cursors, size_t count)
{
    size_t i = 0;
    while (i < count && strcmp(name, cursors[i].name) != 0)
        i++;
    return i < count;
}

/* One cursor of another name, if there is one. */
static larch_error forget_one(larch_outbox_db *db, const larch_outbox_cursor *cursors, size_t count, bool *found,
                              larch_registry_reason *why)
{
    sqlite3_stmt *s = db->statements[LIST_CURSORS];
    int code;
    *found = false;
    while (!*found && (code = sqlite3_step(s)) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(s, 0);
        *found = name == NULL || !is_among(name, cursors, count);
        if (*found)
            (void)sqlite3_bind_text(db->statements[DELETE_CURSOR], 1, name, -1, SQLITE_TRANSIENT);
    }
    const larch_error e = *found || code == SQLITE_DONE ? LARCH_OK : larch_sqlite_fail(db->sqlite, db->path, why);
    (void)sqlite3_reset(s);
    return *found ? run(db, DELETE_CURSOR, why) : e;
}

static larch_error open_cursors(larch_outbox_db *db, larch_outbox_cursor *cursors, size_t count,
                                larch_registry_reason *why)
{
    uint64_t lowest = 0, unused;
    bool found;
    larch_error e = take_pair(db, db->statements[LOWEST_CURSOR], &lowest, &unused, why);
    for (size_t i = 0; e == LARCH_OK && i < count; i++) {
        (void)sqlite3_bind_int64(with_name(db, ADD_CURSOR, cursors[i].name), 2, (sqlite3_int64)lowest);
        if ((e = run(db, ADD_CURSOR, why)) == LARCH_OK)
            e = take_pair(db, with_name(db, GET_CURSOR, cursors[i].name), &cursors[i].delivered, &cursors[i].handed,
                          why);
    }
    do {
        found = false;
    } while (e == LARCH_OK && (e = forget_one(db, cursors, count, &found, why)) == LARCH_OK && found);
    return e;
}

larch_error larch_outbox_db_open_cursors(larch_outbox_db *db, larch_outbox_cursor *cursors, size_t count,
                                         larch_registry_reason *why)
{
    const larch_error e = run(db, BEGIN, why);
    return e == LARCH_OK ? end_transaction(db, open_cursors(db, cursors, count, why), why) : e;
}

/* ---- start counter ------------------------------------------------------- */

larch_error larch_outbox_db_get_start(larch_outbox_db *db, uint64_t *start, larch_registry_reason *why)
{
    uint64_t unused;
    const larch_error e = take_pair(db, db->statements[GET_START], start, &unused, why);
    if (e == LARCH_AGAIN)
        *start = 0;
    return e == LARCH_AGAIN ? LARCH_OK : e;
}

larch_error larch_outbox_db_set_start(larch_outbox_db *db, uint32_t start, larch_registry_reason *why)
{
    return larch_sqlite_run_durably(db->sqlite, db->path, with_number(db, SET_START, start), db->medium, why);
}
