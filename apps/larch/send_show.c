/* SPDX-License-Identifier: Apache-2.0 */
#include "send_show.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "text.h"

#define LINE_MAX_BYTES 1024

static uint64_t now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void larch_show_line(const larch_show *show, const char *what, const char *result)
{
    if (!show->json)
        printf("[%9.3f ms] %-30s %s\n", (double)(now_ns() - show->begun_ns) / 1e6, what, result);
}

/* ---- cryptography -------------------------------------------------------- */

static void on_step(void *context, larch_step step, bool begin, size_t bytes)
{
    larch_show *show = context;
    char result[64];
    const uint64_t now = now_ns();
    if (begin) {
        show->step_ns = now;
        return;
    }
    const uint64_t ns = now - show->step_ns;
    if (show->step_count < LARCH_SHOW_STEPS) {
        show->steps[show->step_count].step = step;
        show->steps[show->step_count].bytes = bytes;
        show->steps[show->step_count++].ns = ns;
    }
    (void)snprintf(result, sizeof result, "%4zu bytes %10.1f us", bytes, (double)ns / 1e3);
    larch_show_line(show, larch_step_text(step), result);
}

void larch_show_init(larch_show *show, bool json, const char *gateway, const larch_kem *kem)
{
    memset(show, 0, sizeof *show);
    show->json = json;
    show->gateway = gateway;
    show->kem = kem;
    show->trace = (larch_trace){on_step, show};
    show->begun_ns = show->message_ns = now_ns();
}

void larch_show_next(larch_show *show, size_t text_len)
{
    larch_show fresh;
    larch_show_init(&fresh, show->json, show->gateway, show->kem);
    fresh.begun_ns = show->begun_ns;
    fresh.trace = show->trace;
    fresh.text_len = text_len;
    *show = fresh;
}

/* ---- datagrams ----------------------------------------------------------- */

/* "GET /pqkem-pk?kem=768", "2.05 Content", "ACK" */
static void describe(const larch_coap_message *m, larch_writer *w)
{
    larch_coap_options options = larch_coap_options_of(m);
    larch_coap_option option;
    larch_coap_block block;
    char number[32];
    bool request = LARCH_COAP_CLASS(m->code) == 0 && m->code != LARCH_COAP_EMPTY, queried = false;
    if (m->code == LARCH_COAP_EMPTY) {
        larch_text_put(w, m->type == LARCH_COAP_RST ? "RST" : "ACK");
        return;
    }
    if (!request) {
        (void)snprintf(number, sizeof number, "%u.%02u ", (unsigned)LARCH_COAP_CLASS(m->code),
                       (unsigned)LARCH_COAP_DETAIL(m->code));
        larch_text_put(w, number);
    }
    larch_text_put(w, larch_coap_code_text(m->code));
    if (request)
        larch_text_put(w, " ");
    while (larch_coap_options_next(&options, &option)) {
        if (request && (option.number == LARCH_COAP_OPT_URI_PATH || option.number == LARCH_COAP_OPT_URI_QUERY)) {
            const bool query = option.number == LARCH_COAP_OPT_URI_QUERY;
            larch_text_put(w, !query ? "/" : queried ? "&" : "?");
            larch_text_put_plain(w, option.value);
            queried = query;
        } else if ((option.number == LARCH_COAP_OPT_BLOCK1 || option.number == LARCH_COAP_OPT_BLOCK2) &&
                   larch_coap_block_parse(option.value, &block) == LARCH_OK) {
            (void)snprintf(number, sizeof number, " block %u", (unsigned)block.num);
            larch_text_put(w, number);
        } else if (option.number == LARCH_COAP_OPT_ECHO) {
            larch_text_put(w, " Echo");
        }
    }
}

void larch_show_datagram(larch_show *show, bool out, larch_bytes datagram)
{
    uint8_t text[LINE_MAX_BYTES];
    larch_writer w = larch_writer_to(text, sizeof text - 1);
    larch_coap_message m;
    char result[320];
    const bool sound = larch_coap_parse(datagram, &m) == LARCH_OK;
    const bool again =
        out && sound && show->datagrams_out > 0 && m.type <= LARCH_COAP_NON && m.message_id == show->last_message_id;
    if (out) {
        show->datagrams_out++;
        show->bytes_out += datagram.len;
        show->again += again;
        if (sound && m.type <= LARCH_COAP_NON)
            show->last_message_id = m.message_id;
    } else {
        show->datagrams_in++;
        show->bytes_in += datagram.len;
        if (sound && LARCH_COAP_CLASS(m.code) >= 2)
            show->round_trips++;
    }
    if (sound)
        describe(&m, &w);
    else
        larch_text_put(&w, "not CoAP");
    text[w.len < w.cap ? w.len : w.cap] = '\0';
    (void)snprintf(result, sizeof result, "%s %4zu bytes %s %s%s", out ? "->" : "<-", datagram.len, out ? "to" : "from",
                   show->gateway, again ? ", again" : "");
    larch_show_line(show, (const char *)text, result);
}

