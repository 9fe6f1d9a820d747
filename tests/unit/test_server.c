/* SPDX-License-Identifier: Apache-2.0 */
/* One server and two services behind it: paths, large answers, and memory that runs out. */
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

/* Hands in one request and takes out its one answer. */
static const larch_coap_message *say(const larch_peer *peer, const bench_ask *ask)
{
    static bench_answer answer, none;
    assert_int_equal(sb_receive(&b, peer, ask), LARCH_OK);
    assert_int_equal(sb_send(&b, &answer), LARCH_OK);
    assert_true(larch_peer_equal(&answer.peer, peer));
    assert_int_equal(sb_send(&b, &none), LARCH_AGAIN);
    assert_int_equal(answer.message.message_id, ask->message_id);
    return &answer.message;
}

static const larch_coap_message *get(uint16_t message_id, uint8_t code, const char *path)
{
    return say(&alice, &(bench_ask){.code = code, .message_id = message_id, .path = path});
}

static bool says(const larch_coap_message *m, const char *text)
{
    return larch_bytes_equal(m->payload, (larch_bytes){(const uint8_t *)text, strlen(text)});
}

/* ---- paths --------------------------------------------------------------- */

static void test_paths(void **state)
{
    (void)state;
    /* What both have belongs to the first, with all of its methods. */
    assert_true(says(get(1, LARCH_COAP_GET, "shared"), "first"));
    assert_int_equal(get(2, LARCH_COAP_POST, "shared")->code, LARCH_COAP_METHOD_NOT_ALLOWED);
    assert_true(says(get(3, LARCH_COAP_GET, "a/path/of/its/own"), "second"));
    assert_true(says(get(4, LARCH_COAP_GET, "hidden"), "first"));
    assert_int_equal(get(5, LARCH_COAP_GET, "a/path/of/its")->code, LARCH_COAP_NOT_FOUND);
    assert_int_equal(get(6, LARCH_COAP_GET, "")->code, LARCH_COAP_NOT_FOUND);
    assert_int_equal(get(7, LARCH_COAP_GET, "message")->code, LARCH_COAP_METHOD_NOT_ALLOWED);
    assert_int_equal(get(8, LARCH_COAP_PUT, "shared")->code, LARCH_COAP_METHOD_NOT_ALLOWED);
    assert_true(says(get(9, LARCH_COAP_GET, ".well-known/core"),
                     "</large>;rt=\"t.large\",</message>;rt=\"t.message\",</shared>;rt=\"t.shared\","
                     "</shared>;rt=\"t.shared\",</a/path/of/its/own>;rt=\"t.own\""));
    assert_int_equal(get(10, LARCH_COAP_POST, ".well-known/core")->code, LARCH_COAP_METHOD_NOT_ALLOWED);
    assert_true(says(
        say(&alice,
            &(bench_ask){.code = LARCH_COAP_GET, .message_id = 11, .path = ".well-known/core", .query = "rt=t.own"}),
        "</a/path/of/its/own>;rt=\"t.own\""));
}

/* ---- large answers ------------------------------------------------------- */

/* Asks for one block of the large answer; num 0 carries the POST out. */
static const larch_coap_message *post_large(const larch_peer *peer, uint16_t message_id, uint32_t num, uint8_t szx)
{
    return say(peer, &(bench_ask){.code = LARCH_COAP_POST,
                                  .message_id = message_id,
                                  .token = LARCH_TEXT("tk"),
                                  .path = "large",
                                  .has_block2 = true,
                                  .block2 = {num, false, szx}});
}

static void check_block(const larch_coap_message *m, uint32_t num, uint8_t szx)
{
    larch_bytes value;
    larch_coap_block block;
    const size_t at = num * larch_coap_block_size(szx);
    const size_t left = SB_LARGE - at, size = larch_coap_block_size(szx);
    assert_int_equal(m->code, LARCH_COAP_CHANGED);
    assert_true(larch_coap_option_find(m, LARCH_COAP_OPT_BLOCK2, &value));
    assert_int_equal(larch_coap_block_parse(value, &block), LARCH_OK);
    assert_int_equal(block.num, num);
    assert_int_equal(block.szx, szx);
    assert_int_equal(block.more, left > size);
    assert_int_equal(m->payload.len, left > size ? size : left);
    for (size_t i = 0; i < m->payload.len; i++)
        assert_int_equal(m->payload.data[i], sb_large_at(at + i));
    assert_true(larch_coap_option_find(m, LARCH_COAP_OPT_CONTENT_FORMAT, &value));
    uint32_t size2 = 0;
    assert_int_equal(larch_coap_option_find(m, LARCH_COAP_OPT_SIZE2, &value), num == 0);
    assert_true(num != 0 || (larch_coap_option_uint(value, &size2) == LARCH_OK && size2 == SB_LARGE));
}

