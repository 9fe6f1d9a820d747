/* SPDX-License-Identifier: Apache-2.0 */
/* The display's driver against a model of the display. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "firmware/drivers/font.h"
#include "firmware/drivers/screen.h"
#include "firmware/drivers/ssd1306.h"
#include "firmware/model/ssd1306_model.h"

typedef struct bus {
    larch_ssd1306_model model;
    size_t transfers, bytes;
    size_t fails_at; /* the number of the transfer that nobody acknowledges, from 1; 0: none */
    bool was_on, went_off;
    bool flashed; /* a pixel was lit when the panel went on */
} bus;

static bool any_lit(const larch_ssd1306_model *m)
{
    for (size_t y = 0; y < 64; y++)
        for (size_t x = 0; x < 128; x++)
            if (larch_ssd1306_model_lit(m, x, y))
                return true;
    return false;
}

static larch_error write_bus(void *context, uint8_t address, larch_bytes bytes)
{
    bus *b = context;

    b->transfers++;
    b->bytes += bytes.len;
    if (address != LARCH_SSD1306_MODEL_ADDRESS || b->transfers == b->fails_at)
        return LARCH_PLATFORM;
    assert_int_equal(larch_ssd1306_model_transfer(&b->model, bytes), LARCH_OK); /* no fault, ever */
    if (b->model.on && !b->was_on)
        b->flashed = any_lit(&b->model);
    b->went_off |= b->was_on && !b->model.on;
    b->was_on = b->model.on;
    return LARCH_OK;
}

static void begin(bus *b, larch_ssd1306 *d)
{
    memset(b, 0, sizeof *b);
    larch_ssd1306_model_reset(&b->model);
    larch_ssd1306_init(d, write_bus, b);
}

static void put(larch_ssd1306 *d, size_t row, size_t column, const char *text)
{
    assert_int_equal(larch_ssd1306_move(d, row, column), LARCH_OK);
    larch_ssd1306_put(d, (larch_bytes){(const uint8_t *)text, strlen(text)});
}

/* Every pixel of the panel is what the rows of characters say: at the lower edge of a row, but of one that is marked at the
 * upper, and turned over. */
static void check_rows(const bus *b, const char *const rows[8], unsigned marked)
{
    for (size_t y = 0; y < 64; y++)
        for (size_t x = 0; x < 128; x++) {
            size_t row = y / 8, column = x == 0 ? 0 : (x - 1) / 6;
            bool lit = false;
            if (x >= 1 && column < strlen(rows[row]) && (x - 1) % 6 >= 1)
                lit = larch_font_glyph((uint8_t)rows[row][column])[(x - 1) % 6 - 1] << ((marked >> row & 1) == 0) >>
                          y % 8 &
                      1;
            if (larch_ssd1306_model_lit(&b->model, x, y) != (lit != ((marked >> row & 1) != 0)))
                fail_msg("pixel %zu, %zu", x, y);
        }
}

/* ---- the font ----------------------------------------------------------- */

