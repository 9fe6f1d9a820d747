/* SPDX-License-Identifier: Apache-2.0 */
#include "text/json.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "text/peer.h"

#define DIGITS_MAX 20 /* behind the point */

larch_json larch_json_to(larch_writer *w) { return (larch_json){.writer = w}; }

/* ---- structure ------------------------------------------------------------- */

static larch_bytes view(const char *text) { return (larch_bytes){(const uint8_t *)text, strlen(text)}; }

static void put_string(larch_json *j, larch_bytes bytes)
{
    (j->ascii ? larch_text_put_json_ascii : larch_text_put_json)(j->writer, bytes);
}

/* What stands before a value: a comma unless it is the first of its level, and its name. */
static void put_place(larch_json *j, const char *name)
{
    if ((j->filled >> j->depth & 1) != 0)
        larch_writer_put_u8(j->writer, ',');
    j->filled |= 1u << j->depth;
    if (name == NULL)
        return;
    put_string(j, view(name));
    larch_writer_put_u8(j->writer, ':');
}

static void begin(larch_json *j, const char *name, char bracket)
{
    assert(j->depth < LARCH_JSON_DEPTH);
    put_place(j, name);
    larch_writer_put_u8(j->writer, (uint8_t)bracket);
    j->depth++;
    j->filled &= ~(1u << j->depth);
}

static void end(larch_json *j, char bracket)
{
    assert(j->depth > 0);
    j->depth--;
    larch_writer_put_u8(j->writer, (uint8_t)bracket);
}

void larch_json_begin_object(larch_json *j, const char *name) { begin(j, name, '{'); }

void larch_json_end_object(larch_json *j) { end(j, '}'); }

void larch_json_begin_array(larch_json *j, const char *name) { begin(j, name, '['); }

void larch_json_end_array(larch_json *j) { end(j, ']'); }

larch_json larch_json_begin_line(larch_writer *w)
{
    larch_json j = larch_json_to(w);
    begin(&j, NULL, '{');
    return j;
}

larch_json larch_json_begin_ascii_line(larch_writer *w)
{
    larch_json j = larch_json_begin_line(w);
    j.ascii = true;
    return j;
}

void larch_json_end_line(larch_json *j)
{
    end(j, '}');
    larch_writer_put_u8(j->writer, '\n');
}

/* ---- values ------------------------------------------------------------------ */

void larch_json_put_bytes(larch_json *j, const char *name, larch_bytes untrusted)
{
    put_place(j, name);
    put_string(j, untrusted);
}

void larch_json_put_text(larch_json *j, const char *name, const char *text)
{
    larch_json_put_bytes(j, name, view(text));
}

void larch_json_put_hex(larch_json *j, const char *name, larch_bytes bytes)
{
    put_place(j, name);
    larch_writer_put_u8(j->writer, '"');
    larch_text_put_hex(j->writer, bytes);
    larch_writer_put_u8(j->writer, '"');
}

void larch_json_put_time(larch_json *j, const char *name, int64_t time, larch_text_precision precision)
{
    put_place(j, name);
    larch_writer_put_u8(j->writer, '"');
    larch_text_put_time(j->writer, time, precision);
    larch_writer_put_u8(j->writer, '"');
}

void larch_json_put_peer(larch_json *j, const char *name, const larch_peer *peer)
{
    char text[LARCH_TEXT_PEER_MAX];
    larch_json_put_text(j, name, larch_text_of_peer(peer, text));
}

void larch_json_put_number(larch_json *j, const char *name, uint64_t value)
{
    put_place(j, name);
    larch_text_put_number(j->writer, value);
}

void larch_json_put_integer(larch_json *j, const char *name, int64_t value)
{
    put_place(j, name);
    larch_text_put_format(j->writer, "%lld", (long long)value);
}

void larch_json_put_decimal(larch_json *j, const char *name, double value, unsigned digits)
{
    char text[DBL_MAX_10_EXP + DIGITS_MAX + 4]; /* a sign, the point, and the end */
    assert(digits <= DIGITS_MAX);
    put_place(j, name);
    (void)snprintf(text, sizeof text, "%.*f", (int)digits, value);
    larch_text_put(j->writer, isfinite(value) ? text : "null");
}

void larch_json_put_bool(larch_json *j, const char *name, bool value)
{
    put_place(j, name);
    larch_text_put(j->writer, value ? "true" : "false");
}

void larch_json_put_null(larch_json *j, const char *name)
{
    put_place(j, name);
    larch_text_put(j->writer, "null");
}
