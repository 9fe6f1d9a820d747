/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/line.h"

#include <string.h>

#include "larch/lake.h"
#include "text/json.h"
#include "text/peer.h"
#include "text/text.h"

static void begin(const gateway_line *line)
{
    larch_text_put_time(line->writer, line->unix_ms, LARCH_TEXT_MS);
    larch_text_put(line->writer, " ");
}

/* The part of an event's text before the colon. */
static larch_bytes name_of(larch_event_kind kind)
{
    const char *text = larch_event_text(kind);
    return (larch_bytes){(const uint8_t *)text, strcspn(text, ":")};
}

static larch_json begin_json(const gateway_line *line, larch_bytes event)
{
    larch_json j = larch_json_begin_line(line->writer);
    larch_json_put_time(&j, "time", line->unix_ms, LARCH_TEXT_MS);
    larch_json_put_bytes(&j, "event", event);
    return j;
}

/* ---- refusals ------------------------------------------------------------ */

static void put_refusal_json(const gateway_line *line, const larch_event *event, uint64_t count)
{
    const char *text = larch_event_text(event->kind);
    larch_json j = begin_json(line, name_of(event->kind));
    larch_json_put_number(&j, "count", count);
    larch_json_put_peer(&j, "peer", &event->peer);
    if (event->kem != NULL)
        larch_json_put_text(&j, "kem", event->kem->name);
    larch_json_put_text(&j, "reason", text + strcspn(text, ":") + strlen(": "));
    if (event->detail != NULL)
        larch_json_put_text(&j, "detail", event->detail);
    larch_json_end_line(&j);
}

void gateway_line_put_refusal(const gateway_line *line, const larch_event *event, uint64_t count)
{
    larch_writer *w = line->writer;
    if (line->json) {
        put_refusal_json(line, event, count);
        return;
    }
    begin(line);
    larch_text_put(w, "refused ");
    if (count > 1) {
        larch_text_put_number(w, count);
        larch_text_put(w, " times, the last from ");
    }
    larch_text_put_peer(w, &event->peer);
    if (event->kem != NULL) {
        larch_text_put(w, " ");
        larch_text_put(w, event->kem->name);
    }
    larch_text_put(w, " ");
    larch_text_put(w, larch_event_text(event->kind));
    if (event->detail != NULL) {
        larch_text_put(w, " (");
        larch_text_put(w, event->detail);
        larch_text_put(w, ")");
    }
    larch_text_put(w, "\n");
}

/* ---- keys ---------------------------------------------------------------- */

static uint32_t describe_key(const larch_gateway *gateway, const larch_kem *kem,
                             char fingerprint[LARCH_FINGERPRINT_TEXT_LEN + 1])
{
    const uint8_t *hash;
    uint32_t generation;
    (void)larch_gateway_key_of(gateway, kem, &generation, &hash);
    larch_fingerprint_format(LARCH_FINGERPRINT_KEY, hash, fingerprint);
    return generation;
}

void gateway_line_put_key(larch_writer *w, const larch_gateway *gateway, const larch_kem *kem)
{
    char fingerprint[LARCH_FINGERPRINT_TEXT_LEN + 1];
    const uint32_t generation = describe_key(gateway, kem, fingerprint);
    larch_text_put(w, kem->name);
    larch_text_put(w, " generation ");
    larch_text_put_number(w, generation);
    larch_text_put(w, " ");
    larch_text_put(w, fingerprint);
    larch_text_put(w, "\n");
}

static void put_change_json(const gateway_line *line, const larch_gateway *gateway, const larch_event *event)
{
    char fingerprint[LARCH_FINGERPRINT_TEXT_LEN + 1];
    larch_json j = begin_json(line, name_of(event->kind));
    larch_json_put_text(&j, "kem", event->kem->name);
    larch_json_put_number(&j, "generation", event->generation);
    if (event->kind == LARCH_EVENT_ROTATED) {
        (void)describe_key(gateway, event->kem, fingerprint);
        larch_json_put_text(&j, "fingerprint", fingerprint);
    }
    larch_json_end_line(&j);
}

void gateway_line_put_change(const gateway_line *line, const larch_gateway *gateway, const larch_event *event)
{
    larch_writer *w = line->writer;
    if (line->json) {
        put_change_json(line, gateway, event);
        return;
    }
    begin(line);
    larch_text_put(w, larch_event_text(event->kind));
    larch_text_put(w, ": ");
    if (event->kind == LARCH_EVENT_ROTATED) {
        gateway_line_put_key(w, gateway, event->kem);
        return;
    }
    larch_text_put(w, event->kem->name);
    larch_text_put(w, " generation ");
    larch_text_put_number(w, event->generation);
    larch_text_put(w, "\n");
}

/* ---- handshakes ---------------------------------------------------------- */

void gateway_line_put_handshake(const gateway_line *line, const gateway_report_shaken *shaken)
{
    larch_writer *w = line->writer;
    if (line->json) {
        larch_json j = begin_json(line, LARCH_TEXT("handshake"));
        larch_json_put_text(&j, "device", shaken->device);
        larch_json_put_peer(&j, "peer", &shaken->peer);
        larch_json_put_number(&j, "method", shaken->method);
        larch_json_put_text(&j, "suite", larch_lake_suite_find(shaken->suite)->name);
        larch_json_put_bool(&j, "resumed", shaken->is_resumption);
        larch_json_end_line(&j);
        return;
    }
    begin(line);
    larch_text_put_format(w, "handshake: %s %s a session from ", shaken->device,
                          shaken->is_resumption ? "renewed" : "began");
    larch_text_put_peer(w, &shaken->peer);
    larch_text_put_format(w, ", method %u, suite %d\n", shaken->method, shaken->suite);
}

/* ---- the rest ------------------------------------------------------------ */

void gateway_line_put_storage(const gateway_line *line, const char *reason)
{
    larch_writer *w = line->writer;
    if (line->json) {
        larch_json j = begin_json(line, name_of(LARCH_EVENT_STORAGE));
        larch_json_put_text(&j, "reason", reason);
        larch_json_end_line(&j);
        return;
    }
    begin(line);
    larch_text_put(w, larch_event_text(LARCH_EVENT_STORAGE));
    larch_text_put(w, ": ");
    larch_text_put(w, reason);
    larch_text_put(w, "\n");
}

void gateway_line_put_dropped(const gateway_line *line, uint64_t count)
{
    larch_writer *w = line->writer;
    if (line->json) {
        larch_json j = begin_json(line, LARCH_TEXT("lines dropped"));
        larch_json_put_number(&j, "count", count);
        larch_json_put_text(&j, "reason", "stderr is read too slowly");
        larch_json_end_line(&j);
        return;
    }
    begin(line);
    larch_text_put(w, "stderr is read too slowly: ");
    larch_text_put_number(w, count);
    larch_text_put(w, count == 1 ? " line dropped\n" : " lines dropped\n");
}

void gateway_line_put_totals(const gateway_line *line, const larch_gateway *gateway)
{
    larch_json j = begin_json(line, LARCH_TEXT("totals"));
    for (unsigned kind = 0; kind < LARCH_EVENT_COUNT; kind++) {
        char name[16] = "";
        const larch_bytes whole = name_of((larch_event_kind)kind);
        memcpy(name, whole.data, whole.len < sizeof name ? whole.len : sizeof name - 1);
        larch_json_put_number(&j, name, larch_gateway_count(gateway, (larch_event_kind)kind));
    }
    larch_json_end_line(&j);
}
