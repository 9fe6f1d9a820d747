/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "coap_pattern.h"
#include "larch/coap_block.h"
#include "sim.h"

static void expect_block(larch_coap_block block, uint32_t num, bool more, uint8_t szx)
{
    assert_int_equal(block.num, num);
    assert_int_equal(block.more, more);
    assert_int_equal(block.szx, szx);
}

/* ---- Block2, served ---------------------------------------------------- */

static larch_coap_message request_with(uint16_t option, larch_bytes value)
{
    static uint8_t out[64];
    larch_coap_builder b;
    larch_bytes datagram;
    larch_coap_message m;
    larch_coap_build(&b, out, sizeof out, LARCH_COAP_CON, LARCH_COAP_GET, 1, (larch_bytes){NULL, 0});
    if (option != 0)
        larch_coap_build_option(&b, option, value);
    assert_int_equal(larch_coap_build_end(&b, &datagram), LARCH_OK);
    assert_int_equal(larch_coap_parse(datagram, &m), LARCH_OK);
    return m;
}

static const struct slice_row {
    const char *value; /* of Block2, NULL: none */
    size_t value_len;
    size_t len; /* of the representation */
    larch_error error;
    bool blockwise;
    uint32_t num;
    bool more;
    uint8_t szx;
    size_t at, slice_len;
} slice_rows[] = {
    {NULL, 0, 0, LARCH_OK, false, 0, false, 6, 0, 0},
    {NULL, 0, 1024, LARCH_OK, false, 0, false, 6, 0, 1024},
    {NULL, 0, 1025, LARCH_OK, true, 0, true, 6, 0, 1024},
    {"", 0, 0, LARCH_OK, true, 0, false, 0, 0, 0},
    {"", 0, 16, LARCH_OK, true, 0, false, 0, 0, 16},
    {"", 0, 17, LARCH_OK, true, 0, true, 0, 0, 16},
    {"\x06", 1, 5000, LARCH_OK, true, 0, true, 6, 0, 1024},
    {"\x0e", 1, 5000, LARCH_OK, true, 0, true, 6, 0, 1024}, /* M of a request means nothing */
    {"\x46", 1, 5000, LARCH_OK, true, 4, false, 6, 4096, 904},
    {"\x46", 1, 5120, LARCH_OK, true, 4, false, 6, 4096, 1024},
    {"\x46", 1, 4097, LARCH_OK, true, 4, false, 6, 4096, 1},
    {"\x46", 1, 4096, LARCH_MALFORMED, false, 0, false, 0, 0, 0},
    {"\x56", 1, 5000, LARCH_MALFORMED, false, 0, false, 0, 0, 0},
    {"\x12", 1, 100, LARCH_OK, true, 1, false, 2, 64, 36},
    {"\x07", 1, 5000, LARCH_MALFORMED, false, 0, false, 0, 0, 0},
    {"\xff\xff\xf6", 3, 5000, LARCH_MALFORMED, false, 0, false, 0, 0, 0},
    {"\x10", 1, 0, LARCH_MALFORMED, false, 0, false, 0, 0, 0},
    {"\x00\x00\x00\x06", 4, 5000, LARCH_MALFORMED, false, 0, false, 0, 0, 0},
};

static void test_slice(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(slice_rows); i++) {
        const struct slice_row *row = &slice_rows[i];
        larch_coap_slice slice;
        larch_bytes value = {(const uint8_t *)row->value, row->value_len};
        larch_coap_message m = request_with(row->value != NULL ? LARCH_COAP_OPT_BLOCK2 : 0, value);
        larch_error e = larch_coap_block2_slice(&m, bytes_of(0, row->len), &slice);
        if (e != row->error)
            print_error("row %zu\n", i);
        assert_int_equal(e, row->error);
        assert_int_equal(slice.blockwise, row->blockwise);
        expect_block(slice.block, row->num, row->more, row->szx);
        assert_true(larch_bytes_equal(slice.bytes, bytes_of(row->at, row->slice_len)));
    }
}

