/* SPDX-License-Identifier: Apache-2.0 */
#include "board/board.h"
#include "virt.h"
static volatile uint8_t *const u = (volatile uint8_t *)LARCH_VIRT_UART;
void larch_virt_devices_init(void) {}
uint32_t larch_virt_irq_mask(void) { return 0; }
void larch_virt_irq(uint32_t irq) { (void)irq; }
void larch_virt_tick(void) {}
void larch_board_line_flush(larch_bytes b)
{
    for (size_t i = 0; i < b.len; i++)
        *u = b.data[i];
}
