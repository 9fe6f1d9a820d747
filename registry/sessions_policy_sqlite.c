/* SPDX-License-Identifier: Apache-2.0 */
/* The sessions in SQLite: what devices may use; and several changes as one. */
#include <string.h>

#include "registry/sessions_sqlite_int.h"

larch_error larch_sessions_db_begin_changes(larch_sessions_db *db, larch_registry_reason *why)
{
    const larch_error e = begin_transaction(db, why);
    db->is_in_changes = e == LARCH_OK;
    return e;
}

larch_error larch_sessions_db_end_changes(larch_sessions_db *db, bool keep, larch_registry_reason *why)
{
    db->is_in_changes = false;
    if (keep)
        return end_transaction(db, LARCH_OK, why);
    return sqlite3_get_autocommit(db->sqlite) == 0 ? run(db, ROLLBACK, why) : LARCH_OK;
}

larch_error larch_sessions_db_set_policy(larch_sessions_db *db, uint64_t device, const larch_policy_entry *entries,
                                         size_t count, larch_registry_reason *why)
{
    larch_error e = begin_change(db, why);
    if (e != LARCH_OK)
        return e;
    e = run_with_number(db, DELETE_POLICY, device, why);
    for (size_t i = 0; e == LARCH_OK && i < count; i++) {
        sqlite3_stmt *s = with_number(db, ADD_POLICY, device);
        (void)sqlite3_bind_text(s, 2, entries[i].name, -1, SQLITE_STATIC);
        (void)sqlite3_bind_int(s, 3, entries[i].rights);
        e = run(db, ADD_POLICY, why);
    }
    return end_change(db, e, why);
}

larch_error larch_sessions_db_has_policies(larch_sessions_db *db, bool *has, larch_registry_reason *why)
{
    sqlite3_stmt *s = db->statements[HAS_POLICIES];
    const larch_error e = step(db, s, why);
    if (e == LARCH_OK)
        *has = column(s, 0) != 0;
    (void)sqlite3_reset(s);
    return e;
}

larch_error larch_sessions_db_allows(larch_sessions_db *db, uint64_t device, larch_bytes name, unsigned right,
                                     bool *allows, larch_registry_reason *why)
{
    sqlite3_stmt *s = with_number(db, ALLOWS, device);
    (void)sqlite3_bind_text64(s, 2, (const char *)name.data, name.len, SQLITE_STATIC, SQLITE_UTF8);
    (void)sqlite3_bind_int(s, 3, (int)right);
    const larch_error e = step(db, s, why);
    if (e == LARCH_OK)
        *allows = column(s, 0) != 0;
    (void)sqlite3_reset(s);
    return e;
}

larch_error larch_sessions_db_next_policy(larch_sessions_db *db, uint64_t device, larch_policy_entry *entry,
                                          larch_registry_reason *why)
{
    sqlite3_stmt *s = with_number(db, NEXT_POLICY, device);
    (void)sqlite3_bind_text(s, 2, entry->name, -1, SQLITE_TRANSIENT);
    const larch_error e = step(db, s, why);
    if (e != LARCH_OK)
        return e;
    const larch_bytes name = column_bytes(s, 0);
    const bool is_sound = name.len > 0 && name.len <= LARCH_READING_NAME_MAX;
    if (is_sound) {
        *entry = (larch_policy_entry){.rights = (uint8_t)column(s, 1)};
        memcpy(entry->name, name.data, name.len);
    }
    (void)sqlite3_reset(s);
    return is_sound ? LARCH_OK : larch_registry_fail(why, db->path, LARCH_REGISTRY_DAMAGED, "is damaged (a policy)");
}
