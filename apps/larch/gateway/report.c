/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gateway/line.h"
#include "gateway/report.h"
#include "larch/crypto.h"
#include "text/peer.h"
#include "text/text.h"

#define TALLY_MS  1000
#define FINISH_MS 2000 /* for each reader, at the end */

/* Lines a second for each kind of refusal, its summary among them. */
#define ATTACK_LINES 10 /* replays and forgeries: who sent them, one by one */
#define NOISE_LINES  1

void gateway_report_init(gateway_report *report, bool json, bool display)
{
    memset(report, 0, offsetof(gateway_report, out)); /* the buffers behind are touched when they are needed */
    report->json = json;
    report->display = display;
    report->display_stale = display;
    report->terminal = isatty(json ? STDERR_FILENO : STDOUT_FILENO) == 1;
    larch_out_init(&report->out, STDOUT_FILENO);
    larch_out_init(&report->err, STDERR_FILENO);
}

/* ---- the display ----------------------------------------------------------- */

static larch_out *screen_of(gateway_report *report) { return report->json ? &report->err : &report->out; }

void gateway_report_prepare(gateway_report *report, const larch_accepted *message)
{
    gateway_report_message *p = &report->prepared;
    if (!report->display)
        return;
    *p = (gateway_report_message){
        .count = p->count + 1, .peer = message->peer, .kem = message->kem != NULL ? message->kem->name : message->via};
    p->text_len = message->text.len < sizeof report->prepared_text ? message->text.len : sizeof report->prepared_text;
    memcpy(report->prepared_text, message->text.data, p->text_len);
}

void gateway_report_show_prepared(gateway_report *report)
{
    const gateway_report_message *p = &report->prepared;
    if (p->count > 0)
        gateway_report_show(report, p->count, &p->peer, (larch_bytes){(const uint8_t *)p->kem, strlen(p->kem)},
                            (larch_bytes){report->prepared_text, p->text_len});
    report->prepared.count = 0;
}

void gateway_report_show(gateway_report *report, uint64_t count, const larch_peer *peer, larch_bytes kem,
                         larch_bytes text)
{
    const size_t text_len = text.len < sizeof report->text ? text.len : sizeof report->text;
    const size_t kem_len = kem.len < sizeof report->kem ? kem.len : sizeof report->kem - 1;
    larch_text_of_peer(peer, report->sender);
    memcpy(report->text, text.data, text_len);
    memcpy(report->kem, kem.data, kem_len);
    report->kem[kem_len] = '\0';
    report->screen = (larch_display){.accepted = report->screen.accepted + count,
                                     .text = {report->text, text_len},
                                     .sender = report->sender,
                                     .kem = report->kem,
                                     .led = LARCH_DISPLAY_LED_ACCEPTED};
    report->display_stale = true;
}

/* ---- refusals ------------------------------------------------------------ */

static gateway_line begin_line(gateway_report *report)
{
    report->display_last = false;
    return (gateway_line){larch_out_line(&report->err), report->json, report->unix_ms};
}

static void show_refusal(gateway_report *report, const larch_event *event)
{
    report->screen.led = LARCH_DISPLAY_LED_REFUSED;
    report->screen.reason = larch_event_text(event->kind);
    report->display_stale = true;
}

/* count: how many of them, if more than one. */
static void tell_refusal(gateway_report *report, const larch_event *event, uint64_t count)
{
    const gateway_line line = begin_line(report);
    show_refusal(report, event);
    gateway_line_put_refusal(&line, event, count);
}

/* The first of a kind are told at once, all more of them by a summary each second: what
 * anybody can cause must not fill a disk. */
static void count_refusal(gateway_report *report, const larch_event *event, unsigned lines)
{
    gateway_tally *tally = &report->tallies[event->kind];
    if (report->now_ms >= tally->next_ms && tally->count == 0) {
        tally->told = 0;
        tally->next_ms = report->now_ms + TALLY_MS;
    }
    if (tally->told < lines && tally->count == 0) {
        tell_refusal(report, event, 1);
        tally->told++;
        return;
    }
    tally->count++;
    tally->last = *event;
}

static void tell_tallies(gateway_report *report)
{
    for (size_t i = 0; i < LARCH_EVENT_COUNT; i++) {
        gateway_tally *tally = &report->tallies[i];
        if (tally->count == 0 || report->now_ms < tally->next_ms)
            continue;
        tell_refusal(report, &tally->last, tally->count);
        tally->count = 0;
        tally->told = 1;
        tally->next_ms = report->now_ms + TALLY_MS;
    }
}

