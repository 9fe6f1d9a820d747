/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/handshake.h"

#include <stdlib.h>

#define NAME         "bench"
#define PAIR_SECONDS 0.3
#define LOAD_SECONDS 3.0

static const unsigned methods[] = {LARCH_LAKE_METHOD_PSK, LARCH_LAKE_METHOD_SIGNATURES, LARCH_LAKE_METHOD_STATIC_DH};
static const int suites[] = {
#define SUITE(number, aead, hash, mac_len, exchange, signature, application_aead, application_hash, text) (number),
    LARCH_LAKE_SUITES(SUITE)
#undef SUITE
};

_Static_assert(sizeof methods / sizeof methods[0] * (sizeof suites / sizeof suites[0]) <= LARCH_BENCH_PAIRS, "room");

/* Every method with every suite that this build has. */
static larch_exit run_pairs(larch_bench_handshakes *found, double seconds)
{
    for (size_t m = 0; m < sizeof methods / sizeof methods[0]; m++)
        for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++) {
            const larch_lake_suite *suite = larch_lake_suite_find(suites[i]);
            if (suite == NULL || !larch_lake_method_fits(methods[m], suite))
                continue;
            if (!larch_bench_run_pair(&found->handshake[found->count++], methods[m], suite, seconds))
                return larch_app_fail(NAME, "a handshake of method %u with suite %d failed", methods[m], suites[i]);
        }
    return LARCH_EXIT_DONE;
}

larch_exit larch_bench_handshake_main(const larch_bench_options *options)
{
    const double seconds = options->seconds;
    larch_bench_handshakes *found = calloc(1, sizeof *found);
    if (found == NULL)
        return larch_app_fail(NAME, "no memory");
    larch_exit code = run_pairs(found, seconds > 0 && seconds < PAIR_SECONDS ? seconds : PAIR_SECONDS);
    if (code == LARCH_EXIT_DONE)
        code = larch_bench_load_handshakes(options, seconds > 0 ? seconds : LOAD_SECONDS, &found->load);
    if (code == LARCH_EXIT_DONE)
        larch_bench_show_handshakes(options, found);
    free(found);
    return code;
}
