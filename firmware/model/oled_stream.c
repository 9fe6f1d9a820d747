/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "firmware/model/oled_stream.h"

#define HEADER LARCH_I2C_STREAM_HEADER
/* As much of a frame as tells whether to trust it: header and first byte. */
#define SEEN   (HEADER + 1)

void larch_oled_stream_init(larch_oled_stream *s) { memset(s, 0, sizeof *s); }

bool larch_oled_stream_is_cut(const larch_oled_stream *s) { return s->have > 0; }

static size_t payload_len(const larch_oled_stream *s) { return (size_t)(s->bytes[1] << 8 | s->bytes[2]); }

static bool is_well_formed(const larch_oled_stream *s)
{
    size_t len = payload_len(s);
    if (len == 0 || len > LARCH_I2C_STREAM_MAX)
        return false;
    return s->bytes[0] != LARCH_I2C_STREAM_LED || (len == 1 && s->bytes[HEADER] <= 1);
}

/* After a break most bytes would pass for some address: only what a board of ours sends ends the search. */
static bool is_familiar(const larch_oled_stream *s)
{
    if (s->bytes[0] == LARCH_I2C_STREAM_LED)
        return true;
    return (s->bytes[0] == 0x3c << 1 || s->bytes[0] == 0x3d << 1) && (s->bytes[HEADER] & 0x3f) == 0;
}

static void fill(larch_oled_stream *s, size_t want, larch_bytes *input)
{
    size_t len = want > s->have ? want - s->have : 0;
    if (len > input->len)
        len = input->len;
    if (len == 0)
        return;
    memcpy(s->bytes + s->have, input->data, len);
    s->have += len;
    input->data += len;
    input->len -= len;
}

static void skip_byte(larch_oled_stream *s)
{
    memmove(s->bytes, s->bytes + 1, --s->have);
    s->skipped++;
}

larch_error larch_oled_stream_next(larch_oled_stream *s, larch_bytes *input, larch_oled_frame *out)
{
    for (;;) {
        fill(s, SEEN, input);
        if (s->have < SEEN)
            return LARCH_AGAIN;
        if (!is_well_formed(s) || (s->lost && !is_familiar(s))) {
            bool told = s->lost;
            s->lost = true;
            skip_byte(s);
            if (told)
                continue;
            return LARCH_MALFORMED;
        }
        size_t len = payload_len(s);
        s->lost = false;
        fill(s, HEADER + len, input);
        if (s->have < HEADER + len)
            return LARCH_AGAIN;
        s->have = 0;
        if (s->bytes[0] % 2 == 1 && s->bytes[0] != LARCH_I2C_STREAM_LED)
            continue;
        out->led = s->bytes[0] == LARCH_I2C_STREAM_LED;
        out->address = s->bytes[0] >> 1;
        out->bytes = (larch_bytes){s->bytes + HEADER, len};
        return LARCH_OK;
    }
}
