/* SPDX-License-Identifier: Apache-2.0 */
/* A transfer as the pure machine that it is: no endpoint, no peers, no time. What each request looks like, and what each
 * response does; test_coap_client.c plays whole servers against it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "coap_pattern.h"
#include "larch/coap_transfer.h"

#define NO_BLOCK (-1)

static larch_coap_transfer t;
static uint8_t body[4096];
static larch_coap_answer answer;

/* The request that was composed last. */
static uint8_t request_bytes[LARCH_COAP_DATAGRAM_MAX];
static larch_coap_message request;

static void begin(size_t payload_len, size_t body_cap)
{
    const larch_coap_ask ask = {.method = payload_len > 0 ? LARCH_COAP_PUT : LARCH_COAP_FETCH,
                                .path = "a/b",
                                .query = "c=d",
                                .payload = bytes_of(0, payload_len),
                                .content_format = LARCH_COAP_FORMAT_OCTETS};
    memset(body, 0xee, sizeof body);
    assert_int_equal(larch_coap_transfer_begin(&t, &ask, body, body_cap), LARCH_OK);
    assert_int_equal(larch_coap_transfer_method(&t), ask.method);
}

static larch_error compose_into(size_t cap)
{
    larch_coap_builder b;
    larch_bytes datagram;
    larch_coap_build(&b, request_bytes, cap, LARCH_COAP_CON, larch_coap_transfer_method(&t), 7, LARCH_TEXT("tk"));
    larch_error e = larch_coap_transfer_compose_request(&t, &b);
    if (e != LARCH_OK || (e = larch_coap_build_end(&b, &datagram)) != LARCH_OK)
        return e;
    assert_int_equal(larch_coap_parse(datagram, &request), LARCH_OK);
    return LARCH_OK;
}

/* The block option's value as one number, or NO_BLOCK. */
static long block_in(const larch_coap_message *m, uint16_t option)
{
    larch_bytes value;
    uint32_t number;
    if (!larch_coap_option_find(m, option, &value))
        return NO_BLOCK;
    assert_int_equal(larch_coap_option_uint(value, &number), LARCH_OK);
    return number;
}

static long block(uint32_t num, bool more, uint8_t szx)
{
    return (long)larch_coap_block_value((larch_coap_block){num, more, szx});
}

/* The next request has these blocks and len bytes of payload from at on; composing it twice makes no difference. */
static void expect_request(long block1, long block2, size_t at, size_t len)
{
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(compose_into(sizeof request_bytes), LARCH_OK);
        assert_true(larch_coap_path_is(&request, "a/b"));
        assert_int_equal(block_in(&request, LARCH_COAP_OPT_BLOCK1), block1);
        assert_int_equal(block_in(&request, LARCH_COAP_OPT_BLOCK2), block2);
        assert_true(larch_bytes_equal(request.payload, bytes_of(at, len)));
    }
}

typedef struct response {
    uint8_t code;
    const char *etag, *echo;
    long block1, block2, size2, max_age;
    larch_bytes payload;
} response;

#define NOTHING_ELSE .block1 = NO_BLOCK, .block2 = NO_BLOCK, .size2 = NO_BLOCK, .max_age = NO_BLOCK

static larch_error respond(const response *r)
{
    uint8_t bytes[LARCH_COAP_DATAGRAM_MAX];
    larch_coap_builder b;
    larch_bytes datagram;
    larch_coap_message m;
    larch_coap_build(&b, bytes, sizeof bytes, LARCH_COAP_ACK, r->code, 7, LARCH_TEXT("tk"));
    if (r->etag != NULL)
        larch_coap_build_option(&b, LARCH_COAP_OPT_ETAG, (larch_bytes){(const uint8_t *)r->etag, strlen(r->etag)});
    if (r->max_age != NO_BLOCK)
        larch_coap_build_option_uint(&b, LARCH_COAP_OPT_MAX_AGE, (uint32_t)r->max_age);
    if (r->block2 != NO_BLOCK)
        larch_coap_build_option_uint(&b, LARCH_COAP_OPT_BLOCK2, (uint32_t)r->block2);
    if (r->block1 != NO_BLOCK)
        larch_coap_build_option_uint(&b, LARCH_COAP_OPT_BLOCK1, (uint32_t)r->block1);
    if (r->size2 != NO_BLOCK)
        larch_coap_build_option_uint(&b, LARCH_COAP_OPT_SIZE2, (uint32_t)r->size2);
    if (r->echo != NULL)
        larch_coap_build_option(&b, LARCH_COAP_OPT_ECHO, (larch_bytes){(const uint8_t *)r->echo, strlen(r->echo)});
    larch_coap_build_payload(&b, r->payload);
    assert_int_equal(larch_coap_build_end(&b, &datagram), LARCH_OK);
    assert_int_equal(larch_coap_parse(datagram, &m), LARCH_OK);
    larch_error e = larch_coap_transfer_process_response(&t, &m, &answer);
    memset(bytes, 0xdd, sizeof bytes); /* nothing of the answer may stand in the datagram */
    if (e != LARCH_OK)
        assert_true(answer.code == 0 && answer.body.data == NULL && answer.requests == 0);
    return e;
}

