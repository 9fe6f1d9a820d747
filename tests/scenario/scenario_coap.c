/* SPDX-License-Identifier: Apache-2.0 */
/* A client and a server over a network that loses, copies and reorders: what
 * the server does, it does once, and the client learns it, or that it failed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "larch/coap_block.h"
#include "larch/coap_client.h"
#include "sim.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define BIG_LEN      5000
#define BODY_LEN     1900
#define SLOW_MS      400
#define STEPS_MAX    20000
#define EXCHANGES    64

static const uint16_t understood[] = {LARCH_COAP_OPT_URI_PATH, LARCH_COAP_OPT_BLOCK1, LARCH_COAP_OPT_BLOCK2};
static uint8_t pattern[BIG_LEN];

/* One host: an endpoint and what stands on it. */
typedef struct host {
    larch_sim *sim;
    larch_peer address;
    larch_sim_random random;
    larch_coap_exchange exchanges[EXCHANGES];
    uint8_t answers[EXCHANGES * 80];
    larch_coap_endpoint ep;
    /* the server */
    larch_coap_reassembly reassembly;
    larch_coap_pending pending;
    uint64_t slow_ms; /* when the separate answer is ready; UINT64_MAX: none is under way */
    unsigned deliveries;
    /* the client */
    larch_coap_client client;
    uint8_t body[BIG_LEN];
    larch_coap_answer answer;
    larch_peer from;     /* who gave it */
    larch_error outcome; /* LARCH_AGAIN: none yet */
    unsigned outcomes;
} host;

static host server, client;

/* ---- the server's resources -------------------------------------------- */

static larch_bytes respond(const larch_coap_event *event, uint64_t now_ms, uint8_t code, bool remember,
                           const larch_coap_slice *slice, const larch_coap_block *block1)
{
    static uint8_t out[LARCH_COAP_DATAGRAM_MAX];
    larch_coap_builder b;
    larch_bytes datagram;
    const larch_coap_pending pending = larch_coap_pending_of(event);
    assert_int_equal(larch_coap_answer_begin(&pending, code, out, sizeof out, &b), LARCH_OK);
    if (slice->blockwise)
        larch_coap_build_option(&b, LARCH_COAP_OPT_ETAG, LARCH_TEXT("v1"));
    larch_coap_blocks_build(&b, slice, sizeof pattern, block1);
    if (slice->bytes.len > 0)
        larch_coap_build_payload(&b, slice->bytes);
    assert_int_equal(larch_coap_endpoint_answer_end(&server.ep, now_ms, &pending, &b, remember, &datagram), LARCH_OK);
    return datagram;
}

static larch_bytes serve_upload(const larch_coap_event *event, uint64_t now_ms)
{
    larch_coap_slice done = {{0, false, 0}, false, LARCH_TEXT("OK")};
    const larch_coap_slice nothing = {{0, false, 0}, false, {NULL, 0}};
    bool blockwise;
    larch_coap_block block;
    larch_bytes body;
    switch (larch_coap_reassembly_take(&server.reassembly, now_ms, &event->peer, true, &event->message, &blockwise,
                                       &block, &body)) {
    case LARCH_OK:
        assert_true(larch_bytes_equal(body, (larch_bytes){pattern, BODY_LEN}));
        server.deliveries++;
        return respond(event, now_ms, LARCH_COAP_CHANGED, true, &done, &block);
    case LARCH_AGAIN:
        return respond(event, now_ms, LARCH_COAP_CONTINUE, true, &nothing, &block);
    default:
        return respond(event, now_ms, LARCH_COAP_REQUEST_ENTITY_INCOMPLETE, true, &nothing, NULL);
    }
}

static larch_bytes serve(const larch_coap_event *event, uint64_t now_ms, larch_writer *reply)
{
    const larch_coap_message *m = &event->message;
    larch_coap_slice slice = {{0, false, 0}, false, LARCH_TEXT("OK")};
    if (larch_coap_path_is(m, "big")) {
        if (larch_coap_block2_slice(m, LARCH_BYTES(pattern), &slice) != LARCH_OK)
            return respond(event, now_ms, LARCH_COAP_BAD_REQUEST, false, &slice, NULL);
        return respond(event, now_ms, LARCH_COAP_CONTENT, false, &slice, NULL);
    }
    if (larch_coap_path_is(m, "up"))
        return serve_upload(event, now_ms);
    if (larch_coap_path_is(m, "slow")) {
        server.deliveries++;
        server.slow_ms = now_ms + SLOW_MS;
        larch_coap_endpoint_answer_later(&server.ep, now_ms, event, reply, &server.pending);
        return (larch_bytes){reply->data, reply->len};
    }
    server.deliveries++;
    return respond(event, now_ms, m->code == LARCH_COAP_GET ? LARCH_COAP_CONTENT : LARCH_COAP_CHANGED,
                   m->code != LARCH_COAP_GET, &slice, NULL);
}

