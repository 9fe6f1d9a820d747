/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ML-DSA's polynomials from seeds, several side by side [FIPS204 7.3]. Unlike ML-KEM's
 * jobs those of one kind take the same number of blocks, but for a rare one more: so
 * lanes begin and end together.
 */
#include <string.h>

#include "pq/x86/mldsa_x86.h"

#if LARCH_MLDSA_44 || LARCH_MLDSA_65 || LARCH_MLDSA_87

#define WIDTH_MAX     8
#define WORDS         25
#define RATE_128      168
#define RATE_256      136
/* Blocks that nearly always are enough: 280 numbers of an entry, of which one in a
 * thousand is refused; 544 half bytes, of which 1 or, for eta = 4, 7 in 16 are. */
#define ENTRY_BLOCKS  5
#define SECRET_BLOCKS 2
/* An entry has most of all: a mask has at most as many. */
#define BLOCKS_MAX    5

/* Blocks that make a hash worth sampling ahead of need. */
#define BESIDE_MIN 3

/* Sponges in the lanes of one permutation, and what they gave. A block is written as 24 words. */
typedef struct lanes {
    _Alignas(64) uint64_t s[WORDS * WIDTH_MAX]; /* width states interleaved; behind them that of the last lane */
    _Alignas(64) uint8_t out[WIDTH_MAX][BLOCKS_MAX * RATE_128 + DSA_SLACK];
    unsigned width, count; /* count is at most width + 1 */
    unsigned rate;
    void (*permute)(uint64_t *s); /* of the width states */
    dsa_hash *beside;             /* takes the place of the last state; or NULL */
} lanes;

_Static_assert((BLOCKS_MAX - 1) * RATE_128 + 24 * 8 <= BLOCKS_MAX * RATE_128 + DSA_SLACK, "the last block fits");

static uint64_t load64(const uint8_t *p)
{
    uint64_t x;
    memcpy(&x, p, sizeof x); /* x86 stores the least significant byte first, as Keccak does */
    return x;
}

/* As many lanes as count sponges are worth. */
static void choose_lanes(const dsa_ops *ops, lanes *a, unsigned count, dsa_hash *beside)
{
    /* Blocks that make a hash worth the fifth state, by the remainder of count by five: where there is none, a lane
     * less means one more permutation in the end. */
    static const uint8_t worth[5] = {5, 1, 1, 1, 1};
    const size_t left = beside != NULL ? beside->left : 0;
    unsigned i = 0;
    while (ops->x86->keccak[i].busy_min > count)
        i++;
    a->permute = ops->x86->keccak[i].permute;
    a->width = ops->x86->keccak[i].width;
    a->beside = NULL;
    if (a->width == 1) {
        a->width = 0;
        a->count = 1;
        return;
    }
    a->count = count < a->width ? count : a->width;
    if (ops->permute_five == NULL)
        return;
    if (left >=
        (size_t)RATE_256 * worth[count - 5 * (count * 205 >> 10)]) /* count modulo 5, as long as it is below 64 */
        a->beside = beside;
    else if (count > 4)
        a->count = 5;
}

/* The first word of lane l's state, and how far its words are apart. */
static uint64_t *state_of(lanes *a, unsigned l, unsigned *step)
{
    *step = l < a->width ? a->width : 1;
    return l < a->width ? a->s + l : a->s + (size_t)WORDS * a->width;
}

/* Lane l begins with the seed of so many words and with nonce[l] in two bytes. */
static void begin(lanes *a, const uint8_t *seed, unsigned words, const uint16_t *nonce, unsigned rate)
{
    memset(a->s, 0, sizeof a->s);
    a->rate = rate;
    for (unsigned l = 0; l < a->count; l++) {
        unsigned step;
        uint64_t *s = state_of(a, l, &step);
        for (unsigned i = 0; i < words; i++)
            s[i * step] = load64(seed + (size_t)8 * i);
        s[words * step] = (uint64_t)nonce[l] | 0x1f << 16;
        s[(rate / 8 - 1) * step] ^= (uint64_t)0x80 << 56;
    }
}