static larch_error give_block(uint32_t num, bool more, uint8_t szx, const char *etag)
{
    const size_t size = larch_coap_block_size(szx);
    const response r = {.code = LARCH_COAP_CONTENT,
                        .etag = etag,
                        .block1 = NO_BLOCK,
                        .block2 = block(num, more, szx),
                        .size2 = NO_BLOCK,
                        .payload = bytes_of(num * size, more ? size : size / 2)};
    return respond(&r);
}

static larch_error confirm(uint32_t num, uint8_t szx)
{
    const response r = {
        .code = LARCH_COAP_CONTINUE, .block1 = block(num, true, szx), .block2 = NO_BLOCK, .size2 = NO_BLOCK};
    return respond(&r);
}

/* Over: nothing more comes out, and nothing more goes in. */
static void assert_over(void)
{
    const larch_coap_message m = {.code = LARCH_COAP_CONTENT};
    larch_coap_answer none;
    assert_int_equal(compose_into(sizeof request_bytes), LARCH_STATE);
    assert_int_equal(larch_coap_transfer_process_response(&t, &m, &none), LARCH_STATE);
}

/* ---- */

static void test_nothing_under_way(void **state)
{
    (void)state;
    memset(&t, 0, sizeof t);
    assert_over();
}

static void test_down(void **state)
{
    (void)state;
    begin(0, 2560);
    expect_request(NO_BLOCK, NO_BLOCK, 0, 0);
    assert_int_equal(give_block(0, true, 6, "e"), LARCH_AGAIN);
    expect_request(NO_BLOCK, block(1, false, 6), 0, 0);
    assert_int_equal(give_block(1, true, 6, "e"), LARCH_AGAIN);
    expect_request(NO_BLOCK, block(2, false, 6), 0, 0);
    assert_int_equal(give_block(2, false, 6, "e"), LARCH_OK);
    assert_int_equal(answer.code, LARCH_COAP_CONTENT);
    assert_true(larch_bytes_equal(answer.body, bytes_of(0, 2560)));
    assert_true(larch_bytes_equal(answer.etag, LARCH_TEXT("e")));
    assert_int_equal(answer.requests, 3);
    assert_int_equal(body[2560], 0xee);
    assert_over();

    begin(0, 2559); /* one byte too small */
    assert_int_equal(give_block(0, true, 6, "e"), LARCH_AGAIN);
    assert_int_equal(give_block(1, true, 6, "e"), LARCH_AGAIN);
    assert_int_equal(give_block(2, false, 6, "e"), LARCH_SPACE);
    assert_int_equal(body[2559], 0xee);
    assert_over();
}

static void test_up(void **state)
{
    (void)state;
    const response done = {.code = LARCH_COAP_CHANGED, NOTHING_ELSE, .payload = LARCH_TEXT("OK")};
    begin(2100, 2);
    expect_request(block(0, true, 6), NO_BLOCK, 0, 1024);
    assert_int_equal(block_in(&request, LARCH_COAP_OPT_SIZE1), 2100);
    assert_int_equal(block_in(&request, LARCH_COAP_OPT_CONTENT_FORMAT), LARCH_COAP_FORMAT_OCTETS);
    assert_int_equal(confirm(0, 5), LARCH_AGAIN); /* half of it, please */
    expect_request(block(2, true, 5), NO_BLOCK, 1024, 512);
    assert_int_equal(block_in(&request, LARCH_COAP_OPT_SIZE1), NO_BLOCK);
    assert_int_equal(confirm(2, 5), LARCH_AGAIN);
    expect_request(block(3, true, 5), NO_BLOCK, 1536, 512);
    assert_int_equal(confirm(3, 5), LARCH_AGAIN);
    expect_request(block(4, false, 5), NO_BLOCK, 2048, 52);
    assert_int_equal(respond(&done), LARCH_OK);
    assert_true(larch_bytes_equal(answer.body, LARCH_TEXT("OK")));
    assert_int_equal(answer.requests, 4);
    assert_over();

    begin(2100, 1); /* one byte too small */
    assert_int_equal(confirm(0, 6), LARCH_AGAIN);
    assert_int_equal(confirm(1, 6), LARCH_AGAIN);
    assert_int_equal(respond(&done), LARCH_SPACE);
    assert_over();
}

