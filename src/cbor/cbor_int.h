/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LARCH_CBOR_INT_H
#define LARCH_CBOR_INT_H

#include "larch/cbor.h"

/* The additional information that says how many bytes follow a first byte. [RFC8949 3] */
enum { CBOR_1 = 24, CBOR_2 = 25, CBOR_4 = 26, CBOR_8 = 27 };

/* A floating-point number in the shortest form that keeps its value and, for a NaN, in the form 7e00. Returns its
 * additional information: CBOR_2, CBOR_4 or CBOR_8. */
unsigned larch_cbor_shorten(uint64_t binary64, uint64_t *bits);
/* The binary64 of a number in the form that the additional information names. */
uint64_t larch_cbor_lengthen(unsigned info, uint64_t bits);

#endif
