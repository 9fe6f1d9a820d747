/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UDP over lwIP for the roles: joins the network, gets an address, hands datagrams over. A board starts as
 * the prototype does: initialise, join the network, DHCP, flag, application task.
 */
#ifndef LARCH_NETWORK_H
#define LARCH_NETWORK_H

#include "larch/port.h"

/* X(NAME, text): how far the network came. */
#define LARCH_NETWORK_STATES(X)                           \
    X(UNSET, "not told which; help lists the command")    \
    X(DOWN, "no link: check cable or access point")       \
    X(ASKING, "asking for an address (DHCP)")             \
    X(UNANSWERED, "no DHCP server answers; still asking") \
    X(READY, "ready")

#define LARCH_NETWORK_STATE_ENUM(name, text) LARCH_NETWORK_##name,
typedef enum larch_network_state { LARCH_NETWORK_STATES(LARCH_NETWORK_STATE_ENUM) } larch_network_state;
#undef LARCH_NETWORK_STATE_ENUM

const char *larch_network_state_text(larch_network_state state);

/* Once, from a task: starts the TCP/IP task and the interface, and begins to ask for an address. storage: where the settings
 * of a network are, for boards that need some; NULL: nowhere. LARCH_PLATFORM: the board has no working interface. */
LARCH_MUST_USE larch_error larch_network_start(const larch_storage *storage);

larch_network_state larch_network_state_of(void);
/* Waits until the state is another than this one, at most timeout_ms; returns the state. */
larch_network_state larch_network_wait_change(larch_network_state from, uint32_t timeout_ms);
/* Our address once READY, all zeros before. */
larch_peer larch_network_address(void);
/* Where all hosts of the network hear: its IPv4 broadcast address, and this port. Zeros before READY. */
larch_peer larch_network_broadcast(uint16_t port);

/* Binds the one UDP port of the program (0: the stack chooses one). Broadcasts are received too. */
LARCH_MUST_USE larch_error larch_network_open(uint16_t port);

/* Waits until a datagram is there or larch_board_now_ms() reaches until_ms (UINT64_MAX: for ever), or
 * larch_network_wake was called. Copies it and its sender; multicast: it was sent to a group or broadcast address. Longer
 * ones than cap are dropped and counted. LARCH_AGAIN: none. */
LARCH_MUST_USE larch_error larch_network_receive(uint64_t until_ms, larch_peer *peer, bool *multicast, uint8_t *out,
                                                 size_t cap, size_t *len);
/* Ends a wait from another task. */
void larch_network_wake(void);

/* Sends one; what the stack does not take is lost, as on a network, and LARCH_AGAIN says so. */
larch_error larch_network_send(const larch_peer *peer, larch_bytes bytes);

typedef struct larch_network_counters {
    uint32_t received, sent, dropped; /* datagrams; dropped: no buffer, too long, or not taken */
} larch_network_counters;
larch_network_counters larch_network_counters_of(void);

#endif
