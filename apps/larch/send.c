/* SPDX-License-Identifier: Apache-2.0 */
/* larch send: seals a text to a gateway whose key is trusted, and shows every step. */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app.h"
#include "larch/crypto.h"
#include "options.h"
#include "send_int.h"
#include "system.h"
#include "text.h"

#define TIMEOUT_S 30.0

static const char help[] =
    "Usage: larch send URI [TEXT | -] [OPTION]...\n"
    "Seals TEXT (-: standard input, without its last newline) to the key of the gateway\n"
    "coap://HOST[:PORT] and posts it. Shows every datagram and step of cryptography.\n"
    "\n"
    "The key must be trusted: by --pin, or by the record of an earlier run, or by an\n"
    "endorsement of the key that was trusted before. Else nothing is sent: exit 3.\n"
    "\n"
    "Options:\n"
    "  --pin FINGERPRINT    trust the key with this fingerprint, as 'larch keys fingerprint'\n"
    "                       prints it on the gateway\n"
    "  --trust-first-use    trust any key of a gateway that has none on record, and record it\n"
    "  --known FILE         the record; default ${XDG_STATE_HOME:-~/.local/state}/larch/known_gateways\n"
    "  --kem SET            ML-KEM parameter set: 512 (default), 768, 1024\n"
    "  --non                post non-confirmable: no retransmission\n"
    "  --count N            send N messages (default 1)\n"
    "  --interval S         seconds between them (default 1)\n"
    "  --timeout S          seconds to wait for the key, and for each answer (default 30)\n"
    "  --json               one JSON object a message on stdout\n"
    "  --help               print this help\n";

/* ---- the command line ---------------------------------------------------- */

enum {
    OPT_PIN = 256,
    OPT_FIRST,
    OPT_KNOWN,
    OPT_KEM,
    OPT_NON,
    OPT_COUNT,
    OPT_INTERVAL,
    OPT_TIMEOUT,
    OPT_JSON,
    OPT_HELP
};

