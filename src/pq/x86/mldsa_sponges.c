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

/* Sponges in the lanes of one permutation, and what they gave. A block is written as 24 words. */
typedef struct lanes {
    _Alignas(64) uint64_t s[WORDS * WIDTH_MAX];
    _Alignas(64) uint8_t out[WIDTH_MAX][BLOCKS_MAX * RATE_128 + DSA_SLACK];
    unsigned width, rate;
    void (*permute)(uint64_t *s);
} lanes;

_Static_assert((BLOCKS_MAX - 1) * RATE_128 + 24 * 8 <= BLOCKS_MAX * RATE_128 + DSA_SLACK, "the last block fits");

static uint64_t load64(const uint8_t *p)
{
    uint64_t x;
    memcpy(&x, p, sizeof x); /* x86 stores the least significant byte first, as Keccak does */
    return x;
}

/* As wide as count sponges are worth. */
static void choose_width(const dsa_ops *ops, lanes *a, size_t count)
{
    unsigned i = 0;
    while (ops->x86->keccak[i].busy_min > count)
        i++;
    a->width = ops->x86->keccak[i].width;
    a->permute = ops->x86->keccak[i].permute;
}

/* Lane l begins with the seed of so many words and with nonce[l] in two bytes. */
static void begin(lanes *a, const uint8_t *seed, unsigned words, const uint16_t *nonce, unsigned rate)
{
    const unsigned width = a->width;
    memset(a->s, 0, sizeof a->s[0] * WORDS * width);
    a->rate = rate;
    for (unsigned l = 0; l < width; l++) {
        for (unsigned i = 0; i < words; i++)
            a->s[i * width + l] = load64(seed + (size_t)8 * i);
        a->s[words * width + l] = (uint64_t)nonce[l] | 0x1f << 16;
        a->s[(rate / 8 - 1) * width + l] ^= (uint64_t)0x80 << 56;
    }
}

/* The next blocks of all lanes, from the start of their outputs. */
static void squeeze(const dsa_ops *ops, lanes *a, unsigned blocks)
{
    for (size_t at = 0; blocks > 0; blocks--, at += a->rate) {
        a->permute(a->s);
        if (a->width == 1)
            memcpy(a->out[0] + at, a->s, 24 * sizeof a->s[0]);
        for (unsigned l = 0; l + 4 <= a->width; l += 4) {
            uint8_t *const to[4] = {a->out[l] + at, a->out[l + 1] + at, a->out[l + 2] + at, a->out[l + 3] + at};
            ops->x86->deinterleave(to, a->s + l, a->width);
        }
    }
}

