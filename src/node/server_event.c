/* SPDX-License-Identifier: Apache-2.0 */
/* What the server and its services report. */
#include "node/server_int.h"

static const char *const event_texts[] = {
#define TEXT(name, text) [LARCH_EVENT_##name] = (text),
    LARCH_EVENTS(TEXT)
#undef TEXT
};

const char *larch_event_text(larch_event_kind kind)
{
    return (size_t)kind < LARCH_EVENT_COUNT ? event_texts[kind] : "?";
}

void larch_server_report(larch_server *srv, const larch_event *event)
{
    srv->count[event->kind]++;
    if (srv->config.event != NULL)
        srv->config.event(srv->config.context, event);
}

void larch_server_report_peer(larch_server *srv, larch_event_kind kind, const larch_peer *peer, const larch_kem *kem,
                              const char *detail)
{
    larch_server_report(srv, &(larch_event){.kind = kind, .peer = *peer, .kem = kem, .detail = detail});
}
