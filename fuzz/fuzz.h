/* SPDX-License-Identifier: Apache-2.0 */
/* What every harness is and uses. */
#ifndef LARCH_FUZZ_H
#define LARCH_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* libFuzzer, or replay.c, calls it with each input. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property that does not hold ends the run, and the input is kept. */
static inline void require(bool holds)
{
    if (!holds)
        abort();
}

#endif