/* Runs until the first count lanes have filled their polynomials; eta = 0: RejNTTPoly. */
static void fill(const dsa_ops *ops, lanes *a, dsa_poly *const *p, unsigned count, unsigned eta)
{
    unsigned have[WIDTH_MAX] = {0}, blocks = eta == 0 ? ENTRY_BLOCKS : SECRET_BLOCKS;
    for (bool all = false; !all; blocks = 1) {
        const size_t len = (size_t)blocks * a->rate;
        squeeze(ops, a, blocks);
        all = true;
        for (unsigned l = 0; l < count; l++) {
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
    larch_wipe(a->s, sizeof a->s[0] * WORDS * a->width);
    larch_wipe(a->out, sizeof a->out[0] * a->width);
    larch_x86_burn();
}

void larch_dsa_sample_rows(const dsa_ops *ops, const mldsa_params *p, dsa_poly *a, unsigned stride, const uint8_t *rho,
                           unsigned first, unsigned end)
{
    const unsigned count = (end - first) * p->l;
    lanes lane;
    dsa_poly *to[WIDTH_MAX] = {0};
    uint16_t nonce[WIDTH_MAX] = {0};
    unsigned r = 0, s = 0; /* the next entry's place, from the first row on */
    for (unsigned at = 0, some; at < count; at += some) {
        choose_width(ops, &lane, count - at);
        some = count - at < lane.width ? count - at : lane.width;
        for (unsigned l = 0; l < some; l++) {
            nonce[l] = (uint16_t)((first + r) << 8 | s);
            to[l] = &a[r * stride + s];
            if (++s == p->l) {
                s = 0;
                r++;
            }
        }
        begin(&lane, rho, 4, nonce, RATE_128);
        fill(ops, &lane, to, some, 0);
    }
}

void larch_dsa_sample_secrets(const dsa_ops *ops, const mldsa_params *p, dsa_poly *s, const uint8_t *rho_prime)
{
    const unsigned count = (unsigned)p->k + p->l;
    lanes lane;
    dsa_poly *to[WIDTH_MAX] = {0};
    uint16_t nonce[WIDTH_MAX];
    for (unsigned at = 0, some; at < count; at += some) {
        choose_width(ops, &lane, count - at);
        some = count - at < lane.width ? count - at : lane.width;
        for (unsigned l = 0; l < lane.width; l++) {
            nonce[l] = (uint16_t)(at + l);
            to[l] = &s[at + l];
        }
        begin(&lane, rho_prime, 8, nonce, RATE_256);
        fill(ops, &lane, to, some, p->eta);
        wipe(&lane);
    }
}

void larch_dsa_sample_masks(const dsa_ops *ops, const mldsa_params *p, dsa_poly *y, const uint8_t *rho_second,
                            unsigned kappa)
{
    lanes lane;
    uint16_t nonce[DSA_MASKS];
    choose_width(ops, &lane, DSA_MASKS);
    for (unsigned l = 0; l < DSA_MASKS; l++)
        nonce[l] = (uint16_t)(kappa + l);
    begin(&lane, rho_second, 8, nonce, RATE_256);
    unsigned blocks = 0;
    for (size_t squeezed = 0; squeezed < mldsa_z_len(p); squeezed += RATE_256)
        blocks++;
    squeeze(ops, &lane, blocks);
    for (unsigned l = 0; l < DSA_MASKS; l++)
        ops->unpack(&y[l], lane.out[l], mldsa_gamma1(p), p->gamma1_bits);
    wipe(&lane);
}

/* The state of SHAKE256 after in, with its first block of output. */
static void absorb(const dsa_ops *ops, uint64_t *s, const uint8_t *in, size_t len)
{
    uint8_t last[RATE_256] = {0};
    memset(s, 0, sizeof s[0] * WORDS);
    for (; len >= RATE_256; in += RATE_256, len -= RATE_256) {
        for (unsigned i = 0; i < RATE_256 / 8; i++)
            s[i] ^= load64(in + (size_t)8 * i);
        ops->permute(s);
    }
    memcpy(last, in, len);
    last[len] = 0x1f;
    last[RATE_256 - 1] |= 0x80;
    for (unsigned i = 0; i < RATE_256 / 8; i++)
        s[i] ^= load64(last + (size_t)8 * i);
    ops->permute(s);
    larch_wipe(last, sizeof last);
}

void larch_dsa_hash(const dsa_ops *ops, const uint8_t *in, size_t len, uint8_t *out, size_t out_len)
{
    uint64_t s[WORDS];
    absorb(ops, s, in, len);
    memcpy(out, s, out_len);
    larch_wipe(s, sizeof s);
}

void larch_dsa_sample_challenge(const dsa_ops *ops, const mldsa_params *p, dsa_poly *c, const uint8_t *c_tilde)
{
    uint64_t s[WORDS], signs;
    uint8_t block[RATE_256];
    unsigned at = sizeof signs;
    absorb(ops, s, c_tilde, p->c_tilde_len);
    memcpy(block, s, sizeof block);
    signs = load64(block);
    memset(c, 0, sizeof *c);
    for (unsigned i = MLDSA_N - p->tau; i < MLDSA_N; at++) {
        if (at == sizeof block) {
            ops->permute(s);
            memcpy(block, s, sizeof block);
            at = 0;
        }
        if (block[at] > i)
            continue;
        c->c[i++] = c->c[block[at]];
        c->c[block[at]] = 1 - 2 * (int32_t)(signs & 1);
        signs >>= 1;
    }
    ops->ntt(c);
}

#endif
