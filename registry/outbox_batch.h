/* SPDX-License-Identifier: Apache-2.0 */
/* A batch of the outbox: rows that are stored and deleted together. The outbox and its database both stand on it. */
#ifndef LARCH_REGISTRY_OUTBOX_BATCH_H
#define LARCH_REGISTRY_OUTBOX_BATCH_H

#include "larch/base.h"

/* The rows first ... first + count - 1. */
typedef struct larch_outbox_batch {
    uint64_t first;
    uint64_t count; /* 0: there is no batch */
    uint64_t ends;  /* bytes of all batches ever stored up to the end of this one */
    uint8_t *data;  /* records, count of them; the owner's, by malloc */
    size_t len;
    size_t cap;
} larch_outbox_batch;

/* Makes room for len bytes in data; false: out of memory, and the batch is unchanged. */
bool larch_outbox_batch_reserve(larch_outbox_batch *batch, size_t len);

#endif