static const struct option long_options[] = {
    {"pin", required_argument, NULL, OPT_PIN},
    {"trust-first-use", no_argument, NULL, OPT_FIRST},
    {"known", required_argument, NULL, OPT_KNOWN},
    {"kem", required_argument, NULL, OPT_KEM},
    {"non", no_argument, NULL, OPT_NON},
    {"count", required_argument, NULL, OPT_COUNT},
    {"interval", required_argument, NULL, OPT_INTERVAL},
    {"timeout", required_argument, NULL, OPT_TIMEOUT},
    {"json", no_argument, NULL, OPT_JSON},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

/* What the options take, in their order. */
static const char *const wanted[] = {"a fingerprint, larch1: and 32 letters and digits",
                                     NULL,
                                     "the name of a file",
                                     "512, 768 or 1024",
                                     NULL,
                                     "a number from 1",
                                     "a number of seconds",
                                     "a number of seconds above 0"};

/* One option's value; false if it makes no sense. */
static bool take(sending *s, int option, const char *value)
{
    switch (option) {
    case OPT_PIN:
        s->pin_text = value;
        s->config.pinned = true;
        return larch_fingerprint_parse((larch_bytes){(const uint8_t *)value, strlen(value)}, s->config.pin) == LARCH_OK;
    case OPT_KNOWN:
        return snprintf(s->known_path, sizeof s->known_path, "%s", value) < (int)sizeof s->known_path &&
               value[0] != '\0';
    case OPT_KEM:
        return larch_app_kem(value, &s->config.kem);
    case OPT_COUNT:
        return larch_app_number(value, 1, ULONG_MAX, &s->count);
    case OPT_INTERVAL:
        return larch_app_seconds(value, &s->interval);
    case OPT_TIMEOUT:
        return larch_app_seconds(value, &s->timeout) && s->timeout > 0;
    case OPT_FIRST:
        s->first_use = true;
        return true;
    case OPT_NON:
        s->config.non_confirmable = true;
        return true;
    default:
        s->json = true;
        return true;
    }
}

/* -1 to go on, else the exit code. */
static int take_text(sending *s)
{
    size_t len = strlen(s->text);
    const size_t max = larch_direct_text_max(s->config.kem);
    if (strcmp(s->text, "-") == 0) {
        len = fread(s->bytes, 1, sizeof s->bytes, stdin);
        if (ferror(stdin))
            return larch_app_fail(NAME, "standard input: %s", strerror(errno));
        if (len > 0 && s->bytes[len - 1] == '\n')
            len--;
        s->message = (larch_bytes){s->bytes, len};
    } else {
        s->message = (larch_bytes){(const uint8_t *)s->text, len};
    }
    if (len > max)
        return larch_app_usage(NAME, "the text has %s%zu bytes; one message of %s takes %zu",
                               len > STDIN_BYTES ? "more than " : "", len, s->config.kem->name, max);
    return -1;
}

/* One gateway has one name on record: host in lower case, always with a port. */
static void name_authority(sending *s)
{
    const bool ipv6 = strchr(s->uri.host, ':') != NULL;
    (void)snprintf(s->authority, sizeof s->authority, ipv6 ? "[%.252s]:%u" : "%.253s:%u", s->uri.host,
                   s->uri.peer.port);
    for (char *c = s->authority; *c != '\0'; c++)
        *c = (char)(isspace((unsigned char)*c) ? '_' : tolower((unsigned char)*c));
}

/* -1 to go on, else the exit code. */
static int take_uri(sending *s, const char *text)
{
    larch_posix_reason why;
    if (larch_posix_uri_parse(text, &s->uri, &why) != 0)
        return larch_app_bad_address(NAME, text, &why);
    if ((s->uri.path[0] != '\0' && strcmp(s->uri.path, LARCH_DIRECT_PATH_DATA) != 0) || s->uri.query[0] != '\0')
        return larch_app_usage(NAME, "%s: sealed messages go to /%s alone: leave the path out", text,
                               LARCH_DIRECT_PATH_DATA);
    if (s->uri.peer.port == 0)
        return larch_app_usage(NAME, "%s: port 0 is nobody's", text);
    s->config.peer = s->uri.peer;
    name_authority(s);
    return -1;
}

static int take_arguments(sending *s, int argc, char **argv)
{
    int option, code;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (option == OPT_HELP)
            return larch_app_help(help);
        if (option == '?')
            return larch_app_hint(NAME);
        if (!take(s, option, optarg))
            return larch_app_usage(NAME, "--%s: '%s' is not %s", long_options[option - OPT_PIN].name, optarg,
                                   wanted[option - OPT_PIN]);
    }
    if (optind == argc)
        return larch_app_usage(NAME, "which gateway? Give coap://HOST[:PORT]");
    if (optind + 1 == argc)
        return larch_app_usage(NAME, "no text: give TEXT, or - for standard input");
    if (optind + 2 < argc)
        return larch_app_usage(NAME, "'%s' is one argument too many; quote the text", argv[optind + 2]);
    if (s->config.pinned && s->first_use)
        return larch_app_usage(NAME, "--pin and --trust-first-use exclude each other");
    s->argc = argc;
    s->argv = argv;
    s->text = argv[optind + 1];
    if ((code = take_uri(s, argv[optind])) >= 0)
        return code;
    return take_text(s);
}

/* ---- on the wire --------------------------------------------------------- */

static int open_socket(sending *s)
{
    struct sockaddr_storage address;
    const int family = larch_peer_is_ipv4(&s->uri.peer) ? AF_INET : AF_INET6;
    const socklen_t len = larch_posix_peer_to_sockaddr(&s->uri.peer, family, &address);
    s->socket = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    /* Connected: the kernel then hands back that nobody listens there, and drops what others send. */
    if (s->socket < 0 || connect(s->socket, (const struct sockaddr *)&address, len) != 0)
        return larch_app_fail(NAME, "%s: %s", s->authority, strerror(errno));
    return -1;
}

/* What the kernel reports about the way there ends the attempt; a full buffer does not. */
static void take_errno(sending *s)
{
    if (errno != EAGAIN && errno != EINTR && errno != ENOBUFS)
        larch_sender_unreachable(&s->sender);
}

