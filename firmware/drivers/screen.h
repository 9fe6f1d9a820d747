/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a board shows on its 128x64 display, as rows of text: a title, a body, two rows at the foot. Decided without
 * a display, so that the program on a PC shows the same and tests can read it.
 */
#ifndef LARCH_SCREEN_H
#define LARCH_SCREEN_H

#include "ssd1306.h"

#define LARCH_SCREEN_ROWS    LARCH_SSD1306_ROWS
#define LARCH_SCREEN_COLUMNS LARCH_SSD1306_COLUMNS

/* Each row is LARCH_SCREEN_COLUMNS printable ASCII characters and a 0. */
typedef struct larch_screen {
    char rows[LARCH_SCREEN_ROWS][LARCH_SCREEN_COLUMNS + 1];
} larch_screen;

/* The functions below fill the whole screen. Strings may be NULL, for an empty row; one that is too long keeps its end
 * after "..", which tells addresses of one network apart. Text may be any bytes: it breaks at spaces where it can, what
 * does not fit ends in "..", and each
 * character that is not printable ASCII comes out as one '?', UTF-8 or not. */

/* A message: its number in the title, five rows of text, then sender ("192.0.2.7:40000") and parameter set
 * ("ML-KEM-512"). text is untrusted, and the caller's word that its tag was verified. */
void larch_screen_show_message(larch_screen *screen, uint64_t number, larch_bytes text, const char *sender,
                               const char *kem);
/* No message yet: where this board is reached, and the set it prefers. */
void larch_screen_show_waiting(larch_screen *screen, const char *address, const char *kem);
/* Just started: as what ("gateway"), what it does now ("asking for an address"), on which board. */
void larch_screen_show_start(larch_screen *screen, const char *role, const char *step, const char *board);
/* It cannot go on: why, and what a person can do about it. */
void larch_screen_show_error(larch_screen *screen, larch_bytes why, const char *remedy);

/* Puts the screen on a display, its title on light ground, and flushes. As larch_ssd1306_flush. */
LARCH_MUST_USE larch_error larch_screen_send(const larch_screen *screen, larch_ssd1306 *display);

#endif
