/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parses untrusted bytes as a CoAP message. CoAP has one encoding for a message,
 * so what parses must come out of the builder as the same bytes; what does not
 * parse must leave nothing behind.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "larch/coap_message.h"

static void rebuild(const larch_coap_message *m, larch_bytes datagram)
{
    uint8_t *again = malloc(datagram.len);
    require(again != NULL);
    larch_coap_builder b;
    larch_coap_build(&b, again, datagram.len, m->type, m->code, m->message_id, m->token);
    larch_coap_options options = larch_coap_options_of(m);
    uint16_t before = 0;
    for (larch_coap_option o; larch_coap_options_next(&options, &o);) {
        require(o.number >= before);
        before = o.number;
        larch_coap_build_option(&b, o.number, o.value);
    }
    larch_coap_build_payload(&b, m->payload);
    larch_bytes built;
    require(larch_coap_build_end(&b, &built) == LARCH_OK);
    require(larch_bytes_equal(built, datagram));
    free(again);
}

static void read_options(const larch_coap_message *m)
{
    uint16_t number;
    larch_bytes value;
    const uint16_t understood[] = {LARCH_COAP_OPT_URI_PATH, LARCH_COAP_OPT_BLOCK1, LARCH_COAP_OPT_BLOCK2};
    if (larch_coap_find_bad_option(m, understood, 3, &number))
        require(larch_coap_option_is_critical(number) && larch_coap_option_find(m, number, &value));
    else if (larch_coap_option_find(m, LARCH_COAP_OPT_BLOCK2, &value)) {
        uint32_t v;
        larch_coap_block block;
        require(larch_coap_option_uint(value, &v) == LARCH_OK);
        if (larch_coap_block_parse(value, &block) == LARCH_OK)
            require(larch_coap_block_value(block) == v);
        else
            require((v & 7) == 7);
    }
    if (larch_coap_query_find(m, "kem", &value))
        require(larch_coap_option_find(m, LARCH_COAP_OPT_URI_QUERY, &value));
    if (larch_coap_path_is(m, "a/b"))
        require(larch_coap_option_find(m, LARCH_COAP_OPT_URI_PATH, &value) && value.len == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const larch_bytes datagram = {data, size};
    const larch_coap_message zero = {0};
    larch_coap_message header, m;
    const larch_error header_error = larch_coap_parse_header(datagram, &header);
    if (larch_coap_parse(datagram, &m) != LARCH_OK) {
        require(m.type == zero.type && m.code == 0 && m.message_id == 0);
        require(m.token.len == 0 && m.options.len == 0 && m.payload.len == 0);
        return 0;
    }
    require(header_error == LARCH_OK && header.type == m.type && header.code == m.code);
    require(header.message_id == m.message_id);
    rebuild(&m, datagram);
    read_options(&m);
    return 0;
}
