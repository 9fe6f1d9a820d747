/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/outbox_record.h"

#include <string.h>

#define FIXED_LEN   (1 + 1 + 1 + 8 + 16 + 4 + 2 + 3) /* the version up to the port, and three lengths */
#define READING_LEN (1 + 1 + 2)

bool larch_outbox_record_fits(const larch_outbox_message *m)
{
    return m->id.len <= LARCH_OUTBOX_ID_MAX && m->through.len <= LARCH_OUTBOX_NAME_MAX &&
           m->kem.len <= LARCH_OUTBOX_NAME_MAX && m->device.len <= LARCH_OUTBOX_NAME_MAX &&
           m->path.len <= LARCH_OUTBOX_PATH_MAX && m->text.len <= LARCH_OUTBOX_TEXT_MAX;
}

static bool is_reading(const larch_outbox_message *m) { return m->device.len > 0 || m->path.len > 0; }

static void put_short(larch_writer *w, larch_bytes bytes)
{
    larch_writer_put_u8(w, (uint8_t)bytes.len);
    larch_writer_put(w, bytes);
}

void larch_outbox_record_put(larch_writer *w, const larch_outbox_message *m)
{
    const size_t reading_len = is_reading(m) ? READING_LEN + m->device.len + m->path.len : 0;
    larch_writer_put_u32(w,
                         (uint32_t)(FIXED_LEN + m->id.len + m->through.len + m->kem.len + reading_len + m->text.len));
    larch_writer_put_u8(w, is_reading(m) ? 2 : 1);
    larch_writer_put_u8(w, m->kind);
    larch_writer_put_u8(w, m->flags);
    larch_writer_put_u64(w, m->time_ms);
    larch_writer_put(w, LARCH_BYTES(m->peer.address));
    larch_writer_put_u32(w, m->peer.scope);
    larch_writer_put_u16(w, m->peer.port);
    put_short(w, m->id);
    put_short(w, m->through);
    put_short(w, m->kem);
    if (is_reading(m)) {
        put_short(w, m->device);
        put_short(w, m->path);
        larch_writer_put_u16(w, m->format);
    }
    larch_writer_put(w, m->text);
}

static larch_error take_short(larch_reader *r, larch_bytes *out)
{
    uint8_t len;
    larch_error e = larch_reader_take_u8(r, &len);
    return e == LARCH_OK ? larch_reader_take(r, len, out) : e;
}

static larch_error take_reading(larch_reader *r, uint8_t version, larch_outbox_message *m)
{
    larch_error e;
    m->format = LARCH_OUTBOX_NO_FORMAT;
    if (version == 1)
        return LARCH_OK;
    if ((e = take_short(r, &m->device)) != LARCH_OK || (e = take_short(r, &m->path)) != LARCH_OK ||
        (e = larch_reader_take_u16(r, &m->format)) != LARCH_OK)
        return e;
    return version == 2 && is_reading(m) ? LARCH_OK : LARCH_MALFORMED;
}

static larch_error take_body(larch_reader *r, larch_outbox_message *m)
{
    uint8_t version;
    larch_bytes address;
    larch_error e;
    if ((e = larch_reader_take_u8(r, &version)) != LARCH_OK || (e = larch_reader_take_u8(r, &m->kind)) != LARCH_OK ||
        (e = larch_reader_take_u8(r, &m->flags)) != LARCH_OK ||
        (e = larch_reader_take_u64(r, &m->time_ms)) != LARCH_OK ||
        (e = larch_reader_take(r, sizeof m->peer.address, &address)) != LARCH_OK ||
        (e = larch_reader_take_u32(r, &m->peer.scope)) != LARCH_OK ||
        (e = larch_reader_take_u16(r, &m->peer.port)) != LARCH_OK || (e = take_short(r, &m->id)) != LARCH_OK ||
        (e = take_short(r, &m->through)) != LARCH_OK || (e = take_short(r, &m->kem)) != LARCH_OK ||
        (e = take_reading(r, version, m)) != LARCH_OK)
        return e;
    memcpy(m->peer.address, address.data, address.len);
    m->text = r->left;
    return larch_outbox_record_fits(m) ? LARCH_OK : LARCH_MALFORMED;
}

larch_error larch_outbox_record_take(larch_reader *reader, larch_outbox_message *message)
{
    larch_reader rest = *reader, body;
    larch_outbox_message m = {0};
    uint32_t len;
    larch_error e;
    if ((e = larch_reader_take_u32(&rest, &len)) != LARCH_OK ||
        (e = larch_reader_take(&rest, len, &body.left)) != LARCH_OK || (e = take_body(&body, &m)) != LARCH_OK)
        return e;
    *reader = rest;
    *message = m;
    return LARCH_OK;
}