static void test_large_answer(void **state)
{
    (void)state;
    uint16_t message_id = 1;
    for (uint8_t szx = 2; szx <= 6; szx++) {
        const unsigned ran = b.first.ran;
        const uint32_t blocks = (uint32_t)((SB_LARGE + larch_coap_block_size(szx) - 1) / larch_coap_block_size(szx));
        for (uint32_t num = 0; num < blocks; num++)
            check_block(post_large(&alice, message_id++, num, szx), num, szx);
        assert_int_equal(b.first.ran, ran + 1); /* once for all blocks */
        /* Again, in another order: still the kept one. */
        check_block(post_large(&alice, message_id++, blocks - 1, szx), blocks - 1, szx);
        check_block(post_large(&alice, message_id++, 1, szx), 1, szx);
        assert_int_equal(post_large(&alice, message_id++, blocks, szx)->code, LARCH_COAP_BAD_REQUEST);
        assert_int_equal(b.first.ran, ran + 1);
    }
    /* Without a Block2 option the first block comes by itself. */
    check_block(say(&alice, &(bench_ask){.code = LARCH_COAP_POST, .message_id = message_id, .path = "large"}), 0, 6);
}

/* A later block of an answer that there is not: never a reason to carry the request out. */
static void test_large_answer_is_gone(void **state)
{
    (void)state;
    assert_int_equal(post_large(&alice, 1, 1, 6)->code, LARCH_COAP_REQUEST_ENTITY_INCOMPLETE);
    assert_int_equal(b.first.ran, 0);
    check_block(post_large(&alice, 2, 0, 6), 0, 6);
    /* Nobody else's. */
    assert_int_equal(post_large(&bob, 3, 1, 6)->code, LARCH_COAP_REQUEST_ENTITY_INCOMPLETE);
    check_block(post_large(&alice, 4, 1, 6), 1, 6);
    assert_int_equal(b.first.ran, 1);
    /* Two newer ones take its place. */
    b.now_ms++;
    check_block(post_large(&bob, 5, 0, 6), 0, 6);
    b.now_ms++;
    const larch_peer carol = larch_sim_ipv4(0x0a000003, 40000);
    check_block(post_large(&carol, 6, 0, 6), 0, 6);
    assert_int_equal(post_large(&alice, 7, 2, 6)->code, LARCH_COAP_REQUEST_ENTITY_INCOMPLETE);
    check_block(post_large(&bob, 8, 2, 6), 2, 6);
    /* So does time. */
    b.now_ms += 59999;
    check_block(post_large(&bob, 9, 1, 6), 1, 6);
    b.now_ms += 60000;
    assert_int_equal(post_large(&bob, 10, 1, 6)->code, LARCH_COAP_REQUEST_ENTITY_INCOMPLETE);
    assert_int_equal(b.first.ran, 3);
}

/* The table has a place, but the ring has not: what was overwritten is not handed out. */
static void test_large_answer_leaves_the_ring(void **state)
{
    (void)state;
    sb_prepare(&b);
    b.config.body_bytes_len = SB_LARGE; /* of one answer */
    assert_int_equal(sb_start(&b), LARCH_OK);
    check_block(post_large(&alice, 1, 0, 6), 0, 6);
    check_block(post_large(&bob, 2, 0, 6), 0, 6);
    assert_int_equal(post_large(&alice, 3, 1, 6)->code, LARCH_COAP_REQUEST_ENTITY_INCOMPLETE);
    check_block(post_large(&bob, 4, 1, 6), 1, 6);
    assert_int_equal(b.first.ran, 2);
}

