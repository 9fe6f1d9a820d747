/* SPDX-License-Identifier: Apache-2.0 */
/* The gateway's answers, datagram by datagram. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "gateway_bench.h"

static bench b;
static bench_answer answer;
static larch_peer sender;

static int begin(void **state)
{
    (void)state;
    bench_begin(&b, 1, BENCH_MARKS);
    sender = larch_sim_ipv4(0x0a000001, 40000);
    return 0;
}

static int end(void **state)
{
    (void)state;
    bench_end(&b);
    return 0;
}

static void assert_answer(uint8_t code, const char *text)
{
    if (!bench_answers(&answer, code, text))
        print_error("wanted %s, got %s with %zu bytes\n", text, larch_coap_code_text(answer.message.code),
                    answer.message.payload.len);
    assert_true(bench_answers(&answer, code, text));
}

/* ---- paths, methods, options ------------------------------------------- */

typedef struct answer_row {
    const char *what;
    bench_ask ask;
    uint8_t code;
    const char *text; /* NULL: not looked at */
} answer_row;

#define GET  .code = LARCH_COAP_GET
#define POST .code = LARCH_COAP_POST

static const answer_row answer_rows[] = {
    {"list",
     {GET, .path = ".well-known/core"},
     LARCH_COAP_CONTENT,
     "</pqkem-pk>;rt=\"larch.key\",</pqkem-data>;rt=\"larch.sealed\",</pqkem-next>;rt=\"larch.next\","
     "</pqkem-root>;rt=\"larch.root\""},
    {"list by type",
     {GET, .path = ".well-known/core", .query = "rt=larch.key"},
     LARCH_COAP_CONTENT,
     "</pqkem-pk>;rt=\"larch.key\""},
    {"list by beginning",
     {GET, .path = ".well-known/core", .query = "href=/pqkem-d*"},
     LARCH_COAP_CONTENT,
     "</pqkem-data>;rt=\"larch.sealed\""},
    {"list of nothing", {GET, .path = ".well-known/core", .query = "rt=other"}, LARCH_COAP_CONTENT, ""},
    {"list, filter without a slash",
     {GET, .path = ".well-known/core", .query = "href=pqkem-pk"},
     LARCH_COAP_CONTENT,
     ""},
    {"root", {GET, .path = ""}, LARCH_COAP_NOT_FOUND, ""},
    {"unknown path", {GET, .path = "pqkem"}, LARCH_COAP_NOT_FOUND, ""},
    {"longer path", {GET, .path = "pqkem-pk/x"}, LARCH_COAP_NOT_FOUND, ""},
    {"list is read only", {POST, .path = ".well-known/core"}, LARCH_COAP_METHOD_NOT_ALLOWED, ""},
    {"data is write only", {GET, .path = "pqkem-data"}, LARCH_COAP_METHOD_NOT_ALLOWED, ""},
    {"next is write only", {GET, .path = "pqkem-next"}, LARCH_COAP_METHOD_NOT_ALLOWED, ""},
    {"put", {.code = LARCH_COAP_PUT, .path = "pqkem-pk"}, LARCH_COAP_METHOD_NOT_ALLOWED, ""},
    {"delete", {.code = LARCH_COAP_DELETE, .path = "pqkem-data"}, LARCH_COAP_METHOD_NOT_ALLOWED, ""},
    {"method without a name", {.code = 31, .path = "pqkem-data"}, LARCH_COAP_METHOD_NOT_ALLOWED, ""},
    {"critical option", {GET, .path = "pqkem-pk", .extra = 65001}, LARCH_COAP_BAD_OPTION, NULL},
    {"proxy", {GET, .path = "pqkem-pk", .extra = 39}, LARCH_COAP_PROXYING_NOT_SUPPORTED, NULL},
    {"elective option", {GET, .path = "pqkem-pk", .extra = 65000}, LARCH_COAP_CONTENT, NULL},
    {"key, octets", {GET, .path = "pqkem-pk", .has_accept = true, .accept = 42}, LARCH_COAP_CONTENT, NULL},
    {"key as text", {GET, .path = "pqkem-pk", .has_accept = true, .accept = 0}, LARCH_COAP_NOT_ACCEPTABLE, ""},
    {"key as CBOR", {POST, .path = "pqkem-pk", .has_accept = true, .accept = 60}, LARCH_COAP_NOT_ACCEPTABLE, ""},
    {"kem=512", {GET, .path = "pqkem-pk", .query = "kem=512"}, LARCH_COAP_CONTENT, NULL},
    {"kem=999", {GET, .path = "pqkem-pk", .query = "kem=999"}, LARCH_COAP_BAD_REQUEST, "kem: 512, 768, 1024 or xwing"},
    {"kem=", {GET, .path = "pqkem-pk", .query = "kem="}, LARCH_COAP_BAD_REQUEST, "kem: 512, 768, 1024 or xwing"},
    {"kem=512x",
     {GET, .path = "pqkem-pk", .query = "kem=512x"},
     LARCH_COAP_BAD_REQUEST,
     "kem: 512, 768, 1024 or xwing"},
    {"kem wraps",
     {GET, .path = "pqkem-pk", .query = "kem=4294967808"},
     LARCH_COAP_BAD_REQUEST,
     "kem: 512, 768, 1024 or xwing"},
    {"kem is negative",
     {GET, .path = "pqkem-pk", .query = "kem=-512"},
     LARCH_COAP_BAD_REQUEST,
     "kem: 512, 768, 1024 or xwing"},
    {"POST kem=999",
     {POST, .path = "pqkem-pk", .query = "kem=999"},
     LARCH_COAP_BAD_REQUEST,
     "kem: 512, 768, 1024 or xwing"},
    {"POST with payload",
     {POST, .path = "pqkem-pk", .payload = {(const uint8_t *)"x", 1}},
     LARCH_COAP_BAD_REQUEST,
     "no payload expected"},
    {"block past the end",
     {GET, .path = "pqkem-pk", .has_block2 = true, .block2 = {1, false, 6}},
     LARCH_COAP_BAD_REQUEST,
     "no such block"},
    {"list past its end",
     {GET, .path = ".well-known/core", .has_block2 = true, .block2 = {9, false, 6}},
     LARCH_COAP_BAD_REQUEST,
     "no such block"},
    {"data, empty", {POST, .path = "pqkem-data"}, LARCH_COAP_BAD_REQUEST, "BAD_LEN"},
    {"next, empty", {POST, .path = "pqkem-next"}, LARCH_COAP_BAD_REQUEST, "BAD_LEN"},
    {"data, block out of nowhere",
     {POST, .path = "pqkem-data", .has_block1 = true, .block1 = {3, false, 6}, .payload = {(const uint8_t *)"x", 1}},
     LARCH_COAP_REQUEST_ENTITY_INCOMPLETE,
     ""},
    {"data, block that lies",
     {POST, .path = "pqkem-data", .has_block1 = true, .block1 = {0, true, 6}, .payload = {(const uint8_t *)"x", 1}},
     LARCH_COAP_BAD_REQUEST,
     ""},
};

