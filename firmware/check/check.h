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
bool larch_check_all_passed(void);

/* Makes the check's own task; the scheduler runs it. */
void larch_check_start(void (*run)(void *));

/* "stack: NAME 120 of 512 bytes", for each. */
void larch_check_say_stacks(void);
/* Goes deeper than this task's stack is, and writes to the end of that of interrupts. Neither returns. */
void larch_check_overflow(void);
void larch_check_overflow_interrupts(void);

/* Each from the check's own task, with the scheduler running. */
void larch_check_kernel(void);
void larch_check_devices(void);
/* Whether there is a network to go on with. */
bool larch_check_join(void);
_Noreturn void larch_check_echo(void);

#endif
