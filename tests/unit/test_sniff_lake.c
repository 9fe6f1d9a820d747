/* SPDX-License-Identifier: Apache-2.0 */
/* LAKE in the sniffer: real handshakes of every method and suite, without keys and with the key log that they write. */
#include <stdio.h>

#include "lake_pair.h"
#include "larch/lake_made.h"
#include "sniff/write/json.h"
#include "sniff/write/text.h"
#include "sniff_feed.h"

static lake_pair pair;
static larch_sniff_keys *keys;
static char log_text[16384];
static size_t log_len;
static uint16_t message_id;

static void note_line(void *context, larch_bytes line)
{
    (void)context;
    assert_true(log_len + line.len < sizeof log_text);
    memcpy(log_text + log_len, line.data, line.len);
    log_len += line.len;
}

static int create_all(void **state)
{
    keys = calloc(1, sizeof *keys);
    return create(state) != 0 || keys == NULL || larch_crypto_init() != LARCH_OK;
}

static int destroy_all(void **state)
{
    free(keys);
    return destroy(state);
}

static const char *json(void)
{
    static char out[LARCH_SNIFF_LINE_MAX + 1];
    larch_writer w = larch_writer_to((uint8_t *)out, LARCH_SNIFF_LINE_MAX);
    memset(out, 0, sizeof out);
    larch_sniff_json_packet(&w, &packet, NULL, 0);
    assert_true(w.len <= w.cap);
    return out;
}

static const char *line(void)
{
    static char out[LARCH_SNIFF_LINE_MAX + 1];
    larch_sniff_style style = {false, 0};
    larch_writer w = larch_writer_to((uint8_t *)out, LARCH_SNIFF_LINE_MAX);
    memset(out, 0, sizeof out);
    larch_sniff_text_packet(&w, &style, &packet, NULL, 0);
    assert_true(w.len <= w.cap);
    return out;
}

static void assert_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("%s is not in %s", part, text);
}

/* ---- CoAP ---------------------------------------------------------------------- */

enum { BLOCK = 1024, NO_FORMAT = 0xffff };

typedef struct shape {
    uint8_t type, code;
    bool has_path;
    uint16_t format;
    uint16_t block; /* its option; 0: none */
    uint32_t num;
    bool more;
    larch_bytes payload;
} shape;

static larch_bytes build(const shape *s)
{
    static uint8_t out[2048];
    larch_coap_builder b;
    larch_bytes datagram;
    larch_coap_build(&b, out, sizeof out, (larch_coap_type)s->type, s->code, message_id, LARCH_TEXT("t"));
    if (s->has_path)
        larch_coap_build_path(&b, LARCH_LAKE_PATH);
    if (s->format != NO_FORMAT)
        larch_coap_build_option_uint(&b, LARCH_COAP_OPT_CONTENT_FORMAT, s->format);
    if (s->block != 0)
        larch_coap_build_option_uint(&b, s->block, s->num << 4 | (uint32_t)s->more << 3 | 6);
    larch_coap_build_payload(&b, s->payload);
    assert_int_equal(larch_coap_build_end(&b, &datagram), LARCH_OK);
    return datagram;
}

static void ask_from(const larch_peer *from, const char *prefix, larch_bytes message)
{
    static uint8_t body[LAKE_MESSAGE_MAX];
    const size_t prefix_len = strlen(prefix);
    memcpy(body, prefix, prefix_len);
    memcpy(body + prefix_len, message.data, message.len);
    const size_t len = prefix_len + message.len;
    for (size_t at = 0; at < len; at += BLOCK) {
        const size_t left = len - at;
        const shape s = {LARCH_COAP_CON,
                         LARCH_COAP_POST,
                         true,
                         LARCH_COAP_FORMAT_CID_EDHOC,
                         len > BLOCK ? LARCH_COAP_OPT_BLOCK1 : 0,
                         (uint32_t)(at / BLOCK),
                         left > BLOCK,
                         {body + at, left < BLOCK ? left : BLOCK}};
        message_id++;
        feed(from, &gateway, build(&s));
        if (left > BLOCK)
            feed(&gateway, from,
                 build(&(shape){.type = LARCH_COAP_ACK, .code = LARCH_COAP_CONTINUE, .format = NO_FORMAT}));
    }
}

static void ask(const char *prefix, larch_bytes message) { ask_from(&sender, prefix, message); }

