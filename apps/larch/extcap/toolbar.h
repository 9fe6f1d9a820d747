/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The toolbar that Wireshark shows for a sniffer board, over two pipes of its own (sniff/serial/toolbar.h). What a person sets becomes a control line; what the board tells becomes what the toolbar shows.
 */
#ifndef LARCH_EXTCAP_TOOLBAR_H
#define LARCH_EXTCAP_TOOLBAR_H

#include <stdio.h>

#include "sniff/serial/toolbar.h"
#include "sniff/tap.h" /* extcap is another face of sniff */

typedef struct larch_toolbar {
    int in;  /* to wait for: when it can be read, larch_toolbar_obey takes what was set; -1: there is no toolbar */
    int out; /* private, and all below */
    larch_sniff_toolbar_reader reader;
    bool shown; /* something of the board is shown yet */
    uint8_t channel;
    uint16_t snap;
    bool running;
    uint32_t dropped;
} larch_toolbar;

/* Prints what Wireshark builds the toolbar from, among the sentences about interfaces. */
void larch_toolbar_print(FILE *file);

/* Names of the pipes; NULL: no toolbar. False: they cannot be opened (errno). */
bool larch_toolbar_open(larch_toolbar *t, const char *in, const char *out);
/* Reads what was set meanwhile and tells the board. Never waits. */
void larch_toolbar_obey(larch_toolbar *t, larch_tap *tap);
/* Shows how the board fares, where that changed. */
void larch_toolbar_status(larch_toolbar *t, const larch_serial_record_status *status);
/* Puts a line into the log; an error is shown in the status bar too. */
void larch_toolbar_talk(larch_toolbar *t, larch_bytes talk);
void larch_toolbar_close(larch_toolbar *t);

#endif
