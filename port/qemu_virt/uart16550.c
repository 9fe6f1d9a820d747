/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The serial line: a 16550 with FIFOs, behind a ring each way.
 *
 * The emulated chip sends at any speed. So that a full line looks as on hardware, the driver lets out no more than
 * LARCH_BOARD_BAUD could have carried: each byte takes the line for BYTE_TIME, and of the time in which nothing was sent
 * at most BURST_TIME is made up for, which is what a real chip's interrupts would have sent since the last tick.
 *
 * The other way the driver stops taking bytes when its ring is full, as with RTS/CTS: the host then waits, nothing is lost.
 */
#include "board/board.h"

#include "drivers.h"
#include "lock.h"
#include "mmio.h"
#include "virt.h"

#define DATA (LARCH_VIRT_UART + 0)
#define IER  (LARCH_VIRT_UART + 1)
#define IIR  (LARCH_VIRT_UART + 2) /* read */
#define FCR  (LARCH_VIRT_UART + 2) /* written */
#define LCR  (LARCH_VIRT_UART + 3)
#define LSR  (LARCH_VIRT_UART + 5)

#define IER_RECEIVED   0x01
#define IER_SENT       0x02
#define FCR_ENABLE     0x07 /* and both FIFOs emptied; an interrupt from the first byte on */
#define LCR_8N1        0x03
#define LSR_DATA       0x01
#define LSR_FIFO_EMPTY 0x20
#define LSR_ALL_SENT   0x40
#define FIFO_LEN       16

#define BYTE_TIME  (LARCH_VIRT_MTIME_HZ / (LARCH_BOARD_BAUD / 10))
#define BURST_TIME (LARCH_VIRT_MTIME_HZ / 1000)

/* Powers of two, so that indices may run over. */
#define TX_LEN 2048u
#define RX_LEN 512u

static uint8_t tx[TX_LEN], rx[RX_LEN];
static uint16_t tx_in, tx_out, rx_in, rx_out; /* bytes ever put and taken */
static uint64_t line_free;                    /* when the line has carried what it was given */
static uint8_t interrupts;                    /* what IER holds */

static uint16_t used(uint16_t in, uint16_t out) { return (uint16_t)(in - out); }

/* ---- both ways, locked --------------------------------------------------- */

static void enable(uint8_t which, bool on)
{
    uint8_t wanted = (uint8_t)(on ? interrupts | which : interrupts & ~which);
    if (wanted != interrupts)
        larch_virt_write8(IER, interrupts = wanted);
}

/* Fills the FIFO as often as it is empty and the line has time. */
static void send(void)
{
    uint64_t now = larch_virt_time();
    if (line_free + BURST_TIME < now)
        line_free = now - BURST_TIME;
    bool full = false;
    while (used(tx_in, tx_out) > 0 && line_free <= now && !full) {
        full = (larch_virt_read8(LSR) & LSR_FIFO_EMPTY) == 0;
        for (unsigned i = 0; i < FIFO_LEN && !full && used(tx_in, tx_out) > 0 && line_free <= now; i++) {
            larch_virt_write8(DATA, tx[tx_out % TX_LEN]);
            tx_out++;
            line_free += BYTE_TIME;
        }
    }
    /* Where time is what lacks, the next tick goes on. */
    enable(IER_SENT, full);
}

static void receive(void)
{
    while (used(rx_in, rx_out) < RX_LEN && (larch_virt_read8(LSR) & LSR_DATA) != 0) {
        rx[rx_in % RX_LEN] = larch_virt_read8(DATA);
        rx_in++;
    }
    enable(IER_RECEIVED, used(rx_in, rx_out) < RX_LEN);
}

/* ---- for the other drivers ------------------------------------------------ */

void larch_virt_uart_start(void)
{
    tx_in = tx_out = rx_in = rx_out = 0;
    larch_virt_write8(IER, 0);
    larch_virt_write8(LCR, LCR_8N1);
    larch_virt_write8(FCR, FCR_ENABLE);
    line_free = larch_virt_time();
    larch_virt_write8(IER, interrupts = IER_RECEIVED);
}

void larch_virt_uart_irq(void)
{
    uint32_t before = larch_virt_lock();
    (void)larch_virt_read8(IIR); /* which takes "sent" back */
    receive();
    send();
    larch_virt_unlock(before);
}

void larch_virt_uart_tick(void)
{
    uint32_t before = larch_virt_lock();
    send();
    larch_virt_unlock(before);
}

/* ---- board.h --------------------------------------------------------------- */

size_t larch_board_line_room(void)
{
    uint32_t before = larch_virt_lock();
    size_t room = TX_LEN - used(tx_in, tx_out);
    larch_virt_unlock(before);
    return room;
}

size_t larch_board_line_write(larch_bytes bytes)
{
    uint32_t before = larch_virt_lock();
    size_t len = 0;
    while (len < bytes.len && used(tx_in, tx_out) < TX_LEN) {
        tx[tx_in % TX_LEN] = bytes.data[len++];
        tx_in++;
    }
    send();
    larch_virt_unlock(before);
    return len;
}

size_t larch_board_line_read(uint8_t *out, size_t cap)
{
    uint32_t before = larch_virt_lock();
    size_t len = 0;
    while (len < cap && used(rx_in, rx_out) > 0) {
        out[len++] = rx[rx_out % RX_LEN];
        rx_out++;
    }
    if ((interrupts & IER_RECEIVED) == 0)
        receive();
    larch_virt_unlock(before);
    return len;
}

/* Gives up where the host takes nothing for LARCH_VIRT_PATIENCE_MS: who flushes is often about to restart. */
void larch_board_line_flush(larch_bytes bytes)
{
    uint64_t until = larch_virt_patience();
    bool all_sent = false;
    while (!all_sent && larch_virt_time() < until) {
        size_t len = larch_board_line_write(bytes);
        if (len > 0) {
            bytes.data += len;
            bytes.len -= len;
            until = larch_virt_patience();
        }
        all_sent = bytes.len == 0 && larch_board_line_room() == TX_LEN && (larch_virt_read8(LSR) & LSR_ALL_SENT) != 0;
    }
}
