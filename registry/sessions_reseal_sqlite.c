/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "registry/reseal.h"
#include "registry/sessions.h"
#include "registry/sessions_int.h"
#include "registry/sessions_sqlite_int.h"

#define SEALED_MAX 65536 /* of one column */
#define TABLES_MAX 32
#define KEPT       "kept"
#define MARK_ROW   1

_Static_assert(LARCH_RESEAL_CHECK_LEN == LARCH_SESSIONS_CHECK_LEN, "one check value");

typedef struct reseal {
    larch_sessions_db *db;
    const larch_seal_key *old_key, *new_key;
    const larch_random *random;
    larch_registry_reason *why;
    uint8_t plain[SEALED_MAX], sealed[SEALED_MAX + LARCH_SEAL_OVERHEAD];
} reseal;

typedef char table_name[LARCH_SEAL_NAME_MAX + 1];

static larch_seal_place kept_place(uint64_t number)
{
    return (larch_seal_place){KEPT, number, "sealed", LARCH_SESSIONS_SEALED};
}

static larch_error fail(const larch_sessions_db *db, larch_registry_fault fault, const char *text,
                        larch_registry_reason *why)
{
    return larch_registry_fail(why, db->path, fault, text);
}

/* ---- what is sealed ------------------------------------------------------------ */

static larch_error list_tables(const reseal *r, table_name tables[TABLES_MAX], size_t *count)
{
    static const char sql[] = "SELECT m.name FROM sqlite_master AS m WHERE m.type = 'table' AND EXISTS"
                              " (SELECT 1 FROM pragma_table_info(m.name) WHERE name = 'sealed')";
    sqlite3_stmt *s;
    larch_error e = larch_sqlite_prepare(r->db->sqlite, r->db->path, sql, &s, r->why);
    if (e != LARCH_OK)
        return e;
    *count = 0;
    while ((e = step(r->db, s, r->why)) == LARCH_OK) {
        const char *name = (const char *)sqlite3_column_text(s, 0);
        if (*count == TABLES_MAX || name == NULL || strlen(name) > LARCH_SEAL_NAME_MAX ||
            strspn(name, "abcdefghijklmnopqrstuvwxyz_") != strlen(name)) {
            e = fail(r->db, LARCH_REGISTRY_DAMAGED, "is damaged (its tables)", r->why);
            break;
        }
        memcpy(tables[(*count)++], name, strlen(name) + 1);
    }
    (void)sqlite3_finalize(s);
    return e == LARCH_AGAIN ? LARCH_OK : e;
}

/* One row, from the old key to the new one. */
static larch_error reseal_row(reseal *r, const char *table, sqlite3_stmt *select, sqlite3_stmt *update)
{
    const larch_seal_place place = {table, column(select, 0), "sealed", LARCH_SESSIONS_SEALED};
    larch_bytes plain, sealed;
    larch_error e =
        larch_seal_open_record(r->old_key, &place, column_bytes(select, 1), r->plain, sizeof r->plain, &plain);
    if (e != LARCH_OK)
        return e == LARCH_PLATFORM
                   ? fail(r->db, LARCH_REGISTRY_FAILED, "cannot be sealed: the cryptography failed", r->why)
                   : fail(r->db, LARCH_REGISTRY_SEALED, "has a column that the store key does not open", r->why);
    e = larch_seal_record(r->new_key, &place, r->random, plain, r->sealed, sizeof r->sealed, &sealed);
    larch_wipe(r->plain, sizeof r->plain);
    if (e != LARCH_OK)
        return fail(r->db, LARCH_REGISTRY_FAILED, "cannot be sealed: the cryptography failed", r->why);
    (void)sqlite3_bind_int64(update, 1, (sqlite3_int64)place.row);
    bind_bytes(update, 2, sealed);
    return larch_sqlite_run(r->db->sqlite, r->db->path, update, r->why);
}

/* In the order of their numbers, each looked for anew: the update may not run under a statement that reads the table. */
static larch_error reseal_rows(reseal *r, const char *table, sqlite3_stmt *select, sqlite3_stmt *update)
{
    larch_error e;
    uint64_t last = 0;
    for (bool first = true;; first = false) {
        (void)sqlite3_bind_int64(select, 1, first ? -1 : (sqlite3_int64)last);
        if ((e = step(r->db, select, r->why)) != LARCH_OK)
            return e == LARCH_AGAIN ? LARCH_OK : e;
        last = column(select, 0);
        e = reseal_row(r, table, select, update);
        (void)sqlite3_reset(select);
        if (e != LARCH_OK)
            return e;
    }
}

