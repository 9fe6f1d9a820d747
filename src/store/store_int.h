/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LARCH_STORE_INT_H
#define LARCH_STORE_INT_H

#include "larch/store.h"

/* The error that stands for a fault of a file. */
larch_error larch_store_error(larch_store_fault fault);

/* Reads a record that is the whole of its file. start: receives the record's start counter, whatever it is, if the
 * record is sound; NULL: that must not be ahead of storage->start. Errors as larch_record_read, but out may have been
 * written to. */
LARCH_MUST_USE larch_error larch_store_read_whole(const larch_storage *storage, const char *name,
                                                  larch_record_kind kind, uint32_t *start, uint8_t *out, size_t cap,
                                                  size_t *len, larch_store_fault *fault);

/* Reads one of several records of a file, that at offset. Errors as larch_record_read. */
LARCH_MUST_USE larch_error larch_store_read_at(const larch_storage *storage, const char *name, uint32_t offset,
                                               larch_record_kind kind, uint8_t *out, size_t cap, size_t *len,
                                               larch_store_fault *fault);

#endif
