/* SPDX-License-Identifier: Apache-2.0 */
/* Commands and their values by the data sheet, SSD1306 revision 1.1: [9] tables, [10] descriptions. */
#include <string.h>

#include "font.h"
#include "ssd1306.h"

#define CELL_WIDTH   6
#define FIRST_X      1    /* of cell 0, after the left one of the two columns left over */
#define CELL_PICTURE 0x00 /* holds pixels that larch_ssd1306_draw sent */
#define CELL_UNKNOWN 0x01 /* shown alone: differs from everything wanted */
#define CELL_INVERSE 0x80
#define CELL_UNFIT   0x7f /* for bytes that the font does not have, whose meaning here is another */
#define TRANSFER_MAX (1 + LARCH_SSD1306_WIDTH)

/* The control byte of a transfer that holds commands, or pixels, alone. [8.1.5.2] */
enum { CONTROL_COMMANDS = 0x00, CONTROL_PIXELS = 0x40 };

enum {
    COMMAND_CONTRAST = 0x81,
    COMMAND_NORMAL = 0xa6, /* | 1: inverse */
    COMMAND_OFF = 0xae,    /* | 1: on */
    COMMAND_PAGE = 0xb0,   /* | page, in page addressing mode, as the next two */
    COMMAND_COLUMN_LOW = 0x00,
    COMMAND_COLUMN_HIGH = 0x10
};

/* All that the power-on state does not already give surely, for the common module: 64 lines, the charge pump in use,
 * upright when its pins are at the top. Memory holds noise, so the panel stays off. */
static const uint8_t initialise[] = {
    CONTROL_COMMANDS,
    0xe3, /* nothing: a parameter for the command that a restart of the board may have cut short */
    COMMAND_OFF,
    0xd5,
    0x80, /* clock: divided by 1, the default oscillator */
    0xa8,
    63, /* multiplex: 64 lines */
    0xd3,
    0,    /* display offset */
    0x40, /* start line 0 */
    0x8d,
    0x14, /* charge pump on */
    0x20,
    0x02, /* memory mode: page addressing */
    0xa1, /* segment remap: column 127 is segment 0 */
    0xc8, /* COM scan direction: remapped */
    0xda,
    0x12, /* COM pins: alternative, not exchanged */
    0xd9,
    0xf1, /* pre-charge for 1 clock, discharge for 15 */
    0xdb,
    0x20, /* VCOMH deselected at 0.77 VCC */
    0x2e, /* no scrolling */
    0xa4, /* resume: show memory */
};

void larch_ssd1306_init(larch_ssd1306 *d, larch_ssd1306_write write, void *context)
{
    memset(d, 0, sizeof *d);
    d->write = write;
    d->context = context;
    d->wanted_panel = (struct larch_ssd1306_panel){.contrast = LARCH_SSD1306_CONTRAST, .on = true};
    larch_ssd1306_clear(d);
}

/* ---- into memory -------------------------------------------------------- */

void larch_ssd1306_clear(larch_ssd1306 *d)
{
    memset(d->wanted, ' ', sizeof d->wanted);
    d->row = d->column = 0;
    d->marked = false;
}

larch_error larch_ssd1306_move(larch_ssd1306 *d, size_t row, size_t column)
{
    if (row >= LARCH_SSD1306_ROWS || column >= LARCH_SSD1306_COLUMNS)
        return LARCH_SPACE;
    d->row = (uint8_t)row;
    d->column = (uint8_t)column;
    return LARCH_OK;
}

void larch_ssd1306_mark(larch_ssd1306 *d, bool on) { d->marked = on; }

void larch_ssd1306_put(larch_ssd1306 *d, larch_bytes text)
{
    for (size_t i = 0; i < text.len && d->column < LARCH_SSD1306_COLUMNS; i++) {
        uint8_t byte = text.data[i];
        uint8_t cell = byte >= LARCH_FONT_FIRST && byte <= LARCH_FONT_LAST ? byte : CELL_UNFIT;
        d->wanted[d->row][d->column++] = (uint8_t)(cell | (d->marked ? CELL_INVERSE : 0));
    }
}

void larch_ssd1306_set_inverse(larch_ssd1306 *d, bool on) { d->wanted_panel.inverse = on; }
void larch_ssd1306_set_contrast(larch_ssd1306 *d, uint8_t contrast) { d->wanted_panel.contrast = contrast; }
void larch_ssd1306_set_sleep(larch_ssd1306 *d, bool on) { d->wanted_panel.on = !on; }

/* ---- onto the bus ------------------------------------------------------- */

static larch_error send(larch_ssd1306 *d, const uint8_t *bytes, size_t len)
{
    if (d->write(d->context, LARCH_SSD1306_ADDRESS, (larch_bytes){bytes, len}) == LARCH_OK)
        return LARCH_OK;
    d->ready = false;
    return LARCH_PLATFORM;
}

static larch_error send_place(larch_ssd1306 *d, size_t row, size_t x)
{
    const uint8_t commands[] = {CONTROL_COMMANDS, (uint8_t)(COMMAND_PAGE | row),
                                (uint8_t)(COMMAND_COLUMN_LOW | (x & 15)), (uint8_t)(COMMAND_COLUMN_HIGH | x >> 4)};
    return send(d, commands, sizeof commands);
}

