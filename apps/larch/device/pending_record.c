/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "device/pending.h"

#define MAGIC LARCH_TEXT("larch-reading 1\n")

void pending_put(larch_writer *w, const uint8_t *keys, const pending_reading *r)
{
    const size_t at = w->len, name_len = strlen(r->name);
    larch_writer_put(w, MAGIC);
    larch_writer_put(w, (larch_bytes){keys, PENDING_KEYS_LEN});
    larch_writer_put_u64(w, r->n);
    larch_writer_put_u8(w, (uint8_t)name_len);
    larch_writer_put(w, (larch_bytes){(const uint8_t *)r->name, name_len});
    larch_writer_put_u16(w, (uint16_t)r->len);
    larch_writer_put(w, (larch_bytes){r->text, r->len});
    if (w->len <= w->cap)
        larch_writer_put_u32(w, larch_crc32(0, (larch_bytes){w->data + at, w->len - at}));
}

static larch_error parse(larch_bytes bytes, const uint8_t *keys, pending_reading *out)
{
    larch_reader r = larch_reader_of(bytes);
    larch_bytes magic, key, name, text;
    uint8_t name_len;
    uint16_t text_len;
    uint32_t crc;
    larch_error e;
    if ((e = larch_reader_take(&r, MAGIC.len, &magic)) != LARCH_OK || !larch_bytes_equal(magic, MAGIC) ||
        (e = larch_reader_take(&r, PENDING_KEYS_LEN, &key)) != LARCH_OK ||
        (e = larch_reader_take_u64(&r, &out->n)) != LARCH_OK || (e = larch_reader_take_u8(&r, &name_len)) != LARCH_OK ||
        name_len > LARCH_READING_NAME_MAX || (e = larch_reader_take(&r, name_len, &name)) != LARCH_OK ||
        (e = larch_reader_take_u16(&r, &text_len)) != LARCH_OK || text_len > sizeof out->text ||
        (e = larch_reader_take(&r, text_len, &text)) != LARCH_OK)
        return LARCH_MALFORMED;
    const size_t len = bytes.len - r.left.len;
    if (larch_reader_take_u32(&r, &crc) != LARCH_OK || crc != larch_crc32(0, (larch_bytes){bytes.data, len}) ||
        out->n == 0 || name_len == 0 || memchr(name.data, '\0', name_len) != NULL ||
        memchr(name.data, '/', name_len) != NULL)
        return LARCH_MALFORMED;
    if (memcmp(key.data, keys, PENDING_KEYS_LEN) != 0)
        return LARCH_STATE;
    memcpy(out->name, name.data, name_len);
    out->len = text_len;
    if (text_len > 0)
        memcpy(out->text, text.data, text_len);
    return LARCH_OK;
}

larch_error pending_parse(larch_bytes bytes, const uint8_t *keys, pending_reading *reading)
{
    memset(reading, 0, sizeof *reading);
    const larch_error e = parse(bytes, keys, reading);
    if (e != LARCH_OK)
        memset(reading, 0, sizeof *reading);
    return e;
}