static void test_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof answer_rows / sizeof answer_rows[0]; i++)
        for (unsigned type = LARCH_COAP_CON; type <= LARCH_COAP_NON; type++) {
            const answer_row *row = &answer_rows[i];
            bench_ask ask = row->ask;
            ask.type = (larch_coap_type)type;
            ask.token = LARCH_TEXT("token");
            ask.message_id = (uint16_t)(2 * i + type);
            bench_say(&b, &sender, false, &ask, &answer);
            const bool is_option = row->code == LARCH_COAP_BAD_OPTION || row->code == LARCH_COAP_PROXYING_NOT_SUPPORTED;
            if (is_option && type == LARCH_COAP_NON) {
                assert_false(answer.any); /* [RFC7252 5.4.1] */
                continue;
            }
            if (!answer.any || answer.message.code != row->code)
                print_error("row: %s\n", row->what);
            assert_int_equal(answer.message.code, row->code);
            assert_int_equal(answer.message.type, type == LARCH_COAP_CON ? LARCH_COAP_ACK : LARCH_COAP_NON);
            assert_int_equal(answer.message.message_id, ask.message_id);
            assert_true(larch_bytes_equal(answer.message.token, ask.token));
            assert_true(larch_peer_equal(&answer.peer, &sender));
            if (row->text != NULL)
                assert_answer(row->code, row->text);
        }
    assert_int_equal(b.told[LARCH_EVENT_ACCEPTED], 0);
}

/* ---- /pqkem-pk --------------------------------------------------------- */

