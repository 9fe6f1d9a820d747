/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-3 and SHAKE [FIPS202]. One permutation for 64-bit words without tables
 * that depend on data, so its time depends on lengths alone.
 */
#include "pq/keccak_int.h"

#if LARCH_KECCAK_32

void larch_keccak_permute(larch_keccak *k) { larch_keccak32_permute(k->state); }

#else

/* rc of step iota for the 24 rounds. [FIPS202 3.2.5] */
const uint64_t larch_keccak_rc[24] = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000, 0x000000000000808b,
    0x0000000080000001, 0x8000000080008081, 0x8000000000008009, 0x000000000000008a, 0x0000000000000088,
    0x0000000080008009, 0x000000008000000a, 0x000000008000808b, 0x800000000000008b, 0x8000000000008089,
    0x8000000000008003, 0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
};

static inline uint64_t rotl(uint64_t x, unsigned n) { return x << n | x >> (64 - n); }

/*
 * One round from a to e; lane (x, y) of the standard is a[x + 5 y].
 *
 * Lanes 1, 2, 8, 12, 17 and 20 hold their complement, before and after. By De
 * Morgan that turns most of chi's "not, and" pairs into a plain or, or a plain
 * and: 8 complements a round remain of 25, a sixth of the time on a machine
 * whose baseline has no and-not. The five blocks below are chi's five planes;
 * each picks its lanes by rho and pi and differs by the lanes it complements.
 */
ALWAYS_INLINE void keccak_round(const uint64_t *restrict a, uint64_t *restrict e, uint64_t rc)
{
    const uint64_t c0 = a[0] ^ a[5] ^ a[10] ^ a[15] ^ a[20];
    const uint64_t c1 = a[1] ^ a[6] ^ a[11] ^ a[16] ^ a[21];
    const uint64_t c2 = a[2] ^ a[7] ^ a[12] ^ a[17] ^ a[22];
    const uint64_t c3 = a[3] ^ a[8] ^ a[13] ^ a[18] ^ a[23];
    const uint64_t c4 = a[4] ^ a[9] ^ a[14] ^ a[19] ^ a[24];
    const uint64_t d0 = c4 ^ rotl(c1, 1);
    const uint64_t d1 = c0 ^ rotl(c2, 1);
    const uint64_t d2 = c1 ^ rotl(c3, 1);
    const uint64_t d3 = c2 ^ rotl(c4, 1);
    const uint64_t d4 = c3 ^ rotl(c0, 1);
    uint64_t b0, b1, b2, b3, b4;

    b0 = a[0] ^ d0;
    b1 = rotl(a[6] ^ d1, 44);
    b2 = rotl(a[12] ^ d2, 43);
    b3 = rotl(a[18] ^ d3, 21);
    b4 = rotl(a[24] ^ d4, 14);
    e[0] = b0 ^ (b1 | b2) ^ rc;
    e[1] = b1 ^ (~b2 | b3);
    e[2] = b2 ^ (b3 & b4);
    e[3] = b3 ^ (b4 | b0);
    e[4] = b4 ^ (b0 & b1);

    b0 = rotl(a[3] ^ d3, 28);
    b1 = rotl(a[9] ^ d4, 20);
    b2 = rotl(a[10] ^ d0, 3);
    b3 = rotl(a[16] ^ d1, 45);
    b4 = rotl(a[22] ^ d2, 61);
    e[5] = b0 ^ (b1 | b2);
    e[6] = b1 ^ (b2 & b3);
    e[7] = b2 ^ (b3 | ~b4);
    e[8] = b3 ^ (b4 | b0);
    e[9] = b4 ^ (b0 & b1);

    b0 = rotl(a[1] ^ d1, 1);
    b1 = rotl(a[7] ^ d2, 6);
    b2 = rotl(a[13] ^ d3, 25);
    b3 = rotl(a[19] ^ d4, 8);
    b4 = rotl(a[20] ^ d0, 18);
    e[10] = b0 ^ (b1 | b2);
    e[11] = b1 ^ (b2 & b3);
    e[12] = b2 ^ (~b3 & b4);
    e[13] = ~b3 ^ (b4 | b0);
    e[14] = b4 ^ (b0 & b1);

    b0 = rotl(a[4] ^ d4, 27);
    b1 = rotl(a[5] ^ d0, 36);
    b2 = rotl(a[11] ^ d1, 10);
    b3 = rotl(a[17] ^ d2, 15);
    b4 = rotl(a[23] ^ d3, 56);
    e[15] = b0 ^ (b1 & b2);
    e[16] = b1 ^ (b2 | b3);
    e[17] = b2 ^ (~b3 | b4);
    e[18] = ~b3 ^ (b4 & b0);
    e[19] = b4 ^ (b0 | b1);

    b0 = rotl(a[2] ^ d2, 62);
    b1 = rotl(a[8] ^ d3, 55);
    b2 = rotl(a[14] ^ d4, 39);
    b3 = rotl(a[15] ^ d0, 41);
    b4 = rotl(a[21] ^ d1, 2);
    e[20] = b0 ^ (~b1 & b2);
    e[21] = ~b1 ^ (b2 | b3);
    e[22] = b2 ^ (b3 & b4);
    e[23] = b3 ^ (b4 | b0);
    e[24] = b4 ^ (b0 & b1);
}

