/* SPDX-License-Identifier: Apache-2.0 */
/* What stands before a message of a handshake in a request's payload [RFC9528 A.2]: true before message_1, else the
 * connection identifier of whom it goes to, as a CBOR item [RFC9528 3.3.2]. */
#ifndef LARCH_LAKE_PREFIX_H
#define LARCH_LAKE_PREFIX_H

#include "larch/cbor.h"
#include "larch/lake.h"

#define LAKE_PREFIX_TRUE (7u << 5 | LARCH_CBOR_TRUE) /* as a byte */

void larch_lake_put_prefix(larch_writer *w, larch_bytes id);
/* The view points into what was read. LARCH_MALFORMED: it is none, or is not in its only form. */
LARCH_MUST_USE larch_error larch_lake_take_prefix(larch_reader *r, larch_bytes *id);

#endif
