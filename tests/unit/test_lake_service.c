/* SPDX-License-Identifier: Apache-2.0 */
/* The Responder over CoAP: what it refuses, how a session is stored, and what it lists. */
#include "lake_hand.h"

/* ---- refusals -------------------------------------------------------------------------- */

static void test_refused_message_1(void **state)
{
    (void)state;
    begin();
    /* Another suite, another method, broken bytes: nothing is kept of any. */
    w.device_suites[0] = larch_lake_suite_find(LARCH_LAKE_SUITE_X_WING);
    make_message_1(LARCH_LAKE_METHOD_PSK);
    larch_reach_echo(&w.g.srv.reach, w.g.now_ms, &hand.peer, hand.echo);
    hand.echo_len = sizeof hand.echo;
    assert_int_equal(post_up(), LARCH_COAP_BAD_REQUEST);
    expect_error(LARCH_LAKE_ERROR_SUITE);
    w.device_suites[0] = w.suites[0];
    w.party.methods = 1u << LARCH_LAKE_METHOD_SIGNATURES;
    make_message_1(LARCH_LAKE_METHOD_PSK);
    assert_int_equal(post_up(), LARCH_COAP_BAD_REQUEST);
    expect_error(LARCH_LAKE_ERROR_UNSPECIFIED);
    w.party.methods |= 1u << LARCH_LAKE_METHOD_PSK;
    hand.up_len--;
    assert_int_equal(post_up(), LARCH_COAP_BAD_REQUEST);
    expect_error(LARCH_LAKE_ERROR_UNSPECIFIED);
    assert_true(w.g.told[LARCH_EVENT_MALFORMED] > 0);
    hand.up_len = 1;
    assert_int_equal(post_up(), LARCH_COAP_BAD_REQUEST);
    assert_int_equal(post((larch_bytes){NULL, 0}), LARCH_COAP_BAD_REQUEST); /* the reverse flow */
    assert_int_equal(places_in_use(), 0);
    /* Random fails behind message_1. */
    make_message_1(LARCH_LAKE_METHOD_PSK);
    w.g.random_state.fails_at = w.g.random_state.calls + 1;
    assert_int_equal(post_up(), LARCH_COAP_INTERNAL_SERVER_ERROR);
    expect_error(LARCH_LAKE_ERROR_UNSPECIFIED);
    w.g.random_state.fails_at = w.g.random_state.calls + 2;
    assert_int_equal(post_up(), LARCH_COAP_INTERNAL_SERVER_ERROR);
    assert_int_equal(places_in_use(), 0);
    assert_true(all_are((const uint8_t *)w.places, sizeof w.places, 0));
    end();
}

