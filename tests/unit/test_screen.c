/* SPDX-License-Identifier: Apache-2.0 */
/* What a board's display says, row by row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "firmware/drivers/screen.h"

static larch_bytes bytes_of(const char *text) { return (larch_bytes){(const uint8_t *)text, strlen(text)}; }

static void check_row(const larch_screen *s, size_t row, const char *expected)
{
    char padded[LARCH_SCREEN_COLUMNS + 1];
    snprintf(padded, sizeof padded, "%-21s", expected);
    assert_string_equal(s->rows[row], padded);
}

static void test_message(void **state)
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
        {"sch\xc3\xb6n", {"sch?n", "", "", "", ""}}, /* one for each character, not for each byte */
        {"5 \xe2\x82\xac \xf0\x9f\x98\x80!", {"5 ? ?!", "", "", "", ""}},
        {"\xc0\x80 \xe0\x9f\xbf \xed\xa0\x80 \xf4\x90\x80\x80", {"?? ??? ??? ????", "", "", "", ""}}, /* none is one */
        {"a\xe2\x82", {"a??", "", "", "", ""}},
        {"\xc3\xc3\xb6x\xe2\x82x", {"??x??x", "", "", "", ""}},
        {"\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6\xc3\xbc x "
         "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6\xc3\xbc yz",
         {"???????????? x ??????", "yz", "", "", ""}},
        {"1 23456789012345678901 2 23456789012345678901 3 23456789012345678901",
         {"1", "23456789012345678901", "2", "23456789012345678901", "3                  .."}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        larch_screen s;
        larch_screen_show_message(&s, 7, bytes_of(cases[i].text), "[::1]:5683", "ML-KEM-512");
        check_row(&s, 0, "larch              #7");
        for (size_t row = 0; row < 5; row++)
            check_row(&s, 1 + row, cases[i].rows[row]);
        check_row(&s, 6, "[::1]:5683");
        check_row(&s, 7, "ML-KEM-512");
    }
}

static void test_numbers(void **state)
{
    static const struct {
        uint64_t number;
        const char *title;
    } cases[] = {
        {0, "larch              #0"}, {10, "larch             #10"}, {99999999999999, "larch #99999999999999"},
        {999999999999999, "larch"}, /* would touch the name */
        {UINT64_MAX, "larch"},
    };
    larch_screen s;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        larch_screen_show_message(&s, cases[i].number, bytes_of("x"), NULL, NULL);
        check_row(&s, 0, cases[i].title);
        check_row(&s, 6, "");
        check_row(&s, 7, "");
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
        larch_screen s;
        for (size_t i = 0; i < len; i++) {
            random = random * 1664525 + 1013904223;
            text[i] = (random >> 30) == 0 ? ' ' : (uint8_t)(random >> 22);
        }
        if (round % 2 == 0)
            larch_screen_show_message(&s, round, (larch_bytes){text, len}, "127.0.0.1:1", "ML-KEM-512");
        else
            larch_screen_show_error(&s, (larch_bytes){text, len}, NULL);
        for (size_t row = 0; row < LARCH_SCREEN_ROWS; row++) {
            assert_int_equal(strlen(s.rows[row]), LARCH_SCREEN_COLUMNS);
            for (size_t column = 0; column < LARCH_SCREEN_COLUMNS; column++)
                assert_in_range(s.rows[row][column], 0x20, 0x7e);
        }
    }
}

static void test_long_strings(void **state)
{
    larch_screen s;
    (void)state;
    larch_screen_show_message(&s, 1, bytes_of("x"), "[2001:db8:1:2:3:4:5:6]:40000", "a set\nof a long name\x01");
    check_row(&s, 6, "..:1:2:3:4:5:6]:40000");
    check_row(&s, 7, "a set of a long name?");
    larch_screen_show_start(&s, "a role that does not fit", NULL, NULL);
    check_row(&s, 0, "larch");
    larch_screen_show_start(&s, "T\xc3\xbcr",
                            "T\xc3\xbcren und Fenster \xc3\xb6"
                            "ffnen",
                            "\xc3\xa4");
    check_row(&s, 0, "larch             T?r");
    check_row(&s, 3, ".. und Fenster ?ffnen");
    check_row(&s, 7, "?");
}

static void test_other_screens(void **state)
{
    larch_screen s;
    (void)state;
    larch_screen_show_waiting(&s, "192.0.2.1:5683", "ML-KEM-768");
    check_row(&s, 0, "larch");
    check_row(&s, 3, "waiting for a message");
    check_row(&s, 6, "192.0.2.1:5683");
    check_row(&s, 7, "ML-KEM-768");
    for (size_t row = 1; row < 6; row++)
        if (row != 3)
            check_row(&s, row, "");

    larch_screen_show_start(&s, "gateway", "asking for an address", "qemu-virt rv32imfc");
    check_row(&s, 0, "larch         gateway");
    check_row(&s, 3, "asking for an address");
    check_row(&s, 6, "");
    check_row(&s, 7, "qemu-virt rv32imfc");

    larch_screen_show_error(&s, bytes_of("the flash holds keys of another board"), "erase it");
    check_row(&s, 0, "larch           error");
    check_row(&s, 1, "the flash holds keys");
    check_row(&s, 2, "of another board");
    check_row(&s, 7, "erase it");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_message),      cmocka_unit_test(test_numbers),       cmocka_unit_test(test_any_bytes),
        cmocka_unit_test(test_long_strings), cmocka_unit_test(test_other_screens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
