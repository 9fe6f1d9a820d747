/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "honest.h"

#define NEVER UINT64_MAX

enum { TEXT_LEN = 17, FIRST_PORT = 40000, SETTLE_MS = 200000, PATIENCE_MS = 60000 };

/* ---- one message --------------------------------------------------------- */

static void text_of(const honest *h, unsigned message, uint8_t text[TEXT_LEN])
{
    char line[32];
    snprintf(line, sizeof line, "honest %03u %06u", h->number, message);
    memcpy(text, line, TEXT_LEN);
}

static void end_message(honest *h, bool through)
{
    h->busy = false;
    h->through += through;
    h->posted = false;
    if (through && !h->stored[(h->begun - 1) % HONEST_MESSAGES])
        h->group->lost++;
}

static void note_stored(void *context, larch_bytes text)
{
    honest_group *g = context;
    char line[TEXT_LEN + 1] = {0};
    unsigned number, message;
    memcpy(line, text.data, text.len < TEXT_LEN ? text.len : TEXT_LEN);
    if (sscanf(line, "honest %3u %6u", &number, &message) != 2) {
        g->strange++;
        return;
    }
    bench_require(number < HONEST_COUNT);
    bool *stored = &g->senders[number].stored[message % HONEST_MESSAGES];
    g->twice += *stored;
    *stored = true;
}

/* ---- larch --------------------------------------------------------------- */

static void run_sender(honest *h)
{
    const larch_sender_config config = {.random = &h->group->random,
                                        .kem = h->group->kem,
                                        .peer = h->group->w->address,
                                        .patience_ms = PATIENCE_MS,
                                        .trust = &h->group->trust};
    if (h->running)
        larch_sender_wipe(&h->sender);
    bench_require(larch_sender_init(&h->sender, world_now(h->group->w), &config) == LARCH_OK);
    h->running = true;
}

/* Drives what is under way: fetch, then post, then the verdict. */
static void advance_sender(honest *h, uint64_t now_ms)
{
    uint8_t text[TEXT_LEN];
    if (!h->busy)
        return;
    switch (larch_sender_state_of(&h->sender)) {
    case LARCH_SENDER_IDLE:
        bench_require(larch_sender_fetch(&h->sender, now_ms) == LARCH_OK);
        break;
    case LARCH_SENDER_READY:
        if (h->posted) {
            end_message(h, larch_sender_proven(&h->sender));
            break;
        }
        text_of(h, h->begun - 1, text);
        bench_require(larch_sender_post(&h->sender, now_ms, LARCH_BYTES(text)) == LARCH_OK);
        h->posted = true;
        break;
    case LARCH_SENDER_FAILED:
        h->refusals += larch_sender_refused(&h->sender);
        end_message(h, false);
        run_sender(h);
        break;
    default:
        break;
    }
}

/* ---- prototype ----------------------------------------------------------- */

static void ask(honest *h, uint64_t now_ms, const char *path, larch_bytes payload)
{
    prototype *p = &h->proto;
    const bench_ask what = {.code = LARCH_COAP_POST, .message_id = ++p->message_id, .path = path, .payload = payload};
    p->len = bench_compose(&what, p->datagram).len;
    p->waits = true;
    p->sent = 0;
    p->due_ms = now_ms;
    p->timeout_ms = LARCH_COAP_ACK_TIMEOUT_MS + larch_sim_below(h->group->w->sim, LARCH_COAP_ACK_TIMEOUT_MS / 2);
}

static void advance_prototype(honest *h, uint64_t now_ms)
{
    prototype *p = &h->proto;
    uint8_t text[TEXT_LEN], sealed[LARCH_COAP_BODY_MAX];
    size_t len;
    if (!h->busy || p->waits)
        return;
    p->asks_key = !p->has_key;
    if (p->asks_key) {
        ask(h, now_ms, LARCH_DIRECT_PATH_KEY, (larch_bytes){0});
        return;
    }
    text_of(h, h->begun - 1, text);
    bench_require(larch_direct_seal(h->group->kem, &h->group->random, NULL, (larch_bytes){p->ek, h->group->kem->ek_len},
                                    LARCH_BYTES(text), sealed, sizeof sealed, &len, NULL) == LARCH_OK);
    ask(h, now_ms, LARCH_DIRECT_PATH_DATA, (larch_bytes){sealed, len});
}