static void test_blocks_build(void **state)
{
    (void)state;
    for (unsigned row = 0; row < 8; row++) {
        const bool first = row & 1, blockwise = row & 2, answers_block1 = row & 4;
        const larch_coap_block block1 = block_of(3, false, 2);
        larch_coap_slice slice = {block_of(first ? 0 : 5, true, 4), blockwise, {NULL, 0}};
        uint8_t out[64];
        larch_coap_builder b;
        larch_bytes datagram, value;
        larch_coap_message m;
        uint32_t number;
        larch_coap_block block;
        larch_coap_build(&b, out, sizeof out, LARCH_COAP_ACK, LARCH_COAP_CONTENT, 1, (larch_bytes){NULL, 0});
        if (answers_block1)
            larch_coap_blocks_build(&b, &slice, 3000, &block1);
        else
            larch_coap_block2_build(&b, &slice, 3000);
        assert_int_equal(larch_coap_build_end(&b, &datagram), LARCH_OK);
        assert_int_equal(larch_coap_parse(datagram, &m), LARCH_OK);
        assert_int_equal(larch_coap_option_find(&m, LARCH_COAP_OPT_BLOCK2, &value), blockwise);
        if (blockwise) {
            assert_int_equal(larch_coap_block_parse(value, &block), LARCH_OK);
            expect_block(block, first ? 0 : 5, true, 4);
        }
        assert_int_equal(larch_coap_option_find(&m, LARCH_COAP_OPT_SIZE2, &value), blockwise && first);
        if (blockwise && first) {
            assert_int_equal(larch_coap_option_uint(value, &number), LARCH_OK);
            assert_int_equal(number, 3000);
        }
        assert_int_equal(larch_coap_option_find(&m, LARCH_COAP_OPT_BLOCK1, &value), answers_block1);
        if (answers_block1) {
            assert_int_equal(larch_coap_block_parse(value, &block), LARCH_OK);
            expect_block(block, 3, false, 2);
        }
    }
}

/* ---- Block1, served ---------------------------------------------------- */

static larch_coap_reassembly reassembly;
static bool is_proven, is_on_link; /* of all who send */

static int setup_reassembly(void **state)
{
    (void)state;
    larch_sim_random source = {7, 0, 0};
    larch_random random = larch_sim_random_of(&source);
    is_proven = true;
    is_on_link = false;
    memset(&reassembly, 0xa5, sizeof reassembly); /* init owes nothing to what was there */
    assert_int_equal(larch_coap_reassembly_init(&reassembly, &random), LARCH_OK);
    source.fails_at = 1;
    larch_coap_reassembly other;
    assert_int_equal(larch_coap_reassembly_init(&other, &random), LARCH_PLATFORM);
    return 0;
}

typedef struct upload {
    unsigned peer;
    uint8_t method;
    const char *path;
    const char *query; /* NULL: none */
    const char *tag;   /* Request-Tag, NULL: none */
    uint32_t size1;    /* 0: none */
} upload;

static const upload plain = {0, LARCH_COAP_POST, "a/b", NULL, NULL, 0};

static struct taken {
    bool blockwise;
    larch_coap_block block;
    larch_bytes body;
} taken;

/* Who asked last, and what. */
static larch_peer asker;
static larch_coap_message asked;

