/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is typed on a board's console. The first byte says how the bytes arrive; the rest is typed. Beside the console
 * runs a plain model of line editing: both run the same commands with the same arguments, and nothing of a line is in
 * memory after its end. What stands behind a command is read as a number and as an address, which are written out
 * and read again.
 */
#include <stdio.h>
#include <string.h>

#include "board/board.h"
#include "fuzz.h"
#include "roles/console.h"
#include "roles/restart.h"
#include "roles/say.h"
#include "roles/stacks.h"
#include "roles/typed.h"

enum { LOG = 1 << 16 };

/* What ran and what was refused, by the console and by the model. */
typedef struct journal {
    size_t len;
    uint8_t bytes[LOG];
} journal;

static journal ran, expected;

static void note(journal *j, char what, larch_bytes rest)
{
    if (j->len + 3 + rest.len > LOG)
        return;
    j->bytes[j->len++] = (uint8_t)what;
    j->bytes[j->len++] = (uint8_t)rest.len;
    if (rest.len > 0)
        memcpy(j->bytes + j->len, rest.data, rest.len);
    j->len += rest.len;
}

/* ---- what stands behind the console ------------------------------------------ */

void larch_say(const char *format, ...)
{
    if (strncmp(format, "error: ", 7) == 0)
        note(&ran, '!', (larch_bytes){0});
}
void larch_stacks_say(void) { note(&ran, 'k', (larch_bytes){0}); }
void larch_restart(const char *why)
{
    (void)why;
    abort(); /* the model leaves out lines that do this */
}
size_t larch_board_line_read(uint8_t *out, size_t cap)
{
    (void)out;
    (void)cap;
    return 0;
}

/* A number is what strtoull makes of digits alone; an address is written out and read again. */
static void check_typed(larch_bytes text)
{
    static const uint32_t maxima[] = {0, 9, 13, 255, 65535, 86400, 1690109872, UINT32_MAX};
    char digits[LARCH_CONSOLE_LINE_MAX + 1] = "";
    uint32_t n = 77;
    larch_peer peer, again;
    require(text.len < sizeof digits);
    if (text.len > 0)
        memcpy(digits, text.data, text.len);
    const bool plain = text.len > 0 && strspn(digits, "0123456789") == text.len;
    const unsigned long long value = plain ? strtoull(digits, NULL, 10) : 0; /* ULLONG_MAX if it is too large */
    for (size_t i = 0; i < sizeof maxima / sizeof maxima[0]; i++) {
        n = 77;
        require(larch_typed_number(text, maxima[i], &n) == (plain && value <= maxima[i]));
        require(n == (plain && value <= maxima[i] ? value : 77));
    }
    memset(&peer, 0xee, sizeof peer);
    again = peer;
    if (!larch_typed_peer(text, &peer)) {
        require(larch_peer_equal(&peer, &again));
        return;
    }
    const uint8_t *a = peer.address + 12;
    require(larch_peer_is_ipv4(&peer) && peer.port != 0 && peer.scope == 0);
    const int len = snprintf(digits, sizeof digits, "%u.%u.%u.%u:%u", a[0], a[1], a[2], a[3], (unsigned)peer.port);
    require(larch_typed_peer((larch_bytes){(const uint8_t *)digits, (size_t)len}, &again));
    require(larch_peer_equal(&peer, &again));
}

static void run_send(larch_bytes rest)
{
    check_typed(rest);
    note(&ran, 's', rest);
}
static void run_status(larch_bytes rest)
{
    require(rest.len == 0);
    note(&ran, 't', rest);
}
static void run_wifi(larch_bytes rest) { note(&ran, 'w', rest); }

static const larch_command commands[] = {{"send", "TEXT", "", run_send}, {"status", "", "", run_status}};
static const larch_command wifi = {"wifi", "SSID PASSPHRASE", "", run_wifi};

/* ---- the model ------------------------------------------------------------------ */

typedef struct model {
    size_t len;
    bool too_long;
    bool has_wifi;
    char line[LARCH_CONSOLE_LINE_MAX + 1];
} model;

