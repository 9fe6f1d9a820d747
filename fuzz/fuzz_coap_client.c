/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client's transfer against a server that may answer anything. The first byte picks payload and body, then each
 * group is the next response: one that mostly keeps to the rules, or raw options and payload. Whatever it says, the
 * transfer asks for nothing outside payload and body, writes nothing outside body, and ends.
 */
#include <string.h>

#include "blocks.h"
#include "larch/coap_transfer.h"

#define CANARY                      0xee
#define CANARY_LEN                  16
#define PAYLOAD_MAX                 2100
#define RAW                         0x80 /* in a group's first byte: the rest are a length, and as many raw bytes */
#define RESPONSE_CAP                320
/* A block of 16 bytes at a time, both ways, and all of it twice; sizes that shrink; an Echo. */
#define REQUESTS_MAX(payload, body) (2 * ((payload) / 16 + (body) / 16) + 16)

static const size_t payload_lens[] = {0, 300, PAYLOAD_MAX, 1024};
static const size_t body_caps[] = {700, 0, 15, 3000};
static const uint8_t codes[] = {LARCH_COAP_CONTENT,      LARCH_COAP_CHANGED,   LARCH_COAP_CONTINUE,
                                LARCH_COAP_UNAUTHORIZED, LARCH_COAP_NOT_FOUND, LARCH_COAP_REQUEST_ENTITY_TOO_LARGE};

typedef struct play {
    larch_reader script;
    larch_coap_transfer transfer;
    size_t payload_len, body_cap;
    size_t requests; /* that were answered */
    bool raw;        /* a raw response was taken: the body may be anything */
} play;

/* ---- requests ---------------------------------------------------------- */

static bool find_block(const larch_coap_message *m, uint16_t number, larch_coap_block *block)
{
    larch_bytes value;
    *block = (larch_coap_block){0, false, 0};
    if (!larch_coap_option_find(m, number, &value))
        return false;
    require(larch_coap_block_parse(value, block) == LARCH_OK);
    return true;
}

/* The request as the server sees it: never beyond what there is to say, or room to hear. */
static void check_request(const play *p, const larch_coap_message *m)
{
    larch_coap_block up, down;
    const bool blockwise_up = find_block(m, LARCH_COAP_OPT_BLOCK1, &up);
    const bool blockwise_down = find_block(m, LARCH_COAP_OPT_BLOCK2, &down);
    const size_t at = blockwise_up ? up.num * larch_coap_block_size(up.szx) : 0;
    require(at + m->payload.len <= p->payload_len);
    for (size_t i = 0; i < m->payload.len; i++)
        require(m->payload.data[i] == at_place(at + i));
    if (blockwise_up)
        require(!blockwise_down && up.more == (at + m->payload.len < p->payload_len) && m->payload.len > 0);
    else
        require(m->payload.len == (blockwise_down ? 0 : p->payload_len));
    require(!down.more && down.num * larch_coap_block_size(down.szx) <= p->body_cap);
}

/* Composes the next request; its memory is out's. */
static void next_request(const play *p, uint8_t out[LARCH_COAP_DATAGRAM_MAX], larch_coap_message *m)
{
    larch_coap_builder b;
    larch_bytes datagram;
    larch_coap_build(&b, out, LARCH_COAP_DATAGRAM_MAX, LARCH_COAP_CON, larch_coap_transfer_method(&p->transfer), 1,
                     (larch_bytes){NULL, 0});
    require(larch_coap_transfer_compose_request(&p->transfer, &b) == LARCH_OK);
    require(larch_coap_build_end(&b, &datagram) == LARCH_OK);
    require(larch_coap_parse(datagram, m) == LARCH_OK);
    check_request(p, m);
}

/* ---- responses --------------------------------------------------------- */

/* A header, and what the script holds behind it. */
static bool raw_response(play *p, uint8_t code, uint8_t out[RESPONSE_CAP], larch_coap_message *m)
{
    larch_bytes bytes;
    size_t len = take(&p->script);
    if (len > p->script.left.len)
        len = p->script.left.len;
    require(larch_reader_take(&p->script, len, &bytes) == LARCH_OK);
    larch_coap_builder b;
    larch_coap_build(&b, out, RESPONSE_CAP, LARCH_COAP_ACK, codes[code % sizeof codes], 1, (larch_bytes){NULL, 0});
    larch_writer_put(&b.writer, bytes);
    p->raw = true;
    return larch_coap_parse((larch_bytes){out, b.writer.len}, m) == LARCH_OK;
}

