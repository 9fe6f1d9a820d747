/* SPDX-License-Identifier: Apache-2.0 */
/* The client's side of block-wise transfer [RFC7959] and of Echo [RFC9175]. The
 * payload goes up block by block, then the answer comes down; which of the two
 * is under way shows in body_len. */
#include <string.h>

#include "larch/coap_transfer.h"

#define NUM_MAX 0xfffffu /* 20 bits */

/* The number of the block that begins at byte at. */
static size_t block_num(size_t at, uint8_t szx) { return at >> (szx + 4); }

/* Whether every block of the payload, and the next one of the answer, has a number. */
static bool is_numbered(const larch_coap_transfer *t)
{
    return block_num(t->payload.len, t->szx) <= NUM_MAX && block_num(t->body_len, t->szx2) <= NUM_MAX;
}

larch_error larch_coap_transfer_begin(larch_coap_transfer *t, const larch_coap_ask *ask, uint8_t *body, size_t body_cap)
{
    const size_t echo_len = ask->echo.len;
    t->waits = false;
    if (echo_len > sizeof t->echo)
        return LARCH_SPACE;
    if (echo_len > 0)
        memmove(t->echo, ask->echo.data, echo_len); /* may be the view that the last answer gave */
    t->echo_len = (uint8_t)echo_len;
    t->challenges = ask->challenges > 0 ? ask->challenges : 1;
    t->restarted = false;
    t->method = ask->method;
    t->szx = LARCH_COAP_BLOCK_SZX;
    t->szx2 = LARCH_COAP_BLOCK_SZX;
    t->etag_len = 0;
    t->content_format = ask->content_format;
    t->requests = 0;
    t->path = ask->path;
    t->query = ask->query;
    t->payload = ask->payload;
    t->payload_at = 0;
    t->body = body;
    t->body_cap = body_cap;
    t->body_len = 0;
    t->waits = is_numbered(t);
    return t->waits ? LARCH_OK : LARCH_SPACE;
}

/* ---- requests ---------------------------------------------------------- */

uint8_t larch_coap_transfer_method(const larch_coap_transfer *t) { return t->method; }

static void build_block(larch_coap_builder *b, uint16_t number, size_t at, bool more, uint8_t szx)
{
    larch_coap_block block = {(uint32_t)block_num(at, szx), more, szx};
    larch_coap_build_option_uint(b, number, larch_coap_block_value(block));
}

/* The block of the payload under way: all of it if it fits one. */
static larch_bytes payload_block(const larch_coap_transfer *t)
{
    size_t size = larch_coap_block_size(t->szx);
    size_t left = t->payload.len - t->payload_at;
    if (t->payload.len == 0)
        return t->payload;
    return (larch_bytes){t->payload.data + t->payload_at, left > size ? size : left};
}

static bool is_blockwise(const larch_coap_transfer *t) { return t->payload.len > larch_coap_block_size(t->szx); }

larch_error larch_coap_transfer_compose_request(const larch_coap_transfer *t, larch_coap_builder *b)
{
    if (!t->waits)
        return LARCH_STATE;
    /* Once the answer comes down, the payload has been said. [RFC7959 3.3] */
    bool up = t->body_len == 0;
    larch_bytes payload = payload_block(t);
    larch_coap_build_path(b, t->path);
    if (up && payload.len > 0 && t->content_format != 0xffff)
        larch_coap_build_option_uint(b, LARCH_COAP_OPT_CONTENT_FORMAT, t->content_format);
    if (t->query != NULL)
        larch_coap_build_query(b, t->query);
    if (!up || LARCH_COAP_BLOCK_SZX < 6)
        build_block(b, LARCH_COAP_OPT_BLOCK2, t->body_len, false, t->szx2);
    if (up && is_blockwise(t))
        build_block(b, LARCH_COAP_OPT_BLOCK1, t->payload_at, t->payload_at + payload.len < t->payload.len, t->szx);
    if (up && is_blockwise(t) && t->payload_at == 0)
        larch_coap_build_option_uint(b, LARCH_COAP_OPT_SIZE1, (uint32_t)t->payload.len);
    if (t->echo_len > 0)
        larch_coap_build_option(b, LARCH_COAP_OPT_ECHO, (larch_bytes){t->echo, t->echo_len});
    if (up && payload.len > 0)
        larch_coap_build_payload(b, payload);
    return LARCH_OK;
}

/* ---- responses --------------------------------------------------------- */

/* These return LARCH_OK: go on to the next step; LARCH_AGAIN: send the request
 * that the transfer now describes; else the end. */

/* The server wants to see its Echo before it acts. [RFC9175 2.3] */
static larch_error take_echo(larch_coap_transfer *t, const larch_coap_message *m)
{
    larch_bytes echo;
    if (!larch_coap_option_find(m, LARCH_COAP_OPT_ECHO, &echo) || echo.len == 0 || echo.len > sizeof t->echo)
        return LARCH_OK;
    memcpy(t->echo, echo.data, echo.len);
    t->echo_len = (uint8_t)echo.len;
    if (m->code != LARCH_COAP_UNAUTHORIZED || t->challenges == 0)
        return LARCH_OK;
    t->challenges--;
    return LARCH_AGAIN;
}

