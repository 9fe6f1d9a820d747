/* SPDX-License-Identifier: Apache-2.0 */
/* What the server's files share. */
#ifndef LARCH_SERVER_INT_H
#define LARCH_SERVER_INT_H

#include "larch/service.h"

#define SERVER_RETRY_MS 1000 /* between tries of a storage that failed */
#if LARCH_SERVER_SESSIONS
#define SERVER_ANSWER_HEAD \
    72 /* header, token, payload marker and options of an answer to a held message; OSCORE's part */
#else
#define SERVER_ANSWER_HEAD 40
#endif

/* The critical options that some resource acts on, and behind them OSCORE and EDHOC. */
#define SERVER_UNDERSTOOD 7
extern const uint16_t larch_server_understood[SERVER_UNDERSTOOD + 2];

/* A slot in use. */
enum {
    SERVER_SLOT_BUILT,    /* its datagram, if any, can leave */
    SERVER_SLOT_ACCEPTED, /* a message that the driver has yet to pull */
    SERVER_SLOT_PULLED,   /* and has yet to settle */
    SERVER_SLOT_SETTLED,  /* its answer waits for the commit */
    SERVER_SLOT_FOLLOWS,  /* its answer waits for that of the message it repeats */
};

/* ---- answers (server_answer.c) ------------------------------------------- */

/* Builds the answer to the request in the slot behind the slot's text, where receive left room for it; then the slot
 * is built. request: NULL for a held message, whose answer is never in blocks. */
void larch_server_build(larch_server *srv, uint64_t now_ms, larch_server_slot *slot, const larch_coap_message *request,
                        const larch_answer *answer);

/* Answers with a challenge, but not to a group. */
void larch_server_challenge(larch_server *srv, uint64_t now_ms, larch_server_slot *slot,
                            const larch_coap_message *request);

/* ---- budgets (server_budget.c) --------------------------------------------- */

/* Who sent the request in the slot. request: the one in hand, for its Echo; NULL: there is none any more. */
const larch_reach_source *larch_server_source(larch_server *srv, uint64_t now_ms, larch_server_slot *slot,
                                              const larch_coap_message *request);
/* Whether an answer of len bytes may go to whoever sent the request, and charges it for what is too much. */
bool larch_server_affords(larch_server *srv, uint64_t now_ms, larch_server_slot *slot,
                          const larch_coap_message *request, size_t len);
/* ---- bodies between blocks (server_body.c) ------------------------------- */

#if LARCH_SERVER_BODIES
/* Prepares the memory for bodies. LARCH_SPACE: it is smaller than a service needs. */
larch_error larch_server_bodies_init(larch_server *srv);
void larch_server_bodies_wipe(larch_server *srv);
/* Keeps a body of answer for the requests that ask for its later blocks; false: it is too large. */
bool larch_server_body_keep(larch_server *srv, uint64_t now_ms, const larch_peer *peer,
                            const larch_coap_message *request, const larch_answer *answer);
/* Finds the kept answer that the request belongs to, if it asks for a later block. */
bool larch_server_body_find(const larch_request *rq, larch_answer *answer);
#else
static inline larch_error larch_server_bodies_init(larch_server *srv)
{
    for (size_t i = 0; i < srv->service_count; i++)
        if (srv->services[i]->body_max > 0)
            return LARCH_SPACE;
    return LARCH_OK;
}
static inline void larch_server_bodies_wipe(larch_server *srv) { (void)srv; }
static inline bool larch_server_body_keep(larch_server *srv, uint64_t now_ms, const larch_peer *peer,
                                          const larch_coap_message *request, const larch_answer *answer)
{
    (void)srv, (void)now_ms, (void)peer, (void)request, (void)answer;
    return false;
}
static inline bool larch_server_body_find(const larch_request *rq, larch_answer *answer)
{
    (void)rq, (void)answer;
    return false;
}
#endif

/* ---- sessions (server_session.c) ------------------------------------------- */

/* What a body belongs to: the session of the request in the slot, which keeps it when its address changes, or its peer. */
larch_peer larch_server_owner(const larch_server_slot *slot);
#if LARCH_SERVER_SESSIONS
static inline bool larch_server_is_protected(const larch_server_slot *slot) { return slot->protection.is_protected; }
/* Where an answer is built in plain, and then protected into out (cap bytes). */
uint8_t *larch_server_draft(const larch_server *srv);
larch_error larch_server_protect(larch_server *srv, uint64_t now_ms, const larch_server_slot *slot, larch_bytes plain,
                                 uint8_t *out, size_t cap, larch_bytes *datagram);
#else
static inline bool larch_server_is_protected(const larch_server_slot *slot)
{
    (void)slot;
    return false;
}
static inline uint8_t *larch_server_draft(const larch_server *srv)
{
    (void)srv;
    return NULL;
}
static inline larch_error larch_server_protect(larch_server *srv, uint64_t now_ms, const larch_server_slot *slot,
                                               larch_bytes plain, uint8_t *out, size_t cap, larch_bytes *datagram)
{
    (void)srv, (void)now_ms, (void)slot, (void)plain, (void)out, (void)cap, (void)datagram;
    return LARCH_STATE;
}
#endif

/* Hands an event of a message that the services sent to them. */
void larch_server_take_event(larch_server *srv, uint64_t now_ms, const larch_coap_event *event);

/* ---- resources (server_resource.c) --------------------------------------- */

void larch_server_dispatch(larch_request *rq);

#endif
