/* SPDX-License-Identifier: Apache-2.0 */
/* Short outputs of several sponges, one sponge after the other. x86/shake_many.c runs them side by side. */
#include "pq/keccak_int.h"

#if LARCH_PQ_HASHES_MANY

void larch_shake128_each(uint8_t (*out)[8], const larch_bytes *pieces, size_t piece_count, size_t count)
{
    larch_keccak k;
    for (size_t i = 0; i < count; i++) {
        larch_shake128_init(&k);
        for (size_t j = 0; j < piece_count; j++)
            larch_shake_absorb(&k, *pieces++);
        larch_shake_finalize(&k);
        larch_shake_squeeze(&k, out[i], sizeof out[i]);
    }
    larch_wipe(&k, sizeof k);
}

#if !LARCH_X86
void larch_shake128_many(uint8_t (*out)[8], const larch_bytes *pieces, size_t piece_count, size_t count)
{
    larch_shake128_each(out, pieces, piece_count, count);
}

larch_shake_many *larch_shake128_many_at_level(unsigned level) { return level == 0 ? larch_shake128_each : NULL; }
#endif

#endif
