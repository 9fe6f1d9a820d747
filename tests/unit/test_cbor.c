/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "larch/cbor.h"

#define ENCODED(literal)             \
    {                                \
        literal, sizeof(literal) - 1 \
    }

typedef struct encoded {
    const char *bytes;
    size_t len;
} encoded;

static larch_reader reader_of(const encoded *e)
{
    return larch_reader_of((larch_bytes){(const uint8_t *)e->bytes, e->len});
}

/* ---- what is refused ------------------------------------------------------- */

static void test_refused(void **state)
{
    (void)state;
    static const encoded wrong[] = {
        ENCODED(""),
        ENCODED("\x18"), /* cut */
        ENCODED("\x19\x01"),
        ENCODED("\x1a\x01\x02\x03"),
        ENCODED("\x1b\x01\x02\x03\x04\x05\x06\x07"),
        ENCODED("\x41"),
        ENCODED("\x62\x61"),
        ENCODED("\x81"),
        ENCODED("\x82\x01"),
        ENCODED("\xa1\x01"),
        ENCODED("\xc1"),
        ENCODED("\x5b\xff\xff\xff\xff\xff\xff\xff\xff"), /* longer than memory */
        ENCODED("\x9b\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
        ENCODED("\xbb\x80\x00\x00\x00\x00\x00\x00\x00\x01\x01"),
        ENCODED("\x18\x17"), /* not the shortest head */
        ENCODED("\x19\x00\xff"),
        ENCODED("\x1a\x00\x00\xff\xff"),
        ENCODED("\x1b\x00\x00\x00\x00\xff\xff\xff\xff"),
        ENCODED("\x38\x00"),
        ENCODED("\x58\x01\x61"),
        ENCODED("\x98\x00"),
        ENCODED("\xb8\x00"),
        ENCODED("\xd8\x00\x01"),
        ENCODED("\x1c\x00"), /* reserved */
        ENCODED("\x1d\x00"),
        ENCODED("\x1e\x00"),
        ENCODED("\x5f\x41\x01\xff"), /* indefinite */
        ENCODED("\x7f\x61\x61\xff"),
        ENCODED("\x9f\x01\xff"),
        ENCODED("\xbf\x01\x01\xff"),
        ENCODED("\xff"),
        ENCODED("\xf8\x00"), /* a simple value that has one form only */
        ENCODED("\xf8\x18"),
        ENCODED("\xf8\x1f"),
        ENCODED("\xfc"),
        ENCODED("\xfa\x3f\x80\x00\x00"),                 /* 1.0 as binary32 */
        ENCODED("\xfb\x3f\xf0\x00\x00\x00\x00\x00\x00"), /* and as binary64 */
        ENCODED("\xfa\x7f\x80\x00\x00"),                 /* infinity */
        ENCODED("\xf9\x7e\x01"),                         /* another NaN */
        ENCODED("\xfb\x7f\xf8\x00\x00\x00\x00\x00\x00"),
        ENCODED("\xa2\x02\x01\x01\x01"), /* keys out of order */
        ENCODED("\xa2\x01\x01\x01\x02"), /* twice */
        ENCODED("\xa2\x20\x01\x18\x64\x01"),
        ENCODED("\xa2\x61\x62\x01\x61\x61\x01"),
        ENCODED("\x61\x80"), /* no UTF-8 */
        ENCODED("\x62\xc1\x81"),
        ENCODED("\x62\xc3\x28"),
        ENCODED("\x63\xe0\x9f\xbf"),
        ENCODED("\x63\xed\xa0\x80"),
        ENCODED("\x64\xf0\x8f\xbf\xbf"),
        ENCODED("\x64\xf4\x90\x80\x80"),
        ENCODED("\x64\xf5\x80\x80\x80"),
        ENCODED("\x62\xe2\x82"),
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        larch_reader r = reader_of(&wrong[i]);
        larch_bytes encoding = {NULL, 77};
        assert_int_equal(larch_cbor_take_whole(&r, &encoding), LARCH_MALFORMED);
        assert_int_equal(r.left.len, wrong[i].len);
        assert_int_equal(encoding.len, 77);
    }
}

/* ---- nesting ---------------------------------------------------------------- */

static void test_depth(void **state)
{
    (void)state;
    uint8_t bytes[LARCH_CBOR_DEPTH + 2];
    for (unsigned kind = 0; kind < 2; kind++)
        for (size_t depth = 0; depth <= LARCH_CBOR_DEPTH + 1; depth++) {
            memset(bytes, kind == 0 ? 0x81 : 0xc1, depth); /* arrays of one, or tags */
            bytes[depth] = 0x05;
            larch_reader r = larch_reader_of((larch_bytes){bytes, depth + 1});
            larch_bytes encoding;
            const larch_error e = larch_cbor_take_whole(&r, &encoding);
            assert_int_equal(e, depth <= LARCH_CBOR_DEPTH ? LARCH_OK : LARCH_MALFORMED);
            if (e == LARCH_OK)
                assert_int_equal(encoding.len, depth + 1);
        }
}

/* {1: [2, {"a": h'', "b": 3(null)}, []], -1: true}, then 7 */
static void test_nested(void **state)
{
    (void)state;
    static const encoded item = ENCODED("\xa2\x01\x83\x02\xa2\x61\x61\x40\x61\x62\xc3\xf6\x80\x20\xf5\x07");
    larch_reader r = reader_of(&item), inner;
    larch_bytes encoding;
    size_t count;
    int64_t number;
    uint64_t tag;
    assert_int_equal(larch_cbor_take_whole(&r, &encoding), LARCH_OK);
    assert_int_equal(encoding.len, item.len - 1);
    assert_int_equal(larch_cbor_take_int(&r, &number), LARCH_OK);
    assert_int_equal(number, 7);
    assert_int_equal(larch_cbor_peek(&r), LARCH_CBOR_END);
    inner = larch_reader_of(encoding);
    assert_int_equal(larch_cbor_peek(&inner), LARCH_CBOR_MAP);
    assert_int_equal(larch_cbor_take_map(&inner, &count), LARCH_OK);
    assert_int_equal(count, 2);
    assert_int_equal(larch_cbor_take_int(&inner, &number), LARCH_OK);
    assert_int_equal(larch_cbor_take_array(&inner, &count), LARCH_OK);
    assert_int_equal(count, 3);
    assert_int_equal(larch_cbor_take_int(&inner, &number), LARCH_OK);
    assert_int_equal(larch_cbor_take_map(&inner, &count), LARCH_OK);
    assert_int_equal(larch_cbor_take_text(&inner, &encoding), LARCH_OK);
    assert_int_equal(larch_cbor_take_bytes(&inner, &encoding), LARCH_OK);
    assert_int_equal(encoding.len, 0);
    assert_int_equal(larch_cbor_take_bytes(&inner, &encoding), LARCH_MALFORMED); /* a text */
    assert_int_equal(larch_cbor_take_text(&inner, &encoding), LARCH_OK);
    assert_int_equal(larch_cbor_take_tag(&inner, &tag), LARCH_OK);
    assert_int_equal(tag, 3);
    assert_int_equal(larch_cbor_take_simple(&inner, LARCH_CBOR_TRUE), LARCH_MALFORMED);
    assert_int_equal(larch_cbor_take_simple(&inner, LARCH_CBOR_NULL), LARCH_OK);
}

/* ---- numbers ----------------------------------------------------------------- */

static void test_int_range(void **state)
{
    (void)state;
    static const struct {
        encoded bytes;
        int64_t number;
    } rows[] = {
        {ENCODED("\x1b\x7f\xff\xff\xff\xff\xff\xff\xff"), INT64_MAX},
        {ENCODED("\x3b\x7f\xff\xff\xff\xff\xff\xff\xff"), INT64_MIN},
        {ENCODED("\x20"), -1},
        {ENCODED("\x38\x18"), -25},
    };
    int64_t number = 42;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t out[9];
        larch_writer w = larch_writer_to(out, sizeof out);
        larch_reader r = reader_of(&rows[i].bytes);
        assert_int_equal(larch_cbor_take_int(&r, &number), LARCH_OK);
        assert_true(number == rows[i].number);
        larch_cbor_put_int(&w, number);
        assert_int_equal(w.len, rows[i].bytes.len);
        assert_memory_equal(out, rows[i].bytes.bytes, w.len);
    }
    static const encoded too_large[] = {ENCODED("\x1b\x80\x00\x00\x00\x00\x00\x00\x00"),
                                        ENCODED("\x3b\x80\x00\x00\x00\x00\x00\x00\x00"), ENCODED("\x40")};
    for (size_t i = 0; i < 3; i++) {
        larch_reader r = reader_of(&too_large[i]);
        number = 42;
        assert_int_equal(larch_cbor_take_int(&r, &number), LARCH_MALFORMED);
        assert_int_equal(number, 42);
        assert_int_equal(r.left.len, too_large[i].len);
    }
}

