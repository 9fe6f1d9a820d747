/* SPDX-License-Identifier: Apache-2.0 */
/* Readers and writers at their edges, peers, checksum, wiping, comparing, texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "larch/base.h"

static const uint8_t eight[] = {1, 2, 3, 4, 5, 6, 7, 0xf8};

/* ---- reader ------------------------------------------------------------ */

static void test_reader_numbers(void **state)
{
    (void)state;
    larch_reader r = larch_reader_of(LARCH_BYTES(eight));
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    assert_int_equal(larch_reader_take_u64(&r, &u64), LARCH_OK);
    assert_true(u64 == UINT64_C(0x01020304050607f8));
    assert_int_equal(r.left.len, 0);
    r = larch_reader_of(LARCH_BYTES(eight));
    assert_int_equal(larch_reader_take_u32(&r, &u32), LARCH_OK);
    assert_int_equal(u32, 0x01020304);
    assert_int_equal(larch_reader_take_u16(&r, &u16), LARCH_OK);
    assert_int_equal(u16, 0x0506);
    assert_int_equal(larch_reader_take_u16le(&r, &u16), LARCH_OK);
    assert_int_equal(u16, 0xf807);
    r = larch_reader_of(LARCH_BYTES(eight));
    assert_int_equal(larch_reader_take_u8(&r, &u8), LARCH_OK);
    assert_int_equal(u8, 1);
}

/* One byte too few: refused, nothing moved, nothing written. */
static void test_reader_short(void **state)
{
    (void)state;
    for (size_t len = 0; len < 8; len++) {
        uint8_t u8 = 0xaa;
        uint16_t u16 = 0xaaaa, u16le = 0xaaaa;
        uint32_t u32 = 0xaaaaaaaa;
        uint64_t u64 = 0xaa;
        larch_bytes view = {eight, 99};
        larch_reader r = larch_reader_of((larch_bytes){eight, len});
        assert_int_equal(larch_reader_take(&r, len + 1, &view), LARCH_MALFORMED);
        assert_int_equal(larch_reader_take(&r, SIZE_MAX, &view), LARCH_MALFORMED);
        assert_int_equal(view.len, 99);
        assert_int_equal(larch_reader_take_u64(&r, &u64), LARCH_MALFORMED);
        assert_int_equal(u64, 0xaa);
        if (len < 4)
            assert_int_equal(larch_reader_take_u32(&r, &u32), LARCH_MALFORMED);
        if (len < 2) {
            assert_int_equal(larch_reader_take_u16(&r, &u16), LARCH_MALFORMED);
            assert_int_equal(larch_reader_take_u16le(&r, &u16le), LARCH_MALFORMED);
        }
        if (len < 1)
            assert_int_equal(larch_reader_take_u8(&r, &u8), LARCH_MALFORMED);
        assert_true(u8 == 0xaa && u16 == 0xaaaa && u16le == 0xaaaa && u32 == 0xaaaaaaaa);
        assert_ptr_equal(r.left.data, eight);
        assert_int_equal(r.left.len, len);
        assert_int_equal(larch_reader_take(&r, len, &view), LARCH_OK);
        assert_ptr_equal(view.data, eight);
        assert_int_equal(view.len, len);
    }
    larch_bytes view;
    larch_reader nothing = larch_reader_of((larch_bytes){NULL, 0});
    assert_int_equal(larch_reader_take(&nothing, 0, &view), LARCH_OK);
    assert_int_equal(view.len, 0);
}

/* ---- writer ------------------------------------------------------------ */

static void put_all(larch_writer *w)
{
    larch_writer_put_u8(w, 0x01);
    larch_writer_put_u16(w, 0x0203);
    larch_writer_put_u16le(w, 0x0504);
    larch_writer_put_u32(w, 0x06070809);
    larch_writer_put_u64(w, UINT64_C(0x0a0b0c0d0e0f1011));
    larch_writer_put_u32le(w, 0x15141312);
    larch_writer_put(w, LARCH_TEXT("\x16\x17"));
    larch_writer_put(w, (larch_bytes){NULL, 0});
    uint8_t *room = larch_writer_reserve(w, 1);
    if (room != NULL)
        *room = 0x18;
}

enum { ALL = 24 };

static void test_writer(void **state)
{
    (void)state;
    uint8_t out[ALL];
    larch_bytes view;
    larch_writer w = larch_writer_to(out, sizeof out);
    put_all(&w);
    assert_int_equal(larch_writer_finish(&w, &view), LARCH_OK);
    assert_ptr_equal(view.data, out);
    assert_int_equal(view.len, ALL);
    for (size_t i = 0; i < ALL; i++)
        assert_int_equal(out[i], i + 1);
}

