/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client in a session and its peer, over a network that fails: the peer is as small as the rules of OSCORE allow, and a
 * forger sees every datagram and sends its own.
 */
#ifndef LARCH_TESTS_OSCORE_PEERS_H
#define LARCH_TESTS_OSCORE_PEERS_H

#include <string.h>

#include "larch/coap_block.h"
#include "larch/crypto.h"
#include "larch/oscore_client.h"
#include "sim.h"

#define BIG_LEN       3000
#define PEER_MEMORY   64
#define OTHER_ADDRESS 0x0a000007

static const uint16_t outer_understood[] = {LARCH_COAP_OPT_URI_HOST, LARCH_COAP_OPT_URI_PATH, LARCH_COAP_OPT_OSCORE};
static const uint8_t secret[16] = {1, 2, 3};

typedef struct host {
    larch_peer address;
    larch_sim_random random;
    larch_random source;
    larch_coap_exchange exchanges[PEER_MEMORY];
    uint8_t answers[PEER_MEMORY * 200];
    larch_coap_endpoint ep;
    larch_session session;
} host;

static struct world {
    larch_sim *sim;
    host client, server;
    larch_oscore_client_config config;
    uint8_t scratch[LARCH_OSCORE_CLIENT_SCRATCH];
    uint8_t pattern[BIG_LEN];
    /* the client */
    larch_oscore_client c;
    larch_error number_error; /* what taking a number comes to */
    unsigned numbers;
    uint8_t body[BIG_LEN];
    larch_coap_answer answer;
    larch_peer from;
    larch_error outcome; /* LARCH_AGAIN: none yet */
    unsigned answers;
    /* the server */
    larch_coap_reassembly reassembly;
    unsigned outer_echoes; /* so many requests without one are asked for an outer Echo */
    uint8_t refusal;       /* code of an unprotected answer to every request; 0: none */
    bool is_mute;
    bool answers_from_elsewhere;
    unsigned deliveries, uploads, challenges, echoed;
    bool is_observed;
    larch_oscore_binding observation;
    uint8_t observer_token[LARCH_COAP_TOKEN_MAX];
    size_t observer_token_len, state_len;
    uint16_t notification_id;
    uint8_t state; /* of the observed resource: the byte it is full of */
    /* the forger, which sees what the client sends and knows its tokens */
    void (*forge)(larch_bytes datagram);
} w;

/* ---- the server ---------------------------------------------------------- */

static larch_bytes protect(const larch_oscore_binding *binding, const uint64_t *number, larch_bytes plain, uint8_t *out)
{
    static uint8_t scratch[LARCH_COAP_DATAGRAM_MAX];
    larch_coap_message m;
    larch_bytes datagram;
    assert_int_equal(larch_coap_parse(plain, &m), LARCH_OK);
    assert_int_equal(larch_oscore_protect_response(&w.server.session.oscore, binding, number, &m,
                                                   (larch_oscore_scratch){scratch, sizeof scratch}, out,
                                                   LARCH_COAP_DATAGRAM_MAX, &datagram),
                     LARCH_OK);
    return datagram;
}

static void send_from_server(larch_bytes datagram)
{
    const larch_peer other = larch_sim_ipv4(OTHER_ADDRESS, 4444);
    larch_sim_send(w.sim, w.answers_from_elsewhere ? &other : &w.server.address, &w.client.address, datagram);
}

static uint64_t own_number(void)
{
    uint64_t number;
    assert_int_equal(larch_oscore_take_number(&w.server.session.oscore, &number), LARCH_OK);
    return number;
}

static larch_bytes state_bytes(uint8_t out[BIG_LEN])
{
    memset(out, w.state, w.state_len);
    return (larch_bytes){out, w.state_len};
}

static larch_bytes etag_of_state(uint8_t out[1])
{
    out[0] = w.state;
    return (larch_bytes){out, 1};
}

