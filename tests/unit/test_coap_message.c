/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "larch/coap_message.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define BYTES_MAX    1400

/* A message in hex, where "41*300" is the byte 0x41 three hundred times. */
static size_t bytes_of(const char *hex, uint8_t *out)
{
    size_t len = 0;
    for (const char *at = hex; *at != '\0';) {
        if (*at == ' ') {
            at++;
            continue;
        }
        const char digits[3] = {at[0], at[1], '\0'};
        const uint8_t byte = (uint8_t)strtoul(digits, NULL, 16);
        size_t times = 1;
        at += 2;
        if (*at == '*') {
            char *end;
            times = strtoul(at + 1, &end, 10);
            at = end;
        }
        assert_true(len + times <= BYTES_MAX);
        memset(out + len, byte, times);
        len += times;
    }
    return len;
}

/* A copy on the heap, exactly as long as the bytes, so that a sanitizer sees a read past the end. */
static larch_bytes exact_copy(const uint8_t *bytes, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, len);
    return (larch_bytes){copy, len};
}

static void drop(larch_bytes copy) { free((void *)(uintptr_t)copy.data); }

/* ---- well-formed messages ---------------------------------------------- */

typedef struct good_row {
    const char *what;
    const char *hex;
    larch_coap_type type;
    uint8_t code;
    uint16_t message_id;
    size_t token_len, payload_len;
    struct {
        uint16_t number;
        size_t len;
    } options[5];
    size_t option_count;
} good_row;

static const good_row good_rows[] = {
    {"empty acknowledgement", "60001234", LARCH_COAP_ACK, LARCH_COAP_EMPTY, 0x1234, 0, 0, {{0}}, 0},
    {"ping", "4000ffff", LARCH_COAP_CON, LARCH_COAP_EMPTY, 0xffff, 0, 0, {{0}}, 0},
    {"reset", "70000000", LARCH_COAP_RST, LARCH_COAP_EMPTY, 0, 0, 0, {{0}}, 0},
    {"request without options", "40010001", LARCH_COAP_CON, LARCH_COAP_GET, 1, 0, 0, {{0}}, 0},
    {"GET /.well-known/core",
     "41010001 a1 bb2e77656c6c2d6b6e6f776e 04636f7265",
     LARCH_COAP_CON,
     LARCH_COAP_GET,
     1,
     1,
     0,
     {{11, 11}, {11, 4}},
     2},
    {"token of 8, payload",
     "58450007 0102030405060708 c132 ff 7b7d",
     LARCH_COAP_NON,
     LARCH_COAP_CONTENT,
     7,
     8,
     2,
     {{12, 1}},
     1},
    {"payload that begins with the marker", "50450007 ffff", LARCH_COAP_NON, LARCH_COAP_CONTENT, 7, 0, 1, {{0}}, 0},
    {"delta 12", "40010001 c0", LARCH_COAP_CON, LARCH_COAP_GET, 1, 0, 0, {{12, 0}}, 1},
    {"delta 13", "40010001 d000", LARCH_COAP_CON, LARCH_COAP_GET, 1, 0, 0, {{13, 0}}, 1},
    {"delta 268", "40010001 d0ff", LARCH_COAP_CON, LARCH_COAP_GET, 1, 0, 0, {{268, 0}}, 1},
    {"delta 269", "40010001 e00000", LARCH_COAP_CON, LARCH_COAP_GET, 1, 0, 0, {{269, 0}}, 1},
    {"number 65535", "40010001 e0fef2", LARCH_COAP_CON, LARCH_COAP_GET, 1, 0, 0, {{65535, 0}}, 1},
    {"number 65535 twice", "40010001 e0fef2 00", LARCH_COAP_CON, LARCH_COAP_GET, 1, 0, 0, {{65535, 0}, {65535, 0}}, 2},
    {"lengths 12, 13, 268, 269",
     "40010001 bc61*12 0d0062*13 0dff63*268 0e000064*269",
     LARCH_COAP_CON,
     LARCH_COAP_GET,
     1,
     0,
     0,
     {{11, 12}, {11, 13}, {11, 268}, {11, 269}},
     4},
    {"delta and length both extended",
     "40010001 dd160065*13 eed000000066*269",
     LARCH_COAP_CON,
     LARCH_COAP_GET,
     1,
     0,
     0,
     {{35, 13}, {53552, 269}},
     2},
    {"Echo and Request-Tag",
     "61810009 aa dcef334af4fb4fe812f5e2396b19 d11b07",
     LARCH_COAP_ACK,
     LARCH_COAP_UNAUTHORIZED,
     9,
     1,
     0,
     {{252, 12}, {292, 1}},
     2},
    {"option number 0", "40010001 01ff", LARCH_COAP_CON, LARCH_COAP_GET, 1, 0, 0, {{0, 1}}, 1},
};

