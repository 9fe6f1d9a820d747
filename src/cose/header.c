/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Header parameters [RFC9052 3]:
 *
 *     Headers = ( protected: bstr .cbor header_map, or empty; unprotected: header_map )
 *     header_map = { label: int or text => any }
 */
#include <string.h>

#include "cose/cose_int.h"

typedef struct parameter {
    int8_t label;
    uint8_t bit;
} parameter;

/* In the order of a map. */
static const parameter parameters[] = {{1, LARCH_COSE_HAS_ALG},
                                       {2, LARCH_COSE_HAS_CRIT},
                                       {3, LARCH_COSE_HAS_CONTENT_TYPE},
                                       {4, LARCH_COSE_HAS_KID},
                                       {5, LARCH_COSE_HAS_IV},
                                       {6, LARCH_COSE_HAS_PARTIAL_IV},
                                       {LARCH_COSE_LABEL_EK, LARCH_COSE_HAS_EK}};

#define PARAMETERS (sizeof parameters / sizeof parameters[0])
#define COMPOSED \
    (LARCH_COSE_HAS_ALG | LARCH_COSE_HAS_KID | LARCH_COSE_HAS_IV | LARCH_COSE_HAS_PARTIAL_IV | LARCH_COSE_HAS_EK)

/* The place of a parameter that is a byte string; NULL for any other. */
static larch_bytes *string_of(larch_cose_header *header, uint8_t bit)
{
    switch (bit) {
    case LARCH_COSE_HAS_KID:
        return &header->kid;
    case LARCH_COSE_HAS_IV:
        return &header->iv;
    case LARCH_COSE_HAS_PARTIAL_IV:
        return &header->partial_iv;
    case LARCH_COSE_HAS_EK:
        return &header->ek;
    default:
        return NULL;
    }
}

/* ---- reading ----------------------------------------------------------------- */

/* A label, as one of our bits. */
static larch_error take_label(larch_reader *r, uint8_t *bit)
{
    int64_t label;
    larch_bytes text;
    *bit = LARCH_COSE_HAS_OTHERS;
    if (larch_cbor_peek(r) == LARCH_CBOR_TEXT)
        return larch_cbor_take_text(r, &text);
    const larch_error e = larch_cbor_take_int(r, &label);
    for (size_t i = 0; e == LARCH_OK && i < PARAMETERS; i++)
        if (parameters[i].label == label)
            *bit = parameters[i].bit;
    return e;
}

/* An algorithm of ours is a number; 0 is reserved. */
static larch_error take_alg(larch_reader *r, int64_t *alg)
{
    larch_bytes text;
    if (larch_cbor_peek(r) == LARCH_CBOR_TEXT)
        return larch_cbor_take_text(r, &text) == LARCH_OK ? LARCH_STATE : LARCH_MALFORMED;
    const larch_error e = larch_cbor_take_int(r, alg);
    return e == LARCH_OK && *alg == 0 ? LARCH_STATE : e;
}

static larch_error take_content_type(larch_reader *r)
{
    uint64_t number;
    larch_bytes text;
    return larch_cbor_peek(r) == LARCH_CBOR_TEXT ? larch_cbor_take_text(r, &text) : larch_cbor_take_uint(r, &number);
}

static larch_error take_value(larch_reader *r, larch_cose_header *header, uint8_t bit, larch_bytes *crit)
{
    larch_bytes *string = string_of(header, bit);
    if (string != NULL)
        return larch_cbor_take_bytes(r, string);
    switch (bit) {
    case LARCH_COSE_HAS_ALG:
        return take_alg(r, &header->alg);
    case LARCH_COSE_HAS_CRIT:
        return larch_cbor_take_whole(r, crit);
    case LARCH_COSE_HAS_CONTENT_TYPE:
        return take_content_type(r);
    default:
        return larch_cbor_take_whole(r, NULL);
    }
}

/* *seen: the bits of this map. */
static larch_error take_map(larch_reader *r, larch_cose_header *header, uint8_t *seen, larch_bytes *crit)
{
    size_t pairs;
    uint8_t bit;
    larch_error e = larch_cbor_take_map(r, &pairs);
    *seen = 0;
    for (; e == LARCH_OK && pairs > 0; pairs--) {
        if ((e = take_label(r, &bit)) == LARCH_OK)
            e = take_value(r, header, bit, crit);
        *seen |= bit;
    }
    return e;
}

/* The parameters that a reader must understand, each of which is protected. [RFC9052 3.1] */
static larch_error check_crit(larch_bytes crit, uint8_t protects)
{
    larch_reader r = larch_reader_of(crit);
    size_t count;
    uint8_t bit;
    larch_error e = larch_cbor_take_array(&r, &count);
    if (e == LARCH_OK && count == 0)
        return LARCH_MALFORMED;
    for (; e == LARCH_OK && count > 0; count--)
        if ((e = take_label(&r, &bit)) == LARCH_OK) {
            if (bit == LARCH_COSE_HAS_OTHERS)
                return LARCH_STATE;
            if ((protects & bit) == 0)
                return LARCH_MALFORMED;
        }
    return e;
}

