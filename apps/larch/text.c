/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "text.h"

void larch_text_put(larch_writer *w, const char *text)
{
    larch_writer_put(w, (larch_bytes){(const uint8_t *)text, strlen(text)});
}

static void put_digits(larch_writer *w, uint64_t value, unsigned base, unsigned min_digits)
{
    uint8_t digits[20]; /* of 2^64 - 1 */
    size_t at = sizeof digits;

    do {
        digits[--at] = (uint8_t) "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0 || sizeof digits - at < min_digits);
    larch_writer_put(w, (larch_bytes){digits + at, sizeof digits - at});
}

void larch_text_put_number(larch_writer *w, uint64_t value) { put_digits(w, value, 10, 1); }

void larch_text_put_hex(larch_writer *w, larch_bytes bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        put_digits(w, bytes.data[i], 16, 2);
}

/* The civil date of a day counted from 1970-01-01, by 400-year eras that begin in March: gmtime_r
 * would do, but for its error case. */
void larch_text_put_time(larch_writer *w, int64_t unix_ms)
{
    uint64_t ms = unix_ms < 0 ? 0 : (uint64_t)unix_ms;
    uint64_t seconds = ms / 1000;
    uint64_t days = seconds / 86400 + 719468; /* since 0000-03-01 */
    uint64_t era = days / 146097;
    uint64_t day_of_era = days % 146097;
    uint64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    uint64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint64_t month_from_march = (5 * day_of_year + 2) / 153;
    uint64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;

    put_digits(w, era * 400 + year_of_era + (month <= 2), 10, 4);
    larch_writer_put_u8(w, '-');
    put_digits(w, month, 10, 2);
    larch_writer_put_u8(w, '-');
    put_digits(w, day_of_year - (153 * month_from_march + 2) / 5 + 1, 10, 2);
    larch_writer_put_u8(w, 'T');
    put_digits(w, seconds / 3600 % 24, 10, 2);
    larch_writer_put_u8(w, ':');
    put_digits(w, seconds / 60 % 60, 10, 2);
    larch_writer_put_u8(w, ':');
    put_digits(w, seconds % 60, 10, 2);
    larch_writer_put_u8(w, '.');
    put_digits(w, ms % 1000, 10, 3);
    larch_writer_put_u8(w, 'Z');
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
        put_digits(w, 0xd7c0 + (c >> 10), 16, 4);
        c = 0xdc00 + (c & 0x3ff);
    }
    larch_text_put(w, "\\u");
    put_digits(w, c, 16, 4);
}

static void escape_plain(larch_writer *w, uint32_t c, bool foreign)
{
    if (c == '\\') {
        larch_text_put(w, "\\\\");
    } else if (foreign || c < 0x20 || c == 0x7f) {
        larch_text_put(w, "\\x");
        put_digits(w, c, 16, 2);
    } else {
        larch_text_put(w, "\\u{");
        put_digits(w, c, 16, 1);
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