static void transmit(sending *s)
{
    larch_peer peer;
    larch_bytes datagram;
    while (larch_sender_send(&s->sender, larch_posix_now_ms(), &peer, &datagram) == LARCH_OK) {
        larch_show_datagram(&s->show, true, datagram);
        if (send(s->socket, datagram.data, datagram.len, 0) < 0)
            take_errno(s);
    }
}

static bool is_busy(const sending *s)
{
    const larch_sender_state state = larch_sender_state_of(&s->sender);
    return state == LARCH_SENDER_FETCH_KEY || state == LARCH_SENDER_ENDORSE || state == LARCH_SENDER_POST;
}

/* Lets the sender work until it wants a decision or the time is up: false. */
static bool drive(sending *s)
{
    const uint64_t end_ms = larch_posix_now_ms() + (uint64_t)(s->timeout * 1000);
    uint8_t datagram[LARCH_COAP_DATAGRAM_MAX];
    for (;;) {
        transmit(s);
        if (!is_busy(s))
            return true;
        const uint64_t now_ms = larch_posix_now_ms();
        uint64_t wake_ms = larch_sender_deadline_ms(&s->sender);
        if (now_ms >= end_ms)
            return false;
        if (wake_ms > end_ms)
            wake_ms = end_ms;
        struct pollfd ready = {.fd = s->socket, .events = POLLIN};
        if (wake_ms > now_ms && poll(&ready, 1, wake_ms - now_ms > INT_MAX ? INT_MAX : (int)(wake_ms - now_ms)) <= 0)
            continue;
        const ssize_t len = recv(s->socket, datagram, sizeof datagram, MSG_DONTWAIT | MSG_TRUNC);
        if (len < 0) {
            take_errno(s);
        } else if ((size_t)len <= sizeof datagram) { /* a longer one is nothing that we asked for */
            larch_show_datagram(&s->show, false, (larch_bytes){datagram, (size_t)len});
            larch_sender_receive(&s->sender, larch_posix_now_ms(), &s->uri.peer, (larch_bytes){datagram, (size_t)len});
        }
    }
}

/* ---- the whole of it ----------------------------------------------------- */

/* Says why it ended; the exit code. */
static int fail(sending *s, bool timed_out)
{
    char fingerprint[LARCH_FINGERPRINT_TEXT_LEN + 1], text[256];
    const larch_sender_failure failure = larch_sender_failure_of(&s->sender);
    const uint8_t *hash;
    larch_bytes answer;
    const uint8_t code = larch_sender_answer(&s->sender, &answer);
    const bool undecided = larch_sender_state_of(&s->sender) == LARCH_SENDER_DECIDE;
    const bool shown = larch_sender_key(&s->sender, &hash).len > 0;
    if (undecided)
        (void)snprintf(text, sizeof text, "refused: no key of this gateway is on record");
    else if (timed_out)
        (void)snprintf(text, sizeof text, "no answer within %g s while %s", s->timeout,
                       larch_sender_state_text(larch_sender_state_of(&s->sender)));
    else
        (void)snprintf(text, sizeof text, "%s", larch_sender_failure_text(failure));
    larch_show_result(&s->show, code, answer, shown ? hash : NULL, NULL, text);
    if (shown)
        larch_fingerprint_format(hash, fingerprint);
    if (undecided)
        return send_refuse_unknown(s, fingerprint);
    if (failure == LARCH_SENDER_FAIL_WRONG_KEY && shown)
        return send_refuse_wrong(s, fingerprint);
    if (code != 0 && !timed_out) {
        uint8_t words[256];
        larch_writer w = larch_writer_to(words, sizeof words);
        larch_text_put_plain(&w, answer);
        return larch_app_fail(NAME, "%s: %s (%u.%02u %.*s)", s->authority, text, (unsigned)LARCH_COAP_CLASS(code),
                              (unsigned)LARCH_COAP_DETAIL(code), (int)(w.len < w.cap ? w.len : w.cap),
                              (const char *)words);
    }
    return larch_app_fail(NAME, "%s: %s", s->authority, text);
}

