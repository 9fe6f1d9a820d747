/* SPDX-License-Identifier: Apache-2.0 */
/* The interrupt controller: what a driver asks of it. */
#include "FreeRTOS.h"

#include "board/mmio.h"

#include "mps2.h"

/* [ARMv7-M B3.4] */
#define NVIC_ENABLE   0xe000e100u
#define NVIC_PRIORITY 0xe000e400u /* + irq, a byte each */

void larch_mps2_irq_enable(uint32_t irq)
{
    larch_mmio_write8(NVIC_PRIORITY + irq, configKERNEL_INTERRUPT_PRIORITY);
    larch_mmio_write32(NVIC_ENABLE + irq / 32 * 4, 1u << irq % 32);
}
