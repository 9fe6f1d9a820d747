/* SPDX-License-Identifier: Apache-2.0 */
#include "stacks.h"

#include "freertos_lwip/stacks.h"
#include "say.h"

void larch_stacks_say(void)
{
    larch_port_stack stack;
    for (unsigned i = 0; larch_port_stack_of(i, &stack); i++)
        larch_say("stack: %s %u of %u bytes", stack.name, stack.used, stack.size);
}
