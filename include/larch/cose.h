/* SPDX-License-Identifier: Apache-2.0 */
/*
 * COSE [RFC9052, RFC9053]: the algorithms that larch has, by their numbers; messages that are encrypted or signed; and
 * keys. Everything is deterministic CBOR (larch/cbor.h), read and written. Numbers of drafts stand in this file alone,
 * each with its draft.
 *
 * A parser of untrusted bytes has no key and no state. LARCH_MALFORMED: the bytes break COSE. LARCH_STATE: they are COSE,
 * but need what larch does not have, such as an algorithm or a critical header parameter. The output is then zeroed.
 * Views point into what was parsed.
 */
#ifndef LARCH_COSE_H
#define LARCH_COSE_H

#include "larch/base.h"
#include "larch/kem.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- algorithms -------------------------------------------------------- */

/* X(NAME, number, key, nonce, tag, text): AEAD algorithms and their lengths in bytes. [RFC9053 4.1, 4.2] */
#define LARCH_COSE_AEADS(X)                                     \
    X(AES_CCM_16_64_128, 10, 16, 13, 8, "AES-CCM-16-64-128")    \
    X(AES_CCM_16_128_128, 30, 16, 13, 16, "AES-CCM-16-128-128") \
    X(A128GCM, 1, 16, 12, 16, "A128GCM")                        \
    X(A256GCM, 3, 32, 12, 16, "A256GCM")

#define LARCH_COSE_AEAD_ENUM(name, number, key, nonce, tag, text) LARCH_COSE_##name = (number),
enum { LARCH_COSE_AEADS(LARCH_COSE_AEAD_ENUM) };
#undef LARCH_COSE_AEAD_ENUM

#define LARCH_COSE_AEAD_KEY_MAX   32
#define LARCH_COSE_AEAD_NONCE_MAX 13
#define LARCH_COSE_AEAD_TAG_MAX   16

typedef struct larch_cose_aead {
    int8_t number;
    uint8_t key_len;
    uint8_t nonce_len;
    uint8_t tag_len;
    const char *name;
} larch_cose_aead;

/* The algorithm with this number; NULL if larch does not have it. */
const larch_cose_aead *larch_cose_aead_find(int64_t number);

/* key and nonce have the algorithm's lengths. out: in.len + tag_len bytes, which may not share memory with in. Errors
 * as larch_ccm_seal and larch_gcm_seal. */
LARCH_MUST_USE larch_error larch_cose_aead_seal(const larch_cose_aead *aead, const uint8_t *key, const uint8_t *nonce,
                                                larch_bytes aad, larch_bytes in, uint8_t *out, size_t cap);
/* in: untrusted. out: in.len - tag_len bytes. Errors as larch_ccm_open and larch_gcm_open. */
LARCH_MUST_USE larch_error larch_cose_aead_open(const larch_cose_aead *aead, const uint8_t *key, const uint8_t *nonce,
                                                larch_bytes aad, larch_bytes in, uint8_t *out, size_t cap);

/* Signatures. [RFC9053 2.1] [RFC9964] */
enum { LARCH_COSE_ES256 = -7, LARCH_COSE_ML_DSA_44 = -48, LARCH_COSE_ML_DSA_65 = -49, LARCH_COSE_ML_DSA_87 = -50 };

/* Numbers that nobody has assigned yet. When they are, only this table changes.
 *
 * X(NAME, set, number): ML-KEM as a recipient's algorithm, by direct key agreement. draft-ietf-jose-pqc-kem-06 ("PQ KEMs
 * for COSE", 2026-07-06) leaves them TBD1 to TBD3, and no draft gives X-Wing one; so these are numbers for private use
 * [RFC9053 11.2], -65536 - set. */
#define LARCH_COSE_KEMS(X)       \
    X(ML_KEM_512, 512, -66048)   \
    X(ML_KEM_768, 768, -66304)   \
    X(ML_KEM_1024, 1024, -66560) \
    X(X_WING, LARCH_XWING_SET, -91258)
/* The header parameter "ek", a KEM's ciphertext: draft-ietf-cose-hpke (text of 2026-04-07) asks for this label. */
#define LARCH_COSE_LABEL_EK (-4)

#define LARCH_COSE_KEM_ENUM(name, set, number) LARCH_COSE_##name = (number),
enum { LARCH_COSE_KEMS(LARCH_COSE_KEM_ENUM) };
#undef LARCH_COSE_KEM_ENUM

/* The number of a KEM, and the KEM of a number: 0 and NULL if there is none in the table, or in this build. */
int64_t larch_cose_kem_number(const larch_kem *kem);
const larch_kem *larch_cose_kem_find(int64_t number);

/* Hash functions. [RFC9054] */
enum { LARCH_COSE_SHA_256 = -16, LARCH_COSE_SHA_384 = -43, LARCH_COSE_SHAKE256 = -45 };

