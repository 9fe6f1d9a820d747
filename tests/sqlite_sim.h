/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite over files that fail and lose power on demand. Every write, sync, truncation and deletion is one operation,
 * counted from 0. At a power cut each write since a file's last sync is kept or lost by itself, as a seed decides; the
 * one that the cut hits is kept in part. The files on the disk are what SQLite sees; what is durable stands beside.
 */
#ifndef LARCH_TEST_SQLITE_SIM_H
#define LARCH_TEST_SQLITE_SIM_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIM_NEVER UINT32_MAX
#define SIM_FILES 8

typedef enum sim_fault { SIM_FAIL, SIM_FULL, SIM_CUT, SIM_FAULTS } sim_fault;

/* A write, or with data NULL a truncation, that no sync has followed. */
typedef struct sim_change {
    struct sim_change *next;
    size_t at, len;
    uint8_t *data;
} sim_change;

typedef struct sim_file {
    char path[160]; /* "": the entry is free */
    bool exists;    /* durably */
    uint8_t *durable;
    size_t len, cap;
    sim_change *changes, **last;
} sim_file;

typedef struct sim_handle {
    sqlite3_file base;
    sim_file *file; /* NULL: a temporary file */
    sqlite3_file *real;
} sim_handle;

static struct {
    sim_fault fault;
    uint32_t operations; /* number of the next one */
    uint32_t fault_at;
    uint32_t fault_count; /* so many in a row; of FAIL and FULL */
    uint32_t met;         /* faults so far */
    bool sync_failed;
    bool off;
    uint64_t seed;
    sim_file files[SIM_FILES];
    sqlite3_vfs vfs;
    sqlite3_vfs *real;
} sim;

static inline uint32_t sim_random(void)
{
    sim.seed = sim.seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(sim.seed >> 33);
}

/* Whether this operation meets the fault. */
static inline bool sim_meets_fault(bool sync)
{
    const uint32_t operation = sim.operations++;
    if (sim.off)
        return true;
    if (operation < sim.fault_at || operation - sim.fault_at >= sim.fault_count)
        return false;
    sim.off = sim.fault == SIM_CUT;
    sim.sync_failed = sim.sync_failed || sync;
    sim.met++;
    return true;
}

/* ---- what is durable ------------------------------------------------------- */

static inline void sim_apply(sim_file *f, const sim_change *c)
{
    const size_t end = c->data != NULL ? c->at + c->len : c->at;
    if (c->data == NULL ? end != f->len : end > f->len) {
        if (end > f->cap && (f->durable = realloc(f->durable, f->cap = end | 0x3ffff)) == NULL)
            abort();
        if (end > f->len)
            memset(f->durable + f->len, 0, end - f->len);
        f->len = end;
    }
    if (c->data != NULL)
        memcpy(f->durable + c->at, c->data, c->len);
    f->exists = true;
}

/* keep: all changes, else each by chance. */
static inline void sim_settle(sim_file *f, bool keep)
{
    while (f->changes != NULL) {
        sim_change *c = f->changes;
        f->changes = c->next;
        if (keep || sim_random() % 2 == 0)
            sim_apply(f, c);
        free(c->data);
        free(c);
    }
    f->last = &f->changes;
}

static inline void sim_change_file(sim_file *f, const void *data, size_t len, size_t at)
{
    sim_change *c = calloc(1, sizeof *c);
    c->at = at;
    c->len = len;
    if (data != NULL && (c->data = malloc(len > 0 ? len : 1)) != NULL)
        memcpy(c->data, data, len);
    *f->last = c;
    f->last = &c->next;
}

static inline void sim_forget(sim_file *f)
{
    sim_settle(f, true);
    free(f->durable);
    memset(f, 0, sizeof *f);
}

static inline sim_file *sim_find(const char *path)
{
    for (size_t i = 0; i < SIM_FILES; i++)
        if (strcmp(sim.files[i].path, path) == 0)
            return &sim.files[i];
    return NULL;
}

/* The entry of a file; what is on the disk already, by a rename, is durable. */
static inline sim_file *sim_enter(const char *path)
{
    char before[180];
    sim_file *f = sim_find(path);
    if (f != NULL)
        return f;
    snprintf(before, sizeof before, "%s.new", path);
    if ((f = sim_find(before)) != NULL)
        sim_forget(f);
    if ((f = sim_find("")) == NULL)
        abort();
    snprintf(f->path, sizeof f->path, "%s", path);
    f->last = &f->changes;
    FILE *file = fopen(path, "rb");
    if (file != NULL) {
        struct stat st;
        f->exists = fstat(fileno(file), &st) == 0 && st.st_size > 0;
        f->len = (size_t)st.st_size;
        f->cap = f->len | 0x3ffff;
        f->durable = malloc(f->cap);
        if (fread(f->durable, 1, f->len, file) != f->len)
            abort();
        (void)fclose(file);
    }
    return f;
}

/* The disk after the power came back, or with every change kept if it never went. Nothing fails any more. */
static inline void sim_power_on(void)
{
    for (size_t i = 0; i < SIM_FILES; i++) {
        sim_file *f = &sim.files[i];
        if (f->path[0] == '\0')
            continue;
        if (sim.off) {
            sim_settle(f, false);
            (void)unlink(f->path);
            FILE *file = f->exists ? fopen(f->path, "wb") : NULL;
            if (file != NULL &&
                (fwrite(f->durable, 1, f->len, file) != f->len || fclose(file) != 0 || chmod(f->path, 0600) != 0))
                abort();
        }
        sim_forget(f);
    }
    sim.off = false;
    sim.fault_at = SIM_NEVER;
}

