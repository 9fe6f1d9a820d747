/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A larch_storage in memory that fails and loses power on demand, for tests.
 *
 * Every call of the storage is one operation, counted from 0. At a power cut each atom
 * that was written and not synced is kept or lost by itself, as a seed decides; the
 * operation that the cut hits is done or not, a write in part. Wrong use (a write over
 * bytes that are not erased, or outside the file) ends the program.
 */
#ifndef LARCH_SIM_FLASH_H
#define LARCH_SIM_FLASH_H

#include "larch/port.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_FLASH_FILES 24
#define LARCH_FLASH_NEVER UINT32_MAX

typedef struct larch_flash_file {
    char name[LARCH_STORAGE_NAME_MAX + 1]; /* "": the entry is free */
    uint8_t *now;                          /* what a read sees */
    uint8_t *durable;                      /* what a power cut leaves for sure */
    uint32_t size;
} larch_flash_file;

typedef struct larch_flash {
    larch_flash_file files[LARCH_FLASH_FILES];
    uint64_t seed;
    uint32_t operations; /* number of the next one */
    uint32_t cut_at;     /* the power goes during this operation; set freely */
    uint32_t fail_at;    /* this one fails with LARCH_PLATFORM, done or not; set freely */
    uint32_t fail_count; /* and so many in all, 1 by default; set freely */
    bool off;            /* everything fails until larch_flash_power_on */
} larch_flash;

void larch_flash_init(larch_flash *flash, uint64_t seed);
void larch_flash_free(larch_flash *flash);
larch_storage larch_flash_storage(larch_flash *flash);

/* The state after the power came back; cuts it first if it is on. Nothing fails any more. */
void larch_flash_power_on(larch_flash *flash);

/* Past the counters: the content of a file, data NULL if there is none; good until the
 * file changes. And putting one there, durably. */
larch_bytes larch_flash_look(const larch_flash *flash, const char *name);
void larch_flash_put(larch_flash *flash, const char *name, larch_bytes content);

#ifdef __cplusplus
}
#endif

#endif
