/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two gateways that differ in one thing: the same datagrams are handed to one of them one by one,
 * to the other several at once. Whatever both tell and answer is written down and compared,
 * and so is what they remember and store.
 */
#ifndef LARCH_TESTS_GATEWAY_PAIR_H
#define LARCH_TESTS_GATEWAY_PAIR_H

#include "gateway_bench.h"

enum { PAIR_SLOTS = 16, PAIR_LOG = 1 << 17 };

typedef struct pair_side {
    bench b;
    bool together;
    larch_server_slot slots[PAIR_SLOTS];
    uint8_t pool[PAIR_SLOTS * LARCH_COAP_DATAGRAM_MAX];
    larch_trace trace;
    unsigned rotations;      /* to be made when the next MALFORMED is told */
    unsigned decapsulations; /* of sealed messages */
    unsigned groups;         /* of them made side by side */
    unsigned answered;
    void (*answer)(void *context, larch_bytes datagram); /* called for each answer, if set */
    larch_writer log;
    uint8_t log_bytes[PAIR_LOG];
} pair_side;

typedef struct pair {
    pair_side one, many;
} pair;

/* ---- what is written down ---------------------------------------------- */

static inline void pair_put_peer(larch_writer *w, const larch_peer *peer)
{
    larch_writer_put(w, LARCH_BYTES(peer->address));
    larch_writer_put_u32(w, peer->scope);
    larch_writer_put_u16(w, peer->port);
}

static inline void pair_put_bytes(larch_writer *w, larch_bytes bytes)
{
    larch_writer_put_u16(w, (uint16_t)bytes.len);
    larch_writer_put(w, bytes);
}

static inline void pair_note(void *context, const larch_event *event)
{
    pair_side *s = context;
    larch_writer *w = &s->log;
    larch_writer_put_u8(w, 'e');
    larch_writer_put_u8(w, (uint8_t)event->kind);
    pair_put_peer(w, &event->peer);
    larch_writer_put_u16(w, event->kem != NULL ? event->kem->set : 0);
    const char *detail = event->detail != NULL ? event->detail : "";
    pair_put_bytes(w, (larch_bytes){(const uint8_t *)detail, strlen(detail)});
    larch_writer_put_u32(w, event->generation);
    bench_note(&s->b, event);
    for (; event->kind == LARCH_EVENT_MALFORMED && s->rotations > 0; s->rotations--)
        larch_writer_put_u8(w, (uint8_t)larch_gateway_rotate(&s->b.gw, s->b.now_ms, larch_kem_at(0)));
}

static inline void pair_note_accepted(void *context, larch_bytes text)
{
    pair_side *s = context;
    larch_writer_put_u8(&s->log, 'm');
    pair_put_peer(&s->log, &s->b.message.peer);
    pair_put_bytes(&s->log, (larch_bytes){s->b.message.identity.bytes, s->b.message.identity.len});
    pair_put_bytes(&s->log, text);
}

static inline void pair_step(void *context, larch_step step, bool begin, size_t bytes)
{
    pair_side *s = context;
    if (step != LARCH_STEP_KEM_DECAPS || begin)
        return;
    s->decapsulations += (unsigned)(bytes / LARCH_KEM_SS_LEN);
    s->groups += bytes > LARCH_KEM_SS_LEN;
}

/* ---- life -------------------------------------------------------------- */

static inline void pair_side_begin(pair_side *s, bool together, uint64_t seed, uint32_t marks, size_t slots,
                                   const larch_reach_limits *limits)
{
    memset(s, 0, sizeof *s);
    s->together = together;
    s->log = larch_writer_to(s->log_bytes, sizeof s->log_bytes);
    bench_prepare(&s->b, seed, marks);
    s->trace = (larch_trace){pair_step, s};
    s->b.config.server.trace = &s->trace;
    s->b.config.server.event = pair_note;
    s->b.config.server.context = s;
    s->b.config.server.slots = s->slots;
    s->b.config.server.slot_count = slots;
    s->b.config.server.pool = s->pool;
    s->b.config.server.pool_len = sizeof s->pool;
    s->b.accepted = pair_note_accepted;
    s->b.context = s;
    s->b.config.server.limits = *limits;
    bench_require(bench_start(&s->b) == LARCH_OK);
}

static inline void pair_begin(pair *p, uint64_t seed, uint32_t marks, size_t slots, const larch_reach_limits *limits)
{
    pair_side_begin(&p->one, false, seed, marks, slots, limits);
    pair_side_begin(&p->many, true, seed, marks, slots, limits);
}

