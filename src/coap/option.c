/* SPDX-License-Identifier: Apache-2.0 */
/* What options mean: the table of known ones, what forbids to go on, and the
 * values that every layer above reads. */
#include <string.h>

#include "larch/coap_message.h"

typedef struct known_option {
    uint16_t number;
    uint16_t shortest, longest; /* value, bytes */
    bool repeatable;
    const char *text;
} known_option;

#define KNOWN_OPTION(name, number, shortest, longest, repeatable, text) {number, shortest, longest, repeatable, text},
static const known_option known_options[] = {LARCH_COAP_OPTIONS(KNOWN_OPTION)};
#undef KNOWN_OPTION

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const known_option *known(uint16_t number)
{
    for (size_t i = 0; i < COUNT(known_options); i++)
        if (known_options[i].number == number)
            return &known_options[i];
    return NULL;
}

static bool length_fits(uint16_t number, size_t len)
{
    const known_option *k = known(number);
    return k == NULL || (k->shortest <= len && len <= k->longest);
}

const char *larch_coap_option_text(uint16_t number)
{
    const known_option *k = known(number);
    return k != NULL ? k->text : NULL;
}

bool larch_coap_option_find(const larch_coap_message *message, uint16_t number, larch_bytes *value)
{
    larch_coap_options options = larch_coap_options_of(message);
    for (larch_coap_option o; larch_coap_options_next(&options, &o) && o.number <= number;) {
        if (o.number != number || (!larch_coap_option_is_critical(number) && !length_fits(number, o.value.len)))
            continue;
        *value = o.value;
        return true;
    }
    return false;
}

larch_error larch_coap_option_uint(larch_bytes value, uint32_t *out)
{
    if (value.len > 4)
        return LARCH_MALFORMED;
    *out = (uint32_t)larch_number_at(value.data, value.len);
    return LARCH_OK;
}

bool larch_coap_option_exceeds(const larch_coap_message *message, uint16_t number, size_t limit)
{
    larch_bytes value;
    uint32_t found;
    return larch_coap_option_find(message, number, &value) && larch_coap_option_uint(value, &found) == LARCH_OK &&
           found > limit;
}

static bool contains(const uint16_t *numbers, size_t count, uint16_t number)
{
    for (size_t i = 0; i < count; i++)
        if (numbers[i] == number)
            return true;
    return false;
}

bool larch_coap_find_bad_option(const larch_coap_message *message, const uint16_t *understood, size_t count,
                                uint16_t *number)
{
    larch_coap_options options = larch_coap_options_of(message);
    bool first = true;
    uint16_t before = 0;
    for (larch_coap_option o; larch_coap_options_next(&options, &o); before = o.number, first = false) {
        if (!larch_coap_option_is_critical(o.number))
            continue;
        const known_option *k = known(o.number);
        const bool again = !first && o.number == before;
        if (!contains(understood, count, o.number) || !length_fits(o.number, o.value.len) ||
            (again && k != NULL && !k->repeatable)) {
            *number = o.number;
            return true;
        }
    }
    return false;
}

/* Walks along path. Returns false where the message's path leaves it. rest: what stands behind it, if that is one
 * segment at most; NULL: nothing may. */
static bool follow_path(const larch_coap_message *message, const char *path, larch_bytes *rest)
{
    const char *segment = path; /* NULL: none is left */
    larch_coap_options options = larch_coap_options_of(message);
    for (larch_coap_option o; larch_coap_options_next(&options, &o);) {
        if (o.number != LARCH_COAP_OPT_URI_PATH)
            continue;
        if (segment == NULL) {
            if (rest == NULL || rest->data != NULL)
                return false;
            *rest = o.value;
            continue;
        }
        const size_t left = strlen(segment);
        const char *slash = memchr(segment, '/', left);
        const size_t len = slash != NULL ? (size_t)(slash - segment) : left;
        if (!larch_bytes_equal(o.value, (larch_bytes){(const uint8_t *)segment, len}))
            return false;
        segment = slash != NULL ? slash + 1 : NULL;
    }
    return segment == NULL || *path == '\0';
}

bool larch_coap_path_is(const larch_coap_message *message, const char *path)
{
    return follow_path(message, path, NULL);
}

bool larch_coap_path_is_below(const larch_coap_message *message, const char *path, larch_bytes *name)
{
    *name = (larch_bytes){NULL, 0};
    return follow_path(message, path, name) && name->data != NULL;
}

bool larch_coap_query_find(const larch_coap_message *message, const char *name, larch_bytes *value)
{
    const size_t name_len = strlen(name);
    larch_coap_options options = larch_coap_options_of(message);
    for (larch_coap_option o; larch_coap_options_next(&options, &o);) {
        if (o.number != LARCH_COAP_OPT_URI_QUERY || o.value.len <= name_len || o.value.data[name_len] != '=' ||
            memcmp(o.value.data, name, name_len) != 0)
            continue;
        *value = (larch_bytes){o.value.data + name_len + 1, o.value.len - name_len - 1};
        return true;
    }
    return false;
}

bool larch_coap_query_has(const larch_coap_message *message, const char *name)
{
    larch_coap_options options = larch_coap_options_of(message);
    for (larch_coap_option o; larch_coap_options_next(&options, &o);)
        if (o.number == LARCH_COAP_OPT_URI_QUERY && larch_bytes_equal(o.value, larch_bytes_of_text(name)))
            return true;
    return false;
}

/*
 *     0 to 3 bytes, big-endian, leading zeros left out [RFC7959 2.2]
 *    +------------------+---+-----+
 *    | num (up to 20)   | M | szx |
 *    +------------------+---+-----+
 *                         1   3 bits
 */
larch_error larch_coap_block_parse(larch_bytes value, larch_coap_block *out)
{
    uint32_t v;
    if (value.len > 3 || larch_coap_option_uint(value, &v) != LARCH_OK || (v & 7) == 7)
        return LARCH_MALFORMED;
    *out = (larch_coap_block){v >> 4, (v & 8) != 0, (uint8_t)(v & 7)};
    return LARCH_OK;
}

larch_error larch_coap_block_find(const larch_coap_message *message, uint16_t number, bool *given,
                                  larch_coap_block *out)
{
    larch_bytes value;
    *given = larch_coap_option_find(message, number, &value);
    return *given ? larch_coap_block_parse(value, out) : LARCH_OK;
}

uint32_t larch_coap_block_value(larch_coap_block block)
{
    return block.num << 4 | (block.more ? 8u : 0u) | (block.szx & 7u);
}