static void answer_to(const larch_peer *to, uint8_t code, larch_bytes message)
{
    for (size_t at = 0; at < message.len; at += BLOCK) {
        const size_t left = message.len - at;
        const shape s = {LARCH_COAP_ACK,
                         code,
                         false,
                         LARCH_COAP_FORMAT_EDHOC,
                         message.len > BLOCK ? LARCH_COAP_OPT_BLOCK2 : 0,
                         (uint32_t)(at / BLOCK),
                         left > BLOCK,
                         {message.data + at, left < BLOCK ? left : BLOCK}};
        if (at > 0) {
            message_id++;
            feed(to, &gateway,
                 build(&(shape){LARCH_COAP_CON,
                                LARCH_COAP_POST,
                                true,
                                NO_FORMAT,
                                LARCH_COAP_OPT_BLOCK2,
                                (uint32_t)(at / BLOCK),
                                false,
                                {NULL, 0}}));
        }
        feed(&gateway, to, build(&s));
    }
}

static void answer(uint8_t code, larch_bytes message) { answer_to(&sender, code, message); }

/* ---- whole handshakes ------------------------------------------------------------ */

static const uint8_t time_ead[] = {0x19, 0xff, 0xff, 0x48, 0, 0, 0, 0, 0x6b, 0x01, 0x23, 0x45};

static bool prepare(unsigned method, int suite_number, larch_lake_reference_kind kind)
{
    static const larch_lake_suite *suites[1];
    suites[0] = larch_lake_suite_find(suite_number);
    if (suites[0] == NULL || !larch_lake_method_fits(method, suites[0]) || (suites[0]->supports_dh && !lake_has_p256()))
        return false;
    assert_true(lake_pair_init(&pair, method, suites, kind));
    pair.i.party.key_log = pair.r.party.key_log = note_line;
    pair.ead[0] = LARCH_TEXT("\x0a\x41x");
    pair.ead[1] = LARCH_TEXT("\x0b");
    pair.ead[2] = LARCH_TEXT("\x0c\x41z");
    pair.ead[3] = LARCH_BYTES(time_ead);
    log_len = 0;
    assert_int_equal(lake_pair_run(&pair, COMPOSE_1, PROCESS_4), LARCH_OK);
    log_text[log_len] = 0;
    return true;
}

static void use_log(void)
{
    larch_sniff_keys_trouble trouble;
    if (larch_sniff_keys_read(keys, (larch_bytes){(const uint8_t *)log_text, log_len}, &trouble) != LARCH_OK)
        fail_msg("line %zu: %s", trouble.line, trouble.why);
    assert_int_equal(keys->secret_count, 2); /* both ends logged the same */
    larch_sniff_flow_use_keys(flow, keys);
}

static void check_message_1(const larch_lake_suite *suite, unsigned method)
{
    const larch_sniff_lake *lake = &packet.lake;
    assert_true(packet.understood);
    assert_int_equal(lake->message, LARCH_SNIFF_LAKE_MESSAGE_1);
    assert_int_equal(lake->bytes.len, lake_message(&pair, 1).len);
    assert_int_equal(lake->method, method);
    assert_int_equal(lake->suite, suite->number);
    assert_int_equal(lake->suites.count, 1);
    assert_int_equal(lake->eads.labels[0], 10);
    assert_true(larch_bytes_equal(lake->message_1.c_i, LARCH_TEXT("ci")));
    assert_has(json(), "\"message\":\"message_1\"");
    assert_has(json(), "\"c_i\":\"6369\"");
}

static void check_opened(bool with_log, larch_sniff_lake_message message)
{
    assert_true(packet.understood);
    assert_int_equal(packet.lake.message, message);
    assert_int_equal(packet.lake.outcome, with_log ? LARCH_SNIFF_LAKE_OPENED : LARCH_SNIFF_LAKE_CLOSED);
    assert_int_equal(packet.lake.inside_eads.count, with_log ? 1 : 0);
    assert_null(packet.why);
}

