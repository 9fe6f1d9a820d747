/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What drivers share with their interrupts is touched between these two; short, for nothing else runs meanwhile. In the
 * host's tests there are no interrupts.
 */
#ifndef LARCH_QEMU_VIRT_LOCK_H
#define LARCH_QEMU_VIRT_LOCK_H

#include <stdint.h>

#if defined(__riscv)

#define LARCH_VIRT_MSTATUS_MIE 8

/* Machine interrupts off; returns what larch_virt_unlock restores, so that locked parts may nest. */
static inline uint32_t larch_virt_lock(void)
{
    uint32_t before;
    __asm__ volatile("csrrci %0, mstatus, %1" : "=r"(before) : "i"(LARCH_VIRT_MSTATUS_MIE) : "memory");
    return before & LARCH_VIRT_MSTATUS_MIE;
}

static inline void larch_virt_unlock(uint32_t before)
{
    __asm__ volatile("csrs mstatus, %0" : : "r"(before) : "memory");
}

#else
static inline uint32_t larch_virt_lock(void) { return 0; }
static inline void larch_virt_unlock(uint32_t before) { (void)before; }
#endif

#endif