/* The representation in blocks, as request asks for them. */
static void build_content(larch_coap_builder *b, const larch_coap_message *request, larch_bytes representation)
{
    larch_coap_slice slice;
    if (larch_coap_block2_slice(request, representation, &slice) != LARCH_OK)
        return; /* of a representation that was larger; the client asks no more */
    if (slice.blockwise)
        larch_coap_blocks_build(b, &slice, representation.len, NULL);
    larch_coap_build_payload(b, slice.bytes);
}

/* Sends the state to the observer, as NON or CON. */
static void notify(larch_coap_type type)
{
    static uint8_t plain[LARCH_COAP_DATAGRAM_MAX], out[LARCH_COAP_DATAGRAM_MAX], bytes[BIG_LEN];
    const larch_coap_message nothing = {.code = LARCH_COAP_GET};
    const uint64_t number = own_number();
    uint8_t etag[1];
    larch_coap_builder b;
    larch_bytes datagram;
    larch_coap_build(&b, plain, sizeof plain, type, LARCH_COAP_CONTENT, ++w.notification_id,
                     (larch_bytes){w.observer_token, w.observer_token_len});
    larch_coap_build_option(&b, LARCH_COAP_OPT_ETAG, etag_of_state(etag));
    larch_coap_build_option_uint(&b, LARCH_COAP_OPT_OBSERVE, (uint32_t)number & 0xffffff);
    build_content(&b, &nothing, state_bytes(bytes));
    assert_int_equal(larch_coap_build_end(&b, &datagram), LARCH_OK);
    send_from_server(protect(&w.observation, &number, datagram, out));
}

static bool says_observe(const larch_coap_message *m, uint32_t value)
{
    larch_bytes bytes;
    uint32_t given;
    return larch_coap_option_find(m, LARCH_COAP_OPT_OBSERVE, &bytes) &&
           larch_coap_option_uint(bytes, &given) == LARCH_OK && given == value;
}

static uint8_t serve_upload(uint64_t now_ms, const larch_coap_message *m)
{
    larch_coap_block block;
    larch_bytes body;
    bool blockwise;
    const larch_error e =
        larch_coap_reassembly_take(&w.reassembly, now_ms, &w.client.address, true, m, &blockwise, &block, &body);
    if (e == LARCH_AGAIN)
        return LARCH_COAP_CONTINUE;
    if (e != LARCH_OK)
        return LARCH_COAP_REQUEST_ENTITY_INCOMPLETE;
    assert_true(larch_bytes_equal(body, (larch_bytes){w.pattern, 1900}));
    w.uploads++;
    return LARCH_COAP_CHANGED;
}

/* The plain answer to an authentic new request. */
static larch_bytes serve(uint64_t now_ms, const larch_coap_message *m, uint8_t *plain)
{
    static uint8_t bytes[BIG_LEN];
    larch_coap_builder b;
    larch_coap_block block1;
    larch_bytes datagram;
    uint8_t etag[1], code = LARCH_COAP_CHANGED;
    bool has_block1 = false;
    const bool is_state = larch_coap_path_is(m, "state"), is_big = larch_coap_path_is(m, "big");
    if (larch_coap_path_is(m, "up")) {
        code = serve_upload(now_ms, m);
        assert_int_equal(larch_coap_block_find(m, LARCH_COAP_OPT_BLOCK1, &has_block1, &block1), LARCH_OK);
    } else if (is_state || is_big) {
        code = LARCH_COAP_CONTENT;
    } else {
        w.deliveries++;
    }
    larch_coap_build(&b, plain, LARCH_COAP_DATAGRAM_MAX, m->type == LARCH_COAP_CON ? LARCH_COAP_ACK : LARCH_COAP_NON,
                     code, m->message_id, m->token);
    if (is_state)
        larch_coap_build_option(&b, LARCH_COAP_OPT_ETAG, etag_of_state(etag));
    if (is_state && w.is_observed && says_observe(m, 0))
        larch_coap_build_option_uint(&b, LARCH_COAP_OPT_OBSERVE, 1);
    if (has_block1)
        larch_coap_build_option_uint(&b, LARCH_COAP_OPT_BLOCK1, larch_coap_block_value(block1));
    if (is_state || is_big)
        build_content(&b, m, is_big ? LARCH_BYTES(w.pattern) : state_bytes(bytes));
    assert_int_equal(larch_coap_build_end(&b, &datagram), LARCH_OK);
    return datagram;
}

