/* SPDX-License-Identifier: Apache-2.0 */
/* The client's side of block-wise transfer [RFC7959] and of Echo [RFC9175]. The
 * payload goes up block by block, then the answer comes down; which of the two
 * is under way shows in body_len. */
#include <string.h>

#include "larch/coap_block.h"

#define NUM_MAX 0xfffffu /* 20 bits */

/* The number of the block that begins at byte at. */
static size_t block_num(size_t at, uint8_t szx) { return at >> (szx + 4); }

static void build_block(larch_coap_builder *b, uint16_t number, size_t at, bool more, uint8_t szx)
{
    larch_coap_block block = {(uint32_t)block_num(at, szx), more, szx};
    larch_coap_build_option_uint(b, number, larch_coap_block_value(block));
}

/* The block of the payload under way: all of it if it fits one. */
static larch_bytes payload_block(const larch_coap_client *c)
{
    size_t size = larch_coap_block_size(c->szx);
    size_t left = c->payload.len - c->payload_at;
    if (c->payload.len == 0)
        return c->payload;
    return (larch_bytes){c->payload.data + c->payload_at, left > size ? size : left};
}

static bool is_blockwise(const larch_coap_client *c) { return c->payload.len > larch_coap_block_size(c->szx); }

static void build_ask(const larch_coap_client *c, larch_coap_builder *b)
{
    /* Once the answer comes down, the payload has been said. [RFC7959 3.3] */
    bool up = c->body_len == 0;
    larch_bytes payload = payload_block(c);
    larch_coap_build_path(b, c->path);
    if (up && payload.len > 0 && c->content_format != 0xffff)
        larch_coap_build_option_uint(b, LARCH_COAP_OPT_CONTENT_FORMAT, c->content_format);
    if (c->query != NULL)
        larch_coap_build_query(b, c->query);
    if (!up || LARCH_COAP_BLOCK_SZX < 6)
        build_block(b, LARCH_COAP_OPT_BLOCK2, c->body_len, false, c->szx2);
    if (up && is_blockwise(c))
        build_block(b, LARCH_COAP_OPT_BLOCK1, c->payload_at, c->payload_at + payload.len < c->payload.len, c->szx);
    if (up && is_blockwise(c) && c->payload_at == 0)
        larch_coap_build_option_uint(b, LARCH_COAP_OPT_SIZE1, (uint32_t)c->payload.len);
    if (c->echo_len > 0)
        larch_coap_build_option(b, LARCH_COAP_OPT_ECHO, (larch_bytes){c->echo, c->echo_len});
    if (up && payload.len > 0)
        larch_coap_build_payload(b, payload);
}

static larch_error send_request(larch_coap_client *c, uint64_t now_ms)
{
    larch_coap_builder b;
    uint32_t handle;
    if (block_num(c->payload.len, c->szx) > NUM_MAX || block_num(c->body_len, c->szx2) > NUM_MAX)
        return LARCH_SPACE;
    larch_error e =
        larch_coap_endpoint_request(c->endpoint, now_ms, &c->peer, c->type, c->method, c->flags, &b, &handle);
    if (e != LARCH_OK)
        return e;
    build_ask(c, &b);
    e = larch_coap_endpoint_request_end(c->endpoint, &b, handle);
    if (e != LARCH_OK)
        return e;
    c->handle = handle;
    c->requests++;
    return LARCH_OK;
}

