/* SPDX-License-Identifier: Apache-2.0 */
/* Who sent a request, and what an answer to it costs in bytes. */
#include "node/server_int.h"

/* What an answer may have of the request's length before it counts as an amplification [RFC9175 2.4]. */
#define FREE_TIMES 3

const larch_reach_source *larch_server_source(larch_server *srv, uint64_t now_ms, larch_server_slot *slot,
                                              const larch_coap_message *request)
{
    larch_bytes echo = {0};
    if (slot->source.address != 0)
        return &slot->source;
    if (request != NULL)
        (void)larch_coap_option_find(request, LARCH_COAP_OPT_ECHO, &echo);
    slot->source = larch_reach_identify(&srv->reach, now_ms, &slot->pending.peer, echo);
    return &slot->source;
}

bool larch_server_affords(larch_server *srv, uint64_t now_ms, larch_server_slot *slot,
                          const larch_coap_message *request, size_t len)
{
    uint32_t wait_s;
    const size_t is_free = FREE_TIMES * (size_t)slot->request_len;
    if (len <= is_free || larch_server_is_protected(slot))
        return true;
    const larch_reach_source *source = larch_server_source(srv, now_ms, slot, request);
    const uint32_t excess = (uint32_t)(len - is_free);
    if (larch_reach_ask(&srv->reach, now_ms, source, LARCH_REACH_EXCESS, excess, &wait_s) != LARCH_REACH_GRANTED)
        return false;
    larch_reach_spend(&srv->reach, now_ms, source, LARCH_REACH_EXCESS, excess);
    return true;
}
