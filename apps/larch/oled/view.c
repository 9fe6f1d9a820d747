/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "firmware/drivers/font.h"
#include "oled/view.h"
#include "text/text.h"

void larch_oled_look(const larch_ssd1306_model *model, larch_oled_picture *out)
{
    for (size_t y = 0; y < LARCH_OLED_HEIGHT; y++)
        for (size_t x = 0; x < LARCH_OLED_WIDTH; x++)
            out->lit[y][x] = larch_ssd1306_model_lit(model, x, y);
    out->on = model->on && model->charge_pump;
    out->inverse = model->inverse;
    out->scrolling = model->scrolling;
    out->contrast = model->contrast;
}

bool larch_oled_equal(const larch_oled_picture *a, const larch_oled_picture *b)
{
    return memcmp(a->lit, b->lit, sizeof a->lit) == 0 && a->on == b->on && a->inverse == b->inverse &&
           a->scrolling == b->scrolling && a->contrast == b->contrast;
}

size_t larch_oled_count_lit(const larch_oled_picture *p)
{
    size_t count = 0;
    for (size_t y = 0; y < LARCH_OLED_HEIGHT; y++)
        for (size_t x = 0; x < LARCH_OLED_WIDTH; x++)
            count += p->lit[y][x];
    return count;
}

/* ---- drawing ------------------------------------------------------------ */

typedef struct style {
    size_t width, height; /* pixels of a character */
    void (*put)(larch_writer *w, const larch_oled_picture *p, size_t x, size_t y);
} style;

/* Of the Basic Multilingual Plane past U+0800, as UTF-8. [RFC3629 3] */
static void put_character(larch_writer *w, unsigned c)
{
    larch_writer_put_u8(w, (uint8_t)(0xe0 | c >> 12));
    larch_writer_put_u8(w, (uint8_t)(0x80 | (c >> 6 & 63)));
    larch_writer_put_u8(w, (uint8_t)(0x80 | (c & 63)));
}

static void put_ascii(larch_writer *w, const larch_oled_picture *p, size_t x, size_t y)
{
    larch_writer_put_u8(w, p->lit[y][x] ? '#' : ' ');
}

static void put_block(larch_writer *w, const larch_oled_picture *p, size_t x, size_t y)
{
    static const unsigned blocks[] = {0, 0x2580, 0x2584, 0x2588}; /* upper half, lower half, both */
    unsigned which = p->lit[y][x] | (unsigned)p->lit[y + 1][x] << 1;
    if (which == 0)
        larch_writer_put_u8(w, ' ');
    else
        put_character(w, blocks[which]);
}

/* Dots 1 to 3 and 7 go down the left, 4 to 6 and 8 down the right; dot n is bit n - 1. */
static void put_braille(larch_writer *w, const larch_oled_picture *p, size_t x, size_t y)
{
    static const uint8_t dots[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    unsigned pattern = 0;
    for (size_t dy = 0; dy < 4; dy++)
        for (size_t dx = 0; dx < 2; dx++)
            pattern |= p->lit[y + dy][x + dx] ? dots[dy][dx] : 0u;
    put_character(w, 0x2800 + pattern);
}

static const style styles[] = {
    [LARCH_OLED_ASCII] = {1, 1, put_ascii},
    [LARCH_OLED_BLOCKS] = {1, 2, put_block},
    [LARCH_OLED_BRAILLE] = {2, 4, put_braille},
};

size_t larch_oled_lines(larch_oled_style which) { return LARCH_OLED_HEIGHT / styles[which].height + 2; }

size_t larch_oled_columns(larch_oled_style which) { return LARCH_OLED_WIDTH / styles[which].width + 2; }

static void put_frame(larch_writer *w, larch_oled_style which)
{
    larch_writer_put_u8(w, '+');
    for (size_t i = 2; i < larch_oled_columns(which); i++)
        larch_writer_put_u8(w, '-');
    larch_text_put(w, "+\n");
}

void larch_oled_draw(larch_writer *w, const larch_oled_picture *p, larch_oled_style which)
{
    const style *s = &styles[which];

    put_frame(w, which);
    for (size_t y = 0; y < LARCH_OLED_HEIGHT; y += s->height) {
        larch_writer_put_u8(w, '|');
        for (size_t x = 0; x < LARCH_OLED_WIDTH; x += s->width)
            s->put(w, p, x, y);
        larch_text_put(w, "|\n");
    }
    put_frame(w, which);
}

/* ---- reading ------------------------------------------------------------ */

#define CELL_WIDTH  6 /* a blank column, then the glyph's five */
#define CELL_HEIGHT 8
#define FIRST_X     1

static uint8_t pixels_of(const larch_oled_picture *p, size_t x, size_t y)
{
    uint8_t column = 0;
    for (size_t i = 0; i < CELL_HEIGHT; i++)
        column |= (uint8_t)(p->lit[y + i][x] << i);
    return column;
}

/* The driver leaves the upper line of a cell free, or the lower one. */
static bool fits(const uint8_t pixels[LARCH_FONT_WIDTH], const uint8_t *glyph)
{
    bool upper = true, lower = true;
    for (size_t i = 0; i < LARCH_FONT_WIDTH; i++) {
        upper &= pixels[i] == glyph[i];
        lower &= pixels[i] == (uint8_t)(glyph[i] << 1);
    }
    return upper || lower;
}

static char read_cell(const larch_oled_picture *p, size_t x, size_t y)
{
    uint8_t ground = pixels_of(p, x, y);
    uint8_t pixels[LARCH_FONT_WIDTH];

    if (ground != 0x00 && ground != 0xff)
        return '?';
    for (size_t i = 0; i < LARCH_FONT_WIDTH; i++)
        pixels[i] = pixels_of(p, x + 1 + i, y) ^ ground;
    for (uint8_t c = LARCH_FONT_FIRST; c <= LARCH_FONT_LAST; c++)
        if (fits(pixels, larch_font_glyph(c)))
            return (char)c;
    return '?';
}

void larch_oled_read(const larch_oled_picture *p, larch_screen *out)
{
    for (size_t row = 0; row < LARCH_SCREEN_ROWS; row++) {
        for (size_t column = 0; column < LARCH_SCREEN_COLUMNS; column++)
            out->rows[row][column] = read_cell(p, FIRST_X + column * CELL_WIDTH, row * CELL_HEIGHT);
        out->rows[row][LARCH_SCREEN_COLUMNS] = '\0';
    }
}
