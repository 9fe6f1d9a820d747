/* SPDX-License-Identifier: Apache-2.0 */
/* larch device send, commands: what waits for a device that sleeps, and what became of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/ask.h"
#include "system.h"
#include "text/json.h"
#include "text/text.h"

#define NAME     "device"
#define REPLY_MS 30000
#define WORD_MAX 300

static bool take_word(larch_bytes *text, char out[WORD_MAX])
{
    const larch_bytes word = larch_control_take_word(text);
    if (word.len == 0 || word.len >= WORD_MAX)
        return false;
    memcpy(out, word.data, word.len);
    out[word.len] = '\0';
    return true;
}

static bool take_number(larch_bytes *text, unsigned long long *number)
{
    char word[WORD_MAX];
    if (!take_word(text, word) || strspn(word, "0123456789") != strlen(word))
        return false;
    *number = strtoull(word, NULL, 10);
    return true;
}

/* ---- sending ------------------------------------------------------------------ */

/* One command on its way, as this program sees it. */
typedef struct sending {
    const device_asking *asking;
    const char *name;
    unsigned long long number; /* 0: not queued yet */
    bool sleeps;
    char state[WORD_MAX]; /* "": it has not ended */
    device_answer answer;
} sending;

static bool take_line(sending *s, larch_bytes text)
{
    char word[WORD_MAX];
    if (!take_word(&text, word))
        return false;
    if (strcmp(word, "queued") == 0)
        return s->number == 0 && take_number(&text, &s->number) && text.len == 0;
    if (strcmp(word, "sleeps") == 0) {
        s->sleeps = true;
        return text.len == 0;
    }
    memcpy(s->state, word, sizeof word);
    return device_take_answer(text, &s->answer);
}

static void print_json(const sending *s)
{
    static uint8_t line[DEVICE_LINE_BYTES];
    const bool has_answer = s->answer.code[0] > '0';
    larch_writer w = larch_writer_to(line, sizeof line);
    larch_json j = larch_json_begin_line(&w);
    larch_json_put_text(&j, "device", s->name);
    larch_json_put_number(&j, "command", s->number);
    larch_json_put_text(&j, "state", s->state[0] != '\0' ? s->state : "queued");
    if (has_answer) {
        larch_json_put_text(&j, "code", s->answer.code);
        device_put_body(&j, &s->answer);
    }
    larch_json_end_line(&j);
    larch_text_print(&w, stdout);
}

/* It waits in the queue, or is on its way still. */
static larch_exit leave_queued(const sending *s)
{
    if (s->asking->json)
        print_json(s);
    fprintf(stderr,
            "larch device: %s %s: command %llu is queued; 'larch device commands %s' shows what becomes of it\n",
            s->name, s->sleeps ? "sleeps" : "has not answered yet", s->number, s->name);
    return LARCH_EXIT_DONE;
}

static larch_exit tell_end(const sending *s)
{
    const bool has_answer = s->answer.code[0] > '0';
    if (s->asking->json)
        print_json(s);
    if (has_answer)
        return device_print_answer(s->asking->json, s->name, &s->answer);
    if (strcmp(s->state, "unknown") == 0)
        return larch_app_fail(NAME, "%s did not answer: it may have carried out command %llu, or not", s->name,
                              s->number);
    if (strcmp(s->state, "expired") == 0)
        return larch_app_fail(NAME, "%s was not reached: command %llu has expired", s->name, s->number);
    return larch_app_fail(
        NAME, "command %llu failed: it is too long for a datagram, or the answer of %s has more than %d bytes",
        s->number, s->name, LARCH_COAP_BODY_MAX);
}

static larch_exit follow(sending *s, device_connection *gateway)
{
    const double ms = s->asking->timeout * 1000;
    const uint64_t until_ms = s->asking->waits || ms >= 1e15 ? UINT64_MAX : larch_posix_now_ms() + (uint64_t)ms;
    larch_bytes text;
    bool is_end, is_late;
    for (;;) {
        if (s->number > 0 && s->sleeps && !s->asking->waits)
            return leave_queued(s);
        const larch_exit code = device_connection_wait(
            gateway, s->number > 0 ? until_ms : larch_posix_now_ms() + REPLY_MS, &text, &is_end, &is_late);
        if (is_late && s->number > 0)
            return leave_queued(s);
        if (is_late)
            return larch_app_fail(NAME, "the gateway did not reply within 30 s");
        if (code != LARCH_EXIT_DONE)
            return code;
        if (is_end)
            return s->state[0] != '\0' ? tell_end(s) : device_connection_complain(gateway);
        if (!take_line(s, text))
            return device_connection_complain(gateway);
    }
}

