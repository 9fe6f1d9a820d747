/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "larch/crypto.h"
#include "larch/direct.h"

static const char prefix[] = "larch1:";
static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567"; /* [RFC4648 6] */

#define PREFIX_LEN (sizeof prefix - 1)
#define GROUPS     (LARCH_FINGERPRINT_LEN / 5) /* 5 bytes are 8 characters */

_Static_assert(LARCH_FINGERPRINT_TEXT_LEN == PREFIX_LEN + 8 * GROUPS, "fingerprint text");

larch_error larch_direct_key_hash(larch_bytes ek, uint8_t hash[32]) { return larch_sha256(&ek, 1, hash); }

void larch_fingerprint_format(const uint8_t fingerprint[LARCH_FINGERPRINT_LEN],
                              char text[LARCH_FINGERPRINT_TEXT_LEN + 1])
{
    memcpy(text, prefix, PREFIX_LEN);
    text += PREFIX_LEN;
    for (size_t group = 0; group < GROUPS; group++) {
        uint64_t bits = 0;
        for (size_t i = 0; i < 5; i++)
            bits = bits << 8 | fingerprint[5 * group + i];
        for (size_t i = 0; i < 8; i++)
            *text++ = alphabet[bits >> (35 - 5 * i) & 31];
    }
    *text = '\0';
}

/* The five bits of a base32 character, or -1. */
static int digit(uint8_t character)
{
    if (character >= 'A' && character <= 'Z')
        return character - 'A';
    if (character >= 'a' && character <= 'z')
        return character - 'a';
    if (character >= '2' && character <= '7')
        return character - '2' + 26;
    return -1;
}

larch_error larch_fingerprint_parse(larch_bytes text, uint8_t fingerprint[LARCH_FINGERPRINT_LEN])
{
    uint8_t out[LARCH_FINGERPRINT_LEN];
    if (text.len != LARCH_FINGERPRINT_TEXT_LEN || memcmp(text.data, prefix, PREFIX_LEN) != 0)
        return LARCH_MALFORMED;
    const uint8_t *at = text.data + PREFIX_LEN;
    for (size_t group = 0; group < GROUPS; group++) {
        uint64_t bits = 0;
        for (size_t i = 0; i < 8; i++) {
            int value = digit(*at++);
            if (value < 0)
                return LARCH_MALFORMED;
            bits = bits << 5 | (uint64_t)value;
        }
        for (size_t i = 0; i < 5; i++)
            out[5 * group + i] = (uint8_t)(bits >> (32 - 8 * i));
    }
    memcpy(fingerprint, out, sizeof out);
    return LARCH_OK;
}
