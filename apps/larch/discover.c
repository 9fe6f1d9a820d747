/* SPDX-License-Identifier: Apache-2.0 */
/* larch discover: asks every network at hand which gateways are there, in our way and in the prototype's. */
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "common/command.h"
#include "common/fetch.h"
#include "common/wire.h"
#include "larch/coap_message.h"
#include "larch/crypto.h"
#include "larch/direct.h"
#include "loop.h"
#include "system.h"
#include "text/json.h"
#include "text/peer.h"
#include "text/text.h"
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
    bool asks_network;
    int hint; /* errno of the last question that did not leave; 0: all did */
    uint8_t token[TOKEN_LEN];
    uint16_t message_id; /* of the POST, whose answers carry no token; the GET has the next one */
    found found[FOUND_MAX];
    size_t found_count;
} discovery;

/* ---- asking -------------------------------------------------------------- */

static void ask(discovery *d, const larch_peer *to, larch_bytes datagram)
{
    if (larch_udp_send_to(&d->udp, to, datagram) != 0)
        d->hint = errno;
}

/* GET /.well-known/core?rt=larch.key, non-confirmable as a group request must be [RFC7252 8.1]. */
static void ask_core(discovery *d, const larch_peer *to)
{
    uint8_t bytes[DATAGRAM_CAP];
    larch_coap_builder b;
    larch_bytes datagram;
    larch_coap_build(&b, bytes, sizeof bytes, LARCH_COAP_NON, LARCH_COAP_GET, (uint16_t)(d->message_id + 1),
                     LARCH_BYTES(d->token));
    larch_coap_build_path(&b, CORE_PATH);
    larch_coap_build_option(&b, LARCH_COAP_OPT_URI_QUERY, LARCH_TEXT(CORE_QUERY));
    if (larch_coap_build_end(&b, &datagram) == LARCH_OK)
        ask(d, to, datagram);
}

/* POST /pqkem-pk, confirmable and without a token though to a broadcast address: what prototypes
 * listen for. */
static void ask_prototype(discovery *d, const larch_peer *to)
{
    uint8_t bytes[DATAGRAM_CAP];
    larch_coap_builder b;
    larch_bytes datagram;
    larch_coap_build(&b, bytes, sizeof bytes, LARCH_COAP_CON, LARCH_COAP_POST, d->message_id, (larch_bytes){0});
    larch_coap_build_path(&b, LARCH_DIRECT_PATH_KEY);
    if (larch_coap_build_end(&b, &datagram) == LARCH_OK)
        ask(d, to, datagram);
}