/* A whole line; false: it would restart the board. */
static bool model_line(const model *m)
{
    static const struct {
        const char *name;
        char what;
        bool takes;
    } rows[] = {{"send", 's', true}, {"status", 't', false}, {"stack", 'k', false}, {"help", 'h', true}};
    char line[LARCH_CONSOLE_LINE_MAX + 1];
    memcpy(line, m->line, sizeof line);
    line[m->len] = '\0';
    if (m->too_long) {
        note(&expected, '!', (larch_bytes){0});
        return true;
    }
    size_t end = m->len;
    while (end > 0 && strchr(" \t", line[end - 1]) != NULL)
        line[--end] = '\0';
    const char *word = line + strspn(line, " \t");
    const size_t word_len = strcspn(word, " \t");
    const char *rest = word + word_len + strspn(word + word_len, " \t");
    const larch_bytes rest_bytes = {(const uint8_t *)rest, strlen(rest)};
    if (word_len == 0)
        return true;
    if (word_len == 7 && memcmp(word, "restart", 7) == 0) {
        if (rest_bytes.len > 0)
            note(&expected, '!', (larch_bytes){0});
        return rest_bytes.len > 0;
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strlen(rows[i].name) != word_len || memcmp(rows[i].name, word, word_len) != 0)
            continue;
        if (rest_bytes.len > 0 && !rows[i].takes)
            note(&expected, '!', (larch_bytes){0});
        else if (rows[i].what != 'h') /* help says much, and runs nothing */
            note(&expected, rows[i].what, rest_bytes);
        return true;
    }
    if (m->has_wifi && word_len == 4 && memcmp(word, "wifi", 4) == 0)
        note(&expected, 'w', rest_bytes);
    else
        note(&expected, '!', (larch_bytes){0});
    return true;
}

/* false: the line would restart the board. */
static bool model_type(model *m, uint8_t c)
{
    if (c == '\r' || c == '\n') {
        const bool stays = model_line(m);
        m->len = 0;
        m->too_long = false;
        return stays;
    }
    if ((c == 8 || c == 127) && m->len > 0)
        m->len--;
    else if (m->len == LARCH_CONSOLE_LINE_MAX)
        m->too_long = true;
    else if (c >= 0x20 || c == '\t')
        m->line[m->len++] = (char)c;
    return true;
}

/* ---- the whole of it --------------------------------------------------------------- */

static void type(larch_console *console, larch_bytes bytes)
{
    static const uint8_t nothing[LARCH_CONSOLE_LINE_MAX];
    uint8_t *copy = malloc(bytes.len); /* so that a read past its end is seen */
    require(copy != NULL);
    memcpy(copy, bytes.data, bytes.len);
    larch_console_take(console, (larch_bytes){copy, bytes.len});
    const uint8_t last = copy[bytes.len - 1];
    free(copy);
    require(console->len <= sizeof console->line);
    if (last == '\r' || last == '\n')
        require(memcmp(console->line, nothing, sizeof nothing) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static larch_console console;
    static model m;
    if (size < 1)
        return 0;
    m = (model){.has_wifi = (data[0] & 0x80) != 0};
    ran.len = expected.len = 0;
    larch_console_init(&console, commands, sizeof commands / sizeof commands[0]);
    if (m.has_wifi)
        larch_console_add(&console, &wifi);
    const size_t at_once = 1 + (data[0] & 0x7f);
    check_typed((larch_bytes){data + 1, size - 1 < LARCH_CONSOLE_LINE_MAX ? size - 1 : LARCH_CONSOLE_LINE_MAX});
    for (size_t at = 1, len; at < size; at += len) {
        len = size - at < at_once ? size - at : at_once;
        for (size_t i = 0; i < len; i++)
            if (!model_type(&m, data[at + i]))
                return 0;
        type(&console, (larch_bytes){data + at, len});
        require(ran.len == expected.len && memcmp(ran.bytes, expected.bytes, ran.len) == 0);
    }
    return 0;
}
