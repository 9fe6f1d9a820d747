/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gateway against its storage: failing, cut off, damaged, and across rotations. What
 * it said must hold afterwards; what it did not say must not be lost.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "gateway_bench.h"

static bench b;
static bench_answer answer;
static const larch_kem *kem;
static larch_peer sender;

static int begin(void **state)
{
    (void)state;
    kem = larch_kem_find(512);
    sender = larch_sim_ipv4(0x0a000001, 40000);
    return 0;
}

static void seal(bench_sealed *sealed) { bench_seal(&b, kem, LARCH_TEXT("Hello"), sealed); }

static void post(uint16_t message_id, const bench_sealed *sealed)
{
    b.now_ms += 1000; /* past every bucket */
    bench_post(&b, &sender, message_id, sealed, &answer);
}

static void assert_answer(uint8_t code, const char *text)
{
    if (!bench_answers(&answer, code, text))
        print_error("wanted %s, got %s with %.*s\n", text, larch_coap_code_text(answer.message.code),
                    (int)answer.message.payload.len, (const char *)answer.message.payload.data);
    assert_true(bench_answers(&answer, code, text));
}

#define assert_ok()     assert_answer(LARCH_COAP_CHANGED, "OK")
#define assert_replay() assert_answer(LARCH_COAP_UNAUTHORIZED, "REPLAY")
#define assert_refuse() assert_answer(LARCH_COAP_BAD_REQUEST, "AUTH_FAIL")

static void restart(void)
{
    larch_gateway_wipe(&b.gw);
    larch_flash_power_on(&b.flash);
    b.now_ms += 1000000;
    larch_error e = bench_start(&b);
    if (e != LARCH_OK)
        print_error("%s: %s %s\n", larch_error_name(e), b.faulty, larch_store_fault_text(b.fault));
    assert_int_equal(e, LARCH_OK);
}

static bool file_is_there(const char *name) { return larch_flash_look(&b.flash, name).data != NULL; }

/* ---- storage that fails ------------------------------------------------ */

/* One message while each operation of the storage fails in turn, once or for a while. */
static void test_storage_fails(void **state)
{
    (void)state;
    for (uint32_t count = 1; count <= 4; count++)
        for (uint32_t at = 0; at < 6; at++) {
            bench_sealed sealed;
            bench_begin(&b, 100 * count + at, BENCH_MARKS);
            seal(&sealed);
            b.flash.fail_at = b.flash.operations + at;
            b.flash.fail_count = count;
            post(1, &sealed);
            bool failed = answer.error == LARCH_PLATFORM;
            assert_int_equal(failed, at < 2); /* write, sync */
            for (unsigned tries = 0; answer.error == LARCH_PLATFORM; tries++) {
                assert_false(answer.any); /* nothing leaves */
                assert_int_equal(larch_gateway_count(&b.gw, LARCH_EVENT_ACCEPTED), 0);
                assert_int_equal(b.told[LARCH_EVENT_STORAGE], tries + 1);
                assert_true(tries < count);
                /* Not before its time, and then without a new datagram. */
                uint64_t deadline_ms = larch_gateway_deadline_ms(&b.gw);
                assert_true(deadline_ms > b.now_ms && deadline_ms <= b.now_ms + 1000);
                uint32_t operations = b.flash.operations;
                bench_collect(&b, &answer);
                assert_int_equal(b.flash.operations, operations);
                b.now_ms = deadline_ms;
                bench_collect(&b, &answer);
            }
            assert_ok();
            assert_int_equal(b.told[LARCH_EVENT_ACCEPTED], 1);
            /* Said is said: even if the power goes now. */
            restart();
            post(1, &sealed);
            assert_replay();
            assert_int_equal(b.told[LARCH_EVENT_ACCEPTED], 1);
            bench_end(&b);
        }
}