static void test_key(void **state)
{
    (void)state;
    larch_bytes value;
    uint32_t format;
    const uint8_t *hash;
    const larch_bytes ek = larch_gateway_key_of(&b.gw, larch_kem_find(512), NULL, &hash);
    bench_ask ask = {GET, .message_id = 1, .token = LARCH_TEXT("t"), .path = "pqkem-pk"};

    bench_say(&b, &sender, false, &ask, &answer);
    assert_int_equal(answer.message.code, LARCH_COAP_CONTENT);
    assert_true(larch_bytes_equal(answer.message.payload, ek));
    assert_int_equal(ek.len, 800);
    uint8_t digest[32];
    assert_int_equal(larch_sha256(&ek, 1, digest), LARCH_OK);
    assert_memory_equal(digest, hash, 32);
    assert_true(larch_coap_option_find(&answer.message, LARCH_COAP_OPT_ETAG, &value));
    assert_true(larch_bytes_equal(value, (larch_bytes){digest, 8}));
    assert_true(larch_coap_option_find(&answer.message, LARCH_COAP_OPT_CONTENT_FORMAT, &value));
    assert_int_equal(larch_coap_option_uint(value, &format), LARCH_OK);
    assert_int_equal(format, 42);
    assert_false(larch_coap_option_find(&answer.message, LARCH_COAP_OPT_BLOCK2, &value));

    /* Known already: no key again. Another ETag, or a POST, gets it. */
    ask = (bench_ask){GET, .message_id = 2, .path = "pqkem-pk", .etag = {digest, 8}};
    bench_say(&b, &sender, false, &ask, &answer);
    assert_answer(LARCH_COAP_VALID, "");
    assert_true(larch_coap_option_find(&answer.message, LARCH_COAP_OPT_ETAG, &value));
    ask.etag.len = 7;
    ask.message_id = 3;
    bench_say(&b, &sender, false, &ask, &answer);
    assert_int_equal(answer.message.code, LARCH_COAP_CONTENT);
    ask = (bench_ask){POST, .message_id = 4, .path = "pqkem-pk", .etag = {digest, 8}};
    bench_say(&b, &sender, false, &ask, &answer);
    assert_int_equal(answer.message.code, LARCH_COAP_CHANGED);
    assert_true(larch_bytes_equal(answer.message.payload, ek));
}

/* The option by which a prototype knows its answer, for nobody else. */
static void test_key_for_a_prototype(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        larch_bytes value;
        bool post = (i & 1) != 0, token = (i & 2) != 0;
        const bench_ask ask = {.type = (i & 4) != 0 ? LARCH_COAP_NON : LARCH_COAP_CON,
                               .code = post ? LARCH_COAP_POST : LARCH_COAP_GET,
                               .message_id = (uint16_t)i,
                               .token = {(const uint8_t *)"t", token},
                               .path = "pqkem-pk"};
        bench_say(&b, &sender, false, &ask, &answer);
        assert_int_equal(answer.message.payload.len, 800);
        assert_int_equal(larch_coap_option_find(&answer.message, LARCH_COAP_OPT_URI_PATH, &value), post && !token);
        assert_int_equal(larch_coap_path_is(&answer.message, "pqkem-pk"), post && !token);
    }
}

static void test_key_in_blocks(void **state)
{
    (void)state;
    uint16_t message_id = 0;
    static const char *const queries[] = {"kem=512", "kem=768", "kem=1024"};
    for (size_t set = 0; set < LARCH_DIRECT_SETS; set++)
        for (uint8_t szx = 2; szx <= 6; szx++) {
            const larch_kem *kem = larch_kem_at(set);
            const larch_bytes ek = larch_gateway_key_of(&b.gw, kem, NULL, NULL);
            size_t size = larch_coap_block_size(szx), got = 0;
            for (uint32_t num = 0; got < ek.len; num++) {
                const bench_ask ask = {GET,
                                       .message_id = message_id,
                                       .path = "pqkem-pk",
                                       .query = queries[set],
                                       .has_block2 = true,
                                       .block2 = {num, false, szx}};
                larch_bytes value;
                larch_coap_block block;
                message_id++;
                b.now_ms += 100; /* the buckets of an address that is not proven */
                bench_say(&b, &sender, false, &ask, &answer);
                assert_int_equal(answer.message.code, LARCH_COAP_CONTENT);
                assert_true(larch_coap_option_find(&answer.message, LARCH_COAP_OPT_BLOCK2, &value));
                assert_int_equal(larch_coap_block_parse(value, &block), LARCH_OK);
                assert_int_equal(block.num, num);
                assert_int_equal(block.more, got + size < ek.len);
                assert_memory_equal(answer.message.payload.data, ek.data + got, answer.message.payload.len);
                got += answer.message.payload.len;
            }
            assert_int_equal(got, ek.len);
        }
}

