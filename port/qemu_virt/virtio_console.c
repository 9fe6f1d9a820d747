/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The second channel, port 0 of virtio-serial [VIRTIO1.1 5.3]: carries the display's I2C transfers and the LED to the
 * host, framed as board/i2c_stream.h says.
 *
 * A transfer is handed over in one piece and the call returns; the next one waits until the host has taken it. The LED
 * never waits: while its last frame is under way, only its newest state is kept.
 */
#include <string.h>

#include "board/board.h"
#include "board/i2c_stream.h"
#include "board/lock.h"

#include "drivers.h"

#define TRANSMIT 1 /* queue: transmitq of port 0 */

enum { TRANSFER, LED }; /* buffers */

static larch_virtio device;
static larch_virtq queue;
static uint8_t transfer[LARCH_I2C_STREAM_HEADER + LARCH_I2C_STREAM_MAX];
static uint8_t led[LARCH_I2C_STREAM_HEADER + 1];
static bool led_wanted, led_told;

void larch_virt_console_start(larch_virtio found)
{
    uint32_t accepted;
    device.at = 0;
    led_wanted = led_told = false;
    if (larch_virtio_start(found, 0, &accepted) != LARCH_OK ||
        larch_virtio_add_queue(found, TRANSMIT, &queue) != LARCH_OK)
        return;
    larch_virtq_want_interrupt(&queue, false);
    larch_virtio_go(found);
    device = found;
}

/* Locked. LARCH_AGAIN: the host has not yet taken what was in the buffer. */
static larch_error reclaim(uint16_t buffer)
{
    larch_error r;
    uint16_t id;
    size_t written;
    while ((r = larch_virtq_take(&queue, &id, &written)) == LARCH_OK)
        ;
    return r == LARCH_AGAIN && !larch_virtq_has(&queue, buffer) ? LARCH_OK : r;
}

/* Locked. */
static larch_error send(uint16_t buffer, uint8_t *frame, uint8_t first, larch_bytes bytes)
{
    larch_error r = reclaim(buffer);
    if (r != LARCH_OK)
        return r;
    frame[0] = first;
    frame[1] = (uint8_t)(bytes.len >> 8);
    frame[2] = (uint8_t)bytes.len;
    memcpy(frame + LARCH_I2C_STREAM_HEADER, bytes.data, bytes.len);
    larch_virtq_offer_bytes(&queue, buffer, (larch_bytes){frame, LARCH_I2C_STREAM_HEADER + bytes.len});
    larch_virtio_notify(device, TRANSMIT);
    return LARCH_OK;
}

larch_error larch_board_i2c_write(uint8_t address, larch_bytes bytes)
{
    if (bytes.len == 0 || bytes.len > LARCH_I2C_STREAM_MAX || address > 0x7f)
        return LARCH_SPACE;
    if (device.at == 0)
        return LARCH_PLATFORM;
    uint64_t until = larch_virt_patience();
    larch_error r = LARCH_AGAIN;
    while (r == LARCH_AGAIN) {
        bool late = larch_virt_time() > until;
        uint32_t before = larch_interrupts_off();
        r = send(TRANSFER, transfer, (uint8_t)(address << 1), bytes);
        larch_interrupts_back(before);
        if (r == LARCH_AGAIN && late)
            r = LARCH_PLATFORM;
    }
    return r;
}

/* Tells the host if the LED has changed since it was last told. */
void larch_virt_console_tick(void)
{
    if (device.at == 0)
        return;
    uint32_t before = larch_interrupts_off();
    uint8_t lit = led_wanted;
    if (led_wanted != led_told && send(LED, led, LARCH_I2C_STREAM_LED, (larch_bytes){&lit, 1}) == LARCH_OK)
        led_told = led_wanted;
    larch_interrupts_back(before);
}

void larch_board_led(bool on)
{
    led_wanted = on;
    larch_virt_console_tick();
}
