/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where frames go, on an Ethernet interface of lwIP. An answer goes to the hardware address that its request came from, so
 * that requests from addresses nobody has cost no question (ARP), no buffer that waits for its answer, and no place in the
 * table of neighbours. Answers to pings are limited in rate.
 *
 * All of it is called within lwIP.
 */
#ifndef LARCH_NEIGHBOURS_H
#define LARCH_NEIGHBOURS_H

#include <stdbool.h>
#include <stdint.h>

struct netif;

/* Looks after what the interface sends from now on. To be called again for an interface that was started anew. */
void larch_neighbours_attach(struct netif *netif);

/* While lwIP hands over a datagram: a mark of the neighbour whose frame brought it, for larch_peer.via; 0: of none. */
uint8_t larch_neighbours_heard(void);

/* Where the next datagram goes: to the neighbour of that mark, if it is still remembered. Otherwise ARP knows it or is
 * asked; the datagram waits for ARP's answer if waits, and is dropped if not. larch_neighbours_aim_nowhere ends it. */
void larch_neighbours_aim(uint8_t mark, bool waits);
void larch_neighbours_aim_nowhere(void);

#endif