static void test_refused_requests(void **state)
{
    (void)state;
    begin();
    make_message_1(LARCH_LAKE_METHOD_PSK);
    larch_reach_echo(&w.g.srv.reach, w.g.now_ms, &hand.peer, hand.echo);
    hand.echo_len = sizeof hand.echo;
    bench_ask a = edhoc_ask((larch_bytes){hand.up, hand.up_len});
    a.format = LARCH_COAP_FORMAT_EDHOC;
    assert_int_equal(ask(&a), LARCH_COAP_UNSUPPORTED_CONTENT_FORMAT);
    a = edhoc_ask((larch_bytes){hand.up, hand.up_len});
    a.has_accept = true;
    a.accept = LARCH_COAP_FORMAT_CBOR;
    assert_int_equal(ask(&a), LARCH_COAP_NOT_ACCEPTABLE);
    a = edhoc_ask((larch_bytes){NULL, 0});
    a.code = LARCH_COAP_GET;
    assert_int_equal(ask(&a), LARCH_COAP_METHOD_NOT_ALLOWED);
    a = edhoc_ask((larch_bytes){hand.up, hand.up_len});
    a.type = LARCH_COAP_NON;
    uint8_t out[LARCH_COAP_DATAGRAM_MAX];
    const larch_bytes group = bench_compose(&a, out);
    assert_int_equal(larch_server_receive(&w.g.srv, w.g.now_ms, &hand.peer, true, group), LARCH_OK);
    assert_false(collect());
    assert_int_equal(places_in_use(), 0);
    a = edhoc_ask((larch_bytes){hand.up, hand.up_len});
    a.has_format = false; /* the bytes say what they are */
    assert_int_equal(ask(&a), LARCH_COAP_CHANGED);
    /* An EDHOC option outside of OSCORE. */
    a = edhoc_ask((larch_bytes){hand.up, hand.up_len});
    a.extra = LARCH_COAP_OPT_EDHOC;
    a.has_format = false;
    a.path = "";
    assert_int_equal(ask(&a), LARCH_COAP_BAD_REQUEST);
    /* Inside a session. */
    uint8_t bytes[LARCH_COAP_DATAGRAM_MAX];
    larch_coap_builder b;
    larch_coap_message m;
    w.g.peer = hand.peer;
    sessions_begin_request(&w.g, &b, bytes, sizeof bytes, LARCH_COAP_POST);
    larch_coap_build_path(&b, LARCH_LAKE_PATH);
    larch_coap_build_payload(&b, LARCH_TEXT("\xf5"));
    const unsigned challenged = sessions_ask(&w.g, sessions_protect(&w.g, &b), &m);
    assert_int_equal(challenged, LARCH_COAP_UNAUTHORIZED); /* after the start */
    larch_bytes echo;
    assert_true(larch_coap_option_find(&m, LARCH_COAP_OPT_ECHO, &echo));
    sessions_begin_request(&w.g, &b, bytes, sizeof bytes, LARCH_COAP_POST);
    larch_coap_build_path(&b, LARCH_LAKE_PATH);
    larch_coap_build_option(&b, LARCH_COAP_OPT_ECHO, echo);
    larch_coap_build_payload(&b, LARCH_TEXT("\xf5"));
    assert_int_equal(sessions_ask(&w.g, sessions_protect(&w.g, &b), &m), LARCH_COAP_FORBIDDEN);
    end();
}

static void test_refused_message_3(void **state)
{
    (void)state;
    begin();
    /* A C_R that nobody has. */
    reach_message_3(LARCH_LAKE_METHOD_PSK);
    hand.up[1] ^= 1;
    assert_int_equal(post_up(), LARCH_COAP_BAD_REQUEST);
    expect_error(LARCH_LAKE_ERROR_UNSPECIFIED);
    hand.up[1] ^= 1;
    /* From another address: it does not touch the handshake. */
    hand.peer = larch_sim_ipv4(0x0a000003, LW_DEVICE_PORT);
    assert_int_equal(post_up(), LARCH_COAP_UNAUTHORIZED);
    keep_echo();
    assert_int_equal(post_up(), LARCH_COAP_BAD_REQUEST);
    expect_error(LARCH_LAKE_ERROR_UNSPECIFIED);
    hand.peer = larch_sim_ipv4(0x0a000002, LW_DEVICE_PORT);
    assert_int_equal(post_up(), LARCH_COAP_CHANGED);
    assert_int_equal(take_message_4(), LARCH_OK);
    /* Altered: the handshake ends, and its place is free. */
    reach_message_3(LARCH_LAKE_METHOD_PSK);
    hand.up[hand.up_len - 1] ^= 1;
    assert_int_equal(post_up(), LARCH_COAP_BAD_REQUEST);
    expect_error(LARCH_LAKE_ERROR_UNSPECIFIED);
    hand.up[hand.up_len - 1] ^= 1;
    assert_int_equal(post_up(), LARCH_COAP_BAD_REQUEST);
    /* A key that the gateway does not know. */
    reach_message_3(LARCH_LAKE_METHOD_PSK);
    w.has_external = false;
    assert_int_equal(post_up(), LARCH_COAP_BAD_REQUEST);
    expect_error(LARCH_LAKE_ERROR_CREDENTIAL);
    w.has_external = true;
    begin_handshake(LARCH_LAKE_METHOD_SIGNATURES);
    make_message_3(LARCH_LAKE_METHOD_SIGNATURES, NULL);
    w.devices[0].kid[0] ^= 0x40;
    assert_int_equal(post_up(), LARCH_COAP_BAD_REQUEST);
    expect_error(LARCH_LAKE_ERROR_CREDENTIAL);
    w.devices[0].kid[0] ^= 0x40;
    /* The right name with a wrong key, and a signature by another key than the credential's. */
    begin_handshake(LARCH_LAKE_METHOD_PSK);
    w.devices[0].psk[0] ^= 1;
    make_message_3(LARCH_LAKE_METHOD_PSK, NULL);
    w.devices[0].psk[0] ^= 1;
    assert_int_equal(post_up(), LARCH_COAP_BAD_REQUEST);
    expect_error(LARCH_LAKE_ERROR_UNSPECIFIED);
    begin_handshake(LARCH_LAKE_METHOD_SIGNATURES);
    static lw_credentials genuine;
    genuine = w.devices[0];
    memcpy(w.devices[0].seed, w.devices[1].seed, sizeof genuine.seed);
    memcpy(w.devices[0].pk, w.devices[1].pk, sizeof genuine.pk);
    make_message_3(LARCH_LAKE_METHOD_SIGNATURES, NULL);
    w.devices[0] = genuine;
    assert_int_equal(post_up(), LARCH_COAP_BAD_REQUEST);
    expect_error(LARCH_LAKE_ERROR_UNSPECIFIED);
    assert_int_equal(w.stores, 1);
    assert_int_equal(places_in_use(), 1); /* of the one that went well */
    assert_true(w.g.told[LARCH_EVENT_AUTH] >= 4);
    end();
}

