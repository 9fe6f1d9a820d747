/* SPDX-License-Identifier: Apache-2.0 */
/* What the measurement needs of a board; each board_NAME.c has all of it. */
#ifndef LARCH_BENCH_BOARD_H
#define LARCH_BENCH_BOARD_H

#include <stdint.h>

void board_put(char c);

/* Ends the emulation; 0 means success. */
_Noreturn void board_exit(int code);

/* Instructions since some start. */
uint32_t board_instructions(void);

#endif