/* ---- /pqkem-data ------------------------------------------------------- */

static void test_accepted_once(void **state)
{
    (void)state;
    bench_sealed sealed;
    bench_answer first;
    bench_seal(&b, larch_kem_find(512), LARCH_TEXT("Hello"), &sealed);
    bench_post(&b, &sender, 7, &sealed, &answer);
    assert_answer(LARCH_COAP_CHANGED, "OK");
    assert_int_equal(b.told[LARCH_EVENT_ACCEPTED], 1);
    assert_true(larch_bytes_equal(b.message.text, LARCH_TEXT("Hello")));
    assert_true(larch_peer_equal(&b.message.peer, &sender));
    assert_string_equal(b.message.kem->name, "ML-KEM-512");
    first = answer;

    /* The same datagram again: the same bytes again, and no word of it. */
    for (unsigned i = 0; i < 3; i++) {
        bench_post(&b, &sender, 7, &sealed, &answer);
        assert_int_equal(answer.len, first.len);
        assert_memory_equal(answer.bytes, first.bytes, first.len);
    }
    assert_int_equal(b.told[LARCH_EVENT_REPLAY], 0);

    /* Under another message ID, from another address, after a restart. */
    const larch_peer other = larch_sim_ipv4(0x0a000002, 40000);
    bench_post(&b, &sender, 8, &sealed, &answer);
    assert_answer(LARCH_COAP_UNAUTHORIZED, "REPLAY");
    bench_post(&b, &other, 7, &sealed, &answer);
    assert_answer(LARCH_COAP_UNAUTHORIZED, "REPLAY");
    larch_gateway_wipe(&b.gw);
    assert_int_equal(bench_start(&b), LARCH_OK);
    bench_post(&b, &sender, 7, &sealed, &answer);
    assert_answer(LARCH_COAP_UNAUTHORIZED, "REPLAY");
    assert_int_equal(b.told[LARCH_EVENT_REPLAY], 3);
    assert_int_equal(b.told[LARCH_EVENT_ACCEPTED], 1);

    /* Other text under the same ciphertext and nonce cannot be had, and is the same message. */
    sealed.bytes[sealed.len - 1] ^= 1;
    bench_post(&b, &sender, 9, &sealed, &answer);
    assert_answer(LARCH_COAP_UNAUTHORIZED, "REPLAY");
}

typedef struct refusal_row {
    const char *what;
    size_t at;
    uint8_t flip;
    size_t cut; /* bytes less at the end */
    const char *text;
    larch_event_kind reason;
} refusal_row;

static void test_refused(void **state)
{
    (void)state;
    static const refusal_row rows[] = {
        {"type", 0, 1, 0, "BAD_TYPE", LARCH_EVENT_MALFORMED},
        {"reserved", 1, 1, 0, "BAD_TYPE", LARCH_EVENT_MALFORMED},
        {"C", 2, 1, 0, "BAD_CT", LARCH_EVENT_MALFORMED},
        {"L", 4, 1, 0, "BAD_LEN", LARCH_EVENT_MALFORMED},
        {"L far", 5, 0x80, 0, "BAD_TEXTLEN", LARCH_EVENT_MALFORMED},
        {"cut", 0, 0, 1, "BAD_LEN", LARCH_EVENT_MALFORMED},
        {"cut to the header", 0, 0, 5 + 16 + 768, "BAD_LEN", LARCH_EVENT_MALFORMED},
        {"nonce", 6, 1, 0, "AUTH_FAIL", LARCH_EVENT_AUTH},
        {"first of the ciphertext", 18, 1, 0, "AUTH_FAIL", LARCH_EVENT_AUTH},
        {"last of the ciphertext", 785, 0x80, 0, "AUTH_FAIL", LARCH_EVENT_AUTH},
        {"text", 786, 1, 0, "AUTH_FAIL", LARCH_EVENT_AUTH},
        {"tag", 806, 1, 0, "AUTH_FAIL", LARCH_EVENT_AUTH},
    };
    bench_sealed sealed;
    bench_seal(&b, larch_kem_find(512), LARCH_TEXT("Hello"), &sealed);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bench_sealed altered = sealed;
        altered.bytes[rows[i].at] ^= rows[i].flip;
        altered.len -= rows[i].cut;
        unsigned before = b.told[rows[i].reason];
        bench_post(&b, &sender, (uint16_t)i, &altered, &answer);
        if (!bench_answers(&answer, LARCH_COAP_BAD_REQUEST, rows[i].text))
            print_error("row: %s\n", rows[i].what);
        assert_answer(LARCH_COAP_BAD_REQUEST, rows[i].text);
        assert_int_equal(b.told[rows[i].reason], before + 1);
    }
    /* None of it left a mark: the genuine one is still good. */
    bench_post(&b, &sender, 99, &sealed, &answer);
    assert_answer(LARCH_COAP_CHANGED, "OK");
    assert_int_equal(b.told[LARCH_EVENT_ACCEPTED], 1);
}

