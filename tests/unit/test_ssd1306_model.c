/* SPDX-License-Identifier: Apache-2.0 */
/* The model of the display controller against its data sheet: raw commands in, memory and pixels out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "firmware/model/ssd1306_model.h"

#define BYTES_MAX 40

static larch_error transfer(larch_ssd1306_model *m, const uint8_t *bytes, size_t len)
{
    return larch_ssd1306_model_transfer(m, (larch_bytes){bytes, len});
}

#define SEND(m, ...) transfer(m, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))
#define GOOD(m, ...) assert_int_equal(SEND(m, __VA_ARGS__), LARCH_OK)

/* Memory empty, panel on, upright, as drivers of the module leave it. */
static void begin(larch_ssd1306_model *m)
{
    larch_ssd1306_model_reset(m);
    GOOD(m, 0x00, 0x8d, 0x14, 0xa1, 0xc8, 0xaf, 0x20, 0x00);
    const uint8_t zeros[1 + 1024] = {0x40};
    assert_int_equal(transfer(m, zeros, sizeof zeros), LARCH_OK);
    GOOD(m, 0x00, 0x20, 0x02);
}

static size_t count_lit(const larch_ssd1306_model *m)
{
    size_t count = 0;
    for (size_t y = 0; y < 64; y++)
        for (size_t x = 0; x < 128; x++)
            count += larch_ssd1306_model_lit(m, x, y);
    return count;
}

/* ---- addressing --------------------------------------------------------- */

/* Where 16 bytes 1, 2, 3, ... go, as "page:column=value" of some of them. */
static void test_addressing(void **state)
{
    static const struct {
        const char *name;
        uint8_t commands[BYTES_MAX];
        size_t len;
        struct {
            uint8_t page, column, value;
        } found[6]; /* value 0 ends */
    } cases[] = {
        {"page", {0x00, 0x20, 0x02, 0xb3, 0x05, 0x14}, 6, {{3, 0x45, 1}, {3, 0x46, 2}, {3, 0x54, 16}}},
        {"page, past the end of the line", {0x00, 0xb7, 0x0c, 0x17}, 4, {{7, 0x7c, 13}, {7, 0x7d, 14}, {7, 0x7f, 16}}},
        {"page, nibbles apart", {0x00, 0xb0, 0x17, 0x00, 0x10}, 5, {{0, 0, 1}, {0, 15, 16}}},
        {"horizontal",
         {0x00, 0x20, 0x00, 0x21, 10, 12, 0x22, 2, 4},
         9,
         {{2, 10, 10}, {2, 12, 12}, {3, 10, 13}, {4, 12, 9}}},
        {"horizontal, all", {0x00, 0x20, 0x00, 0x21, 0, 127, 0x22, 0, 7}, 9, {{0, 0, 1}, {0, 15, 16}}},
        {"vertical",
         {0x00, 0x20, 0x01, 0x21, 10, 12, 0x22, 2, 4},
         9,
         {{2, 10, 10}, {3, 10, 11}, {4, 10, 12}, {2, 11, 13}}},
        {"vertical, all",
         {0x00, 0x20, 0x01, 0x21, 0, 127, 0x22, 0, 7},
         9,
         {{0, 0, 1}, {7, 0, 8}, {0, 1, 9}, {7, 1, 16}}},
        {"one place", {0x00, 0x20, 0x00, 0x21, 9, 9, 0x22, 5, 5}, 9, {{5, 9, 16}}},
        {"don't care bits", {0x00, 0x20, 0xfc, 0x21, 0x8a, 0xff, 0x22, 0xfa, 0xff}, 9, {{2, 10, 1}, {2, 25, 16}}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        larch_ssd1306_model m;
        uint8_t data[17] = {0x40};
        begin(&m);
        GOOD(&m, 0x00, 0xa0); /* so that a column is the segment of its number */
        for (uint8_t k = 1; k <= 16; k++)
            data[k] = k;
        assert_int_equal(transfer(&m, cases[i].commands, cases[i].len), LARCH_OK);
        assert_int_equal(transfer(&m, data, sizeof data), LARCH_OK);
        for (size_t k = 0; k < 6 && cases[i].found[k].value != 0; k++)
            if (m.ram[cases[i].found[k].page][cases[i].found[k].column] != cases[i].found[k].value)
                fail_msg("%s: place %zu holds %u", cases[i].name, k,
                         m.ram[cases[i].found[k].page][cases[i].found[k].column]);
    }
}

/* A command and its parameters may come in one transfer, in pairs with Co set, or one by one. */
static void test_control_bytes(void **state)
{
    static const uint8_t forms[3][BYTES_MAX] = {
        {9, 0x00, 0x81, 0x12, 0xb2, 0x03, 0x10, 0xe3, 0xa7, 0xa6},
        {15, 0x80, 0x81, 0x80, 0x12, 0x80, 0xb2, 0x80, 0x03, 0x80, 0x10, 0xc0, 0x77, 0x40, 0x78, 0x79},
        {11, 0x80, 0x81, 0x00, 0x12, 0xb2, 0x03, 0x10, 0xa7, 0xa6, 0xe3, 0xe3},
    };
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        larch_ssd1306_model m;
        begin(&m);
        assert_int_equal(transfer(&m, forms[i] + 1, forms[i][0]), LARCH_OK);
        assert_int_equal(m.contrast, 0x12);
        assert_int_equal(m.page, 2);
        assert_int_equal(m.column, i == 1 ? 6 : 3);
    }
    larch_ssd1306_model m;
    begin(&m);
    GOOD(&m, 0x00, 0x81);
    GOOD(&m, 0x00, 0x34);
    assert_int_equal(m.contrast, 0x34);
}