static void test_both_ways(void **state)
{
    (void)state;
    begin(1500, sizeof body);
    assert_int_equal(confirm(0, 6), LARCH_AGAIN);
    expect_request(block(1, false, 6), NO_BLOCK, 1024, 476);
    const response first = {.code = LARCH_COAP_CHANGED,
                            .block1 = block(1, false, 6),
                            .block2 = block(0, true, 4),
                            .size2 = 384,
                            .payload = bytes_of(0, 256)};
    assert_int_equal(respond(&first), LARCH_AGAIN);
    expect_request(NO_BLOCK, block(1, false, 4), 0, 0);
    assert_int_equal(block_in(&request, LARCH_COAP_OPT_CONTENT_FORMAT), NO_BLOCK);
    assert_int_equal(give_block(1, false, 4, NULL), LARCH_OK);
    assert_true(larch_bytes_equal(answer.body, bytes_of(0, 384)));
    assert_over();
}

static void test_restart(void **state)
{
    (void)state;
    begin(0, sizeof body);
    assert_int_equal(give_block(0, true, 6, "old"), LARCH_AGAIN);
    assert_int_equal(give_block(1, true, 6, "new"), LARCH_AGAIN);
    expect_request(NO_BLOCK, NO_BLOCK, 0, 0); /* from the beginning */
    assert_int_equal(give_block(0, true, 6, "new"), LARCH_AGAIN);
    assert_int_equal(give_block(1, false, 6, "new"), LARCH_OK);
    assert_true(larch_bytes_equal(answer.body, bytes_of(0, 1536)));
    assert_int_equal(answer.requests, 4);

    begin(0, sizeof body);
    assert_int_equal(give_block(0, true, 6, "old"), LARCH_AGAIN);
    assert_int_equal(give_block(1, true, 6, "new"), LARCH_AGAIN);
    assert_int_equal(give_block(0, true, 6, "new"), LARCH_AGAIN);
    assert_int_equal(give_block(1, true, 6, "newer"), LARCH_MALFORMED); /* once is enough */
    assert_over();

    begin(10, sizeof body); /* a payload would take effect again */
    assert_int_equal(give_block(0, true, 6, "old"), LARCH_AGAIN);
    assert_int_equal(give_block(1, true, 6, "new"), LARCH_MALFORMED);
    assert_over();
}

static void test_echo(void **state)
{
    (void)state;
    larch_bytes value;
    const response challenge = {.code = LARCH_COAP_UNAUTHORIZED, .echo = "are you there", NOTHING_ELSE};
    const response sound = {.code = LARCH_COAP_CONTENT, .echo = "next time", NOTHING_ELSE};
    begin(0, sizeof body);
    assert_int_equal(respond(&challenge), LARCH_AGAIN);
    expect_request(NO_BLOCK, NO_BLOCK, 0, 0);
    assert_true(larch_coap_option_find(&request, LARCH_COAP_OPT_ECHO, &value));
    assert_true(larch_bytes_equal(value, LARCH_TEXT("are you there")));
    assert_int_equal(respond(&sound), LARCH_OK);
    assert_true(larch_bytes_equal(answer.echo, LARCH_TEXT("next time")));

    /* The view that one transfer gave begins the next. */
    larch_coap_ask ask = {.method = LARCH_COAP_GET, .path = "a/b", .content_format = 0xffff, .echo = answer.echo};
    assert_int_equal(larch_coap_transfer_begin(&t, &ask, body, sizeof body), LARCH_OK);
    expect_request(NO_BLOCK, NO_BLOCK, 0, 0);
    assert_true(larch_coap_option_find(&request, LARCH_COAP_OPT_ECHO, &value));
    assert_true(larch_bytes_equal(value, LARCH_TEXT("next time")));
    assert_int_equal(respond(&challenge), LARCH_AGAIN);
    assert_int_equal(respond(&challenge), LARCH_OK); /* twice is an answer */
    assert_int_equal(answer.code, LARCH_COAP_UNAUTHORIZED);
    assert_over();

    uint8_t echo[41] = {0};
    ask.echo = LARCH_BYTES(echo);
    assert_int_equal(larch_coap_transfer_begin(&t, &ask, body, sizeof body), LARCH_SPACE);
    assert_over();
    ask.echo.len = 40;
    assert_int_equal(larch_coap_transfer_begin(&t, &ask, body, sizeof body), LARCH_OK);
}

