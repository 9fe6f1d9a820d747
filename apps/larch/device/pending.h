/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reading under way, in CONTEXTFILE.reading: durable before it is sent, so that a device that is cut off sends it
 * again under the same number, and the gateway stores it once.
 *
 *     "larch-reading 1\n" (16) | keys (8) | n (8) | name length (1), name | text length (2), text | CRC-32 (4)
 *
 * keys: of the context, so that a file that was left over is not sent in another. The file is written in place: while it
 * is written nothing is under way, and what is cut short fails its checksum.
 */
#ifndef LARCH_APP_DEVICE_PENDING_H
#define LARCH_APP_DEVICE_PENDING_H

#include <limits.h>

#include "common/app.h"
#include "larch/contexts.h"

#define DEVICE_TEXT_MAX    1024 /* of a reading */
#define PENDING_KEYS_LEN   8
#define PENDING_RECORD_MAX (16 + PENDING_KEYS_LEN + 8 + 1 + LARCH_READING_NAME_MAX + 2 + DEVICE_TEXT_MAX + 4)

typedef struct pending_reading {
    uint64_t n; /* 0: there is none */
    char name[LARCH_READING_NAME_MAX + 1];
    size_t len;
    uint8_t text[DEVICE_TEXT_MAX];
} pending_reading;

/* keys: PENDING_KEYS_LEN bytes. */
void pending_put(larch_writer *w, const uint8_t *keys, const pending_reading *reading);
/* Reads untrusted bytes. LARCH_MALFORMED: they hold no whole reading; LARCH_STATE: one of another context. *reading is
 * zeroed then. */
LARCH_MUST_USE larch_error pending_parse(larch_bytes bytes, const uint8_t *keys, pending_reading *reading);

typedef struct pending_file {
    int fd; /* private, all of it; -1: not open */
    uint8_t keys[PENDING_KEYS_LEN];
    char path[PATH_MAX];
} pending_file;

/* Opens the file beside context_file, or makes it; the lock of the context's state protects it. *reading: what was under
 * way, or n 0. LARCH_EXIT_FAILED, LARCH_EXIT_REFUSED: it has said why. */
larch_exit pending_open(pending_file *file, const char *command, const char *context_file, const uint8_t *keys,
                        pending_reading *reading);
/* Makes a reading durable. False: errno. */
bool pending_write(const pending_file *file, const pending_reading *reading);
/* The reading is done. Not durable at once: one that is sent again is known to the gateway. */
void pending_clear(const pending_file *file);
void pending_close(pending_file *file);

#endif
