/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Untrusted bytes as text: no control character comes out, and a JSON string read back gives the same bytes, in ASCII
 * always and in UTF-8 where they were that.
 */
#include <string.h>

#include "fuzz.h"
#include "text/text.h"

#define IN_MAX 4096

static uint8_t next(larch_reader *r)
{
    uint8_t c;
    require(larch_reader_take_u8(r, &c) == LARCH_OK);
    return c;
}

static uint32_t take_hex(larch_reader *r)
{
    static const char digits[] = "0123456789abcdef";
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        const uint8_t c = next(r);
        require(c != 0 && strchr(digits, c) != NULL);
        value = value << 4 | (uint32_t)(strchr(digits, c) - digits);
    }
    return value;
}

/* What follows a backslash. */
static uint32_t take_escape(larch_reader *r)
{
    static const char names[] = "btnfr\"\\", meanings[] = "\b\t\n\f\r\"\\";
    const uint8_t c = next(r);
    if (c != 'u') {
        require(c != 0 && strchr(names, c) != NULL);
        return (uint8_t)meanings[strchr(names, c) - names];
    }
    const uint32_t value = take_hex(r);
    if (value < 0xd800 || value > 0xdbff)
        return value;
    require(next(r) == '\\' && next(r) == 'u');
    return 0x10000 + ((value - 0xd800) << 10) + (take_hex(r) - 0xdc00);
}

static void put_utf8(larch_writer *w, uint32_t c)
{
    if (c < 0x80) {
        larch_writer_put_u8(w, (uint8_t)c);
        return;
    }
    const unsigned more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    larch_writer_put_u8(w, (uint8_t)(0xff00u >> (more + 1) | c >> 6 * more));
    for (unsigned i = more; i-- > 0;)
        larch_writer_put_u8(w, (uint8_t)(0x80 | (c >> 6 * i & 0x3f)));
}

/* The bytes that a JSON string stands for. */
static larch_bytes read_back(larch_bytes json, bool latin_1)
{
    static uint8_t out[6 * IN_MAX];
    larch_writer w = larch_writer_to(out, sizeof out);
    larch_reader r = larch_reader_of(json);
    require(next(&r) == '"');
    while (r.left.len > 1) {
        uint32_t c = next(&r);
        require(c >= 0x20 && c != 0x7f && c != '"');
        if (c != '\\')
            larch_writer_put_u8(&w, (uint8_t)c);
        else if (latin_1)
            larch_writer_put_u8(&w, (uint8_t)take_escape(&r));
        else
            put_utf8(&w, take_escape(&r));
    }
    require(next(&r) == '"' && w.len <= w.cap);
    return (larch_bytes){out, w.len};
}

static larch_bytes written(void (*put)(larch_writer *w, larch_bytes bytes), larch_bytes in)
{
    static uint8_t out[6 * IN_MAX + 2]; /* "\u00ff" for each byte */
    larch_writer w = larch_writer_to(out, sizeof out), measure = larch_writer_to(NULL, 0);
    put(&w, in);
    put(&measure, in);
    require(w.len <= w.cap && w.len == measure.len);
    return (larch_bytes){out, w.len};
}

static bool is_ascii(larch_bytes bytes)
{
    size_t i = 0;
    while (i < bytes.len && bytes.data[i] >= 0x20 && bytes.data[i] < 0x7f)
        i++;
    return i == bytes.len;
}

static bool is_same(larch_bytes a, larch_bytes b) { return a.len == b.len && memcmp(a.data, b.data, a.len) == 0; }

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const larch_bytes in = larch_text_first((larch_bytes){data, size}, IN_MAX);
    larch_bytes out = written(larch_text_put_json_ascii, in);
    if (in.len == 0)
        return 0;
    require(is_ascii(out) && is_same(read_back(out, true), in));
    require(is_ascii(written(larch_text_put_plain_ascii, in)));

    out = written(larch_text_put_json, in);
    require(larch_text_is_utf8(out));
    const larch_bytes back = read_back(out, false);
    require(larch_text_is_utf8(back) && is_same(back, in) == larch_text_is_utf8(in));

    out = written(larch_text_put_plain, in);
    require(larch_text_is_utf8(out));
    for (size_t i = 0; i < out.len; i++)
        require(out.data[i] >= 0x20 && out.data[i] != 0x7f);
    return 0;
}