/* "All CoAP Nodes" beyond the link. [RFC7252 12.8] */
static void ask_groups(discovery *d)
{
    const larch_peer ipv4 = {.address = {[10] = 0xff, [11] = 0xff, 224, 0, 1, 187}, .port = LARCH_COAP_PORT};
    struct if_nameindex *interfaces = if_nameindex();
    for (struct if_nameindex *i = interfaces; i != NULL && i->if_index != 0; i++) {
        const struct ip_mreqn from = {.imr_ifindex = (int)i->if_index};
        const larch_peer site = {.address = {0xff, 0x05, [15] = 0xfd}, .scope = i->if_index, .port = LARCH_COAP_PORT};
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
    d->asks_network = network;
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

static void take_arrivals(larch_loop_watch *watch, unsigned events)
{
    discovery *d = watch->context;
    (void)events;
    (void)larch_udp_receive(&d->udp, &larch_app_batch);
    for (size_t i = 0; i < larch_app_batch.count; i++)
        take(d, &larch_app_batch.datagrams[i].peer,
             (larch_bytes){larch_app_batch.datagrams[i].bytes, larch_app_batch.datagrams[i].len});
}

static larch_exit listen_for(discovery *d, uint64_t ms)
{
    larch_loop loop;
    larch_loop_watch arrivals = {.fd = d->udp.fd, .ready = take_arrivals, .context = d};
    larch_loop_init(&loop, NULL, NULL);
    if (larch_loop_add_watch(&loop, &arrivals, LARCH_LOOP_READ) != LARCH_OK ||
        larch_loop_run_until(&loop, larch_posix_now_ms() + ms) == LARCH_LOOP_FAILED)
        return larch_app_fail(NAME, "poll: %s", strerror(errno));
    return LARCH_EXIT_DONE;
}

/* A lost answer must not make a prototype of a gateway. */
static larch_exit ask_silent_again(discovery *d)
{
    bool any = false;
    for (size_t i = 0; i < d->found_count; i++)
        if (!d->found[i].by_core) {
            ask_core(d, &d->found[i].peer);
            any = true;
        }
    return any ? listen_for(d, SECOND_MS) : LARCH_EXIT_DONE;
}

/* ---- showing ------------------------------------------------------------- */

/* What the keys of a gateway are shown with. */
typedef struct keys_shown {
    bool first;
    bool able;                       /* false: we cannot ask, and why says why */
    char why[LARCH_APP_FAILURE_MAX]; /* no key came, the last time */
} keys_shown;

/* The gateway's identity, whose root endorses its key of the first set. False: it has none, or does not show it now. */
static bool find_identity(const found *f, char fingerprint[LARCH_FINGERPRINT_TEXT_LEN + 1])
{
    static larch_app_key key;
    if (!f->by_core || !larch_app_fetch(&f->peer, larch_direct_kem_at(0), true, FETCH_MS, &key) || !key.identified)
        return false;
    larch_fingerprint_format(LARCH_FINGERPRINT_IDENTITY, key.identity, fingerprint);
    return true;
}

/* Fetches the gateway's keys one after another, those of all its sets; a prototype has one. *kem is the one whose
 * fingerprint was written; false: there is no other. */
static bool next_key(const found *f, size_t *set, const larch_kem **kem,
                     char fingerprint[LARCH_FINGERPRINT_TEXT_LEN + 1], keys_shown *shown)
{
    static larch_app_key key;
    while (shown->able && (*kem = larch_direct_kem_at(*set)) != NULL && (*set == 0 || f->by_core)) {
        ++*set;
        if (larch_app_fetch(&f->peer, *kem, false, FETCH_MS, &key)) {
            larch_fingerprint_format(LARCH_FINGERPRINT_KEY, key.hash, fingerprint);
            return true;
        }
        (void)snprintf(shown->why, sizeof shown->why, "%s", key.why);
        shown->able = key.failure != LARCH_SENDER_FAIL_PLATFORM;
    }
    return false;
}

static void show_json(const found *f, keys_shown *shown)
{
    uint8_t line[1024 + 8 * LARCH_APP_FAILURE_MAX];
    larch_writer w = larch_writer_to(line, sizeof line);
    larch_json j = larch_json_begin_line(&w);
    char fingerprint[LARCH_FINGERPRINT_TEXT_LEN + 1];
    const larch_kem *kem;
    larch_json_put_peer(&j, "gateway", &f->peer);
    larch_json_put_bool(&j, "prototype", !f->by_core);
    if (find_identity(f, fingerprint))
        larch_json_put_text(&j, "identity", fingerprint);
    larch_json_begin_array(&j, "keys");
    for (size_t set = 0; next_key(f, &set, &kem, fingerprint, shown); shown->first = false) {
        larch_json_begin_object(&j, NULL);
        larch_json_put_text(&j, "kem", kem->name);
        larch_json_put_text(&j, "fingerprint", fingerprint);
        larch_json_end_object(&j);
    }
    larch_json_end_array(&j);
    if (shown->first)
        larch_json_put_text(&j, "error", shown->why);
    larch_json_end_line(&j);
    larch_text_print(&w, stdout);
}

static void show_plain(const found *f, keys_shown *shown)
{
    char address[LARCH_TEXT_PEER_MAX], fingerprint[LARCH_FINGERPRINT_TEXT_LEN + 1];
    const larch_kem *kem;
    larch_text_of_peer(&f->peer, address);
    const bool identified = find_identity(f, fingerprint);
    if (identified)
        printf("coap://%-28s  %-11s  %s\n", address, "identity", fingerprint);
    for (size_t set = 0; next_key(f, &set, &kem, fingerprint, shown); shown->first = false)
        printf("%s%-*s  %-11s  %s%s\n", shown->first && !identified ? "coap://" : "       ", 28,
               shown->first && !identified ? address : "", kem->name, fingerprint, f->by_core ? "" : "  prototype");
    if (shown->first)
        printf("coap://%-28s  no key: %s\n", address, shown->why);
}

/* One gateway with its keys. */
static larch_exit show(const discovery *d, const found *f)
{
    keys_shown shown = {.first = true, .able = true, .why = "no key"};
    (d->json ? show_json : show_plain)(f, &shown);
    (void)fflush(stdout);
    return shown.able ? LARCH_EXIT_DONE : larch_app_fail(NAME, "%s", shown.why);
}

/* Nobody answered. */
static larch_exit fail_alone(const discovery *d)
{
    if (d->asks_network && d->target_count == 0)
        return larch_app_fail(NAME,
                              "this host is on no network: no interface but the loopback is up with an address; set "
                              "one up, or name a gateway with --to");
    if (d->asks_network || d->hint == 0)
        return larch_app_fail(NAME, "no gateway answered within %g s", d->timeout);
    const larch_app_hint hint = larch_app_hint_of(d->hint);
    return larch_app_fail(NAME, "no gateway answered within %g s: %s; %s", d->timeout, hint.text, hint.advice);
}

/* ---- the command --------------------------------------------------------- */

static const larch_option rows[] = {
    {.name = "timeout",
     .kind = LARCH_OPTION_SECONDS,
     .value = "S",
     LARCH_OPTION_AT(discovery, timeout),
     .text = "seconds to wait for answers (default 6: nodes take up to 5 to answer a group)"},
    {.name = "to",
     .kind = LARCH_OPTION_ADDRESS,
     .value = "ADDR[:PORT]",
     LARCH_OPTION_LIST(discovery, targets, target_count),
     .text = "ask this address instead of the network; may be repeated"},
    {.name = "json",
     .kind = LARCH_OPTION_FLAG,
     LARCH_OPTION_AT(discovery, json),
     .text = "one JSON object a gateway on stdout"},
};

const larch_command larch_discover_command = {
    .name = NAME,
    .text = "find the gateways on this network",
    .usage = "[OPTION]...",
    .about = "Lists the gateways on this network with the fingerprints of their identities and keys. It\n"
             "asks all CoAP nodes by multicast, and prototype boards by broadcast. It makes no gateway\n"
             "trusted: compare a fingerprint with 'larch keys fingerprint' on the gateway.\n",
    LARCH_COMMAND_OPTIONS(rows),
};

int larch_discover_main(int argc, char **argv)
{
    static discovery d;
    const larch_random random = larch_posix_random();
    const larch_peer any = {.port = 0};
    larch_posix_reason why;
    uint8_t id[2];
    larch_operands operands;
    d.timeout = 6;
    larch_exit code = larch_command_parse(&larch_discover_command, &d, argc, argv, &operands);
    if (code != LARCH_EXIT_DONE)
        return code;
    if (larch_crypto_init() != LARCH_OK || larch_random_fill(&random, d.token, sizeof d.token) != LARCH_OK ||
        larch_random_fill(&random, id, sizeof id) != LARCH_OK)
        return larch_app_fail(NAME, "%s", larch_error_text(LARCH_PLATFORM));
    d.message_id = (uint16_t)(id[0] << 8 | id[1]);
    if (larch_udp_open(&d.udp, &any, &why) != 0)
        return larch_app_fail(NAME, "%s", why.text);
    ask_all(&d);
    if ((code = listen_for(&d, (uint64_t)(d.timeout * 1000))) == LARCH_EXIT_DONE)
        code = ask_silent_again(&d);
    larch_udp_close(&d.udp);
    if (code != LARCH_EXIT_DONE)
        return code;
    for (size_t i = 0; i < d.found_count; i++)
        if ((code = show(&d, &d.found[i])) != LARCH_EXIT_DONE)
            return code;
    return d.found_count > 0 ? LARCH_EXIT_DONE : fail_alone(&d);
}
