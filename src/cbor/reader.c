/* SPDX-License-Identifier: Apache-2.0 */
/*
 *     0                1 ...
 *    +-------+-------+-------------------+---------
 *    | major | info  | argument, if info | content
 *    | 3 bit | 5 bit | is 24 to 27       |
 *    +-------+-------+-------------------+---------      [RFC8949 3]
 */
#include "cbor_int.h"

/* ---- heads ----------------------------------------------------------------- */

static larch_error take_argument(larch_reader *r, unsigned info, uint64_t *argument)
{
    larch_bytes bytes;
    if (info < CBOR_1) {
        *argument = info;
        return LARCH_OK;
    }
    if (info > CBOR_8 || larch_reader_take(r, (size_t)1 << (info - CBOR_1), &bytes) != LARCH_OK)
        return LARCH_MALFORMED; /* indefinite lengths among them */
    *argument = larch_number_at(bytes.data, bytes.len);
    return LARCH_OK;
}

/* Whether no shorter head carries this argument. */
static bool is_shortest(unsigned info, uint64_t argument)
{
    switch (info) {
    case CBOR_1:
        return argument >= CBOR_1;
    case CBOR_2:
        return argument > UINT8_MAX;
    case CBOR_4:
        return argument > UINT16_MAX;
    case CBOR_8:
        return argument > UINT32_MAX;
    default:
        return true;
    }
}

/* Simple values and floating-point numbers share a major type. */
static larch_error take_simple(unsigned info, uint64_t argument, larch_cbor_item *item)
{
    uint64_t bits;
    if (info <= CBOR_1) {
        item->value = argument;
        return info < CBOR_1 || argument >= 32 ? LARCH_OK : LARCH_MALFORMED;
    }
    item->type = LARCH_CBOR_FLOAT;
    item->value = larch_cbor_lengthen(info, argument);
    return larch_cbor_shorten(item->value, &bits) == info && bits == argument ? LARCH_OK : LARCH_MALFORMED;
}

/* The number of bytes of the UTF-8 character that begins here; 0 if there is none. [RFC3629 4] */
static size_t character_len(larch_bytes text)
{
    const uint8_t *at = text.data;
    const uint8_t first = at[0];
    const size_t len = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    if (len > text.len)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    const bool is_overlong = (first == 0xe0 && at[1] < 0xa0) || (first == 0xf0 && at[1] < 0x90);
    const bool is_no_character = (first == 0xed && at[1] > 0x9f) || (first == 0xf4 && at[1] > 0x8f);
    return is_overlong || is_no_character ? 0 : len;
}

static bool is_utf8(larch_bytes text)
{
    size_t len = 1;
    for (; text.len > 0 && len > 0; text.data += len, text.len -= len)
        len = character_len(text);
    return len > 0;
}

static larch_error take_item(larch_reader *r, larch_cbor_item *item)
{
    uint8_t first;
    uint64_t argument;
    larch_error e;
    if ((e = larch_reader_take_u8(r, &first)) != LARCH_OK || (e = take_argument(r, first & 31, &argument)) != LARCH_OK)
        return e;
    item->type = (larch_cbor_type)(first >> 5);
    if (item->type == LARCH_CBOR_SIMPLE)
        return take_simple(first & 31, argument, item);
    if (!is_shortest(first & 31, argument))
        return LARCH_MALFORMED;
    item->value = argument;
    if (item->type != LARCH_CBOR_BYTES && item->type != LARCH_CBOR_TEXT)
        return LARCH_OK;
    if (argument > r->left.len || (e = larch_reader_take(r, (size_t)argument, &item->bytes)) != LARCH_OK)
        return LARCH_MALFORMED;
    return item->type == LARCH_CBOR_BYTES || is_utf8(item->bytes) ? LARCH_OK : LARCH_MALFORMED;
}

