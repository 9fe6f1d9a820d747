/* SPDX-License-Identifier: Apache-2.0 */
/*
 * larch gateway: the gateway role over sockets and a state folder. One thread;
 * what arrives together is handed in together, so that its marks share one sync,
 * its lines one write and its answers one send.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/app.h"
#include "common/harden.h"
#include "common/option.h"
#include "common/store.h"
#include "common/value.h"
#include "format_1.h"
#include "gateway/control.h"
#include "gateway/delivery.h"
#include "gateway/devices.h"
#include "gateway/downlink.h"
#include "gateway/entropy.h"
#include "gateway/lake.h"
#include "gateway/listen.h"
#include "gateway/options.h"
#include "gateway/queue.h"
#include "gateway/report.h"
#include "gateway/sessions.h"
#include "interfaces.h"
#include "larch/crypto.h"
#include "loop.h"
#include "state.h"
#include "system.h"
#include "text/peer.h"
#include "udp.h"

#define NAME "gateway"

/* Memory, most of it untouched until it is needed. */
#define POOL      (GATEWAY_SLOTS * 1280)
#define BODIES    (GATEWAY_LAKE_PLACES * sizeof(larch_lake_place_87)) /* of message_2 while a device fetches its blocks */
#define EXCHANGES 16384
#define ANSWERS   (EXCHANGES * 40) /* OK with a receipt takes 30 bytes, and REPLAY 34 */

/* Batches handed in before the marks are made durable. */
#define ROUNDS (GATEWAY_SLOTS / LARCH_UDP_BATCH)

/* The library hands back larch_peer.via with each answer. In it: the socket that a request came
 * to, and the socket's own mark of the address. */
#define VIA_BITS 6
_Static_assert(LARCH_UDP_LOCALS < 1 << VIA_BITS && GATEWAY_LISTEN_MAX <= 256 >> VIA_BITS, "both fit");

typedef struct gateway_app {
    int argc; /* as given, to be read again */
    char **argv;
    gateway_options options;
    larch_gateway gateway;
    larch_gateway_config config;
    gateway_report report;
    gateway_delivery delivery;
    gateway_sessions sessions;
    gateway_lake lake;
    const char *why; /* nothing can be accepted any more */
    larch_posix_storage files;
    larch_app_store store;
    larch_storage storage;
    larch_posix_state state;
    larch_random random;
    larch_loop loop;
    gateway_entropy entropy;
    gateway_control control;
    gateway_control_verb verbs[1 + GATEWAY_DOWNLINK_VERBS + GATEWAY_DEVICES_VERBS + GATEWAY_QUEUE_VERBS];
    gateway_downlink downlink;
    gateway_devices devices;
    gateway_queue queue;
    larch_loop_watch arrivals[GATEWAY_LISTEN_MAX];
    sigset_t caught;
    larch_loop_signals signals;
    larch_loop_watch interfaces; /* groups are joined on those that appear later, too */
    larch_loop_watch readers[2]; /* of stdout and stderr */
    size_t socket_count;
    larch_udp sockets[GATEWAY_LISTEN_MAX];
    larch_udp_batch in;
    larch_server_datagram arrived[LARCH_UDP_BATCH]; /* the same, as the library takes it */
    larch_udp_batch out;
    size_t out_socket;
} gateway_app;

/* ---- start --------------------------------------------------------------- */

static larch_exit block_signals(gateway_app *app)
{
    sigemptyset(&app->caught);
    sigaddset(&app->caught, SIGTERM);
    sigaddset(&app->caught, SIGINT);
    sigaddset(&app->caught, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &app->caught, NULL) != 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
        return larch_app_fail(NAME, "signals: %s", strerror(errno));
    return LARCH_EXIT_DONE;
}

