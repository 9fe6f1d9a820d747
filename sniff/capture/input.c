/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sniff/capture/file_int.h"

#define HOLD_MIN 65536

/* What the stream has, up to len bytes; fewer at its end, on an error and when somebody stopped it. */
static size_t read_stream(larch_sniff_input *in, uint8_t *out, size_t len)
{
    size_t have = 0;
    while (have < len && in->stopped == 0) {
        errno = 0;
        have += fread(out + have, 1, len - have, in->stream);
        if (have == len || feof(in->stream) || errno != EINTR)
            break;
        clearerr(in->stream); /* a signal that was not for us */
    }
    return have;
}

larch_error larch_sniff_input_begin(larch_sniff_input *in, FILE *stream)
{
    memset(in, 0, sizeof *in);
    in->stream = stream;
    in->head_len = read_stream(in, in->head, sizeof in->head);
    return ferror(stream) ? LARCH_PLATFORM : in->head_len > 0 ? LARCH_OK : LARCH_SPENT;
}

larch_error larch_sniff_input_read(larch_sniff_input *in, uint8_t *out, size_t len)
{
    const size_t left = in->head_len - in->head_at, again = left < len ? left : len;
    memcpy(out, in->head + in->head_at, again);
    in->head_at += again;
    const size_t have = again + read_stream(in, out + again, len - again);
    if (have == len)
        return LARCH_OK;
    if (in->stopped != 0)
        return LARCH_SPENT;
    if (ferror(in->stream))
        return LARCH_PLATFORM;
    return have == 0 ? LARCH_SPENT : LARCH_MALFORMED;
}

larch_error larch_sniff_input_go_on(larch_sniff_input *in, uint8_t *out, size_t len)
{
    const larch_error r = len > 0 ? larch_sniff_input_read(in, out, len) : LARCH_OK;
    return r == LARCH_SPENT && in->stopped == 0 ? LARCH_MALFORMED : r;
}

larch_error larch_sniff_input_hold(larch_sniff_input *in, size_t len)
{
    if (len > LARCH_SNIFF_INPUT_MAX)
        return LARCH_SPACE;
    if (len > in->cap || in->bytes == NULL) {
        const size_t cap = len > HOLD_MIN ? len : HOLD_MIN;
        uint8_t *bytes = realloc(in->bytes, cap);
        if (bytes == NULL)
            return LARCH_PLATFORM;
        in->bytes = bytes;
        in->cap = cap;
    }
    return larch_sniff_input_go_on(in, in->bytes, len);
}

larch_error larch_sniff_input_skip(larch_sniff_input *in, size_t len)
{
    uint8_t waste[4096];
    larch_error r = LARCH_OK;
    for (size_t part; len > 0 && r == LARCH_OK; len -= part) {
        part = len < sizeof waste ? len : sizeof waste;
        r = larch_sniff_input_go_on(in, waste, part);
    }
    return r;
}

uint16_t larch_sniff_input_u16(const larch_sniff_input *in, const uint8_t *p)
{
    return (uint16_t)(in->big_endian ? p[0] << 8 | p[1] : p[1] << 8 | p[0]);
}

uint32_t larch_sniff_input_u32(const larch_sniff_input *in, const uint8_t *p)
{
    const uint32_t first = larch_sniff_input_u16(in, p), second = larch_sniff_input_u16(in, p + 2);
    return in->big_endian ? first << 16 | second : second << 16 | first;
}

uint64_t larch_sniff_input_u64(const larch_sniff_input *in, const uint8_t *p)
{
    const uint64_t first = larch_sniff_input_u32(in, p), second = larch_sniff_input_u32(in, p + 4);
    return in->big_endian ? first << 32 | second : second << 32 | first;
}
