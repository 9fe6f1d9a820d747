/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L /* NOLINT(bugprone-reserved-identifier): fmemopen */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sniff/write/pcapng.h"

static const uint8_t expected[] = {
    /* section: type, length, magic, 1.0, length unknown, shb_userappl, end, length */
    0x0a, 0x0d, 0x0d, 0x0a, 48, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 4, 0, 11, 0, 'l', 'a', 'r', 'c', 'h', ' ', 's', 'n', 'i', 'f', 'f', 0, 0, 0, 0, 0, 48, 0, 0, 0,
    /* interface 0: Ethernet, snap length 1500, if_tsresol 9 */
    1, 0, 0, 0, 32, 0, 0, 0, 1, 0, 0, 0, 0xdc, 5, 0, 0, 9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0, 0,
    /* packet on it: time, captured 5 of 9 bytes, comment */
    6, 0, 0, 0, 56, 0, 0, 0, 0, 0, 0, 0, 4, 3, 2, 1, 8, 7, 6, 5, 5, 0, 0, 0, 9, 0, 0, 0, 'a', 'b', 'c', 'd', 'e', 0, 0,
    0, 1, 0, 6, 0, 'r', 'e', 'p', 'l', 'a', 'y', 0, 0, 0, 0, 0, 0, 56, 0, 0, 0,
    /* interface 1: SLL2, and a packet without comment */
    1, 0, 0, 0, 32, 0, 0, 0, 0x14, 1, 0, 0, 0xdc, 5, 0, 0, 9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0, 0, 6, 0, 0, 0,
    36, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0, 'w', 'x', 'y', 'z', 36, 0, 0, 0,
    /* the first interface again, and a drop count */
    6, 0, 0, 0, 48, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 8, 0, 3, 2, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 48, 0, 0, 0,
    /* statistics: received, dropped */
    5, 0, 0, 0, 52, 0, 0, 0, 0, 0, 0, 0, 4, 3, 2, 1, 8, 7, 6, 5, 4, 0, 8, 0, 3, 0, 0, 0, 0, 0, 0, 0, 5, 0, 8, 0, 0, 0,
    0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 52, 0, 0, 0};

static larch_error write_all(FILE *file)
{
    larch_sniff_pcapng p;
    larch_sniff_frame one = {UINT64_C(0x0102030405060708), LARCH_SNIFF_LINK_ETHERNET, LARCH_TEXT("abcde"), 9};
    larch_sniff_frame two = {1, LARCH_SNIFF_LINK_SLL2, LARCH_TEXT("wxyz"), 4};
    larch_sniff_frame three = {2, LARCH_SNIFF_LINK_ETHERNET, {NULL, 0}, 0};
    larch_error r;
    if ((r = larch_sniff_pcapng_begin(&p, file, 1500)) != LARCH_OK ||
        (r = larch_sniff_pcapng_frame(&p, &one, 0, "replay")) != LARCH_OK ||
        (r = larch_sniff_pcapng_frame(&p, &two, 0, NULL)) != LARCH_OK)
        return r;
    if ((r = larch_sniff_pcapng_frame(&p, &three, 0x0203, NULL)) != LARCH_OK)
        return r;
    return larch_sniff_pcapng_statistics(&p, UINT64_C(0x0102030405060708), 3, 0x0100000000);
}

static void test_bytes(void **state)
{
    (void)state;
    uint8_t out[sizeof expected + 64] = {0};
    FILE *file = fmemopen(out, sizeof out, "wb");
    assert_non_null(file);
    assert_int_equal(write_all(file), LARCH_OK);
    assert_int_equal(ftell(file), sizeof expected);
    fclose(file);
    assert_memory_equal(out, expected, sizeof expected);
}

/* A full medium is told, wherever it fills up. */
static void test_full(void **state)
{
    (void)state;
    for (size_t room = 1; room < sizeof expected; room++) {
        uint8_t out[sizeof expected];
        FILE *file = fmemopen(out, room, "wb");
        assert_non_null(file);
        setbuf(file, NULL);
        assert_int_equal(write_all(file), LARCH_PLATFORM);
        fclose(file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_bytes), cmocka_unit_test(test_full)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