static void test_font(void **state)
{
    static const struct {
        char character;
        const char *rows;
    } cases[] = {
        {'F', "XXXXX"
              "X    "
              "X    "
              "XXXX "
              "X    "
              "X    "
              "X    "
              "     "},
        {'j', "   X "
              "     "
              "  XX "
              "   X "
              "   X "
              "X  X "
              " XX  "
              "     "},
        {'%', "XX   "
              "XX  X"
              "   X "
              "  X  "
              " X   "
              "X  XX"
              "   XX"
              "     "},
        {'\x7f', "XXXXX"
                 "X   X"
                 "X   X"
                 "X   X"
                 "X   X"
                 "X   X"
                 "XXXXX"
                 "     "},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (size_t y = 0; y < 8; y++)
            for (size_t x = 0; x < 5; x++)
                assert_int_equal(larch_font_glyph((uint8_t)cases[i].character)[x] >> y & 1,
                                 cases[i].rows[5 * y + x] == 'X');
    for (unsigned c = LARCH_FONT_FIRST; c <= LARCH_FONT_LAST; c++)
        for (unsigned other = LARCH_FONT_FIRST; other <= LARCH_FONT_LAST + 1; other++)
            if (c != other)
                assert_memory_not_equal(larch_font_glyph((uint8_t)c), larch_font_glyph((uint8_t)other), 5);
    for (unsigned c = 0; c < 256; c++)
        if (c < LARCH_FONT_FIRST || c > LARCH_FONT_LAST)
            assert_ptr_equal(larch_font_glyph((uint8_t)c), larch_font_glyph(0));
}

/* ---- text --------------------------------------------------------------- */

static void test_every_character(void **state)
{
    char lines[8][22] = {{0}};
    const char *rows[8];
    larch_ssd1306 d;
    bus b;
    (void)state;
    begin(&b, &d);
    for (size_t i = 0; i < LARCH_FONT_COUNT; i++)
        lines[i / 21][i % 21] = (char)(LARCH_FONT_FIRST + i);
    for (size_t row = 0; row < 8; row++) {
        rows[row] = lines[row];
        put(&d, row, 0, lines[row]);
    }
    assert_int_equal(larch_ssd1306_flush(&d), LARCH_OK);
    check_rows(&b, rows, 0);
    assert_int_equal(b.model.contrast, LARCH_SSD1306_CONTRAST);
}

/* Memory is noise at power on; the panel goes on over empty cells. */
static void test_begins_dark(void **state)
{
    static const char *const empty[8] = {"", "", "", "", "", "", "", ""};
    larch_ssd1306 d;
    bus b;
    (void)state;
    begin(&b, &d);
    assert_int_equal(b.transfers, 0);
    assert_int_equal(larch_ssd1306_flush(&d), LARCH_OK);
    assert_true(b.model.on && !b.flashed);
    check_rows(&b, empty, 0);
}

static void test_place_and_end(void **state)
{
    static const char *const rows[8] = {"", "", "      x", "", "", "", "", "                    1"};
    larch_ssd1306 d;
    bus b;
    (void)state;
    begin(&b, &d);
    put(&d, 2, 6, "x");
    put(&d, 7, 20, "123"); /* past the end */
    larch_ssd1306_put(&d, LARCH_TEXT("4"));
    assert_int_equal(larch_ssd1306_move(&d, 8, 0), LARCH_SPACE);
    assert_int_equal(larch_ssd1306_move(&d, 0, 21), LARCH_SPACE);
    assert_int_equal(larch_ssd1306_flush(&d), LARCH_OK);
    check_rows(&b, rows, 0);
}

/* Bytes that are not ASCII are boxes, also those that mean something inside the driver. */
static void test_any_byte(void **state)
{
    larch_ssd1306 d;
    bus b;
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        const uint8_t byte = (uint8_t)c;
        char shown[2] = {c >= 0x20 && c <= 0x7e ? (char)c : '\x7f', 0};
        const char *rows[8] = {shown, "", "", "", "", "", "", ""};
        begin(&b, &d);
        larch_ssd1306_put(&d, (larch_bytes){&byte, 1});
        assert_int_equal(larch_ssd1306_flush(&d), LARCH_OK);
        check_rows(&b, rows, 0);
    }
}

static void test_screen(void **state)
{
    larch_screen s;
    larch_ssd1306 d;
    bus b;
    const char *rows[8];
    (void)state;
    begin(&b, &d);
    for (size_t row = 0; row < 8; row++)
        rows[row] = s.rows[row];
    larch_screen_show_message(&s, 1, LARCH_TEXT("Hello from a sender"), "192.0.2.7:40000", "ML-KEM-512");
    assert_int_equal(larch_screen_send(&s, &d), LARCH_OK);
    check_rows(&b, rows, 1); /* its title from edge to edge */
    larch_screen_show_waiting(&s, "192.0.2.1:5683", "ML-KEM-512");
    assert_int_equal(larch_screen_send(&s, &d), LARCH_OK);
    check_rows(&b, rows, 1);
}

/* ---- what goes over the bus --------------------------------------------- */