/* All the answers of a batch wait, and none is lost; the queue does not grow meanwhile. */
static void test_storage_fails_for_a_batch(void **state)
{
    (void)state;
    uint8_t out[LARCH_COAP_DATAGRAM_MAX];
    bench_sealed sealed[BENCH_SLOTS + 1];
    larch_peer peer;
    larch_bytes datagram;
    bench_begin(&b, 1, BENCH_MARKS);
    b.flash.fail_at = b.flash.operations;
    b.flash.fail_count = 3;
    for (uint16_t i = 0; i <= BENCH_SLOTS; i++) {
        seal(&sealed[i]);
        const bench_ask ask = {.code = LARCH_COAP_POST,
                               .message_id = i,
                               .path = "pqkem-data",
                               .payload = {sealed[i].bytes, sealed[i].len}};
        assert_int_equal(larch_gateway_receive(&b.gw, b.now_ms, &sender, false, bench_compose(&ask, out)),
                         i < BENCH_SLOTS ? LARCH_OK : LARCH_AGAIN);
        if (i > 0)
            assert_int_equal(bench_send(&b, &peer, &datagram), LARCH_PLATFORM);
    }
    unsigned answers = 0;
    for (unsigned i = 0; i < 10; i++) {
        b.now_ms += 1000;
        while (bench_send(&b, &peer, &datagram) == LARCH_OK)
            answers++;
    }
    assert_int_equal(answers, BENCH_SLOTS);
    assert_int_equal(b.told[LARCH_EVENT_ACCEPTED], BENCH_SLOTS);
    restart();
    for (uint16_t i = 0; i < BENCH_SLOTS; i++) {
        post(i, &sealed[i]);
        assert_replay();
    }
    post(99, &sealed[BENCH_SLOTS]);
    assert_ok();
    bench_end(&b);
}

/* A rotation while each operation fails in turn: the served key goes on, and is kept until a later
 * rotation has succeeded; then it is the old one, and no other. */
static void test_rotation_fails(void **state)
{
    (void)state;
    bool done = false;
    for (uint32_t at = 0; !done; at++)
        for (uint64_t seed = 0; seed < 16; seed++) {
            bench_sealed before, sealed, after;
            uint32_t generation;
            bench_begin(&b, 1000 + 16 * at + seed, BENCH_MARKS);
            assert_int_equal(larch_gateway_rotate(&b.gw, b.now_ms, kem), LARCH_OK);
            seal(&before);
            seal(&sealed);
            b.flash.fail_at = b.flash.operations + at;
            larch_error e = larch_gateway_rotate(&b.gw, b.now_ms, kem);
            done = b.flash.operations <= b.flash.fail_at;
            b.flash.fail_at = LARCH_FLASH_NEVER;
            (void)larch_gateway_key_of(&b.gw, kem, &generation, NULL);
            assert_int_equal(generation, e == LARCH_OK ? 3 : 2);
            post(1, &before);
            assert_ok();
            if (seed % 2 == 1)
                restart();
            if (e != LARCH_OK) {
                assert_int_equal(e, LARCH_PLATFORM);
                (void)larch_gateway_key_of(&b.gw, kem, &generation, NULL);
                if (generation == 2)
                    assert_int_equal(larch_gateway_rotate(&b.gw, b.now_ms, kem), LARCH_OK);
            }
            restart();
            (void)larch_gateway_key_of(&b.gw, kem, &generation, NULL);
            assert_int_equal(generation, 3);
            post(2, &before);
            assert_replay();
            post(3, &sealed); /* to the key before, now the old one */
            assert_ok();
            seal(&after);
            post(4, &after);
            assert_ok();
            assert_int_equal(b.told[LARCH_EVENT_ACCEPTED], 3);
            bench_end(&b);
        }
}

/* ---- power cuts -------------------------------------------------------- */

enum { MESSAGES = 40 };

/* Messages over two rotations, the power cut at each operation in turn; then all of them again. */
static void test_power_cut_anywhere(void **state)
{
    (void)state;
    static bench_sealed sealed[MESSAGES];
    bool whole = false;
    for (uint32_t at = 0; !whole; at++) {
        enum { LOST, SAID_OK } said[MESSAGES] = {LOST};
        bool sent[MESSAGES] = {false};
        larch_error started;
        bench_prepare(&b, at, 16); /* a rotation after 14 */
        b.flash.cut_at = at;
        started = bench_start(&b);
        for (uint16_t i = 0; started == LARCH_OK && !b.flash.off && i < MESSAGES; i++) {
            seal(&sealed[i]);
            sent[i] = true;
            post(i, &sealed[i]);
            if (answer.any) {
                assert_ok();
                said[i] = SAID_OK;
            }
        }
        whole = started == LARCH_OK && !b.flash.off;
        if (whole)
            assert_int_equal(b.told[LARCH_EVENT_ROTATED], 2);
        restart();
        for (uint16_t i = 0; i < MESSAGES && sent[i]; i++) {
            post((uint16_t)(1000 + i), &sealed[i]);
            if (said[i] == SAID_OK && bench_answers(&answer, LARCH_COAP_CHANGED, "OK"))
                print_error("cut at %u: message %u accepted twice\n", at, i);
            assert_true(said[i] == LOST || !bench_answers(&answer, LARCH_COAP_CHANGED, "OK"));
        }
        assert_true(b.told[LARCH_EVENT_ACCEPTED] <= MESSAGES);
        /* And it works on. */
        bench_sealed next;
        seal(&next);
        post(5000, &next);
        assert_ok();
        bench_end(&b);
    }
}

