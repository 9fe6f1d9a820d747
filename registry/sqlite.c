/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE_BYTES "8192" /* a usual batch fits one page; larger pages are written whole for each of them */
#define WAL_PAGES  "256"  /* 2 MiB of log, which the next batches then use again */

/* Up to this size a file is checked as a whole at opening: some 20 ms, and less than a second from an SD card. */
#define CHECK_BYTES_MAX (16 << 20)

/* The head of a SQLite file [https://sqlite.org/fileformat2.html 1.3]. */
#define HEAD_LEN     100
#define HEAD_VERSION 60
#define HEAD_ID      68
#define HEAD_MAGIC   "SQLite format 3"
#define NEW_SUFFIX   ".new"
#define SUFFIX_MAX   16
#define NOT_THERE    "is not there, but its -wal file is"
#define LEFT         "; it was left as it is"

/* ---- errors -------------------------------------------------------------- */

static bool is_full(int number) { return number == ENOSPC || number == EDQUOT; }
static bool is_read_only(int number) { return number == EACCES || number == EROFS || number == EPERM; }

static larch_registry_fault fault_of(int code, int number)
{
    switch (code & 0xff) {
    case SQLITE_FULL:
        return LARCH_REGISTRY_FULL;
    case SQLITE_IOERR: /* a sync that failed for want of room is no clean refusal: some of it may be on the disk */
        return code == SQLITE_IOERR_WRITE && is_full(number) ? LARCH_REGISTRY_FULL : LARCH_REGISTRY_FAILED;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return LARCH_REGISTRY_DAMAGED;
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return LARCH_REGISTRY_READ_ONLY;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return LARCH_REGISTRY_IN_USE;
    case SQLITE_CANTOPEN:
        return is_read_only(number) ? LARCH_REGISTRY_READ_ONLY
               : is_full(number)    ? LARCH_REGISTRY_FULL
                                    : LARCH_REGISTRY_FAILED;
    default:
        return LARCH_REGISTRY_FAILED;
    }
}

larch_error larch_sqlite_fail(sqlite3 *db, const char *path, larch_registry_reason *why)
{
    static const char *const texts[] = {[LARCH_REGISTRY_DAMAGED] = "is damaged",
                                        [LARCH_REGISTRY_READ_ONLY] = "cannot be written",
                                        [LARCH_REGISTRY_IN_USE] = "is in use by another process",
                                        [LARCH_REGISTRY_FULL] = "cannot be written: the disk is full",
                                        [LARCH_REGISTRY_FAILED] = "failed"};
    const int code = sqlite3_extended_errcode(db), number = sqlite3_system_errno(db);
    const bool by_system = number != 0 && ((code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN);
    const larch_registry_fault fault = fault_of(code, number);
    char text[256];
    snprintf(text, sizeof text, "%s (%s%s%s)%s", texts[fault], sqlite3_errmsg(db), by_system ? ": " : "",
             by_system ? strerror(number) : "", fault == LARCH_REGISTRY_DAMAGED ? LEFT : "");
    return larch_registry_fail(why, path, fault, text);
}

/* The last system call failed. */
static larch_error fail_system(const char *path, larch_registry_reason *why)
{
    const int number = errno;
    char text[160];
    snprintf(text, sizeof text, "cannot be opened or made: %s", strerror(number));
    return larch_registry_fail(why, path,
                               is_read_only(number) ? LARCH_REGISTRY_READ_ONLY
                               : is_full(number)    ? LARCH_REGISTRY_FULL
                                                    : LARCH_REGISTRY_FAILED,
                               text);
}

/* ---- statements ---------------------------------------------------------- */

larch_error larch_sqlite_prepare(sqlite3 *db, const char *path, const char *sql, sqlite3_stmt **statement,
                                 larch_registry_reason *why)
{
    if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL) != SQLITE_OK)
        return larch_sqlite_fail(db, path, why);
    return LARCH_OK;
}

larch_error larch_sqlite_run(sqlite3 *db, const char *path, sqlite3_stmt *statement, larch_registry_reason *why)
{
    const larch_error e = sqlite3_step(statement) == SQLITE_DONE ? LARCH_OK : larch_sqlite_fail(db, path, why);
    (void)sqlite3_reset(statement); /* the same result again */
    return e;
}

static larch_error execute(sqlite3 *db, const char *path, const char *sql, larch_registry_reason *why)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? LARCH_OK : larch_sqlite_fail(db, path, why);
}