static void parses_well_formed_messages(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good_rows); i++) {
        const good_row *row = &good_rows[i];
        uint8_t bytes[BYTES_MAX], again[BYTES_MAX];
        const size_t len = bytes_of(row->hex, bytes);
        const larch_bytes datagram = exact_copy(bytes, len);
        larch_coap_message m, header;
        print_message("    %s\n", row->what);
        assert_int_equal(larch_coap_parse(datagram, &m), LARCH_OK);
        assert_int_equal(m.type, row->type);
        assert_int_equal(m.code, row->code);
        assert_int_equal(m.message_id, row->message_id);
        assert_int_equal(m.token.len, row->token_len);
        assert_int_equal(m.payload.len, row->payload_len);
        assert_true(row->payload_len == 0 || m.payload.data + m.payload.len == datagram.data + datagram.len);

        assert_int_equal(larch_coap_parse_header(datagram, &header), LARCH_OK);
        assert_true(header.type == m.type && header.code == m.code && header.message_id == m.message_id);
        assert_true(header.token.len == 0 && header.options.len == 0 && header.payload.len == 0);

        larch_coap_builder b;
        larch_coap_build(&b, again, sizeof again, m.type, m.code, m.message_id, m.token);
        larch_coap_options options = larch_coap_options_of(&m);
        size_t count = 0;
        for (larch_coap_option o; larch_coap_options_next(&options, &o); count++) {
            assert_true(count < row->option_count);
            assert_int_equal(o.number, row->options[count].number);
            assert_int_equal(o.value.len, row->options[count].len);
            larch_coap_build_option(&b, o.number, o.value);
        }
        assert_int_equal(count, row->option_count);
        larch_coap_build_payload(&b, m.payload);
        larch_bytes built;
        assert_int_equal(larch_coap_build_end(&b, &built), LARCH_OK);
        assert_true(larch_bytes_equal(built, datagram));
        drop(datagram);
    }
}

/* ---- what must not parse ----------------------------------------------- */

static const struct bad_row {
    const char *what, *hex;
    bool header; /* whether the first four bytes are sound */
} bad_rows[] = {
    {"nothing", "", false},
    {"three bytes", "400100", false},
    {"version 0", "00010001", false},
    {"version 2", "80010001", false},
    {"version 3", "c0010001", false},
    {"token length 9", "49010001 01*9", true},
    {"token length 12", "4c010001 01*12", true},
    {"token length 15", "4f010001 01*15", true},
    {"token cut short", "48010001 01*7", true},
    {"Empty with a token", "61001234 aa", true},
    {"Empty with a token length alone", "61001234", true},
    {"Empty with an option", "40001234 c0", true},
    {"Empty with a marker", "60001234 ff", true},
    {"Empty with a payload", "60001234 ff01", true},
    {"marker before nothing", "40010001 ff", true},
    {"marker before nothing, after an option", "40010001 b161 ff", true},
    {"reserved delta 15", "40010001 f00001", true},
    {"reserved delta 15, length 14", "40010001 fe00000000 61*269", true},
    {"reserved length 15", "40010001 bf0000 61*269", true},
    {"delta 13 cut short", "40010001 d0", true},
    {"delta 14 cut short", "40010001 e0", true},
    {"delta 14 cut shorter", "40010001 e000", true},
    {"length 13 cut short", "40010001 0d", true},
    {"length 14 cut short", "40010001 0e00", true},
    {"length 14 without delta", "40010001 de00", true},
    {"value cut short", "40010001 b36162", true},
    {"value of 13 cut short", "40010001 bd00 61*12", true},
    {"value of 269 cut short", "40010001 be0000 61*268", true},
    {"longest length", "40010001 beffff 61*20", true},
    {"number 65536", "40010001 e0fef3", true},
    {"number 65804", "40010001 e0ffff", true},
    {"number past 65535 in two steps", "40010001 e0fef2 10", true},
};

