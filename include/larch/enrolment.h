/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An enrolment: what a device needs so that it can shake hands with its gateway by a pre-shared key (method 4 of LAKE) or by
 * signatures (method 0). It is one CBOR map. With a key that is pre-shared, the first suite and a name of 16 bytes it has 91
 * bytes, so that a QR code holds it:
 *
 *     { 1: version 1, 2: "name", 3: h'kid (8)', 4: h'secret (32)', 5: hash, 6: h'identity (20)', ? 7: "authority",
 *       ? 8: h'key', ? 9: method, ? 10: suite, ? 11: reference }
 *
 * name: of the device, 1 to 16 bytes of printable ASCII without ':'. secret: the PSK, or the seed of the device's ML-DSA key.
 * hash: the EDHOC hash of the suite, as COSE numbers it. identity: of the gateway, as its "larch2:" fingerprint has it.
 * authority: HOST or HOST:PORT of the gateway. key: the gateway's public ML-DSA key, of the suite's set in method 0, which
 * cannot do without. method: 0; absent: 4. suite: absent: -24. reference: how the device names its own credential in method
 * 0, a larch_lake_reference_kind; absent: by kid. Of a CWT the enrolment holds no more than that: it is public, and stands
 * beside it.
 */
#ifndef LARCH_ENROLMENT_H
#define LARCH_ENROLMENT_H

#include "larch/identity.h"
#include "larch/lake.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_ENROLMENT_NAME_MAX      16
#define LARCH_ENROLMENT_PSK_LEN       32
#define LARCH_ENROLMENT_AUTHORITY_MAX 255
#define LARCH_ENROLMENT_MAX           (91 + 4 + LARCH_ENROLMENT_AUTHORITY_MAX + 4 + LARCH_SIG_PK_MAX + 2 + 3 + 2)

/* Secret. The memory behind the views outlives it. */
typedef struct larch_enrolment {
    larch_bytes name;
    uint8_t kid[LARCH_LAKE_KID_LEN];
    uint8_t psk[LARCH_ENROLMENT_PSK_LEN]; /* method 0: the seed of the device's key */
    int8_t hash;
    uint8_t identity[LARCH_FINGERPRINT_LEN];
    larch_bytes authority, key; /* empty: absent */
    uint8_t method;
    int8_t suite;
    uint8_t reference; /* larch_lake_reference_kind */
} larch_enrolment;

/* What is wrong with an enrolment. X(NAME, text) */
#define LARCH_ENROLMENT_FAULTS(X)                                                           \
    X(NONE, "sound")                                                                        \
    X(FOREIGN, "is not an enrolment, or is cut short")                                      \
    X(VERSION, "is an enrolment of a version that this larch does not have")                \
    X(MEMBER, "has a member that this larch does not know, or lacks one")                   \
    X(NAME, "has a name that is not 1 to 16 printable characters without spaces and ':'")   \
    X(KID, "has a kid that is not of 8 bytes")                                              \
    X(PSK, "has a key that is not of 32 bytes")                                             \
    X(HASH, "has a key for a cipher suite that this larch does not have")                   \
    X(IDENTITY, "has an identity that is not of 20 bytes")                                  \
    X(AUTHORITY, "has a gateway's address that is not 1 to 255 printable characters")       \
    X(KEY, "has a gateway's public key that is no ML-DSA key of a set that this larch has") \
    X(PAIR, "has a method that its cipher suite or this larch cannot do, or lacks what the method needs")

#define LARCH_ENROLMENT_FAULT_ENUM(name, text) LARCH_ENROLMENT_FAULT_##name,
typedef enum larch_enrolment_fault {
    LARCH_ENROLMENT_FAULTS(LARCH_ENROLMENT_FAULT_ENUM) LARCH_ENROLMENT_FAULT_COUNT
} larch_enrolment_fault;
#undef LARCH_ENROLMENT_FAULT_ENUM

/* "is not an enrolment, or is cut short" */
const char *larch_enrolment_fault_text(larch_enrolment_fault fault);

/* Reads all of in, which is untrusted; the views of *out are views of it. LARCH_MALFORMED: *fault (which may be NULL)
 * says what is wrong, and *out is wiped. */
LARCH_MUST_USE larch_error larch_enrolment_parse(larch_bytes in, larch_enrolment *out, larch_enrolment_fault *fault);
/* Writes an enrolment that larch_enrolment_parse would take. w may measure. */
void larch_enrolment_put(larch_writer *w, const larch_enrolment *enrolment);

/* Whether a text can be the name of a device in an enrolment. */
bool larch_enrolment_is_name(larch_bytes text);
/* Whether a suite of this build has this EDHOC hash. */
bool larch_enrolment_is_hash(int64_t hash);

/* The credentials of method 4 that follow from an enrolment:
 *
 *     CRED_I = { 2: name,                8: { 1: { 1: 4, 2: kid } } }      kid: of the enrolment, also in a resumption
 *     CRED_R = { 2: "larch2:...",        8: { 1: { 1: 4, 2: kid } } }
 *
 * Both names enter the transcript, so a gateway of another identity cannot complete the handshake. No name is equal to the
 * other, because a name has no ':'. resumption: the key and the kid to use; NULL: those of the enrolment. *out has views of
 * buffer, enrolment and resumption. LARCH_SPACE does not occur with an enrolment that was parsed. LARCH_STATE: it is for
 * another method; *out is zeroed. */
#define LARCH_ENROLMENT_CREDENTIAL_MAX 160
LARCH_MUST_USE larch_error larch_enrolment_credential(const larch_enrolment *enrolment,
                                                      const larch_lake_resumption *resumption,
                                                      uint8_t buffer[LARCH_ENROLMENT_CREDENTIAL_MAX],
                                                      larch_lake_credential *out);

/* ---- method 0 ---------------------------------------------------------------------------- */

/* The pairs of method and suite that enrolments can be for: methods 0, with a suite that signs by ML-DSA, and 4. A method
 * that needs Diffie-Hellman never fits a suite with a KEM. */
bool larch_enrolment_is_pair(unsigned method, const larch_lake_suite *suite);

/* The longest CCS of a device or a gateway. */
#define LARCH_ENROLMENT_CCS_MAX (LARCH_SIG_PK_MAX + 96)

/* The CCS of a public key, which CRED_I and CRED_R of method 0 are without a CWT:
 *
 *     { 2: sub, 8: { 1: { 1: 7, 2: kid, 3: alg, -1: pub } } }
 *
 * sub: the device's name, or the "larch2:" fingerprint of the gateway's identity. alg: as COSE numbers it. */
void larch_enrolment_put_public(larch_writer *w, larch_bytes sub, larch_bytes kid, int alg, larch_bytes pub);
/* The same of a gateway, whose kid is the first 8 bytes of the SHA-256 of the key, which the identity document has.
 * LARCH_PLATFORM: hashing failed. */
LARCH_MUST_USE larch_error larch_enrolment_put_gateway(larch_writer *w, const uint8_t identity[LARCH_FINGERPRINT_LEN],
                                                       int alg, larch_bytes pub, uint8_t kid[LARCH_LAKE_KID_LEN]);

#ifdef __cplusplus
}
#endif

#endif
