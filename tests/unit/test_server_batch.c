/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order in which a message is accepted: pulled and settled batch by batch, its mark durable before its answer
 * leaves, and its effect never repeated, whatever duplicates come and whichever storage fails.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "server_bench.h"

static server_bench b;
static larch_peer alice, bob;

static int begin(void **state)
{
    (void)state;
    alice = larch_sim_ipv4(0x0a000001, 40000);
    bob = larch_sim_ipv4(0x0a000002, 40000);
    sb_begin(&b);
    return 0;
}

static void expect(const larch_peer *peer, uint8_t code, const char *text)
{
    bench_answer answer;
    assert_int_equal(sb_send(&b, &answer), LARCH_OK);
    assert_true(bench_answers(&answer, code, text));
    assert_true(larch_peer_equal(&answer.peer, peer));
    larch_bytes value;
    uint32_t max_age = 0;
    if (larch_coap_option_find(&answer.message, LARCH_COAP_OPT_MAX_AGE, &value))
        assert_int_equal(larch_coap_option_uint(value, &max_age), LARCH_OK);
    assert_int_equal(max_age, code == LARCH_COAP_SERVICE_UNAVAILABLE ? SB_NO_ROOM_S : 0);
}

static void expect_ok(const larch_peer *peer) { expect(peer, LARCH_COAP_CHANGED, "OK"); }
static void expect_replay(const larch_peer *peer) { expect(peer, LARCH_COAP_CONFLICT, "REPLAY"); }
static void expect_no_room(const larch_peer *peer) { expect(peer, LARCH_COAP_SERVICE_UNAVAILABLE, ""); }

static void expect_error(larch_error e)
{
    bench_answer answer;
    assert_int_equal(sb_send(&b, &answer), e);
}

static larch_error pull(larch_accepted *message) { return larch_server_accepted(&b.srv, b.now_ms, message); }

/* ---- settling ------------------------------------------------------------ */

static void test_settle_states(void **state)
{
    (void)state;
    larch_accepted one, two, none;
    assert_int_equal(pull(&none), LARCH_AGAIN);
    assert_int_equal(none.identity.len, 0);
    assert_int_equal(larch_server_settle(&b.srv, &none, LARCH_SETTLED_STORED), LARCH_STATE);
    assert_int_equal(sb_post(&b, &alice, 1, 10), LARCH_OK);
    assert_int_equal(sb_post(&b, &bob, 2, 11), LARCH_OK);
    expect_error(LARCH_STATE); /* accepted, not pulled */
    assert_int_equal(pull(&one), LARCH_OK);
    assert_int_equal(one.identity.len, 2);
    assert_memory_equal(one.identity.bytes, "T\x0a", 2);
    assert_true(larch_peer_equal(&one.peer, &alice));
    assert_int_equal(one.text.len, 1);
    expect_error(LARCH_STATE);
    assert_int_equal(pull(&two), LARCH_OK);
    assert_int_equal(pull(&none), LARCH_AGAIN);
    assert_int_equal(larch_server_settle(&b.srv, &two, LARCH_SETTLED_STORED), LARCH_OK);
    expect_error(LARCH_STATE); /* pulled, not settled */
    assert_int_equal(larch_server_settle(&b.srv, &two, LARCH_SETTLED_STORED), LARCH_STATE);
    assert_int_equal(larch_server_settle(&b.srv, &two, LARCH_SETTLED_NO_ROOM), LARCH_STATE);
    none = two;
    none.slot = SB_SLOTS + 100;
    assert_int_equal(larch_server_settle(&b.srv, &none, LARCH_SETTLED_STORED), LARCH_STATE);
    assert_int_equal(larch_server_settle(&b.srv, &one, LARCH_SETTLED_STORED), LARCH_OK);
    assert_int_equal(b.first.keeps, 0); /* settling alone writes nothing */
    expect_ok(&alice);
    assert_int_equal(b.first.marks[10], SB_DURABLE);
    expect_ok(&bob);
    expect_error(LARCH_AGAIN);
    assert_int_equal(b.first.commits, 1);
    assert_int_equal(b.srv.count[LARCH_EVENT_ACCEPTED], 2);
    assert_int_equal(larch_server_settle(&b.srv, &one, LARCH_SETTLED_STORED), LARCH_STATE);
}

