/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gateway with all its memory over the simulated disk, for tests: it counts what the
 * gateway tells, composes requests, and hands one in and its answer out.
 */
#ifndef LARCH_TESTS_GATEWAY_BENCH_H
#define LARCH_TESTS_GATEWAY_BENCH_H

#include <stdlib.h>
#include <string.h>

#include "flash.h"
#include "larch/crypto.h"
#include "larch/gateway.h"
#include "sim.h"

enum { BENCH_SLOTS = 4, BENCH_BATCH = 32, BENCH_MARKS = 64, BENCH_EXCHANGES = 64, BENCH_REACH = 64 };

typedef struct bench {
    larch_flash flash;
    larch_storage storage;
    larch_sim_random random_state;
    larch_random random;
    uint64_t now_ms;
    larch_gateway gw;
    larch_gateway_config config;
    larch_coap_exchange exchanges[BENCH_EXCHANGES];
    uint8_t answers[BENCH_EXCHANGES * LARCH_COAP_EMPTY_LEN * 8];
    larch_server_slot slots[BENCH_SLOTS];
    uint8_t pool[BENCH_SLOTS * LARCH_COAP_DATAGRAM_MAX];
    larch_reach_entry reach[BENCH_REACH];
    uint64_t replay[LARCH_DIRECT_SETS][2][BENCH_MARKS];
    char faulty[LARCH_STORAGE_NAME_MAX + 1];
    larch_store_fault fault;

    unsigned told[LARCH_EVENT_COUNT]; /* over all starts; accepted messages when they are stored */
    larch_event last;
    larch_accepted message; /* the last one; its text is in text */
    uint8_t text[LARCH_DIRECT_TEXT_MAX];
    void (*accepted)(void *context, larch_bytes text); /* called for each message, if set */
    void *context;

    /* An outbox that never fails: of it the gateway needs to know the last batch at its next start. */
    unsigned no_room; /* so many messages are not stored */
    larch_accepted_id last_batch[BENCH_BATCH];
    size_t last_batch_count;
} bench;

static inline void bench_require(bool holds)
{
    if (!holds)
        abort();
}

static inline void bench_note(void *context, const larch_event *event)
{
    bench *b = context;
    b->told[event->kind]++;
    b->last = *event;
}

/* The limits by default, but bytes without end: answers to strangers are as large as they come. */
static inline larch_reach_limits bench_limits(void)
{
    larch_reach_limits limits = larch_reach_default_limits();
    limits.excess_prefix_rate = limits.excess_total_rate = 0;
    return limits;
}

/* Everything but the gateway itself; marks: so many for each key. */
static inline void bench_prepare(bench *b, uint64_t seed, uint32_t marks)
{
    memset(b, 0, sizeof *b);
    larch_flash_init(&b->flash, seed);
    b->storage = larch_flash_storage(&b->flash);
    b->random_state = (larch_sim_random){.state = seed};
    b->random = larch_sim_random_of(&b->random_state);
    b->now_ms = 1000000;
    b->config.server = (larch_server_config){
        .random = &b->random,
        .event = bench_note,
        .context = b,
        .coap = {b->exchanges, BENCH_EXCHANGES, b->answers, sizeof b->answers},
        .slots = b->slots,
        .slot_count = BENCH_SLOTS,
        .pool = b->pool,
        .pool_len = sizeof b->pool,
        .reach = b->reach,
        .reach_count = BENCH_REACH,
        .limits = bench_limits(),
    };
    b->config.direct = (larch_direct_config){.storage = &b->storage, .replay_slots = marks, .grace_ms = 3600000};
    for (size_t i = 0; i < LARCH_DIRECT_SETS; i++)
        for (size_t half = 0; half < 2; half++)
            b->config.direct.replay[i][half] = b->replay[i][half];
}

