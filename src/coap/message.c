/* SPDX-License-Identifier: Apache-2.0 */
/* From bytes to the fields of one message, and from option to option. */
#include "larch/coap_message.h"

#define HEADER_LEN     4
#define PAYLOAD_MARKER 0xff

const char *larch_coap_code_text(uint8_t code)
{
#define CODE_TEXT(name, c, dd, text) \
    case LARCH_COAP_##name:          \
        return text;
    switch (code) {
        LARCH_COAP_CODES(CODE_TEXT)
    default:
        return "?";
    }
#undef CODE_TEXT
}

/*
 * A message [RFC7252 3]:
 *
 *     0          1          2          4           4+TKL
 *    +--+--+----+----------+----------+-----------+-------------+------+----------+
 *    |01|T |TKL | code     | message  | token     | options ... | 0xff | payload  |
 *    |  |  |    | ccc ddddd| id       | (TKL)     |             |      | (1 or    |
 *    +--+--+----+----------+----------+-----------+-------------+      |    more) |
 *     2  2  4 bits                                              +------+----------+
 *
 * TKL is 0 to 8; 9 to 15 are reserved. The marker 0xff stands if and only if a
 * payload follows. A message with code 0.00 is its header alone [RFC7252 4.1].
 */
larch_error larch_coap_parse_header(larch_bytes datagram, larch_coap_message *out)
{
    *out = (larch_coap_message){0};
    if (datagram.len < HEADER_LEN || datagram.data[0] >> 6 != 1)
        return LARCH_MALFORMED;
    out->type = (larch_coap_type)(datagram.data[0] >> 4 & 3);
    out->code = datagram.data[1];
    out->message_id = (uint16_t)(datagram.data[2] << 8 | datagram.data[3]);
    return LARCH_OK;
}

/*
 * An option [RFC7252 3.1]:
 *
 *     0           1              1 to 3          1 to 5
 *    +-----+-----+--------------+---------------+-------------+
 *    |delta| len | delta, more  | len, more     | value (len) |
 *    +-----+-----+--------------+---------------+-------------+
 *     4     4 bits
 *
 * A nibble up to 12 is the number itself; 13 adds one byte, 14 adds two
 * big-endian bytes; 15 is reserved. The three ranges do not overlap, so a number
 * has exactly one encoding.
 */
static larch_error take_extended(larch_reader *r, uint8_t nibble, uint32_t *out)
{
    uint8_t one;
    uint16_t two;
    larch_error e = LARCH_OK;
    if (nibble < 13)
        *out = nibble;
    else if (nibble == 13 && (e = larch_reader_take_u8(r, &one)) == LARCH_OK)
        *out = 13u + one;
    else if (nibble == 14 && (e = larch_reader_take_u16(r, &two)) == LARCH_OK)
        *out = 269u + two;
    else
        return LARCH_MALFORMED;
    return e;
}

static larch_error take_option(larch_reader *r, uint16_t *number, larch_bytes *value)
{
    uint8_t nibbles;
    uint32_t delta, len;
    larch_error e;
    if ((e = larch_reader_take_u8(r, &nibbles)) != LARCH_OK ||
        (e = take_extended(r, nibbles >> 4, &delta)) != LARCH_OK ||
        (e = take_extended(r, nibbles & 15, &len)) != LARCH_OK)
        return e;
    if (delta > (uint32_t)(UINT16_MAX - *number))
        return LARCH_MALFORMED;
    if ((e = larch_reader_take(r, len, value)) != LARCH_OK)
        return e;
    *number = (uint16_t)(*number + delta);
    return LARCH_OK;
}

larch_error larch_coap_parse(larch_bytes datagram, larch_coap_message *out)
{
    larch_coap_message m;
    *out = (larch_coap_message){0};
    if (larch_coap_parse_header(datagram, &m) != LARCH_OK)
        return LARCH_MALFORMED;

    const uint8_t token_len = datagram.data[0] & 15;
    if (token_len > LARCH_COAP_TOKEN_MAX)
        return LARCH_MALFORMED;
    if (m.code == LARCH_COAP_EMPTY && (token_len != 0 || datagram.len != HEADER_LEN))
        return LARCH_MALFORMED;

    larch_reader r = {{datagram.data + HEADER_LEN, datagram.len - HEADER_LEN}};
    if (larch_reader_take(&r, token_len, &m.token) != LARCH_OK)
        return LARCH_MALFORMED;

    m.options = r.left;
    uint16_t number = 0;
    while (r.left.len > 0 && r.left.data[0] != PAYLOAD_MARKER) {
        larch_bytes value;
        if (take_option(&r, &number, &value) != LARCH_OK)
            return LARCH_MALFORMED;
    }
    m.options.len -= r.left.len;

    if (r.left.len == 1) /* a marker before nothing [RFC7252 3] */
        return LARCH_MALFORMED;
    if (r.left.len > 1)
        m.payload = (larch_bytes){r.left.data + 1, r.left.len - 1};
    *out = m;
    return LARCH_OK;
}

larch_coap_options larch_coap_options_of(const larch_coap_message *message)
{
    return (larch_coap_options){larch_reader_of(message->options), 0};
}

bool larch_coap_options_next(larch_coap_options *options, larch_coap_option *out)
{
    larch_coap_option option;
    if (take_option(&options->left, &options->number, &option.value) != LARCH_OK) {
        options->left.left.len = 0; /* the end; or bytes that no parser has checked */
        return false;
    }
    option.number = options->number;
    *out = option;
    return true;
}
