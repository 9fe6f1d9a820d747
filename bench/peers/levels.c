/* SPDX-License-Identifier: Apache-2.0 */
/* Our ML-KEM as written for lesser processors than this one; larch itself always takes the best. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "larch/crypto.h"
#include "peers.h"
#include "pq/pq.h"

typedef struct keys {
    larch_kem kem;
    char how[32];
    uint8_t seed[LARCH_KEM_SEED_LEN];
    uint8_t ek[LARCH_KEM_EK_MAX], dk[LARCH_KEM_DK_MAX], ct[LARCH_KEM_CT_MAX], ss[LARCH_KEM_SS_LEN];
} keys;

static bool run(void *state, unsigned op)
{
    keys *k = state;
    const larch_random random = larch_crypto_random();
    uint8_t ss[LARCH_KEM_SS_LEN];
    switch (op) {
    case 0:
        return larch_random_fill(&random, k->seed, k->kem.seed_len) == LARCH_OK &&
               larch_kem_keygen(&k->kem, k->seed, k->ek, k->dk) == LARCH_OK;
    case 1:
        return larch_kem_encaps(&k->kem, &random, (larch_bytes){k->ek, k->kem.ek_len}, k->ct, k->ss) == LARCH_OK;
    default:
        return larch_kem_decaps(&k->kem, k->dk, (larch_bytes){k->ct, k->kem.ct_len}, ss) == LARCH_OK &&
               memcmp(ss, k->ss, sizeof ss) == 0;
    }
}

void peer_levels(void)
{
    const larch_kem *kem;
    if (larch_crypto_init() != LARCH_OK)
        return;
    for (size_t i = 0; (kem = larch_kem_at(i)) != NULL; i++) {
        unsigned best = LARCH_PQ_LEVELS - 1;
        while (best > 0 && larch_mlkem_at_level(best, kem->set) == NULL)
            best--;
        for (unsigned level = best; level-- > 0;) {
            keys *k = calloc(1, sizeof *k); /* as long as the program */
            if (k == NULL || larch_mlkem_at_level(level, kem->set) == NULL) {
                free(k);
                continue;
            }
            k->kem = *kem;
            k->kem.functions = larch_mlkem_at_level(level, kem->set);
            (void)snprintf(k->how, sizeof k->how, "%s code", larch_pq_level_name(level));
            peer_offer(&(larch_scheme){LARCH_SCHEME_KEM, "larch " LARCH_VERSION, kem->name, k->how, kem->ek_len,
                                       kem->ct_len, 1, run, k});
        }
    }
}
