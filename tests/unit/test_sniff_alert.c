/* SPDX-License-Identifier: Apache-2.0 */
/* Each alert with a sequence that fires it, and a near miss that does not. */
#include <stdio.h>

#include "sniff/dissect/reason.h"
#include "sniff/judge/randomness.h"
#include "sniff/write/json.h"
#include "sniff/write/text.h"
#include "sniff_feed.h"

static const larch_peer broadcast = {.address = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 255},
                                     .port = 5683};

/* A fixed stream of bytes without structure (xorshift64*). */
static void noise(uint8_t *out, size_t len, uint64_t seed)
{
    uint64_t x = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    for (size_t i = 0; i < len; i++) {
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        out[i] = (uint8_t)(x * UINT64_C(0x2545f4914f6cdd1d) >> 56);
    }
}

typedef struct message {
    larch_coap_type type;
    uint8_t code;
    uint16_t mid;
    const char *path;
    bool echo;
    larch_bytes payload;
} message;

static larch_bytes build(const message *m, uint8_t *out, size_t cap)
{
    larch_coap_builder b;
    larch_bytes datagram;
    uint8_t token[2] = {(uint8_t)(m->mid >> 8), (uint8_t)m->mid};
    bool empty = m->code == LARCH_COAP_EMPTY;
    larch_coap_build(&b, out, cap, m->type, m->code, m->mid, (larch_bytes){token, empty ? 0 : sizeof token});
    if (m->path != NULL)
        larch_coap_build_path(&b, m->path);
    if (m->echo)
        larch_coap_build_option(&b, LARCH_COAP_OPT_ECHO, LARCH_TEXT("echo"));
    if (m->payload.len > 0)
        larch_coap_build_payload(&b, m->payload);
    assert_int_equal(larch_coap_build_end(&b, &datagram), LARCH_OK);
    return datagram;
}

static void say(const larch_peer *from, const larch_peer *to, message m)
{
    static uint8_t out[2048]; /* the packet's views outlive this call */
    feed(from, to, build(&m, out, sizeof out));
}

static larch_bytes sealed(uint8_t *out, uint64_t seed)
{
    static const uint8_t head[] = {3, 0, 0x00, 0x03, 5, 0};
    memcpy(out, head, sizeof head);
    noise(out + sizeof head, 12 + 768 + 5 + 16, seed);
    return (larch_bytes){out, sizeof head + 12 + 768 + 5 + 16};
}

/* Numbers below q in 12 bits each, then a seed. */
static larch_bytes key(uint8_t *out, uint64_t seed)
{
    uint8_t raw[512 * 2];
    noise(raw, sizeof raw, seed);
    for (size_t i = 0; i < 256; i++) {
        unsigned a = (unsigned)(raw[i * 4] | raw[i * 4 + 1] << 8) % 3329;
        unsigned b = (unsigned)(raw[i * 4 + 2] | raw[i * 4 + 3] << 8) % 3329;
        out[i * 3] = (uint8_t)a;
        out[i * 3 + 1] = (uint8_t)(a >> 8 | b << 4);
        out[i * 3 + 2] = (uint8_t)(b >> 4);
    }
    noise(out + 768, 32, seed + 1);
    return (larch_bytes){out, 800};
}

/* ---- replay and duplicate ---------------------------------------------- */

static void test_replay(void **state)
{
    (void)state;
    uint8_t bytes[1024];
    larch_bytes body = sealed(bytes, 1);
    message post = {LARCH_COAP_CON, LARCH_COAP_POST, 1, "pqkem-data", false, body};
    say(&sender, &gateway, post);
    say(&sender, &gateway, post); /* a retransmission */
    assert_int_equal(packet.duplicate_of, 1);
    expect(LARCH_SNIFF_ALERT_REPLAY, 0);
    post.mid = 2;
    say(&sender, &gateway, post); /* a new message ID */
    assert_int_equal(packet.duplicate_of, 0);
    expect(LARCH_SNIFF_ALERT_REPLAY, 1);
    post.mid = 1;
    say(&attacker, &gateway, post); /* another address, the old message ID */
    expect(LARCH_SNIFF_ALERT_REPLAY, 2);
    assert_int_equal(told[LARCH_SNIFF_ALERT_REPLAY], 1);
    now_ns += 300 * SECOND;
    say(&sender, &gateway, post); /* past the lifetime of a message ID it is no retransmission */
    expect(LARCH_SNIFF_ALERT_REPLAY, 3);
    bytes[body.len - 1] ^= 1; /* the text altered: another cause */
    post.mid = 9;
    say(&sender, &gateway, post);
    expect(LARCH_SNIFF_ALERT_REPLAY, 4);
    assert_int_equal(told[LARCH_SNIFF_ALERT_REPLAY], 2);
    post.payload = sealed(bytes, 2); /* another message */
    post.mid = 10;
    say(&sender, &gateway, post);
    expect(LARCH_SNIFF_ALERT_REPLAY, 4);
}

