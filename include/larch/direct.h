/* SPDX-License-Identifier: Apache-2.0 */
/*
 * direct: the one-shot exchange. A sender encapsulates to the gateway's key,
 * derives an AES-128-CCM key and posts ciphertext and sealed text in one
 * message, which is a row of fields or a COSE_Encrypt. These are its bytes and its
 * cryptography; it knows no CoAP, no store and no peer. PROTOCOL.md section 1 draws
 * every field.
 */
#ifndef LARCH_DIRECT_H
#define LARCH_DIRECT_H

#include "larch/base.h"
#include "larch/identity.h"
#include "larch/kem.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_DIRECT_PATH_KEY  "pqkem-pk"
#define LARCH_DIRECT_PATH_DATA "pqkem-data"
#define LARCH_DIRECT_PATH_NEXT "pqkem-next"
#define LARCH_DIRECT_PATH_ROOT "pqkem-root"

#define LARCH_DIRECT_QUERY_RECEIPT "receipt" /* of a sealed message: asks for a receipt */

#define LARCH_DIRECT_HEADER_LEN 18 /* type, 0, C, L, nonce */
#define LARCH_DIRECT_NONCE_LEN  12
#define LARCH_DIRECT_TAG_LEN    16
#define LARCH_DIRECT_OVERHEAD   (LARCH_DIRECT_HEADER_LEN + LARCH_DIRECT_TAG_LEN)

#define LARCH_DIRECT_COSE_NONCE_LEN 13
#define LARCH_DIRECT_COSE_OVERHEAD  65 /* at most: two bytes less for texts of 7 bytes or less, one below 240 */

/* What a gateway answers, as CoAP code and ASCII payload. X(NAME, class, detail) */
#define LARCH_DIRECT_ANSWERS(X) \
    X(OK, 2, 4)                 \
    X(REPLAY, 4, 1)             \
    X(BAD_LEN, 4, 0)            \
    X(BAD_TYPE, 4, 0)           \
    X(BAD_CT, 4, 0)             \
    X(BAD_TEXTLEN, 4, 0)        \
    X(BAD_COSE, 4, 0)           \
    X(BAD_ALG, 4, 0)            \
    X(AUTH_FAIL, 4, 0)

#define LARCH_DIRECT_ANSWER_ENUM(name, c, dd) LARCH_DIRECT_##name,
typedef enum larch_direct_answer {
    LARCH_DIRECT_ANSWERS(LARCH_DIRECT_ANSWER_ENUM) LARCH_DIRECT_ANSWER_COUNT
} larch_direct_answer;
#undef LARCH_DIRECT_ANSWER_ENUM

/* "BAD_LEN", and its code as one byte c << 5 | dd. */
const char *larch_direct_answer_text(larch_direct_answer answer);
uint8_t larch_direct_answer_code(larch_direct_answer answer);
/* The answer with this text; LARCH_DIRECT_ANSWER_COUNT if there is none. */
larch_direct_answer larch_direct_answer_find(larch_bytes text);

/* ---- sealed message ---------------------------------------------------- */

/* The two forms of a sealed message; the Content-Format of its request tells which one it has. Both are opened, marked
 * and answered alike. */
typedef enum larch_direct_form {
    LARCH_DIRECT_FORM_FIELDS, /* fields one behind the other, as the prototypes send them */
    LARCH_DIRECT_FORM_COSE    /* a COSE_Encrypt; without LARCH_DIRECT_COSE nothing has this form */
} larch_direct_form;

/* The fields of a sealed message; the views point into the payload. */
typedef struct larch_direct_sealed {
    const larch_kem *kem;
    larch_direct_form form;
    larch_bytes message; /* all of it */
    larch_bytes nonce;
    larch_bytes kem_ct;
    larch_bytes sealed;              /* text and tag */
    larch_bytes kid;                 /* of COSE: the hint of the key that it is sealed to; else empty */
    larch_bytes recipient_protected; /* of COSE: a part of the KDF's context; else empty */
} larch_direct_sealed;

/* Reads an untrusted payload; no key, no state. Returns LARCH_DIRECT_OK, or the
 * answer that refuses it, with *out zeroed. */
