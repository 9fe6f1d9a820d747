/* SPDX-License-Identifier: Apache-2.0 */
#include <stdatomic.h>
#include <string.h>

#include "frame_ring.h"

/* NOLINTNEXTLINE(misc-redundant-expression): it is to be so */
_Static_assert(LARCH_BOARD_SIGNAL_UNKNOWN == LARCH_SERIAL_RECORD_SIGNAL_UNKNOWN, "it passes through");

/* Writer and reader run on one core, so the order of the program's own accesses is all there is to hold. */
#define ORDER() atomic_signal_fence(memory_order_acq_rel)

void larch_frame_ring_init(larch_frame_ring *ring, uint8_t *bytes, uint32_t size)
{
    memset(ring, 0, sizeof *ring);
    ring->bytes = bytes;
    ring->size = size;
    ring->snap = LARCH_SERIAL_RECORD_SNAP_MAX;
}

static uint32_t used(const larch_frame_ring *ring, uint32_t in, uint32_t out)
{
    return in >= out ? in - out : ring->size - out + in;
}

static uint32_t moved(const larch_frame_ring *ring, uint32_t place, uint32_t by)
{
    return place + by < ring->size ? place + by : place + by - ring->size;
}

/* ---- the writer -------------------------------------------------------- */

/* Returns the place behind. */
static uint32_t copy_in(larch_frame_ring *ring, uint32_t place, larch_bytes bytes)
{
    const size_t first = bytes.len < ring->size - place ? bytes.len : ring->size - place;
    if (bytes.len == 0)
        return place;
    memcpy(ring->bytes + place, bytes.data, first);
    memcpy(ring->bytes, bytes.data + first, bytes.len - first);
    return moved(ring, place, (uint32_t)bytes.len);
}

/*  sequence 4 | dropped 4 | time 8 | channel 1 | signal 1 | length 2 | captured 2 | bytes  */
void larch_frame_ring_put(larch_frame_ring *ring, const larch_board_frame *frame)
{
    uint8_t head[LARCH_FRAME_RING_HEAD];
    larch_writer w = larch_writer_to(head, sizeof head);
    uint32_t place = ring->in, room = ring->size - 1 - used(ring, place, ring->out);
    larch_bytes bytes = frame->bytes;

    if (!ring->running)
        return;
    if (bytes.len > ring->snap)
        bytes.len = ring->snap;
    if (bytes.len > ring->size - 1 - sizeof head)
        bytes.len = ring->size - 1 - sizeof head;
    if (sizeof head + bytes.len > room) {
        ring->dropped++;
        return;
    }
    larch_writer_put_u32(&w, ring->accepted + ring->dropped);
    larch_writer_put_u32(&w, ring->dropped);
    larch_writer_put_u64(&w, frame->time_us);
    larch_writer_put_u8(&w, frame->channel);
    larch_writer_put_u8(&w, (uint8_t)frame->signal_dbm);
    larch_writer_put_u16(&w, (uint16_t)(frame->bytes.len < UINT16_MAX ? frame->bytes.len : UINT16_MAX));
    larch_writer_put_u16(&w, (uint16_t)bytes.len);
    place = copy_in(ring, copy_in(ring, place, LARCH_BYTES(head)), bytes);
    ORDER(); /* the reader sees the place only after the bytes */
    ring->accepted++;
    ring->in = place;
}

/* ---- the reader -------------------------------------------------------- */

void larch_frame_ring_run(larch_frame_ring *ring, bool running) { ring->running = running; }

void larch_frame_ring_snap(larch_frame_ring *ring, uint16_t snap) { ring->snap = snap; }

static larch_bytes copy_head(const larch_frame_ring *ring, uint8_t head[LARCH_FRAME_RING_HEAD])
{
    for (uint32_t i = 0; i < LARCH_FRAME_RING_HEAD; i++)
        head[i] = ring->bytes[moved(ring, ring->out, i)];
    return (larch_bytes){head, LARCH_FRAME_RING_HEAD};
}

bool larch_frame_ring_peek(const larch_frame_ring *ring, larch_serial_record_frame *frame, larch_bytes *rest)
{
    uint8_t head[LARCH_FRAME_RING_HEAD], signal;
    uint16_t captured;
    if (ring->in == ring->out)
        return false;
    ORDER();
    larch_reader r = larch_reader_of(copy_head(ring, head));
    if (larch_reader_take_u32(&r, &frame->sequence) != LARCH_OK ||
        larch_reader_take_u32(&r, &frame->dropped) != LARCH_OK ||
        larch_reader_take_u64(&r, &frame->time_us) != LARCH_OK ||
        larch_reader_take_u8(&r, &frame->channel) != LARCH_OK || larch_reader_take_u8(&r, &signal) != LARCH_OK ||
        larch_reader_take_u16(&r, &frame->length) != LARCH_OK || larch_reader_take_u16(&r, &captured) != LARCH_OK)
        return false;
    frame->signal_dbm = (int8_t)signal;
    const uint32_t at = moved(ring, ring->out, LARCH_FRAME_RING_HEAD);
    const uint32_t first = captured < ring->size - at ? captured : ring->size - at;
    frame->bytes = (larch_bytes){ring->bytes + at, first};
    *rest = (larch_bytes){ring->bytes, captured - first};
    return true;
}

void larch_frame_ring_release(larch_frame_ring *ring)
{
    uint8_t head[LARCH_FRAME_RING_HEAD];
    const larch_bytes bytes = copy_head(ring, head);
    const uint32_t captured = (uint32_t)bytes.data[bytes.len - 2] << 8 | bytes.data[bytes.len - 1];
    ORDER(); /* the writer sees the room only after the last read */
    ring->released++;
    ring->out = moved(ring, ring->out, LARCH_FRAME_RING_HEAD + captured);
}

void larch_frame_ring_tell(const larch_frame_ring *ring, larch_serial_record_status *status)
{
    const uint32_t accepted = ring->accepted, waiting = accepted - ring->released;
    status->dropped = ring->dropped;
    status->heard = accepted + status->dropped; /* of what was read, so that the sum holds when the writer interrupts */
    status->waiting = (uint16_t)(waiting < UINT16_MAX ? waiting : UINT16_MAX);
    status->ring_used = used(ring, ring->in, ring->out);
    status->ring_size = ring->size;
    status->snap = ring->snap;
    status->running = ring->running;
}
