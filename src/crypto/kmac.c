/* SPDX-License-Identifier: Apache-2.0 */
/*
 * KMAC256 [SP800-185 4.3]: a sponge that absorbs
 *
 *     bytepad("KMAC", customization) | bytepad(key) | pieces | right_encode(bits of the output)
 *
 * where each string stands behind its length in bits, and bytepad fills up to the next block with zeros.
 */
#include <string.h>

#include "larch/crypto.h"
#include "pq/pq.h"

#define RATE 136

/* Messages that are computed side by side. */
#if LARCH_X86
#define LANES 4u
#else
#define LANES 1u
#endif

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

#if LARCH_X86
/* The sponge behind bytepad("KMAC", "") is always the same. Boards have no flash for it. */
static const uint64_t without_customization[25] = {
    0x5d63037bf8951c6c, 0x135e3d7fc6daec35, 0x2973806376579045, 0x4ebc74c87a5e2335, 0xa4a0e667022ac913,
    0x368146419b711c90, 0x8de967b112a254d4, 0x2dbb7d958eb74823, 0xbed03c20b7468278, 0x0694c0a8c0f3a003,
    0x6440fc65e87fa80e, 0xe5f35ada0ceb58fd, 0x3b87e0848e2d0cf7, 0x7b2a181fc5a0771c, 0x761723c0b19ad57d,
    0xacbadc5a4ef67104, 0x7a215118af302f29, 0xeb94d1ee16dd140a, 0xb41f33bf1e494fbd, 0xf467770c830b4b3e,
    0x910de5c7fa00b554, 0x6bec5c175246425b, 0x38cfdef1cfd61864, 0x29e4a93011cbd8c6, 0x07800c825fcd86c6,
};
#endif

static void absorb_name(larch_keccak *k, larch_bytes customization)
{
    larch_shake256_init(k);
#if LARCH_X86
    if (customization.len == 0) {
        memcpy(k->state, without_customization, sizeof k->state);
        return;
    }
#endif
    absorb_number(k, RATE, false);
    absorb_string(k, LARCH_TEXT("KMAC"));
    absorb_string(k, customization);
    pad(k);
}

/* What all messages under one key begin with. */
static void begin(larch_keccak *k, larch_bytes key, larch_bytes customization)
{
    absorb_name(k, customization);
    absorb_number(k, RATE, false);
    absorb_string(k, key);
    pad(k);
}

static void absorb_message(larch_keccak *k, const larch_bytes *pieces, size_t count, size_t out_len)
{
    for (size_t i = 0; i < count; i++)
        if (pieces[i].len > 0)
            larch_shake_absorb(k, pieces[i]);
    absorb_number(k, (uint64_t)out_len * 8, true);
    larch_cshake_finalize(k);
}

void larch_kmac256(larch_bytes key, larch_bytes customization, const larch_bytes *pieces, size_t count, uint8_t *out,
                   size_t out_len)
{
    larch_keccak k;
    begin(&k, key, customization);
    absorb_message(&k, pieces, count, out_len);
    larch_shake_squeeze(&k, out, out_len);
    larch_wipe(&k, sizeof k);
}

void larch_kmac256_many(larch_bytes key, const larch_kmac_message *messages, size_t count)
{
    larch_keccak keyed, k[LANES];
    begin(&keyed, key, (larch_bytes){0});
    for (size_t at = 0, some; at < count; at += some) {
        some = count - at < LANES ? count - at : LANES;
        for (size_t i = 0; i < some; i++) {
            k[i] = keyed;
            absorb_message(&k[i], messages[at + i].pieces, messages[at + i].count, messages[at + i].out_len);
        }
        larch_shake_prepare_many(k, some);
        for (size_t i = 0; i < some; i++)
            larch_shake_squeeze(&k[i], messages[at + i].out, messages[at + i].out_len);
    }
    larch_wipe(&keyed, sizeof keyed);
    larch_wipe(k, sizeof k);
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