static void prototype_receive(honest *h, uint64_t now_ms, larch_bytes datagram)
{
    prototype *p = &h->proto;
    larch_coap_message m;
    if (!p->waits || larch_coap_parse(datagram, &m) != LARCH_OK || m.message_id != p->message_id)
        return;
    if (p->asks_key && !larch_coap_path_is(&m, LARCH_DIRECT_PATH_KEY))
        return; /* that is how it tells the key from everything else */
    p->waits = false;
    if (p->asks_key) {
        p->has_key = m.payload.len == h->group->kem->ek_len;
        if (p->has_key)
            memcpy(p->ek, m.payload.data, m.payload.len);
        else
            end_message(h, false);
    } else {
        const bool ok = larch_direct_answer_find(m.payload) == LARCH_DIRECT_OK;
        p->has_key = ok; /* it fetches the key anew after a refusal */
        end_message(h, ok);
    }
    advance_prototype(h, now_ms);
}

static void prototype_send(honest *h, uint64_t now_ms)
{
    prototype *p = &h->proto;
    if (!p->waits || now_ms < p->due_ms)
        return;
    if (p->sent > LARCH_COAP_MAX_RETRANSMIT) {
        p->waits = false;
        end_message(h, false);
        return;
    }
    p->sent++;
    p->due_ms = now_ms + p->timeout_ms;
    p->timeout_ms *= 2;
    larch_sim_send(h->group->w->sim, &h->address, &h->group->w->address, (larch_bytes){p->datagram, p->len});
}

/* ---- as hosts of the network --------------------------------------------- */

static void begin_messages(honest *h, uint64_t now_ms)
{
    const honest_group *g = h->group;
    for (; now_ms >= h->next_ms && h->next_ms < g->until_ms; h->next_ms += g->every_ms)
        h->offered++;
    if (h->next_ms >= g->until_ms)
        h->next_ms = NEVER;
    if (h->busy || h->begun == h->offered)
        return;
    h->busy = true;
    h->begun++;
    h->stored[(h->begun - 1) % HONEST_MESSAGES] = false;
    if (h->kind == HONEST_NEW)
        run_sender(h);
}

static void drive(honest *h, uint64_t now_ms)
{
    larch_peer peer;
    larch_bytes datagram;
    begin_messages(h, now_ms);
    if (h->kind == HONEST_PROTOTYPE) {
        advance_prototype(h, now_ms);
        prototype_send(h, now_ms);
        return;
    }
    advance_sender(h, now_ms);
    advance_sender(h, now_ms); /* a fetch that is done at once */
    while (larch_sender_send(&h->sender, now_ms, &peer, &datagram) == LARCH_OK)
        larch_sim_send(h->group->w->sim, &h->address, &peer, datagram);
    advance_sender(h, now_ms); /* a timeout */
}

static void host_receive(void *context, uint64_t now_ms, const larch_peer *from, bool multicast, larch_bytes datagram)
{
    honest *h = context;
    (void)multicast;
    if (h->kind == HONEST_PROTOTYPE)
        prototype_receive(h, now_ms, datagram);
    else
        larch_sender_receive(&h->sender, now_ms, from, datagram);
    drive(h, now_ms);
}

static void host_poll(void *context, uint64_t now_ms) { drive(context, now_ms); }

static uint64_t host_deadline(void *context)
{
    const honest *h = context;
    uint64_t deadline_ms = NEVER;
    if (!h->busy && h->begun < h->offered)
        return 0;
    if (h->kind != HONEST_PROTOTYPE)
        deadline_ms = larch_sender_deadline_ms(&h->sender);
    else if (h->proto.waits)
        deadline_ms = h->proto.due_ms;
    return h->next_ms < deadline_ms ? h->next_ms : deadline_ms;
}

