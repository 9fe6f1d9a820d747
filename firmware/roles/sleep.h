/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LARCH_SLEEP_H
#define LARCH_SLEEP_H

#include <stdint.h>

/* Lets the other tasks run, for at least this many milliseconds. */
void larch_sleep_ms(uint32_t ms);

#endif