/* What is wrong with the state, and what to do. Nothing was written over. */
static larch_exit explain(const gateway_app *app, larch_error e, const char *file, larch_store_fault fault)
{
    const char *state = app->options.state;
    if (e == LARCH_PLATFORM || file[0] == '\0') {
        const char *reason = larch_posix_storage_error(&app->files);
        return larch_app_fail(NAME, "cannot start: %s", reason[0] != '\0' ? reason : larch_error_text(e));
    }
    if (e == LARCH_SPACE && fault == LARCH_STORE_NONE)
        return larch_app_fail(NAME, "%s/%s has more marks than %u replay_slots take; raise replay_slots", state, file,
                              (unsigned)app->options.replay_slots);
    return larch_app_fail(NAME, "%s/%s %s; it was left as it is. %s", state, file, larch_store_fault_text(fault),
                          larch_posix_state_advice(fault, file));
}

static larch_exit open_state(gateway_app *app)
{
    char file[LARCH_STORAGE_NAME_MAX + 1];
    larch_store_fault fault;
    if (larch_posix_storage_open(&app->files, app->options.state, app->options.durability) != LARCH_OK)
        return larch_app_fail(NAME, "%s; another state folder can be given with --state DIR",
                              larch_posix_storage_error(&app->files));
    const larch_exit code = larch_app_store_open(&app->store, NAME, &app->files, &app->options.store, &app->storage);
    if (code != LARCH_EXIT_DONE)
        return code;
    larch_error e = larch_posix_state_start(&app->files, &app->storage, &app->state, file, &fault);
    return e == LARCH_OK ? LARCH_EXIT_DONE : explain(app, e, file, fault);
}

static bool take_memory(larch_gateway_config *config)
{
    larch_server_config *server = &config->server;
    server->coap.exchanges = calloc(server->coap.exchange_count, sizeof *server->coap.exchanges);
    server->coap.answers = malloc(server->coap.answers_len);
    server->slots = calloc(server->slot_count, sizeof *server->slots);
    server->pool = malloc(server->pool_len);
    server->reach = calloc(server->reach_count, sizeof *server->reach);
    server->bodies = calloc(server->body_count, sizeof *server->bodies);
    server->body_bytes = malloc(server->body_bytes_len);
    bool complete = server->coap.exchanges != NULL && server->coap.answers != NULL && server->slots != NULL &&
                    server->pool != NULL && server->reach != NULL && server->bodies != NULL &&
                    server->body_bytes != NULL;
    for (size_t i = 0; i < 2 * LARCH_DIRECT_SETS; i++) {
        config->direct.replay[i / 2][i % 2] = calloc(config->direct.replay_slots, sizeof(uint64_t));
        complete = complete && config->direct.replay[i / 2][i % 2] != NULL;
    }
    return complete;
}

static void give_memory(larch_gateway_config *config)
{
    free(config->server.coap.exchanges);
    free(config->server.coap.answers);
    free(config->server.slots);
    free(config->server.pool);
    free(config->server.reach);
    free(config->server.bodies);
    free(config->server.body_bytes);
    for (size_t i = 0; i < 2 * LARCH_DIRECT_SETS; i++)
        free(config->direct.replay[i / 2][i % 2]);
}

static larch_exit start_gateway(gateway_app *app)
{
    char file[LARCH_STORAGE_NAME_MAX + 1];
    larch_store_fault fault;
    app->config = (larch_gateway_config){.server = {.random = &app->random,
                                                    .event = gateway_report_event,
                                                    .context = &app->report,
                                                    .protection = &app->sessions.service.protection,
                                                    .coap = {.exchange_count = EXCHANGES, .answers_len = ANSWERS},
                                                    .slot_count = GATEWAY_SLOTS,
                                                    .pool_len = POOL,
                                                    .reach_count = app->options.addresses,
                                                    .body_count = GATEWAY_LAKE_PLACES,
                                                    .body_bytes_len = BODIES,
                                                    .limits = app->options.limits},
                                         .direct = {.storage = &app->storage,
                                                    .replay_slots = app->options.replay_slots,
                                                    .grace_ms = (uint64_t)app->options.grace_seconds * 1000,
                                                    .unix_ms = app->state.unix_ms,
                                                    .is_closed = app->options.require == GATEWAY_REQUIRE_LAKE},
                                         .beside = {&app->sessions.service.service, &app->lake.service.service}};
    if (!take_memory(&app->config))
        return larch_app_fail(NAME, "out of memory");
    larch_error e = larch_gateway_init(&app->gateway, larch_posix_now_ms(), &app->config, file, &fault);
    if (e != LARCH_OK)
        return explain(app, e, file, fault);
    return gateway_lake_set_identity(&app->lake, larch_direct_service_identity(&app->gateway.direct, NULL),
                                     &app->storage);
}

