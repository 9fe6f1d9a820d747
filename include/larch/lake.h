/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LAKE (EDHOC, RFC 9528): a handshake of three or four messages after which both ends share keys. Bytes in, bytes out:
 * who carries the messages, and keeps sessions, is the caller's business. PROTOCOL.md ("Handshakes: LAKE") says where
 * RFC and drafts leave a choice.
 *
 *     Initiator                          Responder
 *     compose_message_1 ---------------> process_message_1
 *     process_message_2 <--------------- compose_message_2
 *     compose_message_3 ---------------> process_message_3
 *     process_message_4 <--------------- compose_message_4      or, in its place, any message under the new keys: confirm
 *
 * In method 0 both sign, in method 3 both hold static Diffie-Hellman keys, in method 4 both hold a pre-shared key (PSK).
 *
 * A function that is called in another state than its own returns LARCH_STATE and changes nothing. Any other error
 * aborts the session: its secrets are wiped, the writer has its former length, and larch_lake_compose_error gives the
 * message that tells the peer. LARCH_MALFORMED: the message breaks the format. LARCH_AUTH: it is not genuine, or the
 * peer's credential is not known. LARCH_STATE: the message, or the caller, asks for what this party does not have.
 * LARCH_SPACE: the writer or the scratch memory is too small. LARCH_PLATFORM: random or the crypto provider failed.
 */
#ifndef LARCH_LAKE_H
#define LARCH_LAKE_H

#include "larch/cose.h"
#include "larch/crypto.h"
#include "larch/kem.h"
#include "larch/sig.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- numbers that nobody has assigned yet ------------------------------ */

/* When they are, only this table changes. X(NAME, number, draft, version, date): */
#define LARCH_LAKE_NUMBERS(X)                                                                                \
    X(SUITE_PQ_1, -24, "draft-ietf-lake-pqsuites", "-01", "2026-09-19")   /* TBD1; private use until then */ \
    X(SUITE_PQ_2, -23, "draft-ietf-lake-pqsuites", "-01", "2026-09-19")   /* TBD2 */                         \
    X(SUITE_PQ_3, -22, "draft-ietf-lake-pqsuites", "-01", "2026-09-19")   /* TBD3 */                         \
    X(SUITE_X_WING, -21, "", "", "")                                      /* ours, for private use */        \
    X(METHOD_PSK, 4, "draft-ietf-lake-edhoc-psk", "-10", "2026-10-05")    /* suggested */                    \
    X(KEYSTREAM_3A, 12, "draft-ietf-lake-edhoc-psk", "-10", "2026-10-05") /* label of EDHOC_KDF */           \
    X(EXPORTER_RPSK, 2, "draft-ietf-lake-edhoc-psk", "-10", "2026-10-05") /* suggested; TBD2 */              \
    X(EXPORTER_RKID, 3, "draft-ietf-lake-edhoc-psk", "-10", "2026-10-05") /* suggested; TBD3 */              \
    X(HEADER_CWT_HASH, -65537, "", "", "") /* ours: [hash algorithm, hash] of a CWT, like x5t [RFC9360] */   \
    X(EAD_TIME, 65535, "", "", "")         /* ours, in EAD_4: 8 bytes, seconds since 1970 as the Responder has them */

#define LARCH_LAKE_NUMBER_ENUM(name, number, draft, version, date) LARCH_LAKE_##name = (number),
enum { LARCH_LAKE_NUMBERS(LARCH_LAKE_NUMBER_ENUM) };
#undef LARCH_LAKE_NUMBER_ENUM

/* ---- methods and cipher suites ----------------------------------------- */

enum { LARCH_LAKE_METHOD_SIGNATURES = 0, LARCH_LAKE_METHOD_STATIC_DH = 3 };

#define LARCH_LAKE_P256 1 /* a key exchange that is no KEM, by its COSE curve */

/* X(number, AEAD, hash, MAC length, key exchange, signature, application AEAD, application hash, text): the arrays of
 * [RFC9528 10.2] and pqsuites. A key exchange is a KEM's set or LARCH_LAKE_P256, which alone does Diffie-Hellman. */