static void complement_lanes(uint64_t *s)
{
    s[1] = ~s[1];
    s[2] = ~s[2];
    s[8] = ~s[8];
    s[12] = ~s[12];
    s[17] = ~s[17];
    s[20] = ~s[20];
}

void larch_keccak_permute(larch_keccak *k)
{
    uint64_t t[25], *s = k->state;
    complement_lanes(s);
#ifdef __OPTIMIZE_SIZE__
    uint64_t *from = s, *to = t;
    for (unsigned i = 0; i < 24; i++) {
        keccak_round(from, to, larch_keccak_rc[i]);
        uint64_t *swap = from;
        from = to;
        to = swap;
    }
#else
    for (unsigned i = 0; i < 24; i += 2) {
        keccak_round(s, t, larch_keccak_rc[i]);
        keccak_round(t, s, larch_keccak_rc[i + 1]);
    }
#endif
    complement_lanes(s);
    larch_wipe(t, sizeof t);
}

#endif

/* ---- the sponge -------------------------------------------------------- */

/* Bytes are lanes' bytes, least significant first. [FIPS202 B.1] Compilers see
 * one load or store in these on a little-endian machine. */
ALWAYS_INLINE uint32_t load32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

ALWAYS_INLINE uint64_t load64(const uint8_t *p) { return load32(p) | (uint64_t)load32(p + 4) << 32; }

/* RISC-V may trap where a word is not aligned, so its compilers load bytes if they do not know. */
#if defined(__riscv) && defined(__GNUC__)
ALWAYS_INLINE uint64_t load_lane(const uint8_t *p)
{
    return (uintptr_t)p % 4 == 0 ? load64(__builtin_assume_aligned(p, 4)) : load64(p);
}
#else
#define load_lane load64
#endif

static void store64(uint8_t *p, uint64_t x)
{
    p[0] = (uint8_t)x;
    p[1] = (uint8_t)(x >> 8);
    p[2] = (uint8_t)(x >> 16);
    p[3] = (uint8_t)(x >> 24);
    p[4] = (uint8_t)(x >> 32);
    p[5] = (uint8_t)(x >> 40);
    p[6] = (uint8_t)(x >> 48);
    p[7] = (uint8_t)(x >> 56);
}

static void start(larch_keccak *k, uint8_t rate)
{
    larch_wipe(k, sizeof *k);
    k->rate = rate;
}

/* Adds len bytes from byte at on, all within one lane. */
static void add_bytes(larch_keccak *k, unsigned at, const uint8_t *in, unsigned len)
{
    uint64_t x = 0;
    while (len-- > 0)
        x = x << 8 | in[len];
    keccak_add(k, at / 8, x << (8 * (at % 8)));
}

static void get_bytes(const larch_keccak *k, unsigned at, uint8_t *out, unsigned len)
{
    for (uint64_t x = keccak_lane(k, at / 8) >> (8 * (at % 8)); len-- > 0; x >>= 8)
        *out++ = (uint8_t)x;
}

/* Bytes that are left of the lane in which byte at is, but no more than len. */
static unsigned left_of_lane(unsigned at, size_t len) { return len < 8 - at % 8 ? (unsigned)len : 8 - at % 8; }