/* What ends a transfer after one block has come down. */
static void test_errors(void **state)
{
    (void)state;
    const struct {
        const char *what;
        response r;
        larch_error error;
    } rows[] = {
        {"an error is an answer", {.code = LARCH_COAP_NOT_FOUND, NOTHING_ELSE, .payload = LARCH_TEXT("no")}, LARCH_OK},
        {"no Block2", {.code = LARCH_COAP_CONTENT, NOTHING_ELSE, .payload = LARCH_TEXT("x")}, LARCH_MALFORMED},
        {"the reserved size",
         {.code = LARCH_COAP_CONTENT, .block1 = NO_BLOCK, .block2 = 1 << 4 | 7, .size2 = NO_BLOCK},
         LARCH_MALFORMED},
        {"the same block again",
         {.code = LARCH_COAP_CONTENT, .block1 = NO_BLOCK, .block2 = 0 << 4 | 5, .size2 = NO_BLOCK},
         LARCH_MALFORMED},
        {"the block after",
         {.code = LARCH_COAP_CONTENT, .block1 = NO_BLOCK, .block2 = 2 << 4 | 5, .size2 = NO_BLOCK},
         LARCH_MALFORMED},
        {"a larger size",
         {.code = LARCH_COAP_CONTENT, .block1 = NO_BLOCK, .block2 = 0 << 4 | 6, .size2 = NO_BLOCK},
         LARCH_MALFORMED},
        {"more, and yet short",
         {.code = LARCH_COAP_CONTENT,
          .block1 = NO_BLOCK,
          .block2 = 1 << 4 | 8 | 5,
          .size2 = NO_BLOCK,
          .payload = bytes_of(512, 511)},
         LARCH_MALFORMED},
        {"longer than its size",
         {.code = LARCH_COAP_CONTENT,
          .block1 = NO_BLOCK,
          .block2 = 1 << 4 | 5,
          .size2 = NO_BLOCK,
          .payload = bytes_of(512, 513)},
         LARCH_MALFORMED},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        begin(0, sizeof body);
        assert_int_equal(give_block(0, true, 5, NULL), LARCH_AGAIN);
        larch_error e = respond(&rows[i].r);
        if (e != rows[i].error)
            print_error("%s\n", rows[i].what);
        assert_int_equal(e, rows[i].error);
        if (e == LARCH_OK)
            assert_true(larch_bytes_equal(answer.body, rows[i].r.payload)); /* nothing of the block before it */
        assert_over();
    }
    /* Announced at once as too large. */
    const response huge = {
        .code = LARCH_COAP_CONTENT, .block1 = NO_BLOCK, .block2 = 8 | 4, .size2 = 1001, .payload = bytes_of(0, 256)};
    begin(0, 1000);
    assert_int_equal(respond(&huge), LARCH_SPACE);
    assert_int_equal(body[0], 0xee);
    assert_over();
    begin(0, 1001);
    assert_int_equal(respond(&huge), LARCH_AGAIN);
}

/* A datagram one byte too small is the builder's error, and the transfer can be asked again. */
static void test_small_datagram(void **state)
{
    (void)state;
    begin(100, sizeof body);
    size_t need = 0;
    while (compose_into(need) == LARCH_SPACE)
        need++;
    /* Header and token; Uri-Path twice, Content-Format, Uri-Query; marker and payload. */
    assert_int_equal(need, 4 + 2 + 2 * 2 + 2 + 4 + 1 + 100);
    const response done = {.code = LARCH_COAP_CHANGED, NOTHING_ELSE};
    assert_int_equal(respond(&done), LARCH_OK);
}

/* Beginning anew leaves nothing of a transfer under way. */
static void test_begin_again(void **state)
{
    (void)state;
    begin(2100, sizeof body);
    assert_int_equal(confirm(0, 2), LARCH_AGAIN);
    begin(0, sizeof body);
    expect_request(NO_BLOCK, NO_BLOCK, 0, 0);
    assert_int_equal(give_block(0, false, 6, NULL), LARCH_OK);
    assert_int_equal(answer.requests, 1);
}

/* How long an answer holds, or a server asks to be left alone. */
static void test_max_age(void **state)
{
    (void)state;
    static const struct {
        long given;
        uint32_t max_age_s;
    } rows[] = {{NO_BLOCK, 60}, {0, 0}, {1, 1}, {300, 300}, {0xffffffff, 0xffffffff}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        response later = {LARCH_COAP_SERVICE_UNAVAILABLE, NOTHING_ELSE};
        later.max_age = rows[i].given;
        begin(0, sizeof body);
        assert_int_equal(respond(&later), LARCH_OK);
        assert_int_equal(answer.max_age_s, rows[i].max_age_s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_under_way),
        cmocka_unit_test(test_down),
        cmocka_unit_test(test_up),
        cmocka_unit_test(test_both_ways),
        cmocka_unit_test(test_restart),
        cmocka_unit_test(test_echo),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_small_datagram),
        cmocka_unit_test(test_begin_again),
        cmocka_unit_test(test_max_age),
    };
    return cmocka_run_group_tests(tests, fill_pattern, NULL);
}