/* ---- files ----------------------------------------------------------------- */

static inline sqlite3_file *sim_real(sqlite3_file *file) { return ((sim_handle *)(void *)file)->real; }
static inline sim_file *sim_entry(sqlite3_file *file) { return ((sim_handle *)(void *)file)->file; }

static int sim_close(sqlite3_file *file)
{
    const int code = sim_real(file)->pMethods->xClose(sim_real(file));
    sqlite3_free(sim_real(file));
    return code;
}

static int sim_read(sqlite3_file *file, void *out, int len, sqlite3_int64 at)
{
    return sim.off ? SQLITE_IOERR_READ : sim_real(file)->pMethods->xRead(sim_real(file), out, len, at);
}

static int sim_write(sqlite3_file *file, const void *data, int len, sqlite3_int64 at)
{
    const bool was_off = sim.off;
    if (sim_meets_fault(false)) {
        if (!was_off && sim.off && sim_entry(file) != NULL)
            sim_change_file(sim_entry(file), data, sim_random() % ((size_t)len + 1), (size_t)at);
        return sim.fault == SIM_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
    }
    if (sim_entry(file) != NULL)
        sim_change_file(sim_entry(file), data, (size_t)len, (size_t)at);
    return sim_real(file)->pMethods->xWrite(sim_real(file), data, len, at);
}

static int sim_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    if (sim_meets_fault(false))
        return SQLITE_IOERR_TRUNCATE;
    if (sim_entry(file) != NULL)
        sim_change_file(sim_entry(file), NULL, 0, (size_t)size);
    return sim_real(file)->pMethods->xTruncate(sim_real(file), size);
}

/* The files are not synced in truth: nobody cuts the power of the machine that runs this. */
static int sim_sync(sqlite3_file *file, int flags)
{
    (void)flags;
    if (sim_meets_fault(true))
        return SQLITE_IOERR_FSYNC;
    if (sim_entry(file) != NULL)
        sim_settle(sim_entry(file), true);
    return SQLITE_OK;
}

static int sim_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return sim_real(file)->pMethods->xFileSize(sim_real(file), size);
}
static int sim_lock(sqlite3_file *file, int level) { return sim_real(file)->pMethods->xLock(sim_real(file), level); }
static int sim_unlock(sqlite3_file *file, int level)
{
    return sim_real(file)->pMethods->xUnlock(sim_real(file), level);
}
static int sim_is_locked(sqlite3_file *file, int *out)
{
    return sim_real(file)->pMethods->xCheckReservedLock(sim_real(file), out);
}
static int sim_control(sqlite3_file *file, int op, void *arg)
{
    return sim_real(file)->pMethods->xFileControl(sim_real(file), op, arg);
}
static int sim_sector(sqlite3_file *file) { return sim_real(file)->pMethods->xSectorSize(sim_real(file)); }
static int sim_device(sqlite3_file *file) { return sim_real(file)->pMethods->xDeviceCharacteristics(sim_real(file)); }

static const sqlite3_io_methods sim_methods = {.iVersion = 1, /* without shared memory: the lock is exclusive */
                                               .xClose = sim_close,
                                               .xRead = sim_read,
                                               .xWrite = sim_write,
                                               .xTruncate = sim_truncate,
                                               .xSync = sim_sync,
                                               .xFileSize = sim_size,
                                               .xLock = sim_lock,
                                               .xUnlock = sim_unlock,
                                               .xCheckReservedLock = sim_is_locked,
                                               .xFileControl = sim_control,
                                               .xSectorSize = sim_sector,
                                               .xDeviceCharacteristics = sim_device};

static int sim_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags, int *out_flags)
{
    sim_handle *h = (sim_handle *)(void *)file;
    (void)vfs;
    memset(h, 0, sizeof *h);
    if (sim.off)
        return SQLITE_CANTOPEN;
    h->real = sqlite3_malloc(sim.real->szOsFile);
    h->file = name != NULL ? sim_enter(name) : NULL;
    const int code = h->real != NULL ? sim.real->xOpen(sim.real, name, h->real, flags, out_flags) : SQLITE_NOMEM;
    if (code == SQLITE_OK)
        h->base.pMethods = &sim_methods;
    else
        sqlite3_free(h->real);
    return code;
}

static int sim_delete(sqlite3_vfs *vfs, const char *path, int sync_folder)
{
    (void)vfs;
    (void)sync_folder;
    if (sim_meets_fault(false))
        return SQLITE_IOERR_DELETE;
    sim_file *f = sim_find(path);
    if (f != NULL)
        sim_forget(f);
    return sim.real->xDelete(sim.real, path, 0);
}

/* From now on every SQLite file of this program is one of these. */
static inline void sim_install(void)
{
    sim.real = sqlite3_vfs_find("unix");
    sim.vfs = *sim.real;
    sim.vfs.zName = "sim";
    sim.vfs.szOsFile = sizeof(sim_handle);
    sim.vfs.pNext = NULL;
    sim.vfs.xOpen = sim_open;
    sim.vfs.xDelete = sim_delete;
    sim.fault_at = SIM_NEVER;
    if (sqlite3_vfs_register(&sim.vfs, 1) != SQLITE_OK)
        abort();
}

/* A fault at that operation from now on. */
static inline void sim_plan(sim_fault fault, uint32_t at, uint32_t count, uint64_t seed)
{
    sim.fault = fault;
    sim.operations = 0;
    sim.fault_at = at;
    sim.fault_count = count;
    sim.met = 0;
    sim.sync_failed = false;
    sim.seed = seed;
}

#endif
