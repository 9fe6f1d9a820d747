/* SPDX-License-Identifier: Apache-2.0 */
/* The helper program larch-bench-peers: see peers.h. */
#include <stdio.h>
#include <stdlib.h>
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

/* The next number of a line, which moves behind it. */
static bool take(const char **line, unsigned long max, unsigned long *out)
{
    char *end;
    *out = strtoul(*line, &end, 10);
    const bool ok = end != *line && *out <= max;
    *line = end;
    return ok;
}

static bool answer(const char *line)
{
    const bool is_time = strncmp(line, "time ", 5) == 0;
    unsigned long number, op, us;
    larch_figures f;
    size_t stack;
    if (!is_time && strncmp(line, "stack ", 6) != 0)
        return printf("failed\n") > 0;
    line += is_time ? 5 : 6;
    if (count == 0 || !take(&line, count - 1, &number) || !take(&line, LARCH_SCHEME_OPS - 1, &op))
        return printf("failed\n") > 0;
    if (is_time && take(&line, 1000000000, &us) &&
        larch_measure_time(&schemes[number], (unsigned)op, (double)us / 1e6, &f))
        return printf("time %.0f %.0f %lu\n", f.us * 1e6, f.cycles, f.runs) > 0;
    if (!is_time && (stack = larch_measure_stack(&schemes[number], (unsigned)op)) > 0)
        return printf("stack %zu\n", stack) > 0;
    return printf("failed\n") > 0;
}

int main(void)
{
    char line[128];
#ifdef PEER_LEVELS
    peer_levels();
#endif
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
