/* SPDX-License-Identifier: Apache-2.0 */
/*
 *          put - size                        put
 *     ...--|------ these are still there ----|
 *
 * Nothing is split: bytes that do not fit before the end of the memory begin at its start.
 */
#include <string.h>

#include "larch/base.h"

uint64_t larch_ring_put(larch_ring *ring, larch_bytes bytes)
{
    if (bytes.len == 0)
        return ring->put;
    const size_t at = (size_t)(ring->put % ring->size);
    if (bytes.len > ring->size - at)
        ring->put += ring->size - at;
    const uint64_t position = ring->put;
    memcpy(ring->bytes + position % ring->size, bytes.data, bytes.len);
    ring->put += bytes.len;
    return position;
}

larch_bytes larch_ring_get(const larch_ring *ring, uint64_t position, size_t len)
{
    const bool kept = len > 0 && ring->put - position <= ring->size;
    return kept ? (larch_bytes){ring->bytes + position % ring->size, len} : (larch_bytes){NULL, 0};
}
