/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom the sender trusts: the pin as it stands in flash, and what a person or the gateway's own keys make of it
 * (larch/trust.h). What is typed is untrusted text; whatever changes is said, and so is what could not be kept.
 */
#ifndef LARCH_ROLE_TRUST_H
#define LARCH_ROLE_TRUST_H

#include "larch/trust.h"
#include "pin.h"

/* Once, before all others. False: the pin in flash is not sound; it said so and left it as it is. */
bool larch_trust_load(const larch_storage *storage, const larch_kem *kem);

/* Whether a gateway can be trusted at all: by the pin, or the next one shown because a person allowed that. */
bool larch_trust_is_possible(void);
/* What a sender begins with; views of it hold until the pin changes. An endorsement counts as long as the board runs, and
 * 24 hours at most: there is no clock that outlives a restart. */
larch_trust_basis larch_trust_begin_with(uint64_t now_ms);
/* The fingerprint of the direct key that the gateway had last; false: not known. */
bool larch_trust_seen_key(uint8_t fingerprint[LARCH_FINGERPRINT_LEN]);
/* Where the gateway is; NULL: to be found on this network. */
const larch_peer *larch_trust_gateway(void);
/* Without a pin: the next gateway that is shown may be trusted, because a person allowed it. */
bool larch_trust_is_open(void);

/* What a sender came to trust becomes the pin, unless it is that already. */
void larch_trust_keep(const larch_trust *now_trusted, uint64_t now_ms);

void larch_trust_say(void);

/* What was typed behind pin, trust, forget and gateway. False: it was refused and changed nothing. */
bool larch_trust_type_pin(larch_bytes fingerprint);
bool larch_trust_type_trust(void);
void larch_trust_type_forget(void);
bool larch_trust_type_gateway(larch_bytes address);

#endif
