/* SPDX-License-Identifier: Apache-2.0 */
/* Guards of stacks, by physical memory protection [RISC-V Privileged 3.7]: an entry that is locked holds in machine mode
 * too, and stays as it is until reset. */
#include "freertos_lwip/stacks.h"

#define LOCKED 0x80u
#define NAPOT  0x18u /* a region of a power of two, aligned so */
#define READ   0x01u

#define SET_ADDRESS(n, value) __asm__ volatile("csrw pmpaddr" #n ", %0" : : "r"(value))
#define SET_CONFIG(n, bits)   __asm__ volatile("csrs pmpcfg" #n ", %0" : : "r"(bits))

_Static_assert(LARCH_PORT_STACKS_MAX == 5, "entries 0 to 4");

void larch_port_guard(unsigned index, uintptr_t at)
{
    const uint32_t region = (uint32_t)(at >> 2) | (LARCH_PORT_GUARD_LEN / 8 - 1);
    const uint32_t config = LOCKED | NAPOT | READ;
    switch (index) {
    case 0:
        SET_ADDRESS(0, region);
        break;
    case 1:
        SET_ADDRESS(1, region);
        break;
    case 2:
        SET_ADDRESS(2, region);
        break;
    case 3:
        SET_ADDRESS(3, region);
        break;
    default:
        SET_ADDRESS(4, region);
        break;
    }
    if (index < 4)
        SET_CONFIG(0, config << 8 * index);
    else
        SET_CONFIG(1, config);
}
