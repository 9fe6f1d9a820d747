/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of block-wise transfer, on both sides, are made of. Include it after cmocka.h. */
#ifndef LARCH_TESTS_COAP_PATTERN_H
#define LARCH_TESTS_COAP_PATTERN_H

#include "larch/coap_block.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define NOW_MS       5000u

static uint8_t pattern[8192]; /* no two slices of it are equal */

static inline int fill_pattern(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pattern; i += 2) {
        pattern[i] = (uint8_t)(i >> 8);
        pattern[i + 1] = (uint8_t)(i >> 1);
    }
    return 0;
}

static inline larch_bytes bytes_of(size_t at, size_t len) { return (larch_bytes){pattern + at, len}; }

static inline larch_coap_block block_of(uint32_t num, bool more, uint8_t szx)
{
    return (larch_coap_block){num, more, szx};
}

#endif
