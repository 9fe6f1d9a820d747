/* SPDX-License-Identifier: Apache-2.0 */
/* How many handshakes a gateway completes in a second: larch gateway on one core, and its devices on another. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/handshake.h"
#include "bench/handshake_devices.h"
#include "bench/own.h"
#include "common/control.h"
#include "system.h"

#define NAME       "bench"
#define PER_SECOND 40000 /* key pairs for each second of load: more than one core uses */
#define START_MS   5000
#define REPLY_MS   5000
#define TRY_MS     20

/* ---- enrolling ------------------------------------------------------------------- */

/* "NAME HEX" */
static bool take_enrolment(larch_control_client *client, larch_bench_shaker *shaker)
{
    const uint64_t until_ms = larch_posix_now_ms() + REPLY_MS;
    larch_control_reply reply;
    return larch_control_next(client, until_ms, &reply) == LARCH_OK && reply.kind == LARCH_CONTROL_DATA &&
           larch_control_take_word(&reply.text).len > 0 &&
           larch_control_take_hex(reply.text, shaker->enrolled, sizeof shaker->enrolled, &shaker->enrolled_len) &&
           larch_control_next(client, until_ms, &reply) == LARCH_OK && reply.kind == LARCH_CONTROL_DONE;
}

static larch_error enrol(int folder, unsigned n, larch_bench_shaker *shaker)
{
    char name[24];
    larch_control_client client;
    (void)snprintf(name, sizeof name, "bench-%u", n);
    const larch_bytes words[] = {LARCH_TEXT("enrol-devices"), LARCH_TEXT("-"),   LARCH_TEXT("4"),
                                 LARCH_TEXT("ml-kem-512"),    LARCH_TEXT("kid"), larch_bytes_of_text(name)};
    const larch_error e = larch_control_begin(&client, folder, words, sizeof words / sizeof words[0]);
    if (e != LARCH_OK)
        return e;
    const bool ok = take_enrolment(&client, shaker);
    larch_control_end(&client);
    return ok ? LARCH_OK : LARCH_PLATFORM;
}

/* The gateway takes its time to start. */
static bool enrol_all(const larch_bench_own *own, larch_bench_shaker *shakers, unsigned count)
{
    const uint64_t until_ms = larch_posix_now_ms() + START_MS;
    const struct timespec pause = {.tv_nsec = TRY_MS * 1000000L};
    const int folder = open(own->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    larch_error e = folder >= 0 ? LARCH_OK : LARCH_PLATFORM;
    for (unsigned n = 0; e == LARCH_OK && n < count; n++)
        while ((e = enrol(folder, n, &shakers[n])) == LARCH_STATE && larch_posix_now_ms() < until_ms)
            (void)nanosleep(&pause, NULL);
    if (folder >= 0)
        (void)close(folder);
    return e == LARCH_OK;
}

/* ---- load ------------------------------------------------------------------------ */

static larch_exit load(const larch_bench_own *own, larch_bench_shaker *shakers, larch_bench_shaking *shaking,
                       double *cpu_us)
{
    if (!enrol_all(own, shakers, shaking->count))
        return larch_app_fail(NAME, "the gateway does not enrol devices");
    const uint64_t before_ns = larch_bench_process_ns(own->pid);
    if (!larch_bench_shake(shaking))
        return larch_app_fail(NAME, "devices cannot shake hands: %s", strerror(errno));
    *cpu_us = (double)(larch_bench_process_ns(own->pid) - before_ns) / 1e3 / (double)(shaking->completed + 1);
    if (shaking->completed == 0)
        return larch_app_fail(NAME, "no handshake was completed: %zu were refused, %zu lost", shaking->refused,
                              shaking->lost);
    return LARCH_EXIT_DONE;
}

static larch_exit start(const larch_bench_options *options, larch_bench_own *own, int core, larch_peer *peer)
{
    larch_exit code = larch_bench_own_prepare(own, peer);
    if (code != LARCH_EXIT_DONE)
        return code;
    larch_bench_pin(core); /* the child inherits it */
    return larch_bench_own_start(own, options->durability, true);
}

larch_exit larch_bench_load_handshakes(const larch_bench_options *options, double seconds,
                                       larch_bench_handshake_load *out)
{
    int server_core, load_core;
    larch_bench_own own = {0};
    if (options->senders > LARCH_BENCH_SHAKERS)
        return larch_app_usage(NAME, "handshake takes at most %u senders", LARCH_BENCH_SHAKERS);
    larch_bench_shaker *shakers = calloc(options->senders, sizeof *shakers);
    larch_bench_shaking shaking = {.shakers = shakers,
                                   .count = options->senders,
                                   .seconds = seconds,
                                   .prepared = (size_t)(seconds * PER_SECOND) + 1};
    *out = (larch_bench_handshake_load){.devices = options->senders};
    shaking.latency_ns = malloc(sizeof *shaking.latency_ns * shaking.prepared);
    if (shakers == NULL || shaking.latency_ns == NULL) {
        free(shakers);
        free(shaking.latency_ns);
        return larch_app_fail(NAME, "no memory");
    }
    larch_bench_choose_cores(&server_core, &load_core);
    out->has_one_core = load_core < 0;
    larch_exit code = start(options, &own, server_core, &shaking.gateway);
    larch_bench_pin(load_core);
    if (code == LARCH_EXIT_DONE)
        code = load(&own, shakers, &shaking, &out->cpu_us);
    larch_bench_own_stop(&own);
    if (code == LARCH_EXIT_DONE) {
        out->rate = (double)shaking.completed * 1e9 / (double)shaking.elapsed_ns;
        out->seconds = (double)shaking.elapsed_ns / 1e9;
        out->p50_us = (double)larch_measure_percentile(shaking.latency_ns, shaking.completed, 500) / 1e3;
        out->p99_us = (double)larch_measure_percentile(shaking.latency_ns, shaking.completed, 990) / 1e3;
        out->completed = shaking.completed;
        out->challenged = shaking.challenged;
        out->refused = shaking.refused;
        out->lost = shaking.lost;
        out->datagrams = shaking.datagrams;
        out->peak_kib = (size_t)own.usage.ru_maxrss;
    }
    larch_wipe(shakers, options->senders * sizeof *shakers);
    free(shakers);
    free(shaking.latency_ns);
    return code;
}
