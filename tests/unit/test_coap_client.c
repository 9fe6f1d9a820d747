/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "coap_pattern.h"
#include "larch/coap_client.h"
#include "sim.h"

/* ---- a server that is scripted ---------------------- */

/* How the server behaves; requests count from 1, so that 0 is never. */
typedef struct script {
    const char *what;
    size_t len;               /* of the representation */
    uint8_t reduce;           /* its largest szx is less than 6 by this */
    uint32_t szx_from;        /* it does so from this request on */
    uint32_t etag_changes;    /* before answering this request */
    bool etag_keeps_changing; /* and before every later one */
    uint32_t size2;           /* what it announces, 0: the truth */
    uint32_t skips;           /* answers this request with the block after */
    uint32_t shortens;        /* the payload of this answer by a byte */
    uint32_t no_block2;       /* in this answer */
    uint32_t larger_szx;      /* in this answer */
    uint32_t fails;           /* answers this request with 4.08 */
    uint32_t fails_again;     /* and this one */
    unsigned echoes;          /* asks for Echo so often */
    uint8_t challenges;       /* so often the client answers that; 0: once */
    /* of an upload */
    size_t payload_len;
    uint32_t too_large;    /* 4.13 to this request, with szx */
    uint32_t wrong_block1; /* confirms another block in this answer */
    bool confirms_each;    /* 2.04 with M = 0 instead of 2.31 */
    bool never_ends;       /* 2.31 to the last block too */
    uint32_t no_block1;    /* in this answer */
    /* what the client makes of it */
    size_t body_cap; /* 0: ample */
    larch_error error;
    uint8_t code;
    uint32_t requests;
} script;

#define CONTENT LARCH_COAP_CONTENT
#define CHANGED LARCH_COAP_CHANGED

