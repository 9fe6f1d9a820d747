/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "text/text.h"

larch_bytes larch_text_first(larch_bytes bytes, size_t max)
{
    return (larch_bytes){bytes.data, bytes.len < max ? bytes.len : max};
}

/* ---- UTF-8 ------------------------------------------------------------- */

/* The length of the well-formed character at the start of bytes (not empty), 0 if there is none. [RFC3629 4] */
static size_t take_character(larch_bytes bytes, uint32_t *character)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t first = bytes.data[0];
    size_t len = first < 0x80 ? 1 : first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf8 ? 4 : 0;
    uint32_t value = len == 1 ? first : first & (0x7fu >> len);

    if (len == 0 || len > bytes.len)
        return 0;
    for (size_t i = 1; i < len; i++) {
        if ((bytes.data[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (bytes.data[i] & 0x3f);
    }
    if (value < smallest[len] || (value >= 0xd800 && value <= 0xdfff) || value > 0x10ffff)
        return 0;
    *character = value;
    return len;
}

bool larch_text_is_utf8(larch_bytes bytes)
{
    while (bytes.len > 0) {
        uint32_t character;
        size_t len = take_character(bytes, &character);

        if (len == 0)
            return false;
        bytes.data += len;
        bytes.len -= len;
    }
    return true;
}

/* What must not reach a terminal: C0 and C1 controls, line separators, direction and byte order marks. */
static bool is_unsafe(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
           (c >= 0xe0000 && c <= 0xe007f);
}

static void escape_json(larch_writer *w, uint32_t c, bool foreign)
{
    static const char *const shorts[] = {['\b'] = "\\b", ['\t'] = "\\t", ['\n'] = "\\n", ['\f'] = "\\f",
                                         ['\r'] = "\\r", ['"'] = "\\\"", ['\\'] = "\\\\"};

    (void)foreign;
    if (c < sizeof shorts / sizeof shorts[0] && shorts[c] != NULL) {
        larch_text_put(w, shorts[c]);
        return;
    }
    if (c > 0xffff) { /* as a surrogate pair [RFC8259 7] */
        larch_text_put(w, "\\u");
        larch_text_put_digits(w, 0xd7c0 + (c >> 10), 16, 4);
        c = 0xdc00 + (c & 0x3ff);
    }
    larch_text_put(w, "\\u");
    larch_text_put_digits(w, c, 16, 4);
}

static void escape_plain(larch_writer *w, uint32_t c, bool foreign)
{
    if (c == '\\') {
        larch_text_put(w, "\\\\");
    } else if (foreign || c < 0x20 || c == 0x7f) {
        larch_text_put(w, "\\x");
        larch_text_put_digits(w, c, 16, 2);
    } else {
        larch_text_put(w, "\\u{");
        larch_text_put_digits(w, c, 16, 1);
        larch_writer_put_u8(w, '}');
    }
}

/* Copies the longest runs that need no escape, in one piece each. */
static void put_escaped(larch_writer *w, larch_bytes text, bool quotes,
                        void (*escape)(larch_writer *w, uint32_t c, bool foreign))
{
    larch_bytes run = {text.data, 0};

    while (text.len > 0) {
        uint32_t c = text.data[0];
        size_t len = take_character(text, &c);
        bool foreign = len == 0;

        len += foreign;
        if (foreign || is_unsafe(c) || c == '\\' || (quotes && c == '"')) {
            larch_writer_put(w, run);
            escape(w, c, foreign);
            run = (larch_bytes){text.data + len, 0};
        } else {
            run.len += len;
        }
        text.data += len;
        text.len -= len;
    }
    larch_writer_put(w, run);
}

void larch_text_put_json(larch_writer *w, larch_bytes untrusted)
{
    larch_writer_put_u8(w, '"');
    put_escaped(w, untrusted, true, escape_json);
    larch_writer_put_u8(w, '"');
}

void larch_text_put_plain(larch_writer *w, larch_bytes untrusted) { put_escaped(w, untrusted, false, escape_plain); }

/* ---- ASCII ------------------------------------------------------------- */

static void put_ascii(larch_writer *w, larch_bytes bytes, const char *prefix, unsigned digits)
{
    for (size_t i = 0; i < bytes.len; i++) {
        const uint8_t c = bytes.data[i];
        if (c >= 0x20 && c < 0x7f && c != '\\' && c != '"') {
            larch_writer_put_u8(w, c);
        } else {
            larch_text_put(w, prefix);
            larch_text_put_digits(w, c, 16, digits);
        }
    }
}

void larch_text_put_json_ascii(larch_writer *w, larch_bytes untrusted)
{
    larch_writer_put_u8(w, '"');
    put_ascii(w, untrusted, "\\u", 4);
    larch_writer_put_u8(w, '"');
}

void larch_text_put_plain_ascii(larch_writer *w, larch_bytes untrusted) { put_ascii(w, untrusted, "\\x", 2); }
