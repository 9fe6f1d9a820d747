/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/siphash.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* SipHash-1-3: of nothing under the key 00 01 .. 0f; of 00 01 02 .. under the key zero, as CPython hashes bytes. */
static void test_known_answers(void **state)
{
    (void)state;
    const uint64_t key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
    larch_siphash h;
    larch_siphash_init(&h, key);
    larch_siphash_part(&h, (larch_bytes){NULL, 0});
    assert_true(larch_siphash_end(&h) == 0xabac0158050fc4dc);

    static const struct {
        size_t len;
        uint64_t sum;
    } rows[] = {{1, 0x68a914128e01e473},
                {7, 0x2f098ab0c751325a},
                {8, 0xead411e67ebe2eea},
                {9, 0x75927f9d95124362},
                {24, 0x31185a47af932f3a}};
    const uint64_t zero[2] = {0, 0};
    uint8_t counting[24];
    for (size_t i = 0; i < sizeof counting; i++)
        counting[i] = (uint8_t)i;
    for (size_t i = 0; i < COUNT(rows); i++) {
        larch_siphash_init(&h, zero);
        larch_siphash_part(&h, (larch_bytes){counting, rows[i].len});
        assert_true(larch_siphash_end(&h) == rows[i].sum);
    }

    const larch_bytes parts[][2] = {
        {LARCH_TEXT("a"), LARCH_TEXT("bc")},       {LARCH_TEXT("ab"), LARCH_TEXT("c")},
        {LARCH_TEXT("abc"), LARCH_TEXT("")},       {LARCH_TEXT("abcdefgh"), LARCH_TEXT("i")},
        {LARCH_TEXT("abcdefghi"), LARCH_TEXT("")}, {LARCH_TEXT("abcdefgh"), LARCH_TEXT("j")}};
    uint64_t sums[COUNT(parts)];
    for (size_t i = 0; i < COUNT(parts); i++) {
        larch_siphash_init(&h, key);
        larch_siphash_part(&h, parts[i][0]);
        larch_siphash_part(&h, parts[i][1]);
        sums[i] = larch_siphash_end(&h);
        for (size_t k = 0; k < i; k++)
            assert_true(sums[k] != sums[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_known_answers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
