/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/outbox_batch.h"

#include <stdlib.h>

bool larch_outbox_batch_reserve(larch_outbox_batch *batch, size_t len)
{
    if (len <= batch->cap)
        return true;
    size_t cap = batch->cap > 0 ? batch->cap : 4096;
    while (cap < len)
        cap *= 2;
    uint8_t *data = realloc(batch->data, cap);
    if (data == NULL)
        return false;
    batch->data = data;
    batch->cap = cap;
    return true;
}
