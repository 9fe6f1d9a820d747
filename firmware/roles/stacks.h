/* SPDX-License-Identifier: Apache-2.0 */
/* How deep the stacks have been. */
#ifndef LARCH_STACKS_H
#define LARCH_STACKS_H

#include <stdint.h>

/* Says for each task the bytes its stack has used at most, of those it has. Tasks of other
 * files announce themselves first. */
void larch_stacks_say(void);

/* A task to be told of; name and size are kept. At most LARCH_STACKS_MAX, all at the start. */
#define LARCH_STACKS_MAX 6
void larch_stacks_add(const char *name, void *task, uint32_t size);

#endif
