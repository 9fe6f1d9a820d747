/* SPDX-License-Identifier: Apache-2.0 */
/* Accepted messages, their marks, and what goes out: the order that larch/server.h draws. */
#include <string.h>

#include "node/server_int.h"

/* ---- commit --------------------------------------------------------------- */

static bool is_durable(const larch_server *srv)
{
    for (size_t i = 0; i < srv->service_count; i++)
        if (!srv->services[i]->is_durable(srv->services[i]->context))
            return false;
    return true;
}

/* Hands the marks of what was stored to the journals. */
static larch_error keep_marks(larch_server *srv)
{
    for (size_t i = srv->slot_first; i < srv->slot_used; i++) {
        larch_server_slot *slot = &srv->config.slots[i];
        if (slot->state != SERVER_SLOT_SETTLED || !slot->stored || slot->kept)
            continue;
        larch_error e = slot->service->keep(slot->service->context, &slot->message);
        if (e != LARCH_OK)
            return e;
        slot->kept = true;
    }
    return LARCH_OK;
}

static larch_error make_durable(larch_server *srv)
{
    larch_error e = keep_marks(srv);
    for (size_t i = 0; e == LARCH_OK && i < srv->service_count; i++)
        e = srv->services[i]->commit(srv->services[i]->context);
    return e;
}

/* Builds the answer, and wipes the text that it is an answer to. */
static void conclude(larch_server *srv, uint64_t now_ms, larch_server_slot *slot)
{
    const bool follows = slot->state == SERVER_SLOT_FOLLOWS;
    larch_held held = {.peer = &slot->pending.peer,
                       .message = &slot->message,
                       .follows = follows,
                       .stored = follows ? srv->config.slots[slot->followed].stored : slot->stored};
    uint8_t *text = srv->config.pool + slot->at;
    larch_answer answer = {0};
#if LARCH_SERVER_SESSIONS
    held.name = (larch_bytes){text + slot->message.text_len - slot->message.name_len, slot->message.name_len};
#endif
    slot->service->conclude(slot->service->context, srv, now_ms, &held, &answer);
    larch_server_build(srv, now_ms, slot, NULL, &answer);
    larch_wipe(text, slot->message.text_len);
    larch_wipe(slot->message.receipt, sizeof slot->message.receipt);
    srv->count[LARCH_EVENT_ACCEPTED] += slot->stored;
    slot->state = SERVER_SLOT_BUILT;
}

/* Makes the marks of settled messages durable, then builds their answers. */
static larch_error commit(larch_server *srv, uint64_t now_ms)
{
    larch_error e = make_durable(srv);
    if (e != LARCH_OK) {
        srv->retry_at_ms = now_ms + SERVER_RETRY_MS;
        larch_server_report(srv, &(larch_event){.kind = LARCH_EVENT_STORAGE});
        return LARCH_PLATFORM;
    }
    srv->retry_at_ms = 0;
    for (size_t i = srv->slot_first; i < srv->slot_used; i++) {
        larch_server_slot *slot = &srv->config.slots[i];
        if (slot->state == SERVER_SLOT_ACCEPTED)
            break; /* the next batch begins, with what follows its messages */
        if (slot->state == SERVER_SLOT_SETTLED || slot->state == SERVER_SLOT_FOLLOWS)
            conclude(srv, now_ms, slot);
    }
    srv->settled = 0;
    return LARCH_OK;
}

/* ---- accepted messages ---------------------------------------------------- */

/* The batch before is done with before the next one begins. */
static larch_error begin_batch(larch_server *srv, uint64_t now_ms)
{
    if (srv->pulled > 0)
        return LARCH_STATE;
    if (srv->retry_at_ms > now_ms)
        return LARCH_PLATFORM;
    return srv->settled > 0 ? commit(srv, now_ms) : LARCH_OK;
}

