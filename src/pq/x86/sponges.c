/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many sponges side by side: each lane of a vector permutation holds the state of
 * one job, and takes the next job when its own is done. What a job absorbs and how
 * long it runs depends on lengths and on public matrix entries alone.
 */
#include <string.h>

#include "pq/x86/x86_int.h"

#define WIDTH_MAX 8
#define WORDS     25
#define LAST      168 /* bytes of the longest block */
/* Three blocks of SHAKE128, which nearly always are enough for an entry; a block is
 * written as 24 words. */
#define OUTPUT    (3 * 168 + X86_SLACK)

_Static_assert(2 * 168 + 8 * 24 <= OUTPUT, "the last block's 24 words fit");

static const struct {
    uint8_t rate, suffix, blocks;
} kinds[] = {
    [X86_ENTRY] = {168, 0x1f, 3}, [X86_NOISE] = {136, 0x1f, 1}, [X86_NOISE3] = {136, 0x1f, 2},
    [X86_G] = {72, 0x06, 1},      [X86_H] = {136, 0x06, 1},     [X86_J] = {136, 0x1f, 1},
};

typedef struct stream {
    const x86_job *job; /* NULL: idle */
    const uint8_t *in;  /* not yet absorbed */
    size_t in_len;
    bool absorbing;
    uint16_t out_len; /* bytes squeezed and not yet used */
    uint16_t have;    /* coefficients of an entry */
} stream;

typedef struct lanes {
    _Alignas(64) uint64_t s[WORDS * WIDTH_MAX];
    _Alignas(64) uint8_t out[WIDTH_MAX][OUTPUT];
    stream lane[WIDTH_MAX];
    unsigned width;
    unsigned level; /* of ops->keccak */
} lanes;

static uint64_t load64(const uint8_t *p)
{
    uint64_t x;
    memcpy(&x, p, sizeof x); /* x86 stores the least significant byte first, as Keccak does */
    return x;
}

/* The last block of a job's message, padded: n bytes of it are left. */
static void pad(uint8_t last[LAST], const x86_job *job, const uint8_t *in, size_t n)
{
    memset(last, 0, LAST);
    memcpy(last, in, n); /* n + 2 + 1 <= rate, for all that ML-KEM absorbs */
    memcpy(last + n, job->tail, sizeof job->tail);
    last[n + job->tail_len] = kinds[job->kind].suffix;
    last[kinds[job->kind].rate - 1] ^= 0x80;
}

/* XORs the next block of l's message into its state, padded if it is the last. */
static void absorb(lanes *a, unsigned l)
{
    stream *const lane = &a->lane[l];
    const unsigned rate = kinds[lane->job->kind].rate, width = a->width;
    uint64_t *s = a->s + l;
    if (lane->in_len >= rate) {
        for (unsigned i = 0; i < rate / 8; i++)
            s[i * width] ^= load64(lane->in + (size_t)8 * i);
        lane->in += rate;
        lane->in_len -= rate;
        return;
    }
    uint8_t last[LAST];
    pad(last, lane->job, lane->in, lane->in_len);
    for (unsigned i = 0; i < rate / 8; i++)
        s[i * width] ^= load64(last + (size_t)8 * i);
    larch_wipe(last, sizeof last);
    lane->absorbing = false;
}

/* The idle lane l, whose state is zero, takes a job. */
static void begin(lanes *a, unsigned l, const x86_job *job)
{
    const unsigned rate = kinds[job->kind].rate, width = a->width;
    uint64_t *s = a->s + l;
    a->lane[l] = (stream){.job = job, .in = job->in, .in_len = job->in_len, .absorbing = true};
    if (job->in_len != 32 || job->tail_len == 0) {
        absorb(a, l);
        return;
    }
    /* Nearly all have a seed of four words, and the rest in the fifth. */
    for (unsigned i = 0; i < 4; i++)
        s[i * width] = load64(job->in + (size_t)8 * i);
    s[4 * width] =
        (uint64_t)job->tail[0] | (uint64_t)job->tail[1] << 8 | (uint64_t)kinds[job->kind].suffix << (8 * job->tail_len);
    s[(rate / 8 - 1) * width] ^= (uint64_t)0x80 << 56;
    a->lane[l].absorbing = false;
}

static size_t output_len(x86_kind kind) { return kind == X86_G ? 64 : 32; }

/* Uses what was squeezed; true if the job is done. */
static bool use(const x86_ops *ops, stream *lane, uint8_t *out)
{
    const x86_job *job = lane->job;
    const unsigned rate = kinds[job->kind].rate;
    lane->out_len = (uint16_t)(lane->out_len + rate);
    if (lane->have == 0 && lane->out_len < rate * kinds[job->kind].blocks)
        return false;
    switch (job->kind) {
    case X86_ENTRY:
        lane->have =
            (uint16_t)(lane->have + ops->reject(job->poly->c + lane->have, MLKEM_N - lane->have, out, lane->out_len));
        lane->out_len = 0;
        return lane->have == MLKEM_N;
    case X86_NOISE:
    case X86_NOISE3:
        ops->cbd(job->poly, out, job->kind == X86_NOISE ? 2 : 3);
        return true;
    default:
        memcpy(job->bytes, out, output_len(job->kind));
        return true;
    }
}

