/* SPDX-License-Identifier: Apache-2.0 */
/*
 * QEMU's riscv32 machine "virt" (7.2): its memory map, and what the kernel's port calls of the device drivers. The
 * drivers know no operating system; they are called with the machine's interrupts on or off, and from one hart alone.
 */
#ifndef LARCH_QEMU_VIRT_H
#define LARCH_QEMU_VIRT_H

#include <stdint.h>

#define LARCH_VIRT_FINISHER         0x00100000u
#define LARCH_VIRT_FINISHER_FAIL    0x3333u /* exit code in the upper half */
#define LARCH_VIRT_FINISHER_PASS    0x5555u
#define LARCH_VIRT_FINISHER_RESTART 0x7777u

#define LARCH_VIRT_MTIMECMP 0x02004000u
#define LARCH_VIRT_MTIME    0x0200bff8u
#define LARCH_VIRT_MTIME_HZ 10000000u

#define LARCH_VIRT_PLIC_PRIORITY  0x0c000000u /* + 4 * irq */
#define LARCH_VIRT_PLIC_ENABLE    0x0c002000u /* hart 0, machine mode; bit irq */
#define LARCH_VIRT_PLIC_THRESHOLD 0x0c200000u
#define LARCH_VIRT_PLIC_CLAIM     0x0c200004u

#define LARCH_VIRT_UART     0x10000000u
#define LARCH_VIRT_UART_IRQ 10u

#define LARCH_VIRT_VIRTIO        0x10001000u
#define LARCH_VIRT_VIRTIO_STRIDE 0x1000u
#define LARCH_VIRT_VIRTIO_SLOTS  8u
#define LARCH_VIRT_VIRTIO_IRQ    1u /* of slot 0; one a slot */

#define LARCH_VIRT_FLASH_CODE 0x20000000u /* unit 0 */
#define LARCH_VIRT_FLASH_KEYS 0x22000000u /* unit 1 */

/* Once, before the scheduler, with machine interrupts off: finds the devices of all slots and starts line, random
 * source, flash and second channel. A device that is absent or refuses leaves its calls of board.h at LARCH_PLATFORM. */
void larch_virt_devices_init(void);

/* The interrupts that the kernel enables at the PLIC: bit irq. Good after larch_virt_devices_init. */
uint32_t larch_virt_irq_mask(void);

/* Serves one interrupt between its claim and its completion; interrupts that are nobody's are left alone. May call the
 * wake of larch_board_ethernet_start, or the on_frame of larch_board_radio_start. */
void larch_virt_irq(uint32_t irq);

/* Each millisecond, from the timer interrupt: the line goes on at its own speed. May call what larch_virt_irq calls. */
void larch_virt_tick(void);

#endif
