/* SPDX-License-Identifier: Apache-2.0 */
/* larch discover: asks every network at hand which gateways are there, in our way and in the prototype's. */
#include <getopt.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "app.h"
#include "fetch.h"
#include "larch/crypto.h"
#include "options.h"
#include "system.h"
#include "text.h"
#include "udp.h"

#define NAME         "discover"
#define FOUND_MAX    64
#define TARGETS_MAX  64
#define TOKEN_LEN    6
#define FETCH_MS     3000
#define SECOND_MS    1000
#define CORE_PATH    ".well-known/core"
#define CORE_QUERY   "rt=larch.key"
#define KEY_LINK     "</" LARCH_DIRECT_PATH_KEY ">"
#define DATAGRAM_CAP 64 /* of a request */

static const char help[] =
    "Usage: larch discover [OPTION]...\n"
    "Lists the gateways on this network with the fingerprints of their keys: asks all\n"
    "CoAP nodes by multicast, and prototype boards by broadcast. Nothing is trusted by it:\n"
    "compare a fingerprint with 'larch keys fingerprint' on the gateway.\n"
    "\n"
    "Options:\n"
    "  --timeout S       seconds to wait for answers (default 6: nodes take up to 5 to answer a group)\n"
    "  --to ADDR[:PORT]  ask this address instead of the network; may be repeated\n"
    "  --json            one JSON object a gateway on stdout\n"
    "  --help            print this help\n";

/* Who answered, and how. */
typedef struct found {
    larch_peer peer;
    bool by_core; /* lists its key among its resources: not a prototype */
    bool asked_core;
} found;

typedef struct discovery {
    larch_udp udp;
    larch_peer targets[TARGETS_MAX];
    size_t target_count;
    double timeout;
    bool json;
    uint8_t token[TOKEN_LEN];
    uint16_t message_id; /* of the POST, whose answers carry no token; the GET has the next one */
    found found[FOUND_MAX];
    size_t found_count;
} discovery;

/* ---- asking -------------------------------------------------------------- */

/* GET /.well-known/core?rt=larch.key, non-confirmable as a group request must be [RFC7252 8.1]. */
static void ask_core(const discovery *d, const larch_peer *to)
{
    uint8_t bytes[DATAGRAM_CAP];
    larch_coap_builder b;
    larch_bytes datagram;
    larch_coap_build(&b, bytes, sizeof bytes, LARCH_COAP_NON, LARCH_COAP_GET, (uint16_t)(d->message_id + 1),
                     LARCH_BYTES(d->token));
    larch_coap_build_path(&b, CORE_PATH);
    larch_coap_build_option(&b, LARCH_COAP_OPT_URI_QUERY, LARCH_TEXT(CORE_QUERY));
    if (larch_coap_build_end(&b, &datagram) == LARCH_OK)
        (void)larch_udp_send_to(&d->udp, to, datagram);
}

/* POST /pqkem-pk, confirmable and without a token though to a broadcast address: what prototypes
 * listen for. */
static void ask_prototype(const discovery *d, const larch_peer *to)
{
    uint8_t bytes[DATAGRAM_CAP];
    larch_coap_builder b;
    larch_bytes datagram;
    larch_coap_build(&b, bytes, sizeof bytes, LARCH_COAP_CON, LARCH_COAP_POST, d->message_id, (larch_bytes){0});
    larch_coap_build_path(&b, LARCH_DIRECT_PATH_KEY);
    if (larch_coap_build_end(&b, &datagram) == LARCH_OK)
        (void)larch_udp_send_to(&d->udp, to, datagram);
}