/* The answer to one block of the payload. */
static larch_error take_block1(larch_coap_transfer *t, const larch_coap_message *m)
{
    larch_coap_block block;
    bool given;
    size_t size = larch_coap_block_size(t->szx);
    if (t->payload.len == 0 || t->body_len > 0)
        return LARCH_OK;
    if (larch_coap_block_find(m, LARCH_COAP_OPT_BLOCK1, &given, &block) != LARCH_OK)
        return LARCH_MALFORMED;
    if (m->code == LARCH_COAP_REQUEST_ENTITY_TOO_LARGE && given && t->payload_at == 0 && block.szx < t->szx) {
        t->szx = block.szx; /* too large for one block, not in all [RFC7959 2.9.3] */
        return LARCH_AGAIN;
    }
    if (m->code == LARCH_COAP_REQUEST_ENTITY_INCOMPLETE && t->payload_at > 0 && !t->restarted) {
        t->restarted = true; /* it lost the blocks before, so nothing took effect [RFC7959 2.9.2] */
        t->payload_at = 0;
        return LARCH_AGAIN;
    }
    if (!is_blockwise(t) || LARCH_COAP_CLASS(m->code) != 2)
        return LARCH_OK;
    if (t->payload_at + size >= t->payload.len)
        return m->code == LARCH_COAP_CONTINUE ? LARCH_MALFORMED : LARCH_OK;
    /* 2.31, or a success for this block alone, if the server handles each by itself [RFC7959 2.3] */
    if (!given || block.num != t->payload_at / size || block.szx > t->szx)
        return LARCH_MALFORMED;
    t->payload_at += size;
    t->szx = block.szx;
    return LARCH_AGAIN;
}

static larch_error append(larch_coap_transfer *t, larch_bytes payload)
{
    if (payload.len > t->body_cap - t->body_len)
        return LARCH_SPACE;
    if (payload.len > 0)
        memcpy(t->body + t->body_len, payload.data, payload.len);
    t->body_len += payload.len;
    return LARCH_OK;
}

/* The first block fixes the ETag; whether this one has the same. [RFC7959 2.4] */
static bool is_same_representation(larch_coap_transfer *t, const larch_coap_message *m)
{
    larch_bytes etag = {NULL, 0};
    if (larch_coap_option_find(m, LARCH_COAP_OPT_ETAG, &etag) && etag.len > sizeof t->etag)
        etag.len = 0;
    if (t->body_len > 0)
        return larch_bytes_equal(etag, (larch_bytes){t->etag, t->etag_len});
    t->etag_len = (uint8_t)etag.len;
    if (etag.len > 0)
        memcpy(t->etag, etag.data, etag.len);
    return true;
}

/* Begins anew with a representation that changed on the way; not with a payload, which would take effect again. */
static larch_error restart(larch_coap_transfer *t)
{
    if (t->restarted || t->payload.len > 0)
        return LARCH_MALFORMED;
    t->restarted = true;
    t->body_len = 0;
    return LARCH_AGAIN;
}

/* The whole answer, or one block of it. An error ends the transfer, whichever block it answers. */
static larch_error take_block2(larch_coap_transfer *t, const larch_coap_message *m)
{
    larch_coap_block block;
    bool given;
    larch_error e = larch_coap_block_find(m, LARCH_COAP_OPT_BLOCK2, &given, &block);
    if (LARCH_COAP_CLASS(m->code) != 2) {
        t->body_len = 0;
        t->etag_len = 0;
        return append(t, m->payload);
    }
    if (!given && t->body_len > 0)
        return LARCH_MALFORMED;
    if (!is_same_representation(t, m))
        return restart(t);
    if (!given)
        return append(t, m->payload);
    if (e != LARCH_OK || block.szx > t->szx2)
        return LARCH_MALFORMED;
    size_t size = larch_coap_block_size(block.szx);
    if (block.num * size != t->body_len || (block.more ? m->payload.len != size : m->payload.len > size))
        return LARCH_MALFORMED;
    if (t->body_len == 0 && larch_coap_option_exceeds(m, LARCH_COAP_OPT_SIZE2, t->body_cap))
        return LARCH_SPACE;
    e = append(t, m->payload);
    t->szx2 = block.szx;
    return e == LARCH_OK && block.more ? LARCH_AGAIN : e;
}

/* In seconds; 60 without the option. [RFC7252 5.10.5] */
static uint32_t max_age_of(const larch_coap_message *m)
{
    larch_bytes value;
    uint32_t seconds;
    return larch_coap_option_find(m, LARCH_COAP_OPT_MAX_AGE, &value) &&
                   larch_coap_option_uint(value, &seconds) == LARCH_OK
               ? seconds
               : 60;
}

larch_error larch_coap_transfer_process_response(larch_coap_transfer *t, const larch_coap_message *response,
                                                 larch_coap_answer *answer)
{
    larch_error e;
    memset(answer, 0, sizeof *answer);
    if (!t->waits)
        return LARCH_STATE;
    t->waits = false; /* holds for every end below */
    t->requests++;
    if ((e = take_echo(t, response)) == LARCH_OK && (e = take_block1(t, response)) == LARCH_OK)
        e = take_block2(t, response);
    if (e == LARCH_AGAIN) {
        t->waits = is_numbered(t);
        return t->waits ? LARCH_AGAIN : LARCH_SPACE;
    }
    if (e != LARCH_OK)
        return e;
    answer->code = response->code;
    answer->body = (larch_bytes){t->body, t->body_len};
    answer->etag = (larch_bytes){t->etag, t->etag_len};
    answer->echo = (larch_bytes){t->echo, t->echo_len};
    answer->requests = t->requests;
    answer->max_age_s = max_age_of(response);
    return LARCH_OK;
}