static void refuses_broken_messages(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad_rows); i++) {
        uint8_t bytes[BYTES_MAX];
        const size_t len = bytes_of(bad_rows[i].hex, bytes);
        const larch_bytes datagram = exact_copy(bytes, len);
        larch_coap_message m, zero;
        memset(&m, 0xa5, sizeof m);
        memset(&zero, 0, sizeof zero);
        print_message("    %s\n", bad_rows[i].what);
        assert_int_equal(larch_coap_parse(datagram, &m), LARCH_MALFORMED);
        assert_true(m.type == zero.type && m.code == 0 && m.message_id == 0);
        assert_true(m.token.len == 0 && m.options.len == 0 && m.payload.len == 0);
        assert_int_equal(larch_coap_parse_header(datagram, &m), bad_rows[i].header ? LARCH_OK : LARCH_MALFORMED);
        drop(datagram);
    }
}

/* Cut anywhere, a message is either refused or a message whose options and payload are what came before the cut. */
static void survives_every_cut(void **state)
{
    (void)state;
    unsigned refused = 0;
    for (size_t i = 0; i < COUNT(good_rows); i++) {
        uint8_t bytes[BYTES_MAX];
        const size_t whole = bytes_of(good_rows[i].hex, bytes);
        for (size_t len = 0; len < whole; len++) {
            const larch_bytes datagram = exact_copy(bytes, len);
            larch_coap_message m;
            const larch_error e = larch_coap_parse(datagram, &m);
            assert_true(e == LARCH_OK || e == LARCH_MALFORMED);
            refused += e == LARCH_MALFORMED;
            if (e == LARCH_OK)
                assert_int_equal(4 + m.token.len + m.options.len + m.payload.len + (m.payload.len > 0), len);
            drop(datagram);
        }
    }
    assert_true(refused > 500);
}

/* ---- options ----------------------------------------------------------- */

static larch_coap_message parsed(const char *hex, uint8_t *bytes)
{
    larch_coap_message m;
    const size_t len = bytes_of(hex, bytes);
    assert_int_equal(larch_coap_parse((larch_bytes){bytes, len}, &m), LARCH_OK);
    return m;
}

static void finds_bad_options(void **state)
{
    (void)state;
    enum { NONE = 0xffff };
    static const uint16_t understood[] = {LARCH_COAP_OPT_URI_HOST, LARCH_COAP_OPT_URI_PORT, LARCH_COAP_OPT_URI_PATH,
                                          LARCH_COAP_OPT_BLOCK2, 2049};
    static const struct {
        const char *what, *hex;
        uint16_t bad;
    } rows[] = {
        {"none", "40010001", NONE},
        {"Uri-Path twice", "40010001 b161 0162", NONE},
        {"unknown elective", "40010001 e1f001 01", NONE},
        {"known elective, wrong length", "40010001 c3010203", NONE},
        {"known elective twice", "40010001 c101 0102", NONE},
        {"critical, not understood", "40010001 1161", LARCH_COAP_OPT_IF_MATCH},
        {"critical, not understood, last", "40010001 3161 e007eb", 2299},
        {"empty Uri-Host", "40010001 30", LARCH_COAP_OPT_URI_HOST},
        {"longest Uri-Host", "40010001 3df261*255", NONE},
        {"Uri-Host too long", "40010001 3df361*256", LARCH_COAP_OPT_URI_HOST},
        {"Uri-Host twice", "40010001 3161 0161", LARCH_COAP_OPT_URI_HOST},
        {"Uri-Port of 3", "40010001 73010203", LARCH_COAP_OPT_URI_PORT},
        {"Block2 of 3", "40010001 d30a010203", NONE},
        {"Block2 of 4", "40010001 d40a01020304", LARCH_COAP_OPT_BLOCK2},
        {"understood, not in the table, twice", "40010001 e406f401020304 00", NONE},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t bytes[BYTES_MAX];
        uint16_t number = NONE;
        const larch_coap_message m = parsed(rows[i].hex, bytes);
        print_message("    %s\n", rows[i].what);
        assert_int_equal(larch_coap_find_bad_option(&m, understood, COUNT(understood), &number), rows[i].bad != NONE);
        assert_int_equal(number, rows[i].bad);
    }
}

