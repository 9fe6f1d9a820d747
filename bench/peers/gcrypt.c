/* SPDX-License-Identifier: Apache-2.0 */
/* Libgcrypt, from 1.11 on: ML-KEM over bytes, as ours. */
#include <gcrypt.h>
#include <stdio.h>
#include <string.h>

#include "peers.h"

#define EK_MAX 1568
#define DK_MAX 3168

typedef struct keys {
    enum gcry_kem_algos algorithm;
    size_t ek_len, dk_len, ct_len;
    uint8_t ek[EK_MAX], dk[DK_MAX], ct[EK_MAX], ss[32];
} keys;

static bool run(void *state, unsigned op)
{
    keys *k = state;
    uint8_t ss[32];
    switch (op) {
    case 0:
        return gcry_kem_keypair(k->algorithm, k->ek, k->ek_len, k->dk, k->dk_len) == 0;
    case 1:
        return gcry_kem_encap(k->algorithm, k->ek, k->ek_len, k->ct, k->ct_len, k->ss, sizeof k->ss, NULL, 0) == 0;
    default:
        return gcry_kem_decap(k->algorithm, k->dk, k->dk_len, k->ct, k->ct_len, ss, sizeof ss, NULL, 0) == 0 &&
               memcmp(ss, k->ss, sizeof ss) == 0;
    }
}

void peer_gcrypt(void)
{
    static char version[32];
    static keys all[] = {
        {.algorithm = GCRY_KEM_MLKEM512, .ek_len = 800, .dk_len = 1632, .ct_len = 768},
        {.algorithm = GCRY_KEM_MLKEM768, .ek_len = 1184, .dk_len = 2400, .ct_len = 1088},
        {.algorithm = GCRY_KEM_MLKEM1024, .ek_len = 1568, .dk_len = 3168, .ct_len = 1568},
    };
    static const char *const names[] = {"ML-KEM-512", "ML-KEM-768", "ML-KEM-1024"};
    (void)snprintf(version, sizeof version, "Libgcrypt %s", gcry_check_version(NULL));
    (void)gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
    (void)gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
    for (size_t i = 0; i < 3; i++)
        peer_offer(&(larch_scheme){LARCH_SCHEME_KEM, version, names[i], "", (unsigned)all[i].ek_len,
                                   (unsigned)all[i].ct_len, 1, run, &all[i]});
}
