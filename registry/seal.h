/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets at rest: the store key of a state folder, and the one way in which secret columns of its databases are sealed.
 *
 *     record = salt (16, random at each write) | ciphertext | tag (16)
 *     place  = "larch-seal" | length (1) table | row (8) | length (1) column | schema (4)       big-endian
 *     key    = HKDF-SHA-256(salt, store key, place), of which each serves one record
 *     AES-256-GCM with this key, a nonce of zeros, and place as associated data [SP800-38D]
 *
 * A record opens only in the table, row and column, and under the schema, for which it was made.
 */
#ifndef LARCH_REGISTRY_SEAL_H
#define LARCH_REGISTRY_SEAL_H

#include "larch/crypto.h"
#include "larch/store.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_SEAL_KEY_NAME "store.key"
#define LARCH_SEAL_KEY_LEN  32
#define LARCH_SEAL_SALT_LEN 16
#define LARCH_SEAL_OVERHEAD (LARCH_SEAL_SALT_LEN + LARCH_GCM_TAG_LEN)
#define LARCH_SEAL_NAME_MAX 15 /* bytes of the name of a table or column */

/* ---- store key ----------------------------------------------------------- */

/* Secret. */
typedef struct larch_seal_key {
    uint8_t bytes[LARCH_SEAL_KEY_LEN];
} larch_seal_key;

/* Reads store.key, a record (larch/store.h), from the state folder. Errors as larch_record_read; VERSION: also a key of
 * another form. The key is zeroed on error. */
LARCH_MUST_USE larch_error larch_seal_key_load(larch_seal_key *key, const larch_storage *storage,
                                               larch_store_fault *fault);
/* Makes a new key, and store.key, which is durable on LARCH_OK. It replaces one that is there: load first.
 * LARCH_PLATFORM: random or the storage failed; the key is zeroed. */
LARCH_MUST_USE larch_error larch_seal_key_make(larch_seal_key *key, const larch_storage *storage,
                                               const larch_random *random);
/* A key of its own for another use of the store key, such as a check value. use: a literal that names it. out_len: as
 * larch_hkdf_sha256. LARCH_PLATFORM: the provider failed, and out is zeroed. */
LARCH_MUST_USE larch_error larch_seal_key_derive(const larch_seal_key *key, const char *use, uint8_t *out,
                                                 size_t out_len);

/* ---- records ------------------------------------------------------------- */

/* Where a record stands. The names have 1 to LARCH_SEAL_NAME_MAX bytes. */
typedef struct larch_seal_place {
    const char *table;
    uint64_t row;
    const char *column;
    uint32_t schema; /* version of the database's schema */
} larch_seal_place;

/* Seals plain for this place into out, which needs plain.len + LARCH_SEAL_OVERHEAD bytes and shares no memory with it.
 * *sealed: all of them. LARCH_SPACE: cap is too small. LARCH_PLATFORM: random or the provider failed. *sealed is
 * empty on error. */
LARCH_MUST_USE larch_error larch_seal_record(const larch_seal_key *key, const larch_seal_place *place,
                                             const larch_random *random, larch_bytes plain, uint8_t *out, size_t cap,
                                             larch_bytes *sealed);
/* Opens an untrusted record of this place into out, which needs sealed.len - LARCH_SEAL_OVERHEAD bytes. *plain: the
 * secret, in out, for the caller to wipe. LARCH_AUTH: it was altered, stood elsewhere, or was sealed under another key.
 * LARCH_MALFORMED: it is shorter than any record. LARCH_SPACE, LARCH_PLATFORM. *plain is empty on error. */
LARCH_MUST_USE larch_error larch_seal_open_record(const larch_seal_key *key, const larch_seal_place *place,
                                                  larch_bytes sealed, uint8_t *out, size_t cap, larch_bytes *plain);

#ifdef __cplusplus
}
#endif

#endif
