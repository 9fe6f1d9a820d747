/* SPDX-License-Identifier: Apache-2.0 */
/* What a stranger does first: an error's name, and the list of algorithms. */
#include <stdio.h>
#include <string.h>

#include "larch/base.h"
#ifdef WITH_KEM
#include "larch/kem.h"
#endif

int main(void)
{
    puts(larch_error_name(LARCH_REPLAY));
#ifdef WITH_KEM
    const larch_kem *kem;
    for (size_t i = 0; (kem = larch_kem_at(i)) != NULL; i++)
        puts(kem->name);
    return larch_kem_find(512) == NULL;
#else
    return strcmp(larch_error_name(LARCH_REPLAY), "REPLAY") != 0;
#endif
}
