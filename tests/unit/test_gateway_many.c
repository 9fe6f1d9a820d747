/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Datagrams handed in together: everything is as if they had come one by one, and nobody can make them
 * cost more.
 */
#define _XOPEN_SOURCE 700
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "gateway_pair.h"
#include "own_stack.h"
#include "skips.h"

enum { GROUP = 40, POOL = 32 };

static pair p;
static larch_sim_random dice = {.state = 1};

/* The group that is to be handed in. */
static larch_server_datagram in[GROUP];
static uint8_t in_bytes[GROUP][LARCH_COAP_DATAGRAM_MAX];
static size_t in_count;

/* Messages made before, under whatever key was served then. */
static bench_sealed pool[POOL];
static size_t pool_made;
static uint16_t message_id;

static uint32_t below(uint32_t limit)
{
    const larch_random random = larch_sim_random_of(&dice);
    uint32_t n = 0;
    assert_int_equal(larch_random_fill(&random, (uint8_t *)&n, sizeof n), LARCH_OK);
    return n % limit;
}

static bool one_in(uint32_t n) { return below(n) == 0; }

/* Eight addresses in five networks. */
static larch_peer some_peer(void) { return larch_sim_ipv4(0x0a000001u + (below(5) << 8) + below(2), 40000); }

static void add(const larch_peer *peer, bool multicast, larch_bytes bytes)
{
    if (in_count == GROUP)
        return;
    if (bytes.len > 0)
        memmove(in_bytes[in_count], bytes.data, bytes.len);
    in[in_count] = (larch_server_datagram){*peer, multicast, {in_bytes[in_count], bytes.len}};
    in_count++;
}

static void add_ask(const larch_peer *peer, bool multicast, const bench_ask *ask)
{
    uint8_t out[LARCH_COAP_DATAGRAM_MAX];
    add(peer, multicast, bench_compose(ask, out));
}

static bool receipts; /* some messages ask for one */

static void add_sealed(const larch_peer *peer, const bench_sealed *sealed)
{
    const bench_ask ask = {.type = (larch_coap_type)(message_id & 1),
                           .code = LARCH_COAP_POST,
                           .message_id = message_id,
                           .token = LARCH_TEXT("tk"),
                           .path = LARCH_DIRECT_PATH_DATA,
                           .query = receipts && one_in(2) ? LARCH_DIRECT_QUERY_RECEIPT : NULL,
                           .payload = {sealed->bytes, sealed->len}};
    message_id++;
    add_ask(peer, false, &ask);
}

static bench_sealed *seal(const larch_kem *kem)
{
    const larch_random random = larch_sim_random_of(&dice);
    bench_sealed *out = &pool[pool_made++ % POOL];
    const larch_bytes ek = larch_gateway_key_of(&p.one.b.gw, kem, NULL, NULL);
    assert_int_equal(
        larch_direct_seal(kem, &random, NULL, ek, LARCH_TEXT("Hello"), out->bytes, sizeof out->bytes, &out->len, NULL),
        LARCH_OK);
    return out;
}

static void give(void)
{
    pair_give(&p, in, in_count);
    in_count = 0;
    assert_true(pair_is_same(&p));
}

static void forget_costs(void) { p.one.decapsulations = p.many.decapsulations = p.one.groups = p.many.groups = 0; }

/* ---- any schedule ------------------------------------------------------ */

static void add_blocks(const larch_peer *peer, const bench_sealed *sealed)
{
    const uint8_t szx = (uint8_t)(3 + below(4));
    const size_t size = larch_coap_block_size(szx);
    for (size_t at = 0; at < sealed->len; at += size) {
        const bool more = at + size < sealed->len;
        const bench_ask ask = {.code = LARCH_COAP_POST,
                               .message_id = message_id++,
                               .path = LARCH_DIRECT_PATH_DATA,
                               .has_block1 = true,
                               .block1 = {(uint32_t)(at / size), more, szx},
                               .payload = {sealed->bytes + at, more ? size : sealed->len - at}};
        if (!one_in(20))
            add_ask(peer, false, &ask);
    }
}

static void add_altered(const larch_peer *peer, size_t at)
{
    bench_sealed altered = *(one_in(2) ? seal(larch_kem_at(below(2))) : &pool[below(POOL)]);
    if (altered.len == 0 || altered.len > 1200)
        altered = *seal(larch_kem_at(0));
    altered.bytes[at % altered.len] ^= (uint8_t)(1u << below(8));
    altered.len -= one_in(8);
    add_sealed(peer, &altered);
}

