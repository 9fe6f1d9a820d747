/* SPDX-License-Identifier: Apache-2.0 */
/* Interrupts. */
#ifndef LARCH_SDK_BL_IRQ_H
#define LARCH_SDK_BL_IRQ_H

void bl_irq_init(void);

#endif
