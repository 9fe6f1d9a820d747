/* SPDX-License-Identifier: Apache-2.0 */
#include "larch/crypto.h"
#include "pq/pq.h"

uint64_t larch_tag64(const uint8_t key[LARCH_TAG64_KEY_LEN], const larch_bytes *pieces, size_t count)
{
    larch_keccak k;
    uint8_t out[8];
    larch_shake128_init(&k);
    larch_shake_absorb(&k, (larch_bytes){key, LARCH_TAG64_KEY_LEN});
    for (size_t i = 0; i < count; i++)
        larch_shake_absorb(&k, pieces[i]);
    larch_shake_finalize(&k);
    larch_shake_squeeze(&k, out, sizeof out);
    larch_wipe(&k, sizeof k);
    return larch_number_at(out, sizeof out);
}

#if LARCH_SERVER_GROUP > 1

#define SIDE_BY_SIDE 8

void larch_tag64_many(uint64_t *tags, const larch_bytes *pieces, size_t piece_count, size_t count)
{
    uint8_t out[SIDE_BY_SIDE][8];
    while (count > 0) {
        const size_t now = count < SIDE_BY_SIDE ? count : SIDE_BY_SIDE;
        larch_shake128_many(out, pieces, piece_count, now);
        for (size_t i = 0; i < now; i++)
            *tags++ = larch_number_at(out[i], sizeof out[i]);
        pieces += piece_count * now;
        count -= now;
    }
}

#endif