static void answer_slow(uint64_t now_ms)
{
    larch_coap_builder b;
    uint32_t handle;
    server.slow_ms = UINT64_MAX;
    assert_int_equal(larch_coap_endpoint_respond(&server.ep, now_ms, &server.pending, LARCH_COAP_CHANGED, &b, &handle),
                     LARCH_OK);
    larch_coap_build_payload(&b, LARCH_TEXT("OK"));
    assert_int_equal(larch_coap_endpoint_request_end(&server.ep, &b, handle), LARCH_OK);
}

/* ---- both on the network ----------------------------------------------- */

static void handle(host *h, uint64_t now_ms, const larch_coap_event *event)
{
    if (h != &client || event->handle == 0)
        return;
    larch_coap_answer answer;
    larch_error e = larch_coap_client_take(&client.client, now_ms, event, &answer);
    if (e == LARCH_AGAIN)
        return;
    client.outcome = e;
    client.answer = answer;
    client.from = event->peer;
    client.outcomes++;
}

static void on_receive(void *context, uint64_t now_ms, const larch_peer *from, bool multicast, larch_bytes datagram)
{
    host *h = context;
    uint8_t out[LARCH_COAP_DATAGRAM_MAX];
    larch_writer reply = larch_writer_to(out, sizeof out);
    larch_coap_event event;
    larch_coap_endpoint_receive(&h->ep, now_ms, from, multicast, datagram, &reply, &event);
    larch_bytes back = {reply.data, reply.len};
    if (h == &server && event.kind == LARCH_COAP_REQUEST)
        back = serve(&event, now_ms, &reply);
    else
        handle(h, now_ms, &event);
    if (back.len > 0)
        larch_sim_send(h->sim, &h->address, from, back);
}

static void on_poll(void *context, uint64_t now_ms)
{
    host *h = context;
    larch_peer to;
    larch_bytes datagram;
    larch_coap_event event;
    if (h->slow_ms <= now_ms)
        answer_slow(now_ms);
    while (larch_coap_endpoint_poll(&h->ep, now_ms, &to, &datagram, &event) == LARCH_OK) {
        if (datagram.len > 0)
            larch_sim_send(h->sim, &h->address, &to, datagram);
        else
            handle(h, now_ms, &event);
    }
}

static uint64_t on_deadline(void *context)
{
    const host *h = context;
    uint64_t deadline_ms = larch_coap_endpoint_deadline_ms(&h->ep);
    return h->slow_ms < deadline_ms ? h->slow_ms : deadline_ms;
}

static void start(host *h, larch_sim *sim, uint32_t address, uint64_t seed)
{
    memset(h, 0, sizeof *h);
    h->sim = sim;
    h->address = larch_sim_ipv4(address, LARCH_COAP_PORT);
    h->random.state = seed;
    h->slow_ms = UINT64_MAX;
    h->outcome = LARCH_AGAIN;
    larch_random random = larch_sim_random_of(&h->random);
    const larch_coap_memory memory = {h->exchanges, EXCHANGES, h->answers, sizeof h->answers};
    assert_int_equal(larch_coap_endpoint_init(&h->ep, &memory, &random, understood, COUNT(understood)), LARCH_OK);
    assert_int_equal(larch_coap_reassembly_init(&h->reassembly, &random), LARCH_OK);
    const larch_sim_node node = {h->address, h, on_receive, on_poll, on_deadline};
    larch_sim_add(sim, &node);
}

/* ---- exchanges --------------------------------------------------------- */

static const struct exchange {
    const char *path;
    uint8_t method;
    size_t payload_len;
    uint8_t code;
    bool big;  /* the answer is the pattern, else "OK" */
    bool once; /* must not take effect twice */
} exchanges[] = {
    {"small", LARCH_COAP_GET, 0, LARCH_COAP_CONTENT, false, false},
    {"big", LARCH_COAP_GET, 0, LARCH_COAP_CONTENT, true, false},
    {"act", LARCH_COAP_POST, 10, LARCH_COAP_CHANGED, false, true},
    {"up", LARCH_COAP_POST, BODY_LEN, LARCH_COAP_CHANGED, false, true},
    {"slow", LARCH_COAP_POST, 10, LARCH_COAP_CHANGED, false, true},
};

static void ask(const struct exchange *x, larch_coap_type type, uint64_t now_ms)
{
    const larch_coap_target to = {.peer = server.address, .type = type};
    const larch_coap_ask ask = {
        .method = x->method, .path = x->path, .payload = {pattern, x->payload_len}, .content_format = 0xffff};
    assert_int_equal(
        larch_coap_client_ask(&client.client, &client.ep, now_ms, &to, &ask, client.body, sizeof client.body),
        LARCH_OK);
}

