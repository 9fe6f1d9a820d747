/* SPDX-License-Identifier: Apache-2.0 */
/* The CMSDK APB UART [DDI0479 4.3]: a byte each way; how urgent it is, is its driver's business. */
#ifndef LARCH_MPS2_UART_H
#define LARCH_MPS2_UART_H

#include <stdbool.h>

#include "board/mmio.h"

#define LARCH_UART_DATA(at)  ((at) + 0x0)
#define LARCH_UART_STATE(at) ((at) + 0x4)
#define LARCH_UART_CTRL(at)  ((at) + 0x8)
#define LARCH_UART_INTR(at)  ((at) + 0xc) /* read: which are pending; written: which are done */
#define LARCH_UART_BAUD(at)  ((at) + 0x10)

#define LARCH_UART_STATE_TX_FULL 0x1u
#define LARCH_UART_STATE_RX_FULL 0x2u

#define LARCH_UART_CTRL_TX     0x1u
#define LARCH_UART_CTRL_RX     0x2u
#define LARCH_UART_CTRL_TX_INT 0x4u /* when the byte has left */
#define LARCH_UART_CTRL_RX_INT 0x8u

#define LARCH_UART_INTR_TX 0x1u
#define LARCH_UART_INTR_RX 0x2u

/* The fastest there is: 25 MHz over 16 are 1.56 Mbaud, which emulation does not heed. */
#define LARCH_UART_BAUD_MIN 16u

static inline bool larch_uart_has_room(uintptr_t at)
{
    return (larch_mmio_read32(LARCH_UART_STATE(at)) & LARCH_UART_STATE_TX_FULL) == 0;
}

#endif