larch_error larch_server_accepted(larch_server *srv, uint64_t now_ms, larch_accepted *message)
{
    larch_error e;
    memset(message, 0, sizeof *message);
    if (srv->accepted == 0) {
        srv->is_batch_open = false;
        return LARCH_AGAIN;
    }
    if (!srv->is_batch_open && (e = begin_batch(srv, now_ms)) != LARCH_OK)
        return e;
    srv->is_batch_open = true;
    while (srv->config.slots[srv->slot_offer].state != SERVER_SLOT_ACCEPTED)
        srv->slot_offer++;
    larch_server_slot *slot = &srv->config.slots[srv->slot_offer];
    slot->state = SERVER_SLOT_PULLED;
    srv->accepted--;
    srv->pulled++;
    *message = (larch_accepted){.identity = slot->message.identity,
                                .peer = slot->pending.peer,
                                .via = slot->service->name,
                                .kem = slot->message.kem,
                                .text = {srv->config.pool + slot->at, slot->message.text_len},
                                .slot = srv->slot_offer++};
#if LARCH_SERVER_SESSIONS
    message->text.len -= slot->message.name_len;
    message->name = (larch_bytes){message->text.data + message->text.len, slot->message.name_len};
    message->device = slot->message.device;
    message->format = slot->message.format;
    message->also = slot->message.also;
    message->is_known = slot->message.is_known;
    memcpy(message->hash, slot->message.hash, sizeof message->hash);
#endif
    return LARCH_OK;
}

larch_error larch_server_settle(larch_server *srv, const larch_accepted *message, larch_settlement settlement)
{
    if (message->slot >= srv->slot_used || srv->config.slots[message->slot].state != SERVER_SLOT_PULLED)
        return LARCH_STATE;
    larch_server_slot *slot = &srv->config.slots[message->slot];
    slot->state = SERVER_SLOT_SETTLED;
    slot->stored = settlement == LARCH_SETTLED_STORED;
    srv->pulled--;
    srv->settled++;
    if (!slot->stored)
        slot->service->drop(slot->service->context, &slot->message);
    return LARCH_OK;
}

/* ---- out ------------------------------------------------------------------ */

larch_error larch_server_send(larch_server *srv, uint64_t now_ms, larch_peer *peer, larch_bytes *datagram)
{
    larch_error e;
    if (srv->retry_at_ms > now_ms)
        return LARCH_PLATFORM;
    if (srv->accepted > 0 || srv->pulled > 0)
        return LARCH_STATE;
    if ((srv->settled > 0 || srv->retry_at_ms > 0 || !is_durable(srv)) && (e = commit(srv, now_ms)) != LARCH_OK)
        return e;
    while (srv->slot_first < srv->slot_used) {
        const larch_server_slot *slot = &srv->config.slots[srv->slot_first++];
        if (slot->len > 0) { /* else the answer to an accepted message could not be built */
            *peer = slot->pending.peer;
            *datagram = (larch_bytes){srv->config.pool + slot->at, slot->len};
            return LARCH_OK;
        }
    }
    srv->slot_first = srv->slot_used = srv->slot_offer = srv->pool_used = 0;
    for (size_t i = 0; i < srv->service_count; i++)
        srv->services[i]->maintain(srv->services[i]->context, srv, now_ms);
    larch_coap_event event;
    while ((e = larch_coap_endpoint_poll(&srv->endpoint, now_ms, peer, datagram, &event)) == LARCH_OK &&
           datagram->len == 0)
        larch_server_take_event(srv, now_ms, &event);
    return e;
}

uint64_t larch_server_deadline_ms(const larch_server *srv)
{
    if (srv->retry_at_ms > 0) /* before that, nothing leaves */
        return srv->retry_at_ms;
    if (srv->slot_used > 0)
        return 0;
    uint64_t deadline_ms = larch_coap_endpoint_deadline_ms(&srv->endpoint);
    for (size_t i = 0; i < srv->service_count; i++) {
        const uint64_t service_ms = srv->services[i]->deadline_ms(srv->services[i]->context);
        deadline_ms = service_ms < deadline_ms ? service_ms : deadline_ms;
    }
    return deadline_ms;
}
