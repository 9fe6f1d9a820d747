/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sender, and the other end of its exchanges: each test says what the gateway answers. A program that includes this
 * has included cmocka.h.
 */
#ifndef TESTS_SCRIPTED_GATEWAY_H
#define TESTS_SCRIPTED_GATEWAY_H

#include <string.h>

#include "key_pair.h"
#include "larch/crypto.h"
#include "larch/sender.h"
#include "sim.h"

static const larch_kem *kem;
static key_pair ours, next, stranger;
static larch_sim_random random_state;
static larch_random source;
static larch_peer gateway;
static larch_sender s;
static uint64_t now_ms;

/* The request that the sender sent last. */
static uint8_t request_bytes[LARCH_COAP_DATAGRAM_MAX];
static larch_coap_message request;

static inline larch_sender_config config(void)
{
    return (larch_sender_config){.random = &source, .kem = kem, .peer = gateway};
}

static inline void begin(const larch_sender_config *c)
{
    random_state = (larch_sim_random){.state = 3};
    now_ms = 500;
    assert_int_equal(larch_sender_init(&s, now_ms, c), LARCH_OK);
    assert_int_equal(larch_sender_state_of(&s), LARCH_SENDER_IDLE);
}

static inline void begin_with(const larch_trust_basis *basis)
{
    larch_sender_config c = config();
    c.trust = basis;
    begin(&c);
}

/* What pins a key: by fingerprint alone, or with the whole key on record. */
static inline larch_trust_basis basis_of(const key_pair *p, bool on_record)
{
    larch_trust_basis basis = {.pinned = true, .pin = {.kind = LARCH_FINGERPRINT_KEY}};
    memcpy(basis.pin.bytes, p->hash, sizeof basis.pin.bytes);
    if (on_record)
        basis.ek = ek_of(p);
    return basis;
}

static inline void begin_pinned(const key_pair *p, bool on_record)
{
    const larch_trust_basis basis = basis_of(p, on_record);
    begin_with(&basis);
}

static inline int setup(void **state)
{
    (void)state;
    kem = larch_kem_find(512);
    source = larch_sim_random_of(&random_state);
    gateway = larch_sim_ipv4(0x0a000001, 5683);
    ours = key_pair_of(kem, 1);
    next = key_pair_of(kem, 2);
    stranger = key_pair_of(kem, 3);
    return 0;
}

/* ---- the other end ----------------------------------------------------- */

/* The next datagram of the sender, which must be a request for path. */
static inline void expect_request(uint8_t code, const char *path)
{
    larch_peer peer;
    larch_bytes datagram;
    assert_int_equal(larch_sender_send(&s, now_ms, &peer, &datagram), LARCH_OK);
    assert_true(larch_peer_equal(&peer, &gateway));
    memcpy(request_bytes, datagram.data, datagram.len);
    assert_int_equal(larch_coap_parse((larch_bytes){request_bytes, datagram.len}, &request), LARCH_OK);
    assert_int_equal(request.code, code);
    assert_true(larch_coap_path_is(&request, path));
}

static inline void expect_nothing(void)
{
    larch_peer peer;
    larch_bytes datagram;
    assert_int_equal(larch_sender_send(&s, now_ms, &peer, &datagram), LARCH_AGAIN);
}

typedef struct reply {
    uint8_t code;
    bool uri_path, etag;
    larch_bytes echo, payload;
    bool later; /* with Max-Age */
    uint32_t max_age_s;
    uint16_t option; /* one more, if that is not 0 */
} reply;

