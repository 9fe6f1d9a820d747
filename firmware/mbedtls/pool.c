/* SPDX-License-Identifier: Apache-2.0 */
/* What Mbed TLS allocates, from a few equal blocks: a key, the contexts of CCM and AES, HKDF's info. No fragments, so what
 * has worked once works for ever. For one task at a time, as all that calls the library is. */
#include <string.h>

#include "larch/base.h"
#include "larch_mbedtls_config.h"

enum { BLOCK = 288, BLOCKS = 4 };

static uint64_t blocks[BLOCKS][BLOCK / sizeof(uint64_t)];
static bool taken[BLOCKS];

void *larch_mbedtls_calloc(size_t count, size_t size)
{
    if (size != 0 && count > BLOCK / size)
        return NULL;
    for (size_t i = 0; i < BLOCKS; i++)
        if (!taken[i]) {
            taken[i] = true;
            return memset(blocks[i], 0, BLOCK);
        }
    return NULL;
}

/* Wiped, though Mbed TLS wipes what it knows to be secret. */
void larch_mbedtls_free(void *block)
{
    for (size_t i = 0; i < BLOCKS; i++)
        if (block == blocks[i]) {
            larch_wipe(blocks[i], BLOCK);
            taken[i] = false;
        }
}
