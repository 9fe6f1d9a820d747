/* SPDX-License-Identifier: Apache-2.0 */
/* The sender against scripted answers: whom it trusts, what it repeats, how it ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "larch/crypto.h"
#include "larch/sender.h"
#include "sim.h"

typedef struct pair {
    uint8_t ek[LARCH_KEM_EK_MAX], dk[LARCH_KEM_DK_MAX], hash[32];
} pair;

static const larch_kem *kem;
static pair ours, next, stranger;
static larch_sim_random random_state;
static larch_random source;
static larch_peer gateway;
static larch_sender s;
static uint64_t now_ms;

/* The request that the sender sent last. */
static uint8_t request_bytes[LARCH_COAP_DATAGRAM_MAX];
static larch_coap_message request;

static larch_bytes ek_of(const pair *p) { return (larch_bytes){p->ek, kem->ek_len}; }

static void make(pair *p, uint8_t byte)
{
    uint8_t seed[LARCH_KEM_SEED_LEN];
    memset(seed, byte, sizeof seed);
    assert_int_equal(larch_kem_keygen(kem, seed, p->ek, p->dk), LARCH_OK);
    assert_int_equal(larch_direct_key_hash(ek_of(p), p->hash), LARCH_OK);
}

static larch_sender_config config(void)
{
    return (larch_sender_config){.random = &source, .kem = kem, .peer = gateway};
}

static void begin(const larch_sender_config *c)
{
    random_state = (larch_sim_random){.state = 3};
    now_ms = 500;
    assert_int_equal(larch_sender_init(&s, now_ms, c), LARCH_OK);
    assert_int_equal(larch_sender_state_of(&s), LARCH_SENDER_IDLE);
}

/* A sender that pins a key: by fingerprint alone, or with the whole key on record. */
static void begin_pinned(const pair *p, bool on_record)
{
    larch_sender_config c = config();
    c.pinned = true;
    memcpy(c.pin, p->hash, sizeof c.pin);
    if (on_record)
        c.pinned_ek = ek_of(p);
    begin(&c);
}

static int setup(void **state)
{
    (void)state;
    kem = larch_kem_find(512);
    source = larch_sim_random_of(&random_state);
    gateway = larch_sim_ipv4(0x0a000001, 5683);
    make(&ours, 1);
    make(&next, 2);
    make(&stranger, 3);
    return 0;
}

/* ---- the other end ----------------------------------------------------- */

/* The next datagram of the sender, which must be a request for path. */
static void expect_request(uint8_t code, const char *path)
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

static void expect_nothing(void)
{
    larch_peer peer;
    larch_bytes datagram;
    assert_int_equal(larch_sender_send(&s, now_ms, &peer, &datagram), LARCH_AGAIN);
}

typedef struct reply {
    uint8_t code;
    bool uri_path, etag;
    larch_bytes echo, payload;
} reply;

static void answer(const reply *r)
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
    if (r->echo.len > 0)
        larch_coap_build_option(&b, LARCH_COAP_OPT_ECHO, r->echo);
    larch_coap_build_payload(&b, r->payload);
    assert_int_equal(larch_coap_build_end(&b, &datagram), LARCH_OK);
    larch_sender_receive(&s, now_ms, &gateway, datagram);
}

static void answer_text(uint8_t code, const char *text)
{
    const reply r = {.code = code, .payload = {(const uint8_t *)text, strlen(text)}};
    answer(&r);
}

static void answer_key(const pair *p)
{
    const reply r = {.code = LARCH_COAP_CONTENT, .etag = true, .payload = ek_of(p)};
    answer(&r);
}

static void reset(void)
{
    const uint8_t datagram[] = {0x70, 0, (uint8_t)(request.message_id >> 8), (uint8_t)request.message_id};
    larch_sender_receive(&s, now_ms, &gateway, LARCH_BYTES(datagram));
}

static void assert_state(larch_sender_state state)
{
    if (larch_sender_state_of(&s) != state)
        print_error("%s, %s\n", larch_sender_state_text(larch_sender_state_of(&s)),
                    larch_sender_failure_text(larch_sender_failure_of(&s)));
    assert_int_equal(larch_sender_state_of(&s), state);
}