/* Absorbs whole blocks if none has begun; how many bytes. Where code is dearer than time, the loop over lanes does. */
#if LARCH_KECCAK_32 || LARCH_PQ_SMALL || defined(__OPTIMIZE_SIZE__)
#define absorb_blocks(k, in, len) ((size_t)0)
#else
static size_t absorb_blocks(larch_keccak *k, const uint8_t *in, size_t len)
{
    const unsigned lanes = k->rate / 8u;
    size_t left = k->at == 0 ? len : 0, done = 0;
    for (; left >= 8 * lanes; left -= 8 * lanes, done += 8 * lanes) {
        for (unsigned i = 0; i < lanes; i++)
            k->state[i] ^= load64(in + done + (size_t)8 * i);
        larch_keccak_permute(k);
    }
    return done;
}
#endif

void larch_shake_absorb(larch_keccak *k, larch_bytes bytes)
{
    const size_t done = absorb_blocks(k, bytes.data, bytes.len);
    const uint8_t *in = done > 0 ? bytes.data + done : bytes.data; /* which may be NULL, of no bytes */
    size_t left = bytes.len - done;
    unsigned at = k->at;
    while (left > 0) {
        unsigned step = left_of_lane(at, left);
        if (step == 8)
            keccak_add(k, at / 8, load_lane(in));
        else
            add_bytes(k, at, in, step);
        at += step;
        in += step;
        left -= step;
        if (at == k->rate) {
            larch_keccak_permute(k);
            at = 0;
        }
    }
    k->at = (uint8_t)at;
}

/* Puts the suffix with the first bit of pad10*1, and its last bit. at = rate
 * then says that no byte is ready: the next squeeze permutes first. */
static void finish(larch_keccak *k, uint8_t suffix)
{
    add_bytes(k, k->at, &suffix, 1);
    keccak_add(k, k->rate / 8u - 1, (uint64_t)0x80 << 56);
    k->at = k->rate;
}

#if !LARCH_X86
void larch_shake_prepare_many(larch_keccak *k, size_t count)
{
    (void)k, (void)count; /* larch_shake_squeeze does it, one after the other */
}
#endif

void larch_shake_squeeze(larch_keccak *k, uint8_t *out, size_t len)
{
    unsigned at = k->at; /* a copy, because for all the compiler knows out changes the original */
    const unsigned rate = k->rate;
    while (len > 0) {
        if (at == rate) {
            larch_keccak_permute(k);
            at = 0;
        }
        unsigned step = left_of_lane(at, len);
        if (step == 8)
            store64(out, keccak_lane(k, at / 8));
        else
            get_bytes(k, at, out, step);
        at += step;
        out += step;
        len -= step;
    }
    k->at = (uint8_t)at;
}

void larch_shake_squeeze_words(larch_keccak *k, uint32_t *words, size_t lanes)
{
    unsigned at = k->at;
    const unsigned rate = k->rate;
    for (const uint32_t *end = words + 2 * lanes; words < end; words += 2, at += 8) {
        if (at == rate) {
            larch_keccak_permute(k);
            at = 0;
        }
        const uint64_t x = keccak_lane(k, at / 8);
        words[0] = (uint32_t)x;
        words[1] = (uint32_t)(x >> 32);
    }
    k->at = (uint8_t)at;
}

void larch_shake128_init(larch_keccak *k) { start(k, 168); }
void larch_shake256_init(larch_keccak *k) { start(k, 136); }
void larch_shake_finalize(larch_keccak *k) { finish(k, 0x1f); }
void larch_cshake_finalize(larch_keccak *k) { finish(k, 0x04); }

/* ---- in one call ------------------------------------------------------- */

static void hash(uint8_t rate, uint8_t suffix, larch_bytes in, uint8_t *out, size_t len)
{
    larch_keccak k;
    start(&k, rate);
    larch_shake_absorb(&k, in);
    finish(&k, suffix);
    larch_shake_squeeze(&k, out, len);
    larch_wipe(&k, sizeof k);
}

void larch_sha3_224(larch_bytes in, uint8_t out[28]) { hash(144, 0x06, in, out, 28); }
void larch_sha3_256(larch_bytes in, uint8_t out[32]) { hash(136, 0x06, in, out, 32); }
void larch_sha3_384(larch_bytes in, uint8_t out[48]) { hash(104, 0x06, in, out, 48); }
void larch_sha3_512(larch_bytes in, uint8_t out[64]) { hash(72, 0x06, in, out, 64); }
void larch_shake128(larch_bytes in, uint8_t *out, size_t len) { hash(168, 0x1f, in, out, len); }
void larch_shake256(larch_bytes in, uint8_t *out, size_t len) { hash(136, 0x1f, in, out, len); }