static void finds_options(void **state)
{
    (void)state;
    uint8_t bytes[BYTES_MAX];
    larch_bytes value = {NULL, 99};
    /* ETag of 9 bytes (out of range), ETag 01; Uri-Path "a", "b"; Block2 of 4 bytes. */
    const larch_coap_message m = parsed("40010001 4955*9 0101 7161 0162 c401020304", bytes);
    assert_false(larch_coap_option_find(&m, LARCH_COAP_OPT_URI_HOST, &value));
    assert_false(larch_coap_option_find(&m, LARCH_COAP_OPT_SIZE1, &value));
    assert_int_equal(value.len, 99);
    assert_true(larch_coap_option_find(&m, LARCH_COAP_OPT_ETAG, &value));
    assert_true(larch_bytes_equal(value, (larch_bytes){(const uint8_t[]){1}, 1}));
    assert_true(larch_coap_option_find(&m, LARCH_COAP_OPT_URI_PATH, &value));
    assert_true(larch_bytes_equal(value, LARCH_TEXT("a")));
    assert_true(larch_coap_option_find(&m, LARCH_COAP_OPT_BLOCK2, &value));
    assert_int_equal(value.len, 4);
}

static void compares_paths(void **state)
{
    (void)state;
    static const struct {
        const char *hex, *path;
        bool is;
    } rows[] = {
        {"40010001", "", true},
        {"40010001 b0", "", true}, /* one empty segment is the root too [RFC7252 6.5] */
        {"40010001 b0 00", "", false},
        {"40010001", "a", false},
        {"40010001 b161", "", false},
        {"40010001 b161", "a", true},
        {"40010001 b161", "b", false},
        {"40010001 b161", "ab", false},
        {"40010001 b26162", "a", false},
        {"40010001 b161 0162", "a/b", true},
        {"40010001 b161 0162", "a", false},
        {"40010001 b161", "a/b", false},
        {"40010001 b161 00", "a/", true},
        {"40010001 b161", "a/", false},
        {"40010001 b3612f62", "a/b", false}, /* a slash within a segment parts nothing */
        {"40010001 b26100", "a", false},     /* nor does a zero byte end it */
        {"40010001 b161 4162", "a", true},   /* other options do not matter */
        {"40010001 3168 8161 0162", "a/b", true},
        {"40010001 bb2e77656c6c2d6b6e6f776e 04636f7265", ".well-known/core", true},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t bytes[BYTES_MAX];
        const larch_coap_message m = parsed(rows[i].hex, bytes);
        print_message("    %s as \"%s\"\n", rows[i].hex, rows[i].path);
        assert_int_equal(larch_coap_path_is(&m, rows[i].path), rows[i].is);
    }
}

static void finds_queries(void **state)
{
    (void)state;
    uint8_t bytes[BYTES_MAX];
    larch_bytes value;
    /* "kem", "kem=768", "kem=512", "x=" */
    const larch_coap_message m = parsed("40010001 d3026b656d 076b656d3d373638 076b656d3d353132 02783d", bytes);
    assert_true(larch_coap_query_find(&m, "kem", &value));
    assert_true(larch_bytes_equal(value, LARCH_TEXT("768")));
    assert_true(larch_coap_query_find(&m, "x", &value));
    assert_int_equal(value.len, 0);
    assert_false(larch_coap_query_find(&m, "ke", &value));
    assert_false(larch_coap_query_find(&m, "kem=", &value));
    assert_false(larch_coap_query_find(&m, "kem=768x", &value));
}