static void add_block(uint64_t *s, const uint8_t *in)
{
    for (unsigned i = 0; i < RATE_256 / 8; i++)
        s[i] ^= load64(in + (size_t)8 * i);
}

/* The next block of what goes beside the lanes, which has one. */
static void add_next_block(dsa_hash *h)
{
    add_block(h->s, h->in);
    h->in += RATE_256;
    h->left -= RATE_256;
}

static void permute(const dsa_ops *ops, lanes *a)
{
    if (a->width == 0)
        ops->permute(a->s);
    else if (a->count > a->width)
        ops->permute_five(a->s, a->s + (size_t)WORDS * a->width);
    else if (a->beside != NULL && a->beside->left >= RATE_256) {
        add_next_block(a->beside);
        ops->permute_five(a->s, a->beside->s);
    } else
        a->permute(a->s);
}

/* The next blocks of all lanes, from the start of their outputs. */
static void squeeze(const dsa_ops *ops, lanes *a, unsigned blocks)
{
    for (size_t at = 0; blocks > 0; blocks--, at += a->rate) {
        permute(ops, a);
        for (unsigned l = 0; l < a->width; l += 4) {
            uint8_t *const to[4] = {a->out[l] + at, a->out[l + 1] + at, a->out[l + 2] + at, a->out[l + 3] + at};
            ops->x86->deinterleave(to, a->s + l, a->width);
        }
        if (a->count > a->width)
            memcpy(a->out[a->width] + at, a->s + (size_t)WORDS * a->width, 24 * sizeof a->s[0]);
    }
}

/* Runs until all lanes have filled their polynomials; eta = 0: RejNTTPoly. */
static void fill(const dsa_ops *ops, lanes *a, dsa_poly *const *p, unsigned eta)
{
    unsigned have[WIDTH_MAX] = {0}, blocks = eta == 0 ? ENTRY_BLOCKS : SECRET_BLOCKS;
    for (bool all = false; !all; blocks = 1) {
        const size_t len = (size_t)blocks * a->rate;
        squeeze(ops, a, blocks);
        all = true;
        for (unsigned l = 0; l < a->count; l++) {
            int32_t *out = p[l]->c + have[l];
            const unsigned room = MLDSA_N - have[l];
            have[l] +=
                eta == 0 ? ops->reject(out, room, a->out[l], len) : ops->reject_halves(out, room, a->out[l], len, eta);
            all &= have[l] == MLDSA_N;
        }
    }
}

/* Of lanes that held secrets, and of what the level's functions spilled. */
static void wipe(lanes *a)
{
    larch_wipe(a->s, sizeof a->s);
    larch_wipe(a->out, sizeof a->out[0] * (a->count > a->width ? a->count : a->width));
    larch_x86_burn();
}

/* Where the next entry comes to. */
static dsa_poly *take_place(dsa_rows *rows, unsigned l)
{
    dsa_poly *const place = &rows->a[rows->place * rows->stride + rows->column];
    if (++rows->column == l) {
        rows->column = 0;
        rows->row++;
        if (++rows->place == rows->kept)
            rows->place = 0;
    }
    return place;
}

dsa_poly *larch_dsa_sample_row(const dsa_ops *ops, const mldsa_params *p, dsa_rows *rows, unsigned r, dsa_hash *beside)
{
    lanes lane;
    dsa_poly *to[WIDTH_MAX] = {0};
    uint16_t nonce[WIDTH_MAX] = {0};
    while (rows->row <= r) {
        choose_lanes(ops, &lane, (p->k - rows->row) * p->l - rows->column, beside);
        for (unsigned l = 0; l < lane.count; l++) {
            nonce[l] = (uint16_t)(rows->row << 8 | rows->column);
            to[l] = take_place(rows, p->l);
        }
        begin(&lane, rows->rho, 4, nonce, RATE_128);
        fill(ops, &lane, to, 0);
    }
    const unsigned back = rows->row - r;
    return &rows->a[(rows->place >= back ? rows->place - back : rows->place + rows->kept - back) * rows->stride];
}

