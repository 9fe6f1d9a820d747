/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A backup file: the state of a gateway, sealed under a recovery passphrase or key of its own.
 *
 *     0               12        13     14          26     42        74           82        84       88
 *    +---------------+---------+------+-----------+------+---------+------------+---------+--------+
 *    | "larch-backup"| version | kind | Argon2id: | salt | machine | time       | format  | schema |
 *    |               | = 1     |      | 3 numbers |      |         | Unix, s    | of head | of DB  |
 *    +---------------+---------+------+-----------+------+---------+------------+---------+--------+
 *    then chunks of 65,536 bytes, each sealed to 65,552; the last has fewer bytes, or as many
 *
 *     kind 1: IKM = Argon2id(passphrase, salt, passes (4) | memory in KiB (4) | lanes (4))     2: IKM = the key; zeros
 *     key   = HKDF-SHA-256(salt, IKM, "larch-backup key", 32)
 *     chunk = AES-256-GCM with this key, nonce = 0 (3) | number (8) | 1 if it is the last (1), the 88 bytes as associated data
 *
 * The chunks are one stream of items, of which each name comes once: name length (1) | name | size (8) | content. An
 * item of no name ends it, without a size. Numbers are big-endian. So a file that is cut, joined, reordered or altered
 * anywhere does not open.
 */
#ifndef LARCH_SECRETS_BACKUP_H
#define LARCH_SECRETS_BACKUP_H

#include "secrets/head.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_BACKUP_HEAD_LEN   88
#define LARCH_BACKUP_CHUNK      65536u
#define LARCH_BACKUP_NAME_MAX   LARCH_STORAGE_NAME_MAX
#define LARCH_BACKUP_PASSPHRASE 1
#define LARCH_BACKUP_KEY        2

typedef struct larch_backup_head {
    uint8_t kind;
    larch_argon2_cost cost;
    uint8_t salt[LARCH_HEAD_SALT_LEN];
    uint8_t machine[LARCH_STATE_MACHINE_LEN]; /* zeros: none is known */
    uint64_t time_s;
    uint16_t format;
    uint32_t schema;
} larch_backup_head;

/* LARCH_MALFORMED: it is no backup. LARCH_STATE: of a later version. head is zeroed on error. */
LARCH_MUST_USE larch_error larch_backup_head_take(larch_bytes bytes, larch_backup_head *head);
void larch_backup_head_put(larch_writer *w, const larch_backup_head *head);

/* A file that is written or read, front to back. Secret: to be wiped. */
typedef struct larch_backup {
    /* Writes all bytes, or reads exactly so many. */
    larch_error (*move)(void *context, uint8_t *bytes, size_t len);
    void *context;
    uint64_t left; /* bytes that are still to be read from the file; of a writer 0 */
    uint64_t number;
    uint8_t key[LARCH_SEAL_KEY_LEN];
    uint8_t aad[LARCH_BACKUP_HEAD_LEN];
    size_t at, len; /* within the chunk */
    uint8_t chunk[LARCH_BACKUP_CHUNK];
    uint8_t sealed[LARCH_BACKUP_CHUNK + LARCH_GCM_TAG_LEN];
} larch_backup;

/* Writes the head. secret: the passphrase or the key. LARCH_PLATFORM: also memory for Argon2id, or what move returns. */
LARCH_MUST_USE larch_error larch_backup_begin(larch_backup *b, const larch_backup_head *head, larch_bytes secret);
LARCH_MUST_USE larch_error larch_backup_put_item(larch_backup *b, const char *name, uint64_t size);
LARCH_MUST_USE larch_error larch_backup_put(larch_backup *b, larch_bytes bytes);
LARCH_MUST_USE larch_error larch_backup_end(larch_backup *b);

/* Begins to read behind the head, of a file that has left more bytes. Errors of this and the calls below: LARCH_AUTH: the
 * secret is wrong, or the file was altered. LARCH_MALFORMED: cut short, or no items are in it. */
LARCH_MUST_USE larch_error larch_backup_open(larch_backup *b, const larch_backup_head *head, larch_bytes secret,
                                             uint64_t left);
/* LARCH_AGAIN: there are no more; then the whole file was read, and is genuine. */
LARCH_MUST_USE larch_error larch_backup_take_item(larch_backup *b, char name[LARCH_BACKUP_NAME_MAX + 1],
                                                  uint64_t *size);
LARCH_MUST_USE larch_error larch_backup_take(larch_backup *b, uint8_t *out, size_t len);

#ifdef __cplusplus
}
#endif

#endif
