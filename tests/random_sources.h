/* SPDX-License-Identifier: Apache-2.0 */
/* Random sources that tests of keys and signatures draw from. */
#ifndef TESTS_RANDOM_SOURCES_H
#define TESTS_RANDOM_SOURCES_H

#include <string.h>

#include "pq/pq.h"

/* The output of a sponge, which the context is. */
static inline larch_error fill_from_sponge(void *context, uint8_t *out, size_t len)
{
    larch_shake_squeeze(context, out, len);
    return LARCH_OK;
}

/* Breaks off halfway, as a real source may. */
static inline larch_error fill_and_fail(void *context, uint8_t *out, size_t len)
{
    (void)context;
    memset(out, 0xaa, len / 2);
    return LARCH_PLATFORM;
}

static const larch_random failing = {fill_and_fail, NULL};

#endif
