/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions as text, as Markdown, or as JSON. */
#include <stdio.h>

#include "bench/oscore.h"
#include "larch/contexts.h"
#include "text/json.h"
#include "text/text.h"

#define SERVER(kind) larch_bench_server_name((larch_bench_server_kind)(kind))
static const char *const types[2] = {"NON", "CON"};

/* What is divided by what. */
typedef struct ratio {
    const char *text;
    larch_bench_server_kind of, to;
    unsigned type;
} ratio;

static const ratio ratios[] = {
    {"without outbox, to a bare echo", LARCH_BENCH_PLAIN, LARCH_BENCH_ECHO, 0},
    {"without outbox, to a bare echo", LARCH_BENCH_PLAIN, LARCH_BENCH_ECHO, 1},
    {"without outbox, to libcoap", LARCH_BENCH_PLAIN, LARCH_BENCH_LIBCOAP, 0},
    {"without outbox, to libcoap", LARCH_BENCH_PLAIN, LARCH_BENCH_LIBCOAP, 1},
    {"with outbox, to without", LARCH_BENCH_OUTBOX, LARCH_BENCH_PLAIN, 0},
    {"with outbox, to without", LARCH_BENCH_OUTBOX, LARCH_BENCH_PLAIN, 1},
};
#define RATIOS (sizeof ratios / sizeof ratios[0])

static double median(const double *sorted, unsigned count) { return count > 0 ? sorted[(count - 1) / 2] : 0; }

static double rate_of(const larch_bench_load *load) { return median(load->rate, load->rounds); }

static double cpu_of(const larch_bench_load *load) { return median(load->cpu_us, load->rounds); }

/* false: one of both was not measured. By rate, and by the answers that a second of CPU time gives. */
static bool divide(const larch_bench_sessions *s, const ratio *r, double *by_rate, double *by_cpu)
{
    const larch_bench_load *of = &s->loads[r->of][r->type], *to = &s->loads[r->to][r->type];
    if (of->rounds == 0 || to->rounds == 0)
        return false;
    *by_rate = rate_of(of) / rate_of(to);
    *by_cpu = cpu_of(of) > 0 ? cpu_of(to) / cpu_of(of) : 0;
    return true;
}

/* ---- JSON ------------------------------------------------------------------------ */

static void show_json(const larch_bench_sessions *s)
{
    uint8_t line[512];
    double by_rate, by_cpu;
    for (unsigned i = 0; i < 2 * LARCH_BENCH_SERVERS; i++) {
        const larch_bench_load *load = &s->loads[i / 2][i % 2];
        larch_writer w = larch_writer_to(line, sizeof line);
        larch_json j = larch_json_begin_line(&w);
        larch_json_put_text(&j, "bench", "oscore");
        larch_json_put_text(&j, "server", SERVER(i / 2));
        larch_json_put_text(&j, "type", types[i % 2]);
        if (s->missing[i / 2] != NULL) {
            larch_json_put_text(&j, "missing", s->missing[i / 2]);
        } else {
            larch_json_put_decimal(&j, "rate", rate_of(load), 0);
            larch_json_put_decimal(&j, "cpu_us", cpu_of(load), 2);
            larch_json_put_number(&j, "rounds", load->rounds);
            larch_json_put_number(&j, "answered", load->answered);
            larch_json_put_number(&j, "lost", load->lost);
            larch_json_put_number(&j, "refused", load->refused);
        }
        larch_json_end_line(&j);
        larch_text_print(&w, stdout);
    }
    for (size_t i = 0; i < RATIOS; i++) {
        larch_writer w = larch_writer_to(line, sizeof line);
        larch_json j = larch_json_begin_line(&w);
        if (!divide(s, &ratios[i], &by_rate, &by_cpu))
            continue;
        larch_json_put_text(&j, "bench", "oscore");
        larch_json_put_text(&j, "ratio", ratios[i].text);
        larch_json_put_text(&j, "type", types[ratios[i].type]);
        larch_json_put_decimal(&j, "by_rate", by_rate, 2);
        larch_json_put_decimal(&j, "by_cpu", by_cpu, 2);
        larch_json_end_line(&j);
        larch_text_print(&w, stdout);
    }
    for (size_t i = 0; i < LARCH_BENCH_TABLES; i++) {
        const larch_bench_table *t = &s->tables[i];
        larch_writer w = larch_writer_to(line, sizeof line);
        larch_json j = larch_json_begin_line(&w);
        larch_json_put_text(&j, "bench", "oscore");
        larch_json_put_number(&j, "contexts", t->count);
        larch_json_put_decimal(&j, "find_ns", t->find_ns, 1);
        larch_json_put_number(&j, "context_bytes", sizeof(larch_session));
        larch_json_put_number(&j, "table_bytes", t->bytes);
        larch_json_put_number(&j, "resident_bytes", t->resident);
        larch_json_end_line(&j);
        larch_text_print(&w, stdout);
    }
}

