/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Floods on the simulated network, each at half the rate that the gateway drains, measured in the same run, while ten
 * honest senders report once a second. docs/attacks.md explains the rows. usage: attacks_floods [--long]
 */
#include <stdio.h>
#include <string.h>

#include "larch/crypto.h"
#include "stranger.h"
#include "table.h"

enum { WARM_MS = 5000, ATTACK_MS = 20000, SATURATED = 6000, MEASURE_MS = 2000, QUIET_MS = 5000 };

static const world_settings by_default;
static const unsigned mixed[HONEST_KINDS] = {4, 3, 3};
static const unsigned without_prototypes[HONEST_KINDS] = {5, 5, 0};

typedef struct flood {
    const char *attack;
    stranger_request request;
    stranger_source source;
    unsigned set;
    uint32_t rate; /* 0: half of what the gateway drains */
    bool is_home;  /* the senders are on the gateway's own link */
} flood;

/* ---- parts --------------------------------------------------------------- */

/* Datagrams a second that the gateway handles of this flood when more arrive. */
static uint32_t measure_drain(stranger_request request, stranger_source source, bool is_home)
{
    world *w = world_begin(1, &(world_settings){.is_home = is_home});
    forger f;
    forger_begin(&f, w);
    forger_attack(&f, request, source, SATURATED);
    world_run(w, MEASURE_MS);
    const uint64_t before = w->handled;
    world_run(w, MEASURE_MS);
    const uint64_t handled = w->handled - before;
    world_end(w);
    return (uint32_t)(handled * 1000 / MEASURE_MS);
}

/* Known senders and prototypes report in quiet times. */
static void warm_up(honest_group *g)
{
    honest_offer(g, HONEST_OLD, 1000, WARM_MS);
    honest_settle(g);
    world_run(g->w, QUIET_MS);
    honest_recount(g);
}

static void attack(honest_group *g, forger *f, stranger_request request, stranger_source source, uint32_t rate)
{
    forger_attack(f, request, source, rate);
    world_run(g->w, 1000);
    honest_offer(g, HONEST_ALL, 1000, ATTACK_MS);
    honest_settle(g);
    forger_rest(f);
    world_run(g->w, 1000);
}

/* ---- floods -------------------------------------------------------------- */

static const flood floods[] = {
    {"key requests, each from another prefix", STRANGER_KEY_512, STRANGER_ANYWHERE, 512, 0, false},
    {"key requests from one /24", STRANGER_KEY_512, STRANGER_ONE_24, 512, 0, false},
    {"key requests from one IPv6 /64", STRANGER_KEY_512, STRANGER_ONE_64, 512, 0, false},
    {"key requests from the senders' own /24", STRANGER_KEY_512, STRANGER_SENDERS_24, 512, 0, false},
    {"key requests from elsewhere, the senders at home", STRANGER_KEY_512, STRANGER_ANYWHERE, 512, 0, true},
    {"key requests from the senders' own link", STRANGER_KEY_512, STRANGER_SENDERS_24, 512, 0, true},
    {"prototype's key requests, each from another prefix", STRANGER_KEY_PROTOTYPE, STRANGER_ANYWHERE, 512, 0, false},
    {"false messages, each from another prefix", STRANGER_FALSE_MESSAGE, STRANGER_ANYWHERE, 512, 0, false},
    {"false messages from the senders' own /24", STRANGER_FALSE_MESSAGE, STRANGER_SENDERS_24, 512, 0, false},
    {"good messages, each from another prefix", STRANGER_MESSAGE, STRANGER_ANYWHERE, 512, 0, false},
    {"false messages from the senders' own link", STRANGER_FALSE_MESSAGE, STRANGER_SENDERS_24, 512, 0, true},
    {"good messages from the senders' own link", STRANGER_MESSAGE, STRANGER_SENDERS_24, 512, 0, true},
    {"good messages from one IPv6 /64", STRANGER_MESSAGE, STRANGER_ONE_64, 512, 0, false},
    {"good messages from 30 proven addresses of a host", STRANGER_MESSAGE, STRANGER_PROVEN, 512, 0, false},
    {"good messages from 30 proven hosts far apart", STRANGER_MESSAGE, STRANGER_FAR_PROVEN, 512, 0, false},
    {"good messages from a proven IPv6 /64", STRANGER_MESSAGE, STRANGER_PROVEN_64, 512, 0, false},
    {"questions about a next key, from anywhere", STRANGER_NEXT_QUESTION, STRANGER_ANYWHERE, 512, 0, false},
    {"questions about a root, from anywhere", STRANGER_ROOT_QUESTION, STRANGER_ANYWHERE, 512, 0, false},
    {"links, each from another prefix", STRANGER_CORE, STRANGER_ANYWHERE, 512, 0, false},
    {"first blocks of 16 bytes, 16 a second, ML-KEM-1024", STRANGER_BLOCK, STRANGER_ANYWHERE, 1024, 16, false},
    {"first blocks from anywhere, ML-KEM-1024", STRANGER_BLOCK, STRANGER_ANYWHERE, 1024, 0, false},
    {"forged readings of a session, from anywhere", STRANGER_READING_FORGED, STRANGER_ANYWHERE, 512, 0, false},
    {"forged readings from the senders' own /24", STRANGER_READING_FORGED, STRANGER_SENDERS_24, 512, 0, false},
    {"message_1 of handshakes, each from another prefix", STRANGER_MESSAGE_1, STRANGER_ANYWHERE, 512, 0, false},
    {"message_1 from the senders' own /24", STRANGER_MESSAGE_1, STRANGER_SENDERS_24, 512, 0, false},
    {"message_1 from 30 proven addresses of a host", STRANGER_MESSAGE_1, STRANGER_PROVEN, 512, 0, false},
    {"message_1 from a proven IPv6 /64", STRANGER_MESSAGE_1, STRANGER_PROVEN_64, 512, 0, false},
    {"message_1 from 30 proven hosts far apart", STRANGER_MESSAGE_1, STRANGER_FAR_PROVEN, 512, 0, false},
    {"false message_3, each from another prefix", STRANGER_MESSAGE_3, STRANGER_ANYWHERE, 512, 0, false},
    {"false message_3 from 30 proven addresses of a host", STRANGER_MESSAGE_3, STRANGER_PROVEN, 512, 0, false},
    {"message_3 before OSCORE, each from another prefix", STRANGER_EARLY, STRANGER_ANYWHERE, 512, 0, false},
    {"key requests of 1024, each from another prefix", STRANGER_KEY_1024, STRANGER_ANYWHERE, 1024, 0, false},
};