larch_error larch_coap_client_ask(larch_coap_client *c, larch_coap_endpoint *ep, uint64_t now_ms,
                                  const larch_coap_ask *ask, uint8_t *body, size_t body_cap)
{
    if (c->handle != 0)
        return LARCH_STATE;
    if (ask->echo.len > sizeof c->echo)
        return LARCH_SPACE;
    if (ask->echo.len > 0)
        memmove(c->echo, ask->echo.data, ask->echo.len); /* may be the view that the last answer gave */
    c->echo_len = (uint8_t)ask->echo.len;
    c->endpoint = ep;
    c->peer = ask->peer;
    c->method = ask->method;
    c->szx = LARCH_COAP_BLOCK_SZX;
    c->szx2 = LARCH_COAP_BLOCK_SZX;
    c->etag_len = 0;
    c->echo_tried = false;
    c->restarted = false;
    c->type = ask->type;
    c->flags = ask->flags;
    c->path = ask->path;
    c->query = ask->query;
    c->content_format = ask->content_format;
    c->payload = ask->payload;
    c->payload_at = 0;
    c->body = body;
    c->body_cap = body_cap;
    c->body_len = 0;
    c->requests = 0;
    return send_request(c, now_ms);
}

void larch_coap_client_cancel(larch_coap_client *c)
{
    if (c->handle != 0)
        larch_coap_endpoint_cancel(c->endpoint, c->handle);
    c->handle = 0;
}

/* ---- the answers ------------------------------------------------------- */

/* These return LARCH_OK: go on to the next step; LARCH_AGAIN: send the request
 * that the client now describes; else the end. */

/* The server wants to see its Echo before it acts. [RFC9175 2.3] */
static larch_error take_echo(larch_coap_client *c, const larch_coap_message *m)
{
    larch_bytes echo;
    if (!larch_coap_option_find(m, LARCH_COAP_OPT_ECHO, &echo) || echo.len == 0 || echo.len > sizeof c->echo)
        return LARCH_OK;
    memcpy(c->echo, echo.data, echo.len);
    c->echo_len = (uint8_t)echo.len;
    if (m->code != LARCH_COAP_UNAUTHORIZED || c->echo_tried)
        return LARCH_OK;
    c->echo_tried = true;
    return LARCH_AGAIN;
}

/* The answer to one block of the payload. */
static larch_error take_block1(larch_coap_client *c, const larch_coap_message *m)
{
    larch_bytes value;
    larch_coap_block block;
    size_t size = larch_coap_block_size(c->szx);
    bool given = larch_coap_option_find(m, LARCH_COAP_OPT_BLOCK1, &value);
    if (c->payload.len == 0 || c->body_len > 0)
        return LARCH_OK;
    if (given && larch_coap_block_parse(value, &block) != LARCH_OK)
        return LARCH_MALFORMED;
    if (m->code == LARCH_COAP_REQUEST_ENTITY_TOO_LARGE && given && c->payload_at == 0 && block.szx < c->szx) {
        c->szx = block.szx; /* too large for one block, not in all [RFC7959 2.9.3] */
        return LARCH_AGAIN;
    }
    if (!is_blockwise(c) || LARCH_COAP_CLASS(m->code) != 2)
        return LARCH_OK;
    if (c->payload_at + size >= c->payload.len)
        return m->code == LARCH_COAP_CONTINUE ? LARCH_MALFORMED : LARCH_OK;
    /* 2.31, or a success for this block alone, if the server handles each by itself [RFC7959 2.3] */
    if (!given || block.num != c->payload_at / size || block.szx > c->szx)
        return LARCH_MALFORMED;
    c->payload_at += size;
    c->szx = block.szx;
    return LARCH_AGAIN;
}

static larch_error append(larch_coap_client *c, larch_bytes payload)
{
    if (payload.len > c->body_cap - c->body_len)
        return LARCH_SPACE;
    if (payload.len > 0)
        memcpy(c->body + c->body_len, payload.data, payload.len);
    c->body_len += payload.len;
    return LARCH_OK;
}

/* The first block fixes the ETag; whether this one has the same. [RFC7959 2.4] */
static bool is_same_representation(larch_coap_client *c, const larch_coap_message *m)
{
    larch_bytes etag = {NULL, 0};
    if (larch_coap_option_find(m, LARCH_COAP_OPT_ETAG, &etag) && etag.len > sizeof c->etag)
        etag.len = 0;
    if (c->body_len > 0)
        return larch_bytes_equal(etag, (larch_bytes){c->etag, c->etag_len});
    c->etag_len = (uint8_t)etag.len;
    if (etag.len > 0)
        memcpy(c->etag, etag.data, etag.len);
    return true;
}