static larch_error take_raw(uint64_t now_ms, const upload *u, bool given, uint32_t value, larch_bytes payload)
{
    static uint8_t out[2048];
    larch_coap_builder b;
    larch_bytes datagram;
    asker = larch_sim_ipv4(0x0a000001 + u->peer, 5683);
    asker.is_on_link = is_on_link;
    larch_coap_build(&b, out, sizeof out, LARCH_COAP_CON, u->method, 1, (larch_bytes){NULL, 0});
    larch_coap_build_path(&b, u->path);
    if (u->query != NULL)
        larch_coap_build_option(&b, LARCH_COAP_OPT_URI_QUERY,
                                (larch_bytes){(const uint8_t *)u->query, strlen(u->query)});
    if (given)
        larch_coap_build_option_uint(&b, LARCH_COAP_OPT_BLOCK1, value);
    if (u->size1 != 0)
        larch_coap_build_option_uint(&b, LARCH_COAP_OPT_SIZE1, u->size1);
    if (u->tag != NULL)
        larch_coap_build_option(&b, LARCH_COAP_OPT_REQUEST_TAG, (larch_bytes){(const uint8_t *)u->tag, strlen(u->tag)});
    if (payload.len > 0)
        larch_coap_build_payload(&b, payload);
    assert_int_equal(larch_coap_build_end(&b, &datagram), LARCH_OK);
    assert_int_equal(larch_coap_parse(datagram, &asked), LARCH_OK);
    return larch_coap_reassembly_take(&reassembly, now_ms, &asker, is_proven, &asked, &taken.blockwise, &taken.block,
                                      &taken.body);
}

/* The block num of size 2^(szx+4) of the pattern, cut to len. */
static larch_error take(uint64_t now_ms, const upload *u, uint32_t num, bool more, uint8_t szx, size_t len)
{
    return take_raw(now_ms, u, true, larch_coap_block_value(block_of(num, more, szx)),
                    bytes_of(num * larch_coap_block_size(szx), len));
}

static void test_reassembly(void **state)
{
    (void)state;
    assert_int_equal(take_raw(NOW_MS, &plain, false, 0, bytes_of(0, 100)), LARCH_OK);
    assert_false(taken.blockwise);
    assert_true(larch_bytes_equal(taken.body, bytes_of(0, 100)));

    assert_int_equal(take(NOW_MS, &plain, 0, false, 6, 100), LARCH_OK);
    assert_true(taken.blockwise);
    expect_block(taken.block, 0, false, 6);
    assert_true(larch_bytes_equal(taken.body, bytes_of(0, 100)));

    for (uint8_t szx = 0; szx <= 6; szx++) {
        const size_t size = larch_coap_block_size(szx);
        for (uint32_t num = 0; num < LARCH_COAP_UPLOAD_MAX / size - 1; num++) {
            assert_int_equal(take(NOW_MS, &plain, num, true, szx, size), LARCH_AGAIN);
            assert_true(taken.blockwise);
            expect_block(taken.block, num, true, szx);
            assert_int_equal(taken.body.len, 0);
        }
        const uint32_t last = (uint32_t)(LARCH_COAP_UPLOAD_MAX / size - 1);
        assert_int_equal(take(NOW_MS, &plain, last, false, szx, size), LARCH_OK);
        expect_block(taken.block, last, false, szx);
        assert_true(larch_bytes_equal(taken.body, bytes_of(0, LARCH_COAP_UPLOAD_MAX)));
        assert_int_equal(take(NOW_MS, &plain, last, false, szx, size), LARCH_STATE); /* over */
    }
}

static void begin(uint64_t now_ms, const upload *u) { assert_int_equal(take(now_ms, u, 0, true, 2, 64), LARCH_AGAIN); }

