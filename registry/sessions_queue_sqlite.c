/* SPDX-License-Identifier: Apache-2.0 */
/* The sessions in SQLite: commands to devices. */
#include <string.h>

#include "registry/sessions_sqlite_int.h"

static larch_error check_bounds(larch_sessions_db *db, uint64_t device, larch_registry_reason *why)
{
    sqlite3_stmt *s = with_number(db, COUNT_COMMANDS, device);
    larch_error e = step(db, s, why);
    if (e == LARCH_OK && (column(s, 0) >= LARCH_COMMANDS_DEVICE_MAX || column(s, 1) >= LARCH_COMMANDS_MAX))
        e = LARCH_BUSY;
    (void)sqlite3_reset(s);
    return e;
}

larch_error larch_sessions_db_queue(larch_sessions_db *db, const larch_command_record *command, uint64_t *number,
                                    larch_registry_reason *why)
{
    larch_error e = begin_transaction(db, why);
    if (e != LARCH_OK)
        return e;
    if ((e = check_bounds(db, command->device, why)) == LARCH_OK) {
        sqlite3_stmt *s = with_number(db, QUEUE_COMMAND, command->device);
        (void)sqlite3_bind_int(s, 2, command->method);
        (void)sqlite3_bind_int64(s, 3, command->created_s);
        (void)sqlite3_bind_int64(s, 4, command->expires_s);
        (void)sqlite3_bind_text(s, 5, command->path, -1, SQLITE_STATIC);
        bind_bytes(s, 6, (larch_bytes){command->payload, command->payload_len});
        e = run(db, QUEUE_COMMAND, why);
    }
    const sqlite3_int64 added = sqlite3_last_insert_rowid(db->sqlite);
    const bool is_full = e == LARCH_BUSY;
    if ((e = end_transaction(db, e, why)) == LARCH_OK)
        *number = (uint64_t)added;
    if (is_full)
        why->fault = LARCH_REGISTRY_CROWDED;
    return e;
}

/* Of those that have ended. */
static larch_error trim(larch_sessions_db *db, uint64_t device, larch_registry_reason *why)
{
    (void)sqlite3_bind_int64(with_number(db, TRIM_COMMANDS, device), 2, LARCH_COMMANDS_KEPT);
    const larch_error e = run(db, TRIM_COMMANDS, why);
    return e == LARCH_OK ? run_with_number(db, TRIM_ALL_COMMANDS, LARCH_COMMANDS_KEPT_MAX, why) : e;
}

larch_error larch_sessions_db_set_command(larch_sessions_db *db, const larch_command_record *command, bool is_sent,
                                          larch_registry_reason *why)
{
    larch_error e = begin_transaction(db, why);
    if (e != LARCH_OK)
        return e;
    sqlite3_stmt *s = with_number(db, SET_COMMAND, command->number);
    (void)sqlite3_bind_int(s, 2, command->state);
    (void)sqlite3_bind_int(s, 3, is_sent);
    (void)sqlite3_bind_int64(s, 4, command->ended_s);
    (void)sqlite3_bind_int(s, 5, command->code);
    bind_bytes(s, 6, (larch_bytes){command->result, command->result_len});
    e = run(db, SET_COMMAND, why);
    if (e == LARCH_OK && larch_command_is_over(command->state))
        e = trim(db, command->device, why);
    return end_transaction(db, e, why);
}

larch_error larch_sessions_db_resume_commands(larch_sessions_db *db, uint64_t unix_s, larch_registry_reason *why)
{
    larch_error e = begin_transaction(db, why);
    if (e != LARCH_OK)
        return e;
    if ((e = run_with_number(db, END_SENT, unix_s, why)) == LARCH_OK)
        e = run(db, RESUME_SENT, why);
    return end_transaction(db, e, why);
}

/* Bytes of a column, which may be damaged. */
static bool take_blob(sqlite3_stmt *s, int index, uint8_t *out, size_t cap, size_t *len)
{
    const larch_bytes bytes = column_bytes(s, index);
    if (bytes.len > cap)
        return false;
    if (bytes.len > 0)
        memcpy(out, bytes.data, bytes.len);
    *len = bytes.len;
    return true;
}

static bool take_command(sqlite3_stmt *s, larch_command_record *c)
{
    size_t path_len;
    *c = (larch_command_record){.number = column(s, 0),
                                .device = column(s, 1),
                                .state = (uint8_t)column(s, 2),
                                .method = (uint8_t)column(s, 3),
                                .sends = column_32(s, 4),
                                .created_s = column_32(s, 5),
                                .expires_s = column_32(s, 6),
                                .ended_s = column_32(s, 7),
                                .code = (uint8_t)column(s, 8)};
    return take_blob(s, 9, (uint8_t *)c->path, LARCH_COMMAND_PATH_MAX, &path_len) &&
           take_blob(s, 10, c->payload, sizeof c->payload, &c->payload_len) &&
           take_blob(s, 11, c->result, sizeof c->result, &c->result_len);
}

larch_error larch_sessions_db_next_command(larch_sessions_db *db, uint64_t device, uint64_t *at,
                                           larch_command_record *command, larch_registry_reason *why)
{
    sqlite3_stmt *s = with_number(db, device != 0 ? NEXT_COMMAND : NEXT_WAITING, device);
    (void)sqlite3_bind_int64(s, 2, (sqlite3_int64)*at);
    const larch_error e = step(db, s, why);
    if (e != LARCH_OK)
        return e;
    const bool is_sound = take_command(s, command);
    (void)sqlite3_reset(s);
    if (!is_sound)
        return larch_registry_fail(why, db->path, LARCH_REGISTRY_DAMAGED, "is damaged (a command)");
    *at = command->number;
    return LARCH_OK;
}
