/* SPDX-License-Identifier: Apache-2.0 */
/* How deep the stacks have been. */
#ifndef LARCH_STACKS_H
#define LARCH_STACKS_H

/* Says for each task, and for interrupts, the bytes its stack has used at most, of those it has. */
void larch_stacks_say(void);

#endif