#define LARCH_LAKE_SUITES(X)                                                                                    \
    X(LARCH_LAKE_SUITE_PQ_1, AES_CCM_16_128_128, SHAKE256, 16, 512, ML_DSA_44, AES_CCM_16_64_128, SHA_256,      \
      "ML-KEM-512, ML-DSA-44, AES-CCM, SHAKE256")                                                               \
    X(LARCH_LAKE_SUITE_PQ_2, A256GCM, SHAKE256, 16, 512, ML_DSA_44, A256GCM, SHA_256,                           \
      "ML-KEM-512, ML-DSA-44, A256GCM, SHAKE256")                                                               \
    X(LARCH_LAKE_SUITE_PQ_3, A256GCM, SHA_384, 16, 1024, ML_DSA_87, A256GCM, SHA_384,                           \
      "ML-KEM-1024, ML-DSA-87, A256GCM, SHA-384")                                                               \
    X(LARCH_LAKE_SUITE_X_WING, AES_CCM_16_128_128, SHAKE256, 16, LARCH_XWING_SET, ML_DSA_44, AES_CCM_16_64_128, \
      SHA_256, "X-Wing, ML-DSA-44, AES-CCM, SHAKE256")                                                          \
    X(2, AES_CCM_16_64_128, SHA_256, 8, LARCH_LAKE_P256, ES256, AES_CCM_16_64_128, SHA_256,                     \
      "P-256, ES256, AES-CCM, SHA-256")                                                                         \
    X(3, AES_CCM_16_128_128, SHA_256, 16, LARCH_LAKE_P256, ES256, AES_CCM_16_64_128, SHA_256,                   \
      "P-256, ES256, AES-CCM with 16-byte tags, SHA-256")

typedef struct larch_lake_suite {
    int8_t number;
    int8_t aead, hash; /* COSE numbers, as those below */
    uint8_t hash_len, mac_len;
    int8_t signature;
    int8_t application_aead, application_hash;
    uint16_t key_exchange;
    bool supports_dh;
    const char *name;
} larch_lake_suite;

#define LARCH_LAKE_HASH_MAX 64

/* The suite with this number; NULL if larch or this build does not have it. */
const larch_lake_suite *larch_lake_suite_find(int64_t number);
/* Whether larch can run this method with this suite in this build: a method that needs Diffie-Hellman cannot run with a
 * KEM. [pqsuites 4] */
bool larch_lake_method_fits(unsigned method, const larch_lake_suite *suite);

/* ---- credentials ------------------------------------------------------- */

#define LARCH_LAKE_ID_MAX  7  /* bytes of C_I and C_R; 6 with an application AEAD of 12-byte nonces */
#define LARCH_LAKE_KID_MAX 32 /* a limit of ours */
#define LARCH_LAKE_KID_LEN 8  /* bytes of an rKID between larch's own peers */

typedef enum larch_lake_role { LARCH_LAKE_INITIATOR, LARCH_LAKE_RESPONDER } larch_lake_role;

/* What authenticates one party or, in method 4, both. The views' memory stands until the call that takes it returns. */
typedef struct larch_lake_credential {
    larch_bytes id_cred;        /* of one's own: ID_CRED_x or ID_CRED_PSK, an encoded COSE header map */
    larch_bytes cred_i, cred_r; /* CRED_I and CRED_R, each one encoded CBOR item; methods 0 and 3: its owner's alone */
    larch_cose_key key; /* of the owner, trusted to be that; one's own with its private part; method 4: k is the PSK */
    int8_t psk_hash;    /* method 4: the EDHOC hash that the PSK is for (LARCH_COSE_SHAKE256, ...) */
} larch_lake_credential;

/* How an ID_CRED_x names a credential. */
typedef enum larch_lake_reference_kind {
    LARCH_LAKE_BY_KID,      /* value: the kid */
    LARCH_LAKE_BY_CCS,      /* value: the credential itself, a CWT Claims Set */
    LARCH_LAKE_BY_CWT,      /* value: the credential itself, without a tag */
    LARCH_LAKE_BY_CWT_HASH, /* value: SHA-256 of the CWT without a tag */
} larch_lake_reference_kind;

typedef struct larch_lake_reference {
    larch_lake_reference_kind kind;
    larch_bytes value;     /* untrusted */
    larch_bytes id_cred;   /* as a map, encoded */
    larch_lake_role owner; /* who claims to own the credential */
    uint8_t method;
    const larch_lake_suite *suite;
} larch_lake_reference;