static int fetch(sending *s)
{
    char fingerprint[LARCH_FINGERPRINT_TEXT_LEN + 1], result[128];
    const uint8_t *hash;
    if (larch_sender_fetch(&s->sender, larch_posix_now_ms()) != LARCH_OK || !drive(s))
        return fail(s, larch_sender_state_of(&s->sender) != LARCH_SENDER_FAILED);
    if (larch_sender_state_of(&s->sender) == LARCH_SENDER_DECIDE && s->first_use) {
        if (larch_sender_trust(&s->sender) != LARCH_OK)
            return fail(s, false);
        s->trust = "first use";
    }
    if (larch_sender_state_of(&s->sender) != LARCH_SENDER_READY)
        return fail(s, false);
    if (larch_sender_rotated(&s->sender))
        s->trust = "endorsed";
    (void)larch_sender_key(&s->sender, &hash);
    larch_fingerprint_format(hash, fingerprint);
    (void)snprintf(result, sizeof result, "%s (%s)", fingerprint, s->trust);
    larch_show_line(&s->show, s->config.kem->name, result);
    return send_record_key(s);
}

static int post(sending *s)
{
    const larch_error e = larch_sender_post(&s->sender, larch_posix_now_ms(), s->message);
    if (e == LARCH_SPACE)
        return larch_app_usage(NAME, "the text has %zu bytes: too long for this gateway, a prototype takes 64",
                               s->message.len);
    if (e != LARCH_OK || !drive(s))
        return fail(s, larch_sender_state_of(&s->sender) != LARCH_SENDER_FAILED);
    if (larch_sender_state_of(&s->sender) != LARCH_SENDER_READY)
        return fail(s, false);
    const uint8_t *hash;
    larch_bytes answer;
    const uint8_t code = larch_sender_answer(&s->sender, &answer);
    (void)larch_sender_key(&s->sender, &hash);
    larch_show_result(&s->show, code, answer, hash, s->trust, NULL);
    return send_record_key(s); /* it may have been rotated under way */
}

static int run(sending *s)
{
    char why[LARCH_KNOWN_WHY_MAX];
    int code;
    if (larch_app_start_crypto(NAME) != LARCH_EXIT_DONE)
        return LARCH_EXIT_FAILED;
    if (send_load_pin(s, why) != LARCH_OK)
        return larch_app_fail(NAME, "%s", why);
    s->trust = s->pin_text != NULL ? "pinned" : "on record";
    s->random = larch_posix_random();
    larch_show_init(&s->show, s->json, s->authority, s->config.kem);
    larch_show_next(&s->show, s->message.len);
    s->config.random = &s->random;
    s->config.trace = &s->show.trace;
    if (larch_sender_init(&s->sender, larch_posix_now_ms(), &s->config) != LARCH_OK)
        return larch_app_fail(NAME, "%s", larch_error_text(LARCH_PLATFORM));
    if ((code = open_socket(s)) >= 0 || (code = fetch(s)) >= 0)
        return code;
    for (unsigned long i = 0; i < s->count; i++) {
        if (i > 0) {
            (void)poll(NULL, 0, s->interval < INT_MAX / 1000 ? (int)(s->interval * 1000) : INT_MAX);
            larch_show_next(&s->show, s->message.len);
        }
        if ((code = post(s)) >= 0)
            return code;
    }
    return LARCH_EXIT_DONE;
}

int larch_send_main(int argc, char **argv)
{
    static sending s;
    s.socket = -1;
    s.count = 1;
    s.interval = 1;
    s.timeout = TIMEOUT_S;
    s.config.kem = larch_kem_at(0);
    int code = take_arguments(&s, argc, argv);
    if (code < 0)
        code = run(&s);
    if (code == LARCH_EXIT_DONE && ferror(stdout))
        code = larch_app_fail(NAME, "what is told here was done, but standard output took not all of it");
    if (s.socket >= 0)
        (void)close(s.socket);
    larch_sender_wipe(&s.sender);
    larch_wipe(s.bytes, sizeof s.bytes);
    return code;
}