static void test_replay_after_echo(void **state)
{
    (void)state;
    uint8_t bytes[1024];
    message post = {LARCH_COAP_CON, LARCH_COAP_POST, 1, "pqkem-data", false, sealed(bytes, 1)};
    message challenge = {LARCH_COAP_ACK, LARCH_COAP_UNAUTHORIZED, 1, NULL, true, {NULL, 0}};
    say(&sender, &gateway, post);
    say(&gateway, &sender, challenge);
    post.mid = 2;
    post.echo = true;
    say(&sender, &gateway, post); /* what was asked for */
    expect(LARCH_SNIFF_ALERT_REPLAY, 0);
    post.mid = 3;
    say(&sender, &gateway, post); /* but only once */
    expect(LARCH_SNIFF_ALERT_REPLAY, 1);
}

/* ---- NAT --------------------------------------------------------------- */

static const larch_peer outside = {.address = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 203, 0, 113, 5},
                                   .port = 61000};
static const larch_peer mapped = {.address = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 203, 0, 113, 6}, .port = 5683};

static void pass(const larch_peer *from, const larch_peer *to, message m, uint8_t hops, uint64_t after_us)
{
    hop_limit = hops;
    now_ns += after_us * 1000;
    say(from, to, m);
}

/* A capture on both sides of a router that rewrites addresses: the same datagram twice, and its answer twice. */
static void test_nat(void **state)
{
    (void)state;
    uint8_t bytes[1024];
    message post = {LARCH_COAP_CON, LARCH_COAP_POST, 1, "pqkem-data", false, sealed(bytes, 1)};
    message ok = {LARCH_COAP_ACK, LARCH_COAP_CHANGED, 1, NULL, false, LARCH_TEXT("OK")};
    /* the client's address, the server's, both; answered, and retransmitted */
    const larch_peer *const ways[][4] = {{&sender, &gateway, &outside, &gateway},
                                         {&sender, &mapped, &sender, &gateway},
                                         {&sender, &mapped, &outside, &gateway}};
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        restart();
        for (int again = 0; again < 2; again++) {
            pass(ways[i][0], ways[i][1], post, 64, 2000000);
            pass(ways[i][2], ways[i][3], post, 63, 40);
        }
        pass(ways[i][3], ways[i][2], ok, 64, 900);
        pass(ways[i][1], ways[i][0], ok, 63, 30);
        expect(LARCH_SNIFF_ALERT_REPLAY, 0);
    }
    restart(); /* two routers; then the frames of one interface before those of the other, in an order of their own */
    pass(&sender, &gateway, post, 64, 0);
    pass(&outside, &gateway, post, 63, 40);
    pass(&mapped, &gateway, post, 62, 40);
    pass(&gateway, &mapped, ok, 64, 40);
    pass(&gateway, &outside, ok, 63, 40);
    pass(&gateway, &sender, ok, 62, 40);
    expect(LARCH_SNIFF_ALERT_REPLAY, 0);
    restart();
    pass(&outside, &gateway, post, 63, 1000);
    pass(&gateway, &outside, ok, 64, 1000);
    now_ns -= 1100000;
    pass(&sender, &gateway, post, 64, 0);
    pass(&gateway, &sender, ok, 63, 1200);
    expect(LARCH_SNIFF_ALERT_REPLAY, 0);

    restart(); /* an Echo is asked for and given, each seen twice */
    message challenge = {LARCH_COAP_ACK, LARCH_COAP_UNAUTHORIZED, 1, NULL, true, {NULL, 0}};
    for (int round = 0; round < 2; round++) {
        pass(&sender, &gateway, post, 64, 1000);
        pass(&outside, &gateway, post, 63, 40);
        challenge.mid = ok.mid = post.mid;
        pass(&gateway, &outside, round == 0 ? challenge : ok, 64, 40);
        pass(&gateway, &sender, round == 0 ? challenge : ok, 63, 40);
        post.mid++;
        post.echo = true;
    }
    expect(LARCH_SNIFF_ALERT_REPLAY, 0);
}