/* Its blocks follow those that the request asks for or brings. */
static void near_response(play *p, uint8_t code, const larch_coap_message *request, uint8_t out[RESPONSE_CAP],
                          larch_coap_message *m)
{
    const uint8_t which = take(&p->script), up = take(&p->script), down = take(&p->script);
    larch_coap_block asked, block;
    larch_bytes datagram;
    larch_coap_builder b;
    size_t len = which >> 4, place = 0;
    larch_coap_build(&b, out, RESPONSE_CAP, LARCH_COAP_ACK, codes[code % sizeof codes], 1, (larch_bytes){NULL, 0});
    if ((which & 1) != 0)
        larch_coap_build_option(&b, LARCH_COAP_OPT_ETAG, (larch_bytes){&code, 1});
    if ((which & 2) != 0) {
        (void)find_block(request, LARCH_COAP_OPT_BLOCK2, &asked);
        len = pick_block(down, asked.num, &block);
        place = block.num * larch_coap_block_size(block.szx);
        larch_coap_build_option_uint(&b, LARCH_COAP_OPT_BLOCK2, block.num << 4 | (uint32_t)block.more << 3 | block.szx);
    }
    if ((which & 4) != 0) {
        (void)find_block(request, LARCH_COAP_OPT_BLOCK1, &asked);
        (void)pick_block(up, asked.num, &block);
        larch_coap_build_option_uint(&b, LARCH_COAP_OPT_BLOCK1, block.num << 4 | (uint32_t)block.more << 3 | block.szx);
    }
    if ((which & 8) != 0)
        larch_coap_build_option_uint(&b, LARCH_COAP_OPT_ECHO, 7);
    build_payload(&b, place, len);
    require(larch_coap_build_end(&b, &datagram) == LARCH_OK);
    require(larch_coap_parse(datagram, m) == LARCH_OK);
}

/* ---- the whole of it --------------------------------------------------- */

/* One request and its response; LARCH_AGAIN: on with the next. */
static larch_error one_round(play *p, larch_coap_answer *answer)
{
    uint8_t request_bytes[LARCH_COAP_DATAGRAM_MAX], response_bytes[RESPONSE_CAP];
    larch_coap_message request, response;
    next_request(p, request_bytes, &request);
    const uint8_t code = take(&p->script);
    if ((code & RAW) == 0)
        near_response(p, code, &request, response_bytes, &response);
    else if (!raw_response(p, code, response_bytes, &response))
        return LARCH_AGAIN; /* an endpoint would have dropped it, and sent the request again */
    require(++p->requests <= REQUESTS_MAX(p->payload_len, p->body_cap));
    return larch_coap_transfer_process_response(&p->transfer, &response, answer);
}

static void check_end(play *p, larch_error e, const larch_coap_answer *answer)
{
    larch_coap_builder b;
    larch_coap_answer none;
    uint8_t out[16];
    const larch_coap_message message = {.code = LARCH_COAP_CONTENT};
    require(e == LARCH_OK || e == LARCH_SPACE || e == LARCH_MALFORMED);
    require(answer->body.len <= p->body_cap && answer->etag.len <= 8 && answer->echo.len <= 40);
    require(answer->requests == (e == LARCH_OK ? p->requests : 0));
    if (e == LARCH_OK)
        require(p->raw || LARCH_COAP_CLASS(answer->code) != 2 || is_whole(answer->body));
    else
        require(answer->code == 0 && answer->body.len == 0);
    larch_coap_build(&b, out, sizeof out, LARCH_COAP_CON, LARCH_COAP_GET, 1, (larch_bytes){NULL, 0});
    require(larch_coap_transfer_compose_request(&p->transfer, &b) == LARCH_STATE);
    require(larch_coap_transfer_process_response(&p->transfer, &message, &none) == LARCH_STATE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t payload[PAYLOAD_MAX];
    play p = {.script = larch_reader_of((larch_bytes){data, size})};
    const uint8_t how = take(&p.script);
    larch_coap_answer answer;
    for (size_t i = 0; i < sizeof payload; i++)
        payload[i] = at_place(i);
    p.payload_len = payload_lens[how & 3];
    p.body_cap = body_caps[how >> 2 & 3];
    uint8_t *body = malloc(p.body_cap + CANARY_LEN);
    require(body != NULL);
    memset(body, CANARY, p.body_cap + CANARY_LEN);
    const larch_coap_ask ask = {.method = LARCH_COAP_POST,
                                .path = "p",
                                .payload = {payload, p.payload_len},
                                .content_format = (how & 16) != 0 ? LARCH_COAP_FORMAT_OCTETS : 0xffff};
    require(larch_coap_transfer_begin(&p.transfer, &ask, body, p.body_cap) == LARCH_OK);
    larch_error e = LARCH_AGAIN;
    while (e == LARCH_AGAIN && p.script.left.len > 0)
        e = one_round(&p, &answer);
    if (e != LARCH_AGAIN)
        check_end(&p, e, &answer);
    for (size_t i = 0; i < CANARY_LEN; i++)
        require(body[p.body_cap + i] == CANARY);
    free(body);
    return 0;
}