static inline void answer(const reply *r)
{
    uint8_t out[2048];
    larch_coap_builder b;
    larch_bytes datagram;
    bool confirmable = request.type == LARCH_COAP_CON;
    larch_coap_build(&b, out, sizeof out, confirmable ? LARCH_COAP_ACK : LARCH_COAP_NON, r->code, request.message_id,
                     request.token);
    if (r->etag)
        larch_coap_build_option(&b, LARCH_COAP_OPT_ETAG, LARCH_TEXT("12345678"));
    if (r->uri_path)
        larch_coap_build_path(&b, LARCH_DIRECT_PATH_KEY);
    if (r->later)
        larch_coap_build_option_uint(&b, LARCH_COAP_OPT_MAX_AGE, r->max_age_s);
    if (r->echo.len > 0)
        larch_coap_build_option(&b, LARCH_COAP_OPT_ECHO, r->echo);
    if (r->option != 0)
        larch_coap_build_option(&b, r->option, LARCH_TEXT("?"));
    larch_coap_build_payload(&b, r->payload);
    assert_int_equal(larch_coap_build_end(&b, &datagram), LARCH_OK);
    larch_sender_receive(&s, now_ms, &gateway, datagram);
}

static inline void answer_text(uint8_t code, const char *text)
{
    const reply r = {.code = code, .payload = {(const uint8_t *)text, strlen(text)}};
    answer(&r);
}

/* Not now: after max_age_s. */
static inline void answer_later(uint8_t code, uint32_t max_age_s)
{
    const reply r = {.code = code, .later = true, .max_age_s = max_age_s};
    answer(&r);
}

static inline void answer_key(const key_pair *p)
{
    const reply r = {.code = LARCH_COAP_CONTENT, .etag = true, .payload = ek_of(p)};
    answer(&r);
}

static inline void reset(void)
{
    const uint8_t datagram[] = {0x70, 0, (uint8_t)(request.message_id >> 8), (uint8_t)request.message_id};
    larch_sender_receive(&s, now_ms, &gateway, LARCH_BYTES(datagram));
}

static inline void assert_state(larch_sender_state state)
{
    if (larch_sender_state_of(&s) != state)
        print_error("%s, %s\n", larch_sender_state_text(larch_sender_state_of(&s)),
                    larch_sender_failure_text(larch_sender_failure_of(&s)));
    assert_int_equal(larch_sender_state_of(&s), state);
}

static inline void assert_failed(larch_sender_failure failure)
{
    assert_state(LARCH_SENDER_FAILED);
    assert_int_equal(larch_sender_failure_of(&s), failure);
    expect_nothing();
    assert_true(larch_sender_deadline_ms(&s) == UINT64_MAX);
    for (size_t i = 0; i < sizeof s.text; i++) /* what was to be said is not left behind */
        assert_int_equal(s.text[i], 0);
    assert_int_equal(larch_sender_post(&s, now_ms, LARCH_TEXT("x")), LARCH_STATE);
    assert_int_equal(larch_sender_fetch(&s, now_ms), LARCH_STATE);
    assert_int_equal(larch_sender_trust(&s, now_ms), LARCH_STATE);
}

/* What was posted, in the form that its Content-Format names. */
static inline larch_direct_sealed posted(void)
{
    larch_direct_sealed sealed;
    larch_bytes format;
    const bool is_cose = larch_coap_option_find(&request, LARCH_COAP_OPT_CONTENT_FORMAT, &format);
    assert_true(!is_cose || larch_bytes_equal(format, LARCH_TEXT("\x60"))); /* 96 */
    assert_int_equal((is_cose ? larch_direct_parse_cose : larch_direct_parse)(request.payload, &sealed),
                     LARCH_DIRECT_OK);
    return sealed;
}

/* Opens what was posted, as the holder of p. */
static inline bool opens(const key_pair *p, const char *text)
{
    const larch_direct_sealed sealed = posted();
    uint8_t out[LARCH_DIRECT_TEXT_MAX];
    size_t len;
    return larch_direct_open(&sealed, NULL, p->dk, out, sizeof out, &len, NULL) == LARCH_OK && len == strlen(text) &&
           memcmp(out, text, len) == 0;
}

/* The receipt that the holder of p gives for what was posted last. */
static inline void receipt_of(const key_pair *p, uint8_t code, uint8_t out[LARCH_DIRECT_TAG_LEN])
{
    const larch_direct_sealed sealed = posted();
    larch_direct_receipt receipt;
    uint8_t text[LARCH_DIRECT_TEXT_MAX];
    size_t len;
    assert_int_equal(larch_direct_open(&sealed, NULL, p->dk, text, sizeof text, &len, &receipt), LARCH_OK);
    assert_int_equal(larch_direct_receipt_make(&receipt, code, out), LARCH_OK);
}