/* A copy of the first request gets its answer again, and takes no effect. */
static void test_large_answer_to_a_copy(void **state)
{
    (void)state;
    check_block(post_large(&alice, 1, 0, 6), 0, 6);
    check_block(post_large(&alice, 1, 0, 6), 0, 6);
    assert_int_equal(b.first.ran, 1);
    check_block(post_large(&alice, 2, 0, 6), 0, 6); /* another message: carried out again, over the same place */
    assert_int_equal(b.first.ran, 2);
    check_block(post_large(&alice, 3, 2, 6), 2, 6);
}

/* ---- memory -------------------------------------------------------------- */

static void test_init_refuses(void **state)
{
    (void)state;
    const larch_service *five[] = {&b.first.service, &b.second.service, &b.second.service, &b.second.service,
                                   &b.second.service};
    const size_t pool_min = larch_server_pool_min(five, 2);
    assert_int_equal(pool_min, LARCH_COAP_DATAGRAM_MAX);
    b.first.service.answer_max = 2 * LARCH_COAP_DATAGRAM_MAX;
    assert_int_equal(larch_server_pool_min(five, 2), SB_TEXT + 72 + 2 * LARCH_COAP_DATAGRAM_MAX);
    assert_int_equal(larch_server_pool_min(five + 1, 1), LARCH_COAP_DATAGRAM_MAX);

    sb_prepare(&b);
    assert_int_equal(larch_server_init(&b.srv, &b.config, five, 0), LARCH_STATE);
    assert_int_equal(larch_server_init(&b.srv, &b.config, five, 5), LARCH_STATE);
    b.config.slot_count = 0;
    assert_int_equal(sb_start(&b), LARCH_STATE);
    sb_prepare(&b);
    b.config.pool = NULL;
    assert_int_equal(sb_start(&b), LARCH_STATE);
    sb_prepare(&b);
    b.config.pool_len = pool_min - 1;
    assert_int_equal(sb_start(&b), LARCH_SPACE);
    b.config.pool_len = pool_min;
    assert_int_equal(sb_start(&b), LARCH_OK);
    b.config.body_bytes_len = SB_LARGE - 1;
    assert_int_equal(sb_start(&b), LARCH_SPACE);
    b.config.body_bytes_len = SB_LARGE;
    b.config.body_count = 0;
    assert_int_equal(sb_start(&b), LARCH_SPACE);
    b.first.service.body_max = 0; /* then nobody needs them */
    b.config.body_bytes_len = 0;
    assert_int_equal(sb_start(&b), LARCH_OK);
    sb_prepare(&b);
    b.config.reach_count = 15;
    assert_int_equal(sb_start(&b), LARCH_STATE);
    sb_prepare(&b);
    b.config.coap.exchange_count = 0;
    assert_int_equal(sb_start(&b), LARCH_STATE);
}

/* Each call of the random source fails in turn: nothing of the server is left. */
static void test_init_without_random(void **state)
{
    (void)state;
    static const larch_server wiped;
    for (unsigned call = 1;; call++) {
        sb_prepare(&b);
        b.random_state.fails_at = call;
        if (sb_start(&b) == LARCH_OK) {
            assert_true(call > 3);
            return;
        }
        assert_memory_equal(&b.srv, &wiped, sizeof wiped);
    }
}

/* One slot, or one request's room: the second datagram is not taken, nothing of it is remembered, and it is taken
 * after the first left. */
