/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gateway and its outbox lose power at every operation of the storage and between all steps of the durable order
 * (docs/outbox.md). Afterwards every message that was answered OK is in the outbox once, and REPLAY always means that
 * the message is there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway_bench.h"

enum { MESSAGES = 12, ROWS = 64, ROUNDS = 8, SEEDS = 48, NEVER = INT32_MAX };

typedef struct row {
    larch_accepted_id identity;
    unsigned message;
} row;

/* What the outbox holds durably. The batch in memory is lost with the power. */
typedef struct model_outbox {
    row rows[ROWS];
    size_t count;
    size_t newest; /* where the newest batch begins */
    row batch[BENCH_SLOTS];
    size_t batch_count;
} model_outbox;

typedef struct world {
    bench b;
    model_outbox outbox;
    bench_sealed sealed[MESSAGES];
    unsigned ok[MESSAGES]; /* answers */
    unsigned replay, no_room, repeats_in_batch;
    uint16_t message_id;
    bool is_hard;  /* now and then there is no room, and a key is rotated */
    bool only_end; /* the process ends, and what it wrote stays */
    bool has_rotated;
    bool off;
    uint32_t moment; /* steps done */
    uint32_t cut_at; /* the power goes before this one */
    larch_sim_random dice;
} world;

static world w;
static larch_peer sender;

static unsigned below(unsigned bound)
{
    uint8_t bytes[4];
    const larch_random random = larch_sim_random_of(&w.dice);
    assert_int_equal(larch_random_fill(&random, bytes, sizeof bytes), LARCH_OK);
    return ((unsigned)bytes[0] << 16 | (unsigned)bytes[1] << 8 | bytes[2]) % bound;
}

static bool one_in(unsigned n) { return below(n) == 0; }

/* Between two steps. False: the power has gone. */
static bool goes_on(void)
{
    if (w.moment++ == w.cut_at)
        w.off = true;
    return !w.off && !w.b.flash.off;
}

/* ---- the outbox ---------------------------------------------------------- */

static unsigned rows_of(unsigned message)
{
    unsigned count = 0;
    for (size_t i = 0; i < w.outbox.count; i++)
        count += w.outbox.rows[i].message == message;
    return count;
}

static unsigned message_of(larch_bytes text)
{
    assert_int_equal(text.len, 1);
    assert_true(text.data[0] < MESSAGES);
    return text.data[0];
}

static void store_batch(void)
{
    model_outbox *o = &w.outbox;
    if (o->batch_count == 0)
        return;
    o->newest = o->count;
    for (size_t i = 0; i < o->batch_count; i++) {
        assert_true(o->count < ROWS);
        assert_int_equal(rows_of(o->batch[i].message), 0); /* nothing is stored twice */
        o->rows[o->count++] = o->batch[i];
    }
    o->batch_count = 0;
}

/* One transaction: after a cut in its middle it is there as a whole, or not at all. */
static bool commit(void)
{
    if (!goes_on())
        return false;
    const bool is_there = w.moment++ != w.cut_at || one_in(2);
    w.off = w.moment == w.cut_at + 1;
    if (is_there)
        store_batch();
    return !w.off && goes_on();
}

/* ---- what the driver does ------------------------------------------------- */

static larch_error receive(unsigned message)
{
    uint8_t datagram[LARCH_COAP_DATAGRAM_MAX];
    const uint8_t token = (uint8_t)message;
    const bench_ask ask = {.type = LARCH_COAP_NON,
                           .code = LARCH_COAP_POST,
                           .message_id = w.message_id++,
                           .token = {&token, 1},
                           .path = LARCH_DIRECT_PATH_DATA,
                           .payload = {w.sealed[message].bytes, w.sealed[message].len}};
    return larch_gateway_receive(&w.b.gw, w.b.now_ms, &sender, false, bench_compose(&ask, datagram));
}

/* Some messages, a message twice now and then, and copies of old ones. */
static bool receive_some(unsigned most)
{
    unsigned message = below(MESSAGES);
    for (unsigned n = below(most + 1); n > 0; n--) {
        const bool is_twice = one_in(4);
        w.repeats_in_batch += is_twice;
        if (!is_twice)
            message = below(MESSAGES);
        if (receive(message) == LARCH_AGAIN)
            return true;
        if (!goes_on())
            return false;
    }
    return true;
}

