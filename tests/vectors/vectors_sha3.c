/* SPDX-License-Identifier: Apache-2.0 */
/* NIST's ACVP vectors of SHA-3 and SHAKE, byte-aligned messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "pq/pq.h"
#include "vectors/vectors.h"

static vectors v;
static uint8_t message[1 << 14], expected[1 << 14], got[1 << 14];

static void check_digests(const char *file, void (*digest)(larch_bytes, uint8_t *), size_t len)
{
    vectors_open(&v, file);
    while (vectors_next(&v)) {
        larch_bytes in = vectors_hex(&v, "msg", message, sizeof message);
        assert_int_equal(in.len, vectors_number(&v, "len"));
        assert_int_equal(vectors_hex(&v, "md", expected, sizeof expected).len, len);
        digest(in, got);
        assert_memory_equal(got, expected, len);
    }
    vectors_close(&v);
}

static void check_outputs(const char *file, void (*shake)(larch_bytes, uint8_t *, size_t))
{
    vectors_open(&v, file);
    while (vectors_next(&v)) {
        larch_bytes in = vectors_hex(&v, "msg", message, sizeof message);
        larch_bytes out = vectors_hex(&v, "out", expected, sizeof expected);
        assert_int_equal(out.len, vectors_number(&v, "outlen"));
        shake(in, got, out.len);
        assert_memory_equal(got, expected, out.len);
    }
    vectors_close(&v);
}

static void test_sha3(void **state)
{
    (void)state;
    check_digests("rfc/sha3_224.txt", larch_sha3_224, 28);
    check_digests("rfc/sha3_256.txt", larch_sha3_256, 32);
    check_digests("rfc/sha3_384.txt", larch_sha3_384, 48);
    check_digests("rfc/sha3_512.txt", larch_sha3_512, 64);
}

static void test_shake(void **state)
{
    (void)state;
    check_outputs("rfc/shake128.txt", larch_shake128);
    check_outputs("rfc/shake256.txt", larch_shake256);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sha3), cmocka_unit_test(test_shake)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
