/* SPDX-License-Identifier: Apache-2.0 */
/*
 *     0                1               1 + n    2 + n         2 + n + s
 *    +-+-+-+-+-+-+-+-+----------------+--------+-------------+-----------
 *    |0 0 0|h|k|  n  | Partial IV (n) | s (if  | kid context | kid (if k)
 *    |     | | |     |                | h)     | (s bytes)   | the rest
 *    +-+-+-+-+-+-+-+-+----------------+--------+-------------+-----------     [RFC8613 6.1]
 *
 * An option without any of them is empty.
 */
#include <string.h>

#include "oscore_int.h"

#define FLAG_KID         0x08
#define FLAG_KID_CONTEXT 0x10
#define FLAGS_RESERVED   0xe0

static larch_error parse(larch_bytes value, larch_oscore_option *out)
{
    larch_reader r = larch_reader_of(value);
    uint8_t flags, len;
    larch_error e;
    if (value.len == 0)
        return LARCH_OK;
    if ((e = larch_reader_take_u8(&r, &flags)) != LARCH_OK)
        return e;
    if ((flags & FLAGS_RESERVED) != 0)
        return LARCH_STATE;
    if (flags == 0 || (flags & 7) > LARCH_OSCORE_PARTIAL_IV_MAX)
        return LARCH_MALFORMED; /* nothing at all has the empty form */
    if ((flags & 7) != 0 && (e = larch_reader_take(&r, flags & 7, &out->partial_iv)) != LARCH_OK)
        return e;
    if (out->partial_iv.len > 1 && out->partial_iv.data[0] == 0)
        return LARCH_MALFORMED; /* one form for a number, so that one request has one AAD */
    if ((flags & FLAG_KID_CONTEXT) != 0 && ((e = larch_reader_take_u8(&r, &len)) != LARCH_OK ||
                                            (e = larch_reader_take(&r, len, &out->kid_context)) != LARCH_OK))
        return e;
    if ((flags & FLAG_KID) != 0) {
        out->kid = r.left;
        return LARCH_OK;
    }
    return r.left.len == 0 ? LARCH_OK : LARCH_MALFORMED;
}

larch_error larch_oscore_option_parse(larch_bytes value, larch_oscore_option *out)
{
    memset(out, 0, sizeof *out);
    const larch_error e = parse(value, out);
    if (e != LARCH_OK)
        memset(out, 0, sizeof *out);
    return e;
}

void larch_oscore_option_put(larch_writer *w, const larch_oscore_option *option)
{
    const unsigned flags = (unsigned)option->partial_iv.len |
                           (option->kid_context.data != NULL ? FLAG_KID_CONTEXT : 0u) |
                           (option->kid.data != NULL ? FLAG_KID : 0u);
    if (flags == 0)
        return;
    larch_writer_put_u8(w, (uint8_t)flags);
    larch_writer_put(w, option->partial_iv);
    if (option->kid_context.data != NULL) {
        larch_writer_put_u8(w, (uint8_t)option->kid_context.len);
        larch_writer_put(w, option->kid_context);
    }
    larch_writer_put(w, option->kid);
}
