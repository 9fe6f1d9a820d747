/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What drivers share with their interrupts is touched between these two; short, for nothing else runs meanwhile. In the
 * host's tests there are no interrupts.
 */
#ifndef LARCH_BOARD_LOCK_H
#define LARCH_BOARD_LOCK_H

#include <stdint.h>

/* All interrupts off; returns what larch_interrupts_back restores, so that locked parts may nest. */
static inline uint32_t larch_interrupts_off(void);
static inline void larch_interrupts_back(uint32_t before);

#if defined(__riscv)

#define LARCH_MSTATUS_MIE 8

static inline uint32_t larch_interrupts_off(void)
{
    uint32_t before;
    __asm__ volatile("csrrci %0, mstatus, %1" : "=r"(before) : "i"(LARCH_MSTATUS_MIE) : "memory");
    return before & LARCH_MSTATUS_MIE;
}

static inline void larch_interrupts_back(uint32_t before)
{
    __asm__ volatile("csrs mstatus, %0" : : "r"(before) : "memory");
}

#elif defined(__arm__)

static inline uint32_t larch_interrupts_off(void)
{
    uint32_t before;
    __asm__ volatile("mrs %0, primask\n\tcpsid i" : "=r"(before) : : "memory");
    return before;
}

static inline void larch_interrupts_back(uint32_t before)
{
    __asm__ volatile("msr primask, %0" : : "r"(before) : "memory");
}

#else

static inline uint32_t larch_interrupts_off(void) { return 0; }
static inline void larch_interrupts_back(uint32_t before) { (void)before; }

#endif

#endif