static bool settle(const larch_accepted *batch, const bool *is_stored, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const larch_settlement settlement = is_stored[i] ? LARCH_SETTLED_STORED : LARCH_SETTLED_NO_ROOM;
        assert_int_equal(larch_gateway_settle(&w.b.gw, &batch[i], settlement), LARCH_OK);
        if (!goes_on())
            return false;
    }
    return true;
}

static bool store(void)
{
    larch_accepted batch[BENCH_SLOTS + 1]; /* one to ask for the next */
    bool is_stored[BENCH_SLOTS];
    size_t count = 0;
    larch_error e;
    w.outbox.batch_count = 0;
    while ((e = larch_gateway_accepted(&w.b.gw, w.b.now_ms, &batch[count])) == LARCH_OK) {
        is_stored[count] = !w.is_hard || !one_in(4);
        if (is_stored[count])
            w.outbox.batch[w.outbox.batch_count++] = (row){batch[count].identity, message_of(batch[count].text)};
        assert_true(++count <= BENCH_SLOTS);
        if (!goes_on())
            return false;
    }
    if (w.b.flash.off)
        return false;
    assert_int_equal(e, LARCH_AGAIN);
    if (w.is_hard && one_in(8)) { /* the disk is full */
        w.outbox.batch_count = 0;
        memset(is_stored, 0, sizeof is_stored);
    }
    return commit() && settle(batch, is_stored, count);
}

static void take_answer(larch_bytes datagram)
{
    larch_coap_message answer;
    assert_int_equal(larch_coap_parse(datagram, &answer), LARCH_OK);
    const unsigned message = message_of(answer.token);
    if (answer.code == LARCH_COAP_CHANGED) {
        w.ok[message]++;
        assert_int_equal(rows_of(message), 1);
    } else if (answer.code == LARCH_COAP_UNAUTHORIZED) {
        w.replay++;
        assert_int_equal(rows_of(message), 1);
    } else {
        w.no_room++;
        assert_int_equal(answer.code, LARCH_COAP_SERVICE_UNAVAILABLE);
    }
}

/* LARCH_AGAIN: all has been sent. */
static larch_error send(void)
{
    larch_bytes datagram;
    larch_peer peer;
    larch_error e;
    while ((e = larch_gateway_send(&w.b.gw, w.b.now_ms, &peer, &datagram)) == LARCH_OK) {
        take_answer(datagram);
        if (!goes_on())
            return LARCH_PLATFORM;
    }
    assert_true(e == LARCH_AGAIN || e == LARCH_STATE || w.b.flash.off);
    return e;
}

/* The plain order, and what larch/server.h allows besides: datagrams between any two steps, and a batch after which
 * nothing is sent before the next. */
static bool live_round(void)
{
    if (!receive_some(BENCH_SLOTS) || !store() || (one_in(3) && !receive_some(2)))
        return false;
    if (one_in(4) && !store())
        return false;
    larch_error e;
    while ((e = send()) == LARCH_STATE)
        if (!store())
            return false;
    if (e == LARCH_AGAIN && w.is_hard && !w.has_rotated && one_in(6)) {
        w.has_rotated = true;
        e = larch_gateway_rotate(&w.b.gw, w.b.now_ms, larch_kem_find(512)) == LARCH_OK ? LARCH_AGAIN : LARCH_PLATFORM;
    }
    w.b.now_ms += 10000;
    return e == LARCH_AGAIN && !w.b.flash.off && goes_on();
}

/* ---- lives ---------------------------------------------------------------- */

static void begin(uint64_t seed, uint32_t marks)
{
    memset(&w, 0, sizeof w);
    w.dice.state = seed;
    w.cut_at = NEVER;
    bench_prepare(&w.b, seed, marks);
    w.b.config.server.limits.prefix_rate = w.b.config.server.limits.prefix_burst = 1000000;
    w.b.config.server.limits.total_rate = w.b.config.server.limits.total_burst = 1000000;
    assert_int_equal(bench_start(&w.b), LARCH_OK);
    for (uint8_t i = 0; i < MESSAGES; i++)
        bench_seal(&w.b, larch_kem_find(512), (larch_bytes){&i, 1}, &w.sealed[i]);
}