static void assert_failed(larch_sender_failure failure)
{
    assert_state(LARCH_SENDER_FAILED);
    assert_int_equal(larch_sender_failure_of(&s), failure);
    expect_nothing();
    assert_true(larch_sender_deadline_ms(&s) == UINT64_MAX);
    for (size_t i = 0; i < sizeof s.text; i++) /* what was to be said is not left behind */
        assert_int_equal(s.text[i], 0);
    assert_int_equal(larch_sender_post(&s, now_ms, LARCH_TEXT("x")), LARCH_STATE);
    assert_int_equal(larch_sender_fetch(&s, now_ms), LARCH_STATE);
    assert_int_equal(larch_sender_trust(&s), LARCH_STATE);
}

/* Opens what was posted, as the holder of p. */
static bool opens(const pair *p, const char *text)
{
    larch_direct_sealed sealed;
    uint8_t out[LARCH_DIRECT_TEXT_MAX];
    size_t len;
    assert_int_equal(larch_direct_parse(request.payload, &sealed), LARCH_DIRECT_OK);
    return larch_direct_open(&sealed, NULL, p->dk, out, sizeof out, &len) == LARCH_OK && len == strlen(text) &&
           memcmp(out, text, len) == 0;
}

/* Answers the question on its way as the holder of old, naming fresh. */
static void answer_next(const pair *old, const pair *fresh)
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

static void fetch_and_get(const pair *p)
{
    assert_int_equal(larch_sender_fetch(&s, now_ms), LARCH_OK);
    assert_state(LARCH_SENDER_FETCH_KEY);
    expect_request(LARCH_COAP_GET, "pqkem-pk");
    assert_int_equal(request.token.len, 4);
    expect_nothing();
    answer_key(p);
}

static void post(const char *text)
{
    assert_int_equal(larch_sender_post(&s, now_ms, (larch_bytes){(const uint8_t *)text, strlen(text)}), LARCH_OK);
    assert_state(LARCH_SENDER_POST);
    expect_request(LARCH_COAP_POST, "pqkem-data");
}

/* ---- trust ------------------------------------------------------------- */

static void test_pin_matches(void **state)
{
    (void)state;
    for (unsigned on_record = 0; on_record < 2; on_record++) {
        const uint8_t *hash;
        larch_bytes text;
        begin_pinned(&ours, on_record == 1);
        assert_int_equal(larch_sender_post(&s, now_ms, LARCH_TEXT("x")), LARCH_STATE);
        assert_int_equal(larch_sender_key(&s, NULL).len, 0);
        fetch_and_get(&ours);
        assert_state(LARCH_SENDER_READY);
        assert_true(larch_bytes_equal(larch_sender_key(&s, &hash), ek_of(&ours)));
        assert_memory_equal(hash, ours.hash, 32);
        assert_int_equal(larch_sender_trust(&s), LARCH_STATE);
        for (unsigned i = 0; i < 3; i++) {
            post("Hello");
            assert_true(opens(&ours, "Hello"));
            answer_text(LARCH_COAP_CHANGED, "OK");
            assert_state(LARCH_SENDER_READY);
            assert_int_equal(larch_sender_answer(&s, &text), LARCH_COAP_CHANGED);
            assert_true(larch_bytes_equal(text, LARCH_TEXT("OK")));
            assert_int_equal(s.text[0], 0);
        }
        assert_false(larch_sender_rotated(&s));
        fetch_and_get(&ours); /* again, on purpose */
        assert_state(LARCH_SENDER_READY);
        expect_nothing();
    }
}

static void test_pin_differs(void **state)
{
    (void)state;
    begin_pinned(&ours, false);
    fetch_and_get(&stranger);
    assert_true(larch_bytes_equal(larch_sender_key(&s, NULL), ek_of(&stranger))); /* to be shown */
    assert_failed(LARCH_SENDER_FAIL_WRONG_KEY);
}