static larch_error reseal_table(reseal *r, const char *table)
{
    char sql[160];
    sqlite3_stmt *select = NULL, *update = NULL;
    snprintf(sql, sizeof sql, "SELECT number, sealed FROM %.15s WHERE number > ?1 ORDER BY number LIMIT 1", table);
    larch_error e = larch_sqlite_prepare(r->db->sqlite, r->db->path, sql, &select, r->why);
    snprintf(sql, sizeof sql, "UPDATE %.15s SET sealed = ?2 WHERE number = ?1", table);
    if (e == LARCH_OK && (e = larch_sqlite_prepare(r->db->sqlite, r->db->path, sql, &update, r->why)) == LARCH_OK)
        e = reseal_rows(r, table, select, update);
    (void)sqlite3_finalize(select);
    (void)sqlite3_finalize(update);
    return e;
}

/* ---- the key of the marks ------------------------------------------------------- */

/* LARCH_AGAIN: none is kept. */
static larch_error get_kept(larch_sessions_db *db, const larch_seal_key *key, uint8_t mark_key[LARCH_SHA256_LEN],
                            larch_registry_reason *why)
{
    const larch_seal_place place = kept_place(MARK_ROW);
    sqlite3_stmt *s;
    larch_bytes plain;
    larch_error e = larch_sqlite_prepare(db->sqlite, db->path, "SELECT sealed FROM " KEPT " WHERE number = 1", &s, why);
    if (e != LARCH_OK)
        return e;
    if ((e = step(db, s, why)) == LARCH_OK) {
        e = larch_seal_open_record(key, &place, column_bytes(s, 0), mark_key, LARCH_SHA256_LEN, &plain);
        if (e != LARCH_OK || plain.len != LARCH_SHA256_LEN)
            e = fail(db, LARCH_REGISTRY_DAMAGED, "is damaged (the key of its marks)", why);
    }
    (void)sqlite3_finalize(s);
    return e;
}

larch_error larch_sessions_db_mark_key(larch_sessions_db *db, const larch_seal_key *key,
                                       uint8_t mark_key[LARCH_SHA256_LEN], larch_registry_reason *why)
{
    larch_error e = get_kept(db, key, mark_key, why);
    if (e == LARCH_AGAIN &&
        (e = larch_seal_key_derive(key, LARCH_SESSIONS_MARK_USE, mark_key, LARCH_SHA256_LEN)) != LARCH_OK)
        e = fail(db, LARCH_REGISTRY_FAILED, "cannot be used: the cryptography failed", why);
    return e;
}

/* Before the tables are sealed anew, under the old key: that takes this row along. */
static larch_error keep_mark_key(reseal *r)
{
    const larch_seal_place place = kept_place(MARK_ROW);
    uint8_t mark_key[LARCH_SHA256_LEN], sealed[sizeof mark_key + LARCH_SEAL_OVERHEAD];
    larch_bytes bytes;
    sqlite3_stmt *s;
    larch_error e = get_kept(r->db, r->old_key, mark_key, r->why);
    if (e != LARCH_AGAIN)
        return e;
    e = larch_seal_key_derive(r->old_key, LARCH_SESSIONS_MARK_USE, mark_key, sizeof mark_key);
    if (e == LARCH_OK)
        e = larch_seal_record(r->old_key, &place, r->random, LARCH_BYTES(mark_key), sealed, sizeof sealed, &bytes);
    larch_wipe(mark_key, sizeof mark_key);
    if (e != LARCH_OK)
        return fail(r->db, LARCH_REGISTRY_FAILED, "cannot be sealed: the cryptography failed", r->why);
    if ((e = larch_sqlite_prepare(r->db->sqlite, r->db->path, "INSERT INTO " KEPT " VALUES(1, ?1)", &s, r->why)) !=
        LARCH_OK)
        return e;
    bind_bytes(s, 1, bytes);
    e = larch_sqlite_run(r->db->sqlite, r->db->path, s, r->why);
    (void)sqlite3_finalize(s);
    return e;
}

/* ---- a whole file ------------------------------------------------------------------ */

static larch_error set_check(const reseal *r)
{
    uint8_t check[LARCH_SESSIONS_CHECK_LEN];
    sqlite3_stmt *s;
    if (larch_seal_key_derive(r->new_key, LARCH_SESSIONS_CHECK_USE, check, sizeof check) != LARCH_OK)
        return fail(r->db, LARCH_REGISTRY_FAILED, "cannot be sealed: the cryptography failed", r->why);
    larch_error e = larch_sqlite_prepare(r->db->sqlite, r->db->path, "UPDATE setting SET checked = ?1", &s, r->why);
    if (e != LARCH_OK)
        return e;
    bind_bytes(s, 1, LARCH_BYTES(check));
    e = larch_sqlite_run(r->db->sqlite, r->db->path, s, r->why);
    (void)sqlite3_finalize(s);
    return e;
}

static larch_error reseal_all(reseal *r)
{
    table_name tables[TABLES_MAX];
    size_t count = 0;
    larch_error e = run(r->db, BEGIN, r->why);
    if (e != LARCH_OK)
        return e;
    if ((e = keep_mark_key(r)) == LARCH_OK)
        e = list_tables(r, tables, &count);
    for (size_t i = 0; e == LARCH_OK && i < count; i++)
        e = reseal_table(r, tables[i]);
    if (e == LARCH_OK)
        e = set_check(r);
    if ((e = end_transaction(r->db, e, r->why)) == LARCH_OK)
        e = larch_sessions_db_truncate_log(r->db, r->why);
    return e;
}

