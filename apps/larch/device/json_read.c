/* SPDX-License-Identifier: Apache-2.0 */
#include "device/json_read.h"

#include <string.h>

#include "text/text.h"

/* What may come next. */
enum { VALUE, FIRST_VALUE, FIRST_NAME, NAME, COMMA, NOTHING, BROKEN };

device_json device_json_of(larch_bytes text)
{
    device_json j = {.at = text.data, .end = text.data, .awaited = BROKEN};
    if (text.len > 0 && larch_text_is_utf8(text)) {
        j.end = text.data + text.len;
        j.awaited = VALUE;
    }
    return j;
}

unsigned device_json_depth(const device_json *j) { return j->depth; }

static device_json_token fail(device_json *j)
{
    j->awaited = BROKEN;
    return DEVICE_JSON_BAD;
}

static void skip_space(device_json *j)
{
    while (j->at < j->end && (*j->at == ' ' || *j->at == '\t' || *j->at == '\n' || *j->at == '\r'))
        j->at++;
}

static bool take(device_json *j, uint8_t c)
{
    const bool is_there = j->at < j->end && *j->at == c;
    j->at += is_there;
    return is_there;
}

static void end_value(device_json *j) { j->awaited = j->depth > 0 ? COMMA : NOTHING; }

/* ---- strings ------------------------------------------------------------------------ */

static int hex_digit(uint8_t c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The length of the escape behind a backslash; 0: there is none. */
static size_t escape_len(const uint8_t *at, const uint8_t *end)
{
    if (at == end)
        return 0;
    if (*at != 'u')
        return *at != '\0' && strchr("\"\\/bfnrt", *at) != NULL;
    for (size_t i = 1; i <= 4; i++)
        if ((size_t)(end - at) <= i || hex_digit(at[i]) < 0)
            return 0;
    return 5;
}

/* Behind the first quote; text is what stands before the last. */
static bool take_string(device_json *j, larch_bytes *text)
{
    const uint8_t *begin = j->at;
    while (j->at < j->end && *j->at != '"') {
        const uint8_t c = *j->at++;
        if (c < 0x20)
            return false;
        if (c != '\\')
            continue;
        const size_t len = escape_len(j->at, j->end);
        if (len == 0)
            return false;
        j->at += len;
    }
    *text = (larch_bytes){begin, (size_t)(j->at - begin)};
    return take(j, '"');
}

size_t device_json_unescape(larch_bytes text, uint8_t *out, size_t cap)
{
    static const char letters[] = "bfnrt", meant[] = "\b\f\n\r\t";
    const uint8_t *at = text.data, *end = text.len > 0 ? text.data + text.len : at;
    size_t len = 0;
    while (at < end && len < cap) {
        uint8_t c = *at++;
        if (c == '\\' && escape_len(at, end) == 5) {
            const int high = hex_digit(at[1]) << 4 | hex_digit(at[2]), low = hex_digit(at[3]) << 4 | hex_digit(at[4]);
            c = high == 0 && low < 0x80 ? (uint8_t)low : '?';
            at += 5;
        } else if (c == '\\' && at < end) {
            c = *at++;
            const char *letter = strchr(letters, c);
            c = letter != NULL && c != '\0' ? (uint8_t)meant[letter - letters] : c;
        }
        out[len++] = c;
    }
    return len;
}

/* ---- values ------------------------------------------------------------------------- */

static bool take_digits(device_json *j)
{
    const uint8_t *begin = j->at;
    while (j->at < j->end && *j->at >= '0' && *j->at <= '9')
        j->at++;
    return j->at > begin;
}

static bool take_number(device_json *j)
{
    (void)take(j, '-');
    if (!take(j, '0') && !take_digits(j))
        return false;
    if (take(j, '.') && !take_digits(j))
        return false;
    if (take(j, 'e') || take(j, 'E')) {
        if (!take(j, '+'))
            (void)take(j, '-');
        return take_digits(j);
    }
    return true;
}

static bool take_word(device_json *j)
{
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        const size_t len = strlen(words[i]);
        if ((size_t)(j->end - j->at) >= len && memcmp(j->at, words[i], len) == 0) {
            j->at += len;
            return true;
        }
    }
    return false;
}

static device_json_token begin(device_json *j, bool is_object)
{
    if (j->depth == DEVICE_JSON_DEPTH)
        return fail(j);
    j->objects = is_object ? j->objects | 1U << j->depth : j->objects & ~(1U << j->depth);
    j->depth++;
    j->awaited = is_object ? FIRST_NAME : FIRST_VALUE;
    return is_object ? DEVICE_JSON_BEGIN_OBJECT : DEVICE_JSON_BEGIN_ARRAY;
}

static device_json_token end(device_json *j, bool is_object)
{
    j->depth--;
    end_value(j);
    return is_object ? DEVICE_JSON_END_OBJECT : DEVICE_JSON_END_ARRAY;
}

static device_json_token take_value(device_json *j, larch_bytes *text)
{
    device_json_token token = DEVICE_JSON_OTHER;
    if (take(j, '{'))
        return begin(j, true);
    if (take(j, '['))
        return begin(j, false);
    if (take(j, '"')) {
        token = DEVICE_JSON_TEXT;
        if (!take_string(j, text))
            return fail(j);
    } else if (!take_word(j) && !take_number(j)) {
        return fail(j);
    }
    end_value(j);
    return token;
}

static device_json_token take_name(device_json *j, larch_bytes *text)
{
    if (!take(j, '"') || !take_string(j, text))
        return fail(j);
    skip_space(j);
    if (!take(j, ':'))
        return fail(j);
    j->awaited = VALUE;
    return DEVICE_JSON_NAME;
}

device_json_token device_json_next(device_json *j, larch_bytes *text)
{
    *text = (larch_bytes){NULL, 0};
    if (j->awaited == BROKEN)
        return DEVICE_JSON_BAD;
    const bool in_object = j->depth > 0 && (j->objects >> (j->depth - 1) & 1) != 0;
    skip_space(j);
    if ((j->awaited == COMMA || j->awaited == FIRST_NAME || j->awaited == FIRST_VALUE) &&
        take(j, in_object ? '}' : ']'))
        return end(j, in_object);
    if (j->awaited == COMMA) {
        if (!take(j, ','))
            return fail(j);
        skip_space(j);
        j->awaited = in_object ? NAME : VALUE;
    }
    if (j->awaited == NOTHING)
        return j->at == j->end ? DEVICE_JSON_END : fail(j);
    return j->awaited == NAME || j->awaited == FIRST_NAME ? take_name(j, text) : take_value(j, text);
}
