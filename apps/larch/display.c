/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "display.h"
#include "text.h"

#define TEXT_ROW  1
#define TEXT_ROWS (LARCH_DISPLAY_ROWS - 3)

/* The board's font has 0x20 to 0x7e, and a newline is a place to break. */
static char printable(uint8_t byte)
{
    if (byte == '\n' || byte == '\t')
        return ' ';
    if (byte >= 0x20 && byte <= 0x7e)
        return (char)byte;
    return '?';
}

/* Writes into a row; the caller has counted. */
static void put_at(char row[LARCH_DISPLAY_COLUMNS + 1], size_t column, larch_bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        row[column + i] = printable(text.data[i]);
}

/* How much of text the next row takes: up to the last space that leaves no word cut, or all that fits. */
static size_t row_len(larch_bytes text)
{
    size_t len = text.len < LARCH_DISPLAY_COLUMNS ? text.len : LARCH_DISPLAY_COLUMNS;

    if (len == text.len || printable(text.data[len]) == ' ')
        return len;
    for (size_t i = len; i > 0; i--)
        if (printable(text.data[i - 1]) == ' ')
            return i;
    return len;
}

static larch_bytes skip_spaces(larch_bytes text)
{
    while (text.len > 0 && printable(text.data[0]) == ' ') {
        text.data++;
        text.len--;
    }
    return text;
}

static void wrap(larch_bytes text, char rows[TEXT_ROWS][LARCH_DISPLAY_COLUMNS + 1])
{
    for (size_t row = 0; row < TEXT_ROWS && text.len > 0; row++) {
        size_t len = row_len(text);

        put_at(rows[row], 0, (larch_bytes){text.data, len});
        text = skip_spaces((larch_bytes){text.data + len, text.len - len});
    }
    if (text.len > 0)
        put_at(rows[TEXT_ROWS - 1], LARCH_DISPLAY_COLUMNS - 2, LARCH_TEXT(".."));
}

/* A long address keeps its end, which tells hosts of one network apart. */
static void put_row(char row[LARCH_DISPLAY_COLUMNS + 1], const char *text)
{
    larch_bytes bytes = {(const uint8_t *)text, strlen(text)};
    if (bytes.len <= LARCH_DISPLAY_COLUMNS) {
        put_at(row, 0, bytes);
        return;
    }
    size_t kept = LARCH_DISPLAY_COLUMNS - 2;
    put_at(row, 0, LARCH_TEXT(".."));
    put_at(row, 2, (larch_bytes){bytes.data + bytes.len - kept, kept});
}

static void put_title(char row[LARCH_DISPLAY_COLUMNS + 1], uint64_t accepted)
{
    uint8_t digits[LARCH_DISPLAY_COLUMNS];
    larch_writer w = larch_writer_to(digits, sizeof digits);

    larch_writer_put_u8(&w, '#');
    larch_text_put_number(&w, accepted);
    put_at(row, 0, LARCH_TEXT("larch"));
    if (accepted != 0 && w.len < LARCH_DISPLAY_COLUMNS - 5)
        put_at(row, LARCH_DISPLAY_COLUMNS - w.len, (larch_bytes){digits, w.len});
}

void larch_display_render(const larch_display *d, char rows[LARCH_DISPLAY_ROWS][LARCH_DISPLAY_COLUMNS + 1])
{
    for (size_t row = 0; row < LARCH_DISPLAY_ROWS; row++) {
        memset(rows[row], ' ', LARCH_DISPLAY_COLUMNS);
        rows[row][LARCH_DISPLAY_COLUMNS] = '\0';
    }
    put_title(rows[0], d->accepted);
    if (d->accepted == 0) {
        put_row(rows[TEXT_ROW + 2], "waiting for a message");
        return;
    }
    wrap(d->text, rows + TEXT_ROW);
    put_row(rows[LARCH_DISPLAY_ROWS - 2], d->sender);
    put_row(rows[LARCH_DISPLAY_ROWS - 1], d->kem);
}

static void put_frame(larch_writer *w)
{
    larch_text_put(w, "  +");
    for (size_t i = 0; i < LARCH_DISPLAY_COLUMNS + 2; i++)
        larch_writer_put_u8(w, '-');
    larch_text_put(w, "+\n");
}

static void put_led(larch_writer *w, const larch_display *d, bool colour)
{
    static const char *const dots[] = {[LARCH_LED_OFF] = "( )",
                                       [LARCH_LED_ACCEPTED] = "\x1b[32m\xe2\x97\x8f\x1b[0m  ",
                                       [LARCH_LED_REFUSED] = "\x1b[31m\xe2\x97\x8f\x1b[0m  "};
    static const char *const words[] = {
        [LARCH_LED_OFF] = "off", [LARCH_LED_ACCEPTED] = "green: accepted", [LARCH_LED_REFUSED] = "red: refused"};

    larch_text_put(w, "  LED ");
    larch_text_put(w, colour ? dots[d->led] : d->led == LARCH_LED_OFF ? "( )" : "(*)");
    larch_writer_put_u8(w, ' ');
    larch_text_put(w, words[d->led]);
    if (d->led == LARCH_LED_REFUSED && d->reason != NULL) {
        larch_text_put(w, ", ");
        larch_text_put(w, d->reason);
    }
    larch_writer_put_u8(w, '\n');
}

void larch_display_draw(larch_writer *w, const larch_display *d, bool colour)
{
    char rows[LARCH_DISPLAY_ROWS][LARCH_DISPLAY_COLUMNS + 1];

    larch_display_render(d, rows);
    put_frame(w);
    for (size_t row = 0; row < LARCH_DISPLAY_ROWS; row++) {
        larch_text_put(w, "  | ");
        larch_text_put(w, rows[row]);
        larch_text_put(w, " |\n");
    }
    put_frame(w);
    put_led(w, d, colour);
}