/* Appends a block to the output of each of four lanes that squeezes. */
static void squeeze(const x86_ops *ops, lanes *a, unsigned first)
{
    uint8_t *to[4];
    bool any = false;
    for (unsigned i = 0; i < 4; i++) {
        const stream *lane = &a->lane[first + i];
        const bool ready = lane->job != NULL && !lane->absorbing;
        to[i] = a->out[first + i] + (ready ? lane->out_len : 0);
        any |= ready;
    }
    if (any)
        ops->deinterleave(to, a->s + first, a->width);
}

/* Moves the live lanes to the narrowest permutation that holds them. */
static void narrow(const x86_ops *ops, lanes *a, unsigned live)
{
    while (a->level + 1 < sizeof ops->keccak / sizeof ops->keccak[0] && ops->keccak[a->level + 1].width >= live) {
        const unsigned width = ops->keccak[++a->level].width;
        unsigned from[WIDTH_MAX], n = 0;
        for (unsigned l = 0; l < a->width; l++)
            if (a->lane[l].job != NULL)
                from[n++] = l;
        /* In place: no word moves up, and none is overwritten before it has moved. */
        for (unsigned i = 0; i < WORDS; i++)
            for (unsigned l = 0; l < n; l++)
                a->s[i * width + l] = a->s[i * a->width + from[l]];
        for (unsigned l = 0; l < n; l++) {
            a->lane[l] = a->lane[from[l]];
            if (from[l] != l)
                memcpy(a->out[l], a->out[from[l]], a->lane[l].out_len);
        }
        for (unsigned l = n; l < width; l++)
            a->lane[l].job = NULL;
        a->width = width;
    }
}

/* The widest permutation that the jobs keep busy: as many of its lanes as it asks for, on average, while the longest
 * of them runs. */
static unsigned widest(const x86_ops *ops, const x86_job *jobs, size_t count)
{
    size_t all = 0, longest = 0;
    unsigned level = 0;
    for (size_t i = 0; i < count; i++) {
        const size_t rate = kinds[jobs[i].kind].rate;
        size_t blocks = kinds[jobs[i].kind].blocks;
        for (size_t left = jobs[i].in_len + jobs[i].tail_len; left >= rate; left -= rate)
            blocks++;
        all += blocks;
        longest = blocks > longest ? blocks : longest;
    }
    while (all < ops->keccak[level].busy_min * longest)
        level++;
    return level;
}

/* A hash with nothing beside it needs no lanes. What the permutation leaves on the stack lies
 * no deeper than the caller's larch_x86_burn reaches. */
static void hash(const x86_ops *ops, const x86_job *job)
{
    const unsigned rate = kinds[job->kind].rate;
    const uint8_t *in = job->in;
    size_t left = job->in_len;
    uint64_t s[WORDS] = {0};
    uint8_t last[LAST];
    unsigned level = 0;
    while (ops->keccak[level].width != 1)
        level++;
    for (; left >= rate; in += rate, left -= rate) {
        for (unsigned i = 0; i < rate / 8; i++)
            s[i] ^= load64(in + (size_t)8 * i);
        ops->keccak[level].permute(s);
    }
    pad(last, job, in, left);
    for (unsigned i = 0; i < rate / 8; i++)
        s[i] ^= load64(last + (size_t)8 * i);
    ops->keccak[level].permute(s);
    memcpy(job->bytes, s, output_len(job->kind));
    larch_wipe(s, sizeof s);
    larch_wipe(last, sizeof last);
}

void larch_x86_run(const x86_ops *ops, const x86_job *jobs, size_t count)
{
    lanes a;
    const x86_job *const end = jobs + count;
    if (count == 1 && jobs->bytes != NULL) {
        hash(ops, jobs);
        return;
    }
    a.level = widest(ops, jobs, count);
    a.width = ops->keccak[a.level].width;
    const size_t words = sizeof a.s[0] * WORDS * a.width, used = sizeof a.out[0] * a.width;
    for (unsigned l = 0; l < a.width; l++)
        a.lane[l].job = NULL;
    memset(a.s, 0, words);
    for (bool fresh = true;; fresh = false) {
        unsigned live = 0;
        for (unsigned l = 0; l < a.width; l++) {
            if (a.lane[l].job == NULL && jobs < end) {
                for (unsigned i = 0; i < WORDS && !fresh; i++)
                    a.s[i * a.width + l] = 0;
                begin(&a, l, jobs++);
            }
            live += a.lane[l].job != NULL;
        }
        if (live == 0)
            break;
        if (jobs == end)
            narrow(ops, &a, live);
        ops->keccak[a.level].permute(a.s);

        if (a.width == 1) {
            if (!a.lane[0].absorbing)
                memcpy(a.out[0] + a.lane[0].out_len, a.s, 24 * sizeof a.s[0]);
        } else
            for (unsigned first = 0; first < a.width; first += 4)
                squeeze(ops, &a, first);

        for (unsigned l = 0; l < a.width; l++) {
            if (a.lane[l].job == NULL)
                continue;
            if (a.lane[l].absorbing)
                absorb(&a, l);
            else if (use(ops, &a.lane[l], a.out[l]))
                a.lane[l].job = NULL;
        }
    }
    larch_wipe(a.s, words);
    larch_wipe(a.out, used);
    larch_x86_burn();
}

__attribute__((noinline)) void larch_x86_burn(void)
{
    uint8_t below[2176]; /* the largest frame seen, of a permutation, had 2056 */
    larch_wipe(below, sizeof below);
}
