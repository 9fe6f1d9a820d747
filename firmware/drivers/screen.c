/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "screen.h"

#define BODY_ROW    1
#define BODY_ROWS   (LARCH_SCREEN_ROWS - 3)
#define MIDDLE_ROW  3
#define FIRST_FOOT  (LARCH_SCREEN_ROWS - 2)
#define SECOND_FOOT (LARCH_SCREEN_ROWS - 1)

typedef char row[LARCH_SCREEN_COLUMNS + 1];

/* The board's font has 0x20 to 0x7e, and a newline is a place to break. */
static char printable(uint8_t byte)
{
    if (byte == '\n' || byte == '\t')
        return ' ';
    if (byte >= 0x20 && byte <= 0x7e)
        return (char)byte;
    return '?';
}

/* Bytes of the character at the start of text (not empty), which takes one cell whatever it is. A byte that belongs to
 * none is taken for one. [RFC3629 4] */
static size_t character_len(larch_bytes text)
{
    const uint8_t first = text.data[0];
    const size_t len = first < 0xc2 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 1;
    /* the second byte: no overlong form, no surrogate, nothing past U+10FFFF */
    const uint8_t least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    const uint8_t most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;

    if (len > text.len || (len > 1 && (text.data[1] < least || text.data[1] > most)))
        return 1;
    for (size_t i = 2; i < len; i++)
        if ((text.data[i] & 0xc0) != 0x80)
            return 1;
    return len;
}

/* Takes one character, and returns what its cell shows. */
static char take_character(larch_bytes *text)
{
    const char shown = printable(text->data[0]);
    const size_t len = character_len(*text);

    text->data += len;
    text->len -= len;
    return shown;
}

static size_t count_cells(larch_bytes text)
{
    size_t count = 0;
    for (; text.len > 0; count++)
        (void)take_character(&text);
    return count;
}

/* Writes into a row; the caller has counted. */
static void put_at(row r, size_t column, larch_bytes text)
{
    while (text.len > 0)
        r[column++] = take_character(&text);
}

/* How much of text the next row takes: up to the last space that leaves no word cut, or all that fits. */
static size_t row_len(larch_bytes text)
{
    larch_bytes left = text;
    size_t behind_space = 0;

    for (size_t cells = 0; cells < LARCH_SCREEN_COLUMNS && left.len > 0; cells++)
        if (take_character(&left) == ' ')
            behind_space = text.len - left.len;
    if (left.len == 0 || printable(left.data[0]) == ' ' || behind_space == 0)
        return text.len - left.len;
    return behind_space;
}

static larch_bytes skip_spaces(larch_bytes text)
{
    while (text.len > 0 && printable(text.data[0]) == ' ') {
        text.data++;
        text.len--;
    }
    return text;
}

static void wrap(larch_bytes text, row rows[BODY_ROWS])
{
    for (size_t i = 0; i < BODY_ROWS && text.len > 0; i++) {
        size_t len = row_len(text);

        put_at(rows[i], 0, (larch_bytes){text.data, len});
        text = skip_spaces((larch_bytes){text.data + len, text.len - len});
    }
    if (text.len > 0)
        put_at(rows[BODY_ROWS - 1], LARCH_SCREEN_COLUMNS - 2, LARCH_TEXT(".."));
}

static void put_row(row r, const char *text)
{
    if (text == NULL)
        return; /* the row is blank already */
    larch_bytes bytes = {(const uint8_t *)text, strlen(text)};
    size_t cells = count_cells(bytes);
    if (cells <= LARCH_SCREEN_COLUMNS) {
        put_at(r, 0, bytes);
        return;
    }
    for (; cells > LARCH_SCREEN_COLUMNS - 2; cells--)
        (void)take_character(&bytes);
    put_at(r, 0, LARCH_TEXT(".."));
    put_at(r, 2, bytes);
}

/* All rows blank, then the title: our name at the left, and what there is to say at the right, if it fits. */
static void begin(larch_screen *s, larch_bytes right)
{
    const larch_bytes name = LARCH_TEXT("larch");

    for (size_t i = 0; i < LARCH_SCREEN_ROWS; i++) {
        memset(s->rows[i], ' ', LARCH_SCREEN_COLUMNS);
        s->rows[i][LARCH_SCREEN_COLUMNS] = '\0';
    }
    put_at(s->rows[0], 0, name);
    const size_t cells = count_cells(right);
    if (cells < LARCH_SCREEN_COLUMNS - name.len)
        put_at(s->rows[0], LARCH_SCREEN_COLUMNS - cells, right);
}

void larch_screen_show_message(larch_screen *s, uint64_t number, larch_bytes text, const char *sender, const char *kem)
{
    uint8_t digits[1 + 20]; /* # and 2^64 - 1 */
    size_t at = sizeof digits;

    do {
        digits[--at] = (uint8_t)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    digits[--at] = '#';
    begin(s, (larch_bytes){digits + at, sizeof digits - at});
    wrap(text, s->rows + BODY_ROW);
    put_row(s->rows[FIRST_FOOT], sender);
    put_row(s->rows[SECOND_FOOT], kem);
}

void larch_screen_show_waiting(larch_screen *s, const char *address, const char *kem)
{
    begin(s, (larch_bytes){NULL, 0});
    put_row(s->rows[MIDDLE_ROW], "waiting for a message");
    put_row(s->rows[FIRST_FOOT], address);
    put_row(s->rows[SECOND_FOOT], kem);
}

void larch_screen_show_start(larch_screen *s, const char *role, const char *step, const char *board)
{
    begin(s, (larch_bytes){(const uint8_t *)role, role != NULL ? strlen(role) : 0});
    put_row(s->rows[MIDDLE_ROW], step);
    put_row(s->rows[SECOND_FOOT], board);
}

void larch_screen_show_error(larch_screen *s, larch_bytes why, const char *remedy)
{
    begin(s, LARCH_TEXT("error"));
    wrap(why, s->rows + BODY_ROW);
    put_row(s->rows[SECOND_FOOT], remedy);
}

larch_error larch_screen_send(const larch_screen *s, larch_ssd1306 *display)
{
    larch_ssd1306_clear(display);
    for (size_t i = 0; i < LARCH_SCREEN_ROWS; i++) {
        larch_error r = larch_ssd1306_move(display, i, 0);
        if (r != LARCH_OK)
            return r;
        larch_ssd1306_mark(display, i == 0);
        larch_ssd1306_put(display, (larch_bytes){(const uint8_t *)s->rows[i], LARCH_SCREEN_COLUMNS});
    }
    return larch_ssd1306_flush(display);
}