/* What an attacker sends looks forwarded only until it is answered. */
static void test_replay_like_nat(void **state)
{
    (void)state;
    uint8_t bytes[1024];
    message post = {LARCH_COAP_CON, LARCH_COAP_POST, 1, "pqkem-data", false, sealed(bytes, 1)};
    message ok = {LARCH_COAP_ACK, LARCH_COAP_CHANGED, 1, NULL, false, LARCH_TEXT("OK")};
    message refused = {LARCH_COAP_ACK, LARCH_COAP_UNAUTHORIZED, 1, NULL, false, LARCH_TEXT("REPLAY")};
    for (int how = 0; how < 3;
         how++) { /* the answer to the copy differs; comes first and differs; is the same, but second */
        restart();
        pass(&sender, &gateway, post, 64, 0);
        pass(&attacker, &gateway, post, 63, 500);
        expect(LARCH_SNIFF_ALERT_REPLAY, 0);
        pass(&gateway, how == 1 ? &attacker : &sender, how == 1 ? refused : ok, 64, 200);
        expect(LARCH_SNIFF_ALERT_REPLAY, 0);
        pass(&gateway, how == 1 ? &sender : &attacker, how == 0 ? refused : ok, 64, 200);
        expect(LARCH_SNIFF_ALERT_REPLAY, 1);
        assert_true(last.before == 1 && last.number == 4 && larch_peer_equal(&last.before_source, &sender));
        assert_int_equal(last.request, 2);
    }
    static const struct {
        uint8_t hops;
        uint64_t after_us;
        bool answered, altered;
    } rows[] = {{64, 500, false, false}, /* no router */
                {65, 500, false, false}, /* one that adds */
                {63, 1000001, false, false},
                {63, 500, true, false}, /* the gateway had it before the copy was sent */
                {63, 500, false, true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        restart();
        message copy = post;
        copy.mid = rows[i].altered ? 2 : 1;
        pass(&sender, &gateway, post, 64, 0);
        if (rows[i].answered)
            pass(&gateway, &sender, ok, 64, 100);
        pass(&attacker, &gateway, copy, rows[i].hops, rows[i].after_us);
        expect(LARCH_SNIFF_ALERT_REPLAY, 1);
        assert_true(last.before == 1 && last.has_before_source && larch_peer_equal(&last.before_source, &sender) &&
                    last.has_addresses && larch_peer_equal(&last.source, &attacker));
    }
}

static void test_replay_in_blocks(void **state)
{
    (void)state;
    uint8_t bytes[1024], out[2048];
    larch_bytes body = sealed(bytes, 1), datagram;
    for (uint16_t round = 0; round < 2; round++) {
        for (uint16_t i = 0; i < 3; i++) { /* the first block, given up, and all of it again */
            uint16_t num = i == 0 ? 0 : (uint16_t)(i - 1);
            larch_coap_builder b;
            larch_coap_block block = {num, (num + 1) * 512u < body.len, 5};
            size_t len = block.more ? 512 : body.len - num * 512u;
            larch_coap_build(&b, out, sizeof out, LARCH_COAP_CON, LARCH_COAP_POST, (uint16_t)(round * 10 + i),
                             LARCH_TEXT("tk"));
            larch_coap_build_path(&b, "pqkem-data");
            larch_coap_build_option_uint(&b, LARCH_COAP_OPT_BLOCK1, larch_coap_block_value(block));
            larch_coap_build_payload(&b, (larch_bytes){body.data + num * 512u, len});
            assert_int_equal(larch_coap_build_end(&b, &datagram), LARCH_OK);
            feed(&sender, &gateway, datagram);
        }
        assert_int_equal(packet.direct.message, LARCH_SNIFF_DIRECT_SEALED);
        assert_int_equal(packet.direct.sealed.sealed.len, 5 + LARCH_DIRECT_TAG_LEN);
        expect(LARCH_SNIFF_ALERT_REPLAY, round);
    }
}

/* In the form of COSE a message is named as such, and a repetition is found as in the other form. */
static void test_sealed_as_cose(void **state)
{
    (void)state;
    uint8_t ek[LARCH_KEM_EK_MAX], dk[LARCH_KEM_DK_MAX], bytes[1024], out[1280], seed[LARCH_KEM_SEED_LEN] = {1};
    const larch_random random = larch_crypto_random();
    const larch_kem *kem = larch_kem_find(512);
    size_t len;
    assert_int_equal(larch_kem_keygen(kem, seed, ek, dk), LARCH_OK);
    assert_int_equal(larch_direct_seal_cose(kem, &random, NULL, (larch_bytes){ek, kem->ek_len}, LARCH_TEXT("Hello"),
                                            bytes, sizeof bytes, &len, NULL),
                     LARCH_OK);
    for (uint16_t round = 0; round < 3; round++) {
        larch_coap_builder b;
        larch_bytes datagram;
        larch_coap_build(&b, out, sizeof out, LARCH_COAP_CON, LARCH_COAP_POST, round, LARCH_TEXT("tk"));
        larch_coap_build_path(&b, "pqkem-data");
        larch_coap_build_option_uint(&b, LARCH_COAP_OPT_CONTENT_FORMAT, LARCH_COAP_FORMAT_COSE_ENCRYPT);
        larch_coap_build_payload(&b, (larch_bytes){bytes, len - round / 2});
        assert_int_equal(larch_coap_build_end(&b, &datagram), LARCH_OK);
        feed(&sender, &gateway, datagram);
        if (round == 2) { /* cut short */
            assert_string_equal(packet.why, "sealed message: it is no COSE_Encrypt of the direct exchange");
            return;
        }
        assert_null(packet.why);
        assert_int_equal(packet.direct.message, LARCH_SNIFF_DIRECT_SEALED);
        assert_int_equal(packet.direct.sealed.form, LARCH_DIRECT_FORM_COSE);
        assert_ptr_equal(packet.direct.kem, kem);
        expect(LARCH_SNIFF_ALERT_REPLAY, round);
    }
}

/* ---- keys -------------------------------------------------------------- */

static void show_key(uint64_t seed)
{
    static uint16_t mid = 100;
    uint8_t bytes[800];
    mid++;
    say(&sender, &gateway, (message){LARCH_COAP_CON, LARCH_COAP_GET, mid, "pqkem-pk", false, {NULL, 0}});
    say(&gateway, &sender, (message){LARCH_COAP_ACK, LARCH_COAP_CONTENT, mid, NULL, false, key(bytes, seed)});
    assert_int_equal(packet.direct.message, LARCH_SNIFF_DIRECT_KEY);
}

static void endorse(uint64_t seed)
{
    static uint16_t mid = 500;
    uint8_t bytes[800], question[4 + 768], answer[LARCH_DIRECT_NEXT_LEN] = {0};
    mid++;
    noise(question, sizeof question, 99);
    assert_int_equal(larch_direct_key_hash(key(bytes, seed), answer), LARCH_OK);
    say(&sender, &gateway, (message){LARCH_COAP_CON, LARCH_COAP_POST, mid, "pqkem-next", false, LARCH_BYTES(question)});
    assert_int_equal(packet.direct.message, LARCH_SNIFF_DIRECT_NEXT_ASK);
    say(&gateway, &sender, (message){LARCH_COAP_ACK, LARCH_COAP_CHANGED, mid, NULL, false, LARCH_BYTES(answer)});
    assert_int_equal(packet.direct.message, LARCH_SNIFF_DIRECT_NEXT_ANSWER);
}

/* Root keys are not the direct keys that change. */
static void test_root_key(void **state)
{
    (void)state;
    uint8_t bytes[800];
    show_key(1);
    for (uint16_t i = 0; i < 2; i++) {
        say(&sender, &gateway, (message){LARCH_COAP_CON, LARCH_COAP_GET, i, "pqkem-root", false, {NULL, 0}});
        say(&gateway, &sender, (message){LARCH_COAP_ACK, LARCH_COAP_CONTENT, i, NULL, false, key(bytes, 2u + i)});
        assert_int_equal(packet.direct.message, LARCH_SNIFF_DIRECT_ROOT_KEY);
    }
    show_key(1);
    expect(LARCH_SNIFF_ALERT_KEY_CHANGED, 0);
}

static void test_key_changed(void **state)
{
    (void)state;
    show_key(1);
    show_key(1);
    expect(LARCH_SNIFF_ALERT_KEY_CHANGED, 0);
    show_key(2); /* without endorsement */
    expect(LARCH_SNIFF_ALERT_KEY_CHANGED, 1);
    show_key(2);
    expect(LARCH_SNIFF_ALERT_KEY_CHANGED, 1);
    endorse(3); /* of another key than the one shown: says nothing about it */
    expect(LARCH_SNIFF_ALERT_KEY_CHANGED, 1);
    endorse(2); /* late, but of this one */
    assert_int_equal(raised[LARCH_SNIFF_ALERT_KEY_ENDORSED], 1);

    restart();
    show_key(1);
    endorse(2);
    show_key(2); /* named before it was shown */
    expect(LARCH_SNIFF_ALERT_KEY_ENDORSED, 1);
    show_key(3); /* the endorsement was for one key */
    assert_int_equal(raised[LARCH_SNIFF_ALERT_KEY_CHANGED], 1);
}

/* What the text says, programs find in members. */
static void test_alert_members(void **state)
{
    (void)state;
    char out[LARCH_SNIFF_LINE_MAX] = "";
    larch_writer w = larch_writer_to((uint8_t *)out, sizeof out - 1);
    show_key(1);
    show_key(2);
    expect(LARCH_SNIFF_ALERT_KEY_CHANGED, 1);
    larch_sniff_json_alert(&w, &last);
    char now[LARCH_FINGERPRINT_TEXT_LEN + 1], before[LARCH_FINGERPRINT_TEXT_LEN + 1], wanted[400];
    uint8_t bytes[800], hash[LARCH_SHA256_LEN];
    assert_int_equal(larch_direct_key_hash(key(bytes, 1), hash), LARCH_OK);
    larch_fingerprint_format(LARCH_FINGERPRINT_KEY, hash, before);
    assert_int_equal(larch_direct_key_hash(key(bytes, 2), hash), LARCH_OK);
    larch_fingerprint_format(LARCH_FINGERPRINT_KEY, hash, now);
    (void)snprintf(wanted, sizeof wanted,
                   "\"source\":\"192.0.2.1:5683\",\"destination\":\"192.0.2.7:40000\",\"before\":2,"
                   "\"fingerprint\":\"%s\",\"fingerprint_before\":\"%s\"}\n",
                   now, before);
    assert_non_null(strstr(out, wanted));

    /* the addresses of a frame that breaks below UDP have no port */
    const larch_sniff_alert *list;
    larch_sniff_datagram d = {.source = sender, .destination = gateway, .has_addresses = true, .why = "broken"};
    d.source.port = d.destination.port = 0;
    assert_int_equal(larch_sniff_alerts_take_frame(alerts, 9, now_ns, &d, &list), 1);
    w = larch_writer_to((uint8_t *)out, sizeof out);
    memset(out, 0, sizeof out);
    larch_sniff_json_alert(&w, list);
    assert_non_null(strstr(out, "\"source\":\"192.0.2.7\",\"destination\":\"192.0.2.1\"}\n"));
}

/* ---- answers ----------------------------------------------------------- */

static void test_forged_answer(void **state)
{
    (void)state;
    message get = {LARCH_COAP_CON, LARCH_COAP_GET, 1, "a", false, {NULL, 0}};
    message one = {LARCH_COAP_ACK, LARCH_COAP_CONTENT, 1, NULL, false, LARCH_TEXT("one")}, two = one;
    two.payload = LARCH_TEXT("two");

    say(&sender, &gateway, get);
    say(&gateway, &sender, one);
    say(&gateway, &sender, one); /* the same again */
    expect(LARCH_SNIFF_ALERT_FORGED_ANSWER, 0);
    say(&gateway, &sender, two);
    expect(LARCH_SNIFF_ALERT_FORGED_ANSWER, 1);
    assert_true(last.request == 1 && last.before == 2 && last.number == 4);

    restart(); /* a server without memory answers a retransmission anew */
    say(&sender, &gateway, get);
    say(&gateway, &sender, one);
    say(&sender, &gateway, get);
    say(&gateway, &sender, two);
    expect(LARCH_SNIFF_ALERT_FORGED_ANSWER, 0);

    restart(); /* an answer to the next request */
    say(&sender, &gateway, get);
    say(&gateway, &sender, one);
    get.mid = two.mid = 2;
    say(&sender, &gateway, get);
    say(&gateway, &sender, two);
    expect(LARCH_SNIFF_ALERT_FORGED_ANSWER, 0);

    restart(); /* two servers answer a broadcast */
    larch_peer second = gateway;
    second.address[15] = 2;
    get.mid = one.mid = 1;
    two.mid = 1;
    say(&sender, &broadcast, get);
    say(&gateway, &sender, one);
    assert_non_null(packet.exchange);
    say(&second, &sender, two);
    expect(LARCH_SNIFF_ALERT_FORGED_ANSWER, 0);
}

static void test_auth_failures(void **state)
{
    (void)state;
    uint8_t bytes[1024];
    for (uint64_t gap = 1; gap <= 2; gap++) { /* seconds between: 11 within 10 s, then 6 */
        restart();
        for (uint16_t i = 0; i < 30; i++) {
            say(&sender, &gateway,
                (message){LARCH_COAP_CON, LARCH_COAP_POST, i, "pqkem-data", false, sealed(bytes, i + 1u)});
            say(&gateway, &sender,
                (message){LARCH_COAP_ACK, LARCH_COAP_BAD_REQUEST, i, NULL, false, LARCH_TEXT("AUTH_FAIL")});
            now_ns += gap * SECOND * 9 / 10;
        }
        expect(LARCH_SNIFF_ALERT_AUTH_FAILURES, gap == 1 ? raised[LARCH_SNIFF_ALERT_AUTH_FAILURES] : 0);
        assert_int_equal(told[LARCH_SNIFF_ALERT_AUTH_FAILURES], gap == 1);
    }
}

static void test_flood(void **state)
{
    (void)state;
    static const struct {
        unsigned count;
        uint64_t gap_ns;
        bool one_prefix;
        unsigned causes;
    } rows[] = {
        {100, 1000000, true, 0},  {101, 1000000, true, 1},  {400, 12000000, true, 0},
        {200, 1000000, false, 0}, {201, 1000000, false, 1}, {400, 6000000, false, 0},
    };
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        restart();
        for (unsigned i = 0; i < rows[r].count; i++) {
            larch_peer from = attacker;
            if (!rows[r].one_prefix)
                from.address[14] = (uint8_t)i;
            from.port = (uint16_t)(10000 + i);
            say(&from, &gateway, (message){LARCH_COAP_NON, LARCH_COAP_GET, (uint16_t)i, "pqkem-pk", false, {NULL, 0}});
            now_ns += rows[r].gap_ns;
        }
        expect(LARCH_SNIFF_ALERT_FLOOD, rows[r].causes);
        assert_int_equal(told[LARCH_SNIFF_ALERT_FLOOD], rows[r].causes);
    }
}

