/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "common/control.h"
#include "common/hex.h"
#include "text/text.h"

#define PROTOCOL "larch-control"
#define VERSION  "1"

static bool is_printable(larch_bytes bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        if (bytes.data[i] < 0x20 || bytes.data[i] > 0x7e)
            return false;
    return true;
}

larch_bytes larch_control_take_word(larch_bytes *text)
{
    const uint8_t *space = text->len > 0 ? memchr(text->data, ' ', text->len) : NULL;
    const size_t len = space != NULL ? (size_t)(space - text->data) : text->len;
    const size_t past = len + (space != NULL);
    const larch_bytes word = {text->data, len};
    if (past > 0)
        *text = (larch_bytes){text->data + past, text->len - past};
    return word;
}

/* ---- request --------------------------------------------------------------- */

larch_error larch_control_parse_request(larch_bytes line, larch_control_request *request)
{
    larch_control_request found = {.count = 0};
    if (line.len >= LARCH_CONTROL_LINE_MAX || !is_printable(line) || line.len == 0 || line.data[line.len - 1] == ' ' ||
        !larch_bytes_equal(larch_control_take_word(&line), LARCH_TEXT(PROTOCOL)))
        return LARCH_MALFORMED;
    const larch_bytes version = larch_control_take_word(&line);
    if (version.len == 0)
        return LARCH_MALFORMED;
    if (!larch_bytes_equal(version, LARCH_TEXT(VERSION)))
        return LARCH_STATE;
    while (line.len > 0) {
        if (found.count == LARCH_CONTROL_WORDS_MAX)
            return LARCH_MALFORMED;
        found.word[found.count] = larch_control_take_word(&line);
        if (found.word[found.count++].len == 0)
            return LARCH_MALFORMED;
    }
    if (found.count == 0)
        return LARCH_MALFORMED;
    *request = found;
    return LARCH_OK;
}

static bool is_word(larch_bytes word)
{
    return word.len > 0 && is_printable(word) && memchr(word.data, ' ', word.len) == NULL;
}

larch_error larch_control_put_request(larch_writer *w, const larch_bytes *words, size_t count)
{
    if (count == 0 || count > LARCH_CONTROL_WORDS_MAX)
        return LARCH_MALFORMED;
    for (size_t i = 0; i < count; i++)
        if (!is_word(words[i]))
            return LARCH_MALFORMED;
    larch_text_put(w, PROTOCOL " " VERSION);
    for (size_t i = 0; i < count; i++) {
        larch_text_put(w, " ");
        larch_writer_put(w, words[i]);
    }
    larch_text_put(w, "\n");
    return LARCH_OK;
}

/* ---- bytes ------------------------------------------------------------------- */

void larch_control_put_hex(larch_writer *w, larch_bytes bytes)
{
    if (bytes.len == 0)
        larch_text_put(w, "-");
    else
        larch_text_put_hex(w, bytes);
}

bool larch_control_take_hex(larch_bytes word, uint8_t *out, size_t cap, size_t *len)
{
    unsigned wrong = 0;
    *len = 0;
    if (larch_bytes_equal(word, LARCH_TEXT("-")))
        return true;
    if (word.len == 0 || word.len % 2 != 0 || word.len / 2 > cap)
        return false;
    for (size_t i = 0; i < word.len / 2; i++) {
        const unsigned high = larch_app_hex_digit(word.data[2 * i]), low = larch_app_hex_digit(word.data[2 * i + 1]);
        wrong |= high | low;
        out[i] = (uint8_t)(high << 4 | low);
    }
    if (wrong > 15) {
        larch_wipe(out, word.len / 2);
        return false;
    }
    *len = word.len / 2;
    return true;
}

/* ---- reply ----------------------------------------------------------------- */

larch_error larch_control_parse_reply(larch_bytes line, larch_control_reply *reply)
{
    if (line.len == 0 || line.len >= LARCH_CONTROL_LINE_MAX || !is_printable(line))
        return LARCH_MALFORMED;
    if (line.data[0] == '+') {
        *reply = (larch_control_reply){LARCH_CONTROL_DATA, {line.data + 1, line.len - 1}};
    } else if (larch_bytes_equal(line, LARCH_TEXT("ok"))) {
        *reply = (larch_control_reply){.kind = LARCH_CONTROL_DONE};
    } else {
        larch_bytes text = line;
        if (!larch_bytes_equal(larch_control_take_word(&text), LARCH_TEXT("no")) || text.len == 0)
            return LARCH_MALFORMED;
        *reply = (larch_control_reply){LARCH_CONTROL_REFUSED, text};
    }
    return LARCH_OK;
}

static void put_text(larch_writer *w, const char *text, size_t max)
{
    for (size_t i = 0; i < max && text[i] != '\0'; i++)
        larch_writer_put_u8(w, (uint8_t)(text[i] >= 0x20 && text[i] <= 0x7e ? text[i] : '?'));
    larch_writer_put_u8(w, '\n');
}

void larch_control_put_data(larch_writer *w, const char *text)
{
    larch_text_put(w, "+");
    put_text(w, text, LARCH_CONTROL_LINE_MAX - 2);
}

void larch_control_put_end(larch_writer *w, const char *why)
{
    larch_text_put(w, why != NULL ? "no " : "ok");
    put_text(w, why != NULL ? why : "", LARCH_CONTROL_WHY_MAX - 1);
}