static void test_endorsed(void **state)
{
    (void)state;
    begin_pinned(&ours, true);
    fetch_and_get(&next);
    assert_state(LARCH_SENDER_ENDORSE);
    assert_int_equal(larch_sender_key(&s, NULL).len, 0); /* not yet */
    expect_request(LARCH_COAP_POST, "pqkem-next");
    answer_next(&ours, &next);
    assert_state(LARCH_SENDER_READY);
    assert_true(larch_sender_rotated(&s));
    post("Hello");
    assert_true(opens(&next, "Hello"));
    answer_text(LARCH_COAP_CHANGED, "OK");
    fetch_and_get(&next); /* it is the pin now */
    assert_state(LARCH_SENDER_READY);
}

static void test_not_endorsed(void **state)
{
    (void)state;
    for (unsigned way = 0; way < 5; way++) {
        begin_pinned(&ours, true);
        fetch_and_get(&stranger);
        expect_request(LARCH_COAP_POST, "pqkem-next");
        switch (way) {
        case 0: /* by who does not hold the old key */
            answer_next(&stranger, &stranger);
            break;
        case 1: /* endorsed is another than was fetched */
            answer_next(&ours, &next);
            break;
        case 2:
            answer_text(LARCH_COAP_NOT_FOUND, "UNKNOWN_KEY");
            break;
        case 3:
            answer_text(LARCH_COAP_CHANGED, "too short");
            break;
        default: { /* a right answer under a wrong code */
            const larch_kem *asked;
            larch_bytes hint, kem_ct;
            uint8_t out[LARCH_DIRECT_NEXT_LEN];
            assert_int_equal(larch_direct_next_parse(request.payload, &asked, &hint, &kem_ct), LARCH_OK);
            assert_int_equal(larch_direct_next_answer(kem, ours.dk, kem_ct, ours.hash, stranger.hash, out), LARCH_OK);
            const reply r = {.code = LARCH_COAP_CONTENT, .payload = LARCH_BYTES(out)};
            answer(&r);
        }
        }
        assert_failed(LARCH_SENDER_FAIL_WRONG_KEY);
        assert_false(larch_sender_rotated(&s));
    }
}

static void test_decide(void **state)
{
    (void)state;
    const larch_sender_config c = config();
    begin(&c);
    fetch_and_get(&ours);
    assert_state(LARCH_SENDER_DECIDE);
    expect_nothing();
    assert_true(larch_bytes_equal(larch_sender_key(&s, NULL), ek_of(&ours)));
    assert_int_equal(larch_sender_post(&s, now_ms, LARCH_TEXT("x")), LARCH_STATE);
    assert_int_equal(larch_sender_fetch(&s, now_ms), LARCH_STATE);
    assert_int_equal(larch_sender_trust(&s), LARCH_OK);
    assert_state(LARCH_SENDER_READY);
    post("Hello");
    assert_true(opens(&ours, "Hello"));
    answer_text(LARCH_COAP_CHANGED, "OK");
    fetch_and_get(&stranger); /* trusted once is pinned */
    expect_request(LARCH_COAP_POST, "pqkem-next");
    answer_text(LARCH_COAP_NOT_FOUND, "UNKNOWN_KEY");
    assert_failed(LARCH_SENDER_FAIL_WRONG_KEY);
}

static void test_init(void **state)
{
    (void)state;
    larch_sender_config c = config();
    c.pinned_ek = ek_of(&ours);
    c.pinned_ek.len--;
    assert_int_equal(larch_sender_init(&s, 0, &c), LARCH_MALFORMED);
    pair broken = ours;
    memset(broken.ek, 0xff, 3); /* coefficients beyond q */
    c.pinned_ek = ek_of(&broken);
    assert_int_equal(larch_sender_init(&s, 0, &c), LARCH_MALFORMED);
    c.pinned_ek = ek_of(&ours);
    c.pinned = true;
    memcpy(c.pin, next.hash, sizeof c.pin);
    assert_int_equal(larch_sender_init(&s, 0, &c), LARCH_STATE);
    random_state = (larch_sim_random){.fails_at = 1};
    c = config();
    assert_int_equal(larch_sender_init(&s, 0, &c), LARCH_PLATFORM);
}

/* ---- keys that are none ------------------------------------------------ */

