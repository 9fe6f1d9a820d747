/* SPDX-License-Identifier: Apache-2.0 */
/* How many sealed messages a gateway opens and answers in a second, or how many GETs a CoAP server. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/load.h"
#include "bench/own.h"
#include "common/app.h"
#include "common/fetch.h"
#include "common/value.h"
#include "larch/coap_message.h"
#include "larch/direct.h"
#include "system.h"
#include "text/json.h"
#include "text/peer.h"
#include "text/text.h"

#define NAME       "bench"
#define SECONDS    5.0
#define PER_SECOND 40000 /* messages made for each second of load: more than one core opens */
#define TEXT_LEN   32
#define START_MS   5000
#define TRY_MS     300
#define PROCESSES  16

/* ---- messages ------------------------------------------------------------ */

typedef struct messages {
    const larch_kem *kem;
    uint8_t *bytes;
    size_t len; /* of each */
    size_t count;
} messages;

/* Seals messages first, first + step, ... */
static int seal(const messages *m, larch_bytes ek, size_t first, size_t step)
{
    const larch_random random = larch_posix_random(); /* unlike the provider's, not copied by fork */
    char text[48];                                    /* TEXT_LEN of it are sealed */
    size_t len;
    for (size_t i = first; i < m->count; i += step) {
        (void)snprintf(text, sizeof text, "temperature 21.5 C, no. %08zu", i);
        if (larch_direct_seal(m->kem, &random, NULL, ek, (larch_bytes){(const uint8_t *)text, TEXT_LEN},
                              m->bytes + i * m->len, m->len, &len, NULL) != LARCH_OK)
            return 1;
    }
    return 0;
}

