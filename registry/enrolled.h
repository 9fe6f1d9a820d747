/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices that shake hands (larch/lake.h), in the table of sessions: each has a pre-shared key of its own (method 4), or a
 * credential with a public key (method 0), and keys for its resumptions. Its method and suite are on record, and a method
 * that its suite cannot do is refused. A device that is added by larch_sessions_add alone has none.
 *
 *     handshake i      under rPSK_i   makes context i+1 and rPSK_(i+1); rPSK_(i-1) and contexts before i go
 *     first request    under i+1      rPSK_i and contexts before i+1 go
 *
 * The device stores context and key before it uses them, and the gateway deletes what came before only when it sees that
 * the device uses them. So wherever either side loses its power, both have one key in common: at the least the device's own,
 * which stays.
 */
#ifndef LARCH_REGISTRY_ENROLLED_H
#define LARCH_REGISTRY_ENROLLED_H

#include "larch/enrolment.h"
#include "larch/lake_made.h"
#include "registry/sessions.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_ENROLLED_CONTEXTS_MAX 3 /* of a device, that handshakes made */

/* Adds a device with its own key: name, kid, psk and hash of an enrolment. LARCH_STATE: there is a device of this name.
 * LARCH_MALFORMED: larch_enrolment_parse would refuse it. Other errors as larch_sessions_add. */
LARCH_MUST_USE larch_error larch_sessions_enrol(larch_sessions *s, const larch_enrolment *enrolment, uint64_t *device);

/* Likewise, with a kid and a key that are made here, and written to the enrolment. */
LARCH_MUST_USE larch_error larch_sessions_enrol_new(larch_sessions *s, larch_enrolment *enrolment, uint64_t *device);

/* A device of method 0. Views. */
typedef struct larch_enrolled_signer {
    larch_bytes name, kid; /* kid: LARCH_LAKE_KID_LEN bytes */
    int8_t suite;
    larch_bytes pub;  /* its public key */
    larch_bytes cred; /* CRED_I: a CCS, or a CWT that its caller has verified */
} larch_enrolled_signer;

/* Adds a device by its public key. Errors as larch_sessions_enrol. */
LARCH_MUST_USE larch_error larch_sessions_enrol_signer(larch_sessions *s, const larch_enrolled_signer *signer,
                                                       uint64_t *device);

/* A key by which a device proves itself. Secret. */
typedef struct larch_enrolled_key {
    uint64_t number; /* of the key; not 0 */
    uint64_t device;
    char name[LARCH_SESSIONS_NAME_MAX + 1];
    uint8_t own_kid[LARCH_LAKE_KID_LEN]; /* of the device's own key, which its credentials have */
    bool is_resumption;
    larch_lake_resumption key; /* also for the device's own: kid, psk and hash; without a psk in method 0 */
    uint8_t method;            /* of the device, as its suite */
    int8_t suite;
    uint16_t cred_len; /* CRED_I in method 0 */
    uint8_t cred[LARCH_LAKE_CWT_MAX];
} larch_enrolled_key;

/* The nth key, from 0 on, of a kid, which is untrusted. LARCH_AGAIN: no more. LARCH_PLATFORM: the file is damaged, or the
 * cryptography failed. *key is wiped on error. Unlike the calls that change something it may run inside calls of the node. */
LARCH_MUST_USE larch_error larch_sessions_find_key(larch_sessions *s, larch_bytes kid, unsigned nth,
                                                   larch_enrolled_key *key);
/* Likewise: the own key of the device of this name, and of the device with a CRED_I of this SHA-256. */
LARCH_MUST_USE larch_error larch_sessions_find_own(larch_sessions *s, larch_bytes name, larch_enrolled_key *key);
LARCH_MUST_USE larch_error larch_sessions_find_cred(larch_sessions *s, larch_bytes hash, larch_enrolled_key *key);
/* Whether a device with this public key was revoked. LARCH_AGAIN: none was. LARCH_PLATFORM. */
LARCH_MUST_USE larch_error larch_sessions_find_revoked(larch_sessions *s, larch_bytes pub);
/* Another CRED_I with the public key that the device has, such as a CWT that was renewed; key: its own key. Errors as
 * larch_sessions_enrol. It may run inside calls of the node. */
LARCH_MUST_USE larch_error larch_sessions_renew_cred(larch_sessions *s, const larch_enrolled_key *key,
                                                     const larch_enrolled_signer *signer);

/* A handshake under that key is verified: in one transaction stores the context, the key for the next resumption, and deletes
 * what is not needed any more. It runs inside calls of the node, before the device hears of it. session: has its number (below
 * 2^63), its context and its own numbers; it gets its device and expires_s, LARCH_SESSION_LIFE_S after unix_s (0: the wall clock
 * is not set; then after the newest time on record) or until_s, if that is sooner and not 0, and a copy of it is found from then on. Contexts
 * that were deleted are found no more, and keep their places until larch_sessions_drop. LARCH_AUTH: the key is on record no
 * more, the device has stored another handshake since made->stamp, or the kid of the session is taken. LARCH_SPACE, LARCH_PLATFORM:
 * as larch_sessions_add. */
LARCH_MUST_USE larch_error larch_sessions_add_made(larch_sessions *s, const larch_enrolled_key *key,
                                                   const larch_lake_made *made, uint64_t unix_s, uint64_t until_s,
                                                   larch_session *session);
/* The last handshake that was stored, for larch_lake_service_config.stamp; 0: none was, or the file cannot be read. */
uint64_t larch_sessions_last_made(larch_sessions *s);
/* The device uses that context: deletes its keys and contexts that are older, as above. LARCH_STATE: it is not on record.
 * LARCH_SPACE, LARCH_PLATFORM. */
LARCH_MUST_USE larch_error larch_sessions_confirm(larch_sessions *s, uint64_t number);

/* With config.has_groups, what larch_sessions_add_made and larch_sessions_confirm wrote is durable after this call alone, all
 * of it in one transaction. It runs before anyone hears of it. After an error (LARCH_SPACE, LARCH_PLATFORM) none of it is on
 * record: what was made is found no more, and what was confirmed is unconfirmed. */
LARCH_MUST_USE larch_error larch_sessions_commit(larch_sessions *s);
bool larch_sessions_is_durable(const larch_sessions *s);

/* Outside of the node's calls: a context that was deleted and has its place still, for what else knows of it; NULL: none.
 * Wipes it and gives its place. */
const larch_session *larch_sessions_doomed_one(larch_sessions *s);
void larch_sessions_drop(larch_sessions *s, uint64_t number);

/* The devices: start with *at = 0. is_enrolled: it has a key of its own. LARCH_AGAIN: no more. LARCH_PLATFORM. */
LARCH_MUST_USE larch_error larch_sessions_next_device(larch_sessions *s, uint64_t *at,
                                                      char name[LARCH_SESSIONS_NAME_MAX + 1], bool *is_enrolled);

#ifdef __cplusplus
}
#endif

#endif