/* Uploads body in blocks; the last answer is in answer. */
static void upload(const char *path, larch_bytes body, uint8_t szx, larch_bytes token, uint16_t *message_id)
{
    size_t size = larch_coap_block_size(szx);
    for (size_t at = 0; at < body.len; at += size) {
        bool more = at + size < body.len;
        const bench_ask ask = {POST,
                               .message_id = (*message_id)++,
                               .token = token,
                               .path = path,
                               .has_block1 = true,
                               .block1 = {(uint32_t)(at / size), more, szx},
                               .payload = {body.data + at, more ? size : body.len - at}};
        larch_bytes value;
        larch_coap_block block;
        b.now_ms += 100;
        bench_say(&b, &sender, false, &ask, &answer);
        bench_answer again;
        bench_say(&b, &sender, false, &ask, &again); /* a duplicate of each */
        assert_int_equal(again.len, answer.len);
        assert_memory_equal(again.bytes, answer.bytes, answer.len);
        assert_true(larch_coap_option_find(&answer.message, LARCH_COAP_OPT_BLOCK1, &value));
        assert_int_equal(larch_coap_block_parse(value, &block), LARCH_OK);
        assert_int_equal(block.num, at / size);
        if (more)
            assert_answer(LARCH_COAP_CONTINUE, "");
    }
}

static void test_upload(void **state)
{
    (void)state;
    uint16_t message_id = 0;
    unsigned accepted = 0;
    for (size_t set = 0; set < 3; set++)
        for (uint8_t szx = 0; szx <= 6; szx++) {
            const larch_kem *kem = larch_direct_kem_at(set);
            static uint8_t text[LARCH_DIRECT_TEXT_MAX];
            bench_sealed sealed;
            memset(text, 'a' + (int)set, sizeof text);
            bench_seal(&b, kem, (larch_bytes){text, larch_direct_text_max(kem)}, &sealed);
            const larch_bytes body = {sealed.bytes, sealed.len};
            upload("pqkem-data", body, szx, LARCH_TEXT("12345678"), &message_id);
            assert_answer(LARCH_COAP_CHANGED, "OK");
            assert_int_equal(b.told[LARCH_EVENT_ACCEPTED], ++accepted);
            assert_int_equal(b.message.text.len, larch_direct_text_max(kem));
            assert_memory_equal(b.message.text.data, text, b.message.text.len);
            upload("pqkem-data", body, szx, LARCH_TEXT("12345678"), &message_id);
            assert_answer(LARCH_COAP_UNAUTHORIZED, "REPLAY");
        }
}

/* What a mark is made of: whoever alters it has another message, which does not open; else it is the one that came. */
static void test_mark_input(void **state)
{
    (void)state;
    const larch_kem *kem;
    uint16_t message_id = 0;
    for (size_t set = 0; (kem = larch_direct_kem_at(set)) != NULL; set++) {
        bench_sealed sealed;
        if (kem->ct_len > 1200)
            continue; /* it does not fit one datagram */
        bench_seal(&b, kem, LARCH_TEXT("once"), &sealed);
        bench_post(&b, &sender, message_id++, &sealed, &answer);
        assert_answer(LARCH_COAP_CHANGED, "OK");
        for (size_t at = 6; at < sealed.len; at++) {
            bench_sealed altered = sealed;
            const size_t behind_ct = 18u + kem->ct_len;
            const bool counts = at < 18 + 32 || (kem->set == LARCH_XWING_SET && at >= behind_ct - 32 && at < behind_ct);
            altered.bytes[at] ^= 1;
            b.now_ms += 1000;
            bench_post(&b, &sender, message_id++, &altered, &answer);
            if (counts)
                assert_answer(LARCH_COAP_BAD_REQUEST, "AUTH_FAIL");
            else
                assert_answer(LARCH_COAP_UNAUTHORIZED, "REPLAY");
        }
    }
}