static larch_bytes challenge(const larch_coap_message *m, uint8_t *plain)
{
    uint8_t echo[LARCH_OSCORE_ECHO_LEN];
    larch_coap_builder b;
    larch_bytes datagram;
    w.challenges++;
    larch_oscore_put_echo(&w.server.session.oscore, echo);
    larch_coap_build(&b, plain, LARCH_COAP_DATAGRAM_MAX, m->type == LARCH_COAP_CON ? LARCH_COAP_ACK : LARCH_COAP_NON,
                     LARCH_COAP_UNAUTHORIZED, m->message_id, m->token);
    larch_coap_build_option(&b, LARCH_COAP_OPT_ECHO, LARCH_BYTES(echo));
    assert_int_equal(larch_coap_build_end(&b, &datagram), LARCH_OK);
    return datagram;
}

static larch_bytes take_protected(uint64_t now_ms, const larch_coap_event *event, larch_bytes value, uint8_t *out)
{
    static uint8_t scratch[LARCH_COAP_DATAGRAM_MAX], plain[LARCH_COAP_DATAGRAM_MAX];
    larch_oscore_option option;
    larch_oscore_binding binding;
    larch_oscore_verdict verdict;
    larch_coap_message inner;
    larch_bytes echo = {NULL, 0};
    uint64_t number, own = 0;
    larch_oscore_context *oscore = &w.server.session.oscore;
    if (larch_oscore_option_parse(value, &option) != LARCH_OK ||
        larch_oscore_unprotect_request(oscore, &option, &event->message,
                                       (larch_oscore_scratch){scratch, sizeof scratch}, &binding, &number,
                                       &inner) != LARCH_OK)
        return (larch_bytes){NULL, 0};
    (void)larch_coap_option_find(&inner, LARCH_COAP_OPT_ECHO, &echo);
    assert_int_equal(larch_oscore_accept_number(oscore, number, echo, &verdict, &own), LARCH_OK);
    if (verdict == LARCH_OSCORE_CHALLENGE || verdict == LARCH_OSCORE_CHALLENGE_AGAIN)
        return protect(&binding, &own, challenge(&inner, plain), out);
    if (verdict != LARCH_OSCORE_FRESH)
        return (larch_bytes){NULL, 0};
    const bool registers = larch_coap_path_is(&inner, "state") && says_observe(&inner, 0);
    if (registers) {
        w.is_observed = true;
        w.observation = binding;
        w.observer_token_len = inner.token.len;
        memcpy(w.observer_token, inner.token.data, inner.token.len);
        own = own_number();
    } else if (larch_coap_path_is(&inner, "state") && says_observe(&inner, 1)) {
        assert_true(larch_bytes_equal(inner.token, (larch_bytes){w.observer_token, w.observer_token_len}));
        w.is_observed = false;
    }
    return protect(&binding, registers ? &own : NULL, serve(now_ms, &inner, plain), out);
}

/* Puts a protected message behind the endpoint's memory of duplicates, and sends it. */
static void answer_event(uint64_t now_ms, const larch_coap_event *event, uint8_t code, const larch_coap_message *copy,
                         larch_bytes echo)
{
    static uint8_t out[LARCH_COAP_DATAGRAM_MAX];
    const larch_coap_pending pending = larch_coap_pending_of(event);
    larch_coap_builder b;
    larch_bytes datagram;
    assert_int_equal(larch_coap_answer_begin(&pending, code, out, sizeof out, &b), LARCH_OK);
    if (copy != NULL) {
        larch_coap_options options = larch_coap_options_of(copy);
        larch_coap_option option;
        while (larch_coap_options_next(&options, &option))
            larch_coap_build_option(&b, option.number, option.value);
        larch_coap_build_payload(&b, copy->payload);
    }
    if (echo.len > 0)
        larch_coap_build_option(&b, LARCH_COAP_OPT_ECHO, echo);
    assert_int_equal(larch_coap_endpoint_answer_end(&w.server.ep, now_ms, &pending, &b, true, &datagram), LARCH_OK);
    send_from_server(datagram);
}

