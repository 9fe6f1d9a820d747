/* SPDX-License-Identifier: Apache-2.0 */
/*
 * First byte: how many bytes come at a time; then what a toolbar's pipe carries. The messages are those that a look at
 * the whole finds, however it was cut, and each composes to its bytes again.
 */
#include <string.h>

#include "fuzz.h"
#include "sniff/serial/toolbar.h"

/* The bytes of the next message at *at or behind it; none: empty, and *at is the end. */
static larch_bytes next_of(larch_bytes all, size_t *at)
{
    while (*at < all.len) {
        const uint8_t *here = all.data + *at;
        const size_t left = all.len - *at;
        size_t len = 1;
        if (here[0] == 'T') {
            len = left < 4 ? SIZE_MAX : 4 + (size_t)here[1] * 65536 + (size_t)here[2] * 256 + here[3];
            if (len > left)
                break;
        }
        *at += len;
        if (len >= LARCH_SNIFF_TOOLBAR_HEAD_LEN && len <= LARCH_SNIFF_TOOLBAR_READ_MAX)
            return (larch_bytes){here, len};
    }
    *at = all.len;
    return (larch_bytes){all.data, 0};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    larch_sniff_toolbar_reader reader = {.len = 0};
    larch_sniff_toolbar_message message;
    uint8_t bytes[LARCH_SNIFF_TOOLBAR_READ_MAX];
    larch_bytes again;
    size_t seen = 0;
    if (size == 0)
        return 0;
    const larch_bytes all = {data + 1, size - 1};
    const size_t step = data[0] == 0 ? size : data[0];
    for (size_t at = 0; at < all.len; at += step) {
        larch_bytes input = {all.data + at, all.len - at < step ? all.len - at : step};
        while (larch_sniff_toolbar_next(&reader, &input, &message) == LARCH_OK) {
            larch_writer w = larch_writer_to(bytes, sizeof bytes);
            larch_sniff_toolbar_put(&w, &message);
            require(larch_writer_finish(&w, &again) == LARCH_OK && larch_bytes_equal(again, next_of(all, &seen)));
            require(all.len - seen == input.len + (all.len - at < step ? 0 : all.len - at - step));
        }
        require(input.len == 0);
    }
    require(next_of(all, &seen).len == 0);
    return 0;
}
