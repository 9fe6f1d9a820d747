/* SPDX-License-Identifier: Apache-2.0 */
#include "line.h"

#include "board.h"
#include "lock.h"

#define BYTE_US     (10u * 1000000u / LARCH_BOARD_BAUD)
#define BURST_US    1000u
#define PATIENCE_US 1000000u
_Static_assert(BYTE_US *LARCH_BOARD_BAUD == 10u * 1000000u, "a byte takes whole microseconds");

/* So that indices may run over. */
#define IS_POWER_OF_TWO(n) (((n) & ((n)-1)) == 0)
_Static_assert(IS_POWER_OF_TWO(LARCH_LINE_TX_LEN) && LARCH_LINE_TX_LEN <= 0x8000, "of 16-bit indices");
_Static_assert(IS_POWER_OF_TWO(LARCH_LINE_RX_LEN) && LARCH_LINE_RX_LEN <= 0x8000, "of 16-bit indices");

static const larch_line_chip *device;
static uint8_t tx[LARCH_LINE_TX_LEN], rx[LARCH_LINE_RX_LEN];
static uint16_t tx_in, tx_out, rx_in, rx_out; /* bytes ever put and taken */
static uint64_t line_free_us;                 /* when the line has carried what it was given */
static bool wants_room, wants_arrival;

static uint16_t used(uint16_t in, uint16_t out) { return (uint16_t)(in - out); }

/* ---- both ways, with interrupts off ----------------------------------------- */

static void want(bool room, bool arrival)
{
    if (room != wants_room || arrival != wants_arrival)
        device->want(wants_room = room, wants_arrival = arrival);
}

static void send(void)
{
    const uint64_t now = larch_board_now_us();
    if (line_free_us + BURST_US < now)
        line_free_us = now - BURST_US;
    bool full = false;
    while (used(tx_in, tx_out) > 0 && line_free_us <= now && !full) {
        size_t room = device->room();
        full = room == 0;
        for (; room > 0 && used(tx_in, tx_out) > 0 && line_free_us <= now; room--) {
            device->put(tx[tx_out % LARCH_LINE_TX_LEN]);
            tx_out++;
            line_free_us += BYTE_US;
        }
    }
    /* Where time is what lacks, the next tick goes on. */
    want(full, wants_arrival);
}

static void receive(void)
{
    uint8_t byte;
    while (used(rx_in, rx_out) < LARCH_LINE_RX_LEN && device->take(&byte)) {
        rx[rx_in % LARCH_LINE_RX_LEN] = byte;
        rx_in++;
    }
    want(wants_room, used(rx_in, rx_out) < LARCH_LINE_RX_LEN);
}

/* ---- for the chip's driver --------------------------------------------------- */

void larch_line_start(const larch_line_chip *chip)
{
    device = chip;
    tx_in = tx_out = rx_in = rx_out = 0;
    wants_room = wants_arrival = false;
    line_free_us = larch_board_now_us();
    want(false, true);
}

void larch_line_serve(void)
{
    const uint32_t before = larch_interrupts_off();
    receive();
    send();
    larch_interrupts_back(before);
}

/* ---- board.h ----------------------------------------------------------------- */

size_t larch_board_line_room(void)
{
    const uint32_t before = larch_interrupts_off();
    const size_t room = LARCH_LINE_TX_LEN - used(tx_in, tx_out);
    larch_interrupts_back(before);
    return room;
}

size_t larch_board_line_write(larch_bytes bytes)
{
    const uint32_t before = larch_interrupts_off();
    size_t len = 0;
    while (len < bytes.len && used(tx_in, tx_out) < LARCH_LINE_TX_LEN) {
        tx[tx_in % LARCH_LINE_TX_LEN] = bytes.data[len++];
        tx_in++;
    }
    send();
    larch_interrupts_back(before);
    return len;
}

size_t larch_board_line_read(uint8_t *out, size_t cap)
{
    const uint32_t before = larch_interrupts_off();
    size_t len = 0;
    while (len < cap && used(rx_in, rx_out) > 0) {
        out[len++] = rx[rx_out % LARCH_LINE_RX_LEN];
        rx_out++;
    }
    if (!wants_arrival)
        receive();
    larch_interrupts_back(before);
    return len;
}

static bool all_left(void)
{
    const uint32_t before = larch_interrupts_off();
    const bool left = used(tx_in, tx_out) == 0 && device->idle();
    larch_interrupts_back(before);
    return left;
}

/* Gives up where the host takes nothing for a second: who flushes is often about to restart. */
void larch_board_line_flush(larch_bytes bytes)
{
    uint64_t until = larch_board_now_us() + PATIENCE_US;
    while ((bytes.len > 0 || !all_left()) && larch_board_now_us() < until) {
        const size_t len = larch_board_line_write(bytes);
        if (len > 0) {
            bytes.data += len;
            bytes.len -= len;
            until = larch_board_now_us() + PATIENCE_US;
        }
    }
}
