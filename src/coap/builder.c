/* SPDX-License-Identifier: Apache-2.0 */
/* From fields to bytes; the pictures stand in message.c. The first error stays,
 * and nothing is written after it. */
#include <string.h>

#include "larch/coap_message.h"

#define OPTION_LEN_MAX (269u + UINT16_MAX)

static bool may_write(larch_coap_builder *b, bool allowed)
{
    if (b->error == LARCH_OK && !allowed)
        b->error = LARCH_STATE;
    return b->error == LARCH_OK;
}

void larch_coap_build(larch_coap_builder *b, uint8_t *out, size_t cap, larch_coap_type type, uint8_t code,
                      uint16_t message_id, larch_bytes token)
{
    const bool empty = code == LARCH_COAP_EMPTY;
    /* An Empty message is its header alone, so it is closed from the start. [RFC7252 4.1] */
    *b = (larch_coap_builder){larch_writer_to(out, cap), 0, empty, LARCH_OK};
    if (!may_write(b, token.len <= (empty ? 0 : LARCH_COAP_TOKEN_MAX)))
        return;
    larch_writer_put_u8(&b->writer, (uint8_t)(1u << 6 | ((unsigned)type & 3) << 4 | (unsigned)token.len));
    larch_writer_put_u8(&b->writer, code);
    larch_writer_put_u16(&b->writer, message_id);
    larch_writer_put(&b->writer, token);
}

static uint8_t nibble_of(size_t n) { return n < 13 ? (uint8_t)n : n < 269 ? 13 : 14; }

static void put_extended(larch_writer *w, size_t n)
{
    if (n >= 269)
        larch_writer_put_u16(w, (uint16_t)(n - 269));
    else if (n >= 13)
        larch_writer_put_u8(w, (uint8_t)(n - 13));
}

void larch_coap_build_option(larch_coap_builder *b, uint16_t number, larch_bytes value)
{
    if (!may_write(b, !b->closed && number >= b->number && value.len <= OPTION_LEN_MAX))
        return;
    const size_t delta = (size_t)(number - b->number);
    larch_writer_put_u8(&b->writer, (uint8_t)(nibble_of(delta) << 4 | nibble_of(value.len)));
    put_extended(&b->writer, delta);
    put_extended(&b->writer, value.len);
    larch_writer_put(&b->writer, value);
    b->number = number;
}

void larch_coap_build_option_uint(larch_coap_builder *b, uint16_t number, uint32_t value)
{
    const uint8_t bytes[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8), (uint8_t)value};
    size_t zeros = 0;
    while (zeros < sizeof bytes && bytes[zeros] == 0)
        zeros++;
    larch_coap_build_option(b, number, (larch_bytes){bytes + zeros, sizeof bytes - zeros});
}

/* One option for each part of text between separators; none for an empty text. */
static void build_parts(larch_coap_builder *b, uint16_t number, const char *text, char separator)
{
    if (*text == '\0')
        return;
    for (const char *end; text != NULL; text = end != NULL ? end + 1 : NULL) {
        const size_t left = strlen(text);
        end = memchr(text, separator, left); /* NOLINT(bugprone-not-null-terminated-result): it looks for no zero */
        const size_t len = end != NULL ? (size_t)(end - text) : left;
        if (may_write(b, len <= 255)) /* [RFC7252 5.10] */
            larch_coap_build_option(b, number, (larch_bytes){(const uint8_t *)text, len});
    }
}

void larch_coap_build_path(larch_coap_builder *b, const char *path)
{
    build_parts(b, LARCH_COAP_OPT_URI_PATH, path, '/');
}

void larch_coap_build_query(larch_coap_builder *b, const char *query)
{
    build_parts(b, LARCH_COAP_OPT_URI_QUERY, query, '&');
}

uint8_t *larch_coap_build_payload_reserve(larch_coap_builder *b, size_t len)
{
    if (!may_write(b, !b->closed && len > 0))
        return NULL;
    b->closed = true;
    larch_writer_put_u8(&b->writer, 0xff);
    return larch_writer_reserve(&b->writer, len);
}

void larch_coap_build_payload(larch_coap_builder *b, larch_bytes payload)
{
    if (payload.len == 0)
        return;
    uint8_t *to = larch_coap_build_payload_reserve(b, payload.len);
    if (to != NULL)
        memcpy(to, payload.data, payload.len);
}

larch_error larch_coap_build_end(const larch_coap_builder *b, larch_bytes *datagram)
{
    return b->error != LARCH_OK ? b->error : larch_writer_finish(&b->writer, datagram);
}
