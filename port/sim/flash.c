/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flash.h"

/* A test that goes on after this would test something else than it says. */
static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "flash simulation: %s\n", what);
    abort();
}

/* SplitMix64: every seed, 0 too, gives an even stream. */
static uint64_t draw(larch_flash *f)
{
    uint64_t z = f->seed += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

/* ---- files ------------------------------------------------------------- */

static larch_flash_file *find(const larch_flash *f, const char *name)
{
    for (size_t i = 0; i < LARCH_FLASH_FILES; i++) {
        if (f->files[i].now != NULL && strcmp(f->files[i].name, name) == 0)
            return (larch_flash_file *)&f->files[i];
    }
    return NULL;
}

static void drop(larch_flash_file *file)
{
    free(file->now);
    free(file->durable);
    memset(file, 0, sizeof *file);
}

static void put(larch_flash *f, const char *name, larch_bytes content, uint32_t tail)
{
    larch_flash_file *file = find(f, name);
    if (file != NULL)
        drop(file);
    for (size_t i = 0; file == NULL && i < LARCH_FLASH_FILES; i++)
        file = f->files[i].now == NULL ? &f->files[i] : NULL;
    require(file != NULL && strlen(name) <= LARCH_STORAGE_NAME_MAX, "too many files, or too long a name");
    memcpy(file->name, name, strlen(name) + 1);
    file->size = (uint32_t)content.len + tail;
    file->now = malloc(file->size + 1);
    file->durable = malloc(file->size + 1);
    require(file->now != NULL && file->durable != NULL, "out of memory");
    memset(file->now, LARCH_STORAGE_ERASED, file->size);
    if (content.len > 0)
        memcpy(file->now, content.data, content.len);
    memcpy(file->durable, file->now, file->size);
}

/* Each atom as it is now or as it was at the last sync. Every fourth cut keeps all, every
 * fourth loses all: the extremes are likelier than chance would have them. */
static void settle(larch_flash *f, larch_flash_file *file)
{
    uint64_t way = draw(f) % 4;
    for (uint32_t at = 0; at < file->size; at += LARCH_STORAGE_ATOM) {
        uint32_t n = file->size - at < LARCH_STORAGE_ATOM ? file->size - at : LARCH_STORAGE_ATOM;
        if (memcmp(file->now + at, file->durable + at, n) == 0)
            continue;
        if (way == 0 || (way > 1 && draw(f) % 2 == 0))
            memcpy(file->durable + at, file->now + at, n);
    }
    memcpy(file->now, file->durable, file->size);
}

/* ---- operations -------------------------------------------------------- */

typedef struct outcome {
    bool done;
    larch_error error;
} outcome;

/* Whether the operation takes effect, and what it tells the caller. */
static outcome begin(larch_flash *f)
{
    uint32_t number = f->operations++;
    if (f->off)
        return (outcome){false, LARCH_PLATFORM};
    if (number == f->cut_at) {
        f->off = true;
        return (outcome){draw(f) % 2 == 0, LARCH_PLATFORM};
    }
    if (number >= f->fail_at && number - f->fail_at < f->fail_count)
        return (outcome){draw(f) % 2 == 0, LARCH_PLATFORM};
    return (outcome){true, LARCH_OK};
}

static larch_error flash_size(void *context, const char *name, uint32_t *size)
{
    larch_flash *f = context;
    outcome o = begin(f);
    const larch_flash_file *file = find(f, name);
    *size = o.error == LARCH_OK && file != NULL ? file->size : LARCH_STORAGE_NONE;
    return o.error;
}

static larch_error flash_read(void *context, const char *name, uint32_t offset, uint8_t *out, size_t len)
{
    larch_flash *f = context;
    outcome o = begin(f);
    const larch_flash_file *file = find(f, name);
    if (o.error != LARCH_OK)
        return o.error;
    require(file != NULL, "read of a file that is not there");
    if (offset > file->size || len > file->size - offset)
        return LARCH_MALFORMED;
    if (len > 0)
        memcpy(out, file->now + offset, len);
    return LARCH_OK;
}

static larch_error flash_replace(void *context, const char *name, larch_bytes content, uint32_t tail)
{
    larch_flash *f = context;
    outcome o = begin(f);
    if (o.done)
        put(f, name, content, tail);
    return o.error;
}

static larch_error flash_write(void *context, const char *name, uint32_t offset, larch_bytes bytes)
{
    larch_flash *f = context;
    outcome o = begin(f);
    if (!o.done)
        return o.error;
    const larch_flash_file *file = find(f, name);
    require(file != NULL && offset <= file->size && bytes.len <= file->size - offset, "write outside the file");
    for (size_t i = 0; i < bytes.len; i++) {
        uint8_t before = file->now[offset + i];
        require(before == LARCH_STORAGE_ERASED || before == bytes.data[i], "write over bytes in use");
    }
    /* A write that fails may have come halfway. */
    size_t len = o.error == LARCH_OK ? bytes.len : draw(f) % (bytes.len / LARCH_STORAGE_ATOM + 1) * LARCH_STORAGE_ATOM;
    if (len > 0)
        memcpy(file->now + offset, bytes.data, len);
    return o.error;
}

static larch_error flash_sync(void *context, const char *name)
{
    larch_flash *f = context;
    outcome o = begin(f);
    const larch_flash_file *file = find(f, name);
    require(file != NULL || o.error != LARCH_OK, "sync of a file that is not there");
    if (o.done && file != NULL)
        memcpy(file->durable, file->now, file->size);
    return o.error;
}

static larch_error flash_remove(void *context, const char *name)
{
    larch_flash *f = context;
    outcome o = begin(f);
    larch_flash_file *file = find(f, name);
    if (o.done && file != NULL)
        drop(file);
    return o.error;
}

/* ---- for tests --------------------------------------------------------- */

void larch_flash_init(larch_flash *flash, uint64_t seed)
{
    memset(flash, 0, sizeof *flash);
    flash->seed = seed;
    flash->cut_at = LARCH_FLASH_NEVER;
    flash->fail_at = LARCH_FLASH_NEVER;
    flash->fail_count = 1;
}

void larch_flash_free(larch_flash *flash)
{
    for (size_t i = 0; i < LARCH_FLASH_FILES; i++)
        drop(&flash->files[i]);
}

larch_storage larch_flash_storage(larch_flash *flash)
{
    return (larch_storage){
        .context = flash,
        .size = flash_size,
        .read = flash_read,
        .replace = flash_replace,
        .write = flash_write,
        .sync = flash_sync,
        .remove = flash_remove,
    };
}

void larch_flash_power_on(larch_flash *flash)
{
    for (size_t i = 0; i < LARCH_FLASH_FILES; i++) {
        if (flash->files[i].now != NULL)
            settle(flash, &flash->files[i]);
    }
    flash->off = false;
    flash->cut_at = LARCH_FLASH_NEVER;
    flash->fail_at = LARCH_FLASH_NEVER;
}

larch_bytes larch_flash_look(const larch_flash *flash, const char *name)
{
    const larch_flash_file *file = find(flash, name);
    return file != NULL ? (larch_bytes){file->now, file->size} : (larch_bytes){NULL, 0};
}

void larch_flash_put(larch_flash *flash, const char *name, larch_bytes content) { put(flash, name, content, 0); }