static void test_reset_storm(void **state)
{
    (void)state;
    for (uint16_t i = 0; i < 30; i++)
        say(&sender, &gateway, (message){LARCH_COAP_ACK, LARCH_COAP_EMPTY, i, NULL, false, {NULL, 0}});
    for (uint16_t i = 0; i < 21; i++) {
        expect(LARCH_SNIFF_ALERT_RESET_STORM, 0);
        say(&sender, &gateway, (message){LARCH_COAP_RST, LARCH_COAP_EMPTY, i, NULL, false, {NULL, 0}});
    }
    expect(LARCH_SNIFF_ALERT_RESET_STORM, 1);
}

/* ---- form -------------------------------------------------------------- */

static void test_malformed(void **state)
{
    (void)state;
#define BROKEN(why, ...)                                                        \
    {                                                                           \
        (why), (const uint8_t[]){__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__}) \
    }
    const struct {
        const char *why;
        const uint8_t *bytes;
        size_t len;
    } rows[] = {
        BROKEN("shorter than a CoAP header", 0x40, 1, 0),
        BROKEN("CoAP version is not 1", 0x80, 1, 0, 1),
        BROKEN("token length is reserved", 0x49, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0),
        BROKEN("token is cut short", 0x42, 1, 0, 1, 7),
        BROKEN("Empty message is longer than 4 bytes", 0x60, 0, 0, 1, 0),
        BROKEN("payload marker without payload", 0x40, 1, 0, 1, 0xff),
        BROKEN("option delta or length 15 is reserved", 0x40, 1, 0, 1, 0xf0, 0),
        BROKEN("option delta or length 15 is reserved", 0x40, 1, 0, 1, 0x0f, 0),
        BROKEN("option is cut short", 0x40, 1, 0, 1, 0xd0),
        BROKEN("option is longer than the datagram", 0x40, 1, 0, 1, 0xb2, 'a'),
        BROKEN("option number past 65535", 0x40, 1, 0, 1, 0xe0, 0xff, 0xff),
        BROKEN("code of a reserved class", 0x40, 0x20, 0, 1),
        BROKEN("Reset that is not Empty", 0x70, 1, 0, 1),
        BROKEN("Empty message that is Non-confirmable", 0x50, 0, 0, 1),
        BROKEN("request inside an Acknowledgement", 0x60, 1, 0, 1),
        BROKEN("option of a length that is out of its range", 0x40, 1, 0, 1, 0x30),
        BROKEN("option stands twice that may stand once", 0x40, 1, 0, 1, 0xc0, 0x00),
        BROKEN("block size exponent 7 is reserved", 0x40, 1, 0, 1, 0xd1, 10, 7),
        BROKEN("sealed message: its lengths do not add up", 0x40, 2, 0, 1, 0xba, 'p', 'q', 'k', 'e', 'm', '-', 'd', 'a',
               't', 'a', 0xff, 3, 0),
        {NULL, (const uint8_t[]){0x40, 1, 0, 1, 0xb1, 'a'}, 6},
        {NULL, (const uint8_t[]){0x60, 0, 0, 1}, 4},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        restart();
        feed(&sender, &gateway, (larch_bytes){rows[i].bytes, rows[i].len});
        if (rows[i].why == NULL) {
            assert_null(packet.why);
        } else {
            assert_non_null(packet.why);
            assert_string_equal(packet.why, rows[i].why);
        }
        expect(LARCH_SNIFF_ALERT_MALFORMED, rows[i].why != NULL);
        /* the words agree with the parser of everybody else */
        larch_coap_message m;
        assert_int_equal(larch_sniff_reason_coap((larch_bytes){rows[i].bytes, rows[i].len}) == NULL,
                         larch_coap_parse((larch_bytes){rows[i].bytes, rows[i].len}, &m) == LARCH_OK);
    }
    restart(); /* one cause is told once, and many causes at once are not all told */
    for (unsigned i = 0; i < 40; i++) {
        larch_peer to = gateway;
        to.address[15] = (uint8_t)(i / 2);
        feed(&sender, &to, LARCH_TEXT("@"));
    }
    expect(LARCH_SNIFF_ALERT_MALFORMED, 40);
    assert_int_equal(told[LARCH_SNIFF_ALERT_MALFORMED], LARCH_SNIFF_ALERTS_PER_S);
    assert_int_equal(alerts->tallies[LARCH_SNIFF_ALERT_MALFORMED].causes, 20);
    assert_int_equal(alerts->tallies[LARCH_SNIFF_ALERT_MALFORMED].untold, 10);
}