/* Candidates for one kid that method 4 tries, at most: short kids may be those of several keys. */
#define LARCH_LAKE_CANDIDATES 4

/* Finds the credential that a peer refers to. It runs inside process_message_2 and process_message_3 of methods 0 and 3,
 * before the proof is verified, and inside process_message_3 of method 4, for attempt 0, 1, ... until a candidate's key
 * fits; methods 0 and 3 ask for attempt 0 alone. So nobody is authenticated yet: the callback looks up, parses and verifies
 * signatures of CWTs, and has no other effect. It may not call a larch_lake function with the same session or party, and
 * may block only if the caller of the message function may. By value, whether a key is trusted is its decision alone.
 * LARCH_OK with *out filled, except for id_cred; LARCH_AUTH: no such credential; any other error aborts as it is. */
typedef larch_error larch_lake_find(void *context, const larch_lake_reference *reference, unsigned attempt,
                                    larch_lake_credential *out);

/* ---- a party ----------------------------------------------------------- */

/* What all sessions of one party share. Nothing in it changes while a message function runs. */
typedef struct larch_lake_party {
    const larch_lake_suite *const *suites; /* supported, the most preferred first; algorithms that larch has */
    size_t suite_count;
    uint8_t methods; /* bits 1 << method: those that it takes as Responder */
    bool
        psk_id_is_compact; /* method 4 authenticates ID_CRED_PSK as it is sent, as the draft's vectors do, not as a map */
    const uint16_t *eads; /* labels of critical EAD items that the caller processes */
    size_t ead_count;
    larch_lake_find *find;
    void *context;       /* of find */
    larch_random random; /* for keys */
    uint8_t *scratch; /* working memory of a call. It holds EAD items until the next call, and no secret after a call */
    size_t scratch_size;
#if LARCH_KEYLOG
    /* The last member, so that code without it sees the others where they are. Gets the lines of a key log
     * (larch/lake_observer.h), which are secret, inside the functions that make or read messages 2 and 3; calls nothing of
     * the session or party. NULL: nobody does. */
    void (*key_log)(void *context, larch_bytes line);
#endif
} larch_lake_party;

/* Enough scratch for any suite of this build in method 4, with credentials of up to 128 bytes each... */
#define LARCH_LAKE_SCRATCH_PSK (LARCH_KEM_DK_MAX + LARCH_KEM_EK_MAX)
/* ... and in method 0, with both credentials by value: a CWT holds a key, a signature and some claims. */
#define LARCH_LAKE_CWT_MAX     (LARCH_SIG_PK_MAX + LARCH_SIG_SIG_MAX + 256)
#define LARCH_LAKE_SCRATCH     (LARCH_LAKE_CWT_MAX + LARCH_SIG_SIG_MAX + 1024)

/* ---- a session --------------------------------------------------------- */

/* What is awaited. */
typedef enum larch_lake_state {
    LARCH_LAKE_ABORTED,           /* nothing: init begins anew */
    LARCH_LAKE_COMPOSE_MESSAGE_1, /* Initiator: from here... */
    LARCH_LAKE_WAIT_MESSAGE_2,
    LARCH_LAKE_COMPOSE_MESSAGE_3,
    LARCH_LAKE_WAIT_MESSAGE_4, /* ... to here; the keys exist, and nothing of them may be stored yet */
    LARCH_LAKE_WAIT_MESSAGE_1, /* Responder: from here... */
    LARCH_LAKE_COMPOSE_MESSAGE_2,
    LARCH_LAKE_WAIT_MESSAGE_3,
    LARCH_LAKE_COMPOSE_MESSAGE_4, /* ... to here; the Initiator is authenticated, and the keys exist */
    LARCH_LAKE_COMPLETED          /* the keys alone are left */
} larch_lake_state;

typedef struct larch_lake_id {
    uint8_t len;
    uint8_t bytes[LARCH_LAKE_ID_MAX];
} larch_lake_id;

/* What a handshake leaves behind: at most 256 bytes. Secret. The suite's memory outlives it. */
typedef struct larch_lake_keys {
    const larch_lake_suite *suite;
    larch_lake_id c_i, c_r;
    uint8_t role, method;
    uint8_t prk_out[LARCH_LAKE_HASH_MAX]; /* private, both */
    uint8_t prk_exporter[LARCH_LAKE_HASH_MAX];
} larch_lake_keys;