static const script scripts[] = {
    {.what = "one message", .len = 1024, .code = CONTENT, .requests = 1},
    {.what = "nothing", .len = 0, .code = CONTENT, .requests = 1},
    {.what = "fits to the byte", .len = 1024, .body_cap = 1024, .code = CONTENT, .requests = 1},
    {.what = "a byte too small", .len = 1024, .body_cap = 1023, .error = LARCH_SPACE, .requests = 1},
    {.what = "two blocks", .len = 1025, .code = CONTENT, .requests = 2},
    {.what = "five blocks", .len = 5000, .code = CONTENT, .requests = 5},
    {.what = "five full blocks", .len = 5120, .body_cap = 5120, .code = CONTENT, .requests = 5},
    {.what = "server prefers 256", .len = 5000, .reduce = 2, .code = CONTENT, .requests = 20},
    {.what = "server prefers 16 from block 2 on",
     .len = 3000,
     .reduce = 6,
     .szx_from = 3,
     .code = CONTENT,
     .requests = 2 + 60},
    {.what = "Size2 too large, told at once", .len = 5000, .body_cap = 4999, .error = LARCH_SPACE, .requests = 1},
    {.what = "Size2 too small", .len = 5000, .size2 = 1, .body_cap = 4999, .error = LARCH_SPACE, .requests = 5},
    {.what = "Size2 wrong but it fits", .len = 5000, .size2 = 1, .code = CONTENT, .requests = 5},
    {.what = "changes once", .len = 5000, .etag_changes = 4, .code = CONTENT, .requests = 4 + 5},
    {.what = "changes before the last", .len = 5000, .etag_changes = 5, .code = CONTENT, .requests = 5 + 5},
    {.what = "changes all the time",
     .len = 5000,
     .etag_changes = 2,
     .etag_keeps_changing = true,
     .error = LARCH_MALFORMED,
     .requests = 4},
    {.what = "skips a block", .len = 5000, .skips = 3, .error = LARCH_MALFORMED, .requests = 3},
    {.what = "begins with the second", .len = 5000, .skips = 1, .error = LARCH_MALFORMED, .requests = 1},
    {.what = "a short block", .len = 5000, .shortens = 3, .error = LARCH_MALFORMED, .requests = 3},
    {.what = "forgets Block2", .len = 5000, .no_block2 = 3, .error = LARCH_MALFORMED, .requests = 3},
    {.what = "grows its blocks", .len = 5000, .reduce = 2, .larger_szx = 3, .error = LARCH_MALFORMED, .requests = 3},
    {.what = "fails at the start",
     .len = 5000,
     .fails = 1,
     .code = LARCH_COAP_REQUEST_ENTITY_INCOMPLETE,
     .requests = 1},
    {.what = "fails on the way", .len = 5000, .fails = 3, .code = LARCH_COAP_REQUEST_ENTITY_INCOMPLETE, .requests = 3},
    {.what = "wants Echo", .len = 100, .echoes = 1, .code = CONTENT, .requests = 2},
    {.what = "wants Echo twice", .len = 100, .echoes = 2, .code = LARCH_COAP_UNAUTHORIZED, .requests = 2},
    {.what = "wants Echo twice, and may", .len = 100, .echoes = 2, .challenges = 2, .code = CONTENT, .requests = 3},
    {.what = "wants Echo three times",
     .len = 100,
     .echoes = 3,
     .challenges = 2,
     .code = LARCH_COAP_UNAUTHORIZED,
     .requests = 3},
    {.what = "wants Echo, then blocks", .len = 5000, .echoes = 1, .code = CONTENT, .requests = 6},

    {.what = "small payload", .payload_len = 1024, .len = 10, .code = CHANGED, .requests = 1},
    {.what = "payload of two blocks", .payload_len = 1025, .len = 10, .code = CHANGED, .requests = 2},
    {.what = "payload of two full blocks", .payload_len = 2048, .len = 0, .code = CHANGED, .requests = 2},
    {.what = "payload wants Echo", .payload_len = 1500, .echoes = 1, .code = CHANGED, .requests = 3},
    {.what = "server reduces to 64", .payload_len = 1500, .reduce = 4, .code = CHANGED, .requests = 1 + 8},
    {.what = "server reduces later", .payload_len = 2048, .reduce = 1, .szx_from = 2, .code = CHANGED, .requests = 2},
    {.what = "4.13 names a size",
     .payload_len = 1500,
     .reduce = 3,
     .too_large = 1,
     .code = CHANGED,
     .requests = 1 + 12},
    {.what = "4.13 to what fitted one",
     .payload_len = 200,
     .reduce = 3,
     .too_large = 1,
     .code = CHANGED,
     .requests = 1 + 2},
    {.what = "4.13 names no smaller one",
     .payload_len = 1500,
     .too_large = 1,
     .code = LARCH_COAP_REQUEST_ENTITY_TOO_LARGE,
     .requests = 1},
    {.what = "4.13 without a payload",
     .len = 100,
     .reduce = 3,
     .too_large = 1,
     .code = LARCH_COAP_REQUEST_ENTITY_TOO_LARGE,
     .requests = 1},
    {.what = "4.13 on the way",
     .payload_len = 1500,
     .reduce = 3,
     .szx_from = 2,
     .too_large = 2,
     .code = LARCH_COAP_REQUEST_ENTITY_TOO_LARGE,
     .requests = 2},
    {.what = "4.08 to the second block", .payload_len = 2000, .fails = 2, .code = CHANGED, .requests = 2 + 2},
    {.what = "4.08 to the third block, with Echo",
     .payload_len = 2050,
     .fails = 4,
     .echoes = 1,
     .code = CHANGED,
     .requests = 1 + 3 + 3},
    {.what = "4.08 twice",
     .payload_len = 2000,
     .fails = 2,
     .fails_again = 4,
     .code = LARCH_COAP_REQUEST_ENTITY_INCOMPLETE,
     .requests = 4},
    {.what = "4.08 to the first block",
     .payload_len = 2000,
     .fails = 1,
     .code = LARCH_COAP_REQUEST_ENTITY_INCOMPLETE,
     .requests = 1},
    {.what = "4.08 to a payload of one block",
     .payload_len = 200,
     .fails = 1,
     .code = LARCH_COAP_REQUEST_ENTITY_INCOMPLETE,
     .requests = 1},
    {.what = "confirms another block", .payload_len = 2000, .wrong_block1 = 1, .error = LARCH_MALFORMED, .requests = 1},
    {.what = "confirms larger blocks",
     .payload_len = 2000,
     .reduce = 2,
     .larger_szx = 2,
     .error = LARCH_MALFORMED,
     .requests = 2},
    {.what = "confirms no block", .payload_len = 2000, .no_block1 = 1, .error = LARCH_MALFORMED, .requests = 1},
    {.what = "each block by itself", .payload_len = 2000, .confirms_each = true, .code = CHANGED, .requests = 2},
    {.what = "goes on after the end", .payload_len = 2000, .never_ends = true, .error = LARCH_MALFORMED, .requests = 2},
    {.what = "blocks both ways", .payload_len = 2000, .len = 3000, .code = CHANGED, .requests = 2 + 2},
    {.what = "answer changes after a payload",
     .payload_len = 100,
     .len = 3000,
     .etag_changes = 2,
     .error = LARCH_MALFORMED,
     .requests = 2},
};

