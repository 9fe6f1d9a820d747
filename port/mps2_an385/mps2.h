/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ARM's MPS2 board with the FPGA image of application note AN385 (Cortex-M3), as QEMU 7.2 emulates it: its memory map
 * [DAI0385], and what the drivers of this folder call of each other.
 */
#ifndef LARCH_MPS2_AN385_H
#define LARCH_MPS2_AN385_H

#include "larch/base.h"

#define LARCH_MPS2_CLOCK_HZ 25000000u

#define LARCH_MPS2_TIMER0   0x40000000u
#define LARCH_MPS2_UART0    0x40004000u
#define LARCH_MPS2_UART1    0x40005000u
#define LARCH_MPS2_WATCHDOG 0x40008000u
#define LARCH_MPS2_ETHERNET 0x40200000u

/* Lines of the interrupt controller. */
#define LARCH_MPS2_IRQ_UART0_RX 0u
#define LARCH_MPS2_IRQ_UART0_TX 1u
#define LARCH_MPS2_IRQ_ETHERNET 13u
#define LARCH_MPS2_IRQS         32u

/* An interrupt as urgent as the kernel's own: none interrupts another. */
void larch_mps2_irq_enable(uint32_t irq);

/* How long a call waits for a device before it says LARCH_PLATFORM. */
#define LARCH_MPS2_PATIENCE_MS 1000u

void larch_mps2_clock_start(void);
/* Ticks of LARCH_MPS2_CLOCK_HZ since power on; to be asked at least every 171 s. Also from interrupts. */
uint64_t larch_mps2_clock(void);

void larch_mps2_uart_start(void);
void larch_mps2_uart_irq(void);

void larch_mps2_channel_start(void);
void larch_mps2_channel_tick(void);

void larch_mps2_ethernet_irq(void);
/* Wakes again while frames lie there that nobody has taken. */
void larch_mps2_ethernet_tick(void);
/* Starts the interface. all: frames for other stations too. Errors as of larch_board_ethernet_start. */
LARCH_MUST_USE larch_error larch_mps2_ethernet_start(bool all, uint8_t mac[6], void (*wake)(void));

void larch_mps2_random_start(void);
void larch_mps2_flash_start(void);
/* Before a restart, which the host's files would survive. */
void larch_mps2_random_stop(void);
void larch_mps2_flash_stop(void);

#endif