static void test_reassembly_order(void **state)
{
    (void)state;
    assert_int_equal(take(NOW_MS, &plain, 1, false, 2, 10), LARCH_STATE); /* unknown */

    begin(NOW_MS, &plain);
    assert_int_equal(take(NOW_MS, &plain, 2, true, 2, 64), LARCH_STATE);  /* a gap */
    assert_int_equal(take(NOW_MS, &plain, 1, false, 2, 10), LARCH_STATE); /* the body is dropped */

    begin(NOW_MS, &plain);
    assert_int_equal(take(NOW_MS, &plain, 1, true, 2, 64), LARCH_AGAIN);
    assert_int_equal(take(NOW_MS, &plain, 1, true, 2, 64), LARCH_AGAIN); /* the same once more */
    assert_int_equal(take(NOW_MS, &plain, 2, false, 2, 3), LARCH_OK);
    assert_true(larch_bytes_equal(taken.body, bytes_of(0, 131)));

    begin(NOW_MS, &plain);
    assert_int_equal(take(NOW_MS, &plain, 1, true, 2, 64), LARCH_AGAIN);
    assert_int_equal(take_raw(NOW_MS, &plain, true, larch_coap_block_value(block_of(1, true, 2)), bytes_of(500, 64)),
                     LARCH_STATE); /* the same number, other bytes */

    begin(NOW_MS, &plain);
    assert_int_equal(take(NOW_MS, &plain, 1, true, 2, 64), LARCH_AGAIN);
    begin(NOW_MS, &plain);                                            /* from the start again */
    assert_int_equal(take(NOW_MS, &plain, 4, false, 0, 5), LARCH_OK); /* in smaller blocks from here */
    assert_true(larch_bytes_equal(taken.body, bytes_of(0, 69)));

    begin(NOW_MS, &plain);
    assert_int_equal(take(NOW_MS, &plain, 1, false, 2, 0), LARCH_OK); /* an empty last block */
    assert_int_equal(taken.body.len, 64);
}

/* What is refused for now comes again by its last block, once for each time that it is put back. */
static void test_reassembly_put_back(void **state)
{
    (void)state;
    begin(NOW_MS, &plain);
    assert_int_equal(take(NOW_MS, &plain, 1, false, 2, 3), LARCH_OK);
    larch_coap_reassembly_put_back(&reassembly, NOW_MS, &asker, &asked);
    assert_int_equal(take(NOW_MS + LARCH_COAP_REASSEMBLY_MS - 1, &plain, 1, false, 2, 3), LARCH_OK);
    assert_true(larch_bytes_equal(taken.body, bytes_of(0, 67)));
    assert_int_equal(take(NOW_MS, &plain, 1, false, 2, 3), LARCH_STATE);

    begin(NOW_MS, &plain);
    assert_int_equal(take(NOW_MS, &plain, 1, false, 2, 3), LARCH_OK);
    larch_coap_reassembly_put_back(&reassembly, NOW_MS, &asker, &asked);
    assert_int_equal(take_raw(NOW_MS, &plain, true, larch_coap_block_value(block_of(1, false, 2)), bytes_of(500, 3)),
                     LARCH_STATE); /* other bytes */
    larch_coap_reassembly_put_back(&reassembly, NOW_MS, &asker, &asked);
    assert_int_equal(take(NOW_MS, &plain, 1, false, 2, 4), LARCH_STATE); /* nothing of another length is put back */

    assert_int_equal(take_raw(NOW_MS, &plain, false, 0, bytes_of(0, 67)), LARCH_OK);
    larch_coap_reassembly_put_back(&reassembly, NOW_MS, &asker, &asked); /* there is no body of blocks */
    assert_int_equal(take(NOW_MS, &plain, 1, false, 2, 3), LARCH_STATE);
}

static void test_reassembly_malformed(void **state)
{
    (void)state;
    const struct {
        uint32_t value;
        size_t len;
    } rows[] = {
        {0x1f, 64},     /* szx 7 */
        {0x1a, 63},     /* more, but short */
        {0x1a, 65},     /* more, but long */
        {0x12, 65},     /* the last, but long */
        {0x100001a, 64} /* four bytes */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        begin(NOW_MS, &plain);
        assert_int_equal(take_raw(NOW_MS, &plain, true, rows[i].value, bytes_of(64, rows[i].len)), LARCH_MALFORMED);
        assert_int_equal(take(NOW_MS, &plain, 1, false, 2, 10), LARCH_STATE);
    }
}

