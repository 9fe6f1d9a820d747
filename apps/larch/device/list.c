/* SPDX-License-Identifier: Apache-2.0 */
#include "device/list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/device_name.h"
#include "common/suite_name.h"
#include "system.h"
#include "text/json.h"
#include "text/peer.h"
#include "text/text.h"

#define NAME     "device"
#define REPLY_MS 30000
#define LATE     "the gateway did not reply within 30 s"
#define WORD_MAX 80

/* ---- rows ---------------------------------------------------------------------- */

/* A session of a device, or with kid "none" a device without any. */
typedef struct device_row {
    char name[WORD_MAX], kid[WORD_MAX], address[WORD_MAX]; /* address "-": it has not been heard of */
    unsigned long long own, left, received, failed, expires_s, heard_s;
    char method[WORD_MAX], suite[WORD_MAX]; /* "-": its contexts are fixed */
} device_row;

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

static bool take_row(larch_bytes text, device_row *row)
{
    return take_word(&text, row->name) && take_word(&text, row->kid) && take_word(&text, row->address) &&
           take_number(&text, &row->own) && take_number(&text, &row->left) && take_number(&text, &row->received) &&
           take_number(&text, &row->failed) && take_number(&text, &row->expires_s) &&
           take_number(&text, &row->heard_s) && take_word(&text, row->method) && take_word(&text, row->suite) &&
           text.len == 0;
}

static bool has_session(const device_row *row) { return strcmp(row->kid, "none") != 0; }

static bool is_fixed(const device_row *row) { return strcmp(row->method, "-") == 0; }

/* Whether its handshakes withstand a quantum computer. */
static bool is_pq(const device_row *row)
{
    const larch_lake_suite *suite = larch_app_suite_find(row->suite);
    return suite != NULL && larch_app_suite_is_pq(suite);
}

static void put_time(larch_json *j, const char *name, unsigned long long seconds)
{
    if (seconds > 0)
        larch_json_put_time(j, name, (int64_t)seconds * 1000, LARCH_TEXT_MS);
    else
        larch_json_put_null(j, name);
}

/* Of the device. */
static void put_device(larch_json *j, const device_row *row)
{
    put_time(j, "last_seen", row->heard_s);
    if (is_fixed(row)) { /* whoever made the context knows what made its secret */
        larch_json_put_null(j, "method");
        larch_json_put_null(j, "suite");
        larch_json_put_null(j, "post_quantum");
        return;
    }
    larch_json_put_number(j, "method", (uint64_t)(row->method[0] - '0'));
    larch_json_put_text(j, "suite", row->suite);
    larch_json_put_bool(j, "post_quantum", is_pq(row));
}

/* Of one of its sessions. */
static void put_session(larch_json *j, const device_row *row)
{
    larch_json_put_text(j, "kid", has_session(row) && strcmp(row->kid, "-") != 0 ? row->kid : "");
    if (strcmp(row->address, "-") != 0)
        larch_json_put_text(j, "peer", row->address);
    else
        larch_json_put_null(j, "peer");
    larch_json_put_number(j, "sent", row->own);
    larch_json_put_number(j, "received", row->received);
    larch_json_put_number(j, "failed", row->failed);
    larch_json_put_number(j, "left", row->left);
    put_time(j, "expires", row->expires_s);
}

static void print_row_json(const device_row *row)
{
    uint8_t line[1024];
    larch_writer w = larch_writer_to(line, sizeof line);
    larch_json j = larch_json_begin_line(&w);
    larch_json_put_text(&j, "device", row->name);
    put_session(&j, row);
    put_device(&j, row);
    larch_json_end_line(&j);
    larch_text_print(&w, stdout);
}

static void put_seen(larch_writer *w, const device_row *row)
{
    if (row->heard_s > 0)
        larch_text_put_time(w, (int64_t)row->heard_s * 1000, LARCH_TEXT_MS);
    else
        larch_text_put(w, "never");
}

static void put_kind(larch_writer *w, const device_row *row)
{
    if (is_fixed(row))
        larch_text_put(w, "fixed context");
    else
        larch_text_put_format(w, "%s, method %s, %s", row->suite, row->method,
                              is_pq(row) ? "post-quantum" : "not post-quantum");
}

static void print_row(const device_row *row)
{
    uint8_t line[512];
    larch_writer w = larch_writer_to(line, sizeof line);
    larch_text_put_format(&w, "%-*s  ", LARCH_APP_DEVICE_NAME_MAX, row->name);
    if (has_session(row))
        larch_text_put_format(&w, "kid %-14s  at %s  %llu sent  %llu left", row->kid, row->address, row->own,
                              row->left);
    else
        larch_text_put(&w, "added, no context yet");
    larch_text_put(&w, "  seen ");
    put_seen(&w, row);
    larch_text_put(&w, "  ");
    put_kind(&w, row);
    larch_text_put(&w, "\n");
    larch_text_print(&w, stdout);
}

/* ---- the list ------------------------------------------------------------------ */

/* The lines of one reply; *next: from where the list goes on, "": it is complete. */
static larch_exit take_page(device_connection *gateway, bool json, char next[WORD_MAX])
{
    const uint64_t until_ms = larch_posix_now_ms() + REPLY_MS;
    device_row row;
    larch_bytes text;
    bool is_end;
    next[0] = '\0';
    for (;;) {
        const larch_exit code = device_connection_next(gateway, until_ms, LATE, &text, &is_end);
        if (code != LARCH_EXIT_DONE || is_end)
            return code;
        if (take_row(text, &row)) {
            if (json)
                print_row_json(&row);
            else
                print_row(&row);
        } else if (!larch_bytes_equal(larch_control_take_word(&text), LARCH_TEXT("next")) || !take_word(&text, next) ||
                   text.len > 0) {
            return device_connection_complain(gateway);
        }
    }
}

