/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "all_are.h"
#include "larch/crypto.h"
#include "larch/oscore.h"

#define BUFFER 512

static uint8_t secret[32] = {3, 1, 4, 1, 5, 9, 2, 6};

typedef struct ends {
    larch_oscore_context client, server;
} ends;

/* Keys that no ends before had: the tests use the same numbers again. */
static ends make_ends(int64_t aead, int64_t hash)
{
    ends e;
    secret[31]++;
    larch_oscore_parameters p = {.aead = larch_cose_aead_find(aead),
                                 .hash = hash,
                                 .master_secret = LARCH_BYTES(secret),
                                 .sender_id = LARCH_TEXT("C"),
                                 .recipient_id = LARCH_TEXT("S1")};
    assert_int_equal(larch_oscore_context_init(&e.client, &p), LARCH_OK);
    p.sender_id = LARCH_TEXT("S1");
    p.recipient_id = LARCH_TEXT("C");
    assert_int_equal(larch_oscore_context_init(&e.server, &p), LARCH_OK);
    return e;
}

/* ---- contexts ---------------------------------------------------------------- */

static void test_parameters_refused(void **state)
{
    (void)state;
    larch_oscore_context c;
    const larch_oscore_parameters sound = {.aead = larch_cose_aead_find(LARCH_COSE_A128GCM),
                                           .hash = LARCH_COSE_SHA_256,
                                           .master_secret = LARCH_BYTES(secret),
                                           .sender_id = LARCH_TEXT("123456"),
                                           .recipient_id = LARCH_TEXT("")};
    larch_oscore_parameters p = sound;
    assert_int_equal(larch_oscore_context_init(&c, &p), LARCH_OK);
    p.sender_id = LARCH_TEXT("1234567"); /* one more than GCM's nonce allows */
    assert_int_equal(larch_oscore_context_init(&c, &p), LARCH_STATE);
    p.aead = larch_cose_aead_find(LARCH_COSE_AES_CCM_16_128_128);
    assert_int_equal(larch_oscore_context_init(&c, &p), LARCH_OK);
    p.sender_id = LARCH_TEXT("12345678");
    assert_int_equal(larch_oscore_context_init(&c, &p), LARCH_STATE);
    p = sound;
    p.sender_id = p.recipient_id;
    assert_int_equal(larch_oscore_context_init(&c, &p), LARCH_STATE);
    p = sound;
    p.id_context = LARCH_TEXT("12345678901234567");
    assert_int_equal(larch_oscore_context_init(&c, &p), LARCH_STATE);
    p = sound;
    p.hash = LARCH_COSE_SHAKE256;
    assert_int_equal(larch_oscore_context_init(&c, &p), LARCH_STATE);
    assert_true(all_are((const uint8_t *)&c, sizeof c, 0));
    assert_null(larch_cose_aead_find(2));
}

/* An ID context that is empty is not one that is absent. */
static void test_id_context(void **state)
{
    (void)state;
    larch_oscore_context with, without;
    larch_oscore_parameters p = {.aead = larch_cose_aead_find(LARCH_COSE_AES_CCM_16_64_128),
                                 .hash = LARCH_COSE_SHA_256,
                                 .master_secret = LARCH_BYTES(secret),
                                 .recipient_id = LARCH_TEXT("1")};
    assert_int_equal(larch_oscore_context_init(&without, &p), LARCH_OK);
    p.id_context = LARCH_TEXT("");
    assert_int_equal(larch_oscore_context_init(&with, &p), LARCH_OK);
    assert_memory_not_equal(with.sender_key, without.sender_key, 16);
}

/* ---- the option --------------------------------------------------------------- */

static void test_option_refused(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        larch_error error;
    } rows[] = {
        {"\x00", 1, LARCH_MALFORMED},                         /* nothing, in a form that is not empty */
        {"\x06\x01\x02\x03\x04\x05\x06", 7, LARCH_MALFORMED}, /* reserved lengths */
        {"\x07", 1, LARCH_MALFORMED},
        {"\x01", 1, LARCH_MALFORMED}, /* cut */
        {"\x0d\x01\x02", 3, LARCH_MALFORMED},
        {"\x11\x05", 2, LARCH_MALFORMED},
        {"\x11\x05\x02\x01", 4, LARCH_MALFORMED},
        {"\x01\x05\x00", 3, LARCH_MALFORMED}, /* something behind */
        {"\x02\x00\x05", 3, LARCH_MALFORMED}, /* a leading zero */
        {"\x29\x05\x01", 3, LARCH_STATE},     /* Group OSCORE */
        {"\x89\x01\x05\x01", 4, LARCH_STATE}, /* an extension */
        {"\x49\x05\x01", 3, LARCH_STATE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        larch_oscore_option option;
        memset(&option, 0xaa, sizeof option);
        assert_int_equal(larch_oscore_option_parse((larch_bytes){(const uint8_t *)rows[i].bytes, rows[i].len}, &option),
                         rows[i].error);
        assert_true(all_are((const uint8_t *)&option, sizeof option, 0));
    }
}