static void test_only_changes(void **state)
{
    larch_ssd1306 d;
    bus b;
    (void)state;
    begin(&b, &d);
    put(&d, 3, 0, "larch");
    assert_int_equal(larch_ssd1306_flush(&d), LARCH_OK);
    b.transfers = b.bytes = 0;
    assert_int_equal(larch_ssd1306_flush(&d), LARCH_OK);
    larch_ssd1306_clear(&d);
    put(&d, 3, 0, "larch");
    assert_int_equal(larch_ssd1306_flush(&d), LARCH_OK);
    assert_int_equal(b.transfers, 0);
    put(&d, 3, 0, "latch");
    assert_int_equal(larch_ssd1306_flush(&d), LARCH_OK);
    assert_int_equal(b.transfers, 2); /* the place, the cell */
    assert_int_equal(b.bytes, 4 + 1 + 6);
    static const char *const rows[8] = {"", "", "", "latch", "", "", "", ""};
    check_rows(&b, rows, 0);
}

static void turn_over(larch_ssd1306_model *m)
{
    for (size_t page = 0; page < 8; page++)
        for (size_t x = 0; x < 128; x++)
            m->ram[page][x] ^= 0xff;
}

static void test_panel(void **state)
{
    static const char *const rows[8] = {"x", "", "", "", "", "", "", ""};
    larch_ssd1306 d;
    bus b;
    (void)state;
    begin(&b, &d);
    put(&d, 0, 0, "x");
    larch_ssd1306_set_contrast(&d, 7);
    assert_int_equal(larch_ssd1306_flush(&d), LARCH_OK);
    assert_int_equal(b.model.contrast, 7);
    b.bytes = 0;
    larch_ssd1306_set_inverse(&d, true);
    assert_int_equal(larch_ssd1306_flush(&d), LARCH_OK);
    turn_over(&b.model);
    check_rows(&b, rows, 0);
    turn_over(&b.model);
    larch_ssd1306_set_inverse(&d, false);
    larch_ssd1306_set_sleep(&d, true);
    assert_int_equal(larch_ssd1306_flush(&d), LARCH_OK);
    assert_false(any_lit(&b.model));
    larch_ssd1306_set_sleep(&d, false);
    assert_int_equal(larch_ssd1306_flush(&d), LARCH_OK);
    assert_int_equal(b.bytes, 2 + 3 + 2);
    check_rows(&b, rows, 0);
}

/* Whichever transfer fails, even in a display that lost its power meanwhile, the next flush puts all right. */
static void test_errors(void **state)
{
    static const char *const rows[8] = {"a b", "", "longer text", "", "x", "", "", "y"};
    larch_ssd1306 d;
    bus b;
    size_t fails_at = 1;
    (void)state;
    for (;; fails_at++) {
        begin(&b, &d);
        b.fails_at = fails_at;
        for (size_t row = 0; row < 8; row++)
            put(&d, row, 0, rows[row]);
        larch_error r = larch_ssd1306_flush(&d);
        if (r == LARCH_OK)
            break;
        assert_int_equal(r, LARCH_PLATFORM);
        assert_int_equal(b.transfers, fails_at); /* none is tried after it */
        larch_ssd1306_model_reset(&b.model);
        b.was_on = false;
        assert_int_equal(larch_ssd1306_flush(&d), LARCH_OK);
        check_rows(&b, rows, 0);
    }
    assert_int_equal(fails_at, 1 + 2 * 8 + 1 + 1); /* initialise, a place and cells a row, panel on */

    b.fails_at = b.transfers + 2; /* later, in the middle of a change */
    put(&d, 0, 0, "other");
    assert_int_equal(larch_ssd1306_flush(&d), LARCH_PLATFORM);
    put(&d, 0, 0, "a b  ");
    larch_ssd1306_model_reset(&b.model);
    assert_int_equal(larch_ssd1306_flush(&d), LARCH_OK);
    check_rows(&b, rows, 0);
}