static void run_handshake(const larch_lake_suite *suite, unsigned method, larch_lake_reference_kind kind, bool with_log)
{
    const bool is_pq = suite->key_exchange != LARCH_LAKE_P256;
    const char *verdict = is_pq ? "\"post_quantum\":\"yes\"" : "\"post_quantum\":\"no\"";
    ask("\xf5", lake_message(&pair, 1));
    check_message_1(suite, method);
    assert_has(json(), verdict);
    answer(LARCH_COAP_CHANGED, lake_message(&pair, 2));
    check_opened(with_log, LARCH_SNIFF_LAKE_MESSAGE_2);
    assert_int_equal(packet.lake.bytes.len, lake_message(&pair, 2).len);
    if (with_log) {
        assert_has(json(), "\"inner\":{\"c_r\":\"27\"");
        assert_int_equal(packet.lake.inside_eads.labels[0], 11);
        assert_int_equal(packet.lake.inside.kid.data != NULL,
                         method != LARCH_LAKE_METHOD_PSK && kind == LARCH_LAKE_BY_KID);
        assert_int_equal(packet.lake.inside.id_cred.len > 0, kind != LARCH_LAKE_BY_KID);
    }
    ask("\x27", lake_message(&pair, 3));
    check_opened(with_log, LARCH_SNIFF_LAKE_MESSAGE_3);
    assert_has(json(), "\"c_r\":\"27\"");
    if (with_log) {
        const larch_bytes kid = method == LARCH_LAKE_METHOD_PSK ? LARCH_TEXT("psk-kid") : LARCH_TEXT("i");
        assert_true(
            larch_bytes_equal(packet.lake.inside.kid, kind == LARCH_LAKE_BY_KID ? kid : (larch_bytes){NULL, 0}));
        assert_int_equal(packet.lake.inside_eads.labels[0], 12);
    }
    assert_int_equal(flow->handshakes.totals.completed, 0);
    answer(LARCH_COAP_CHANGED, lake_message(&pair, 4));
    check_opened(with_log, LARCH_SNIFF_LAKE_MESSAGE_4);
    assert_has(json(), verdict);
    assert_has(line(), is_pq ? ", post-quantum" : ", not post-quantum");
    if (with_log)
        assert_has(json(), "\"eads\":[65535],\"time\":1795236677");
    assert_int_equal(flow->handshakes.totals.begun, 1);
    assert_int_equal(flow->handshakes.totals.completed, 1);
    assert_int_equal(
        flow->handshakes.totals.sessions[is_pq ? LARCH_SNIFF_STRENGTH_POST_QUANTUM : LARCH_SNIFF_STRENGTH_CLASSICAL],
        1);
    expect(LARCH_SNIFF_ALERT_COUNT, 0);
}

static void test_every_method_and_suite(void **state)
{
    (void)state;
    static const uint8_t methods[] = {LARCH_LAKE_METHOD_SIGNATURES, LARCH_LAKE_METHOD_STATIC_DH, LARCH_LAKE_METHOD_PSK};
    static const int suites[] = {
        LARCH_LAKE_SUITE_PQ_1, LARCH_LAKE_SUITE_PQ_2, LARCH_LAKE_SUITE_PQ_3, LARCH_LAKE_SUITE_X_WING, 2, 3};
    unsigned ran = 0;
    for (size_t m = 0; m < sizeof methods; m++)
        for (size_t s = 0; s < sizeof suites / sizeof suites[0]; s++) {
            if (!prepare(methods[m], suites[s], LARCH_LAKE_BY_KID))
                continue;
            for (int with_log = 0; with_log < 2; with_log++) {
                restart();
                if (with_log)
                    use_log();
                run_handshake(larch_lake_suite_find(suites[s]), methods[m], LARCH_LAKE_BY_KID, with_log);
            }
            ran++;
        }
    assert_true(ran >= 8); /* 4 KEM suites, by signatures and by PSK */
}

static void test_credentials_by_value(void **state)
{
    (void)state;
    static const larch_lake_reference_kind kinds[] = {LARCH_LAKE_BY_CCS, LARCH_LAKE_BY_CWT_HASH};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        assert_true(prepare(LARCH_LAKE_METHOD_SIGNATURES, LARCH_LAKE_SUITE_PQ_1, kinds[i]));
        restart();
        use_log();
        run_handshake(larch_lake_suite_find(LARCH_LAKE_SUITE_PQ_1), LARCH_LAKE_METHOD_SIGNATURES, kinds[i], true);
    }
}

