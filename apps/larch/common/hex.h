/* SPDX-License-Identifier: Apache-2.0 */
/* Hexadecimal that may hold secrets. */
#ifndef LARCH_APP_HEX_H
#define LARCH_APP_HEX_H

#include <stdint.h>

/* The value of a digit, or 0xff, in time that does not depend on it. */
static inline unsigned larch_app_hex_digit(uint8_t c)
{
    const unsigned lower = c | 0x20u, number = c - (unsigned)'0', letter = lower - 'a';
    const unsigned is_number = 0u - (((number - 10) & ~number) >> 31),
                   is_letter = 0u - (((letter - 6) & ~letter) >> 31);
    return (number & is_number) | ((letter + 10) & is_letter) | (~(is_number | is_letter) & 0xff);
}

#endif
