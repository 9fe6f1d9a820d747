/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Initiator of LAKE (EDHOC, RFC 9528) over an endpoint: the device's side. Sans-I/O; the driver hands it the
 * endpoint's events and the time, and what it sends leaves by the endpoint.
 *
 *     message_1   with the Echo that the Responder asks for; with another suite that the enrolment allows, if it asks for one
 *     message_3   alone; or before the first request of the new session [RFC9668], if config.first is set and both fit a
 *                 datagram
 *     message_4, or the first verified answer under the new keys: only now the Responder is authenticated
 *     store, and only behind it anything else under the new keys
 *
 * The driver then goes on with larch/device.h, or with larch/oscore_client.h. After a failure it begins anew, later: an
 * error message is not authenticated, so nothing but the time of the next try may depend on it.
 */
#ifndef LARCH_LAKE_CLIENT_H
#define LARCH_LAKE_CLIENT_H

#include "larch/lake_made.h"
#include "larch/oscore_client.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Own numbers below this epoch (larch/contexts.h) belong to the handshake: larch_device_config.stored begins with it. */
#define LARCH_LAKE_CLIENT_EPOCHS 1

typedef struct larch_lake_client_config {
    larch_coap_endpoint
        *endpoint; /* kept, as all that follows; for `first` its list of understood options holds OSCORE */
    larch_peer responder;
    const larch_lake_party *party;    /* its suites are those that the enrolment allows, the best first */
    unsigned method;                  /* never another one */
    const larch_lake_credential *own; /* method 4: the PSK or rPSK, with both credentials */
    const larch_contexts *contexts;   /* sessions whose Recipient ID C_I must not be; NULL: there is none */
    uint8_t c_i_len;                  /* bytes of C_I, all random: 1 to LARCH_LAKE_ID_MAX, or what the suite allows */
    uint8_t rkid_len;                 /* of rKID: LARCH_LAKE_KID_LEN with larch's own gateways */
    uint8_t *request;                 /* for message_1 and message_3, with what stands before them */
    size_t request_cap;
    uint8_t *answer; /* for message_2 and message_4 */
    size_t answer_cap;
    /* Runs inside larch_lake_client_take when the Responder is authenticated, before anything else is sent under the new
     * keys. One durable write stores the session (made->oscore), rPSK made->next, and that own numbers below the epoch
     * LARCH_LAKE_CLIENT_EPOCHS were used. After LARCH_OK the rPSK of this handshake and the session before it may go, by a
     * later write. After an error nothing of the handshake is used any more, and both stay. It calls nothing of the client
     * or of the endpoint. */
    larch_error (*store)(void *context, uint64_t now_ms, const larch_lake_made *made);
    void *context;
    const larch_coap_ask *first; /* the request that goes with message_3; NULL: none does */
    uint8_t *first_body;         /* for its answer */
    size_t first_body_cap;
    uint8_t *scratch; /* LARCH_OSCORE_CLIENT_SCRATCH bytes; NULL without first */
} larch_lake_client_config;

typedef struct larch_lake_client {
    const larch_lake_client_config *config; /* private, all of it */
    uint8_t state;
    uint8_t waits; /* how often a message was put off */
    uint8_t hint;
    uint8_t echo_len;
    bool is_stored;
    bool has_first;
    bool is_alone; /* message_3 and the first request do not fit a datagram */
    int64_t error_code;
    size_t suite;
    size_t message_at; /* message_3 in config->request, behind C_R */
    size_t message_len;
    uint64_t due_ms; /* a message that was put off */
    uint8_t echo[40];
    larch_lake_session lake;
    larch_coap_client coap;
    larch_session session;
    larch_oscore_client_config wiring;
    larch_oscore_client oscore;
    larch_coap_answer first;
} larch_lake_client;

/* Sends message_1. c: all zero before its first use. LARCH_STATE: it is at work, or the config asks for what it cannot do,
 * such as a suite of another hash than the PSK's. LARCH_PLATFORM, LARCH_SPACE: as larch_lake_compose_message_1; nothing was
 * sent. */
LARCH_MUST_USE larch_error larch_lake_client_begin(larch_lake_client *c, const larch_lake_client_config *config,
                                                   uint64_t now_ms);
/* Hands an event of the endpoint to the client. Returns
 * LARCH_OK: the session is stored, and the first request, if it went along, is answered.
 * LARCH_AGAIN: the event is not for this client, or more is to come (poll the endpoint).
 * LARCH_TIMEOUT: nobody answered, or not authentically, in time. LARCH_RESET: the peer refused a message.
 * LARCH_AUTH: the Responder refused (see error_code), or is not authentic. LARCH_MALFORMED: its answer breaks the format.
 * LARCH_BUSY: it had no room for too long. LARCH_PLATFORM: random, the provider, or store failed. LARCH_SPACE, LARCH_STATE.
 * After all but AGAIN no secret is left in the client, and it may begin anew. If store ran with LARCH_OK the session is
 * good after an error too: only the answer to the first request is missing (larch_lake_client_is_stored). */
LARCH_MUST_USE larch_error larch_lake_client_take(larch_lake_client *c, uint64_t now_ms, const larch_coap_event *event);
/* Sends what was put off and is due. Results as larch_lake_client_take. */
LARCH_MUST_USE larch_error larch_lake_client_maintain(larch_lake_client *c, uint64_t now_ms);
/* When maintain has something to do; UINT64_MAX: only after an event. */
uint64_t larch_lake_client_due_ms(const larch_lake_client *c);
/* Whether store ran with LARCH_OK in the handshake that was begun last. */
static inline bool larch_lake_client_is_stored(const larch_lake_client *c) { return c->is_stored; }
/* After LARCH_OK: the verified answer to the first request, in first_body; NULL if it did not go along. */
static inline const larch_coap_answer *larch_lake_client_first(const larch_lake_client *c)
{
    return c->has_first ? &c->first : NULL;
}
/* For people alone, since anybody may have forged it: the response code of a refusal, 0: none; and the code of its error
 * message [RFC9528 6], 0: none. */
static inline uint8_t larch_lake_client_hint(const larch_lake_client *c) { return c->hint; }
static inline int64_t larch_lake_client_error_code(const larch_lake_client *c) { return c->error_code; }
/* Gives up, and wipes all that is secret. */
void larch_lake_client_cancel(larch_lake_client *c);

#ifdef __cplusplus
}
#endif

#endif
