/* SPDX-License-Identifier: Apache-2.0 */
#include "welch.h"

#include <math.h>
#include <stdlib.h>

#define FEWEST 100 /* samples of each kind; where fewer are kept, the difference shows in a wider crop */

static int by_time(const void *a, const void *b)
{
    const uint64_t x = ((const welch_sample *)a)->time, y = ((const welch_sample *)b)->time;
    return (x > y) - (x < y);
}

static welch_result compare(const welch_sample *samples, size_t count)
{
    double n[2] = {0}, mean[2] = {0}, squares[2] = {0};
    for (size_t i = 0; i < count; i++) { /* Welford's sums */
        const unsigned kind = samples[i].kind;
        const double delta = (double)samples[i].time - mean[kind];
        n[kind]++;
        mean[kind] += delta / n[kind];
        squares[kind] += delta * ((double)samples[i].time - mean[kind]);
    }
    const double difference = mean[0] - mean[1];
    const double variance = squares[0] / (n[0] - 1) / n[0] + squares[1] / (n[1] - 1) / n[1];
    welch_result r = {.mean = mean[0], .difference = difference};
    if (n[0] >= FEWEST && n[1] >= FEWEST && difference != 0)
        r.t = difference / sqrt(variance);
    return r;
}

/* Samples as slow as the last one kept are kept too, lest the sorting decide which of them count. */
static size_t keep(const welch_sample *samples, size_t count, unsigned permille)
{
    size_t kept = count * permille / 1000;
    while (kept < count && samples[kept].time == samples[kept - 1].time)
        kept++;
    return kept;
}

welch_result welch_compare(welch_sample *samples, size_t count)
{
    static const unsigned crops[] = {500, 900, 990, 1000};
    welch_result worst = {0};
    qsort(samples, count, sizeof samples[0], by_time);
    for (size_t i = 0; i < sizeof crops / sizeof crops[0]; i++) {
        welch_result r = compare(samples, keep(samples, count, crops[i]));
        r.permille = crops[i];
        if (i == 0 || fabs(r.t) > fabs(worst.t))
            worst = r;
    }
    return worst;
}