/* ---- messages ------------------------------------------------------------------ */

/* A POST with options of each class, of which 65000 is known to nobody. */
static larch_coap_message make_request(uint8_t out[BUFFER], bool observe)
{
    larch_coap_builder b;
    larch_bytes datagram;
    larch_coap_message m;
    larch_coap_build(&b, out, BUFFER, LARCH_COAP_CON, observe ? LARCH_COAP_GET : LARCH_COAP_POST, 0x1234,
                     LARCH_TEXT("token"));
    larch_coap_build_option(&b, LARCH_COAP_OPT_URI_HOST, LARCH_TEXT("host"));
    if (observe)
        larch_coap_build_option_uint(&b, LARCH_COAP_OPT_OBSERVE, 0);
    larch_coap_build_path(&b, "r/name");
    larch_coap_build_option_uint(&b, LARCH_COAP_OPT_CONTENT_FORMAT, 50);
    larch_coap_build_option_uint(&b, LARCH_COAP_OPT_HOP_LIMIT, 7);
    larch_coap_build_option_uint(&b, LARCH_COAP_OPT_BLOCK1, 0x0e);
    larch_coap_build_option(&b, 65000, LARCH_TEXT("what"));
    larch_coap_build_payload(&b, LARCH_TEXT("{\"t\":21.5}"));
    assert_int_equal(larch_coap_build_end(&b, &datagram), LARCH_OK);
    assert_int_equal(larch_coap_parse(datagram, &m), LARCH_OK);
    return m;
}

static bool has(const larch_coap_message *m, uint16_t number)
{
    larch_coap_options options = larch_coap_options_of(m);
    larch_coap_option option;
    while (larch_coap_options_next(&options, &option))
        if (option.number == number)
            return true;
    return false;
}

static larch_error unprotect(const larch_oscore_context *server, larch_bytes datagram, uint8_t *memory, size_t cap,
                             larch_oscore_binding *binding, uint64_t *number, larch_coap_message *outer,
                             larch_coap_message *inner)
{
    larch_oscore_option option;
    larch_bytes value;
    assert_int_equal(larch_coap_parse(datagram, outer), LARCH_OK);
    assert_true(larch_coap_option_find(outer, LARCH_COAP_OPT_OSCORE, &value));
    assert_int_equal(larch_oscore_option_parse(value, &option), LARCH_OK);
    return larch_oscore_unprotect_request(server, &option, outer, (larch_oscore_scratch){memory, cap}, binding, number,
                                          inner);
}