/* Handshakes that are half open, and those of the prefix that has the most of them. */
static unsigned half_open(const world *w, unsigned *most)
{
    const larch_lake_half *halves = w->responder.halves;
    unsigned all = 0;
    *most = 0;
    for (size_t i = 0; i < ONE_RESPONDER_PLACES; i++) {
        unsigned same = 0;
        for (size_t k = 0; halves[i].until_ms > world_now(w) && k < ONE_RESPONDER_PLACES; k++)
            same += halves[k].until_ms > world_now(w) && halves[k].owner == halves[i].owner;
        all += same > 0;
        *most = same > *most ? same : *most;
    }
    return all;
}

/* Who cannot be reached takes no place, and a prefix an eighth at most. */
static void check_pool(table *t, const flood *what, const world *w)
{
    unsigned most;
    const unsigned all = half_open(w, &most);
    const bool is_proven = what->source != STRANGER_ANYWHERE && what->source != STRANGER_SENDERS_24;
    if (what->request != STRANGER_MESSAGE_1 && what->request != STRANGER_MESSAGE_3 && what->request != STRANGER_EARLY)
        return;
    table_check(t, most <= ONE_RESPONDER_PLACES / 8, "%u half-open handshakes of one prefix", most);
    table_check(t, (all > 0) == (is_proven && what->request == STRANGER_MESSAGE_1), "%u half-open handshakes", all);
}

static void run_flood(table *t, const flood *what)
{
    const uint32_t rate = what->rate > 0 ? what->rate : measure_drain(what->request, what->source, what->is_home) / 2;
    world *w = world_begin(2, &(world_settings){.is_home = what->is_home});
    honest_group *g = honest_begin(w, larch_kem_find(what->set), what->set == 512 ? mixed : without_prototypes);
    forger f;
    forger_begin(&f, w);
    table_begin(t);
    warm_up(g);
    attack(g, &f, what->request, what->source, rate);
    check_pool(t, what, w);
    table_end(t, what->attack, rate, w, g);
    honest_end(g);
    world_end(w);
}

/* Nobody attacks: what the other rows are compared with. All senders are there within a second. */
static void run_quiet(table *t, const char *name, unsigned set, bool is_home)
{
    world *w = world_begin(8, &(world_settings){.is_home = is_home});
    honest_group *g = honest_begin(w, larch_kem_find(set), set == 512 ? mixed : without_prototypes);
    table_begin(t);
    honest_offer(g, HONEST_ALL, 1000, ATTACK_MS);
    honest_settle(g);
    table_end(t, name, 0, w, g);
    honest_end(g);
    world_end(w);
}

/* ---- forced rotations ---------------------------------------------------- */

enum { SLOW_MS = 10000, FORCE_MS = 60000, FEW_MARKS = 4096 };

/* Good messages that fill the key's marks, while pinned senders report every ten seconds. */
static void run_forced_rotations(table *t, const char *name, stranger_source source)
{
    const uint32_t rate = measure_drain(STRANGER_MESSAGE, source, false) / 2;
    world *w = world_begin(3, &(world_settings){.marks = FEW_MARKS});
    honest_group *g = honest_begin(w, larch_kem_find(512), without_prototypes);
    forger f;
    forger_begin(&f, w);
    table_begin(t);
    warm_up(g);
    forger_attack(&f, STRANGER_MESSAGE, source, rate);
    honest_offer(g, HONEST_ALL, SLOW_MS, FORCE_MS);
    honest_settle(g);
    forger_rest(&f);
    table_check(t, w->b.told[LARCH_EVENT_ROTATED] <= 1, "%u rotations", w->b.told[LARCH_EVENT_ROTATED]);
    table_end(t, name, rate, w, g);
    honest_end(g);
    world_end(w);
}