/* Altered messages, secrets of another handshake, and messages whose beginning was not seen. */
static void test_what_does_not_open(void **state)
{
    (void)state;
    static uint8_t altered[LAKE_MESSAGE_MAX];
    assert_true(prepare(LARCH_LAKE_METHOD_SIGNATURES, LARCH_LAKE_SUITE_PQ_1, LARCH_LAKE_BY_KID));
    use_log();
    ask("\xf5", lake_message(&pair, 1));
    answer(LARCH_COAP_CHANGED, lake_message(&pair, 2));
    const larch_bytes three = lake_message(&pair, 3);
    memcpy(altered, three.data, three.len);
    altered[three.len - 1] ^= 1;
    ask("\x27", (larch_bytes){altered, three.len});
    assert_int_equal(packet.lake.outcome, LARCH_SNIFF_LAKE_REFUSED);
    assert_has(json(), "\"outcome\":\"not authentic\"");
    assert_has(line(), ", not authentic");

    restart();
    larch_sniff_flow_use_keys(flow, keys);
    ask("\x27", three); /* the capture begins here */
    assert_int_equal(packet.lake.outcome, LARCH_SNIFF_LAKE_UNKNOWN);
    assert_has(json(), "\"post_quantum\":\"unknown\",\"outcome\":\"no secrets\"");
    answer(LARCH_COAP_CHANGED, lake_message(&pair, 4));
    assert_int_equal(packet.lake.message, LARCH_SNIFF_LAKE_MESSAGE_4);
    assert_int_equal(flow->handshakes.totals.sessions[LARCH_SNIFF_STRENGTH_UNKNOWN], 1);

    assert_true(prepare(LARCH_LAKE_METHOD_PSK, LARCH_LAKE_SUITE_PQ_1, LARCH_LAKE_BY_KID)); /* others */
    restart();
    larch_sniff_flow_use_keys(flow, keys);
    ask("\xf5", lake_message(&pair, 1));
    answer(LARCH_COAP_CHANGED, lake_message(&pair, 2));
    assert_int_equal(packet.lake.outcome, LARCH_SNIFF_LAKE_UNKNOWN);
}

/* ---- under OSCORE ----------------------------------------------------------------- */

static larch_bytes oscore(bool request, bool edhoc, const char *option, size_t option_len, larch_bytes payload)
{
    static uint8_t out[2048];
    larch_coap_builder b;
    larch_bytes datagram;
    message_id += request;
    larch_coap_build(&b, out, sizeof out, request ? LARCH_COAP_CON : LARCH_COAP_ACK,
                     request ? LARCH_COAP_POST : LARCH_COAP_CHANGED, message_id, LARCH_TEXT("o"));
    larch_coap_build_option(&b, LARCH_COAP_OPT_OSCORE, (larch_bytes){(const uint8_t *)option, option_len});
    if (edhoc)
        larch_coap_build_option(&b, LARCH_COAP_OPT_EDHOC, (larch_bytes){NULL, 0});
    larch_coap_build_payload(&b, payload);
    assert_int_equal(larch_coap_build_end(&b, &datagram), LARCH_OK);
    return datagram;
}

#define CIPHERTEXT "\x8a\x13\xf0\x55\x01\xb9\x4c\xe2\x77\x31\x90"

