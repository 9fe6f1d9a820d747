/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pq/pq.h"

static larch_bytes text(const char *s) { return (larch_bytes){(const uint8_t *)s, strlen(s)}; }

static void assert_hex(const uint8_t *got, size_t len, const char *expected)
{
    assert_int_equal(strlen(expected), 2 * len);
    for (size_t i = 0; i < len; i++) {
        char digits[3] = {expected[2 * i], expected[2 * i + 1], 0};
        assert_int_equal(got[i], strtoul(digits, NULL, 16));
    }
}

/* The examples of NIST's example values for FIPS 202. */
static void test_known_answers(void **state)
{
    (void)state;
    uint8_t out[64];
    larch_sha3_224(text("abc"), out);
    assert_hex(out, 28, "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf");
    larch_sha3_256(text(""), out);
    assert_hex(out, 32, "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a");
    larch_sha3_256(text("abc"), out);
    assert_hex(out, 32, "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532");
    larch_sha3_384(text("abc"), out);
    assert_hex(out, 48,
               "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b298d88cea927ac7f539f1edf228376d25");
    larch_sha3_512(text("abc"), out);
    assert_hex(out, 64,
               "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e"
               "10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0");
    larch_shake128(text(""), out, 32);
    assert_hex(out, 32, "7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26");
    larch_shake256(text(""), out, 32);
    assert_hex(out, 32, "46b9dd2b0ba88d13233b3feb743eeb243fcd52ea62b81b82b50c27646ed5762f");
}

static void fill(uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(i * 131 + (i >> 8));
}

/* Every way to cut a message in two absorbs, and an output in two squeezes,
 * around two blocks, gives what one call gives. */
static void test_every_split(void **state)
{
    (void)state;
    enum { LEN = 2 * 168 + 9 };
    uint8_t message[LEN], whole[LEN], parts[LEN];
    fill(message, sizeof message);
    for (int wide = 0; wide < 2; wide++) {
        void (*const init)(larch_keccak *) = wide ? larch_shake128_init : larch_shake256_init;
        void (*const once)(larch_bytes, uint8_t *, size_t) = wide ? larch_shake128 : larch_shake256;
        once(LARCH_BYTES(message), whole, sizeof whole);
        for (size_t cut = 0; cut <= LEN; cut++) {
            larch_keccak k;
            init(&k);
            larch_shake_absorb(&k, (larch_bytes){message, cut});
            larch_shake_absorb(&k, (larch_bytes){message + cut, LEN - cut});
            larch_shake_finalize(&k);
            memset(parts, 0, sizeof parts);
            larch_shake_squeeze(&k, parts, cut);
            larch_shake_squeeze(&k, parts + cut, LEN - cut);
            assert_memory_equal(parts, whole, LEN);
        }
    }
}

static void test_byte_by_byte(void **state)
{
    (void)state;
    uint8_t message[500], whole[500], parts[500];
    larch_keccak k;
    fill(message, sizeof message);
    larch_shake256(LARCH_BYTES(message), whole, sizeof whole);
    larch_shake256_init(&k);
    for (size_t i = 0; i < sizeof message; i++)
        larch_shake_absorb(&k, (larch_bytes){message + i, 1});
    larch_shake_absorb(&k, (larch_bytes){NULL, 0});
    larch_shake_finalize(&k);
    for (size_t i = 0; i < sizeof parts; i++)
        larch_shake_squeeze(&k, parts + i, 1);
    assert_memory_equal(parts, whole, sizeof whole);
}

/* Words, in any cut of lanes around two blocks, are the bytes that a squeeze gives. */
static void test_words(void **state)
{
    (void)state;
    enum { LANES = 2 * 21 + 3 };
    uint8_t message[33], bytes[8 * LANES];
    uint32_t words[2 * LANES];
    fill(message, sizeof message);
    for (int wide = 0; wide < 2; wide++) {
        void (*const init)(larch_keccak *) = wide ? larch_shake128_init : larch_shake256_init;
        void (*const once)(larch_bytes, uint8_t *, size_t) = wide ? larch_shake128 : larch_shake256;
        once(LARCH_BYTES(message), bytes, sizeof bytes);
        for (size_t cut = 0; cut <= LANES; cut++) {
            larch_keccak k;
            init(&k);
            larch_shake_absorb(&k, LARCH_BYTES(message));
            larch_shake_finalize(&k);
            larch_shake_squeeze_words(&k, words, cut);
            larch_shake_squeeze_words(&k, words + 2 * cut, LANES - cut);
            for (size_t i = 0; i < sizeof bytes; i++)
                assert_int_equal(bytes[i], words[i / 4] >> 8 * (i % 4) & 255);
        }
    }
}

