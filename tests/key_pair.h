/* SPDX-License-Identifier: Apache-2.0 */
/* A gateway's key pair from a seed of one byte repeated. A program that includes this has included cmocka.h. */
#ifndef TESTS_KEY_PAIR_H
#define TESTS_KEY_PAIR_H

#include <string.h>

#include "larch/direct.h"
#include "larch/kem.h"

typedef struct key_pair {
    const larch_kem *kem;
    uint8_t ek[LARCH_KEM_EK_MAX], dk[LARCH_KEM_DK_MAX], hash[32];
} key_pair;

static inline larch_bytes ek_of(const key_pair *p) { return (larch_bytes){p->ek, p->kem->ek_len}; }

static inline key_pair key_pair_of(const larch_kem *kem, uint8_t seed_byte)
{
    key_pair p = {.kem = kem};
    uint8_t seed[LARCH_KEM_SEED_LEN];
    memset(seed, seed_byte, sizeof seed);
    assert_int_equal(larch_kem_keygen(kem, seed, p.ek, p.dk), LARCH_OK);
    assert_int_equal(larch_direct_key_hash(ek_of(&p), p.hash), LARCH_OK);
    return p;
}

#endif
