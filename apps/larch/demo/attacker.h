/* SPDX-License-Identifier: Apache-2.0 */
/* Who overhears the wire and sends what it recorded, from a port of its own. */
#ifndef LARCH_APP_DEMO_ATTACKER_H
#define LARCH_APP_DEMO_ATTACKER_H

#include "demo/stage.h"

#define DEMO_ANSWER_MAX 40

/* Opens the attacker's port. Returns 0, or -1 with the reason. */
int demo_attacker_open(demo *d, larch_posix_reason *why);
void demo_attacker_close(demo *d);

/* Sends a datagram, and gives the gateway's answer as "4.01 REPLAY". False: there is none that it can read. */
bool demo_attack(demo *d, larch_bytes datagram, char answer[DEMO_ANSWER_MAX]);
/* The recorded message as a new request: another message ID, else the gateway takes it for a retransmission. */
larch_bytes demo_forge(larch_bytes recorded, unsigned number, uint8_t out[LARCH_COAP_DATAGRAM_MAX]);

#endif