/* All of them, on all cores, before the clock starts. */
static bool seal_all(messages *m, larch_bytes ek)
{
    pid_t pids[PROCESSES];
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    const size_t processes = cores < 1 ? 1 : cores > PROCESSES ? PROCESSES : (size_t)cores;
    bool ok = true;
    m->len = larch_direct_sealed_len(m->kem, TEXT_LEN);
    m->bytes = mmap(NULL, m->count * m->len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (m->bytes == MAP_FAILED) {
        m->bytes = NULL;
        return false;
    }
    for (size_t i = 0; i < processes; i++) {
        pids[i] = fork();
        if (pids[i] == 0)
            _exit(seal(m, ek, i, processes));
    }
    for (size_t i = 0; i < processes; i++) {
        int status = 1;
        ok = pids[i] > 0 && waitpid(pids[i], &status, 0) == pids[i] && status == 0 && ok;
    }
    return ok;
}

/* ---- showing ------------------------------------------------------------- */

static double in_us(uint64_t ns) { return (double)ns / 1e3; }

/* What came of a load, in the units that are shown. */
typedef struct figures {
    double seconds, rate;
    double p50_us, p99_us, max_us;
    double cpu_us; /* of a gateway of our own, for each message */
} figures;

static figures figures_of(larch_load *load, const larch_bench_own *own)
{
    const double seconds = (double)load->elapsed_ns / 1e9;
    const struct timeval user = own->usage.ru_utime, system = own->usage.ru_stime;
    return (figures){
        .seconds = seconds,
        .rate = (double)load->answered / seconds,
        .p50_us = in_us(larch_measure_percentile(load->latency_ns, load->latency_count, 500)),
        .p99_us = in_us(larch_measure_percentile(load->latency_ns, load->latency_count, 990)),
        .max_us = in_us(larch_measure_percentile(load->latency_ns, load->latency_count, 1000)),
        .cpu_us = ((double)(user.tv_sec + system.tv_sec) * 1e6 + (double)(user.tv_usec + system.tv_usec)) /
                  (double)(load->answered + 1),
    };
}

static void show_json(const larch_bench_options *o, const larch_load *load, const larch_kem *kem,
                      const larch_bench_own *own, const figures *f)
{
    uint8_t line[1024];
    larch_writer w = larch_writer_to(line, sizeof line);
    larch_json j = larch_json_begin_line(&w);
    larch_json_put_text(&j, "bench", o->get != NULL ? "get" : "sealed");
    larch_json_put_decimal(&j, "rate", f->rate, 0);
    larch_json_put_number(&j, "answered", load->answered);
    larch_json_put_decimal(&j, "seconds", f->seconds, 3);
    larch_json_put_decimal(&j, "p50_us", f->p50_us, 1);
    larch_json_put_decimal(&j, "p99_us", f->p99_us, 1);
    larch_json_put_decimal(&j, "max_us", f->max_us, 1);
    larch_json_put_number(&j, "lost", load->lost);
    larch_json_put_number(&j, "challenged", load->challenged);
    larch_json_put_number(&j, "refused", load->refused);
    larch_json_put_number(&j, "senders", load->senders);
    larch_json_put_number(&j, "window", load->window);
    if (o->get == NULL)
        larch_json_put_text(&j, "kem", kem->name);
    if (own->pid > 0) {
        larch_json_put_number(&j, "gateway_peak_kib", (uint64_t)own->usage.ru_maxrss);
        larch_json_put_decimal(&j, "gateway_cpu_us", f->cpu_us, 1);
    }
    larch_json_end_line(&j);
    larch_text_print(&w, stdout);
}

static void show_plain(const larch_bench_options *o, const larch_load *load, const larch_kem *kem,
                       const larch_bench_own *own, const figures *f)
{
    const double loss = load->posted > 0 ? 100.0 * (double)load->lost / (double)load->posted : 0;
    char code[LARCH_TEXT_CODE_MAX];
    printf("%-12s %10.0f a second: %zu answered in %.3f s, %s\n", o->get != NULL ? "GET" : "sealed", f->rate,
           load->answered, f->seconds, o->get != NULL ? o->get : kem->name);
    printf("latency      %10.1f us median, %.1f us 99 %%, %.1f us longest\n", f->p50_us, f->p99_us, f->max_us);
    printf("in flight    %10u: %u senders, window %u\n", load->senders * load->window, load->senders, load->window);
    printf("lost         %10zu (%.3f %%), challenged %zu, refused %zu", load->lost, loss, load->challenged,
           load->refused);
    if (load->refused > 0)
        printf(", the last with %s", larch_text_of_code(load->refused_code, code));
    printf("\n");
    if (own->pid > 0)
        printf("gateway      %10ld KiB at its peak, %.1f us of CPU for each\n", own->usage.ru_maxrss, f->cpu_us);
}

/* ---- the measurement ----------------------------------------------------- */

/* Waits for a server to come up, and takes its key. */
static larch_exit wait_for_key(const larch_peer *peer, const larch_kem *kem, bool starting, larch_app_key *key)
{
    const uint64_t end_ms = larch_posix_now_ms() + START_MS;
    bool fetched;
    do
        fetched = larch_app_fetch(peer, kem, false, starting ? TRY_MS : START_MS, key);
    while (!fetched && starting && larch_posix_now_ms() < end_ms);
    return fetched ? LARCH_EXIT_DONE : larch_app_fail(NAME, "%s", key->why);
}

static larch_exit measure(const larch_bench_options *options, larch_load *load, const larch_kem *kem, bool own)
{
    larch_app_key key;
    messages m = {.kem = kem, .count = (size_t)(load->seconds * PER_SECOND) + 1};
    larch_posix_reason why;
    larch_exit code = LARCH_EXIT_DONE;
    /* A server that is only asked with GET need not be a gateway. */
    if (options->get == NULL || own)
        code = wait_for_key(&load->peer, kem, own, &key);
    if (code != LARCH_EXIT_DONE)
        return code;
    load->path = options->get;
    if (options->get == NULL) {
        fprintf(stderr, "larch bench: sealing %zu messages\n", m.count);
        if (!seal_all(&m, (larch_bytes){key.ek, kem->ek_len}))
            return larch_app_fail(NAME, "the messages could not be made: %s", strerror(errno));
        load->path = LARCH_DIRECT_PATH_DATA;
        load->query = options->receipt ? LARCH_DIRECT_QUERY_RECEIPT : NULL;
        load->bodies = m.bytes;
        load->body_len = m.len;
        load->body_count = m.count;
    }
    if (larch_load_run(load, &why) != 0)
        code = larch_app_fail(NAME, "%s", why.text);
    if (m.bytes != NULL)
        (void)munmap(m.bytes, m.count * m.len);
    return code;
}

larch_exit larch_bench_gateway(const larch_bench_options *options)
{
    const larch_kem *kem = options->kem != NULL ? options->kem : larch_direct_kem_at(0);
    larch_load load = {.senders = options->senders,
                       .window = options->window,
                       .seconds = options->seconds > 0 ? options->seconds : SECONDS};
    larch_posix_uri uri;
    larch_posix_reason why;
    larch_bench_own own = {0};
    larch_exit code = LARCH_EXIT_DONE;
    if (options->get == NULL && larch_direct_sealed_len(kem, TEXT_LEN) + 32 > LARCH_COAP_DATAGRAM_MAX)
        return larch_app_usage(NAME, "a message of %s takes more than one datagram: measure 512, 768 or xwing",
                               kem->name);
    if (options->uri != NULL) {
        if (larch_posix_uri_parse(options->uri, &uri, &why) != 0)
            return larch_app_bad_address(NAME, options->uri, &why);
        load.peer = uri.peer;
    } else {
        code = larch_bench_own_prepare(&own, &load.peer);
        if (code == LARCH_EXIT_DONE)
            code = larch_bench_own_start(&own, options->durability, options->json);
    }
    load.latency_ns = calloc(LARCH_LOAD_SAMPLES, sizeof *load.latency_ns);
    if (code == LARCH_EXIT_DONE && load.latency_ns == NULL)
        code = larch_app_fail(NAME, "no memory");
    if (code == LARCH_EXIT_DONE)
        code = measure(options, &load, kem, options->uri == NULL);
    larch_bench_own_stop(&own);
    if (code == LARCH_EXIT_DONE) {
        const figures f = figures_of(&load, &own);
        (options->json ? show_json : show_plain)(options, &load, kem, &own, &f);
        code = load.answered > 0 ? LARCH_EXIT_DONE : LARCH_EXIT_FAILED;
    }
    free(load.latency_ns);
    return code;
}
