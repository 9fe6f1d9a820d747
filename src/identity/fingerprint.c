/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "larch/identity.h"

static const char prefix[] = "larch";                              /* the kind's digit and a colon follow */
static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567"; /* [RFC4648 6] */

#define PREFIX_LEN (sizeof prefix - 1)
#define FRONT_LEN  (PREFIX_LEN + 2)
#define GROUPS     (LARCH_FINGERPRINT_LEN / 5) /* 5 bytes are 8 characters */

_Static_assert(LARCH_FINGERPRINT_TEXT_LEN == FRONT_LEN + 8 * GROUPS, "fingerprint text");

void larch_fingerprint_format(larch_fingerprint_kind kind, const uint8_t bytes[LARCH_FINGERPRINT_LEN],
                              char text[LARCH_FINGERPRINT_TEXT_LEN + 1])
{
    memcpy(text, prefix, PREFIX_LEN);
    text += PREFIX_LEN;
    *text++ = (char)('0' + kind);
    *text++ = ':';
    for (size_t group = 0; group < GROUPS; group++) {
        uint64_t bits = 0;
        for (size_t i = 0; i < 5; i++)
            bits = bits << 8 | bytes[5 * group + i];
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

/* The kind that a digit stands for; 0 for any other character. */
static unsigned kind_of(uint8_t character)
{
    return character == '1' || character == '2' ? (unsigned)(character - '0') : 0;
}

larch_error larch_fingerprint_parse(larch_bytes text, larch_fingerprint *fingerprint)
{
    larch_fingerprint out;
    unsigned kind;
    if (text.len != LARCH_FINGERPRINT_TEXT_LEN || memcmp(text.data, prefix, PREFIX_LEN) != 0 ||
        (kind = kind_of(text.data[PREFIX_LEN])) == 0 || text.data[PREFIX_LEN + 1] != ':')
        return LARCH_MALFORMED;
    out.kind = (larch_fingerprint_kind)kind;
    const uint8_t *at = text.data + FRONT_LEN;
    for (size_t group = 0; group < GROUPS; group++) {
        uint64_t bits = 0;
        for (size_t i = 0; i < 8; i++) {
            int value = digit(*at++);
            if (value < 0)
                return LARCH_MALFORMED;
            bits = bits << 5 | (uint64_t)value;
        }
        for (size_t i = 0; i < 5; i++)
            out.bytes[5 * group + i] = (uint8_t)(bits >> (32 - 8 * i));
    }
    *fingerprint = out;
    return LARCH_OK;
}