typedef struct server {
    const script *s;
    uint32_t request; /* number */
    unsigned echoes;
    uint8_t etag;
    size_t uploaded;
    uint8_t token[8];
} server;

/* What every request must be like, whatever is asked: the option values of the ask, and payload only while it goes up. */
static void check_request(const server *v, const larch_coap_message *m, const larch_coap_block *up,
                          const larch_coap_block *down)
{
    larch_bytes value;
    uint32_t number;
    assert_int_equal(m->code, v->s->payload_len > 0 ? LARCH_COAP_POST : LARCH_COAP_GET);
    assert_true(larch_coap_path_is(m, "x/y"));
    assert_true(larch_coap_query_find(m, "kem", &value) && larch_bytes_equal(value, LARCH_TEXT("768")));
    assert_int_equal(larch_coap_option_find(m, LARCH_COAP_OPT_CONTENT_FORMAT, &value), m->payload.len > 0);
    if (v->echoes > 0)
        assert_true(larch_coap_option_find(m, LARCH_COAP_OPT_ECHO, &value) &&
                    larch_bytes_equal(value, LARCH_TEXT("echo")));
    if (down != NULL) {
        assert_false(down->more);
        assert_true(up == NULL && m->payload.len == 0);
    }
    bool size1 = larch_coap_option_find(m, LARCH_COAP_OPT_SIZE1, &value);
    assert_int_equal(size1, up != NULL && up->num == 0);
    if (size1) {
        assert_int_equal(larch_coap_option_uint(value, &number), LARCH_OK);
        assert_int_equal(number, v->s->payload_len);
    }
}

static bool find_block(const larch_coap_message *m, uint16_t option, larch_coap_block *block)
{
    larch_bytes value;
    if (!larch_coap_option_find(m, option, &value))
        return false;
    assert_int_equal(larch_coap_block_parse(value, block), LARCH_OK);
    return true;
}

static uint8_t least(uint8_t a, uint8_t c) { return a < c ? a : c; }