/* Also a restart: over the same disk and outbox, with nothing left in memory. */
static inline larch_error bench_start(bench *b)
{
    larch_error e = larch_gateway_init(&b->gw, b->now_ms, &b->config, b->faulty, &b->fault);
    for (size_t i = 0; e == LARCH_OK && i < b->last_batch_count; i++)
        e = larch_direct_service_remember(&b->gw.direct, &b->last_batch[i]);
    return e == LARCH_OK && b->last_batch_count > 0 ? larch_direct_service_commit(&b->gw.direct) : e;
}

/* Stores what was accepted, and settles it. */
static inline larch_error bench_settle(bench *b)
{
    larch_accepted batch[BENCH_BATCH];
    larch_error e;
    size_t count = 0;
    while ((e = larch_gateway_accepted(&b->gw, b->now_ms, &batch[count])) == LARCH_OK)
        bench_require(++count < BENCH_BATCH);
    for (size_t i = 0; i < count; i++) {
        const larch_settlement settlement = b->no_room > 0 ? LARCH_SETTLED_NO_ROOM : LARCH_SETTLED_STORED;
        if (i == 0)
            b->last_batch_count = 0;
        if (settlement == LARCH_SETTLED_STORED) {
            b->last_batch[b->last_batch_count++] = batch[i].identity;
            b->told[LARCH_EVENT_ACCEPTED]++;
            b->message = batch[i];
            memcpy(b->text, batch[i].text.data, batch[i].text.len);
            b->message.text.data = b->text;
            if (b->accepted != NULL)
                b->accepted(b->context, batch[i].text);
        } else {
            b->no_room--;
        }
        bench_require(larch_gateway_settle(&b->gw, &batch[i], settlement) == LARCH_OK);
    }
    return e == LARCH_AGAIN ? LARCH_OK : e;
}

/* Stores, settles and sends. */
static inline larch_error bench_send(bench *b, larch_peer *peer, larch_bytes *datagram)
{
    const larch_error e = bench_settle(b);
    return e == LARCH_OK ? larch_gateway_send(&b->gw, b->now_ms, peer, datagram) : e;
}

static inline void bench_begin(bench *b, uint64_t seed, uint32_t marks)
{
    bench_prepare(b, seed, marks);
    bench_require(bench_start(b) == LARCH_OK);
}

static inline void bench_end(bench *b)
{
    larch_gateway_wipe(&b->gw);
    larch_flash_free(&b->flash);
}

/* ---- requests ---------------------------------------------------------- */

enum { BENCH_NONE = -1 };

/* A request; zero is a confirmable Empty one without options: set what matters. */
typedef struct bench_ask {
    larch_coap_type type;
    uint8_t code;
    uint16_t message_id;
    larch_bytes token;
    const char *path;
    const char *query;
    bool has_format, has_accept, has_block1, has_block2;
    uint32_t format;
    uint32_t accept;
    larch_coap_block block1, block2;
    uint16_t extra; /* another option, empty; 0: none; above Block1 */
    larch_bytes etag, oscore, echo, payload;
} bench_ask;

