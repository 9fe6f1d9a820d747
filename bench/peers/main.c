/* SPDX-License-Identifier: Apache-2.0 */
/* The helper program larch-bench-peers: see peers.h. */
#include <stdio.h>
#include <string.h>

#include "peers.h"

#define SCHEMES_MAX 64

static larch_scheme schemes[SCHEMES_MAX];
static size_t count;

void peer_offer(const larch_scheme *scheme)
{
    for (unsigned op = 0; op < LARCH_SCHEME_OPS; op++)
        if (!scheme->run(scheme->state, op)) {
            fprintf(stderr, "larch-bench-peers: %s: %s does not work (operation %u)\n", scheme->library,
                    scheme->algorithm, op);
            return;
        }
    if (count == SCHEMES_MAX)
        return;
    schemes[count++] = *scheme;
    printf("scheme\t%d\t%u\t%u\t%s\t%s\t%s\n", (int)scheme->kind, scheme->key_len, scheme->out_len, scheme->library,
           scheme->algorithm, scheme->how);
}

static bool answer(const char *line)
{
    unsigned number, op;
    unsigned long us;
    larch_figures f;
    size_t stack;
    if (sscanf(line, "time %u %u %lu", &number, &op, &us) == 3 && number < count && op < LARCH_SCHEME_OPS &&
        larch_measure_time(&schemes[number], op, (double)us / 1e6, &f))
        return printf("time %.1f %.1f %lu\n", f.us * 1e3, f.cycles, f.runs) > 0;
    if (sscanf(line, "stack %u %u", &number, &op) == 2 && number < count && op < LARCH_SCHEME_OPS &&
        (stack = larch_measure_stack(&schemes[number], op)) > 0)
        return printf("stack %zu\n", stack) > 0;
    return printf("failed\n") > 0;
}

int main(void)
{
    char line[128];
#ifdef PEER_MBEDTLS
    peer_mbedtls();
#endif
#ifdef PEER_OPENSSL
    peer_openssl();
#endif
#ifdef PEER_GCRYPT
    peer_gcrypt();
#endif
#ifdef PEER_BOTAN
    peer_botan();
#endif
    printf("ready\n");
    while (fflush(stdout) == 0 && fgets(line, sizeof line, stdin) != NULL && answer(line))
        ;
    return 0;
}