/* ---- text and Markdown --------------------------------------------------------------- */

/* A row of cells, the first to the left. */
static void show_row(bool markdown, const char *const cells[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (markdown)
            printf("| %s ", cells[i]);
        else
            printf(i == 0 ? "%-36s" : "%16s", cells[i]);
    puts(markdown ? "|" : "");
}

static void show_head(bool markdown, const char *const cells[], size_t count)
{
    show_row(markdown, cells, count);
    if (markdown)
        puts(count == 3 ? "|---|--:|--:|" : "|---|--:|--:|--:|");
}

static void show_loads(bool markdown, const larch_bench_sessions *s)
{
    static const char *const head[] = {"one core, OSCORE POST of 32 bytes", "a second", "CPU each, us", "lost, %"};
    char name[64], rate[32], cpu[32], lost[32];
    const char *const cells[] = {name, rate, cpu, lost};
    show_head(markdown, head, 4);
    for (unsigned i = 0; i < 2 * LARCH_BENCH_SERVERS; i++) {
        const larch_bench_load *load = &s->loads[i / 2][i % 2];
        (void)snprintf(name, sizeof name, "%s, %s", SERVER(i / 2), types[i % 2]);
        (void)snprintf(rate, sizeof rate, load->rounds > 0 ? "%.0f" : "-", rate_of(load));
        (void)snprintf(cpu, sizeof cpu, load->rounds > 0 ? "%.2f" : "-", cpu_of(load));
        (void)snprintf(lost, sizeof lost, load->rounds > 0 ? "%.3f" : "-",
                       100.0 * (double)load->lost / (double)(load->answered + load->lost + 1));
        show_row(markdown, cells, 4);
    }
    for (unsigned i = 0; i < LARCH_BENCH_SERVERS; i++)
        if (s->missing[i] != NULL)
            printf("%s%s: %s\n", markdown ? "\n" : "", SERVER(i), s->missing[i]);
    puts("");
}

static void show_ratios(bool markdown, const larch_bench_sessions *s)
{
    static const char *const head[] = {"larch", "rate", "answers by CPU"};
    char name[64], rate[32], cpu[32];
    const char *const cells[] = {name, rate, cpu};
    double by_rate, by_cpu;
    show_head(markdown, head, 3);
    for (size_t i = 0; i < RATIOS; i++) {
        if (!divide(s, &ratios[i], &by_rate, &by_cpu))
            continue;
        (void)snprintf(name, sizeof name, "%s, %s", ratios[i].text, types[ratios[i].type]);
        (void)snprintf(rate, sizeof rate, "%.2f", by_rate);
        (void)snprintf(cpu, sizeof cpu, "%.2f", by_cpu);
        show_row(markdown, cells, 3);
    }
    puts("");
}

static void show_tables(bool markdown, const larch_bench_sessions *s)
{
    static const char *const head[] = {"contexts", "look-up, ns", "bytes each", "resident, kB"};
    char count[32], find[32], bytes[32], resident[32];
    const char *const cells[] = {count, find, bytes, resident};
    show_head(markdown, head, 4);
    for (size_t i = 0; i < LARCH_BENCH_TABLES; i++) {
        const larch_bench_table *t = &s->tables[i];
        (void)snprintf(count, sizeof count, "%zu", t->count);
        (void)snprintf(find, sizeof find, "%.0f", t->find_ns);
        (void)snprintf(bytes, sizeof bytes, "%.0f", (double)t->bytes / (double)t->count);
        (void)snprintf(resident, sizeof resident, "%.0f", (double)t->resident / 1000);
        show_row(markdown, cells, 4);
    }
}

void larch_bench_show_sessions(const larch_bench_options *options, const larch_bench_sessions *sessions)
{
    if (options->json) {
        show_json(sessions);
        return;
    }
    show_loads(options->markdown, sessions);
    show_ratios(options->markdown, sessions);
    show_tables(options->markdown, sessions);
}
