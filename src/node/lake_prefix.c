/* SPDX-License-Identifier: Apache-2.0 */
#include "node/lake_prefix.h"

/* Whether the byte is an integer from -24 to 23 as it stands: such an identifier is sent as that one. */
static bool is_small_int(uint8_t byte) { return byte <= 0x17 || (byte >= 0x20 && byte <= 0x37); }

void larch_lake_put_prefix(larch_writer *w, larch_bytes id)
{
    if (id.len == 1 && is_small_int(id.data[0]))
        larch_writer_put_u8(w, id.data[0]);
    else
        larch_cbor_put_bytes(w, id);
}

larch_error larch_lake_take_prefix(larch_reader *r, larch_bytes *id)
{
    larch_reader ahead = *r;
    larch_bytes found;
    larch_error e;
    if (r->left.len > 0 && is_small_int(r->left.data[0])) {
        e = larch_reader_take(&ahead, 1, &found);
    } else {
        e = larch_cbor_take_bytes(&ahead, &found);
        if (e == LARCH_OK && found.len == 1 && is_small_int(found.data[0]))
            e = LARCH_MALFORMED;
    }
    if (e != LARCH_OK)
        return e;
    *r = ahead;
    *id = found;
    return LARCH_OK;
}
