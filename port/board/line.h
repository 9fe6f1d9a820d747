/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The serial line of board.h for boards whose chip holds but a few bytes: a ring each way, in front of what the chip's
 * driver can do.
 *
 * Emulated chips send at any speed. So that a full line looks as on hardware, no more is let out than LARCH_BOARD_BAUD
 * could have carried: each byte takes the line for ten bits, and of the time in which nothing was sent at most a
 * millisecond is made up for, which is what a real chip's interrupts would have sent since the last tick.
 *
 * The other way nothing more is taken from the chip while its ring is full, as with RTS/CTS: an emulator's host then
 * waits, nothing is lost.
 */
#ifndef LARCH_BOARD_LINE_H
#define LARCH_BOARD_LINE_H

#include "larch/base.h"

#define LARCH_LINE_TX_LEN 2048u
#define LARCH_LINE_RX_LEN 512u

/* All are called with interrupts off. */
typedef struct larch_line_chip {
    size_t (*room)(void);        /* bytes it takes now, as far as is known */
    void (*put)(uint8_t byte);   /* after room said so */
    bool (*take)(uint8_t *byte); /* one that arrived; false: none */
    bool (*idle)(void);          /* all that was put has left it */
    /* Interrupt when there is room again, and when a byte arrives. Called when either changes. */
    void (*want)(bool room, bool arrival);
} larch_line_chip;

/* Before any call of board.h's line; the chip is ready, and raises no interrupts yet. */
void larch_line_start(const larch_line_chip *chip);

/* From the chip's interrupt, and each millisecond. */
void larch_line_serve(void);

#endif
