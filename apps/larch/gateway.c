/* SPDX-License-Identifier: Apache-2.0 */
/*
 * larch gateway: the gateway role over sockets and a state folder. One thread;
 * what arrives together is handed in together, so that its marks share one sync,
 * its lines one write and its answers one send.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "app.h"
#include "gateway_options.h"
#include "gateway_report.h"
#include "larch/crypto.h"
#include "options.h"
#include "system.h"
#include "udp.h"

#define NAME "gateway"

/* Memory, most of it untouched until it is needed. */
#define SLOTS     256
#define EXCHANGES 16384
#define REACH     4096

/* Batches handed in before the marks are made durable. */
#define ROUNDS (SLOTS / LARCH_UDP_BATCH)

/* The library hands back larch_peer.via with each answer. In it: the socket that a request came
 * to, and the socket's own mark of the address. */
#define VIA_BITS 6
_Static_assert(LARCH_UDP_LOCALS < 1 << VIA_BITS && GATEWAY_LISTEN_MAX <= 256 >> VIA_BITS, "both fit");

typedef struct gateway_app {
    gateway_options options;
    larch_gateway gateway;
    larch_gateway_config config;
    gateway_report report;
    larch_posix_storage files;
    larch_storage storage;
    larch_random random;
    int signals;
    size_t socket_count;
    larch_udp sockets[GATEWAY_LISTEN_MAX];
    larch_udp_batch in;
    larch_gateway_datagram arrived[LARCH_UDP_BATCH]; /* the same, as the library takes it */
    larch_udp_batch out;
    size_t out_socket;
} gateway_app;

/* ---- start --------------------------------------------------------------- */

/* Blocked before the state is locked: who finds the lock held may signal us. */
static int block_signals(gateway_app *app)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGUSR1);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR ||
        signal(SIGHUP, SIG_IGN) == SIG_ERR || (app->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
        return larch_app_fail(NAME, "signals: %s", strerror(errno));
    return LARCH_EXIT_DONE;
}

static int open_sockets(gateway_app *app)
{
    larch_posix_reason why;
    for (size_t i = 0; i < app->options.listen_count; i++) {
        const char *text = app->options.listen[i];
        larch_peer local;
        if (larch_posix_peer_parse(text, LARCH_COAP_PORT, &local, &why) != 0)
            return larch_app_bad_address(NAME, text, &why);
        if (larch_udp_open(&app->sockets[i], &local, &why) != 0)
            return larch_app_fail(NAME, "cannot listen on %s; choose another with --listen ADDR:PORT", why.text);
        app->socket_count++;
    }
    return LARCH_EXIT_DONE;
}

static int open_state(gateway_app *app)
{
    larch_posix_durability durability =
        app->options.process_durability ? LARCH_POSIX_DURABILITY_PROCESS : LARCH_POSIX_DURABILITY_MEDIUM;
    if (larch_posix_storage_open(&app->files, app->options.state, durability) != LARCH_OK)
        return larch_app_fail(NAME, "%s; another state folder can be given with --state DIR",
                              larch_posix_storage_error(&app->files));
    app->storage = larch_posix_storage_interface(&app->files);
    return LARCH_EXIT_DONE;
}

/* What is wrong with the state, and what to do. Nothing was written over. */
static int explain(const gateway_app *app, larch_error e, const char *file, larch_store_fault fault)
{
    const char *state = app->options.state;
    if (e == LARCH_PLATFORM || file[0] == '\0') {
        const char *reason = larch_posix_storage_error(&app->files);
        return larch_app_fail(NAME, "cannot start: %s", reason[0] != '\0' ? reason : larch_error_text(e));
    }
    if (e == LARCH_SPACE && fault == LARCH_STORE_NONE)
        return larch_app_fail(NAME, "%s/%s has more marks than %u replay_slots take; raise replay_slots", state, file,
                              (unsigned)app->options.replay_slots);
    return larch_app_fail(NAME,
                          "%s/%s %s; it was left as it is. Restore the folder from a backup, or move all of it "
                          "away: then new keys are made, which every sender has to pin anew",
                          state, file, larch_store_fault_text(fault));
}

static bool take_memory(larch_gateway_config *config)
{
    config->exchanges = calloc(config->exchange_count, sizeof *config->exchanges);
    config->slots = calloc(config->slot_count, sizeof *config->slots);
    config->reach = calloc(config->reach_count, sizeof *config->reach);
    bool complete = config->exchanges != NULL && config->slots != NULL && config->reach != NULL;
    for (size_t i = 0; i < 2 * LARCH_GATEWAY_SETS; i++) {
        config->replay[i / 2][i % 2] = calloc(config->replay_slots, sizeof(uint64_t));
        complete = complete && config->replay[i / 2][i % 2] != NULL;
    }
    return complete;
}