/* Secret. It has no pointer into itself, so it may be moved. */
typedef struct larch_lake_session {
    larch_lake_keys keys;
    uint8_t state;                         /* larch_lake_state */
    uint8_t error;                         /* private from here on: the code to send after an abort; 0: none */
    uint8_t th[LARCH_LAKE_HASH_MAX];       /* H(message_1), then the newest transcript hash */
    uint8_t prk[LARCH_LAKE_HASH_MAX];      /* PRK_3e2m, then PRK_4e3m */
    uint8_t ephemeral[LARCH_KEM_SEED_LEN]; /* seed or private key; the Initiator's, after message_2: G_Y of P-256 */
    uint8_t received[LARCH_SHA256_LEN];    /* SHA-256 of the message that was processed last */
} larch_lake_session;

/* A session of a Responder in a pool, with the bytes of its last answer: 2 KB for method 4 and suites -24, -23 and -21,
 * 5 KB for method 0 with ML-DSA-44, 8 KB for method 0 with ML-DSA-87 by kid. */
#define LARCH_LAKE_PLACE(name, size) \
    typedef struct name {            \
        larch_lake_session session;  \
        uint16_t answer_len;         \
        uint8_t answer[(size)];      \
    } name
LARCH_LAKE_PLACE(larch_lake_place_psk, 1632);
LARCH_LAKE_PLACE(larch_lake_place_44, 4720);
LARCH_LAKE_PLACE(larch_lake_place_87, 7776);

/* Ready for message_1. */
void larch_lake_init(larch_lake_session *s, larch_lake_role role);
/* Wipes everything; the state is then LARCH_LAKE_ABORTED, and no error is to be sent. */
void larch_lake_wipe(larch_lake_session *s);
/* For a caller that cannot go on after a message was processed, for example with a critical EAD item: aborts as after an
 * error. */
void larch_lake_refuse(larch_lake_session *s);
/* Whether these bytes are the message that this session processed last: the caller then sends the very bytes again that
 * it composed after that. A second answer must never be made, since it would use the same key and nonce. [RFC9528 7] */
bool larch_lake_is_duplicate(const larch_lake_session *s, larch_bytes message);
/* A message under the new keys takes the place of message_4: the Initiator has verified one, or the Responder sends one.
 * The Initiator may now store keys. LARCH_STATE: it is not awaited. */
LARCH_MUST_USE larch_error larch_lake_confirm(larch_lake_session *s);

/* ---- external authorization data [RFC9528 3.8] ------------------------- */

/* Items are passed and received as one encoded sequence. Label 0 is padding, which a receiver ignores. */
typedef struct larch_lake_ead {
    uint16_t label;
    bool is_critical;
    bool has_value;
    larch_bytes value;
} larch_lake_ead;

void larch_lake_put_ead(larch_writer *w, const larch_lake_ead *ead);
/* The next item of untrusted bytes; at the end LARCH_AGAIN. LARCH_STATE: its label is out of our range. */
LARCH_MUST_USE larch_error larch_lake_take_ead(larch_reader *r, larch_lake_ead *ead);

/* ---- messages ---------------------------------------------------------- */

/* message_1 = ( METHOD, SUITES_I, G_X, C_I, ? EAD_1 ) [RFC9528 5.2.1], as views into it. */
typedef struct larch_lake_message_1 {
    uint8_t method;
    int64_t selected;   /* the last of SUITES_I */
    larch_bytes suites; /* SUITES_I, encoded */
    larch_bytes g_x, c_i, ead;
} larch_lake_message_1;

/* What a processed message said. */
typedef struct larch_lake_received {
    larch_bytes ead;            /* in scratch memory */
    larch_lake_credential peer; /* methods 0 and 3: of messages 2 and 3; method 4: of message 3; what find gave */
} larch_lake_received;

/* Without keys and state: for dispatch and look-ahead. */
LARCH_MUST_USE larch_error larch_lake_parse_message_1(larch_bytes in, larch_lake_message_1 *out);

/* suite: index of the selected one in the party's list, before which all that are preferred to it are listed.
 * c_i: not in use by any session or context of this party; ead_1: encoded items, often empty. */