/* A message_3 in blocks of which one does not arrive. */
static void test_truncated(void **state)
{
    (void)state;
    begin();
    reach_message_3(LARCH_LAKE_METHOD_SIGNATURES);
    assert_true(hand.up_len > 2048);
    for (uint32_t num = 0; num < 3; num += 2) {
        bench_ask a = edhoc_ask((larch_bytes){hand.up + 1024 * num, num == 0 ? 1024 : hand.up_len - 2048});
        a.has_block1 = true;
        a.block1 = (larch_coap_block){num, num == 0, 6};
        assert_int_equal(ask(&a), num == 0 ? LARCH_COAP_CONTINUE : LARCH_COAP_REQUEST_ENTITY_INCOMPLETE);
    }
    assert_int_equal(w.stores, 0);
    assert_int_equal(post_up(), LARCH_COAP_CHANGED); /* from the start */
    assert_int_equal(take_message_4(), LARCH_OK);
    assert_int_equal(w.stores, 1);
    end();
}

/* What is larger than any message of a handshake. */
static void test_too_large(void **state)
{
    static uint8_t large[LARCH_COAP_UPLOAD_MAX + 1024];
    larch_bytes size1;
    (void)state;
    begin();
    larch_reach_echo(&w.g.srv.reach, w.g.now_ms, &hand.peer, hand.echo);
    hand.echo_len = sizeof hand.echo;
    large[0] = 0xf5;
    assert_int_equal(post(LARCH_BYTES(large)), LARCH_COAP_REQUEST_ENTITY_TOO_LARGE);
    assert_true(larch_coap_option_find(&hand.answer.message, LARCH_COAP_OPT_SIZE1, &size1));
    assert_int_equal(larch_number_at(size1.data, size1.len), LARCH_COAP_UPLOAD_MAX);
    assert_int_equal(post((larch_bytes){large, LARCH_COAP_UPLOAD_MAX}), LARCH_COAP_BAD_REQUEST);
    end();
}

/* One address that returns its Echo has a rate of grants, and no more. */
static void test_budget(void **state)
{
    (void)state;
    begin();
    larch_reach_limits limits = larch_reach_default_limits();
    limits.proven_rate = 1;
    limits.proven_burst = 5;
    larch_reach_set_limits(&w.g.srv.reach, &limits);
    unsigned changed = 0, later = 0;
    for (unsigned i = 0; i < 20; i++) {
        const unsigned code = knock(0x0a000002);
        changed += code == LARCH_COAP_CHANGED;
        later += code == LARCH_COAP_SERVICE_UNAVAILABLE;
        w.g.now_ms += 1;
    }
    assert_int_equal(changed + later, 20);
    assert_true(changed <= LW_PLACES / 8);
    assert_true(w.g.told[LARCH_EVENT_RATE] >= 15);
    end();
}