/* A batch ends when there are no more messages: then it is settled before the next begins. */
static void test_next_batch_waits_for_settling(void **state)
{
    (void)state;
    larch_accepted one, two;
    assert_int_equal(sb_post(&b, &alice, 1, 10), LARCH_OK);
    assert_int_equal(pull(&one), LARCH_OK);
    /* It is open still: what arrives now belongs to it. */
    assert_int_equal(sb_post(&b, &bob, 2, 11), LARCH_OK);
    assert_int_equal(pull(&two), LARCH_OK);
    assert_int_equal(pull(&two), LARCH_AGAIN);
    assert_int_equal(sb_post(&b, &bob, 3, 12), LARCH_OK);
    assert_int_equal(pull(&two), LARCH_STATE);
    assert_int_equal(larch_server_settle(&b.srv, &one, LARCH_SETTLED_STORED), LARCH_OK);
    assert_int_equal(pull(&two), LARCH_STATE); /* the second is not */
    one.slot++;
    assert_int_equal(larch_server_settle(&b.srv, &one, LARCH_SETTLED_STORED), LARCH_OK);
    assert_int_equal(b.first.commits, 0);
    assert_int_equal(pull(&two), LARCH_OK);
    assert_int_equal(two.text.data[0], 12);
    /* The marks of the batch before are durable, those of this one are not even kept. */
    assert_int_equal(b.first.commits, 1);
    assert_int_equal(b.first.marks[10], SB_DURABLE);
    assert_int_equal(b.first.marks[11], SB_DURABLE);
    assert_int_equal(b.first.marks[12], SB_RESERVED);
    assert_int_equal(larch_server_settle(&b.srv, &two, LARCH_SETTLED_STORED), LARCH_OK);
    expect_ok(&alice);
    expect_ok(&bob);
    expect_ok(&bob);
}

/* While marks cannot be made durable no batch begins and no answer leaves; nothing is lost. */
static void test_storage_fails(void **state)
{
    (void)state;
    for (int way = 0; way < 2; way++) {
        larch_accepted message;
        begin(NULL);
        assert_int_equal(sb_post(&b, &alice, 1, 10), LARCH_OK);
        assert_int_equal(sb_settle(&b, LARCH_SETTLED_STORED), 1);
        assert_int_equal(sb_post(&b, &bob, 2, 11), LARCH_OK);
        *(way == 0 ? &b.first.fails : &b.first.keep_fails) = 2;
        assert_int_equal(pull(&message), LARCH_PLATFORM);
        assert_int_equal(message.identity.len, 0);
        assert_int_equal(b.told[LARCH_EVENT_STORAGE], 1);
        const unsigned commits = b.first.commits;
        const uint64_t retry_ms = larch_server_deadline_ms(&b.srv);
        assert_true(retry_ms > b.now_ms && retry_ms <= b.now_ms + 10000);
        /* Before the deadline the storage is left in peace. */
        b.now_ms = retry_ms - 1;
        assert_int_equal(pull(&message), LARCH_PLATFORM);
        expect_error(LARCH_PLATFORM);
        assert_int_equal(b.first.commits, commits);
        assert_int_equal(b.told[LARCH_EVENT_STORAGE], 1);
        b.now_ms = retry_ms;
        assert_int_equal(pull(&message), LARCH_PLATFORM); /* the second time */
        assert_int_equal(b.told[LARCH_EVENT_STORAGE], 2);
        assert_int_equal(b.first.concluded, 0);
        b.now_ms = larch_server_deadline_ms(&b.srv);
        assert_int_equal(pull(&message), LARCH_OK);
        assert_int_equal(message.text.data[0], 11);
        assert_int_equal(b.first.marks[10], SB_DURABLE);
        assert_int_equal(b.first.keeps, 1); /* not twice, though it was tried again */
        assert_int_equal(larch_server_settle(&b.srv, &message, LARCH_SETTLED_STORED), LARCH_OK);
        /* The same on the way out. */
        b.first.fails = 1;
        expect_error(LARCH_PLATFORM);
        assert_int_equal(b.first.marks[11], SB_KEPT);
        b.now_ms = larch_server_deadline_ms(&b.srv);
        expect_ok(&alice);
        expect_ok(&bob);
        expect_error(LARCH_AGAIN);
        assert_int_equal(larch_server_deadline_ms(&b.srv), UINT64_MAX);
    }
}

/* What one service failed to make durable keeps the answers of all back. */
static void test_other_storage_fails(void **state)
{
    (void)state;
    assert_int_equal(sb_post(&b, &alice, 1, 10), LARCH_OK);
    assert_int_equal(sb_settle(&b, LARCH_SETTLED_STORED), 1);
    b.second.fails = 1;
    expect_error(LARCH_PLATFORM);
    b.now_ms = larch_server_deadline_ms(&b.srv);
    expect_ok(&alice);
}

/* ---- no room ------------------------------------------------------------- */