static void test_classes(void **state)
{
    (void)state;
    static const int64_t aeads[] = {LARCH_COSE_AES_CCM_16_64_128, LARCH_COSE_AES_CCM_16_128_128, LARCH_COSE_A128GCM,
                                    LARCH_COSE_A256GCM};
    for (size_t i = 0; i < 8; i++) {
        uint8_t plain[BUFFER], out[BUFFER], scratch[BUFFER], reply[BUFFER];
        const larch_oscore_scratch memory = {scratch, sizeof scratch};
        const bool observe = i >= 4;
        const ends e = make_ends(aeads[i % 4], i % 2 == 0 ? LARCH_COSE_SHA_256 : LARCH_COSE_SHA_384);
        const larch_coap_message m = make_request(plain, observe);
        larch_coap_message outer, inner;
        larch_oscore_binding sent, received;
        larch_bytes datagram;
        uint64_t number, own = 300;
        bool has_number;
        assert_int_equal(
            larch_oscore_protect_request(&e.client, 0x10203, &m, memory, out, sizeof out, &sent, &datagram), LARCH_OK);
        assert_true(all_are(scratch, sizeof scratch, 0));
        assert_int_equal(unprotect(&e.server, datagram, scratch, sizeof scratch, &received, &number, &outer, &inner),
                         LARCH_OK);
        assert_int_equal(number, 0x10203);
        assert_memory_equal(&sent, &received, sizeof sent);
        assert_int_equal(outer.code, observe ? LARCH_COAP_FETCH : LARCH_COAP_POST);
        assert_int_equal(inner.code, m.code);
        assert_true(larch_bytes_equal(inner.payload, m.payload));
        assert_true(larch_bytes_equal(inner.token, m.token));
        assert_int_equal(inner.message_id, m.message_id);
        assert_int_equal(inner.type, m.type);
        static const struct {
            uint16_t number;
            bool out, in;
        } classes[] = {{LARCH_COAP_OPT_URI_HOST, true, false},
                       {LARCH_COAP_OPT_URI_PATH, false, true},
                       {LARCH_COAP_OPT_HOP_LIMIT, true, false},
                       {LARCH_COAP_OPT_BLOCK1, false, true},
                       {65000, false, true},
                       {LARCH_COAP_OPT_CONTENT_FORMAT, false, true}};
        for (size_t k = 0; k < sizeof classes / sizeof classes[0]; k++) {
            assert_int_equal(has(&outer, classes[k].number), classes[k].out);
            assert_int_equal(has(&inner, classes[k].number), classes[k].in);
        }
        assert_int_equal(has(&outer, LARCH_COAP_OPT_OBSERVE), observe);
        assert_int_equal(has(&inner, LARCH_COAP_OPT_OBSERVE), observe);

        /* and a notification, whose inner Observe is empty */
        larch_coap_builder b;
        larch_coap_message response;
        larch_bytes value;
        larch_coap_build(&b, reply, sizeof reply, LARCH_COAP_NON, LARCH_COAP_CONTENT, 1, m.token);
        if (observe)
            larch_coap_build_option_uint(&b, LARCH_COAP_OPT_OBSERVE, 77);
        larch_coap_build_payload(&b, LARCH_TEXT("21.5"));
        assert_int_equal(larch_coap_build_end(&b, &datagram), LARCH_OK);
        assert_int_equal(larch_coap_parse(datagram, &response), LARCH_OK);
        assert_int_equal(larch_oscore_protect_response(&e.server, &received, observe ? &own : NULL, &response, memory,
                                                       out, sizeof out, &datagram),
                         LARCH_OK);
        assert_int_equal(larch_coap_parse(datagram, &outer), LARCH_OK);
        assert_int_equal(outer.code, observe ? LARCH_COAP_CONTENT : LARCH_COAP_CHANGED);
        assert_int_equal(
            larch_oscore_unprotect_response(&e.client, &sent, &outer, memory, &has_number, &number, &inner), LARCH_OK);
        assert_int_equal(has_number, observe);
        assert_int_equal(number, observe ? 300 : 0);
        assert_int_equal(inner.code, LARCH_COAP_CONTENT);
        assert_true(larch_bytes_equal(inner.payload, LARCH_TEXT("21.5")));
        if (observe) {
            assert_true(larch_coap_option_find(&inner, LARCH_COAP_OPT_OBSERVE, &value));
            assert_int_equal(value.len, 0);
        }
        /* a response to another request does not verify */
        sent.partial_iv[0] ^= 1;
        assert_int_equal(
            larch_oscore_unprotect_response(&e.client, &sent, &outer, memory, &has_number, &number, &inner),
            LARCH_AUTH);
        assert_false(has_number);
    }
}

/* Each byte of the protected message that is changed is found, or belongs to what is not protected. */
static void test_every_byte(void **state)
{
    (void)state;
    uint8_t plain[BUFFER], out[BUFFER], scratch[BUFFER], changed[BUFFER];
    const ends e = make_ends(LARCH_COSE_AES_CCM_16_64_128, LARCH_COSE_SHA_256);
    const larch_coap_message m = make_request(plain, false);
    larch_oscore_binding binding;
    larch_bytes datagram;
    assert_int_equal(larch_oscore_protect_request(&e.client, 70000, &m, (larch_oscore_scratch){scratch, sizeof scratch},
                                                  out, sizeof out, &binding, &datagram),
                     LARCH_OK);
    for (size_t at = 0; at < datagram.len; at++)
        for (unsigned bit = 0; bit < 8; bit++) {
            larch_coap_message outer, inner;
            larch_oscore_option option;
            larch_bytes value;
            uint64_t number = 1;
            memcpy(changed, datagram.data, datagram.len);
            changed[at] ^= (uint8_t)(1u << bit);
            if (larch_coap_parse((larch_bytes){changed, datagram.len}, &outer) != LARCH_OK ||
                !larch_coap_option_find(&outer, LARCH_COAP_OPT_OSCORE, &value) ||
                larch_oscore_option_parse(value, &option) != LARCH_OK ||
                !larch_bytes_equal(option.kid, LARCH_TEXT("C")))
                continue;
            const larch_error error = larch_oscore_unprotect_request(
                &e.server, &option, &outer, (larch_oscore_scratch){scratch, sizeof scratch}, &binding, &number, &inner);
            if (error == LARCH_OK) { /* header, token, and options outside */
                assert_true(outer.payload.len == datagram.len - (size_t)(outer.payload.data - changed));
                assert_true(at < (size_t)(outer.payload.data - changed));
                assert_int_equal(number, 70000);
                assert_true(larch_bytes_equal(inner.payload, m.payload));
            } else {
                assert_true(error == LARCH_AUTH || error == LARCH_MALFORMED);
                assert_int_equal(number, 0);
                assert_true(all_are(scratch, sizeof scratch, 0));
                assert_true(all_are((const uint8_t *)&inner, sizeof inner, 0));
            }
        }
}