/* Without the checkpoint a log that is written anew, which nobody waits for, could take the change with it. */
larch_error larch_sqlite_run_durably(sqlite3 *db, const char *path, sqlite3_stmt *statement, bool medium,
                                     larch_registry_reason *why)
{
    larch_error e = medium ? LARCH_OK : execute(db, path, "PRAGMA synchronous=FULL", why);
    if (e == LARCH_OK)
        e = larch_sqlite_run(db, path, statement, why);
    if (e == LARCH_OK && !medium)
        e = execute(db, path, "PRAGMA wal_checkpoint(FULL); PRAGMA synchronous=OFF", why);
    return e;
}

/* The first column of the first row, as text. */
static larch_error query(sqlite3 *db, const char *path, const char *sql, char *out, size_t cap,
                         larch_registry_reason *why)
{
    sqlite3_stmt *statement;
    larch_error e = larch_sqlite_prepare(db, path, sql, &statement, why);
    if (e != LARCH_OK)
        return e;
    if (sqlite3_step(statement) == SQLITE_ROW)
        snprintf(out, cap, "%s", (const char *)sqlite3_column_text(statement, 0));
    else
        e = larch_sqlite_fail(db, path, why);
    (void)sqlite3_finalize(statement);
    return e;
}

/* ---- the file before SQLite sees it -------------------------------------- */

static uint32_t number_at(const uint8_t *head, size_t at)
{
    return (uint32_t)head[at] << 24 | (uint32_t)head[at + 1] << 16 | (uint32_t)head[at + 2] << 8 | head[at + 3];
}

/* SQLite repairs what it opens: whether a file is ours has to be known before. */
static larch_error check_head(int fd, const char *path, const larch_sqlite_kind *kind, larch_registry_reason *why)
{
    uint8_t head[HEAD_LEN];
    char text[160];
    const ssize_t n = pread(fd, head, sizeof head, 0);
    if (n < 0)
        return fail_system(path, why);
    if (n == 0)
        return larch_registry_fail(why, path, LARCH_REGISTRY_DAMAGED, "is empty" LEFT);
    if ((size_t)n < sizeof head || memcmp(head, HEAD_MAGIC, sizeof HEAD_MAGIC) != 0 ||
        number_at(head, HEAD_ID) != kind->application_id) {
        snprintf(text, sizeof text, "is not the %s of a gateway" LEFT, kind->noun);
        return larch_registry_fail(why, path, LARCH_REGISTRY_FOREIGN, text);
    }
    if (number_at(head, HEAD_VERSION) > kind->version) {
        snprintf(text, sizeof text, "was written by a newer version of larch (schema %u, this one has %u)" LEFT,
                 (unsigned)number_at(head, HEAD_VERSION), (unsigned)kind->version);
        return larch_registry_fail(why, path, LARCH_REGISTRY_NEWER, text);
    }
    return LARCH_OK;
}

static larch_error check_owner(int fd, const char *path, larch_registry_reason *why)
{
    struct stat st;
    char text[80];
    if (fstat(fd, &st) != 0)
        return fail_system(path, why);
    if (!S_ISREG(st.st_mode))
        return larch_registry_fail(why, path, LARCH_REGISTRY_REFUSED, "is not a regular file");
    if (st.st_uid != geteuid())
        return larch_registry_fail(why, path, LARCH_REGISTRY_REFUSED, "belongs to another user");
    if ((st.st_mode & 077) != 0) {
        snprintf(text, sizeof text, "is open to other users (mode %04o)", (unsigned)st.st_mode & 07777);
        return larch_registry_fail(why, path, LARCH_REGISTRY_REFUSED, text);
    }
    if ((st.st_mode & S_IWUSR) == 0) /* would not stop root */
        return larch_registry_fail(why, path, LARCH_REGISTRY_READ_ONLY, "is read-only");
    return LARCH_OK;
}

/* LARCH_AGAIN: there is no such file. */
static larch_error check_file(const char *path, const larch_sqlite_kind *kind, larch_registry_reason *why)
{
    const int fd = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return LARCH_AGAIN;
    if (fd < 0 && (errno == ELOOP || errno == EISDIR || errno == ENXIO))
        return larch_registry_fail(why, path, LARCH_REGISTRY_REFUSED, "is not a regular file");
    if (fd < 0)
        return fail_system(path, why);
    larch_error e = check_owner(fd, path, why);
    if (e == LARCH_OK)
        e = check_head(fd, path, kind, why);
    (void)close(fd);
    return e;
}

