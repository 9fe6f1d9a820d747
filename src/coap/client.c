/* SPDX-License-Identifier: Apache-2.0 */
/* A transfer over an endpoint: whom it asks, and under which handle. */
#include <string.h>

#include "larch/coap_client.h"

/* token: of the transfer; NULL: it begins. */
static larch_error send_request(larch_coap_client *c, uint64_t now_ms, const larch_bytes *token)
{
    const larch_coap_target *to = &c->target;
    larch_coap_builder b;
    uint32_t handle;
    larch_error e =
        larch_coap_endpoint_request(c->endpoint, now_ms, &to->peer, to->type, larch_coap_transfer_method(&c->transfer),
                                    to->flags, token, &b, &handle);
    if (e == LARCH_AGAIN)
        return LARCH_BUSY; /* AGAIN of a client means that the answer is on its way */
    if (e != LARCH_OK)
        return e;
    if ((e = larch_coap_transfer_compose_request(&c->transfer, &b)) != LARCH_OK ||
        (e = larch_coap_endpoint_request_end(c->endpoint, &b, handle)) != LARCH_OK) {
        larch_coap_endpoint_cancel(c->endpoint, handle);
        return e;
    }
    c->handle = handle;
    return LARCH_OK;
}

larch_error larch_coap_client_ask(larch_coap_client *c, larch_coap_endpoint *ep, uint64_t now_ms,
                                  const larch_coap_target *target, const larch_coap_ask *ask, uint8_t *body,
                                  size_t body_cap)
{
    if (c->handle != 0)
        return LARCH_STATE;
    larch_error e = larch_coap_transfer_begin(&c->transfer, ask, body, body_cap);
    if (e != LARCH_OK)
        return e;
    c->endpoint = ep;
    c->target = *target;
    return send_request(c, now_ms, NULL);
}

void larch_coap_client_cancel(larch_coap_client *c)
{
    if (c->handle != 0)
        larch_coap_endpoint_cancel(c->endpoint, c->handle);
    c->handle = 0;
}

static larch_error take_response(larch_coap_client *c, uint64_t now_ms, const larch_coap_event *event,
                                 larch_coap_answer *answer)
{
    if ((c->target.flags & LARCH_COAP_ANY_PEER) != 0) {
        larch_coap_endpoint_cancel(c->endpoint, event->handle);
        c->target.flags &= ~LARCH_COAP_ANY_PEER;
        c->target.peer = event->peer;
    }
    if (event->drop == LARCH_COAP_DROP_TOO_LONG)
        return LARCH_SPACE;
    larch_error e = larch_coap_transfer_process_response(&c->transfer, &event->message, answer);
    if (e != LARCH_AGAIN)
        return e;
    e = send_request(c, now_ms, &event->message.token);
    return e == LARCH_OK ? LARCH_AGAIN : e;
}

larch_error larch_coap_client_take(larch_coap_client *c, uint64_t now_ms, const larch_coap_event *event,
                                   larch_coap_answer *answer)
{
    memset(answer, 0, sizeof *answer);
    const bool rejected = event->kind == LARCH_COAP_NOTHING && event->drop == LARCH_COAP_DROP_BAD_OPTION;
    if (c->handle == 0 || event->handle != c->handle || (event->kind == LARCH_COAP_NOTHING && !rejected))
        return LARCH_AGAIN;
    if (rejected) { /* the server would only send the same again */
        larch_coap_client_cancel(c);
        return LARCH_MALFORMED;
    }
    c->handle = 0;
    switch (event->kind) {
    case LARCH_COAP_RESPONSE:
        return take_response(c, now_ms, event, answer);
    case LARCH_COAP_RESET:
        return LARCH_RESET;
    default:
        return LARCH_TIMEOUT;
    }
}
