/* SPDX-License-Identifier: Apache-2.0 */
/* The serial line's chip: UART 0. */
#include "board/line.h"

#include "mps2.h"
#include "uart.h"

#define AT LARCH_MPS2_UART0

static size_t room(void) { return larch_uart_has_room(AT) ? 1 : 0; }

static void put(uint8_t byte) { larch_mmio_write32(LARCH_UART_DATA(AT), byte); }

static bool take(uint8_t *byte)
{
    if ((larch_mmio_read32(LARCH_UART_STATE(AT)) & LARCH_UART_STATE_RX_FULL) == 0)
        return false;
    *byte = (uint8_t)larch_mmio_read32(LARCH_UART_DATA(AT));
    return true;
}

/* A byte that came just before its interrupt was wanted raises none: the next tick finds it. */
static void want(bool room_again, bool arrival)
{
    larch_mmio_write32(LARCH_UART_CTRL(AT), LARCH_UART_CTRL_TX | LARCH_UART_CTRL_RX |
                                                (room_again ? LARCH_UART_CTRL_TX_INT : 0) |
                                                (arrival ? LARCH_UART_CTRL_RX_INT : 0));
}

static bool idle(void) { return larch_uart_has_room(AT); }

void larch_mps2_uart_start(void)
{
    static const larch_line_chip chip = {room, put, take, idle, want};
    larch_mmio_write32(LARCH_UART_CTRL(AT), 0);
    larch_mmio_write32(LARCH_UART_BAUD(AT), LARCH_UART_BAUD_MIN);
    larch_mmio_write32(LARCH_UART_INTR(AT), LARCH_UART_INTR_TX | LARCH_UART_INTR_RX);
    larch_line_start(&chip);
    larch_mps2_irq_enable(LARCH_MPS2_IRQ_UART0_RX);
    larch_mps2_irq_enable(LARCH_MPS2_IRQ_UART0_TX);
}

void larch_mps2_uart_irq(void)
{
    larch_mmio_write32(LARCH_UART_INTR(AT), LARCH_UART_INTR_TX | LARCH_UART_INTR_RX);
    larch_line_serve();
}