LARCH_MUST_USE larch_error larch_lake_compose_message_1(larch_lake_session *s, const larch_lake_party *party,
                                                        unsigned method, size_t suite, larch_bytes c_i,
                                                        larch_bytes ead_1, larch_writer *w);
/* out: views into message. LARCH_STATE with error code 2 to be sent: the selected suite is not the first of SUITES_I that
 * this party supports. */
LARCH_MUST_USE larch_error larch_lake_process_message_1(larch_lake_session *s, const larch_lake_party *party,
                                                        larch_bytes message, larch_lake_message_1 *out);

/* The Responder's side of message_2. ct and ss: what larch_kem_encaps made of G_X, if the caller has done that already,
 * for many sessions side by side; else ct is empty. */
typedef struct larch_lake_answer {
    larch_bytes c_r;                  /* as c_i, and another one than it */
    const larch_lake_credential *own; /* not in method 4 */
    larch_bytes ead_2;
    larch_bytes ct;
    const uint8_t *ss;
} larch_lake_answer;

/* message_1: what process_message_1 of this session gave. */
LARCH_MUST_USE larch_error larch_lake_compose_message_2(larch_lake_session *s, const larch_lake_party *party,
                                                        const larch_lake_message_1 *message_1,
                                                        const larch_lake_answer *answer, larch_writer *w);
LARCH_MUST_USE larch_error larch_lake_process_message_2(larch_lake_session *s, const larch_lake_party *party,
                                                        larch_bytes message, larch_lake_received *out);
/* own: in method 4 the PSK and both credentials. */
LARCH_MUST_USE larch_error larch_lake_compose_message_3(larch_lake_session *s, const larch_lake_party *party,
                                                        const larch_lake_credential *own, larch_bytes ead_3,
                                                        larch_writer *w);
LARCH_MUST_USE larch_error larch_lake_process_message_3(larch_lake_session *s, const larch_lake_party *party,
                                                        larch_bytes message, larch_lake_received *out);
LARCH_MUST_USE larch_error larch_lake_compose_message_4(larch_lake_session *s, const larch_lake_party *party,
                                                        larch_bytes ead_4, larch_writer *w);
LARCH_MUST_USE larch_error larch_lake_process_message_4(larch_lake_session *s, const larch_lake_party *party,
                                                        larch_bytes message, larch_lake_received *out);

/* ---- error messages [RFC9528 6] ---------------------------------------- */

enum { LARCH_LAKE_ERROR_UNSPECIFIED = 1, LARCH_LAKE_ERROR_SUITE = 2, LARCH_LAKE_ERROR_CREDENTIAL = 3 };

/* The message that an aborted session owes its peer, once. LARCH_AGAIN: none. LARCH_SPACE: it is still owed. The text of
 * code 1 is always the same, so that it tells a forger nothing. */
LARCH_MUST_USE larch_error larch_lake_compose_error(larch_lake_session *s, const larch_lake_party *party,
                                                    larch_writer *w);

typedef struct larch_lake_error {
    int64_t code;
    larch_bytes info; /* ERR_INFO, encoded: a text, SUITES_R, or true; of another code any item */
} larch_lake_error;

/* Untrusted, and unauthenticated: anybody on the path can forge it. LARCH_MALFORMED: code 0 too. */
LARCH_MUST_USE larch_error larch_lake_parse_error(larch_bytes in, larch_lake_error *out);
/* After code 2: the index of the first suite in the party's list, other than the rejected one, that SUITES_R holds. LARCH_STATE:
 * there is none, or the error is another. Whether to go on is the caller's decision. [RFC9528 6.3] */
LARCH_MUST_USE larch_error larch_lake_choose_suite(const larch_lake_party *party, const larch_lake_error *error,
                                                   size_t rejected, size_t *suite);

/* ---- keys -------------------------------------------------------------- */

/* Those of a session; NULL before they exist. */
const larch_lake_keys *larch_lake_keys_of(const larch_lake_session *s);

/* EDHOC_Exporter [RFC9528 4.2.1]. len: as HKDF allows; out is zeroed on an error. */
LARCH_MUST_USE larch_error larch_lake_export(const larch_lake_keys *keys, uint16_t label, larch_bytes context,
                                             uint8_t *out, size_t len);
