/* SPDX-License-Identifier: Apache-2.0 */
/* The stacks of tasks, and of interrupts. */
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

/* Kept for it: a stack that FreeRTOS paints, or its board likewise. */
#define LARCH_PORT_STACKS_MAX 5
void larch_port_stack_add(const char *name, const uint32_t *words, uint32_t count);

#endif