/* ---- a new file ---------------------------------------------------------- */

static larch_error fill_new(const char *path, const larch_sqlite_kind *kind, larch_registry_reason *why)
{
    sqlite3 *db;
    char sql[2048];
    const int len = snprintf(sql, sizeof sql,
                             "PRAGMA page_size=" PAGE_BYTES "; PRAGMA synchronous=FULL; BEGIN EXCLUSIVE;"
                             "PRAGMA application_id=%u; PRAGMA user_version=%u; %s; COMMIT; PRAGMA journal_mode=WAL;",
                             (unsigned)kind->application_id, (unsigned)kind->version, kind->schema);
    if (len < 0 || (size_t)len >= sizeof sql)
        return larch_registry_fail(why, path, LARCH_REGISTRY_FAILED, "has too long a schema");
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
        const larch_error e = larch_sqlite_fail(db, path, why);
        (void)sqlite3_close(db);
        return e;
    }
    larch_error e = execute(db, path, sql, why);
    if (sqlite3_close(db) != SQLITE_OK && e == LARCH_OK)
        e = larch_registry_fail(why, path, LARCH_REGISTRY_FAILED, "could not be closed");
    return e;
}

/* The name becomes durable with its folder. */
static larch_error sync_folder(const char *path, larch_registry_reason *why)
{
    char folder[LARCH_REGISTRY_PATH_MAX];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash != NULL)
        slash[slash == folder ? 1 : 0] = '\0';
    const int fd = open(slash != NULL ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail_system(path, why);
    const larch_error e = fsync(fd) == 0 ? LARCH_OK : fail_system(path, why);
    (void)close(fd);
    return e;
}

static bool is_there(const char *path, const char *suffix)
{
    char name[LARCH_REGISTRY_PATH_MAX + SUFFIX_MAX];
    struct stat st;
    snprintf(name, sizeof name, "%s%s", path, suffix);
    return lstat(name, &st) == 0;
}

/* Built beside its place and renamed when it is whole on the medium: what is there is complete. */
static larch_error make_file(const char *path, const larch_sqlite_kind *kind, larch_registry_reason *why)
{
    char name[LARCH_REGISTRY_PATH_MAX + SUFFIX_MAX], journal[sizeof name + SUFFIX_MAX];
    if (is_there(path, "-wal") || is_there(path, "-journal")) /* SQLite would play them into the new file */
        return larch_registry_fail(why, path, LARCH_REGISTRY_DAMAGED, NOT_THERE LEFT);
    snprintf(name, sizeof name, "%s" NEW_SUFFIX, path);
    snprintf(journal, sizeof journal, "%s-journal", name);
    (void)unlink(journal); /* leftovers of a start that a power cut ended */
    snprintf(journal, sizeof journal, "%s-wal", name);
    (void)unlink(journal);
    (void)unlink(name);
    const int fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail_system(path, why);
    (void)close(fd);
    larch_error e = fill_new(name, kind, why);
    if (e == LARCH_OK && renameat2(AT_FDCWD, name, AT_FDCWD, path, RENAME_NOREPLACE) != 0 &&
        !(errno == EINVAL && rename(name, path) == 0)) /* a file system that cannot promise it */
        e = fail_system(path, why);
    if (e != LARCH_OK) {
        (void)unlink(name);
        return e;
    }
    return sync_folder(path, why);
}

/* ---- opening ------------------------------------------------------------- */

static larch_error check_whole(sqlite3 *db, const char *path, larch_registry_reason *why)
{
    char text[120], sentence[160];
    larch_error e = query(db, path, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size", text,
                          sizeof text, why);
    if (e != LARCH_OK || strtoull(text, NULL, 10) > CHECK_BYTES_MAX)
        return e;
    if ((e = query(db, path, "PRAGMA quick_check(1)", text, sizeof text, why)) != LARCH_OK)
        return e;
    if (strcmp(text, "ok") == 0)
        return LARCH_OK;
    text[strcspn(text, "\n")] = ' ';
    snprintf(sentence, sizeof sentence, "is damaged (%.100s)" LEFT, text);
    return larch_registry_fail(why, path, LARCH_REGISTRY_DAMAGED, sentence);
}

static larch_error sync_file(const char *path, larch_registry_reason *why)
{
    const int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return fail_system(path, why);
    const larch_error e = fsync(fd) == 0 ? sync_folder(path, why) : fail_system(path, why);
    (void)close(fd);
    return e;
}

