/* SPDX-License-Identifier: Apache-2.0 */
/* Where readings come from: lines of standard input, or a thermometer that is simulated. One is under way at a time. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "device/device_int.h"
#include "system.h"

#define CELSIUS_BEGIN 215 /* tenths of a degree */
#define CELSIUS_STEP  2

/* ---- one reading ------------------------------------------------------------------ */

static void report(device_run *run)
{
    const larch_device_reading reading = {.path = run->path,
                                          .has_n = true,
                                          .n = run->reading.n,
                                          .content_format = LARCH_COAP_FORMAT_TEXT,
                                          .payload = {run->reading.text, run->reading.len}};
    (void)snprintf(run->path, sizeof run->path, "r/%s", run->reading.name);
    if (larch_device_report(&run->device, larch_posix_now_ms(), &reading) != LARCH_OK)
        device_stop(run, larch_app_fail(NAME, "%s", larch_error_text(LARCH_BUSY)));
}

/* Gives the text a number, makes both durable, and sends them. */
static void begin(device_run *run, larch_bytes text)
{
    pending_reading *r = &run->reading;
    uint64_t n;
    const larch_exit code = larch_context_state_take_n(&run->session.state, &n);
    if (code != LARCH_EXIT_DONE) {
        device_stop(run, code);
        return;
    }
    memset(r, 0, sizeof *r);
    r->n = n;
    r->len = text.len;
    (void)larch_app_copy(run->options.name, r->name, sizeof r->name);
    if (text.len > 0)
        memcpy(r->text, text.data, text.len);
    if (!pending_write(&run->file, r)) {
        device_stop(run, larch_app_fail(NAME, "%s: %s", run->file.path, strerror(errno)));
        return;
    }
    report(run);
}

void readings_done(device_run *run, const larch_device_event *event)
{
    const bool is_accepted = event->error == LARCH_OK && LARCH_COAP_CLASS(event->code) == 2;
    tell_reading(run, event);
    if (event->error != LARCH_OK && run->session.is_enrolled && run->session.failure == LARCH_EXIT_DONE) {
        device_renew(run);
        return;
    }
    if (event->error != LARCH_OK) { /* it stays pending, and goes when the device is started with new keys, or again */
        device_stop(run, run->session.failure != LARCH_EXIT_DONE
                             ? run->session.failure
                             : larch_app_fail(NAME, "reading %llu: %s", (unsigned long long)event->n,
                                              larch_error_text(event->error)));
        return;
    }
    pending_clear(&run->file);
    run->reading.n = 0;
    run->accepted += is_accepted;
    if (run->options.count > 0 && run->accepted >= run->options.count)
        device_stop(run, LARCH_EXIT_DONE);
}

/* ---- a simulated thermometer --------------------------------------------------------- */

static void take_temperature(device_run *run)
{
    uint8_t random;
    char text[16];
    if (larch_random_fill(&run->random, &random, 1) == LARCH_OK)
        run->celsius += random % (2 * CELSIUS_STEP + 1) - CELSIUS_STEP;
    const int len =
        snprintf(text, sizeof text, "%d.%d", run->celsius / 10, (run->celsius < 0 ? -1 : 1) * (run->celsius % 10));
    begin(run, (larch_bytes){(const uint8_t *)text, (size_t)len});
}

static void on_timer(larch_loop_timer *timer)
{
    device_run *run = timer->context;
    run->is_due = true;
    larch_loop_arm_timer(&run->loop, timer, larch_posix_now_ms() + (uint64_t)(run->options.interval * 1000));
}

void readings_set_interval(device_run *run, double seconds)
{
    run->options.interval = seconds;
    if (!run->options.lines)
        larch_loop_arm_timer(&run->loop, &run->timer, larch_posix_now_ms() + (uint64_t)(seconds * 1000));
}

/* ---- lines ----------------------------------------------------------------------------- */

/* Whether a whole line stands in run->line, or the last one, which may have no end. *len: without its end. */
static bool find_line(const device_run *run, size_t *len, size_t *taken)
{
    const uint8_t *end = memchr(run->line, '\n', run->line_len);
    *len = end != NULL ? (size_t)(end - run->line) : run->line_len;
    *taken = end != NULL ? *len + 1 : *len;
    return end != NULL || (run->is_end && run->line_len > 0);
}

static void take_line(device_run *run)
{
    size_t len, taken;
    if (find_line(run, &len, &taken)) {
        begin(run, (larch_bytes){run->line, len});
        run->line_len -= taken;
        memmove(run->line, run->line + taken, run->line_len);
    } else if (run->is_end) {
        device_stop(run, LARCH_EXIT_DONE);
    } else {
        larch_loop_change_watch(&run->loop, &run->lines, LARCH_LOOP_READ);
    }
}

static void on_input(larch_loop_watch *watch, unsigned events)
{
    device_run *run = watch->context;
    (void)events;
    const ssize_t n = read(watch->fd, run->line + run->line_len, sizeof run->line - run->line_len);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    larch_loop_change_watch(&run->loop, watch, 0); /* until the next line is wanted */
    run->is_end = n <= 0;
    run->line_len += n > 0 ? (size_t)n : 0;
    if (n < 0)
        device_stop(run, larch_app_fail(NAME, "standard input: %s", strerror(errno)));
    else if (run->line_len == sizeof run->line && memchr(run->line, '\n', run->line_len) == NULL)
        device_stop(run, larch_app_fail(NAME, "a line has more than %d bytes", DEVICE_TEXT_MAX));
}

/* ---- life -------------------------------------------------------------------------------- */

void readings_go_on(device_run *run)
{
    if (run->reading.n != 0)
        return;
    if (run->options.lines) {
        take_line(run);
    } else if (run->is_due) {
        run->is_due = false;
        take_temperature(run);
    }
}

void readings_again(device_run *run)
{
    if (run->reading.n != 0)
        report(run);
}

larch_exit readings_open(device_run *run)
{
    const char *path = run->session.is_enrolled ? run->session.beside : run->options.context_path;
    const larch_exit code = pending_open(&run->file, NAME, path, run->session.state.stored.keys, &run->reading);
    if (code != LARCH_EXIT_DONE)
        return code;
    readings_again(run);
    run->celsius = CELSIUS_BEGIN;
    run->timer = (larch_loop_timer){.due = on_timer, .context = run};
    run->lines = (larch_loop_watch){.fd = STDIN_FILENO, .ready = on_input, .context = run};
    if (run->options.lines && larch_loop_add_watch(&run->loop, &run->lines, 0) != LARCH_OK)
        return larch_app_fail(NAME, "standard input: %s", strerror(errno));
    if (!run->options.lines)
        larch_loop_arm_timer(&run->loop, &run->timer, larch_posix_now_ms());
    return LARCH_EXIT_DONE;
}

void readings_close(device_run *run) { pending_close(&run->file); }