/* ---- life ---------------------------------------------------------------- */

static void place(honest_group *g, unsigned number, honest_kind kind)
{
    honest *h = &g->senders[number];
    h->group = g;
    h->kind = kind;
    h->number = number;
    h->next_ms = NEVER;
    /* The even ones share a prefix, as in a home. */
    h->address = larch_sim_ipv4(0x0a010000 + (number % 2 == 0 ? number + 2 : (number << 8) + 2), FIRST_PORT);
    run_sender(h);
    world_befriend(g->w, &h->address);
    const larch_sim_node node = {h->address, h, host_receive, host_poll, host_deadline};
    larch_sim_add(g->w->sim, &node);
}

honest_group *honest_begin(world *w, const larch_kem *kem, const unsigned counts[HONEST_KINDS])
{
    honest_group *g = calloc(1, sizeof *g);
    unsigned number = 0;
    bench_require(g != NULL);
    g->w = w;
    g->kem = kem;
    g->random_state.state = 77;
    g->random = larch_sim_random_of(&g->random_state);
    g->trust = (larch_trust_basis){.pinned = true, .pin.kind = LARCH_FINGERPRINT_IDENTITY};
    memcpy(g->trust.pin.bytes, larch_direct_service_identity(&w->b.gw.direct, NULL), LARCH_FINGERPRINT_LEN);
    w->stored = note_stored;
    w->context = g;
    for (unsigned kind = 0; kind < HONEST_KINDS; kind++)
        for (unsigned i = 0; i < counts[kind]; i++)
            place(g, number++, (honest_kind)kind);
    bench_require(number == HONEST_COUNT);
    return g;
}

void honest_end(honest_group *g)
{
    for (size_t i = 0; i < HONEST_COUNT; i++)
        larch_sender_wipe(&g->senders[i].sender);
    free(g);
}

void honest_offer(honest_group *g, unsigned kinds, uint64_t every_ms, uint64_t for_ms)
{
    const uint64_t now_ms = world_now(g->w);
    g->every_ms = every_ms;
    g->until_ms = now_ms + for_ms;
    for (size_t i = 0; i < HONEST_COUNT; i++)
        if ((kinds & HONEST_BIT(g->senders[i].kind)) != 0)
            g->senders[i].next_ms = now_ms + every_ms * i / HONEST_COUNT;
}

static bool is_settled(const honest_group *g)
{
    for (size_t i = 0; i < HONEST_COUNT; i++) {
        const honest *h = &g->senders[i];
        if (h->busy || h->begun < h->offered || h->next_ms != NEVER)
            return false;
    }
    return true;
}

void honest_settle(honest_group *g)
{
    const uint64_t end_ms = g->until_ms + SETTLE_MS;
    while (!is_settled(g) && world_now(g->w) < end_ms)
        world_run(g->w, WORLD_TICK_MS);
}

void honest_recount(honest_group *g)
{
    g->strange = 0;
    g->counted_ms = world_now(g->w);
    for (size_t i = 0; i < HONEST_COUNT; i++) {
        honest *h = &g->senders[i];
        h->offered_before = h->offered;
        h->through_before = h->through;
    }
}

void honest_count(const honest_group *g, honest_kind kind, unsigned *offered, unsigned *through)
{
    *offered = *through = 0;
    for (size_t i = 0; i < HONEST_COUNT; i++)
        if (g->senders[i].kind == kind) {
            *offered += g->senders[i].offered - g->senders[i].offered_before;
            *through += g->senders[i].through - g->senders[i].through_before;
        }
}

unsigned honest_refusals(const honest_group *g)
{
    unsigned lost = 0;
    for (size_t i = 0; i < HONEST_COUNT; i++)
        lost += g->senders[i].refusals;
    return lost;
}
