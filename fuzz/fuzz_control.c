/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lines of the control socket, as request and as reply. Whatever they hold: the words of a request that is taken
 * give the same line again; a reply that is taken is made of lines that the gateway can have put; what is refused
 * changes nothing.
 */
#include <string.h>

#include "common/control.h"
#include "fuzz.h"

static bool is_printable(larch_bytes b, uint8_t least)
{
    for (size_t i = 0; i < b.len; i++)
        if (b.data[i] < least || b.data[i] > 0x7e)
            return false;
    return true;
}

/* What is taken as bytes is that word again, but for the case of its letters. */
static void try_hex(larch_bytes word)
{
    static uint8_t out[64], text[2 * sizeof out];
    larch_writer w = larch_writer_to(text, sizeof text);
    size_t len = 99;
    if (!larch_control_take_hex(word, out, sizeof out, &len)) {
        require(len == 0);
        return;
    }
    larch_control_put_hex(&w, (larch_bytes){out, len});
    require(w.len == word.len);
    for (size_t i = 0; i < w.len; i++)
        require(text[i] == word.data[i] || text[i] == (word.data[i] | 0x20));
}

static void try_request(larch_bytes line)
{
    static uint8_t bytes[LARCH_CONTROL_LINE_MAX];
    larch_writer w = larch_writer_to(bytes, sizeof bytes);
    larch_bytes again;
    larch_control_request r, untouched;
    memset(&r, 0xa5, sizeof r);
    memset(&untouched, 0xa5, sizeof untouched);
    const larch_error e = larch_control_parse_request(line, &r);
    if (e != LARCH_OK) {
        require(e == LARCH_MALFORMED || e == LARCH_STATE);
        require(memcmp(&r, &untouched, sizeof r) == 0); /* NOLINT(bugprone-*,cert-*): both filled whole */
        return;
    }
    require(r.count >= 1 && r.count <= LARCH_CONTROL_WORDS_MAX);
    for (size_t i = 0; i < r.count; i++) {
        require(r.word[i].len > 0 && is_printable(r.word[i], 0x21));
        try_hex(r.word[i]);
    }
    require(larch_control_put_request(&w, r.word, r.count) == LARCH_OK);
    require(larch_writer_finish(&w, &again) == LARCH_OK && again.data[again.len - 1] == '\n');
    require(larch_bytes_equal((larch_bytes){again.data, again.len - 1}, line));
}

/* Its text, put as the gateway puts it, is the line again. */
static void try_reply(larch_bytes line)
{
    static uint8_t bytes[LARCH_CONTROL_LINE_MAX];
    static char text[LARCH_CONTROL_LINE_MAX];
    larch_writer w = larch_writer_to(bytes, sizeof bytes);
    larch_bytes again;
    larch_control_reply r, untouched;
    memset(&r, 0xa5, sizeof r);
    memset(&untouched, 0xa5, sizeof untouched);
    if (larch_control_parse_reply(line, &r) != LARCH_OK) {
        require(memcmp(&r, &untouched, sizeof r) == 0); /* NOLINT(bugprone-*,cert-*): both filled whole */
        return;
    }
    require(r.text.len < sizeof text && is_printable(r.text, 0x20));
    require(r.kind == LARCH_CONTROL_DATA || (r.text.len == 0) == (r.kind == LARCH_CONTROL_DONE));
    if (r.text.len > 0)
        memcpy(text, r.text.data, r.text.len);
    text[r.text.len] = '\0';
    if (r.kind == LARCH_CONTROL_DATA)
        larch_control_put_data(&w, text);
    else
        larch_control_put_end(&w, r.kind == LARCH_CONTROL_DONE ? NULL : text);
    require(larch_writer_finish(&w, &again) == LARCH_OK);
    require((r.kind == LARCH_CONTROL_REFUSED && r.text.len >= LARCH_CONTROL_WHY_MAX) || /* it was cut */
            larch_bytes_equal((larch_bytes){again.data, again.len - 1}, line));
}

/* Anything at all can be put, and can be read back. */
static void try_text(const uint8_t *data, size_t size)
{
    uint8_t bytes[1024];
    char text[600];
    larch_writer w = larch_writer_to(bytes, sizeof bytes);
    larch_control_reply r;
    const size_t len = size < sizeof text ? size : sizeof text - 1;
    memcpy(text, data, len);
    text[len] = '\0';
    larch_control_put_data(&w, text);
    require(larch_control_parse_reply((larch_bytes){bytes, w.len - 1}, &r) == LARCH_OK);
    require(r.kind == LARCH_CONTROL_DATA && r.text.len == strlen(text));
    w = larch_writer_to(bytes, sizeof bytes);
    larch_control_put_end(&w, text[0] != '\0' ? text : NULL);
    require(larch_control_parse_reply((larch_bytes){bytes, w.len - 1}, &r) == LARCH_OK);
    require(r.kind == (text[0] == '\0' ? LARCH_CONTROL_DONE : LARCH_CONTROL_REFUSED));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t nothing;
    const larch_bytes all = {size > 0 ? data : &nothing, size};
    try_request(all);
    try_reply(all);
    try_text(all.data, size);
    return 0;
}
