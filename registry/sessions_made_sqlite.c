/* SPDX-License-Identifier: Apache-2.0 */
/* The sessions in SQLite: keys of devices, and what handshakes make and delete. */
#include "registry/sessions_sqlite_int.h"

_Static_assert(LARCH_SESSIONS_DOOMED_MAX >= LARCH_ENROLLED_CONTEXTS_MAX + 5, "all that a device has");

/* ---- keys ---------------------------------------------------------------- */

static larch_error add_psk(larch_sessions_db *db, const larch_sessions_psk_row *psk, uint64_t made,
                           larch_registry_reason *why)
{
    sqlite3_stmt *s = with_number(db, ADD_PSK, psk->number);
    (void)sqlite3_bind_int64(s, 2, (sqlite3_int64)psk->device);
    (void)sqlite3_bind_int64(s, 3, (sqlite3_int64)made);
    bind_bytes(s, 4, psk->kid);
    bind_bytes(s, 5, psk->sealed);
    return run(db, ADD_PSK, why);
}

static larch_error set_credential(larch_sessions_db *db, uint64_t device, const larch_sessions_credential_row *c,
                                  larch_registry_reason *why)
{
    sqlite3_stmt *s = with_number(db, ADD_CREDENTIAL, device);
    (void)sqlite3_bind_int(s, 2, c->method);
    (void)sqlite3_bind_int(s, 3, c->suite);
    bind_bytes(s, 4, c->key);
    bind_bytes(s, 5, c->hash);
    bind_bytes(s, 6, c->cred);
    return run(db, ADD_CREDENTIAL, why);
}

larch_error larch_sessions_db_enrol(larch_sessions_db *db, const char *name, const larch_sessions_psk_row *psk,
                                    const larch_sessions_credential_row *credential, larch_registry_reason *why)
{
    uint64_t other;
    larch_error e = begin_change(db, why);
    if (e != LARCH_OK)
        return e;
    e = larch_sessions_db_find_device(db, name, &other, why);
    if (e == LARCH_OK) {
        e = LARCH_REPLAY;
    } else if (e == LARCH_AGAIN) {
        (void)sqlite3_bind_text(with_number(db, ADD_DEVICE, psk->device), 2, name, -1, SQLITE_STATIC);
        if ((e = run(db, ADD_DEVICE, why)) == LARCH_OK && (e = add_psk(db, psk, 0, why)) == LARCH_OK &&
            credential != NULL)
            e = set_credential(db, psk->device, credential, why);
    }
    return end_change(db, e, why);
}

larch_error larch_sessions_db_set_credential(larch_sessions_db *db, const larch_sessions_psk_row *psk,
                                             const larch_sessions_credential_row *credential,
                                             larch_registry_reason *why)
{
    larch_error e = begin_transaction(db, why);
    if (e != LARCH_OK)
        return e;
    bind_bytes(with_number(db, SET_SEALED, psk->number), 2, psk->sealed);
    if ((e = run(db, SET_SEALED, why)) == LARCH_OK)
        e = set_credential(db, psk->device, credential, why);
    return end_transaction(db, e, why);
}

static larch_error find_key(larch_sessions_db *db, sqlite3_stmt *s,
                            larch_error (*take)(void *context, const larch_sessions_found_row *row), void *context,
                            larch_registry_reason *why)
{
    larch_error e = step(db, s, why);
    if (e != LARCH_OK)
        return e;
    const uint64_t device = column(s, 1);
    const larch_sessions_found_row row = {
        .psk = {column(s, 0), device, column(s, 2), column_bytes(s, 3), column_bytes(s, 4)},
        .own = {column(s, 5), device, 0, column_bytes(s, 6), column_bytes(s, 7)},
        .cred = column_bytes(s, 8)};
    e = take(context, &row);
    (void)sqlite3_reset(s);
    return e;
}

larch_error larch_sessions_db_find_psk(larch_sessions_db *db, larch_bytes kid, unsigned nth,
                                       larch_error (*take)(void *context, const larch_sessions_found_row *row),
                                       void *context, larch_registry_reason *why)
{
    sqlite3_stmt *s = db->statements[FIND_PSK];
    bind_bytes(s, 1, kid);
    (void)sqlite3_bind_int64(s, 2, nth);
    return find_key(db, s, take, context, why);
}

larch_error larch_sessions_db_find_own(larch_sessions_db *db, uint64_t device,
                                       larch_error (*take)(void *context, const larch_sessions_found_row *row),
                                       void *context, larch_registry_reason *why)
{
    return find_key(db, with_number(db, FIND_OWN, device), take, context, why);
}

larch_error larch_sessions_db_find_hash(larch_sessions_db *db, larch_bytes hash, uint64_t *device,
                                        larch_registry_reason *why)
{
    sqlite3_stmt *s = db->statements[FIND_HASH];
    bind_bytes(s, 1, hash);
    const larch_error e = step(db, s, why);
    if (e == LARCH_OK)
        *device = column(s, 0);
    (void)sqlite3_reset(s);
    return e;
}