/* ---- the end ------------------------------------------------------------- */

static void put_json_field(larch_writer *w, const char *name, const char *value)
{
    larch_text_put(w, ",\"");
    larch_text_put(w, name);
    larch_text_put(w, "\":");
    larch_text_put_json(w, (larch_bytes){(const uint8_t *)value, strlen(value)});
}

static void put_json_number(larch_writer *w, const char *name, uint64_t value)
{
    larch_text_put(w, ",\"");
    larch_text_put(w, name);
    larch_text_put(w, "\":");
    larch_text_put_number(w, value);
}

static void put_json_steps(const larch_show *show, larch_writer *w)
{
    char number[32];
    larch_text_put(w, ",\"steps\":[");
    for (size_t i = 0; i < show->step_count; i++) {
        larch_text_put(w, i == 0 ? "{\"bytes\":" : ",{\"bytes\":");
        larch_text_put_number(w, show->steps[i].bytes);
        put_json_field(w, "step", larch_step_text(show->steps[i].step));
        (void)snprintf(number, sizeof number, ",\"us\":%.1f}", (double)show->steps[i].ns / 1e3);
        larch_text_put(w, number);
    }
    larch_text_put(w, "]");
}

static void show_json(const larch_show *show, uint8_t code, larch_bytes answer, const char *fingerprint,
                      const char *trust, const char *failure)
{
    static uint8_t line[8192];
    larch_writer w = larch_writer_to(line, sizeof line);
    struct timespec t;
    char number[32];
    (void)clock_gettime(CLOCK_REALTIME, &t);
    larch_text_put(&w, "{\"time\":\"");
    larch_text_put_time(&w, (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000);
    larch_text_put(&w, "\",\"ok\":");
    larch_text_put(&w, failure == NULL ? "true" : "false");
    put_json_field(&w, "gateway", show->gateway);
    put_json_field(&w, "kem", show->kem->name);
    if (fingerprint != NULL)
        put_json_field(&w, "fingerprint", fingerprint);
    if (trust != NULL)
        put_json_field(&w, "trust", trust);
    if (code != 0) {
        (void)snprintf(number, sizeof number, "%u.%02u", (unsigned)LARCH_COAP_CLASS(code),
                       (unsigned)LARCH_COAP_DETAIL(code));
        put_json_field(&w, "code", number);
        larch_text_put(&w, ",\"answer\":");
        larch_text_put_json(&w, answer);
    }
    if (failure != NULL)
        put_json_field(&w, "error", failure);
    put_json_number(&w, "text_bytes", show->text_len);
    put_json_number(&w, "bytes_out", show->bytes_out);
    put_json_number(&w, "bytes_in", show->bytes_in);
    put_json_number(&w, "datagrams_out", show->datagrams_out);
    put_json_number(&w, "datagrams_in", show->datagrams_in);
    put_json_number(&w, "retransmissions", show->again);
    put_json_number(&w, "round_trips", show->round_trips);
    (void)snprintf(number, sizeof number, ",\"ms\":%.3f", (double)(now_ns() - show->message_ns) / 1e6);
    larch_text_put(&w, number);
    put_json_steps(show, &w);
    larch_text_put(&w, "}\n");
    (void)fwrite(line, 1, w.len < w.cap ? w.len : w.cap, stdout);
}

void larch_show_result(const larch_show *show, uint8_t code, larch_bytes answer, const uint8_t *hash, const char *trust,
                       const char *failure)
{
    char fingerprint[LARCH_FINGERPRINT_TEXT_LEN + 1], summary[256];
    if (hash != NULL)
        larch_fingerprint_format(hash, fingerprint);
    if (show->json) {
        show_json(show, code, answer, hash != NULL ? fingerprint : NULL, trust, failure);
    } else {
        (void)snprintf(summary, sizeof summary,
                       "%lu bytes out, %lu in; %u datagrams out, %u in; %u round trip%s; %.3f ms", show->bytes_out,
                       show->bytes_in, show->datagrams_out, show->datagrams_in, show->round_trips,
                       show->round_trips == 1 ? "" : "s", (double)(now_ns() - show->message_ns) / 1e6);
        larch_show_line(show, failure == NULL ? "accepted" : "failed", summary);
    }
    (void)fflush(stdout);
}
