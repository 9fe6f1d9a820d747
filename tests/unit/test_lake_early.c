/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that carry message_3 [RFC9668], and sessions beside each other. */
#include "lake_hand.h"

/* ---- combined requests [RFC9668] ------------------------------------------------------------ */

static void test_combined(void **state)
{
    (void)state;
    begin();
    reach_message_3(LARCH_LAKE_METHOD_PSK);
    derive_device_end();
    (void)report(0, true, "20");
    assert_int_equal(inner_code(), LARCH_COAP_CHANGED);
    assert_int_equal(w.stores, 1);
    assert_int_equal(w.g.stored_count, 1);
    assert_int_equal(places_in_use(), 0); /* no message_4 will be asked for */
    assert_int_equal(w.confirms, 0);
    /* Another one with message_3: that is ignored, and does not confirm. */
    (void)report(1, true, "21");
    assert_int_equal(inner_code(), LARCH_COAP_CHANGED);
    assert_int_equal(w.stores, 1);
    assert_int_equal(w.confirms, 0);
    /* A later one does, once. */
    (void)report(2, false, "22");
    (void)report(3, false, "23");
    assert_int_equal(w.g.stored_count, 4);
    assert_int_equal(w.confirms, 1);
    /* message_3 alone comes too late. */
    assert_int_equal(post_up(), LARCH_COAP_BAD_REQUEST);
    end();
}

/* The session is durable before the request is carried out; else nothing of both is done. */
static unsigned commits;
static larch_error commit_result;
static larch_error commit(void *context)
{
    lake_world *world = context;
    larch_session *made;
    size_t at = 0;
    commits++;
    assert_int_equal(world->g.stored_count, 0);
    if (commit_result != LARCH_OK && (made = larch_session_table_next(&world->g.table, &at)) != NULL)
        larch_session_table_remove(&world->g.table, made);
    return commit_result;
}

static void test_combined_commit(void **state)
{
    (void)state;
    for (unsigned fails = 0; fails < 2; fails++) {
        begin();
        w.lake.config.commit = commit;
        commits = 0;
        commit_result = fails ? LARCH_PLATFORM : LARCH_OK;
        reach_message_3(LARCH_LAKE_METHOD_PSK);
        derive_device_end();
        const unsigned code = report(0, true, "20");
        assert_int_equal(commits, 1);
        assert_int_equal(w.g.stored_count, fails ? 0 : 1);
        assert_int_equal(places_in_use(), 0);
        if (fails)
            assert_int_equal(code, LARCH_COAP_INTERNAL_SERVER_ERROR);
        else
            assert_int_equal(inner_code(), LARCH_COAP_CHANGED);
        end();
    }
}

/* Somebody on the path delivers message_3 alone, and then the request that came with it: its device has stored nothing. */
static void test_divided(void **state)
{
    (void)state;
    begin();
    reach_message_3(LARCH_LAKE_METHOD_PSK);
    derive_device_end();
    assert_int_equal(post_up(), LARCH_COAP_CHANGED);
    (void)report(0, false, "20");
    assert_int_equal(inner_code(), LARCH_COAP_CHANGED);
    assert_int_equal(w.stores, 1);
    assert_int_equal(w.confirms, 0);
    (void)report(1, false, "21");
    assert_int_equal(w.confirms, 1);
    end();
}

/* The driver's storage fails as it confirms: the next request does. */
static void test_confirm_fails(void **state)
{
    (void)state;
    begin();
    reach_message_3(LARCH_LAKE_METHOD_PSK);
    derive_device_end();
    assert_int_equal(post_up(), LARCH_COAP_CHANGED);
    w.gateway_cut = (lw_cut){.at = 0, .fails = true};
    (void)report(1, false, "1");
    assert_int_equal(inner_code(), LARCH_COAP_CHANGED);
    assert_int_equal(w.confirms, 0);
    (void)report(2, false, "2");
    assert_int_equal(w.confirms, 1);
    end();
}

