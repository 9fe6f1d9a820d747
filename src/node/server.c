/* SPDX-License-Identifier: Apache-2.0 */
/* The server's life, and what comes in. */
#include <string.h>

#include "node/server_int.h"

const uint16_t larch_server_understood[SERVER_UNDERSTOOD + 2] = {
    LARCH_COAP_OPT_URI_HOST,  LARCH_COAP_OPT_URI_PORT, LARCH_COAP_OPT_URI_PATH,
    LARCH_COAP_OPT_URI_QUERY, LARCH_COAP_OPT_ACCEPT,   LARCH_COAP_OPT_BLOCK2,
    LARCH_COAP_OPT_BLOCK1,    LARCH_COAP_OPT_OSCORE,   LARCH_COAP_OPT_EDHOC,
};

/* What an endpoint acts on: an OSCORE or EDHOC option only if there is something that opens it. */
static size_t understood_count(const larch_server_config *config)
{
#if LARCH_SERVER_SESSIONS
    if (config->protection != NULL)
        return SERVER_UNDERSTOOD + 1 + (size_t)config->protection->takes_early;
#endif
    (void)config;
    return SERVER_UNDERSTOOD;
}

/* ---- life ---------------------------------------------------------------- */

size_t larch_server_pool_min(const larch_service *const *services, size_t count)
{
    size_t most = LARCH_COAP_DATAGRAM_MAX;
    for (size_t i = 0; i < count; i++) {
        const size_t held = services[i]->text_max + SERVER_ANSWER_HEAD + services[i]->answer_max;
        most = held > most ? held : most;
    }
    return most;
}

static bool is_complete(const larch_server_config *config, size_t service_count)
{
    return service_count > 0 && service_count <= LARCH_SERVER_SERVICES && config->slot_count > 0 &&
           config->slots != NULL && config->pool != NULL && config->pool_len <= UINT32_MAX;
}

larch_error larch_server_init(larch_server *srv, const larch_server_config *config,
                              const larch_service *const *services, size_t count)
{
    larch_error e;
    memset(srv, 0, sizeof *srv);
    if (!is_complete(config, count))
        return LARCH_STATE;
    const size_t pool_min = larch_server_pool_min(services, count);
    if (config->pool_len < pool_min)
        return LARCH_SPACE;
    srv->config = *config;
    for (size_t i = 0; i < count; i++)
        srv->services[i] = services[i];
    srv->service_count = count;
    srv->pool_min = pool_min;
    if ((e = larch_server_bodies_init(srv)) == LARCH_OK &&
        (e = larch_coap_endpoint_init(&srv->endpoint, &config->coap, config->random, larch_server_understood,
                                      understood_count(config))) == LARCH_OK &&
        (e = larch_coap_reassembly_init(&srv->reassembly, config->random)) == LARCH_OK)
        e = larch_reach_init(&srv->reach, config->reach, config->reach_count, &config->limits, config->random);
    if (e != LARCH_OK)
        larch_wipe(srv, sizeof *srv);
    return e;
}

void larch_server_wipe(larch_server *srv)
{
    for (size_t i = 0; i < srv->service_count; i++)
        srv->services[i]->wipe(srv->services[i]->context);
    if (srv->config.pool != NULL)
        larch_wipe(srv->config.pool, srv->config.pool_len); /* texts */
    larch_server_bodies_wipe(srv);
    larch_wipe(srv, sizeof *srv);
}

/* ---- in ------------------------------------------------------------------ */

/* Requests that find a slot now, or 0 if the pool is full. */
static size_t room_of(const larch_server *srv)
{
    return srv->config.pool_len - srv->pool_used >= srv->pool_min ? srv->config.slot_count - srv->slot_used : 0;
}

/* The slot is in use from now on, with all that it holds in the pool. */
static void take_slot(larch_server *srv, const larch_server_slot *slot)
{
    const bool is_held = slot->state != SERVER_SLOT_BUILT;
    const size_t answer = is_held ? SERVER_ANSWER_HEAD + slot->service->answer_max : slot->len;
    srv->slot_used++;
    srv->pool_used += slot->message.text_len + answer;
    srv->accepted += slot->state == SERVER_SLOT_ACCEPTED;
}