static void reads_numbers(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[5];
        size_t len;
        uint32_t value;
    } rows[] = {
        {{0}, 0, 0},
        {{0}, 1, 0},
        {{255}, 1, 255},
        {{0, 1}, 2, 1},
        {{1, 0}, 2, 256},
        {{1, 2, 3}, 3, 0x010203},
        {{255, 255, 255, 255}, 4, UINT32_MAX},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint32_t value = 77;
        assert_int_equal(larch_coap_option_uint((larch_bytes){rows[i].bytes, rows[i].len}, &value), LARCH_OK);
        assert_int_equal(value, rows[i].value);
    }
    uint32_t value = 77;
    assert_int_equal(larch_coap_option_uint((larch_bytes){(const uint8_t[5]){0}, 5}, &value), LARCH_MALFORMED);
    assert_int_equal(value, 77);
}

static void reads_blocks(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[3];
        size_t len;
        larch_coap_block block;
    } rows[] = {
        {{0}, 0, {0, false, 0}},
        {{0x06}, 1, {0, false, 6}},
        {{0x0e}, 1, {0, true, 6}},
        {{0x3e, 0x82}, 2, {1000, false, 2}},
        {{0xff, 0xff, 0xfe}, 3, {(1u << 20) - 1, true, 6}},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        larch_coap_block block;
        uint32_t value;
        const larch_bytes bytes = {rows[i].bytes, rows[i].len};
        assert_int_equal(larch_coap_block_parse(bytes, &block), LARCH_OK);
        assert_int_equal(block.num, rows[i].block.num);
        assert_int_equal(block.more, rows[i].block.more);
        assert_int_equal(block.szx, rows[i].block.szx);
        assert_int_equal(larch_coap_option_uint(bytes, &value), LARCH_OK);
        assert_int_equal(larch_coap_block_value(block), value);
        assert_int_equal(larch_coap_block_size(block.szx), 16u << block.szx);
    }
    larch_coap_block block = {7, true, 5};
    assert_int_equal(larch_coap_block_parse((larch_bytes){(const uint8_t[]){0x07}, 1}, &block), LARCH_MALFORMED);
    assert_int_equal(larch_coap_block_parse((larch_bytes){(const uint8_t[]){0x0f}, 1}, &block), LARCH_MALFORMED);
    assert_int_equal(larch_coap_block_parse((larch_bytes){(const uint8_t[4]){0}, 4}, &block), LARCH_MALFORMED);
    assert_true(block.num == 7 && block.more && block.szx == 5);
}

static void names_codes_and_options(void **state)
{
    (void)state;
    assert_string_equal(larch_coap_code_text(LARCH_COAP_GET), "GET");
    assert_string_equal(larch_coap_code_text(LARCH_COAP_CODE(2, 31)), "Continue");
    assert_string_equal(larch_coap_code_text(LARCH_COAP_CODE(5, 5)), "Proxying Not Supported");
    assert_string_equal(larch_coap_code_text(LARCH_COAP_CODE(7, 31)), "?");
    assert_string_equal(larch_coap_option_text(11), "Uri-Path");
    assert_string_equal(larch_coap_option_text(292), "Request-Tag");
    assert_null(larch_coap_option_text(2));
    assert_null(larch_coap_option_text(65535));
}

/* ---- building ---------------------------------------------------------- */

static void build_post(larch_coap_builder *b, uint8_t *out, size_t cap)
{
    const uint8_t token[] = {0xaa, 0xbb};
    larch_coap_build(b, out, cap, LARCH_COAP_CON, LARCH_COAP_POST, 0x0102, LARCH_BYTES(token));
    larch_coap_build_path(b, ".well-known/edhoc");
    larch_coap_build_option_uint(b, LARCH_COAP_OPT_CONTENT_FORMAT, 0);
    larch_coap_build_option_uint(b, LARCH_COAP_OPT_BLOCK1, 0x0e);
    larch_coap_build_option_uint(b, LARCH_COAP_OPT_SIZE1, 0x010000);
    larch_coap_build_option(b, LARCH_COAP_OPT_REQUEST_TAG, LARCH_BYTES(token));
    larch_coap_build_payload(b, LARCH_TEXT("payload"));
}