larch_exit device_list(device_connection *gateway, bool json)
{
    char from[WORD_MAX] = ":", next[WORD_MAX];
    larch_exit code;
    do {
        const larch_bytes words[] = {LARCH_TEXT("list"), larch_bytes_of_text(from)};
        if ((code = device_connection_begin(gateway, words, sizeof words / sizeof words[0])) != LARCH_EXIT_DONE)
            return code;
        code = take_page(gateway, json, next);
        device_connection_end(gateway);
        memcpy(from, next, sizeof from);
    } while (code == LARCH_EXIT_DONE && next[0] != '\0');
    return code == LARCH_EXIT_DONE ? larch_app_end_output(NAME) : code;
}

/* ---- one device ---------------------------------------------------------------- */

#define SESSIONS_MAX 16
#define ALLOWED_MAX  16

typedef struct shown {
    size_t session_count, allowed_count;
    device_row rows[SESSIONS_MAX];
    char allowed[ALLOWED_MAX][WORD_MAX];
    unsigned long long waiting;
} shown;

static bool take_shown(shown *s, larch_bytes text)
{
    larch_bytes rest = text;
    const larch_bytes word = larch_control_take_word(&rest);
    if (larch_bytes_equal(word, LARCH_TEXT("allow")) && s->allowed_count < ALLOWED_MAX)
        return take_word(&rest, s->allowed[s->allowed_count++]) && rest.len == 0;
    if (larch_bytes_equal(word, LARCH_TEXT("waiting")) && s->session_count > 0)
        return take_number(&rest, &s->waiting) && rest.len == 0;
    return s->session_count < SESSIONS_MAX && take_row(text, &s->rows[s->session_count++]);
}

static void print_shown_json(const shown *s)
{
    static uint8_t line[16384];
    larch_writer w = larch_writer_to(line, sizeof line);
    larch_json j = larch_json_begin_line(&w);
    larch_json_put_text(&j, "device", s->rows[0].name);
    put_device(&j, &s->rows[0]);
    larch_json_begin_array(&j, "sessions");
    for (size_t i = 0; i < s->session_count && has_session(&s->rows[i]); i++) {
        larch_json_begin_object(&j, NULL);
        put_session(&j, &s->rows[i]);
        larch_json_end_object(&j);
    }
    larch_json_end_array(&j);
    larch_json_begin_array(&j, "policy");
    for (size_t i = 0; i < s->allowed_count; i++)
        larch_json_put_text(&j, NULL, s->allowed[i]);
    larch_json_end_array(&j);
    larch_json_put_number(&j, "waiting", s->waiting);
    larch_json_end_line(&j);
    larch_text_print(&w, stdout);
}

static void print_shown(const shown *s)
{
    static uint8_t text[16384];
    larch_writer w = larch_writer_to(text, sizeof text);
    larch_text_put_format(&w, "%s\n  handshakes   ", s->rows[0].name);
    put_kind(&w, &s->rows[0]);
    larch_text_put(&w, "\n  last seen    ");
    put_seen(&w, &s->rows[0]);
    larch_text_put(&w, "\n");
    for (size_t i = 0; i < s->session_count; i++) {
        const device_row *row = &s->rows[i];
        if (!has_session(row)) {
            larch_text_put(&w, "  session      none\n");
            continue;
        }
        larch_text_put_format(&w, "  session      kid %s, at %s, %llu sent, %llu received, %llu failed, %llu left",
                              row->kid, row->address, row->own, row->received, row->failed, row->left);
        if (row->expires_s > 0) {
            larch_text_put(&w, ", until ");
            larch_text_put_time(&w, (int64_t)row->expires_s * 1000, LARCH_TEXT_MS);
        }
        larch_text_put(&w, "\n");
    }
    larch_text_put(&w, "  may use      ");
    for (size_t i = 0; i < s->allowed_count; i++)
        larch_text_put_format(&w, "%s%s", i > 0 ? ", " : "", s->allowed[i]);
    larch_text_put_format(&w, "%s\n  commands     %llu wait\n", s->allowed_count == 0 ? "all resources" : "",
                          s->waiting);
    larch_text_print(&w, stdout);
}

static larch_exit take_all(device_connection *gateway, shown *s)
{
    const uint64_t until_ms = larch_posix_now_ms() + REPLY_MS;
    larch_bytes text;
    bool is_end;
    for (;;) {
        const larch_exit code = device_connection_next(gateway, until_ms, LATE, &text, &is_end);
        if (code != LARCH_EXIT_DONE)
            return code;
        if (is_end && s->session_count > 0)
            return LARCH_EXIT_DONE;
        if (is_end || !take_shown(s, text))
            return device_connection_complain(gateway);
    }
}

larch_exit device_show(device_connection *gateway, const char *name, bool json)
{
    static shown s;
    const larch_bytes words[] = {LARCH_TEXT("show"), larch_bytes_of_text(name)};
    larch_exit code = device_connection_begin(gateway, words, sizeof words / sizeof words[0]);
    if (code != LARCH_EXIT_DONE)
        return code;
    code = take_all(gateway, &s);
    device_connection_end(gateway);
    if (code != LARCH_EXIT_DONE)
        return code;
    if (json)
        print_shown_json(&s);
    else
        print_shown(&s);
    return larch_app_end_output(NAME);
}