static inline void pair_end(pair *p)
{
    bench_end(&p->one.b);
    bench_end(&p->many.b);
}

/* ---- in and out -------------------------------------------------------- */

static inline void pair_side_collect(pair_side *s)
{
    larch_peer peer;
    larch_bytes datagram;
    larch_error e;
    while ((e = bench_send(&s->b, &peer, &datagram)) == LARCH_OK) {
        larch_writer_put_u8(&s->log, 'd');
        pair_put_peer(&s->log, &peer);
        pair_put_bytes(&s->log, datagram);
        s->answered++;
        if (s->answer != NULL)
            s->answer(s->b.context, datagram);
    }
    larch_writer_put_u8(&s->log, (uint8_t)e);
    if (e == LARCH_PLATFORM) /* a storage that failed once; on from when it is tried again */
        s->b.now_ms = larch_gateway_deadline_ms(&s->b.gw);
}

static inline void pair_side_give(pair_side *s, const larch_server_datagram *in, size_t count)
{
    larch_gateway *gw = &s->b.gw;
    size_t taken;
    for (size_t done = 0; done < count; done += taken) {
        larch_error e;
        if (s->together) {
            e = larch_gateway_receive_many(gw, s->b.now_ms, in + done, count - done, &taken);
            bench_require(e == LARCH_OK ? taken == count - done : e == LARCH_AGAIN && taken < count - done);
        } else {
            e = larch_gateway_receive(gw, s->b.now_ms, &in[done].peer, in[done].multicast, in[done].bytes);
            bench_require(e == LARCH_OK || e == LARCH_AGAIN);
            taken = e == LARCH_OK;
        }
        if (e == LARCH_AGAIN)
            pair_side_collect(s);
    }
    pair_side_collect(s);
}

/* Hands the same to both. */
static inline void pair_give(pair *p, const larch_server_datagram *in, size_t count)
{
    pair_side_give(&p->one, in, count);
    pair_side_give(&p->many, in, count);
}

/* ---- comparing --------------------------------------------------------- */

static inline bool pair_same_memory(const bench *a, const bench *b)
{
    bool same =
        a->now_ms == b->now_ms && a->gw.direct.maintain_at_ms == b->gw.direct.maintain_at_ms &&
        larch_gateway_deadline_ms(&a->gw) == larch_gateway_deadline_ms(&b->gw) &&
        memcmp(a->gw.server.count, b->gw.server.count, sizeof a->gw.server.count) == 0 &&
        memcmp(a->gw.server.endpoint.drops, b->gw.server.endpoint.drops, sizeof a->gw.server.endpoint.drops) == 0 &&
        memcmp(a->gw.server.reach.totals, b->gw.server.reach.totals, sizeof a->gw.server.reach.totals) == 0;
    for (size_t i = 0; i < BENCH_EXCHANGES; i++) {
        const larch_coap_exchange *x = &a->exchanges[i], *y = &b->exchanges[i];
        same = same && x->until_ms == y->until_ms && x->message_id == y->message_id && x->content == y->content &&
               x->answer_len == y->answer_len && x->answer_at == y->answer_at && larch_peer_equal(&x->peer, &y->peer);
    }
    return same && memcmp(a->reach, b->reach, sizeof a->reach) == 0 &&
           memcmp(a->answers, b->answers, sizeof a->answers) == 0 &&
           memcmp(a->replay, b->replay, sizeof a->replay) == 0;
}

static inline bool pair_same_storage(const larch_flash *a, const larch_flash *b)
{
    bool same = a->operations == b->operations;
    for (size_t i = 0; i < LARCH_FLASH_FILES; i++) {
        const larch_flash_file *x = &a->files[i];
        if (x->name[0] != '\0')
            same = same && larch_bytes_equal(larch_flash_look(a, x->name), larch_flash_look(b, x->name)) &&
                   memcmp(x->durable, b->files[i].durable, x->size) == 0;
        else
            same = same && b->files[i].name[0] == '\0';
    }
    return same;
}

/* Whether both told, answered, remember and stored the same since the last look. */
static inline bool pair_is_same(pair *p)
{
    larch_bytes one = {0}, many = {0};
    bench_require(larch_writer_finish(&p->one.log, &one) == LARCH_OK &&
                  larch_writer_finish(&p->many.log, &many) == LARCH_OK);
    bool same = larch_bytes_equal(one, many) && pair_same_memory(&p->one.b, &p->many.b) &&
                pair_same_storage(&p->one.b.flash, &p->many.b.flash);
    p->one.log.len = p->many.log.len = 0;
    return same;
}

#endif
