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

static void test_render(void **state)
{
    larch_screen got, expected;
    larch_display d = {.accepted = 0};
    (void)state;
    larch_display_render(&d, &got);
    larch_screen_show_waiting(&expected, NULL, NULL);
    assert_memory_equal(&got, &expected, sizeof got);
    d = (larch_display){.accepted = 7, .text = LARCH_TEXT("Hello"), .sender = "[::1]:5683", .kem = "ML-KEM-512"};
    larch_display_render(&d, &got);
    larch_screen_show_message(&expected, 7, LARCH_TEXT("Hello"), "[::1]:5683", "ML-KEM-512");
    assert_memory_equal(&got, &expected, sizeof got);
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
        .accepted = 1, .text = LARCH_TEXT("Hello"), .sender = "a", .kem = "b", .led = LARCH_DISPLAY_LED_ACCEPTED};
    (void)state;
    for (int colour = 0; colour < 2; colour++)
        for (int led = LARCH_DISPLAY_LED_OFF; led <= LARCH_DISPLAY_LED_REFUSED; led++) {
            larch_writer w = larch_writer_to((uint8_t *)out, sizeof out - 1);
            d.led = (larch_display_led)led;
            d.reason = "replay";
            larch_display_draw(&w, &d, colour != 0);
            assert_true(w.len < w.cap);
            out[w.len] = '\0';
            assert_int_equal(lines_of(&w), LARCH_DISPLAY_LINES);
            assert_true((strchr(out, '\x1b') != NULL) == (colour != 0 && led != LARCH_DISPLAY_LED_OFF));
            assert_true((strstr(out, "red: refused, replay") != NULL) == (led == LARCH_DISPLAY_LED_REFUSED));
            assert_true((strstr(out, "green: accepted") != NULL) == (led == LARCH_DISPLAY_LED_ACCEPTED));
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
        cmocka_unit_test(test_render),    cmocka_unit_test(test_draw), cmocka_unit_test(test_text),
        cmocka_unit_test(test_zero_byte), cmocka_unit_test(test_time), cmocka_unit_test(test_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