static void add_with_echo(const larch_peer *peer)
{
    uint8_t echo[LARCH_ECHO_LEN];
    const bench_sealed *s = seal(larch_kem_at(0));
    larch_reach_echo(&p.one.b.gw.server.reach, p.one.b.now_ms, peer, echo);
    const bench_ask ask = {.code = LARCH_COAP_POST,
                           .message_id = message_id++,
                           .path = LARCH_DIRECT_PATH_DATA,
                           .echo = LARCH_BYTES(echo),
                           .payload = {s->bytes, s->len}};
    add_ask(peer, false, &ask);
}

static void add_question(const larch_peer *peer)
{
    static const char *const paths[] = {"pqkem-pk", "pqkem-next", "pqkem-root", ".well-known/core", "nothing"};
    const bench_ask ask = {.type = (larch_coap_type)below(2),
                           .code = (uint8_t)(1 + below(3)),
                           .message_id = message_id++,
                           .path = paths[below(5)],
                           .query = one_in(3) ? "kem=768" : NULL,
                           .extra = one_in(6) ? 65001 : 0};
    add_ask(peer, one_in(4), &ask);
}

static void add_noise(const larch_peer *peer)
{
    const larch_random random = larch_sim_random_of(&dice);
    uint8_t noise[24];
    assert_int_equal(larch_random_fill(&random, noise, sizeof noise), LARCH_OK);
    noise[0] = (uint8_t)(0x40 | (noise[0] & 0x38));
    add(peer, one_in(4), (larch_bytes){noise, below(sizeof noise + 1)});
}

static void add_something(void)
{
    const larch_peer peer = some_peer();
    switch (below(14)) {
    case 0: /* from before: a replay, or new under an old key */
    case 1: {
        const bench_sealed *old = &pool[below(POOL)];
        if (old->len > 0 && old->len < 1200)
            add_sealed(&peer, old);
        break;
    }
    case 2: /* a copy, or the same from elsewhere */
    case 3:
        if (in_count > 0) {
            const larch_server_datagram *d = &in[below((uint32_t)in_count)];
            add(one_in(3) ? &peer : &d->peer, d->multicast != one_in(6), d->bytes);
        }
        break;
    case 4:
        add_altered(&peer, below(24));
        break;
    case 5:
        add_altered(&peer, below(1300));
        break;
    case 6:
        add_blocks(&peer, seal(larch_kem_at(below(3))));
        break;
    case 7:
        add_with_echo(&peer);
        break;
    case 8:
        add_question(&peer);
        break;
    case 9:
        add_noise(&peer);
        break;
    case 10: /* another message under the same message ID */
        message_id--;
        add_sealed(&peer, seal(larch_kem_at(0)));
        break;
    default:
        add_sealed(&peer, seal(larch_kem_at(one_in(4))));
        break;
    }
}

static void pass_time(void)
{
    static const uint64_t steps_ms[] = {0, 0, 1, 20, 100, 1000, 1000, 10000};
    uint64_t ms = steps_ms[below(8)];
    if (one_in(60))
        ms = 3600001; /* the old key's grace, and that of proven addresses */
    p.one.b.now_ms += ms;
    p.many.b.now_ms += ms;
}

static void change_something(void)
{
    if (one_in(12)) {
        const larch_kem *kem = larch_kem_at(below(2));
        const larch_error e = larch_gateway_rotate(&p.one.b.gw, p.one.b.now_ms, kem);
        assert_int_equal(larch_gateway_rotate(&p.many.b.gw, p.many.b.now_ms, kem), e); /* the storage may fail */
    }
    if (one_in(30)) { /* one of the next steps of the storage fails */
        const uint32_t at = p.one.b.flash.operations + below(6);
        p.one.b.flash.fail_at = p.many.b.flash.fail_at = at;
    }
    p.one.b.no_room = p.many.b.no_room = one_in(8) ? 1 + below(3) : 0;
    p.one.rotations = p.many.rotations = one_in(8) ? 1 + below(2) : 0;
}

