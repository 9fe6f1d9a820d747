/* SPDX-License-Identifier: Apache-2.0 */
/* What a device prints: a line an event, or one JSON object. */
#include <stdio.h>
#include <string.h>

#include "common/wire.h"
#include "device/device_int.h"
#include "system.h"
#include "text/json.h"
#include "text/text.h"

#define LINE_MAX_BYTES 8192
#define WHY_MAX        200

/* ---- lines --------------------------------------------------------------------- */

typedef struct line {
    uint8_t bytes[LINE_MAX_BYTES];
    larch_writer w;
    larch_json json;
} line;

static line *begin(const char *event)
{
    static line l;
    l.w = larch_writer_to(l.bytes, sizeof l.bytes);
    l.json = larch_json_begin_line(&l.w);
    larch_json_put_time(&l.json, "time", (int64_t)(larch_posix_unix_ns() / 1000000), LARCH_TEXT_MS);
    larch_json_put_text(&l.json, "event", event);
    return &l;
}

static void end(line *l)
{
    larch_json_end_line(&l->json);
    larch_text_print(&l->w, stdout);
    (void)fflush(stdout);
}

/* A plain line: the text, then untrusted bytes. */
static void print_plain(const char *text, larch_bytes bytes)
{
    static uint8_t plain[LINE_MAX_BYTES];
    larch_writer w = larch_writer_to(plain, sizeof plain);
    larch_text_put(&w, text);
    larch_text_put_plain(&w, bytes);
    larch_text_put(&w, "\n");
    larch_text_print(&w, stdout);
    (void)fflush(stdout);
}

/* Why there is no verified answer, or none that helps. */
static void explain(const device_run *run, const larch_device_event *event, char why[WHY_MAX])
{
    char code[LARCH_TEXT_CODE_MAX];
    if (event->error == LARCH_OK)
        (void)snprintf(why, WHY_MAX, "the gateway answered %s %s", larch_text_of_code(event->code, code),
                       larch_coap_code_text(event->code));
    else if (event->hint != 0)
        (void)snprintf(why, WHY_MAX, "no protected answer, but %s %s without protection",
                       larch_text_of_code(event->hint, code), larch_coap_code_text(event->hint));
    else if (event->error == LARCH_TIMEOUT && run->hint != 0)
        (void)snprintf(why, WHY_MAX, "no answer: %s", larch_app_hint_of(run->hint).text);
    else
        (void)snprintf(why, WHY_MAX, "%s", larch_error_text(event->error));
}

/* ---- events -------------------------------------------------------------------- */

void tell_begin(const device_run *run)
{
    if (run->options.json)
        return;
    printf("larch device: readings go to coap://%s:%u/r/%s; commands are answered at port %u\n", run->uri.host,
           run->uri.peer.port, run->options.name, run->udp.local.port);
    (void)fflush(stdout);
}

/* context: the run. */
void tell_handshake(void *context, const char *what, const char *result)
{
    const device_run *run = context;
    if (run->options.json) {
        line *l = begin(what);
        larch_json_put_text(&l->json, "result", result);
        end(l);
    } else {
        printf("%s: %s\n", what, result);
        (void)fflush(stdout);
    }
}

void tell_reading(const device_run *run, const larch_device_event *event)
{
    const pending_reading *r = &run->reading;
    const larch_bytes text = {r->text, r->len};
    const bool is_accepted =
        event->kind == LARCH_DEVICE_REPORTED && event->error == LARCH_OK && LARCH_COAP_CLASS(event->code) == 2;
    const char *what = is_accepted ? "accepted" : event->kind == LARCH_DEVICE_RETRIES ? "trying on" : "refused";
    char why[WHY_MAX], head[WHY_MAX + 128];
    explain(run, event, why);
    if (run->options.json) {
        line *l = begin(is_accepted ? "accepted" : event->kind == LARCH_DEVICE_RETRIES ? "retry" : "refused");
        larch_json_put_number(&l->json, "n", event->n);
        larch_json_put_text(&l->json, "name", r->name);
        larch_json_put_bytes(&l->json, "text", text);
        if (!is_accepted)
            larch_json_put_text(&l->json, "error", why);
        if (event->kind == LARCH_DEVICE_RETRIES)
            larch_json_put_number(&l->json, "wait_ms", event->wait_ms);
        end(l);
        return;
    }
    if (is_accepted)
        (void)snprintf(head, sizeof head, "%-10s %llu  %s  ", what, (unsigned long long)event->n, r->name);
    else
        (void)snprintf(head, sizeof head, "%-10s %llu  %s: %s: ", what, (unsigned long long)event->n, r->name, why);
    print_plain(head, text);
}

void tell_unverified(const device_run *run, uint8_t code)
{
    const pending_reading *r = &run->reading;
    char code_text[LARCH_TEXT_CODE_MAX];
    (void)larch_text_of_code(code, code_text);
    if (run->options.json) {
        line *l = begin("unverified");
        larch_json_put_number(&l->json, "n", r->n);
        larch_json_put_text(&l->json, "name", r->name);
        larch_json_put_text(&l->json, "code", code_text);
        end(l);
        return;
    }
    printf("%-10s %llu  %s: %s %s without protection: not believed, trying on\n", "unverified",
           (unsigned long long)r->n, r->name, code_text, larch_coap_code_text(code));
    (void)fflush(stdout);
}

void tell_observed(const device_run *run, const larch_device_event *event)
{
    const bool is_notified = event->kind == LARCH_DEVICE_NOTIFIED;
    char why[WHY_MAX], head[WHY_MAX + 128];
    explain(run, event, why);
    if (run->options.json) {
        line *l = begin(is_notified ? "observed" : "not observed");
        larch_json_put_text(&l->json, "path", run->options.observe);
        if (is_notified)
            larch_json_put_bytes(&l->json, "text", event->body);
        else
            larch_json_put_text(&l->json, "error", why);
        end(l);
        return;
    }
    if (is_notified)
        (void)snprintf(head, sizeof head, "%-10s %s  ", "observed", run->options.observe);
    else
        (void)snprintf(head, sizeof head, "%-10s %s: %s", "unobserved", run->options.observe, why);
    print_plain(head, is_notified ? event->body : (larch_bytes){NULL, 0});
}

void tell_command(const device_run *run, const larch_request *rq, larch_bytes body, uint8_t code)
{
    char head[128], code_text[LARCH_TEXT_CODE_MAX];
    const larch_bytes path = larch_request_name(rq);
    const char *method = larch_coap_code_text(rq->message->code);
    if (run->options.json) {
        line *l = begin("command");
        larch_json_put_text(&l->json, "method", method);
        larch_json_put_bytes(&l->json, "path", path);
        larch_json_put_bytes(&l->json, "text", body);
        larch_json_put_text(&l->json, "code", larch_text_of_code(code, code_text));
        end(l);
        return;
    }
    (void)snprintf(head, sizeof head, "%-10s %s /%.*s %s  ", "command", method, (int)path.len, (const char *)path.data,
                   larch_text_of_code(code, code_text));
    print_plain(head, body);
}
