/* SPDX-License-Identifier: Apache-2.0 */
/* The sets as each level of the processor computes them, so that one test runs for all. */
#ifndef TESTS_LEVELS_H
#define TESTS_LEVELS_H

#include "larch/kem.h"
#include "larch/sig.h"
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

/* The same of signatures. */
static inline const larch_sig *level_sig_at(size_t index)
{
    static larch_sig sigs[3 * LARCH_PQ_LEVELS + 3];
    static size_t count;
    if (count == 0) {
        for (; larch_sig_at(count) != NULL; count++)
            sigs[count] = *larch_sig_at(count);
        const size_t sets = count;
        for (unsigned level = 0; level < LARCH_PQ_LEVELS; level++)
            for (size_t at = 0; at < sets; at++) {
                sigs[count] = sigs[at];
                sigs[count].functions = larch_mldsa_at_level(level, sigs[at].cose_algorithm);
                count += sigs[count].functions != NULL;
            }
    }
    return index < count ? &sigs[index] : NULL;
}

#endif
