/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gateway board's 128x64 OLED and its LED on a terminal. The rows are those of firmware/drivers/screen.h, so
 * what is seen here is what a board shows.
 */
#ifndef LARCH_APP_DISPLAY_H
#define LARCH_APP_DISPLAY_H

#include "firmware/drivers/screen.h"

/* Lines that larch_display_draw prints: rows, frame, LED. */
#define LARCH_DISPLAY_LINES (LARCH_SCREEN_ROWS + 3)

/* A terminal has colours where the board's LED has patterns. */
typedef enum larch_display_led {
    LARCH_DISPLAY_LED_OFF,
    LARCH_DISPLAY_LED_ACCEPTED,
    LARCH_DISPLAY_LED_REFUSED
} larch_display_led;

/* What is shown. The views are used during the call alone. */
typedef struct larch_display {
    uint64_t accepted;  /* messages so far; 0: the screen waits for the first */
    larch_bytes text;   /* untrusted, of a message whose tag was verified */
    const char *sender; /* "127.0.0.1:40000" */
    const char *kem;    /* "ML-KEM-512" */
    larch_display_led led;
    const char *reason; /* why the LED is red */
} larch_display;

/* What the screen shows: the message, or that it waits for the first. */
void larch_display_render(const larch_display *d, larch_screen *screen);

/* The screen in its frame and the LED below, LARCH_DISPLAY_LINES lines. colour: the writer leads to a
 * terminal, so the LED may have its colour. */
void larch_display_draw(larch_writer *w, const larch_display *d, bool colour);

#endif