/* Begins anew with a representation that changed on the way; not with a payload, which would take effect again. */
static larch_error restart(larch_coap_client *c)
{
    if (c->restarted || c->payload.len > 0)
        return LARCH_MALFORMED;
    c->restarted = true;
    c->body_len = 0;
    return LARCH_AGAIN;
}

static bool exceeds(const larch_coap_client *c, const larch_coap_message *m)
{
    larch_bytes value;
    uint32_t size;
    return larch_coap_option_find(m, LARCH_COAP_OPT_SIZE2, &value) &&
           larch_coap_option_uint(value, &size) == LARCH_OK && size > c->body_cap;
}

/* The whole answer, or one block of it. An error ends the transfer, whichever block it answers. */
static larch_error take_block2(larch_coap_client *c, const larch_coap_message *m)
{
    larch_bytes value;
    larch_coap_block block;
    bool given = larch_coap_option_find(m, LARCH_COAP_OPT_BLOCK2, &value);
    if (LARCH_COAP_CLASS(m->code) != 2) {
        c->body_len = 0;
        c->etag_len = 0;
        return append(c, m->payload);
    }
    if (!given && c->body_len > 0)
        return LARCH_MALFORMED;
    if (!is_same_representation(c, m))
        return restart(c);
    if (!given)
        return append(c, m->payload);
    if (larch_coap_block_parse(value, &block) != LARCH_OK || block.szx > c->szx2)
        return LARCH_MALFORMED;
    size_t size = larch_coap_block_size(block.szx);
    if (block.num * size != c->body_len || (block.more ? m->payload.len != size : m->payload.len > size))
        return LARCH_MALFORMED;
    if (c->body_len == 0 && exceeds(c, m))
        return LARCH_SPACE;
    larch_error e = append(c, m->payload);
    c->szx2 = block.szx;
    return e == LARCH_OK && block.more ? LARCH_AGAIN : e;
}

static larch_error take_response(larch_coap_client *c, const larch_coap_event *event)
{
    const larch_coap_message *m = &event->message;
    larch_error e;
    if ((c->flags & LARCH_COAP_ANY_PEER) != 0) {
        larch_coap_endpoint_cancel(c->endpoint, c->handle);
        c->flags &= ~LARCH_COAP_ANY_PEER;
        c->peer = event->peer;
    }
    if ((e = take_echo(c, m)) != LARCH_OK || (e = take_block1(c, m)) != LARCH_OK)
        return e;
    return take_block2(c, m);
}

larch_error larch_coap_client_take(larch_coap_client *c, uint64_t now_ms, const larch_coap_event *event,
                                   larch_coap_answer *answer)
{
    larch_error e;
    memset(answer, 0, sizeof *answer);
    if (c->handle == 0 || event->handle != c->handle || event->kind == LARCH_COAP_NOTHING)
        return LARCH_AGAIN;
    switch (event->kind) {
    case LARCH_COAP_RESPONSE:
        e = take_response(c, event);
        break;
    case LARCH_COAP_RESET:
        e = LARCH_STATE;
        break;
    default:
        e = LARCH_PLATFORM;
        break;
    }
    c->handle = 0;
    if (e == LARCH_AGAIN) {
        e = send_request(c, now_ms);
        if (e == LARCH_OK)
            return LARCH_AGAIN;
        return e == LARCH_AGAIN ? LARCH_PLATFORM : e;
    }
    if (e != LARCH_OK)
        return e;
    answer->code = event->message.code;
    answer->body = (larch_bytes){c->body, c->body_len};
    answer->etag = (larch_bytes){c->etag, c->etag_len};
    answer->echo = (larch_bytes){c->echo, c->echo_len};
    answer->peer = c->peer;
    answer->requests = c->requests;
    return LARCH_OK;
}