/* message_3 with the first request [RFC9668]: its answer completes the handshake, and what follows is under its keys. */
static void test_combined_request(void **state)
{
    (void)state;
    static const int suites[] = {LARCH_LAKE_SUITE_PQ_1, 2};
    for (size_t i = 0; i < 2; i++) {
        static uint8_t body[1024];
        const bool is_pq = i == 0;
        if (!prepare(LARCH_LAKE_METHOD_PSK, suites[i], LARCH_LAKE_BY_KID))
            continue;
        restart();
        use_log();
        const larch_bytes three = lake_message(&pair, 3);
        memcpy(body, three.data, three.len);
        memcpy(body + three.len, CIPHERTEXT, sizeof CIPHERTEXT - 1);
        ask("\xf5", lake_message(&pair, 1));
        answer(LARCH_COAP_CHANGED, lake_message(&pair, 2));
        feed(&sender, &gateway,
             oscore(true, true, "\x09\x00\x27", 3, (larch_bytes){body, three.len + sizeof CIPHERTEXT - 1}));
        assert_int_equal(packet.lake.message, LARCH_SNIFF_LAKE_MESSAGE_3);
        assert_int_equal(packet.lake.outcome, LARCH_SNIFF_LAKE_OPENED);
        assert_int_equal(packet.oscore.message, LARCH_SNIFF_OSCORE_REQUEST);
        assert_int_equal(packet.oscore.ciphertext.len, sizeof CIPHERTEXT - 1);
        assert_has(line(), is_pq ? "LAKE message_3, " : "not post-quantum");
        assert_has(line(), "OSCORE kid 27, Partial IV 00 (0), 11 bytes, ");
        assert_int_equal(flow->handshakes.totals.completed, 0);
        feed(&gateway, &sender, oscore(false, false, "", 0, LARCH_TEXT(CIPHERTEXT)));
        assert_true(packet.lake.completes);
        assert_int_equal(flow->handshakes.totals.completed, 1);
        const char *verdict = is_pq ? "\"post_quantum\":\"yes\"" : "\"post_quantum\":\"no\"";
        assert_has(json(), verdict);

        larch_peer moved = sender; /* the session goes with its kid */
        moved.address[15] = 99;
        feed(&moved, &gateway, oscore(true, false, "\x09\x01\x27", 3, LARCH_TEXT(CIPHERTEXT)));
        assert_has(json(), verdict);
        feed(&gateway, &moved, oscore(false, false, "", 0, LARCH_TEXT(CIPHERTEXT)));
        assert_has(json(), verdict);
        feed(&gateway, &sender, oscore(true, false, "\x09\x02\x63\x69", 4, LARCH_TEXT(CIPHERTEXT))); /* by C_I */
        assert_has(json(), verdict);
        feed(&sender, &gateway, oscore(true, false, "\x09\x01\x28", 3, LARCH_TEXT(CIPHERTEXT))); /* another */
        assert_has(json(), "\"post_quantum\":\"unknown\"");
        assert_int_equal(flow->handshakes.totals.sessions[LARCH_SNIFF_STRENGTH_UNKNOWN], 0);
        for (int copy = 0; copy < 2; copy++) {
            feed(&gateway, &sender, oscore(false, false, "", 0, LARCH_TEXT(CIPHERTEXT)));
            assert_int_equal(flow->handshakes.totals.sessions[LARCH_SNIFF_STRENGTH_UNKNOWN], 1); /* used, and once */
        }
    }
}

/* ---- messages made by hand -------------------------------------------------------- */

static void noise(uint8_t *out, size_t len, uint8_t seed)
{
    const larch_bytes pieces[] = {{&seed, 1}};
    larch_shake256_of(pieces, 1, out, len);
}

static larch_bytes message_1(unsigned method, const int64_t *suites, size_t count, uint8_t variant)
{
    static uint8_t bytes[1024], ek[800], dk[LARCH_KEM_DK_MAX];
    uint8_t g_x[800], seed[64] = {1};
    const bool is_kem = suites[count - 1] < 0; /* ML-KEM-512, but for the tests of what does not fit */
    larch_writer w = larch_writer_to(bytes, sizeof bytes);
    if (ek[0] == 0)
        assert_int_equal(larch_kem_keygen(larch_kem_find(512), seed, ek, dk), LARCH_OK);
    noise(g_x, sizeof g_x, variant);
    larch_cbor_put_uint(&w, method);
    if (count > 1)
        larch_cbor_put_array(&w, count);
    for (size_t i = 0; i < count; i++)
        larch_cbor_put_int(&w, suites[i]);
    larch_cbor_put_bytes(&w, is_kem ? LARCH_BYTES(ek) : (larch_bytes){g_x, 32});
    larch_cbor_put_bytes(&w, (larch_bytes){g_x, 3}); /* C_I */
    assert_true(w.len <= w.cap);
    return (larch_bytes){bytes, w.len};
}

static larch_bytes sealed(size_t len)
{
    static uint8_t bytes[1024];
    larch_writer w = larch_writer_to(bytes, sizeof bytes);
    larch_cbor_put_bytes_head(&w, len);
    noise(larch_writer_reserve(&w, len), len, (uint8_t)message_id);
    return (larch_bytes){bytes, w.len};
}

/* A step: 'o' offers suites, 'r' refuses with SUITES_R, 'm' message_2 and so on to message_4, 'd' a direct message. */
typedef struct step {
    char what;
    size_t count;
    int64_t suites[4];
} step;

static larch_bytes error_of(const step *s)
{
    static uint8_t bytes[64];
    larch_writer w = larch_writer_to(bytes, sizeof bytes);
    larch_cbor_put_uint(&w, 2);
    if (s->count > 1)
        larch_cbor_put_array(&w, s->count);
    for (size_t i = 0; i < s->count; i++)
        larch_cbor_put_int(&w, s->suites[i]);
    return (larch_bytes){bytes, w.len};
}

