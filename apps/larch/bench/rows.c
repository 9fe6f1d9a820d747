/* SPDX-License-Identifier: Apache-2.0 */
/* Which schemes a table shows, and in which order. */
#include <string.h>

#include "bench/rows.h"

/* The table's order. */
static const char *const order[] = {"ML-KEM-512", "ML-KEM-768", "ML-KEM-1024",   "X-Wing",
                                    "X25519",     "P-256 ECDH", "RSA-2048 OAEP", "ML-DSA-44",
                                    "ML-DSA-65",  "ML-DSA-87",  "P-256 ECDSA"};

static size_t place_of(const char *algorithm)
{
    size_t i = 0;
    while (i < sizeof order / sizeof order[0] && strcmp(order[i], algorithm) != 0)
        i++;
    return i;
}

static bool is_classical(const larch_bench_row *row)
{
    return strncmp(row->scheme.algorithm, "ML-", 3) != 0 && strcmp(row->scheme.algorithm, "X-Wing") != 0;
}

/* kem: what is post-quantum; kex: ours, and what is classical. */
static bool is_asked(const larch_bench_options *options, const larch_bench_row *row, bool kex)
{
    if (options->kem != NULL && strcmp(row->scheme.algorithm, options->kem->name) != 0 && !(kex && is_classical(row)))
        return false;
    return kex ? row->helper == NULL || is_classical(row) : !is_classical(row);
}

void larch_bench_add(larch_bench_rows *rows, const larch_scheme *scheme, larch_bench_helper *helper, unsigned number)
{
    if (rows->count < LARCH_BENCH_ROWS)
        rows->row[rows->count++] = (larch_bench_row){.scheme = *scheme, .helper = helper, .number = number};
}

void larch_bench_arrange(const larch_bench_options *options, larch_bench_rows *rows, bool kex)
{
    size_t kept = 0;
    for (size_t i = 0; i < rows->count; i++) {
        const larch_bench_row row = rows->row[i];
        size_t at = kept;
        if (!is_asked(options, &row, kex))
            continue;
        for (; at > 0 && place_of(rows->row[at - 1].scheme.algorithm) > place_of(row.scheme.algorithm); at--)
            rows->row[at] = rows->row[at - 1];
        rows->row[at] = row;
        kept++;
    }
    rows->count = kept;
}

/* ---- the run ------------------------------------------------------------- */