larch_direct_answer larch_direct_parse(larch_bytes payload, larch_direct_sealed *out);
/* The same of a payload in the form of COSE. LARCH_DIRECT_BAD_COSE: it is no COSE_Encrypt of this form. BAD_ALG: it needs
 * an algorithm or a critical header parameter that this build does not have. */
larch_direct_answer larch_direct_parse_cose(larch_bytes payload, larch_direct_sealed *out);

/* ---- parameter sets ---------------------------------------------------- */

#define LARCH_DIRECT_SETS (LARCH_MLKEM_512 + LARCH_MLKEM_768 + LARCH_MLKEM_1024 + LARCH_XWING)

/* The sets of this exchange in this build: those of ML-KEM, smallest first, then X-Wing; NULL past the last. */
const larch_kem *larch_direct_kem_at(size_t index);
/* By number (512, 768, 1024, LARCH_XWING_SET); NULL if it is not in this build. */
const larch_kem *larch_direct_kem_find(unsigned set);
/* By the length of its ciphertext, which no other set has; NULL if there is none. */
const larch_kem *larch_direct_kem_by_ct_len(size_t ct_len);
/* By the untrusted name that the query "kem" gives: "512", "768", "1024", "xwing"; NULL if there is none. */
const larch_kem *larch_direct_kem_named(larch_bytes name);
/* That name, ended by 0. */
const char *larch_direct_kem_name(const larch_kem *kem);

/* Bytes of a sealed message with text_len bytes of text. */
size_t larch_direct_sealed_len(const larch_kem *kem, size_t text_len);
/* The longest text that one body takes with this set. */
size_t larch_direct_text_max(const larch_kem *kem);
/* The same in the form of COSE. */
size_t larch_direct_cose_text_max(const larch_kem *kem);

/* ---- receipts ----------------------------------------------------------- */

/* What only the two ends of a sealed message can compute: with it the gateway proves that its answer is about this
 * message, and the sender checks that. Secret; wipe it. */
typedef struct larch_direct_receipt {
    uint8_t key[32];
    uint8_t message_hash[32]; /* SHA-256 of the sealed message */
} larch_direct_receipt;

/* The receipt of an answer: its tag covers code, which is the answer's CoAP code, and the message. LARCH_PLATFORM: tag
 * is unchanged. */
LARCH_MUST_USE larch_error larch_direct_receipt_make(const larch_direct_receipt *receipt, uint8_t code,
                                                     uint8_t tag[LARCH_DIRECT_TAG_LEN]);
/* Checks the untrusted tag of an answer with this code, in constant time. LARCH_OK: the holder of the key that the
 * message was sealed to gave this answer. LARCH_AUTH: the tag is wrong. LARCH_MALFORMED: it has another length than a
 * tag. LARCH_PLATFORM. */
LARCH_MUST_USE larch_error larch_direct_receipt_check(const larch_direct_receipt *receipt, uint8_t code,
                                                      larch_bytes tag);

/* ---- seal and open ------------------------------------------------------ */

/* Seals text to the untrusted ek, which is checked. Each call encapsulates
 * anew. receipt: filled for the check of the answer; NULL if none is wanted. LARCH_MALFORMED: the key fails its check;
 * LARCH_SPACE: the text is too long or out too small; LARCH_PLATFORM. Nothing is left in out and receipt on error. */
LARCH_MUST_USE larch_error larch_direct_seal(const larch_kem *kem, const larch_random *random, const larch_trace *trace,
                                             larch_bytes ek, larch_bytes text, uint8_t *out, size_t cap, size_t *len,
                                             larch_direct_receipt *receipt);

/* The same in the form of COSE. */
LARCH_MUST_USE larch_error larch_direct_seal_cose(const larch_kem *kem, const larch_random *random,
                                                  const larch_trace *trace, larch_bytes ek, larch_bytes text,
                                                  uint8_t *out, size_t cap, size_t *len, larch_direct_receipt *receipt);

