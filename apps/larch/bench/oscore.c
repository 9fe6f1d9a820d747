/* SPDX-License-Identifier: Apache-2.0 */
/* larch bench oscore: rounds, in which each server is loaded in turn. */
#include "bench/oscore.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/load.h"

#define NAME       "bench"
#define SECONDS    1.0
#define ROUNDS     5
#define PER_SECOND 100000 /* readings protected for each second of load; the load ends when they are used up */
#define WARM_UP    16     /* the share of them that is sent before the first round counts */
#define LOOK_UP_S  0.2

_Static_assert(ROUNDS <= LARCH_BENCH_ROUNDS_MAX, "each has its place");

/* A context takes 2^20 messages, answers among them: readings of all rounds, for both types of message, on senders. */
#define READINGS_MAX 400000

typedef struct run {
    const larch_bench_options *options;
    larch_bench_server servers[LARCH_BENCH_SERVERS];
    larch_bench_sessions found;
    double seconds;
    size_t each; /* readings of one device in one load */
    uint8_t *bodies;
} run;

typedef struct load_context {
    const larch_bench_server *server;
    const uint64_t *first; /* number of each device's first reading */
    size_t each;
} load_context;

static bool verify(void *context, size_t body, larch_bytes datagram)
{
    const load_context *c = context;
    const unsigned device = (unsigned)(body / c->each);
    return larch_bench_verify(&c->server->devices, device, c->first[device] + body % c->each, datagram);
}

static larch_exit load_once(run *r, larch_bench_server_kind kind, bool is_confirmable, size_t each, bool counts)
{
    larch_bench_server *server = &r->servers[kind];
    larch_bench_load *found = &r->found.loads[kind][is_confirmable];
    uint64_t first[LARCH_BENCH_DEVICES];
    larch_posix_reason why;
    load_context context = {.server = server, .first = first, .each = each};
    larch_load load = {.peer = server->own.peer,
                       .senders = r->options->senders,
                       .window = r->options->window,
                       .seconds = r->seconds,
                       .bodies = r->bodies,
                       .body_count = each * r->options->senders,
                       .is_non = !is_confirmable,
                       .is_ready = true,
                       .verify = kind == LARCH_BENCH_ECHO ? NULL : verify,
                       .context = &context};
    uint64_t latency[1];
    load.latency_ns = latency;
    load.latency_count = LARCH_LOAD_SAMPLES; /* none are kept */
    for (unsigned i = 0; i < server->devices.count; i++)
        first[i] = server->devices.next[i];
    if (!larch_bench_protect(&server->devices, each, r->bodies, &load.body_len))
        return larch_app_fail(NAME, "readings cannot be protected");
    const uint64_t before_ns = larch_bench_process_ns(server->own.pid);
    if (larch_load_run(&load, &why) != 0)
        return larch_app_fail(NAME, "%s", why.text);
    const uint64_t used_ns = larch_bench_process_ns(server->own.pid) - before_ns;
    if (load.unverified > 0)
        return larch_app_fail(NAME, "an answer is not authentic, or not 2.04");
    if (!counts || load.answered == 0)
        return LARCH_EXIT_DONE;
    found->rate[found->rounds] = (double)load.answered * 1e9 / (double)load.elapsed_ns;
    found->cpu_us[found->rounds] = (double)used_ns / 1e3 / (double)load.answered;
    found->rounds++;
    found->answered += load.answered;
    found->lost += load.lost;
    found->refused += load.refused;
    return LARCH_EXIT_DONE;
}

/* All servers in turn, forth and back. */
static larch_exit load_all(run *r)
{
    larch_exit code = LARCH_EXIT_DONE;
    for (unsigned round = 0; round <= ROUNDS; round++) /* the first warms up */
        for (unsigned i = 0; i < 2 * LARCH_BENCH_SERVERS && code == LARCH_EXIT_DONE; i++) {
            const unsigned at = round % 2 == 0 ? i : 2 * LARCH_BENCH_SERVERS - 1 - i;
            const larch_bench_server_kind kind = (larch_bench_server_kind)(at / 2);
            if (r->servers[kind].missing == NULL)
                code = load_once(r, kind, at % 2 == 1, round > 0 ? r->each : r->each / WARM_UP + 1, round > 0);
        }
    return code;
}

/* ---- the measurement ---------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void sort_all(larch_bench_sessions *found)
{
    for (unsigned i = 0; i < 2 * LARCH_BENCH_SERVERS; i++) {
        larch_bench_load *load = &found->loads[i / 2][i % 2];
        qsort(load->rate, load->rounds, sizeof load->rate[0], compare);
        qsort(load->cpu_us, load->rounds, sizeof load->cpu_us[0], compare);
    }
}

static larch_exit measure(run *r)
{
    int server_core, load_core;
    larch_exit code = LARCH_EXIT_DONE;
    larch_bench_choose_cores(&server_core, &load_core);
    if (load_core < 0)
        fprintf(stderr, "larch bench: one core for servers and load: the rates are too low\n");
    r->bodies = malloc(r->each * r->options->senders * LARCH_BENCH_READING_MAX);
    if (r->bodies == NULL)
        return larch_app_fail(NAME, "no memory");
    for (unsigned kind = 0; kind < LARCH_BENCH_SERVERS && code == LARCH_EXIT_DONE; kind++) {
        code = larch_bench_server_start(&r->servers[kind], (larch_bench_server_kind)kind, r->options, server_core);
        r->found.missing[kind] = r->servers[kind].missing;
    }
    larch_bench_pin(load_core);
    if (code == LARCH_EXIT_DONE)
        code = load_all(r);
    for (unsigned kind = 0; kind < LARCH_BENCH_SERVERS; kind++)
        larch_bench_own_stop(&r->servers[kind].own);
    if (code == LARCH_EXIT_DONE &&
        !larch_bench_look_up(r->found.tables, r->seconds < LOOK_UP_S ? r->seconds : LOOK_UP_S))
        code = larch_app_fail(NAME, "sessions cannot be looked up");
    return code;
}

larch_exit larch_bench_oscore(const larch_bench_options *options)
{
    if (options->senders > LARCH_BENCH_DEVICES)
        return larch_app_usage(NAME, "oscore takes at most %u senders", LARCH_BENCH_DEVICES);
    run *r = calloc(1, sizeof *r);
    if (r == NULL)
        return larch_app_fail(NAME, "no memory");
    r->options = options;
    r->seconds = options->seconds > 0 ? options->seconds : SECONDS;
    r->each = (size_t)(r->seconds * PER_SECOND) / options->senders + 1;
    if (r->each > READINGS_MAX / (2 * (ROUNDS + 1)))
        r->each = READINGS_MAX / (2 * (ROUNDS + 1));
    const larch_exit code = measure(r);
    if (code == LARCH_EXIT_DONE) {
        sort_all(&r->found);
        larch_bench_show_sessions(options, &r->found);
    }
    free(r->bodies);
    free(r);
    return code;
}
