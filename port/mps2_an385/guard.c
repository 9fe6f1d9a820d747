/* SPDX-License-Identifier: Apache-2.0 */
/* Guards of stacks, by the memory protection unit [ARMv7-M B3.5]; all other memory is as without it. */
#include "board/mmio.h"
#include "freertos_lwip/stacks.h"

#define MPU_CTRL 0xe000ed94u
#define MPU_RNR  0xe000ed98u
#define MPU_RBAR 0xe000ed9cu
#define MPU_RASR 0xe000eda0u

#define CTRL_ON        0x00000005u /* and what no region covers is as usual */
#define RASR_READ_ONLY 0x15020000u /* by privileged code; never executed; normal memory */
#define RASR_128_BYTES (6u << 1)
#define RASR_ON        1u

_Static_assert(LARCH_PORT_GUARD_LEN == 128 && LARCH_PORT_STACKS_MAX <= 8, "the size above, and a region each");

void larch_port_guard(unsigned index, uintptr_t at)
{
    larch_mmio_write32(MPU_RNR, index);
    larch_mmio_write32(MPU_RBAR, (uint32_t)at);
    larch_mmio_write32(MPU_RASR, RASR_READ_ONLY | RASR_128_BYTES | RASR_ON);
    larch_mmio_write32(MPU_CTRL, CTRL_ON);
    __asm__ volatile("dsb\n\tisb" : : : "memory");
}
