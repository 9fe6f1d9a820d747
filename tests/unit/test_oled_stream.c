/* SPDX-License-Identifier: Apache-2.0 */
/* The stream of a board's second channel: frames, breaks, and going on behind them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "firmware/model/oled_stream.h"

/* What comes out of a stream fed in pieces: "t3c:2 l1 ! cut" is a transfer of 2 bytes to 0x3c, the LED lit, a break, an end
 * inside a frame. */
static void describe(larch_bytes bytes, size_t piece, char *text, size_t cap)
{
    larch_oled_stream s;
    larch_oled_frame frame;
    size_t len = 0;

    larch_oled_stream_init(&s);
    text[0] = 0;
    while (bytes.len > 0) {
        larch_bytes part = {bytes.data, bytes.len < piece ? bytes.len : piece};
        bytes = (larch_bytes){bytes.data + part.len, bytes.len - part.len};
        for (larch_error r; (r = larch_oled_stream_next(&s, &part, &frame)) != LARCH_AGAIN;) {
            if (r == LARCH_MALFORMED)
                len += (size_t)snprintf(text + len, cap - len, "! ");
            else if (frame.led)
                len += (size_t)snprintf(text + len, cap - len, "l%u ", frame.bytes.data[0]);
            else
                len += (size_t)snprintf(text + len, cap - len, "t%x:%zu ", frame.address, frame.bytes.len);
        }
        assert_int_equal(part.len, 0);
    }
    if (larch_oled_stream_is_cut(&s))
        len += (size_t)snprintf(text + len, cap - len, "cut ");
    if (s.skipped > 0)
        (void)snprintf(text + len, cap - len, "%llu skipped", (unsigned long long)s.skipped);
}

static void test_streams(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        uint8_t bytes[64];
    } cases[] = {
        {"", 0, {0}},
        {"t3c:2 ", 5, {0x78, 0, 2, 0x00, 0xaf}},
        {"t3c:2 l1 l0 ", 13, {0x78, 0, 2, 0x00, 0xaf, 1, 0, 1, 1, 1, 0, 1, 0}},
        {"t0:1 t7f:3 ", 10, {0, 0, 1, 9, 0xfe, 0, 3, 1, 2, 3}},
        {"l1 ", 9, {3, 0, 2, 0x78, 0x78, 1, 0, 1, 1}}, /* a read is dropped */
        {"cut ", 4, {0x78, 0, 2, 0x00}},
        {"cut ", 1, {0x78}},
        {"l1 cut ", 6, {1, 0, 1, 1, 0x78, 0}},
        {"! l1 3 skipped", 7, {0x78, 0, 0, 1, 0, 1, 1}},                /* no length */
        {"! t3c:1 5 skipped", 9, {0x78, 4, 2, 0, 7, 0x78, 0, 1, 0x40}}, /* one too long */
        {"! l0 4 skipped", 8, {1, 0, 1, 2, 1, 0, 1, 0}},                /* neither lit nor dark */
        {"! t3c:1 8 skipped",
         12,
         {1, 0, 2, 1, 0x50, 0, 1, 5, 0x78, 0, 1, 0x80}}, /* other addresses do not end a break */
        {"! cut 3 skipped", 6, {0x78, 0, 0, 0x78, 0, 1}},
        {"! t3c:1 ! l1 6 skipped", 14, {0x78, 0, 0, 0x78, 0, 1, 0x40, 0xff, 0xff, 0xff, 1, 0, 1, 1}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (size_t piece = 1; piece <= 64; piece++) {
            char text[128];
            describe((larch_bytes){cases[i].bytes, cases[i].len}, piece, text, sizeof text);
            assert_string_equal(text, cases[i].text);
        }
}

static void test_longest(void **state)
{
    uint8_t bytes[3 + LARCH_I2C_STREAM_MAX] = {0x78, 0x04, 0x01, 0x40};
    char text[64];
    (void)state;
    describe(LARCH_BYTES(bytes), 100, text, sizeof text);
    assert_string_equal(text, "t3c:1025 ");
    describe((larch_bytes){bytes, sizeof bytes - 1}, 100, text, sizeof text);
    assert_string_equal(text, "cut ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_streams), cmocka_unit_test(test_longest)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