/* While stderr waits for its reader, the summary can be written only when that has taken some. */
uint64_t gateway_report_deadline_ms(const gateway_report *report)
{
    uint64_t deadline_ms = UINT64_MAX;
    if (report->err.dropped > 0 && !larch_out_waits(&report->err))
        deadline_ms = report->dropped_next_ms;
    for (size_t i = 0; i < LARCH_EVENT_COUNT; i++)
        if (report->tallies[i].count > 0 && report->tallies[i].next_ms < deadline_ms)
            deadline_ms = report->tallies[i].next_ms;
    return deadline_ms;
}

/* ---- keys ------------------------------------------------------------------ */

void gateway_report_identity(gateway_report *report)
{
    char fingerprint[LARCH_FINGERPRINT_TEXT_LEN + 1];
    larch_writer *w = larch_out_line(&report->err);
    larch_fingerprint_format(LARCH_FINGERPRINT_IDENTITY, larch_direct_service_identity(&report->gateway->direct, NULL),
                             fingerprint);
    larch_text_put(w, "identity ");
    larch_text_put(w, fingerprint);
    larch_text_put(w, "\n");
}

void gateway_report_key(gateway_report *report, const larch_kem *kem)
{
    gateway_line_put_key(larch_out_line(&report->err), report->gateway, kem);
}

static void tell_change(gateway_report *report, const larch_event *event)
{
    const gateway_line line = begin_line(report);
    gateway_line_put_change(&line, report->gateway, event);
}

void gateway_report_handshake(gateway_report *report, const gateway_report_shaken *shaken)
{
    const gateway_line line = begin_line(report);
    gateway_line_put_handshake(&line, shaken);
}

static void tell_storage(gateway_report *report)
{
    const gateway_line line = begin_line(report);
    gateway_line_put_storage(&line, larch_posix_storage_error(report->storage));
}

void gateway_report_totals(gateway_report *report)
{
    if (!report->json)
        return;
    const gateway_line line = begin_line(report);
    gateway_line_put_totals(&line, report->gateway);
}

/* ---- slow readers ------------------------------------------------------------ */

static void tell_dropped(gateway_report *report)
{
    larch_out *out = &report->err;
    const uint64_t dropped = out->dropped;
    if (report->now_ms < report->dropped_next_ms || dropped == 0 || !larch_out_has_room(out))
        return;
    const gateway_line line = begin_line(report);
    gateway_line_put_dropped(&line, dropped);
    out->dropped = 0;
    report->dropped_next_ms = report->now_ms + TALLY_MS;
}

void gateway_report_say(gateway_report *report, const char *format, ...)
{
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    larch_writer *w = larch_out_line(&report->err);
    report->display_last = false;
    larch_text_put(w, "larch gateway: ");
    larch_text_put(w, line);
    larch_text_put(w, "\n");
}

/* ---- all of it --------------------------------------------------------------- */

void gateway_report_event(void *context, const larch_event *event)
{
    gateway_report *report = context;
    switch (event->kind) {
    case LARCH_EVENT_REPLAY:
    case LARCH_EVENT_AUTH:
        count_refusal(report, event, ATTACK_LINES);
        break;
    case LARCH_EVENT_ROTATED:
    case LARCH_EVENT_FORGOTTEN:
        tell_change(report, event);
        break;
    case LARCH_EVENT_STORAGE:
        tell_storage(report);
        break;
    default:
        count_refusal(report, event, NOISE_LINES);
        break;
    }
}

static void draw(gateway_report *report)
{
    larch_writer *w = larch_out_line(screen_of(report));
    if (report->terminal && report->display_last) {
        larch_text_put(w, "\x1b["); /* back to its first line, and clear from there */
        larch_text_put_number(w, LARCH_DISPLAY_LINES);
        larch_text_put(w, "A\x1b[J");
    }
    larch_display_draw(w, &report->screen, report->terminal);
    report->display_stale = false;
    report->display_last = true;
}

/* Who does not read stops nothing, and neither does who has gone. */
void gateway_report_flush(gateway_report *report)
{
    tell_tallies(report);
    tell_dropped(report);
    (void)larch_out_flush(&report->err);
    if (!report->display)
        return;
    (void)larch_out_flush(screen_of(report));
    if (report->display_stale && !larch_out_waits(screen_of(report))) { /* else the latest, when it is read */
        draw(report);
        (void)larch_out_flush(screen_of(report));
    }
}

void gateway_report_finish(gateway_report *report)
{
    gateway_report_flush(report);
    if (report->display)
        (void)larch_out_finish(screen_of(report), FINISH_MS);
    report->dropped_next_ms = 0;
    tell_dropped(report);
    (void)larch_out_finish(&report->err, FINISH_MS);
}
