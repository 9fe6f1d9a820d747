/* SPDX-License-Identifier: Apache-2.0 */
/* One item with everything in it: a stack of open arrays, maps and tags in place of recursion. */
#include <string.h>

#include "cbor_int.h"

/* An array, map or tag whose items are being read. */
typedef struct level {
    uint64_t left;    /* items; a pair is two */
    bool is_map;      /* then an even number left means that a key comes */
    larch_bytes last; /* the key before, as encoded; none: data is NULL */
} level;

typedef struct walk {
    size_t depth;
    level levels[LARCH_CBOR_DEPTH];
} walk;

bool larch_cbor_is_before(larch_bytes a, larch_bytes b)
{
    const size_t len = a.len < b.len ? a.len : b.len;
    const int order = memcmp(a.data, b.data, len);
    return order < 0 || (order == 0 && a.len < b.len);
}

/* An item is complete. So may be the one that it stands in, if it was the last there, and so on outwards. */
static larch_error complete(walk *k, const uint8_t *const *begin, const uint8_t *end)
{
    while (k->depth > 0) {
        level *inner = &k->levels[k->depth - 1];
        if (inner->is_map && inner->left % 2 == 0) {
            const larch_bytes key = {begin[k->depth], (size_t)(end - begin[k->depth])};
            if (inner->last.data != NULL && !larch_cbor_is_before(inner->last, key))
                return LARCH_MALFORMED;
            inner->last = key;
        }
        if (--inner->left > 0)
            return LARCH_OK;
        k->depth--;
    }
    return LARCH_OK;
}

/* How many items the item contains itself. */
static uint64_t children_of(const larch_cbor_item *item)
{
    switch (item->type) {
    case LARCH_CBOR_ARRAY:
        return item->value;
    case LARCH_CBOR_MAP:
        return 2 * item->value;
    case LARCH_CBOR_TAG:
        return 1;
    default:
        return 0;
    }
}

larch_error larch_cbor_take_whole(larch_reader *r, larch_bytes *encoding)
{
    larch_reader rest = *r;
    const uint8_t *begin[LARCH_CBOR_DEPTH + 1]; /* where the item at each depth begins */
    walk k;
    k.depth = 0;
    do {
        larch_cbor_item item;
        begin[k.depth] = rest.left.data;
        if (larch_cbor_take(&rest, &item) != LARCH_OK ||
            ((item.type == LARCH_CBOR_ARRAY || item.type == LARCH_CBOR_MAP) && item.value > rest.left.len))
            return LARCH_MALFORMED; /* each item takes a byte: so no count is taken on trust, and none overflows */
        const uint64_t children = children_of(&item);
        if (children > 0) {
            if (k.depth == LARCH_CBOR_DEPTH)
                return LARCH_MALFORMED;
            k.levels[k.depth++] = (level){.left = children, .is_map = item.type == LARCH_CBOR_MAP};
        } else if (complete(&k, begin, rest.left.data) != LARCH_OK) {
            return LARCH_MALFORMED;
        }
    } while (k.depth > 0);
    if (encoding != NULL)
        *encoding = (larch_bytes){r->left.data, r->left.len - rest.left.len};
    *r = rest;
    return LARCH_OK;
}
