/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each request of a stranger gets out of a gateway: bytes out for bytes in of one request in quiet times, and of
 * a flood of it. The table in PROTOCOL.md is what this program prints with --markdown; without it the program
 * measures again and compares. usage: attacks_amplification --markdown | attacks_amplification PAGE
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "larch/crypto.h"
#include "stranger.h"
#include "table.h"

enum { FLOOD_RATE = 2000, FLOOD_S = 10, LEISURE_S = 6, LINE = 256 };

/* For how much the page's numbers may differ: an answer has a byte more or less with another provider or layout. */
#define TOLERANCE 0.1

typedef struct measurement {
    unsigned in, out;        /* of one request */
    double spread_s, spread; /* bytes out a second, and out over in, of a flood from everywhere */
    double prefix_s, prefix; /* and from one prefix */
    bool is_frugal;
} measurement;

static const world_settings by_default;

static void measure_one(stranger_request request, measurement *m)
{
    world *w = world_begin(1, &by_default);
    forger f;
    forger_begin(&f, w);
    forger_attack(&f, request, STRANGER_ANYWHERE, 100);
    /* A duplicate follows the request that it copies. */
    world_run(w, request == STRANGER_DUPLICATE ? 16 : 11);
    if (request == STRANGER_DUPLICATE) {
        world_run(w, 2);
        const uint64_t in = w->ledger.total_in, out = w->ledger.total_out;
        world_run(w, 10);
        forger_rest(&f);
        world_run(w, LEISURE_S * 1000);
        m->in = (unsigned)(w->ledger.total_in - in);
        m->out = (unsigned)(w->ledger.total_out - out);
    } else {
        forger_rest(&f);
        world_run(w, LEISURE_S * 1000);
        m->in = (unsigned)w->ledger.total_in;
        m->out = (unsigned)w->ledger.total_out;
    }
    world_end(w);
}

static void measure_flood(stranger_request request, stranger_source source, double *out_s, double *factor, bool *frugal)
{
    world *w = world_begin(1, &by_default);
    forger f;
    forger_begin(&f, w);
    forger_attack(&f, request, source, FLOOD_RATE);
    world_run(w, FLOOD_S * 1000);
    forger_rest(&f);
    world_run(w, LEISURE_S * 1000);
    *out_s = (double)w->ledger.total_out / FLOOD_S;
    *factor = (double)w->ledger.total_out / (double)w->ledger.total_in;
    *frugal = *frugal && world_is_frugal(w);
    world_end(w);
}

static void measure(stranger_request request, measurement *m)
{
    m->is_frugal = true;
    measure_one(request, m);
    measure_flood(request, STRANGER_ANYWHERE, &m->spread_s, &m->spread, &m->is_frugal);
    measure_flood(request, STRANGER_ONE_24, &m->prefix_s, &m->prefix, &m->is_frugal);
}

static void print_row(stranger_request request, const measurement *m)
{
    printf("| %s | %u | %u | %.2f | %.0f | %.2f | %.0f | %.2f |\n", stranger_text(request), m->in, m->out,
           (double)m->out / m->in, m->spread_s, m->spread, m->prefix_s, m->prefix);
}

static bool is_near(double a, double b) { return fabs(a - b) <= TOLERANCE * fmax(fabs(a), fabs(b)) + 2; }

/* The page's row of this request, if it has one that says what was measured. */
static bool page_has(FILE *page, stranger_request request, const measurement *m)
{
    char line[LINE], head[LINE];
    snprintf(head, sizeof head, "| %s | ", stranger_text(request));
    rewind(page);
    while (fgets(line, sizeof line, page) != NULL) {
        unsigned in, out;
        double one, spread_s, spread, prefix_s, prefix;
        if (strncmp(line, head, strlen(head)) != 0)
            continue;
        return sscanf(line + strlen(head), "%u | %u | %lf | %lf | %lf | %lf | %lf |", &in, &out, &one, &spread_s,
                      &spread, &prefix_s, &prefix) == 7 &&
               is_near(in, m->in) && is_near(out, m->out) && is_near(spread_s, m->spread_s) &&
               is_near(prefix_s, m->prefix_s);
    }
    return false;
}

int main(int argc, char **argv)
{
    if (argc != 2 || larch_crypto_init() != LARCH_OK) {
        fprintf(stderr, "usage: %s --markdown | PAGE\n", argv[0]);
        return 2;
    }
    table t = {0};
    const bool is_markdown = strcmp(argv[1], "--markdown") == 0;
    FILE *page = is_markdown ? NULL : fopen(argv[1], "r");
    bench_require(is_markdown || page != NULL);
    printf("| request of a stranger | bytes in | bytes out | factor | flood from everywhere: bytes out a second | "
           "factor | flood from one /24: bytes out a second | factor |\n|---|---|---|---|---|---|---|---|\n");
    for (unsigned i = 0; i < STRANGER_REQUEST_COUNT; i++) {
        measurement m;
        measure((stranger_request)i, &m);
        print_row((stranger_request)i, &m);
        table_begin(&t);
        table_check(&t, m.is_frugal, "more than three times the bytes in and the budget");
        table_check(&t, is_markdown || page_has(page, (stranger_request)i, &m), "%s says something else", argv[1]);
        t.failed += t.fails;
        if (t.fails)
            fputs(t.why, is_markdown ? stderr : stdout);
    }
    if (page != NULL)
        (void)fclose(page);
    return is_markdown ? 0 : table_close(&t);
}
