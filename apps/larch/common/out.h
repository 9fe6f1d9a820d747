/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines that leave in one write: the gateway gathers what a batch of datagrams
 * has to say and prints it before it answers any of them. A reader that is slow
 * stops nothing: lines wait for it in a buffer, and those that find no room in it are counted.
 */
#ifndef LARCH_APP_OUT_H
#define LARCH_APP_OUT_H

#include "larch/base.h"

/* At least half of it waits for a slow reader; memory that nobody needs is not touched. */
#define LARCH_OUT_BYTES (1u << 19)
/* Every line is shorter: a text of LARCH_DIRECT_TEXT_MAX bytes, each escaped as \u00ff and given once more in hex. */
#define LARCH_OUT_LINE  (8 * LARCH_DIRECT_TEXT_MAX + 512)

typedef struct larch_out {
    int fd;
    int error;        /* errno of the first write that failed; all later ones are left out */
    bool in_pieces;   /* a pipe or a socket: see out.c */
    uint64_t dropped; /* lines that found no room; the caller may take it back to 0 */
    size_t done;      /* bytes at the front that are written */
    larch_writer writer;
    larch_writer nowhere; /* where dropped lines go */
    uint8_t bytes[LARCH_OUT_BYTES];
} larch_out;

/* fd is used, and not closed. A terminal is opened anew, not to block. */
void larch_out_init(larch_out *out, int fd);
/* The writer, for one more line, whether there is room for it or not. */
larch_writer *larch_out_line(larch_out *out);
bool larch_out_has_room(larch_out *out);
/* Writes what the reader takes, without waiting for it. false: out->error says why. */
bool larch_out_flush(larch_out *out);
/* Whether bytes wait for the reader: flush when fd can be written. */
bool larch_out_waits(const larch_out *out);
/* Writes everything if the reader takes it within so much time. false: it did not, or out->error. */
bool larch_out_finish(larch_out *out, unsigned ms);

#endif