static larch_exit complete_state(gateway_app *app)
{
    char file[LARCH_STORAGE_NAME_MAX + 1];
    larch_store_fault fault;
    larch_error e = larch_posix_state_complete(&app->files, &app->storage, file, &fault);
    static const char *const databases[] = {LARCH_APP_OUTBOX_NAME, LARCH_APP_OUTBOX_NAME "-wal",
                                            LARCH_APP_SESSIONS_NAME, LARCH_APP_SESSIONS_NAME "-wal"};
    for (size_t i = 0; e == LARCH_OK && i < sizeof databases / sizeof databases[0]; i++)
        e = larch_posix_storage_guard(&app->files, databases[i]);
    return e == LARCH_OK ? LARCH_EXIT_DONE : explain(app, e, file, fault);
}

static larch_exit open_sessions(gateway_app *app)
{
    app->delivery.sessions = &app->sessions;
    app->sessions.listener.context = &app->queue;
    app->sessions.listener.heard = gateway_queue_heard;
    app->sessions.listener.gone = gateway_queue_forget;
    app->queue.sessions = &app->sessions;
    const larch_exit code =
        gateway_sessions_open(&app->sessions, &app->options, &app->report, &app->state, &app->storage, &app->random,
                              app->delivery.outbox, &app->lake.service.handshakes);
    return code == LARCH_EXIT_DONE ? gateway_lake_open(&app->lake, &app->sessions, &app->options, &app->random) : code;
}

static void read_clocks(gateway_report *report)
{
    report->unix_ms = (int64_t)(larch_posix_unix_ns() / 1000000);
    report->now_ms = larch_posix_now_ms();
}

static larch_exit start(gateway_app *app)
{
    larch_exit code;
    app->random = larch_posix_random();
    read_clocks(&app->report);
    if ((code = larch_app_start_crypto(NAME)) != LARCH_EXIT_DONE || (code = block_signals(app)) != LARCH_EXIT_DONE ||
        (code = gateway_listen_open(&app->options, app->sockets, &app->socket_count)) != LARCH_EXIT_DONE ||
        (code = open_state(app)) != LARCH_EXIT_DONE ||
        (code = gateway_delivery_open(&app->delivery, &app->options, &app->report, &app->state)) != LARCH_EXIT_DONE ||
        (code = open_sessions(app)) != LARCH_EXIT_DONE || (code = start_gateway(app)) != LARCH_EXIT_DONE ||
        (code = gateway_delivery_remember(&app->delivery, &app->gateway.direct)) != LARCH_EXIT_DONE ||
        (code = complete_state(app)) != LARCH_EXIT_DONE)
        return code;
    return gateway_sessions_start(&app->sessions);
}

static void announce(gateway_app *app)
{
    char text[LARCH_TEXT_PEER_MAX], source[LARCH_APP_STORE_TEXT_MAX];
    gateway_report_identity(&app->report);
    for (size_t i = 0; i < app->socket_count; i++) {
        larch_text_of_peer(&app->sockets[i].local, text);
        gateway_report_say(&app->report, "listening on %s%s", text,
                           app->sockets[i].is_early ? ", once this host has that address" : "");
        if (larch_udp_join(&app->sockets[i]) <= 0)
            gateway_report_say(&app->report, "%s is in no multicast group; 'larch discover' may not find it", text);
    }
    gateway_report_say(&app->report, "state in %s", app->options.state);
    larch_app_store_describe(&app->store, source);
    gateway_report_say(&app->report, "%s", source);
    if (app->state.moved > 0)
        gateway_report_say(&app->report,
                           "its %zu files were moved to the present format; as they were, they stand beside the new "
                           "ones as NAME" LARCH_FORMAT_1_SUFFIX " until 'larch keys rotate'",
                           app->state.moved);
    if (app->state.is_clock_behind)
        gateway_report_say(&app->report,
                           "the clock is behind the time of an earlier start: it is wrong, or the state is "
                           "a copy; old keys are kept until their grace has passed in runs");
    if (!larch_app_memory_is_locked())
        gateway_report_say(&app->report, "secrets may be written to swap space: %s", larch_app_memory_fault());
    for (size_t i = 0; larch_direct_kem_at(i) != NULL; i++)
        gateway_report_key(&app->report, larch_direct_kem_at(i));
}

