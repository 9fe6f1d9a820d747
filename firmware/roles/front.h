/* SPDX-License-Identifier: Apache-2.0 */
/* The front of a board: its display and its LED. A display that is absent or fails is said once, and asked again with the
 * next picture: messages do not wait for it. */
#ifndef LARCH_FRONT_H
#define LARCH_FRONT_H

#include "larch/base.h"

/* A picture without a message: what the board is, what it waits for, its address once it has one (else NULL). */
void larch_front_idle(const char *what, const larch_peer *address);

/* A message whose tag was verified, the number-th. The text is untrusted: what is not printable is shown as '?'. */
void larch_front_accepted(uint32_t number, larch_bytes text, const larch_peer *sender, const char *kem);

/* X(NAME): what the LED tells; the display stays. */
typedef enum larch_front_signal {
    LARCH_FRONT_SUCCESS,
    LARCH_FRONT_REPLAY,
    LARCH_FRONT_AUTH,
    LARCH_FRONT_WAITING,
    LARCH_FRONT_FAULT
} larch_front_signal;
void larch_front_signal_now(larch_front_signal signal);

/* Turns the LED as its pattern goes on: every LARCH_ROLE_POLL_MS. */
void larch_front_poll(void);

#endif