/* ---- randomness -------------------------------------------------------- */

static void test_not_random(void **state)
{
    (void)state;
    uint8_t bytes[1024];
    message post = {LARCH_COAP_CON, LARCH_COAP_POST, 1, "pqkem-data", false, sealed(bytes, 1)};
    say(&sender, &gateway, post);
    expect(LARCH_SNIFF_ALERT_NOT_RANDOM, 0);
    memset(bytes + 18 + 100, 0, 40); /* a hole in it */
    bytes[6] ^= 1;
    post.mid = 2;
    say(&sender, &gateway, post);
    expect(LARCH_SNIFF_ALERT_NOT_RANDOM, 1);
}

static void test_odds(void **state)
{
    (void)state;
    static const char text[] = "and so the pump in hall 3 went on until it stopped at noon; ";
    uint8_t bytes[1024];
    double least = 0;
    for (uint64_t seed = 1; seed <= 2000; seed++) { /* honest bytes stay far from the threshold */
        noise(bytes, sizeof bytes, seed);
        larch_sniff_odds odds = larch_sniff_odds_of_bytes((larch_bytes){bytes, 256 + seed % 700});
        least = odds.log10 < least ? odds.log10 : least;
        odds = larch_sniff_odds_of_key(key(bytes, seed));
        least = odds.log10 < least ? odds.log10 : least;
    }
    assert_true(least > -6);
    noise(bytes, sizeof bytes, 1);
    assert_true(larch_sniff_odds_of_bytes((larch_bytes){bytes, 255}).log10 >= 0);

    static const char *const patterns[] = {"text", "hex", "counter", "one bit", "a run", "repeated", "two steps"};
    for (unsigned p = 0; p < sizeof patterns / sizeof patterns[0]; p++) {
        noise(bytes, sizeof bytes, p + 1);
        for (size_t i = 0; i < 256; i++) {
            if (p == 0)
                bytes[i] = (uint8_t)text[i % (sizeof text - 1)];
            else if (p == 1)
                bytes[i] = (uint8_t) "0123456789abcdef"[bytes[i] & 15];
            else if (p == 2)
                bytes[i] = (uint8_t)(i * 5);
            else if (p == 3)
                bytes[i] &= 0xf7;
            else if (p == 4 && i >= 249)
                bytes[i] = 0;
            else if (p == 5)
                bytes[i] = bytes[i % 8];
            else if (p == 6)
                bytes[i] = (uint8_t)(i == 0 ? 0 : bytes[i - 1] + ((i & 2) != 0 ? 3 : 7));
        }
        if (larch_sniff_odds_of_bytes((larch_bytes){bytes, 256}).log10 >= LARCH_SNIFF_RANDOM_LOG10)
            fail_msg("%s looks random", patterns[p]);
    }
}

