/* SPDX-License-Identifier: Apache-2.0 */
#include "larch/crypto.h"
#include "pq/pq.h"

uint64_t larch_tag64(const uint8_t key[LARCH_TAG64_KEY_LEN], const larch_bytes *pieces, size_t count)
{
    larch_keccak k;
    uint8_t out[8];
    uint64_t tag = 0;
    larch_shake128_init(&k);
    larch_shake_absorb(&k, (larch_bytes){key, LARCH_TAG64_KEY_LEN});
    for (size_t i = 0; i < count; i++)
        larch_shake_absorb(&k, pieces[i]);
    larch_shake_finalize(&k);
    larch_shake_squeeze(&k, out, sizeof out);
    for (size_t i = 0; i < sizeof out; i++)
        tag = tag << 8 | out[i];
    larch_wipe(&k, sizeof k);
    return tag;
}