/* "All CoAP Nodes" beyond the link. [RFC7252 12.8] */
static void ask_groups(const discovery *d)
{
    const larch_peer ipv4 = {{[10] = 0xff, [11] = 0xff, 224, 0, 1, 187}, 0, LARCH_COAP_PORT, 0};
    struct if_nameindex *interfaces = if_nameindex();
    for (struct if_nameindex *i = interfaces; i != NULL && i->if_index != 0; i++) {
        const struct ip_mreqn from = {.imr_ifindex = (int)i->if_index};
        const larch_peer site = {{0xff, 0x05, [15] = 0xfd}, i->if_index, LARCH_COAP_PORT, 0};
        if (setsockopt(d->udp.fd, IPPROTO_IP, IP_MULTICAST_IF, &from, sizeof from) == 0)
            ask_core(d, &ipv4);
        ask_core(d, &site);
    }
    if (interfaces != NULL)
        if_freenameindex(interfaces);
}

static void ask_all(discovery *d)
{
    const bool network = d->target_count == 0;
    if (network) {
        d->target_count = larch_udp_neighbourhoods(&d->udp, LARCH_COAP_PORT, d->targets, TARGETS_MAX);
        ask_groups(d);
    }
    for (size_t i = 0; i < d->target_count; i++) {
        ask_core(d, &d->targets[i]);
        if (!network || larch_peer_is_ipv4(&d->targets[i]))
            ask_prototype(d, &d->targets[i]);
    }
}

/* ---- listening ----------------------------------------------------------- */

static found *find_or_add(discovery *d, const larch_peer *peer)
{
    for (size_t i = 0; i < d->found_count; i++)
        if (larch_peer_equal(&d->found[i].peer, peer))
            return &d->found[i];
    if (d->found_count == FOUND_MAX)
        return NULL;
    d->found[d->found_count] = (found){.peer = *peer};
    return &d->found[d->found_count++];
}

static bool lists_key(larch_bytes links)
{
    const larch_bytes link = LARCH_TEXT(KEY_LINK);
    for (size_t at = 0; at + link.len <= links.len; at++)
        if (memcmp(links.data + at, link.data, link.len) == 0)
            return true;
    return false;
}

static void take(discovery *d, const larch_peer *peer, larch_bytes datagram)
{
    larch_coap_message m;
    found *f;
    if (larch_coap_parse(datagram, &m) != LARCH_OK || LARCH_COAP_CLASS(m.code) != 2)
        return;
    if (larch_bytes_equal(m.token, LARCH_BYTES(d->token))) {
        if (lists_key(m.payload) && (f = find_or_add(d, peer)) != NULL)
            f->by_core = true;
    } else if (m.token.len == 0 && m.message_id == d->message_id &&
               larch_kem_check_ek(larch_kem_find(512), m.payload) == LARCH_OK && (f = find_or_add(d, peer)) != NULL &&
               !f->asked_core) {
        /* Ours answer this too: only who stays silent to GET is a prototype. */
        f->asked_core = true;
        ask_core(d, peer);
    }
}

static void listen_until(discovery *d, uint64_t end_ms)
{
    static larch_udp_batch batch;
    while (larch_posix_now_ms() < end_ms)
        if (larch_udp_wait(&d->udp, end_ms) > 0) {
            (void)larch_udp_receive(&d->udp, &batch);
            for (size_t i = 0; i < batch.count; i++)
                take(d, &batch.datagrams[i].peer, (larch_bytes){batch.datagrams[i].bytes, batch.datagrams[i].len});
        }
}

/* A lost answer must not make a prototype of a gateway. */
static void ask_silent_again(discovery *d)
{
    bool any = false;
    for (size_t i = 0; i < d->found_count; i++)
        if (!d->found[i].by_core) {
            ask_core(d, &d->found[i].peer);
            any = true;
        }
    if (any)
        listen_until(d, larch_posix_now_ms() + SECOND_MS);
}

/* ---- showing ------------------------------------------------------------- */