/* Answers a block of the payload; true: the body is whole, and its own answer is due. */
static bool serve_upload(server *v, const larch_coap_message *m, const larch_coap_block *up, uint8_t szx,
                         larch_coap_builder *b)
{
    const script *s = v->s;
    if (v->request == s->too_large) {
        b->writer.data[1] = LARCH_COAP_REQUEST_ENTITY_TOO_LARGE;
        larch_coap_build_option_uint(b, LARCH_COAP_OPT_BLOCK1, larch_coap_block_value(block_of(0, true, szx)));
        v->uploaded = 0;
        return false;
    }
    if (up == NULL) {
        assert_true(larch_bytes_equal(m->payload, bytes_of(0, s->payload_len)));
        return true;
    }
    if (up->num == 0)
        v->uploaded = 0;
    assert_int_equal(up->num * larch_coap_block_size(up->szx), v->uploaded);
    assert_true(larch_bytes_equal(m->payload, bytes_of(v->uploaded, m->payload.len)));
    v->uploaded += m->payload.len;
    assert_int_equal(up->more, v->uploaded < s->payload_len);
    if (!up->more && !s->never_ends)
        return true;
    b->writer.data[1] = s->confirms_each ? LARCH_COAP_CHANGED : LARCH_COAP_CONTINUE;
    larch_coap_block confirmed = block_of(up->num, !s->confirms_each, least(up->szx, szx));
    if (v->request == s->wrong_block1)
        confirmed.num++;
    if (v->request == s->larger_szx)
        confirmed.szx++;
    if (v->request != s->no_block1)
        larch_coap_build_option_uint(b, LARCH_COAP_OPT_BLOCK1, larch_coap_block_value(confirmed));
    return false;
}

static void serve_download(const server *v, const larch_coap_block *down, const larch_coap_block *up, uint8_t szx,
                           larch_coap_builder *b)
{
    const script *s = v->s;
    larch_coap_block block = down != NULL ? *down : block_of(0, false, 6);
    size_t at = block.num * larch_coap_block_size(block.szx);
    block.szx = v->request == s->larger_szx ? (uint8_t)(szx + 1) : least(block.szx, szx);
    size_t size = larch_coap_block_size(block.szx);
    if (v->request == s->skips)
        at += size;
    block.num = (uint32_t)(at / size);
    size_t len = s->len - at < size ? s->len - at : size;
    block.more = at + len < s->len;
    const uint8_t etag[] = {v->etag};
    larch_coap_build_option(b, LARCH_COAP_OPT_ETAG, LARCH_BYTES(etag));
    if ((down != NULL || block.more) && v->request != s->no_block2)
        larch_coap_build_option_uint(b, LARCH_COAP_OPT_BLOCK2, larch_coap_block_value(block));
    if (up != NULL)
        larch_coap_build_option_uint(b, LARCH_COAP_OPT_BLOCK1, larch_coap_block_value(*up));
    if (block.num == 0 && block.more)
        larch_coap_build_option_uint(b, LARCH_COAP_OPT_SIZE2, s->size2 != 0 ? s->size2 : (uint32_t)s->len);
    if (v->request == s->shortens)
        len--;
    if (len > 0)
        larch_coap_build_payload(b, bytes_of(at, len));
}

static void serve(server *v, const larch_coap_message *m, larch_coap_builder *b)
{
    const script *s = v->s;
    larch_coap_block up, down;
    bool has_up = find_block(m, LARCH_COAP_OPT_BLOCK1, &up);
    bool has_down = find_block(m, LARCH_COAP_OPT_BLOCK2, &down);
    v->request++;
    uint8_t szx = v->request >= s->szx_from ? (uint8_t)(6 - s->reduce) : 6;
    check_request(v, m, has_up ? &up : NULL, has_down ? &down : NULL);
    if (v->request == s->etag_changes || (s->etag_keeps_changing && v->request > s->etag_changes))
        v->etag++;
    if (v->echoes < s->echoes) {
        v->echoes++;
        b->writer.data[1] = LARCH_COAP_UNAUTHORIZED;
        larch_coap_build_option(b, LARCH_COAP_OPT_ECHO, LARCH_TEXT("echo"));
    } else if (v->request == s->fails || v->request == s->fails_again) {
        b->writer.data[1] = LARCH_COAP_REQUEST_ENTITY_INCOMPLETE;
        larch_coap_build_payload(b, LARCH_TEXT("oh"));
    } else if ((s->payload_len == 0 && v->request != s->too_large) || has_down ||
               serve_upload(v, m, has_up ? &up : NULL, szx, b)) {
        serve_download(v, has_down ? &down : NULL, has_up ? &up : NULL, szx, b);
    }
}

