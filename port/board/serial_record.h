/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records on the sniffer's serial line: what the board writes and the host reads. The bytes are drawn in PROTOCOL.md,
 * section 5. A record stands between two 0x00, stuffed by COBS so that it holds none itself: a reader that lost its
 * place has it again at the next 0x00, whatever came before, and the overhead is 1 byte in 254.
 */
#ifndef LARCH_BOARD_SERIAL_RECORD_H
#define LARCH_BOARD_SERIAL_RECORD_H

#include "larch/base.h"

#define LARCH_SERIAL_RECORD_SNAP_MAX 4096 /* captured bytes of a frame */
#define LARCH_SERIAL_RECORD_TEXT_MAX 256

#define LARCH_SERIAL_RECORD_SIGNAL_UNKNOWN INT8_MIN /* the radio does not tell */

#define LARCH_SERIAL_RECORD_HEAD_MAX 32 /* type to the last field of fixed size */
#define LARCH_SERIAL_RECORD_CRC_LEN  4
#define LARCH_SERIAL_RECORD_MAX \
    (LARCH_SERIAL_RECORD_HEAD_MAX + LARCH_SERIAL_RECORD_SNAP_MAX + LARCH_SERIAL_RECORD_CRC_LEN)

/* Bytes on the line of a record of n bytes: two delimiters, and a COBS code for each 254 begun. */
#define LARCH_SERIAL_RECORD_ON_LINE(n) ((n) + (n) / 254 + 3)

typedef enum larch_serial_record_type {
    LARCH_SERIAL_RECORD_FRAME = 1,
    LARCH_SERIAL_RECORD_STATUS = 2,
    LARCH_SERIAL_RECORD_TEXT = 3,
} larch_serial_record_type;

/* One 802.11 frame. */
typedef struct larch_serial_record_frame {
    uint32_t sequence; /* of all frames heard since power on, dropped ones counted: a gap is what is missing */
    uint32_t dropped;  /* of those before this one, by the board, because the line was full */
    uint64_t time_us;  /* since power on */
    uint8_t channel;
    int8_t signal_dbm; /* or LARCH_SERIAL_RECORD_SIGNAL_UNKNOWN */
    uint16_t length;   /* on the air, without the check sequence; more than bytes.len: cut */
    larch_bytes bytes; /* from the 802.11 header on; at most LARCH_SERIAL_RECORD_SNAP_MAX */
} larch_serial_record_frame;

/* How the board fares. heard - dropped - waiting frames were sent. */
typedef struct larch_serial_record_status {
    uint64_t time_us;
    uint32_t heard;   /* the sequence number of the next frame */
    uint32_t dropped; /* in all */
    uint16_t waiting; /* frames in the ring */
    uint16_t snap;
    uint32_t ring_used; /* bytes */
    uint32_t ring_size;
    uint8_t channel;
    bool running;
} larch_serial_record_status;

typedef struct larch_serial_record {
    larch_serial_record_type type;
    union {
        larch_serial_record_frame frame;
        larch_serial_record_status status;
        larch_bytes text; /* one line without its end; untrusted */
    } of;
} larch_serial_record;

/* Reads a record as larch_serial_decoder gives it; views point into bytes. LARCH_MALFORMED: of another type, or not of
 * its length; *out is unchanged. */
LARCH_MUST_USE larch_error larch_serial_record_parse(larch_bytes bytes, larch_serial_record *out);

/* Writes one record, as the line has room: it can stop at any byte and go on later, and copies the body once, from where
 * it lies to the line. */
typedef struct larch_serial_record_encoder {
    uint8_t head[LARCH_SERIAL_RECORD_HEAD_MAX]; /* private, all of it */
    uint8_t crc[LARCH_SERIAL_RECORD_CRC_LEN];
    size_t head_len;
    larch_bytes body[2]; /* the caller's, until the record is done */
    size_t at;           /* next byte of head, body, crc */
    uint8_t run;         /* bytes left of the present COBS block */
    uint8_t phase;
    bool full; /* the present block has 254 bytes: no zero follows */
} larch_serial_record_encoder;

/* Begin a record. The bytes of a frame may lie in two pieces (frame->bytes, then rest), as a ring has them; they must
 * stay until the record is done. LARCH_SPACE: too long; the encoder is done, as after its last byte. */
LARCH_MUST_USE larch_error larch_serial_record_begin_frame(larch_serial_record_encoder *e,
                                                           const larch_serial_record_frame *frame, larch_bytes rest);
void larch_serial_record_begin_status(larch_serial_record_encoder *e, const larch_serial_record_status *status);
LARCH_MUST_USE larch_error larch_serial_record_begin_text(larch_serial_record_encoder *e, larch_bytes text);

/* Writes the next bytes for the line, cap of them unless the record ends before. */
size_t larch_serial_record_encode(larch_serial_record_encoder *e, uint8_t *out, size_t cap);
/* Nothing is left to write. True for an encoder of zeros. */
bool larch_serial_record_done(const larch_serial_record_encoder *e);

#endif
