/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A display of 128x64 pixels with the controller SSD1306 on an I2C bus, as 8 rows of 21 cells of 6x8 pixels. Text is
 * put into cells in memory; a flush sends the cells that differ from what the display shows, and nothing else.
 *
 * The two columns that 21 cells leave over continue the first and the last cell, so an inverse row reaches both edges.
 */
#ifndef LARCH_SSD1306_H
#define LARCH_SSD1306_H

#include "larch/base.h"

#define LARCH_SSD1306_ADDRESS  0x3c /* with the address pin low, as modules come */
#define LARCH_SSD1306_ROWS     8
#define LARCH_SSD1306_COLUMNS  21
#define LARCH_SSD1306_WIDTH    128
#define LARCH_SSD1306_CONTRAST 0xcf /* until another is set */

/* One write transfer to a 7-bit address; as larch_board_i2c_write. Any error counts as not acknowledged. */
typedef larch_error (*larch_ssd1306_write)(void *context, uint8_t address, larch_bytes bytes);

/* Fields are private. */
typedef struct larch_ssd1306 {
    larch_ssd1306_write write;
    void *context;
    uint8_t wanted[LARCH_SSD1306_ROWS][LARCH_SSD1306_COLUMNS]; /* characters; the high bit is inverse */
    uint8_t shown[LARCH_SSD1306_ROWS][LARCH_SSD1306_COLUMNS];
    uint8_t row, column; /* of the cursor */
    bool marked;
    bool ready; /* initialised since the last error */
    struct larch_ssd1306_panel {
        uint8_t contrast;
        bool inverse, on;
    } wanted_panel, shown_panel;
} larch_ssd1306;

_Static_assert(sizeof(larch_ssd1306) <= 384, "RAM budget");

/* Sends nothing yet: the first flush initialises the display. All cells are empty. */
void larch_ssd1306_init(larch_ssd1306 *display, larch_ssd1306_write write, void *context);

/* ---- into memory -------------------------------------------------------- */

/* Empties all cells; the cursor goes to the start and marking ends. Pictures are forgotten. */
void larch_ssd1306_clear(larch_ssd1306 *display);
/* Where the next text begins; a place outside the cells is LARCH_SPACE and moves nothing. */
LARCH_MUST_USE larch_error larch_ssd1306_move(larch_ssd1306 *display, size_t row, size_t column);
/* Whether the text put from now on is dark on light. */
void larch_ssd1306_mark(larch_ssd1306 *display, bool on);
/* Puts text at the cursor, which moves behind it. What goes past the end of the row is left out; a byte that is not
 * printable ASCII is shown as a box. */
void larch_ssd1306_put(larch_ssd1306 *display, larch_bytes text);

/* The whole panel: pixels turned over, brightness, and sleep, in which it keeps what it shows but is dark. */
void larch_ssd1306_set_inverse(larch_ssd1306 *display, bool on);
void larch_ssd1306_set_contrast(larch_ssd1306 *display, uint8_t contrast);
void larch_ssd1306_set_sleep(larch_ssd1306 *display, bool on);

/* ---- onto the bus ------------------------------------------------------- */

/* Sends what changed. A display that is not initialised is so first, and lit only once all its cells are sent.
 * LARCH_PLATFORM: nobody acknowledged; the next flush initialises again and sends everything. */
LARCH_MUST_USE larch_error larch_ssd1306_flush(larch_ssd1306 *display);

/* Sends columns of pixels (the upper one in the low bit) into a row of cells, from pixel x on, past memory: the cells
 * that they touch are left alone until text is put there or the display cleared. An initialisation after an error
 * empties them. Flushes first.
 * LARCH_SPACE: they do not fit the row, nothing was sent. LARCH_PLATFORM: as above. */
LARCH_MUST_USE larch_error larch_ssd1306_draw(larch_ssd1306 *display, size_t row, size_t x, larch_bytes columns);

#endif
