/* SPDX-License-Identifier: Apache-2.0 */
/* What a person types behind a command: numbers and addresses. Both take untrusted text and leave *out alone if they
 * refuse it. */
#ifndef LARCH_TYPED_H
#define LARCH_TYPED_H

#include "larch/base.h"

/* A decimal number without sign and nothing behind it; false: it is none, or above max. */
LARCH_MUST_USE bool larch_typed_number(larch_bytes text, uint32_t max, uint32_t *out);

/* "a.b.c.d" with CoAP's port, or "a.b.c.d:port" with a port that is not 0; false: it is neither. */
LARCH_MUST_USE bool larch_typed_peer(larch_bytes text, larch_peer *out);

#endif
