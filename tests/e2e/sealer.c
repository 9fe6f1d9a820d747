/* SPDX-License-Identifier: Apache-2.0 */
/* sealer EK_FILE COUNT: so many messages sealed to an ML-KEM-512 key, the texts "m000000000"
 * and on, one payload after the other on stdout. */
#include <stdio.h>
#include <stdlib.h>

#include "larch/crypto.h"
#include "larch/direct.h"

int main(int argc, char **argv)
{
    uint8_t ek[LARCH_KEM_EK_MAX];
    uint8_t sealed[LARCH_COAP_BODY_MAX];
    const larch_kem *kem = larch_kem_find(512);
    larch_random random = larch_crypto_random();
    FILE *f = argc == 3 ? fopen(argv[1], "rb") : NULL;
    if (f == NULL || larch_crypto_init() != LARCH_OK || fread(ek, 1, kem->ek_len, f) != kem->ek_len) {
        fputs("usage: sealer EK_FILE COUNT\n", stderr);
        return 2;
    }
    fclose(f);
    for (unsigned long i = 0, count = strtoul(argv[2], NULL, 10); i < count; i++) {
        char text[16];
        size_t len;
        larch_bytes bytes = {(const uint8_t *)text, (size_t)snprintf(text, sizeof text, "m%09lu", i)};
        if (larch_direct_seal(kem, &random, NULL, (larch_bytes){ek, kem->ek_len}, bytes, sealed, sizeof sealed, &len,
                              NULL) != LARCH_OK ||
            fwrite(sealed, 1, len, stdout) != len)
            return 1;
    }
    return fflush(stdout) == 0 ? 0 : 1;
}
