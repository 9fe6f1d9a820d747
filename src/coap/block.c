/* SPDX-License-Identifier: Apache-2.0 */
/* The server's side of block-wise transfer [RFC7959]. */
#include <string.h>

#include "base/siphash.h"
#include "endpoint_int.h"

#include "larch/coap_block.h"

#define NUM_MAX     0xfffffu /* 20 bits */
#define IDLE_MIN_MS 1000u    /* a body with a block younger than this is not pushed out */

_Static_assert(LARCH_COAP_BLOCK_SZX <= 6, "szx 7 is reserved");

/* ---- Block2 ------------------------------------------------------------ */

larch_error larch_coap_block2_slice(const larch_coap_message *request, larch_bytes representation,
                                    larch_coap_slice *out)
{
    larch_coap_block asked = {0, false, LARCH_COAP_BLOCK_SZX};
    bool given;
    memset(out, 0, sizeof *out);
    if (larch_coap_block_find(request, LARCH_COAP_OPT_BLOCK2, &given, &asked) != LARCH_OK)
        return LARCH_MALFORMED;
    uint8_t szx = asked.szx < LARCH_COAP_BLOCK_SZX ? asked.szx : LARCH_COAP_BLOCK_SZX;
    size_t size = larch_coap_block_size(szx);
    /* Where it starts counts, not its number: that changes with the size. [RFC7959 2.4] */
    size_t at = asked.num * larch_coap_block_size(asked.szx);
    if ((at > 0 && at >= representation.len) || at / size > NUM_MAX)
        return LARCH_MALFORMED;
    size_t left = representation.len - at;
    out->block = (larch_coap_block){(uint32_t)(at / size), left > size, szx};
    out->blockwise = given || left > size;
    out->bytes = (larch_bytes){at > 0 ? representation.data + at : representation.data, left > size ? size : left};
    return LARCH_OK;
}

bool larch_coap_asks_later_block(const larch_coap_message *request)
{
    bool given;
    larch_coap_block block;
    return larch_coap_block_find(request, LARCH_COAP_OPT_BLOCK2, &given, &block) == LARCH_OK && given && block.num > 0;
}

void larch_coap_blocks_build(larch_coap_builder *b, const larch_coap_slice *slice, size_t representation_len,
                             const larch_coap_block *block1)
{
    if (slice->blockwise)
        larch_coap_build_option_uint(b, LARCH_COAP_OPT_BLOCK2, larch_coap_block_value(slice->block));
    if (block1 != NULL)
        larch_coap_build_option_uint(b, LARCH_COAP_OPT_BLOCK1, larch_coap_block_value(*block1));
    if (slice->blockwise && slice->block.num == 0)
        larch_coap_build_option_uint(b, LARCH_COAP_OPT_SIZE2, (uint32_t)representation_len);
}

void larch_coap_block2_build(larch_coap_builder *b, const larch_coap_slice *slice, size_t representation_len)
{
    larch_coap_blocks_build(b, slice, representation_len, NULL);
}

/* ---- Block1 ------------------------------------------------------------ */

larch_error larch_coap_reassembly_init(larch_coap_reassembly *r, const larch_random *random)
{
    for (size_t i = 0; i < LARCH_COAP_REASSEMBLIES; i++)
        r->bodies[i].used = false;
    return larch_siphash_key(random, r->hash_key);
}

uint64_t larch_coap_request_key(const larch_coap_reassembly *r, const larch_coap_message *request)
{
    larch_siphash h;
    larch_siphash_init(&h, r->hash_key);
    larch_siphash_part(&h, (larch_bytes){&request->code, 1});
    larch_coap_options options = larch_coap_options_of(request);
    for (larch_coap_option o; larch_coap_options_next(&options, &o);) {
        if (o.number != LARCH_COAP_OPT_URI_HOST && o.number != LARCH_COAP_OPT_URI_PORT &&
            o.number != LARCH_COAP_OPT_URI_PATH && o.number != LARCH_COAP_OPT_URI_QUERY &&
            o.number != LARCH_COAP_OPT_REQUEST_TAG)
            continue;
        const uint8_t number[2] = {(uint8_t)(o.number >> 8), (uint8_t)o.number};
        larch_siphash_part(&h, LARCH_BYTES(number));
        larch_siphash_part(&h, o.value);
    }
    const uint64_t key = larch_siphash_end(&h);
    return key != 0 ? key : 1;
}

static struct larch_coap_body *find_body(larch_coap_reassembly *r, uint64_t now_ms, const larch_peer *peer,
                                         uint64_t key)
{
    for (size_t i = 0; i < LARCH_COAP_REASSEMBLIES; i++) {
        struct larch_coap_body *body = &r->bodies[i];
        if (body->used && now_ms < body->until_ms && body->key == key && larch_peer_equal(&body->peer, peer))
            return body;
    }
    return NULL;
}

static bool is_in_use(const struct larch_coap_body *body, uint64_t now_ms)
{
    return body->used && now_ms < body->until_ms;
}

/* Whether two peers share what one owner can be expected to hold: a prefix; on the link, where a prefix is everybody,
 * an address. */
static bool is_same_owner(const larch_peer *a, const larch_peer *b, bool is_proven)
{
    const bool by_address = is_proven && a->is_on_link && b->is_on_link;
    const larch_peer x = by_address ? *a : larch_peer_prefix(a), y = by_address ? *b : larch_peer_prefix(b);
    return x.scope == y.scope && memcmp(x.address, y.address, sizeof x.address) == 0;
}

static size_t places_held(const larch_coap_reassembly *r, uint64_t now_ms, const larch_peer *peer, bool is_proven)
{
    size_t held = 0;
    for (size_t i = 0; i < LARCH_COAP_REASSEMBLIES; i++)
        held += is_in_use(&r->bodies[i], now_ms) && is_same_owner(&r->bodies[i].peer, peer, is_proven);
    return held;
}