/* What was said before a cut at any later moment is a replay, not merely refused: its key is still there. */
static void test_said_is_replay(void **state)
{
    (void)state;
    for (uint32_t at = 0; at < 12; at++) {
        bench_sealed sealed[3];
        bench_begin(&b, at, BENCH_MARKS);
        b.flash.cut_at = b.flash.operations + at;
        unsigned said = 0;
        for (uint16_t i = 0; i < 3 && !b.flash.off; i++) {
            seal(&sealed[i]);
            post(i, &sealed[i]);
            if (answer.any)
                said++;
        }
        restart();
        for (uint16_t i = 0; i < said; i++) {
            post((uint16_t)(100 + i), &sealed[i]);
            assert_replay();
        }
        bench_end(&b);
    }
}

/* ---- rotation ---------------------------------------------------------- */

static void fill(uint16_t *message_id, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        bench_sealed sealed;
        seal(&sealed);
        post((*message_id)++, &sealed);
        assert_ok();
    }
}

/* Whether the holder of the key old_ek names the present key, and not another. */
static bool endorses(const uint8_t old_ek[800], uint16_t message_id)
{
    uint8_t question[LARCH_DIRECT_HINT_LEN + 768], ss[32], old_hash[32], named[32];
    const uint8_t *hash;
    size_t len;
    const larch_bytes ek = {old_ek, 800};
    assert_int_equal(larch_direct_key_hash(ek, old_hash), LARCH_OK);
    assert_int_equal(larch_direct_next_ask(kem, &b.random, ek, question, sizeof question, &len, ss), LARCH_OK);
    const bench_ask ask = {
        .code = LARCH_COAP_POST, .message_id = message_id, .path = "pqkem-next", .payload = {question, len}};
    bench_say(&b, &sender, false, &ask, &answer);
    if (larch_direct_next_check(ss, old_hash, answer.message.payload, named) != LARCH_OK)
        return false;
    (void)larch_gateway_key_of(&b.gw, kem, NULL, &hash);
    return memcmp(named, hash, sizeof named) == 0;
}

static void test_rotation_when_nearly_full(void **state)
{
    (void)state;
    uint32_t generation;
    uint16_t message_id = 0;
    const uint8_t *hash;
    uint8_t etag[32], old_ek[800];
    bench_sealed early, late, last;
    bench_begin(&b, 1, 16); /* takes 15, rotates at 14 */
    memcpy(old_ek, larch_gateway_key_of(&b.gw, kem, NULL, &hash).data, sizeof old_ek);
    memcpy(etag, hash, sizeof etag);
    seal(&early);
    seal(&late);
    seal(&last);
    fill(&message_id, 13);
    assert_int_equal(b.told[LARCH_EVENT_ROTATED], 0);
    post(message_id++, &early);
    assert_ok();
    assert_int_equal(b.told[LARCH_EVENT_ROTATED], 1);
    (void)larch_gateway_key_of(&b.gw, kem, &generation, &hash);
    assert_int_equal(generation, 2);
    assert_memory_not_equal(etag, hash, 8);
    const bench_ask ask = {.code = LARCH_COAP_GET, .message_id = message_id, .path = "pqkem-pk", .etag = {etag, 8}};
    message_id++;
    bench_say(&b, &sender, false, &ask, &answer);
    assert_int_equal(answer.message.code, LARCH_COAP_CONTENT); /* what the peer has is old */

    /* The old key goes on until its set is full. Then it opens nothing more, knows its replays, and endorses. */
    post(message_id++, &early);
    assert_replay();
    post(message_id++, &late);
    assert_ok();
    post(message_id++, &last);
    assert_refuse();
    post(message_id++, &late);
    assert_replay();
    assert_true(endorses(old_ek, message_id++));
    assert_int_equal(b.told[LARCH_EVENT_FORGOTTEN], 0);
    restart();
    post(message_id++, &last);
    assert_refuse();
    assert_true(endorses(old_ek, message_id++));
    /* With its grace it is gone, and with it all that was sealed to it. */
    assert_true(file_is_there("replay-512-1.log"));
    b.now_ms += b.config.direct.grace_ms;
    bench_collect(&b, &answer);
    assert_int_equal(b.told[LARCH_EVENT_FORGOTTEN], 1);
    assert_false(file_is_there("replay-512-1.log"));
    post(message_id++, &early);
    assert_refuse();
    assert_false(endorses(old_ek, message_id++));
    assert_true(larch_gateway_deadline_ms(&b.gw) == UINT64_MAX);
    restart();
    post(message_id++, &last);
    assert_refuse();
    fill(&message_id, 43);
    assert_int_equal(b.told[LARCH_EVENT_ROTATED], 4);
    bench_end(&b);
}