/* All message lengths over the block's edges, where the padding moves into a block of its own. */
static void test_lengths(void **state)
{
    (void)state;
    uint8_t message[300], digest[32], all[32];
    larch_keccak k;
    fill(message, sizeof message);
    larch_shake128_init(&k);
    for (size_t len = 0; len <= sizeof message; len++) {
        larch_sha3_256((larch_bytes){message, len}, digest);
        larch_shake_absorb(&k, LARCH_BYTES(digest));
    }
    larch_shake_finalize(&k);
    larch_shake_squeeze(&k, all, sizeof all);
    /* From Python's hashlib. */
    assert_hex(all, 32, "4881ff0d8319a7b75d3f06bd8022c048c6c682990e7750ec4f9678395f0f71eb");
}

/* The first blocks made side by side are those that each gives by itself, for any count and any length. */
static void test_prepared(void **state)
{
    (void)state;
    enum { SPONGES = 11, OUT = 300 };
    larch_keccak k[SPONGES];
    uint8_t message[SPONGES * 40], whole[OUT], got[OUT];
    fill(message, sizeof message);
    for (size_t count = 0; count <= SPONGES; count++) {
        for (size_t i = 0; i < count; i++) {
            larch_shake256_init(&k[i]);
            larch_shake_absorb(&k[i], (larch_bytes){message, 40 * i});
            larch_shake_finalize(&k[i]);
        }
        larch_shake_prepare_many(k, count);
        for (size_t i = 0; i < count; i++) {
            larch_shake256((larch_bytes){message, 40 * i}, whole, sizeof whole);
            larch_shake_squeeze(&k[i], got, sizeof got);
            assert_memory_equal(got, whole, sizeof whole);
        }
    }
}

#if LARCH_PQ_HASHES_MANY

/* ---- several side by side ------------------------------------------------ */

#define MANY   19 /* two rounds of eight lanes, and three left over */
#define PIECES 4

/* Each level gives what one sponge after the other gives: for all counts, and for lengths around a block's edges, the
 * same or not. The first piece is a key of its own; the message that follows is cut differently in each input. */
static void check_many(larch_shake_many *many, const size_t len[MANY], size_t count)
{
    uint8_t message[MANY][16 + 400], got[MANY + 1][8], expected[8];
    larch_bytes pieces[MANY * PIECES] = {{NULL, 0}};
    memset(got, 0xaa, sizeof got);
    for (size_t i = 0; i < count; i++) {
        const size_t cut = len[i] * (i + 1) / 24;
        fill(message[i], sizeof message[i]);
        message[i][0] = (uint8_t)i;
        pieces[PIECES * i] = (larch_bytes){message[i], 16};
        pieces[PIECES * i + 1] = (larch_bytes){message[i] + 16, cut};
        pieces[PIECES * i + 2] = (larch_bytes){NULL, 0};
        pieces[PIECES * i + 3] = (larch_bytes){message[i] + 16 + cut, len[i] - cut};
    }
    many(got, pieces, PIECES, count);
    for (size_t i = 0; i < count; i++) {
        larch_shake128((larch_bytes){message[i], 16 + len[i]}, expected, sizeof expected);
        assert_memory_equal(got[i], expected, sizeof expected);
    }
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(got[count][i], 0xaa);
}

static void check_many_lengths(larch_shake_many *many)
{
    static const size_t lens[] = {0, 1, 151, 152, 153, 168, 319, 320, 321, 400};
    size_t len[MANY];
    for (size_t row = 0; row < sizeof lens / sizeof lens[0]; row++) {
        for (size_t i = 0; i < MANY; i++)
            len[i] = lens[row];
        check_many(many, len, row % 2 == 0 ? MANY : MANY - 2);
    }
    for (size_t count = 0; count <= MANY; count++) {
        for (size_t i = 0; i < MANY; i++)
            len[i] = i / 3 * 2 % 5 * 60; /* threes of a length: longer ones and shorter ones follow */
        check_many(many, len, count);
    }
}

static void test_many(void **state)
{
    (void)state;
    check_many_lengths(larch_shake128_many);
    for (unsigned level = 0; level < LARCH_PQ_LEVELS; level++)
        if (larch_shake128_many_at_level(level) != NULL)
            check_many_lengths(larch_shake128_many_at_level(level));
    assert_null(larch_shake128_many_at_level(LARCH_PQ_LEVELS));
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),
        cmocka_unit_test(test_every_split),
        cmocka_unit_test(test_byte_by_byte),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_prepared),
#if LARCH_PQ_HASHES_MANY
        cmocka_unit_test(test_many),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
