/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gateway_report.h"
#include "text.h"

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

static void put_peer(larch_writer *w, const larch_peer *peer)
{
    char text[LARCH_POSIX_PEER_TEXT];
    larch_posix_peer_text(peer, text);
    larch_text_put(w, text);
}

/* ---- messages ------------------------------------------------------------ */

static void put_message_json(larch_writer *w, const gateway_report *report, const larch_gateway_event *event)
{
    larch_text_put(w, "{\"time\":\"");
    larch_text_put_time(w, report->unix_ms);
    larch_text_put(w, "\",\"peer\":\"");
    put_peer(w, &event->peer);
    larch_text_put(w, "\",\"via\":\"direct\",\"kem\":\"");
    larch_text_put(w, event->kem->name);
    larch_text_put(w, "\",\"text\":");
    larch_text_put_json(w, event->text);
    if (!larch_text_is_utf8(event->text)) {
        larch_text_put(w, ",\"hex\":\"");
        larch_text_put_hex(w, event->text);
        larch_text_put(w, "\"");
    }
    larch_text_put(w, "}\n");
}

static void put_message_plain(larch_writer *w, const gateway_report *report, const larch_gateway_event *event)
{
    larch_text_put_time(w, report->unix_ms);
    larch_text_put(w, " ");
    put_peer(w, &event->peer);
    larch_text_put(w, " ");
    larch_text_put(w, event->kem->name);
    larch_text_put(w, " ");
    larch_text_put_plain(w, event->text);
    larch_text_put(w, "\n");
}

static void show_message(gateway_report *report, const larch_gateway_event *event)
{
    larch_posix_peer_text(&event->peer, report->sender);
    memcpy(report->text, event->text.data, event->text.len);
    report->screen = (larch_display){.accepted = report->screen.accepted + 1,
                                     .text = {report->text, event->text.len},
                                     .sender = report->sender,
                                     .kem = event->kem->name,
                                     .led = LARCH_DISPLAY_LED_ACCEPTED};
    report->display_stale = true;
}

static void tell_message(gateway_report *report, const larch_gateway_event *event)
{
    if (report->display)
        show_message(report, event);
    if (report->json) {
        put_message_json(larch_out_line(&report->out), report, event);
        report->display_last = false;
    } else if (!report->display) {
        put_message_plain(larch_out_line(&report->out), report, event);
    }
}

/* ---- refusals ------------------------------------------------------------ */

static larch_writer *begin_talk(gateway_report *report)
{
    larch_writer *w = larch_out_line(&report->err);
    report->display_last = false;
    larch_text_put_time(w, report->unix_ms);
    larch_text_put(w, " ");
    return w;
}

/* What the reason alone leaves open. */
static const char *detail(const larch_gateway_event *event)
{
    if (event->reason == LARCH_GATEWAY_MALFORMED)
        return larch_direct_answer_text(event->answer);
    if (event->reason == LARCH_GATEWAY_DROPPED)
        return larch_coap_drop_text(event->drop);
    return NULL;
}

static void show_refusal(gateway_report *report, const larch_gateway_event *event)
{
    report->screen.led = LARCH_DISPLAY_LED_REFUSED;
    report->screen.reason = larch_gateway_reason_text(event->reason);
    report->display_stale = true;
}

/* count: how many of them, if more than one. */
static void tell_refusal(gateway_report *report, const larch_gateway_event *event, uint64_t count)
{
    larch_writer *w = begin_talk(report);
    show_refusal(report, event);
    larch_text_put(w, "refused ");
    if (count > 1) {
        larch_text_put_number(w, count);
        larch_text_put(w, " times, the last from ");
    }
    put_peer(w, &event->peer);
    if (event->kem != NULL) {
        larch_text_put(w, " ");
        larch_text_put(w, event->kem->name);
    }
    larch_text_put(w, " ");
    larch_text_put(w, larch_gateway_reason_text(event->reason));
    if (detail(event) != NULL) {
        larch_text_put(w, " (");
        larch_text_put(w, detail(event));
        larch_text_put(w, ")");
    }
    larch_text_put(w, "\n");
}

/* The first of a kind are told at once, all more of them by a summary each second: what
 * anybody can cause must not fill a disk. */
static void count_refusal(gateway_report *report, const larch_gateway_event *event, unsigned lines)
{
    gateway_tally *tally = &report->tallies[event->reason];
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
    for (size_t i = 0; i < LARCH_GATEWAY_REASON_COUNT; i++) {
        gateway_tally *tally = &report->tallies[i];
        if (tally->count == 0 || report->now_ms < tally->next_ms)
            continue;
        tell_refusal(report, &tally->last, tally->count);
        tally->count = 0;
        tally->told = 1;
        tally->next_ms = report->now_ms + TALLY_MS;
    }
}

/* While stderr waits for its reader, the two of them can be written to only when that has taken some. */
uint64_t gateway_report_deadline_ms(const gateway_report *report)
{
    uint64_t deadline_ms = UINT64_MAX;
    if ((report->out.dropped > 0 || report->err.dropped > 0) && !larch_out_waits(&report->err))
        deadline_ms = report->dropped_next_ms;
    for (size_t i = 0; i < LARCH_GATEWAY_REASON_COUNT; i++)
        if (report->tallies[i].count > 0 && report->tallies[i].next_ms < deadline_ms)
            deadline_ms = report->tallies[i].next_ms;
    return deadline_ms;
}

