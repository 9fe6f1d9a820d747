/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the records in the bytes of a serial line, and the lines of text beside them: a board that starts or fails writes
 * plain lines, and the prototype's sniffer writes nothing else. The only state between records is where the reader is.
 */
#ifndef LARCH_BOARD_RECORD_DECODER_H
#define LARCH_BOARD_RECORD_DECODER_H

#include "record.h"

typedef enum larch_record_found {
    LARCH_RECORD_NOTHING, /* all bytes are taken; more are needed */
    LARCH_RECORD_WHOLE,   /* a record whose checksum is right, ready for larch_record_parse */
    LARCH_RECORD_BAD,     /* something that began as a record: cut, too long, or with a wrong checksum */
    LARCH_RECORD_LINE,    /* printable text outside records, without its end; never empty */
    LARCH_RECORD_GARBAGE, /* bytes that are neither, or a line that is too long */
} larch_record_found;

typedef struct larch_record_decoder {
    uint8_t bytes[LARCH_RECORD_MAX]; /* private, all of it */
    size_t len;
    uint8_t place;
    uint8_t block; /* bytes left of the COBS block */
    bool zero;     /* the block stands for a zero, if another follows */
    bool too_long;
    bool printable;
} larch_record_decoder;

/* At an unknown place of the line: what comes first may be the rest of a record. */
void larch_record_decoder_init(larch_record_decoder *d);

/* Takes untrusted bytes from *input, which moves on behind them, up to the next find; *out is at its bytes until the next
 * call (BAD: none). After a damaged part the record behind the next 0x00 is found again. */
larch_record_found larch_record_decode(larch_record_decoder *d, larch_bytes *input, larch_bytes *out);

#endif