/* ---- storing ------------------------------------------------------------------------------ */

/* What could not be stored is asked for again, with the same message_3. */
static void test_store_fails(void **state)
{
    (void)state;
    begin();
    reach_message_3(LARCH_LAKE_METHOD_PSK);
    w.gateway_cut = (lw_cut){.at = 0, .fails = true};
    assert_int_equal(post_up(), LARCH_COAP_SERVICE_UNAVAILABLE);
    assert_int_equal(max_age(), 5);
    assert_int_equal(w.stores, 0);
    hand.up[hand.up_len - 1] ^= 1; /* no other one */
    assert_int_equal(post_up(), LARCH_COAP_BAD_REQUEST);
    hand.up[hand.up_len - 1] ^= 1;
    assert_int_equal(post_up(), LARCH_COAP_CHANGED);
    assert_int_equal(w.stores, 1);
    assert_int_equal(take_message_4(), LARCH_OK);
    end();
}

static larch_error refuse_store(void *context, uint64_t now_ms, const larch_lake_made *made, larch_session *session)
{
    (void)context, (void)now_ms, (void)made, (void)session;
    return LARCH_AUTH;
}

static void test_store_refuses(void **state)
{
    (void)state;
    begin();
    w.lake.config.store = refuse_store; /* the device was revoked meanwhile */
    reach_message_3(LARCH_LAKE_METHOD_PSK);
    assert_int_equal(post_up(), LARCH_COAP_BAD_REQUEST);
    expect_error(LARCH_LAKE_ERROR_UNSPECIFIED);
    assert_int_equal(places_in_use(), 0);
    end();
}

/* ---- commits ------------------------------------------------------------------------------------- */

static unsigned commits;
static larch_error commit_result;

/* As the driver of lake_world.h: after an error the session is gone. */
static larch_error commit(void *context)
{
    lake_world *world = context;
    larch_session *made = NULL;
    size_t at = 0;
    commits++;
    if (commit_result != LARCH_OK && (made = larch_session_table_next(&world->g.table, &at)) != NULL)
        larch_session_table_remove(&world->g.table, made);
    return commit_result;
}

static void begin_with_commits(void)
{
    begin();
    w.lake.config.commit = commit;
    commits = 0;
    commit_result = LARCH_OK;
}

/* message_4 is made behind the commit, once for all that came together, copies included. */
static void test_commit(void **state)
{
    uint8_t out[LARCH_COAP_DATAGRAM_MAX];
    (void)state;
    begin_with_commits();
    reach_message_3(LARCH_LAKE_METHOD_PSK);
    assert_int_equal(commits, 0);
    bench_ask a = edhoc_ask((larch_bytes){hand.up, hand.up_len});
    assert_int_equal(larch_server_receive(&w.g.srv, w.g.now_ms, &hand.peer, false, bench_compose(&a, out)), LARCH_OK);
    assert_int_equal(w.stores, 1);
    assert_int_equal(commits, 0);
    assert_true(collect());
    assert_int_equal(commits, 1);
    assert_int_equal(hand.answer.message.code, LARCH_COAP_CHANGED);
    assert_int_equal(post_up(), LARCH_COAP_CHANGED); /* a copy gets the same bytes, and stores nothing */
    assert_int_equal(w.stores, 1);
    assert_int_equal(commits, 1);
    assert_int_equal(take_message_4(), LARCH_OK);
    end();
}