static void builds_to_the_byte(void **state)
{
    (void)state;
    uint8_t expected[BYTES_MAX], out[BYTES_MAX];
    const size_t len = bytes_of("42020102 aabb bb2e77656c6c2d6b6e6f776e 056564686f63 10 d1020e d31401 0000 d2db"
                                "aabb ff 7061796c6f6164",
                                expected);
    for (size_t cap = 0; cap <= len + 1; cap++) {
        larch_coap_builder b;
        larch_bytes datagram = {NULL, 99};
        memset(out, 0xa5, sizeof out);
        build_post(&b, cap > 0 ? out : NULL, cap);
        if (cap < len) {
            assert_int_equal(larch_coap_build_end(&b, &datagram), LARCH_SPACE);
            assert_int_equal(datagram.len, 99);
            assert_int_equal(b.writer.len, len); /* the size it would take */
        } else {
            assert_int_equal(larch_coap_build_end(&b, &datagram), LARCH_OK);
            assert_true(larch_bytes_equal(datagram, (larch_bytes){expected, len}));
        }
        for (size_t i = cap < len ? cap : len; i < sizeof out; i++)
            assert_int_equal(out[i], 0xa5);
    }
}

static void builds_paths_and_queries(void **state)
{
    (void)state;
    static const struct {
        const char *path, *query, *hex;
    } rows[] = {
        {"", "", "40010001"},
        {"a", "", "40010001 b161"},
        {"a/bc", "x", "40010001 b161 026263 4178"},
        {"", "x=1&y", "40010001 d302783d31 0179"},
        {"a/", "x/y&", "40010001 b161 00 43782f79 00"},
        {"/a&b", "&", "40010001 b0 03612662 40 00"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t expected[BYTES_MAX], built[BYTES_MAX];
        const size_t len = bytes_of(rows[i].hex, expected);
        larch_coap_builder b;
        larch_bytes datagram;
        larch_coap_build(&b, built, sizeof built, LARCH_COAP_CON, LARCH_COAP_GET, 1, (larch_bytes){NULL, 0});
        larch_coap_build_path(&b, rows[i].path);
        larch_coap_build_query(&b, rows[i].query);
        assert_int_equal(larch_coap_build_end(&b, &datagram), LARCH_OK);
        assert_true(larch_bytes_equal(datagram, (larch_bytes){expected, len}));
    }
}

static void reserves_payload(void **state)
{
    (void)state;
    uint8_t out[8];
    larch_coap_builder b;
    larch_bytes datagram;
    larch_coap_build(&b, out, sizeof out, LARCH_COAP_NON, LARCH_COAP_CONTENT, 1, (larch_bytes){NULL, 0});
    uint8_t *payload = larch_coap_build_payload_reserve(&b, 3);
    assert_ptr_equal(payload, out + 5);
    memcpy(payload, "abc", 3);
    assert_int_equal(larch_coap_build_end(&b, &datagram), LARCH_OK);
    assert_true(larch_bytes_equal(datagram, LARCH_TEXT("\x50\x45\x00\x01\xff"
                                                       "abc")));

    larch_coap_build(&b, out, sizeof out, LARCH_COAP_NON, LARCH_COAP_CONTENT, 1, (larch_bytes){NULL, 0});
    assert_null(larch_coap_build_payload_reserve(&b, 4));
    assert_int_equal(larch_coap_build_end(&b, &datagram), LARCH_SPACE);
}

static void option_out_of_order(larch_coap_builder *b)
{
    larch_coap_build_option_uint(b, 12, 1);
    larch_coap_build_option_uint(b, 11, 1);
}
static void option_after_payload(larch_coap_builder *b)
{
    larch_coap_build_payload(b, LARCH_TEXT("x"));
    larch_coap_build_option_uint(b, 11, 1);
}
static void payload_twice(larch_coap_builder *b)
{
    larch_coap_build_payload(b, LARCH_TEXT("x"));
    larch_coap_build_payload(b, LARCH_TEXT("x"));
}
static void payload_of_nothing(larch_coap_builder *b) { assert_null(larch_coap_build_payload_reserve(b, 0)); }
static void option_too_long(larch_coap_builder *b)
{
    static const uint8_t value[269 + 65535 + 1];
    larch_coap_build_option(b, 1, LARCH_BYTES(value));
}
static void segment_too_long(larch_coap_builder *b)
{
    char path[257];
    memset(path, 'a', 256);
    path[256] = '\0';
    larch_coap_build_path(b, path);
}
static void token_too_long(larch_coap_builder *b)
{
    static uint8_t out[64];
    larch_coap_build(b, out, sizeof out, LARCH_COAP_CON, LARCH_COAP_GET, 1, LARCH_TEXT("123456789"));
}
static void empty_with_token(larch_coap_builder *b)
{
    static uint8_t out[64];
    larch_coap_build(b, out, sizeof out, LARCH_COAP_ACK, LARCH_COAP_EMPTY, 1, LARCH_TEXT("1"));
}
static void empty_with_option(larch_coap_builder *b)
{
    static uint8_t out[64];
    larch_coap_build(b, out, sizeof out, LARCH_COAP_ACK, LARCH_COAP_EMPTY, 1, (larch_bytes){NULL, 0});
    larch_coap_build_option_uint(b, 11, 1);
}
static void empty_with_payload(larch_coap_builder *b)
{
    static uint8_t out[64];
    larch_coap_build(b, out, sizeof out, LARCH_COAP_ACK, LARCH_COAP_EMPTY, 1, (larch_bytes){NULL, 0});
    larch_coap_build_payload(b, LARCH_TEXT("x"));
}

static void refuses_to_build_nonsense(void **state)
{
    (void)state;
    static void (*const wrong[])(larch_coap_builder *) = {
        option_out_of_order, option_after_payload, payload_twice,    payload_of_nothing, option_too_long,
        segment_too_long,    token_too_long,       empty_with_token, empty_with_option,  empty_with_payload,
    };
    for (size_t i = 0; i < COUNT(wrong); i++) {
        static uint8_t out[70000];
        larch_coap_builder b;
        larch_bytes datagram = {NULL, 99};
        larch_coap_build(&b, out, sizeof out, LARCH_COAP_CON, LARCH_COAP_GET, 1, (larch_bytes){NULL, 0});
        wrong[i](&b);
        const size_t len = b.writer.len;
        larch_coap_build_option_uint(&b, 65000, 1); /* what would be right now comes too late */
        assert_int_equal(b.writer.len, len);
        assert_int_equal(larch_coap_build_end(&b, &datagram), LARCH_STATE);
        assert_int_equal(datagram.len, 99);
    }
}

static void builds_the_longest_option(void **state)
{
    (void)state;
    static uint8_t out[70000], value[269 + 65535];
    larch_coap_builder b;
    larch_bytes datagram;
    larch_coap_message m;
    larch_coap_build(&b, out, sizeof out, LARCH_COAP_CON, LARCH_COAP_GET, 1, (larch_bytes){NULL, 0});
    larch_coap_build_option(&b, 65535, LARCH_BYTES(value));
    assert_int_equal(larch_coap_build_end(&b, &datagram), LARCH_OK);
    assert_int_equal(datagram.len, 4 + 1 + 2 + 2 + sizeof value);
    assert_int_equal(larch_coap_parse(datagram, &m), LARCH_OK);
    assert_int_equal(m.options.len, datagram.len - 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_well_formed_messages),
        cmocka_unit_test(refuses_broken_messages),
        cmocka_unit_test(survives_every_cut),
        cmocka_unit_test(finds_bad_options),
        cmocka_unit_test(finds_options),
        cmocka_unit_test(compares_paths),
        cmocka_unit_test(finds_queries),
        cmocka_unit_test(reads_numbers),
        cmocka_unit_test(reads_blocks),
        cmocka_unit_test(names_codes_and_options),
        cmocka_unit_test(builds_to_the_byte),
        cmocka_unit_test(builds_paths_and_queries),
        cmocka_unit_test(reserves_payload),
        cmocka_unit_test(refuses_to_build_nonsense),
        cmocka_unit_test(builds_the_longest_option),
    };
    return cmocka_run_group_tests_name("coap_message", tests, NULL, NULL);
}