/* ---- */

static const uint16_t understood[] = {LARCH_COAP_OPT_URI_PATH, LARCH_COAP_OPT_BLOCK1, LARCH_COAP_OPT_BLOCK2};

typedef struct caller {
    larch_sim_random source;
    larch_coap_exchange exchanges[4];
    uint8_t answers[4 * LARCH_COAP_EMPTY_LEN];
    larch_coap_endpoint ep;
    larch_coap_target target;
    larch_coap_client client;
    uint8_t body[8192];
    larch_coap_answer answer;
    larch_peer from; /* who gave it */
} caller;

static caller c;

static larch_coap_ask ask_of(const script *s)
{
    return (larch_coap_ask){.method = s->payload_len > 0 ? LARCH_COAP_POST : LARCH_COAP_GET,
                            .path = "x/y",
                            .query = "kem=768",
                            .payload = bytes_of(0, s->payload_len),
                            .content_format = LARCH_COAP_FORMAT_OCTETS,
                            .challenges = s->challenges};
}

static int setup_caller(void **state)
{
    memset(&c, 0, sizeof c);
    c.target = (larch_coap_target){.peer = larch_sim_ipv4(0x0a000001, 5683), .type = LARCH_COAP_CON};
    larch_random random = larch_sim_random_of(&c.source);
    const larch_coap_memory memory = {c.exchanges, COUNT(c.exchanges), c.answers, sizeof c.answers};
    assert_int_equal(larch_coap_endpoint_init(&c.ep, &memory, &random, understood, COUNT(understood)), LARCH_OK);
    return fill_pattern(state);
}

/* Requests to other peers, until no transmission is free. */
static void crowd(void)
{
    larch_coap_builder b;
    uint32_t handle;
    for (uint32_t i = 0;; i++) {
        larch_peer peer = larch_sim_ipv4(0x0a000100 + i, 5683);
        if (larch_coap_endpoint_request(&c.ep, NOW_MS, &peer, LARCH_COAP_CON, LARCH_COAP_GET, 0, NULL, &b, &handle) !=
            LARCH_OK)
            return;
    }
}

/* Carries one request to the server and its answer back. crowded: by then others have taken its transmission. */
static larch_error one_round(server *v, bool crowded)
{
    uint8_t out[LARCH_COAP_DATAGRAM_MAX], reply_bytes[LARCH_COAP_DATAGRAM_MAX];
    larch_peer peer;
    larch_bytes datagram;
    larch_coap_event event;
    larch_coap_message m;
    larch_coap_builder b;
    larch_writer reply = larch_writer_to(reply_bytes, sizeof reply_bytes);
    assert_int_equal(larch_coap_endpoint_poll(&c.ep, NOW_MS, &peer, &datagram, &event), LARCH_OK);
    assert_int_equal(larch_coap_parse(datagram, &m), LARCH_OK);
    larch_coap_build(&b, out, sizeof out, LARCH_COAP_ACK, v->s->payload_len > 0 ? CHANGED : CONTENT, m.message_id,
                     m.token);
    /* Each request of a transfer has its token, and its own message ID. */
    assert_int_equal(m.token.len, 4);
    if (c.client.transfer.requests > 0)
        assert_memory_equal(m.token.data, v->token, 4);
    memcpy(v->token, m.token.data, 4);
    serve(v, &m, &b);
    assert_int_equal(larch_coap_build_end(&b, &datagram), LARCH_OK);
    larch_coap_endpoint_receive(&c.ep, NOW_MS, &peer, false, datagram, &reply, &event);
    assert_int_equal(event.kind, LARCH_COAP_RESPONSE);
    if (crowded)
        crowd();
    c.from = event.peer;
    return larch_coap_client_take(&c.client, NOW_MS, &event, &c.answer);
}