/* ---- datagrams ----------------------------------------------------------- */

static void send_batch(gateway_app *app)
{
    if (app->out.count > 0)
        (void)larch_udp_send(&app->sockets[app->out_socket], &app->out); /* lost, as on the network */
    app->out.count = 0;
}

/* Sends all that the gateway has to send. */
static bool drain(gateway_app *app)
{
    larch_peer peer;
    larch_bytes datagram;
    larch_error e;
    if (!gateway_delivery_store(&app->delivery, &app->gateway)) {
        app->why = gateway_delivery_error(&app->delivery);
        return false;
    }
    while ((e = larch_gateway_send(&app->gateway, app->report.now_ms, &peer, &datagram)) == LARCH_OK) {
        gateway_delivery_marked(&app->delivery); /* before the answer leaves: who has it finds the line printed */
        size_t socket = peer.via >> VIA_BITS;
        if (app->out.count == LARCH_UDP_BATCH || socket != app->out_socket)
            send_batch(app);
        app->out_socket = socket;
        larch_udp_datagram *d = &app->out.datagrams[app->out.count++];
        d->peer = peer;
        d->peer.via &= (1 << VIA_BITS) - 1;
        memcpy(d->bytes, datagram.data, datagram.len);
        d->len = datagram.len;
    }
    send_batch(app);
    if (e == LARCH_PLATFORM) {
        app->why = larch_posix_storage_error(&app->files);
        return false;
    }
    gateway_delivery_marked(&app->delivery);
    return true;
}