static void on_request(uint64_t now_ms, const larch_coap_event *event)
{
    static uint8_t out[LARCH_COAP_DATAGRAM_MAX];
    const larch_bytes none = {NULL, 0};
    larch_coap_message protected;
    larch_bytes value, echo;
    if (w.is_mute)
        return;
    if (w.refusal != 0) {
        answer_event(now_ms, event, w.refusal, NULL, none);
        return;
    }
    if (larch_coap_option_find(&event->message, LARCH_COAP_OPT_ECHO, &echo) &&
        larch_bytes_equal(echo, LARCH_TEXT("outside"))) {
        w.echoed++;
    } else if (w.outer_echoes > 0) {
        w.outer_echoes--;
        answer_event(now_ms, event, LARCH_COAP_UNAUTHORIZED, NULL, LARCH_TEXT("outside"));
        return;
    }
    if (!larch_coap_option_find(&event->message, LARCH_COAP_OPT_OSCORE, &value))
        return; /* damaged */
    const larch_bytes datagram = take_protected(now_ms, event, value, out);
    if (datagram.len == 0)
        return;
    assert_int_equal(larch_coap_parse(datagram, &protected), LARCH_OK);
    answer_event(now_ms, event, protected.code, &protected, none);
}

/* ---- both on the network -------------------------------------------------- */

static void take_client_event(uint64_t now_ms, const larch_coap_event *event)
{
    larch_coap_answer answer;
    const larch_error e = larch_oscore_client_take(&w.c, now_ms, event, &answer);
    for (size_t i = 0; i < sizeof w.scratch; i++)
        assert_int_equal(w.scratch[i], 0); /* no plaintext is left */
    if (e == LARCH_AGAIN)
        return;
    w.outcome = e;
    w.answer = answer;
    w.from = event->peer;
    w.answers += e == LARCH_OK;
}

static void on_receive(void *context, uint64_t now_ms, const larch_peer *from, bool multicast, larch_bytes datagram)
{
    host *h = context;
    uint8_t reply[LARCH_COAP_DATAGRAM_MAX];
    larch_writer writer = larch_writer_to(reply, sizeof reply);
    larch_coap_event event;
    larch_coap_endpoint_receive(&h->ep, now_ms, from, multicast, datagram, &writer, &event);
    if (writer.len > 0)
        larch_sim_send(w.sim, &h->address, from, (larch_bytes){reply, writer.len});
    if (h == &w.client)
        take_client_event(now_ms, &event);
    else if (event.kind == LARCH_COAP_REQUEST)
        on_request(now_ms, &event);
}

static void on_poll(void *context, uint64_t now_ms)
{
    host *h = context;
    larch_peer peer;
    larch_bytes datagram;
    larch_coap_event event;
    while (larch_coap_endpoint_poll(&h->ep, now_ms, &peer, &datagram, &event) == LARCH_OK) {
        if (datagram.len > 0)
            larch_sim_send(w.sim, &h->address, &peer, datagram);
        if (h == &w.client && event.kind == LARCH_COAP_TIMEOUT)
            take_client_event(now_ms, &event);
    }
}

static uint64_t on_deadline(void *context) { return larch_coap_endpoint_deadline_ms(&((host *)context)->ep); }

static void on_datagram(void *context, uint64_t now_ms, const larch_peer *from, const larch_peer *to,
                        larch_bytes datagram, bool lost)
{
    (void)context;
    (void)now_ms;
    (void)lost;
    if (w.forge != NULL && larch_peer_equal(from, &w.client.address) && larch_peer_equal(to, &w.server.address))
        w.forge(datagram);
}

