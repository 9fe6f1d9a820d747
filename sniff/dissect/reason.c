/* SPDX-License-Identifier: Apache-2.0 */
/* The words for what larch_coap_parse refuses without words, and for what only makes no sense. */
#include "sniff/dissect/reason.h"
#include "larch/coap_block.h"

/* One option's delta or length: 0-12, 13 + a byte, 269 + two bytes [RFC7252 3.1]. */
static const char *extend(larch_reader *r, unsigned nibble, uint32_t *out)
{
    uint8_t byte;
    uint16_t word;
    *out = nibble;
    if (nibble == 15)
        return "option delta or length 15 is reserved";
    if (nibble == 13) {
        if (larch_reader_take_u8(r, &byte) != LARCH_OK)
            return "option is cut short";
        *out = 13u + byte;
    } else if (nibble == 14) {
        if (larch_reader_take_u16(r, &word) != LARCH_OK)
            return "option is cut short";
        *out = 269u + word;
    }
    return NULL;
}

const char *larch_sniff_reason_coap(larch_bytes datagram)
{
    larch_reader r = larch_reader_of(datagram);
    larch_bytes head, value;
    uint32_t number = 0;

    if (larch_reader_take(&r, 4, &head) != LARCH_OK)
        return "shorter than a CoAP header";
    if (head.data[0] >> 6 != 1)
        return "CoAP version is not 1";
    size_t token_len = head.data[0] & 15;
    if (token_len > LARCH_COAP_TOKEN_MAX)
        return "token length is reserved";
    if (head.data[1] == 0 && (token_len != 0 || r.left.len != 0))
        return "Empty message is longer than 4 bytes";
    if (larch_reader_take(&r, token_len, &value) != LARCH_OK)
        return "token is cut short";
    while (r.left.len > 0) {
        uint8_t first;
        uint32_t delta, len;
        const char *why;
        if (larch_reader_take_u8(&r, &first) != LARCH_OK)
            return "option is cut short";
        if (first == 0xff)
            return r.left.len == 0 ? "payload marker without payload" : NULL;
        if ((why = extend(&r, first >> 4, &delta)) != NULL || (why = extend(&r, first & 15, &len)) != NULL)
            return why;
        number += delta;
        if (number > 65535)
            return "option number past 65535";
        if (larch_reader_take(&r, len, &value) != LARCH_OK)
            return "option is longer than the datagram";
    }
    return NULL;
}

typedef struct option_rule {
    uint16_t number;
    uint16_t shortest;
    uint16_t longest;
    bool repeatable;
} option_rule;

static const option_rule *find_rule(uint16_t number)
{
#define RULE(name, num, shortest, longest, repeatable, text) {(num), (shortest), (longest), (repeatable)},
    static const option_rule rules[] = {LARCH_COAP_OPTIONS(RULE)};
#undef RULE
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (rules[i].number == number)
            return &rules[i];
    return NULL;
}

const char *larch_sniff_reason_message(const larch_coap_message *message)
{
    unsigned class = LARCH_COAP_CLASS(message->code);
    bool empty = message->code == LARCH_COAP_EMPTY, request = class == 0 && !empty;

    /* [RFC7252 4.2, 4.3, table 1] which type may carry what */
    if (class == 1 || class == 6 || class == 7)
        return "code of a reserved class";
    if (message->type == LARCH_COAP_RST && !empty)
        return "Reset that is not Empty";
    if (message->type == LARCH_COAP_NON && empty)
        return "Empty message that is Non-confirmable";
    if (message->type == LARCH_COAP_ACK && request)
        return "request inside an Acknowledgement";

    larch_coap_options options = larch_coap_options_of(message);
    larch_coap_option option;
    uint16_t last = 0;
    while (larch_coap_options_next(&options, &option)) {
        const option_rule *rule = find_rule(option.number);
        larch_coap_block block;
        if (rule != NULL && (option.value.len < rule->shortest || option.value.len > rule->longest))
            return "option of a length that is out of its range";
        if (rule != NULL && !rule->repeatable && option.number == last)
            return "option stands twice that may stand once";
        if ((option.number == LARCH_COAP_OPT_BLOCK1 || option.number == LARCH_COAP_OPT_BLOCK2) &&
            larch_coap_block_parse(option.value, &block) != LARCH_OK)
            return "block size exponent 7 is reserved";
        last = option.number;
    }
    return NULL;
}
