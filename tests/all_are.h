/* SPDX-License-Identifier: Apache-2.0 */
/* What an output holds after an error: zeros, or what the test has filled it with. */
#ifndef TESTS_ALL_ARE_H
#define TESTS_ALL_ARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool all_are(const uint8_t *bytes, size_t len, uint8_t value)
{
    size_t i = 0;
    while (i < len && bytes[i] == value)
        i++;
    return i == len;
}

static inline bool is_zero(const uint8_t *bytes, size_t len) { return all_are(bytes, len, 0); }

#endif