/* ---- flows and words --------------------------------------------------- */

static void test_pairing(void **state)
{
    (void)state;
    say(&sender, &gateway, (message){LARCH_COAP_CON, LARCH_COAP_GET, 1, "a/b", false, {NULL, 0}});
    assert_string_equal(packet.path, "/a/b");
    say(&gateway, &sender, (message){LARCH_COAP_ACK, LARCH_COAP_EMPTY, 1, NULL, false, {NULL, 0}});
    assert_int_equal(packet.refers_to, 1);
    /* a separate answer: its own message ID, the request's token */
    static const uint8_t separate[] = {0x42, 0x45, 0x77, 0x77, 0, 1, 0xff, 'x'};
    feed(&gateway, &sender, LARCH_BYTES(separate));
    assert_non_null(packet.exchange);
    assert_int_equal(packet.exchange->number, 1);
    assert_string_equal(packet.path, "/a/b");
    feed(&attacker, &sender, LARCH_BYTES(separate)); /* from another port: no CoAP of ours */
    assert_int_equal(packet.kind, LARCH_SNIFF_NOT_COAP);

    /* the prototype leaves its tokens empty: the message ID tells */
    static const uint8_t first[] = {0x40, 2, 5, 1, 0xb1, 'x'}, second[] = {0x40, 2, 5, 2, 0xb1, 'y'};
    static const uint8_t answer[] = {0x60, 0x44, 5, 1};
    feed(&sender, &gateway, LARCH_BYTES(first));
    uint64_t asked = number;
    feed(&sender, &gateway, LARCH_BYTES(second));
    feed(&gateway, &sender, LARCH_BYTES(answer));
    assert_non_null(packet.exchange);
    assert_int_equal(packet.exchange->number, asked);

    larch_peer odd = gateway;
    odd.port = 6000;
    say(&sender, &odd, (message){LARCH_COAP_CON, LARCH_COAP_GET, 2, "a", false, {NULL, 0}});
    assert_int_equal(packet.kind, LARCH_SNIFF_NOT_COAP);
    say(&sender, &odd, (message){LARCH_COAP_CON, LARCH_COAP_GET, 2, "pqkem-pk", false, {NULL, 0}}); /* learnt */
    assert_int_equal(packet.kind, LARCH_SNIFF_REQUEST);
    say(&sender, &odd, (message){LARCH_COAP_CON, LARCH_COAP_GET, 3, "a", false, {NULL, 0}});
    assert_int_equal(packet.kind, LARCH_SNIFF_REQUEST);

    char segment[200];
    memset(segment, '\n', sizeof segment - 1);
    segment[sizeof segment - 1] = 0;
    say(&sender, &gateway, (message){LARCH_COAP_CON, LARCH_COAP_GET, 4, segment, false, {NULL, 0}});
    assert_int_equal(strncmp(packet.path, "/%0A%0A", 7), 0);
    assert_string_equal(packet.path + strlen(packet.path) - 3, "...");
}