static void test_no_room(void **state)
{
    (void)state;
    assert_int_equal(sb_post(&b, &alice, 1, 10), LARCH_OK);
    assert_int_equal(sb_settle(&b, LARCH_SETTLED_NO_ROOM), 1);
    expect_no_room(&alice);
    assert_int_equal(b.first.marks[10], SB_ABSENT);
    assert_int_equal(b.first.keeps, 0);
    assert_int_equal(b.srv.count[LARCH_EVENT_ACCEPTED], 0);
    /* The message may come again, in a request of its own, and is accepted then. */
    assert_int_equal(sb_post(&b, &alice, 2, 10), LARCH_OK);
    assert_int_equal(sb_settle(&b, LARCH_SETTLED_STORED), 1);
    expect_ok(&alice);
    assert_int_equal(b.srv.count[LARCH_EVENT_ACCEPTED], 1);
    assert_int_equal(sb_post(&b, &alice, 3, 10), LARCH_OK);
    expect_replay(&alice);
}

/* A message that is repeated before its answer: the driver sees it once, and both get the one's fate. */
static void test_repeated_within_a_batch(void **state)
{
    (void)state;
    for (int stored = 0; stored < 2; stored++) {
        begin(NULL);
        assert_int_equal(sb_post(&b, &alice, 1, 10), LARCH_OK);
        assert_int_equal(sb_post(&b, &alice, 2, 10), LARCH_OK);
        assert_int_equal(sb_post(&b, &bob, 3, 10), LARCH_OK);
        assert_int_equal(sb_post(&b, &bob, 4, 11), LARCH_OK);
        assert_int_equal(sb_settle(&b, stored ? LARCH_SETTLED_STORED : LARCH_SETTLED_NO_ROOM), 2);
        assert_int_equal(sb_post(&b, &bob, 5, 10), LARCH_OK); /* settled, not concluded */
        if (stored) {
            expect_ok(&alice);
            expect_replay(&alice);
            expect_replay(&bob);
            expect_ok(&bob);
            expect_replay(&bob);
        } else {
            for (int i = 0; i < 2; i++)
                expect_no_room(&alice);
            for (int i = 0; i < 3; i++)
                expect_no_room(&bob);
        }
        expect_error(LARCH_AGAIN);
        assert_int_equal(b.first.keeps, stored ? 2 : 0);
    }
}

/* What repeats a message of the next batch is not answered with this one. */
static void test_repeated_in_the_next_batch(void **state)
{
    (void)state;
    assert_int_equal(sb_post(&b, &alice, 1, 10), LARCH_OK);
    assert_int_equal(sb_settle(&b, LARCH_SETTLED_STORED), 1);
    assert_int_equal(sb_post(&b, &bob, 2, 11), LARCH_OK);
    assert_int_equal(sb_post(&b, &bob, 3, 11), LARCH_OK);
    assert_int_equal(sb_settle(&b, LARCH_SETTLED_STORED), 1); /* commits the first batch */
    assert_int_equal(b.first.concluded, 1);
    expect_ok(&alice);
    expect_ok(&bob);
    expect_replay(&bob);
}

/* ---- duplicates ---------------------------------------------------------- */

/* A copy of a request whose message is held gets nothing; later, the very bytes of the answer. */
static void test_duplicate_while_held(void **state)
{
    (void)state;
    bench_answer answer, again;
    larch_accepted message;
    assert_int_equal(sb_post(&b, &alice, 1, 10), LARCH_OK);
    assert_int_equal(sb_post(&b, &alice, 1, 10), LARCH_OK);
    assert_int_equal(pull(&message), LARCH_OK);
    assert_int_equal(sb_post(&b, &alice, 1, 10), LARCH_OK);
    assert_int_equal(pull(&(larch_accepted){0}), LARCH_AGAIN);
    assert_int_equal(larch_server_settle(&b.srv, &message, LARCH_SETTLED_STORED), LARCH_OK);
    assert_int_equal(sb_post(&b, &alice, 1, 10), LARCH_OK);
    assert_int_equal(sb_send(&b, &answer), LARCH_OK);
    assert_true(bench_answers(&answer, LARCH_COAP_CHANGED, "OK"));
    expect_error(LARCH_AGAIN);
    for (int i = 0; i < 3; i++) {
        b.now_ms += 1000;
        assert_int_equal(sb_post(&b, &alice, 1, 10), LARCH_OK);
        assert_int_equal(sb_send(&b, &again), LARCH_OK);
        assert_int_equal(again.len, answer.len);
        assert_memory_equal(again.bytes, answer.bytes, answer.len);
        expect_error(LARCH_AGAIN);
    }
    assert_int_equal(b.first.ran, 1);
    /* The same message ID of another peer is another request. */
    assert_int_equal(sb_post(&b, &bob, 1, 10), LARCH_OK);
    expect_replay(&bob);
}

