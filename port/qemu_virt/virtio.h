/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio devices behind memory-mapped registers, version 2, and their split queues [VIRTIO1.1 4.2, 2.6]. Each buffer is
 * one descriptor. What a device writes is untrusted: a queue whose device breaks the rules is never used again.
 *
 * No locks here: each driver keeps its own device to one caller at a time.
 */
#ifndef LARCH_QEMU_VIRT_VIRTIO_H
#define LARCH_QEMU_VIRT_VIRTIO_H

#include "larch/base.h"

/* ---- queues ------------------------------------------------------------------ */

/* Buffers of a queue; a power of two, and at most 16. */
#define LARCH_VIRTQ_LEN 8

typedef struct larch_virtq {
    /* Shared with the device: little-endian, as both the machine and the host of its tests are. */
    struct {
        uint64_t address;
        uint32_t len;
        uint16_t flags;
        uint16_t next;
    } descriptors[LARCH_VIRTQ_LEN] __attribute__((aligned(16)));
    volatile struct {
        uint16_t flags, index, ring[LARCH_VIRTQ_LEN], used_event;
    } available;
    volatile struct {
        uint16_t flags, index;
        struct {
            uint32_t id, len;
        } ring[LARCH_VIRTQ_LEN];
        uint16_t available_event;
    } used __attribute__((aligned(4)));

    /* Ours. */
    uint32_t room[LARCH_VIRTQ_LEN]; /* what the device may write to each buffer */
    uint16_t offered;               /* bit id: the device has it */
    uint16_t seen;                  /* of used.index */
    bool broken;
} larch_virtq;

/* Whether the device has the buffer. */
static inline bool larch_virtq_has(const larch_virtq *q, uint16_t id) { return (q->offered >> id & 1) != 0; }

/* Whether there is something to take. */
static inline bool larch_virtq_done(const larch_virtq *q) { return !q->broken && q->used.index != q->seen; }

/* Buffer id, below LARCH_VIRTQ_LEN and not with the device, is the device's from now on: to read, or to write up to len
 * bytes. It looks at them when it is notified. */
void larch_virtq_offer_bytes(larch_virtq *q, uint16_t id, larch_bytes bytes);
void larch_virtq_offer_room(larch_virtq *q, uint16_t id, uint8_t *data, size_t len);

/* Takes the next buffer back that the device is done with, and the count of bytes it wrote there: at most what was
 * offered. LARCH_AGAIN: none now. LARCH_PLATFORM: the device broke the rules. */
LARCH_MUST_USE larch_error larch_virtq_take(larch_virtq *q, uint16_t *id, size_t *written);

/* Whether the device shall interrupt when it is done with a buffer: only a hint to it. */
void larch_virtq_want_interrupt(larch_virtq *q, bool wanted);

/* ---- devices ----------------------------------------------------------------- */

typedef struct larch_virtio {
    uintptr_t at; /* of the registers; 0: no device */
    uint32_t irq;
} larch_virtio;

enum { LARCH_VIRTIO_NONE = 0, LARCH_VIRTIO_NET = 1, LARCH_VIRTIO_CONSOLE = 3, LARCH_VIRTIO_RNG = 4 };

/* What stands at these registers; LARCH_VIRTIO_NONE also for a device of another version. */
uint32_t larch_virtio_kind(uintptr_t at);

/* Resets the device and agrees on features: bit n of wanted for feature n below 32, of which the accepted ones are told;
 * VIRTIO_F_VERSION_1 is always asked for. LARCH_PLATFORM: it refuses, and is given up. */
LARCH_MUST_USE larch_error larch_virtio_start(larch_virtio device, uint32_t wanted, uint32_t *accepted);
/* After start: empties the queue and hands it to the device. LARCH_PLATFORM: it has no such queue, or a shorter one. */
LARCH_MUST_USE larch_error larch_virtio_add_queue(larch_virtio device, uint32_t index, larch_virtq *q);
/* After the last queue: the device works. */
void larch_virtio_go(larch_virtio device);

void larch_virtio_notify(larch_virtio device, uint32_t queue);
/* Takes the device's interrupt back. */
void larch_virtio_acknowledge(larch_virtio device);
/* Copies from the configuration space; the fields fit together. LARCH_PLATFORM: they would not stand still. */
LARCH_MUST_USE larch_error larch_virtio_read_config(larch_virtio device, uint32_t at, uint8_t *out, size_t len);

#endif
