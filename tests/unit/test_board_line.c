/* SPDX-License-Identifier: Apache-2.0 */
/* The serial line's rings and pace, over a chip and a clock that the test moves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "board/board.h"
#include "board/line.h"

enum { FIFO = 16, BYTE_US = 5, BURST = 1000 / BYTE_US };

static uint64_t now_us, step_us; /* step_us: that a look at the clock takes */

uint64_t larch_board_now_us(void) { return now_us += step_us; }

static struct {
    uint8_t out[8192]; /* all that was put */
    size_t put, room;
    const uint8_t *in;
    size_t in_len;
    bool idle, wants_room, wants_arrival;
    unsigned wants;
} chip;

static size_t chip_room(void) { return chip.room; }

static void chip_put(uint8_t byte)
{
    assert_true(chip.room > 0);
    chip.room--;
    chip.out[chip.put++] = byte;
}

static bool chip_take(uint8_t *byte)
{
    if (chip.in_len == 0)
        return false;
    *byte = *chip.in++;
    chip.in_len--;
    return true;
}

static bool chip_idle(void) { return chip.idle; }

static void chip_want(bool room, bool arrival)
{
    assert_true(room != chip.wants_room || arrival != chip.wants_arrival);
    chip.wants_room = room;
    chip.wants_arrival = arrival;
    chip.wants++;
}

static int start(void **state)
{
    static const larch_line_chip calls = {chip_room, chip_put, chip_take, chip_idle, chip_want};
    (void)state;
    memset(&chip, 0, sizeof chip);
    chip.idle = true;
    now_us = 1000000;
    step_us = 0;
    larch_line_start(&calls);
    assert_true(chip.wants_arrival && !chip.wants_room);
    return 0;
}

static larch_bytes pattern(size_t len)
{
    static uint8_t bytes[4096];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 256);
    return (larch_bytes){bytes, len};
}

/* ---- out --------------------------------------------------------------------- */

static void test_pace(void **state)
{
    (void)state;
    chip.room = 8192;
    assert_int_equal(larch_board_line_write(pattern(2000)), 2000);
    assert_int_equal(chip.put, 1); /* the line was free from now on */
    now_us += 10 * BYTE_US;
    larch_line_serve();
    assert_int_equal(chip.put, 11);
    /* Of a second in which nobody looked, a millisecond is made up for. */
    now_us += 1000000;
    larch_line_serve();
    assert_int_equal(chip.put, 11 + BURST + 1);
    for (unsigned ms = 0; ms < 12; ms++) {
        now_us += 1000;
        larch_line_serve();
    }
    assert_int_equal(chip.put, 2000);
    assert_memory_equal(chip.out, pattern(2000).data, 2000);
    assert_int_equal(chip.wants, 1);
}

static void test_pace_of_a_second(void **state)
{
    (void)state;
    size_t taken = 0;
    for (unsigned ms = 0; ms < 1000; ms++) {
        chip.room = 4096;
        chip.put = 0;
        (void)larch_board_line_write(pattern(LARCH_LINE_TX_LEN));
        now_us += 1000;
        larch_line_serve();
        taken += chip.put;
    }
    assert_in_range(taken, LARCH_BOARD_BAUD / 10 - BURST, LARCH_BOARD_BAUD / 10 + BURST);
}

static void test_full(void **state)
{
    (void)state;
    assert_int_equal(larch_board_line_room(), LARCH_LINE_TX_LEN);
    assert_int_equal(larch_board_line_write(pattern(4096)), LARCH_LINE_TX_LEN);
    assert_int_equal(larch_board_line_room(), 0);
    assert_int_equal(larch_board_line_write(pattern(1)), 0);
    assert_true(chip.wants_room);
    for (size_t left = LARCH_LINE_TX_LEN; left > 0;) {
        chip.room = FIFO;
        now_us += FIFO * BYTE_US;
        larch_line_serve();
        assert_int_equal(chip.put, LARCH_LINE_TX_LEN - left + FIFO);
        left -= FIFO;
        assert_int_equal(larch_board_line_room(), LARCH_LINE_TX_LEN - left);
    }
    assert_memory_equal(chip.out, pattern(4096).data, LARCH_LINE_TX_LEN);
    chip.room = FIFO;
    larch_line_serve();
    assert_false(chip.wants_room);
}

static void test_flush(void **state)
{
    (void)state;
    step_us = 1;
    chip.room = 8192;
    larch_board_line_flush(pattern(4096));
    assert_int_equal(chip.put, 4096);
    assert_memory_equal(chip.out, pattern(4096).data, 4096);
    assert_true(now_us - 1000000 >= 4095 * BYTE_US);
}

static void test_flush_gives_up(void **state)
{
    (void)state;
    step_us = 100;
    larch_board_line_flush(pattern(10)); /* the chip takes nothing */
    assert_int_equal(chip.put, 0);
    assert_in_range(now_us, 2000000, 2001000);
    chip.room = 8192;
    chip.idle = false; /* or never is done */
    const uint64_t before_us = now_us;
    larch_board_line_flush(pattern(10));
    assert_int_equal(chip.put, 20);
    assert_in_range(now_us - before_us, 1000000, 1002000);
}

/* ---- in ------------------------------------------------------------------------ */

static void test_receive(void **state)
{
    (void)state;
    uint8_t got[4096];
    assert_int_equal(larch_board_line_read(got, sizeof got), 0);
    chip.in = pattern(4096).data;
    chip.in_len = 1500;
    larch_line_serve();
    assert_int_equal(chip.in_len, 1500 - LARCH_LINE_RX_LEN); /* the rest waits in the chip, and beyond */
    assert_false(chip.wants_arrival);
    assert_int_equal(larch_board_line_read(got, 100), 100);
    assert_int_equal(chip.in_len, 1500 - LARCH_LINE_RX_LEN - 100);
    assert_false(chip.wants_arrival);
    for (size_t have = 100; have < 1500;) {
        const size_t len = larch_board_line_read(got + have, sizeof got - have);
        assert_in_range(len, 1, LARCH_LINE_RX_LEN);
        have += len;
    }
    assert_memory_equal(got, pattern(4096).data, 1500);
    assert_true(chip.wants_arrival);
    assert_int_equal(larch_board_line_read(got, sizeof got), 0);
}

/* Indices run over at 65536. */
static void test_long_run(void **state)
{
    (void)state;
    uint8_t got[LARCH_LINE_RX_LEN];
    for (unsigned round = 0; round < 400; round++) {
        const larch_bytes sent = pattern(300 + round % 200);
        chip.in = sent.data;
        chip.in_len = sent.len;
        chip.room = 8192;
        chip.put = 0;
        larch_line_serve();
        assert_int_equal(larch_board_line_read(got, sizeof got), sent.len);
        assert_memory_equal(got, sent.data, sent.len);
        assert_int_equal(larch_board_line_write(sent), sent.len);
        for (unsigned ms = 0; ms < 4; ms++) {
            now_us += 1000;
            larch_line_serve();
        }
        assert_int_equal(chip.put, sent.len);
        assert_memory_equal(chip.out, sent.data, sent.len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_pace, start),           cmocka_unit_test_setup(test_pace_of_a_second, start),
        cmocka_unit_test_setup(test_full, start),           cmocka_unit_test_setup(test_flush, start),
        cmocka_unit_test_setup(test_flush_gives_up, start), cmocka_unit_test_setup(test_receive, start),
        cmocka_unit_test_setup(test_long_run, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
