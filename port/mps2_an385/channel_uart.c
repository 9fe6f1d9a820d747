/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The second channel, UART 1: carries the display's I2C transfers and the LED to the host, framed as board/i2c_stream.h
 * says. Nothing of it comes back, so nobody can fail to acknowledge.
 *
 * A frame is kept until the last byte has left; the next transfer waits for that. The LED never waits: while a frame is
 * under way, only its newest state is kept.
 */
#include <string.h>

#include "board/board.h"
#include "board/i2c_stream.h"
#include "board/lock.h"

#include "mps2.h"
#include "uart.h"

#define AT LARCH_MPS2_UART1

/* Bytes sent with interrupts off at one go. */
#define GO_LEN 32u

static uint8_t frame[LARCH_I2C_STREAM_HEADER + LARCH_I2C_STREAM_MAX];
static size_t len, sent;
static bool led_wanted, led_told;

/* ---- with interrupts off ------------------------------------------------------- */

static void load(uint8_t first, larch_bytes bytes)
{
    frame[0] = first;
    frame[1] = (uint8_t)(bytes.len >> 8);
    frame[2] = (uint8_t)bytes.len;
    memcpy(frame + LARCH_I2C_STREAM_HEADER, bytes.data, bytes.len);
    len = LARCH_I2C_STREAM_HEADER + bytes.len;
    sent = 0;
}

/* Whether anything moved. */
static bool pump(void)
{
    if (sent == len && led_wanted != led_told) {
        const uint8_t lit = led_told = led_wanted;
        load(LARCH_I2C_STREAM_LED, (larch_bytes){&lit, 1});
    }
    size_t moved = 0;
    for (; moved < GO_LEN && sent < len && larch_uart_has_room(AT); moved++)
        larch_mmio_write32(LARCH_UART_DATA(AT), frame[sent++]);
    return moved > 0;
}

/* ---- for the others -------------------------------------------------------------- */

void larch_mps2_channel_start(void)
{
    larch_mmio_write32(LARCH_UART_BAUD(AT), LARCH_UART_BAUD_MIN);
    larch_mmio_write32(LARCH_UART_CTRL(AT), LARCH_UART_CTRL_TX);
}

void larch_mps2_channel_tick(void)
{
    const uint32_t before = larch_interrupts_off();
    (void)pump();
    larch_interrupts_back(before);
}

void larch_board_led(bool on)
{
    led_wanted = on;
    larch_mps2_channel_tick();
}

larch_error larch_board_i2c_write(uint8_t address, larch_bytes bytes)
{
    if (bytes.len == 0 || bytes.len > LARCH_I2C_STREAM_MAX || address > 0x7f)
        return LARCH_SPACE;
    uint64_t until = larch_board_now_ms() + LARCH_MPS2_PATIENCE_MS;
    for (bool taken = false, moved = true; !taken || moved;) {
        const uint32_t before = larch_interrupts_off();
        if (!taken && sent == len) {
            load((uint8_t)(address << 1), bytes);
            taken = true;
        }
        moved = pump();
        larch_interrupts_back(before);
        if (moved)
            until = larch_board_now_ms() + LARCH_MPS2_PATIENCE_MS;
        else if (!taken && larch_board_now_ms() > until)
            return LARCH_PLATFORM;
    }
    return LARCH_OK;
}
