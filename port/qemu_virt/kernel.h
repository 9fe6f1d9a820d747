/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel's side of the port shares: the processor's registers, and the machine's time. */
#ifndef LARCH_VIRT_KERNEL_H
#define LARCH_VIRT_KERNEL_H

#include <stdint.h>

static inline volatile uint32_t *larch_virt_registers(uintptr_t address) { return (volatile uint32_t *)address; }

/* Ticks of LARCH_VIRT_MTIME_HZ since power on. */
uint64_t larch_virt_time(void);

#endif
