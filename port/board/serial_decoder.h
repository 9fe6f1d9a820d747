/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the records in the bytes of a serial line, and the lines of text beside them: a board that starts or fails writes
 * plain lines, and the prototype's sniffer writes nothing else. The only state between records is where the reader is.
 */
#ifndef LARCH_BOARD_SERIAL_DECODER_H
#define LARCH_BOARD_SERIAL_DECODER_H

#include "serial_record.h"

typedef enum larch_serial_found {
    LARCH_SERIAL_NOTHING, /* all bytes are taken; more are needed */
    LARCH_SERIAL_WHOLE,   /* a record whose checksum is right, ready for larch_serial_record_parse */
    LARCH_SERIAL_BAD,     /* something that began as a record: cut, too long, or with a wrong checksum */
    LARCH_SERIAL_LINE,    /* printable text outside records, without its end; never empty */
    LARCH_SERIAL_GARBAGE, /* bytes that are neither, or a line that is too long */
} larch_serial_found;

typedef struct larch_serial_decoder {
    uint8_t bytes[LARCH_SERIAL_RECORD_MAX]; /* private, all of it */
    size_t len;
    uint8_t place;
    uint8_t block; /* bytes left of the COBS block */
    bool zero;     /* the block stands for a zero, if another follows */
    bool too_long;
    bool printable;
} larch_serial_decoder;

/* At an unknown place of the line: what comes first may be the rest of a record. */
void larch_serial_decoder_init(larch_serial_decoder *d);

/* Takes untrusted bytes from *input, which moves on behind them, up to the next find; *out is at its bytes until the next
 * call (BAD: none). After a damaged part the record behind the next 0x00 is found again. */
larch_serial_found larch_serial_decode(larch_serial_decoder *d, larch_bytes *input, larch_bytes *out);

#endif