static larch_error begin(larch_ssd1306 *d)
{
    if (d->ready)
        return LARCH_OK;
    larch_error r = send(d, initialise, sizeof initialise);
    if (r != LARCH_OK)
        return r;
    memset(d->shown, CELL_UNKNOWN, sizeof d->shown);
    /* The panel's state is known, but for its contrast and inversion, which thus have to differ. */
    d->shown_panel = (struct larch_ssd1306_panel){
        .contrast = (uint8_t)~d->wanted_panel.contrast, .inverse = !d->wanted_panel.inverse, .on = false};
    d->ready = true;
    return LARCH_OK;
}

/* A blank column, then the glyph's. Glyphs leave one line of a cell free: the upper one, but the lower one of a marked cell,
 * so that a marked title and the text below it do not touch. */
static void compose_cell(larch_writer *w, size_t column, uint8_t cell)
{
    bool marked = (cell & CELL_INVERSE) != 0;
    uint8_t ground = marked ? 0xff : 0x00;
    const uint8_t *glyph = larch_font_glyph(cell == CELL_PICTURE ? ' ' : cell & 0x7f);

    if (column == 0)
        larch_writer_put_u8(w, ground);
    larch_writer_put_u8(w, ground);
    for (size_t i = 0; i < LARCH_FONT_WIDTH; i++)
        larch_writer_put_u8(w, (uint8_t)(marked ? ~glyph[i] : glyph[i] << 1));
    if (column == LARCH_SSD1306_COLUMNS - 1)
        larch_writer_put_u8(w, ground);
}

/* Cells from column on that differ, in one transfer; *column moves behind them. */
static larch_error send_run(larch_ssd1306 *d, size_t row, size_t *column)
{
    uint8_t transfer[TRANSFER_MAX];
    larch_writer w = larch_writer_to(transfer, sizeof transfer);
    size_t first = *column;
    size_t end = first;

    larch_writer_put_u8(&w, CONTROL_PIXELS);
    for (; end < LARCH_SSD1306_COLUMNS && d->wanted[row][end] != d->shown[row][end]; end++)
        compose_cell(&w, end, d->wanted[row][end]);
    larch_error r = send_place(d, row, first == 0 ? 0 : FIRST_X + first * CELL_WIDTH);
    if (r != LARCH_OK || (r = send(d, transfer, w.len)) != LARCH_OK)
        return r;
    memcpy(d->shown[row] + first, d->wanted[row] + first, end - first);
    *column = end;
    return LARCH_OK;
}

static larch_error send_cells(larch_ssd1306 *d)
{
    for (size_t row = 0; row < LARCH_SSD1306_ROWS; row++)
        for (size_t column = 0; column < LARCH_SSD1306_COLUMNS;) {
            if (d->wanted[row][column] == d->shown[row][column]) {
                column++;
                continue;
            }
            larch_error r = send_run(d, row, &column);
            if (r != LARCH_OK)
                return r;
        }
    return LARCH_OK;
}

static larch_error send_panel(larch_ssd1306 *d)
{
    uint8_t commands[5] = {CONTROL_COMMANDS};
    larch_writer w = {commands, sizeof commands, 1};
    const struct larch_ssd1306_panel *wanted = &d->wanted_panel;

    if (wanted->contrast != d->shown_panel.contrast) {
        larch_writer_put_u8(&w, COMMAND_CONTRAST);
        larch_writer_put_u8(&w, wanted->contrast);
    }
    if (wanted->inverse != d->shown_panel.inverse)
        larch_writer_put_u8(&w, (uint8_t)(COMMAND_NORMAL | wanted->inverse));
    if (wanted->on != d->shown_panel.on)
        larch_writer_put_u8(&w, (uint8_t)(COMMAND_OFF | wanted->on));
    if (w.len == 1)
        return LARCH_OK;
    larch_error r = send(d, commands, w.len);
    if (r == LARCH_OK)
        d->shown_panel = *wanted;
    return r;
}

larch_error larch_ssd1306_flush(larch_ssd1306 *d)
{
    larch_error r;

    if ((r = begin(d)) != LARCH_OK || (r = send_cells(d)) != LARCH_OK || (r = send_panel(d)) != LARCH_OK)
        return r;
    return LARCH_OK;
}

/* The cell that a column of pixels belongs to. */
static size_t column_of(size_t x)
{
    size_t column = x < FIRST_X ? 0 : (x - FIRST_X) / CELL_WIDTH;
    return column < LARCH_SSD1306_COLUMNS ? column : LARCH_SSD1306_COLUMNS - 1;
}

larch_error larch_ssd1306_draw(larch_ssd1306 *d, size_t row, size_t x, larch_bytes columns)
{
    uint8_t transfer[TRANSFER_MAX] = {CONTROL_PIXELS};
    larch_error r;

    if (row >= LARCH_SSD1306_ROWS || x > LARCH_SSD1306_WIDTH || columns.len > LARCH_SSD1306_WIDTH - x)
        return LARCH_SPACE;
    if (columns.len == 0)
        return larch_ssd1306_flush(d);
    memcpy(transfer + 1, columns.data, columns.len);
    if ((r = larch_ssd1306_flush(d)) != LARCH_OK || (r = send_place(d, row, x)) != LARCH_OK ||
        (r = send(d, transfer, 1 + columns.len)) != LARCH_OK)
        return r;
    size_t first = column_of(x);
    size_t count = column_of(x + columns.len - 1) - first + 1;
    memset(d->wanted[row] + first, CELL_PICTURE, count);
    memset(d->shown[row] + first, CELL_PICTURE, count);
    return LARCH_OK;
}
