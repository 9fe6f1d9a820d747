/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "larch/base.h"

bool larch_bytes_equal(larch_bytes a, larch_bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

larch_bytes larch_bytes_of_text(const char *text) { return (larch_bytes){(const uint8_t *)text, strlen(text)}; }

uint64_t larch_number_at(const uint8_t *at, size_t len)
{
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++)
        value = value << 8 | at[i];
    return value;
}

/* ---- reader ------------------------------------------------------------ */

larch_error larch_reader_take(larch_reader *r, size_t len, larch_bytes *out)
{
    if (len > r->left.len)
        return LARCH_MALFORMED;
    *out = (larch_bytes){r->left.data, len};
    if (len > 0)
        r->left.data += len;
    r->left.len -= len;
    return LARCH_OK;
}

/* Takes width bytes as one number, most significant first. */
static larch_error take_number(larch_reader *r, size_t width, uint64_t *out)
{
    larch_bytes bytes;
    larch_error e = larch_reader_take(r, width, &bytes);
    if (e != LARCH_OK)
        return e;
    *out = larch_number_at(bytes.data, width);
    return LARCH_OK;
}

larch_error larch_reader_take_u8(larch_reader *r, uint8_t *out)
{
    if (r->left.len == 0)
        return LARCH_MALFORMED;
    *out = *r->left.data++;
    r->left.len--;
    return LARCH_OK;
}

larch_error larch_reader_take_u16(larch_reader *r, uint16_t *out)
{
    uint64_t value;
    larch_error e = take_number(r, 2, &value);
    if (e == LARCH_OK)
        *out = (uint16_t)value;
    return e;
}

larch_error larch_reader_take_u16le(larch_reader *r, uint16_t *out)
{
    uint16_t value;
    larch_error e = larch_reader_take_u16(r, &value);
    if (e == LARCH_OK)
        *out = (uint16_t)(value >> 8 | value << 8);
    return e;
}

larch_error larch_reader_take_u32(larch_reader *r, uint32_t *out)
{
    uint64_t value;
    larch_error e = take_number(r, 4, &value);
    if (e == LARCH_OK)
        *out = (uint32_t)value;
    return e;
}

larch_error larch_reader_take_u64(larch_reader *r, uint64_t *out) { return take_number(r, 8, out); }

/* ---- writer ------------------------------------------------------------ */

uint8_t *larch_writer_reserve(larch_writer *w, size_t len)
{
    size_t at = w->len;
    w->len = len > SIZE_MAX - at ? SIZE_MAX : at + len;
    return w->len <= w->cap && w->data != NULL ? w->data + at : NULL;
}

void larch_writer_put(larch_writer *w, larch_bytes bytes)
{
    uint8_t *to = larch_writer_reserve(w, bytes.len);
    if (to != NULL && bytes.len > 0)
        memcpy(to, bytes.data, bytes.len);
}

void larch_writer_put_text(larch_writer *w, const char *text) { larch_writer_put(w, larch_bytes_of_text(text)); }

void larch_writer_put_decimal(larch_writer *w, uint32_t number)
{
    uint8_t digits[10];
    size_t first = sizeof digits;
    do {
        digits[--first] = (uint8_t)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    larch_writer_put(w, (larch_bytes){digits + first, sizeof digits - first});
}

static void put_number(larch_writer *w, uint64_t value, size_t width)
{
    uint8_t *to = larch_writer_reserve(w, width);
    for (size_t i = 0; to != NULL && i < width; i++)
        to[i] = (uint8_t)(value >> (8 * (width - 1 - i)));
}

void larch_writer_put_u8(larch_writer *w, uint8_t value)
{
    uint8_t *to = larch_writer_reserve(w, 1);
    if (to != NULL)
        *to = value;
}

void larch_writer_put_u16(larch_writer *w, uint16_t value) { put_number(w, value, 2); }
void larch_writer_put_u32(larch_writer *w, uint32_t value) { put_number(w, value, 4); }
void larch_writer_put_u64(larch_writer *w, uint64_t value) { put_number(w, value, 8); }

void larch_writer_put_u16le(larch_writer *w, uint16_t value)
{
    larch_writer_put_u16(w, (uint16_t)(value >> 8 | value << 8));
}

void larch_writer_put_u32le(larch_writer *w, uint32_t value)
{
    larch_writer_put_u16le(w, (uint16_t)value);
    larch_writer_put_u16le(w, (uint16_t)(value >> 16));
}

larch_error larch_writer_finish(const larch_writer *w, larch_bytes *out)
{
    if (w->len > w->cap)
        return LARCH_SPACE;
    *out = (larch_bytes){w->data, w->len};
    return LARCH_OK;
}

/* ---- large tables ------------------------------------------------------ */

void larch_zero_lazily(void *memory, size_t len)
{
    uint8_t *bytes = memory;
    for (size_t i = 0; i < len; i++)
        if (bytes[i] != 0)
            bytes[i] = 0;
}
