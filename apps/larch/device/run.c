/* SPDX-License-Identifier: Apache-2.0 */
/* The device over a socket: one loop for datagrams, readings and signals. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/shake.h"
#include "common/value.h"
#include "common/wire.h"
#include "device/device_int.h"
#include "system.h"

#define GOODBYE_MS     1000 /* for the end of an observation to reach the gateway */
#define HANDSHAKE_S    20.0
#define BACKOFF_MS     10000 /* after a handshake, doubled each time up to */
#define BACKOFF_MAX_MS 600000

/* ---- what the device asks and reports ------------------------------------------- */

static larch_error raise_epoch(void *context, uint64_t epoch)
{
    device_run *run = context;
    return larch_app_session_grant(&run->session, epoch << 8);
}

static void on_event(void *context, const larch_device_event *event)
{
    device_run *run = context;
    switch (event->kind) {
    case LARCH_DEVICE_REPORTED:
        readings_done(run, event);
        return;
    case LARCH_DEVICE_RETRIES:
        tell_reading(run, event);
        if (event->error != LARCH_OK && event->hint == LARCH_COAP_UNAUTHORIZED)
            device_renew(run);
        return;
    default:
        tell_observed(run, event);
    }
}

/* Datagrams that led to nothing: a device says nothing of them. */
static void on_server_event(void *context, const larch_event *event)
{
    (void)context;
    (void)event;
}

/* ---- in and out ------------------------------------------------------------------ */

static void transmit(device_run *run)
{
    larch_peer peer;
    larch_bytes datagram;
    while (larch_device_send(&run->device, larch_posix_now_ms(), &peer, &datagram) == LARCH_OK)
        run->hint = larch_udp_send_to(&run->udp, &peer, datagram) == 0 ? 0 : errno;
}

/* What was protected and received since is put on record. The record runs ahead by more than one round can add. */
static larch_error count_messages(device_run *run)
{
    const larch_session *session = larch_device_session(&run->device);
    const uint64_t before = run->session.before;
    return larch_app_session_count(&run->session, session->own_used - before);
}

/* The gateway wants a new session, and has had time to hear that it gets one. */
static bool is_asked(const device_run *run) { return run->rotate_ms != 0 && run->rotate_ms <= larch_posix_now_ms(); }

static bool is_due_for_renewal(const device_run *run)
{
    return run->session.is_enrolled && !larch_device_is_busy(&run->device) &&
           (is_asked(run) || larch_app_session_needs_handshake(&run->session));
}

static uint64_t settle(void *context)
{
    device_run *run = context;
    const uint8_t hint = larch_device_hint(&run->device);
    if (hint != 0 && hint != run->hint_told)
        tell_unverified(run, hint);
    run->hint_told = hint;
    if (is_due_for_renewal(run)) /* before the next reading: who always has one would never renew */
        device_renew(run);
    if (!run->is_stopping && !run->wants_handshake)
        readings_go_on(run);
    transmit(run);
    if (count_messages(run) != LARCH_OK || run->session.failure != LARCH_EXIT_DONE)
        device_stop(run, run->session.failure);
    if (run->is_stopping && !larch_device_is_busy(&run->device))
        device_stop(run, LARCH_EXIT_DONE);
    if (larch_device_is_busy(&run->device) || !run->session.is_enrolled)
        return larch_device_deadline_ms(&run->device);
    const bool is_left = run->reading.n != 0; /* its session ended */
    if (is_left)
        device_renew(run);
    uint64_t deadline_ms = larch_device_deadline_ms(&run->device);
    if (is_left && run->renew_ms < deadline_ms)
        deadline_ms = run->renew_ms;
    return run->rotate_ms != 0 && run->rotate_ms < deadline_ms ? run->rotate_ms : deadline_ms;
}