static void test_bad_keys(void **state)
{
    (void)state;
    static uint8_t bytes[LARCH_KEM_EK_MAX + 1];
    const size_t lens[] = {0, 1, 799, 801, 1184, 1568};
    for (unsigned i = 0; i < 7; i++) {
        begin_pinned(&ours, true);
        assert_int_equal(larch_sender_fetch(&s, now_ms), LARCH_OK);
        expect_request(LARCH_COAP_GET, "pqkem-pk");
        memset(bytes, 0, sizeof bytes);
        memcpy(bytes, ours.ek, kem->ek_len);
        if (i == 6)
            memset(bytes + 300, 0xff, 3); /* right length, coefficients beyond q */
        const reply r = {.code = LARCH_COAP_CONTENT, .payload = {bytes, i < 6 ? lens[i] : 800u}};
        answer(&r);
        assert_failed(LARCH_SENDER_FAIL_BAD_KEY);
    }
    static const uint8_t codes[] = {LARCH_COAP_NOT_FOUND, LARCH_COAP_BAD_REQUEST, LARCH_COAP_SERVICE_UNAVAILABLE};
    for (size_t i = 0; i < sizeof codes; i++) {
        begin_pinned(&ours, true);
        assert_int_equal(larch_sender_fetch(&s, now_ms), LARCH_OK);
        expect_request(LARCH_COAP_GET, "pqkem-pk");
        answer_text(codes[i], "no");
        assert_int_equal(larch_sender_answer(&s, NULL), codes[i]);
        assert_failed(LARCH_SENDER_FAIL_REFUSED);
    }
}

/* ---- prototypes -------------------------------------------------------- */

/* To the prototype's gateway, which ignores GET: a POST after a second, with an empty token. */
static void fall_back(void)
{
    assert_int_equal(larch_sender_fetch(&s, now_ms), LARCH_OK);
    expect_request(LARCH_COAP_GET, "pqkem-pk");
    assert_true(larch_sender_deadline_ms(&s) == now_ms + 1000);
    now_ms += 999;
    expect_nothing();
    now_ms++;
    expect_request(LARCH_COAP_POST, "pqkem-pk");
    assert_int_equal(request.token.len, 0);
    assert_int_equal(request.payload.len, 0);
    expect_nothing();
}

static void test_fallback(void **state)
{
    (void)state;
    static const uint8_t long_text[65] = {'x'};
    begin_pinned(&ours, true);
    fall_back();
    const reply r = {.code = LARCH_COAP_CHANGED, .uri_path = true, .payload = ek_of(&ours)};
    answer(&r);
    assert_state(LARCH_SENDER_READY);
    now_ms += 100000;
    expect_nothing(); /* the GET is given up */
    assert_int_equal(larch_sender_post(&s, now_ms, LARCH_BYTES(long_text)), LARCH_SPACE);
    assert_state(LARCH_SENDER_READY);
    post("Hello");
    assert_int_equal(request.token.len, 0);
    assert_true(opens(&ours, "Hello"));
    answer_text(LARCH_COAP_CHANGED, "OK");
    assert_state(LARCH_SENDER_READY);
    /* Known as one: asked with POST at once. It has no way to endorse. */
    assert_int_equal(larch_sender_fetch(&s, now_ms), LARCH_OK);
    expect_request(LARCH_COAP_POST, "pqkem-pk");
    const reply other = {.code = LARCH_COAP_CHANGED, .uri_path = true, .payload = ek_of(&next)};
    answer(&other);
    assert_failed(LARCH_SENDER_FAIL_WRONG_KEY);
}

/* A gateway of ours whose first answer was late is no prototype. */
static void test_late_gateway(void **state)
{
    (void)state;
    static const uint8_t long_text[65] = {'x'};
    begin_pinned(&ours, true);
    fall_back();
    const reply r = {.code = LARCH_COAP_CHANGED, .uri_path = true, .etag = true, .payload = ek_of(&next)};
    answer(&r);
    assert_state(LARCH_SENDER_ENDORSE);
    expect_request(LARCH_COAP_POST, "pqkem-next");
    assert_int_equal(request.token.len, 4);
    answer_next(&ours, &next);
    assert_state(LARCH_SENDER_READY);
    assert_int_equal(larch_sender_post(&s, now_ms, LARCH_BYTES(long_text)), LARCH_OK);
}

