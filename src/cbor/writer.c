/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cbor_int.h"

static void put_first(larch_writer *w, larch_cbor_type major, unsigned info)
{
    larch_writer_put_u8(w, (uint8_t)((unsigned)major << 5 | info));
}

/* The shortest head with this argument. [RFC8949 4.2.1] */
static void put_head(larch_writer *w, larch_cbor_type major, uint64_t argument)
{
    if (argument < CBOR_1) {
        put_first(w, major, (unsigned)argument);
    } else if (argument <= UINT8_MAX) {
        put_first(w, major, CBOR_1);
        larch_writer_put_u8(w, (uint8_t)argument);
    } else if (argument <= UINT16_MAX) {
        put_first(w, major, CBOR_2);
        larch_writer_put_u16(w, (uint16_t)argument);
    } else if (argument <= UINT32_MAX) {
        put_first(w, major, CBOR_4);
        larch_writer_put_u32(w, (uint32_t)argument);
    } else {
        put_first(w, major, CBOR_8);
        larch_writer_put_u64(w, argument);
    }
}

void larch_cbor_put_uint(larch_writer *w, uint64_t value) { put_head(w, LARCH_CBOR_UINT, value); }

void larch_cbor_put_int(larch_writer *w, int64_t value)
{
    if (value >= 0)
        put_head(w, LARCH_CBOR_UINT, (uint64_t)value);
    else
        put_head(w, LARCH_CBOR_NINT, (uint64_t)(-1 - value));
}

void larch_cbor_put_bytes_head(larch_writer *w, size_t len) { put_head(w, LARCH_CBOR_BYTES, len); }

void larch_cbor_put_bytes(larch_writer *w, larch_bytes bytes)
{
    put_head(w, LARCH_CBOR_BYTES, bytes.len);
    larch_writer_put(w, bytes);
}

void larch_cbor_put_text_bytes(larch_writer *w, larch_bytes text)
{
    put_head(w, LARCH_CBOR_TEXT, text.len);
    larch_writer_put(w, text);
}

void larch_cbor_put_text(larch_writer *w, const char *text) { larch_cbor_put_text_bytes(w, larch_bytes_of_text(text)); }

void larch_cbor_put_array(larch_writer *w, size_t count) { put_head(w, LARCH_CBOR_ARRAY, count); }
void larch_cbor_put_map(larch_writer *w, size_t pairs) { put_head(w, LARCH_CBOR_MAP, pairs); }
void larch_cbor_put_tag(larch_writer *w, uint64_t tag) { put_head(w, LARCH_CBOR_TAG, tag); }
void larch_cbor_put_simple(larch_writer *w, uint8_t simple) { put_head(w, LARCH_CBOR_SIMPLE, simple); }

void larch_cbor_put_float(larch_writer *w, uint64_t binary64)
{
    uint64_t bits;
    const unsigned info = larch_cbor_shorten(binary64, &bits);
    put_first(w, LARCH_CBOR_SIMPLE, info);
    if (info == CBOR_2)
        larch_writer_put_u16(w, (uint16_t)bits);
    else if (info == CBOR_4)
        larch_writer_put_u32(w, (uint32_t)bits);
    else
        larch_writer_put_u64(w, bits);
}
