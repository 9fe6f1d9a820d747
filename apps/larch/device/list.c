/* SPDX-License-Identifier: Apache-2.0 */
#include "device/list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/device_name.h"
#include "system.h"
#include "text/json.h"
#include "text/peer.h"
#include "text/text.h"

#define NAME     "device"
#define REPLY_MS 30000
#define WORD_MAX 80

typedef struct device_row {
    char name[WORD_MAX], kid[WORD_MAX], address[WORD_MAX]; /* address "-": it has not been heard of */
    unsigned long own, left;
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

static bool take_number(larch_bytes *text, unsigned long *number)
{
    char word[WORD_MAX];
    if (!take_word(text, word) || strspn(word, "0123456789") != strlen(word))
        return false;
    *number = strtoul(word, NULL, 10);
    return true;
}

static bool take_row(larch_bytes text, device_row *row)
{
    return take_word(&text, row->name) && take_word(&text, row->kid) && take_word(&text, row->address) &&
           take_number(&text, &row->own) && take_number(&text, &row->left) && text.len == 0;
}

static void print_row(const device_row *row, bool json)
{
    uint8_t line[512];
    larch_writer w = larch_writer_to(line, sizeof line);
    if (!json) {
        printf("%-*s  kid %-14s  at %s  %lu sent  %lu left\n", LARCH_APP_DEVICE_NAME_MAX, row->name, row->kid,
               row->address, row->own, row->left);
        return;
    }
    larch_json j = larch_json_begin_line(&w);
    larch_json_put_text(&j, "device", row->name);
    larch_json_put_text(&j, "kid", strcmp(row->kid, "-") != 0 ? row->kid : "");
    if (strcmp(row->address, "-") != 0)
        larch_json_put_text(&j, "peer", row->address);
    else
        larch_json_put_null(&j, "peer");
    larch_json_put_number(&j, "sent", row->own);
    larch_json_put_number(&j, "left", row->left);
    larch_json_end_line(&j);
    larch_text_print(&w, stdout);
}

/* One line: a row, or "next" and from where the list goes on. */
static bool take_line(larch_bytes text, bool json, char next[WORD_MAX])
{
    device_row row;
    if (!take_row(text, &row))
        return larch_bytes_equal(larch_control_take_word(&text), LARCH_TEXT("next")) && take_word(&text, next) &&
               text.len == 0;
    print_row(&row, json);
    return true;
}

/* A device that was added, with the number of its contexts: only one without any is not printed yet. */
static bool take_enrolled(larch_bytes text, bool json, char next[WORD_MAX])
{
    char name[WORD_MAX];
    unsigned long contexts;
    larch_bytes rest = text;
    if (!take_word(&rest, name) || !take_number(&rest, &contexts) || rest.len > 0)
        return false;
    if (strcmp(name, "next") == 0) {
        larch_bytes whole = text;
        (void)larch_control_take_word(&whole);
        return take_word(&whole, next);
    }
    if (contexts > 0)
        return true;
    if (json) {
        const device_row row = {.kid = "-", .address = "-"};
        device_row named = row;
        memcpy(named.name, name, sizeof named.name);
        print_row(&named, true);
    } else {
        printf("%-*s  added, no context yet\n", LARCH_APP_DEVICE_NAME_MAX, name);
    }
    return true;
}

/* The lines of one reply; *next: from where the list goes on, "": it is complete. */
static larch_exit take_lines(device_connection *gateway, bool (*take)(larch_bytes text, bool json, char next[WORD_MAX]),
                             bool json, char next[WORD_MAX])
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
        if (!take(text, json, next))
            return device_connection_complain(gateway);
    }
}

static larch_exit list_all(device_connection *gateway, const char *verb,
                           bool (*take)(larch_bytes text, bool json, char next[WORD_MAX]), bool json)
{
    char from[WORD_MAX] = "0", next[WORD_MAX];
    larch_exit code;
    do {
        const larch_bytes words[] = {larch_bytes_of_text(verb), larch_bytes_of_text(from)};
        if ((code = device_connection_begin(gateway, words, sizeof words / sizeof words[0])) != LARCH_EXIT_DONE)
            return code;
        code = take_lines(gateway, take, json, next);
        device_connection_end(gateway);
        memcpy(from, next, sizeof from);
    } while (code == LARCH_EXIT_DONE && next[0] != '\0');
    return code;
}

larch_exit device_list(device_connection *gateway, bool json)
{
    larch_exit code = list_all(gateway, "devices", take_line, json);
    if (code == LARCH_EXIT_DONE)
        code = list_all(gateway, "enrolled", take_enrolled, json);
    return code == LARCH_EXIT_DONE ? larch_app_end_output(NAME) : code;
}