static void test_every_size_too_small(void **state)
{
    (void)state;
    uint8_t plain[BUFFER], whole[BUFFER], out[BUFFER], scratch[BUFFER];
    const ends e = make_ends(LARCH_COSE_A128GCM, LARCH_COSE_SHA_256);
    const larch_coap_message m = make_request(plain, false);
    larch_oscore_binding binding;
    larch_bytes datagram, again;
    larch_coap_message outer, inner;
    uint64_t number;
    assert_int_equal(larch_oscore_protect_request(&e.client, 1, &m, (larch_oscore_scratch){scratch, sizeof scratch},
                                                  whole, sizeof whole, &binding, &datagram),
                     LARCH_OK);
    for (size_t cap = 0; cap < datagram.len; cap++)
        assert_int_equal(larch_oscore_protect_request(&e.client, 1, &m, (larch_oscore_scratch){scratch, sizeof scratch},
                                                      out, cap, &binding, &again),
                         LARCH_SPACE);
    size_t needed = 0;
    while (larch_oscore_protect_request(&e.client, 1, &m, (larch_oscore_scratch){scratch, needed}, out, sizeof out,
                                        &binding, &again) == LARCH_SPACE)
        needed++;
    assert_true(needed > 20 && needed < datagram.len);
    for (size_t cap = 0; cap < needed; cap++)
        assert_int_equal(unprotect(&e.server, datagram, scratch, cap, &binding, &number, &outer, &inner), LARCH_SPACE);
    assert_int_equal(unprotect(&e.server, datagram, scratch, needed, &binding, &number, &outer, &inner), LARCH_OK);
}

/* What must not be protected is not: it would be lost, or protected twice. */
static void test_not_to_be_protected(void **state)
{
    (void)state;
    static const uint16_t options[] = {LARCH_COAP_OPT_OSCORE, LARCH_COAP_OPT_PROXY_URI};
    const ends e = make_ends(LARCH_COSE_A128GCM, LARCH_COSE_SHA_256);
    for (size_t i = 0; i < 2; i++) {
        uint8_t plain[BUFFER], out[BUFFER], scratch[BUFFER];
        larch_coap_builder b;
        larch_bytes datagram;
        larch_coap_message m;
        larch_oscore_binding binding;
        larch_coap_build(&b, plain, sizeof plain, LARCH_COAP_CON, LARCH_COAP_GET, 1, LARCH_TEXT("t"));
        larch_coap_build_option(&b, options[i], LARCH_TEXT("x"));
        assert_int_equal(larch_coap_build_end(&b, &datagram), LARCH_OK);
        assert_int_equal(larch_coap_parse(datagram, &m), LARCH_OK);
        memset(out, 0xaa, sizeof out);
        assert_int_equal(larch_oscore_protect_request(&e.client, 1, &m, (larch_oscore_scratch){scratch, sizeof scratch},
                                                      out, sizeof out, &binding, &datagram),
                         LARCH_STATE);
        assert_true(all_are(out, sizeof out, 0));
        assert_int_equal(datagram.len, 0);
    }
}

static int start(void **state)
{
    (void)state;
    return larch_crypto_init() == LARCH_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parameters_refused),  cmocka_unit_test(test_id_context),
        cmocka_unit_test(test_option_refused),      cmocka_unit_test(test_classes),
        cmocka_unit_test(test_every_byte),          cmocka_unit_test(test_every_size_too_small),
        cmocka_unit_test(test_not_to_be_protected),
    };
    return cmocka_run_group_tests_name("oscore", tests, start, NULL);
}