static void test_grace(void **state)
{
    (void)state;
    bench_sealed old;
    uint16_t message_id = 0;
    bench_begin(&b, 1, BENCH_MARKS);
    seal(&old);
    assert_int_equal(larch_gateway_rotate(&b.gw, b.now_ms, kem), LARCH_OK);
    assert_true(larch_gateway_deadline_ms(&b.gw) == b.now_ms + b.config.direct.grace_ms);
    b.now_ms += b.config.direct.grace_ms - 1;
    bench_collect(&b, &answer);
    assert_int_equal(b.told[LARCH_EVENT_FORGOTTEN], 0);
    /* If forgetting fails it is tried again, at a deadline that lies ahead. */
    b.now_ms++;
    b.flash.fail_at = b.flash.operations;
    bench_collect(&b, &answer);
    assert_int_equal(b.told[LARCH_EVENT_FORGOTTEN], 0);
    assert_int_equal(b.told[LARCH_EVENT_STORAGE], 1);
    assert_true(larch_gateway_deadline_ms(&b.gw) == b.now_ms + 1000);
    b.now_ms += 1000;
    bench_collect(&b, &answer);
    assert_int_equal(b.told[LARCH_EVENT_FORGOTTEN], 1);
    assert_true(larch_gateway_deadline_ms(&b.gw) == UINT64_MAX);
    post(message_id++, &old);
    assert_refuse();
    bench_end(&b);

    /* A grace without end does not end at once. */
    bench_prepare(&b, 2, BENCH_MARKS);
    b.config.direct.grace_ms = UINT64_MAX;
    assert_int_equal(bench_start(&b), LARCH_OK);
    seal(&old);
    assert_int_equal(larch_gateway_rotate(&b.gw, b.now_ms, kem), LARCH_OK);
    restart();
    bench_collect(&b, &answer);
    post(message_id++, &old);
    assert_ok();
    bench_end(&b);
}

/* A full set whose key cannot be rotated takes no more, and says so; nothing is accepted without a mark. */
static void test_full_without_rotation(void **state)
{
    (void)state;
    uint16_t message_id = 0;
    bench_sealed sealed;
    bench_begin(&b, 1, 16);
    fill(&message_id, 13);
    for (unsigned i = 0; i < 2; i++) { /* the marks are written, the rotation behind them fails */
        seal(&sealed);
        b.flash.fail_at = b.flash.operations + 2;
        b.flash.fail_count = UINT32_MAX;
        post(message_id++, &sealed);
        assert_ok();
        assert_true(larch_gateway_deadline_ms(&b.gw) == b.now_ms + 1000);
    }
    seal(&sealed);
    post(message_id++, &sealed);
    assert_answer(LARCH_COAP_SERVICE_UNAVAILABLE, "");
    assert_int_equal(b.told[LARCH_EVENT_ACCEPTED], 15);
    b.flash.fail_at = LARCH_FLASH_NEVER;
    b.now_ms = larch_gateway_deadline_ms(&b.gw);
    bench_collect(&b, &answer);
    assert_int_equal(b.told[LARCH_EVENT_ROTATED], 1);
    fill(&message_id, 3);
    bench_end(&b);
}

