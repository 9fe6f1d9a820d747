/* SPDX-License-Identifier: Apache-2.0 */
/* What makes a message a copy of another: all its bytes but the type, and its peer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "coap/endpoint_int.h"
#include "sim.h"

#define LONGEST 300 /* several blocks, with every remainder */

static larch_coap_exchange exchanges[1];
static uint8_t answers[LARCH_COAP_EMPTY_LEN];
static uint8_t bytes[LONGEST];
static const larch_peer peer = {.address = {[10] = 0xff, [11] = 0xff, 10, 0, 0, 9}, .port = 5683};

static larch_coap_endpoint start(uint64_t seed)
{
    larch_coap_endpoint ep;
    larch_sim_random state = {.state = seed};
    const larch_random random = larch_sim_random_of(&state);
    const larch_coap_memory memory = {exchanges, 1, answers, sizeof answers};
    assert_int_equal(larch_coap_endpoint_init(&ep, &memory, &random, NULL, 0), LARCH_OK);
    return ep;
}

static larch_coap_hash hash_of(const larch_coap_endpoint *ep, const larch_peer *from, size_t len)
{
    larch_coap_hash hash = larch_coap_hash_ends(ep, from, (larch_bytes){bytes, len});
    larch_coap_hash_middle(ep, (larch_bytes){bytes, len}, &hash);
    return hash;
}

static bool is_same(larch_coap_hash a, larch_coap_hash b) { return a.place == b.place && a.content == b.content; }

/* Every bit of a message of every length; of zeros, which is where a multiplication would lose what is next to it. */
static void test_every_bit(void **state)
{
    (void)state;
    const uint8_t fills[] = {0, 0x5a, 0xff};
    const larch_coap_endpoint ep = start(1);
    for (size_t fill = 0; fill < sizeof fills; fill++) {
        memset(bytes, fills[fill], sizeof bytes);
        for (size_t len = LARCH_COAP_EMPTY_LEN; len <= LONGEST; len++) {
            const larch_coap_hash hash = hash_of(&ep, &peer, len);
            for (size_t bit = 0; bit < 8 * len; bit++) {
                bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
                const larch_coap_hash other = hash_of(&ep, &peer, len);
                bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
                const bool is_type = bit == 4 || bit == 5;
                assert_int_equal(other.content == hash.content, is_type);
                assert_true(!is_type || is_same(other, hash));
            }
        }
    }
}

/* Zeros of each length are messages of their own. */
static void test_every_length(void **state)
{
    (void)state;
    uint32_t contents[LONGEST + 1];
    const larch_coap_endpoint ep = start(2);
    memset(bytes, 0, sizeof bytes);
    for (size_t len = LARCH_COAP_EMPTY_LEN; len <= LONGEST; len++) {
        contents[len] = hash_of(&ep, &peer, len).content;
        for (size_t shorter = LARCH_COAP_EMPTY_LEN; shorter < len; shorter++)
            assert_true(contents[shorter] != contents[len]);
    }
}

/* Two blocks of 64 bytes, or two words of one, that change places. */
static void test_order(void **state)
{
    (void)state;
    const larch_coap_endpoint ep = start(3);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7);
    const size_t swaps[][3] = {{4, 68, 64}, {4, 8, 4}, {4, 12, 8}, {8, 24, 4}};
    for (size_t i = 0; i < sizeof swaps / sizeof swaps[0]; i++) {
        uint8_t kept[64];
        const size_t a = swaps[i][0], b = swaps[i][1], len = swaps[i][2];
        const larch_coap_hash hash = hash_of(&ep, &peer, sizeof bytes);
        memcpy(kept, bytes + a, len);
        memcpy(bytes + a, bytes + b, len);
        memcpy(bytes + b, kept, len);
        assert_true(hash_of(&ep, &peer, sizeof bytes).content != hash.content);
    }
}

/* The place depends on peer and last bytes, and all of it on a key of each start. */
static void test_place(void **state)
{
    (void)state;
    const size_t len = 200;
    const larch_coap_endpoint ep = start(4), other_key = start(5);
    memset(bytes, 0, sizeof bytes);
    const larch_coap_hash hash = hash_of(&ep, &peer, len);
    larch_peer other_peer = peer;
    other_peer.address[15] ^= 1;
    assert_true(hash_of(&ep, &other_peer, len).place != hash.place);
    other_peer = peer;
    other_peer.port ^= 1;
    assert_true(hash_of(&ep, &other_peer, len).place != hash.place);
    assert_true(hash_of(&other_key, &peer, len).place != hash.place);
    assert_true(hash_of(&other_key, &peer, len).content != hash.content);
    for (size_t at = len - 16; at < len; at++) { /* a tag */
        bytes[at] = 1;
        assert_true(hash_of(&ep, &peer, len).place != hash.place);
        bytes[at] = 0;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_bit), cmocka_unit_test(test_every_length),
                                       cmocka_unit_test(test_order), cmocka_unit_test(test_place)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
