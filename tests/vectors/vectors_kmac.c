/* SPDX-License-Identifier: Apache-2.0 */
/* KMAC256 against the samples of NIST and the hostile inputs of Wycheproof. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "larch/crypto.h"
#include "vectors/vectors.h"

static vectors v;
static uint8_t key[1 << 12], message[1 << 12], custom[1 << 10], expected[1 << 12], got[1 << 12];

/* Whether KMAC256 of the present record's message is the MAC that it gives. */
static bool gives(const char *mac, larch_bytes customization)
{
    const larch_bytes k = vectors_hex(&v, "key", key, sizeof key);
    const larch_bytes whole = vectors_hex(&v, "msg", message, sizeof message);
    const larch_bytes said = vectors_hex(&v, mac, expected, sizeof expected);
    const size_t half = whole.len / 2;
    const larch_bytes pieces[] = {{whole.data, half}, {whole.data + half, whole.len - half}};
    larch_kmac256(k, customization, pieces, 2, got, said.len);
    return memcmp(got, said.data, said.len) == 0;
}

static void test_samples(void **state)
{
    (void)state;
    unsigned count = 0;
    vectors_open(&v, "rfc/kmac_samples.txt");
    while (vectors_next(&v)) {
        if (!vectors_is(&v, "alg", "KMAC256"))
            continue;
        assert_true(gives("mac", vectors_hex(&v, "custom", custom, sizeof custom)));
        count++;
    }
    vectors_close(&v);
    assert_int_equal(count, 3);
}

static void test_wycheproof(void **state)
{
    (void)state;
    unsigned valid = 0, invalid = 0;
    vectors_open(&v, "wycheproof/kmac256.txt");
    while (vectors_next(&v)) {
        const bool is_valid = vectors_is(&v, "result", "valid");
        assert_int_equal(gives("tag", (larch_bytes){0}), is_valid);
        valid += is_valid;
        invalid += !is_valid;
    }
    vectors_close(&v);
    assert_true(valid > 10 && invalid > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_samples), cmocka_unit_test(test_wycheproof)};
    return cmocka_run_group_tests_name("kmac", tests, NULL, NULL);
}
