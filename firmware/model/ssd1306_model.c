/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "firmware/model/ssd1306_model.h"

#define WIDTH  LARCH_SSD1306_MODEL_WIDTH
#define HEIGHT LARCH_SSD1306_MODEL_HEIGHT
#define PAGES  LARCH_SSD1306_MODEL_PAGES

const char *larch_ssd1306_fault_text(larch_ssd1306_fault fault)
{
#define TEXT(name, text) [LARCH_SSD1306_FAULT_##name] = (text),
    static const char *const texts[] = {LARCH_SSD1306_FAULTS(TEXT)};
#undef TEXT
    return texts[fault];
}

/* The reset values of the command table. [Table 9-1] */
void larch_ssd1306_model_reset(larch_ssd1306_model *m)
{
    uint32_t noise = 1306;

    memset(m, 0, sizeof *m);
    for (size_t page = 0; page < PAGES; page++)
        for (size_t segment = 0; segment < WIDTH; segment++) {
            noise = noise * 1664525 + 1013904223;
            m->ram[page][segment] = (uint8_t)(noise >> 24);
        }
    m->mode = LARCH_SSD1306_PAGE;
    m->column_end = WIDTH - 1;
    m->page_end = PAGES - 1;
    m->multiplex = HEIGHT;
    m->com_alternative = true;
    m->contrast = 0x7f;
}

static void note(larch_ssd1306_model *m, larch_ssd1306_fault fault)
{
    m->faults++;
    m->fault = fault;
}

/* ---- commands ----------------------------------------------------------- */

/* Each takes the command with its parameters; bits that the table marks "don't care" are left out. false: a parameter
 * that is ruled out. */

static bool set_column_low(larch_ssd1306_model *m, const uint8_t *c)
{
    m->page_mode_column = (uint8_t)((m->page_mode_column & 0x70) | (c[0] & 15));
    m->column = m->page_mode_column;
    return true;
}

static bool set_column_high(larch_ssd1306_model *m, const uint8_t *c)
{
    if ((c[0] & 8) != 0) /* there are 128 columns */
        return false;
    m->page_mode_column = (uint8_t)((m->page_mode_column & 15) | (c[0] & 7) << 4);
    m->column = m->page_mode_column;
    return true;
}

static bool set_page(larch_ssd1306_model *m, const uint8_t *c)
{
    m->page = c[0] & 7;
    return true;
}

static bool set_mode(larch_ssd1306_model *m, const uint8_t *c)
{
    if ((c[1] & 3) == 3)
        return false;
    m->mode = (larch_ssd1306_mode)(c[1] & 3);
    return true;
}

static bool set_columns(larch_ssd1306_model *m, const uint8_t *c)
{
    uint8_t start = c[1] & 0x7f, end = c[2] & 0x7f;
    if (start > end)
        return false;
    m->column = m->column_start = start;
    m->column_end = end;
    return true;
}

static bool set_pages(larch_ssd1306_model *m, const uint8_t *c)
{
    uint8_t start = c[1] & 7, end = c[2] & 7;
    if (start > end)
        return false;
    m->page = m->page_start = start;
    m->page_end = end;
    return true;
}

static bool set_horizontal_scroll(larch_ssd1306_model *m, const uint8_t *c)
{
    (void)m;
    return c[1] == 0 && (c[2] & 7) <= (c[4] & 7) && c[5] == 0 && c[6] == 0xff;
}

static bool set_diagonal_scroll(larch_ssd1306_model *m, const uint8_t *c)
{
    (void)m;
    return c[1] == 0 && (c[2] & 7) <= (c[4] & 7) && (c[5] & 63) != 0;
}

static bool set_scrolling(larch_ssd1306_model *m, const uint8_t *c)
{
    m->scrolling = (c[0] & 1) != 0;
    return true;
}

/* The rows above the area and in it are no more than are driven. [10.2.5] */
static bool set_scroll_area(larch_ssd1306_model *m, const uint8_t *c)
{
    return (c[1] & 63) + (c[2] & 127) <= m->multiplex;
}

static bool set_start_line(larch_ssd1306_model *m, const uint8_t *c)
{
    m->start_line = c[0] & 63;
    return true;
}

static bool set_contrast(larch_ssd1306_model *m, const uint8_t *c)
{
    m->contrast = c[1];
    return true;
}

static bool set_charge_pump(larch_ssd1306_model *m, const uint8_t *c)
{
    if ((c[1] & 0x3b) != 0x10)
        return false;
    m->charge_pump = (c[1] & 4) != 0;
    return true;
}

static bool set_segment_remap(larch_ssd1306_model *m, const uint8_t *c)
{
    m->segment_remap = (c[0] & 1) != 0;
    return true;
}