static void test_upload_too_large(void **state)
{
    (void)state;
    static const uint8_t block[1024];
    for (uint32_t num = 0; num < 3; num++) {
        const bench_ask ask = {POST,
                               .message_id = (uint16_t)num,
                               .path = "pqkem-data",
                               .has_block1 = true,
                               .block1 = {num, true, 6},
                               .payload = LARCH_BYTES(block)};
        bench_say(&b, &sender, false, &ask, &answer);
        assert_int_equal(answer.message.code, num < 2 ? LARCH_COAP_CONTINUE : LARCH_COAP_REQUEST_ENTITY_TOO_LARGE);
    }
    larch_bytes value;
    uint32_t size;
    assert_true(larch_coap_option_find(&answer.message, LARCH_COAP_OPT_SIZE1, &value));
    assert_int_equal(larch_coap_option_uint(value, &size), LARCH_OK);
    assert_int_equal(size, LARCH_COAP_BODY_MAX);
}

/* ---- /pqkem-next ------------------------------------------------------- */

static void test_endorsement(void **state)
{
    (void)state;
    uint16_t message_id = 0;
    for (size_t set = 0; set < 3; set++)
        for (uint8_t szx = 0; szx <= 6; szx++) {
            const larch_kem *kem = larch_kem_at(set);
            uint8_t old_ek[LARCH_KEM_EK_MAX], old_hash[32], question[LARCH_DIRECT_HINT_LEN + LARCH_KEM_CT_MAX], ss[32];
            uint8_t named[32];
            const uint8_t *hash;
            size_t len;
            larch_bytes ek = larch_gateway_key_of(&b.gw, kem, NULL, &hash);
            memcpy(old_ek, ek.data, ek.len);
            memcpy(old_hash, hash, sizeof old_hash);
            ek.data = old_ek;
            assert_int_equal(larch_direct_next_ask(kem, &b.random, ek, question, sizeof question, &len, ss), LARCH_OK);

            /* The present key endorses itself, the one before the present one. */
            for (unsigned age = 0; age < 2; age++) {
                upload("pqkem-next", (larch_bytes){question, len}, szx, LARCH_TEXT("12345678"), &message_id);
                assert_int_equal(answer.message.code, LARCH_COAP_CHANGED);
                assert_int_equal(larch_direct_next_check(ss, old_hash, answer.message.payload, named), LARCH_OK);
                (void)larch_gateway_key_of(&b.gw, kem, NULL, &hash);
                assert_memory_equal(named, hash, sizeof named);
                assert_int_equal(memcmp(named, old_hash, sizeof named) == 0, age == 0);
                if (age == 0)
                    assert_int_equal(larch_gateway_rotate(&b.gw, b.now_ms, kem), LARCH_OK);
            }
            /* Altered on the way, the answer is worth nothing. */
            question[100] ^= 1;
            upload("pqkem-next", (larch_bytes){question, len}, szx, LARCH_TEXT("12345678"), &message_id);
            assert_int_equal(answer.message.code, LARCH_COAP_CHANGED);
            assert_int_equal(larch_direct_next_check(ss, old_hash, answer.message.payload, named), LARCH_AUTH);
            /* Two rotations on, nobody holds it. */
            assert_int_equal(larch_gateway_rotate(&b.gw, b.now_ms, kem), LARCH_OK);
            upload("pqkem-next", (larch_bytes){question, len}, szx, LARCH_TEXT("12345678"), &message_id);
            assert_answer(LARCH_COAP_NOT_FOUND, "UNKNOWN_KEY");
        }
}

/* ---- groups ------------------------------------------------------------ */

static void test_multicast(void **state)
{
    (void)state;
    bench_sealed sealed;
    for (size_t i = 0; i < sizeof answer_rows / sizeof answer_rows[0]; i++)
        for (unsigned type = LARCH_COAP_CON; type <= LARCH_COAP_NON; type++) {
            bench_ask ask = answer_rows[i].ask;
            ask.type = (larch_coap_type)type;
            ask.message_id = (uint16_t)(2 * i + type);
            b.now_ms += 100000;
            bench_say(&b, &sender, true, &ask, &answer);
            bool nothing_to_list = answer_rows[i].text != NULL && answer_rows[i].text[0] == '\0';
            /* [RFC7252 8.1], but for what prototypes look for a gateway by */
            const bool is_ignored =
                type == LARCH_COAP_CON && (ask.code != LARCH_COAP_POST || strcmp(ask.path, "pqkem-pk") != 0);
            if (LARCH_COAP_CLASS(answer_rows[i].code) != 2 || nothing_to_list || is_ignored) {
                assert_false(answer.any);
                continue;
            }
            if (type == LARCH_COAP_NON) { /* within the leisure */
                assert_false(answer.any);
                b.now_ms = larch_gateway_deadline_ms(&b.gw);
                bench_collect(&b, &answer);
            }
            assert_int_equal(answer.message.code, answer_rows[i].code);
        }
    /* A sealed message or a question of endorsement to a group costs nothing and says nothing. */
    bench_seal(&b, larch_kem_find(512), LARCH_TEXT("Hello"), &sealed);
    const bench_ask data = {POST, .message_id = 900, .path = "pqkem-data", .payload = {sealed.bytes, sealed.len}};
    const bench_ask next = {POST, .message_id = 901, .path = "pqkem-next", .payload = {sealed.bytes, 772}};
    bench_say(&b, &sender, true, &data, &answer);
    assert_false(answer.any);
    bench_say(&b, &sender, true, &next, &answer);
    assert_false(answer.any);
    assert_int_equal(b.told[LARCH_EVENT_ACCEPTED], 0);
}