static void take_datagrams(larch_loop_watch *watch, unsigned events)
{
    device_run *run = watch->context;
    (void)events;
    if (larch_udp_receive(&run->udp, &larch_app_batch) <= 0)
        return;
    for (size_t i = 0; i < larch_app_batch.count; i++) {
        const larch_udp_datagram *d = &larch_app_batch.datagrams[i];
        const larch_bytes bytes = {d->bytes, d->len};
        if (larch_device_receive(&run->device, larch_posix_now_ms(), &d->peer, d->multicast, bytes) == LARCH_OK)
            continue;
        transmit(run); /* no slot is left */
        if (larch_device_receive(&run->device, larch_posix_now_ms(), &d->peer, d->multicast, bytes) != LARCH_OK)
            return; /* it comes again */
    }
}

static void on_signal(larch_loop_signals *signals, int number)
{
    device_run *run = signals->context;
    (void)number;
    device_stop(run, LARCH_EXIT_DONE);
}

/* ---- life -------------------------------------------------------------------------- */

static larch_exit open_device(device_run *run)
{
    const larch_device_config config = {
        .server = {.random = &run->random,
                   .event = on_server_event,
                   .coap = {run->exchanges, DEVICE_EXCHANGES, run->answers, sizeof run->answers},
                   .slots = run->slots,
                   .slot_count = DEVICE_SLOTS,
                   .pool = run->pool,
                   .pool_len = sizeof run->pool,
                   .reach = run->reach,
                   .reach_count = DEVICE_REACH,
                   .limits = larch_reach_default_limits()},
        .parameters = &run->session.parameters,
        .gateway = run->uri.peer,
        .resources = device_resources,
        .resource_count = DEVICE_RESOURCES,
        .stored = (run->session.first + 255) >> 8,
        .raise = raise_epoch,
        .event = on_event,
        .context = run,
    };
    const larch_error e = larch_device_init(&run->device, larch_posix_now_ms(), &config);
    if (run->session.failure != LARCH_EXIT_DONE)
        return run->session.failure; /* the state has said why */
    if (e != LARCH_OK)
        return larch_app_fail(NAME, "the context: %s",
                              e == LARCH_STATE ? "this larch has no such algorithm" : larch_error_text(e));
    larch_device_session(&run->device)->own_used = (uint32_t)run->session.before;
    if (run->options.observe[0] != '\0' &&
        larch_device_observe(&run->device, larch_posix_now_ms(), run->options.observe) != LARCH_OK)
        return larch_app_usage(NAME, "--observe %s: too long", run->options.observe);
    return LARCH_EXIT_DONE;
}

static larch_exit open_loop(device_run *run)
{
    const larch_peer any = {.port = 0};
    larch_posix_reason why;
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    if (larch_udp_open(&run->udp, &any, &why) != 0)
        return larch_app_fail(NAME, "%s", why.text);
    larch_loop_init(&run->loop, settle, run);
    run->signals = (larch_loop_signals){.caught = on_signal, .context = run};
    run->arrivals = (larch_loop_watch){.fd = run->udp.fd, .ready = take_datagrams, .context = run};
    if (larch_loop_add_signals(&run->loop, &run->signals, &set) != LARCH_OK ||
        larch_loop_add_watch(&run->loop, &run->arrivals, LARCH_LOOP_READ) != LARCH_OK)
        return larch_app_fail(NAME, "%s", strerror(errno));
    return LARCH_EXIT_DONE;
}

/* The gateway is told that nothing more is observed, if it hears it at once. */
static void say_goodbye(device_run *run)
{
    if (run->options.observe[0] == '\0' || run->session.failure != LARCH_EXIT_DONE || run->has_no_session)
        return;
    run->is_stopping = true;
    larch_device_unobserve(&run->device, larch_posix_now_ms());
    (void)larch_loop_run_until(&run->loop, larch_posix_now_ms() + GOODBYE_MS);
}

/* ---- handshakes -------------------------------------------------------------------- */

static larch_exit shake_hands(device_run *run)
{
    char authority[sizeof run->uri.host + 8];
    (void)snprintf(authority, sizeof authority, strchr(run->uri.host, ':') != NULL ? "[%s]:%u" : "%s:%u", run->uri.host,
                   run->uri.peer.port);
    const larch_app_shaking shaking = {.gateway = &run->uri.peer,
                                       .authority = authority,
                                       .timeout_s = HANDSHAKE_S,
                                       .show = tell_handshake,
                                       .context = run};
    return larch_app_shake_hands(&run->session, &shaking);
}