/* Whichever of the two answers first; what becomes of the other does not matter. */
static void test_get_answers_after_fallback(void **state)
{
    (void)state;
    begin_pinned(&ours, true);
    assert_int_equal(larch_sender_fetch(&s, now_ms), LARCH_OK);
    expect_request(LARCH_COAP_GET, "pqkem-pk");
    const larch_coap_message get = request;
    static uint8_t get_bytes[LARCH_COAP_DATAGRAM_MAX];
    memcpy(get_bytes, request_bytes, sizeof get_bytes);
    now_ms += 1000;
    expect_request(LARCH_COAP_POST, "pqkem-pk");
    reset(); /* the POST is refused */
    assert_state(LARCH_SENDER_FETCH_KEY);
    memcpy(request_bytes, get_bytes, sizeof get_bytes);
    request = get;
    answer_key(&ours);
    assert_state(LARCH_SENDER_READY);
}

static void test_prototype_from_the_start(void **state)
{
    (void)state;
    larch_sender_config c = config();
    c.prototype = true;
    begin(&c);
    assert_int_equal(larch_sender_fetch(&s, now_ms), LARCH_OK);
    expect_request(LARCH_COAP_POST, "pqkem-pk");
    assert_int_equal(request.token.len, 0);
    reset();
    assert_failed(LARCH_SENDER_FAIL_RESET);
}

/* Other sets are unknown to prototypes: no fallback, and the set is named. */
static void test_other_sets(void **state)
{
    (void)state;
    const unsigned sets[] = {768, 1024};
    for (size_t i = 0; i < 2; i++) {
        larch_sender_config c = config();
        larch_bytes value;
        c.kem = larch_kem_find(sets[i]);
        begin(&c);
        assert_int_equal(larch_sender_fetch(&s, now_ms), LARCH_OK);
        expect_request(LARCH_COAP_GET, "pqkem-pk");
        assert_true(larch_coap_query_find(&request, "kem", &value));
        assert_true(larch_bytes_equal(value, i == 0 ? LARCH_TEXT("768") : LARCH_TEXT("1024")));
        now_ms += 1500;
        expect_nothing();
    }
}

/* ---- receipts ---------------------------------------------------------- */

typedef struct receipt_row {
    uint8_t code;
    const char *text;
    larch_sender_failure failure;
} receipt_row;

static void test_receipts(void **state)
{
    (void)state;
    static const receipt_row rows[] = {
        {LARCH_COAP_UNAUTHORIZED, "REPLAY", LARCH_SENDER_FAIL_REPLAY},
        {LARCH_COAP_BAD_REQUEST, "BAD_LEN", LARCH_SENDER_FAIL_REFUSED},
        {LARCH_COAP_BAD_REQUEST, "BAD_TYPE", LARCH_SENDER_FAIL_REFUSED},
        {LARCH_COAP_BAD_REQUEST, "BAD_CT", LARCH_SENDER_FAIL_REFUSED},
        {LARCH_COAP_BAD_REQUEST, "BAD_TEXTLEN", LARCH_SENDER_FAIL_REFUSED},
        {LARCH_COAP_BAD_REQUEST, "OK", LARCH_SENDER_FAIL_REFUSED}, /* OK is 2.04 */
        {LARCH_COAP_SERVICE_UNAVAILABLE, "", LARCH_SENDER_FAIL_REFUSED},
        {LARCH_COAP_NOT_FOUND, "no such path, and a text of more than forty bytes", LARCH_SENDER_FAIL_REFUSED},
        {LARCH_COAP_CHANGED, "", LARCH_SENDER_FAIL_BAD_ANSWER},
        {LARCH_COAP_CHANGED, "ok", LARCH_SENDER_FAIL_BAD_ANSWER},
        {LARCH_COAP_CHANGED, "BAD_LEN", LARCH_SENDER_FAIL_BAD_ANSWER},
        {LARCH_COAP_CONTENT, "OK", LARCH_SENDER_FAIL_BAD_ANSWER},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        larch_bytes text;
        begin_pinned(&ours, true);
        fetch_and_get(&ours);
        post("Hello");
        answer_text(rows[i].code, rows[i].text);
        if (larch_sender_failure_of(&s) != rows[i].failure)
            print_error("row: %s\n", rows[i].text);
        assert_int_equal(larch_sender_answer(&s, &text), rows[i].code);
        size_t len = strlen(rows[i].text);
        assert_int_equal(text.len, len < 40 ? len : 40);
        assert_failed(rows[i].failure);
    }
}