larch_error larch_sessions_db_find_revoked(larch_sessions_db *db, larch_bytes hash, larch_registry_reason *why)
{
    sqlite3_stmt *s = db->statements[FIND_REVOKED];
    bind_bytes(s, 1, hash);
    const larch_error e = step(db, s, why);
    (void)sqlite3_reset(s);
    return e;
}

/* ---- handshakes ---------------------------------------------------------- */

#define ROWS_MAX (LARCH_ENROLLED_CONTEXTS_MAX + 5) /* more of one device were never written */

/* What a device has: keys and contexts, the newest first. */
typedef struct owned {
    size_t count;
    struct {
        uint64_t number, made, parent;
        bool is_unconfirmed, goes;
    } rows[ROWS_MAX];
} owned;

static larch_error list(larch_sessions_db *db, int which, uint64_t device, owned *out, larch_registry_reason *why)
{
    sqlite3_stmt *s = with_number(db, which, device);
    larch_error e = LARCH_OK;
    for (out->count = 0; out->count < ROWS_MAX && (e = step(db, s, why)) == LARCH_OK; out->count++) {
        out->rows[out->count].number = column(s, 0);
        out->rows[out->count].made = column(s, 1);
        out->rows[out->count].parent = which == LIST_MADE ? column(s, 2) : 0;
        out->rows[out->count].is_unconfirmed = which == LIST_MADE && column(s, 3) != 0;
        out->rows[out->count].goes = false;
    }
    (void)sqlite3_reset(s);
    return e == LARCH_AGAIN ? LARCH_OK : e;
}

/* Those older than `made` go; 0 is the device's own key, which stays. */
static void mark_older(owned *o, uint64_t made)
{
    for (size_t i = 0; i < o->count; i++)
        o->rows[i].goes |= o->rows[i].made > 0 && o->rows[i].made < made;
}

/* Who uses the key of a handshake has finished that one, and none after it: all others go. */
static void mark_others(owned *o, uint64_t made)
{
    for (size_t i = 0; i < o->count; i++)
        o->rows[i].goes |= o->rows[i].made > 0 && o->rows[i].made != made;
}

/* So does what an earlier handshake under the same key left: the device has not stored it, since it would use the key of that. */
static void mark_unconfirmed(owned *contexts, owned *keys, uint64_t parent)
{
    for (size_t i = 0; i < contexts->count; i++) {
        if (!contexts->rows[i].is_unconfirmed || contexts->rows[i].parent != parent)
            continue;
        contexts->rows[i].goes = true;
        for (size_t k = 0; k < keys->count; k++)
            keys->rows[k].goes |= keys->rows[k].made == contexts->rows[i].made;
    }
}

/* And the oldest, since one more is to come. */
static void mark_excess(owned *o)
{
    size_t stay = 0;
    for (size_t i = 0; i < o->count; i++) {
        if (o->rows[i].goes || o->rows[i].made == 0)
            continue;
        if (++stay >= LARCH_ENROLLED_CONTEXTS_MAX)
            o->rows[i].goes = true;
    }
}

static larch_error delete_marked(larch_sessions_db *db, const owned *contexts, const owned *keys,
                                 larch_sessions_doomed *doomed, larch_registry_reason *why)
{
    larch_error e = LARCH_OK;
    for (size_t i = 0; e == LARCH_OK && i < keys->count; i++)
        if (keys->rows[i].goes)
            e = run_with_number(db, DELETE_PSK, keys->rows[i].number, why);
    for (size_t i = 0; e == LARCH_OK && i < contexts->count; i++) {
        if (!contexts->rows[i].goes)
            continue;
        doomed->numbers[doomed->count++] = contexts->rows[i].number;
        if ((e = run_with_number(db, DELETE_OBSERVATIONS, contexts->rows[i].number, why)) == LARCH_OK)
            e = run_with_number(db, DELETE_CONTEXT, contexts->rows[i].number, why);
    }
    return e;
}

/* Numbers of handshakes ascend for as long as the file is open. */
larch_error larch_sessions_db_last_made(larch_sessions_db *db, uint64_t *made, larch_registry_reason *why)
{
    if (!db->has_last_made) {
        sqlite3_stmt *s = db->statements[LAST_MADE];
        const larch_error e = step(db, s, why);
        if (e != LARCH_OK)
            return e;
        db->last_made = column(s, 0);
        db->has_last_made = true;
        (void)sqlite3_reset(s);
    }
    *made = db->last_made;
    return LARCH_OK;
}

/* The device has stored another handshake since. */
static bool is_late(const owned *contexts, uint64_t since)
{
    for (size_t i = 0; i < contexts->count; i++)
        if (contexts->rows[i].made > since)
            return true;
    return false;
}