static uint64_t bits_of(double number)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

/* Every binary16, and around every power of two, against the arithmetic of the host. */
static void test_floats(void **state)
{
    (void)state;
    for (unsigned half = 0; half < 0x10000; half++) {
        uint8_t out[9], in[3] = {0xf9, (uint8_t)(half >> 8), (uint8_t)half};
        larch_reader r = larch_reader_of(LARCH_BYTES(in));
        larch_writer w = larch_writer_to(out, sizeof out);
        larch_cbor_item item;
        const bool is_nan = (half & 0x7fff) > 0x7c00;
        const larch_error e = larch_cbor_take(&r, &item);
        assert_int_equal(e, is_nan && half != 0x7e00 ? LARCH_MALFORMED : LARCH_OK);
        if (e != LARCH_OK)
            continue;
        larch_cbor_put_float(&w, item.value);
        assert_int_equal(w.len, 3);
        assert_memory_equal(out, in, 3);
    }
    for (int exponent = -1074; exponent < 1024; exponent++)
        for (unsigned step = 0; step < 4; step++) {
            double number = 1.0;
            uint8_t out[9];
            larch_writer w = larch_writer_to(out, sizeof out);
            larch_cbor_item item;
            for (int i = 0; i < exponent; i++)
                number *= 2;
            for (int i = 0; i > exponent; i--)
                number /= 2;
            number = number * (step == 0   ? 1.0
                               : step == 1 ? -1.5
                               : step == 2 ? 1.0009765625
                                           : 1.00000011920928955078125);
            const uint64_t bits = bits_of(number);
            if (number - number != 0.0) /* past the largest */
                continue;
            larch_cbor_put_float(&w, bits);
            assert_int_equal(w.len > 5, (double)(float)number != number);
            larch_reader r = larch_reader_of((larch_bytes){out, w.len});
            assert_int_equal(larch_cbor_take(&r, &item), LARCH_OK);
            assert_true(item.value == bits);
        }
}

