/* SPDX-License-Identifier: Apache-2.0 */
/* Measures larch beside other libraries: post-quantum algorithms (kem), and key exchanges of all ages (kex). */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/rows.h"
#include "common/app.h"

#define SECONDS 0.5

static bool measure(larch_bench_row *row, unsigned op, double seconds)
{
    larch_bench_op *o = &row->ops[op];
    const uint64_t begin = larch_measure_now_ns();
    larch_figures f;
    if (op == 0 && o->spent >= seconds) /* the keys of RSA; what follows a new key must be made anew too */
        return true;
    if (!(row->helper != NULL ? larch_bench_helper_time(row, op, seconds / LARCH_BENCH_ROUNDS, &f)
                              : larch_measure_time(&row->scheme, op, seconds / LARCH_BENCH_ROUNDS, &f)))
        return false;
    o->us[o->rounds] = f.us;
    o->cycles[o->rounds++] = f.cycles;
    o->runs += f.runs * row->scheme.batch;
    o->spent += (double)(larch_measure_now_ns() - begin) / 1e9;
    return true;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Every row once a round, there and back, so that whatever else the machine does meets all of them. */
static bool measure_all(larch_bench_rows *rows, double seconds, bool progress)
{
    const size_t count = rows->count;
    for (unsigned round = 0; round < LARCH_BENCH_ROUNDS; round++) {
        if (progress)
            fprintf(stderr, "\rround %u of %d ", round + 1, LARCH_BENCH_ROUNDS);
        for (size_t i = 0; i < count; i++)
            for (unsigned op = 0; op < LARCH_SCHEME_OPS; op++)
                if (!measure(&rows->row[round % 2 == 0 ? i : count - 1 - i], op, seconds))
                    return false;
    }
    if (progress)
        fprintf(stderr, "\r                 \r");
    for (size_t i = 0; i < count; i++)
        for (unsigned op = 0; op < LARCH_SCHEME_OPS; op++) {
            larch_bench_row *row = &rows->row[i];
            qsort(row->ops[op].us, row->ops[op].rounds, sizeof(double), compare);
            qsort(row->ops[op].cycles, row->ops[op].rounds, sizeof(double), compare);
            row->ops[op].stack =
                row->helper != NULL ? larch_bench_helper_stack(row, op) : larch_measure_stack(&row->scheme, op);
        }
    return true;
}

larch_exit larch_bench_compare(const larch_bench_options *options, bool kex)
{
    const double seconds = options->seconds > 0 ? options->seconds : SECONDS;
    larch_bench_rows *rows = calloc(1, sizeof *rows);
    (void)signal(SIGPIPE, SIG_IGN); /* a helper that ends is noticed by its silence */
    if (rows == NULL || !larch_bench_add_ours(rows, !kex)) {
        free(rows);
        return larch_app_fail("bench", "an operation of ours does not work");
    }
    if (larch_bench_start_helpers(rows) == 0)
        fprintf(stderr, "larch bench: no larch-bench-peers beside this program: ours alone\n");
    larch_bench_arrange(options, rows, kex);
    const bool ok = measure_all(rows, seconds, isatty(STDERR_FILENO) != 0);
    if (ok)
        larch_bench_show(options, rows, kex);
    larch_bench_stop_helpers();
    free(rows);
    return ok ? LARCH_EXIT_DONE : larch_app_fail("bench", "an operation failed while it was measured");
}
