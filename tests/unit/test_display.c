/* SPDX-License-Identifier: Apache-2.0 */
/* What the gateway's display shows, and text out of untrusted bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "display.h"
#include "text.h"

/* ---- display ------------------------------------------------------------- */

typedef char screen[LARCH_DISPLAY_ROWS][LARCH_DISPLAY_COLUMNS + 1];

static void show(const char *text, size_t len, const char *sender, screen rows)
{
    const larch_display d = {.accepted = 7,
                             .text = {(const uint8_t *)text, len},
                             .sender = sender,
                             .kem = "ML-KEM-512",
                             .led = LARCH_LED_ACCEPTED};
    larch_display_render(&d, rows);
}

static void test_rows(void **state)
{
    static const struct {
        const char *text;
        const char *rows[5]; /* without the spaces at their ends */
    } cases[] = {
        {"", {"", "", "", "", ""}},
        {"Hello", {"Hello", "", "", "", ""}},
        {"123456789012345678901", {"123456789012345678901", "", "", "", ""}},
        {"1234567890123456789012", {"123456789012345678901", "2", "", "", ""}},
        {"the quick brown fox jumps over", {"the quick brown fox", "jumps over", "", "", ""}},
        {"12345678901234567890 x", {"12345678901234567890", "x", "", "", ""}},
        {"123456789012345678901 x", {"123456789012345678901", "x", "", "", ""}},
        {"a\nb\tc", {"a b c", "", "", "", ""}},
        {"\x1b[2J\x07\x7f\x80\xff", {"?[2J????", "", "", "", ""}},
        {"sch\xc3\xb6n", {"sch??n", "", "", "", ""}},
        {"1 23456789012345678901 2 23456789012345678901 3 23456789012345678901",
         {"1", "23456789012345678901", "2", "23456789012345678901", "3                  .."}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        screen rows;
        show(cases[i].text, strlen(cases[i].text), "[::1]:5683", rows);
        for (size_t row = 0; row < 5; row++) {
            char expected[LARCH_DISPLAY_COLUMNS + 1];
            snprintf(expected, sizeof expected, "%-21s", cases[i].rows[row]);
            assert_string_equal(rows[1 + row], expected);
        }
        assert_string_equal(rows[0], "larch              #7");
        assert_string_equal(rows[6], "[::1]:5683           ");
        assert_string_equal(rows[7], "ML-KEM-512           ");
    }
}

/* Whatever the bytes, every cell is printable and every row full. */
static void test_any_bytes(void **state)
{
    uint8_t text[1024];
    uint32_t random = 1;
    (void)state;
    for (size_t round = 0; round < 2000; round++) {
        size_t len = round % (sizeof text + 1);
        for (size_t i = 0; i < len; i++) {
            random = random * 1664525 + 1013904223;
            text[i] = (random >> 30) == 0 ? ' ' : (uint8_t)(random >> 22);
        }
        screen rows;
        show((const char *)text, len, "127.0.0.1:1", rows);
        for (size_t row = 0; row < LARCH_DISPLAY_ROWS; row++) {
            assert_int_equal(strlen(rows[row]), LARCH_DISPLAY_COLUMNS);
            for (size_t column = 0; column < LARCH_DISPLAY_COLUMNS; column++)
                assert_in_range(rows[row][column], 0x20, 0x7e);
        }
    }
}

static void test_long_sender(void **state)
{
    screen rows;
    (void)state;
    show("x", 1, "[2001:db8:1:2:3:4:5:6]:40000", rows);
    assert_string_equal(rows[6], "..:1:2:3:4:5:6]:40000");
}

static void test_waiting(void **state)
{
    screen rows;
    const larch_display d = {.accepted = 0};
    (void)state;
    larch_display_render(&d, rows);
    assert_string_equal(rows[0], "larch                ");
    assert_string_equal(rows[3], "waiting for a message");
    assert_string_equal(rows[6], "                     ");
}

static size_t lines_of(const larch_writer *w)
{
    size_t lines = 0;
    for (size_t i = 0; i < w->len; i++)
        lines += w->data[i] == '\n';
    return lines;
}

static void test_draw(void **state)
{
    char out[1024];
    larch_display d = {
        .accepted = 1, .text = LARCH_TEXT("Hello"), .sender = "a", .kem = "b", .led = LARCH_LED_ACCEPTED};
    (void)state;
    for (int colour = 0; colour < 2; colour++)
        for (int led = LARCH_LED_OFF; led <= LARCH_LED_REFUSED; led++) {
            larch_writer w = larch_writer_to((uint8_t *)out, sizeof out - 1);
            d.led = (larch_led)led;
            d.reason = "replay";
            larch_display_draw(&w, &d, colour != 0);
            assert_true(w.len < w.cap);
            out[w.len] = '\0';
            assert_int_equal(lines_of(&w), LARCH_DISPLAY_LINES);
            assert_true((strchr(out, '\x1b') != NULL) == (colour != 0 && led != LARCH_LED_OFF));
            assert_true((strstr(out, "red: refused, replay") != NULL) == (led == LARCH_LED_REFUSED));
            assert_true((strstr(out, "green: accepted") != NULL) == (led == LARCH_LED_ACCEPTED));
        }
}

/* ---- text ---------------------------------------------------------------- */

static const struct {
    const char *bytes;
    bool utf8;
    const char *json;
    const char *plain;
} texts[] = {
    {"", true, "\"\"", ""},
    {"Hello", true, "\"Hello\"", "Hello"},
    {"a\"b\\c/", true, "\"a\\\"b\\\\c/\"", "a\"b\\\\c/"},
    {"\b\t\n\f\r\x1b\x7f", true, "\"\\b\\t\\n\\f\\r\\u001b\\u007f\"", "\\x08\\x09\\x0a\\x0c\\x0d\\x1b\\x7f"},
    {"w\xc3\xb6rld \xe2\x82\xac \xf0\x9f\x8c\xb2", true, "\"w\xc3\xb6rld \xe2\x82\xac \xf0\x9f\x8c\xb2\"",
     "w\xc3\xb6rld \xe2\x82\xac \xf0\x9f\x8c\xb2"},
    {"\xc2\x9b"
     "2J",
     true, "\"\\u009b2J\"", "\\u{9b}2J"},                           /* CSI as one character */
    {"a\xe2\x80\xaez", true, "\"a\\u202ez\"", "a\\u{202e}z"},       /* turns the direction */
    {"\xf3\xa0\x81\x81", true, "\"\\udb40\\udc41\"", "\\u{e0041}"}, /* an invisible tag */
    {"\xff"
     "a\x80",
     false, "\"\\u00ffa\\u0080\"", "\\xffa\\x80"},
    {"\xc0\x80", false, "\"\\u00c0\\u0080\"", "\\xc0\\x80"},                 /* overlong */
    {"\xe0\x9f\xbf", false, "\"\\u00e0\\u009f\\u00bf\"", "\\xe0\\x9f\\xbf"}, /* overlong */
    {"\xed\xa0\x80", false, "\"\\u00ed\\u00a0\\u0080\"", "\\xed\\xa0\\x80"}, /* a surrogate */
    {"\xf4\x90\x80\x80", false, "\"\\u00f4\\u0090\\u0080\\u0080\"", "\\xf4\\x90\\x80\\x80"},
    {"\xe2\x82", false, "\"\\u00e2\\u0082\"", "\\xe2\\x82"}, /* cut */
};

static void test_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const larch_bytes bytes = {(const uint8_t *)texts[i].bytes, strlen(texts[i].bytes)};
        char out[128];
        assert_int_equal(larch_text_is_utf8(bytes), texts[i].utf8);
        larch_writer w = larch_writer_to((uint8_t *)out, sizeof out - 1);
        larch_text_put_json(&w, bytes);
        out[w.len] = '\0';
        assert_string_equal(out, texts[i].json);
        w = larch_writer_to((uint8_t *)out, sizeof out - 1);
        larch_text_put_plain(&w, bytes);
        out[w.len] = '\0';
        assert_string_equal(out, texts[i].plain);
    }
}