static void test_any_schedule(void **state)
{
    (void)state;
    unsigned told[LARCH_EVENT_COUNT] = {0}, groups = 0;
    for (unsigned seed = 1; seed <= 24; seed++) {
        larch_reach_limits limits = larch_reach_default_limits();
        if (seed % 3 == 1)
            limits = (larch_reach_limits){.prefix_rate = 5,
                                          .prefix_burst = 6,
                                          .total_rate = 12,
                                          .total_burst = 20,
                                          .proven_rate = 3,
                                          .proven_burst = 5,
                                          .proven_ms = 3600000,
                                          .echo_ms = 300000,
                                          .noted_ms = 3600000,
                                          .marks = 3600,
                                          .mark_burst = 48,
                                          .excess_prefix_rate = 1000,
                                          .excess_prefix_burst = 2000,
                                          .excess_total_rate = 2000,
                                          .excess_total_burst = 5000};
        if (seed % 3 == 2)
            limits.proven_rate = limits.prefix_burst = 0;
        dice.state = seed;
        receipts = seed % 2 == 0;
        memset(pool, 0, sizeof pool);
        pair_begin(&p, seed, BENCH_MARKS, seed % 4 == 0 ? 5 : PAIR_SLOTS, &limits);
        for (unsigned round = 0; round < 60; round++) {
            pass_time();
            change_something();
            forget_costs();
            const unsigned armed = p.one.rotations, replays = p.one.b.told[LARCH_EVENT_REPLAY];
            for (uint32_t n = 1 + below(24); n > 0; n--)
                add_something();
            give();
            /* A rotation in between makes secrets useless; else none is, but that of a message that another
             * datagram of the group brought first, in blocks, or past a bucket that had little left. */
            if (armed == p.one.rotations)
                assert_in_range(p.many.decapsulations - p.one.decapsulations, 0,
                                p.one.b.told[LARCH_EVENT_REPLAY] - replays);
            groups += p.many.groups;
        }
        for (size_t i = 0; i < LARCH_EVENT_COUNT; i++)
            told[i] += p.one.b.told[i];
        pair_end(&p);
    }
    for (size_t i = 0; i < LARCH_EVENT_COUNT; i++)
        assert_true(told[i] > 10 || i == LARCH_EVENT_SPENT ||
                    i == LARCH_EVENT_DENIED); /* the schedules have all but sessions */
    assert_true(groups > 100);
    receipts = false;
}

/* ---- what it costs ----------------------------------------------------- */

static int begin(void **state)
{
    (void)state;
    larch_reach_limits limits = larch_reach_default_limits();
    dice.state = 7;
    in_count = 0;
    pair_begin(&p, 3, BENCH_MARKS, PAIR_SLOTS, &limits);
    return 0;
}

static int end(void **state)
{
    (void)state;
    pair_end(&p);
    return 0;
}

static void test_side_by_side(void **state)
{
    (void)state;
    const larch_peer peer = larch_sim_ipv4(0x0a000001, 40000);
    for (unsigned i = 0; i < 16; i++)
        add_sealed(&peer, seal(larch_kem_at(i & 1)));
    give();
    assert_int_equal(p.many.b.told[LARCH_EVENT_ACCEPTED], 16);
    assert_int_equal(p.many.groups, 4); /* two of eight datagrams, for two sets each */
    assert_int_equal(p.many.decapsulations, 16);
    assert_int_equal(p.one.groups, 0);
    assert_int_equal(p.one.decapsulations, 16);
}

/* Neither a replay, nor a copy, nor the same message twice; another message under the same message ID is one more. */
static void test_once_each(void **state)
{
    (void)state;
    const larch_peer peer = larch_sim_ipv4(0x0a000001, 40000), other = larch_sim_ipv4(0x0a000002, 40000);
    const bench_sealed first = *seal(larch_kem_at(0)), second = *seal(larch_kem_at(0));
    add_sealed(&peer, &first);
    for (unsigned i = 0; i < 3; i++)
        add(&peer, false, in[0].bytes);
    add_sealed(&other, &first);
    add_sealed(&other, &second);
    message_id--;
    add_sealed(&other, seal(larch_kem_at(0)));
    give();
    assert_int_equal(p.many.decapsulations, 3);
    assert_int_equal(p.many.groups, 1);
    assert_int_equal(p.many.b.told[LARCH_EVENT_ACCEPTED], 3);
    assert_int_equal(p.many.b.told[LARCH_EVENT_REPLAY], 1);
    for (unsigned i = 0; i < 8; i++)
        add_sealed(&peer, i % 2 == 0 ? &first : &second);
    give();
    assert_int_equal(p.many.decapsulations, 3);
    assert_int_equal(p.many.b.told[LARCH_EVENT_REPLAY], 9);
}