/* A board that restarts leaves the display as it was, if need be with half a command. */
static void test_restart(void **state)
{
    static const uint8_t half[] = {0x00, 0xaf, 0x81};
    static const char *const rows[8] = {"again", "", "", "", "", "", "", ""};
    larch_ssd1306 d;
    bus b;
    (void)state;
    begin(&b, &d);
    put(&d, 5, 5, "before");
    assert_int_equal(larch_ssd1306_flush(&d), LARCH_OK);
    assert_int_equal(larch_ssd1306_model_transfer(&b.model, LARCH_BYTES(half)), LARCH_OK);
    larch_ssd1306_init(&d, write_bus, &b);
    put(&d, 0, 0, "again");
    assert_int_equal(larch_ssd1306_flush(&d), LARCH_OK);
    assert_int_equal(b.model.contrast, LARCH_SSD1306_CONTRAST);
    assert_true(b.went_off && b.model.on); /* dark while memory is written anew */
    check_rows(&b, rows, 0);
}

/* ---- pictures ----------------------------------------------------------- */

static void test_draw(void **state)
{
    static const uint8_t picture[9] = {0xff, 0x81, 0x81, 0x81, 0x18, 0x81, 0x81, 0x81, 0xff};
    larch_ssd1306 d;
    bus b;
    (void)state;
    begin(&b, &d);
    assert_int_equal(larch_ssd1306_draw(&d, 8, 0, LARCH_BYTES(picture)), LARCH_SPACE);
    assert_int_equal(larch_ssd1306_draw(&d, 0, 120, LARCH_BYTES(picture)), LARCH_SPACE);
    assert_int_equal(larch_ssd1306_draw(&d, 0, SIZE_MAX, LARCH_BYTES(picture)), LARCH_SPACE);
    assert_int_equal(b.transfers, 0);
    put(&d, 1, 0, "abcdefghijklmnopqrstu");
    assert_int_equal(larch_ssd1306_draw(&d, 1, 119, LARCH_BYTES(picture)), LARCH_OK);
    assert_int_equal(larch_ssd1306_draw(&d, 1, 0, LARCH_BYTES(picture)), LARCH_OK);
    for (int round = 0; round < 2; round++) {
        for (size_t x = 0; x < 9; x++)
            for (size_t y = 0; y < 8; y++) {
                assert_int_equal(larch_ssd1306_model_lit(&b.model, x, 8 + y), picture[x] >> y & 1);
                assert_int_equal(larch_ssd1306_model_lit(&b.model, 119 + x, 8 + y), picture[x] >> y & 1);
            }
        put(&d, 3, 0, "elsewhere"); /* a flush leaves pictures alone */
        assert_int_equal(larch_ssd1306_flush(&d), LARCH_OK);
    }
    static const char *const beside[8] = {"", "  cdefghijklmnopqrs", "", "elsewhere", "", "", "", ""};
    put(&d, 1, 0, "  ");
    put(&d, 1, 19, "  ");
    assert_int_equal(larch_ssd1306_flush(&d), LARCH_OK);
    check_rows(&b, beside, 0);

    assert_int_equal(larch_ssd1306_draw(&d, 1, 0, LARCH_BYTES(picture)), LARCH_OK);
    larch_ssd1306_clear(&d);
    assert_int_equal(larch_ssd1306_flush(&d), LARCH_OK);
    assert_false(any_lit(&b.model));
    b.fails_at = b.transfers + 2;
    assert_int_equal(larch_ssd1306_draw(&d, 1, 0, LARCH_BYTES(picture)), LARCH_PLATFORM);
    assert_int_equal(larch_ssd1306_flush(&d), LARCH_OK);
    assert_false(any_lit(&b.model));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_font),          cmocka_unit_test(test_every_character),
        cmocka_unit_test(test_begins_dark),   cmocka_unit_test(test_any_byte),
        cmocka_unit_test(test_place_and_end), cmocka_unit_test(test_screen),
        cmocka_unit_test(test_panel),         cmocka_unit_test(test_only_changes),
        cmocka_unit_test(test_errors),        cmocka_unit_test(test_restart),
        cmocka_unit_test(test_draw),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
