/* SPDX-License-Identifier: Apache-2.0 */
/* What the model of a board's display shows, as text for people and for programs. */
#ifndef LARCH_APP_OLED_VIEW_H
#define LARCH_APP_OLED_VIEW_H

#include "firmware/drivers/screen.h"
#include "firmware/model/ssd1306_model.h"

#define LARCH_OLED_WIDTH  LARCH_SSD1306_MODEL_WIDTH
#define LARCH_OLED_HEIGHT LARCH_SSD1306_MODEL_HEIGHT

/* The panel at one time, as a person sees it. */
typedef struct larch_oled_picture {
    bool lit[LARCH_OLED_HEIGHT][LARCH_OLED_WIDTH];
    bool on, inverse, scrolling; /* scrolling: asked for, but not shown */
    uint8_t contrast;
} larch_oled_picture;

void larch_oled_look(const larch_ssd1306_model *model, larch_oled_picture *out);
bool larch_oled_equal(const larch_oled_picture *a, const larch_oled_picture *b);
size_t larch_oled_count_lit(const larch_oled_picture *p);

typedef enum larch_oled_style {
    LARCH_OLED_ASCII,  /* 128 characters a line, a line each: '#' is lit */
    LARCH_OLED_BLOCKS, /* 128 half blocks a line */
    LARCH_OLED_BRAILLE /* 64 patterns of 2x4 dots a line */
} larch_oled_style;

/* Lines of larch_oled_draw, its frame included; and characters of a line. */
size_t larch_oled_lines(larch_oled_style which);
size_t larch_oled_columns(larch_oled_style which);
#define LARCH_OLED_DRAW_MAX 16384 /* bytes: always enough */

void larch_oled_draw(larch_writer *w, const larch_oled_picture *p, larch_oled_style which);

/* Reads the text back, cell by cell, by the font of the driver; light on dark or dark on light, '?' where no character
 * fits. */
void larch_oled_read(const larch_oled_picture *p, larch_screen *out);

#endif
