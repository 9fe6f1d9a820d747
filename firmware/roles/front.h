/* SPDX-License-Identifier: Apache-2.0 */
/* The front of a board: its display and its LED. A display that is absent or fails is said once, and asked again with the
 * next picture: messages do not wait for it. */
#ifndef LARCH_FRONT_H
#define LARCH_FRONT_H

#include "drivers/led.h"
#include "larch/base.h"

/* Once, before all others. */
void larch_front_init(void);

/* What a board of this role does on the way to serving: "joining the network". */
void larch_front_step(const char *role, const char *step);
/* Nothing yet to show: our address, and the parameter set. */
void larch_front_waiting(const larch_peer *address, const char *kem);
/* A message whose tag was verified, the number-th, and who sent it. The text is untrusted. */
void larch_front_message(uint32_t number, larch_bytes text, const larch_peer *sender, const char *kem);
/* It cannot go on, and a person can mend it. */
void larch_front_error(const char *why, const char *remedy);

/* An event's pattern, or one that lasts. */
void larch_front_light(larch_led_pattern pattern);

/* Turns the LED as its pattern goes on: some fifty times a second. */
void larch_front_poll(void);

#endif
