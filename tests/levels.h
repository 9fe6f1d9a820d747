/* SPDX-License-Identifier: Apache-2.0 */
/* The sets as each level of the processor computes them, so that one test runs for all. */
#ifndef TESTS_LEVELS_H
#define TESTS_LEVELS_H

#include "larch/kem.h"
#include "pq/pq.h"

/* First the sets as users get them, then those of each level by itself; NULL past the last. */
static inline const larch_kem *level_kem_at(size_t index)
{
    static larch_kem kems[3 * LARCH_PQ_LEVELS + 3];
    static size_t count;
    if (count == 0) {
        for (; larch_kem_at(count) != NULL; count++)
            kems[count] = *larch_kem_at(count);
        const size_t sets = count;
        for (unsigned level = 0; level < LARCH_PQ_LEVELS; level++)
            for (size_t at = 0; at < sets; at++) {
                kems[count] = kems[at];
                kems[count].functions = larch_mlkem_at_level(level, kems[at].set);
                count += kems[count].functions != NULL;
            }
    }
    return index < count ? &kems[index] : NULL;
}

#endif
