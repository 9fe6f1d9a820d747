/* SPDX-License-Identifier: Apache-2.0 */
/* The serial line's chip: a 16550 with FIFOs. */
#include "board/line.h"
#include "board/mmio.h"

#include "drivers.h"
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

/* The chip tells only whether its FIFO is empty. */
static size_t room(void) { return (larch_mmio_read8(LSR) & LSR_FIFO_EMPTY) != 0 ? FIFO_LEN : 0; }

static void put(uint8_t byte) { larch_mmio_write8(DATA, byte); }

static bool take(uint8_t *byte)
{
    if ((larch_mmio_read8(LSR) & LSR_DATA) == 0)
        return false;
    *byte = larch_mmio_read8(DATA);
    return true;
}

static bool idle(void) { return (larch_mmio_read8(LSR) & LSR_ALL_SENT) != 0; }

static void want(bool room_again, bool arrival)
{
    larch_mmio_write8(IER, (uint8_t)((room_again ? IER_SENT : 0) | (arrival ? IER_RECEIVED : 0)));
}

void larch_virt_uart_start(void)
{
    static const larch_line_chip chip = {room, put, take, idle, want};
    larch_mmio_write8(IER, 0);
    larch_mmio_write8(LCR, LCR_8N1);
    larch_mmio_write8(FCR, FCR_ENABLE);
    larch_line_start(&chip);
}

void larch_virt_uart_irq(void)
{
    (void)larch_mmio_read8(IIR); /* which takes "sent" back */
    larch_line_serve();
}