/* Could not be opened: the key may have been rotated meanwhile. Fetched anew, once. */
static void test_auth_fail(void **state)
{
    (void)state;
    begin_pinned(&ours, true);
    fetch_and_get(&ours);
    post("Hello");
    answer_text(LARCH_COAP_BAD_REQUEST, "AUTH_FAIL");
    assert_state(LARCH_SENDER_FETCH_KEY);
    expect_request(LARCH_COAP_GET, "pqkem-pk");
    answer_key(&next);
    expect_request(LARCH_COAP_POST, "pqkem-next");
    answer_next(&ours, &next);
    assert_state(LARCH_SENDER_POST);
    expect_request(LARCH_COAP_POST, "pqkem-data");
    assert_true(opens(&next, "Hello"));
    answer_text(LARCH_COAP_CHANGED, "OK");
    assert_state(LARCH_SENDER_READY);
    assert_true(larch_sender_rotated(&s));
    /* That one message was sent anew does not make the next fetch send another. */
    fetch_and_get(&next);
    assert_state(LARCH_SENDER_READY);
    expect_nothing();
    post("again");
    answer_text(LARCH_COAP_BAD_REQUEST, "AUTH_FAIL"); /* each message has one retry */
    assert_state(LARCH_SENDER_FETCH_KEY);
}

static void test_auth_fail_for_good(void **state)
{
    (void)state;
    /* The same key again: it was not rotated. */
    begin_pinned(&ours, true);
    fetch_and_get(&ours);
    post("Hello");
    answer_text(LARCH_COAP_BAD_REQUEST, "AUTH_FAIL");
    expect_request(LARCH_COAP_GET, "pqkem-pk");
    answer_key(&ours);
    assert_failed(LARCH_SENDER_FAIL_AUTH);

    /* Refused under the new key too. */
    begin_pinned(&ours, true);
    fetch_and_get(&ours);
    post("Hello");
    answer_text(LARCH_COAP_BAD_REQUEST, "AUTH_FAIL");
    expect_request(LARCH_COAP_GET, "pqkem-pk");
    answer_key(&next);
    expect_request(LARCH_COAP_POST, "pqkem-next");
    answer_next(&ours, &next);
    expect_request(LARCH_COAP_POST, "pqkem-data");
    answer_text(LARCH_COAP_BAD_REQUEST, "AUTH_FAIL");
    assert_failed(LARCH_SENDER_FAIL_AUTH);

    /* Another key that the pinned one does not endorse gets nothing of the text. */
    begin_pinned(&ours, true);
    fetch_and_get(&ours);
    post("Hello");
    answer_text(LARCH_COAP_BAD_REQUEST, "AUTH_FAIL");
    expect_request(LARCH_COAP_GET, "pqkem-pk");
    answer_key(&stranger);
    expect_request(LARCH_COAP_POST, "pqkem-next");
    answer_next(&stranger, &stranger);
    assert_failed(LARCH_SENDER_FAIL_WRONG_KEY);
}

/* ---- Echo, resets, silence --------------------------------------------- */

static void challenge(const char *echo)
{
    const reply r = {.code = LARCH_COAP_UNAUTHORIZED, .echo = {(const uint8_t *)echo, strlen(echo)}};
    answer(&r);
}

static void assert_echo(const char *echo)
{
    larch_bytes value;
    assert_true(larch_coap_option_find(&request, LARCH_COAP_OPT_ECHO, &value));
    assert_true(larch_bytes_equal(value, (larch_bytes){(const uint8_t *)echo, strlen(echo)}));
}