/* HKDF with one of the SHA-2 hashes. LARCH_STATE: another hash. Other errors as larch_hkdf_sha256. */
LARCH_MUST_USE larch_error larch_cose_hkdf(int64_t hash, larch_bytes salt, larch_bytes ikm, larch_bytes info,
                                           uint8_t *out, size_t out_len);

/* ---- structures -------------------------------------------------------- */

/* Enc_structure = [context, protected, external_aad] [RFC9052 5.3]. context: "Encrypt0" or "Encrypt". body_protected:
 * the encoded map, empty if it has no members. */
void larch_cose_put_enc_structure(larch_writer *w, const char *context, larch_bytes body_protected,
                                  larch_bytes external_aad);
/* Sig_structure of COSE_Sign1 = ["Signature1", body_protected, external_aad, payload] [RFC9052 4.4]. */
void larch_cose_put_sig_structure(larch_writer *w, larch_bytes body_protected, larch_bytes external_aad,
                                  larch_bytes payload);

/* ---- headers ----------------------------------------------------------- */

/* The header parameters that larch reads [RFC9052 3.1], as bits of larch_cose_header. */
enum {
    LARCH_COSE_HAS_OTHERS = 1 << 0, /* parameters that larch does not know; their values are not read */
    LARCH_COSE_HAS_ALG = 1 << 1,
    LARCH_COSE_HAS_CRIT = 1 << 2,
    LARCH_COSE_HAS_CONTENT_TYPE = 1 << 3, /* its value is not read */
    LARCH_COSE_HAS_KID = 1 << 4,
    LARCH_COSE_HAS_IV = 1 << 5,
    LARCH_COSE_HAS_PARTIAL_IV = 1 << 6,
    LARCH_COSE_HAS_EK = 1 << 7
};

/* Both maps of header parameters. To compose a message, set present, protects and the values, and leave protected_map
 * empty; others, crit and the content type are not composed. */
typedef struct larch_cose_header {
    uint8_t present;  /* what is in either map */
    uint8_t protects; /* what of it is in the protected one */
    int64_t alg;
    larch_bytes kid, iv, partial_iv, ek;
    larch_bytes protected_map; /* as it is protected: encoded; empty if it has no members */
} larch_cose_header;

#define LARCH_COSE_PROTECTED_MAX 128 /* bytes of a protected map that is composed */
#define LARCH_COSE_AAD_MAX       512 /* bytes of an Enc_structure */

/* ---- messages ---------------------------------------------------------- */

/* A COSE_Encrypt0, COSE_Encrypt or COSE_Sign1, or a recipient. */
typedef struct larch_cose_message {
    larch_cose_header header;
    bool is_tagged;
    bool is_detached;      /* the content is elsewhere: the caller sets content before it opens or verifies */
    larch_bytes content;   /* ciphertext (of a recipient: an encrypted key, often empty), or payload */
    larch_bytes signature; /* of COSE_Sign1 */
    size_t recipient_count;
    larch_reader recipients; /* of COSE_Encrypt, for larch_cose_take_recipient */
} larch_cose_message;

/* These take the whole of in, which is untrusted, with its tag or without. A tag of another structure, a label twice in
 * one map or in both, an unprotected crit, and IV beside Partial IV are LARCH_MALFORMED. A crit that names a parameter
 * which larch does not know is LARCH_STATE. */
LARCH_MUST_USE larch_error larch_cose_parse_encrypt0(larch_bytes in, larch_cose_message *out); /* [RFC9052 5.2] */
LARCH_MUST_USE larch_error larch_cose_parse_encrypt(larch_bytes in, larch_cose_message *out);  /* [RFC9052 5.1] */
LARCH_MUST_USE larch_error larch_cose_parse_sign1(larch_bytes in, larch_cose_message *out);    /* [RFC9052 4.2] */
/* The next of recipient_count recipients. LARCH_STATE also if it has recipients of its own. The reader moves if the
 * result is LARCH_OK. */
LARCH_MUST_USE larch_error larch_cose_take_recipient(larch_reader *recipients, larch_cose_message *out);

/* Puts both maps. */
void larch_cose_put_header(larch_writer *w, const larch_cose_header *header);

/* What encrypts a message: key has the length that the header's algorithm wants. base_iv: the Context IV, which a
 * Partial IV is added to [RFC9052 3.1]; empty if there is none. external_aad: often empty. */
typedef struct larch_cose_secrets {
    larch_bytes key;
    larch_bytes base_iv;
    larch_bytes external_aad;
} larch_cose_secrets;

/* These put a whole message, encrypted under the nonce that the header names; no nonce may be used twice with one key.
 * LARCH_SPACE: w is too small, or what is authenticated longer than LARCH_COSE_AAD_MAX. LARCH_STATE: larch does not have
 * the algorithm. LARCH_MALFORMED: key or nonce have a length that is not the algorithm's. LARCH_PLATFORM. w has its
 * former length after an error. */
