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
    larch_error e = run(db, BEGIN, why);
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
    return end_transaction(db, e, why);
}

larch_error larch_sessions_db_set_credential(larch_sessions_db *db, const larch_sessions_psk_row *psk,
                                             const larch_sessions_credential_row *credential,
                                             larch_registry_reason *why)
{
    larch_error e = run(db, BEGIN, why);
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

/* Keys of a device, and its contexts, that the two statements name. */
static larch_error delete_by(larch_sessions_db *db, int keys, int contexts, uint64_t device, uint64_t made,
                             larch_sessions_doomed *doomed, larch_registry_reason *why)
{
    (void)sqlite3_bind_int64(with_number(db, keys, device), 2, (sqlite3_int64)made);
    const larch_error e = run(db, keys, why);
    return e == LARCH_OK ? doom(db, contexts, device, made, doomed, why) : e;
}

static larch_error delete_older(larch_sessions_db *db, uint64_t device, uint64_t made, larch_sessions_doomed *doomed,
                                larch_registry_reason *why)
{
    return delete_by(db, DELETE_OLDER_PSKS, LIST_OLDER, device, made, doomed, why);
}

/* Who uses the key of a handshake has finished that one, and none after it. */
static larch_error delete_others(larch_sessions_db *db, uint64_t device, uint64_t made, larch_sessions_doomed *doomed,
                                 larch_registry_reason *why)
{
    return delete_by(db, DELETE_OTHER_PSKS, LIST_OTHERS, device, made, doomed, why);
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

/* LARCH_AGAIN: the device has stored another handshake since. */
static larch_error check_late(larch_sessions_db *db, uint64_t device, uint64_t since, larch_registry_reason *why)
{
    sqlite3_stmt *s = with_number(db, FIND_LATER, device);
    uint64_t number, made;
    (void)sqlite3_bind_int64(s, 2, (sqlite3_int64)since);
    const larch_error e = get_two(db, s, &number, &made, why);
    return e == LARCH_OK ? LARCH_AGAIN : e == LARCH_AGAIN ? LARCH_OK : e;
}

larch_error larch_sessions_db_last_made(larch_sessions_db *db, uint64_t *made, larch_registry_reason *why)
{
    uint64_t none;
    const larch_error e = get_two(db, db->statements[NEXT_MADE], made, &none, why);
    *made -= e == LARCH_OK;
    return e;
}

static larch_error add_made(larch_sessions_db *db, const larch_sessions_row *row, const larch_sessions_psk_row *next,
                            uint64_t under, uint64_t since, larch_sessions_doomed *doomed, larch_registry_reason *why)
{
    sqlite3_stmt *key = with_number(db, GET_PSK, under);
    larch_sessions_row added = *row;
    uint64_t parent, last, none;
    (void)sqlite3_bind_int64(key, 2, (sqlite3_int64)row->device);
    larch_error e = get_two(db, key, &parent, &none, why);
    if (e != LARCH_OK || (e = check_late(db, row->device, since, why)) != LARCH_OK ||
        (e = larch_sessions_db_last_made(db, &last, why)) != LARCH_OK ||
        (e = parent > 0 ? delete_others(db, row->device, parent, doomed, why)
                        : delete_unconfirmed(db, row->device, parent, doomed, why)) != LARCH_OK ||
        (e = delete_doomed(db, doomed, 0, why)) != LARCH_OK)
        return e;
    if ((e = delete_excess(db, row->device, doomed, why)) != LARCH_OK)
        return e;
    added.made = last + 1;
    added.is_unconfirmed = true;
    e = larch_sessions_sqlite_add_row(db, &added, parent, why);
    return e == LARCH_OK ? add_psk(db, next, added.made, why) : e;
}

larch_error larch_sessions_db_add_made(larch_sessions_db *db, const larch_sessions_row *row,
                                       const larch_sessions_psk_row *next, uint64_t under, uint64_t since,
                                       larch_sessions_doomed *doomed, larch_registry_reason *why)
{
    larch_error e = run(db, BEGIN, why);
    doomed->count = 0;
    if (e == LARCH_OK)
        e = end_transaction(db, add_made(db, row, next, under, since, doomed, why), why);
    if (e != LARCH_OK)
        doomed->count = 0;
    return e;
}

larch_error larch_sessions_db_confirm(larch_sessions_db *db, uint64_t number, larch_sessions_doomed *doomed,
                                      larch_registry_reason *why)
{
    uint64_t device, made;
    larch_error e = run(db, BEGIN, why);
    doomed->count = 0;
    if (e != LARCH_OK)
        return e;
    if ((e = get_two(db, with_number(db, GET_CONTEXT, number), &device, &made, why)) == LARCH_OK &&
        (e = delete_older(db, device, made, doomed, why)) == LARCH_OK &&
        (e = delete_doomed(db, doomed, 0, why)) == LARCH_OK)
        e = run_with_number(db, CONFIRM_CONTEXT, number, why);
    if ((e = end_transaction(db, e, why)) != LARCH_OK)
        doomed->count = 0;
    return e;
}
