/* SPDX-License-Identifier: Apache-2.0 */
/* Admission: what a request costs, asked where it is spent. A protected one is charged to its session alone. */
#include "node/server_int.h"

/* Whether the request may have it; answers it if not. */
static bool may_have(const larch_request *rq, larch_reach_cost cost)
{
    larch_server *srv = rq->server;
    uint32_t wait_s;
    if (larch_server_is_protected(rq->slot))
        return true;
    const larch_reach_source *source = larch_server_source(srv, rq->now_ms, rq->slot, rq->message);
    const larch_reach_verdict verdict = larch_reach_ask(&srv->reach, rq->now_ms, source, cost, 1, &wait_s);
    if (verdict == LARCH_REACH_GRANTED)
        return true;
    larch_server_report_peer(srv, LARCH_EVENT_RATE, rq->peer, NULL, NULL);
    if (rq->slot->blockwise) /* the body is whole: with an Echo its last block alone comes again */
        larch_coap_reassembly_put_back(&srv->reassembly, rq->now_ms, rq->peer, rq->message);
    if (verdict == LARCH_REACH_CHALLENGE)
        larch_server_challenge(srv, rq->now_ms, rq->slot, rq->message);
    else
        larch_request_answer(
            rq, &(larch_answer){.code = LARCH_COAP_SERVICE_UNAVAILABLE, .is_safe = true, .max_age_s = wait_s});
    return false;
}

static bool take(const larch_request *rq, larch_reach_cost cost)
{
    if (!may_have(rq, cost))
        return false;
    if (!larch_server_is_protected(rq->slot))
        larch_reach_spend(&rq->server->reach, rq->now_ms, &rq->slot->source, cost, 1);
    return true;
}

bool larch_request_admit(const larch_request *rq) { return take(rq, LARCH_REACH_GRANT); }
bool larch_request_admit_mark(const larch_request *rq) { return may_have(rq, LARCH_REACH_MARK); }
bool larch_request_admit_root(const larch_request *rq) { return take(rq, LARCH_REACH_ROOT); }
