/* SPDX-License-Identifier: Apache-2.0 */
/* OSCORE against RFC 8613: the option's examples in 6.3, and all of appendix C. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "larch/crypto.h"
#include "larch/oscore.h"
#include "vectors/vectors.h"

static vectors v;

typedef struct bytes {
    uint8_t at[256];
    larch_bytes view;
} bytes;

/* The value of a key; absent: data is NULL. */
static larch_bytes read_into(bytes *b, const char *key)
{
    b->view = (larch_bytes){NULL, 0};
    if (vectors_has(&v, key)) {
        b->view = vectors_hex(&v, key, b->at, sizeof b->at);
        b->view.data = b->at;
    }
    return b->view;
}

static void assert_bytes(larch_bytes got, const char *key)
{
    bytes expected;
    read_into(&expected, key);
    assert_int_equal(got.len, expected.view.len);
    if (got.len > 0)
        assert_memory_equal(got.data, expected.at, got.len);
}

/* ---- 6.3 ------------------------------------------------------------------ */

static void test_option(void **state)
{
    (void)state;
    vectors_open(&v, "rfc/rfc8613_compression.txt");
    while (vectors_next(&v)) {
        bytes option, kid, partial_iv, kid_context;
        uint8_t out[64];
        larch_oscore_option parsed;
        larch_writer w = larch_writer_to(out, sizeof out);
        assert_int_equal(larch_oscore_option_parse(read_into(&option, "option"), &parsed), LARCH_OK);
        assert_int_equal(parsed.kid.data != NULL, read_into(&kid, "kid").data != NULL);
        assert_bytes(parsed.kid, "kid");
        assert_int_equal(parsed.partial_iv.data != NULL, read_into(&partial_iv, "partial_iv").data != NULL);
        assert_bytes(parsed.partial_iv, "partial_iv");
        assert_int_equal(parsed.kid_context.data != NULL, read_into(&kid_context, "kid_context").data != NULL);
        assert_bytes(parsed.kid_context, "kid_context");
        larch_oscore_option_put(&w, &parsed);
        assert_bytes((larch_bytes){out, w.len}, "option");
    }
    vectors_close(&v);
}

/* ---- C.1 to C.3 ------------------------------------------------------------- */

static void make_context(larch_oscore_context *context)
{
    bytes secret, salt, sender, recipient, id_context;
    const larch_oscore_parameters p = {
        .aead = larch_cose_aead_find(LARCH_COSE_AES_CCM_16_64_128),
        .hash = LARCH_COSE_SHA_256,
        .master_secret = read_into(&secret, "master_secret"),
        .master_salt = read_into(&salt, "master_salt"),
        .sender_id = read_into(&sender, "sender_id"),
        .recipient_id = read_into(&recipient, "recipient_id"),
        .id_context = read_into(&id_context, "id_context"),
    };
    assert_int_equal(larch_oscore_context_init(context, &p), LARCH_OK);
}

static void test_keys(void **state)
{
    (void)state;
    vectors_open(&v, "rfc/rfc8613_keys.txt");
    while (vectors_next(&v)) {
        larch_oscore_context context;
        make_context(&context);
        assert_bytes((larch_bytes){context.sender_key, 16}, "sender_key");
        assert_bytes((larch_bytes){context.recipient_key, 16}, "recipient_key");
        assert_bytes((larch_bytes){context.common_iv, 13}, "common_iv");
    }
    vectors_close(&v);
}

/* ---- C.4 to C.8 -------------------------------------------------------------- */