static void test_echo(void **state)
{
    (void)state;
    begin_pinned(&ours, true);
    assert_int_equal(larch_sender_fetch(&s, now_ms), LARCH_OK);
    expect_request(LARCH_COAP_GET, "pqkem-pk");
    challenge("first echo!!");
    expect_request(LARCH_COAP_GET, "pqkem-pk");
    assert_echo("first echo!!");
    answer_key(&ours);
    assert_state(LARCH_SENDER_READY);
    post("Hello");
    assert_echo("first echo!!"); /* it may still be good */
    larch_bytes before = request.payload;
    uint8_t sealed[LARCH_COAP_DATAGRAM_MAX];
    memcpy(sealed, before.data, before.len);
    challenge("second echo!");
    expect_request(LARCH_COAP_POST, "pqkem-data");
    assert_echo("second echo!");
    assert_int_equal(request.payload.len, before.len);
    assert_memory_equal(request.payload.data, sealed, before.len); /* the same message, not another */
    challenge("third echo!!");                                     /* once, not for ever */
    assert_failed(LARCH_SENDER_FAIL_REFUSED);
}

static void test_reset_and_unreachable(void **state)
{
    (void)state;
    for (unsigned unreachable = 0; unreachable < 2; unreachable++)
        for (unsigned when = 0; when < 3; when++) {
            begin_pinned(&ours, true);
            larch_sender_unreachable(&s); /* about nothing under way */
            assert_state(LARCH_SENDER_IDLE);
            assert_int_equal(larch_sender_fetch(&s, now_ms), LARCH_OK);
            expect_request(LARCH_COAP_GET, "pqkem-pk");
            if (when == 1) {
                answer_key(&next);
                expect_request(LARCH_COAP_POST, "pqkem-next");
            } else if (when == 2) {
                answer_key(&ours);
                post("Hello");
            }
            if (unreachable == 1)
                larch_sender_unreachable(&s);
            else
                reset();
            assert_failed(unreachable == 1 ? LARCH_SENDER_FAIL_UNREACHABLE : LARCH_SENDER_FAIL_RESET);
        }
}

/* Runs the sender with nobody there; returns how many datagrams it sent. */
static unsigned run_alone(void)
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

static void test_silence(void **state)
{
    (void)state;
    begin_pinned(&ours, true);
    assert_int_equal(larch_sender_fetch(&s, now_ms), LARCH_OK);
    unsigned sent = run_alone();
    assert_in_range(sent, 5, 10); /* both ways, each with its retransmissions */
    assert_failed(LARCH_SENDER_FAIL_NO_ANSWER);
    assert_true(now_ms < 500 + 100000);

    for (unsigned non = 0; non < 2; non++) {
        larch_sender_config c = config();
        c.pinned_ek = ek_of(&ours);
        c.non_confirmable = non == 1;
        begin(&c);
        fetch_and_get(&ours);
        post("Hello");
        assert_int_equal(request.type, non == 1 ? LARCH_COAP_NON : LARCH_COAP_CON);
        assert_int_equal(run_alone(), non == 1 ? 0 : LARCH_COAP_MAX_RETRANSMIT);
        assert_failed(LARCH_SENDER_FAIL_NO_ANSWER);
    }
}

/* ---- strangers and trouble --------------------------------------------- */

static void test_strangers_are_ignored(void **state)
{
    (void)state;
    larch_sim_random noise = {.state = 1};
    const larch_random from = larch_sim_random_of(&noise);
    uint8_t bytes[80];
    begin_pinned(&ours, true);
    assert_int_equal(larch_sender_fetch(&s, now_ms), LARCH_OK);
    expect_request(LARCH_COAP_GET, "pqkem-pk");
    const larch_peer true_gateway = gateway;
    gateway = larch_sim_ipv4(0x0a000002, 5683);
    answer_key(&stranger); /* from another address */
    reset();
    gateway = true_gateway;
    for (unsigned i = 0; i < 5000; i++) {
        assert_int_equal(larch_random_fill(&from, bytes, sizeof bytes), LARCH_OK);
        bytes[0] = (uint8_t)(0x40 | (bytes[0] & 0x3f));
        if ((bytes[0] & 0x3f) == 0x30)
            bytes[0] ^= 1; /* no reset that might hit */
        larch_sender_receive(&s, now_ms, &gateway, (larch_bytes){bytes, i % sizeof bytes});
        larch_peer peer;
        larch_bytes datagram;
        while (larch_sender_send(&s, now_ms, &peer, &datagram) == LARCH_OK) {
        }
    }
    assert_state(LARCH_SENDER_FETCH_KEY);
    answer_key(&ours);
    assert_state(LARCH_SENDER_READY);
}

