/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One message as bytes. Records stand one behind the other in a batch; numbers are big-endian.
 *
 *     length of all that follows (4)
 *     version (1)   kind (1)   flags (1)   arrival, ms since 1970 (8)
 *     address (16)   scope (4)   port (2)
 *     length (1) identity   length (1) way in   length (1) KEM
 *     version 2: length (1) device   length (1) resource   Content-Format (2)
 *     text: the rest
 *
 * A message without a device and a resource has version 1, all others have version 2.
 */
#ifndef LARCH_REGISTRY_OUTBOX_RECORD_H
#define LARCH_REGISTRY_OUTBOX_RECORD_H

#include "registry/outbox.h"

/* Counts past the end of a writer that is too small, as every writer does. The message is within its bounds. */
void larch_outbox_record_put(larch_writer *w, const larch_outbox_message *message);

/* The next record, of bytes that the disk may have damaged: message gets views of them. LARCH_MALFORMED: not a record
 * of this version; reader and message are unchanged. */
LARCH_MUST_USE larch_error larch_outbox_record_take(larch_reader *reader, larch_outbox_message *message);

/* Whether every field is within its bound. */
bool larch_outbox_record_fits(const larch_outbox_message *message);

#endif
