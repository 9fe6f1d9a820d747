/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Floating-point numbers as bits [RFC8949 3.3, 4.1]: no arithmetic of the host takes part, so a board without a
 * floating-point unit needs no library for it.
 */
#include "cbor_int.h"

/* A form: bits of the fraction and of the exponent. */
typedef struct form {
    unsigned fraction;
    unsigned exponent;
} form;

static const form half = {10, 5}, single = {23, 8}, wide = {52, 11};

static uint64_t ones(unsigned count) { return (UINT64_C(1) << count) - 1; }
static int bias_of(const form *f) { return (int)ones(f->exponent - 1); }

/* From a smaller form to binary64, which has room for every value of it. */
static uint64_t widen(const form *f, uint64_t bits)
{
    uint64_t fraction = bits & ones(f->fraction);
    const uint64_t sign = bits >> (f->fraction + f->exponent) << 63;
    int exponent = (int)(bits >> f->fraction & ones(f->exponent));
    fraction <<= wide.fraction - f->fraction;
    if (exponent == (int)ones(f->exponent))
        return sign | ones(wide.exponent) << wide.fraction | fraction;
    if (exponent == 0) {
        if (fraction == 0)
            return sign;
        for (exponent = 1; fraction >> wide.fraction == 0;
             exponent--) /* subnormal: until its first one is the hidden bit */
            fraction <<= 1;
        fraction &= ones(wide.fraction);
    }
    return sign | (uint64_t)(exponent - bias_of(f) + bias_of(&wide)) << wide.fraction | fraction;
}

/* To a smaller form, if that keeps the value. */
static bool narrow(const form *f, uint64_t binary64, uint64_t *bits)
{
    const uint64_t sign = binary64 >> 63 << (f->fraction + f->exponent);
    const int biased = (int)(binary64 >> wide.fraction & ones(wide.exponent));
    const int exponent = biased - bias_of(&wide) + bias_of(f);
    uint64_t fraction = binary64 & ones(wide.fraction);
    unsigned lost = wide.fraction - f->fraction;
    if (biased == (int)ones(wide.exponent)) { /* an infinity; a NaN was dealt with */
        *bits = sign | ones(f->exponent) << f->fraction;
        return true;
    }
    if (biased == 0) { /* zero; a subnormal is below every smaller form */
        *bits = sign;
        return fraction == 0;
    }
    if (exponent >= (int)ones(f->exponent) || exponent <= -(int)f->fraction)
        return false;
    if (exponent <= 0) { /* it becomes subnormal: the hidden bit takes a place */
        fraction |= UINT64_C(1) << wide.fraction;
        lost += (unsigned)(1 - exponent);
    }
    if ((fraction & ones(lost)) != 0)
        return false;
    *bits = sign | (exponent > 0 ? (uint64_t)exponent << f->fraction : 0) | fraction >> lost;
    return true;
}

static bool is_nan(uint64_t binary64)
{
    return (binary64 & ~(UINT64_C(1) << 63)) > ones(wide.exponent) << wide.fraction;
}

unsigned larch_cbor_shorten(uint64_t binary64, uint64_t *bits)
{
    if (is_nan(binary64)) {
        *bits = 0x7e00;
        return CBOR_2;
    }
    if (narrow(&half, binary64, bits))
        return CBOR_2;
    if (narrow(&single, binary64, bits))
        return CBOR_4;
    *bits = binary64;
    return CBOR_8;
}

uint64_t larch_cbor_lengthen(unsigned info, uint64_t bits)
{
    return info == CBOR_2 ? widen(&half, bits) : info == CBOR_4 ? widen(&single, bits) : bits;
}
