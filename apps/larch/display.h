/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gateway board's 128x64 OLED and its LED, as text: what a board shows is
 * decided here without a terminal, so that it can be tested.
 */
#ifndef LARCH_APP_DISPLAY_H
#define LARCH_APP_DISPLAY_H

#include "larch/base.h"

#define LARCH_DISPLAY_ROWS    8  /* 64 pixels in cells of 8 */
#define LARCH_DISPLAY_COLUMNS 21 /* 128 pixels in cells of 6 */
/* Lines that larch_display_draw prints: rows, frame, LED. */
#define LARCH_DISPLAY_LINES   (LARCH_DISPLAY_ROWS + 3)

typedef enum larch_led { LARCH_LED_OFF, LARCH_LED_ACCEPTED, LARCH_LED_REFUSED } larch_led;

/* What is shown. The views are used during the call alone. */
typedef struct larch_display {
    uint64_t accepted;  /* messages so far; 0: the screen waits for the first */
    larch_bytes text;   /* untrusted, of a message whose tag was verified */
    const char *sender; /* "127.0.0.1:40000" */
    const char *kem;    /* "ML-KEM-512" */
    larch_led led;
    const char *reason; /* why the LED is red */
} larch_display;

/* The 8 rows: title, five of message, sender, parameter set. Each is 21 printable ASCII characters
 * and a 0; any other byte of the text comes out as '?'. Lines break at spaces where
 * they can; what does not fit ends in "..". */
void larch_display_render(const larch_display *d, char rows[LARCH_DISPLAY_ROWS][LARCH_DISPLAY_COLUMNS + 1]);

/* The screen in its frame and the LED below, LARCH_DISPLAY_LINES lines. colour: the writer leads to a
 * terminal, so the LED may have its colour. */
void larch_display_draw(larch_writer *w, const larch_display *d, bool colour);

#endif