static void send_direct(void)
{
    static uint8_t out[2048];
    static const uint8_t head[] = {3, 0, 0x00, 0x03, 5, 0};
    uint8_t body[sizeof head + 12 + 768 + 5 + 16];
    larch_coap_builder b;
    larch_bytes datagram;
    noise(body, sizeof body, 7);
    memcpy(body, head, sizeof head);
    larch_coap_build(&b, out, sizeof out, LARCH_COAP_CON, LARCH_COAP_POST, ++message_id, LARCH_TEXT("d"));
    larch_coap_build_path(&b, LARCH_DIRECT_PATH_DATA);
    larch_coap_build_payload(&b, LARCH_BYTES(body));
    assert_int_equal(larch_coap_build_end(&b, &datagram), LARCH_OK);
    feed(&sender, &gateway, datagram);
    assert_int_equal(packet.direct.message, LARCH_SNIFF_DIRECT_SEALED);
}

static void run_steps(const step *steps)
{
    uint8_t variant = 0;
    bool is_kem = false;
    for (; steps->what != 0; steps++) {
        switch (steps->what) {
        case 'o':
            is_kem = steps->suites[steps->count - 1] < 0;
            ask("\xf5", message_1(4, steps->suites, steps->count, ++variant));
            break;
        case 'r':
            answer(LARCH_COAP_BAD_REQUEST, error_of(steps));
            break;
        case 'm':
            answer(LARCH_COAP_CHANGED, sealed(is_kem ? 776 : 40));
            ask("\x27", sealed(26));
            answer(LARCH_COAP_CHANGED, sealed(16));
            break;
        default:
            send_direct();
        }
    }
}