static void test_combined_refused(void **state)
{
    (void)state;
    begin();
    /* A kid that nobody has. */
    reach_message_3(LARCH_LAKE_METHOD_PSK);
    derive_device_end();
    device_end.sender_id[0] ^= 1;
    assert_int_equal(report(0, true, "20"), LARCH_COAP_UNAUTHORIZED);
    device_end.sender_id[0] ^= 1;
    /* An altered message_3: an error message outside of OSCORE, and nothing is left. */
    hand.up[hand.up_len - 1] ^= 1;
    assert_int_equal(report(0, true, "20"), LARCH_COAP_BAD_REQUEST);
    expect_error(LARCH_LAKE_ERROR_UNSPECIFIED);
    assert_int_equal(places_in_use(), 0);
    /* No message_3, or nothing behind it. */
    reach_message_3(LARCH_LAKE_METHOD_PSK);
    derive_device_end();
    hand.up[hand.prefix_len] = 0xf6;
    assert_int_equal(report(0, true, "20"), LARCH_COAP_BAD_REQUEST);
    assert_int_equal(places_in_use(), 1);
    /* A good message_3 before what does not decrypt: the session stays, as after a lost answer. */
    reach_message_3(LARCH_LAKE_METHOD_PSK);
    derive_device_end();
    device_end.sender_key[0] ^= 1;
    assert_int_equal(report(0, true, "20"), LARCH_COAP_BAD_REQUEST);
    assert_int_equal(w.stores, 1);
    device_end.sender_key[0] ^= 1;
    (void)report(1, true, "20");
    assert_int_equal(inner_code(), LARCH_COAP_CHANGED);
    /* The session cannot be stored: the same bytes again later. */
    reach_message_3(LARCH_LAKE_METHOD_PSK);
    derive_device_end();
    w.gateway_cut = (lw_cut){.at = 0, .fails = true};
    assert_int_equal(report(0, true, "20"), LARCH_COAP_SERVICE_UNAVAILABLE);
    hand.up[hand.up_len - 1] ^= 1;
    assert_int_equal(report(0, true, "20"), LARCH_COAP_BAD_REQUEST);
    hand.up[hand.up_len - 1] ^= 1;
    (void)report(0, true, "20");
    assert_int_equal(inner_code(), LARCH_COAP_CHANGED);
    assert_int_equal(w.stores, 2);
    end();
}

/* From an address that is not proven: the handshake of the one that is stays as it is. */
static void test_combined_elsewhere(void **state)
{
    (void)state;
    begin();
    reach_message_3(LARCH_LAKE_METHOD_PSK);
    derive_device_end();
    hand.peer = larch_sim_ipv4(0x0a000009, LW_DEVICE_PORT);
    assert_int_equal(report(0, true, "20"), LARCH_COAP_UNAUTHORIZED);
    assert_int_equal(w.stores, 0);
    hand.peer = larch_sim_ipv4(0x0a000002, LW_DEVICE_PORT + 1);
    (void)report(0, true, "20");
    assert_int_equal(inner_code(), LARCH_COAP_CHANGED);
    end();
}

/* ---- resumption, and devices beside each other ------------------------------------------------ */

static void test_mixed(void **state)
{
    (void)state;
    begin();
    lw_key keys[LW_DEVICES] = {{0}};
    for (unsigned round = 0; round < 6; round++) {
        w.who = round % LW_DEVICES;
        w.has_external = round < LW_DEVICES;
        hand.peer = larch_sim_ipv4(0x0a000002 + w.who, LW_DEVICE_PORT);
        begin_handshake(LARCH_LAKE_METHOD_PSK);
        make_message_3(LARCH_LAKE_METHOD_PSK, keys[w.who].is ? &keys[w.who] : NULL);
        derive_device_end();
        assert_int_equal(post_up(), LARCH_COAP_CHANGED);
        assert_int_equal(w.found_device, w.who);
        assert_int_equal(take_message_4(), LARCH_OK);
        keys[w.who].is = true;
        assert_int_equal(
            larch_lake_derive_resumption(larch_lake_keys_of(&hand.lake), LARCH_LAKE_KID_LEN, &keys[w.who].r), LARCH_OK);
        (void)report(1, false, "20");
        assert_int_equal(inner_code(), LARCH_COAP_CHANGED);
        assert_int_equal(w.confirms, round + 1);
        assert_int_equal(w.g.stored_count, round + 1);
        if (w.retired != 0) { /* the one before goes, behind the call */
            larch_oscore_service_forget(&w.g.oscore, &w.g.srv, w.retired);
            larch_session_table_remove(&w.g.table, sessions_find_number(&w.g, w.retired));
            w.retired = 0;
        }
    }
    /* A fixed session is beside them, and was never touched. */
    assert_non_null(sessions_find_number(&w.g, 0x1122334455667788));
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_combined),
        cmocka_unit_test(test_combined_commit),
        cmocka_unit_test(test_divided),
        cmocka_unit_test(test_confirm_fails),
        cmocka_unit_test(test_combined_refused),
        cmocka_unit_test(test_combined_elsewhere),
        cmocka_unit_test(test_mixed),
    };
    if (larch_crypto_init() != LARCH_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