/* EDHOC_KeyUpdate [RFC9528 H]: both parties, with the same context. On an error the keys are unchanged. */
LARCH_MUST_USE larch_error larch_lake_update_keys(larch_lake_keys *keys, larch_bytes context);

/* Of an OSCORE context [RFC9528 A.1], without ID Context. Secret. */
typedef struct larch_lake_oscore {
    const larch_cose_aead *aead;
    int64_t hash; /* of HKDF */
    uint8_t master_secret[LARCH_COSE_AEAD_KEY_MAX];
    uint8_t master_secret_len;
    uint8_t master_salt[8];
    larch_lake_id sender_id, recipient_id;
} larch_lake_oscore;

/* For resumption by method 4 [edhoc-psk 6], with the credentials of this session. Secret. */
typedef struct larch_lake_resumption {
    int8_t psk_hash;
    uint8_t psk_len;
    uint8_t psk[LARCH_LAKE_HASH_MAX]; /* rPSK */
    uint8_t kid_len;
    uint8_t kid[LARCH_LAKE_KID_LEN]; /* rKID */
} larch_lake_resumption;

/* What is wanted of both, in one go; what is not is NULL. kid_len: of rKID, 2 by the draft, LARCH_LAKE_KID_LEN between
 * larch's own peers; 1 to that, else LARCH_STATE. Both are zeroed on an error. */
LARCH_MUST_USE larch_error larch_lake_derive(const larch_lake_keys *keys, size_t kid_len, larch_lake_oscore *oscore,
                                             larch_lake_resumption *next);
static inline larch_error larch_lake_derive_oscore(const larch_lake_keys *keys, larch_lake_oscore *out)
{
    return larch_lake_derive(keys, 0, out, NULL);
}
static inline larch_error larch_lake_derive_resumption(const larch_lake_keys *keys, size_t kid_len,
                                                       larch_lake_resumption *out)
{
    return larch_lake_derive(keys, kid_len, NULL, out);
}

/* ---- making and reading credentials ------------------------------------ */

/* ID_CRED_x of each kind: { 4: kid }, { 14: CCS }, { 13: CWT }, { HEADER_CWT_HASH: [-16, SHA-256(CWT)] }. value: as in
 * larch_lake_reference. */
void larch_lake_put_id_cred(larch_writer *w, larch_lake_reference_kind kind, larch_bytes value);

/* CWT claims [RFC8392 3.1]: what a credential says. A view whose length is 0 is absent. */
typedef struct larch_lake_claims {
    larch_bytes iss, sub;
    larch_cose_key key; /* cnf [RFC8747 3.2] */
    uint64_t exp, nbf;  /* seconds since 1970; 0: absent */
} larch_lake_claims;

/* A CCS, which is the payload of a CWT too: { ? 1: iss, 2: sub, ? 4: exp, ? 5: nbf, 8: { 1: COSE_Key } }. Of a key that is
 * Symmetric give its kid alone: the k of a credential would be hashed and sent. */
void larch_lake_put_ccs(larch_writer *w, const larch_lake_claims *claims);
/* in: untrusted. Claims that larch does not know are ignored. LARCH_MALFORMED: there is no sub or no key, or the key has a
 * private part. LARCH_STATE: a key that larch does not have, or a time that is no whole number. out is then zeroed. */
LARCH_MUST_USE larch_error larch_lake_parse_ccs(larch_bytes in, larch_lake_claims *out);

/* An untagged CWT: COSE_Sign1 over a CCS by the authority's key, with its algorithm; random as for larch_sig_sign. Errors
 * as larch_cose_put_sign1. */
LARCH_MUST_USE larch_error larch_lake_put_cwt(larch_writer *w, larch_bytes ccs, const larch_cose_key *authority,
                                              const larch_random *random);
/* in: untrusted. authority: trusted. LARCH_AUTH: not signed by it. The claims' times are not checked here: a device without
 * a clock gets the time from EAD_4. out is zeroed on an error. */
LARCH_MUST_USE larch_error larch_lake_verify_cwt(larch_bytes in, const larch_cose_key *authority,
                                                 larch_lake_claims *out);
/* LARCH_OK: the claims hold at this time. LARCH_AUTH: not yet, or no more. */
LARCH_MUST_USE larch_error larch_lake_check_times(const larch_lake_claims *claims, uint64_t now);

#ifdef __cplusplus
}
#endif

#endif