/* A new session, or, if there is none to be had now, the one before for a while longer. A refusal is no reason to end: it is
 * not authenticated, and a gateway that was started anew in the midst of a handshake refuses the rest of it. */
static larch_exit renew(device_run *run)
{
    run->wants_handshake = false;
    run->rotate_ms = 0;
    run->backoff_ms = run->backoff_ms == 0                   ? BACKOFF_MS
                      : run->backoff_ms < BACKOFF_MAX_MS / 2 ? 2 * run->backoff_ms
                                                             : BACKOFF_MAX_MS;
    larch_device_wipe(&run->device);
    run->has_no_session = true;
    larch_exit code;
    (void)shake_hands(run); /* which has said why, if it failed */
    run->renew_ms = larch_posix_now_ms() + run->backoff_ms;
    if ((code = larch_app_session_take_up(&run->session)) != LARCH_EXIT_DONE ||
        (code = open_device(run)) != LARCH_EXIT_DONE)
        return code;
    run->has_no_session = false;
    readings_again(run);
    return LARCH_EXIT_DONE;
}

/* The gateway of the command line, or else of the enrolment. */
static larch_exit find_gateway(device_run *run)
{
    const larch_bytes authority = run->session.enrolment.authority;
    char text[sizeof "coap://" + LARCH_ENROLMENT_AUTHORITY_MAX];
    larch_posix_reason why;
    if (run->uri.host[0] != '\0')
        return LARCH_EXIT_DONE;
    if (authority.len == 0)
        return larch_app_usage(NAME, "the enrolment names no address: give coap://HOST[:PORT]");
    (void)snprintf(text, sizeof text, "coap://%.*s", (int)authority.len, (const char *)authority.data);
    if (larch_posix_uri_parse(text, &run->uri, &why) != 0)
        return larch_app_bad_address(NAME, text, &why);
    return LARCH_EXIT_DONE;
}

static larch_exit open_session(device_run *run)
{
    larch_exit code;
    if (run->options.enrolment_path[0] == '\0')
        return larch_app_session_open(&run->session, NAME, run->options.context_path);
    const larch_app_enrolled enrolled = {run->options.enrolment_path, run->options.state, run->options.has_no_clock};
    if ((code = larch_app_session_open_enrolled(&run->session, NAME, &enrolled)) != LARCH_EXIT_DONE ||
        (code = find_gateway(run)) != LARCH_EXIT_DONE)
        return code;
    if (larch_app_session_needs_handshake(&run->session) && (code = shake_hands(run)) != LARCH_EXIT_DONE)
        return code;
    return larch_app_session_take_up(&run->session);
}

/* ---- the whole of it ----------------------------------------------------------------- */

static larch_exit work(device_run *run)
{
    larch_exit code = LARCH_EXIT_DONE;
    do {
        if (run->wants_handshake && (code = renew(run)) != LARCH_EXIT_DONE)
            return code;
        if (larch_loop_run(&run->loop) == LARCH_LOOP_FAILED)
            device_stop(run, larch_app_fail(NAME, "poll: %s", strerror(errno)));
    } while (run->wants_handshake && run->code == LARCH_EXIT_DONE);
    return run->code;
}

static larch_exit run_open(device_run *run)
{
    larch_exit code;
    if ((code = open_device(run)) != LARCH_EXIT_DONE)
        return code;
    if ((code = open_loop(run)) == LARCH_EXIT_DONE && (code = readings_open(run)) == LARCH_EXIT_DONE) {
        tell_begin(run);
        code = work(run);
        say_goodbye(run);
    }
    const uint64_t next = larch_device_next_number(&run->device);
    readings_close(run);
    larch_device_wipe(&run->device);
    const larch_exit closed = larch_app_session_close(&run->session, next);
    return code == LARCH_EXIT_DONE ? closed : code;
}

larch_exit device_run_all(device_run *run)
{
    run->random = larch_posix_random();
    larch_exit code = open_session(run);
    if (code == LARCH_EXIT_DONE)
        code = run_open(run);
    (void)larch_app_session_close(&run->session, UINT64_MAX); /* if it is open still */
    larch_udp_close(&run->udp);
    return code;
}
