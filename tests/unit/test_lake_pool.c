/* SPDX-License-Identifier: Apache-2.0 */
/* The Responder: whom it works for, and what it keeps of handshakes that are half open. */
#include "lake_hand.h"

/* ---- reachability ------------------------------------------------------------------- */

/* Without an Echo in this very request nothing is kept, and nothing is computed. */
static void test_echo(void **state)
{
    (void)state;
    begin();
    make_message_1(LARCH_LAKE_METHOD_PSK);
    const unsigned calls = w.g.random_state.calls;
    assert_int_equal(post_up(), LARCH_COAP_UNAUTHORIZED);
    assert_int_equal(w.g.random_state.calls, calls);
    assert_int_equal(places_in_use(), 0);
    keep_echo();
    assert_int_equal(post_up(), LARCH_COAP_CHANGED);
    assert_int_equal(places_in_use(), 1);
    /* The address is proven for an hour now, and that is not enough. */
    make_message_1(LARCH_LAKE_METHOD_PSK);
    hand.echo_len = 0;
    assert_int_equal(post_up(), LARCH_COAP_UNAUTHORIZED);
    keep_echo();
    w.g.now_ms += 61000;
    assert_int_equal(post_up(), LARCH_COAP_UNAUTHORIZED); /* it is genuine, and too old */
    keep_echo();
    w.g.now_ms += 60000;
    assert_int_equal(post_up(), LARCH_COAP_CHANGED);
    /* That of another port. */
    make_message_1(LARCH_LAKE_METHOD_PSK);
    hand.peer.port++;
    assert_int_equal(post_up(), LARCH_COAP_UNAUTHORIZED);
    end();
}

/* A message_1 in two blocks: no block is kept without an Echo, and the last one needs it too. */
static void test_echo_blocks(void **state)
{
    (void)state;
    begin();
    w.suites[0] = w.device_suites[0] = larch_lake_suite_find(LARCH_LAKE_SUITE_X_WING);
    make_message_1(LARCH_LAKE_METHOD_PSK);
    assert_true(hand.up_len > 1024);
    assert_int_equal(post_up(), LARCH_COAP_UNAUTHORIZED);
    for (size_t i = 0; i < LARCH_COAP_REASSEMBLIES; i++)
        assert_false(w.g.srv.reassembly.bodies[i].used);
    keep_echo();
    bench_ask a = edhoc_ask((larch_bytes){hand.up, 1024});
    a.has_block1 = true;
    a.block1 = (larch_coap_block){0, true, 6};
    assert_int_equal(ask(&a), LARCH_COAP_CONTINUE);
    a = edhoc_ask((larch_bytes){hand.up + 1024, hand.up_len - 1024});
    a.has_block1 = true;
    a.block1 = (larch_coap_block){1, false, 6};
    const larch_bytes echo = a.echo;
    a.echo.len = 0;
    assert_int_equal(ask(&a), LARCH_COAP_UNAUTHORIZED);
    assert_int_equal(places_in_use(), 0);
    a.echo = echo; /* the last block alone comes again */
    a.message_id = ++hand.message_id;
    assert_int_equal(ask(&a), LARCH_COAP_CHANGED);
    assert_int_equal(places_in_use(), 1);
    end();
}

/* ---- the pool ------------------------------------------------------------------------ */

static void test_flood_without_echo(void **state)
{
    (void)state;
    begin();
    make_message_1(LARCH_LAKE_METHOD_PSK);
    const unsigned calls = w.g.random_state.calls;
    for (uint32_t i = 0; i < 3000; i++) {
        hand.peer = larch_sim_ipv4(0x20000000u + (i << 8), LW_DEVICE_PORT);
        assert_int_equal(post_up(), LARCH_COAP_UNAUTHORIZED);
    }
    assert_int_equal(w.g.random_state.calls, calls); /* no message_2 was made */
    assert_int_equal(places_in_use(), 0);
    assert_int_equal(knock(0x0a000002), LARCH_COAP_CHANGED);
    end();
}

/* A prefix has an eighth of the places, and replaces its own alone. */
static void test_shares(void **state)
{
    (void)state;
    begin();
    assert_int_equal(knock(0x0b000001), LARCH_COAP_CHANGED); /* a neighbour far away, half open */
    make_message_3(LARCH_LAKE_METHOD_PSK, NULL);
    const struct hand neighbour = hand;
    for (uint32_t i = 0; i < 200; i++) {
        const unsigned code = knock(0x14000001u + i);
        assert_int_equal(code, i < LW_PLACES / 8 ? LARCH_COAP_CHANGED : LARCH_COAP_SERVICE_UNAVAILABLE);
        assert_int_equal(places_in_use(), 1 + (i < LW_PLACES / 8 ? i + 1 : LW_PLACES / 8));
        if (code == LARCH_COAP_SERVICE_UNAVAILABLE)
            assert_int_equal(max_age(), 4);
    }
    /* Its own old ones give way. */
    for (uint32_t i = 0; i < 40; i++) {
        w.g.now_ms += 4000;
        if (i == 20) /* the neighbour is not disturbed */
        {
            struct hand other = hand;
            hand = neighbour;
            assert_int_equal(post_up(), LARCH_COAP_CHANGED);
            assert_int_equal(take_message_4(), LARCH_OK);
            hand = other;
        }
        assert_int_equal(knock(0x14000001u + i), LARCH_COAP_CHANGED);
        assert_true(places_in_use() <= 1 + LW_PLACES / 8);
    }
    end();
}

