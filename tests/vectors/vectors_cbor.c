/* SPDX-License-Identifier: Apache-2.0 */
/* CBOR against the examples of RFC 8949, appendix A. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "larch/cbor.h"
#include "vectors/vectors.h"

static vectors v;

static void put_again(larch_writer *w, const larch_cbor_item *item)
{
    switch (item->type) {
    case LARCH_CBOR_UINT:
        larch_cbor_put_uint(w, item->value);
        break;
    case LARCH_CBOR_NINT:
        if (item->value <= INT64_MAX) {
            larch_cbor_put_int(w, -1 - (int64_t)item->value);
        } else { /* -18446744073709551616: larger than what put_int takes */
            larch_writer_put_u8(w, 0x3b);
            larch_writer_put_u64(w, item->value);
        }
        break;
    case LARCH_CBOR_BYTES:
        larch_cbor_put_bytes(w, item->bytes);
        break;
    case LARCH_CBOR_TEXT:
        larch_cbor_put_text_bytes(w, item->bytes);
        break;
    case LARCH_CBOR_ARRAY:
        larch_cbor_put_array(w, (size_t)item->value);
        break;
    case LARCH_CBOR_MAP:
        larch_cbor_put_map(w, (size_t)item->value);
        break;
    case LARCH_CBOR_TAG:
        larch_cbor_put_tag(w, item->value);
        break;
    case LARCH_CBOR_SIMPLE:
        larch_cbor_put_simple(w, (uint8_t)item->value);
        break;
    default:
        larch_cbor_put_float(w, item->value);
        break;
    }
}

/* The deterministic ones are taken and written again as they were; all others are refused. */
static void test_appendix_a(void **state)
{
    (void)state;
    unsigned taken = 0, refused = 0;
    vectors_open(&v, "rfc/rfc8949_appendix_a.txt");
    while (vectors_next(&v)) {
        uint8_t bytes[256], out[256];
        const larch_bytes cbor = vectors_hex(&v, "cbor", bytes, sizeof bytes);
        larch_reader r = larch_reader_of(cbor);
        larch_writer w = larch_writer_to(out, sizeof out);
        larch_bytes encoding;
        const larch_error e = larch_cbor_take_whole(&r, &encoding);
        assert_int_equal(e, vectors_true(&v, "roundtrip") ? LARCH_OK : LARCH_MALFORMED);
        if (e != LARCH_OK) {
            refused++;
            continue;
        }
        assert_int_equal(r.left.len, 0);
        assert_int_equal(encoding.len, cbor.len);
        for (r = larch_reader_of(cbor); r.left.len > 0;) {
            larch_cbor_item item;
            assert_int_equal(larch_cbor_take(&r, &item), LARCH_OK);
            put_again(&w, &item);
        }
        assert_int_equal(w.len, cbor.len);
        assert_memory_equal(out, cbor.data, cbor.len);
        taken++;
    }
    vectors_close(&v);
    assert_true(taken > 50 && refused > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_appendix_a)};
    return cmocka_run_group_tests_name("cbor", tests, NULL, NULL);
}
