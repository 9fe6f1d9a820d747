/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first byte picks the side. Client: each group of bytes is the next answer
 * of a server that mostly keeps to the rules; body and payload are blocks
 * of their own, so that a sanitizer sees a byte too far. Server: each group is the
 * next block of an upload, and a body that comes out whole must be one.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "larch/coap_block.h"

#define BODY_CAP 700

static const uint16_t understood[] = {LARCH_COAP_OPT_BLOCK1, LARCH_COAP_OPT_BLOCK2};
static const larch_peer peer = {.address = {[10] = 0xff, [11] = 0xff, [15] = 1}, .port = 5683};

static larch_error count_up(void *context, uint8_t *out, size_t len)
{
    uint8_t *next = context;
    for (size_t i = 0; i < len; i++)
        out[i] = (*next)++;
    return LARCH_OK;
}

static uint8_t take(larch_reader *script)
{
    uint8_t byte;
    return larch_reader_take_u8(script, &byte) == LARCH_OK ? byte : 0;
}

/* What stands at this place of every body. */
static uint8_t at_place(size_t place) { return (uint8_t)(place ^ place >> 8); }

static void build_payload(larch_coap_builder *b, size_t place, size_t len)
{
    uint8_t *to = len > 0 ? larch_coap_build_payload_reserve(b, len) : NULL;
    for (size_t i = 0; to != NULL && i < len; i++)
        to[i] = at_place(place + i);
}

static bool is_whole(larch_bytes body)
{
    for (size_t i = 0; i < body.len; i++)
        if (body.data[i] != at_place(i))
            return false;
    return true;
}

/* The block that the byte describes: near num, with a length that is mostly right. */
static size_t pick_block(uint8_t how, uint32_t num, larch_coap_block *block)
{
    block->szx = how & 7;
    block->more = (how & 8) != 0;
    block->num = (num + (how >> 4 & 1) - (how >> 5 & 1)) & 0xfffff;
    size_t size = larch_coap_block_size(block->szx & 3);
    return (how & 64) != 0 ? size : size - 1;
}

/* ---- client ------------------------------------------------------------ */

static const uint8_t codes[] = {LARCH_COAP_CONTENT,      LARCH_COAP_CHANGED,   LARCH_COAP_CONTINUE,
                                LARCH_COAP_UNAUTHORIZED, LARCH_COAP_NOT_FOUND, LARCH_COAP_REQUEST_ENTITY_TOO_LARGE};

/* The answer to m; its blocks follow those that m asks for or brings. */
static larch_bytes next_answer(larch_reader *script, const larch_coap_message *m, uint8_t *out, size_t cap)
{
    uint8_t code = take(script), which = take(script), up = take(script), down = take(script);
    larch_coap_block asked = {0, false, 0}, block;
    larch_bytes value, datagram;
    larch_coap_builder b;
    size_t len = which >> 4, place = 0;
    larch_coap_build(&b, out, cap, LARCH_COAP_ACK, codes[code % sizeof codes], m->message_id, m->token);
    if ((which & 1) != 0)
        larch_coap_build_option(&b, LARCH_COAP_OPT_ETAG, (larch_bytes){&code, 1});
    if ((which & 2) != 0) {
        if (larch_coap_option_find(m, LARCH_COAP_OPT_BLOCK2, &value))
            require(larch_coap_block_parse(value, &asked) == LARCH_OK);
        len = pick_block(down, asked.num, &block);
        place = block.num * larch_coap_block_size(block.szx);
        larch_coap_build_option_uint(&b, LARCH_COAP_OPT_BLOCK2, block.num << 4 | (uint32_t)block.more << 3 | block.szx);
    }
    if ((which & 4) != 0) {
        asked.num = 0;
        if (larch_coap_option_find(m, LARCH_COAP_OPT_BLOCK1, &value))
            require(larch_coap_block_parse(value, &asked) == LARCH_OK);
        (void)pick_block(up, asked.num, &block);
        larch_coap_build_option_uint(&b, LARCH_COAP_OPT_BLOCK1, block.num << 4 | (uint32_t)block.more << 3 | block.szx);
    }
    if ((which & 8) != 0)
        larch_coap_build_option_uint(&b, LARCH_COAP_OPT_ECHO, 7);
    build_payload(&b, place, len);
    require(larch_coap_build_end(&b, &datagram) == LARCH_OK);
    return datagram;
}

