/* SPDX-License-Identifier: Apache-2.0 */
/* What is typed behind the boards' commands: which texts are numbers and addresses, and which are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "roles/typed.h"

static void test_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t max;
        bool ok;
        uint32_t n;
    } numbers[] = {{"0", 0, true, 0},
                   {"7", 6, false, 0},
                   {"255", 255, true, 255},
                   {"256", 255, false, 0},
                   {"007", 255, true, 7},
                   {"", 9, false, 0},
                   {"-1", 9, false, 0},
                   {"1 ", 9, false, 0},
                   {"1x", 99, false, 0},
                   {"4294967295", UINT32_MAX, true, UINT32_MAX},
                   {"4294967296", UINT32_MAX, false, 0}};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        uint32_t n = 0;
        const larch_bytes text = {(const uint8_t *)numbers[i].text, strlen(numbers[i].text)};
        assert_int_equal(larch_typed_number(text, numbers[i].max, &n), numbers[i].ok);
        assert_int_equal(n, numbers[i].n);
    }
}

static void test_peers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint8_t address[4];
        uint16_t port; /* 0: it is refused */
    } peers[] = {{"10.0.0.2", {10, 0, 0, 2}, 5683},
                 {"255.255.255.255:65535", {255, 255, 255, 255}, 65535},
                 {"0.0.0.0:1", {0, 0, 0, 0}, 1},
                 {"10.0.0.2:0", {0}, 0},
                 {"10.0.0.2:65536", {0}, 0},
                 {"10.0.0.2:", {0}, 0},
                 {"10.0.0.2:1:2", {0}, 0},
                 {"10.0.0.2:1.2", {0}, 0},
                 {"10.0.0.256", {0}, 0},
                 {"10.0.0", {0}, 0},
                 {"10.0.0:5683", {0}, 0},
                 {"10:0.0.2", {0}, 0},
                 {"10.0.0.2.3", {0}, 0},
                 {"10..0.2", {0}, 0},
                 {".10.0.0.2", {0}, 0},
                 {"10.0.0.2.", {0}, 0},
                 {"10.0.0.2 ", {0}, 0},
                 {"auto", {0}, 0},
                 {"", {0}, 0}};
    for (size_t i = 0; i < sizeof peers / sizeof peers[0]; i++) {
        const larch_peer before = {.address = {[15] = 7}, .port = 9};
        larch_peer wanted = {.address = {[10] = 0xff, [11] = 0xff}, .port = peers[i].port}, peer = before;
        const larch_bytes text = {(const uint8_t *)peers[i].text, strlen(peers[i].text)};
        memcpy(wanted.address + 12, peers[i].address, sizeof peers[i].address);
        assert_int_equal(larch_typed_peer(text, &peer), peers[i].port != 0);
        assert_true(larch_peer_equal(&peer, peers[i].port != 0 ? &wanted : &before));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_numbers), cmocka_unit_test(test_peers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
