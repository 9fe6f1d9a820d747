/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way to one gateway: a UDP socket, and the last hint that came about it. A hint is what this host's kernel, or by
 * ICMP a router or the other host, reports about a datagram. Anybody can forge one, and each may be over in a moment, so
 * it ends nothing [RFC7252 4.2]: it is kept, and named if no answer comes.
 */
#ifndef LARCH_APP_WIRE_H
#define LARCH_APP_WIRE_H

#include "common/failure.h"
#include "udp.h"

/* Where a command takes what has arrived: one for all of it, because it is large. Nothing in it outlives the next receiving. */
extern larch_udp_batch larch_app_batch;

typedef struct larch_app_wire {
    larch_udp udp; /* udp.fd: to watch for reading */
    larch_peer gateway;
    bool is_connected; /* private: the kernel hands over hints, and drops what others send */
    int hint;          /* errno of the last one; 0: none came since something arrived */
} larch_app_wire;

/* What a hint means, and what the user can do: two clauses. */
typedef struct larch_app_hint {
    const char *text;
    const char *advice;
} larch_app_hint;
larch_app_hint larch_app_hint_of(int reason);

/* Returns 0, or -1 with the reason. */
int larch_app_wire_open(larch_app_wire *wire, const larch_peer *gateway, larch_posix_reason *why);
void larch_app_wire_close(larch_app_wire *wire);

/* Sends one datagram. What cannot leave is lost, and the hint says why. */
void larch_app_wire_send(larch_app_wire *wire, larch_bytes datagram);
/* Takes what has arrived, without waiting; peers in batch that are the gateway equal wire->gateway. */
void larch_app_wire_receive(larch_app_wire *wire, larch_udp_batch *batch);

/* Why a sender that asked through this wire has nothing: as larch_app_failure, with the hint if no answer came.
 * waited_s: the time that the user gave, which is over; 0: the sender FAILED. */
void larch_app_wire_explain(const larch_app_wire *wire, const larch_sender *sender, double waited_s,
                            char text[LARCH_APP_FAILURE_MAX]);

#endif
