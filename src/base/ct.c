/* SPDX-License-Identifier: Apache-2.0 */
/* What touches secrets byte by byte: in time that depends on lengths alone. */
#include <string.h>

#include "larch/base.h"

#if UINTPTR_MAX <= 0xffffffff && defined(__GNUC__)
/* Small C libraries fill byte by byte; words take a quarter of the time. */
static void zero(void *memory, size_t len)
{
    typedef uint32_t __attribute__((may_alias)) word;
    volatile uint8_t *byte = memory;
    for (; len > 0 && (uintptr_t)byte % sizeof(word) != 0; len--)
        *byte++ = 0;
    volatile word *w = (volatile word *)(uintptr_t)byte;
    for (; len >= 4 * sizeof(word); len -= 4 * sizeof(word), w += 4)
        w[0] = w[1] = w[2] = w[3] = 0;
    for (; len >= sizeof(word); len -= sizeof(word))
        *w++ = 0;
    for (byte = (volatile uint8_t *)w; len > 0; len--)
        *byte++ = 0;
}
#else
static void zero(void *memory, size_t len) { memset(memory, 0, len); }
#endif

void larch_wipe(void *memory, size_t len)
{
    if (len == 0)
        return;
    zero(memory, len);
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