static bool set_all_on(larch_ssd1306_model *m, const uint8_t *c)
{
    m->all_on = (c[0] & 1) != 0;
    return true;
}

static bool set_inverse(larch_ssd1306_model *m, const uint8_t *c)
{
    m->inverse = (c[0] & 1) != 0;
    return true;
}

static bool set_multiplex(larch_ssd1306_model *m, const uint8_t *c)
{
    uint8_t lines = (uint8_t)((c[1] & 63) + 1);
    if (lines < 16)
        return false;
    m->multiplex = lines;
    return true;
}

static bool set_on(larch_ssd1306_model *m, const uint8_t *c)
{
    m->on = (c[0] & 1) != 0;
    return true;
}

static bool set_com_remap(larch_ssd1306_model *m, const uint8_t *c)
{
    m->com_remap = (c[0] & 8) != 0;
    return true;
}

static bool set_offset(larch_ssd1306_model *m, const uint8_t *c)
{
    m->offset = c[1] & 63;
    return true;
}

/* Both phases are at least one clock. */
static bool set_precharge(larch_ssd1306_model *m, const uint8_t *c)
{
    (void)m;
    return (c[1] & 0x0f) != 0 && (c[1] & 0xf0) != 0;
}

static bool set_com_pins(larch_ssd1306_model *m, const uint8_t *c)
{
    if ((c[1] & ~0x30) != 0x02)
        return false;
    m->com_alternative = (c[1] & 0x10) != 0;
    m->com_exchanged = (c[1] & 0x20) != 0;
    return true;
}

static bool set_vcomh(larch_ssd1306_model *m, const uint8_t *c)
{
    (void)m;
    return (c[1] & 0x8f) == 0;
}

static bool do_nothing(larch_ssd1306_model *m, const uint8_t *c)
{
    (void)m;
    (void)c;
    return true;
}

typedef struct command {
    uint8_t first, last; /* first bytes */
    uint8_t parameters;
    bool page_mode_only;
    bool (*run)(larch_ssd1306_model *m, const uint8_t *c);
} command;

static const command commands[] = {
    {0x00, 0x0f, 0, true, set_column_low},
    {0x10, 0x1f, 0, true, set_column_high},
    {0x20, 0x20, 1, false, set_mode},
    {0x21, 0x21, 2, false, set_columns},
    {0x22, 0x22, 2, false, set_pages},
    {0x26, 0x27, 6, false, set_horizontal_scroll},
    {0x29, 0x2a, 5, false, set_diagonal_scroll},
    {0x2e, 0x2f, 0, false, set_scrolling},
    {0x40, 0x7f, 0, false, set_start_line},
    {0x81, 0x81, 1, false, set_contrast},
    {0x8d, 0x8d, 1, false, set_charge_pump},
    {0xa0, 0xa1, 0, false, set_segment_remap},
    {0xa3, 0xa3, 2, false, set_scroll_area},
    {0xa4, 0xa5, 0, false, set_all_on},
    {0xa6, 0xa7, 0, false, set_inverse},
    {0xa8, 0xa8, 1, false, set_multiplex},
    {0xae, 0xaf, 0, false, set_on},
    {0xb0, 0xb7, 0, true, set_page},
    {0xc0, 0xc0, 0, false, set_com_remap},
    {0xc8, 0xc8, 0, false, set_com_remap},
    {0xd3, 0xd3, 1, false, set_offset},
    {0xd5, 0xd5, 1, false, do_nothing}, /* clock */
    {0xd9, 0xd9, 1, false, set_precharge},
    {0xda, 0xda, 1, false, set_com_pins},
    {0xdb, 0xdb, 1, false, set_vcomh},
    {0xe3, 0xe3, 0, false, do_nothing},
};

static const command *find(uint8_t byte)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (byte >= commands[i].first && byte <= commands[i].last)
            return &commands[i];
    return NULL;
}

static void take_command(larch_ssd1306_model *m, uint8_t byte)
{
    m->command[m->command_len++] = byte;
    const command *c = find(m->command[0]);
    if (c != NULL && m->command_len <= c->parameters)
        return;
    m->command_len = 0;
    if (c == NULL)
        note(m, LARCH_SSD1306_FAULT_COMMAND);
    else if (c->page_mode_only && m->mode != LARCH_SSD1306_PAGE)
        note(m, LARCH_SSD1306_FAULT_MODE);
    else if (!c->run(m, m->command))
        note(m, LARCH_SSD1306_FAULT_PARAMETER);
}

/* ---- pixels ------------------------------------------------------------- */

