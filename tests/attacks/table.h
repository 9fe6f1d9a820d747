/* SPDX-License-Identifier: Apache-2.0 */
/* The table that the suite prints: a row for each attack, and what is wrong with a row below it. */
#ifndef LARCH_TESTS_ATTACKS_TABLE_H
#define LARCH_TESTS_ATTACKS_TABLE_H

#include "honest.h"

enum { TABLE_ENOUGH_PERCENT = 95 };

typedef struct table {
    unsigned rows, failed;
    bool fails; /* the present row */
    char why[512];
} table;

void table_head(table *t);
/* The row's end must follow; in between, what does not hold is noted. */
void table_begin(table *t);
void table_check(table *t, bool holds, const char *why, ...) __attribute__((format(printf, 3, 4)));
/* Checks and prints what honest senders and strangers got. */
void table_end(table *t, const char *attack, uint32_t rate, const world *w, const honest_group *g);
/* A row that has other figures: a text. */
void table_end_text(table *t, const char *attack, uint32_t rate, const char *figures);
/* The exit status. */
int table_close(const table *t);

#endif