static inline void answer_with_receipt(const key_pair *p, uint8_t code, const char *text)
{
    uint8_t body[64];
    const size_t len = strlen(text);
    memcpy(body, text, len);
    receipt_of(p, code, body + len);
    const reply r = {.code = code, .payload = {body, len + LARCH_DIRECT_TAG_LEN}};
    answer(&r);
}

/* Answers the question on its way as the holder of old, naming fresh. */
static inline void answer_next(const key_pair *old, const key_pair *fresh)
{
    const larch_kem *asked;
    larch_bytes hint, kem_ct;
    uint8_t out[LARCH_DIRECT_NEXT_LEN];
    assert_int_equal(larch_direct_next_parse(request.payload, &asked, &hint, &kem_ct), LARCH_OK);
    assert_memory_equal(hint.data, ours.hash, 4);
    assert_int_equal(larch_direct_next_answer(kem, old->dk, kem_ct, ours.hash, fresh->hash, out), LARCH_OK);
    const reply r = {.code = LARCH_COAP_CHANGED, .payload = LARCH_BYTES(out)};
    answer(&r);
}

static inline void fetch_and_get(const key_pair *p)
{
    assert_int_equal(larch_sender_fetch(&s, now_ms), LARCH_OK);
    assert_state(LARCH_SENDER_FETCH_KEY);
    expect_request(LARCH_COAP_GET, "pqkem-pk");
    assert_int_equal(request.token.len, 4);
    expect_nothing();
    answer_key(p);
}

static inline void post(const char *text)
{
    assert_int_equal(larch_sender_post(&s, now_ms, (larch_bytes){(const uint8_t *)text, strlen(text)}), LARCH_OK);
    assert_state(LARCH_SENDER_POST);
    expect_request(LARCH_COAP_POST, "pqkem-data");
}

static inline void challenge(const char *echo)
{
    const reply r = {.code = LARCH_COAP_UNAUTHORIZED, .echo = {(const uint8_t *)echo, strlen(echo)}};
    answer(&r);
}

static inline void assert_echo(const char *echo)
{
    larch_bytes value;
    assert_true(larch_coap_option_find(&request, LARCH_COAP_OPT_ECHO, &value));
    assert_true(larch_bytes_equal(value, (larch_bytes){(const uint8_t *)echo, strlen(echo)}));
}

/* Runs the sender with nobody there; returns how many datagrams it sent. */
static inline unsigned run_alone(void)
{
    larch_peer peer;
    larch_bytes datagram;
    unsigned sent = 0;
    for (unsigned i = 0; i < 100 && larch_sender_deadline_ms(&s) != UINT64_MAX; i++) {
        if (now_ms < larch_sender_deadline_ms(&s))
            now_ms = larch_sender_deadline_ms(&s);
        while (larch_sender_send(&s, now_ms, &peer, &datagram) == LARCH_OK)
            sent++;
    }
    return sent;
}

static inline void assert_no_answer(void)
{
    larch_bytes text;
    assert_int_equal(larch_sender_answer(&s, &text), 0);
    assert_int_equal(text.len, 0);
}

static inline void use_up_message_ids(void)
{
    s.endpoint.next_message_id = 0;
    s.endpoint.message_ids_free_ms[0] = now_ms + LARCH_COAP_EXCHANGE_LIFETIME_MS;
}

/* Nothing is asked until a message ID is free; then something may be. */
static inline void wait_for_message_ids(void)
{
    const uint64_t free_ms = s.endpoint.message_ids_free_ms[0];
    assert_true(free_ms > now_ms);
    assert_int_equal(larch_sender_held_until_ms(&s), free_ms);
    expect_nothing();
    now_ms = free_ms - 1;
    expect_nothing();
    assert_int_equal(larch_sender_deadline_ms(&s), free_ms);
    now_ms = free_ms;
}

#endif
