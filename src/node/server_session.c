/* SPDX-License-Identifier: Apache-2.0 */
/* Whose a request is that a session protects, and how its answer is protected; and events of what the services send. */
#include <string.h>

#include "node/server_int.h"

void larch_server_take_event(larch_server *srv, uint64_t now_ms, const larch_coap_event *event)
{
    if (event->handle == 0)
        return;
    for (size_t i = 0; i < srv->service_count; i++)
        if (srv->services[i]->take_event != NULL)
            srv->services[i]->take_event(srv->services[i]->context, srv, now_ms, event);
}

#if LARCH_SERVER_SESSIONS

/* A session stands in the place of an address that no datagram comes from: its number below ::/64, port 0. */
larch_peer larch_server_owner(const larch_server_slot *slot)
{
    if (!slot->protection.is_protected)
        return slot->pending.peer;
    larch_peer owner = {.port = 0};
    larch_writer w = larch_writer_to(owner.address + 8, 8);
    larch_writer_put_u64(&w, slot->protection.session);
    return owner;
}

uint8_t *larch_server_draft(const larch_server *srv)
{
    return srv->config.protection->draft(srv->config.protection->context);
}

larch_error larch_server_protect(larch_server *srv, uint64_t now_ms, const larch_server_slot *slot, larch_bytes plain,
                                 uint8_t *out, size_t cap, larch_bytes *datagram)
{
    const larch_protection *protection = srv->config.protection;
    return protection->protect(protection->context, now_ms, &slot->protection, plain, out, cap, datagram);
}

#else

larch_peer larch_server_owner(const larch_server_slot *slot) { return slot->pending.peer; }

#endif
