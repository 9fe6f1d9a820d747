/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server with two services of the tests' own. "first" accepts messages of one byte, which is their mark, and answers
 * one path with a large body; "second" has a path of its own, and one that the first has too.
 */
#ifndef LARCH_TESTS_SERVER_BENCH_H
#define LARCH_TESTS_SERVER_BENCH_H

#include "gateway_bench.h"
#include "larch/service.h"

enum { SB_MARKS = 256, SB_LARGE = 3000, SB_TEXT = 20, SB_ANSWER = 200, SB_SLOTS = 8, SB_NO_ROOM_S = 30 };

/* What the journal of a service knows of a mark. */
typedef enum sb_mark { SB_ABSENT, SB_RESERVED, SB_KEPT, SB_DURABLE } sb_mark;

typedef struct sb_service {
    larch_service service;
    sb_mark marks[SB_MARKS];
    unsigned ran;        /* requests that a resource carried out */
    unsigned opened;     /* messages that were opened after they were admitted */
    unsigned commits;    /* calls of commit */
    unsigned keeps;      /* calls of keep that worked */
    unsigned concluded;  /* answers built for held messages */
    unsigned maintained; /* calls of maintain */
    unsigned keep_fails; /* so many more calls of keep fail */
    unsigned fails;      /* and of commit */
    bool wiped;
    uint64_t deadline_ms; /* of its own */
} sb_service;

typedef struct server_bench {
    larch_server srv;
    larch_server_config config;
    sb_service first, second;
    larch_sim_random random_state;
    larch_random random;
    uint64_t now_ms;
    larch_coap_exchange exchanges[64];
    uint8_t answers[4096];
    larch_server_slot slots[SB_SLOTS];
    uint8_t pool[SB_SLOTS * LARCH_COAP_DATAGRAM_MAX];
    larch_server_body bodies[2];
    uint8_t body_bytes[2 * SB_LARGE];
    larch_reach_entry reach[16];
    unsigned told[LARCH_EVENT_COUNT];
} server_bench;

/* ---- the first service ------------------------------------------------- */

static inline uint8_t sb_large_at(size_t i) { return (uint8_t)(i ^ i >> 8 ^ 0x5a); }

/* Not safe: it counts. */
static inline void sb_post_large(void *context, const larch_request *rq)
{
    static uint8_t large[SB_LARGE];
    sb_service *s = context;
    larch_bytes body;
    if (!larch_request_body(rq, &body))
        return;
    s->ran++;
    for (size_t i = 0; i < sizeof large; i++)
        large[i] = sb_large_at(i);
    larch_request_answer(rq, &(larch_answer){.code = LARCH_COAP_CHANGED,
                                             .is_in_blocks = true,
                                             .has_format = true,
                                             .format = LARCH_COAP_FORMAT_OCTETS,
                                             .body = LARCH_BYTES(large)});
}

static inline void sb_post_message(void *context, const larch_request *rq)
{
    sb_service *s = context;
    larch_bytes body;
    if (!larch_request_body(rq, &body))
        return;
    s->ran++;
    bench_require(body.len >= 1 && body.len <= SB_TEXT);
    const larch_acceptance a = {
        .identity = {.len = 2, .bytes = {'T', body.data[0]}}, .mark = body.data[0], .text_len = body.len};
    if (larch_request_pending(rq, &a) != NULL) {
        larch_request_follow(rq, &a);
    } else if (s->marks[a.mark] != SB_ABSENT) {
        larch_request_answer(rq, &(larch_answer){.code = LARCH_COAP_CONFLICT, .body = LARCH_TEXT("REPLAY")});
    } else {
        s->marks[a.mark] = SB_RESERVED;
        memcpy(larch_request_text(rq), body.data, body.len);
        larch_request_accept(rq, &a);
    }
}

/* Admits a message and its mark first, as a service does that has to open it. */
static inline void sb_post_marked(void *context, const larch_request *rq)
{
    if (!larch_request_admit(rq) || !larch_request_admit_mark(rq))
        return;
    ((sb_service *)context)->opened++;
    sb_post_message(context, rq);
}

static inline void sb_post_root(void *context, const larch_request *rq)
{
    (void)context;
    if (larch_request_admit(rq) && larch_request_admit_root(rq))
        larch_request_answer(rq, &(larch_answer){.code = LARCH_COAP_CHANGED});
}