/* The key is rotated twice while pinned senders are silent: the identity alone connects them. */
static void run_two_rotations(table *t)
{
    world *w = world_begin(4, &by_default);
    honest_group *g = honest_begin(w, larch_kem_find(512), without_prototypes);
    table_begin(t);
    warm_up(g);
    for (unsigned i = 0; i < 2; i++)
        bench_require(larch_gateway_rotate(&w->b.gw, world_now(w), larch_kem_find(512)) == LARCH_OK);
    honest_offer(g, HONEST_ALL, 1000, ATTACK_MS);
    honest_settle(g);
    table_end(t, "two rotations while senders are silent", 0, w, g);
    honest_end(g);
    world_end(w);
}

/* ---- what keeps prototypes served ---------------------------------------- */

enum { FLUSH_RATE = 150, FLUSH_MS = 90000 };

/* Forged good messages in quiet times, to push out the notes of prototypes; then a flood. */
static void run_flush(table *t)
{
    const uint32_t rate = measure_drain(STRANGER_KEY_512, STRANGER_ANYWHERE, false) / 2;
    world *w = world_begin(5, &by_default);
    honest_group *g = honest_begin(w, larch_kem_find(512), mixed);
    forger f;
    forger_begin(&f, w);
    table_begin(t);
    warm_up(g);
    forger_attack(&f, STRANGER_MESSAGE, STRANGER_ANYWHERE, FLUSH_RATE);
    world_run(w, FLUSH_MS);
    attack(g, &f, STRANGER_KEY_512, STRANGER_ANYWHERE, rate);
    table_end(t, "notes pushed out by good messages, then a flood", rate, w, g);
    honest_end(g);
    world_end(w);
}

/* One good message from each of many forged addresses; then key requests from them. */
static void run_noted(table *t)
{
    const uint32_t rate = measure_drain(STRANGER_KEY_512, STRANGER_ANYWHERE, false) / 2;
    world *w = world_begin(7, &by_default);
    honest_group *g = honest_begin(w, larch_kem_find(512), mixed);
    forger f;
    forger_begin(&f, w);
    table_begin(t);
    warm_up(g);
    forger_attack(&f, STRANGER_MESSAGE, STRANGER_NOTED, FLUSH_RATE);
    world_run(w, STRANGER_NOTED_COUNT * 1000 / FLUSH_RATE);
    forger_rewind(&f);
    attack(g, &f, STRANGER_KEY_512, STRANGER_NOTED, rate);
    table_end(t, "key requests from addresses noted before", rate, w, g);
    honest_end(g);
    world_end(w);
}

enum { SIEGE_RATE = 1000, SIEGE_NOTED_MS = 120000, HOUR_MS = 3600000, SIEGE_EVERY_MS = 10000 };

/* A flood that lasts longer than an address stays noted. */
static void run_siege(table *t, bool whole_hour)
{
    const uint64_t attack_ms = whole_hour ? HOUR_MS + HOUR_MS / 6 : 3 * SIEGE_NOTED_MS / 2;
    world *w = world_begin(6, &(world_settings){.noted_ms = whole_hour ? HOUR_MS : SIEGE_NOTED_MS});
    honest_group *g = honest_begin(w, larch_kem_find(512), mixed);
    forger f;
    forger_begin(&f, w);
    table_begin(t);
    warm_up(g);
    forger_attack(&f, STRANGER_KEY_512, STRANGER_ANYWHERE, SIEGE_RATE);
    honest_offer(g, HONEST_ALL, SIEGE_EVERY_MS, attack_ms);
    honest_settle(g);
    forger_rest(&f);
    table_end(t, whole_hour ? "a flood of more than an hour" : "a flood longer than addresses stay noted", SIEGE_RATE,
              w, g);
    honest_end(g);
    world_end(w);
}

int main(int argc, char **argv)
{
    table t;
    const bool is_long = argc == 2 && strcmp(argv[1], "--long") == 0;
    if (larch_crypto_init() != LARCH_OK)
        return 1;
    table_head(&t);
    if (is_long) {
        run_siege(&t, true);
        return table_close(&t);
    }
    run_quiet(&t, "nobody attacks", 512, false);
    run_quiet(&t, "nobody attacks, at home", 512, true);
    run_quiet(&t, "nobody attacks, ML-KEM-1024", 1024, false);
    run_quiet(&t, "nobody attacks, at home, ML-KEM-1024", 1024, true);
    for (size_t i = 0; i < sizeof floods / sizeof floods[0]; i++)
        run_flood(&t, &floods[i]);
    run_forced_rotations(&t, "forced rotations, from anywhere", STRANGER_ANYWHERE);
    run_forced_rotations(&t, "forced rotations, from one IPv6 /64", STRANGER_ONE_64);
    run_forced_rotations(&t, "forced rotations, from 30 proven addresses", STRANGER_PROVEN);
    run_two_rotations(&t);
    run_flush(&t);
    run_noted(&t);
    run_siege(&t, false);
    return table_close(&t);
}
