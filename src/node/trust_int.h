/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of trust share. */
#ifndef LARCH_TRUST_INT_H
#define LARCH_TRUST_INT_H

#include "larch/trust.h"

static inline bool larch_trust_pins_identity(const larch_trust *t) { return t->kind == LARCH_FINGERPRINT_IDENTITY; }

/* Whether it is the root that names the present key, and not the pinned key. */
static inline bool larch_trust_asks_root(const larch_trust *t)
{
    return larch_trust_pins_identity(t) || t->identifying;
}

/* Refuses for good. */
void larch_trust_refuse(larch_trust *t, larch_trust_fault fault);

/* The gateway's identity is none to move to: a pinned key goes without it, all else is refused. */
void larch_trust_give_up(larch_trust *t, larch_trust_fault fault);

/* The pinned key, or what it endorses, is the key that was fetched: it takes the place of the trusted one. */
void larch_trust_adopt(larch_trust *t);

/* Compares the key that the root named with the one in hand, if there are both. fetched_last: which of the two is
 * newer. */
void larch_trust_match(larch_trust *t, bool fetched_last);

#endif