/* The contexts of a section, both ends: C.4, C.7 and C.8 use that of C.1, C.5 that of C.2, C.6 that of C.3. */
static void make_ends(const char *section, larch_oscore_context *client, larch_oscore_context *server)
{
    static const uint8_t secret[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    static const uint8_t salt[] = {0x9e, 0x7c, 0xa9, 0x22, 0x23, 0x78, 0x63, 0x40};
    static const uint8_t id_context[] = {0x37, 0xcb, 0xf3, 0x21, 0x00, 0x17, 0xa2, 0xd3};
    static const uint8_t zero[] = {0}, one[] = {1};
    const bool is_c5 = strcmp(section, "C.5") == 0;
    larch_oscore_parameters p = {
        .aead = larch_cose_aead_find(LARCH_COSE_AES_CCM_16_64_128),
        .hash = LARCH_COSE_SHA_256,
        .master_secret = LARCH_BYTES(secret),
        .sender_id = is_c5 ? LARCH_BYTES(zero) : (larch_bytes){NULL, 0},
        .recipient_id = LARCH_BYTES(one),
    };
    if (!is_c5)
        p.master_salt = LARCH_BYTES(salt);
    if (strcmp(section, "C.6") == 0)
        p.id_context = LARCH_BYTES(id_context);
    assert_int_equal(larch_oscore_context_init(client, &p), LARCH_OK);
    const larch_bytes sender = p.sender_id;
    p.sender_id = p.recipient_id;
    p.recipient_id = sender;
    assert_int_equal(larch_oscore_context_init(server, &p), LARCH_OK);
}

static void assert_same_message(const larch_coap_message *got, const larch_coap_message *expected)
{
    larch_coap_options a = larch_coap_options_of(got), b = larch_coap_options_of(expected);
    larch_coap_option one, other;
    assert_int_equal(got->code, expected->code);
    assert_int_equal(got->type, expected->type);
    assert_int_equal(got->message_id, expected->message_id);
    assert_true(larch_bytes_equal(got->token, expected->token));
    assert_true(larch_bytes_equal(got->payload, expected->payload));
    while (larch_coap_options_next(&b, &other)) {
        if (other.number == LARCH_COAP_OPT_URI_HOST) /* stays outside */
            continue;
        assert_true(larch_coap_options_next(&a, &one));
        assert_int_equal(one.number, other.number);
        assert_true(larch_bytes_equal(one.value, other.value));
    }
    assert_false(larch_coap_options_next(&a, &one));
}

static void test_messages(void **state)
{
    (void)state;
    larch_oscore_context client, server;
    larch_oscore_binding binding = {0}, bound;
    unsigned requests = 0, responses = 0;
    vectors_open(&v, "rfc/rfc8613_messages.txt");
    while (vectors_next(&v)) {
        bytes plain, expected;
        uint8_t out[256], scratch[256];
        const larch_oscore_scratch memory = {scratch, sizeof scratch};
        larch_coap_message message, outer, inner;
        larch_oscore_option option;
        larch_bytes datagram, value;
        uint64_t number;
        make_ends(vectors_text(&v, "section"), &client, &server);
        assert_int_equal(larch_coap_parse(read_into(&plain, "unprotected"), &message), LARCH_OK);
        read_into(&expected, "protected");
        if (LARCH_COAP_CLASS(message.code) == 0) {
            assert_int_equal(larch_oscore_protect_request(&client, vectors_number(&v, "sender_sequence_number"),
                                                          &message, memory, out, sizeof out, &bound, &datagram),
                             LARCH_OK);
            assert_bytes(datagram, "protected");
            assert_int_equal(larch_coap_parse(datagram, &outer), LARCH_OK);
            assert_true(larch_coap_option_find(&outer, LARCH_COAP_OPT_OSCORE, &value));
            assert_int_equal(larch_oscore_option_parse(value, &option), LARCH_OK);
            assert_int_equal(larch_oscore_unprotect_request(&server, &option, &outer, memory, &bound, &number, &inner),
                             LARCH_OK);
            assert_int_equal(number, 20);
            if (strcmp(vectors_text(&v, "section"), "C.4") == 0)
                binding = bound;
            requests++;
        } else {
            bool has_number;
            bytes piv;
            const uint64_t own = 0;
            const bool with_number = read_into(&piv, "partial_iv").data != NULL;
            assert_int_equal(larch_oscore_protect_response(&server, &binding, with_number ? &own : NULL, &message,
                                                           memory, out, sizeof out, &datagram),
                             LARCH_OK);
            assert_bytes(datagram, "protected");
            assert_int_equal(larch_coap_parse(datagram, &outer), LARCH_OK);
            assert_int_equal(
                larch_oscore_unprotect_response(&client, &binding, &outer, memory, &has_number, &number, &inner),
                LARCH_OK);
            assert_int_equal(has_number, with_number);
            responses++;
        }
        assert_same_message(&inner, &message);
    }
    vectors_close(&v);
    assert_int_equal(requests, 3);
    assert_int_equal(responses, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_option), cmocka_unit_test(test_keys),
                                       cmocka_unit_test(test_messages)};
    if (larch_crypto_init() != LARCH_OK)
        return 1;
    return cmocka_run_group_tests_name("oscore", tests, NULL, NULL);
}
