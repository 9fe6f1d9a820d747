/* SPDX-License-Identifier: Apache-2.0 */
/* A sequence of items: each that is taken whole consists of items that are written again as they were. */
#include <string.h>

#include "fuzz.h"
#include "larch/cbor.h"

static void check_item(const larch_cbor_item *item, larch_bytes head)
{
    uint8_t out[16];
    larch_writer w = larch_writer_to(out, sizeof out);
    if (item->type == LARCH_CBOR_FLOAT)
        larch_cbor_put_float(&w, item->value);
    else if (item->type == LARCH_CBOR_BYTES)
        larch_cbor_put_bytes_head(&w, item->bytes.len);
    else if (item->type == LARCH_CBOR_UINT)
        larch_cbor_put_uint(&w, item->value);
    else if (item->type == LARCH_CBOR_TAG)
        larch_cbor_put_tag(&w, item->value);
    else
        return;
    require(w.len == head.len - item->bytes.len && memcmp(out, head.data, w.len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    larch_reader r = larch_reader_of((larch_bytes){data, size});
    larch_bytes encoding;
    while (larch_cbor_take_whole(&r, &encoding) == LARCH_OK) {
        larch_reader inner = larch_reader_of(encoding);
        require(encoding.len > 0 && encoding.data + encoding.len == r.left.data);
        while (inner.left.len > 0) {
            const larch_bytes before = inner.left;
            const larch_cbor_type type = larch_cbor_peek(&inner);
            larch_cbor_item item;
            require(larch_cbor_take(&inner, &item) == LARCH_OK && item.type == type);
            check_item(&item, (larch_bytes){before.data, before.len - inner.left.len});
        }
    }
    return 0;
}