static larch_error add_made(larch_sessions_db *db, const larch_sessions_row *row, const larch_sessions_psk_row *next,
                            uint64_t under, uint64_t since, larch_sessions_doomed *doomed, larch_registry_reason *why)
{
    larch_sessions_row added = *row;
    owned contexts, keys;
    size_t k = 0;
    larch_error e = list(db, LIST_PSKS, row->device, &keys, why);
    if (e != LARCH_OK || (e = list(db, LIST_MADE, row->device, &contexts, why)) != LARCH_OK ||
        (e = larch_sessions_db_last_made(db, &added.made, why)) != LARCH_OK)
        return e;
    while (k < keys.count && keys.rows[k].number != under)
        k++;
    if (k == keys.count || is_late(&contexts, since))
        return LARCH_AGAIN;
    const uint64_t parent = keys.rows[k].made;
    if (parent > 0) {
        mark_others(&contexts, parent);
        mark_others(&keys, parent);
    } else {
        mark_unconfirmed(&contexts, &keys, parent);
    }
    mark_excess(&contexts);
    mark_excess(&keys);
    if ((e = delete_marked(db, &contexts, &keys, doomed, why)) != LARCH_OK)
        return e;
    added.made = ++db->last_made;
    added.is_unconfirmed = true;
    e = larch_sessions_sqlite_add_row(db, &added, parent, why);
    return e == LARCH_OK ? add_psk(db, next, added.made, why) : e;
}

static larch_error confirm(larch_sessions_db *db, uint64_t number, larch_sessions_doomed *doomed,
                           larch_registry_reason *why)
{
    sqlite3_stmt *s = with_number(db, GET_CONTEXT, number);
    owned contexts, keys;
    larch_error e = step(db, s, why);
    if (e != LARCH_OK)
        return e;
    const uint64_t device = column(s, 0), made = column(s, 1);
    (void)sqlite3_reset(s);
    if ((e = list(db, LIST_PSKS, device, &keys, why)) != LARCH_OK ||
        (e = list(db, LIST_MADE, device, &contexts, why)) != LARCH_OK)
        return e;
    mark_older(&contexts, made);
    mark_older(&keys, made);
    e = delete_marked(db, &contexts, &keys, doomed, why);
    return e == LARCH_OK ? run_with_number(db, CONFIRM_CONTEXT, number, why) : e;
}

/* ---- groups ----------------------------------------------------------------- */

/* A part of a group, which is opened if there is none. A group that was lost takes no more parts until that is known. */
static larch_error begin_part(larch_sessions_db *db, larch_registry_reason *why)
{
    if (db->is_group_lost) {
        *why = db->group_why;
        return LARCH_PLATFORM;
    }
    db->part = db->has_group ? db->part + 1 : 0;
    const larch_error e = db->has_group ? LARCH_OK : run(db, BEGIN, why);
    db->has_group = e == LARCH_OK;
    return e;
}

/* LARCH_AGAIN: it wrote nothing. After any other error all of the group is lost. */
static larch_error end_part(larch_sessions_db *db, larch_error e, larch_registry_reason *why)
{
    larch_registry_reason other; /* the first failure is the one to report */
    if (e == LARCH_OK || (e == LARCH_AGAIN && db->part > 0))
        return e;
    if (sqlite3_get_autocommit(db->sqlite) == 0)
        (void)!run(db, ROLLBACK, &other);
    db->has_group = false;
    db->is_group_lost = e != LARCH_AGAIN && db->part > 0;
    db->group_why = *why;
    return e;
}

larch_error larch_sessions_db_commit(larch_sessions_db *db, larch_registry_reason *why)
{
    end_group(db);
    if (!db->is_group_lost)
        return LARCH_OK;
    db->is_group_lost = false;
    *why = db->group_why;
    return LARCH_PLATFORM;
}

larch_error larch_sessions_db_add_made(larch_sessions_db *db, const larch_sessions_row *row,
                                       const larch_sessions_psk_row *next, uint64_t under, uint64_t since,
                                       larch_sessions_doomed *doomed, larch_registry_reason *why)
{
    larch_error e = begin_part(db, why);
    doomed->count = 0;
    if (e == LARCH_OK)
        e = end_part(db, add_made(db, row, next, under, since, doomed, why), why);
    if (e != LARCH_OK)
        doomed->count = 0;
    return e;
}

larch_error larch_sessions_db_confirm(larch_sessions_db *db, uint64_t number, larch_sessions_doomed *doomed,
                                      larch_registry_reason *why)
{
    larch_error e = begin_part(db, why);
    doomed->count = 0;
    if (e == LARCH_OK)
        e = end_part(db, confirm(db, number, doomed, why), why);
    if (e != LARCH_OK)
        doomed->count = 0;
    return e;
}