static void check_answer(const script *s, const server *v)
{
    assert_int_equal(c.answer.code, s->code);
    assert_int_equal(c.answer.requests, s->requests);
    assert_true(larch_bytes_equal(c.answer.echo, s->echoes > 0 ? LARCH_TEXT("echo") : (larch_bytes){NULL, 0}));
    if (LARCH_COAP_CLASS(s->code) == 2) {
        assert_true(larch_bytes_equal(c.answer.body, bytes_of(0, s->len)));
        assert_true(c.answer.etag.len == 1 && c.answer.etag.data[0] == v->etag);
    } else {
        larch_bytes text = s->fails != 0 ? LARCH_TEXT("oh") : (larch_bytes){NULL, 0};
        assert_true(larch_bytes_equal(c.answer.body, text));
        assert_int_equal(c.answer.etag.len, 0);
    }
}

static void test_client(void **state)
{
    for (size_t i = 0; i < COUNT(scripts); i++) {
        const script *s = &scripts[i];
        const size_t body_cap = s->body_cap != 0 ? s->body_cap : sizeof c.body;
        server v = {s, 0, 0, 1, 0, {0}};
        setup_caller(state);
        memset(c.body, 0xee, sizeof c.body);
        larch_coap_ask ask = ask_of(s);
        assert_int_equal(larch_coap_client_ask(&c.client, &c.ep, NOW_MS, &c.target, &ask, c.body, body_cap), LARCH_OK);
        assert_int_equal(larch_coap_client_ask(&c.client, &c.ep, NOW_MS, &c.target, &ask, c.body, body_cap),
                         LARCH_STATE);
        larch_error e = LARCH_AGAIN;
        while (e == LARCH_AGAIN && v.request < 1000)
            e = one_round(&v, false);
        if (e != s->error || v.request != s->requests)
            print_error("%s: %s after %u\n", s->what, larch_error_name(e), v.request);
        assert_int_equal(e, s->error);
        assert_int_equal(v.request, s->requests);
        if (e == LARCH_OK)
            check_answer(s, &v);
        else
            assert_true(c.answer.code == 0 && c.answer.body.data == NULL);
        for (size_t k = body_cap; k < sizeof c.body; k++)
            assert_int_equal(c.body[k], 0xee);
        assert_true(larch_coap_endpoint_deadline_ms(&c.ep) == UINT64_MAX);
    }
}

