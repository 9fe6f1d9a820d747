/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chip of port/board/line.h: UART 0, over the SDK's calls. Those cannot tell how full the transmit FIFO is, and wait
 * when it is; so its fill is reckoned. It drains at exactly LARCH_BOARD_BAUD, and nobody else may write to it.
 */
#include "board/line.h"

#include "FreeRTOS.h"
#include "timers.h"

#include "bl602.h"
#include "bl_uart.h"
#include "board/board.h"

#define BYTE_US   (10u * 1000000u / LARCH_BOARD_BAUD)
#define FIFO_LEN  32u
/* One byte is in the shift register, and the clock that drains it is not the one that is read. */
#define FIFO_SAFE (FIFO_LEN - 2)

static uint64_t drained_us; /* when all that was put has left */

static size_t room(void)
{
    const uint64_t now = larch_board_now_us();
    const uint64_t waiting = drained_us > now ? (drained_us - now + BYTE_US - 1) / BYTE_US : 0;
    return waiting < FIFO_SAFE ? (size_t)(FIFO_SAFE - waiting) : 0;
}

static void put(uint8_t byte)
{
    const uint64_t now = larch_board_now_us();
    drained_us = (drained_us > now ? drained_us : now) + BYTE_US;
    (void)bl_uart_data_send(LARCH_BL602_UART, byte);
}

static bool take(uint8_t *byte)
{
    const int got = bl_uart_data_recv(LARCH_BL602_UART);
    if (got >= 0)
        *byte = (uint8_t)got;
    return got >= 0;
}

static bool idle(void) { return drained_us <= larch_board_now_us(); }

static void want(bool room_again, bool arrival)
{
    if (room_again)
        (void)bl_uart_int_tx_enable(LARCH_BL602_UART);
    else
        (void)bl_uart_int_tx_disable(LARCH_BL602_UART);
    if (arrival)
        (void)bl_uart_int_rx_enable(LARCH_BL602_UART);
    else
        (void)bl_uart_int_rx_disable(LARCH_BL602_UART);
}

static void on_interrupt(void *unused)
{
    (void)unused;
    larch_line_serve();
}

static void on_tick(TimerHandle_t unused)
{
    (void)unused;
    larch_line_serve();
}

void larch_bl602_line_start(void)
{
    static const larch_line_chip chip = {room, put, take, idle, want};
    static StaticTimer_t memory;
    drained_us = 0;
    (void)bl_uart_int_rx_notify_register(LARCH_BL602_UART, on_interrupt, NULL);
    (void)bl_uart_int_tx_notify_register(LARCH_BL602_UART, on_interrupt, NULL);
    (void)bl_uart_int_enable(LARCH_BL602_UART); /* of both kinds; the line says at once which it wants */
    (void)bl_uart_int_tx_disable(LARCH_BL602_UART);
    larch_line_start(&chip);
    (void)xTimerStart(xTimerCreateStatic("line", 1, pdTRUE, NULL, on_tick, &memory), 0);
}