/* ---- what is seen ------------------------------------------------------- */

/* One pixel in memory, at page 0, column 0, its top; and where a person sees it. */
static void test_panel(void **state)
{
    static const struct {
        const char *name;
        uint8_t before[4], after[8]; /* commands before and after the pixel is written, each ended by 0xe3 */
        size_t lit, x, y;
    } cases[] = {
        {"upright", {0xe3}, {0xe3}, 1, 0, 0},
        {"upside down", {0xa0, 0xc0, 0xe3}, {0xe3}, 1, 127, 63},
        {"mirrored", {0xa0, 0xe3}, {0xe3}, 1, 127, 0},
        {"a remap does not move what is written", {0xe3}, {0xa0, 0xe3}, 1, 0, 0},
        {"a scan direction does", {0xe3}, {0xc0, 0xe3}, 1, 0, 63},
        {"start line", {0xe3}, {0x41, 0xe3}, 1, 0, 63},
        {"start line", {0xe3}, {0x7e, 0xe3}, 1, 0, 2},
        {"offset", {0xe3}, {0xd3, 8, 0xe3}, 1, 0, 56},
        {"offset, other direction", {0xc0, 0xe3}, {0xd3, 8, 0xe3}, 1, 0, 7},
        {"inverse", {0xe3}, {0xa7, 0xe3}, 128 * 64 - 1, 1, 0},
        {"all on", {0xe3}, {0xa5, 0xe3}, 128 * 64, 0, 0},
        {"all on, and back", {0xe3}, {0xa5, 0xa4, 0xe3}, 1, 0, 0},
        {"asleep", {0xe3}, {0xa5, 0xae, 0xe3}, 0, 0, 0},
        {"without charge pump", {0xe3}, {0x8d, 0x10, 0xe3}, 0, 0, 0},
        {"half the lines", {0xe3}, {0xa8, 31, 0xe3}, 1, 0, 32},
        {"half the lines, all on", {0xe3}, {0xa8, 31, 0xa5, 0xe3}, 128 * 32, 0, 63},
        {"16 lines", {0xc0, 0xe3}, {0xa8, 15, 0xa7, 0xe3}, 128 * 16 - 1, 1, 63},
        {"sequential pins", {0xe3}, {0xda, 0x02, 0xe3}, 1, 0, 0},
        {"exchanged halves", {0xe3}, {0xda, 0x32, 0xe3}, 1, 0, 1},
        {"sequential, exchanged", {0xe3}, {0xda, 0x22, 0xe3}, 1, 0, 1},
        {"scrolling moves nothing", {0xe3}, {0x2f, 0xe3}, 1, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        larch_ssd1306_model m;
        begin(&m);
        for (size_t k = 0; cases[i].before[k] != 0xe3; k++)
            GOOD(&m, 0x00, cases[i].before[k]);
        GOOD(&m, 0x00, 0xb0, 0x00, 0x10);
        GOOD(&m, 0x40, 0x01);
        for (size_t k = 0; cases[i].after[k] != 0xe3; k++)
            GOOD(&m, 0x00, cases[i].after[k]);
        assert_false(larch_ssd1306_model_lit(&m, 128, 0) || larch_ssd1306_model_lit(&m, 0, 64));
        if (count_lit(&m) != cases[i].lit)
            fail_msg("%s: %zu are lit", cases[i].name, count_lit(&m));
        if (larch_ssd1306_model_lit(&m, cases[i].x, cases[i].y) != (cases[i].lit > 0))
            fail_msg("%s", cases[i].name);
    }
}

/* With sequential pins the lines of one half of memory stand between those of the other. */
static void test_sequential_pins(void **state)
{
    larch_ssd1306_model m;
    (void)state;
    begin(&m);
    GOOD(&m, 0x00, 0xda, 0x02, 0x20, 0x00);
    uint8_t half[1 + 512];
    memset(half, 0xff, sizeof half);
    half[0] = 0x40;
    assert_int_equal(transfer(&m, half, sizeof half), LARCH_OK); /* pages 0 to 3 */
    for (size_t y = 0; y < 64; y++)
        assert_int_equal(larch_ssd1306_model_lit(&m, 5, y), y % 2 == 0);
}

static void test_reset(void **state)
{
    larch_ssd1306_model m;
    (void)state;
    larch_ssd1306_model_reset(&m);
    assert_int_equal(count_lit(&m), 0);
    GOOD(&m, 0x00, 0xaf);
    assert_int_equal(count_lit(&m), 0); /* no charge pump */
    GOOD(&m, 0x00, 0x8d, 0x14);
    assert_in_range(count_lit(&m), 1000, 7000); /* noise */
    assert_int_equal(m.contrast, 0x7f);
    assert_int_equal(m.mode, LARCH_SSD1306_PAGE);
}

static void test_backward(void **state)
{
    larch_ssd1306_model m;
    (void)state;
    begin(&m);
    GOOD(&m, 0x00, 0xb0, 0x05, 0x10);
    GOOD(&m, 0x40, 1, 2, 3);
    uint64_t before = m.backward;
    GOOD(&m, 0x00, 0xb2, 0x00, 0x10);
    GOOD(&m, 0x40, 1, 2, 3);
    assert_true(m.backward == before);
    GOOD(&m, 0x00, 0xb2, 0x02, 0x10);
    GOOD(&m, 0x40, 1);
    assert_true(m.backward == before + 1);
}

/* ---- faults ------------------------------------------------------------- */

static void test_faults(void **state)
{
    static const struct {
        larch_ssd1306_fault fault;
        uint8_t len;
        uint8_t bytes[BYTES_MAX];
    } cases[] = {
        {LARCH_SSD1306_FAULT_EMPTY, 0, {0}},
        {LARCH_SSD1306_FAULT_CONTROL, 2, {0x01, 0xa5}},
        {LARCH_SSD1306_FAULT_CONTROL, 2, {0x60, 0xff}},
        {LARCH_SSD1306_FAULT_CUT, 1, {0x80}},
        {LARCH_SSD1306_FAULT_CUT, 3, {0x80, 0xe3, 0xc0}},
        {LARCH_SSD1306_FAULT_COMMAND, 2, {0x00, 0x23}},
        {LARCH_SSD1306_FAULT_COMMAND, 2, {0x00, 0xff}},
        {LARCH_SSD1306_FAULT_COMMAND, 2, {0x00, 0xc1}},
        {LARCH_SSD1306_FAULT_PARAMETER, 2, {0x00, 0x18}},
        {LARCH_SSD1306_FAULT_PARAMETER, 3, {0x00, 0x20, 0x03}},
        {LARCH_SSD1306_FAULT_PARAMETER, 4, {0x00, 0x21, 5, 4}},
        {LARCH_SSD1306_FAULT_PARAMETER, 4, {0x00, 0x22, 5, 4}},
        {LARCH_SSD1306_FAULT_PARAMETER, 3, {0x00, 0xa8, 14}},
        {LARCH_SSD1306_FAULT_PARAMETER, 3, {0x00, 0xd9, 0x0f}},
        {LARCH_SSD1306_FAULT_PARAMETER, 3, {0x00, 0xd9, 0xf0}},
        {LARCH_SSD1306_FAULT_PARAMETER, 3, {0x00, 0xda, 0x00}},
        {LARCH_SSD1306_FAULT_PARAMETER, 3, {0x00, 0xdb, 0x80}},
        {LARCH_SSD1306_FAULT_PARAMETER, 3, {0x00, 0x8d, 0x04}},
        {LARCH_SSD1306_FAULT_PARAMETER, 4, {0x00, 0xa3, 1, 64}},
        {LARCH_SSD1306_FAULT_PARAMETER, 8, {0x00, 0x26, 0, 3, 0, 2, 0, 0xff}},
        {LARCH_SSD1306_FAULT_PARAMETER, 8, {0x00, 0x27, 0, 0, 0, 7, 0, 0}},
        {LARCH_SSD1306_FAULT_PARAMETER, 7, {0x00, 0x29, 0, 0, 0, 7, 0}},
    };
    larch_ssd1306_model m, untouched;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        begin(&m);
        untouched = m;
        assert_int_equal(transfer(&m, cases[i].bytes, cases[i].len), LARCH_MALFORMED);
        assert_int_equal(m.fault, cases[i].fault);
        assert_true(m.faults == 1);
        assert_true(strlen(larch_ssd1306_fault_text(m.fault)) > 0);
        GOOD(&m, 0x00, 0xe3); /* and the next command is understood */
        m.faults = 0;
        m.fault = LARCH_SSD1306_FAULT_NONE;
        memcpy(m.command, untouched.command, sizeof m.command);
        assert_memory_equal(&m, &untouched, sizeof m);
    }
    begin(&m);
    GOOD(&m, 0x00, 0x81);
    assert_int_equal(SEND(&m, 0x40, 0x55), LARCH_MALFORMED);
    assert_int_equal(m.fault, LARCH_SSD1306_FAULT_UNFINISHED);
    GOOD(&m, 0x00, 0x20, 0x00);
    assert_int_equal(SEND(&m, 0x00, 0xb1), LARCH_MALFORMED);
    assert_int_equal(m.fault, LARCH_SSD1306_FAULT_MODE);
    GOOD(&m, 0x00, 0x26, 0, 2, 7, 5, 0, 0xff, 0x2a, 0, 0, 0, 7, 63, 0xa3, 0, 64, 0x2f); /* all that scrolls */
    assert_true(m.scrolling);
    GOOD(&m, 0x00, 0x2e, 0xd5, 0x80, 0xd9, 0x22, 0xdb, 0x30);
    assert_false(m.scrolling);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addressing), cmocka_unit_test(test_control_bytes),   cmocka_unit_test(test_faults),
        cmocka_unit_test(test_panel),      cmocka_unit_test(test_sequential_pins), cmocka_unit_test(test_reset),
        cmocka_unit_test(test_backward),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
