/* SPDX-License-Identifier: Apache-2.0 */
/* A SQLite file of the registry: opened for this process alone after everything about it was checked, and its errors. */
#ifndef LARCH_REGISTRY_SQLITE_H
#define LARCH_REGISTRY_SQLITE_H

#include <sqlite3.h>

#include "registry/reason.h"

/* What a file is for. Its head says so, in the places that SQLite has for it. */
typedef struct larch_sqlite_kind {
    const char *noun;        /* "outbox" */
    uint32_t application_id; /* PRAGMA application_id */
    uint32_t version;        /* PRAGMA user_version: of the schema */
    const char *schema;      /* CREATE statements */
    const char *additions;   /* CREATE ... IF NOT EXISTS of what a file of this or an earlier version may lack; the file
                                gets them and this version in one transaction */
    bool keeps_copy;         /* of a file of an earlier version, as PATH.vVERSION, before it is changed */
} larch_sqlite_kind;

/* Opens path, or makes it with mode 0600, in WAL mode and with an exclusive lock. medium: each transaction waits for
 * the medium. Errors: see larch_outbox_open. *db is NULL then. */
larch_error larch_sqlite_open(sqlite3 **db, const char *path, const larch_sqlite_kind *kind, bool medium,
                              larch_registry_reason *why);

/* Prepares a statement that is used again and again. */
larch_error larch_sqlite_prepare(sqlite3 *db, const char *path, const char *sql, sqlite3_stmt **statement,
                                 larch_registry_reason *why);
/* Runs a statement that gives no rows, and resets it. */
larch_error larch_sqlite_run(sqlite3 *db, const char *path, sqlite3_stmt *statement, larch_registry_reason *why);

/* Likewise; the change survives a power cut, also where transactions do not wait for the medium (medium is false). */
larch_error larch_sqlite_run_durably(sqlite3 *db, const char *path, sqlite3_stmt *statement, bool medium,
                                     larch_registry_reason *why);

/* What the last failed call on db means: fills *why and returns the fault's error. */
larch_error larch_sqlite_fail(sqlite3 *db, const char *path, larch_registry_reason *why);
#endif
