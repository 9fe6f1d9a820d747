/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the bytes of a sniffer board's serial line to frames: our records, and the prototype's lines. Tells what is missing,
 * how many and where; maps the board's time to this machine's. Sans-I/O; every byte is untrusted.
 */
#ifndef LARCH_SNIFF_SERIAL_H
#define LARCH_SNIFF_SERIAL_H

#include "board/serial_decoder.h"
#include "sniff/capture/frame.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_SNIFF_RADIOTAP_MAX   23 /* of the header that our frames get; 22 where the radio told no signal strength */
#define LARCH_SNIFF_SERIAL_SNAPLEN (LARCH_SNIFF_RADIOTAP_MAX + LARCH_SERIAL_RECORD_SNAP_MAX)

typedef enum larch_sniff_serial_event {
    LARCH_SNIFF_SERIAL_NOTHING, /* all bytes are taken */
    LARCH_SNIFF_SERIAL_FRAME,   /* item->frame: 802.11 behind radiotap; or raw IP, of a prototype */
    LARCH_SNIFF_SERIAL_STATUS,  /* item->status */
    LARCH_SNIFF_SERIAL_TALK,    /* item->talk: a line of the board's, printable ASCII */
    LARCH_SNIFF_SERIAL_SKIPPED, /* a piece of something, before anything whole has come */
    LARCH_SNIFF_SERIAL_DAMAGED, /* the same later, or a record that does not check out */
} larch_sniff_serial_event;

typedef struct larch_sniff_serial_item {
    larch_sniff_frame frame;
    larch_serial_record_status status;
    larch_bytes talk;
    /* Found missing with this frame or status: */
    uint32_t dropped; /* by the board, whose line was full */
    uint32_t lost;    /* on the line */
    bool restarted;   /* the board started anew; both count from then */
    uint32_t missing; /* frames between the one before and this one, of both kinds */
} larch_sniff_serial_item;

typedef struct larch_sniff_serial {
    larch_serial_decoder decoder; /* private, but for begun and the totals */
    bool begun;                   /* something whole has come */
    bool known;                   /* a record has told where the counters are */
    bool clocked;
    uint32_t next; /* sequence number */
    uint32_t next_dropped;
    uint32_t pending;   /* missing, told by a status and not by a frame yet */
    uint64_t frame_us;  /* the board's time in the last frame */
    uint64_t latest_us; /* and in any record */
    uint64_t clock_us;  /* and where the offset was looked at */
    uint64_t offset_ns; /* this machine's time less the board's */
    uint64_t last_ns;
    struct larch_sniff_serial_totals {
        uint64_t frames;
        uint64_t dropped;
        uint64_t lost;
        uint64_t damaged;
        uint64_t restarts;
    } totals; /* public */
    uint8_t bytes[LARCH_SNIFF_SERIAL_SNAPLEN];
} larch_sniff_serial;

void larch_sniff_serial_init(larch_sniff_serial *serial);

/* Takes bytes from *input, which moves on behind them, up to the next event; now_ns: when they were read, since 1970.
 * *item is zeroed but for what the event promises, and good until the next call. */
larch_sniff_serial_event larch_sniff_serial_next(larch_sniff_serial *serial, larch_bytes *input, uint64_t now_ns,
                                                 larch_sniff_serial_item *item);

#ifdef __cplusplus
}
#endif

#endif