LARCH_MUST_USE larch_error larch_cose_put_encrypt0(larch_writer *w, bool tagged, const larch_cose_header *header,
                                                   const larch_cose_secrets *secrets, larch_bytes plaintext);
/* recipients: header and content of each are put. */
LARCH_MUST_USE larch_error larch_cose_put_encrypt(larch_writer *w, bool tagged, const larch_cose_header *header,
                                                  const larch_cose_secrets *secrets, larch_bytes plaintext,
                                                  const larch_cose_message *recipients, size_t count);
/* Opens a parsed message. context: "Encrypt0" or "Encrypt", as it was parsed. out: content.len minus the tag. LARCH_AUTH:
 * it is not genuine. LARCH_MALFORMED also if it is shorter than a tag. Else as above. out is zeroed on LARCH_AUTH and
 * LARCH_PLATFORM, else unchanged. */
LARCH_MUST_USE larch_error larch_cose_open(const larch_cose_message *message, const char *context,
                                           const larch_cose_secrets *secrets, uint8_t *out, size_t cap, size_t *len);

/* ---- keys -------------------------------------------------------------- */

enum { LARCH_COSE_OKP = 1, LARCH_COSE_EC2 = 2, LARCH_COSE_SYMMETRIC = 4, LARCH_COSE_AKP = 7 }; /* kty */
enum { LARCH_COSE_P256 = 1, LARCH_COSE_X25519 = 4, LARCH_COSE_ED25519 = 6 };                   /* crv */
enum { LARCH_COSE_OP_SIGN = 1, LARCH_COSE_OP_VERIFY = 2 };                                     /* key_ops */

/* COSE_Key [RFC9052 7] [RFC9053 7] [RFC9964]. A view whose length is 0 is absent. */
typedef struct larch_cose_key {
    int64_t kty;
    int64_t alg; /* 0: absent */
    int64_t crv; /* of OKP and EC2 */
    larch_bytes kid, base_iv;
    uint16_t ops;            /* bits 1 << operation; 0: key_ops is absent */
    bool has_y_sign, y_sign; /* of EC2, in place of y: the point is compressed */
    larch_bytes k;           /* of Symmetric; secret */
    larch_bytes x, y;        /* of EC2, big-endian; of OKP: x */
    larch_bytes d;           /* of both; secret */
    larch_bytes pub;         /* of AKP */
    larch_bytes priv;        /* of AKP: the seed; secret */
} larch_cose_key;

/* in: untrusted, all of it. Lengths are checked against curve and algorithm, points and keys themselves where they are
 * used. Members that larch does not know are ignored. */
LARCH_MUST_USE larch_error larch_cose_parse_key(larch_bytes in, larch_cose_key *out);
/* Puts what is present; key_ops are left out. */
void larch_cose_put_key(larch_writer *w, const larch_cose_key *key);

/* ---- COSE_Sign1 -------------------------------------------------------- */

/* Verifies a parsed COSE_Sign1 with ES256 or ML-DSA. key: trusted to be the signer's; any further checks of it are the
 * caller's. LARCH_AUTH: the signature is not the key's. LARCH_MALFORMED: the key is no point of the curve. LARCH_STATE:
 * the algorithm is not one of these or not the key's, or key_ops leave out verify. LARCH_PLATFORM. */
LARCH_MUST_USE larch_error larch_cose_verify_sign1(const larch_cose_message *message, const larch_cose_key *key,
                                                   larch_bytes external_aad);
/* Puts a COSE_Sign1 that key signs with the header's algorithm; key needs d, or pub and priv. random: as for
 * larch_sig_sign. An ML-DSA key is expanded on the stack, some 8 KB in addition to what signing takes. LARCH_SPACE,
 * LARCH_PLATFORM; LARCH_STATE and LARCH_MALFORMED as above. w has its former length after an error. */
LARCH_MUST_USE larch_error larch_cose_put_sign1(larch_writer *w, bool tagged, const larch_cose_header *header,
                                                const larch_cose_key *key, const larch_random *random,
                                                larch_bytes external_aad, larch_bytes payload);

/* The same signatures over count pieces that make up a Sig_structure elsewhere. alg: as in a header. */
/* Bytes of a signature; 0: larch or this build does not have the algorithm. */
size_t larch_cose_signature_len(int64_t alg);
/* signature: larch_cose_signature_len bytes out, zeroed on an error. Errors as larch_cose_put_sign1. */
LARCH_MUST_USE larch_error larch_cose_sign_pieces(int64_t alg, const larch_cose_key *key, const larch_random *random,
                                                  const larch_bytes *pieces, size_t count, uint8_t *signature);
/* signature: untrusted. Errors as larch_cose_verify_sign1. */
LARCH_MUST_USE larch_error larch_cose_verify_pieces(int64_t alg, const larch_cose_key *key, const larch_bytes *pieces,
                                                    size_t count, larch_bytes signature);

#ifdef __cplusplus
}
#endif

#endif
