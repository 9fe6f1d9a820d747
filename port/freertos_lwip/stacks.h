/* SPDX-License-Identifier: Apache-2.0 */
/* The stacks of tasks, and of interrupts: how deep they have been, and a guard at the end of each. */
#ifndef LARCH_PORT_STACKS_H
#define LARCH_PORT_STACKS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct larch_port_stack {
    const char *name;
    uint32_t size, used; /* bytes; used: at the deepest moment so far */
} larch_port_stack;

/* The one of that index; false: there are no more. */
bool larch_port_stack_of(unsigned index, larch_port_stack *out);

/* The bytes below a stack, which can be read but not written: who goes deeper faults there, before it writes over what lies
 * below. A longer frame may reach past them; FreeRTOS then finds the paint gone at the next switch. Nothing ever writes to
 * them, not at the start either: a guard may outlive a restart. */
#define LARCH_PORT_GUARD_LEN 128

/* A task's stack of so many bytes, .words, and its guard. */
#define LARCH_PORT_STACK(name, size)               \
    static struct {                                \
        uint8_t guard[LARCH_PORT_GUARD_LEN];       \
        uint32_t words[(size) / sizeof(uint32_t)]; \
    } name __attribute__((section(".bss.stacks"), aligned(LARCH_PORT_GUARD_LEN)))
#define LARCH_PORT_STACK_WORDS(name) ((uint32_t)(sizeof(name).words / sizeof(uint32_t)))

/* Kept for larch_port_stack_of: a stack with its guard that FreeRTOS paints, or its board likewise. */
#define LARCH_PORT_STACKS_MAX 5
void larch_port_stack_add(const char *name, const uint32_t *words, uint32_t count);

/* Guards all stacks that were added since the last call. */
void larch_port_stacks_guard(void);
/* Whether the address is in a guard. Also from a fault. */
bool larch_port_is_guard(uintptr_t address);

/* Of the board's port: makes LARCH_PORT_GUARD_LEN bytes, aligned so, read-only until the board restarts. index: below
 * LARCH_PORT_STACKS_MAX, another one each time. */
void larch_port_guard(unsigned index, uintptr_t at);

#endif
