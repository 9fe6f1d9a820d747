/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a platform lends the library: named files that survive power cuts. On
 * Linux a folder, on a board a flash partition, in tests a simulation that cuts
 * the power. Time is passed in, random is larch_random, datagrams are handed over:
 * none of them needs an interface.
 */
#ifndef LARCH_PORT_H
#define LARCH_PORT_H

#include "larch/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_STORAGE_NAME_MAX 31 /* "direct-512.key": lower-case letters, digits, '-', '.' */
#define LARCH_STORAGE_NONE     UINT32_MAX
#define LARCH_STORAGE_ERASED   0xff /* what bytes read as that were never written */
/* Bytes at a multiple of this, no more than this, are written whole or not at all. */
#define LARCH_STORAGE_ATOM     16

/* All calls block until done. LARCH_PLATFORM: the medium failed; the program can
 * ask its port for the reason. Names come from the library, never from a peer. */
typedef struct larch_storage {
    void *context;

    /* The start counter that every record written through this interface carries; a record with a higher one is
     * refused. larch_state_start sets it, a port leaves it 0. */
    uint32_t start;

    /* *size: bytes of the file, or LARCH_STORAGE_NONE if there is none. */
    larch_error (*size)(void *context, const char *name, uint32_t *size);

    /* Reads exactly len bytes from offset. LARCH_MALFORMED: the file is shorter. */
    larch_error (*read)(void *context, const char *name, uint32_t offset, uint8_t *out, size_t len);

    /* Makes or replaces the whole file: durable on return, and a power cut at any
     * moment leaves the old content or the new. tail: so many erased bytes follow
     * the content. LARCH_PLATFORM: old or new stands, whole. */
    larch_error (*replace)(void *context, const char *name, larch_bytes content, uint32_t tail);

    /* Writes over erased bytes inside the file. Not durable before sync: of what a power
     * cut catches, each atom is there or still erased, in any order. After LARCH_PLATFORM
     * the same bytes may be written to the same place again. */
    larch_error (*write)(void *context, const char *name, uint32_t offset, larch_bytes bytes);

    /* Makes all writes to the file durable. A port that cannot know whether writes behind
     * a failed sync were lost must go on failing. */
    larch_error (*sync)(void *context, const char *name);

    /* Removes the file; durable on return. None there is LARCH_OK. */
    larch_error (*remove)(void *context, const char *name);
} larch_storage;

#ifdef __cplusplus
}
#endif

#endif