/* [10.1.3] */
static void advance(larch_ssd1306_model *m)
{
    bool column_ends = m->column == (m->mode == LARCH_SSD1306_PAGE ? WIDTH - 1 : m->column_end);
    bool page_ends = m->page == m->page_end;
    uint8_t next_column = (m->column + 1) & (WIDTH - 1);
    uint8_t next_page = (m->page + 1) & (PAGES - 1);

    switch (m->mode) {
    case LARCH_SSD1306_PAGE:
        m->column = column_ends ? m->page_mode_column : next_column;
        break;
    case LARCH_SSD1306_HORIZONTAL:
        m->column = column_ends ? m->column_start : next_column;
        if (column_ends)
            m->page = page_ends ? m->page_start : next_page;
        break;
    case LARCH_SSD1306_VERTICAL:
        m->page = page_ends ? m->page_start : next_page;
        if (page_ends)
            m->column = column_ends ? m->column_start : next_column;
        break;
    }
}

static void take_pixels(larch_ssd1306_model *m, uint8_t byte)
{
    uint16_t place = (uint16_t)(m->page * WIDTH + m->column);

    if (m->command_len > 0) {
        m->command_len = 0;
        note(m, LARCH_SSD1306_FAULT_UNFINISHED);
    }
    if (place <= m->last_place && m->mode != LARCH_SSD1306_VERTICAL)
        m->backward++;
    m->last_place = place;
    /* The remap acts on what is written, not on what is in memory already. [10.1.8] */
    m->ram[m->page][m->segment_remap ? WIDTH - 1 - m->column : m->column] = byte;
    advance(m);
}

/*      control byte                                       [8.1.5.2]
 *     +----+------+---+---+---+---+---+---+
 *     | Co | D/C# | 0   0   0   0   0   0 |   Co 1: one byte follows, then another control byte;
 *     +----+------+---+---+---+---+---+---+   0: all that follow are of this kind. D/C# 1: pixels, 0: commands
 */
larch_error larch_ssd1306_model_transfer(larch_ssd1306_model *m, larch_bytes bytes)
{
    larch_reader r = larch_reader_of(bytes);
    uint64_t faults = m->faults;
    uint8_t control, byte;

    if (bytes.len == 0)
        note(m, LARCH_SSD1306_FAULT_EMPTY);
    while (larch_reader_take_u8(&r, &control) == LARCH_OK) {
        void (*take)(larch_ssd1306_model *, uint8_t) = (control & 0x40) != 0 ? take_pixels : take_command;
        if ((control & 0x3f) != 0) {
            note(m, LARCH_SSD1306_FAULT_CONTROL);
            break;
        }
        if ((control & 0x80) != 0) {
            if (larch_reader_take_u8(&r, &byte) == LARCH_OK)
                take(m, byte);
            else
                note(m, LARCH_SSD1306_FAULT_CUT);
            continue;
        }
        while (larch_reader_take_u8(&r, &byte) == LARCH_OK)
            take(m, byte);
    }
    return m->faults == faults ? LARCH_OK : LARCH_MALFORMED;
}

/* ---- the panel ---------------------------------------------------------- */

/* Which COM output drives a line of the panel. Its even lines are wired to the pins of the left half, its odd ones to the
 * right, as the alternative configuration wants it. [10.1.18] */
static size_t com_of(const larch_ssd1306_model *m, size_t line)
{
    size_t pin = line / 2 + (line % 2) * (HEIGHT / 2);

    if (m->com_exchanged)
        pin = (pin + HEIGHT / 2) % HEIGHT;
    if (!m->com_alternative)
        return pin;
    return pin < HEIGHT / 2 ? 2 * pin : 2 * (pin - HEIGHT / 2) + 1;
}

bool larch_ssd1306_model_lit(const larch_ssd1306_model *m, size_t x, size_t y)
{
    if (x >= WIDTH || y >= HEIGHT || !m->on || !m->charge_pump)
        return false;
    /* Segment 0 and COM 0 are at the lower right of a module held by its pins. */
    size_t segment = WIDTH - 1 - x;
    size_t com = com_of(m, HEIGHT - 1 - y);
    /* Tables 10-1 and 10-2: the offset moves rows over outputs, around all 64; rows past the multiplex ratio are off. */
    size_t row = (m->com_remap ? m->multiplex - 1u + HEIGHT - com : com) + m->offset;
    row %= HEIGHT;
    if (row >= m->multiplex)
        return false;
    if (m->all_on)
        return true;
    size_t line = (row + m->start_line) % HEIGHT;
    return ((m->ram[line / 8][segment] >> line % 8 & 1) != 0) != m->inverse;
}
