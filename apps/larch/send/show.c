/* SPDX-License-Identifier: Apache-2.0 */
#include "send/show.h"

#include <stdio.h>
#include <string.h>

#include "larch/coap_message.h"
#include "larch/identity.h"
#include "measure.h"
#include "system.h"
#include "text/json.h"
#include "text/text.h"

#define LINE_MAX_BYTES 1024

void larch_show_line(const larch_show *show, const char *what, const char *result)
{
    if (!show->json)
        printf("[%9.3f ms] %-30s %s\n", (double)(larch_measure_now_ns() - show->begun_ns) / 1e6, what, result);
}

/* ---- cryptography -------------------------------------------------------- */

static void on_step(void *context, larch_step step, bool begin, size_t bytes)
{
    larch_show *show = context;
    char result[64];
    const uint64_t now = larch_measure_now_ns();
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
    show->begun_ns = show->message_ns = larch_measure_now_ns();
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
    char code[LARCH_TEXT_CODE_MAX];
    bool request = LARCH_COAP_CLASS(m->code) == 0 && m->code != LARCH_COAP_EMPTY, queried = false;
    if (m->code == LARCH_COAP_EMPTY) {
        larch_text_put(w, m->type == LARCH_COAP_RST ? "RST" : "ACK");
        return;
    }
    if (!request) {
        larch_text_put(w, larch_text_of_code(m->code, code));
        larch_text_put(w, " ");
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
            larch_text_put_format(w, " block %u", (unsigned)block.num);
        } else if (option.number == LARCH_COAP_OPT_OSCORE) {
            larch_text_put(w, request ? "OSCORE" : " OSCORE");
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

static void put_steps(larch_json *j, const larch_show *show)
{
    larch_json_begin_array(j, "steps");
    for (size_t i = 0; i < show->step_count; i++) {
        larch_json_begin_object(j, NULL);
        larch_json_put_number(j, "bytes", show->steps[i].bytes);
        larch_json_put_text(j, "step", larch_step_text(show->steps[i].step));
        larch_json_put_decimal(j, "us", (double)show->steps[i].ns / 1e3, 1);
        larch_json_end_object(j);
    }
    larch_json_end_array(j);
}

static void put_fingerprint(larch_json *j, const char *name, larch_fingerprint_kind kind, const uint8_t *hash)
{
    char text[LARCH_FINGERPRINT_TEXT_LEN + 1];
    if (hash == NULL)
        return;
    larch_fingerprint_format(kind, hash, text);
    larch_json_put_text(j, name, text);
}

static void show_json(const larch_show *show, const larch_show_end *end)
{
    static uint8_t line[8192];
    larch_writer w = larch_writer_to(line, sizeof line);
    larch_json j = larch_json_begin_line(&w);
    char text[LARCH_TEXT_CODE_MAX];
    larch_json_put_time(&j, "time", (int64_t)(larch_posix_unix_ns() / 1000000), LARCH_TEXT_MS);
    larch_json_put_bool(&j, "ok", end->failure == NULL);
    larch_json_put_text(&j, "gateway", show->gateway);
    if (show->kem != NULL)
        larch_json_put_text(&j, "kem", show->kem->name);
    if (end->n != 0)
        larch_json_put_number(&j, "n", end->n);
    put_fingerprint(&j, "identity", LARCH_FINGERPRINT_IDENTITY, end->identity);
    put_fingerprint(&j, "fingerprint", LARCH_FINGERPRINT_KEY, end->key);
    if (end->trust != NULL)
        larch_json_put_text(&j, "trust", end->trust);
    if (end->code != 0) {
        larch_json_put_text(&j, "code", larch_text_of_code(end->code, text));
        larch_json_put_bytes(&j, "answer", end->answer);
    }
    larch_json_put_bool(&j, "proven", end->is_proven);
    if (end->failure != NULL)
        larch_json_put_text(&j, "error", end->failure);
    larch_json_put_number(&j, "text_bytes", show->text_len);
    larch_json_put_number(&j, "bytes_out", show->bytes_out);
    larch_json_put_number(&j, "bytes_in", show->bytes_in);
    larch_json_put_number(&j, "datagrams_out", show->datagrams_out);
    larch_json_put_number(&j, "datagrams_in", show->datagrams_in);
    larch_json_put_number(&j, "retransmissions", show->again);
    larch_json_put_number(&j, "round_trips", show->round_trips);
    larch_json_put_decimal(&j, "ms", (double)(larch_measure_now_ns() - show->message_ns) / 1e6, 3);
    put_steps(&j, show);
    larch_json_end_line(&j);
    larch_text_print(&w, stdout);
}

void larch_show_result(const larch_show *show, const larch_show_end *end)
{
    char summary[256];
    if (show->json) {
        show_json(show, end);
    } else {
        (void)snprintf(summary, sizeof summary,
                       "%lu bytes out, %lu in; %u datagrams out, %u in; %u round trip%s; %.3f ms", show->bytes_out,
                       show->bytes_in, show->datagrams_out, show->datagrams_in, show->round_trips,
                       show->round_trips == 1 ? "" : "s", (double)(larch_measure_now_ns() - show->message_ns) / 1e6);
        larch_show_line(show, end->failure != NULL ? "failed" : end->outcome, summary);
    }
    (void)fflush(stdout);
}