/* Ends that no answer brings about, and events that are for somebody else. */
static void test_client_ends(void **state)
{
    static const script s = {.len = 5000};
    server v = {&s, 0, 0, 1, 0, {0}};
    larch_coap_ask ask = ask_of(&s);
    const larch_coap_event_kind kinds[] = {LARCH_COAP_RESET, LARCH_COAP_TIMEOUT};
    for (size_t i = 0; i < COUNT(kinds); i++) {
        setup_caller(state);
        assert_int_equal(larch_coap_client_ask(&c.client, &c.ep, NOW_MS, &c.target, &ask, c.body, sizeof c.body),
                         LARCH_OK);
        larch_coap_event event = {.kind = kinds[i], .handle = c.client.handle + 1};
        assert_int_equal(larch_coap_client_take(&c.client, NOW_MS, &event, &c.answer), LARCH_AGAIN);
        event = (larch_coap_event){.kind = LARCH_COAP_NOTHING, .handle = c.client.handle};
        assert_int_equal(larch_coap_client_take(&c.client, NOW_MS, &event, &c.answer), LARCH_AGAIN);
        event.kind = kinds[i];
        assert_int_equal(larch_coap_client_take(&c.client, NOW_MS, &event, &c.answer),
                         kinds[i] == LARCH_COAP_RESET ? LARCH_RESET : LARCH_TIMEOUT);
        assert_int_equal(larch_coap_client_take(&c.client, NOW_MS, &event, &c.answer), LARCH_AGAIN); /* idle */
        event.handle = 0;
        assert_int_equal(larch_coap_client_take(&c.client, NOW_MS, &event, &c.answer), LARCH_AGAIN);
    }

    /* An answer that had to be rejected would only come again. */
    setup_caller(state);
    assert_int_equal(larch_coap_client_ask(&c.client, &c.ep, NOW_MS, &c.target, &ask, c.body, sizeof c.body), LARCH_OK);
    const larch_coap_event rejected = {
        .kind = LARCH_COAP_NOTHING, .drop = LARCH_COAP_DROP_BAD_OPTION, .handle = c.client.handle, .bad_option = 9};
    assert_int_equal(larch_coap_client_take(&c.client, NOW_MS, &rejected, &c.answer), LARCH_MALFORMED);
    assert_int_equal(c.client.handle, 0);
    assert_true(larch_coap_endpoint_deadline_ms(&c.ep) == UINT64_MAX);

    /* Each random call fails in turn: at once, or between two blocks. */
    for (unsigned calls = 1; calls <= 5; calls++) {
        setup_caller(state);
        v.request = 0;
        c.source.fails_at = c.source.calls + calls;
        larch_error e = larch_coap_client_ask(&c.client, &c.ep, NOW_MS, &c.target, &ask, c.body, sizeof c.body);
        assert_int_equal(e, calls == 1 ? LARCH_PLATFORM : LARCH_OK);
        if (e != LARCH_OK)
            continue;
        while ((e = one_round(&v, false)) == LARCH_AGAIN)
            ;
        assert_int_equal(e, LARCH_PLATFORM);
        assert_int_equal(v.request, calls - 1);
    }
    assert_true(larch_coap_endpoint_deadline_ms(&c.ep) == UINT64_MAX);

    /* No room for the next request is no reason to wait for ever. */
    setup_caller(state);
    v.request = 0;
    assert_int_equal(larch_coap_client_ask(&c.client, &c.ep, NOW_MS, &c.target, &ask, c.body, sizeof c.body), LARCH_OK);
    assert_int_equal(one_round(&v, true), LARCH_BUSY);
    assert_int_equal(larch_coap_client_ask(&c.client, &c.ep, NOW_MS, &c.target, &ask, c.body, sizeof c.body),
                     LARCH_BUSY);
    assert_int_equal(c.client.handle, 0);

    setup_caller(state);
    assert_int_equal(larch_coap_client_ask(&c.client, &c.ep, NOW_MS, &c.target, &ask, c.body, sizeof c.body), LARCH_OK);
    larch_coap_client_cancel(&c.client);
    larch_coap_client_cancel(&c.client);
    assert_true(larch_coap_endpoint_deadline_ms(&c.ep) == UINT64_MAX);

    /* What cannot be sent leaves nothing behind. */
    uint8_t echo[41] = {0};
    ask.echo = LARCH_BYTES(echo);
    assert_int_equal(larch_coap_client_ask(&c.client, &c.ep, NOW_MS, &c.target, &ask, c.body, sizeof c.body),
                     LARCH_SPACE);
    ask.echo.len = 0;
    char path[LARCH_COAP_DATAGRAM_MAX];
    for (size_t k = 0; k < sizeof path; k++)
        path[k] = k % 200 == 199 ? '/' : 'p';
    path[sizeof path - 1] = '\0';
    ask.path = path;
    assert_int_equal(larch_coap_client_ask(&c.client, &c.ep, NOW_MS, &c.target, &ask, c.body, sizeof c.body),
                     LARCH_SPACE);
    ask.path = "x/y";
    assert_int_equal(larch_coap_client_ask(&c.client, &c.ep, NOW_MS, &c.target, &ask, c.body, sizeof c.body), LARCH_OK);
}