static void restart(void)
{
    model_outbox *o = &w.outbox;
    if (!w.only_end || w.b.flash.off)
        larch_flash_power_on(&w.b.flash);
    w.b.flash.cut_at = LARCH_FLASH_NEVER;
    w.off = false;
    w.cut_at = NEVER;
    w.b.last_batch_count = 0;
    for (size_t i = o->newest; i < o->count; i++)
        w.b.last_batch[w.b.last_batch_count++] = o->rows[i].identity;
    if (one_in(4)) { /* the power goes once more, during the start */
        w.b.flash.cut_at = w.b.flash.operations + below(24);
        if (bench_start(&w.b) == LARCH_OK)
            w.b.flash.off = true;
        larch_flash_power_on(&w.b.flash);
    }
    assert_int_equal(bench_start(&w.b), LARCH_OK);
}

/* Every message again, until it is answered for good: those that were stored are replays, the others are stored now. */
static void resend_all(void)
{
    w.is_hard = false;
    for (unsigned message = 0; message < MESSAGES; message++) {
        const unsigned rows = rows_of(message), ok = w.ok[message], replay = w.replay;
        assert_true(rows <= 1 && ok <= rows);
        w.b.now_ms += 10000;
        assert_int_equal(receive(message), LARCH_OK);
        assert_true(store());
        assert_int_equal(send(), LARCH_AGAIN);
        assert_int_equal(w.ok[message], ok + (rows == 0));
        assert_int_equal(w.replay, replay + rows);
        assert_int_equal(rows_of(message), 1);
    }
}

/* False: no cut came to pass, as the run has fewer moments. */
static bool run(uint64_t seed, uint32_t moment, uint32_t operation)
{
    begin(seed, BENCH_MARKS);
    w.is_hard = seed % 4 != 0;
    w.only_end = seed % 5 == 0;
    w.cut_at = moment;
    if (operation != NEVER)
        w.b.flash.cut_at = w.b.flash.operations + operation;
    unsigned rounds = 0;
    while (rounds < ROUNDS && live_round())
        rounds++;
    const bool is_cut = rounds < ROUNDS;
    restart();
    for (unsigned more = below(3); more > 0; more--)
        assert_true(live_round());
    resend_all();
    for (unsigned message = 0; message < MESSAGES; message++)
        assert_true(w.ok[message] <= 1);
    bench_end(&w.b);
    return is_cut;
}

typedef struct tally {
    unsigned runs, replay, no_room, repeats;
} tally;

static tally cut_everywhere(bool at_moments)
{
    tally t = {0};
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        for (uint32_t at = 0, is_cut = true; is_cut; at++, t.runs++) {
            is_cut = at_moments ? run(seed, at, NEVER) : run(seed, NEVER, at);
            t.replay += w.replay;
            t.no_room += w.no_room;
            t.repeats += w.repeats_in_batch;
            assert_true(at < 1000);
        }
    return t;
}

/* Else the runs would not test what they are for. */
static void assert_rich(tally t)
{
    print_message("%u runs: %u replays, %u without room, %u repeated at once\n", t.runs, t.replay, t.no_room,
                  t.repeats);
    assert_true(t.runs > 10 * SEEDS && t.replay > 5 * t.runs && t.no_room > t.runs && t.repeats > t.runs);
}

static void test_cut_between_steps(void **state)
{
    (void)state;
    assert_rich(cut_everywhere(true));
}

static void test_cut_at_operations(void **state)
{
    (void)state;
    assert_rich(cut_everywhere(false));
}

/* ---- one by one ------------------------------------------------------------ */

static void take_batch(larch_settlement settlement)
{
    larch_accepted batch[BENCH_SLOTS + 1]; /* one to ask for the next */
    size_t count = 0;
    while (larch_gateway_accepted(&w.b.gw, w.b.now_ms, &batch[count]) == LARCH_OK)
        assert_true(++count <= BENCH_SLOTS);
    for (size_t i = 0; i < count; i++) {
        if (settlement == LARCH_SETTLED_STORED)
            w.outbox.batch[w.outbox.batch_count++] = (row){batch[i].identity, message_of(batch[i].text)};
        assert_int_equal(larch_gateway_settle(&w.b.gw, &batch[i], settlement), LARCH_OK);
    }
    store_batch();
}

