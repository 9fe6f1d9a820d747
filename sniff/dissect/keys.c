/* SPDX-License-Identifier: Apache-2.0 */
#include "sniff/dissect/keys.h"

#include <string.h>

#include "sniff/dissect/lake_line.h"

void larch_sniff_keys_wipe(larch_sniff_keys *keys) { larch_wipe(keys, sizeof *keys); }

/* ---- the key log ------------------------------------------------------- */

static larch_bytes id_of(const larch_sniff_context *c, size_t end)
{
    return (larch_bytes){c->ids[end], c->id_lens[end]};
}

static uint8_t copy(uint8_t *out, larch_bytes bytes)
{
    if (bytes.len > 0)
        memcpy(out, bytes.data, bytes.len);
    return (uint8_t)bytes.len;
}

/* The holder of the Sender ID is end 0. */
static larch_error add(larch_sniff_context *c, const larch_oscore_parameters *p)
{
    larch_oscore_parameters other = *p;
    other.sender_id = p->recipient_id;
    other.recipient_id = p->sender_id;
    larch_error e = larch_oscore_context_init(&c->opens[0], &other);
    if (e == LARCH_OK)
        e = larch_oscore_context_init(&c->opens[1], p);
    if (e != LARCH_OK)
        return e;
    c->id_lens[0] = copy(c->ids[0], p->sender_id);
    c->id_lens[1] = copy(c->ids[1], p->recipient_id);
    c->has_id_context = p->id_context.data != NULL;
    c->id_context_len = c->has_id_context ? copy(c->id_context, p->id_context) : 0;
    return LARCH_OK;
}

static larch_error read_line(larch_sniff_keys *keys, larch_bytes line, const char **why)
{
    larch_sniff_key_line parsed;
    if (keys->count == LARCH_SNIFF_CONTEXTS) {
        *why = "it is one context more than the sniffer holds, 256";
        return LARCH_SPACE;
    }
    larch_error e = larch_sniff_key_line_parse(line, &parsed, why);
    if (e == LARCH_OK && (e = add(&keys->contexts[keys->count++], &parsed.parameters)) != LARCH_OK)
        *why = e == LARCH_STATE ? "its IDs are the same, or too long for the algorithm" : "no key could be derived";
    larch_wipe(&parsed, sizeof parsed);
    return e;
}

/* Both ends of a handshake may have logged the same. */
static larch_error read_secrets(larch_sniff_keys *keys, larch_bytes line, const char **why)
{
    if (keys->secret_count == LARCH_SNIFF_SECRETS) {
        *why = "it is one line of a handshake more than the sniffer holds, 1024";
        return LARCH_SPACE;
    }
    larch_lake_secrets *s = &keys->secrets[keys->secret_count];
    const larch_error e = larch_sniff_lake_line_parse(line, s, why);
    if (e != LARCH_OK)
        return e;
    if (larch_sniff_keys_find_secrets(keys, s->after_3, (larch_bytes){s->th, s->hash_len}) != 0)
        larch_wipe(s, sizeof *s);
    else
        keys->secret_count++;
    return LARCH_OK;
}

larch_error larch_sniff_keys_read(larch_sniff_keys *keys, larch_bytes text, larch_sniff_keys_trouble *trouble)
{
    larch_error e = LARCH_OK;
    larch_sniff_keys_wipe(keys);
    *trouble = (larch_sniff_keys_trouble){0, NULL};
    while (text.len > 0 && e == LARCH_OK) {
        const uint8_t *end = memchr(text.data, '\n', text.len);
        const size_t len = end != NULL ? (size_t)(end - text.data) : text.len;
        const larch_bytes line = {text.data, len};
        trouble->line++;
        if (larch_sniff_is_lake_line(line))
            e = read_secrets(keys, line, &trouble->why);
        else if (!larch_sniff_key_line_is_empty(line))
            e = read_line(keys, line, &trouble->why);
        text.data += end != NULL ? len + 1 : len;
        text.len -= end != NULL ? len + 1 : len;
    }
    if (e != LARCH_OK)
        larch_sniff_keys_wipe(keys);
    return e;
}

/* ---- messages ---------------------------------------------------------- */

/* A request may leave its ID Context out; who names one means this one. [RFC8613 5.1, 8.2] */
static bool fits(const larch_sniff_context *c, size_t end, const larch_oscore_option *option)
{
    const larch_bytes id_context = {c->id_context, c->id_context_len};
    return larch_bytes_equal(id_of(c, end), option->kid) &&
           (option->kid_context.data == NULL ||
            (c->has_id_context && larch_bytes_equal(id_context, option->kid_context)));
}