/* The next key of an encoded map; empty past the last. */
static larch_bytes next_key(larch_reader *r)
{
    larch_bytes key = {0};
    if (r->left.len == 0 || larch_cbor_take_whole(r, &key) != LARCH_OK || larch_cbor_take_whole(r, NULL) != LARCH_OK)
        return (larch_bytes){0};
    return key;
}

/* Whether one label is in both maps, whose keys are in order. */
static bool share_label(larch_bytes map_a, larch_bytes map_b)
{
    larch_reader a = larch_reader_of(map_a), b = larch_reader_of(map_b);
    size_t pairs;
    if (larch_cbor_take_map(&a, &pairs) != LARCH_OK || larch_cbor_take_map(&b, &pairs) != LARCH_OK)
        return false;
    larch_bytes key_a = next_key(&a), key_b = next_key(&b);
    while (key_a.len > 0 && key_b.len > 0) {
        if (larch_cbor_is_before(key_a, key_b))
            key_a = next_key(&a);
        else if (larch_cbor_is_before(key_b, key_a))
            key_b = next_key(&b);
        else
            return true;
    }
    return false;
}

/* The content of the byte string: nothing, or one whole map. An empty map counts as nothing [RFC9052 3]. */
static larch_error take_protected(larch_bytes content, larch_cose_header *header)
{
    larch_reader whole = larch_reader_of(content), r = whole;
    larch_bytes crit = {0};
    larch_error e;
    if (content.len == 0)
        return LARCH_OK;
    if (larch_cbor_take_whole(&whole, NULL) != LARCH_OK || whole.left.len > 0)
        return LARCH_MALFORMED;
    if ((e = take_map(&r, header, &header->protects, &crit)) != LARCH_OK)
        return e;
    if (header->protects != 0)
        header->protected_map = content;
    return crit.len > 0 ? check_crit(crit, header->protects) : LARCH_OK;
}

larch_error larch_cose_take_header(larch_reader *r, larch_cose_header *header)
{
    larch_bytes content, crit = {0};
    larch_error e;
    uint8_t seen;
    memset(header, 0, sizeof *header);
    if ((e = larch_cbor_take_bytes(r, &content)) != LARCH_OK || (e = take_protected(content, header)) != LARCH_OK)
        return e;
    const larch_bytes unprotected = r->left;
    if ((e = take_map(r, header, &seen, &crit)) != LARCH_OK)
        return e;
    header->present = header->protects | seen;
    if (crit.len > 0 ||
        share_label(header->protected_map, (larch_bytes){unprotected.data, unprotected.len - r->left.len}) ||
        ((header->present & LARCH_COSE_HAS_IV) != 0 && (header->present & LARCH_COSE_HAS_PARTIAL_IV) != 0))
        return LARCH_MALFORMED;
    return LARCH_OK;
}

/* ---- writing ----------------------------------------------------------------- */

static void put_map(larch_writer *w, const larch_cose_header *header, uint8_t bits)
{
    larch_cose_header values = *header;
    size_t count = 0;
    bits &= COMPOSED;
    for (size_t i = 0; i < PARAMETERS; i++)
        count += (bits & parameters[i].bit) != 0;
    larch_cbor_put_map(w, count);
    for (size_t i = 0; i < PARAMETERS; i++) {
        const larch_bytes *string = string_of(&values, parameters[i].bit);
        if ((bits & parameters[i].bit) == 0)
            continue;
        larch_cbor_put_int(w, parameters[i].label);
        if (string != NULL)
            larch_cbor_put_bytes(w, *string);
        else
            larch_cbor_put_int(w, values.alg);
    }
}

larch_error larch_cose_protect(larch_cose_header *header, uint8_t map[LARCH_COSE_PROTECTED_MAX])
{
    larch_writer w = larch_writer_to(map, LARCH_COSE_PROTECTED_MAX);
    if (header->protected_map.len > 0 || (header->protects & COMPOSED) == 0)
        return LARCH_OK;
    put_map(&w, header, header->protects);
    return larch_writer_finish(&w, &header->protected_map);
}

void larch_cose_put_header(larch_writer *w, const larch_cose_header *header)
{
    const uint8_t protects = header->protects & COMPOSED;
    if (header->protected_map.len > 0) {
        larch_cbor_put_bytes(w, header->protected_map);
    } else if (protects == 0) {
        larch_cbor_put_bytes_head(w, 0);
    } else {
        larch_writer measure = larch_writer_to(NULL, 0);
        put_map(&measure, header, protects);
        larch_cbor_put_bytes_head(w, measure.len);
        put_map(w, header, protects);
    }
    put_map(w, header, (uint8_t)(header->present & ~header->protects));
}