/* Whether a new body of a proven peer, whose owner holds so many places, may push this one out. */
static bool makes_room(const larch_coap_reassembly *r, const struct larch_coap_body *body, uint64_t now_ms, size_t held)
{
    return !body->is_proven || places_held(r, now_ms, &body->peer, true) > held + 1 ||
           body->until_ms - LARCH_COAP_REASSEMBLY_MS + IDLE_MIN_MS <= now_ms;
}

/* A place for a new body, as larch_coap_reassembly_take says; NULL: none. */
static struct larch_coap_body *claim_body(larch_coap_reassembly *r, uint64_t now_ms, const larch_peer *peer,
                                          bool is_proven)
{
    struct larch_coap_body *best = NULL;
    size_t free_count = 0;
    const size_t held = places_held(r, now_ms, peer, is_proven);
    for (size_t i = 0; i < LARCH_COAP_REASSEMBLIES; i++) {
        struct larch_coap_body *body = &r->bodies[i];
        if (!is_in_use(body, now_ms)) {
            free_count++;
            body->used = false;
            best = body;
        } else if (free_count == 0 && is_proven && makes_room(r, body, now_ms, held) &&
                   (best == NULL || body->is_proven < best->is_proven ||
                    (body->is_proven == best->is_proven && body->until_ms < best->until_ms))) {
            best = body;
        }
    }
    if (!is_proven && (held > 0 || 2 * free_count <= LARCH_COAP_REASSEMBLIES))
        return NULL;
    return best;
}

/* Adds payload at its place; a copy of the block before, byte for byte, changes nothing. */
static larch_error append(struct larch_coap_body *body, size_t at, larch_bytes payload)
{
    if (at > LARCH_COAP_UPLOAD_MAX || payload.len > LARCH_COAP_UPLOAD_MAX - at)
        return LARCH_SPACE;
    if (at + payload.len == body->len && payload.len > 0)
        return memcmp(body->bytes + at, payload.data, payload.len) == 0 ? LARCH_OK : LARCH_STATE;
    if (at != body->len)
        return LARCH_STATE;
    if (payload.len > 0)
        memcpy(body->bytes + at, payload.data, payload.len);
    body->len += (uint32_t)payload.len;
    return LARCH_OK;
}

larch_error larch_coap_reassembly_take(larch_coap_reassembly *r, uint64_t now_ms, const larch_peer *peer,
                                       bool is_proven, const larch_coap_message *request, bool *blockwise,
                                       larch_coap_block *block, larch_bytes *body)
{
    larch_coap_block asked;
    *body = (larch_bytes){NULL, 0};
    memset(block, 0, sizeof *block);
    larch_error e = larch_coap_block_find(request, LARCH_COAP_OPT_BLOCK1, blockwise, &asked);
    if (!*blockwise) {
        *body = request->payload;
        return LARCH_OK;
    }
    uint64_t key = larch_coap_request_key(r, request);
    struct larch_coap_body *open = find_body(r, now_ms, peer, key);
    if (open != NULL)
        open->used = false; /* holds for every early return below */
    if (e != LARCH_OK)
        return e;
    size_t size = larch_coap_block_size(asked.szx);
    if (asked.more ? request->payload.len != size : request->payload.len > size)
        return LARCH_MALFORMED;
    /* The client says beforehand that the body is too large. Size1 is elective: a broken one is as good as none. */
    if (larch_coap_option_exceeds(request, LARCH_COAP_OPT_SIZE1, LARCH_COAP_UPLOAD_MAX))
        return LARCH_SPACE;
    uint8_t szx = asked.szx < LARCH_COAP_BLOCK_SZX ? asked.szx : LARCH_COAP_BLOCK_SZX;
    if (asked.num == 0 && !asked.more) {
        *block = (larch_coap_block){0, false, szx};
        *body = request->payload;
        return LARCH_OK;
    }
    if (asked.num == 0) {
        if (open == NULL && (open = claim_body(r, now_ms, peer, is_proven)) == NULL)
            return LARCH_BUSY;
        open->peer = *peer;
        open->is_proven = is_proven;
        open->key = key;
        open->len = 0;
        open->used = false;
    }
    if (open == NULL)
        return LARCH_STATE;
    if ((e = append(open, asked.num * size, request->payload)) != LARCH_OK)
        return e;
    *block = (larch_coap_block){asked.num, asked.more, szx};
    if (!asked.more) {
        *body = (larch_bytes){open->bytes, open->len};
        return LARCH_OK;
    }
    open->used = true;
    open->until_ms = now_ms + LARCH_COAP_REASSEMBLY_MS;
    return LARCH_AGAIN;
}

void larch_coap_reassembly_put_back(larch_coap_reassembly *r, uint64_t now_ms, const larch_peer *peer,
                                    const larch_coap_message *request)
{
    larch_coap_block last = {0};
    bool given = false;
    if (larch_coap_block_find(request, LARCH_COAP_OPT_BLOCK1, &given, &last) != LARCH_OK || !given || last.num == 0)
        return;
    const uint64_t key = larch_coap_request_key(r, request);
    const size_t len = last.num * larch_coap_block_size(last.szx) + request->payload.len;
    for (size_t i = 0; i < LARCH_COAP_REASSEMBLIES; i++) {
        struct larch_coap_body *body = &r->bodies[i];
        if (!body->used && body->key == key && body->len == len && larch_peer_equal(&body->peer, peer)) {
            body->used = true;
            body->until_ms = now_ms + LARCH_COAP_REASSEMBLY_MS;
            return;
        }
    }
}