static inline void sb_get_name(void *context, const larch_request *rq)
{
    const sb_service *s = context;
    const larch_bytes name = {(const uint8_t *)s->service.name, strlen(s->service.name)};
    larch_request_answer(rq, &(larch_answer){.code = LARCH_COAP_CONTENT, .is_safe = true, .body = name});
}

/* ---- what becomes of messages ------------------------------------------ */

static inline larch_error sb_keep(void *context, const larch_acceptance *message)
{
    sb_service *s = context;
    bench_require(s->marks[message->mark] == SB_RESERVED);
    if (s->keep_fails > 0) {
        s->keep_fails--;
        return LARCH_PLATFORM;
    }
    s->keeps++;
    s->marks[message->mark] = SB_KEPT;
    return LARCH_OK;
}

static inline void sb_drop(void *context, const larch_acceptance *message)
{
    sb_service *s = context;
    bench_require(s->marks[message->mark] == SB_RESERVED);
    s->marks[message->mark] = SB_ABSENT;
}

static inline larch_error sb_commit(void *context)
{
    sb_service *s = context;
    s->commits++;
    if (s->fails > 0) {
        s->fails--;
        return LARCH_PLATFORM;
    }
    for (size_t i = 0; i < SB_MARKS; i++)
        s->marks[i] = s->marks[i] == SB_KEPT ? SB_DURABLE : s->marks[i];
    return LARCH_OK;
}

static inline bool sb_is_durable(const void *context)
{
    const sb_service *s = context;
    for (size_t i = 0; i < SB_MARKS; i++)
        if (s->marks[i] == SB_KEPT)
            return false;
    return true;
}

/* The largest answer there is room for, to the messages of longest text. */
static inline void sb_conclude(void *context, larch_server *srv, uint64_t now_ms, const larch_held *held,
                               larch_answer *answer)
{
    sb_service *s = context;
    (void)srv;
    (void)now_ms;
    s->concluded++;
    bench_require(!held->stored || s->marks[held->message->mark] == SB_DURABLE); /* no answer before its mark */
    if (held->stored && !held->follows)
        *answer = (larch_answer){.code = LARCH_COAP_CHANGED, .body = LARCH_TEXT("OK")};
    else if (held->stored)
        *answer = (larch_answer){.code = LARCH_COAP_CONFLICT, .body = LARCH_TEXT("REPLAY")};
    else
        *answer = (larch_answer){.code = LARCH_COAP_SERVICE_UNAVAILABLE, .max_age_s = SB_NO_ROOM_S};
}

static inline void sb_maintain(void *context, larch_server *srv, uint64_t now_ms)
{
    (void)srv;
    (void)now_ms;
    ((sb_service *)context)->maintained++;
}

static inline uint64_t sb_deadline_ms(const void *context) { return ((const sb_service *)context)->deadline_ms; }
static inline void sb_wipe(void *context) { ((sb_service *)context)->wiped = true; }

/* ---- life -------------------------------------------------------------- */

static const uint16_t sb_formats[] = {LARCH_COAP_FORMAT_TEXT, LARCH_COAP_FORMAT_NONE};
static const larch_resource sb_first_resources[] = {
    {.path = "large", .rt = "t.large", .post = sb_post_large, .formats = sb_formats},
    {.path = "message", .rt = "t.message", .post = sb_post_message, .formats = sb_formats},
    {.path = "shared", .rt = "t.shared", .get = sb_get_name, .formats = sb_formats},
    {.path = "hidden", .get = sb_get_name, .formats = sb_formats},
    {.path = "marked", .post = sb_post_marked, .formats = sb_formats},
    {.path = "root", .post = sb_post_root, .formats = sb_formats},
};
static const larch_resource sb_second_resources[] = {
    {.path = "shared", .rt = "t.shared", .get = sb_get_name, .post = sb_get_name, .formats = sb_formats},
    {.path = "a/path/of/its/own", .rt = "t.own", .get = sb_get_name, .formats = sb_formats},
};

