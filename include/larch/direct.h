/* SPDX-License-Identifier: Apache-2.0 */
/*
 * direct: the one-shot exchange. A sender encapsulates to the gateway's key,
 * derives an AES-128-CCM key and posts ciphertext and sealed text in one
 * message. These are its bytes and its cryptography; it knows no CoAP, no store
 * and no peer. PROTOCOL.md section 1 draws every field.
 */
#ifndef LARCH_DIRECT_H
#define LARCH_DIRECT_H

#include "larch/base.h"
#include "larch/kem.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_DIRECT_PATH_KEY  "pqkem-pk"
#define LARCH_DIRECT_PATH_DATA "pqkem-data"
#define LARCH_DIRECT_PATH_NEXT "pqkem-next"

#define LARCH_DIRECT_HEADER_LEN 18 /* type, 0, C, L, nonce */
#define LARCH_DIRECT_NONCE_LEN  12
#define LARCH_DIRECT_TAG_LEN    16
#define LARCH_DIRECT_OVERHEAD   (LARCH_DIRECT_HEADER_LEN + LARCH_DIRECT_TAG_LEN)

/* What a gateway answers, as CoAP code and ASCII payload. X(NAME, class, detail) */
#define LARCH_DIRECT_ANSWERS(X) \
    X(OK, 2, 4)                 \
    X(REPLAY, 4, 1)             \
    X(BAD_LEN, 4, 0)            \
    X(BAD_TYPE, 4, 0)           \
    X(BAD_CT, 4, 0)             \
    X(BAD_TEXTLEN, 4, 0)        \
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

/* The fields of a sealed message; the views point into the payload. */
typedef struct larch_direct_sealed {
    const larch_kem *kem;
    larch_bytes nonce;
    larch_bytes kem_ct;
    larch_bytes sealed; /* text and tag */
} larch_direct_sealed;

/* Reads an untrusted payload; no key, no state. Returns LARCH_DIRECT_OK, or the
 * answer that refuses it, with *out zeroed. */
larch_direct_answer larch_direct_parse(larch_bytes payload, larch_direct_sealed *out);

/* Bytes of a sealed message with so long a text. */
size_t larch_direct_sealed_len(const larch_kem *kem, size_t text_len);
/* The longest text that one body takes with this set. */
size_t larch_direct_text_max(const larch_kem *kem);

/* Seals text to the untrusted ek, which is checked. Each call encapsulates
 * anew. LARCH_MALFORMED: the key fails its check; LARCH_SPACE: the text is too long or
 * out too small; LARCH_PLATFORM. Nothing is left in out on error. */
LARCH_MUST_USE larch_error larch_direct_seal(const larch_kem *kem, const larch_random *random, const larch_trace *trace,
                                             larch_bytes ek, larch_bytes text, uint8_t *out, size_t cap, size_t *len);

/* Opens a parsed message. text: sealed.len - LARCH_DIRECT_TAG_LEN bytes out.
 * LARCH_AUTH: not genuine, whatever the reason; text is zeroed. LARCH_SPACE,
 * LARCH_PLATFORM. */
LARCH_MUST_USE larch_error larch_direct_open(const larch_direct_sealed *sealed, const larch_trace *trace,
                                             const uint8_t *dk, uint8_t *text, size_t cap, size_t *len);
/* The same for who has decapsulated kem_ct before, into ss. Errors as larch_direct_open. */
LARCH_MUST_USE larch_error larch_direct_open_with(const larch_direct_sealed *sealed, const larch_trace *trace,
                                                  const uint8_t ss[LARCH_KEM_SS_LEN], uint8_t *text, size_t cap,
                                                  size_t *len);

/* ---- fingerprint ------------------------------------------------------- */

#define LARCH_FINGERPRINT_LEN      20
#define LARCH_FINGERPRINT_TEXT_LEN 39 /* "larch1:" and 32 characters, without the final 0 */

/* SHA-256 of an encapsulation key: its first 20 bytes are the fingerprint, its first 8 the
 * ETag, its first 4 the hint. */
LARCH_MUST_USE larch_error larch_direct_key_hash(larch_bytes ek, uint8_t hash[32]);
/* "larch1:" and base32 [RFC4648 6] in lower case, ended by 0. */
void larch_fingerprint_format(const uint8_t fingerprint[LARCH_FINGERPRINT_LEN],
                              char text[LARCH_FINGERPRINT_TEXT_LEN + 1]);
/* Reads it in either case. LARCH_MALFORMED: anything else than exactly that. */
LARCH_MUST_USE larch_error larch_fingerprint_parse(larch_bytes text, uint8_t fingerprint[LARCH_FINGERPRINT_LEN]);

/* ---- endorsement: the old key names the new one ------------------------ */

#define LARCH_DIRECT_HINT_LEN 4
#define LARCH_DIRECT_NEXT_LEN 48 /* SHA-256 of the new key, tag */

/* Makes the question to who holds old_ek: hint and ciphertext, HINT_LEN + ct_len
 * bytes into out. ss: keep for the check, then wipe. Errors as larch_kem_encaps; LARCH_SPACE. */
LARCH_MUST_USE larch_error larch_direct_next_ask(const larch_kem *kem, const larch_random *random, larch_bytes old_ek,
                                                 uint8_t *out, size_t cap, size_t *len, uint8_t ss[LARCH_KEM_SS_LEN]);
/* Splits an untrusted question. LARCH_MALFORMED: no set has this length. */
LARCH_MUST_USE larch_error larch_direct_next_parse(larch_bytes payload, const larch_kem **kem, larch_bytes *hint,
                                                   larch_bytes *kem_ct);
/* The gateway's answer, made with the old decapsulation key. */
LARCH_MUST_USE larch_error larch_direct_next_answer(const larch_kem *kem, const uint8_t *old_dk, larch_bytes kem_ct,
                                                    const uint8_t old_hash[32], const uint8_t new_hash[32],
                                                    uint8_t out[LARCH_DIRECT_NEXT_LEN]);
/* Checks an untrusted answer; LARCH_OK: who holds the old key says that new_hash
 * is the hash of the new one. LARCH_MALFORMED, LARCH_AUTH: new_hash is zeroed. */
LARCH_MUST_USE larch_error larch_direct_next_check(const uint8_t ss[LARCH_KEM_SS_LEN], const uint8_t old_hash[32],
                                                   larch_bytes answer, uint8_t new_hash[32]);

#ifdef __cplusplus
}
#endif

#endif
