/* SPDX-License-Identifier: Apache-2.0 */
/* larch bench: this machine's figures. They assert nothing. */
#include "bench/bench.h"

#include <string.h>

#include "bench/load.h"
#include "common/command.h"

#define NAME     "bench"
#define PATH_LEN 64

static bool set_path(void *target, const char *value)
{
    larch_bench_options *o = target;
    const char *path = value[0] == '/' ? value + 1 : value;
    if (strlen(path) > PATH_LEN)
        return false;
    o->get = path;
    return true;
}

static const larch_option rows[] = {
    {.name = "seconds",
     .kind = LARCH_OPTION_PERIOD,
     .value = "S",
     LARCH_OPTION_AT(larch_bench_options, seconds),
     .text = "how long to measure (kem, kex: each operation 0.5; gateway: 5; oscore: each load at most 1; "
             "handshake: each pair 0.3 at most, the load 3)"},
    {.name = "json",
     .kind = LARCH_OPTION_FLAG,
     LARCH_OPTION_AT(larch_bench_options, json),
     .text = "one JSON object a line"},
    {.name = "markdown",
     .kind = LARCH_OPTION_FLAG,
     LARCH_OPTION_AT(larch_bench_options, markdown),
     .text = "kem, kex, oscore, handshake: Markdown tables"},
    {.name = "kem",
     .kind = LARCH_OPTION_KEM,
     .value = "SET",
     LARCH_OPTION_POINTER(larch_bench_options, kem),
     .text = "kem, kex: this set alone; gateway: 512 (default), 768 or xwing, which fit one datagram"},
    {.name = "senders",
     .kind = LARCH_OPTION_NUMBER,
     .value = "N",
     .min = 1,
     .max = LARCH_LOAD_SENDERS,
     LARCH_OPTION_AT(larch_bench_options, senders),
     .text =
         "gateway, oscore: source ports (default 16), each with a context of its own; handshake: devices (default 64)"},
    {.name = "window",
     .kind = LARCH_OPTION_NUMBER,
     .value = "N",
     .min = 1,
     .max = LARCH_LOAD_WINDOW,
     LARCH_OPTION_AT(larch_bench_options, window),
     .text = "gateway, oscore: requests in flight for each sender (default 8)"},
    {.name = "receipt",
     .kind = LARCH_OPTION_FLAG,
     LARCH_OPTION_AT(larch_bench_options, receipt),
     .text = "gateway: each message asks for a receipt"},
    {.name = "get",
     .kind = LARCH_OPTION_SETTER,
     .value = "PATH",
     .wants = "a path of 64 bytes at most",
     .set = set_path,
     .text = "gateway: plain GET of PATH instead, of any CoAP server"},
    {.name = "durability",
     .kind = LARCH_OPTION_TEXT,
     .value = "WHAT",
     LARCH_OPTION_AT(larch_bench_options, durability),
     .text = "gateway, handshake: passed on to the gateway that is started"},
    {.name = "libcoap",
     .kind = LARCH_OPTION_TEXT,
     .value = "PROGRAM",
     LARCH_OPTION_AT(larch_bench_options, libcoap),
     .text = "oscore: libcoap's server with OSCORE (default coap-server-openssl)"},
};

const larch_command larch_bench_command = {
    .name = NAME,
    .text = "measure this machine",
    .usage = "kem|kex|oscore|handshake [OPTION]...\ngateway [OPTION]... [URI]",
    .about = "Measures this machine.\n"
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
             "oscore: posts readings of 32 bytes under OSCORE, protected beforehand, in turn to larch\n"
             "without and with its outbox (--durability process), to libcoap's example server, and to\n"
             "a bare echo; the servers keep to one core, and the load to another. Figures are medians\n"
             "of 5 rounds, beside their ratios. Then it looks up 1, 1,000 and 100,000 contexts.\n"
             "\n"
             "handshake: each method and suite of LAKE (EDHOC, RFC 9528): bytes of the messages, blocks,\n"
             "datagrams, round trips, operations, CPU time of both sides, memory, and what a radio of\n"
             "250 kbit/s would take, under the assumptions that it prints. Then devices, each at an\n"
             "address of its own, shake hands with a gateway started for it, on another core.\n",
    LARCH_COMMAND_OPTIONS(rows),
    .operand_max = 2,
};

int larch_bench_main(int argc, char **argv)
{
    larch_bench_options options = {.window = 8};
    larch_operands operands;
    larch_exit code = larch_command_parse(&larch_bench_command, &options, argc, argv, &operands);
    if (code != LARCH_EXIT_DONE)
        return code;
    const char *what = operands.count > 0 ? operands.words[0] : "";
    const bool gateway = strcmp(what, "gateway") == 0;
    const bool kex = strcmp(what, "kex") == 0;
    const bool oscore = strcmp(what, "oscore") == 0;
    const bool handshake = strcmp(what, "handshake") == 0;
    if (!gateway && !kex && !oscore && !handshake && strcmp(what, "kem") != 0)
        return larch_app_usage(NAME, "what to measure: kem, kex, gateway, oscore or handshake, not '%s'", what);
    if (!gateway && operands.count > 1)
        return larch_app_usage(NAME, "'%s' is one argument too many", operands.words[1]);
    options.uri = operands.count > 1 ? operands.words[1] : NULL;
    if (options.senders == 0)
        options.senders = handshake ? 64 : 16;
    if ((code = larch_app_start_crypto(NAME)) != LARCH_EXIT_DONE)
        return code;
    if (oscore)
        return larch_bench_oscore(&options);
    if (handshake)
        return larch_bench_handshake_main(&options);
    return gateway ? larch_bench_gateway(&options) : larch_bench_compare(&options, kex);
}
