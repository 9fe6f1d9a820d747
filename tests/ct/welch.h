/* SPDX-License-Identifier: Apache-2.0 */
/* Whether two kinds of measurement have the same mean: Welch's t, as dudect uses it. */
#ifndef CT_WELCH_H
#define CT_WELCH_H

#include <stddef.h>
#include <stdint.h>

typedef struct welch_sample {
    uint64_t time : 63;
    uint64_t kind : 1;
} welch_sample;

typedef struct welch_result {
    double t;          /* above 0: kind 0 takes longer */
    unsigned permille; /* of the samples that were kept, the fastest */
    double mean;       /* time of kind 0 */
    double difference; /* mean time of kind 0 less that of kind 1 */
} welch_result;

/* The t that is farthest from 0 among those of the fastest half, of the fastest nine tenths, of all
 * but a hundredth, and of all: interrupts hide a difference in the last, and a rare one is seen only
 * there. Without a difference each is distributed as N(0, 1). Sorts the samples. */
welch_result welch_compare(welch_sample *samples, size_t count);

#endif
