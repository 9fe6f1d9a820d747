/* SPDX-License-Identifier: Apache-2.0 */
/* Sponges side by side, as many as a level has lanes: short outputs of SHAKE128, where neighbours have the same length, and
 * the first blocks of any. */
#include <string.h>

#include "pq/pq.h"
#include "pq/x86/x86_int.h"

#define WIDTH_MAX 8
#define WORDS     25
#define RATE      168

/* An input's pieces, and how many bytes of the first of them were absorbed. */
typedef struct cursor {
    const larch_bytes *piece;
    size_t at;
} cursor;

static size_t length(const larch_bytes *pieces, size_t piece_count)
{
    size_t len = 0;
    for (size_t j = 0; j < piece_count; j++)
        len += pieces[j].len;
    return len;
}

/* The next n bytes, where they are, or gathered in block. */
static const uint8_t *next_bytes(cursor *c, uint8_t block[RATE], size_t n)
{
    if (n == RATE && c->piece->len - c->at >= RATE) {
        c->at += RATE;
        return c->piece->data + c->at - RATE;
    }
    for (size_t have = 0; have < n;) {
        const size_t left = c->piece->len - c->at, some = left < n - have ? left : n - have;
        if (some > 0)
            memcpy(block + have, c->piece->data + c->at, some);
        have += some;
        c->at += some;
        if (c->at == c->piece->len)
            *c = (cursor){c->piece + 1, 0};
    }
    return block;
}

static void add_block(uint64_t *s, unsigned width, const uint8_t *block)
{
    for (unsigned i = 0; i < RATE / 8; i++) {
        uint64_t x;
        memcpy(&x, block + (size_t)8 * i, sizeof x); /* x86 stores the least significant byte first, as Keccak does */
        s[i * width] ^= x;
    }
}

/* some inputs of len bytes in the lanes of one permutation. */
static void run(void (*permute)(uint64_t *s), unsigned width, uint8_t (*out)[8], cursor *inputs, size_t some,
                size_t len)
{
    _Alignas(64) uint64_t s[WORDS * WIDTH_MAX] = {0};
    uint8_t block[RATE];
    for (bool last = false; !last; len -= last ? len : RATE) {
        last = len < RATE;
        for (size_t l = 0; l < some; l++) {
            const uint8_t *bytes = next_bytes(&inputs[l], block, last ? len : RATE);
            if (last) {
                memset(block + len, 0, RATE - len);
                block[len] = 0x1f;
                block[RATE - 1] |= 0x80;
            }
            add_block(s + l, width, bytes);
        }
        permute(s);
    }
    for (size_t l = 0; l < some; l++)
        memcpy(out[l], s + l, sizeof out[l]);
    larch_wipe(s, sizeof s);
    larch_wipe(block, sizeof block);
}

void larch_x86_shake128_many(const x86_ops *ops, uint8_t (*out)[8], const larch_bytes *pieces, size_t piece_count,
                             size_t count)
{
    for (size_t at = 0, some; at < count; at += some) {
        const larch_bytes *const first = pieces + at * piece_count;
        const size_t len = length(first, piece_count);
        cursor inputs[WIDTH_MAX];
        unsigned level = 0;
        for (some = 0; some < WIDTH_MAX && at + some < count; some++) {
            inputs[some] = (cursor){first + some * piece_count, 0};
            if (length(inputs[some].piece, piece_count) != len)
                break;
        }
        while (ops->keccak[level].busy_min > some)
            level++;
        if (some > ops->keccak[level].width)
            some = ops->keccak[level].width;
        run(ops->keccak[level].permute, ops->keccak[level].width, out + at, inputs, some, len);
    }
    ops->clear();
    larch_x86_burn();
}

/* count sponges, at most as many as this permutation has lanes. */
static void permute_some(void (*permute)(uint64_t *s), unsigned width, larch_keccak *k, size_t count)
{
    _Alignas(64) uint64_t s[WORDS * WIDTH_MAX];
    for (unsigned i = 0; i < WORDS; i++)
        for (unsigned l = 0; l < width; l++)
            s[i * width + l] = l < count ? k[l].state[i] : 0;
    permute(s);
    for (size_t l = 0; l < count; l++) {
        for (unsigned i = 0; i < WORDS; i++)
            k[l].state[i] = s[i * width + l];
        k[l].at = 0;
    }
    larch_wipe(s, sizeof s[0] * WORDS * width);
}

void larch_x86_prepare_many(const x86_ops *ops, larch_keccak *k, size_t count)
{
    for (size_t at = 0, some; at < count; at += some) {
        unsigned level = 0;
        while (ops->keccak[level].busy_min > count - at)
            level++;
        some = count - at < ops->keccak[level].width ? count - at : ops->keccak[level].width;
        permute_some(ops->keccak[level].permute, ops->keccak[level].width, k + at, some);
    }
    ops->clear();
    larch_x86_burn();
}
