/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client: it sends what a transfer yields over an endpoint, and hands it what comes back, so that
 * one call asks and one event brings the whole answer.
 */
#ifndef LARCH_COAP_CLIENT_H
#define LARCH_COAP_CLIENT_H

#include "larch/coap_endpoint.h"
#include "larch/coap_transfer.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Whom to ask, and with what kind of messages. */
typedef struct larch_coap_target {
    larch_peer peer;
    larch_coap_type type; /* CON or NON */
    unsigned flags; /* as of larch_coap_endpoint_request; ANY_PEER: the first to answer is the peer from then on */
} larch_coap_target;

typedef struct larch_coap_client {
    larch_coap_endpoint *endpoint; /* private, all of it */
    larch_coap_target target;
    uint32_t handle; /* 0: idle */
    larch_coap_transfer transfer;
} larch_coap_client;

/* Asks over ep, which is kept until the answer is there. body: where the answer's payload goes, body_cap bytes.
 * LARCH_BUSY: no transmission is free, the peer has as many requests as it may, or message IDs are used up: ask again
 * later. LARCH_PLATFORM: random failed. LARCH_SPACE: path, query and options fill the datagram, or as
 * larch_coap_transfer_begin. The client is idle after each of these. LARCH_STATE: it still asks, or the target's type is
 * neither CON nor NON, or the method is none. c: all zero before its first use. */
LARCH_MUST_USE larch_error larch_coap_client_ask(larch_coap_client *c, larch_coap_endpoint *ep, uint64_t now_ms,
                                                 const larch_coap_target *target, const larch_coap_ask *ask,
                                                 uint8_t *body, size_t body_cap);
/* Hands an event of the endpoint to the client. Returns
 * LARCH_OK: *answer is complete, and event->peer gave it.
 * LARCH_AGAIN: the event is not for this client, or more blocks are to come (poll the endpoint).
 * LARCH_TIMEOUT: nobody answered in time. LARCH_RESET: the peer refused the request.
 * LARCH_BUSY: the next block could not be asked for, as in larch_coap_client_ask; begin anew later.
 * LARCH_PLATFORM: random failed. LARCH_SPACE, LARCH_MALFORMED: as larch_coap_transfer_process_response;
 * MALFORMED is also an answer with a critical option that is not understood, event->bad_option.
 * After all but AGAIN the client is idle; all but OK leave *answer zeroed. */
LARCH_MUST_USE larch_error larch_coap_client_take(larch_coap_client *c, uint64_t now_ms, const larch_coap_event *event,
                                                  larch_coap_answer *answer);
/* Gives up; the client is idle. */
void larch_coap_client_cancel(larch_coap_client *c);

#ifdef __cplusplus
}
#endif

#endif