/* ---- writing ------------------------------------------------------------------- */

static void put_all(larch_writer *w)
{
    larch_cbor_put_array(w, 9);
    larch_cbor_put_uint(w, UINT64_MAX);
    larch_cbor_put_int(w, -70000);
    larch_cbor_put_bytes(w, LARCH_TEXT("bytes"));
    larch_cbor_put_text(w, "text");
    larch_cbor_put_map(w, 1);
    larch_cbor_put_int(w, -1);
    larch_cbor_put_simple(w, LARCH_CBOR_FALSE);
    larch_cbor_put_tag(w, 65536);
    larch_cbor_put_float(w, bits_of(1.1));
    larch_cbor_put_simple(w, 255);
    larch_cbor_put_bytes_head(w, 300);
    for (size_t i = 0; i < 300; i++)
        larch_writer_put_u8(w, (uint8_t)i);
    larch_cbor_put_text_bytes(w, (larch_bytes){NULL, 0});
}

static void test_writer(void **state)
{
    (void)state;
    uint8_t out[400], less[400];
    larch_writer measure = larch_writer_to(NULL, 0), w = larch_writer_to(out, sizeof out);
    larch_bytes written, encoding;
    put_all(&measure);
    put_all(&w);
    assert_int_equal(w.len, measure.len);
    assert_int_equal(larch_writer_finish(&w, &written), LARCH_OK);
    larch_reader r = larch_reader_of(written);
    assert_int_equal(larch_cbor_take_whole(&r, &encoding), LARCH_OK);
    assert_int_equal(encoding.len, written.len);
    for (size_t cap = 0; cap < written.len; cap++) { /* every size is too small, and nothing is written past it */
        memset(less, 0xaa, sizeof less);
        larch_writer short_of = larch_writer_to(less, cap);
        put_all(&short_of);
        assert_int_equal(larch_writer_finish(&short_of, &encoding), LARCH_SPACE);
        for (size_t i = cap; i < sizeof less; i++)
            assert_int_equal(less[i], 0xaa);
    }
    for (size_t len = 0; len < written.len; len++) { /* and every cut is found */
        r = larch_reader_of((larch_bytes){out, len});
        assert_int_equal(larch_cbor_take_whole(&r, &encoding), LARCH_MALFORMED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),   cmocka_unit_test(test_depth),  cmocka_unit_test(test_nested),
        cmocka_unit_test(test_int_range), cmocka_unit_test(test_floats), cmocka_unit_test(test_writer),
    };
    return cmocka_run_group_tests_name("cbor", tests, NULL, NULL);
}