static void test_full(void **state)
{
    (void)state;
    begin();
    for (uint32_t i = 0; i < LW_PLACES; i++)
        assert_int_equal(knock(0x20000000u + (i << 8)), LARCH_COAP_CHANGED);
    assert_int_equal(knock(0x30000000u), LARCH_COAP_SERVICE_UNAVAILABLE);
    assert_int_equal(max_age(), 4);
    assert_true(w.g.told[LARCH_EVENT_RATE] > 0);
    w.g.now_ms += 10000; /* half-open ones of others are never replaced */
    assert_int_equal(knock(0x30000000u), LARCH_COAP_SERVICE_UNAVAILABLE);
    assert_int_equal(knock(0x20000000u), LARCH_COAP_CHANGED); /* its own is */
    assert_int_equal(places_in_use(), LW_PLACES);
    /* One that is answered is not half open any more. */
    make_message_3(LARCH_LAKE_METHOD_PSK, NULL);
    assert_int_equal(post_up(), LARCH_COAP_CHANGED);
    assert_int_equal(knock(0x30000000u), LARCH_COAP_SERVICE_UNAVAILABLE);
    w.g.now_ms += 4000;
    assert_int_equal(knock(0x30000000u), LARCH_COAP_CHANGED);
    end();
}

static void test_time_out(void **state)
{
    (void)state;
    begin();
    reach_message_3(LARCH_LAKE_METHOD_PSK);
    assert_int_equal(w.lake.service.deadline_ms(&w.lake), w.g.now_ms + LARCH_LAKE_HALF_OPEN_MS);
    w.g.now_ms += LARCH_LAKE_HALF_OPEN_MS;
    assert_false(collect()); /* maintains */
    assert_int_equal(w.lake.service.deadline_ms(&w.lake), UINT64_MAX);
    assert_true(all_are((const uint8_t *)w.places, sizeof w.places, 0));
    assert_int_equal(post_up(), LARCH_COAP_BAD_REQUEST);
    expect_error(LARCH_LAKE_ERROR_UNSPECIFIED);
    end();
}

/* ---- duplicates ---------------------------------------------------------------------- */

static void test_duplicates(void **state)
{
    static const unsigned methods[] = {LARCH_LAKE_METHOD_PSK, LARCH_LAKE_METHOD_SIGNATURES};
    static uint8_t first[5000];
    (void)state;
    for (size_t m = 0; m < 2; m++) {
        begin();
        begin_handshake(methods[m]);
        const size_t len = hand.down_len;
        memcpy(first, hand.down, len);
        const unsigned calls = w.g.random_state.calls;
        assert_int_equal(post_up(), LARCH_COAP_CHANGED); /* under another message ID */
        assert_int_equal(hand.down_len, len);
        assert_memory_equal(hand.down, first, len);
        assert_int_equal(w.g.random_state.calls, calls);
        assert_int_equal(places_in_use(), 1);
        make_message_3(methods[m], NULL);
        assert_int_equal(post_up(), LARCH_COAP_CHANGED);
        const size_t len_4 = hand.down_len;
        memcpy(first, hand.down, len_4);
        for (unsigned i = 0; i < 3; i++) {
            hand.peer.port++; /* through a NAT that changes its mind */
            hand.echo_len = 0;
            assert_int_equal(post_up(), LARCH_COAP_CHANGED);
            assert_int_equal(hand.down_len, len_4);
            assert_memory_equal(hand.down, first, len_4);
        }
        assert_int_equal(w.stores, 1);
        assert_int_equal(take_message_4(), LARCH_OK);
        /* Another message_3 for the same C_R. */
        hand.up[hand.up_len - 1] ^= 1;
        assert_int_equal(post_up(), LARCH_COAP_BAD_REQUEST);
        expect_error(LARCH_LAKE_ERROR_UNSPECIFIED);
        assert_int_equal(w.stores, 1);
        end();
    }
}

/* The same bytes from elsewhere are another handshake. */
static void test_copied_message_1(void **state)
{
    static uint8_t first[1000];
    (void)state;
    begin();
    begin_handshake(LARCH_LAKE_METHOD_PSK);
    memcpy(first, hand.down, hand.down_len);
    hand.peer = larch_sim_ipv4(0x0a000003, LW_DEVICE_PORT);
    larch_reach_echo(&w.g.srv.reach, w.g.now_ms, &hand.peer, hand.echo);
    assert_int_equal(post_up(), LARCH_COAP_CHANGED);
    assert_memory_not_equal(hand.down, first, hand.down_len);
    assert_int_equal(places_in_use(), 2);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_echo),
        cmocka_unit_test(test_echo_blocks),
        cmocka_unit_test(test_flood_without_echo),
        cmocka_unit_test(test_shares),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_time_out),
        cmocka_unit_test(test_duplicates),
        cmocka_unit_test(test_copied_message_1),
    };
    if (larch_crypto_init() != LARCH_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
