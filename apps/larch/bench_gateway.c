/* SPDX-License-Identifier: Apache-2.0 */
/* How many sealed messages a gateway opens and answers in a second, or how many GETs a CoAP server. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app.h"
#include "bench.h"
#include "bench_load.h"
#include "fetch.h"
#include "larch/coap_message.h"
#include "larch/direct.h"
#include "options.h"
#include "system.h"

#define NAME         "bench"
#define SECONDS      5.0
#define PER_SECOND   40000 /* messages made for each second of load: more than one core opens */
#define TEXT_LEN     32
#define START_MS     5000
#define TRY_MS       300
#define FOLDER_MAX   256
#define PROCESSES    16
#define REPLAY_SLOTS "1048576" /* so that no rotation falls into the measurement */

/* ---- a gateway of our own ------------------------------------------------ */

typedef struct server {
    pid_t pid;
    char folder[FOLDER_MAX];
    struct rusage usage;
} server;

static bool pick_port(larch_peer *peer)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof in;
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&in, len) == 0 &&
                    getsockname(fd, (struct sockaddr *)&in, &len) == 0 &&
                    larch_posix_peer_from_sockaddr((struct sockaddr *)&in, peer);
    if (fd >= 0)
        (void)close(fd);
    return ok;
}

static bool write_settings(const char *path)
{
    static const char settings[] = "[gateway]\nreplay_slots = " REPLAY_SLOTS "\n[limits]\nproven_rate = 0\n";
    FILE *f = fopen(path, "we");
    if (f == NULL)
        return false;
    const bool ok = fputs(settings, f) >= 0;
    return fclose(f) == 0 && ok;
}

static void become_gateway(const larch_bench_options *options, const char *folder, const char *settings,
                           const larch_peer *peer)
{
    char listen[LARCH_POSIX_PEER_TEXT];
    const char *arguments[12] = {"larch", "gateway", "--listen", listen, "--state", folder, "--config", settings};
    larch_posix_peer_text(peer, listen);
    if (options->durability != NULL) {
        arguments[8] = "--durability";
        arguments[9] = options->durability;
    }
    const int nothing = open("/dev/null", O_WRONLY);
    (void)dup2(nothing, STDOUT_FILENO);
    if (options->json)
        (void)dup2(nothing, STDERR_FILENO);
    (void)execv("/proc/self/exe", (char *const *)(uintptr_t)arguments);
    _exit(127);
}

static int start(server *s, const larch_bench_options *options, larch_peer *peer)
{
    char settings[FOLDER_MAX + 16];
    const char *temporary = getenv("TMPDIR");
    (void)snprintf(s->folder, sizeof s->folder, "%s/larch-bench-XXXXXX", temporary != NULL ? temporary : "/tmp");
    if (!pick_port(peer) || mkdtemp(s->folder) == NULL) {
        s->folder[0] = '\0';
        return larch_app_fail(NAME, "no place for a gateway: %s", strerror(errno));
    }
    (void)snprintf(settings, sizeof settings, "%s/bench.ini", s->folder);
    if (!write_settings(settings))
        return larch_app_fail(NAME, "%s: %s", settings, strerror(errno));
    s->pid = fork();
    if (s->pid < 0)
        return larch_app_fail(NAME, "fork: %s", strerror(errno));
    if (s->pid == 0)
        become_gateway(options, s->folder, settings, peer);
    return -1;
}

/* The gateway's folder holds files alone. */
static bool remove_folder(const char *path)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;
    if (folder == NULL)
        return false;
    while ((entry = readdir(folder)) != NULL)
        (void)unlinkat(dirfd(folder), entry->d_name, 0); /* fails for "." and ".." */
    (void)closedir(folder);
    return rmdir(path) == 0;
}

static void stop(server *s)
{
    if (s->pid > 0 && kill(s->pid, SIGTERM) == 0)
        (void)wait4(s->pid, NULL, 0, &s->usage);
    if (s->folder[0] != '\0' && !remove_folder(s->folder))
        (void)larch_app_fail(NAME, "%s is left behind", s->folder);
}

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
                              m->bytes + i * m->len, m->len, &len) != LARCH_OK)
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

