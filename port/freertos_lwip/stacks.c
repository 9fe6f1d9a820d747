/* SPDX-License-Identifier: Apache-2.0 */
#include "stacks.h"

#include "FreeRTOS.h"

#define PAINT 0xa5a5a5a5u /* tskSTACK_FILL_BYTE of tasks.c */

static struct {
    const char *name;
    const uint32_t *words;
    uint32_t count;
} stacks[LARCH_PORT_STACKS_MAX];
static unsigned known, guarded;

void larch_port_stack_add(const char *name, const uint32_t *words, uint32_t count)
{
    configASSERT(known < LARCH_PORT_STACKS_MAX);
    stacks[known].name = name;
    stacks[known].words = words;
    stacks[known].count = count;
    known++;
}

static larch_port_stack measure(const char *name, const uint32_t *words, uint32_t count)
{
    uint32_t left = 0;
    while (left < count && words[left] == PAINT)
        left++;
    return (larch_port_stack){name, count * (uint32_t)sizeof *words, (count - left) * (uint32_t)sizeof *words};
}

bool larch_port_stack_of(unsigned index, larch_port_stack *out)
{
    if (index >= known)
        return false;
    *out = measure(stacks[index].name, stacks[index].words, stacks[index].count);
    return true;
}

/* ---- guards ------------------------------------------------------------------ */

static uintptr_t guard_of(unsigned index) { return (uintptr_t)stacks[index].words - LARCH_PORT_GUARD_LEN; }

void larch_port_stacks_guard(void)
{
    for (; guarded < known; guarded++) {
        configASSERT(guard_of(guarded) % LARCH_PORT_GUARD_LEN == 0);
        larch_port_guard(guarded, guard_of(guarded));
    }
}

bool larch_port_is_guard(uintptr_t address)
{
    for (unsigned i = 0; i < guarded; i++)
        if (address - guard_of(i) < LARCH_PORT_GUARD_LEN)
            return true;
    return false;
}