/* One gateway with the keys of all its sets; a prototype has one. */
static void show(const discovery *d, const found *f)
{
    static uint8_t ek[LARCH_KEM_EK_MAX];
    uint8_t hash[32];
    char address[LARCH_POSIX_PEER_TEXT], fingerprint[LARCH_FINGERPRINT_TEXT_LEN + 1];
    const larch_kem *kem;
    bool first = true;
    larch_posix_peer_text(&f->peer, address);
    if (d->json)
        printf("{\"gateway\":\"%s\",\"prototype\":%s,\"keys\":[", address, f->by_core ? "false" : "true");
    for (size_t i = 0; (kem = larch_kem_at(i)) != NULL && (i == 0 || f->by_core); i++) {
        if (larch_app_fetch(&f->peer, kem, FETCH_MS, ek, hash) != LARCH_SENDER_FAIL_NONE)
            continue;
        larch_fingerprint_format(hash, fingerprint);
        if (d->json)
            printf("%s{\"kem\":\"%s\",\"fingerprint\":\"%s\"}", first ? "" : ",", kem->name, fingerprint);
        else
            printf("%s%-*s  %-11s  %s%s\n", first ? "coap://" : "       ", 28, first ? address : "", kem->name,
                   fingerprint, f->by_core ? "" : "  prototype");
        first = false;
    }
    if (d->json)
        printf("]}\n");
    else if (first)
        printf("coap://%-28s  no key within %d s\n", address, FETCH_MS / 1000);
    (void)fflush(stdout);
}

/* ---- the command --------------------------------------------------------- */

enum { OPT_TIMEOUT = 256, OPT_TO, OPT_JSON, OPT_HELP };

static const struct option long_options[] = {
    {"timeout", required_argument, NULL, OPT_TIMEOUT},
    {"to", required_argument, NULL, OPT_TO},
    {"json", no_argument, NULL, OPT_JSON},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

/* -1 to go on, else the exit code. */
static int take_arguments(discovery *d, int argc, char **argv)
{
    larch_posix_reason why;
    int option;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        switch (option) {
        case OPT_TIMEOUT:
            if (!larch_app_seconds(optarg, &d->timeout))
                return larch_app_usage(NAME, "--timeout: '%s' is not a number of seconds", optarg);
            break;
        case OPT_TO:
            if (d->target_count == TARGETS_MAX)
                return larch_app_usage(NAME, "--to: no more than %d times", TARGETS_MAX);
            if (larch_posix_peer_parse(optarg, LARCH_COAP_PORT, &d->targets[d->target_count], &why) != 0)
                return larch_app_bad_address(NAME, "--to", &why);
            d->target_count++;
            break;
        case OPT_JSON:
            d->json = true;
            break;
        case OPT_HELP:
            return larch_app_help(help);
        default:
            return larch_app_hint(NAME);
        }
    return optind < argc ? larch_app_usage(NAME, "'%s' is one argument too many", argv[optind]) : -1;
}

int larch_discover_main(int argc, char **argv)
{
    static discovery d;
    const larch_random random = larch_posix_random();
    const larch_peer any = {{0}, 0, 0, 0};
    larch_posix_reason why;
    uint8_t id[2];
    d.timeout = 6;
    int code = take_arguments(&d, argc, argv);
    if (code >= 0)
        return code;
    if (larch_crypto_init() != LARCH_OK || larch_random_fill(&random, d.token, sizeof d.token) != LARCH_OK ||
        larch_random_fill(&random, id, sizeof id) != LARCH_OK)
        return larch_app_fail(NAME, "%s", larch_error_text(LARCH_PLATFORM));
    d.message_id = (uint16_t)(id[0] << 8 | id[1]);
    if (larch_udp_open(&d.udp, &any, &why) != 0)
        return larch_app_fail(NAME, "%s", why.text);
    ask_all(&d);
    listen_until(&d, larch_posix_now_ms() + (uint64_t)(d.timeout * 1000));
    ask_silent_again(&d);
    larch_udp_close(&d.udp);
    for (size_t i = 0; i < d.found_count; i++)
        show(&d, &d.found[i]);
    if (d.found_count == 0)
        return larch_app_fail(NAME, "no gateway answered within %g s", d.timeout);
    return LARCH_EXIT_DONE;
}
