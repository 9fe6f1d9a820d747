/* SPDX-License-Identifier: Apache-2.0 */
/* The device behind a serial line: a terminal device, or what stands for one (a FIFO, a file, a Unix socket). */
#ifndef LARCH_SNIFF_PORT_H
#define LARCH_SNIFF_PORT_H

#include "larch/base.h"
#include "sniff/capture/trouble.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LARCH_SNIFF_PORT_BAUD 2000000

typedef struct larch_sniff_port {
    int fd;        /* to poll for reading; never blocks */
    bool two_ways; /* the board can be told something */
    bool may_end;  /* private, and below: a file's end is an end; a device's is a fault */
    bool exclusive;
} larch_sniff_port;

/* Opens it raw, 8N1 without flow control; baud matters to terminal devices alone. A terminal device or FIFO is then this
 * process's alone, and is refused while another reads it. LARCH_SPACE: no such baud rate; LARCH_PLATFORM: *trouble. */
LARCH_MUST_USE larch_error larch_sniff_port_open(larch_sniff_port *port, const char *path, unsigned long baud,
                                                 larch_sniff_trouble *trouble);

/* Takes what has come, and does not wait. LARCH_OK: *len bytes came; LARCH_AGAIN: none; LARCH_SPENT: the file is at its
 * end; LARCH_PLATFORM: the line is gone: *trouble. */
LARCH_MUST_USE larch_error larch_sniff_port_read(larch_sniff_port *port, uint8_t *out, size_t cap, size_t *len,
                                                 larch_sniff_trouble *trouble);

/* Sends a control line, which gets its end. LARCH_STATE: this port goes one way only; LARCH_SPACE: too long; LARCH_PLATFORM: it is gone or
 * stands still. */
LARCH_MUST_USE larch_error larch_sniff_port_tell(larch_sniff_port *port, const char *text);

void larch_sniff_port_close(larch_sniff_port *port);

#ifdef __cplusplus
}
#endif

#endif
