/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client in a session: as larch_coap_client, but what it sends is protected by OSCORE [RFC8613], and only a verified
 * response completes a request. It may also observe a resource [RFC7641]. A device uses it for its reports, a gateway for
 * its commands; both over the endpoint of their server.
 *
 *   4.01 with Echo inside (verified)     the same request again under a new number, with that Echo inside
 *   4.01 with Echo outside               the same protected bytes again, with that Echo outside
 *   any other unprotected error          remembered as a hint; the request goes on until its retries end
 */
#ifndef LARCH_OSCORE_CLIENT_H
#define LARCH_OSCORE_CLIENT_H

#include "larch/coap_client.h"
#include "larch/contexts.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_OSCORE_CLIENT_SCRATCH (3 * LARCH_COAP_DATAGRAM_MAX)

/* What a client works with. The caller keeps all of it as long as the client. */
typedef struct larch_oscore_client_config {
    larch_coap_endpoint *endpoint; /* its list of understood options holds OSCORE */
    larch_session *session;        /* must not move or end before the client is cancelled */
    /* Uses up an own number of the session, as larch_epochs_take does, or as a device does from a durable grant. It runs
     * once for each protected request, inside the calls below, and calls nothing of the client or of the endpoint.
     * LARCH_AGAIN: not now. LARCH_SPENT: the numbers or the session are used up. LARCH_PLATFORM. */
    larch_error (*take_number)(void *context, uint64_t now_ms, uint64_t *number);
    void *context;
    uint8_t
        *scratch; /* LARCH_OSCORE_CLIENT_SCRATCH bytes, used inside calls alone, so that clients may share them; wiped
                         after use */
} larch_oscore_client_config;

/* A protected request that was sent. */
typedef struct larch_oscore_sent {
    uint32_t handle; /* private, all of it; 0: none */
    larch_oscore_binding binding;
} larch_oscore_sent;

typedef struct larch_oscore_client {
    const larch_oscore_client_config *config; /* private, all of it */
    larch_coap_target target;
    larch_coap_ask ask;
    larch_oscore_sent asked;    /* its response is awaited */
    larch_oscore_sent observed; /* a registration: notifications answer it */
    uint64_t next_number;       /* the lowest that the next notification may have */
    bool is_observing;          /* the registration was accepted */
    uint8_t observe;            /* what the next request says of Observe */
    uint8_t echoes;             /* outer Echos that are still returned */
    uint8_t hint;
    larch_bytes early; /* message_3, until a response to it was verified */
    larch_coap_transfer transfer;
} larch_oscore_client;

/* Asks target, whose flags may hold LARCH_COAP_SECOND_WAY alone. body: where the answer's payload goes, body_cap bytes,
 * kept until the answer is there. The code, path, query and payload are protected, and blocks are those of the protected
 * message. LARCH_BUSY: no transmission is free, the peer has as many requests as it may, or no number may be used now: ask
 * again later. LARCH_SPENT: no own number is left. LARCH_PLATFORM: random, the storage of the numbers, or the provider
 * failed. LARCH_SPACE: as larch_coap_client_ask. The client is idle after each of these. LARCH_STATE: it still asks or
 * observes, or as larch_coap_client_ask. c: all zero before its first use. */
LARCH_MUST_USE larch_error larch_oscore_client_ask(larch_oscore_client *c, const larch_oscore_client_config *config,
                                                   uint64_t now_ms, const larch_coap_target *target,
                                                   const larch_coap_ask *ask, uint8_t *body, size_t body_cap);

/* As larch_oscore_client_ask, but message_3 of a handshake that made the session goes before the protected message, with
 * the EDHOC option [RFC9668 3.2]; it is kept until a response was verified, and later requests of this transfer go
 * without it. LARCH_SPACE: both do not fit a datagram. */
LARCH_MUST_USE larch_error larch_oscore_client_ask_early(larch_oscore_client *c,
                                                         const larch_oscore_client_config *config, uint64_t now_ms,
                                                         const larch_coap_target *target, const larch_coap_ask *ask,
                                                         uint8_t *body, size_t body_cap, larch_bytes message_3);

/* Registers an observation: the first answer is the present state, and further ones are notifications. A notification
 * that is larger than a block is fetched on. body is kept until the observation ends, and each answer stands there until
 * the next call of larch_oscore_client_take. ask: its method is GET and its payload empty, else LARCH_STATE; its path and
 * query are kept. Other errors as larch_oscore_client_ask. The server may forget an observation, so a client
 * that hears nothing for longer than max_age_s registers anew. */
LARCH_MUST_USE larch_error larch_oscore_client_observe(larch_oscore_client *c, const larch_oscore_client_config *config,
                                                       uint64_t now_ms, const larch_coap_target *target,
                                                       const larch_coap_ask *ask, uint8_t *body, size_t body_cap);
/* Registers anew under the same token, whatever the server still has of the observation [RFC7641 3.3.1]; the present state
 * follows. LARCH_STATE: there is no observation. Other errors as larch_oscore_client_ask; the client has forgotten the
 * observation then. */
LARCH_MUST_USE larch_error larch_oscore_client_reregister(larch_oscore_client *c, uint64_t now_ms);
/* Ends an observation by a request, whose answer follows [RFC7641 3.6]. Errors as larch_oscore_client_reregister; after
 * one, a confirmable notification ends it at the server. */
LARCH_MUST_USE larch_error larch_oscore_client_deregister(larch_oscore_client *c, uint64_t now_ms);
/* The peer is reached at another address now. A request that is under way goes there too, as the same protected bytes, so
 * that the peer carries it out once; all later ones go there alone. */
void larch_oscore_client_move(larch_oscore_client *c, uint64_t now_ms, const larch_peer *peer);
/* Whether notifications may follow: the server accepted the registration and has not ended it. */
static inline bool larch_oscore_client_is_observing(const larch_oscore_client *c) { return c->is_observing; }
/* Whether a request is under way, or an observation. */
static inline bool larch_oscore_client_is_busy(const larch_oscore_client *c)
{
    return c->asked.handle != 0 || c->observed.handle != 0;
}

/* Hands an event of the endpoint to the client. Returns
 * LARCH_OK: *answer is complete and was verified; event->peer sent the last block of it.
 * LARCH_AGAIN: the event is not for this client, was not authentic, or came twice; or more is to come (poll the endpoint).
 * LARCH_TIMEOUT: no verified response came in time. LARCH_RESET: the peer refused the message. See larch_oscore_client_hint.
 * LARCH_BUSY, LARCH_SPENT, LARCH_PLATFORM: the next request could not be made, as in larch_oscore_client_ask.
 * LARCH_SPACE, LARCH_MALFORMED: as larch_coap_transfer_process_response; MALFORMED is also a verified message that is no
 * response, or has a critical option that is not understood.
 * After all but AGAIN no request is under way; an observation may be. All but OK leave *answer zeroed. */
LARCH_MUST_USE larch_error larch_oscore_client_take(larch_oscore_client *c, uint64_t now_ms,
                                                    const larch_coap_event *event, larch_coap_answer *answer);
/* The code of the last unprotected error that came while the client waited, which anybody may have forged; 0: none. It is
 * for people alone: nothing may depend on it. */
static inline uint8_t larch_oscore_client_hint(const larch_oscore_client *c) { return c->hint; }
/* Gives up the request and the observation; the client is idle. */
void larch_oscore_client_cancel(larch_oscore_client *c);

#ifdef __cplusplus
}
#endif

#endif
