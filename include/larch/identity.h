/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The identity of a gateway: a document that lists the hashes of its long-term keys. A sender pins the hash of the
 * document. Keys that open messages are rotated; the keys of the document are not. Bytes in, bytes out.
 *
 *     0          8          9    10          10 + 35 n0          35 each
 *    +----------+----------+----+-----------+-------------------+
 *    | larch-id | version  | n0 | n0        | later entries     |
 *    |          | = 1      |    | founding  |                   |
 *    +----------+----------+----+-----------+-------------------+
 *
 *     0      1           3                            35
 *    +------+-----------+----------------------------+
 *    | kind | algorithm | SHA-256 of the public key  |      an entry
 *    +------+-----------+----------------------------+
 *
 * The identity is the first 20 bytes of the SHA-256 of everything up to the later entries, so founding entries never
 * change. Later entries count only under a tag that a founding root has made.
 */
#ifndef LARCH_IDENTITY_H
#define LARCH_IDENTITY_H

#include "larch/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- fingerprints ------------------------------------------------------ */

#define LARCH_FINGERPRINT_LEN      20
#define LARCH_FINGERPRINT_TEXT_LEN 39 /* "larch1:" and 32 characters, without the final 0 */

/* What a fingerprint names. The digit in its text is the kind, and one kind never stands for another. */
typedef enum larch_fingerprint_kind {
    LARCH_FINGERPRINT_KEY = 1,     /* one direct key: the start of its SHA-256 */
    LARCH_FINGERPRINT_IDENTITY = 2 /* an identity */
} larch_fingerprint_kind;

typedef struct larch_fingerprint {
    larch_fingerprint_kind kind;
    uint8_t bytes[LARCH_FINGERPRINT_LEN];
} larch_fingerprint;

/* "larch1:" or "larch2:" and base32 [RFC4648 6] in lower case, ended by 0. */
void larch_fingerprint_format(larch_fingerprint_kind kind, const uint8_t bytes[LARCH_FINGERPRINT_LEN],
                              char text[LARCH_FINGERPRINT_TEXT_LEN + 1]);
/* Reads the untrusted text of a fingerprint, as larch_fingerprint_format writes it; the base32 may be in upper case.
 * LARCH_MALFORMED: the text has any other form; *fingerprint is unchanged. */
LARCH_MUST_USE larch_error larch_fingerprint_parse(larch_bytes text, larch_fingerprint *fingerprint);

/* ---- the document ------------------------------------------------------ */

#define LARCH_IDENTITY_ENTRIES      16 /* founding and later ones together */
#define LARCH_IDENTITY_FOUNDING_MAX 15
#define LARCH_IDENTITY_HEAD_LEN     10
#define LARCH_IDENTITY_ENTRY_LEN    35
#define LARCH_IDENTITY_DOCUMENT_MAX (LARCH_IDENTITY_HEAD_LEN + LARCH_IDENTITY_ENTRIES * LARCH_IDENTITY_ENTRY_LEN)

typedef enum larch_identity_kind {
    LARCH_IDENTITY_ROOT = 1, /* a root KEM key; algorithm: its set, 512, 768, 1024 or LARCH_XWING_SET. It endorses the
                                     direct keys of its own set, and opens no message */
    LARCH_IDENTITY_SIGNATURE = 2, /* the gateway's ML-DSA key; algorithm: 44, 65 or 87 */
    LARCH_IDENTITY_AUTHORITY = 3  /* the key of the authority that signs for a fleet; algorithm: as SIGNATURE */
} larch_identity_kind;

typedef struct larch_identity_entry {
    uint8_t kind; /* larch_identity_kind */
    uint16_t algorithm;
    uint8_t hash[32]; /* SHA-256 of the raw public key */
} larch_identity_entry;

typedef struct larch_identity_document {
    uint8_t founding; /* the number of founding entries; they come first */
    uint8_t count;    /* of all entries */
    larch_identity_entry entries[LARCH_IDENTITY_ENTRIES];
} larch_identity_document;

/* What is wrong with a document. X(NAME, text) */
#define LARCH_IDENTITY_FAULTS(X)                              \
    X(NONE, "sound")                                          \
    X(FOREIGN, "is not an identity document")                 \
    X(VERSION, "has a version that this larch does not know") \
    X(TRUNCATED, "is cut short")                              \
    X(TOO_LONG, "is too long, or ends within an entry")       \
    X(FOUNDING, "has a wrong number of founding entries")     \
    X(ENTRY, "has an entry of an unknown kind or algorithm")  \
    X(TWICE, "lists one kind and algorithm twice")            \
    X(ROOTLESS, "has no root key among its founding entries")

#define LARCH_IDENTITY_FAULT_ENUM(name, text) LARCH_IDENTITY_FAULT_##name,
typedef enum larch_identity_fault {
    LARCH_IDENTITY_FAULTS(LARCH_IDENTITY_FAULT_ENUM) LARCH_IDENTITY_FAULT_COUNT
} larch_identity_fault;
#undef LARCH_IDENTITY_FAULT_ENUM

/* "is cut short" */
const char *larch_identity_fault_text(larch_identity_fault fault);

/* Reads an untrusted document; needs no key and no state. LARCH_MALFORMED: *fault (which may be NULL) names what is
 * wrong, and *out is zeroed. */
LARCH_MUST_USE larch_error larch_identity_parse(larch_bytes document, larch_identity_document *out,
                                                larch_identity_fault *fault);
/* Puts the document's bytes into w, which may measure. The caller has filled document as larch_identity_parse would. */
void larch_identity_compose(larch_writer *w, const larch_identity_document *document);
/* The identity that a sound document stands for. LARCH_PLATFORM: hashing failed. */
LARCH_MUST_USE larch_error larch_identity_of(const larch_identity_document *document,
                                             uint8_t identity[LARCH_FINGERPRINT_LEN]);
/* The entry of a kind and algorithm; NULL if there is none. founding: look among founding entries alone. */
const larch_identity_entry *larch_identity_find(const larch_identity_document *document, larch_identity_kind kind,
                                                uint16_t algorithm, bool founding);

#ifdef __cplusplus
}
#endif

#endif