static void give_memory(larch_gateway_config *config)
{
    free(config->exchanges);
    free(config->slots);
    free(config->reach);
    for (size_t i = 0; i < 2 * LARCH_GATEWAY_SETS; i++)
        free(config->replay[i / 2][i % 2]);
}

static int start_gateway(gateway_app *app)
{
    char file[LARCH_STORAGE_NAME_MAX + 1];
    larch_store_fault fault;
    app->random = larch_posix_random();
    app->config = (larch_gateway_config){.storage = &app->storage,
                                         .random = &app->random,
                                         .event = gateway_report_event,
                                         .context = &app->report,
                                         .exchange_count = EXCHANGES,
                                         .slot_count = SLOTS,
                                         .reach_count = REACH,
                                         .replay_slots = app->options.replay_slots,
                                         .limits = app->options.limits,
                                         .grace_ms = (uint64_t)app->options.grace_seconds * 1000};
    if (!take_memory(&app->config))
        return larch_app_fail(NAME, "out of memory");
    larch_error e = larch_gateway_init(&app->gateway, larch_posix_now_ms(), &app->config, file, &fault);
    return e == LARCH_OK ? LARCH_EXIT_DONE : explain(app, e, file, fault);
}

static int start(gateway_app *app)
{
    int code;
    if ((code = larch_app_start_crypto(NAME)) != LARCH_EXIT_DONE || (code = block_signals(app)) != LARCH_EXIT_DONE ||
        (code = open_sockets(app)) != LARCH_EXIT_DONE || (code = open_state(app)) != LARCH_EXIT_DONE)
        return code;
    return start_gateway(app);
}

static void announce(gateway_app *app)
{
    char text[LARCH_POSIX_PEER_TEXT];
    for (size_t i = 0; i < app->socket_count; i++) {
        larch_posix_peer_text(&app->sockets[i].local, text);
        gateway_report_say(&app->report, "listening on %s", text);
        if (larch_udp_join(&app->sockets[i]) <= 0)
            gateway_report_say(&app->report, "%s is in no multicast group; 'larch discover' may not find it", text);
    }
    gateway_report_say(&app->report, "state in %s", app->options.state);
    for (size_t i = 0; larch_kem_at(i) != NULL; i++)
        gateway_report_key(&app->report, larch_kem_at(i));
}

/* ---- datagrams ----------------------------------------------------------- */

/* Lines first: what was answered has been printed. */
static bool send_batch(gateway_app *app)
{
    if (!gateway_report_flush(&app->report))
        return false;
    if (app->out.count > 0)
        (void)larch_udp_send(&app->sockets[app->out_socket], &app->out); /* lost, as on the network */
    app->out.count = 0;
    return true;
}

/* Sends all that the gateway has to send. */
static bool drain(gateway_app *app)
{
    larch_peer peer;
    larch_bytes datagram;
    larch_error e;
    while ((e = larch_gateway_send(&app->gateway, app->report.now_ms, &peer, &datagram)) == LARCH_OK) {
        size_t socket = peer.via >> VIA_BITS;
        if ((app->out.count == LARCH_UDP_BATCH || socket != app->out_socket) && !send_batch(app))
            return false;
        app->out_socket = socket;
        larch_udp_datagram *d = &app->out.datagrams[app->out.count++];
        d->peer = peer;
        d->peer.via &= (1 << VIA_BITS) - 1;
        memcpy(d->bytes, datagram.data, datagram.len);
        d->len = datagram.len;
    }
    return send_batch(app) && e != LARCH_PLATFORM;
}

static bool receive_batch(gateway_app *app, size_t socket)
{
    size_t taken;
    for (size_t i = 0; i < app->in.count; i++) {
        const larch_udp_datagram *d = &app->in.datagrams[i];
        app->arrived[i] = (larch_gateway_datagram){d->peer, d->multicast, {d->bytes, d->len}};
        app->arrived[i].peer.via = (uint8_t)(socket << VIA_BITS | d->peer.via);
    }
    for (size_t done = 0; done < app->in.count; done += taken)
        if (larch_gateway_receive_many(&app->gateway, app->report.now_ms, app->arrived + done, app->in.count - done,
                                       &taken) == LARCH_AGAIN &&
            !drain(app))
            return false;
    return true;
}