larch_error larch_cbor_take(larch_reader *r, larch_cbor_item *item)
{
    larch_reader rest = *r;
    larch_cbor_item taken = {0};
    const larch_error e = take_item(&rest, &taken);
    if (e != LARCH_OK)
        return e;
    *r = rest;
    *item = taken;
    return LARCH_OK;
}

larch_cbor_type larch_cbor_peek(const larch_reader *r)
{
    if (r->left.len == 0)
        return LARCH_CBOR_END;
    const uint8_t first = r->left.data[0];
    return first >= (LARCH_CBOR_SIMPLE << 5 | CBOR_2) ? LARCH_CBOR_FLOAT : (larch_cbor_type)(first >> 5);
}

/* ---- items of one type ----------------------------------------------------- */

/* Moves r only if the item has the type and passes. */
static larch_error take_typed(larch_reader *r, larch_cbor_type type, larch_cbor_item *item)
{
    larch_reader rest = *r;
    larch_cbor_item taken;
    if (larch_cbor_take(&rest, &taken) != LARCH_OK || taken.type != type)
        return LARCH_MALFORMED;
    *r = rest;
    *item = taken;
    return LARCH_OK;
}

larch_error larch_cbor_take_uint(larch_reader *r, uint64_t *out)
{
    larch_cbor_item item;
    const larch_error e = take_typed(r, LARCH_CBOR_UINT, &item);
    if (e == LARCH_OK)
        *out = item.value;
    return e;
}

larch_error larch_cbor_take_int(larch_reader *r, int64_t *out)
{
    larch_reader rest = *r;
    larch_cbor_item item;
    if (larch_cbor_take(&rest, &item) != LARCH_OK || item.type > LARCH_CBOR_NINT || item.value > INT64_MAX)
        return LARCH_MALFORMED;
    *r = rest;
    *out = item.type == LARCH_CBOR_UINT ? (int64_t)item.value : -1 - (int64_t)item.value;
    return LARCH_OK;
}

larch_error larch_cbor_take_bytes(larch_reader *r, larch_bytes *out)
{
    larch_cbor_item item;
    const larch_error e = take_typed(r, LARCH_CBOR_BYTES, &item);
    if (e == LARCH_OK)
        *out = item.bytes;
    return e;
}

larch_error larch_cbor_take_text(larch_reader *r, larch_bytes *out)
{
    larch_cbor_item item;
    const larch_error e = take_typed(r, LARCH_CBOR_TEXT, &item);
    if (e == LARCH_OK)
        *out = item.bytes;
    return e;
}

/* per: bytes that each takes at least. */
static larch_error take_count(larch_reader *r, larch_cbor_type type, size_t per, size_t *count)
{
    larch_reader rest = *r;
    larch_cbor_item item;
    if (take_typed(&rest, type, &item) != LARCH_OK || item.value > rest.left.len / per)
        return LARCH_MALFORMED;
    *r = rest;
    *count = (size_t)item.value;
    return LARCH_OK;
}

larch_error larch_cbor_take_array(larch_reader *r, size_t *count) { return take_count(r, LARCH_CBOR_ARRAY, 1, count); }
larch_error larch_cbor_take_map(larch_reader *r, size_t *pairs) { return take_count(r, LARCH_CBOR_MAP, 2, pairs); }

larch_error larch_cbor_take_tag(larch_reader *r, uint64_t *tag)
{
    larch_cbor_item item;
    const larch_error e = take_typed(r, LARCH_CBOR_TAG, &item);
    if (e == LARCH_OK)
        *tag = item.value;
    return e;
}

larch_error larch_cbor_take_simple(larch_reader *r, uint8_t simple)
{
    larch_reader rest = *r;
    larch_cbor_item item;
    if (take_typed(&rest, LARCH_CBOR_SIMPLE, &item) != LARCH_OK || item.value != simple)
        return LARCH_MALFORMED;
    *r = rest;
    return LARCH_OK;
}
