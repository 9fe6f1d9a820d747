/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instructions and stack of one run on a board, a line each:
 *
 *     NAME INSTRUCTIONS STACK
 *
 * STACK is in bytes and counts all below the caller's frame.
 */
#ifndef LARCH_BENCH_BOARD_MEASURE_H
#define LARCH_BENCH_BOARD_MEASURE_H

#include "board.h"

void board_put_text(const char *s);

/* Runs what once and prints its line; its name is name and operation. */
void board_measure(const char *name, const char *operation, void (*what)(void));

#endif
