/* SPDX-License-Identifier: Apache-2.0 */
/* The sessions in SQLite: keys of devices, and what handshakes make and delete. */
#include "registry/sessions_sqlite_int.h"

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

larch_error larch_sessions_db_enrol(larch_sessions_db *db, const char *name, const larch_sessions_psk_row *psk,
                                    larch_registry_reason *why)
{
    uint64_t other;
    larch_error e = begin_transaction(db, why);
    if (e != LARCH_OK)
        return e;
    e = larch_sessions_db_find_device(db, name, &other, why);
    if (e == LARCH_OK) {
        e = LARCH_REPLAY;
    } else if (e == LARCH_AGAIN) {
        (void)sqlite3_bind_text(with_number(db, ADD_DEVICE, psk->device), 2, name, -1, SQLITE_STATIC);
        if ((e = run(db, ADD_DEVICE, why)) == LARCH_OK)
            e = add_psk(db, psk, 0, why);
    }
    return end_transaction(db, e, why);
}

larch_error larch_sessions_db_find_psk(larch_sessions_db *db, larch_bytes kid, unsigned nth,
                                       larch_error (*take)(void *context, const larch_sessions_psk_row *row,
                                                           larch_bytes own_kid),
                                       void *context, larch_registry_reason *why)
{
    sqlite3_stmt *s = db->statements[FIND_PSK];
    bind_bytes(s, 1, kid);
    (void)sqlite3_bind_int64(s, 2, nth);
    larch_error e = step(db, s, why);
    if (e != LARCH_OK)
        return e;
    const larch_sessions_psk_row row = {
        .number = column(s, 0), .device = column(s, 1), .made = column(s, 2), .kid = kid, .sealed = column_bytes(s, 3)};
    e = take(context, &row, column_bytes(s, 4));
    (void)sqlite3_reset(s);
    return e;
}

/* ---- handshakes ---------------------------------------------------------- */

static larch_error get_two(larch_sessions_db *db, sqlite3_stmt *s, uint64_t *first, uint64_t *second,
                           larch_registry_reason *why)
{
    const larch_error e = step(db, s, why);
    if (e == LARCH_OK) {
        *first = column(s, 0);
        *second = column(s, 1);
    }
    (void)sqlite3_reset(s);
    return e;
}

/* Contexts of a device that the statement lists, with a second argument. */
static larch_error doom(larch_sessions_db *db, int which, uint64_t device, uint64_t argument,
                        larch_sessions_doomed *doomed, larch_registry_reason *why)
{
    sqlite3_stmt *s = with_number(db, which, device);
    larch_error e = LARCH_OK;
    (void)sqlite3_bind_int64(s, 2, (sqlite3_int64)argument);
    while (doomed->count < LARCH_SESSIONS_DOOMED_MAX && (e = step(db, s, why)) == LARCH_OK)
        doomed->numbers[doomed->count++] = column(s, 0);
    (void)sqlite3_reset(s);
    return e == LARCH_AGAIN ? LARCH_OK : e;
}

/* Those from `first` on. */
static larch_error delete_doomed(larch_sessions_db *db, const larch_sessions_doomed *doomed, size_t first,
                                 larch_registry_reason *why)
{
    larch_error e = LARCH_OK;
    for (size_t i = first; e == LARCH_OK && i < doomed->count; i++)
        if ((e = run_with_number(db, DELETE_OBSERVATIONS, doomed->numbers[i], why)) == LARCH_OK)
            e = run_with_number(db, DELETE_CONTEXT, doomed->numbers[i], why);
    return e;
}

static larch_error delete_older(larch_sessions_db *db, uint64_t device, uint64_t made, larch_sessions_doomed *doomed,
                                larch_registry_reason *why)
{
    (void)sqlite3_bind_int64(with_number(db, DELETE_OLDER_PSKS, device), 2, (sqlite3_int64)made);
    const larch_error e = run(db, DELETE_OLDER_PSKS, why);
    return e == LARCH_OK ? doom(db, LIST_OLDER, device, made, doomed, why) : e;
}

/* What an earlier handshake under the same key left: the device has not stored it, since it would use the key of that. */
static larch_error delete_unconfirmed(larch_sessions_db *db, uint64_t device, uint64_t parent,
                                      larch_sessions_doomed *doomed, larch_registry_reason *why)
{
    const size_t first = doomed->count;
    larch_error e = doom(db, LIST_UNCONFIRMED, device, parent, doomed, why);
    for (size_t i = first; e == LARCH_OK && i < doomed->count; i++)
        e = run_with_number(db, DELETE_PSK_OF_CONTEXT, doomed->numbers[i], why);
    return e;
}