static void test_full(void **state)
{
    (void)state;
    for (int way = 0; way < 2; way++) {
        bench_answer answer;
        sb_prepare(&b);
        if (way == 0)
            b.config.slot_count = 1;
        else
            b.config.pool_len = LARCH_COAP_DATAGRAM_MAX;
        assert_int_equal(sb_start(&b), LARCH_OK);
        assert_int_equal(sb_post(&b, &alice, 1, 7), LARCH_OK);
        assert_int_equal(sb_post(&b, &bob, 2, 8), LARCH_AGAIN);
        assert_int_equal(sb_post(&b, &bob, 2, 8), LARCH_AGAIN);
        assert_int_equal(b.first.ran, 1);
        assert_int_equal(b.first.marks[8], SB_ABSENT);
        assert_int_equal(larch_server_deadline_ms(&b.srv), 0);
        assert_int_equal(sb_settle(&b, LARCH_SETTLED_STORED), 1);
        assert_int_equal(sb_post(&b, &bob, 2, 8), LARCH_AGAIN); /* the answer is still in there */
        assert_int_equal(sb_send(&b, &answer), LARCH_OK);
        assert_true(bench_answers(&answer, LARCH_COAP_CHANGED, "OK"));
        assert_int_equal(sb_send(&b, &answer), LARCH_AGAIN);
        assert_int_equal(sb_post(&b, &bob, 2, 8), LARCH_OK);
        assert_int_equal(sb_settle(&b, LARCH_SETTLED_STORED), 1);
        assert_int_equal(sb_send(&b, &answer), LARCH_OK);
        assert_true(bench_answers(&answer, LARCH_COAP_CHANGED, "OK"));
        assert_true(larch_peer_equal(&answer.peer, &bob));
    }
}

/* Several at once: the first that find room, and on from there. */
static void test_full_of_many(void **state)
{
    (void)state;
    uint8_t bytes[20][64];
    larch_server_datagram in[20];
    bench_answer answer;
    size_t taken, done = 0, answered = 0;
    for (uint8_t i = 0; i < 20; i++) {
        const bench_ask ask = {
            .code = LARCH_COAP_POST, .message_id = i, .token = LARCH_TEXT("t"), .path = "message", .payload = {&i, 1}};
        uint8_t out[LARCH_COAP_DATAGRAM_MAX];
        const larch_bytes datagram = bench_compose(&ask, out);
        memcpy(bytes[i], datagram.data, datagram.len);
        in[i] = (larch_server_datagram){alice, false, {bytes[i], datagram.len}};
    }
    for (unsigned round = 0; done < 20; round++) {
        const larch_error e = larch_server_receive_many(&b.srv, b.now_ms, in + done, 20 - done, &taken);
        done += taken;
        assert_int_equal(taken, round < 2 ? SB_SLOTS : 4);
        assert_int_equal(e, round < 2 ? LARCH_AGAIN : LARCH_OK);
        larch_accepted batch[SB_SLOTS];
        for (size_t i = 0; i < taken; i++) {
            assert_int_equal(larch_server_accepted(&b.srv, b.now_ms, &batch[i]), LARCH_OK);
            assert_int_equal(batch[i].text.data[0], answered + i);
            assert_string_equal(batch[i].via, "first");
        }
        for (size_t i = 0; i < taken; i++)
            assert_int_equal(larch_server_settle(&b.srv, &batch[i], LARCH_SETTLED_STORED), LARCH_OK);
        while (sb_send(&b, &answer) == LARCH_OK) {
            assert_true(bench_answers(&answer, LARCH_COAP_CHANGED, "OK"));
            assert_int_equal(answer.message.message_id, answered++);
        }
    }
    assert_int_equal(answered, 20);
    assert_int_equal(b.first.commits, 3); /* one for each batch */
}

static void test_wipe(void **state)
{
    (void)state;
    static const uint8_t zeros[sizeof b.pool];
    check_block(post_large(&alice, 1, 0, 6), 0, 6);
    assert_int_equal(sb_post(&b, &alice, 2, 9), LARCH_OK);
    larch_server_wipe(&b.srv);
    assert_memory_equal(b.pool, zeros, sizeof b.pool);
    assert_memory_equal(b.body_bytes, zeros, sizeof b.body_bytes);
    assert_true(b.first.wiped && b.second.wiped);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_paths, begin),
        cmocka_unit_test_setup(test_large_answer, begin),
        cmocka_unit_test_setup(test_large_answer_is_gone, begin),
        cmocka_unit_test_setup(test_large_answer_leaves_the_ring, begin),
        cmocka_unit_test_setup(test_large_answer_to_a_copy, begin),
        cmocka_unit_test_setup(test_init_refuses, begin),
        cmocka_unit_test_setup(test_init_without_random, begin),
        cmocka_unit_test_setup(test_full, begin),
        cmocka_unit_test_setup(test_full_of_many, begin),
        cmocka_unit_test_setup(test_wipe, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
