/* SPDX-License-Identifier: Apache-2.0 */
/* Device registers, by address. */
#ifndef LARCH_BOARD_MMIO_H
#define LARCH_BOARD_MMIO_H

#include <stdint.h>

static inline uint8_t larch_mmio_read8(uintptr_t at) { return *(const volatile uint8_t *)at; }
static inline uint32_t larch_mmio_read32(uintptr_t at) { return *(const volatile uint32_t *)at; }
static inline void larch_mmio_write8(uintptr_t at, uint8_t value) { *(volatile uint8_t *)at = value; }
static inline void larch_mmio_write32(uintptr_t at, uint32_t value) { *(volatile uint32_t *)at = value; }

#endif