static inline void sb_service_begin(sb_service *s, const char *name, const larch_resource *resources, size_t count)
{
    memset(s, 0, sizeof *s);
    s->deadline_ms = UINT64_MAX;
    s->service = (larch_service){.name = name,
                                 .context = s,
                                 .resources = resources,
                                 .resource_count = count,
                                 .keep = sb_keep,
                                 .drop = sb_drop,
                                 .commit = sb_commit,
                                 .is_durable = sb_is_durable,
                                 .conclude = sb_conclude,
                                 .maintain = sb_maintain,
                                 .deadline_ms = sb_deadline_ms,
                                 .wipe = sb_wipe};
}

static inline void sb_note(void *context, const larch_event *event) { ((server_bench *)context)->told[event->kind]++; }

/* Everything but the server itself. */
static inline void sb_prepare(server_bench *b)
{
    memset(b, 0, sizeof *b);
    b->random_state.state = 1;
    b->random = larch_sim_random_of(&b->random_state);
    b->now_ms = 1000000;
    sb_service_begin(&b->first, "first", sb_first_resources, sizeof sb_first_resources / sizeof *sb_first_resources);
    b->first.service.text_max = SB_TEXT;
    b->first.service.answer_max = SB_ANSWER;
    b->first.service.body_max = SB_LARGE;
    sb_service_begin(&b->second, "second", sb_second_resources,
                     sizeof sb_second_resources / sizeof *sb_second_resources);
    b->config = (larch_server_config){.random = &b->random,
                                      .event = sb_note,
                                      .context = b,
                                      .coap = {b->exchanges, 64, b->answers, sizeof b->answers},
                                      .slots = b->slots,
                                      .slot_count = SB_SLOTS,
                                      .pool = b->pool,
                                      .pool_len = sizeof b->pool,
                                      .bodies = b->bodies,
                                      .body_count = 2,
                                      .body_bytes = b->body_bytes,
                                      .body_bytes_len = sizeof b->body_bytes,
                                      .reach = b->reach,
                                      .reach_count = 16,
                                      .limits = bench_limits()};
}

static inline larch_error sb_start(server_bench *b)
{
    const larch_service *const services[] = {&b->first.service, &b->second.service};
    return larch_server_init(&b->srv, &b->config, services, 2);
}

static inline void sb_begin(server_bench *b)
{
    sb_prepare(b);
    bench_require(sb_start(b) == LARCH_OK);
}

/* ---- in and out -------------------------------------------------------- */

static inline larch_error sb_receive(server_bench *b, const larch_peer *peer, const bench_ask *ask)
{
    uint8_t out[LARCH_COAP_DATAGRAM_MAX];
    return larch_server_receive(&b->srv, b->now_ms, peer, false, bench_compose(ask, out));
}

/* A message of one byte. */
static inline larch_error sb_post(server_bench *b, const larch_peer *peer, uint16_t message_id, uint8_t mark)
{
    return sb_receive(b, peer,
                      &(bench_ask){.code = LARCH_COAP_POST,
                                   .message_id = message_id,
                                   .token = LARCH_TEXT("token..8"),
                                   .path = "message",
                                   .payload = {&mark, 1}});
}

/* The next datagram, as a message in answer->bytes. */
static inline larch_error sb_send(server_bench *b, bench_answer *answer)
{
    larch_bytes datagram;
    memset(answer, 0, sizeof *answer);
    answer->error = larch_server_send(&b->srv, b->now_ms, &answer->peer, &datagram);
    if (answer->error == LARCH_OK) {
        answer->any = true;
        answer->len = datagram.len;
        bench_require(datagram.len > 0 && datagram.len <= sizeof answer->bytes);
        memcpy(answer->bytes, datagram.data, datagram.len);
        bench_require(larch_coap_parse((larch_bytes){answer->bytes, answer->len}, &answer->message) == LARCH_OK);
    }
    return answer->error;
}

/* Pulls the whole batch and settles all of it alike. Returns how many messages it had. */
static inline unsigned sb_settle(server_bench *b, larch_settlement settlement)
{
    larch_accepted batch[SB_SLOTS];
    unsigned count = 0;
    while (larch_server_accepted(&b->srv, b->now_ms, &batch[count]) == LARCH_OK)
        bench_require(++count < SB_SLOTS);
    for (unsigned i = 0; i < count; i++)
        bench_require(larch_server_settle(&b->srv, &batch[i], settlement) == LARCH_OK);
    return count;
}

#endif
