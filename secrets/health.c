/* SPDX-License-Identifier: Apache-2.0 */
#include "secrets/health.h"

/* [SP800-90B 4.4.1] */
static bool is_stuck(larch_health *h, uint8_t sample)
{
    h->repeats = h->repeats > 0 && sample == h->last ? h->repeats + 1 : 1;
    h->last = sample;
    return h->repeats >= LARCH_HEALTH_REPEATS;
}

/* [SP800-90B 4.4.2] */
static bool is_biased(larch_health *h, uint8_t sample)
{
    if (h->seen == 0) {
        h->first = sample;
        h->same = 0;
    }
    h->seen = (h->seen + 1) % LARCH_HEALTH_WINDOW;
    h->same += sample == h->first;
    return h->same >= LARCH_HEALTH_SAME;
}

larch_health_fault larch_health_take(larch_health *h, larch_bytes samples)
{
    for (size_t i = 0; i < samples.len; i++) {
        if (is_stuck(h, samples.data[i]))
            return LARCH_HEALTH_STUCK;
        if (is_biased(h, samples.data[i]))
            return LARCH_HEALTH_BIASED;
    }
    return LARCH_HEALTH_SOUND;
}