/* One more is to come. */
static larch_error delete_excess(larch_sessions_db *db, uint64_t device, larch_sessions_doomed *doomed,
                                 larch_registry_reason *why)
{
    const size_t first = doomed->count;
    (void)sqlite3_bind_int64(with_number(db, DELETE_EXCESS_PSKS, device), 2, LARCH_ENROLLED_CONTEXTS_MAX - 1);
    larch_error e = run(db, DELETE_EXCESS_PSKS, why);
    if (e == LARCH_OK)
        e = doom(db, LIST_EXCESS, device, LARCH_ENROLLED_CONTEXTS_MAX - 1, doomed, why);
    return e == LARCH_OK ? delete_doomed(db, doomed, first, why) : e;
}

static larch_error add_made(larch_sessions_db *db, const larch_sessions_row *row, const larch_sessions_psk_row *next,
                            uint64_t under, larch_sessions_doomed *doomed, larch_registry_reason *why)
{
    sqlite3_stmt *key = with_number(db, GET_PSK, under);
    larch_sessions_row added = *row;
    uint64_t parent, made, none;
    (void)sqlite3_bind_int64(key, 2, (sqlite3_int64)row->device);
    larch_error e = get_two(db, key, &parent, &none, why);
    if (e != LARCH_OK || (e = get_two(db, db->statements[NEXT_MADE], &made, &none, why)) != LARCH_OK ||
        (e = delete_older(db, row->device, parent, doomed, why)) != LARCH_OK ||
        (e = delete_unconfirmed(db, row->device, parent, doomed, why)) != LARCH_OK ||
        (e = delete_doomed(db, doomed, 0, why)) != LARCH_OK)
        return e;
    if ((e = delete_excess(db, row->device, doomed, why)) != LARCH_OK)
        return e;
    added.made = made;
    added.is_unconfirmed = true;
    e = larch_sessions_sqlite_add_row(db, &added, parent, why);
    return e == LARCH_OK ? add_psk(db, next, made, why) : e;
}

/* ---- groups ----------------------------------------------------------------- */

/* A part of a group, which is opened if there is none. A group that was lost takes no more parts until that is known. */
static larch_error begin_part(larch_sessions_db *db, larch_registry_reason *why)
{
    if (db->is_group_lost) {
        *why = db->group_why;
        return LARCH_PLATFORM;
    }
    const larch_error e = db->has_group ? LARCH_OK : run(db, BEGIN, why);
    db->has_group = e == LARCH_OK;
    return e == LARCH_OK ? run(db, BEGIN_PART, why) : e;
}

/* After an error the group is as it was before the part. SQLite itself ends a transaction after some failures, and with it
 * what the others wrote. */
static larch_error end_part(larch_sessions_db *db, larch_error e, larch_registry_reason *why)
{
    larch_registry_reason other; /* the first failure is the one to report */
    if (e == LARCH_OK && (e = run(db, END_PART, why)) == LARCH_OK)
        return e;
    if (sqlite3_get_autocommit(db->sqlite) == 0 && run(db, UNDO_PART, &other) == LARCH_OK &&
        run(db, END_PART, &other) == LARCH_OK)
        return e;
    if (sqlite3_get_autocommit(db->sqlite) == 0)
        (void)!run(db, ROLLBACK, &other);
    db->has_group = false;
    db->is_group_lost = true;
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

/* ---- what handshakes make ------------------------------------------------------ */

larch_error larch_sessions_db_add_made(larch_sessions_db *db, const larch_sessions_row *row,
                                       const larch_sessions_psk_row *next, uint64_t under,
                                       larch_sessions_doomed *doomed, larch_registry_reason *why)
{
    larch_error e = begin_part(db, why);
    doomed->count = 0;
    if (e == LARCH_OK)
        e = end_part(db, add_made(db, row, next, under, doomed, why), why);
    if (e != LARCH_OK)
        doomed->count = 0;
    return e;
}

static larch_error confirm(larch_sessions_db *db, uint64_t number, larch_sessions_doomed *doomed,
                           larch_registry_reason *why)
{
    uint64_t device, made;
    larch_error e = get_two(db, with_number(db, GET_CONTEXT, number), &device, &made, why);
    if (e == LARCH_OK && (e = delete_older(db, device, made, doomed, why)) == LARCH_OK &&
        (e = delete_doomed(db, doomed, 0, why)) == LARCH_OK)
        e = run_with_number(db, CONFIRM_CONTEXT, number, why);
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