/* Every capacity too small: counted to the end, not a byte behind cap, nothing after the overflow. */
static void test_writer_overflow(void **state)
{
    (void)state;
    for (size_t cap = 0; cap < ALL; cap++) {
        uint8_t out[ALL];
        larch_bytes view = {eight, 99};
        memset(out, 0xaa, sizeof out);
        larch_writer w = larch_writer_to(out, cap);
        put_all(&w);
        assert_int_equal(w.len, ALL);
        assert_int_equal(larch_writer_finish(&w, &view), LARCH_SPACE);
        assert_int_equal(view.len, 99);
        for (size_t i = 0; i < ALL; i++)
            assert_true(out[i] == 0xaa || (i < cap && out[i] == i + 1));
    }
    uint8_t out[4] = {0};
    larch_writer w = larch_writer_to(out, sizeof out);
    larch_writer_put_u32(&w, 1);
    larch_writer_put_u8(&w, 0xbb);
    assert_null(larch_writer_reserve(&w, 0));
    larch_writer_put_u8(&w, 0xbb);
    assert_int_equal(out[0], 0);
    assert_int_equal(w.len, 6);
}

static void test_writer_measures(void **state)
{
    (void)state;
    larch_writer w = larch_writer_to(NULL, 0);
    larch_bytes view;
    assert_int_equal(larch_writer_finish(&w, &view), LARCH_OK);
    assert_int_equal(view.len, 0);
    put_all(&w);
    assert_int_equal(w.len, ALL);
    assert_int_equal(larch_writer_finish(&w, &view), LARCH_SPACE);
}

/* Lengths whose sum wraps stay an overflow for good. */
static void test_writer_saturates(void **state)
{
    (void)state;
    uint8_t out[4];
    larch_bytes view;
    larch_writer w = larch_writer_to(out, sizeof out);
    larch_writer_put_u8(&w, 1);
    assert_null(larch_writer_reserve(&w, SIZE_MAX));
    assert_true(w.len == SIZE_MAX);
    assert_null(larch_writer_reserve(&w, 2));
    larch_writer_put_u64(&w, 0);
    assert_true(w.len == SIZE_MAX);
    assert_int_equal(larch_writer_finish(&w, &view), LARCH_SPACE);
}

/* ---- bytes, comparing, wiping ------------------------------------------ */