/* With receipts, known replays and copies are opened too, side by side with the rest. */
static void test_receipts_side_by_side(void **state)
{
    (void)state;
    const larch_peer peer = larch_sim_ipv4(0x0a000001, 40000);
    const bench_sealed known = *seal(larch_kem_at(0)), fresh = *seal(larch_kem_at(0));
    add_sealed(&peer, &known);
    give();
    forget_costs();
    for (unsigned i = 0; i < 8; i++) {
        const bench_sealed *s = i % 2 == 0 ? &known : &fresh;
        const bench_ask ask = {.code = LARCH_COAP_POST,
                               .message_id = message_id++,
                               .path = LARCH_DIRECT_PATH_DATA,
                               .query = LARCH_DIRECT_QUERY_RECEIPT,
                               .payload = {s->bytes, s->len}};
        add_ask(&peer, false, &ask);
    }
    give();
    assert_int_equal(p.many.groups, 1);
    assert_int_equal(p.many.decapsulations, 8);
    assert_int_equal(p.one.decapsulations, 8);
    assert_int_equal(p.many.b.told[LARCH_EVENT_ACCEPTED], 2);
    assert_int_equal(p.many.b.told[LARCH_EVENT_REPLAY], 7);
}

/* What the buckets do not grant costs nothing, however the flood is mixed. */
static void test_never_beyond_the_buckets(void **state)
{
    (void)state;
    for (uint32_t burst = 0; burst < 12; burst++) {
        larch_reach_limits limits = larch_reach_default_limits();
        limits.prefix_burst = burst;
        limits.total_burst = 9;
        pair_end(&p);
        pair_begin(&p, 3, BENCH_MARKS, PAIR_SLOTS, &limits);
        const larch_peer newcomer = larch_sim_ipv4(0x0a0000ff, 40000);
        for (unsigned i = 0; i < 12; i++) {
            const larch_peer peer = larch_sim_ipv4(0x0a000001u + i, 40000);
            const bench_ask ask = {.code = LARCH_COAP_GET, .message_id = message_id++, .path = LARCH_DIRECT_PATH_KEY};
            if (i == 1)
                add_ask(&peer, false, &ask);
            add_sealed(&peer, seal(larch_kem_at(0)));
        }
        give();
        assert_int_equal(p.many.decapsulations, p.one.decapsulations);
        assert_true(p.many.decapsulations <= burst);
        assert_int_equal(p.many.groups > 0, burst >= 3);

        /* Half a second brings ten more. */
        forget_costs();
        p.one.b.now_ms += 500;
        p.many.b.now_ms += 500;
        for (unsigned i = 0; i < 8; i++)
            add_sealed(&newcomer, seal(larch_kem_at(0)));
        give();
        assert_int_equal(p.many.decapsulations, p.one.decapsulations);
        assert_int_equal(p.many.groups > 0, burst >= 2);
    }
}

/* What will not be opened: sent to a group, with an option that forbids it, as a block out of order, without room
 * for its mark. */
static void test_not_for_nothing(void **state)
{
    (void)state;
    const larch_peer peer = larch_sim_ipv4(0x0a000001, 40000);
    const larch_reach_limits limits = larch_reach_default_limits();
    for (unsigned i = 0; i < 16; i++) {
        const bench_sealed *s = seal(larch_kem_at(0));
        const bench_ask ask = {.code = (uint8_t)(i < 12 ? LARCH_COAP_POST : LARCH_COAP_PUT),
                               .message_id = message_id++,
                               .path = i < 10 ? LARCH_DIRECT_PATH_DATA : LARCH_DIRECT_PATH_NEXT,
                               .extra = i < 4 ? 65001 : 0,
                               .has_block1 = i >= 8 && i < 10,
                               .block1 = {1, false, 6},
                               .payload = {s->bytes, s->len}};
        add_ask(&peer, i >= 4 && i < 8, &ask);
    }
    give();
    assert_int_equal(p.one.decapsulations + p.many.decapsulations, 0);

    pair_end(&p);
    pair_begin(&p, 3, 16, PAIR_SLOTS, &limits); /* 15 marks */
    for (unsigned i = 0; i < 16; i++)
        add_sealed(&peer, seal(larch_kem_at(0)));
    give();
    assert_int_equal(p.many.b.told[LARCH_EVENT_ACCEPTED], 15);
    assert_int_equal(p.one.decapsulations, 15);
    assert_int_equal(p.many.decapsulations, 15);
}

/* ---- a rotation in between --------------------------------------------- */

