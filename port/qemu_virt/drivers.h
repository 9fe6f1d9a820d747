/* SPDX-License-Identifier: Apache-2.0 */
/* What the drivers of this folder call of each other. */
#ifndef LARCH_QEMU_VIRT_DRIVERS_H
#define LARCH_QEMU_VIRT_DRIVERS_H

#include "larch/base.h"
#include "virt.h"
#include "virtio.h"

/* Ticks of LARCH_VIRT_MTIME_HZ since power on. */
uint64_t larch_virt_time(void);

/* How long a call waits for a device before it says LARCH_PLATFORM. */
#define LARCH_VIRT_PATIENCE_MS 1000u

/* A point in time after which waiting ends. */
static inline uint64_t larch_virt_patience(void)
{
    return larch_virt_time() + LARCH_VIRT_PATIENCE_MS * (uint64_t)(LARCH_VIRT_MTIME_HZ / 1000);
}

void larch_virt_uart_start(void);
void larch_virt_uart_irq(void);

void larch_virt_flash_start(void);
void larch_virt_rng_start(larch_virtio found);
void larch_virt_console_start(larch_virtio found);
void larch_virt_console_tick(void);

/* Only takes note of it: larch_virt_net_start is what starts it. */
void larch_virt_net_found(larch_virtio found);
void larch_virt_net_irq(void);
/* Wakes again while frames lie there that nobody has taken. */
void larch_virt_net_tick(void);
uint32_t larch_virt_net_irq_mask(void);

/* Each millisecond, once per tick. Does not return if the watchdog has waited too long. */
void larch_virt_watchdog_tick(void);

/* Starts the interface. all: frames for other stations too. Errors as of larch_board_ethernet_start. */
LARCH_MUST_USE larch_error larch_virt_net_start(bool all, uint8_t mac[6], void (*wake)(void));
/* The next received frame, in the driver's own buffer until larch_virt_net_release(slot). LARCH_AGAIN: none. */
LARCH_MUST_USE larch_error larch_virt_net_take(uint16_t *slot, larch_bytes *frame);
void larch_virt_net_release(uint16_t slot);

#endif