/* All of the file as it stands, log included. A copy that a cut left unfinished is made anew. */
static larch_error keep_copy(sqlite3 *db, const char *path, unsigned version, larch_registry_reason *why)
{
    char name[LARCH_REGISTRY_PATH_MAX + SUFFIX_MAX];
    sqlite3_stmt *statement;
    snprintf(name, sizeof name, "%s.v%u", path, version);
    (void)unlink(name);
    const int fd =
        open(name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600); /* SQLite would ask the umask */
    if (fd < 0)
        return fail_system(name, why);
    (void)close(fd);
    larch_error e = larch_sqlite_prepare(db, path, "VACUUM INTO ?1", &statement, why);
    if (e == LARCH_OK) {
        (void)sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
        e = larch_sqlite_run(db, path, statement, why);
        (void)sqlite3_finalize(statement);
    }
    if (e == LARCH_OK)
        e = sync_file(name, why);
    if (e != LARCH_OK)
        (void)unlink(name);
    return e;
}

/* An older larch refuses from now on what it would take for damage. */
static larch_error add_what_lacks(sqlite3 *db, const char *path, const larch_sqlite_kind *kind,
                                  larch_registry_reason *why)
{
    char text[48];
    larch_registry_reason other; /* the first failure is the one to report */
    larch_error e = query(db, path, "PRAGMA user_version", text, sizeof text, why);
    if (e != LARCH_OK)
        return e;
    const unsigned version = (unsigned)strtoul(text, NULL, 10);
    if (version < kind->version && kind->keeps_copy && (e = keep_copy(db, path, version, why)) != LARCH_OK)
        return e;
    snprintf(text, sizeof text, "PRAGMA user_version=%u", (unsigned)kind->version);
    if ((e = execute(db, path, "BEGIN IMMEDIATE", why)) == LARCH_OK &&
        (e = execute(db, path, kind->additions, why)) == LARCH_OK &&
        (version >= kind->version || (e = execute(db, path, text, why)) == LARCH_OK))
        e = execute(db, path, "COMMIT", why);
    if (e != LARCH_OK && sqlite3_get_autocommit(db) == 0)
        (void)!execute(db, path, "ROLLBACK", &other);
    return e;
}

/* The first access takes the lock for as long as the file is open, so the index of the WAL is kept in memory and no
 * call has to lock again. */
static larch_error set_up(sqlite3 *db, const char *path, const larch_sqlite_kind *kind, bool medium,
                          larch_registry_reason *why)
{
    char mode[16];
    larch_error e;
    if ((e = execute(db, path,
                     "PRAGMA locking_mode=EXCLUSIVE; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;"
                     "PRAGMA temp_store=MEMORY; PRAGMA secure_delete=ON; PRAGMA wal_autocheckpoint=" WAL_PAGES,
                     why)) != LARCH_OK ||
        (e = execute(db, path, medium ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=OFF", why)) != LARCH_OK ||
        (e = execute(db, path, "BEGIN IMMEDIATE; COMMIT", why)) != LARCH_OK ||
        (e = query(db, path, "PRAGMA journal_mode=WAL", mode, sizeof mode, why)) != LARCH_OK)
        return e;
    if (strcmp(mode, "wal") != 0)
        return larch_registry_fail(why, path, LARCH_REGISTRY_FAILED, "cannot have a write-ahead log");
    e = check_whole(db, path, why);
    return e == LARCH_OK ? add_what_lacks(db, path, kind, why) : e;
}

larch_error larch_sqlite_open(sqlite3 **db, const char *path, const larch_sqlite_kind *kind, bool medium,
                              larch_registry_reason *why)
{
    *db = NULL;
    if (strlen(path) >= LARCH_REGISTRY_PATH_MAX)
        return larch_registry_fail(why, "the file", LARCH_REGISTRY_FAILED, "has too long a path");
    larch_error e = check_file(path, kind, why);
    if (e == LARCH_AGAIN && (e = make_file(path, kind, why)) == LARCH_OK)
        e = check_file(path, kind, why);
    if (e != LARCH_OK)
        return e;
    if (sqlite3_open_v2(path, db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        e = larch_sqlite_fail(*db, path, why);
    else
        e = set_up(*db, path, kind, medium, why);
    if (e != LARCH_OK) {
        (void)sqlite3_close(*db);
        *db = NULL;
    }
    return e;
}