/* ---- start ------------------------------------------------------------- */

typedef struct damage_row {
    const char *name;
    uint32_t at;
    size_t cut; /* bytes left, or all */
    larch_store_fault fault;
} damage_row;

static void test_damaged_start(void **state)
{
    (void)state;
    static const damage_row rows[] = {
        {"direct-512.key", 0, SIZE_MAX, LARCH_STORE_FOREIGN},
        {"direct-512.key", 4, SIZE_MAX, LARCH_STORE_VERSION},
        {"direct-512.key", 30, SIZE_MAX, LARCH_STORE_DAMAGED},
        {"direct-768.key", 185, SIZE_MAX, LARCH_STORE_DAMAGED},
        {"direct-1024.key", 150, 100, LARCH_STORE_TRUNCATED},
        {"direct-512.key", 0, 0, LARCH_STORE_TRUNCATED},
        {"replay-512-1.log", 15, SIZE_MAX, LARCH_STORE_DAMAGED},
        {"replay-512-1.log", 512, SIZE_MAX, LARCH_STORE_DAMAGED},
        {"replay-512-2.log", 3, SIZE_MAX, LARCH_STORE_FOREIGN},
        {"replay-768-1.log", 700, 600, LARCH_STORE_TRUNCATED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        static uint8_t bytes[8192], expected[LARCH_FLASH_FILES][8192];
        bench_sealed sealed;
        const damage_row *row = &rows[i];
        bench_begin(&b, i, BENCH_MARKS);
        seal(&sealed);
        post(1, &sealed);
        assert_ok();
        assert_int_equal(larch_gateway_rotate(&b.gw, b.now_ms, kem), LARCH_OK);
        larch_gateway_wipe(&b.gw);

        larch_bytes file = larch_flash_look(&b.flash, row->name);
        assert_non_null(file.data);
        memcpy(bytes, file.data, file.len);
        bytes[row->at] ^= 1;
        larch_flash_put(&b.flash, row->name, (larch_bytes){bytes, file.len < row->cut ? file.len : row->cut});
        for (size_t f = 0; f < LARCH_FLASH_FILES; f++)
            if (b.flash.files[f].now != NULL)
                memcpy(expected[f], b.flash.files[f].now, b.flash.files[f].size);
        larch_error e = bench_start(&b);
        if (b.fault != row->fault)
            print_error("%s at %u: %s\n", row->name, row->at, larch_store_fault_text(b.fault));
        assert_int_equal(e, LARCH_MALFORMED);
        assert_string_equal(b.faulty, row->name);
        assert_int_equal(b.fault, row->fault);
        for (size_t f = 0; f < LARCH_FLASH_FILES; f++)
            if (b.flash.files[f].now != NULL)
                assert_memory_equal(expected[f], b.flash.files[f].now, b.flash.files[f].size);
        static const larch_gateway nothing;
        assert_memory_equal(&b.gw, &nothing, sizeof nothing);
        bench_end(&b);
    }
}

static void test_missing_journal(void **state)
{
    (void)state;
    bench_begin(&b, 1, BENCH_MARKS);
    larch_gateway_wipe(&b.gw);
    assert_int_equal(b.storage.remove(b.storage.context, "replay-768-1.log"), LARCH_OK);
    assert_int_equal(bench_start(&b), LARCH_STATE);
    assert_string_equal(b.faulty, "replay-768-1.log");
    assert_int_equal(b.fault, LARCH_STORE_MISSING);
    assert_false(file_is_there("replay-768-1.log")); /* made anew, it would take replays */
    bench_end(&b);

    /* A key that is gone while its marks are not: no new key in its place. */
    bench_begin(&b, 1, BENCH_MARKS);
    bench_sealed sealed;
    seal(&sealed);
    post(1, &sealed);
    larch_gateway_wipe(&b.gw);
    assert_int_equal(b.storage.remove(b.storage.context, "direct-512.key"), LARCH_OK);
    assert_int_equal(bench_start(&b), LARCH_STATE);
    assert_string_equal(b.faulty, "replay-512-1.log");
    assert_false(file_is_there("direct-512.key"));
    bench_end(&b);
}

static void test_bad_config(void **state)
{
    (void)state;
    bench_prepare(&b, 1, BENCH_MARKS);
    b.config.server.slot_count = 0;
    assert_int_equal(bench_start(&b), LARCH_STATE);
    b.config.server.slot_count = BENCH_SLOTS;
    b.config.server.coap.exchange_count = 0;
    assert_int_equal(bench_start(&b), LARCH_STATE);
    b.config.server.coap.exchange_count = BENCH_EXCHANGES;
    b.config.server.reach_count = 12;
    assert_int_equal(bench_start(&b), LARCH_STATE);
    b.config.server.reach_count = BENCH_REACH;
    b.config.direct.replay_slots = 48;
    assert_int_equal(bench_start(&b), LARCH_STATE);
    assert_null(b.flash.files[0].now); /* nothing was stored */
    b.config.direct.replay_slots = BENCH_MARKS;
    assert_int_equal(bench_start(&b), LARCH_OK);
    /* A journal larger than the memory now given. */
    larch_gateway_wipe(&b.gw);
    b.config.direct.replay_slots = 16;
    assert_int_equal(bench_start(&b), LARCH_SPACE);
    assert_string_equal(b.faulty, "replay-512-1.log");
    bench_end(&b);
}

static void test_random_fails(void **state)
{
    (void)state;
    unsigned calls = 0;
    for (unsigned at = 1; calls == 0; at++) {
        bench_prepare(&b, 1, BENCH_MARKS);
        b.random_state.fails_at = at;
        larch_error e = bench_start(&b);
        if (e == LARCH_OK)
            calls = b.random_state.calls;
        else
            assert_int_equal(e, LARCH_PLATFORM);
        b.random_state.fails_at = 0;
        restart(); /* whatever was made until then is sound */
        bench_sealed sealed;
        seal(&sealed);
        post(1, &sealed);
        assert_ok();
        bench_end(&b);
    }
    assert_int_equal(calls, 5 + 3 * LARCH_DIRECT_SETS + LARCH_MLDSA_44 + LARCH_MLDSA_87);

    for (unsigned at = 1; at <= 3; at++) {
        bench_sealed sealed;
        uint32_t generation;
        bench_begin(&b, 1, BENCH_MARKS);
        seal(&sealed);
        b.random_state.fails_at = b.random_state.calls + at;
        larch_error e = larch_gateway_rotate(&b.gw, b.now_ms, kem);
        assert_int_equal(e, at <= 2 ? LARCH_PLATFORM : LARCH_OK);
        b.random_state.fails_at = 0;
        (void)larch_gateway_key_of(&b.gw, kem, &generation, NULL);
        assert_int_equal(generation, at <= 2 ? 1 : 2);
        post(1, &sealed);
        assert_ok();
        bench_end(&b);
    }
}

/* A first start while each operation fails in turn: refused, and a second start is sound. */
static void test_first_start_fails(void **state)
{
    (void)state;
    bool done = false;
    for (uint32_t at = 0; !done; at++) {
        bench_prepare(&b, at, BENCH_MARKS);
        b.flash.fail_at = at;
        larch_error e = bench_start(&b);
        done = e == LARCH_OK;
        if (!done) {
            assert_int_equal(e, LARCH_PLATFORM);
            assert_true(b.faulty[0] != '\0');
            assert_int_equal(b.fault, LARCH_STORE_MEDIUM);
        }
        restart();
        bench_end(&b);
    }
}

int main(void)
{
    if (larch_crypto_init() != LARCH_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_storage_fails, begin),
        cmocka_unit_test_setup(test_storage_fails_for_a_batch, begin),
        cmocka_unit_test_setup(test_rotation_fails, begin),
        cmocka_unit_test_setup(test_power_cut_anywhere, begin),
        cmocka_unit_test_setup(test_said_is_replay, begin),
        cmocka_unit_test_setup(test_rotation_when_nearly_full, begin),
        cmocka_unit_test_setup(test_grace, begin),
        cmocka_unit_test_setup(test_full_without_rotation, begin),
        cmocka_unit_test_setup(test_damaged_start, begin),
        cmocka_unit_test_setup(test_missing_journal, begin),
        cmocka_unit_test_setup(test_bad_config, begin),
        cmocka_unit_test_setup(test_random_fails, begin),
        cmocka_unit_test_setup(test_first_start_fails, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