static inline larch_bytes bench_compose(const bench_ask *ask, uint8_t out[LARCH_COAP_DATAGRAM_MAX])
{
    larch_coap_builder b;
    larch_bytes datagram;
    larch_coap_build(&b, out, LARCH_COAP_DATAGRAM_MAX, ask->type, ask->code, ask->message_id, ask->token);
    if (ask->etag.len > 0)
        larch_coap_build_option(&b, LARCH_COAP_OPT_ETAG, ask->etag);
    if (ask->oscore.len > 0)
        larch_coap_build_option(&b, LARCH_COAP_OPT_OSCORE, ask->oscore);
    larch_coap_build_path(&b, ask->path);
    if (ask->has_format)
        larch_coap_build_option_uint(&b, LARCH_COAP_OPT_CONTENT_FORMAT, ask->format);
    if (ask->query != NULL)
        larch_coap_build_option(&b, LARCH_COAP_OPT_URI_QUERY,
                                (larch_bytes){(const uint8_t *)ask->query, strlen(ask->query)});
    if (ask->has_accept)
        larch_coap_build_option_uint(&b, LARCH_COAP_OPT_ACCEPT, ask->accept);
    if (ask->has_block2)
        larch_coap_build_option_uint(&b, LARCH_COAP_OPT_BLOCK2, larch_coap_block_value(ask->block2));
    if (ask->has_block1)
        larch_coap_build_option_uint(&b, LARCH_COAP_OPT_BLOCK1, larch_coap_block_value(ask->block1));
    if (ask->extra != 0)
        larch_coap_build_option(&b, ask->extra, (larch_bytes){NULL, 0});
    if (ask->echo.len > 0)
        larch_coap_build_option(&b, LARCH_COAP_OPT_ECHO, ask->echo);
    larch_coap_build_payload(&b, ask->payload);
    bench_require(larch_coap_build_end(&b, &datagram) == LARCH_OK);
    return datagram;
}

/* What came back; the views of message point into bytes, so it is not copied. */
typedef struct bench_answer {
    bool any;
    larch_error error; /* of the last bench_send */
    larch_peer peer;
    larch_coap_message message; /* all zero if there is none */
    size_t len;
    uint8_t bytes[LARCH_COAP_DATAGRAM_MAX];
} bench_answer;

/* Takes what is due out of the gateway; at most one datagram is expected. */
static inline void bench_collect(bench *b, bench_answer *answer)
{
    larch_bytes datagram;
    larch_peer peer;
    memset(answer, 0, sizeof *answer);
    while ((answer->error = bench_send(b, &peer, &datagram)) == LARCH_OK) {
        bench_require(!answer->any && datagram.len > 0 && datagram.len <= sizeof answer->bytes);
        answer->any = true;
        answer->peer = peer;
        answer->len = datagram.len;
        memcpy(answer->bytes, datagram.data, datagram.len);
        bench_require(larch_coap_parse((larch_bytes){answer->bytes, answer->len}, &answer->message) == LARCH_OK);
    }
}

static inline void bench_say(bench *b, const larch_peer *peer, bool multicast, const bench_ask *ask,
                             bench_answer *answer)
{
    uint8_t out[LARCH_COAP_DATAGRAM_MAX];
    bench_require(larch_gateway_receive(&b->gw, b->now_ms, peer, multicast, bench_compose(ask, out)) == LARCH_OK);
    bench_collect(b, answer);
}

/* ---- sealed messages --------------------------------------------------- */

typedef struct bench_sealed {
    size_t len;
    uint8_t bytes[LARCH_COAP_BODY_MAX];
} bench_sealed;

/* Seals to the key that the gateway serves now. */
static inline void bench_seal(bench *b, const larch_kem *kem, larch_bytes text, bench_sealed *out)
{
    const larch_bytes ek = larch_gateway_key_of(&b->gw, kem, NULL, NULL);
    bench_require(larch_direct_seal(kem, &b->random, NULL, ek, text, out->bytes, sizeof out->bytes, &out->len, NULL) ==
                  LARCH_OK);
}

/* Posts it in one datagram, so ML-KEM-512 and a short text. */
static inline void bench_post(bench *b, const larch_peer *peer, uint16_t message_id, const bench_sealed *sealed,
                              bench_answer *answer)
{
    const bench_ask ask = {.code = LARCH_COAP_POST,
                           .message_id = message_id,
                           .token = LARCH_TEXT("tk"),
                           .path = LARCH_DIRECT_PATH_DATA,
                           .payload = {sealed->bytes, sealed->len}};
    bench_say(b, peer, false, &ask, answer);
}

static inline bool bench_answers(const bench_answer *answer, uint8_t code, const char *text)
{
    return answer->any && answer->message.code == code &&
           larch_bytes_equal(answer->message.payload, (larch_bytes){(const uint8_t *)text, strlen(text)});
}

#endif