static void test_too_long(void **state)
{
    (void)state;
    static const uint8_t text[LARCH_DIRECT_TEXT_MAX + 1] = {'x'};
    begin_pinned(&ours, true);
    fetch_and_get(&ours);
    assert_int_equal(larch_sender_post(&s, now_ms, LARCH_BYTES(text)), LARCH_SPACE);
    assert_state(LARCH_SENDER_READY);
    assert_int_equal(larch_sender_post(&s, now_ms, (larch_bytes){NULL, 0}), LARCH_OK);
    expect_request(LARCH_COAP_POST, "pqkem-data");
    assert_true(opens(&ours, ""));
}

static void test_random_fails(void **state)
{
    (void)state;
    /* Through init, fetch, endorsement and post: whichever call fails, the end is clear. */
    bool whole = false;
    for (unsigned at = 1; !whole; at++) {
        larch_sender_config c = config();
        c.pinned_ek = ek_of(&ours);
        random_state = (larch_sim_random){.state = 3, .fails_at = at};
        if (larch_sender_init(&s, now_ms, &c) != LARCH_OK)
            continue;
        larch_error e = larch_sender_fetch(&s, now_ms);
        if (e == LARCH_OK) {
            expect_request(LARCH_COAP_GET, "pqkem-pk");
            answer_key(&next);
            if (larch_sender_state_of(&s) == LARCH_SENDER_ENDORSE) {
                expect_request(LARCH_COAP_POST, "pqkem-next");
                answer_next(&ours, &next);
                assert_state(LARCH_SENDER_READY);
                e = larch_sender_post(&s, now_ms, LARCH_TEXT("Hello"));
                whole = e == LARCH_OK;
            }
        }
        if (!whole)
            assert_failed(LARCH_SENDER_FAIL_PLATFORM);
        assert_true(at < 12);
    }
}

static void test_texts(void **state)
{
    (void)state;
    for (unsigned i = 0; i <= LARCH_SENDER_FAILED; i++)
        assert_string_not_equal(larch_sender_state_text((larch_sender_state)i), "?");
    assert_string_equal(larch_sender_state_text((larch_sender_state)(LARCH_SENDER_FAILED + 1)), "?");
    for (unsigned i = 0; i <= LARCH_SENDER_FAIL_PLATFORM; i++)
        assert_string_not_equal(larch_sender_failure_text((larch_sender_failure)i), "?");
    assert_string_equal(larch_sender_failure_text((larch_sender_failure)(LARCH_SENDER_FAIL_PLATFORM + 1)), "?");
}

int main(void)
{
    if (larch_crypto_init() != LARCH_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pin_matches),
        cmocka_unit_test(test_pin_differs),
        cmocka_unit_test(test_endorsed),
        cmocka_unit_test(test_not_endorsed),
        cmocka_unit_test(test_decide),
        cmocka_unit_test(test_init),
        cmocka_unit_test(test_bad_keys),
        cmocka_unit_test(test_fallback),
        cmocka_unit_test(test_late_gateway),
        cmocka_unit_test(test_get_answers_after_fallback),
        cmocka_unit_test(test_prototype_from_the_start),
        cmocka_unit_test(test_other_sets),
        cmocka_unit_test(test_receipts),
        cmocka_unit_test(test_auth_fail),
        cmocka_unit_test(test_auth_fail_for_good),
        cmocka_unit_test(test_echo),
        cmocka_unit_test(test_reset_and_unreachable),
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_strangers_are_ignored),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_random_fails),
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
