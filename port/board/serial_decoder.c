/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "serial_decoder.h"

enum { TEXT, EDGE, RECORD };

#define FIRST_CODE 2 /* of every record: its second byte is 0 */

void larch_serial_decoder_init(larch_serial_decoder *d)
{
    memset(d, 0, sizeof *d);
    d->place = TEXT;
    d->printable = true;
}

static void start(larch_serial_decoder *d, uint8_t place)
{
    d->place = place;
    d->len = 0;
    d->block = 0;
    d->zero = false;
    d->too_long = false;
    d->printable = true;
}

static void put(larch_serial_decoder *d, uint8_t byte)
{
    if (d->len == sizeof d->bytes)
        d->too_long = true;
    else
        d->bytes[d->len++] = byte;
}

static bool is_printable(uint8_t byte) { return (byte >= 0x20 && byte <= 0x7e) || byte == '\t'; }

/* CR LF, LF or a delimiter ends a line; an empty one is nothing. */
static larch_serial_found end_line(larch_serial_decoder *d, uint8_t place, larch_bytes *out)
{
    const bool good = d->printable && !d->too_long;
    *out = (larch_bytes){d->bytes, d->len};
    start(d, place);
    if (out->len == 0)
        return LARCH_SERIAL_NOTHING;
    return good ? LARCH_SERIAL_LINE : LARCH_SERIAL_GARBAGE;
}

static larch_serial_found end_record(larch_serial_decoder *d, larch_bytes *out)
{
    const bool whole = d->block == 0 && !d->too_long && d->len > LARCH_SERIAL_RECORD_CRC_LEN;
    larch_bytes body = {d->bytes, whole ? d->len - LARCH_SERIAL_RECORD_CRC_LEN : 0};
    larch_reader r = larch_reader_of((larch_bytes){d->bytes + body.len, LARCH_SERIAL_RECORD_CRC_LEN});
    uint32_t crc;
    start(d, EDGE);
    if (!whole || larch_reader_take_u32(&r, &crc) != LARCH_OK || crc != larch_crc32(0, body))
        return LARCH_SERIAL_BAD;
    *out = body;
    return LARCH_SERIAL_WHOLE;
}

static void take_of_record(larch_serial_decoder *d, uint8_t byte)
{
    if (d->block > 0) {
        d->block--;
        put(d, byte);
        return;
    }
    if (d->zero)
        put(d, 0);
    d->block = (uint8_t)(byte - 1);
    d->zero = byte != 0xff;
}

static larch_serial_found take(larch_serial_decoder *d, uint8_t byte, larch_bytes *out)
{
    if (byte == 0)
        return d->place == RECORD ? end_record(d, out) : end_line(d, EDGE, out);
    if (d->place == EDGE)
        start(d, byte == FIRST_CODE ? RECORD : TEXT);
    if (d->place == RECORD) {
        take_of_record(d, byte);
        return LARCH_SERIAL_NOTHING;
    }
    if (byte == '\n')
        return end_line(d, TEXT, out);
    if (byte == '\r')
        return LARCH_SERIAL_NOTHING;
    d->printable = d->printable && is_printable(byte);
    put(d, byte);
    return LARCH_SERIAL_NOTHING;
}

larch_serial_found larch_serial_decode(larch_serial_decoder *d, larch_bytes *input, larch_bytes *out)
{
    *out = (larch_bytes){NULL, 0};
    while (input->len > 0) {
        const uint8_t byte = *input->data++;
        input->len--;
        const larch_serial_found found = take(d, byte, out);
        if (found != LARCH_SERIAL_NOTHING)
            return found;
    }
    return LARCH_SERIAL_NOTHING;
}
