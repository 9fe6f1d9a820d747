/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attacks that need no flood: answers to groups that crowd out discovery, and message IDs that stand for two requests.
 */
#include <stdio.h>

#include "larch/crypto.h"
#include "stranger.h"
#include "table.h"

enum { GROUP_RATE = 20, FINDERS = 20, FIND_EVERY_MS = 2000, LEISURE_MS = 6000 };

static const world_settings by_default;

/* ---- discovery ----------------------------------------------------------- */

/* Counts answers to the finder's own token. */
typedef struct finder {
    larch_peer address;
    unsigned answered;
    bool seen[FINDERS];
} finder;

static void finder_receive(void *context, uint64_t now_ms, const larch_peer *from, bool multicast, larch_bytes datagram)
{
    finder *f = context;
    larch_coap_message m;
    (void)now_ms;
    (void)from;
    (void)multicast;
    if (larch_coap_parse(datagram, &m) != LARCH_OK || m.code != LARCH_COAP_CONTENT || m.token.len != 1 ||
        m.token.data[0] >= FINDERS || f->seen[m.token.data[0]])
        return;
    f->seen[m.token.data[0]] = true;
    f->answered++;
}

static void finder_poll(void *context, uint64_t now_ms)
{
    (void)context;
    (void)now_ms;
}

static uint64_t finder_deadline(void *context)
{
    (void)context;
    return UINT64_MAX;
}

static void run_discovery(table *t, bool attacked)
{
    uint8_t out[LARCH_COAP_DATAGRAM_MAX];
    char figures[64];
    world *w = world_begin(1, &by_default);
    finder seeker = {.address = larch_sim_ipv4(0x0a010005, 40000)};
    forger f;
    const larch_sim_node node = {seeker.address, &seeker, finder_receive, finder_poll, finder_deadline};
    const larch_peer group = larch_sim_ipv4(0xffffffff, LARCH_COAP_PORT);
    larch_sim_add(w->sim, &node);
    world_befriend(w, &seeker.address);
    forger_begin(&f, w);
    if (attacked)
        forger_attack(&f, STRANGER_CORE_GROUP, STRANGER_ANYWHERE, GROUP_RATE);
    table_begin(t);
    world_run(w, LEISURE_MS);
    for (uint8_t i = 0; i < FINDERS; i++) {
        const bench_ask ask = {.type = LARCH_COAP_NON,
                               .code = LARCH_COAP_GET,
                               .message_id = i,
                               .token = {&i, 1},
                               .path = ".well-known/core",
                               .query = "rt=larch.key"};
        larch_sim_send(w->sim, &seeker.address, &group, bench_compose(&ask, out));
        world_run(w, FIND_EVERY_MS);
    }
    world_run(w, LEISURE_MS);
    snprintf(figures, sizeof figures, "%u of %u found", seeker.answered, (unsigned)FINDERS);
    table_check(t, seeker.answered * 100 >= FINDERS * TABLE_ENOUGH_PERCENT, "discovery is crowded out");
    table_check(t, world_is_frugal(w), "more than three times the bytes in and the budget");
    table_end_text(t, attacked ? "group GETs beside discovery" : "discovery alone", attacked ? GROUP_RATE : 0, figures);
    world_end(w);
}

/* ---- message IDs --------------------------------------------------------- */

static const larch_peer *sender_address(void)
{
    static larch_peer peer;
    peer = larch_sim_ipv4(0x0a010007, 41000);
    return &peer;
}

/* A stranger that forges the sender's address and guesses its message ID: its request comes first. */
static void run_message_id(table *t)
{
    world *w = world_begin(2, &by_default);
    bench_sealed one, other;
    bench_answer answer;
    table_begin(t);
    const bench_ask core = {.code = LARCH_COAP_GET, .message_id = 7, .path = ".well-known/core"};
    bench_say(&w->b, sender_address(), false, &core, &answer);
    bench_seal(&w->b, larch_kem_find(512), LARCH_TEXT("one"), &one);
    bench_seal(&w->b, larch_kem_find(512), LARCH_TEXT("other"), &other);

    bench_post(&w->b, sender_address(), 7, &one, &answer);
    table_check(t, bench_answers(&answer, LARCH_COAP_CHANGED, "OK"), "the message after another request is not served");
    bench_post(&w->b, sender_address(), 7, &one, &answer);
    table_check(t, bench_answers(&answer, LARCH_COAP_CHANGED, "OK"), "its copy does not get the same answer");
    bench_post(&w->b, sender_address(), 7, &other, &answer);
    table_check(t, bench_answers(&answer, LARCH_COAP_CHANGED, "OK"), "another message is not served");
    table_check(t, w->b.told[LARCH_EVENT_ACCEPTED] == 2, "%u of 2 messages stored", w->b.told[LARCH_EVENT_ACCEPTED]);
    table_end_text(t, "other requests under one message ID", 0, "");
    world_end(w);
}

/* Four bytes with the message ID of a message get no more than three times as many out, or nothing. */
static void run_short_copy(table *t)
{
    world *w = world_begin(3, &by_default);
    bench_sealed one;
    bench_answer answer;
    char figures[64];
    const uint8_t copy[] = {0x40, LARCH_COAP_POST, 0, 7};
    table_begin(t);
    bench_seal(&w->b, larch_kem_find(512), LARCH_TEXT("one"), &one);
    bench_post(&w->b, sender_address(), 7, &one, &answer);
    table_check(t, bench_answers(&answer, LARCH_COAP_CHANGED, "OK"), "the message is not served");
    bench_require(larch_gateway_receive(&w->b.gw, w->b.now_ms, sender_address(), false, LARCH_BYTES(copy)) == LARCH_OK);
    bench_collect(&w->b, &answer);
    table_check(t, !bench_answers(&answer, LARCH_COAP_CHANGED, "OK"), "4 bytes get another request's answer");
    snprintf(figures, sizeof figures, "%u bytes out for 4", (unsigned)answer.len);
    table_end_text(t, "4 bytes with the message ID of a message", 0, figures);
    world_end(w);
}

int main(void)
{
    table t;
    if (larch_crypto_init() != LARCH_OK)
        return 1;
    table_head(&t);
    run_discovery(&t, false);
    run_discovery(&t, true);
    run_message_id(&t);
    run_short_copy(&t);
    return table_close(&t);
}
