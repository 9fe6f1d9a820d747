/* SPDX-License-Identifier: Apache-2.0 */
/* An image that tries the port itself on its board, and prints a line for each thing tried. */
#ifndef LARCH_CHECK_H
#define LARCH_CHECK_H

#include <stdbool.h>
#include <stdint.h>

void larch_check_say(const char *text);
/* The number's text, somewhere in digits. */
#define LARCH_CHECK_DIGITS 11
const char *larch_check_digits(uint32_t value, char digits[LARCH_CHECK_DIGITS]);

/* "ok NAME" or "FAILED NAME". */
void larch_check(const char *name, bool passed);

/* "stack: NAME 120 of 512 bytes", for each. */
void larch_check_say_stacks(void);
/* As if this task's stack had overflowed a little. */
void larch_check_spoil_stack(void);

/* Each from the check's own task, with the scheduler running. */
void larch_check_kernel(void);
void larch_check_devices(void);
/* Whether there is a network to go on with. */
bool larch_check_join(void);
_Noreturn void larch_check_echo(void);

#endif
