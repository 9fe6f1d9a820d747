/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of a comparison: schemes of larch and of the helper programs, and what was measured of them. */
#ifndef LARCH_APP_BENCH_ROWS_H
#define LARCH_APP_BENCH_ROWS_H

#include "bench/bench.h"

#define LARCH_BENCH_ROWS   128
#define LARCH_BENCH_ROUNDS 15

typedef struct larch_bench_op {
    double us[LARCH_BENCH_ROUNDS]; /* each round's figure; sorted once all are there */
    double cycles[LARCH_BENCH_ROUNDS];
    double spent; /* s */
    unsigned long runs;
    unsigned rounds;
    size_t stack; /* bytes; 0: not known */
} larch_bench_op;

typedef struct larch_bench_helper larch_bench_helper;

typedef struct larch_bench_row {
    larch_scheme scheme;
    larch_bench_helper *helper; /* NULL: runs in this program */
    unsigned number;            /* the helper's */
    larch_bench_op ops[LARCH_SCHEME_OPS];
} larch_bench_row;

typedef struct larch_bench_rows {
    larch_bench_row row[LARCH_BENCH_ROWS];
    size_t count;
} larch_bench_rows;

/* Takes the scheme as a new row, if there is room. */
void larch_bench_add(larch_bench_rows *rows, const larch_scheme *scheme, larch_bench_helper *helper, unsigned number);

/* Keeps what was asked for, in the table's order, and in the order it came within an algorithm. */
void larch_bench_arrange(const larch_bench_options *options, larch_bench_rows *rows, bool kex);

/* Our schemes, as users get them. False if one does not work. */
bool larch_bench_add_ours(larch_bench_rows *rows, bool batches);

/* Starts every helper program beside this one (larch-bench-peers*) and adds what they offer; returns how many
 * there are. The rows' texts are the helpers'. */
size_t larch_bench_start_helpers(larch_bench_rows *rows);
void larch_bench_stop_helpers(void);
/* As in measure.h, done by the row's helper. */
bool larch_bench_helper_time(const larch_bench_row *row, unsigned op, double seconds, larch_figures *out);
size_t larch_bench_helper_stack(const larch_bench_row *row, unsigned op);

/* Medians over the rounds. */
double larch_bench_us(const larch_bench_row *row, unsigned op);
double larch_bench_cycles(const larch_bench_row *row, unsigned op);

/* The table, in the order of the rows. kex: sums against the classical exchange, not operations against OpenSSL. */
void larch_bench_show(const larch_bench_options *options, const larch_bench_rows *rows, bool kex);

#endif