static void test_downgrades(void **state)
{
    (void)state;
    static const struct {
        unsigned alerts;
        const char *words;
        step steps[8];
    } rows[] = {
        {0, "", {{'o', 1, {-24}}, {'m', 0, {0}}, {'o', 1, {-24}}, {'m', 0, {0}}}},
        {0, "", {{'o', 1, {-24}}, {'r', 2, {2, 3}}, {'o', 2, {-24, 2}}, {'m', 0, {0}}}},   /* as it should be */
        {0, "", {{'o', 2, {-24, 2}}, {'r', 2, {-24, 2}}, {'o', 1, {-24}}, {'m', 0, {0}}}}, /* it has the better one */
        {1, "no SUITES_R was seen", {{'o', 2, {-24, 2}}, {'m', 0, {0}}}},
        {1, "the other has it", {{'o', 1, {-23}}, {'r', 2, {-24, 2}}, {'o', 3, {-23, -24, 2}}, {'m', 0, {0}}}},
        {1, "refuses suite -24 and names it", {{'o', 1, {-24}}, {'r', 2, {-24, 2}}}},
        {3,
         "not post-quantum; in #",
         {{'o', 1, {-24}}, {'m', 0, {0}}, {'o', 1, {-24}}, {'r', 1, {2}}, {'o', 2, {-24, 2}}, {'m', 0, {0}}}},
        {1, "lacks suite -24, which it took", {{'o', 1, {-24}}, {'m', 0, {0}}, {'o', 1, {-24}}, {'r', 1, {2}}}},
        {1, "lacks suite 3, which it named", {{'o', 1, {-24}}, {'r', 2, {2, 3}}, {'o', 1, {-24}}, {'r', 1, {2}}}},
        {1, "takes suite -24, which its SUITES_R", {{'o', 1, {-24}}, {'r', 2, {2, 3}}, {'o', 1, {-24}}, {'m', 0, {0}}}},
        {1, "not post-quantum; in #", {{'o', 1, {-24}}, {'m', 0, {0}}, {'o', 1, {2}}, {'m', 0, {0}}}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        restart();
        run_steps(rows[i].steps);
        if (raised[LARCH_SNIFF_ALERT_DOWNGRADE] != rows[i].alerts)
            fail_msg("row %zu: %u", i, raised[LARCH_SNIFF_ALERT_DOWNGRADE]);
        expect(LARCH_SNIFF_ALERT_DOWNGRADE, rows[i].alerts);
        if (rows[i].alerts > 0)
            assert_has(last.text, rows[i].words);
    }
}

/* A device that went back to sealed messages; one that never shook hands may send them. */
static void test_fallback(void **state)
{
    (void)state;
    send_direct();
    expect(LARCH_SNIFF_ALERT_FALLBACK, 0);
    restart();
    run_steps((const step[]){{'o', 1, {2}}, {'m', 0, {0}}, {0, 0, {0}}}); /* not post-quantum, so nothing is lost */
    send_direct();
    expect(LARCH_SNIFF_ALERT_FALLBACK, 0);
    restart();
    run_steps((const step[]){{'o', 1, {-24}}, {'m', 0, {0}}, {0, 0, {0}}});
    expect(LARCH_SNIFF_ALERT_FALLBACK, 0);
    send_direct();
    expect(LARCH_SNIFF_ALERT_FALLBACK, 1);
    assert_int_equal(last.before, 4);
}

static void test_unknown(void **state)
{
    (void)state;
    static const struct {
        unsigned method;
        int64_t suite;
        const char *words; /* NULL: known */
    } rows[] = {{4, 2, NULL},      {0, 25, NULL},         {3, 6, NULL},
                {4, 7, "suite 7"}, {4, -20, "suite -20"}, {9, 2, "method 9"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        restart();
        ask("\xf5", message_1(rows[i].method, &rows[i].suite, 1, 1));
        assert_int_equal(packet.lake.message, LARCH_SNIFF_LAKE_MESSAGE_1);
        expect(LARCH_SNIFF_ALERT_UNKNOWN_SUITE, rows[i].words != NULL);
        if (rows[i].words != NULL)
            assert_has(last.text, rows[i].words);
        assert_has(json(), rows[i].words != NULL && rows[i].method == 4 ? "\"post_quantum\":\"unknown\""
                                                                        : "\"post_quantum\":\"no\"");
    }
}

/* ---- floods ------------------------------------------------------------------------ */

static larch_peer host(uint8_t third, uint8_t fourth)
{
    larch_peer peer = sender;
    peer.address[14] = third;
    peer.address[15] = fourth;
    return peer;
}

static void test_flood(void **state)
{
    (void)state;
    static const int64_t suite = 2;
    for (unsigned i = 0; i <= LARCH_SNIFF_SHAKES_FROM; i++) { /* one prefix */
        const larch_peer from = host(1, (uint8_t)i);
        expect(LARCH_SNIFF_ALERT_HANDSHAKE_FLOOD, 0);
        ask_from(&from, "\xf5", message_1(4, &suite, 1, (uint8_t)i));
    }
    expect(LARCH_SNIFF_ALERT_HANDSHAKE_FLOOD, 1);
    assert_has(last.text, "/24");

    restart(); /* many prefixes, which are within the bounds of each */
    for (unsigned i = 0; i <= LARCH_SNIFF_SHAKES_TO; i++) {
        const larch_peer from = host((uint8_t)i, 1);
        now_ns += SECOND / 20;
        expect(LARCH_SNIFF_ALERT_HANDSHAKE_FLOOD, 0);
        ask_from(&from, "\xf5", message_1(4, &suite, 1, (uint8_t)i));
    }
    expect(LARCH_SNIFF_ALERT_HANDSHAKE_FLOOD, 1);
    assert_has(last.text, "with 192.0.2.1:5683");

    restart(); /* those that are completed do not count */
    for (unsigned i = 0; i < 3 * LARCH_SNIFF_SHAKES_FROM; i++) {
        const larch_peer from = host(1, (uint8_t)i);
        now_ns += SECOND / 20;
        ask_from(&from, "\xf5", message_1(4, &suite, 1, (uint8_t)i));
        answer_to(&from, LARCH_COAP_CHANGED, sealed(40));
        ask_from(&from, "\x27", sealed(26));
        answer_to(&from, LARCH_COAP_CHANGED, sealed(16));
    }
    expect(LARCH_SNIFF_ALERT_HANDSHAKE_FLOOD, 0);
    assert_int_equal(flow->handshakes.totals.completed, 3 * LARCH_SNIFF_SHAKES_FROM);

    restart(); /* one message again and again, under new message IDs */
    for (unsigned i = 0; i <= LARCH_SNIFF_SHAKES_FROM; i++)
        ask("\xf5", message_1(4, &suite, 1, 0));
    expect(LARCH_SNIFF_ALERT_HANDSHAKE_FLOOD, 1);
    assert_int_equal(flow->handshakes.totals.begun, 1);

    restart(); /* slowly */
    for (unsigned i = 0; i < 2 * LARCH_SNIFF_SHAKES_FROM; i++) {
        ask("\xf5", message_1(4, &suite, 1, (uint8_t)i));
        now_ns += SECOND;
    }
    expect(LARCH_SNIFF_ALERT_HANDSHAKE_FLOOD, 0);
}

/* ---- what is malformed --------------------------------------------------------------- */

static void test_errors(void **state)
{
    (void)state;
    static const int64_t suite = -24;
    ask("\xf5", message_1(4, &suite, 1, 1));
    answer(LARCH_COAP_BAD_REQUEST, LARCH_TEXT("\x01\x67refused"));
    assert_has(line(), "LAKE error 1, 9 bytes, \"refused\"");
    assert_has(json(), "\"error_code\":1,\"length\":9,\"error_text\":\"refused\"");
    answer(LARCH_COAP_BAD_REQUEST, LARCH_TEXT("\x02\x82\x37\x02"));
    assert_has(line(), "LAKE error 2, 4 bytes, SUITES_R -24 2");
    assert_has(json(), "\"suites_r\":[-24,2]");
    answer(LARCH_COAP_BAD_REQUEST, LARCH_TEXT("\x03\xf5"));
    assert_has(line(), "LAKE error 3, 2 bytes");
    ask("\x27", LARCH_TEXT("\x01\x63"
                           "no!")); /* the initiator's */
    assert_has(line(), "LAKE error 1, 5 bytes, \"no!\"");
    assert_int_equal(flow->handshakes.totals.completed, 0);
}

static void test_malformed(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "\xf5\x04", "\xf5\x04\x37\x41", "\xf6", "\x27\x41", "\x27\x41\x01\x00", "\x58", "\xf5\x38\x64\x02\x41\x01\x00"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        restart();
        ask("", i == 4 ? (larch_bytes){(const uint8_t *)rows[i], 4} : larch_bytes_of_text(rows[i]));
        if (packet.why == NULL || packet.understood)
            fail_msg("row %zu", i);
        expect(LARCH_SNIFF_ALERT_MALFORMED, 1);
    }
    static const int64_t suite = LARCH_LAKE_SUITE_X_WING; /* with a G_X of 800 bytes */
    restart();
    ask("\xf5", message_1(4, &suite, 1, 1));
    expect(LARCH_SNIFF_ALERT_MALFORMED, 1);
    answer(LARCH_COAP_CHANGED, sealed(40)); /* shorter than G_Y */
    expect(LARCH_SNIFF_ALERT_MALFORMED, 2);
}

/* G_X is an encapsulation key: its numbers are below q, and look random. */
static void test_g_x(void **state)
{
    (void)state;
    static const struct {
        uint8_t fill;
        larch_sniff_alert_kind alert;
    } rows[] = {{0x00, LARCH_SNIFF_ALERT_NOT_RANDOM}, {0xff, LARCH_SNIFF_ALERT_MALFORMED}};
    for (size_t i = 0; i < 2; i++) {
        uint8_t g_x[800], bytes[1024];
        larch_writer w = larch_writer_to(bytes, sizeof bytes);
        memset(g_x, rows[i].fill, sizeof g_x);
        larch_cbor_put_uint(&w, LARCH_LAKE_METHOD_PSK);
        larch_cbor_put_int(&w, LARCH_LAKE_SUITE_PQ_1);
        larch_cbor_put_bytes(&w, LARCH_BYTES(g_x));
        larch_cbor_put_bytes(&w, LARCH_TEXT("c-i"));
        restart();
        ask("\xf5", (larch_bytes){bytes, w.len});
        assert_true(packet.understood);
        assert_int_equal(raised[rows[i].alert], 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_every_method_and_suite, begin),
        cmocka_unit_test_setup(test_credentials_by_value, begin),
        cmocka_unit_test_setup(test_what_does_not_open, begin),
        cmocka_unit_test_setup(test_combined_request, begin),
        cmocka_unit_test_setup(test_downgrades, begin),
        cmocka_unit_test_setup(test_fallback, begin),
        cmocka_unit_test_setup(test_unknown, begin),
        cmocka_unit_test_setup(test_flood, begin),
        cmocka_unit_test_setup(test_errors, begin),
        cmocka_unit_test_setup(test_malformed, begin),
        cmocka_unit_test_setup(test_g_x, begin),
    };
    return cmocka_run_group_tests(tests, create_all, destroy_all);
}
