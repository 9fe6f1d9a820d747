/* SPDX-License-Identifier: Apache-2.0 */
/* An image that tries the port itself on its board, and prints a line for each thing tried. */
#ifndef LARCH_CHECK_H
#define LARCH_CHECK_H

#include <stdbool.h>
#include <stdint.h>

void larch_check_say(const char *text);
void larch_check_say_number(const char *name, uint32_t value);

/* "ok NAME" or "FAILED NAME". */
void larch_check(const char *name, bool passed);

/* Each from the check's own task, with the scheduler running. */
void larch_check_kernel(void);
void larch_check_devices(void);
/* Whether there is a network to go on with. */
bool larch_check_join(void);
void larch_check_echo(void);

#endif
