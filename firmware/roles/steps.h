/* SPDX-License-Identifier: Apache-2.0 */
/* What the steps of the cryptography cost, counted by the board: instructions, or cycles. */
#ifndef LARCH_STEPS_H
#define LARCH_STEPS_H

#include "larch/base.h"

/* To be handed to a gateway or sender. */
extern const larch_trace larch_steps_trace;

/* The whole of a gateway's work for a message that was accepted, from its datagram to the answer's. */
void larch_steps_message(uint32_t instructions);

/* The console's command: says the least that each step has cost since the start: nothing interrupted it then. */
void larch_steps_command(larch_bytes rest);

#endif