/* What was captured of a cut or broken message is known; what was not is not made up. */
static void test_start_of_message(void **state)
{
    (void)state;
    static const uint8_t get[] = {0x42, 1, 0, 7, 0xca, 0xfe, 0xb1, 'a', 0x01, 'b', 0xff, 'x', 'y'};
    static const struct {
        size_t captured;
        larch_sniff_kind kind;
        bool header, token;
    } rows[] = {
        {13, LARCH_SNIFF_REQUEST, true, true}, {12, LARCH_SNIFF_REQUEST, true, true},
        {11, LARCH_SNIFF_CUT, true, true},     {10, LARCH_SNIFF_CUT, true, true}, /* more options may follow */
        {8, LARCH_SNIFF_CUT, true, true},      {7, LARCH_SNIFF_CUT, true, true},
        {6, LARCH_SNIFF_CUT, true, true},      {5, LARCH_SNIFF_CUT, true, false},
        {4, LARCH_SNIFF_CUT, true, false},     {3, LARCH_SNIFF_CUT, false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        restart();
        larch_sniff_datagram d = {
            .source = sender, .destination = gateway, .payload = {get, rows[i].captured}, .payload_len = sizeof get};
        larch_sniff_flow_take(flow, 1, now_ns, &d, &packet);
        assert_int_equal(packet.kind, rows[i].kind);
        assert_int_equal(packet.has_header, rows[i].header);
        assert_int_equal(packet.has_token, rows[i].token);
        uint8_t out[LARCH_SNIFF_LINE_MAX] = {0};
        larch_writer w = larch_writer_to(out, sizeof out - 1);
        larch_sniff_json_packet(&w, &packet, NULL, 0);
        assert_int_equal(strstr((char *)out, "\"token\":\"cafe\"") != NULL, rows[i].token);
        assert_int_equal(strstr((char *)out, "\"token\":") != NULL, rows[i].token);
        assert_int_equal(strstr((char *)out, "\"mid\":7") != NULL, rows[i].header);
    }
    static const uint8_t broken[] = {0x42, 1, 0, 7, 0xca, 0xfe, 0xf0}, long_token[] = {0x49, 1, 0, 7, 1, 2, 3};
    feed(&sender, &gateway, LARCH_BYTES(broken));
    assert_int_equal(packet.kind, LARCH_SNIFF_BROKEN);
    assert_true(packet.has_token && larch_bytes_equal(packet.coap.token, LARCH_TEXT("\xca\xfe")));
    feed(&sender, &gateway, LARCH_BYTES(long_token));
    assert_false(packet.has_token);
}

static void test_lines(void **state)
{
    (void)state;
    uint8_t out[LARCH_SNIFF_LINE_MAX];
    larch_writer w = larch_writer_to(out, sizeof out);
    larch_sniff_style style = {false, 0};
    say(&sender, &gateway, (message){LARCH_COAP_CON, LARCH_COAP_GET, 1, "a", false, {NULL, 0}});
    now_ns += 1500000;
    say(&gateway, &sender,
        (message){LARCH_COAP_ACK, LARCH_COAP_NOT_FOUND, 1, NULL, false, LARCH_TEXT("no \"\x1b[2J\" here\xff")});
    larch_sniff_text_packet(&w, &style, &packet, NULL, 0);
    static const char line[] =
        "     2  00:16:40.001500  192.0.2.1:5683       > 192.0.2.7:40000       ACK 4.04       1  0001"
        "      /a           \"no \\x22\\x1b[2J\\x22 here\\xff\"  (to #1, 1.500 ms)\n";
    assert_int_equal(w.len, sizeof line - 1);
    assert_memory_equal(out, line, w.len);
    w = larch_writer_to(out, sizeof out);
    larch_sniff_json_packet(&w, &packet, NULL, 0);
    static const char json[] =
        "{\"event\":\"packet\",\"number\":2,\"time\":\"1970-01-01T00:16:40.001500Z\",\"source\":\"192.0.2.1:5683\","
        "\"destination\":\"192.0.2.7:40000\",\"length\":22,\"checksum\":\"good\",\"kind\":\"response\",\"type\":"
        "\"ACK\","
        "\"code\":\"4.04\",\"code_text\":\"Not Found\",\"mid\":1,\"token\":\"0001\",\"path\":\"/"
        "a\",\"payload_length\":15,\"answers\":1,\"rtt_ms\":1.500,\"diagnostic\":\"no "
        "\\u0022\\u001b[2J\\u0022 here\\u00ff\"}\n";
    assert_int_equal(w.len, sizeof json - 1);
    assert_memory_equal(out, json, w.len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_replay, begin),
        cmocka_unit_test_setup(test_replay_after_echo, begin),
        cmocka_unit_test_setup(test_replay_in_blocks, begin),
        cmocka_unit_test_setup(test_sealed_as_cose, begin),
        cmocka_unit_test_setup(test_nat, begin),
        cmocka_unit_test_setup(test_replay_like_nat, begin),
        cmocka_unit_test_setup(test_key_changed, begin),
        cmocka_unit_test_setup(test_root_key, begin),
        cmocka_unit_test_setup(test_alert_members, begin),
        cmocka_unit_test_setup(test_forged_answer, begin),
        cmocka_unit_test_setup(test_auth_failures, begin),
        cmocka_unit_test_setup(test_flood, begin),
        cmocka_unit_test_setup(test_reset_storm, begin),
        cmocka_unit_test_setup(test_malformed, begin),
        cmocka_unit_test_setup(test_not_random, begin),
        cmocka_unit_test(test_odds),
        cmocka_unit_test_setup(test_pairing, begin),
        cmocka_unit_test_setup(test_start_of_message, begin),
        cmocka_unit_test_setup(test_lines, begin),
    };
    return cmocka_run_group_tests(tests, create, destroy);
}
