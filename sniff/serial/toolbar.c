/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "sniff/serial/toolbar.h"

enum { LENGTH_END = 4, REST_MIN = LARCH_SNIFF_TOOLBAR_HEAD_LEN - LENGTH_END };

/* Moves up to len bytes from input; out may be NULL. Returns how many. */
static size_t move(larch_bytes *input, size_t len, uint8_t *out)
{
    const size_t n = len < input->len ? len : input->len;
    if (out != NULL && n > 0)
        memcpy(out, input->data, n);
    if (n > 0)
        *input = (larch_bytes){input->data + n, input->len - n};
    return n;
}

static size_t message_len(const uint8_t bytes[LENGTH_END])
{
    return LENGTH_END + ((size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 | bytes[3]);
}

larch_error larch_sniff_toolbar_next(larch_sniff_toolbar_reader *r, larch_bytes *input,
                                     larch_sniff_toolbar_message *message)
{
    while (input->len > 0) {
        if (r->skip > 0) {
            r->skip -= move(input, r->skip, NULL);
            continue;
        }
        if (r->len < LENGTH_END) {
            r->len += move(input, r->len == 0 ? 1 : LENGTH_END - r->len, r->bytes + r->len);
            if (r->bytes[0] != 'T')
                r->len = 0;
            if (r->len < LENGTH_END)
                continue;
        }
        const size_t len = message_len(r->bytes);
        if (len < LARCH_SNIFF_TOOLBAR_HEAD_LEN || len > sizeof r->bytes) {
            r->skip = len - LENGTH_END;
            r->len = 0;
            continue;
        }
        r->len += move(input, len - r->len, r->bytes + r->len);
        if (r->len < len)
            continue;
        r->len = 0;
        *message = (larch_sniff_toolbar_message){
            .control = r->bytes[LENGTH_END],
            .command = r->bytes[LENGTH_END + 1],
            .payload = {r->bytes + LARCH_SNIFF_TOOLBAR_HEAD_LEN, len - LARCH_SNIFF_TOOLBAR_HEAD_LEN},
        };
        return LARCH_OK;
    }
    return LARCH_AGAIN;
}

void larch_sniff_toolbar_put(larch_writer *w, const larch_sniff_toolbar_message *message)
{
    const uint32_t rest = REST_MIN + (uint32_t)message->payload.len;
    larch_writer_put_u32(w, (uint32_t)'T' << 24 | rest);
    larch_writer_put_u8(w, message->control);
    larch_writer_put_u8(w, message->command);
    larch_writer_put(w, message->payload);
}
