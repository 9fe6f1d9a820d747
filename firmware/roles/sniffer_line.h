/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who speaks next on the sniffer's serial line: texts first, for somebody waits for an answer, then a status, then
 * frames. A record once begun is ended before the next. Sans-I/O.
 */
#ifndef LARCH_SNIFFER_LINE_H
#define LARCH_SNIFFER_LINE_H

#include "frame_ring.h"

#define LARCH_SNIFFER_LINE_CHUNK 256
#define LARCH_SNIFFER_LINE_TEXTS 1024 /* bytes of texts that wait, each with a length of 2 */

typedef struct larch_sniffer_line {
    larch_frame_ring *ring; /* private, all of it but channel */
    larch_serial_record_encoder encoder;
    uint8_t speaking;
    bool status_due;
    uint8_t channel; /* public: as the status tells it */
    uint16_t chunk_at;
    uint16_t chunk_len;
    uint16_t texts_len;
    uint8_t chunk[LARCH_SNIFFER_LINE_CHUNK];
    uint8_t text[LARCH_SERIAL_RECORD_TEXT_MAX]; /* the one being sent */
    uint8_t texts[LARCH_SNIFFER_LINE_TEXTS];
} larch_sniffer_line;

void larch_sniffer_line_init(larch_sniffer_line *line, larch_frame_ring *ring);

/* Puts a line of text, without its end, behind those that wait; cut at LARCH_SERIAL_RECORD_TEXT_MAX. False: no room yet. */
LARCH_MUST_USE bool larch_sniffer_line_text(larch_sniffer_line *line, larch_bytes text);
/* A status is to be sent; it tells how things are when it is. */
void larch_sniffer_line_status(larch_sniffer_line *line);

/* The next bytes for the line; none: nothing is to be said. Good until larch_sniffer_line_sent says how many left. */
larch_bytes larch_sniffer_line_peek(larch_sniffer_line *line, uint64_t now_us);
void larch_sniffer_line_sent(larch_sniffer_line *line, size_t len);

#endif
