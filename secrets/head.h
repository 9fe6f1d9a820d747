/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head of the store: payload of the record "store.key" (larch/store.h). It says where the store key comes from, and
 * holds it as that source wraps it.
 *
 *     0         1        2           18
 *    +---------+--------+-----------+------------------------------------------------------------+
 *    | version | source | check     | by source                                                  |
 *    | = 2     |        | value     |                                                            |
 *    +---------+--------+-----------+------------------------------------------------------------+
 *     1 file         store key (32)
 *     2 credential   L (1) | name (L) | salt (16) | wrapped (48)
 *     3 passphrase   passes (4) | memory, KiB (4) | lanes (4) | salt (16) | wrapped (48)
 *     4 token        L (1) | PKCS#11 URI (L) | IV (16) | wrapped (32)
 *
 * Numbers are big-endian. The check value is the one that the databases hold (seal.h): HKDF-SHA-256(no salt, store key,
 * "larch-seal check", 16). Version 1 is a store key alone, in its file, as older versions of larch wrote it.
 */
#ifndef LARCH_SECRETS_HEAD_H
#define LARCH_SECRETS_HEAD_H

#include "registry/seal.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_HEAD_CHECK_LEN   16
#define LARCH_HEAD_SALT_LEN    16
#define LARCH_HEAD_WRAPPED_MAX (LARCH_SEAL_KEY_LEN + LARCH_GCM_TAG_LEN)
#define LARCH_HEAD_NAME_MAX    128
#define LARCH_HEAD_LEN_MAX     LARCH_RECORD_MAX

/* X(NAME, number, text) */
#define LARCH_STORE_SOURCES(X)     \
    X(FILE, 1, "file")             \
    X(CREDENTIAL, 2, "credential") \
    X(PASSPHRASE, 3, "passphrase") \
    X(TOKEN, 4, "pkcs11")

#define LARCH_STORE_SOURCE_ENUM(name, number, text) LARCH_STORE_SOURCE_##name = (number),
typedef enum larch_store_source { LARCH_STORE_SOURCES(LARCH_STORE_SOURCE_ENUM) } larch_store_source;
#undef LARCH_STORE_SOURCE_ENUM

/* "file"; "?" for a number that is none. */
const char *larch_store_source_text(unsigned source);

/* What Argon2id takes [RFC9106]. What is stored is untrusted, so it is bounded. */
typedef struct larch_argon2_cost {
    uint32_t passes, memory_kib, lanes;
} larch_argon2_cost;
#define LARCH_ARGON2_PASSES_MAX     64u
#define LARCH_ARGON2_MEMORY_KIB_MAX (1u << 20) /* 1 GiB */
#define LARCH_ARGON2_LANES_MAX      16u
/* The second choice that RFC 9106 recommends. */
#define LARCH_ARGON2_COST           ((larch_argon2_cost){3, 65536, 4})
bool larch_argon2_cost_is_sound(const larch_argon2_cost *cost);

typedef struct larch_store_head {
    uint8_t version; /* 1 or 2 */
    larch_store_source source;
    uint8_t check[LARCH_HEAD_CHECK_LEN];
    char name[LARCH_HEAD_NAME_MAX + 1]; /* of the credential, or the token's URI; else "" */
    larch_argon2_cost cost;             /* of the passphrase; else zeros */
    uint8_t salt[LARCH_HEAD_SALT_LEN];  /* or the IV of the token; of the file zeros */
    uint8_t wrapped[LARCH_HEAD_WRAPPED_MAX];
    size_t wrapped_len; /* of the file the key itself, which is secret */
} larch_store_head;

/* Reads a payload, which is untrusted. LARCH_MALFORMED: it is no head that larch_store_head_put can have written, or one
 * of version 1; *head is zeroed. LARCH_STATE: it is of a later version. A head of version 1 has no check value yet:
 * zeros. */
LARCH_MUST_USE larch_error larch_store_head_take(larch_bytes payload, larch_store_head *head);
/* Writes a head of version 2, whatever version it has. */
void larch_store_head_put(larch_writer *w, const larch_store_head *head);
/* The part in front of what is wrapped: what the wrapping authenticates. */
void larch_store_head_put_front(larch_writer *w, const larch_store_head *head);
/* The check value of a key. LARCH_PLATFORM. */
LARCH_MUST_USE larch_error larch_store_check(const larch_seal_key *key, uint8_t check[LARCH_HEAD_CHECK_LEN]);

#ifdef __cplusplus
}
#endif

#endif