/* ---- keys ------------------------------------------------------------------ */

static void put_key(larch_writer *w, const larch_gateway *gateway, const larch_kem *kem)
{
    const uint8_t *hash;
    uint32_t generation;
    char fingerprint[LARCH_FINGERPRINT_TEXT_LEN + 1];
    (void)larch_gateway_key_of(gateway, kem, &generation, &hash);
    larch_fingerprint_format(hash, fingerprint);
    larch_text_put(w, kem->name);
    larch_text_put(w, " generation ");
    larch_text_put_number(w, generation);
    larch_text_put(w, " ");
    larch_text_put(w, fingerprint);
    larch_text_put(w, "\n");
}

void gateway_report_key(gateway_report *report, const larch_kem *kem)
{
    put_key(larch_out_line(&report->err), report->gateway, kem);
}

static void tell_change(gateway_report *report, const larch_gateway_event *event)
{
    larch_writer *w = begin_talk(report);
    larch_text_put(w, larch_gateway_reason_text(event->reason));
    larch_text_put(w, ": ");
    if (event->reason == LARCH_GATEWAY_ROTATED) {
        put_key(w, report->gateway, event->kem);
        return;
    }
    larch_text_put(w, event->kem->name);
    larch_text_put(w, " generation ");
    larch_text_put_number(w, event->generation);
    larch_text_put(w, "\n");
}

static void tell_storage(gateway_report *report)
{
    larch_writer *w = begin_talk(report);
    larch_text_put(w, larch_gateway_reason_text(LARCH_GATEWAY_STORAGE));
    larch_text_put(w, ": ");
    larch_text_put(w, larch_posix_storage_error(report->storage));
    larch_text_put(w, "\n");
}

/* ---- slow readers ------------------------------------------------------------ */

static void tell_dropped_of(gateway_report *report, larch_out *out, const char *name)
{
    const uint64_t dropped = out->dropped;
    if (dropped == 0 || !larch_out_has_room(&report->err))
        return;
    larch_writer *w = begin_talk(report);
    larch_text_put(w, name);
    larch_text_put(w, " is read too slowly: ");
    larch_text_put_number(w, dropped);
    larch_text_put(w, dropped == 1 ? " line dropped\n" : " lines dropped\n");
    out->dropped = 0;
    report->dropped_next_ms = report->now_ms + TALLY_MS;
}

static void tell_dropped(gateway_report *report)
{
    if (report->now_ms < report->dropped_next_ms)
        return;
    tell_dropped_of(report, &report->out, "stdout");
    tell_dropped_of(report, &report->err, "stderr");
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

void gateway_report_event(void *context, const larch_gateway_event *event)
{
    gateway_report *report = context;
    switch (event->reason) {
    case LARCH_GATEWAY_ACCEPTED:
        tell_message(report, event);
        break;
    case LARCH_GATEWAY_REPLAY:
    case LARCH_GATEWAY_AUTH:
        count_refusal(report, event, ATTACK_LINES);
        break;
    case LARCH_GATEWAY_ROTATED:
    case LARCH_GATEWAY_FORGOTTEN:
        tell_change(report, event);
        break;
    case LARCH_GATEWAY_STORAGE:
        tell_storage(report);
        break;
    default:
        count_refusal(report, event, NOISE_LINES);
        break;
    }
}

static void draw(gateway_report *report)
{
    larch_out *to = report->json ? &report->err : &report->out;
    larch_writer *w = larch_out_line(to);
    if (report->terminal && report->display_last) {
        larch_text_put(w, "\x1b["); /* back to its first line, and clear from there */
        larch_text_put_number(w, LARCH_DISPLAY_LINES);
        larch_text_put(w, "A\x1b[J");
    }
    larch_display_draw(w, &report->screen, report->terminal);
    report->display_stale = false;
    report->display_last = true;
}

bool gateway_report_flush(gateway_report *report)
{
    const larch_out *screen = report->json ? &report->err : &report->out;
    tell_tallies(report);
    tell_dropped(report);
    (void)larch_out_flush(&report->err); /* refusals that nobody reads stop nothing */
    (void)larch_out_flush(&report->out);
    if (report->display && report->display_stale && !larch_out_waits(screen)) { /* else the latest, when it is read */
        draw(report);
        (void)larch_out_flush(&report->err);
    }
    return larch_out_flush(&report->out);
}

bool gateway_report_finish(gateway_report *report)
{
    larch_out *out = &report->out;
    if (out->error == 0 && !larch_out_finish(out, FINISH_MS))
        for (size_t i = out->done; i < out->writer.len; i++)
            out->dropped += out->bytes[i] == '\n';
    const bool complete = out->error == 0 && out->dropped == 0;
    report->dropped_next_ms = 0;
    tell_dropped(report);
    (void)larch_out_finish(&report->err, FINISH_MS);
    return complete;
}
