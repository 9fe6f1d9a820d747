/* SPDX-License-Identifier: Apache-2.0 */
#include "virtio.h"

#define DEVICE_WRITES 2 /* VIRTQ_DESC_F_WRITE */
#define NO_INTERRUPT  1 /* VIRTQ_AVAIL_F_NO_INTERRUPT */

static void fence(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

static void offer(larch_virtq *q, uint16_t id, const uint8_t *data, size_t len, uint16_t flags)
{
    q->descriptors[id].address = (uintptr_t)data;
    q->descriptors[id].len = (uint32_t)len;
    q->descriptors[id].flags = flags;
    q->descriptors[id].next = 0;
    q->room[id] = flags == DEVICE_WRITES ? (uint32_t)len : 0;
    q->offered = (uint16_t)(q->offered | 1u << id);
    q->available.ring[q->available.index % LARCH_VIRTQ_LEN] = id;
    fence(); /* the device sees the index after what it counts */
    q->available.index = (uint16_t)(q->available.index + 1);
    fence();
}

void larch_virtq_offer_bytes(larch_virtq *q, uint16_t id, larch_bytes bytes) { offer(q, id, bytes.data, bytes.len, 0); }

void larch_virtq_offer_room(larch_virtq *q, uint16_t id, uint8_t *data, size_t len)
{
    offer(q, id, data, len, DEVICE_WRITES);
}

larch_error larch_virtq_take(larch_virtq *q, uint16_t *id, size_t *written)
{
    if (q->broken)
        return LARCH_PLATFORM;
    if (!larch_virtq_done(q))
        return LARCH_AGAIN;
    fence(); /* what the index counts is read after it */
    /* Read once each: checked values are those that are used. */
    uint32_t used_id = q->used.ring[q->seen % LARCH_VIRTQ_LEN].id;
    uint32_t used_len = q->used.ring[q->seen % LARCH_VIRTQ_LEN].len;
    if (used_id >= LARCH_VIRTQ_LEN || !larch_virtq_has(q, (uint16_t)used_id) || used_len > q->room[used_id]) {
        q->broken = true;
        return LARCH_PLATFORM;
    }
    q->seen++;
    q->offered = (uint16_t)(q->offered & ~(1u << used_id));
    *id = (uint16_t)used_id;
    *written = used_len;
    return LARCH_OK;
}

void larch_virtq_want_interrupt(larch_virtq *q, bool wanted)
{
    q->available.flags = wanted ? 0 : NO_INTERRUPT;
    fence();
}