/* Runs one exchange to its very end; returns how many datagrams were sent. */
static unsigned run(const struct exchange *x, larch_coap_type type, uint64_t seed, const larch_sim_faults *faults)
{
    larch_sim *sim = larch_sim_create(seed, seed * 1000);
    larch_sim_set_faults(sim, faults);
    start(&server, sim, 0x0a000001, seed + 1);
    start(&client, sim, 0x0a000002, seed + 2);
    ask(x, type, larch_sim_now_ms(sim));
    assert_true(larch_sim_run(sim, UINT64_MAX, STEPS_MAX) < STEPS_MAX);
    unsigned sent = larch_sim_sent(sim);
    larch_sim_destroy(sim);

    assert_int_equal(client.outcomes, 1);
    for (size_t i = 0; i < LARCH_COAP_TRANSMISSIONS; i++)
        assert_true(server.ep.transmissions[i].handle == 0 && client.ep.transmissions[i].handle == 0);
    return sent;
}

static bool is_right(const struct exchange *x)
{
    larch_bytes expected = x->big ? LARCH_BYTES(pattern) : LARCH_TEXT("OK");
    return client.outcome == LARCH_OK && client.answer.code == x->code &&
           larch_bytes_equal(client.answer.body, expected) && (!x->once || server.deliveries == 1);
}

static void expect_right(const struct exchange *x, unsigned first, unsigned second)
{
    if (!is_right(x))
        print_error("%s without datagrams %u and %u: %s, code %02x, %u deliveries\n", x->path, first, second,
                    larch_error_name(client.outcome), client.answer.code, server.deliveries);
    assert_true(is_right(x));
    for (size_t i = 0; i < LARCH_COAP_REASSEMBLIES; i++)
        assert_false(server.reassembly.bodies[i].used);
}

/* Every datagram lost by itself, and every two. */
static void test_lost_datagrams(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(exchanges); i++) {
        const struct exchange *x = &exchanges[i];
        larch_sim_faults faults = {.delay_min_ms = 20, .delay_max_ms = 20};
        unsigned sent = run(x, LARCH_COAP_CON, i, &faults);
        expect_right(x, UINT32_MAX, UINT32_MAX);
        for (unsigned first = 0; first < sent; first++) {
            for (unsigned second = first; second < sent + 3; second++) {
                const unsigned drop[] = {first, second};
                faults.drop = drop;
                faults.drop_count = COUNT(drop);
                assert_true(run(x, LARCH_COAP_CON, i, &faults) > sent - 1);
                expect_right(x, first, second);
            }
        }
    }
}

/* Every datagram comes twice. */
static void test_copies(void **state)
{
    (void)state;
    const larch_sim_faults faults = {.duplication = 1000, .delay_min_ms = 5, .delay_max_ms = 50};
    const larch_coap_type types[] = {LARCH_COAP_CON, LARCH_COAP_NON};
    for (size_t i = 0; i < 2 * COUNT(exchanges); i++) {
        run(&exchanges[i / 2], types[i % 2], i, &faults);
        expect_right(&exchanges[i / 2], UINT32_MAX, UINT32_MAX);
    }
}

/* Nobody there: a clear end, in the time that the standard names. */
static void test_silence(void **state)
{
    (void)state;
    const larch_sim_faults faults = {.loss = 1000};
    for (size_t i = 0; i < COUNT(exchanges); i++) {
        assert_int_equal(run(&exchanges[i], LARCH_COAP_CON, i, &faults), 1 + LARCH_COAP_MAX_RETRANSMIT);
        assert_int_equal(client.outcome, LARCH_TIMEOUT);
        assert_int_equal(run(&exchanges[i], LARCH_COAP_NON, i, &faults), 1);
        assert_int_equal(client.outcome, LARCH_TIMEOUT);
        assert_int_equal(server.deliveries, 0);
    }
}

static void test_random_schedules(void **state)
{
    (void)state;
    unsigned right = 0;
    const unsigned schedules = 2000;
    for (unsigned seed = 0; seed < schedules; seed++) {
        const struct exchange *x = &exchanges[seed % COUNT(exchanges)];
        const larch_coap_type type = seed % 7 == 0 ? LARCH_COAP_NON : LARCH_COAP_CON;
        const larch_sim_faults faults = {.loss = seed % 11 * 40,
                                         .duplication = seed % 13 * 30,
                                         .delay_min_ms = seed % 3 * 10,
                                         .delay_max_ms = seed % 3 * 10 + seed % 17 * 200};
        run(x, type, seed, &faults);
        if (client.outcome == LARCH_OK) {
            if (!is_right(x))
                print_error("seed %u\n", seed);
            assert_true(is_right(x));
            right++;
        } else {
            assert_int_equal(client.outcome, LARCH_TIMEOUT);
            assert_true(!x->once || server.deliveries <= 1);
        }
    }
    print_message("%u of %u schedules came to an answer\n", right, schedules);
    assert_true(right > schedules * 3 / 4);
}