static void test_zero_byte(void **state)
{
    char out[32] = {0};
    larch_writer w = larch_writer_to((uint8_t *)out, sizeof out - 1);
    (void)state;
    larch_text_put_json(&w, (larch_bytes){(const uint8_t *)"a\0b", 3});
    assert_string_equal(out, "\"a\\u0000b\"");
}

static void test_time(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {-1, "1970-01-01T00:00:00.000Z"},
        {951782399999, "2000-02-28T23:59:59.999Z"},
        {951782400000, "2000-02-29T00:00:00.000Z"},
        {1709164800007, "2024-02-29T00:00:00.007Z"},
        {1795186800123, "2026-11-20T15:00:00.123Z"},
        {4107542399000, "2100-02-28T23:59:59.000Z"},
        {4107542400000, "2100-03-01T00:00:00.000Z"},
        {253402300799999, "9999-12-31T23:59:59.999Z"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[32] = {0};
        larch_writer w = larch_writer_to((uint8_t *)out, sizeof out - 1);
        larch_text_put_time(&w, cases[i].ms);
        assert_string_equal(out, cases[i].text);
    }
}

static void test_numbers(void **state)
{
    char out[64] = {0};
    larch_writer w = larch_writer_to((uint8_t *)out, sizeof out - 1);
    (void)state;
    larch_text_put_number(&w, 0);
    larch_text_put(&w, " ");
    larch_text_put_number(&w, UINT64_MAX);
    larch_text_put(&w, " ");
    larch_text_put_hex(&w, (larch_bytes){(const uint8_t *)"\x00\xfe\x10", 3});
    assert_string_equal(out, "0 18446744073709551615 00fe10");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),      cmocka_unit_test(test_any_bytes), cmocka_unit_test(test_long_sender),
        cmocka_unit_test(test_waiting),   cmocka_unit_test(test_draw),      cmocka_unit_test(test_text),
        cmocka_unit_test(test_zero_byte), cmocka_unit_test(test_time),      cmocka_unit_test(test_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
