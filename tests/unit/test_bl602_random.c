/* SPDX-License-Identifier: Apache-2.0 */
/* The look at the generator's bytes: what it finds, and that nothing found bad is ever given out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "board/board.h"

enum { BLOCK = 32, PART = 24, START_BLOCKS = 128 };

/* ---- the fake generator ------------------------------------------------------- */

static struct {
    unsigned drawn;    /* blocks */
    unsigned fault_at; /* the block that goes wrong; 0: none does */
    void (*fault)(uint8_t block[BLOCK]);
    uint32_t noise;
    uint8_t last[BLOCK];
} trng = {.noise = 1};

void bl_rand_stream(uint8_t *buf, int len);
void bl_rand_stream(uint8_t *buf, int len)
{
    assert_int_equal(len, BLOCK);
    for (int i = 0; i < len; i++) {
        trng.noise ^= trng.noise << 13;
        trng.noise ^= trng.noise >> 17;
        trng.noise ^= trng.noise << 5;
        buf[i] = (uint8_t)trng.noise;
    }
    if (++trng.drawn == trng.fault_at)
        trng.fault(buf);
    memcpy(trng.last, buf, BLOCK);
}

static void all_zero(uint8_t block[BLOCK]) { memset(block, 0, BLOCK); }
static void all_one(uint8_t block[BLOCK]) { memset(block, 0xff, BLOCK); }
static void same_again(uint8_t block[BLOCK]) { memcpy(block, trng.last, BLOCK); }
static void three_words_at_the_end(uint8_t block[BLOCK])
{
    memcpy(block + BLOCK - 8, block + BLOCK - 12, 4);
    memcpy(block + BLOCK - 4, block + BLOCK - 12, 4);
}
/* Two words that go on the one before: only across the blocks there are three. */
static void two_words_more(uint8_t block[BLOCK])
{
    memcpy(block, trng.last + BLOCK - 4, 4);
    memcpy(block + 4, trng.last + BLOCK - 4, 4);
}
static void two_words(uint8_t block[BLOCK]) { memcpy(block + 8, block + 4, 4); }

/* ---- tests ---------------------------------------------------------------------- */

/* In a child, for what failed once stays so until a restart: 0 if the call says failed, zeroes its output and never works again; 1 if all is well; 2: neither. */
static int outcome_of(void (*fault)(uint8_t[BLOCK]), unsigned fault_at)
{
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        static const uint8_t zeros[60];
        uint8_t out[60];
        trng.fault = fault;
        trng.fault_at = fault_at;
        memset(out, 0xaa, sizeof out);
        if (larch_board_random(NULL, out, sizeof out) == LARCH_OK)
            _exit(memcmp(out, zeros, sizeof out) != 0 ? 1 : 2);
        const bool zeroed = memcmp(out, zeros, sizeof out) == 0;
        const unsigned drawn = trng.drawn;
        const bool over = larch_board_random(NULL, out, 1) == LARCH_PLATFORM && out[0] == 0;
        _exit(zeroed && over && drawn == fault_at ? 0 : 2);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void test_standstill(void **state)
{
    (void)state;
    void (*const faults[])(uint8_t[BLOCK]) = {all_zero, all_one, same_again, three_words_at_the_end, two_words_more};
    /* In the start, its end, and in each block of the answer; not before the second, which has none before it. */
    static const unsigned places[] = {2, 77, START_BLOCKS, START_BLOCKS + 1, START_BLOCKS + 2, START_BLOCKS + 3};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        for (size_t k = 0; k < sizeof places / sizeof *places; k++)
            assert_int_equal(outcome_of(faults[i], places[k]), 0);
    assert_int_equal(outcome_of(all_zero, 1), 0);
}

/* What a sound source does now and then is no fault; nor is what comes after the answer. */
static void test_sound(void **state)
{
    (void)state;
    assert_int_equal(outcome_of(two_words, 5), 1);
    assert_int_equal(outcome_of(two_words, START_BLOCKS + 2), 1);
    assert_int_equal(outcome_of(all_zero, START_BLOCKS + 4), 1);
}

/* 24 bytes of each block, in order: those that are kept to be compared are never given out. */
static void test_bytes(void **state)
{
    (void)state;
    uint8_t out[3 * PART + 1], blocks[4][BLOCK];
    assert_int_equal(larch_board_random(NULL, out, 0), LARCH_OK);
    assert_int_equal(trng.drawn, START_BLOCKS);
    const uint32_t noise = trng.noise;
    for (unsigned i = 0; i < 4; i++)
        bl_rand_stream(blocks[i], BLOCK);
    trng.noise = noise;
    assert_int_equal(larch_board_random(NULL, out, sizeof out), LARCH_OK);
    for (unsigned i = 0; i < 3; i++)
        assert_memory_equal(out + i * PART, blocks[i], PART);
    assert_int_equal(out[3 * PART], blocks[3][0]);
    assert_int_equal(trng.drawn, START_BLOCKS + 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_standstill),
        cmocka_unit_test(test_sound),
        cmocka_unit_test(test_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
