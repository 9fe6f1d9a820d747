/* SPDX-License-Identifier: Apache-2.0 */
/*
 * KMAC256 [SP800-185 4.3]: a sponge that absorbs
 *
 *     bytepad("KMAC", customization) | bytepad(key) | pieces | right_encode(bits of the output)
 *
 * where each string stands behind its length in bits, and bytepad fills up to the next block with zeros.
 */
#include "larch/crypto.h"
#include "pq/pq.h"

#define RATE 136

/* The bytes of a number, most significant first, without leading zeros but at least one. */
static larch_bytes shorten(uint64_t number, uint8_t bytes[8])
{
    size_t at = 8;
    do {
        bytes[--at] = (uint8_t)number;
        number >>= 8;
    } while (number > 0);
    return (larch_bytes){bytes + at, 8 - at};
}

/* The count of those bytes stands before or behind them. [SP800-185 2.3.1] */
static void absorb_number(larch_keccak *k, uint64_t number, bool is_right)
{
    uint8_t bytes[8];
    const larch_bytes shortest = shorten(number, bytes);
    const uint8_t count = (uint8_t)shortest.len;
    if (!is_right)
        larch_shake_absorb(k, (larch_bytes){&count, 1});
    larch_shake_absorb(k, shortest);
    if (is_right)
        larch_shake_absorb(k, (larch_bytes){&count, 1});
}

static void absorb_string(larch_keccak *k, larch_bytes string)
{
    absorb_number(k, (uint64_t)string.len * 8, false);
    if (string.len > 0)
        larch_shake_absorb(k, string);
}

static void pad(larch_keccak *k)
{
    static const uint8_t zeros[RATE];
    if (k->at > 0)
        larch_shake_absorb(k, (larch_bytes){zeros, (size_t)(RATE - k->at)});
}

void larch_kmac256(larch_bytes key, larch_bytes customization, const larch_bytes *pieces, size_t count, uint8_t *out,
                   size_t out_len)
{
    larch_keccak k;
    larch_shake256_init(&k);
    absorb_number(&k, RATE, false);
    absorb_string(&k, LARCH_TEXT("KMAC"));
    absorb_string(&k, customization);
    pad(&k);
    absorb_number(&k, RATE, false);
    absorb_string(&k, key);
    pad(&k);
    for (size_t i = 0; i < count; i++)
        if (pieces[i].len > 0)
            larch_shake_absorb(&k, pieces[i]);
    absorb_number(&k, (uint64_t)out_len * 8, true);
    larch_cshake_finalize(&k);
    larch_shake_squeeze(&k, out, out_len);
    larch_wipe(&k, sizeof k);
}

void larch_shake256_of(const larch_bytes *pieces, size_t count, uint8_t *out, size_t out_len)
{
    larch_keccak k;
    larch_shake256_init(&k);
    for (size_t i = 0; i < count; i++)
        if (pieces[i].len > 0)
            larch_shake_absorb(&k, pieces[i]);
    larch_shake_finalize(&k);
    larch_shake_squeeze(&k, out, out_len);
    larch_wipe(&k, sizeof k);
}