/* ---- reachability ------------------------------------------------------ */

static void test_challenge(void **state)
{
    (void)state;
    static const char *const paths[] = {"pqkem-pk", "pqkem-data", "pqkem-next"};
    uint8_t echo[LARCH_ECHO_LEN];
    larch_bytes value;
    bench_sealed sealed;
    b.config.server.limits.prefix_burst = b.config.server.limits.prefix_rate = 0;
    larch_gateway_wipe(&b.gw);
    assert_int_equal(bench_start(&b), LARCH_OK);
    bench_seal(&b, larch_kem_find(512), LARCH_TEXT("Hello"), &sealed);
    for (uint16_t i = 0; i < 3; i++) {
        bench_ask ask = {POST, .message_id = i, .token = LARCH_TEXT("12345678"), .path = paths[i]};
        if (i > 0)
            ask.payload = (larch_bytes){sealed.bytes, sealed.len};
        uint8_t request[LARCH_COAP_DATAGRAM_MAX];
        size_t asked = bench_compose(&ask, request).len;
        bench_say(&b, &sender, false, &ask, &answer);
        assert_answer(LARCH_COAP_UNAUTHORIZED, "");
        assert_true(answer.len <= asked + 12); /* no amplification to speak of */
        assert_true(larch_coap_option_find(&answer.message, LARCH_COAP_OPT_ECHO, &value));
        assert_int_equal(value.len, LARCH_ECHO_LEN);
        memcpy(echo, value.data, sizeof echo);
    }
    assert_int_equal(b.told[LARCH_EVENT_RATE], 3);
    assert_int_equal(b.told[LARCH_EVENT_ACCEPTED], 0);

    /* To a group it is silent. */
    bench_ask ask = {POST, .message_id = 10, .path = "pqkem-pk"};
    bench_say(&b, &sender, true, &ask, &answer);
    assert_false(answer.any);
    /* Another address gains nothing by it. */
    const larch_peer other = larch_sim_ipv4(0x0a000002, 40000);
    ask = (bench_ask){POST, .message_id = 11, .path = "pqkem-data", .echo = LARCH_BYTES(echo),
                      .payload = {sealed.bytes, sealed.len}};
    bench_say(&b, &other, false, &ask, &answer);
    assert_answer(LARCH_COAP_UNAUTHORIZED, "");
    bench_say(&b, &sender, false, &ask, &answer);
    assert_answer(LARCH_COAP_CHANGED, "OK");
    /* And it need not be shown again. */
    bench_seal(&b, larch_kem_find(512), LARCH_TEXT("again"), &sealed);
    bench_post(&b, &sender, 12, &sealed, &answer);
    assert_answer(LARCH_COAP_CHANGED, "OK");
}

/* ---- the queue of answers ---------------------------------------------- */

