/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Large answers between two requests for blocks of them [RFC7959 2.4, 2.7]. Only answers to requests that may not be
 * carried out again need it: any other is made anew for each block. Newer bodies push out the oldest.
 */
#include "node/server_int.h"

#if LARCH_SERVER_BODIES

#define BODY_MS 60000 /* a body that nobody asks for that long is dropped */

_Static_assert(LARCH_COAP_DATAGRAM_MAX < UINT16_MAX, "Content-Format and code stand beside the body");

larch_error larch_server_bodies_init(larch_server *srv)
{
    const larch_server_config *config = &srv->config;
    for (size_t i = 0; i < srv->service_count; i++)
        if (srv->services[i]->body_max > 0 &&
            (config->body_count == 0 || config->body_bytes_len < srv->services[i]->body_max))
            return LARCH_SPACE;
    for (size_t i = 0; i < config->body_count; i++)
        config->bodies[i].key = 0;
    srv->bodies = larch_ring_of(config->body_bytes, config->body_bytes_len);
    return LARCH_OK;
}

void larch_server_bodies_wipe(larch_server *srv)
{
    if (srv->config.body_bytes != NULL)
        larch_wipe(srv->config.body_bytes, srv->config.body_bytes_len);
}

/* Unused for longer; of two that were last used at the same time, the one made first. */
static bool is_older(const larch_server_body *a, const larch_server_body *b)
{
    return a->until_ms != b->until_ms ? a->until_ms < b->until_ms : a->at < b->at;
}

bool larch_server_body_keep(larch_server *srv, uint64_t now_ms, const larch_peer *peer,
                            const larch_coap_message *request, const larch_answer *answer)
{
    if (srv->config.body_count == 0 || answer->body.len > srv->config.body_bytes_len)
        return false;
    larch_server_body *oldest = &srv->config.bodies[0];
    const uint64_t key = larch_coap_request_key(&srv->reassembly, request);
    for (size_t i = 0; i < srv->config.body_count; i++) {
        larch_server_body *body = &srv->config.bodies[i];
        if (body->key == key && larch_peer_equal(&body->peer, peer)) {
            oldest = body;
            break;
        }
        if (body->key == 0 || (oldest->key != 0 && is_older(body, oldest)))
            oldest = body;
    }
    *oldest = (larch_server_body){.peer = *peer,
                                  .key = key,
                                  .until_ms = now_ms + BODY_MS,
                                  .at = larch_ring_put(&srv->bodies, answer->body),
                                  .len = (uint32_t)answer->body.len,
                                  .format = answer->has_format ? answer->format : UINT16_MAX,
                                  .code = answer->code};
    return true;
}

bool larch_server_body_find(const larch_request *rq, larch_answer *answer)
{
    larch_server *srv = rq->server;
    if (!larch_coap_asks_later_block(rq->message))
        return false;
    const uint64_t key = srv->config.body_count > 0 ? larch_coap_request_key(&srv->reassembly, rq->message) : 0;
    const larch_peer owner = larch_server_owner(rq->slot);
    for (size_t i = 0; i < srv->config.body_count; i++) {
        larch_server_body *body = &srv->config.bodies[i];
        if (body->key != key || rq->now_ms >= body->until_ms || !larch_peer_equal(&body->peer, &owner))
            continue;
        *answer = (larch_answer){.code = body->code,
                                 .is_safe = true,
                                 .is_in_blocks = true,
                                 .has_format = body->format != UINT16_MAX,
                                 .format = body->format,
                                 .body = larch_ring_get(&srv->bodies, body->at, body->len)};
        body->until_ms = rq->now_ms + BODY_MS;
        return answer->body.len > 0;
    }
    return false;
}

#endif