/* One: the key has become the old one, and opens. Two: it is forgotten, and another stands in its place. */
static void test_rotation_in_between(void **state)
{
    (void)state;
    const larch_peer peer = larch_sim_ipv4(0x0a000001, 40000);
    const bench_ask malformed = {.code = LARCH_COAP_POST, .message_id = 60000, .path = LARCH_DIRECT_PATH_DATA};
    for (unsigned rotations = 1; rotations <= 2; rotations++) {
        const unsigned accepted = p.many.b.told[LARCH_EVENT_ACCEPTED], auth = p.many.b.told[LARCH_EVENT_AUTH];
        bench_ask ask = malformed;
        ask.message_id = (uint16_t)(ask.message_id + rotations);
        p.one.rotations = p.many.rotations = rotations;
        p.many.groups = 0;
        add_ask(&peer, false, &ask);
        for (unsigned i = 0; i < 7; i++)
            add_sealed(&peer, seal(larch_kem_at(0)));
        give();
        assert_int_equal(p.many.groups, 1);
        assert_int_equal(p.many.b.told[LARCH_EVENT_ACCEPTED] - accepted, rotations == 1 ? 7 : 0);
        assert_int_equal(p.many.b.told[LARCH_EVENT_AUTH] - auth, rotations == 1 ? 0 : 7);
    }
}

/* ---- what stays behind ------------------------------------------------- */

static larch_error result;
static size_t taken;

static void run(void) { result = larch_gateway_receive_many(&p.many.b.gw, p.many.b.now_ms, in, in_count, &taken); }

/* The control: a secret left behind is found. */
static uint8_t secrets[8][LARCH_KEM_SS_LEN];
static void leak(void)
{
    volatile uint8_t copy[2048];
    for (unsigned i = 0; i < sizeof copy; i++)
        copy[i] = secrets[1][i % LARCH_KEM_SS_LEN];
}

static bool remains_on_stack(void (*function)(void))
{
    assert_true(own_stack_run(function));
    return own_stack_holds(secrets, sizeof secrets);
}

static void make_group(bool rotated)
{
    const larch_peer peer = larch_sim_ipv4(0x0a000001, 40000);
    const bench_ask malformed = {.code = LARCH_COAP_POST, .message_id = message_id++, .path = LARCH_DIRECT_PATH_DATA};
    in_count = 0;
    p.many.rotations = rotated ? 2 : 0;
    if (rotated)
        add_ask(&peer, false, &malformed);
    for (size_t i = in_count; i < 8; i++) {
        const larch_direct_keys *keys = &p.one.b.gw.direct.keys[0];
        const larch_direct_key *key = &keys->key[keys->present];
        larch_direct_sealed sealed;
        const bench_sealed *s = seal(larch_kem_at(0));
        assert_int_equal(larch_direct_parse((larch_bytes){s->bytes, s->len}, &sealed), LARCH_DIRECT_OK);
        assert_int_equal(larch_kem_decaps(sealed.kem, key->dk, sealed.kem_ct, secrets[i]), LARCH_OK);
        add_sealed(&peer, s);
    }
}

static void test_wiped(void **state)
{
    (void)state;
    if (!OWN_STACK_IS_TRUE)
        skip_because("instrumented code keeps copies of its own on the stack");
    make_group(false);
    run(); /* at a function's first call the dynamic linker saves the vector registers: done here */
    pair_side_collect(&p.many);
    assert_true(remains_on_stack(leak));
    for (unsigned rotated = 0; rotated < 2; rotated++) {
        make_group(rotated == 1);
        p.many.groups = 0;
        assert_false(remains_on_stack(run));
        assert_int_equal(result, LARCH_OK);
        assert_int_equal(p.many.groups, 1);
        pair_side_collect(&p.many);
    }
    /* More than the slots take. */
    make_group(false);
    p.many.b.gw.server.config.slot_count = 2;
    assert_false(remains_on_stack(run));
    assert_int_equal(result, LARCH_AGAIN);
    assert_int_equal(taken, 2);
}

int main(void)
{
    if (larch_crypto_init() != LARCH_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_schedule),
        cmocka_unit_test_setup_teardown(test_side_by_side, begin, end),
        cmocka_unit_test_setup_teardown(test_once_each, begin, end),
        cmocka_unit_test_setup_teardown(test_receipts_side_by_side, begin, end),
        cmocka_unit_test_setup_teardown(test_never_beyond_the_buckets, begin, end),
        cmocka_unit_test_setup_teardown(test_not_for_nothing, begin, end),
        cmocka_unit_test_setup_teardown(test_rotation_in_between, begin, end),
        cmocka_unit_test_setup_teardown(test_wiped, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