static void report_drop(larch_server *srv, const larch_coap_event *event)
{
    if (event->drop != LARCH_COAP_DROP_NONE && event->drop != LARCH_COAP_DROP_DUPLICATE &&
        event->drop != LARCH_COAP_DROP_PING)
        larch_server_report_peer(srv, LARCH_EVENT_DROPPED, &event->peer, NULL, larch_coap_drop_text(event->drop));
}

static larch_error receive(larch_server *srv, uint64_t now_ms, const larch_peer *peer, bool multicast,
                           larch_bytes datagram, const larch_ahead *ahead)
{
    if (room_of(srv) == 0)
        return LARCH_AGAIN;
    larch_server_slot *slot = &srv->config.slots[srv->slot_used];
    larch_writer reply = larch_writer_to(srv->config.pool + srv->pool_used, LARCH_COAP_DATAGRAM_MAX);
    larch_coap_event event;

    memset(slot, 0, sizeof *slot);
    slot->at = (uint32_t)srv->pool_used;
    slot->request_len = (uint32_t)datagram.len;
    larch_coap_endpoint_receive(&srv->endpoint, now_ms, peer, multicast, datagram, &reply, &event);
    slot->pending = larch_coap_pending_of(&event);
    if (event.kind == LARCH_COAP_REQUEST) {
        larch_request rq = {.server = srv,
                            .now_ms = now_ms,
                            .peer = peer,
                            .multicast = multicast,
                            .message = &event.message,
                            .ahead = ahead,
                            .slot = slot};
        larch_server_dispatch(&rq);
    } else {
        if (larch_server_affords(srv, now_ms, slot, &event.message, reply.len))
            slot->len = (uint32_t)reply.len;
        report_drop(srv, &event);
        larch_server_take_event(srv, now_ms, &event);
    }
    if (slot->len > 0 || slot->state != SERVER_SLOT_BUILT)
        take_slot(srv, slot);
    return LARCH_OK;
}

larch_error larch_server_receive(larch_server *srv, uint64_t now_ms, const larch_peer *peer, bool multicast,
                                 larch_bytes datagram)
{
    return receive(srv, now_ms, peer, multicast, datagram, NULL);
}

#if LARCH_SERVER_GROUP > 1

#define GROUP LARCH_SERVER_GROUP

static void look_ahead(larch_server *srv, uint64_t now_ms, const larch_server_datagram *group, size_t count,
                       larch_ahead ahead[GROUP])
{
    memset(ahead, 0, GROUP * sizeof *ahead);
    for (size_t i = 0; i < srv->service_count; i++)
        if (srv->services[i]->look_ahead != NULL)
            srv->services[i]->look_ahead(srv->services[i]->context, srv, now_ms, group, count, ahead);
}

larch_error larch_server_receive_many(larch_server *srv, uint64_t now_ms, const larch_server_datagram *datagrams,
                                      size_t count, size_t *taken)
{
    larch_ahead ahead[GROUP];
    larch_error e = LARCH_OK;
    *taken = 0;
    while (e == LARCH_OK && *taken < count) {
        const larch_server_datagram *group = datagrams + *taken;
        const size_t room = room_of(srv);
        size_t n = count - *taken < GROUP ? count - *taken : GROUP;
        n = n < room ? n : room; /* what finds no slot is handed in again: secrets of it would be for nothing */
        if (n == 0)
            e = LARCH_AGAIN;
        else
            look_ahead(srv, now_ms, group, n, ahead);
        for (size_t i = 0; i < n && e == LARCH_OK; i++) {
            e = receive(srv, now_ms, &group[i].peer, group[i].multicast, group[i].bytes, &ahead[i]);
            if (e == LARCH_OK)
                ++*taken;
        }
    }
    larch_wipe(ahead, sizeof ahead);
    return e;
}

#else

larch_error larch_server_receive_many(larch_server *srv, uint64_t now_ms, const larch_server_datagram *datagrams,
                                      size_t count, size_t *taken)
{
    larch_error e = LARCH_OK;
    for (*taken = 0; *taken < count; ++*taken) {
        const larch_server_datagram *d = &datagrams[*taken];
        if ((e = larch_server_receive(srv, now_ms, &d->peer, d->multicast, d->bytes)) != LARCH_OK)
            break;
    }
    return e;
}

#endif
