/* SPDX-License-Identifier: Apache-2.0 */
/*
 * QEMU's mps2-an385 (Cortex-M3) and mps2-an386 (Cortex-M4), started with
 * -icount shift=5: an instruction is then 32 ns, and SysTick counts 40 ns, so
 * that instructions are known to within two.
 */
#include "board.h"

#define SYST_CSR   (*(volatile uint32_t *)0xe000e010)
#define SYST_RVR   (*(volatile uint32_t *)0xe000e014)
#define SYST_CVR   (*(volatile uint32_t *)0xe000e018)
#define UART_DATA  (*(volatile uint32_t *)0x40004000)
#define UART_STATE (*(volatile uint32_t *)0x40004004)
#define UART_CTRL  (*(volatile uint32_t *)0x40004008)
#define UART_BAUD  (*(volatile uint32_t *)0x40004010)

#define SYST_MAX 0xffffffu

void board_put(char c)
{
    UART_BAUD = 16;
    UART_CTRL = 1;
    while ((UART_STATE & 1) != 0)
        ;
    UART_DATA = (uint8_t)c;
}

void board_exit(int code)
{
    /* Semihosting: SYS_EXIT_EXTENDED with ADP_Stopped_ApplicationExit. */
    const uint32_t arguments[2] = {0x20026, (uint32_t)code};
    register uint32_t operation __asm__("r0") = 0x20;
    register const uint32_t *block __asm__("r1") = arguments;
    __asm__ volatile("bkpt 0xab" : : "r"(operation), "r"(block) : "memory");
    for (;;)
        ;
}

/* SysTick counts down in 24 bits; called again before 20 million instructions are over. */
uint32_t board_instructions(void)
{
    static uint32_t last = SYST_MAX;
    static uint64_t ticks;
    if ((SYST_CSR & 1) == 0) {
        SYST_RVR = SYST_MAX;
        SYST_CVR = 0;
        SYST_CSR = 5; /* enabled, processor clock, no interrupt */
    }
    uint32_t now = SYST_CVR;
    ticks += (last - now) & SYST_MAX;
    last = now;
    return (uint32_t)(ticks * 40 / 32);
}