static void test_commit_fails(void **state)
{
    uint8_t out[LARCH_COAP_DATAGRAM_MAX], again[LARCH_COAP_DATAGRAM_MAX];
    larch_peer peer;
    larch_bytes datagram;
    larch_coap_message m;
    (void)state;
    begin_with_commits();
    commit_result = LARCH_PLATFORM;
    reach_message_3(LARCH_LAKE_METHOD_PSK);
    bench_ask first = edhoc_ask((larch_bytes){hand.up, hand.up_len}), copy = edhoc_ask(first.payload);
    assert_int_equal(larch_server_receive(&w.g.srv, w.g.now_ms, &hand.peer, false, bench_compose(&first, out)),
                     LARCH_OK);
    assert_int_equal(larch_server_receive(&w.g.srv, w.g.now_ms, &hand.peer, false, bench_compose(&copy, again)),
                     LARCH_OK);
    for (unsigned n = 0; n < 2; n++) { /* neither of the two gets message_4 */
        assert_int_equal(larch_server_send(&w.g.srv, w.g.now_ms, &peer, &datagram), LARCH_OK);
        assert_int_equal(larch_coap_parse(datagram, &m), LARCH_OK);
        assert_int_equal(m.code, LARCH_COAP_INTERNAL_SERVER_ERROR);
    }
    assert_int_equal(commits, 1);
    assert_int_equal(places_in_use(), 0);
    /* The device begins anew. */
    commit_result = LARCH_OK;
    hand.echo_len = 0;
    lw_gateway_restart(&w);
    memset(w.accounts, 0, sizeof w.accounts);
    w.lake.config.commit = commit;
    reach_message_3(LARCH_LAKE_METHOD_PSK);
    assert_int_equal(post_up(), LARCH_COAP_CHANGED);
    assert_int_equal(take_message_4(), LARCH_OK);
    end();
}

/* ---- discovery, and memory ---------------------------------------------------------------------- */

static void test_links(void **state)
{
    static const char expected[] = "</.well-known/edhoc>;rt=\"core.edhoc\";ed-r;ed-method=0;ed-method=4;ed-csuite=-24;"
                                   "ed-cred-t=1;ed-idcred-t=4;ed-comb-req";
    (void)state;
    begin();
    bench_ask a = {.code = LARCH_COAP_GET, .message_id = 1, .path = ".well-known/core", .query = "rt=core.edhoc"};
    assert_int_equal(ask(&a), LARCH_COAP_CONTENT);
    assert_true(larch_bytes_equal(hand.answer.message.payload, larch_bytes_of_text(expected)));
    end();
}

static void test_init(void **state)
{
    (void)state;
    begin();
    larch_lake_service lake;
    larch_lake_service_config c = w.lake_config;
#define REFUSED(change)                                                    \
    do {                                                                   \
        c = w.lake_config;                                                 \
        change;                                                            \
        assert_int_equal(larch_lake_service_init(&lake, &c), LARCH_STATE); \
    } while (0)
    REFUSED(c.party = NULL);
    REFUSED(c.places = NULL);
    REFUSED(c.halves = NULL);
    REFUSED(c.place_count = 0);
    REFUSED(c.answer_size += 8);
    REFUSED(c.kid_len = 0);
    REFUSED(c.kid_len = LARCH_LAKE_ID_MAX + 1);
    REFUSED(c.rkid_len = 0);
    REFUSED(c.store = NULL);
    REFUSED(c.confirm = NULL);
    REFUSED(c.own = NULL);
    c = w.lake_config;
    static char many[LARCH_LAKE_LINKS_MAX];
    memset(many, 'x', sizeof many - 1);
    c.credentials = many;
    assert_int_equal(larch_lake_service_init(&lake, &c), LARCH_SPACE);
    c = w.lake_config;
    w.g.random_state.fails_at = w.g.random_state.calls + 1;
    assert_int_equal(larch_lake_service_init(&lake, &c), LARCH_PLATFORM);
    assert_true(all_are((const uint8_t *)&lake, sizeof lake, 0));
    end();
    assert_true(all_are((const uint8_t *)w.places, sizeof w.places, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused_message_1),
        cmocka_unit_test(test_refused_requests),
        cmocka_unit_test(test_refused_message_3),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_budget),
        cmocka_unit_test(test_store_fails),
        cmocka_unit_test(test_store_refuses),
        cmocka_unit_test(test_commit),
        cmocka_unit_test(test_commit_fails),
        cmocka_unit_test(test_links),
        cmocka_unit_test(test_init),
    };
    if (larch_crypto_init() != LARCH_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