static void play_server(larch_reader *script)
{
    uint8_t random_next = 0;
    const larch_random random = {count_up, &random_next};
    larch_coap_exchange exchanges[2];
    static larch_coap_endpoint ep;
    static uint8_t pattern[300];
    larch_coap_client client = {.handle = 0};
    larch_coap_answer answer;
    uint8_t how = take(script);
    uint8_t *body = malloc(BODY_CAP);
    require(body != NULL);
    require(larch_coap_endpoint_init(&ep, exchanges, 2, &random, understood, 2) == LARCH_OK);
    const larch_coap_ask ask = {.peer = peer,
                                .method = LARCH_COAP_POST,
                                .path = "p",
                                .payload = {pattern, (how & 1) != 0 ? sizeof pattern : 0},
                                .content_format = 0xffff};
    larch_error e = larch_coap_client_ask(&client, &ep, 0, &ask, body, BODY_CAP);
    require(e == LARCH_OK);
    for (e = LARCH_AGAIN; e == LARCH_AGAIN && script->left.len > 0;) {
        uint8_t out[256], reply_bytes[LARCH_COAP_DATAGRAM_MAX];
        larch_writer reply = larch_writer_to(reply_bytes, sizeof reply_bytes);
        larch_coap_event event;
        larch_coap_message m;
        larch_peer to;
        larch_bytes datagram;
        require(larch_coap_endpoint_poll(&ep, 0, &to, &datagram, &event) == LARCH_OK);
        require(larch_coap_parse(datagram, &m) == LARCH_OK);
        datagram = next_answer(script, &m, out, sizeof out);
        larch_coap_endpoint_receive(&ep, 0, &peer, false, datagram, &reply, &event);
        require(event.kind == LARCH_COAP_RESPONSE);
        e = larch_coap_client_take(&client, 0, &event, &answer);
    }
    if (e == LARCH_AGAIN)
        larch_coap_client_cancel(&client);
    if (e == LARCH_OK)
        require(answer.body.len <= BODY_CAP && (LARCH_COAP_CLASS(answer.code) != 2 || is_whole(answer.body)));
    require(larch_coap_endpoint_deadline_ms(&ep) == UINT64_MAX);
    free(body);
}

/* ---- server ------------------------------------------------------------ */

static void play_client(larch_reader *script)
{
    static larch_coap_reassembly reassembly;
    uint8_t random_next = 0;
    const larch_random random = {count_up, &random_next};
    uint32_t num = 0;
    uint64_t now_ms = 0;
    require(larch_coap_reassembly_init(&reassembly, &random) == LARCH_OK);
    while (script->left.len > 0) {
        uint8_t out[256], how = take(script), who = take(script);
        larch_coap_builder b;
        larch_coap_block block, echoed;
        larch_coap_message m;
        larch_bytes datagram, body;
        larch_peer from = peer;
        bool blockwise;
        from.port = who & 7;
        now_ms += (uint64_t)(who >> 4) * 2000;
        size_t len = pick_block(how, num, &block);
        larch_coap_build(&b, out, sizeof out, LARCH_COAP_CON, LARCH_COAP_POST, 1, (larch_bytes){NULL, 0});
        larch_coap_build_option_uint(&b, LARCH_COAP_OPT_BLOCK1, block.num << 4 | (uint32_t)block.more << 3 | block.szx);
        build_payload(&b, block.num * larch_coap_block_size(block.szx), len);
        require(larch_coap_build_end(&b, &datagram) == LARCH_OK);
        require(larch_coap_parse(datagram, &m) == LARCH_OK);
        larch_error e = larch_coap_reassembly_take(&reassembly, now_ms, &from, &m, &blockwise, &echoed, &body);
        require(blockwise);
        require((e != LARCH_OK && e != LARCH_AGAIN) ||
                (echoed.num == block.num && echoed.more == block.more && echoed.szx == block.szx));
        require(e != LARCH_OK || (!block.more && body.len <= LARCH_COAP_BODY_MAX && is_whole(body)));
        require(e != LARCH_AGAIN || (block.more && body.len == 0));
        num = e == LARCH_AGAIN ? block.num + 1 : 0;
    }
}
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    larch_reader script = larch_reader_of((larch_bytes){data, size});
    if ((take(&script) & 1) != 0)
        play_client(&script);
    else
        play_server(&script);
    return 0;
}