larch_error larch_sessions_reseal(const char *path, const larch_seal_key *old_key, const larch_seal_key *new_key,
                                  const larch_random *random, larch_registry_reason *why)
{
    reseal *r = calloc(1, sizeof *r);
    if (r == NULL)
        return larch_registry_fail(why, path, LARCH_REGISTRY_FAILED, "cannot be sealed: out of memory");
    *r = (reseal){.old_key = old_key, .new_key = new_key, .random = random, .why = why};
    larch_error e = larch_sessions_db_open(&r->db, path, why);
    if (e == LARCH_OK) {
        e = reseal_all(r);
        larch_sessions_db_close(r->db);
    }
    larch_wipe(r, sizeof *r);
    free(r);
    return e;
}

static bool is_missing(const char *path) { return access(path, F_OK) != 0 && errno == ENOENT; }

larch_error larch_sessions_sealed_by(const char *path, uint8_t check[LARCH_RESEAL_CHECK_LEN],
                                     larch_registry_reason *why)
{
    larch_sessions_db *db;
    larch_sessions_setting setting;
    memset(check, 0, LARCH_RESEAL_CHECK_LEN);
    if (is_missing(path))
        return LARCH_AGAIN;
    larch_error e = larch_sessions_db_open(&db, path, why);
    if (e != LARCH_OK)
        return e;
    e = larch_sessions_db_get_setting(db, &setting, why);
    larch_sessions_db_close(db);
    if (e == LARCH_OK && !setting.has_check)
        return LARCH_AGAIN;
    if (e == LARCH_OK)
        memcpy(check, setting.check, LARCH_RESEAL_CHECK_LEN);
    return e;
}

larch_error larch_sessions_settle(const char *path, larch_registry_reason *why)
{
    larch_sessions_db *db;
    if (is_missing(path))
        return LARCH_OK;
    larch_error e = larch_sessions_db_open(&db, path, why);
    if (e == LARCH_OK) {
        e = larch_sessions_db_truncate_log(db, why);
        larch_sessions_db_close(db);
    }
    return e;
}

/* ---- devices ------------------------------------------------------------------------ */

/* Handed out under another name, whose calls open it for no other use. */
static larch_sessions_db *db_of(larch_device_list *list) { return (larch_sessions_db *)list; }

larch_error larch_device_list_open(larch_device_list **list, const char *path, larch_registry_reason *why)
{
    larch_sessions_db *db;
    const larch_error e = larch_sessions_db_open(&db, path, why);
    *list = e == LARCH_OK ? (larch_device_list *)db : NULL;
    return e;
}

void larch_device_list_close(larch_device_list *list) { larch_sessions_db_close(db_of(list)); }

larch_error larch_device_list_next(larch_device_list *list, uint64_t *number, char *name, larch_registry_reason *why)
{
    bool is_enrolled;
    return larch_sessions_db_next_device(db_of(list), number, name, &is_enrolled, why);
}

larch_error larch_device_list_has(larch_device_list *list, uint64_t number, bool *has, larch_registry_reason *why)
{
    char name[LARCH_SESSIONS_NAME_MAX + 1];
    const larch_error e = larch_sessions_db_get_name(db_of(list), number, name, why);
    *has = e == LARCH_OK;
    return e == LARCH_AGAIN ? LARCH_OK : e;
}

larch_error larch_device_list_remove(larch_device_list *list, uint64_t number, larch_registry_reason *why)
{
    const larch_error e = larch_sessions_db_remove_device(db_of(list), number, why);
    return e == LARCH_OK ? larch_sessions_db_truncate_log(db_of(list), why) : e;
}

larch_error larch_device_list_take_revoked(larch_device_list *list, larch_device_list *from, size_t *count,
                                           larch_registry_reason *why)
{
    larch_sessions_db *to_db = db_of(list), *from_db = db_of(from);
    sqlite3_stmt *select = NULL, *insert = NULL;
    *count = 0;
    larch_error e = larch_sqlite_prepare(from_db->sqlite, from_db->path, "SELECT key FROM revoked", &select, why);
    if (e == LARCH_OK)
        e = larch_sqlite_prepare(to_db->sqlite, to_db->path, "INSERT OR IGNORE INTO revoked VALUES(?1)", &insert, why);
    while (e == LARCH_OK && (e = step(from_db, select, why)) == LARCH_OK) {
        bind_bytes(insert, 1, column_bytes(select, 0));
        e = larch_sqlite_run(to_db->sqlite, to_db->path, insert, why);
        *count += e == LARCH_OK ? (size_t)sqlite3_changes(to_db->sqlite) : 0;
    }
    (void)sqlite3_finalize(select);
    (void)sqlite3_finalize(insert);
    return e == LARCH_AGAIN ? LARCH_OK : e;
}