/* An answer that newer ones pushed out of the ring is not sent again, and its request not carried out again. */
static void test_answer_pushed_out(void **state)
{
    (void)state;
    sb_prepare(&b);
    b.config.coap.answers_len = 40; /* two of them */
    assert_int_equal(sb_start(&b), LARCH_OK);
    for (uint8_t i = 0; i < 12; i++) {
        assert_int_equal(sb_post(&b, &alice, i, i), LARCH_OK);
        assert_int_equal(sb_settle(&b, LARCH_SETTLED_STORED), 1);
        expect_ok(&alice);
        expect_error(LARCH_AGAIN);
    }
    for (uint8_t i = 0; i < 10; i++) {
        assert_int_equal(sb_post(&b, &alice, i, i), LARCH_OK);
        assert_int_equal(sb_settle(&b, LARCH_SETTLED_STORED), 0);
        expect_error(LARCH_AGAIN);
    }
    assert_int_equal(sb_post(&b, &alice, 11, 11), LARCH_OK);
    expect_ok(&alice); /* the newest is still there */
    assert_int_equal(b.first.ran, 12);
}

/* ---- answers behind texts ------------------------------------------------- */

/* The longest texts with the answers' room behind them, in blocks too: the server's account of the pool holds. */
static void test_texts_in_blocks(void **state)
{
    (void)state;
    uint8_t text[SB_TEXT];
    larch_accepted message;
    bench_answer answer;
    larch_bytes value;
    memset(text, 'x', sizeof text);
    text[0] = 10;
    bench_ask ask = {.code = LARCH_COAP_POST,
                     .message_id = 1,
                     .token = LARCH_TEXT("token..8"),
                     .path = "message",
                     .has_block1 = true,
                     .block1 = {0, true, 0},
                     .payload = {text, 16}};
    assert_int_equal(sb_receive(&b, &alice, &ask), LARCH_OK);
    ask.message_id = 2;
    ask.block1 = (larch_coap_block){1, false, 0};
    ask.payload = (larch_bytes){text + 16, 4};
    assert_int_equal(sb_receive(&b, &alice, &ask), LARCH_OK);
    assert_int_equal(pull(&message), LARCH_OK);
    assert_true(larch_bytes_equal(message.text, LARCH_BYTES(text)));
    assert_int_equal(larch_server_settle(&b.srv, &message, LARCH_SETTLED_STORED), LARCH_OK);
    assert_int_equal(sb_send(&b, &answer), LARCH_OK);
    assert_int_equal(answer.message.code, LARCH_COAP_CONTINUE);
    assert_int_equal(sb_send(&b, &answer), LARCH_OK);
    assert_true(bench_answers(&answer, LARCH_COAP_CHANGED, "OK"));
    assert_true(larch_coap_option_find(&answer.message, LARCH_COAP_OPT_BLOCK1, &value));
    /* Texts are wiped with their answers' leaving. */
    for (size_t i = 0; i + 4 <= sizeof b.pool; i++)
        assert_memory_not_equal(b.pool + i, "xxxx", 4);
}

/* Services are asked for what is due between batches only. */
static void test_maintain(void **state)
{
    (void)state;
    b.second.deadline_ms = b.now_ms + 77;
    assert_int_equal(larch_server_deadline_ms(&b.srv), b.now_ms + 77);
    assert_int_equal(sb_post(&b, &alice, 1, 10), LARCH_OK);
    assert_int_equal(larch_server_deadline_ms(&b.srv), 0);
    assert_int_equal(sb_settle(&b, LARCH_SETTLED_STORED), 1);
    expect_ok(&alice);
    assert_int_equal(b.first.maintained, 0);
    expect_error(LARCH_AGAIN);
    assert_int_equal(b.first.maintained, 1);
    assert_int_equal(b.second.maintained, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_settle_states, begin),
        cmocka_unit_test_setup(test_next_batch_waits_for_settling, begin),
        cmocka_unit_test_setup(test_storage_fails, begin),
        cmocka_unit_test_setup(test_other_storage_fails, begin),
        cmocka_unit_test_setup(test_no_room, begin),
        cmocka_unit_test_setup(test_repeated_within_a_batch, begin),
        cmocka_unit_test_setup(test_repeated_in_the_next_batch, begin),
        cmocka_unit_test_setup(test_duplicate_while_held, begin),
        cmocka_unit_test_setup(test_answer_pushed_out, begin),
        cmocka_unit_test_setup(test_texts_in_blocks, begin),
        cmocka_unit_test_setup(test_maintain, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
