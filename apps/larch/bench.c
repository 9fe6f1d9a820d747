/* SPDX-License-Identifier: Apache-2.0 */
/* larch bench: this machine's figures. They assert nothing. */
#include "bench.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "bench_load.h"
#include "larch/crypto.h"
#include "options.h"

static const char help[] = "Usage: larch bench kem|kex [OPTION]...\n"
                           "       larch bench gateway [OPTION]... [URI]\n"
                           "Measures this machine.\n"
                           "\n"
                           "kem: ML-KEM, X-Wing and ML-DSA of larch beside those of other libraries: time, cycles,\n"
                           "stack, bytes on the wire, and how many times as fast as OpenSSL.\n"
                           "kex: what an exchange of keys costs both sides, beside X25519, P-256 and RSA.\n"
                           "Other libraries run in the programs larch-bench-peers* beside this one. All take turns,\n"
                           "15 rounds, on one core if started so (taskset -c 1); figures are medians of the rounds.\n"
                           "\n"
                           "gateway: loads a running gateway (coap://HOST[:PORT]), or one started for it, with\n"
                           "sealed messages, each with an encapsulation of its own made beforehand; counts\n"
                           "those that were answered 2.04. The senders prove their addresses as asked.\n"
                           "\n"
                           "  --seconds S       how long to measure (kem, kex: each operation 0.5; gateway: 5)\n"
                           "  --json            one JSON object a line\n"
                           "  --markdown        kem, kex: Markdown tables\n"
                           "  --kem SET         kem, kex: this set of ML-KEM alone; gateway: 512 (default) or 768,\n"
                           "                    which fit one datagram\n"
                           "  --senders N       gateway: source ports (default 16)\n"
                           "  --window N        gateway: requests in flight for each sender (default 8)\n"
                           "  --get PATH        gateway: plain GET of PATH instead, of any CoAP server\n"
                           "  --durability D    gateway: passed on to the one that is started\n"
                           "  --help            print this help\n";

enum { OPT_SECONDS = 256, OPT_JSON, OPT_MARKDOWN, OPT_KEM, OPT_SENDERS, OPT_WINDOW, OPT_GET, OPT_DURABILITY, OPT_HELP };

static const struct option long_options[] = {
    {"seconds", required_argument, NULL, OPT_SECONDS},
    {"json", no_argument, NULL, OPT_JSON},
    {"markdown", no_argument, NULL, OPT_MARKDOWN},
    {"kem", required_argument, NULL, OPT_KEM},
    {"senders", required_argument, NULL, OPT_SENDERS},
    {"window", required_argument, NULL, OPT_WINDOW},
    {"get", required_argument, NULL, OPT_GET},
    {"durability", required_argument, NULL, OPT_DURABILITY},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

static bool take_count(const char *text, unsigned max, unsigned *out)
{
    unsigned long number;
    if (!larch_app_number(text, 1, max, &number))
        return false;
    *out = (unsigned)number;
    return true;
}

/* One option's value; false if it makes no sense. */
static bool take(larch_bench_options *o, int option, const char *value)
{
    switch (option) {
    case OPT_SECONDS:
        return larch_app_seconds(value, &o->seconds) && o->seconds > 0;
    case OPT_KEM:
        return larch_app_kem(value, &o->kem);
    case OPT_SENDERS:
        return take_count(value, LARCH_LOAD_SENDERS, &o->senders);
    case OPT_WINDOW:
        return take_count(value, LARCH_LOAD_WINDOW, &o->window);
    case OPT_GET:
        o->get = value[0] == '/' ? value + 1 : value;
        return strlen(o->get) <= 64;
    case OPT_DURABILITY:
        o->durability = value;
        return true;
    case OPT_JSON:
        o->json = true;
        return true;
    default:
        o->markdown = true;
        return true;
    }
}

int larch_bench_main(int argc, char **argv)
{
    larch_bench_options options = {.senders = 16, .window = 8};
    int option;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (option == OPT_HELP)
            return larch_app_help(help);
        if (option == '?')
            return larch_app_usage("bench", "%s", "");
        if (!take(&options, option, optarg))
            return larch_app_usage("bench", "'%s' is no value for this option", optarg);
    }
    const char *what = optind < argc ? argv[optind++] : "";
    const bool gateway = strcmp(what, "gateway") == 0;
    const bool kex = strcmp(what, "kex") == 0;
    if (!gateway && !kex && strcmp(what, "kem") != 0)
        return larch_app_usage("bench", "what to measure: kem, kex or gateway, not '%s'", what);
    options.uri = gateway && optind < argc ? argv[optind++] : NULL;
    if (optind < argc)
        return larch_app_usage("bench", "'%s' is one argument too many", argv[optind]);
    if (larch_app_start_crypto("bench") != LARCH_EXIT_DONE)
        return LARCH_EXIT_FAILED;
    return gateway ? larch_bench_gateway(&options) : larch_bench_compare(&options, kex);
}