/* A message without room, a repeat of it that waited for the same answer, and one that comes before that answer has
 * left: the repeat was not stored, even if the last one will be. */
static void test_repeat_of_what_had_no_room(void **state)
{
    (void)state;
    begin(1, BENCH_MARKS);
    assert_int_equal(receive(0), LARCH_OK);
    assert_int_equal(receive(0), LARCH_OK);
    take_batch(LARCH_SETTLED_NO_ROOM);
    assert_int_equal(receive(0), LARCH_OK);
    take_batch(LARCH_SETTLED_STORED);
    assert_int_equal(send(), LARCH_AGAIN);
    assert_int_equal(w.no_room, 2);
    assert_int_equal(w.ok[0], 1);
    assert_int_equal(w.replay, 0);
    bench_end(&w.b);
}

/* The key of a message without room is forgotten before its answer is built: a repeat of it is still no replay. */
static void test_repeat_under_a_forgotten_key(void **state)
{
    (void)state;
    begin(1, BENCH_MARKS);
    assert_int_equal(receive(0), LARCH_OK);
    assert_int_equal(receive(0), LARCH_OK);
    take_batch(LARCH_SETTLED_NO_ROOM);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(larch_gateway_rotate(&w.b.gw, w.b.now_ms, larch_kem_find(512)), LARCH_OK);
    assert_int_equal(send(), LARCH_AGAIN);
    assert_int_equal(w.no_room, 2);
    bench_end(&w.b);
}

/* A cut leaves holes in a journal whose last places they were: the marks of the newest batch find no place any more.
 * The gateway starts all the same, and opens none of these messages again, because the key has no room. */
static void test_holes_in_a_full_journal(void **state)
{
    (void)state;
    enum { FULL = 15 }; /* of 16 slots */
    unsigned without_place = 0;
    for (uint64_t seed = 1; seed <= 64; seed++) {
        bench_sealed sealed[FULL];
        bench_answer answer;
        begin(seed, 16);
        for (uint8_t i = 0; i < FULL; i++)
            bench_seal(&w.b, larch_kem_find(512), (larch_bytes){&i, 1}, &sealed[i]);
        for (uint8_t i = 0; i < FULL; i++) {
            w.sealed[0] = sealed[i];
            assert_int_equal(receive(0), LARCH_OK);
            if (i + 1 != 4 && i + 1 != 8 && i + 1 != 11 && i + 1 != FULL)
                continue;
            w.b.last_batch_count = 0;
            if (i + 1 == FULL) /* the sync of the last batch, after its write */
                w.b.flash.cut_at = w.b.flash.operations + 1;
            (void)!bench_settle(&w.b);
            larch_peer peer;
            larch_bytes datagram;
            while (larch_gateway_send(&w.b.gw, w.b.now_ms, &peer, &datagram) == LARCH_OK)
                ;
        }
        assert_true(w.b.flash.off);
        larch_flash_power_on(&w.b.flash);
        assert_int_equal(bench_start(&w.b), LARCH_OK);
        const unsigned accepted = w.b.told[LARCH_EVENT_ACCEPTED];
        assert_int_equal(accepted, FULL);
        for (uint16_t i = 0; i < FULL; i++) {
            bench_post(&w.b, &sender, (uint16_t)(1000 + i), &sealed[i], &answer);
            without_place += !bench_answers(&answer, LARCH_COAP_UNAUTHORIZED, "REPLAY");
        }
        assert_int_equal(w.b.told[LARCH_EVENT_ACCEPTED], accepted);
        bench_end(&w.b);
    }
    assert_true(without_place > 0); /* else nothing was tested */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_between_steps),          cmocka_unit_test(test_cut_at_operations),
        cmocka_unit_test(test_repeat_of_what_had_no_room), cmocka_unit_test(test_repeat_under_a_forgotten_key),
        cmocka_unit_test(test_holes_in_a_full_journal),
    };
    sender = larch_sim_ipv4(0x0a000001, 40000);
    return larch_crypto_init() == LARCH_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