static void test_equal(void **state)
{
    (void)state;
    uint8_t other[sizeof eight];
    memcpy(other, eight, sizeof other);
    assert_true(larch_bytes_equal((larch_bytes){NULL, 0}, (larch_bytes){eight, 0}));
    assert_false(larch_bytes_equal((larch_bytes){NULL, 0}, (larch_bytes){eight, 1}));
    assert_true(larch_bytes_equal(LARCH_BYTES(eight), LARCH_BYTES(other)));
    assert_true(larch_ct_equal(eight, other, sizeof other));
    assert_true(larch_ct_equal(eight, other + 1, 0));
    for (size_t bit = 0; bit < 8 * sizeof other; bit++) {
        other[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(larch_bytes_equal(LARCH_BYTES(eight), LARCH_BYTES(other)));
        assert_false(larch_ct_equal(eight, other, sizeof other));
        other[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    /* Two differences must not cancel. */
    other[0] ^= 1;
    other[1] ^= 1;
    assert_false(larch_ct_equal(eight, other, sizeof other));
}

static void test_wipe(void **state)
{
    (void)state;
    uint8_t memory[64];
    for (size_t from = 0; from < sizeof memory; from += 7)
        for (size_t len = 0; len <= sizeof memory - from; len++) {
            memset(memory, 0x5a, sizeof memory);
            larch_wipe(memory + from, len);
            for (size_t i = 0; i < sizeof memory; i++)
                assert_int_equal(memory[i], i >= from && i < from + len ? 0 : 0x5a);
        }
    larch_wipe(NULL, 0);
}

static larch_error half_fill(void *context, uint8_t *out, size_t len)
{
    memset(out, 0x77, len / 2);
    return *(const larch_error *)context;
}

static void test_random_fails(void **state)
{
    (void)state;
    larch_error outcome = LARCH_PLATFORM;
    const larch_random random = {half_fill, &outcome};
    uint8_t out[8];
    memset(out, 0xaa, sizeof out);
    assert_int_equal(larch_random_fill(&random, out, sizeof out), LARCH_PLATFORM);
    for (size_t i = 0; i < sizeof out; i++)
        assert_int_equal(out[i], 0);
    outcome = LARCH_OK;
    assert_int_equal(larch_random_fill(&random, out, sizeof out), LARCH_OK);
    assert_int_equal(out[0], 0x77);
}

/* ---- checksum ---------------------------------------------------------- */

static void test_crc32(void **state)
{
    (void)state;
    /* The check value of CRC-32/ISO-HDLC, and what zlib gives for the others. */
    assert_int_equal(larch_crc32(0, LARCH_TEXT("123456789")), 0xcbf43926);
    assert_int_equal(larch_crc32(0, LARCH_TEXT("")), 0);
    assert_int_equal(larch_crc32(0, LARCH_TEXT("a")), 0xe8b7be43);
    for (size_t cut = 0; cut <= 9; cut++) {
        uint32_t crc = larch_crc32(0, (larch_bytes){(const uint8_t *)"123456789", cut});
        assert_int_equal(larch_crc32(crc, (larch_bytes){(const uint8_t *)"123456789" + cut, 9 - cut}), 0xcbf43926);
    }
}

/* ---- peers ------------------------------------------------------------- */

static void test_peers(void **state)
{
    (void)state;
    const larch_peer ipv4 = {
        .address = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 7}, .port = 5683, .via = 1};
    const larch_peer ipv6 = {
        .address = {0x20, 1, 0xd, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, .scope = 3, .port = 5683};
    larch_peer other = ipv4;
    other.via = 2;
    other.is_on_link = true;
    assert_true(larch_peer_equal(&ipv4, &other)); /* neither is part of it */
    other.port++;
    assert_false(larch_peer_equal(&ipv4, &other));
    other = ipv6;
    other.scope++;
    assert_false(larch_peer_equal(&ipv6, &other));
    for (size_t i = 0; i < 16; i++) {
        other = ipv6;
        other.address[i] ^= 1;
        assert_false(larch_peer_equal(&ipv6, &other));
    }
    assert_true(larch_peer_is_ipv4(&ipv4));
    assert_false(larch_peer_is_ipv4(&ipv6));

    const larch_peer prefix4 = {.address = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 0}};
    const larch_peer prefix6 = {.address = {0x20, 1, 0xd, 0xb8, 1, 2, 3, 4}};
    larch_peer prefix = larch_peer_prefix(&ipv4);
    assert_memory_equal(&prefix, &prefix4, sizeof prefix);
    prefix = larch_peer_prefix(&ipv6);
    assert_memory_equal(&prefix, &prefix6, sizeof prefix);
}

/* ---- texts ------------------------------------------------------------- */

static void test_texts(void **state)
{
    (void)state;
    for (unsigned e = LARCH_OK; e <= LARCH_RESET; e++) {
        assert_string_not_equal(larch_error_name((larch_error)e), "?");
        assert_string_not_equal(larch_error_text((larch_error)e), "?");
    }
    assert_string_equal(larch_error_name(LARCH_AGAIN), "AGAIN");
    assert_string_equal(larch_error_text(LARCH_REPLAY), "seen before");
    assert_string_equal(larch_error_name((larch_error)(LARCH_RESET + 1)), "?");
    assert_string_equal(larch_error_text((larch_error)UINT32_MAX), "?");
    for (unsigned s = 0; s < LARCH_STEP_COUNT; s++)
        assert_string_not_equal(larch_step_text((larch_step)s), "?");
    assert_string_equal(larch_step_text(LARCH_STEP_COUNT), "?");
}

static void note_step(void *context, larch_step step, bool begin, size_t bytes)
{
    assert_int_equal(step, LARCH_STEP_KDF);
    *(size_t *)context += begin ? 100 : bytes;
}

static void test_trace(void **state)
{
    (void)state;
    size_t seen = 0;
    const larch_trace trace = {note_step, &seen}, silent = {NULL, NULL};
    larch_trace_begin(&trace, LARCH_STEP_KDF);
    larch_trace_end(&trace, LARCH_STEP_KDF, 16);
    assert_int_equal(seen, 116);
    larch_trace_begin(&silent, LARCH_STEP_KDF);
    larch_trace_end(NULL, LARCH_STEP_KDF, 1);
}

/* Zeroes are not written: memory that cannot be written stands it. */
static void test_zero_lazily(void **state)
{
    (void)state;
    uint8_t bytes[9] = {0, 1, 0, 0x80, 0xff, 0, 0, 7, 8};
    const size_t len = (size_t)sysconf(_SC_PAGESIZE);
    void *zeroes = mmap(NULL, len, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    larch_zero_lazily(bytes, 8);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(bytes[i], 0);
    assert_int_equal(bytes[8], 8);
    larch_zero_lazily(NULL, 0);
    assert_true(zeroes != MAP_FAILED);
    larch_zero_lazily(zeroes, len);
    assert_int_equal(munmap(zeroes, len), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reader_numbers),
        cmocka_unit_test(test_zero_lazily),
        cmocka_unit_test(test_reader_short),
        cmocka_unit_test(test_writer),
        cmocka_unit_test(test_writer_overflow),
        cmocka_unit_test(test_writer_measures),
        cmocka_unit_test(test_writer_saturates),
        cmocka_unit_test(test_equal),
        cmocka_unit_test(test_wipe),
        cmocka_unit_test(test_random_fails),
        cmocka_unit_test(test_crc32),
        cmocka_unit_test(test_peers),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
