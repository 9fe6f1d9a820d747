/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames between the radio, which delivers them when it likes, and the serial line, which takes them at its pace. One
 * writer, which may interrupt the one reader at any place, and no lock: each changes counters of its own alone. Only a
 * frame for which there is no room is dropped, and every one is counted.
 */
#ifndef LARCH_FRAME_RING_H
#define LARCH_FRAME_RING_H

#include "board/board.h"
#include "board/serial_record.h"

#define LARCH_FRAME_RING_HEAD 22 /* bytes of the ring that a frame takes besides its own */

typedef struct larch_frame_ring {
    uint8_t *bytes; /* private, all of it; the caller's */
    uint32_t size;
    volatile uint32_t in;       /* the writer's place; reader and writer at the same: empty */
    volatile uint32_t accepted; /* frames ever put in */
    volatile uint32_t dropped;
    volatile uint32_t out; /* the reader's */
    volatile uint32_t released;
    volatile uint16_t snap;
    volatile bool running;
} larch_frame_ring;

/* Empty, stopped, snap at its most. size: at least LARCH_FRAME_RING_HEAD + 2. */
void larch_frame_ring_init(larch_frame_ring *ring, uint8_t *bytes, uint32_t size);

/* ---- the writer -------------------------------------------------------- */

/* Takes an untrusted frame, cut to the snap length, or to the ring if that is shorter. While stopped it does nothing. */
void larch_frame_ring_put(larch_frame_ring *ring, const larch_board_frame *frame);

/* ---- the reader -------------------------------------------------------- */

void larch_frame_ring_run(larch_frame_ring *ring, bool running);
/* From 1 to LARCH_SERIAL_RECORD_SNAP_MAX. */
void larch_frame_ring_snap(larch_frame_ring *ring, uint16_t snap);

/* The oldest frame: its bytes are frame->bytes, then *rest, where they lie in the ring. False: there is none. */
bool larch_frame_ring_peek(const larch_frame_ring *ring, larch_serial_record_frame *frame, larch_bytes *rest);
/* Gives up the oldest frame, which must exist. */
void larch_frame_ring_release(larch_frame_ring *ring);

/* Fills in heard, dropped, waiting, snap, ring and running. */
void larch_frame_ring_tell(const larch_frame_ring *ring, larch_serial_record_status *status);

#endif
