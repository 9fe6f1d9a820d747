/* SPDX-License-Identifier: Apache-2.0 */
/* The line over the SDK's UART: a chip with a FIFO of 32 bytes that drains at 2 Mbaud, in simulated time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bl602/bl602.h"
#include "board/board.h"
#include "board/line.h"

#include "bl602/sdk/bl_uart.h"
#include "freertos/timers.h"

enum { FIFO = 32, THRESHOLD = 16, BYTE_US = 5 };

static struct {
    uint64_t now_us;
    uint64_t empty_us; /* when the FIFO has drained */
    size_t sent;
    uint8_t bytes[8192];
    bool tx_enabled, rx_enabled, ticks;
    cb_uart_notify_t tx, rx;
    TimerCallbackFunction_t tick;
    const char *arriving;
    size_t waited_us; /* in data_send, for room */
    bool alone;       /* no interrupts: time goes on as it is looked at */
} chip;

uint64_t larch_board_now_us(void) { return chip.alone ? chip.now_us++ : chip.now_us; }

static size_t in_fifo(void)
{
    return chip.empty_us > chip.now_us ? (size_t)((chip.empty_us - chip.now_us + BYTE_US - 1) / BYTE_US) : 0;
}

/* ---- the SDK ------------------------------------------------------------------- */

int bl_uart_data_send(uint8_t id, uint8_t data)
{
    assert_int_equal(id, LARCH_BL602_UART);
    while (in_fifo() >= FIFO) {
        chip.now_us++;
        chip.waited_us++;
    }
    chip.empty_us = (chip.empty_us > chip.now_us ? chip.empty_us : chip.now_us) + BYTE_US;
    assert_true(chip.sent < sizeof chip.bytes);
    chip.bytes[chip.sent++] = data;
    return 0;
}

int bl_uart_data_recv(uint8_t id)
{
    assert_int_equal(id, LARCH_BL602_UART);
    return chip.arriving == NULL || *chip.arriving == '\0' ? -1 : *chip.arriving++;
}

int bl_uart_int_enable(uint8_t id)
{
    chip.tx_enabled = chip.rx_enabled = true;
    return id;
}
int bl_uart_int_tx_enable(uint8_t id)
{
    chip.tx_enabled = true;
    return id;
}
int bl_uart_int_tx_disable(uint8_t id)
{
    chip.tx_enabled = false;
    return id;
}
int bl_uart_int_rx_enable(uint8_t id)
{
    chip.rx_enabled = true;
    return id;
}
int bl_uart_int_rx_disable(uint8_t id)
{
    chip.rx_enabled = false;
    return id;
}
int bl_uart_int_tx_notify_register(uint8_t id, cb_uart_notify_t cb, void *arg)
{
    assert_null(arg);
    chip.tx = cb;
    return id;
}
int bl_uart_int_rx_notify_register(uint8_t id, cb_uart_notify_t cb, void *arg)
{
    assert_null(arg);
    chip.rx = cb;
    return id;
}

TimerHandle_t xTimerCreateStatic(const char *name, unsigned ticks, unsigned again, void *id,
                                 TimerCallbackFunction_t call, StaticTimer_t *memory)
{
    assert_non_null(name);
    assert_null(id);
    assert_int_equal(ticks, 1);
    assert_int_equal(again, pdTRUE);
    chip.tick = call;
    return memory;
}

int xTimerStart(TimerHandle_t timer, unsigned wait)
{
    assert_non_null(timer);
    assert_int_equal(wait, 0);
    chip.ticks = true;
    return pdTRUE;
}

/* ---- time ---------------------------------------------------------------------- */

/* Each microsecond, the interrupts that are wanted and due; each millisecond the timer. */
static void run(unsigned us)
{
    for (unsigned i = 0; i < us; i++) {
        chip.now_us++;
        if (chip.tx_enabled && FIFO - in_fifo() >= THRESHOLD)
            chip.tx(NULL);
        if (chip.rx_enabled && chip.arriving != NULL && *chip.arriving != '\0')
            chip.rx(NULL);
        if (chip.ticks && chip.now_us % 1000 == 0)
            chip.tick(NULL);
    }
}

static int start(void **state)
{
    (void)state;
    memset(&chip, 0, sizeof chip);
    chip.now_us = 12345;
    larch_bl602_line_start();
    return 0;
}

static uint8_t pattern(size_t i) { return (uint8_t)(i * 7 + i / 251); }

/* ---- tests ---------------------------------------------------------------------- */

/* Nothing is wanted of an idle line but what arrives. */
static void test_start(void **state)
{
    (void)state;
    assert_false(chip.tx_enabled);
    assert_true(chip.rx_enabled);
    assert_int_equal(larch_board_line_room(), LARCH_LINE_TX_LEN);
    run(5000);
    assert_int_equal(chip.sent, 0);
    assert_false(chip.tx_enabled);
}

/* A full ring goes out whole, in order, as fast as the line carries it, and nobody ever waits for the FIFO. */
static void test_full_speed(void **state)
{
    (void)state;
    uint8_t bytes[4096];
    size_t done = 0;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = pattern(i);
    const uint64_t begin = chip.now_us;
    while (chip.sent < sizeof bytes) {
        done += larch_board_line_write((larch_bytes){bytes + done, sizeof bytes - done});
        run(100);
        assert_true(chip.now_us - begin < 2 * BYTE_US * sizeof bytes);
    }
    assert_memory_equal(chip.bytes, bytes, sizeof bytes);
    assert_true(chip.waited_us == 0);
    assert_in_range(chip.now_us - begin, BYTE_US * sizeof bytes - BYTE_US * FIFO,
                    BYTE_US * sizeof bytes * 11 / 10 + 1000);
    run(200);
    assert_false(chip.tx_enabled);
}

/* Whether the line slept for long or not at all before, what is written leaves. */
static void test_any_moment(void **state)
{
    (void)state;
    for (unsigned pause = 0; pause < 3000; pause += 37) {
        const size_t before = chip.sent;
        uint8_t bytes[90];
        memset(bytes, (int)pause, sizeof bytes);
        run(pause);
        assert_int_equal(larch_board_line_write(LARCH_BYTES(bytes)), sizeof bytes);
        run(2500);
        assert_int_equal(chip.sent - before, sizeof bytes);
    }
    assert_true(chip.waited_us == 0);
}

static void test_receive(void **state)
{
    (void)state;
    static char typed[700];
    uint8_t out[sizeof typed];
    memset(typed, 'x', sizeof typed - 1);
    chip.arriving = typed;
    run(10);
    assert_false(chip.rx_enabled); /* its ring is full */
    assert_int_equal(larch_board_line_read(out, 600), LARCH_LINE_RX_LEN);
    assert_true(chip.rx_enabled);
    run(10);
    assert_int_equal(larch_board_line_read(out, sizeof out), sizeof typed - 1 - LARCH_LINE_RX_LEN);
    assert_int_equal(larch_board_line_read(out, sizeof out), 0);
}

/* Last words, with interrupts off. */
static void test_flush(void **state)
{
    (void)state;
    static const char words[] = "assertion: at 0x2300abcd, task gateway";
    chip.alone = true;
    larch_board_line_flush((larch_bytes){(const uint8_t *)words, sizeof words - 1});
    assert_int_equal(chip.sent, sizeof words - 1);
    assert_memory_equal(chip.bytes, words, sizeof words - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_start, start),      cmocka_unit_test_setup(test_full_speed, start),
        cmocka_unit_test_setup(test_any_moment, start), cmocka_unit_test_setup(test_receive, start),
        cmocka_unit_test_setup(test_flush, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
