/* SPDX-License-Identifier: Apache-2.0 */
/* OSCORE in the sniffer: what shows without keys, what a key log opens, and what is malformed. */
#include <stdio.h>

#include "larch/cbor.h"
#include "sniff/write/json.h"
#include "sniff/write/text.h"
#include "sniff_feed.h"

static larch_sniff_keys *keys;
static larch_oscore_context client, server;

static const uint8_t secret[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
static const uint8_t salt[] = {0x9e, 0x7c, 0xa9, 0x22, 0x23, 0x78, 0x63, 0x40};
static const char log_of_rfc[] =
    "# RFC 8613, C.1.1 and C.2.1\n"
    "\"\",\"01\",\"0102030405060708090a0b0c0d0e0f10\",\"9e7ca92223786340\",\"\",\"AES-CCM-16-64-128 (CCM*)\"\n"
    "\"00\",\"01\",\"0102030405060708090a0b0c0d0e0f10\",\"\",\"\",\"10\"\n";

static int create_all(void **state)
{
    larch_oscore_parameters p = {.aead = larch_cose_aead_find(LARCH_COSE_AES_CCM_16_64_128),
                                 .hash = LARCH_COSE_SHA_256,
                                 .master_secret = LARCH_BYTES(secret),
                                 .master_salt = LARCH_BYTES(salt),
                                 .recipient_id = LARCH_TEXT("\x01")};
    larch_oscore_parameters other = p;
    other.sender_id = p.recipient_id;
    other.recipient_id = p.sender_id;
    keys = calloc(1, sizeof *keys);
    return create(state) != 0 || keys == NULL || larch_crypto_init() != LARCH_OK ||
           larch_oscore_context_init(&client, &p) != LARCH_OK || larch_oscore_context_init(&server, &other) != LARCH_OK;
}

static int destroy_all(void **state)
{
    free(keys);
    return destroy(state);
}

static void read_keys(const char *text)
{
    larch_sniff_keys_trouble trouble;
    assert_int_equal(larch_sniff_keys_read(keys, larch_bytes_of_text(text), &trouble), LARCH_OK);
    larch_sniff_flow_use_keys(flow, keys);
}

/* What the last packet looks like to programs, and to people. */
static const char *json(void)
{
    static char out[LARCH_SNIFF_LINE_MAX + 1];
    larch_writer w = larch_writer_to((uint8_t *)out, LARCH_SNIFF_LINE_MAX);
    memset(out, 0, sizeof out);
    larch_sniff_json_packet(&w, &packet, NULL, 0);
    assert_true(w.len <= w.cap);
    int open = 0;
    for (const char *c = out; *c != 0; c++)
        open += (*c == '{') - (*c == '}');
    assert_int_equal(open, 0);
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

static larch_bytes from_hex(const char *hex)
{
    static uint8_t out[256];
    size_t len = 0;
    for (; hex[2 * len] != 0; len++) {
        unsigned byte;
        assert_int_equal(sscanf(hex + 2 * len, "%2x", &byte), 1);
        out[len] = (uint8_t)byte;
    }
    return (larch_bytes){out, len};
}

/* ---- RFC 8613, appendix C ------------------------------------------------ */

#define C4 "44025d1f00003974396c6f63616c686f7374620914ff612f1092f1776f1c1668b3825e"
#define C5 "440271c30000b932396c6f63616c686f737463091400ff4ed339a5a379b0b8bc731fffb0"
#define C6 "44022f8eef9bbf7a396c6f63616c686f73746b19140837cbf3210017a2d3ff72cd7273fd331ac45cffbe55c3"
#define C7 "64445d1f0000397490ffdbaad1e9a7e7b2a813d3c31524378303cdafae119106"
#define C8 "64445d1f00003974920100ff4d4c13669384b67354b2b6175ff4b8658c666a6cf88e"

static void test_vectors_of_rfc(void **state)
{
    (void)state;
    static const struct {
        const char *datagram;
        bool answer;
        const char *closed, *opened, *text;
    } rows[] = {
        {C4, false,
         "\"oscore\":{\"kid\":\"\",\"piv\":\"14\",\"number\":20,\"ciphertext_length\":13,\"post_quantum\":\"unknown\"}"
         "}",
         "\"outcome\":\"opened\",\"inner\":{\"code\":\"0.01\",\"code_text\":\"GET\",\"path\":\"/tv1\"}}}",
         "  OSCORE kid -, Partial IV 14 (20), 13 bytes: GET /tv1\n"},
        {C5, false,
         "\"oscore\":{\"kid\":\"00\",\"piv\":\"14\",\"number\":20,\"ciphertext_length\":13,\"post_quantum\":"
         "\"unknown\"}}",
         "\"outcome\":\"opened\",\"inner\":{\"code\":\"0.01\",\"code_text\":\"GET\",\"path\":\"/tv1\"}}}",
         "  OSCORE kid 00, Partial IV 14 (20), 13 bytes: GET /tv1\n"},
        {C6, false,
         "\"oscore\":{\"kid\":\"\",\"kid_context\":\"37cbf3210017a2d3\",\"piv\":\"14\",\"number\":20,"
         "\"ciphertext_length\":13,\"post_quantum\":\"unknown\"}}",
         "\"outcome\":\"no context\"}}",
         "  OSCORE kid -, kid context 37cbf3210017a2d3, Partial IV 14 (20), 13 bytes, no context\n"},
        {C7, true, "\"oscore\":{\"ciphertext_length\":22,\"post_quantum\":\"unknown\"}}",
         "\"outcome\":\"opened\",\"inner\":{\"code\":\"2.05\",\"code_text\":\"Content\",\"payload_length\":12,"
         "\"payload\":\"Hello World!\"}}}",
         "  OSCORE, 22 bytes: 2.05 \"Hello World!\"  (to #1, 0.000 ms)\n"},
        {C8, true, "\"oscore\":{\"piv\":\"00\",\"number\":0,\"ciphertext_length\":22,\"post_quantum\":\"unknown\"}}",
         "\"outcome\":\"opened\",\"inner\":{\"code\":\"2.05\",\"code_text\":\"Content\",\"payload_length\":12,"
         "\"payload\":\"Hello World!\"}}}",
         "  OSCORE, Partial IV 00 (0), 22 bytes: 2.05 \"Hello World!\"  (to #1, 0.000 ms)\n"},
    };
    for (int with_keys = 0; with_keys < 2; with_keys++) {
        restart();
        if (with_keys)
            read_keys(log_of_rfc);
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            feed(rows[i].answer ? &gateway : &sender, rows[i].answer ? &sender : &gateway, from_hex(rows[i].datagram));
            assert_has(json(), with_keys ? rows[i].opened : rows[i].closed);
            if (with_keys)
                assert_has(line(), rows[i].text);
            assert_null(packet.why);
        }
    }
}

/* ---- messages made here --------------------------------------------------- */

static larch_oscore_binding binding;

static larch_bytes protect(const larch_oscore_context *context, bool request, const uint64_t *own, uint16_t mid,
                           larch_bytes plain)
{
    static uint8_t out[8192], memory[8192];
    const larch_oscore_scratch scratch = {memory, sizeof memory};
    larch_coap_message m;
    larch_bytes datagram;
    assert_int_equal(larch_coap_parse(plain, &m), LARCH_OK);
    m.message_id = mid;
    assert_int_equal(
        request ? larch_oscore_protect_request(context, *own, &m, scratch, out, sizeof out, &binding, &datagram)
                : larch_oscore_protect_response(context, &binding, own, &m, scratch, out, sizeof out, &datagram),
        LARCH_OK);
    return datagram;
}

static larch_bytes build(larch_coap_type type, uint8_t code, const char *path, uint32_t format, larch_bytes payload)
{
    static uint8_t out[8192];
    larch_coap_builder b;
    larch_bytes datagram;
    larch_coap_build(&b, out, sizeof out, type, code, 0, LARCH_TEXT("tk"));
    if (path != NULL)
        larch_coap_build_path(&b, path);
    if (format != 0)
        larch_coap_build_option_uint(&b, LARCH_COAP_OPT_CONTENT_FORMAT, format);
    if (payload.len > 0)
        larch_coap_build_payload(&b, payload);
    assert_int_equal(larch_coap_build_end(&b, &datagram), LARCH_OK);
    return datagram;
}

/* Either end may ask, a message is opened as often as it passes, and no byte of it reaches a terminal as it is. */
static void test_both_ends(void **state)
{
    (void)state;
    read_keys(log_of_rfc);
    for (uint16_t round = 0; round < 2; round++) {
        const uint64_t n = 7;
        feed(&gateway, &sender,
             protect(&server, true, &n, round,
                     build(LARCH_COAP_CON, LARCH_COAP_POST, "led", 42, LARCH_TEXT("on\x1b[2J"))));
        assert_int_equal(packet.duplicate_of, 0);
        assert_has(json(), "\"kid\":\"01\"");
        assert_has(json(), "\"path\":\"/led\",\"format\":42,\"payload_length\":6,\"payload\":\"on\\u001b[2J\"}}");
        assert_has(line(), ": POST /led format 42 \"on\\x1b[2J\"\n");
        feed(
            &sender, &gateway,
            protect(&client, false, NULL, round, build(LARCH_COAP_ACK, LARCH_COAP_CHANGED, NULL, 0, LARCH_TEXT("ok"))));
        assert_has(line(), "  OSCORE, 12 bytes: 2.04 \"ok\"");
        assert_int_equal(packet.oscore.outcome, LARCH_SNIFF_OSCORE_OPENED);
    }
}

static void test_not_opened(void **state)
{
    (void)state;
    uint8_t copy[256], large[LARCH_SNIFF_PLAIN_MAX];
    const uint64_t n = 1;
    read_keys(log_of_rfc);
    larch_bytes datagram =
        protect(&client, true, &n, 1, build(LARCH_COAP_CON, LARCH_COAP_GET, "a", 0, (larch_bytes){NULL, 0}));
    memcpy(copy, datagram.data, datagram.len);
    copy[datagram.len - 1] ^= 1;
    feed(&sender, &gateway, (larch_bytes){copy, datagram.len});
    assert_has(json(), "\"outcome\":\"not authentic\"}}");
    assert_null(packet.oscore.inner.payload.data);
    /* the response to what was not opened, and one to nothing that was seen */
    const larch_bytes answer =
        protect(&server, false, NULL, 1, build(LARCH_COAP_ACK, LARCH_COAP_CONTENT, NULL, 0, LARCH_TEXT("x")));
    feed(&gateway, &sender, answer);
    assert_has(line(), "  OSCORE, 11 bytes, no context");
    feed(&gateway, &attacker, answer);
    assert_null(packet.exchange);
    assert_has(json(),
               "\"oscore\":{\"ciphertext_length\":11,\"post_quantum\":\"unknown\",\"outcome\":\"no context\"}}");

    memset(large, 'x', sizeof large);
    feed(&sender, &gateway,
         protect(&client, true, &n, 2, build(LARCH_COAP_CON, LARCH_COAP_POST, "a", 0, LARCH_BYTES(large))));
    assert_has(json(), "\"outcome\":\"too long\"}}");
    /* an answer in the clear belongs to the exchange, and is none of OSCORE's */
    feed(&gateway, &sender, build(LARCH_COAP_NON, LARCH_COAP_UNAUTHORIZED, NULL, 0, LARCH_TEXT("context not found")));
    assert_int_equal(packet.oscore.message, LARCH_SNIFF_OSCORE_NONE);
    assert_has(line(), "\"context not found\"");
}

/* The longest of everything still makes one line. */
static void test_longest(void **state)
{
    (void)state;
    char path[400] = "";
    uint8_t payload[200];
    const uint64_t n = LARCH_OSCORE_NUMBER_MAX;
    memset(path, '\n', sizeof path - 1);
    path[200] = '/';
    memset(payload, 0xff, sizeof payload);
    read_keys(log_of_rfc);
    feed(&sender, &gateway,
         protect(&client, true, &n, 1, build(LARCH_COAP_CON, LARCH_COAP_POST, path, 65000, LARCH_BYTES(payload))));
    assert_has(json(), "\"piv\":\"ffffffffff\",\"number\":1099511627775");
    assert_has(json(), "\"payload_length\":200");
    assert_has(line(), "...\"\n");
}

static void put(larch_coap_builder *b, uint8_t *out, size_t cap, uint16_t mid, const larch_coap_message *m)
{
    larch_bytes value;
    larch_coap_build(b, out, cap, LARCH_COAP_CON, m->code, mid, m->token);
    assert_true(larch_coap_option_find(m, LARCH_COAP_OPT_OSCORE, &value));
    larch_coap_build_option(b, LARCH_COAP_OPT_OSCORE, value);
}

/* A proxy may cut a message into blocks of its own [RFC8613 4.1.3.4.2]; the last message of a handshake may stand before
 * the ciphertext [RFC9668 3]. */
static void test_around(void **state)
{
    (void)state;
    uint8_t out[512], body[512], payload[100];
    const uint64_t n = 3;
    larch_coap_builder b;
    larch_coap_message m;
    larch_bytes datagram;
    memset(payload, 'p', sizeof payload);
    read_keys(log_of_rfc);
    assert_int_equal(
        larch_coap_parse(
            protect(&client, true, &n, 1, build(LARCH_COAP_CON, LARCH_COAP_POST, "a", 0, LARCH_BYTES(payload))), &m),
        LARCH_OK);
    for (uint16_t i = 0; i < 2; i++) {
        put(&b, out, sizeof out, i, &m);
        larch_coap_build_option_uint(&b, LARCH_COAP_OPT_BLOCK1,
                                     larch_coap_block_value((larch_coap_block){i, i == 0, 2}));
        larch_coap_build_payload(&b, (larch_bytes){m.payload.data + 64 * i, i == 0 ? 64 : m.payload.len - 64});
        assert_int_equal(larch_coap_build_end(&b, &datagram), LARCH_OK);
        feed(&sender, &gateway, datagram);
        assert_has(json(), "\"number\":3");
        assert_int_equal(packet.oscore.outcome, i == 0 ? LARCH_SNIFF_OSCORE_CLOSED : LARCH_SNIFF_OSCORE_OPENED);
    }
    assert_has(json(), "\"payload_length\":100");

    for (int broken = 0; broken < 2; broken++) {
        larch_writer w = larch_writer_to(body, sizeof body);
        if (broken)
            larch_cbor_put_uint(&w, 1);
        else
            larch_cbor_put_bytes(&w, LARCH_TEXT("message_3"));
        larch_writer_put(&w, m.payload);
        put(&b, out, sizeof out, (uint16_t)(10 + broken), &m);
        larch_coap_build_option(&b, LARCH_COAP_OPT_EDHOC, (larch_bytes){NULL, 0});
        larch_coap_build_payload(&b, (larch_bytes){body, w.len});
        assert_int_equal(larch_coap_build_end(&b, &datagram), LARCH_OK);
        feed(&sender, &gateway, datagram);
        assert_int_equal(packet.oscore.outcome == LARCH_SNIFF_OSCORE_OPENED, !broken);
        assert_int_equal(packet.why != NULL, broken);
    }
}

/* ---- form ------------------------------------------------------------------ */

static void test_form(void **state)
{
    (void)state;
    static const struct {
        const char *datagram;
        const char *why; /* NULL: well-formed */
    } rows[] = {
        {"400200019209"
         "14"
         "ff"
         "010203040506070809",
         NULL},
        {"400200019309"
         "1400"
         "ff"
         "0102030405060708",
         "OSCORE ciphertext is shorter than a code and its tag"},
        {"40020001930914"
         "00",
         "OSCORE message without ciphertext"},
        {"4002000190ff"
         "010203040506070809",
         "OSCORE request without kid or Partial IV"},
        {"400200019201"
         "14"
         "ff"
         "010203040506070809",
         "OSCORE request without kid or Partial IV"},
        {"400200019208"
         "14"
         "ff"
         "010203040506070809",
         "OSCORE request without kid or Partial IV"},
        {"40020001920e"
         "14"
         "ff"
         "010203040506070809",
         "OSCORE option breaks its format"},
        {"4002000193"
         "0a0014"
         "ff"
         "010203040506070809",
         "OSCORE option breaks its format"},
        {"400200019249"
         "14"
         "ff"
         "010203040506070809",
         "OSCORE option has flags that have no meaning"},
        {"400200019a09"
         "140102030405060708"
         "ff"
         "010203040506070809",
         "OSCORE option has a kid that is too long for any nonce"},
        {"6044000190ff"
         "010203040506070809",
         NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        restart();
        feed(&sender, &gateway, from_hex(rows[i].datagram));
        expect(LARCH_SNIFF_ALERT_MALFORMED, rows[i].why != NULL);
        if (rows[i].why == NULL) {
            assert_null(packet.why);
        } else {
            assert_non_null(packet.why);
            assert_string_equal(packet.why, rows[i].why);
        }
        (void)json();
    }
    restart();
    feed(&sender, &gateway,
         from_hex("400200019329"
                  "1400"
                  "ff"
                  "010203040506070809"));
    expect(LARCH_SNIFF_ALERT_MALFORMED, 0);
    assert_true(packet.understood && packet.claims.once == NULL && packet.claims.count.name == NULL &&
                !packet.claims.confirms);
    assert_has(line(), "  Group OSCORE, not supported, 9 bytes\n");
    assert_has(json(), "\"oscore\":{\"unsupported\":\"Group OSCORE, not supported\",\"ciphertext_length\":9}}");
}

/* A server is known by its first request; a duplicate says what its option says. */
static void test_port_and_duplicate(void **state)
{
    (void)state;
    larch_peer odd = gateway;
    odd.port = 6000;
    feed(&odd, &sender, from_hex(C7));
    assert_int_equal(packet.kind, LARCH_SNIFF_NOT_COAP);
    for (unsigned i = 0; i < 2; i++) {
        feed(&sender, &odd, from_hex(C5));
        assert_int_equal(packet.kind, LARCH_SNIFF_REQUEST);
        assert_int_equal(packet.duplicate_of, i == 0 ? 0 : 2);
        assert_has(json(), "\"number\":20");
    }
    feed(&odd, &sender, from_hex(C7));
    assert_int_equal(packet.kind, LARCH_SNIFF_RESPONSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_vectors_of_rfc, begin),
        cmocka_unit_test_setup(test_both_ends, begin),
        cmocka_unit_test_setup(test_not_opened, begin),
        cmocka_unit_test_setup(test_longest, begin),
        cmocka_unit_test_setup(test_around, begin),
        cmocka_unit_test_setup(test_form, begin),
        cmocka_unit_test_setup(test_port_and_duplicate, begin),
    };
    return cmocka_run_group_tests(tests, create_all, destroy_all);
}