static larch_sniff_oscore_outcome outcome_of(larch_error e)
{
    switch (e) {
    case LARCH_OK:
        return LARCH_SNIFF_OSCORE_OPENED;
    case LARCH_SPACE:
        return LARCH_SNIFF_OSCORE_TOO_LONG;
    case LARCH_AUTH:
    case LARCH_MALFORMED:
        return LARCH_SNIFF_OSCORE_REFUSED;
    default:
        return LARCH_SNIFF_OSCORE_UNKNOWN;
    }
}

larch_sniff_oscore_outcome larch_sniff_keys_open_request(larch_sniff_keys *keys, const larch_oscore_option *option,
                                                         const larch_coap_message *outer,
                                                         larch_sniff_oscore_asked *asked, larch_coap_message *inner)
{
    const larch_oscore_scratch scratch = {keys->plain, sizeof keys->plain};
    larch_sniff_oscore_outcome outcome = LARCH_SNIFF_OSCORE_UNKNOWN;
    uint64_t number;
    for (size_t i = 0; i < 2 * keys->count && outcome != LARCH_SNIFF_OSCORE_OPENED; i++) {
        larch_sniff_context *c = &keys->contexts[i / 2];
        if (!fits(c, i % 2, option))
            continue;
        outcome = outcome_of(
            larch_oscore_unprotect_request(&c->opens[i % 2], option, outer, scratch, &asked->binding, &number, inner));
        asked->context = outcome == LARCH_SNIFF_OSCORE_OPENED ? (uint16_t)(i / 2 + 1) : 0;
        asked->end = i % 2;
    }
    return outcome;
}

larch_sniff_oscore_outcome larch_sniff_keys_open_response(larch_sniff_keys *keys, const larch_sniff_oscore_asked *asked,
                                                          const larch_coap_message *outer, larch_coap_message *inner)
{
    const larch_oscore_scratch scratch = {keys->plain, sizeof keys->plain};
    bool has_number;
    uint64_t number;
    if (asked->context == 0 || asked->context > keys->count)
        return LARCH_SNIFF_OSCORE_UNKNOWN;
    const larch_oscore_context *opens = &keys->contexts[asked->context - 1].opens[1 - asked->end];
    return outcome_of(
        larch_oscore_unprotect_response(opens, &asked->binding, outer, scratch, &has_number, &number, inner));
}

/* ---- handshakes --------------------------------------------------------- */

uint16_t larch_sniff_keys_find_secrets(const larch_sniff_keys *keys, bool after_3, larch_bytes th)
{
    for (size_t i = 0; i < keys->secret_count; i++) {
        const larch_lake_secrets *s = &keys->secrets[i];
        if (s->after_3 == after_3 && larch_bytes_equal((larch_bytes){s->th, s->hash_len}, th))
            return (uint16_t)(i + 1);
    }
    return 0;
}

uint16_t larch_sniff_keys_find_next(const larch_sniff_keys *keys, uint16_t after_2)
{
    if (after_2 == 0 || after_2 > keys->secret_count)
        return 0;
    const larch_lake_secrets *s = &keys->secrets[after_2 - 1];
    return larch_sniff_keys_find_secrets(keys, true, (larch_bytes){s->next_th, s->hash_len});
}

static const larch_lake_secrets *secrets_at(const larch_sniff_keys *keys, uint16_t index)
{
    return index > 0 && index <= keys->secret_count ? &keys->secrets[index - 1] : NULL;
}

larch_sniff_lake_outcome larch_sniff_keys_open_lake(larch_sniff_keys *keys, const larch_lake_suite *suite,
                                                    unsigned method, larch_sniff_lake_message which, uint16_t after_2,
                                                    uint16_t after_3, larch_bytes message, larch_lake_inside *inside)
{
    const larch_lake_secrets *two = secrets_at(keys, after_2), *three = secrets_at(keys, after_3);
    const size_t size = sizeof keys->lake_plain;
    larch_error e = LARCH_STATE;
    if (which == LARCH_SNIFF_LAKE_MESSAGE_2 && two != NULL)
        e = larch_lake_observe_message_2(suite, method, two, message, keys->lake_plain, size, inside);
    else if (which == LARCH_SNIFF_LAKE_MESSAGE_3 && two != NULL)
        e = larch_lake_observe_message_3(suite, method, two, three, message, keys->lake_plain, size, inside);
    else if (which == LARCH_SNIFF_LAKE_MESSAGE_4 && three != NULL)
        e = larch_lake_observe_message_4(suite, three, message, keys->lake_plain, size, inside);
    if (e == LARCH_OK)
        return LARCH_SNIFF_LAKE_OPENED;
    return e == LARCH_AUTH || e == LARCH_MALFORMED ? LARCH_SNIFF_LAKE_REFUSED : LARCH_SNIFF_LAKE_UNKNOWN;
}
