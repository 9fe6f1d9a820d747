/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "sniffer_line.h"

enum { SILENT, SPEAKING, SPEAKING_FRAME };

void larch_sniffer_line_init(larch_sniffer_line *line, larch_frame_ring *ring)
{
    memset(line, 0, sizeof *line);
    line->ring = ring;
}

bool larch_sniffer_line_text(larch_sniffer_line *line, larch_bytes text)
{
    const uint16_t len = (uint16_t)(text.len < LARCH_SERIAL_RECORD_TEXT_MAX ? text.len : LARCH_SERIAL_RECORD_TEXT_MAX);
    if (sizeof line->texts - line->texts_len < 2u + len)
        return false;
    larch_writer w = larch_writer_to(line->texts + line->texts_len, 2u + len);
    larch_writer_put_u16(&w, len);
    larch_writer_put(&w, (larch_bytes){text.data, len});
    line->texts_len = (uint16_t)(line->texts_len + 2 + len);
    return true;
}

void larch_sniffer_line_status(larch_sniffer_line *line) { line->status_due = true; }

static bool begin_text(larch_sniffer_line *line)
{
    if (line->texts_len == 0)
        return false;
    const uint16_t len = (uint16_t)(line->texts[0] << 8 | line->texts[1]), taken = (uint16_t)(2 + len);
    memcpy(line->text, line->texts + 2, len);
    line->texts_len = (uint16_t)(line->texts_len - taken);
    memmove(line->texts, line->texts + taken, line->texts_len);
    line->speaking = SPEAKING;
    return larch_serial_record_begin_text(&line->encoder, (larch_bytes){line->text, len}) == LARCH_OK;
}

static bool begin_status(larch_sniffer_line *line, uint64_t now_us)
{
    larch_serial_record_status status = {.time_us = now_us, .channel = line->channel};
    if (!line->status_due)
        return false;
    larch_frame_ring_tell(line->ring, &status);
    larch_serial_record_begin_status(&line->encoder, &status);
    line->status_due = false;
    line->speaking = SPEAKING;
    return true;
}

/* Its bytes stay in the ring until the last of them is encoded. */
static bool begin_frame(larch_sniffer_line *line)
{
    larch_serial_record_frame frame;
    larch_bytes rest;
    if (!larch_frame_ring_peek(line->ring, &frame, &rest))
        return false;
    line->speaking = SPEAKING_FRAME;
    return larch_serial_record_begin_frame(&line->encoder, &frame, rest) == LARCH_OK;
}

larch_bytes larch_sniffer_line_peek(larch_sniffer_line *line, uint64_t now_us)
{
    if (line->chunk_at == line->chunk_len) {
        size_t len = 0;
        while (len < sizeof line->chunk) {
            if (line->speaking == SILENT && !begin_text(line) && !begin_status(line, now_us) && !begin_frame(line))
                break;
            len += larch_serial_record_encode(&line->encoder, line->chunk + len, sizeof line->chunk - len);
            if (!larch_serial_record_done(&line->encoder))
                continue;
            if (line->speaking == SPEAKING_FRAME)
                larch_frame_ring_release(line->ring);
            line->speaking = SILENT;
        }
        line->chunk_at = 0;
        line->chunk_len = (uint16_t)len;
    }
    return (larch_bytes){line->chunk + line->chunk_at, (size_t)(line->chunk_len - line->chunk_at)};
}

void larch_sniffer_line_sent(larch_sniffer_line *line, size_t len)
{
    line->chunk_at = (uint16_t)(line->chunk_at + len);
}