larch_exit device_send(device_connection *gateway, const device_asking *asking, const char *name, const char *path,
                       larch_bytes value)
{
    static uint8_t hex[2 * LARCH_COAP_BODY_MAX];
    static sending s;
    char seconds[32];
    larch_writer w = larch_writer_to(hex, sizeof hex);
    if (asking->expires < 1 || asking->expires > DEVICE_EXPIRES_MAX_S)
        return larch_app_usage(NAME, "--expires: 1 to %d seconds", DEVICE_EXPIRES_MAX_S);
    larch_control_put_hex(&w, value);
    (void)snprintf(seconds, sizeof seconds, "%.0f", asking->expires);
    const larch_bytes words[] = {LARCH_TEXT("queue"),
                                 larch_bytes_of_text(name),
                                 larch_bytes_of_text(device_methods[asking->method]),
                                 larch_bytes_of_text(path),
                                 {hex, w.len},
                                 larch_bytes_of_text(seconds)};
    larch_exit code = device_connection_begin(gateway, words, sizeof words / sizeof words[0]);
    if (code != LARCH_EXIT_DONE)
        return code;
    s = (sending){.asking = asking, .name = name};
    code = follow(&s, gateway);
    device_connection_end(gateway);
    const larch_exit printed = larch_app_end_output(NAME);
    return code == LARCH_EXIT_DONE ? printed : code;
}

/* ---- the list ------------------------------------------------------------------ */

typedef struct command_row {
    unsigned long long number, created_s, expires_s, ended_s, sends;
    char state[WORD_MAX], method[WORD_MAX], path[WORD_MAX];
    device_answer answer;
} command_row;

static bool take_row(larch_bytes text, command_row *row)
{
    return take_number(&text, &row->number) && take_word(&text, row->state) && take_word(&text, row->method) &&
           take_word(&text, row->path) && take_number(&text, &row->created_s) && take_number(&text, &row->expires_s) &&
           take_number(&text, &row->ended_s) && take_number(&text, &row->sends) &&
           device_take_answer(text, &row->answer);
}

static void put_time(larch_json *j, const char *name, unsigned long long seconds)
{
    if (seconds > 0)
        larch_json_put_time(j, name, (int64_t)seconds * 1000, LARCH_TEXT_MS);
    else
        larch_json_put_null(j, name);
}

static void print_row_json(const char *name, const command_row *row)
{
    static uint8_t line[DEVICE_LINE_BYTES];
    larch_writer w = larch_writer_to(line, sizeof line);
    larch_json j = larch_json_begin_line(&w);
    larch_json_put_text(&j, "device", name);
    larch_json_put_number(&j, "command", row->number);
    larch_json_put_text(&j, "state", row->state);
    larch_json_put_text(&j, "method", row->method);
    larch_json_put_text(&j, "path", row->path);
    put_time(&j, "created", row->created_s);
    put_time(&j, "expires", row->expires_s);
    put_time(&j, "ended", row->ended_s);
    larch_json_put_number(&j, "sends", row->sends);
    if (row->answer.code[0] > '0') {
        larch_json_put_text(&j, "code", row->answer.code);
        device_put_body(&j, &row->answer);
    } else {
        larch_json_put_null(&j, "code");
    }
    larch_json_end_line(&j);
    larch_text_print(&w, stdout);
}

static void print_row(const char *name, const command_row *row, bool json)
{
    static uint8_t line[DEVICE_LINE_BYTES];
    const larch_bytes body = {row->answer.body, row->answer.len};
    if (json) {
        print_row_json(name, row);
        return;
    }
    larch_writer w = larch_writer_to(line, sizeof line);
    larch_text_put_format(&w, "%-6llu %-8s %-4s %s", row->number, row->state, row->method, row->path);
    larch_text_put(&w, row->ended_s > 0 ? "  ended " : "  expires ");
    larch_text_put_time(&w, (int64_t)(row->ended_s > 0 ? row->ended_s : row->expires_s) * 1000, LARCH_TEXT_MS);
    if (row->answer.code[0] > '0')
        larch_text_put_format(&w, "  %s ", row->answer.code);
    larch_text_put_plain(&w, body);
    larch_text_put(&w, "\n");
    larch_text_print(&w, stdout);
}

/* One line: a row, or "next" and from where the list goes on. */
static bool take_listed(const char *name, bool json, larch_bytes text, char next[WORD_MAX])
{
    static command_row row;
    if (take_row(text, &row)) {
        print_row(name, &row, json);
        return true;
    }
    return larch_bytes_equal(larch_control_take_word(&text), LARCH_TEXT("next")) && take_word(&text, next) &&
           text.len == 0;
}

static larch_exit take_page(device_connection *gateway, const char *name, bool json, char next[WORD_MAX])
{
    const uint64_t until_ms = larch_posix_now_ms() + REPLY_MS;
    larch_bytes text;
    bool is_end;
    next[0] = '\0';
    for (;;) {
        const larch_exit code =
            device_connection_next(gateway, until_ms, "the gateway did not reply within 30 s", &text, &is_end);
        if (code != LARCH_EXIT_DONE || is_end)
            return code;
        if (!take_listed(name, json, text, next))
            return device_connection_complain(gateway);
    }
}

larch_exit device_commands(device_connection *gateway, const device_asking *asking, const char *name)
{
    char from[WORD_MAX] = "0", next[WORD_MAX];
    larch_exit code;
    do {
        const larch_bytes words[] = {LARCH_TEXT("commands"), larch_bytes_of_text(name), larch_bytes_of_text(from)};
        if ((code = device_connection_begin(gateway, words, sizeof words / sizeof words[0])) != LARCH_EXIT_DONE)
            return code;
        code = take_page(gateway, name, asking->json, next);
        device_connection_end(gateway);
        memcpy(from, next, sizeof from);
    } while (code == LARCH_EXIT_DONE && next[0] != '\0');
    return code == LARCH_EXIT_DONE ? larch_app_end_output(NAME) : code;
}
