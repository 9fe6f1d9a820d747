/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random bytes from the chip's generator. The SDK's call returns nothing, and its buffer of one block is shared by all
 * tasks; so blocks are drawn with interrupts off, and each is looked at, in the manner of the repetition count test of
 * [SP 800-90B 4.4.1], before it is used:
 *
 * - a word of 32 bits that comes WORDS_MAX times in a row. At 20 bits of entropy a word, a sound source does that
 *   once in 2^40 words [4.4.1: C = 1 + 40/20];
 * - a block that equals the one before, as a generator shows that was not started again. Its last TAIL_LEN bytes tell
 *   that; they are kept for it, and never given out. A sound source has it once in 2^64 blocks.
 *
 * START_BLOCKS are looked at and thrown away before the first use [4.3]. What failed once is not used again before a
 * restart. This finds a generator that stands still: stuck at zero or any other word, or giving the same block again. It
 * cannot find one that is biased, or computes its bytes from a seed: nobody outside sees the noise itself.
 */
#include <string.h>

#include "bl_sec.h"
#include "board/board.h"
#include "board/lock.h"

#define BLOCK_LEN    32
#define TAIL_LEN     8
#define PART_LEN     (BLOCK_LEN - TAIL_LEN) /* given out */
#define WORD_LEN     4
#define WORDS_MAX    3
#define START_BLOCKS 128 /* 1024 words */

static struct {
    bool started;
    bool failed;
    uint8_t tail[TAIL_LEN]; /* of the last block */
    unsigned run;           /* how often in a row its last word has come; 0: there was no block */
} source;

/* Whether it stands still. */
static bool stuck(const uint8_t block[BLOCK_LEN])
{
    const uint8_t *last = source.tail + TAIL_LEN - WORD_LEN;
    bool found = source.run > 0 && memcmp(block + PART_LEN, source.tail, TAIL_LEN) == 0;
    for (const uint8_t *word = block; word < block + BLOCK_LEN; last = word, word += WORD_LEN) {
        source.run = source.run > 0 && memcmp(word, last, WORD_LEN) == 0 ? source.run + 1 : 1;
        found = found || source.run >= WORDS_MAX;
    }
    memcpy(source.tail, block + PART_LEN, TAIL_LEN);
    return found;
}

/* False: failed, now or before. */
static bool draw(uint8_t block[BLOCK_LEN])
{
    const uint32_t before = larch_interrupts_off();
    bl_rand_stream(block, BLOCK_LEN);
    source.failed = stuck(block) || source.failed;
    const bool good = !source.failed;
    larch_interrupts_back(before);
    return good;
}

static bool start(void)
{
    uint8_t block[BLOCK_LEN];
    for (unsigned i = 0; i < START_BLOCKS && draw(block); i++)
        ;
    larch_wipe(block, sizeof block);
    source.started = true;
    return !source.failed;
}

larch_error larch_board_random(void *context, uint8_t *out, size_t len)
{
    uint8_t block[BLOCK_LEN];
    bool good = source.started || start();
    (void)context;
    for (size_t done = 0, part; done < len && good; done += part) {
        part = len - done < PART_LEN ? len - done : PART_LEN;
        good = draw(block);
        if (good)
            memcpy(out + done, block, part);
    }
    larch_wipe(block, sizeof block);
    if (!good && len > 0)
        larch_wipe(out, len);
    return good ? LARCH_OK : LARCH_PLATFORM;
}