static bool receive(gateway_app *app, size_t socket)
{
    for (size_t round = 0; round < ROUNDS; round++) {
        int got = larch_udp_receive(&app->sockets[socket], &app->in);
        if (got > 0 && !receive_batch(app, socket))
            return false;
        if (got < LARCH_UDP_BATCH)
            break; /* a socket's error concerns one datagram that left, such as an ICMP answer */
    }
    return true;
}

/* ---- loop ---------------------------------------------------------------- */

static void rotate(gateway_app *app)
{
    for (size_t i = 0; larch_kem_at(i) != NULL; i++) {
        const larch_kem *kem = larch_kem_at(i);
        if (larch_gateway_rotate(&app->gateway, app->report.now_ms, kem) != LARCH_OK)
            gateway_report_say(&app->report, "%s was not rotated: %s", kem->name,
                               larch_posix_storage_error(&app->files));
    }
}

/* false: it is time to end. */
static bool take_signals(gateway_app *app)
{
    struct signalfd_siginfo info;
    while (read(app->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo != SIGUSR1)
            return false;
        rotate(app);
    }
    return true;
}

static void read_clocks(gateway_report *report)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    report->unix_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    report->now_ms = larch_posix_now_ms();
}

static int wait_ms(const gateway_app *app)
{
    uint64_t deadline_ms = larch_gateway_deadline_ms(&app->gateway);
    uint64_t report_ms = gateway_report_deadline_ms(&app->report);
    uint64_t now_ms = larch_posix_now_ms();
    if (report_ms < deadline_ms)
        deadline_ms = report_ms;
    if (deadline_ms <= now_ms)
        return 0;
    return deadline_ms - now_ms < INT_MAX ? (int)(deadline_ms - now_ms) : deadline_ms == UINT64_MAX ? -1 : INT_MAX;
}

static int stop(gateway_app *app)
{
    if (app->report.out.error != 0)
        gateway_report_say(&app->report, "stdout: %s; nothing is accepted that cannot be printed",
                           strerror(app->report.out.error));
    else
        gateway_report_say(&app->report,
                           "%s; nothing is accepted that cannot be kept. Check the disk, then start again",
                           larch_posix_storage_error(&app->files));
    (void)gateway_report_finish(&app->report);
    return LARCH_EXIT_FAILED;
}

static int end(gateway_app *app)
{
    if (!drain(app))
        return stop(app);
    return gateway_report_finish(&app->report) ? LARCH_EXIT_DONE : LARCH_EXIT_FAILED;
}

/* A slow reader: the next drain goes on when it has taken some. */
static struct pollfd until_read(const larch_out *out)
{
    return (struct pollfd){.fd = larch_out_waits(out) ? out->fd : -1, .events = POLLOUT};
}

static int run(gateway_app *app)
{
    struct pollfd fds[GATEWAY_LISTEN_MAX + 3];
    struct pollfd *const signals = &fds[app->socket_count], *const readers = signals + 1;
    for (size_t i = 0; i < app->socket_count; i++)
        fds[i] = (struct pollfd){.fd = app->sockets[i].fd, .events = POLLIN};
    *signals = (struct pollfd){.fd = app->signals, .events = POLLIN};

    for (;;) {
        read_clocks(&app->report);
        if (!drain(app))
            return stop(app);
        readers[0] = until_read(&app->report.out);
        readers[1] = until_read(&app->report.err);
        if (poll(fds, app->socket_count + 3, wait_ms(app)) < 0 && errno != EINTR)
            return larch_app_fail(NAME, "poll: %s", strerror(errno));
        read_clocks(&app->report);
        for (size_t i = 0; i < app->socket_count; i++)
            if (fds[i].revents != 0 && !receive(app, i))
                return stop(app);
        if (signals->revents != 0 && !take_signals(app))
            return end(app);
    }
}

int larch_gateway_main(int argc, char **argv)
{
    static gateway_app app; /* too large for a stack */
    int code = gateway_options_take(&app.options, argc, argv);
    if (code >= 0)
        return code;
    (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}); /* keys stay out of core files */
    gateway_report_init(&app.report, app.options.json, app.options.display);
    app.report.gateway = &app.gateway;
    app.report.storage = &app.files;
    code = start(&app);
    if (code == LARCH_EXIT_DONE) {
        announce(&app);
        code = run(&app);
        larch_gateway_wipe(&app.gateway);
        larch_posix_storage_close(&app.files);
    }
    give_memory(&app.config);
    return code;
}
