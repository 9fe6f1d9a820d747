/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A context, a pre-shared key and an observation as bytes in a database. Numbers are big-endian; "bytes" is length (1), then so many.
 *
 *     context, sealed:  version = 1 (1)   device (8)   expires, s since 1970 (4)   AEAD (1)   hash (2)
 *                       has ID context (1)   bytes Sender ID, Recipient ID, ID context, master salt, master secret
 *     key, sealed:      version = 1 (1)   device (8)   EDHOC hash (1)   bytes kid, PSK
 *     or, of a device   version = 2 (1)   the same, and method (1)   suite (1)   bytes SHA-256 of CRED_I
 *
 * The second form is that of a device's own key which is not for method 4 and suite -24. In method 0 there is no PSK.
 *
 *     observation:      version = 1 (1)   address (16)   scope (4)   port (2)   bytes kid, Partial IV
 *                       Accept (2)   confirmable (1)   szx (1)   bytes token, resource name
 */
#ifndef LARCH_REGISTRY_SESSION_RECORD_H
#define LARCH_REGISTRY_SESSION_RECORD_H

#include "larch/contexts.h"
#include "larch/lake.h"

#define LARCH_SESSION_SECRET_MIN 16 /* bytes of a master secret */
#define LARCH_SESSION_SECRET_MAX 64
#define LARCH_SESSION_SALT_MAX   64

#define LARCH_SESSION_RECORD_MAX \
    (17 + 5 + 2 * LARCH_OSCORE_ID_MAX + LARCH_OSCORE_ID_CONTEXT_MAX + LARCH_SESSION_SALT_MAX + LARCH_SESSION_SECRET_MAX)
#define LARCH_OBSERVATION_RECORD_MAX \
    (27 + 4 + LARCH_OSCORE_ID_MAX + LARCH_OSCORE_PARTIAL_IV_MAX + LARCH_COAP_TOKEN_MAX + LARCH_READING_NAME_MAX)

/* What is sealed of a context. Secret. */
typedef struct larch_session_record {
    uint64_t device;
    uint32_t expires_s;
    larch_oscore_parameters parameters; /* views */
} larch_session_record;

/* Whether every field is within its bound. larch_oscore_context_init decides on the rest. */
bool larch_session_record_fits(const larch_session_record *record);
/* The record is within its bounds. */
void larch_session_record_put(larch_writer *w, const larch_session_record *record);
/* All of bytes that a disk may have damaged; the record gets views of them. LARCH_MALFORMED: not a record of this
 * version; *record is zeroed. */
LARCH_MUST_USE larch_error larch_session_record_take(larch_bytes bytes, larch_session_record *record);

#define LARCH_PSK_RECORD_MAX (12 + LARCH_LAKE_KID_LEN + LARCH_LAKE_HASH_MAX + 3 + LARCH_SHA256_LEN)

/* What is sealed of a key: its kid has 1 to LARCH_LAKE_KID_LEN bytes, and the key itself LARCH_SESSION_SECRET_MIN to
 * LARCH_LAKE_HASH_MAX, or none in method 0. Secret. */
typedef struct larch_psk_record {
    uint64_t device;
    larch_lake_resumption key;
    uint8_t method; /* by which the device proves itself: 0 or 4 */
    int8_t suite;   /* that it uses */
    bool has_credential;
    uint8_t credential[LARCH_SHA256_LEN]; /* SHA-256 of CRED_I, in method 0 */
} larch_psk_record;

void larch_psk_record_put(larch_writer *w, const larch_psk_record *record);
/* As larch_session_record_take. */
LARCH_MUST_USE larch_error larch_psk_record_take(larch_bytes bytes, larch_psk_record *record);

/* session is not part of the bytes; peer.via and peer.is_on_link are not kept. */
void larch_observation_record_put(larch_writer *w, const larch_observation *observation);
/* Likewise. The session's number is 0 then, for the caller to fill in. */
LARCH_MUST_USE larch_error larch_observation_record_take(larch_bytes bytes, larch_observation *observation);

#endif
