/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The folder as its opener sees it: a larch_storage over another one, which seals every record of the key files under the
 * store key when they are written, and opens them when they are read. Above it nobody knows of that.
 *
 * Key files are those named "*.key". On the medium each of their records stands as a record of kind + 128, with the same
 * start counter, whose payload is sealed (registry/seal.h) for the table "file", the file's name without ".key" as the
 * column, and its place in the file (1 + 256 * place + kind) as the row. A record of a plain kind, as older versions of
 * larch wrote them, reads as it is, and is sealed when the file is written next. "store.key" reads as the plain record
 * that registry/seal.h expects.
 */
#ifndef LARCH_SECRETS_SEALED_FILES_H
#define LARCH_SECRETS_SEALED_FILES_H

#include "secrets/head.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_SEALED_FILE_MAX  4096 /* of a key file */
#define LARCH_SEALED_KIND      0x80
#define LARCH_SEALED_PLAIN_MAX (LARCH_RECORD_MAX - LARCH_SEAL_OVERHEAD)

typedef struct larch_sealed_files {
    larch_storage medium; /* private, all of it */
    const larch_random *random;
    larch_seal_key key;
    bool has_key;
    larch_store_head head;
    uint32_t head_start; /* that the head's record carries */
    larch_error (*make)(void *context, const larch_seal_key *key, larch_store_head *head);
    void *make_context;
    uint8_t bytes[LARCH_SEALED_FILE_MAX];
} larch_sealed_files;

/* medium is copied; its context, and random, outlive this. Nothing is open yet: key files read as they are. make: fills
 * the head of a key that is new, when one is written for the first time; NULL: none can be. */
void larch_sealed_files_init(larch_sealed_files *s, const larch_storage *medium, const larch_random *random,
                             larch_error (*make)(void *context, const larch_seal_key *key, larch_store_head *head),
                             void *make_context);
/* Reads the head, whichever start wrote it. Errors as larch_record_read. *head is zeroed on error. */
LARCH_MUST_USE larch_error larch_sealed_files_head(const larch_storage *medium, const char *name,
                                                   larch_store_head *head, uint32_t *start, larch_store_fault *fault);
/* From now on the key of this head opens and seals. */
void larch_sealed_files_open(larch_sealed_files *s, const larch_store_head *head, uint32_t start,
                             const larch_seal_key *key);
/* Whether a file of the medium has a sealed record. LARCH_PLATFORM. */
LARCH_MUST_USE larch_error larch_sealed_files_is_sealed(const larch_storage *medium, const char *name, bool *is_sealed);
/* Good while s stays where it is. */
larch_storage larch_sealed_files_interface(larch_sealed_files *s);
/* Seals the records of a whole file of that name for its place. LARCH_SPACE: out is too small, or a record too large.
 * LARCH_MALFORMED: it is not made of records. */
LARCH_MUST_USE larch_error larch_sealed_files_seal(const larch_seal_key *key, const larch_random *random,
                                                   const char *name, larch_bytes content, larch_writer *out);
/* Opens them. Records that are not sealed stay. LARCH_AUTH: one was altered, or sealed under another key. */
LARCH_MUST_USE larch_error larch_sealed_files_unseal(const larch_seal_key *key, const char *name, larch_bytes content,
                                                     larch_writer *out);
void larch_sealed_files_wipe(larch_sealed_files *s);

#ifdef __cplusplus
}
#endif

#endif