static larch_error take_number(void *context, uint64_t now_ms, uint64_t *number)
{
    (void)context;
    (void)now_ms;
    if (w.number_error != LARCH_OK)
        return w.number_error;
    w.numbers++;
    return larch_oscore_take_number(&w.client.session.oscore, number);
}

static void init_host(host *h, uint32_t address, larch_bytes own_id, larch_bytes peer_id)
{
    const larch_coap_memory memory = {h->exchanges, PEER_MEMORY, h->answers, sizeof h->answers};
    const larch_oscore_parameters p = {.aead = larch_cose_aead_find(LARCH_COSE_AES_CCM_16_64_128),
                                       .hash = LARCH_COSE_SHA_256,
                                       .master_secret = LARCH_BYTES(secret),
                                       .sender_id = own_id,
                                       .recipient_id = peer_id};
    const larch_sim_node node = {.address = larch_sim_ipv4(address, LARCH_COAP_PORT),
                                 .context = h,
                                 .receive = on_receive,
                                 .poll = on_poll,
                                 .deadline_ms = on_deadline};
    h->address = node.address;
    h->random.state += address;
    h->source = larch_sim_random_of(&h->random);
    assert_int_equal(larch_coap_endpoint_init(&h->ep, &memory, &h->source, outer_understood,
                                              sizeof outer_understood / sizeof outer_understood[0]),
                     LARCH_OK);
    assert_int_equal(larch_oscore_context_init(&h->session.oscore, &p), LARCH_OK);
    larch_oscore_grant(&h->session.oscore, 0, 1 << 16);
    larch_sim_add(w.sim, &node);
}

static void begin_world(uint64_t seed, const larch_sim_faults *faults)
{
    memset(&w, 0, sizeof w);
    w.sim = larch_sim_create(seed, 1000000);
    larch_sim_set_faults(w.sim, faults);
    larch_sim_set_tap(w.sim, on_datagram, NULL);
    w.client.random.state = w.server.random.state = seed;
    init_host(&w.client, 0x0a000001, LARCH_TEXT("c"), LARCH_TEXT("s"));
    init_host(&w.server, 0x0a000002, LARCH_TEXT("s"), LARCH_TEXT("c"));
    assert_int_equal(larch_coap_reassembly_init(&w.reassembly, &w.server.source), LARCH_OK);
    for (size_t i = 0; i < sizeof w.pattern; i++)
        w.pattern[i] = (uint8_t)(i * 7 + i / 256);
    w.config = (larch_oscore_client_config){&w.client.ep, &w.client.session, take_number, NULL, w.scratch};
}

static void end_world(void) { larch_sim_destroy(w.sim); }

static larch_error ask(uint8_t method, const char *path, larch_bytes payload)
{
    const larch_coap_target target = {.peer = w.server.address, .type = LARCH_COAP_CON};
    const larch_coap_ask a = {.method = method, .path = path, .payload = payload, .content_format = 0xffff};
    w.outcome = LARCH_AGAIN;
    return larch_oscore_client_ask(&w.c, &w.config, larch_sim_now_ms(w.sim), &target, &a, w.body, sizeof w.body);
}

static larch_error observe(void)
{
    const larch_coap_target target = {.peer = w.server.address, .type = LARCH_COAP_CON};
    const larch_coap_ask a = {.method = LARCH_COAP_GET, .path = "state", .content_format = 0xffff};
    w.outcome = LARCH_AGAIN;
    return larch_oscore_client_observe(&w.c, &w.config, larch_sim_now_ms(w.sim), &target, &a, w.body, sizeof w.body);
}

/* Until everything is at rest, or ms have passed. */
static void run_for(uint64_t ms) { (void)larch_sim_run(w.sim, larch_sim_now_ms(w.sim) + ms, 100000); }

#endif