static void test_queue_full(void **state)
{
    (void)state;
    uint8_t out[LARCH_COAP_DATAGRAM_MAX];
    larch_peer peer;
    larch_bytes datagram;
    bench_sealed sealed[BENCH_SLOTS + 1];
    larch_coap_message m;
    for (uint16_t i = 0; i <= BENCH_SLOTS; i++) {
        bench_seal(&b, larch_kem_find(512), LARCH_TEXT("one"), &sealed[i]);
        const bench_ask ask = {POST, .message_id = i, .path = "pqkem-data",
                               .payload = {sealed[i].bytes, sealed[i].len}};
        assert_int_equal(larch_gateway_receive(&b.gw, b.now_ms, &sender, false, bench_compose(&ask, out)),
                         i < BENCH_SLOTS ? LARCH_OK : LARCH_AGAIN);
    }
    assert_int_equal(larch_gateway_send(&b.gw, b.now_ms, &peer, &datagram),
                     LARCH_STATE); /* not before all are settled */
    assert_int_equal(bench_settle(&b), LARCH_OK);
    assert_int_equal(larch_gateway_count(&b.gw, LARCH_EVENT_ACCEPTED), 0); /* not before their marks are durable */
    assert_int_equal(larch_gateway_deadline_ms(&b.gw), 0);
    uint32_t before = b.flash.operations;
    for (uint16_t i = 0; i < BENCH_SLOTS; i++) {
        assert_int_equal(larch_gateway_send(&b.gw, b.now_ms, &peer, &datagram), LARCH_OK);
        assert_int_equal(larch_coap_parse(datagram, &m), LARCH_OK);
        assert_int_equal(m.message_id, i);
        assert_int_equal(larch_gateway_count(&b.gw, LARCH_EVENT_ACCEPTED), BENCH_SLOTS);
    }
    assert_int_equal(larch_gateway_send(&b.gw, b.now_ms, &peer, &datagram), LARCH_AGAIN);
    assert_int_equal(b.flash.operations - before, 2); /* one write, one sync for them all */
    bench_post(&b, &sender, BENCH_SLOTS, &sealed[BENCH_SLOTS], &answer);
    assert_answer(LARCH_COAP_CHANGED, "OK"); /* what was turned away is as new */
}

/* What is no request: counted, reset where CoAP says so, never more than one answer. */
static void test_noise(void **state)
{
    (void)state;
    larch_sim_random noise = {.state = 5};
    const larch_random random = larch_sim_random_of(&noise);
    uint8_t bytes[64];
    for (unsigned i = 0; i < 20000; i++) {
        size_t len = i % sizeof bytes;
        assert_int_equal(larch_random_fill(&random, bytes, len), LARCH_OK);
        if (len > 0)
            bytes[0] = (uint8_t)(0x40 | (bytes[0] & 0x3f));
        assert_int_equal(larch_gateway_receive(&b.gw, b.now_ms, &sender, false, (larch_bytes){bytes, len}), LARCH_OK);
        bench_collect(&b, &answer);
        assert_int_equal(answer.error, LARCH_AGAIN);
    }
    assert_true(b.told[LARCH_EVENT_DROPPED] > 0);
    static const uint8_t ping[] = {0x40, 0, 0x12, 0x34}, reset[] = {0x70, 0, 0x12, 0x34};
    assert_int_equal(larch_gateway_receive(&b.gw, b.now_ms, &sender, false, LARCH_BYTES(ping)), LARCH_OK);
    bench_collect(&b, &answer);
    assert_int_equal(answer.len, sizeof reset);
    assert_memory_equal(answer.bytes, reset, sizeof reset);
}

static void test_texts(void **state)
{
    (void)state;
    for (unsigned r = 0; r < LARCH_EVENT_COUNT; r++)
        assert_string_not_equal(larch_event_text((larch_event_kind)r), "?");
    assert_string_equal(larch_event_text(LARCH_EVENT_COUNT), "?");
    assert_int_equal(larch_gateway_key_of(&b.gw, NULL, NULL, NULL).len, 0);
}

int main(void)
{
    if (larch_crypto_init() != LARCH_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_answers, begin, end),
        cmocka_unit_test_setup_teardown(test_key, begin, end),
        cmocka_unit_test_setup_teardown(test_key_for_a_prototype, begin, end),
        cmocka_unit_test_setup_teardown(test_key_in_blocks, begin, end),
        cmocka_unit_test_setup_teardown(test_accepted_once, begin, end),
        cmocka_unit_test_setup_teardown(test_refused, begin, end),
        cmocka_unit_test_setup_teardown(test_upload, begin, end),
        cmocka_unit_test_setup_teardown(test_mark_input, begin, end),
        cmocka_unit_test_setup_teardown(test_upload_too_large, begin, end),
        cmocka_unit_test_setup_teardown(test_endorsement, begin, end),
        cmocka_unit_test_setup_teardown(test_multicast, begin, end),
        cmocka_unit_test_setup_teardown(test_challenge, begin, end),
        cmocka_unit_test_setup_teardown(test_queue_full, begin, end),
        cmocka_unit_test_setup_teardown(test_noise, begin, end),
        cmocka_unit_test_setup_teardown(test_texts, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