void larch_dsa_sample_secrets(const dsa_ops *ops, const mldsa_params *p, dsa_poly *s, const uint8_t *rho_prime)
{
    const unsigned count = (unsigned)p->k + p->l;
    lanes lane;
    dsa_poly *to[WIDTH_MAX] = {0};
    uint16_t nonce[WIDTH_MAX] = {0};
    for (unsigned at = 0; at < count;) {
        choose_lanes(ops, &lane, count - at, NULL);
        for (unsigned l = 0; l < lane.count; l++, at++) {
            nonce[l] = (uint16_t)at;
            to[l] = &s[at];
        }
        begin(&lane, rho_prime, 8, nonce, RATE_256);
        fill(ops, &lane, to, p->eta);
        wipe(&lane);
    }
}

unsigned larch_dsa_sample_masks(const dsa_ops *ops, const mldsa_params *p, dsa_poly *y, const uint8_t *rho_second,
                                unsigned kappa, dsa_hash *beside)
{
    lanes lane;
    uint16_t nonce[WIDTH_MAX] = {0};
    unsigned blocks = 0;
    choose_lanes(ops, &lane, beside != NULL ? DSA_MASKS - 1 : DSA_MASKS, beside);
    for (unsigned l = 0; l < lane.count; l++)
        nonce[l] = (uint16_t)(kappa + l);
    begin(&lane, rho_second, 8, nonce, RATE_256);
    for (size_t squeezed = 0; squeezed < mldsa_z_len(p); squeezed += RATE_256)
        blocks++;
    squeeze(ops, &lane, blocks);
    for (unsigned l = 0; l < lane.count; l++)
        ops->unpack(&y[l], lane.out[l], mldsa_gamma1(p), p->gamma1_bits);
    wipe(&lane);
    return lane.count;
}

bool larch_dsa_hash_is_worth_it(const dsa_ops *ops, const dsa_hash *h)
{
    return ops->permute_five != NULL && h->left >= (size_t)BESIDE_MIN * RATE_256;
}

/* The first block of SHAKE256's output, in the state. */
static void finish(const dsa_ops *ops, dsa_hash *h)
{
    uint8_t last[RATE_256] = {0};
    while (h->left >= RATE_256) {
        add_next_block(h);
        ops->permute(h->s);
    }
    memcpy(last, h->in, h->left);
    last[h->left] = 0x1f;
    last[RATE_256 - 1] |= 0x80;
    add_block(h->s, last);
    ops->permute(h->s);
    larch_wipe(last, sizeof last);
}

void larch_dsa_hash_finish(const dsa_ops *ops, dsa_hash *h, uint8_t *out, size_t out_len)
{
    finish(ops, h);
    memcpy(out, h->s, out_len);
    larch_wipe(h->s, sizeof h->s);
}

void larch_dsa_hash(const dsa_ops *ops, const uint8_t *in, size_t len, uint8_t *out, size_t out_len)
{
    dsa_hash h = {.in = in, .left = len};
    larch_dsa_hash_finish(ops, &h, out, out_len);
}

void larch_dsa_sample_challenge(const dsa_ops *ops, const mldsa_params *p, x86_poly *c, const uint8_t *c_tilde)
{
    dsa_hash h = {.in = c_tilde, .left = p->c_tilde_len};
    uint64_t signs;
    uint8_t block[RATE_256];
    unsigned at = sizeof signs;
    finish(ops, &h);
    memcpy(block, h.s, sizeof block);
    signs = load64(block);
    memset(c, 0, sizeof *c);
    for (unsigned i = MLDSA_N - p->tau; i < MLDSA_N; at++) {
        if (at == sizeof block) {
            ops->permute(h.s);
            memcpy(block, h.s, sizeof block);
            at = 0;
        }
        if (block[at] > i)
            continue;
        c->c[i++] = c->c[block[at]];
        c->c[block[at]] = (int16_t)(1 - 2 * (int)(signs & 1));
        signs >>= 1;
    }
}

#endif
