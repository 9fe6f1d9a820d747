/* SPDX-License-Identifier: Apache-2.0 */
/* Reads what a board puts on its second channel (port/board/i2c_stream.h): I2C transfers and LED changes. */
#ifndef LARCH_OLED_STREAM_H
#define LARCH_OLED_STREAM_H

#include "board/i2c_stream.h"
#include "larch/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One frame. bytes is good until the next call. */
typedef struct larch_oled_frame {
    bool led;        /* one byte, 1 lit or 0 dark; else a transfer */
    uint8_t address; /* 7 bits, of a transfer */
    larch_bytes bytes;
} larch_oled_frame;

/* Fields are private, but for skipped. */
typedef struct larch_oled_stream {
    uint8_t bytes[LARCH_I2C_STREAM_HEADER + LARCH_I2C_STREAM_MAX];
    size_t have;
    bool lost;        /* looks for a frame to go on with */
    uint64_t skipped; /* bytes that belonged to no frame */
} larch_oled_stream;

void larch_oled_stream_init(larch_oled_stream *stream);

/* The next frame out of untrusted bytes, cut anywhere; *input is moved behind what was taken.
 * LARCH_AGAIN: all was taken, more is needed. LARCH_MALFORMED: here the stream breaks its format; the following calls
 * look for a transfer to a display or an LED change, and go on from there. */
LARCH_MUST_USE larch_error larch_oled_stream_next(larch_oled_stream *stream, larch_bytes *input, larch_oled_frame *out);

/* Whether bytes of a frame that is not whole are held: at the end of a stream, it was cut. */
bool larch_oled_stream_is_cut(const larch_oled_stream *stream);

#ifdef __cplusplus
}
#endif

#endif
