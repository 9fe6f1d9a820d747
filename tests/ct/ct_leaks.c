/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The controls under valgrind: each runs one function that leaks on purpose, and must be reported.
 *
 * usage: valgrind -q ct_leaks branch | index | branch_avx512 | index_avx512
 */
#include <string.h>

#include "leaks.h"
#include "secrets.h"

/* Where the results go, lest the compiler drop what leads to them. */
static volatile unsigned result;

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        unsigned (*leak)(const uint8_t key[64]);
    } leaks[] = {
        {"branch", leak_by_branch},
        {"index", leak_by_index},
#ifdef LARCH_X86
        {"branch_avx512", leak_avx512_by_branch},
        {"index_avx512", leak_avx512_by_index},
#endif
    };
    uint8_t key[64] = {7, 7};
    require(argc == 2, "usage: ct_leaks branch | index | branch_avx512 | index_avx512");
    require(RUNNING_ON_VALGRIND != 0, "run this under valgrind");
    secret(key, sizeof key);
    for (size_t i = 0; i < sizeof leaks / sizeof leaks[0]; i++)
        if (strcmp(argv[1], leaks[i].name) == 0) {
            result = leaks[i].leak(key);
            return 0;
        }
    require(false, "there is no such leak");
}
