/* SPDX-License-Identifier: Apache-2.0 */
/* What touches secrets byte by byte: in time that depends on lengths alone. */
#include <string.h>

#include "larch/base.h"

void larch_wipe(void *memory, size_t len)
{
    if (len == 0)
        return;
    memset(memory, 0, len);
    /* The barrier claims to read the memory, so the memset must have happened. */
    __asm__ volatile("" : : "r"(memory) : "memory");
}

bool larch_ct_equal(const uint8_t *a, const uint8_t *b, size_t len)
{
    uint8_t difference = 0;
    for (size_t i = 0; i < len; i++)
        difference |= (uint8_t)(a[i] ^ b[i]);
    /* Hides the value's meaning, so that the loop is not cut short. */
    __asm__ volatile("" : "+r"(difference));
    return difference == 0;
}

larch_error larch_random_fill(const larch_random *random, uint8_t *out, size_t len)
{
    larch_error e = random->fill(random->context, out, len);
    if (e != LARCH_OK)
        larch_wipe(out, len);
    return e;
}
