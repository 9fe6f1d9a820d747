/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines that leave in one write: the gateway gathers what a batch of datagrams
 * has to say and prints it before it answers any of them.
 */
#ifndef LARCH_APP_OUT_H
#define LARCH_APP_OUT_H

#include "larch/base.h"

#define LARCH_OUT_BYTES 65536
/* Every line is shorter: a text of LARCH_DIRECT_TEXT_MAX bytes, each escaped as \u00ff and given once more in hex. */
#define LARCH_OUT_LINE  (8 * LARCH_DIRECT_TEXT_MAX + 512)

typedef struct larch_out {
    int fd;
    int error; /* errno of the first write that failed; all later ones are left out */
    larch_writer writer;
    uint8_t bytes[LARCH_OUT_BYTES];
} larch_out;

void larch_out_init(larch_out *out, int fd);
/* The writer, with room for one more line. */
larch_writer *larch_out_line(larch_out *out);
/* Writes everything, waiting as long as a reader takes. false: out->error says why. */
bool larch_out_flush(larch_out *out);

#endif