static void show(const larch_bench_options *o, larch_load *load, const larch_kem *kem, const server *own)
{
    const double seconds = (double)load->elapsed_ns / 1e9, rate = (double)load->answered / seconds;
    const uint64_t p50 = larch_measure_percentile(load->latency_ns, load->latency_count, 500);
    const uint64_t p99 = larch_measure_percentile(load->latency_ns, load->latency_count, 990);
    const uint64_t max = larch_measure_percentile(load->latency_ns, load->latency_count, 1000);
    const double loss = load->posted > 0 ? 100.0 * (double)load->lost / (double)load->posted : 0;
    const double cpu_us = (double)(own->usage.ru_utime.tv_sec + own->usage.ru_stime.tv_sec) * 1e6 +
                          (double)(own->usage.ru_utime.tv_usec + own->usage.ru_stime.tv_usec);
    if (o->json) {
        printf("{\"bench\":\"%s\",\"rate\":%.0f,\"answered\":%zu,\"seconds\":%.3f,\"p50_us\":%.1f,\"p99_us\":%.1f,"
               "\"max_us\":%.1f,\"lost\":%zu,\"challenged\":%zu,\"refused\":%zu,\"senders\":%u,\"window\":%u",
               o->get != NULL ? "get" : "sealed", rate, load->answered, seconds, in_us(p50), in_us(p99), in_us(max),
               load->lost, load->challenged, load->refused, load->senders, load->window);
        if (o->get == NULL)
            printf(",\"kem\":\"%s\"", kem->name);
        if (own->pid > 0)
            printf(",\"gateway_peak_kib\":%ld,\"gateway_cpu_us\":%.1f", own->usage.ru_maxrss,
                   cpu_us / (double)(load->answered + 1));
        printf("}\n");
        return;
    }
    printf("%-12s %10.0f a second: %zu answered in %.3f s, %s\n", o->get != NULL ? "GET" : "sealed", rate,
           load->answered, seconds, o->get != NULL ? o->get : kem->name);
    printf("latency      %10.1f us median, %.1f us 99 %%, %.1f us longest\n", in_us(p50), in_us(p99), in_us(max));
    printf("in flight    %10u: %u senders, window %u\n", load->senders * load->window, load->senders, load->window);
    printf("lost         %10zu (%.3f %%), challenged %zu, refused %zu", load->lost, loss, load->challenged,
           load->refused);
    if (load->refused > 0)
        printf(", the last with %u.%02u", (unsigned)LARCH_COAP_CLASS(load->refused_code),
               (unsigned)LARCH_COAP_DETAIL(load->refused_code));
    printf("\n");
    if (own->pid > 0)
        printf("gateway      %10ld KiB at its peak, %.1f us of CPU for each\n", own->usage.ru_maxrss,
               cpu_us / (double)(load->answered + 1));
}

/* ---- the measurement ----------------------------------------------------- */

/* Waits for a server to come up, and takes its key. -1 to go on, else the exit code. */
static int wait_for_key(const larch_peer *peer, const larch_kem *kem, bool starting, uint8_t *ek)
{
    const uint64_t end_ms = larch_posix_now_ms() + START_MS;
    uint8_t hash[32];
    larch_sender_failure failure;
    do
        failure = larch_app_fetch(peer, kem, starting ? TRY_MS : START_MS, ek, hash);
    while (failure != LARCH_SENDER_FAIL_NONE && starting && larch_posix_now_ms() < end_ms);
    return failure == LARCH_SENDER_FAIL_NONE ? -1 : larch_app_fail(NAME, "%s", larch_sender_failure_text(failure));
}

static int measure(const larch_bench_options *options, larch_load *load, const larch_kem *kem, bool own)
{
    uint8_t ek[LARCH_KEM_EK_MAX];
    messages m = {.kem = kem, .count = (size_t)(load->seconds * PER_SECOND) + 1};
    larch_posix_reason why;
    int code = -1;
    /* A server that is only asked with GET need not be a gateway. */
    if (options->get == NULL || own)
        code = wait_for_key(&load->peer, kem, own, ek);
    if (code >= 0)
        return code;
    load->path = options->get;
    if (options->get == NULL) {
        fprintf(stderr, "larch bench: sealing %zu messages\n", m.count);
        if (!seal_all(&m, (larch_bytes){ek, kem->ek_len}))
            return larch_app_fail(NAME, "the messages could not be made: %s", strerror(errno));
        load->path = LARCH_DIRECT_PATH_DATA;
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

int larch_bench_gateway(const larch_bench_options *options)
{
    const larch_kem *kem = options->kem != NULL ? options->kem : larch_kem_at(0);
    larch_load load = {.senders = options->senders,
                       .window = options->window,
                       .seconds = options->seconds > 0 ? options->seconds : SECONDS};
    larch_posix_uri uri;
    larch_posix_reason why;
    server own = {0};
    int code = -1;
    if (options->get == NULL && larch_direct_sealed_len(kem, TEXT_LEN) + 32 > LARCH_COAP_DATAGRAM_MAX)
        return larch_app_usage(NAME, "a message of %s takes more than one datagram: measure 512 or 768", kem->name);
    if (options->uri != NULL) {
        if (larch_posix_uri_parse(options->uri, &uri, &why) != 0)
            return larch_app_bad_address(NAME, options->uri, &why);
        load.peer = uri.peer;
    } else {
        code = start(&own, options, &load.peer);
    }
    load.latency_ns = calloc(LARCH_LOAD_SAMPLES, sizeof *load.latency_ns);
    if (code < 0 && load.latency_ns == NULL)
        code = larch_app_fail(NAME, "no memory");
    if (code < 0)
        code = measure(options, &load, kem, options->uri == NULL);
    stop(&own);
    if (code < 0) {
        show(options, &load, kem, &own);
        code = load.answered > 0 ? LARCH_EXIT_DONE : LARCH_EXIT_FAILED;
    }
    free(load.latency_ns);
    return code;
}