static void test_reassembly_space(void **state)
{
    enum { BLOCKS = LARCH_COAP_UPLOAD_MAX / 1024 };
    (void)state;
    upload large = plain;
    large.size1 = LARCH_COAP_UPLOAD_MAX + 1;
    assert_int_equal(take(NOW_MS, &large, 0, true, 2, 64), LARCH_SPACE);
    large.size1 = LARCH_COAP_UPLOAD_MAX;
    assert_int_equal(take(NOW_MS, &large, 0, true, 2, 64), LARCH_AGAIN);
    const struct {
        uint32_t num;
        bool more;
        uint8_t szx;
        size_t len;
    } rows[] = {{BLOCKS, false, 6, 1}, {0xfffff, false, 6, 0}, {BLOCKS, true, 6, 1024}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (uint32_t num = 0; num < BLOCKS; num++)
            assert_int_equal(take(NOW_MS, &plain, num, true, 6, 1024), LARCH_AGAIN);
        assert_int_equal(take_raw(NOW_MS, &plain, true,
                                  larch_coap_block_value(block_of(rows[i].num, rows[i].more, rows[i].szx)),
                                  bytes_of(0, rows[i].len)),
                         LARCH_SPACE);
        assert_int_equal(take(NOW_MS, &plain, 2, false, 6, 0), LARCH_STATE);
    }
}

/* Bodies that differ in one point of their key do not mix. */
static void test_reassembly_keys(void **state)
{
    (void)state;
    const upload others[] = {{1, LARCH_COAP_POST, "a/b", NULL, NULL, 0}, {0, LARCH_COAP_PUT, "a/b", NULL, NULL, 0},
                             {0, LARCH_COAP_POST, "ab", NULL, NULL, 0},  {0, LARCH_COAP_POST, "a/b/", NULL, NULL, 0},
                             {0, LARCH_COAP_POST, "a", "b", NULL, 0},    {0, LARCH_COAP_POST, "a/b", "x=1", NULL, 0},
                             {0, LARCH_COAP_POST, "a/b", NULL, "t", 0},  {0, LARCH_COAP_POST, "a/b", NULL, "", 0}};
    for (size_t i = 0; i < COUNT(others); i++) {
        begin(NOW_MS, &plain);
        assert_int_equal(take(NOW_MS, &others[i], 1, false, 2, 10), LARCH_STATE);
        begin(NOW_MS, &others[i]);
        assert_int_equal(take(NOW_MS, &plain, 1, false, 2, 10), LARCH_OK);
        assert_int_equal(take(NOW_MS, &others[i], 1, false, 2, 20), LARCH_OK);
        assert_int_equal(taken.body.len, 84);
    }
}

static void test_reassembly_places(void **state)
{
    (void)state;
    upload u = plain;
    for (u.peer = 0; u.peer < LARCH_COAP_REASSEMBLIES; u.peer++)
        begin(NOW_MS + u.peer, &u);
    begin(NOW_MS + 5, &plain); /* peer 0 is younger than peer 1 now */
    u.peer = 100;
    assert_int_equal(take(NOW_MS + 1000, &u, 0, true, 2, 64), LARCH_BUSY);
    assert_int_equal(take(NOW_MS + 1000, &u, 0, false, 2, 64), LARCH_OK); /* needs no place */
    begin(NOW_MS + 1001, &u);
    u.peer = 1;
    assert_int_equal(take(NOW_MS + 1001, &u, 1, false, 2, 1), LARCH_STATE); /* pushed out */
    u.peer = 2;
    assert_int_equal(take(NOW_MS + 1001, &u, 1, false, 2, 1), LARCH_OK);
    assert_int_equal(take(NOW_MS + 5 + LARCH_COAP_REASSEMBLY_MS - 1, &plain, 1, true, 2, 64), LARCH_AGAIN);
    assert_int_equal(take(NOW_MS + 5 + 2 * LARCH_COAP_REASSEMBLY_MS - 1, &plain, 2, true, 2, 64), LARCH_STATE);
}

