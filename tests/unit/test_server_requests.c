/* SPDX-License-Identifier: Apache-2.0 */
/* What any request to a server may carry: Accept, proxies, filters, groups, and more bytes than it takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "server_bench.h"

static server_bench b;
static larch_peer alice;
static bench_answer answer;
static uint16_t message_id;

static int begin(void **state)
{
    (void)state;
    alice = larch_sim_ipv4(0x0a000001, 40000);
    sb_begin(&b);
    message_id = 1;
    return 0;
}

typedef struct extra {
    uint16_t number;
    const char *value;
} extra;

/* A request with one more option, in its place; number 0: none. */
static larch_bytes compose(uint8_t *out, size_t cap, larch_coap_type type, uint8_t code, const char *path, extra option)
{
    larch_coap_builder build;
    larch_bytes datagram;
    const larch_bytes value = larch_bytes_of_text(option.value != NULL ? option.value : "");
    larch_coap_build(&build, out, cap, type, code, message_id++, LARCH_TEXT("tk"));
    if (option.number != 0 && option.number < LARCH_COAP_OPT_URI_PATH)
        larch_coap_build_option(&build, option.number, value);
    larch_coap_build_path(&build, path);
    if (option.number > LARCH_COAP_OPT_URI_PATH)
        larch_coap_build_option(&build, option.number, value);
    assert_int_equal(larch_coap_build_end(&build, &datagram), LARCH_OK);
    return datagram;
}

/* The code of the answer, which is in answer; 0 if there is none. */
static uint8_t take(bool multicast, larch_bytes datagram)
{
    assert_int_equal(larch_server_receive(&b.srv, b.now_ms, &alice, multicast, datagram), LARCH_OK);
    bench_answer none;
    uint8_t code = 0;
    for (unsigned i = 0; i < 2; i++, b.now_ms += 10000) /* a group is answered after a while */
        if (sb_send(&b, code == 0 ? &answer : &none) == LARCH_OK)
            code = answer.message.code;
    return code;
}

static uint8_t ask(larch_coap_type type, uint8_t code, const char *path, extra option)
{
    uint8_t out[LARCH_COAP_DATAGRAM_MAX];
    return take(false, compose(out, sizeof out, type, code, path, option));
}

static void test_accept(void **state)
{
    (void)state;
    static const struct {
        const char *path, *accept;
        uint8_t code;
    } rows[] = {
        {"shared", "", LARCH_COAP_CONTENT}, /* 0: text/plain, which the services of this test have */
        {"shared", "\x2a", LARCH_COAP_NOT_ACCEPTABLE},
        {"shared", "\x01\x2a", LARCH_COAP_NOT_ACCEPTABLE},
        {"shared", "\xff\xff", LARCH_COAP_NOT_ACCEPTABLE},
        {".well-known/core", "\x28", LARCH_COAP_CONTENT},
        {".well-known/core", "\x32", LARCH_COAP_NOT_ACCEPTABLE},
        {"shared", "\x01\x02\x03", LARCH_COAP_BAD_OPTION}, /* no such length */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(
            ask(LARCH_COAP_CON, LARCH_COAP_GET, rows[i].path, (extra){LARCH_COAP_OPT_ACCEPT, rows[i].accept}),
            rows[i].code);
    /* what is not there, and what does not take the method, is so in every format */
    assert_int_equal(ask(LARCH_COAP_CON, LARCH_COAP_GET, "nowhere", (extra){LARCH_COAP_OPT_ACCEPT, "\x2a"}),
                     LARCH_COAP_NOT_FOUND);
    assert_int_equal(ask(LARCH_COAP_CON, LARCH_COAP_PUT, "shared", (extra){LARCH_COAP_OPT_ACCEPT, "\x2a"}),
                     LARCH_COAP_METHOD_NOT_ALLOWED);
}

static void test_proxies(void **state)
{
    (void)state;
    static const extra options[] = {{LARCH_COAP_OPT_PROXY_URI, "coap://example.com/shared"},
                                    {LARCH_COAP_OPT_PROXY_SCHEME, "coap"}};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(ask(LARCH_COAP_CON, LARCH_COAP_GET, "shared", options[i]), LARCH_COAP_PROXYING_NOT_SUPPORTED);
        assert_int_equal(ask(LARCH_COAP_NON, LARCH_COAP_GET, "shared", options[i]), 0);
    }
    assert_int_equal(ask(LARCH_COAP_CON, LARCH_COAP_GET, "shared", (extra){LARCH_COAP_OPT_IF_NONE_MATCH, ""}),
                     LARCH_COAP_BAD_OPTION);
}

