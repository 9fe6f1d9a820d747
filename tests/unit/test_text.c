/* SPDX-License-Identifier: Apache-2.0 */
/* Text out of untrusted bytes, numbers, times and peers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "text/peer.h"
#include "text/text.h"

/* ---- untrusted bytes ----------------------------------------------------- */

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

/* In ASCII a byte is itself or escaped, whatever stands beside it. */
static void test_ascii(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        const uint8_t bytes[] = {0xc3, (uint8_t)byte};
        const bool passes = byte >= ' ' && byte <= '~' && byte != '"' && byte != '\\';
        char out[32] = {0}, expected[32];
        larch_writer w = larch_writer_to((uint8_t *)out, sizeof out - 1);
        (void)snprintf(expected, sizeof expected, passes ? "\"\\u00c3%c\"" : "\"\\u00c3\\u%04x\"", byte);
        larch_text_put_json_ascii(&w, LARCH_BYTES(bytes));
        assert_string_equal(out, expected);
        memset(out, 0, sizeof out);
        w = larch_writer_to((uint8_t *)out, sizeof out - 1);
        (void)snprintf(expected, sizeof expected, passes ? "\\xc3%c" : "\\xc3\\x%02x", byte);
        larch_text_put_plain_ascii(&w, LARCH_BYTES(bytes));
        assert_string_equal(out, expected);
    }
}

static void test_first(void **state)
{
    static const uint8_t bytes[] = {1, 2, 3};
    (void)state;
    for (size_t max = 0; max < 5; max++) {
        const larch_bytes first = larch_text_first(LARCH_BYTES(bytes), max);
        assert_ptr_equal(first.data, bytes);
        assert_int_equal(first.len, max < 3 ? max : 3);
    }
}

/* ---- numbers and times --------------------------------------------------- */

static void test_time(void **state)
{
    static const struct {
        int64_t time;
        larch_text_precision precision;
        const char *text;
    } cases[] = {
        {0, LARCH_TEXT_MS, "1970-01-01T00:00:00.000Z"},
        {-1, LARCH_TEXT_MS, "1970-01-01T00:00:00.000Z"},
        {951782399999, LARCH_TEXT_MS, "2000-02-28T23:59:59.999Z"},
        {951782400000, LARCH_TEXT_MS, "2000-02-29T00:00:00.000Z"},
        {1709164800007, LARCH_TEXT_MS, "2024-02-29T00:00:00.007Z"},
        {1795186800123, LARCH_TEXT_MS, "2026-11-20T15:00:00.123Z"},
        {4107542399000, LARCH_TEXT_MS, "2100-02-28T23:59:59.000Z"},
        {4107542400000, LARCH_TEXT_MS, "2100-03-01T00:00:00.000Z"},
        {253402300799999, LARCH_TEXT_MS, "9999-12-31T23:59:59.999Z"},
        {0, LARCH_TEXT_US, "1970-01-01T00:00:00.000000Z"},
        {-1, LARCH_TEXT_US, "1970-01-01T00:00:00.000000Z"},
        {1795186800000007, LARCH_TEXT_US, "2026-11-20T15:00:00.000007Z"},
        {253402300799999999, LARCH_TEXT_US, "9999-12-31T23:59:59.999999Z"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[32] = {0}, clock[16] = {0};
        larch_writer w = larch_writer_to((uint8_t *)out, sizeof out - 1);
        larch_text_put_time(&w, cases[i].time, cases[i].precision);
        assert_string_equal(out, cases[i].text);
        w = larch_writer_to((uint8_t *)clock, sizeof clock - 1);
        larch_text_put_clock(&w, cases[i].time, cases[i].precision);
        assert_int_equal(w.len, 9 + (size_t)cases[i].precision);
        assert_memory_equal(clock, cases[i].text + 11, w.len);
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

static void test_codes(void **state)
{
    char text[LARCH_TEXT_CODE_MAX];
    (void)state;
    assert_string_equal(larch_text_of_code(0x00, text), "0.00");
    assert_string_equal(larch_text_of_code(0x45, text), "2.05");
    assert_string_equal(larch_text_of_code(0xff, text), "7.31");
}

static void test_format(void **state)
{
    char out[LARCH_TEXT_FORMAT_MAX + 8] = {0};
    larch_writer w = larch_writer_to((uint8_t *)out, sizeof out);
    (void)state;
    larch_text_put_format(&w, "%3d|%-3s|", 7, "a");
    assert_string_equal(out, "  7|a  |");
    w = larch_writer_to((uint8_t *)out, sizeof out);
    larch_text_put_format(&w, "%*d", LARCH_TEXT_FORMAT_MAX + 1, 7);
    assert_int_equal(w.len, LARCH_TEXT_FORMAT_MAX);
}

/* ---- peers --------------------------------------------------------------- */

static void test_peers(void **state)
{
    static const struct {
        larch_peer peer;
        const char *text;
        const char *host;
    } rows[] = {
        {{.address = {[10] = 0xff, [11] = 0xff, 192, 0, 2, 7}, .port = 40000}, "192.0.2.7:40000", "192.0.2.7"},
        {{.address = {[10] = 0xff, [11] = 0xff}}, "0.0.0.0:0", "0.0.0.0"},
        {{.address = {[15] = 1}, .port = 5683}, "[::1]:5683", "::1"},
        {{.address = {0xfe, 0x80, [15] = 1}, .port = 65535, .scope = UINT32_MAX},
         "[fe80::1%4294967295]:65535",
         "fe80::1%4294967295"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[LARCH_TEXT_PEER_MAX];
        assert_string_equal(larch_text_of_peer(&rows[i].peer, text), rows[i].text);
        assert_string_equal(larch_text_of_host(&rows[i].peer, text), rows[i].host);
    }
    larch_peer longest = {.port = 65535, .scope = UINT32_MAX};
    char text[LARCH_TEXT_PEER_MAX];
    memset(longest.address, 0xff, sizeof longest.address);
    assert_string_equal(larch_text_of_peer(&longest, text),
                        "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295]:65535");
}

/* ---- out ----------------------------------------------------------------- */

static void test_print(void **state)
{
    uint8_t out[4];
    char text[16] = "";
    larch_writer w = larch_writer_to(out, sizeof out);
    FILE *file = tmpfile();
    (void)state;
    assert_non_null(file);
    larch_text_put(&w, "abc");
    larch_text_print(&w, file);
    larch_text_put(&w, "de"); /* does not fit: nothing is printed */
    larch_text_print(&w, file);
    rewind(file);
    assert_int_equal(fread(text, 1, sizeof text, file), 3);
    assert_memory_equal(text, "abc", 3);
    (void)fclose(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),  cmocka_unit_test(test_zero_byte), cmocka_unit_test(test_ascii),
        cmocka_unit_test(test_first), cmocka_unit_test(test_time),      cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_codes), cmocka_unit_test(test_format),    cmocka_unit_test(test_peers),
        cmocka_unit_test(test_print),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