/* Opens a parsed message of either form. text: sealed.len - LARCH_DIRECT_TAG_LEN bytes out. receipt: filled if the message is genuine;
 * NULL if none is wanted. LARCH_AUTH: not genuine, whatever the reason; LARCH_SPACE, LARCH_PLATFORM. On error receipt
 * is zeroed, and so is text unless it was too small. */
LARCH_MUST_USE larch_error larch_direct_open(const larch_direct_sealed *sealed, const larch_trace *trace,
                                             const uint8_t *dk, uint8_t *text, size_t cap, size_t *len,
                                             larch_direct_receipt *receipt);
/* As larch_direct_open, for a caller that has decapsulated kem_ct into ss. */
LARCH_MUST_USE larch_error larch_direct_open_with(const larch_direct_sealed *sealed, const larch_trace *trace,
                                                  const uint8_t ss[LARCH_KEM_SS_LEN], uint8_t *text, size_t cap,
                                                  size_t *len, larch_direct_receipt *receipt);

/* SHA-256 of an encapsulation key: its first 20 bytes are the fingerprint, its first 8 the
 * ETag, its first 4 the hint. */
LARCH_MUST_USE larch_error larch_direct_key_hash(larch_bytes ek, uint8_t hash[32]);

/* ---- endorsement: the old key names the new one ------------------------ */

#define LARCH_DIRECT_HINT_LEN 4
#define LARCH_DIRECT_NEXT_LEN 48 /* SHA-256 of the new key, tag */

/* Makes the question to the holder of old_ek: hint and ciphertext, HINT_LEN + ct_len
 * bytes into out. ss: keep for the check, then wipe. Errors as larch_kem_encaps; LARCH_SPACE. */
LARCH_MUST_USE larch_error larch_direct_next_ask(const larch_kem *kem, const larch_random *random, larch_bytes old_ek,
                                                 uint8_t *out, size_t cap, size_t *len, uint8_t ss[LARCH_KEM_SS_LEN]);
/* Splits an untrusted question. LARCH_MALFORMED: no set has this length. */
LARCH_MUST_USE larch_error larch_direct_next_parse(larch_bytes payload, const larch_kem **kem, larch_bytes *hint,
                                                   larch_bytes *kem_ct);
/* The gateway's answer, made with the old decapsulation key. Errors as larch_kem_decaps. */
LARCH_MUST_USE larch_error larch_direct_next_answer(const larch_kem *kem, const uint8_t *old_dk, larch_bytes kem_ct,
                                                    const uint8_t old_hash[32], const uint8_t new_hash[32],
                                                    uint8_t out[LARCH_DIRECT_NEXT_LEN]);
/* Checks an untrusted answer. LARCH_OK: the holder of the old key states that new_hash
 * is the hash of the new one. LARCH_MALFORMED, LARCH_AUTH: new_hash is zeroed. */
LARCH_MUST_USE larch_error larch_direct_next_check(const uint8_t ss[LARCH_KEM_SS_LEN], const uint8_t old_hash[32],
                                                   larch_bytes answer, uint8_t new_hash[32]);

/* ---- identity: a key names the document ---------------------------------- */

/* A question about the identity document has the form of one about the present key: larch_direct_next_ask makes it for
 * the key that is asked, a direct key or a root key, and larch_direct_next_parse splits it. Only the answers differ. */

/* The gateway's answer: document_hash is the SHA-256 of the whole document. Errors as larch_direct_next_answer. */
LARCH_MUST_USE larch_error larch_direct_root_answer(const larch_kem *kem, const uint8_t *dk, larch_bytes kem_ct,
                                                    const uint8_t asked_hash[32], const uint8_t document_hash[32],
                                                    uint8_t out[LARCH_DIRECT_NEXT_LEN]);
/* Checks an untrusted answer. LARCH_OK: the holder of the asked key states that document_hash is the SHA-256 of its
 * identity document. LARCH_MALFORMED, LARCH_AUTH: document_hash is zeroed. */
LARCH_MUST_USE larch_error larch_direct_root_check(const uint8_t ss[LARCH_KEM_SS_LEN], const uint8_t asked_hash[32],
                                                   larch_bytes answer, uint8_t document_hash[32]);

#ifdef __cplusplus
}
#endif

#endif
