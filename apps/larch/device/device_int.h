/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of `larch device run` share: the command (device.c), its run (run.c), its readings (readings.c), its
 * resources (commands.c) and what it prints (tell.c). */
#ifndef LARCH_APP_DEVICE_INT_H
#define LARCH_APP_DEVICE_INT_H

#include "address.h"
#include "common/session.h"
#include "device/pending.h"
#include "larch/device.h"
#include "loop.h"
#include "system.h"
#include "udp.h"

#define NAME             "device"
#define DEVICE_SLOTS     16
#define DEVICE_EXCHANGES 64
#define DEVICE_REACH     64
#define INTERVAL_MAX_S   86400.0

typedef struct device_options {
    char context_path[PATH_MAX];   /* "": not given */
    char enrolment_path[PATH_MAX]; /* likewise */
    char state[PATH_MAX];          /* folder for the session of the enrolment; "": beside it */
    bool has_no_clock;
    double interval; /* seconds; below 0: not given */
    unsigned long count;
    char name[LARCH_READING_NAME_MAX + 1];
    char observe[LARCH_DEVICE_PATH_MAX + 1];
    bool lines, json;
} device_options;

typedef struct device_run {
    device_options options;
    larch_posix_uri uri;
    larch_app_session session;
    larch_random random;
    larch_udp udp;
    int hint; /* errno of the last datagram that did not leave; 0: it left */
    larch_loop loop;
    larch_loop_signals signals;
    larch_loop_watch arrivals;
    bool is_stopping;
    bool wants_handshake, has_no_session;
    uint64_t renew_ms;  /* not before this time */
    uint64_t rotate_ms; /* when the gateway wants a new session; 0: it does not */
    uint64_t backoff_ms;
    larch_exit code; /* with which it ends */

    /* readings (readings.c) */
    pending_file file;
    pending_reading reading; /* n 0: none is under way */
    char path[2 + LARCH_READING_NAME_MAX + 1];
    unsigned long accepted;
    uint8_t hint_told; /* of larch_device_hint */
    larch_loop_watch lines;
    larch_loop_timer timer;
    bool is_due, is_end; /* the next is to be taken; there are no more lines */
    uint8_t line[DEVICE_TEXT_MAX + 1];
    size_t line_len;
    int celsius; /* tenths of a degree: the simulated temperature */

    bool led;
    larch_device device;
    larch_coap_exchange exchanges[DEVICE_EXCHANGES];
    uint8_t answers[DEVICE_EXCHANGES * 64];
    larch_server_slot slots[DEVICE_SLOTS];
    uint8_t pool[DEVICE_SLOTS * LARCH_COAP_DATAGRAM_MAX];
    larch_reach_entry reach[DEVICE_REACH];
} device_run;

/* ---- run.c ---- */

/* The whole of it, after the command line. */
larch_exit device_run_all(device_run *run);
/* The session has ended, or is not known to the gateway: the loop stops for a handshake. An unprotected error makes a device
 * shake hands only after all its retries, and not again before a while has passed: anybody can have sent it. */
static inline void device_renew(device_run *run)
{
    if (!run->session.is_enrolled || run->is_stopping || larch_posix_now_ms() < run->renew_ms)
        return;
    run->wants_handshake = true;
    larch_loop_stop(&run->loop, 0);
}
/* Ends the run; the first code that is not LARCH_EXIT_DONE stays. */
static inline void device_stop(device_run *run, larch_exit code)
{
    if (run->code == LARCH_EXIT_DONE)
        run->code = code;
    larch_loop_stop(&run->loop, 0);
}

/* ---- readings.c ---- */

/* Opens what was under way, and begins to take readings. */
larch_exit readings_open(device_run *run);
void readings_close(device_run *run);
/* Before each wait: takes the next reading, if its time has come and none is under way. */
void readings_go_on(device_run *run);
/* Sends the one under way, if there is one, in a new session. */
void readings_again(device_run *run);
/* The outcome of the one under way. */
void readings_done(device_run *run, const larch_device_event *event);
/* Another interval, from now on. */
void readings_set_interval(device_run *run, double seconds);

/* ---- commands.c ---- */

#define DEVICE_RESOURCES 4
extern const larch_resource device_resources[DEVICE_RESOURCES];

/* ---- tell.c ---- */

void tell_begin(const device_run *run);
void tell_handshake(void *context, const char *what, const char *result);
void tell_reading(const device_run *run, const larch_device_event *event);
/* Somebody answered the reading under way without protection. */
void tell_unverified(const device_run *run, uint8_t code);
void tell_observed(const device_run *run, const larch_device_event *event);
void tell_command(const device_run *run, const larch_request *rq, larch_bytes body, uint8_t code);

#endif
