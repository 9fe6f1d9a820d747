/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests of a gateway to its devices: each goes out in the session that the device itself uses, from the server's
 * endpoint, to the address that the session's last authentic request came from. If a newer one comes from another
 * address, a request that is under way follows it.
 *
 *     ask -> [waits its turn] -> request -> outcome                     one at a time to a session
 *     observe -> [waits its turn] -> registration -> outcome, outcome, ... until cancel, or until the last
 */
#ifndef LARCH_OSCORE_DOWNLINK_H
#define LARCH_OSCORE_DOWNLINK_H

#include "larch/oscore_client.h"
#include "larch/oscore_service.h"

#ifdef __cplusplus
extern "C" {
#endif

#if LARCH_SERVER_SESSIONS

/* What a request came to. */
typedef struct larch_oscore_outcome {
    larch_error error; /* LARCH_OK: the device answered, verified */
    uint8_t code;      /* of its answer; may be an error code */
    uint8_t hint;      /* of an unprotected error, which anybody may have sent; 0: none */
    bool is_last;      /* the handle is no more; else notifications may follow */
    larch_bytes body;  /* untrusted */
} larch_oscore_outcome;

/* A request to a device. Private. */
typedef struct larch_oscore_command {
    uint32_t handle; /* 0: free */
    uint8_t state;
    uint8_t moves; /* to another address, that are still followed */
    bool observes;
    bool has_outcome;
    larch_oscore_service *oscore;
    uint64_t session;
    uint64_t due_ms;
    larch_coap_ask ask;
    larch_oscore_client_config wiring;
    larch_oscore_client client;
    larch_oscore_outcome outcome;
    uint8_t body[LARCH_COAP_BODY_MAX];
    uint8_t taken[LARCH_COAP_BODY_MAX]; /* body of the outcome: the next notification may be on its way */
} larch_oscore_command;

/* Begins a request to the device of this session, whose number it is; larch_server_send sends it. ask: as
 * larch_oscore_client_ask, or as larch_oscore_client_observe if observes; its pointers are kept until the last outcome, or
 * until it is cancelled. *handle: not 0. LARCH_AGAIN: the device has sent nothing since the service began, so its address
 * is not known. LARCH_BUSY: every place is taken. LARCH_SPENT: the session is used up. LARCH_STATE: there is no such
 * session, or ask is none. *handle is unchanged on error. */
LARCH_MUST_USE larch_error larch_oscore_service_ask(larch_oscore_service *oscore, uint64_t session,
                                                    const larch_coap_ask *ask, bool observes, uint32_t *handle);
/* Takes the next outcome of a request; call it after larch_server_receive and larch_server_send. A notification that is
 * not taken before the next one has come is lost. outcome->body holds until the next call that gets srv. LARCH_AGAIN:
 * there is none now. LARCH_STATE: there is no such request. outcome->error is one of those that larch_oscore_client_take
 * returns, or LARCH_STATE: the session has ended. *outcome is unchanged on error. */
LARCH_MUST_USE larch_error larch_oscore_service_outcome(larch_oscore_service *oscore, uint32_t handle,
                                                        larch_oscore_outcome *outcome);
/* Gives up a request; the device may have carried it out. An observation is ended at the device. */
void larch_oscore_service_cancel(larch_oscore_service *oscore, uint64_t now_ms, uint32_t handle);

#endif

#ifdef __cplusplus
}
#endif

#endif