/* CoAP has no checksum, so a broken datagram may say anything; but it ends. */
static void test_corruption(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 500; seed++) {
        const larch_sim_faults faults = {.corruption = 300, .loss = 50, .delay_min_ms = 5, .delay_max_ms = 100};
        const struct exchange *x = &exchanges[seed % 3]; /* without those whose server checks the body */
        run(x, LARCH_COAP_CON, seed, &faults);
    }
}

/* How the prototype's sender looks for its gateway: confirmable, to the broadcast address, without a token. */
static void test_broadcast(void **state)
{
    (void)state;
    const struct exchange *x = &exchanges[2];
    for (unsigned lost = 0; lost < 5; lost++) {
        larch_sim *sim = larch_sim_create(lost, 0);
        const unsigned drop[] = {0, 1, 2, 3};
        const larch_sim_faults faults = {.delay_max_ms = 10, .drop = drop, .drop_count = lost};
        larch_sim_set_faults(sim, &faults);
        start(&server, sim, 0x0a000001, 1);
        start(&client, sim, 0x0a000002, 2);
        const larch_coap_target to = {.peer = larch_sim_ipv4(0xffffffff, LARCH_COAP_PORT),
                                      .type = LARCH_COAP_CON,
                                      .flags = LARCH_COAP_ANY_PEER | LARCH_COAP_EMPTY_TOKEN};
        const larch_coap_ask ask = {.method = x->method, .path = x->path, .content_format = 0xffff};
        assert_int_equal(
            larch_coap_client_ask(&client.client, &client.ep, 0, &to, &ask, client.body, sizeof client.body), LARCH_OK);
        larch_sim_run(sim, UINT64_MAX, STEPS_MAX);
        assert_true(is_right(x));
        assert_true(larch_peer_equal(&client.from, &server.address));
        assert_int_equal(larch_sim_sent(sim), 2 + lost);
        larch_sim_destroy(sim);
    }
}

/* A client without memory starts again with the message ID and token of its last request. Its new request is served
 * all the same; each takes effect once, though the first answer to each is lost. */
static void test_same_ids_after_a_start(void **state)
{
    (void)state;
    const unsigned answers[] = {1, 5};
    const larch_sim_faults faults = {.delay_max_ms = 10, .drop = answers, .drop_count = COUNT(answers)};
    larch_sim *sim = larch_sim_create(1, 0);
    larch_sim_set_faults(sim, &faults);
    start(&server, sim, 0x0a000001, 1);
    start(&client, sim, 0x0a000002, 2);
    for (unsigned i = 1; i <= 2; i++) {
        struct exchange x = exchanges[2];
        larch_random random = larch_sim_random_of(&client.random);
        const larch_coap_memory memory = {client.exchanges, EXCHANGES, client.answers, sizeof client.answers};
        x.payload_len += i;
        client.random.state = 3;
        client.outcome = LARCH_AGAIN;
        assert_int_equal(larch_coap_endpoint_init(&client.ep, &memory, &random, understood, COUNT(understood)),
                         LARCH_OK);
        ask(&x, LARCH_COAP_CON, larch_sim_now_ms(sim));
        larch_sim_run(sim, UINT64_MAX, STEPS_MAX);
        assert_int_equal(client.outcome, LARCH_OK);
        assert_int_equal(client.answer.code, x.code);
        assert_int_equal(server.deliveries, i);
        assert_int_equal(larch_sim_sent(sim), 4 * i);
        assert_int_equal(larch_coap_endpoint_drops(&server.ep, LARCH_COAP_DROP_DUPLICATE), i);
    }
    larch_sim_destroy(sim);
}

/* The same seed gives the same run. */
static void test_repeatable(void **state)
{
    (void)state;
    const larch_sim_faults faults = {.loss = 300, .duplication = 200, .delay_max_ms = 500};
    for (uint64_t seed = 0; seed < 20; seed++) {
        unsigned sent = run(&exchanges[1], LARCH_COAP_CON, seed, &faults);
        assert_int_equal(run(&exchanges[1], LARCH_COAP_CON, seed, &faults), sent);
    }
}

static int fill_pattern(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pattern; i++)
        pattern[i] = (uint8_t)(i % 2 == 0 ? i >> 8 : i >> 1);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lost_datagrams), cmocka_unit_test(test_copies),
        cmocka_unit_test(test_silence),        cmocka_unit_test(test_random_schedules),
        cmocka_unit_test(test_corruption),     cmocka_unit_test(test_repeatable),
        cmocka_unit_test(test_broadcast),      cmocka_unit_test(test_same_ids_after_a_start),
    };
    return cmocka_run_group_tests(tests, fill_pattern, NULL);
}