/* A block number has 20 bits: what the server's small blocks would number beyond cannot be sent. */
static void test_client_numbers_end(void **state)
{
    static const script s = {.payload_len = 1u << 24, .reduce = 6, .too_large = 1};
    for (size_t less = 0; less < 2; less++) {
        server v = {&s, 0, 0, 1, 0, {0}};
        setup_caller(state);
        uint8_t *payload = calloc(1, s.payload_len);
        assert_non_null(payload);
        larch_coap_ask ask = ask_of(&s);
        ask.payload = (larch_bytes){payload, s.payload_len};
        assert_int_equal(larch_coap_client_ask(&c.client, &c.ep, NOW_MS, &c.target, &ask, c.body, sizeof c.body),
                         LARCH_OK);
        c.client.transfer.payload.len -= less; /* after the Size1 that the server checks */
        assert_int_equal(one_round(&v, false), less > 0 ? LARCH_AGAIN : LARCH_SPACE);
        free(payload);
    }
}

/* The first of a group to answer is asked for the rest; the Echo of one ask serves the next. */
static void test_client_group_and_echo(void **state)
{
    static const script s = {.len = 1500, .echoes = 1};
    server v = {&s, 0, 0, 1, 0, {0}};
    (void)state;
    larch_coap_ask ask = ask_of(&s);
    c.target.peer = larch_sim_ipv4(0xffffffff, 5683);
    c.target.flags = LARCH_COAP_ANY_PEER;
    assert_int_equal(larch_coap_client_ask(&c.client, &c.ep, NOW_MS, &c.target, &ask, c.body, sizeof c.body), LARCH_OK);
    larch_peer to;
    larch_bytes datagram;
    larch_coap_event event;
    larch_coap_message m;
    larch_coap_builder b;
    uint8_t out[LARCH_COAP_DATAGRAM_MAX], reply_bytes[LARCH_COAP_DATAGRAM_MAX];
    larch_writer reply = larch_writer_to(reply_bytes, sizeof reply_bytes);
    assert_int_equal(larch_coap_endpoint_poll(&c.ep, NOW_MS, &to, &datagram, &event), LARCH_OK);
    assert_true(larch_peer_equal(&to, &c.target.peer));
    assert_int_equal(larch_coap_parse(datagram, &m), LARCH_OK);
    larch_coap_build(&b, out, sizeof out, LARCH_COAP_ACK, CONTENT, m.message_id, m.token);
    memcpy(v.token, m.token.data, sizeof v.token / 2);
    serve(&v, &m, &b);
    assert_int_equal(larch_coap_build_end(&b, &datagram), LARCH_OK);
    const larch_peer gateway = larch_sim_ipv4(0x0a000007, 5683);
    larch_coap_endpoint_receive(&c.ep, NOW_MS, &gateway, false, datagram, &reply, &event);
    assert_int_equal(larch_coap_client_take(&c.client, NOW_MS, &event, &c.answer), LARCH_AGAIN);
    assert_int_equal(c.client.target.flags, 0); /* from now on that one alone */
    assert_int_equal(one_round(&v, false), LARCH_AGAIN);
    assert_int_equal(one_round(&v, false), LARCH_OK);
    assert_true(larch_peer_equal(&c.from, &gateway));
    assert_int_equal(c.answer.requests, 3);
    assert_true(larch_coap_endpoint_deadline_ms(&c.ep) == UINT64_MAX);

    c.target.flags = 0;
    ask.echo = c.answer.echo;
    assert_int_equal(larch_coap_client_ask(&c.client, &c.ep, NOW_MS, &c.target, &ask, c.body, sizeof c.body), LARCH_OK);
    assert_int_equal(one_round(&v, false), LARCH_AGAIN); /* check_request sees the Echo */
    assert_int_equal(one_round(&v, false), LARCH_OK);
    assert_int_equal(c.answer.requests, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_client, setup_caller),
        cmocka_unit_test_setup(test_client_ends, setup_caller),
        cmocka_unit_test_setup(test_client_numbers_end, setup_caller),
        cmocka_unit_test_setup(test_client_group_and_echo, setup_caller),
    };
    return cmocka_run_group_tests(tests, fill_pattern, NULL);
}
