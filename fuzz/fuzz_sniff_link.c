/* SPDX-License-Identifier: Apache-2.0 */
/* First byte: link type; then frames, each with its captured length (2) and how much was cut off (1). */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "sniff/link/link.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t linktypes[] = {0, 1, 101, 105, 108, 113, 127, 228, 229, 276, 9, 50, 51, 104, 166, 204};
    static larch_sniff_links links;
    larch_reader r = larch_reader_of((larch_bytes){data, size});
    larch_sniff_frame frame = {1, 0, {NULL, 0}, 0};
    uint8_t link, cut;
    uint16_t len;

    if (larch_reader_take_u8(&r, &link) != LARCH_OK)
        return 0;
    frame.linktype = linktypes[link % (sizeof linktypes / sizeof linktypes[0])];
    larch_sniff_links_init(&links);
    while (larch_reader_take_u16(&r, &len) == LARCH_OK && larch_reader_take_u8(&r, &cut) == LARCH_OK) {
        larch_bytes bytes;
        larch_sniff_datagram d;
        larch_sniff_found found;
        if (larch_reader_take(&r, len < r.left.len ? len : r.left.len, &bytes) != LARCH_OK)
            break;
        uint8_t *copy = malloc(bytes.len > 0 ? bytes.len : 1); /* so that a read past the frame is seen */
        require(copy != NULL);
        memcpy(copy, bytes.data, bytes.len);
        frame.bytes = (larch_bytes){copy, bytes.len};
        frame.wire_len = bytes.len + cut;
        frame.time_ns += 1000000000;
        larch_sniff_links_begin(&links, &frame);
        size_t steps = 0;
        while ((found = larch_sniff_links_next(&links, &d)) != LARCH_SNIFF_END) {
            require(++steps <= 1 + frame.wire_len / 14);
            require(found != LARCH_SNIFF_MALFORMED || d.why != NULL);
            require(found != LARCH_SNIFF_TRUNCATED || cut != 0);
            if (found != LARCH_SNIFF_DATAGRAM)
                continue;
            require(d.payload.len <= d.payload_len && (d.payload.len == d.payload_len || cut != 0));
            require(d.has_addresses && d.why == NULL);
            uint8_t sum = 0;
            for (size_t i = 0; i < d.payload.len; i++)
                sum ^= d.payload.data[i]; /* every byte is there */
            volatile uint8_t keep = sum;
            (void)keep;
        }
        require(larch_sniff_links_next(&links, &d) == LARCH_SNIFF_END);
        free(copy);
    }
    return 0;
}