static bool receive_batch(gateway_app *app, size_t socket)
{
    size_t taken;
    for (size_t i = 0; i < app->in.count; i++) {
        const larch_udp_datagram *d = &app->in.datagrams[i];
        app->arrived[i] = (larch_server_datagram){d->peer, d->multicast, {d->bytes, d->len}};
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

/* ---- control socket ------------------------------------------------------ */

/* "512 2 larch1:...": set, generation and fingerprint of the present key. */
static void put_key(larch_writer *data, const gateway_app *app, const larch_kem *kem)
{
    char line[LARCH_CONTROL_WHY_MAX], fingerprint[LARCH_FINGERPRINT_TEXT_LEN + 1];
    uint32_t generation;
    const uint8_t *hash;
    (void)larch_gateway_key_of(&app->gateway, kem, &generation, &hash);
    larch_fingerprint_format(LARCH_FINGERPRINT_KEY, hash, fingerprint);
    snprintf(line, sizeof line, "%u %u %s", (unsigned)kem->set, (unsigned)generation, fingerprint);
    larch_control_put_data(data, line);
}

/* Old keys shall not outlive their grace in the copies that a move to another format left. */
static bool rotate(void *context, const larch_control_request *request, larch_writer *data,
                   char why[LARCH_CONTROL_WHY_MAX])
{
    gateway_app *app = context;
    (void)request;
    read_clocks(&app->report);
    for (size_t i = 0; larch_direct_kem_at(i) != NULL; i++) {
        const larch_kem *kem = larch_direct_kem_at(i);
        if (larch_gateway_rotate(&app->gateway, app->report.now_ms, kem) != LARCH_OK)
            snprintf(why, LARCH_CONTROL_WHY_MAX, "%s was not rotated: %s", kem->name,
                     larch_posix_storage_error(&app->files));
        else
            put_key(data, app, kem);
    }
    if (why[0] == '\0' && larch_posix_state_forget_copies(&app->files, &app->storage) != LARCH_OK)
        snprintf(why, LARCH_CONTROL_WHY_MAX, "copies of old keys are still there: %s",
                 larch_posix_storage_error(&app->files));
    if (why[0] != '\0')
        gateway_report_say(&app->report, "%s", why);
    return why[0] == '\0';
}

/* A file system without sockets is no reason not to serve. */
static void open_control(gateway_app *app)
{
    larch_posix_reason why;
    app->verbs[0] = (gateway_control_verb){.name = "rotate", .context = app, .run = rotate};
    app->downlink.sessions = &app->sessions;
    gateway_downlink_verbs(&app->downlink, app->verbs + 1);
    app->devices = (gateway_devices){&app->lake, &app->gateway, &app->queue};
    gateway_devices_verbs(&app->devices, app->verbs + 1 + GATEWAY_DOWNLINK_VERBS);
    gateway_queue_verbs(&app->queue, app->verbs + 1 + GATEWAY_DOWNLINK_VERBS + GATEWAY_DEVICES_VERBS);
    if (gateway_control_open(&app->control, larch_posix_storage_folder(&app->files), app->verbs,
                             sizeof app->verbs / sizeof app->verbs[0], &why) != 0)
        gateway_report_say(&app->report,
                           "no control socket: %s/%s; 'larch keys' changes nothing while the gateway runs",
                           app->options.state, why.text);
}

/* ---- loop ---------------------------------------------------------------- */

static larch_exit stop(gateway_app *app)
{
    gateway_report_say(&app->report, "%s; nothing is accepted that cannot be kept. Check the disk, then start again",
                       app->why);
    return LARCH_EXIT_FAILED;
}

static larch_exit end(gateway_app *app) { return drain(app) ? LARCH_EXIT_DONE : stop(app); }

/* SIGHUP: takes over what can change, and names what cannot. */
static void reload(gateway_app *app)
{
    char taken[GATEWAY_NAMES_MAX], left[GATEWAY_NAMES_MAX], why[GATEWAY_STATE_MAX + LARCH_OPTION_FAULT_MAX];
    if (!gateway_options_reload(&app->options, app->argc, app->argv, taken, left, why, sizeof why)) {
        gateway_report_say(&app->report, "%s; nothing was changed", why);
        return;
    }
    larch_gateway_set_limits(&app->gateway, &app->options.limits);
    gateway_report_say(&app->report, "read the configuration again; changed: %s", taken[0] != '\0' ? taken : "nothing");
    if (left[0] != '\0')
        gateway_report_say(&app->report, "a restart is needed for: %s", left);
}

static void take_signal(larch_loop_signals *signals, int number)
{
    gateway_app *app = signals->context;
    read_clocks(&app->report);
    if (number == SIGHUP) {
        reload(app);
        return;
    }
    larch_loop_stop(&app->loop, end(app));
}

static void take_arrivals(larch_loop_watch *watch, unsigned events)
{
    gateway_app *app = watch->context;
    (void)events;
    read_clocks(&app->report);
    if (!receive(app, (size_t)(watch - app->arrivals)))
        larch_loop_stop(&app->loop, stop(app));
}

static void follow_interfaces(larch_loop_watch *watch, unsigned events)
{
    gateway_app *app = watch->context;
    (void)events;
    if (larch_posix_interfaces_take(watch->fd))
        for (size_t i = 0; i < app->socket_count; i++)
            (void)larch_udp_join(&app->sockets[i]);
}

/* A slow reader has taken some: the drain before the next wait goes on. */
static void take_room(larch_loop_watch *watch, unsigned events)
{
    (void)watch;
    (void)events;
}

static void await_reader(gateway_app *app, size_t reader, const larch_out *out)
{
    larch_loop_change_watch(&app->loop, &app->readers[reader], larch_out_waits(out) ? LARCH_LOOP_WRITE : 0);
}

static uint64_t sooner(uint64_t a_ms, uint64_t b_ms) { return a_ms < b_ms ? a_ms : b_ms; }

/* Before each wait. Returns when something is to be done at the latest. */
static uint64_t settle(void *context)
{
    gateway_app *app = context;
    read_clocks(&app->report);
    if (!drain(app)) {
        larch_loop_stop(&app->loop, stop(app));
        return UINT64_MAX;
    }
    gateway_sessions_maintain(&app->sessions, &app->gateway);
    gateway_downlink_pump(&app->downlink);
    gateway_queue_pump(&app->queue);
    gateway_delivery_pump(&app->delivery, &app->loop);
    gateway_report_flush(&app->report);
    await_reader(app, 0, &app->report.out);
    await_reader(app, 1, &app->report.err);
    uint64_t deadline_ms = larch_gateway_deadline_ms(&app->gateway);
    deadline_ms = sooner(deadline_ms, gateway_delivery_deadline_ms(&app->delivery));
    deadline_ms = sooner(deadline_ms, gateway_sessions_deadline_ms(&app->sessions));
    deadline_ms = sooner(deadline_ms, gateway_queue_deadline_ms(&app->queue));
    return sooner(deadline_ms, gateway_report_deadline_ms(&app->report));
}

/* Arrivals first: what came together with the signal to end is answered. */
static larch_error watch_all(gateway_app *app)
{
    larch_error e = LARCH_OK;
    for (size_t i = 0; i < app->socket_count && e == LARCH_OK; i++) {
        app->arrivals[i] = (larch_loop_watch){.fd = app->sockets[i].fd, .ready = take_arrivals, .context = app};
        e = larch_loop_add_watch(&app->loop, &app->arrivals[i], LARCH_LOOP_READ);
    }
    app->interfaces =
        (larch_loop_watch){.fd = larch_posix_interfaces_open(), .ready = follow_interfaces, .context = app};
    if (app->interfaces.fd < 0)
        gateway_report_say(&app->report, "interfaces that appear later join no multicast group: %s", strerror(errno));
    else if (e == LARCH_OK)
        e = larch_loop_add_watch(&app->loop, &app->interfaces, LARCH_LOOP_READ);
    app->signals = (larch_loop_signals){.caught = take_signal, .context = app};
    if (e == LARCH_OK)
        e = larch_loop_add_signals(&app->loop, &app->signals, &app->caught);
    app->readers[0] = (larch_loop_watch){.fd = app->report.out.fd, .ready = take_room};
    app->readers[1] = (larch_loop_watch){.fd = app->report.err.fd, .ready = take_room};
    for (size_t i = 0; i < 2 && e == LARCH_OK; i++)
        e = larch_loop_add_watch(&app->loop, &app->readers[i], 0);
    if (e == LARCH_OK)
        e = gateway_delivery_watch(&app->delivery, &app->loop);
    if (e == LARCH_OK)
        e = gateway_control_watch(&app->control, &app->loop);
    return e;
}

static larch_exit run(gateway_app *app)
{
    larch_loop_init(&app->loop, settle, app);
    if (watch_all(app) != LARCH_OK)
        return larch_app_fail(NAME, "signals: %s", strerror(errno));
    gateway_entropy_start(&app->entropy, app->options.entropy, &app->report, &app->loop);
    const int code = larch_loop_run(&app->loop);
    gateway_entropy_stop(&app->entropy);
    return code >= 0 ? code : larch_app_fail(NAME, "poll: %s", strerror(errno));
}

int larch_gateway_main(int argc, char **argv)
{
    static gateway_app app; /* too large for a stack */
    larch_exit code = gateway_options_take(&app.options, argc, argv);
    if (code != LARCH_EXIT_DONE)
        return code;
    app.argc = argc;
    app.argv = argv;
    gateway_report_init(&app.report, app.options.json, app.options.display);
    app.report.gateway = &app.gateway;
    app.report.storage = &app.files;
    code = start(&app);
    if (code == LARCH_EXIT_DONE) {
        open_control(&app);
        announce(&app);
        code = run(&app);
        gateway_control_close(&app.control);
        gateway_report_totals(&app.report);
        const larch_exit closed = gateway_delivery_close(&app.delivery), stored = gateway_sessions_close(&app.sessions);
        code = code != LARCH_EXIT_DONE ? code : closed != LARCH_EXIT_DONE ? closed : stored;
        gateway_report_finish(&app.report);
        larch_gateway_wipe(&app.gateway);
        larch_posix_storage_close(&app.files);
    }
    larch_app_store_close(&app.store);
    gateway_lake_close(&app.lake);
    gateway_queue_close(&app.queue);
    give_memory(&app.config);
    return code;
}