/* Strangers take half of the places, one for each network, and a proven peer takes theirs at once. */
static void test_places_of_strangers(void **state)
{
    (void)state;
    upload u = plain;
    unsigned got = 0;
    is_proven = false;
    begin(NOW_MS, &u);
    u.peer = 1; /* of the same network */
    assert_int_equal(take(NOW_MS + 2000, &u, 0, true, 2, 64), LARCH_BUSY);
    for (unsigned i = 1; i < 20; i++) {
        u.peer = i << 8;
        got += take(NOW_MS + 2000, &u, 0, true, 2, 64) == LARCH_AGAIN;
    }
    assert_int_equal(got, LARCH_COAP_REASSEMBLIES / 2 - 1);
    assert_int_equal(take(NOW_MS + 2000, &u, 0, false, 2, 64), LARCH_OK); /* needs no place */
    is_proven = true;
    for (unsigned i = 0; i < LARCH_COAP_REASSEMBLIES; i++) {
        u.peer = 0x10000 + (i << 8);
        begin(NOW_MS + 2000, &u);
    }
    is_proven = false;
    assert_int_equal(take(NOW_MS + 2000, &plain, 1, false, 2, 10), LARCH_STATE); /* pushed out */
    assert_int_equal(take(NOW_MS + 9000, &plain, 0, true, 2, 64), LARCH_BUSY);   /* no time makes room for it */
    is_proven = true;
    for (unsigned i = 0; i < LARCH_COAP_REASSEMBLIES; i++) {
        u.peer = 0x10000 + (i << 8);
        assert_int_equal(take(NOW_MS + 9000, &u, 1, false, 2, 10), LARCH_OK);
    }
}

/* Nobody holds every place: not a network elsewhere, and not an address on the link. */
static void test_places_are_shared(void **state)
{
    (void)state;
    for (int near = 0; near < 2; near++) {
        upload u = plain;
        is_on_link = near == 1;
        for (unsigned i = 0; i < LARCH_COAP_REASSEMBLIES; i++) {
            static const char *const tags[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
            u.peer = near == 1 ? 0 : i;
            u.tag = tags[i % COUNT(tags)];
            begin(NOW_MS, &u);
        }
        u = plain;
        u.peer = near == 1 ? 1 : 0x100;
        begin(NOW_MS, &u);
        u.tag = "another"; /* which would be its second */
        assert_int_equal(take(NOW_MS, &u, 0, true, 2, 64), LARCH_COAP_REASSEMBLIES > 3 ? LARCH_AGAIN : LARCH_BUSY);
        u.tag = "a third";
        assert_int_equal(take(NOW_MS, &u, 0, true, 2, 64), LARCH_BUSY);
        u.tag = NULL;
        assert_int_equal(take(NOW_MS, &u, 1, false, 2, 10), LARCH_OK);
        (void)setup_reassembly(NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slice),
        cmocka_unit_test(test_blocks_build),
        cmocka_unit_test_setup(test_reassembly, setup_reassembly),
        cmocka_unit_test_setup(test_reassembly_order, setup_reassembly),
        cmocka_unit_test_setup(test_reassembly_put_back, setup_reassembly),
        cmocka_unit_test_setup(test_reassembly_malformed, setup_reassembly),
        cmocka_unit_test_setup(test_reassembly_space, setup_reassembly),
        cmocka_unit_test_setup(test_reassembly_keys, setup_reassembly),
        cmocka_unit_test_setup(test_reassembly_places, setup_reassembly),
        cmocka_unit_test_setup(test_places_of_strangers, setup_reassembly),
        cmocka_unit_test_setup(test_places_are_shared, setup_reassembly),
    };
    return cmocka_run_group_tests(tests, fill_pattern, NULL);
}