static void test_filters(void **state)
{
    (void)state;
    static const struct {
        const char *query, *links;
    } rows[] = {
        {"rt=t.own", "</a/path/of/its/own>;rt=\"t.own\""},
        {"href=/large", "</large>;rt=\"t.large\""},
        {"rt=t.m*", "</message>;rt=\"t.message\""},
        {"foo=bar", ""},
        {"rt", ""},
        {"href=large", ""},
        {"ct=42", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(
            ask(LARCH_COAP_CON, LARCH_COAP_GET, ".well-known/core", (extra){LARCH_COAP_OPT_URI_QUERY, rows[i].query}),
            LARCH_COAP_CONTENT);
        assert_true(larch_bytes_equal(answer.message.payload, larch_bytes_of_text(rows[i].links)));
    }
}

static void test_groups(void **state)
{
    (void)state;
    uint8_t out[LARCH_COAP_DATAGRAM_MAX];
    static const struct {
        larch_coap_type type;
        uint8_t code;
        const char *path;
        uint8_t answer;
    } rows[] = {
        {LARCH_COAP_NON, LARCH_COAP_GET, ".well-known/core", LARCH_COAP_CONTENT},
        {LARCH_COAP_CON, LARCH_COAP_GET, ".well-known/core", 0},
        {LARCH_COAP_NON, LARCH_COAP_GET, "shared", LARCH_COAP_CONTENT},
        {LARCH_COAP_CON, LARCH_COAP_GET, "shared", 0},
        {LARCH_COAP_CON, LARCH_COAP_GET, "nowhere", 0},
        {LARCH_COAP_NON, LARCH_COAP_GET, "nowhere", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(
            take(true, compose(out, sizeof out, rows[i].type, rows[i].code, rows[i].path, (extra){0, NULL})),
            rows[i].answer);
}

/* One byte more than a datagram may have, as the socket hands it in: cut. */
static void test_too_long(void **state)
{
    (void)state;
    uint8_t out[LARCH_COAP_DATAGRAM_MAX + 1];
    larch_bytes value;
    memset(out, 0x61, sizeof out);
    const larch_bytes head = compose(out, sizeof out, LARCH_COAP_CON, LARCH_COAP_POST, "message", (extra){0, NULL});
    out[head.len] = 0xff;
    assert_int_equal(take(false, (larch_bytes){out, sizeof out}), LARCH_COAP_REQUEST_ENTITY_TOO_LARGE);
    assert_int_equal(answer.message.type, LARCH_COAP_ACK);
    assert_true(larch_bytes_equal(answer.message.token, LARCH_TEXT("tk")));
    assert_true(larch_coap_option_find(&answer.message, LARCH_COAP_OPT_BLOCK1, &value));
    assert_int_equal(b.first.ran, 0);
    assert_int_equal(take(true, (larch_bytes){out, sizeof out}), 0);
    out[0] = 0x52; /* NON */
    assert_int_equal(take(false, (larch_bytes){out, sizeof out}), LARCH_COAP_REQUEST_ENTITY_TOO_LARGE);
    assert_int_equal(answer.message.type, LARCH_COAP_NON);
    memset(out + head.len, 0xee, sizeof out - head.len); /* options without an end */
    assert_int_equal(take(false, (larch_bytes){out, sizeof out}), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_accept, begin),   cmocka_unit_test_setup(test_proxies, begin),
        cmocka_unit_test_setup(test_filters, begin),  cmocka_unit_test_setup(test_groups, begin),
        cmocka_unit_test_setup(test_too_long, begin),
    };
    return cmocka_run_group_tests_name("server_requests", tests, NULL, NULL);
}
