/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gateway: a server (larch/server.h) with the direct service (larch/direct_service.h). Each call does what the
 * call of the same name does there; this page is the short way for programs that need no more.
 */
#ifndef LARCH_GATEWAY_H
#define LARCH_GATEWAY_H

#include "larch/direct_service.h"
#include "larch/server.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct larch_gateway_config {
    larch_server_config server;
    larch_direct_config direct;                             /* its random and trace, if NULL, are the server's */
    const larch_service *beside[LARCH_SERVER_SERVICES - 1]; /* further services, kept; NULL behind the last */
} larch_gateway_config;

typedef struct larch_gateway {
    larch_server server; /* private, all of it */
    larch_direct_service direct;
} larch_gateway;

/* Errors as larch_direct_service_load, and as larch_server_init with an empty *faulty. Wiped on error. */
LARCH_MUST_USE larch_error larch_gateway_init(larch_gateway *gw, uint64_t now_ms, const larch_gateway_config *config,
                                              char faulty[LARCH_STORAGE_NAME_MAX + 1], larch_store_fault *fault);

LARCH_MUST_USE static inline larch_error
larch_gateway_receive(larch_gateway *gw, uint64_t now_ms, const larch_peer *peer, bool multicast, larch_bytes datagram)
{
    return larch_server_receive(&gw->server, now_ms, peer, multicast, datagram);
}

LARCH_MUST_USE static inline larch_error larch_gateway_receive_many(larch_gateway *gw, uint64_t now_ms,
                                                                    const larch_server_datagram *datagrams,
                                                                    size_t count, size_t *taken)
{
    return larch_server_receive_many(&gw->server, now_ms, datagrams, count, taken);
}

LARCH_MUST_USE static inline larch_error larch_gateway_accepted(larch_gateway *gw, uint64_t now_ms,
                                                                larch_accepted *message)
{
    return larch_server_accepted(&gw->server, now_ms, message);
}

LARCH_MUST_USE static inline larch_error larch_gateway_settle(larch_gateway *gw, const larch_accepted *message,
                                                              larch_settlement settlement)
{
    return larch_server_settle(&gw->server, message, settlement);
}

LARCH_MUST_USE static inline larch_error larch_gateway_send(larch_gateway *gw, uint64_t now_ms, larch_peer *peer,
                                                            larch_bytes *datagram)
{
    return larch_server_send(&gw->server, now_ms, peer, datagram);
}

static inline uint64_t larch_gateway_deadline_ms(const larch_gateway *gw)
{
    return larch_server_deadline_ms(&gw->server);
}

/* Other limits from now on. What peers have used of the old ones stays used. */
static inline void larch_gateway_set_limits(larch_gateway *gw, const larch_reach_limits *limits)
{
    larch_reach_set_limits(&gw->server.reach, limits);
}

/* How often an event of this kind was reported, or a message accepted. */
static inline uint64_t larch_gateway_count(const larch_gateway *gw, larch_event_kind kind)
{
    return gw->server.count[kind];
}

LARCH_MUST_USE static inline larch_error larch_gateway_rotate(larch_gateway *gw, uint64_t now_ms, const larch_kem *kem)
{
    return larch_direct_service_rotate(&gw->direct, &gw->server, now_ms, kem);
}

static inline larch_bytes larch_gateway_key_of(const larch_gateway *gw, const larch_kem *kem, uint32_t *generation,
                                               const uint8_t **hash)
{
    return larch_direct_service_key(&gw->direct, kem, generation, hash);
}

/* Wipes the gateway and the memory that its server was lent. */
static inline void larch_gateway_wipe(larch_gateway *gw) { larch_server_wipe(&gw->server); }

#ifdef __cplusplus
}
#endif

#endif
