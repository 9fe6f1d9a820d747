/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Responder of LAKE (EDHOC, RFC 9528) as a service of a larch_server: the resource /.well-known/edhoc, and requests
 * that carry message_3 before what they protect [RFC9668].
 *
 *     POST  true | message_1    4.01 with an Echo, until the request carries one of at most 60 s: nothing is kept before
 *                               then a place of the pool, message_2
 *     POST  C_R | message_3     store, commit for all that came together, then message_4
 *     any   message_3 | OSCORE  store, then the request is carried out; its answer takes the place of message_4
 *
 * PROTOCOL.md ("Handshakes over CoAP") has formats, codes and limits.
 */
#ifndef LARCH_LAKE_SERVICE_H
#define LARCH_LAKE_SERVICE_H

#include "larch/lake_made.h"
#include "larch/oscore_service.h"

#ifdef __cplusplus
extern "C" {
#endif

#if LARCH_SERVER_SESSIONS

#define LARCH_LAKE_HALF_OPEN_MS 120000u /* a handshake that does not go on for that long is forgotten */
#define LARCH_LAKE_ECHO_S       60u     /* age of the Echo that message_1 comes with, at most */

/* What the service keeps beside a place of the pool. Private. */
typedef struct larch_lake_half {
    uint64_t until_ms; /* 0: free */
    uint64_t address;  /* keyed hashes: of the peer's address, of whose share it is, of the message answered last */
    uint64_t owner;
    uint64_t message;
    uint64_t number; /* that the session will have */
    uint64_t stamp;
    uint8_t stage;
    larch_lake_id c_r;
} larch_lake_half;

typedef struct larch_lake_service_config {
    const larch_lake_party *party;  /* kept, as all that follows */
    const larch_contexts *contexts; /* the same as the OSCORE service's */
    const larch_epochs *epochs;     /* likewise */
    /* The pool of half-open handshakes: an array of larch_lake_place_psk, larch_lake_place_44 or larch_lake_place_87, with
     * its sizes, as LARCH_LAKE_POOL gives them, and as many halves. A prefix holds at most an eighth, but one. */
    void *places;
    size_t place_size;
    size_t answer_size;
    size_t place_count;
    larch_lake_half *halves;
    uint8_t kid_len;         /* bytes of C_R, all random: 1 to LARCH_LAKE_ID_MAX; a suite may allow fewer */
    uint8_t rkid_len;        /* of rKID: LARCH_LAKE_KID_LEN with larch's own devices */
    const char *credentials; /* attributes of the link for what find takes: ";ed-cred-t=1;ed-idcred-t=4"; may be "" */

    /* The Responder's own credential for this method and suite, for message_2; not called for method 4. NULL: it has none.
     * It runs inside larch_server_receive and calls nothing of the server. */
    const larch_lake_credential *(*own)(void *context, unsigned method, const larch_lake_suite *suite);
    /* Runs inside larch_server_receive when message_3 is verified, before message_4 or the answer to the combined request
     * is made. The peer's credential is the one that the party's find gave last. It sets session->device and
     * session->expires_s, and does three things in one durable transaction: it stores the session (number, parameters of
     * made->oscore, is_unconfirmed) and rPSK made->next, and, if this handshake was under an rPSK, deletes the one before
     * that and what an earlier handshake under it left unconfirmed. Then it adds a copy of session to the table behind
     * contexts. It may not remove or move a session that the table has, and calls nothing of the server. After LARCH_OK
     * the session is found, and both are durable, or become so by commit. LARCH_SPACE, LARCH_PLATFORM: not now:
     * the Initiator gets 5.03, and when its message_3 comes again store runs again, with the same session number, so a
     * transaction that became durable all the same must not count twice. Any other error refuses the handshake. */
    larch_error (*store)(void *context, uint64_t now_ms, const larch_lake_made *made, larch_session *session);
    /* Makes durable what store and confirm did since it ran last, before anyone hears of it: once for all answers that leave
     * together, and before a request that came with message_3 is carried out. After an error none of it is, and the table
     * has the sessions as they were before: the handshakes are refused. NULL: store and confirm are durable when they
     * return. */
    larch_error (*commit)(void *context);
    /* Runs inside larch_server_receive for the first request under a session that is_unconfirmed, other than the one that
     * carried message_3: the Initiator has stored it. The rPSK of that handshake and the session before it may go, the
     * latter only after the call returned, behind larch_oscore_service_forget. LARCH_OK: session->is_unconfirmed
     * becomes false. After any other error the next request confirms. */
    larch_error (*confirm)(void *context, uint64_t now_ms, const larch_session *session);
    /* How many sessions were stored so far; it runs when message_2 leaves, and store gets it back. A device has one handshake
     * at a time, so store refuses (LARCH_AUTH) one whose device has stored another since: its message_3 is late. NULL: 0. */
    uint64_t (*stamp)(void *context);
    /* Seconds since 1970, for a device without a clock; 0: unknown. NULL: never known. */
    uint64_t (*unix_s)(void *context);
    void *context;
} larch_lake_service_config;

#define LARCH_LAKE_POOL(array)                                                                 \
    .places = (array), .place_size = sizeof(array)[0], .answer_size = sizeof(array)[0].answer, \
    .place_count = sizeof(array) / sizeof(array)[0]

#define LARCH_LAKE_LINKS_MAX         192
#define LARCH_LAKE_SERVICE_ERROR_MAX 64 /* bytes of an error message: SUITES_R is the longest */

typedef struct larch_lake_service {
    larch_service service; /* private, all of it */
    larch_oscore_handshakes handshakes;
    larch_lake_service_config config;
    larch_resource resource;
    uint64_t key[2];
    bool waits; /* for commit */
    char links[LARCH_LAKE_LINKS_MAX];
    uint8_t error[LARCH_LAKE_SERVICE_ERROR_MAX];
} larch_lake_service;

/* Makes lake->service, for larch_server_init, and lake->handshakes, for larch_oscore_config. LARCH_STATE: something is
 * missing or has no size that it may have. LARCH_SPACE: the link has too many attributes. LARCH_PLATFORM: random failed.
 * Wiped on error. */
LARCH_MUST_USE larch_error larch_lake_service_init(larch_lake_service *lake, const larch_lake_service_config *config);

#endif

#ifdef __cplusplus
}
#endif

#endif
